/* SPDX-License-Identifier: Apache-2.0 - commands and messages: what clients may send, and bytes there and back. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "base/limits.h"
#include "partition/command.h"
#include "partition/effects.h"
#include "partition/utf8.h"
#include "tests/support/partition_build.h"
#include "tests/support/text.h"

static const char long_text[300] = {[0 ... 298] = 'x'};

/* --- check --- */

static void cr_fault(struct ord_command c, const char *field, const char *remedy)
{
	struct ord_fault fault = {0};

	cr_assert_eq(ord_command_check(&c, &fault), ORD_ERR_INVALID, "field %s", field);
	cr_assert_str_eq(fault.field, field);
	cr_assert_str_eq(fault.remedy, remedy);
}

static void cr_right(struct ord_command c)
{
	struct ord_fault fault = {0};

	cr_assert_eq(ord_command_check(&c, &fault), ORD_OK, "%s: %s", fault.field, fault.remedy);
}

Test(partition_command, checks_a_transfer_field_by_field)
{
	struct ord_command c = build_transfer("t1", "alice", "bob", 1);

	cr_right(c);
	c.transfer.amount = INT64_MAX;
	cr_right(c);
	c.transfer.amount = 0;
	cr_fault(c, "amount", "an integer from 1 to 2^63-1");
	c.transfer.amount = -5;
	cr_fault(c, "amount", "an integer from 1 to 2^63-1");
	c.transfer.payee = c.transfer.payer;
	cr_fault(c, "amount", "an integer from 1 to 2^63-1");
	c.transfer.amount = 5;
	cr_fault(c, "payee", "another account than the payer");
	c.transfer.payer = (struct ord_slice){0};
	cr_fault(c, "payer", "1 to 64 bytes of UTF-8");
	c = build_transfer("t1", "alice", "bob", 1);
	c.transfer.asset = ord_slice_of(long_text, ORD_ASSET_BYTES_MAX + 1);
	cr_fault(c, "asset", "1 to 16 bytes of UTF-8");
	c.transfer.asset.len = ORD_ASSET_BYTES_MAX;
	cr_right(c);
	c.request_id = (struct ord_uuid){{0}};
	cr_fault(c, "id", "16 bytes that are not all zero");
}

Test(partition_command, checks_accounts)
{
	struct ord_command c = build_open("o1", "alice", "EUR", 0, 0);

	cr_right(c);
	c.open_account.floor = -INT64_MAX;
	c.open_account.ceiling = INT64_MAX;
	cr_right(c);
	c.open_account.floor = INT64_MIN;
	cr_fault(c, "floor", "an integer from -(2^63-1) to 0");
	c.open_account.floor = 1;
	cr_fault(c, "floor", "an integer from -(2^63-1) to 0");
	c.open_account.floor = 0;
	c.open_account.ceiling = -1;
	cr_fault(c, "ceiling", "an integer from 0 to 2^63-1");
	c.open_account.account = ord_slice_of(long_text, ORD_ACCOUNT_ID_BYTES_MAX + 1);
	cr_fault(c, "account", "1 to 64 bytes of UTF-8");
	c = build_set("s1", "alice", ORD_ACCOUNT_CLOSED);
	cr_right(c);
	c.set_account.state = 4;
	cr_fault(c, "state", "open, frozen or closed");
	c.set_account.state = 0;
	cr_fault(c, "state", "open, frozen or closed");
}

Test(partition_command, checks_names)
{
	struct ord_command c = build_claim("c1", "users", "ada", "u1");

	cr_right(c);
	c.naming.name = ord_slice_of(long_text, ORD_NAME_BYTES_MAX);
	cr_right(c);
	c.naming.name.len++;
	cr_fault(c, "name", "1 to 255 bytes of UTF-8");
	c = build_claim("c1", "", "ada", "u1");
	cr_fault(c, "namespace", "1 to 64 bytes of UTF-8");
	c = build_claim("c1", "users", "ada\xff", "u1");
	cr_fault(c, "name", "1 to 255 bytes of UTF-8");
	c = build_claim("c1", "users", "ada", "");
	cr_fault(c, "owner", "1 to 64 bytes of UTF-8");
	c = build_release("c1", "users", "ada", "");
	cr_fault(c, "expected", "1 to 64 bytes of UTF-8");
	c = build_reassign("c1", "users", "ada", "", "u2");
	cr_fault(c, "expected", "1 to 64 bytes of UTF-8");
	c = build_reassign("c1", "users", "ada", "u1", "");
	cr_fault(c, "owner", "1 to 64 bytes of UTF-8");
}

