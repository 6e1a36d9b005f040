/* SPDX-License-Identifier: Apache-2.0 - admission: what waits becomes entries, in order, whole, and bounded. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/err.h"
#include "base/limits.h"
#include "node/admit.h"

static struct ord_admit a;
static struct ord_bounds bounds;
static uint64_t now_ms;

static void open(void)
{
	ord_bounds_fill(&bounds);
	ord_admit_init(&a, &bounds);
}

static void close(void)
{
	ord_admit_close(&a);
}

TestSuite(admit, .init = open, .fini = close);

static void nobody_answer(struct ord_waiter *w, uint32_t item, const struct ord_answer *answer)
{
	(void)w;
	(void)item;
	(void)answer;
	cr_assert_fail("admission answers nobody by itself");
}

static struct ord_waiter nobody = {.answer = nobody_answer};

static int add_transfer(uint32_t number, uint64_t deadline_ms)
{
	struct ord_command c = {.kind = ORD_COMMAND_TRANSFER,
				.transfer = {.payer = ord_slice_text("alice"),
					     .payee = ord_slice_text("bob"),
					     .asset = ord_slice_text("EUR"),
					     .amount = 1 + number}};
	memcpy(c.request_id.bytes, &number, sizeof number);
	struct ord_ticket t = {.waiter = &nobody, .item = number, .deadline_ms = deadline_ms, .wait = ORD_WAIT_LOGGED};
	return ord_admit_command(&a, &c, &t, now_ms);
}

Test(admit, batches_hold_every_command_once_in_order)
{
	const uint32_t count = 50000; /* several entries */
	for (uint32_t i = 0; i < count; i++)
		cr_assert_eq(add_transfer(i, 100), ORD_OK);
	cr_assert_eq(a.commands_count, count);
	uint32_t seen = 0;
	unsigned batches = 0;
	while (ord_admit_waiting(&a)) {
		struct ord_batch *b = ord_admit_take(&a, 99);
		cr_assert_leq(b->entry.len, ORD_ENTRY_BYTES_MAX);
		struct ord_reader r = ord_reader_of(ord_bytes_slice(&b->entry));
		struct ord_entry_header header;
		cr_assert_eq(ord_entry_decode(&r, &header), ORD_OK);
		cr_assert_eq(header.commands_count, b->tickets_count);
		cr_assert_eq(header.time_us, 99, "the time at which it is taken");
		for (uint32_t i = 0; i < header.commands_count; i++, seen++) {
			struct ord_command c;
			cr_assert_eq(ord_command_decode(&r, &c), ORD_OK);
			cr_assert_eq(c.transfer.amount, 1 + seen);
			cr_assert_eq(b->tickets[i].item, seen);
		}
		cr_assert_eq(ord_reader_left(&r), 0);
		ord_admit_recycle(&a, b);
		batches++;
	}
	cr_assert_eq(seen, count);
	cr_assert_gt(batches, 1);
	cr_assert(a.commands_count == 0 && a.clients.bytes == 0);
}

Test(admit, clients_are_refused_when_too_much_waits_and_partitions_never)
{
	uint32_t taken = 0;
	while (add_transfer(taken, 100) == ORD_OK)
		taken++;
	cr_assert_geq(a.clients.bytes, ORD_ADMIT_BYTES_MAX);
	cr_assert_leq(a.clients.bytes, ORD_ADMIT_BYTES_MAX + ORD_COMMAND_BYTES_MAX);
	struct ord_command trim = {.kind = ORD_COMMAND_TRIM, .trim = {.destination = 1, .upto = 5}};
	uint64_t before = a.commands_count;
	ord_admit_internal(&a, &trim);
	cr_assert_eq(a.commands_count, before + 1);
	ord_admit_recycle(&a, ord_admit_take(&a, 99));
	ord_admit_recycle(&a, ord_admit_take(&a, 99));
	cr_assert_eq(add_transfer(taken, 100), ORD_OK, "room again once an entry has left");
}