Test(partition_command, lets_clients_send_their_own_commands_only)
{
	cr_fault((struct ord_command){.kind = ORD_COMMAND_DELIVER}, "method", "a command that clients may send");
	cr_fault((struct ord_command){.kind = ORD_COMMAND_TRIM}, "method", "a command that clients may send");
	cr_fault((struct ord_command){.kind = ORD_COMMAND_MARK}, "method", "a command that clients may send");
	cr_fault((struct ord_command){.kind = ORD_COMMAND_EXPIRE}, "method", "a command that clients may send");
	cr_fault((struct ord_command){.kind = 99}, "method", "a command that clients may send");
}

Test(partition_command, knows_utf8)
{
	static const char *const right[] = {"",
					    "a",
					    "\xc2\x80",
					    "\xdf\xbf",
					    "\xe0\xa0\x80",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xf0\x90\x80\x80",
					    "\xf4\x8f\xbf\xbf",
					    "gr\xc3\xbc\xc3\x9f"};
	static const char *const wrong[] = {"\x80",
					    "\xc0\x80",
					    "\xc1\xbf",
					    "\xc2",
					    "\xc2 ",
					    "\xe0\x9f\xbf",
					    "\xed\xa0\x80",
					    "\xef\xbf",
					    "\xf0\x8f\xbf\xbf",
					    "\xf4\x90\x80\x80",
					    "\xf5\x80\x80\x80",
					    "ab\xe2\x82"
					    "c"};

	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		cr_assert(ord_utf8_check(ord_slice_text(right[i])), "right %zu", i);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_assert_not(ord_utf8_check(ord_slice_text(wrong[i])), "wrong %zu", i);
}

/* --- bytes there and back --- */

static struct ord_command every_command(size_t i)
{
	switch (i) {
	case 0:
		return build_open("o1", "alice", "EUR", -INT64_MAX, 7);
	case 1:
		return build_set("s1", "alice", ORD_ACCOUNT_FROZEN);
	case 2:
		return build_transfer("t1", "alice", "bob", INT64_MAX);
	case 3:
		return build_claim("c1", "users", "ada", "u1");
	case 4:
		return build_release("c2", "users", "ada", "u1");
	case 5:
		return build_reassign("c3", "users", "ada", "u1", "u2");
	case 6:
		return (struct ord_command){.kind = ORD_COMMAND_DELIVER, .deliver = {3, 9, 2, ord_slice_text("abc")}};
	case 7:
		return (struct ord_command){.kind = ORD_COMMAND_TRIM, .trim = {4, 77}};
	case 8:
		return (struct ord_command){.kind = ORD_COMMAND_EXPIRE, .expire = {1700000000000}};
	default:
		return (struct ord_command){.kind = ORD_COMMAND_MARK,
					    .mark = {77, 7, {1, UINT64_MAX}, {1, 2, 3, [31] = 9}}};
	}
}

#define EVERY_COMMAND 10

Test(partition_command, comes_back_as_it_was_encoded)
{
	for (size_t i = 0; i < EVERY_COMMAND; i++) {
		struct ord_command c = every_command(i);
		struct ord_command back;
		struct ord_bytes first, second;

		ord_bytes_init(&first, ORD_COMMAND_BYTES_MAX);
		ord_bytes_init(&second, ORD_COMMAND_BYTES_MAX);
		ord_command_encode(&c, &first);
		struct ord_reader r = ord_reader_of(ord_bytes_slice(&first));
		cr_assert_eq(ord_command_decode(&r, &back), ORD_OK, "command %zu", i);
		cr_assert_eq(ord_reader_left(&r), 0);
		cr_assert_eq(back.kind, c.kind);
		cr_assert(ord_uuid_equal(&back.request_id, &c.request_id));
		ord_command_encode(&back, &second);
		cr_assert(ord_slice_equal(ord_bytes_slice(&first), ord_bytes_slice(&second)));
		ord_bytes_close(&first);
		ord_bytes_close(&second);
	}
}

Test(partition_command, fills_every_field)
{
	struct ord_command c = every_command(5);
	struct ord_command back;
	struct ord_bytes b;

	ord_bytes_init(&b, ORD_COMMAND_BYTES_MAX);
	ord_command_encode(&c, &b);
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&b));
	cr_assert_eq(ord_command_decode(&r, &back), ORD_OK);
	cr_assert(ord_slice_equal(back.naming.space, c.naming.space));
	cr_assert(ord_slice_equal(back.naming.name, c.naming.name));
	cr_assert(ord_slice_equal(back.naming.owner, c.naming.owner));
	cr_assert(ord_slice_equal(back.naming.expected, c.naming.expected));
	ord_bytes_clear(&b);
	c = every_command(2);
	ord_command_encode(&c, &b);
	r = ord_reader_of(ord_bytes_slice(&b));
	cr_assert_eq(ord_command_decode(&r, &back), ORD_OK);
	cr_assert(ord_slice_equal(back.transfer.payer, c.transfer.payer));
	cr_assert(ord_slice_equal(back.transfer.payee, c.transfer.payee));
	cr_assert(ord_slice_equal(back.transfer.asset, c.transfer.asset));
	cr_assert_eq(back.transfer.amount, INT64_MAX);
	ord_bytes_close(&b);
}