Test(admit, a_batch_that_was_not_proposed_keeps_its_place)
{
	cr_assert_eq(add_transfer(1, 100), ORD_OK);
	struct ord_batch *b = ord_admit_take(&a, 99);
	cr_assert_not(ord_admit_waiting(&a));
	ord_admit_untake(&a, b);
	cr_assert_eq(add_transfer(2, 100), ORD_OK);
	b = ord_admit_take(&a, 99);
	cr_assert_eq(b->tickets[0].item, 1);
	ord_admit_recycle(&a, b);
}

Test(admit, a_batch_that_was_not_proposed_stays_before_later_batches)
{
	uint32_t count = 0;
	while (a.clients.first == a.clients.last)
		cr_assert_eq(add_transfer(count++, 100), ORD_OK);
	ord_admit_untake(&a, ord_admit_take(&a, 99));
	struct ord_batch *b = ord_admit_take(&a, 99);
	cr_assert_eq(b->tickets[0].item, 0);
	ord_admit_recycle(&a, b);
	b = ord_admit_take(&a, 99);
	cr_assert_eq(b->tickets[0].item, count - 1);
	ord_admit_recycle(&a, b);
	cr_assert_not(ord_admit_waiting(&a));
}

Test(admit, the_node_s_own_entry_is_alone)
{
	struct ord_command mark = {.kind = ORD_COMMAND_MARK, .mark = {.position = 7}}, c;
	struct ord_entry_header header;

	cr_assert_eq(add_transfer(1, 100), ORD_OK);
	struct ord_batch *b = ord_admit_alone(&a, &mark, 99);
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&b->entry));
	cr_assert_eq(ord_entry_decode(&r, &header), ORD_OK);
	cr_assert_eq(header.commands_count, 1);
	cr_assert_eq(header.time_us, 99);
	cr_assert_eq(ord_command_decode(&r, &c), ORD_OK);
	cr_assert_eq(c.mark.position, 7);
	cr_assert_eq(ord_reader_left(&r), 0);
	cr_assert_eq(b->tickets_count, 0);
	ord_admit_recycle(&a, b);
	cr_assert_eq(a.commands_count, 1);
}

/* --- What was begun goes first. --- */

static struct ord_command trim_of(uint64_t upto)
{
	return (struct ord_command){.kind = ORD_COMMAND_TRIM, .trim = {.destination = 1, .upto = upto}};
}

static void add_trim(uint64_t upto)
{
	struct ord_command c = trim_of(upto);
	ord_admit_internal(&a, &c);
}

/* The kinds of the commands of the next entry, t(rim) or T(ransfer), and its tickets. */
static void assert_next(const char *kinds, size_t tickets_count)
{
	struct ord_batch *b = ord_admit_take(&a, 99);
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&b->entry));
	struct ord_entry_header header;
	cr_assert_eq(ord_entry_decode(&r, &header), ORD_OK);
	cr_expect_eq(header.commands_count, strlen(kinds));
	for (uint32_t i = 0; i < header.commands_count && kinds[i] != '\0'; i++) {
		struct ord_command c;
		cr_assert_eq(ord_command_decode(&r, &c), ORD_OK);
		cr_expect_eq(c.kind, kinds[i] == 't' ? ORD_COMMAND_TRIM : ORD_COMMAND_TRANSFER, "command %u", i);
	}
	cr_expect_eq(b->tickets_count, tickets_count);
	ord_admit_recycle(&a, b);
}

Test(admit, what_is_under_way_goes_before_what_is_asked_for)
{
	cr_assert_eq(add_transfer(1, 100), ORD_OK);
	add_trim(5);
	cr_assert_eq(add_transfer(2, 100), ORD_OK);
	add_trim(6);
	assert_next("ttTT", 2);
	cr_assert_not(ord_admit_waiting(&a));
	cr_assert(a.commands_count == 0 && a.clients.bytes == 0 && a.internal.bytes == 0);
	add_trim(7);
	assert_next("t", 0);
	cr_assert_eq(add_transfer(3, 100), ORD_OK);
	assert_next("T", 1);
}