Test(partition_command, is_truncated_wherever_its_bytes_end)
{
	for (size_t i = 0; i < EVERY_COMMAND; i++) {
		struct ord_command c = every_command(i);
		struct ord_command untouched = {.kind = 123};
		struct ord_bytes b;

		ord_bytes_init(&b, ORD_COMMAND_BYTES_MAX);
		ord_command_encode(&c, &b);
		for (size_t len = 0; len < b.len; len++) {
			struct ord_reader r = ord_reader_of(ord_slice_of(b.base, len));
			cr_assert_eq(ord_command_decode(&r, &untouched), ORD_ERR_TRUNCATED, "command %zu at %zu", i,
				     len);
			cr_assert_eq(untouched.kind, 123);
		}
		ord_bytes_close(&b);
	}
}

static int decode_of(struct ord_command c)
{
	struct ord_bytes b;
	struct ord_command back;

	ord_bytes_init(&b, ORD_COMMAND_BYTES_MAX);
	ord_command_encode(&c, &b);
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&b));
	int rv = ord_command_decode(&r, &back);
	ord_bytes_close(&b);
	return rv;
}

Test(partition_command, refuses_bytes_with_impossible_values)
{
	uint8_t unknown[64] = {99};
	struct ord_reader r = ord_reader_of(ord_slice_of(unknown, sizeof unknown));
	struct ord_command back;
	struct ord_command c = build_transfer("t1", "alice", "bob", -1);

	cr_assert_eq(ord_command_decode(&r, &back), ORD_ERR_FORMAT);
	cr_assert_eq(decode_of(c), ORD_ERR_FORMAT);
	c = build_transfer("t1", "", "bob", 1);
	cr_assert_eq(decode_of(c), ORD_ERR_FORMAT);
	c = build_transfer("t1", "alice", "bob", 1);
	c.transfer.payee = ord_slice_of(long_text, ORD_ACCOUNT_ID_BYTES_MAX + 1);
	cr_assert_eq(decode_of(c), ORD_ERR_FORMAT);
	cr_assert_eq(decode_of(build_open("o1", "alice", "EUR", 1, 2)), ORD_ERR_FORMAT);
	cr_assert_eq(decode_of(build_open("o1", "alice", "EUR", 0, -2)), ORD_ERR_FORMAT);
	cr_assert_eq(decode_of(build_set("s1", "alice", 7)), ORD_ERR_FORMAT);
	c = (struct ord_command){.kind = ORD_COMMAND_DELIVER, .deliver = {.first = UINT64_MAX, .count = 1}};
	cr_assert_eq(decode_of(c), ORD_ERR_FORMAT);
}

/* --- messages --- */

static struct ord_message every_message(enum ord_message_kind kind)
{
	struct ord_message m = {.kind = kind, .request_id = text_id_of("t1"), .home = 5};

	if (kind != ORD_MESSAGE_OUTCOME)
		m.transfer = build_transfer("t1", "alice", "bob", 42).transfer;
	if (kind == ORD_MESSAGE_REFUND || kind == ORD_MESSAGE_OUTCOME)
		m.reason = ORD_REFUSAL_ABOVE_CEILING;
	return m;
}

static int message_decode_of(const struct ord_message *m, struct ord_message *ret)
{
	static struct ord_bytes b = {.bytes_max = 1024};

	ord_bytes_clear(&b);
	ord_message_encode(m, &b);
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&b));
	int rv = ord_message_decode(&r, ret);
	if (rv == ORD_OK)
		cr_assert_eq(ord_reader_left(&r), 0);
	return rv;
}

Test(partition_command, messages_come_back_as_they_were_encoded)
{
	for (int kind = ORD_MESSAGE_DEBIT; kind <= ORD_MESSAGE_OUTCOME; kind++) {
		struct ord_message m = every_message(kind);
		struct ord_message back;

		cr_assert_eq(message_decode_of(&m, &back), ORD_OK);
		cr_assert_eq(back.kind, m.kind);
		cr_assert_eq(back.home, 5);
		cr_assert_eq(back.reason, m.reason);
		cr_assert_eq(back.transfer.amount, m.transfer.amount);
		cr_assert(ord_uuid_equal(&back.request_id, &m.request_id));
		cr_assert(ord_slice_equal(back.transfer.payer, m.transfer.payer));
		cr_assert(ord_slice_equal(back.transfer.payee, m.transfer.payee));
		cr_assert(ord_slice_equal(back.transfer.asset, m.transfer.asset));
	}
}

Test(partition_command, messages_are_truncated_wherever_their_bytes_end)
{
	for (int kind = ORD_MESSAGE_DEBIT; kind <= ORD_MESSAGE_OUTCOME; kind++) {
		struct ord_message m = every_message(kind);
		struct ord_message back;
		struct ord_bytes b;

		ord_bytes_init(&b, 1024);
		ord_message_encode(&m, &b);
		for (size_t len = 0; len < b.len; len++) {
			struct ord_reader r = ord_reader_of(ord_slice_of(b.base, len));
			cr_assert_eq(ord_message_decode(&r, &back), ORD_ERR_TRUNCATED);
		}
		ord_bytes_close(&b);
	}
}

Test(partition_command, refuses_messages_with_impossible_values)
{
	uint8_t unknown[64] = {9};
	struct ord_reader r = ord_reader_of(ord_slice_of(unknown, sizeof unknown));
	struct ord_message back;
	struct ord_message m = every_message(ORD_MESSAGE_REFUND);

	cr_assert_eq(ord_message_decode(&r, &back), ORD_ERR_FORMAT);
	m.reason = 999;
	cr_assert_eq(message_decode_of(&m, &back), ORD_ERR_FORMAT);
	m.reason = ORD_REFUSAL_NONE;
	cr_assert_eq(message_decode_of(&m, &back), ORD_ERR_FORMAT);
	m = every_message(ORD_MESSAGE_OUTCOME);
	m.reason = ORD_REFUSAL_NONE;
	cr_assert_eq(message_decode_of(&m, &back), ORD_OK);
	m = every_message(ORD_MESSAGE_CREDIT);
	m.transfer.amount = 0;
	cr_assert_eq(message_decode_of(&m, &back), ORD_ERR_FORMAT);
}

/* --- entries --- */

Test(partition_command, an_entry_says_its_count_and_time)
{
	struct ord_entry_header h;
	struct ord_bytes b;

	ord_bytes_init(&b, 1024);
	ord_entry_begin(&b, 123456789);
	cr_assert_eq(b.len, ORD_ENTRY_HEADER_BYTES);
	ord_entry_end(&b, 3);
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&b));
	cr_assert_eq(ord_entry_decode(&r, &h), ORD_OK);
	cr_assert_eq(h.commands_count, 3);
	cr_assert_eq(h.time_us, 123456789);
	cr_assert_eq(h.logic_version, ORD_LOGIC_VERSION);
	for (size_t len = 0; len < ORD_ENTRY_HEADER_BYTES; len++) {
		r = ord_reader_of(ord_slice_of(b.base, len));
		cr_assert_eq(ord_entry_decode(&r, &h), ORD_ERR_TRUNCATED);
	}
	b.base[2] = ORD_LOGIC_VERSION + 1;
	r = ord_reader_of(ord_bytes_slice(&b));
	cr_assert_eq(ord_entry_decode(&r, &h), ORD_ERR_MISMATCH);
	b.base[2] = 0;
	r = ord_reader_of(ord_bytes_slice(&b));
	cr_assert_eq(ord_entry_decode(&r, &h), ORD_ERR_FORMAT);
	b.base[0] = 2;
	r = ord_reader_of(ord_bytes_slice(&b));
	cr_assert_eq(ord_entry_decode(&r, &h), ORD_ERR_FORMAT);
	ord_bytes_close(&b);
}

/* --- names --- */

Test(partition_command, every_number_has_its_name)
{
	cr_assert_str_eq(ord_command_name(ORD_COMMAND_TRANSFER), "transfer");
	cr_assert_str_eq(ord_command_name(ORD_COMMAND_TRIM), "trim");
	cr_assert_str_eq(ord_command_name(ORD_COMMAND_MARK), "mark");
	cr_assert_str_eq(ord_command_name(0), "unknown");
	cr_assert_str_eq(ord_message_name(ORD_MESSAGE_OUTCOME), "outcome");
	cr_assert_str_eq(ord_message_name(77), "unknown");
	cr_assert_str_eq(ord_refusal_name(ORD_REFUSAL_NONE), "none");
	cr_assert_str_eq(ord_refusal_name(ORD_REFUSAL_BELOW_FLOOR), "below_floor");
	cr_assert_str_eq(ord_refusal_name(999), "unknown");
	cr_assert_str_eq(ord_refusal_text(ORD_REFUSAL_NAME_FREE), "the name has no owner");
	cr_assert_not_null(ord_refusal_text(999));
	cr_assert_str_eq(ord_account_state_name(ORD_ACCOUNT_FROZEN), "frozen");
	cr_assert_str_eq(ord_account_state_name(0), "unknown");
	cr_assert_str_eq(ord_status_name(ORD_STATUS_ACCEPTED), "accepted");
	cr_assert_str_eq(ord_posting_kind_name(ORD_POSTING_REFUND), "refund");
}