Test(admit, neither_kind_waits_for_ever_for_the_other)
{
	bounds.entry_bytes = ORD_ENTRY_HEADER_BYTES + 100;
	unsigned entries_with_clients = 0;
	for (unsigned i = 0; i < 4; i++) {
		while (a.internal.first == a.internal.last)
			add_trim(5);
		while (a.clients.first == a.clients.last)
			cr_assert_eq(add_transfer(i, 100), ORD_OK);
		struct ord_batch *b = ord_admit_take(&a, 99);
		entries_with_clients += b->tickets_count > 0;
		cr_expect_leq(b->entry.len, bounds.entry_bytes);
		ord_admit_recycle(&a, b);
	}
	cr_expect_eq(entries_with_clients, 2, "every other one");
}

Test(admit, messages_that_do_not_fit_an_entry_begin_the_next_one)
{
	const uint64_t count = 20;
	bounds.entry_bytes = ORD_ENTRY_HEADER_BYTES + 200;
	for (uint64_t i = 1; i <= count; i++) {
		struct ord_command c = {
			.kind = ORD_COMMAND_DELIVER,
			.deliver = {1, i, 1, ord_slice_text("as long as a message may well be, if not longer")}};
		ord_admit_internal(&a, &c);
	}
	uint64_t seen = 0;
	unsigned entries = 0;
	for (; ord_admit_waiting(&a); entries++) {
		struct ord_batch *b = ord_admit_take(&a, 99);
		struct ord_reader r = ord_reader_of(ord_bytes_slice(&b->entry));
		struct ord_entry_header header;
		cr_assert_eq(ord_entry_decode(&r, &header), ORD_OK);
		for (uint32_t i = 0; i < header.commands_count; i++) {
			struct ord_command c;
			cr_assert_eq(ord_command_decode(&r, &c), ORD_OK);
			cr_expect_eq(c.deliver.first, ++seen);
		}
		ord_admit_recycle(&a, b);
	}
	cr_expect_eq(seen, count);
	cr_expect_gt(entries, 3);
}

Test(admit, a_batch_that_was_not_proposed_is_the_next_one_as_it_was)
{
	cr_assert_eq(add_transfer(1, 100), ORD_OK);
	add_trim(5);
	struct ord_batch *b = ord_admit_take(&a, 99);
	ord_admit_untake(&a, b);
	add_trim(6);
	cr_assert_eq(add_transfer(2, 100), ORD_OK);
	assert_next("tT", 1);
	assert_next("tT", 1);
}

/* --- What would come too late is refused. --- */

Test(admit, nothing_is_taken_behind_what_has_waited_too_long)
{
	now_ms = 50000;
	cr_assert_eq(add_transfer(1, 60000), ORD_OK);
	now_ms += ORD_ADMIT_WAIT_MS;
	cr_assert_eq(add_transfer(2, 60000), ORD_OK);
	now_ms += 1;
	cr_assert_eq(add_transfer(3, 60000), ORD_ERR_BUSY);
	add_trim(5);
	assert_next("tTT", 2);
	cr_assert_eq(add_transfer(3, 60000), ORD_OK, "the queue has moved on");
}

Test(admit, half_of_a_ticket_s_time_may_pass_in_the_queue)
{
	now_ms = 50000;
	cr_assert_eq(add_transfer(1, 60000), ORD_OK);
	now_ms += 100;
	cr_assert_eq(add_transfer(2, now_ms + 198), ORD_ERR_BUSY);
	cr_assert_eq(add_transfer(3, now_ms + 200), ORD_OK);
	cr_assert_eq(add_transfer(4, now_ms), ORD_ERR_BUSY, "it is late already");
}
