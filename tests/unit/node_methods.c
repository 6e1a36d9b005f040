/* SPDX-License-Identifier: Apache-2.0 - tests of the methods' parameters: the right ones become commands and queries, each wrong one is named. */
#include "node/methods.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "node/shard.h"
#include "partition/route.h"
#include "tests/support/node_words.h"

#define ID "x000102030405060708090a0b0c0d0e0f"
#define PARTITIONS 8

static const struct ord_method *method(const char *name)
{
	const struct ord_method *m = NULL;
	struct ord_params_fault fault;
	cr_assert_eq(ord_method_find(ord_slice_text(name), &m, &fault), ORD_OK, "%s", name);
	return m;
}

/* Decoded words; they must stay as long as the slices in the command are looked at. */
struct decoded {
	msgpack_unpacked words;
	struct ord_params params;
	struct ord_params_fault fault;
	struct ord_command command;
};

static int decode(const char *name, const char *words, struct decoded *d)
{
	*d = (struct decoded){0};
	words_unpack(words, &d->words);
	int err = ord_method_params(method(name), &d->words.data, &d->params, &d->fault);
	if (err == ORD_OK && method(name)->kind == ORD_METHOD_COMMAND)
		err = ord_method_command(method(name), &d->params, &d->command, &d->fault);
	return err;
}

static bool slice_is(struct ord_slice s, const char *text)
{
	return ord_slice_equal(s, ord_slice_text(text));
}

Test(node_methods, a_transfer_becomes_a_command)
{
	static const uint8_t id[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct decoded d;
	int err = decode("transfer", "{id: " ID ", payer: alice, payee: bob, amount: 9223372036854775807, asset: EUR}",
			 &d);
	cr_assert_eq(err, ORD_OK, "%s", d.fault.message);
	cr_assert_eq(d.command.kind, ORD_COMMAND_TRANSFER);
	cr_assert_arr_eq(d.command.request_id.bytes, id, sizeof id);
	cr_assert(slice_is(d.command.transfer.payer, "alice"));
	cr_assert(slice_is(d.command.transfer.payee, "bob"));
	cr_assert(slice_is(d.command.transfer.asset, "EUR"));
	cr_assert_eq(d.command.transfer.amount, INT64_MAX);
	cr_assert_eq(d.params.wait, ORD_WAIT_SETTLED);
	cr_assert_eq(d.params.timeout_ms, 10000);
	msgpack_unpacked_destroy(&d.words);
}

Test(node_methods, order_does_not_matter_and_ids_have_three_spellings)
{
	static const char *const ids[] = {ID, "'00010203-0405-0607-0809-0A0b0c0d0e0f'",
					  "'000102030405060708090a0b0c0d0e0f'"};
	struct ord_uuid first = {0};
	for (size_t i = 0; i < 3; i++) {
		struct decoded d;
		char words[256];
		snprintf(words, sizeof words,
			 "{timeout_ms: 60000, asset: EUR, amount: 1, wait: logged, payee: b, payer: a, id: %s}",
			 ids[i]);
		cr_assert_eq(decode("transfer", words, &d), ORD_OK, "%s %s", d.fault.field, d.fault.message);
		cr_assert_eq(d.params.wait, ORD_WAIT_LOGGED);
		cr_assert_eq(d.params.timeout_ms, 60000);
		cr_assert(slice_is(d.command.transfer.payee, "b"));
		if (i == 0)
			first = d.command.request_id;
		cr_assert(ord_uuid_equal(&first, &d.command.request_id));
		msgpack_unpacked_destroy(&d.words);
	}
}

Test(node_methods, an_account_has_defaults)
{
	struct decoded d;
	cr_assert_eq(decode("open_account", "{id: " ID ", account: a, asset: EUR}", &d), ORD_OK);
	cr_assert_eq(d.command.open_account.floor, 0);
	cr_assert_eq(d.command.open_account.ceiling, INT64_MAX);
	msgpack_unpacked_destroy(&d.words);
	cr_assert_eq(decode("open_account",
			    "{id: " ID ", account: a, asset: EUR, floor: -9223372036854775807, ceiling: 0}", &d),
		     ORD_OK);
	cr_assert_eq(d.command.open_account.floor, -INT64_MAX);
	cr_assert_eq(d.command.open_account.ceiling, 0);
	msgpack_unpacked_destroy(&d.words);
	cr_assert_eq(decode("set_account", "{id: " ID ", account: a, state: closed}", &d), ORD_OK);
	cr_assert_eq(d.command.set_account.state, ORD_ACCOUNT_CLOSED);
	msgpack_unpacked_destroy(&d.words);
}

Test(node_methods, names_become_commands)
{
	struct decoded d;
	cr_assert_eq(decode("claim", "{id: " ID ", namespace: n, name: x, owner: o}", &d), ORD_OK);
	cr_assert_eq(d.command.kind, ORD_COMMAND_CLAIM);
	cr_assert(slice_is(d.command.naming.space, "n") && slice_is(d.command.naming.name, "x") &&
		  slice_is(d.command.naming.owner, "o"));
	msgpack_unpacked_destroy(&d.words);
	cr_assert_eq(decode("release", "{id: " ID ", namespace: n, name: x, expected: e}", &d), ORD_OK);
	cr_assert_eq(d.command.kind, ORD_COMMAND_RELEASE);
	cr_assert(slice_is(d.command.naming.expected, "e"));
	msgpack_unpacked_destroy(&d.words);
	cr_assert_eq(decode("reassign", "{id: " ID ", namespace: n, name: x, expected: e, owner: o}", &d), ORD_OK);
	cr_assert_eq(d.command.kind, ORD_COMMAND_REASSIGN);
	cr_assert(slice_is(d.command.naming.expected, "e") && slice_is(d.command.naming.owner, "o"));
	msgpack_unpacked_destroy(&d.words);
}

struct bad {
	const char *method;
	const char *words;
	enum ord_rpc_error code;
	const char *field;
	const char *message; /* the whole, or NULL */
};

#define AMOUNT "must be an integer from 1 to 9223372036854775807"
#define UUID_TEXT "must be 16 bytes (bin), or a text of 36 characters (RFC 9562) or 32 hexadecimal digits"
#define T(rest) "{id: " ID ", payer: a, payee: b, asset: EUR, " rest "}"

static void assert_bad(const struct bad *b)
{
	struct decoded d;
	cr_expect_eq(decode(b->method, b->words, &d), ORD_ERR_INVALID, "%s %s", b->method, b->words);
	cr_expect_eq(d.fault.code, b->code, "%s: %s: %s", b->words, d.fault.field, d.fault.message);
	cr_expect_str_eq(d.fault.field, b->field, "%s: %s", b->words, d.fault.field);
	if (b->message != NULL)
		cr_expect_str_eq(d.fault.message, b->message, "%s: %s", b->words, d.fault.message);
	cr_expect_neq(d.fault.message[0], '\0', "%s", b->words);
	msgpack_unpacked_destroy(&d.words);
}

Test(node_methods, each_wrong_value_names_its_field_and_the_remedy)
{
	static const struct bad all[] = {
		{"transfer", T("amount: 0"), ORD_RPC_ERROR_INVALID_FIELD, "amount", AMOUNT},
		{"transfer", T("amount: -1"), ORD_RPC_ERROR_INVALID_FIELD, "amount", AMOUNT},
		{"transfer", T("amount: 9223372036854775808"), ORD_RPC_ERROR_INVALID_FIELD, "amount", AMOUNT},
		{"transfer", T("amount: 18446744073709551615"), ORD_RPC_ERROR_INVALID_FIELD, "amount", AMOUNT},
		{"transfer", T("amount: 1.0"), ORD_RPC_ERROR_INVALID_FIELD, "amount", AMOUNT},
		{"transfer", T("amount: '1'"), ORD_RPC_ERROR_INVALID_FIELD, "amount", AMOUNT},
		{"transfer", T("amount: nil"), ORD_RPC_ERROR_INVALID_FIELD, "amount", AMOUNT},
		{"transfer", T("amount: true"), ORD_RPC_ERROR_INVALID_FIELD, "amount", AMOUNT},
		{"transfer", T("amount: [1]"), ORD_RPC_ERROR_INVALID_FIELD, "amount", AMOUNT},
		{"transfer", T("amount: {a: 1}"), ORD_RPC_ERROR_INVALID_FIELD, "amount", AMOUNT},
		{"transfer", T(""), ORD_RPC_ERROR_MISSING_FIELD, "amount", AMOUNT},
		{"transfer", "{}", ORD_RPC_ERROR_MISSING_FIELD, "id", UUID_TEXT},
		{"transfer", T("amount: 1, amount: 2"), ORD_RPC_ERROR_INVALID_FIELD, "amount",
		 "is there twice: give it once"},
		{"transfer", T("amount: 1, fee: 2"), ORD_RPC_ERROR_UNKNOWN_FIELD, "fee",
		 "there is no such field here; there are id payer payee amount asset wait timeout_ms"},
		{"transfer", T("amount: 1, account: x"), ORD_RPC_ERROR_UNKNOWN_FIELD, "account", NULL},
		{"transfer", T("amount: 1, 'f\\xff\\x0a\\x7f': 2"), ORD_RPC_ERROR_UNKNOWN_FIELD, "f???", NULL},
		{"transfer", T("amount: 1, 7: 2"), ORD_RPC_ERROR_UNKNOWN_FIELD, "",
		 "a field's name must be a str; there are id payer payee amount asset wait timeout_ms"},
		{"transfer", T("amount: 1, '': 2"), ORD_RPC_ERROR_UNKNOWN_FIELD, "", NULL},
		{"transfer", T("amount: 1, abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz: 2"),
		 ORD_RPC_ERROR_UNKNOWN_FIELD, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstu", NULL},
		{"transfer", T("amount: 1, wait: maybe"), ORD_RPC_ERROR_INVALID_FIELD, "wait",
		 "must be \"settled\" or \"logged\""},
		{"transfer", T("amount: 1, timeout_ms: 0"), ORD_RPC_ERROR_INVALID_FIELD, "timeout_ms",
		 "must be an integer from 1 to 60000"},
		{"transfer", T("amount: 1, timeout_ms: 60001"), ORD_RPC_ERROR_INVALID_FIELD, "timeout_ms", NULL},
		{"transfer", "{id: " ID ", payer: a, payee: a, asset: EUR, amount: 1}", ORD_RPC_ERROR_INVALID_FIELD,
		 "payee", NULL},
		{"transfer", "{id: " ID ", payer: '', payee: a, asset: EUR, amount: 1}", ORD_RPC_ERROR_INVALID_FIELD,
		 "payer", "must be a text (str) of 1 to 64 bytes of UTF-8"},
		{"transfer", "{id: " ID ", payer: b, payee: a, asset: '\\xff', amount: 1}", ORD_RPC_ERROR_INVALID_FIELD,
		 "asset", NULL},
		{"transfer", "{id: " ID ", payer: x6161, payee: a, asset: EUR, amount: 1}", ORD_RPC_ERROR_INVALID_FIELD,
		 "payer", "must be a text (str) of 1 to 64 bytes of UTF-8"},
		{"transfer", "{id: " ID ", payer: a, payee: b, asset: EUROEUROEUROEUROX, amount: 1}",
		 ORD_RPC_ERROR_INVALID_FIELD, "asset", "must be a text (str) of 1 to 16 bytes of UTF-8"},
		{"transfer", "{id: x00, payer: a, payee: b, asset: EUR, amount: 1}", ORD_RPC_ERROR_INVALID_FIELD, "id",
		 UUID_TEXT},
		{"transfer", "{id: 'not an id', payer: a, payee: b, asset: EUR, amount: 1}",
		 ORD_RPC_ERROR_INVALID_FIELD, "id", UUID_TEXT},
		{"transfer", "{id: 5, payer: a, payee: b, asset: EUR, amount: 1}", ORD_RPC_ERROR_INVALID_FIELD, "id",
		 UUID_TEXT},
		{"transfer", "{id: x00000000000000000000000000000000, payer: a, payee: b, asset: EUR, amount: 1}",
		 ORD_RPC_ERROR_INVALID_FIELD, "id", NULL},
		{"transfer", "[1, 2]", ORD_RPC_ERROR_INVALID_FIELD, "params", NULL},
		{"transfer", "nil", ORD_RPC_ERROR_INVALID_FIELD, "params",
		 "must be a map of field names and values, or an array that holds one such map"},
		{"transfers", "{items: []}", ORD_RPC_ERROR_INVALID_FIELD, "items",
		 "must be an array of 1 to 10000 maps"},
		{"transfers", "{items: 3}", ORD_RPC_ERROR_INVALID_FIELD, "items", NULL},
		{"transfers", "{id: " ID "}", ORD_RPC_ERROR_UNKNOWN_FIELD, "id",
		 "there is no such field here; there are items wait timeout_ms"},
		{"open_account", "{id: " ID ", account: a, asset: EUR, floor: 1}", ORD_RPC_ERROR_INVALID_FIELD, "floor",
		 "must be an integer from -9223372036854775807 to 0"},
		{"open_account", "{id: " ID ", account: a, asset: EUR, floor: -9223372036854775808}",
		 ORD_RPC_ERROR_INVALID_FIELD, "floor", NULL},
		{"open_account", "{id: " ID ", account: a, asset: EUR, floor: 18446744073709551615}",
		 ORD_RPC_ERROR_INVALID_FIELD, "floor", NULL},
		{"open_account", "{id: " ID ", account: a, asset: EUR, ceiling: -1}", ORD_RPC_ERROR_INVALID_FIELD,
		 "ceiling", "must be an integer from 0 to 9223372036854775807"},
		{"set_account", "{id: " ID ", account: a, state: shut}", ORD_RPC_ERROR_INVALID_FIELD, "state",
		 "must be \"open\", \"frozen\" or \"closed\""},
		{"set_account", "{id: " ID ", account: a, state: 1}", ORD_RPC_ERROR_INVALID_FIELD, "state", NULL},
		{"claim", "{id: " ID ", namespace: n, name: '', owner: o}", ORD_RPC_ERROR_INVALID_FIELD, "name",
		 "must be a text (str) of 1 to 255 bytes of UTF-8"},
		{"claim", "{id: " ID ", namespace: n, name: '\\xc0\\x80', owner: o}", ORD_RPC_ERROR_INVALID_FIELD,
		 "name", NULL},
		{"claim", "{id: " ID ", namespace: '\\xed\\xa0\\x80', name: n, owner: o}", ORD_RPC_ERROR_INVALID_FIELD,
		 "namespace", NULL},
		{"claim", "{id: " ID ", namespace: n, name: x, owner: o, expected: o}", ORD_RPC_ERROR_UNKNOWN_FIELD,
		 "expected", NULL},
		{"release", "{id: " ID ", namespace: n, name: x}", ORD_RPC_ERROR_MISSING_FIELD, "expected", NULL},
		{"history", "{account: a, limit: 1001}", ORD_RPC_ERROR_INVALID_FIELD, "limit",
		 "must be an integer from 1 to 1000"},
		{"history", "{account: a, from: 0}", ORD_RPC_ERROR_INVALID_FIELD, "from", NULL},
		{"account", "{account: a, wait: settled}", ORD_RPC_ERROR_UNKNOWN_FIELD, "wait", NULL},
		{"cluster", "{cluster_id: here}", ORD_RPC_ERROR_INVALID_FIELD, "cluster_id", UUID_TEXT},
		{"status", "{cluster_id: " ID "}", ORD_RPC_ERROR_UNKNOWN_FIELD, "cluster_id", NULL},
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		assert_bad(&all[i]);
}

Test(node_methods, texts_have_their_longest_length_and_not_one_more)
{
	static const struct {
		const char *field;
		size_t bytes_max;
	} fields[] = {
		{"namespace", ORD_NAMESPACE_BYTES_MAX}, {"name", ORD_NAME_BYTES_MAX}, {"owner", ORD_OWNER_BYTES_MAX}};
	for (size_t i = 0; i < 3; i++)
		for (size_t over = 0; over < 2; over++) {
			char words[1024];
			char text[300];
			struct decoded d;
			memset(text, 'y', sizeof text);
			text[fields[i].bytes_max + over] = '\0';
			snprintf(words, sizeof words, "{id: " ID ", namespace: %s, name: %s, owner: %s}",
				 i == 0 ? text : "n", i == 1 ? text : "n", i == 2 ? text : "n");
			cr_expect_eq(decode("claim", words, &d), over == 0 ? ORD_OK : ORD_ERR_INVALID, "%s",
				     fields[i].field);
			if (over == 1)
				cr_expect_str_eq(d.fault.field, fields[i].field);
			msgpack_unpacked_destroy(&d.words);
		}
}

Test(node_methods, an_unknown_method_is_told_which_there_are)
{
	static const char *const names[] = {"tranfer", "transferx", "", "TRANSFER", "transfe"};
	const struct ord_method *m;
	struct ord_params_fault fault;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		cr_assert_eq(ord_method_find(ord_slice_text(names[i]), &m, &fault), ORD_ERR_NOT_FOUND);
		cr_assert_eq(fault.code, ORD_RPC_ERROR_UNKNOWN_METHOD);
		cr_assert_str_eq(fault.message,
				 "there is no such method; there are open_account set_account transfer transfers "
				 "claim claims release reassign account history request name cluster status spoil "
				 "fault faults scrub checkpoint");
	}
}

Test(node_methods, items_are_read_one_by_one)
{
	struct decoded d;
	struct ord_params_fault fault = {0};
	struct ord_params item;
	struct ord_command command;
	cr_assert_eq(decode("transfers",
			    "{items: [{id: " ID ", payer: a, payee: b, amount: 5, asset: EUR}, "
			    "{id: " ID ", payer: a, payee: b, amount: 0, asset: EUR}, "
			    "{payer: a, payee: b, amount: 1, asset: EUR}, 7, "
			    "{id: " ID ", payer: a, payee: b, amount: 1, asset: EUR, wait: logged}, "
			    "[{id: " ID ", payer: a, payee: b, amount: 5, asset: EUR}]]}",
			    &d),
		     ORD_OK);
	const struct ord_method *m = method("transfers");
	const msgpack_object *items = d.params.items->via.array.ptr;
	cr_assert_eq(d.params.items->via.array.size, 6);
	cr_assert_eq(ord_method_item(m, &items[0], &item, &fault), ORD_OK);
	cr_assert_eq(ord_method_command(m, &item, &command, &fault), ORD_OK);
	cr_assert_eq(command.transfer.amount, 5);
	cr_assert_eq(ord_method_item(m, &items[1], &item, &fault), ORD_ERR_INVALID);
	cr_assert_str_eq(fault.field, "amount");
	cr_assert_neq(item.given & ORD_FIELD_BIT(ORD_FIELD_ID), 0, "the id was read before the fault");
	cr_assert_eq(ord_method_item(m, &items[2], &item, &fault), ORD_ERR_INVALID);
	cr_assert_str_eq(fault.field, "id");
	cr_assert_eq(item.given & ORD_FIELD_BIT(ORD_FIELD_ID), 0);
	cr_assert_eq(ord_method_item(m, &items[3], &item, &fault), ORD_ERR_INVALID);
	cr_assert_str_eq(fault.field, "items");
	cr_assert_eq(item.given, 0);
	cr_assert_eq(ord_method_item(m, &items[4], &item, &fault), ORD_ERR_INVALID);
	cr_assert_eq(fault.code, ORD_RPC_ERROR_UNKNOWN_FIELD);
	cr_assert_eq(ord_method_item(m, &items[5], &item, &fault), ORD_ERR_INVALID);
	msgpack_unpacked_destroy(&d.words);
}

Test(node_methods, a_batch_over_its_limit_is_too_large)
{
	char *words = malloc(ORD_BATCH_ITEMS_MAX * 3 + 64);
	for (size_t over = 0; over < 2; over++) {
		struct decoded d;
		char *at = words + sprintf(words, "{items: [");
		for (size_t i = 0; i < ORD_BATCH_ITEMS_MAX + over; i++)
			at += sprintf(at, "{},");
		sprintf(at, "]}");
		cr_assert_eq(decode("claims", words, &d), over == 0 ? ORD_OK : ORD_ERR_INVALID);
		if (over == 1)
			cr_assert_eq(d.fault.code, ORD_RPC_ERROR_TOO_LARGE);
		msgpack_unpacked_destroy(&d.words);
	}
	free(words);
}

static uint32_t query_partition(const char *name, const char *words, struct ord_query *q,
				struct ord_params_fault *fault)
{
	struct decoded d;
	uint32_t partition = UINT32_MAX;
	cr_assert_eq(decode(name, words, &d), ORD_OK, "%s", d.fault.message);
	if (ord_method_query(method(name), &d.params, PARTITIONS, q, &partition, fault) != ORD_OK)
		partition = UINT32_MAX;
	msgpack_unpacked_destroy(&d.words);
	return partition;
}

Test(node_methods, reads_go_where_the_key_lives)
{
	struct ord_query q;
	struct ord_params_fault fault;
	struct ord_uuid id;
	for (uint8_t i = 0; i < 16; i++)
		id.bytes[i] = i;
	cr_assert_eq(query_partition("account", "{account: alice}", &q, &fault),
		     ord_route_account(ord_slice_text("alice"), PARTITIONS));
	cr_assert_eq(q.kind, ORD_QUERY_ACCOUNT);
	cr_assert_eq(query_partition("history", "{account: alice, from: 7, limit: 1000}", &q, &fault),
		     ord_route_account(ord_slice_text("alice"), PARTITIONS));
	cr_assert_eq(q.from, 7);
	cr_assert_eq(q.limit, 1000);
	cr_assert_eq(query_partition("request", "{id: " ID "}", &q, &fault), ord_route_request(&id, PARTITIONS));
	cr_assert(ord_uuid_equal(&q.request_id, &id));
	cr_assert_eq(query_partition("request", "{id: " ID ", partition: 7}", &q, &fault), 7);
	cr_assert_eq(query_partition("request", "{id: " ID ", partition: 0}", &q, &fault), 0);
	cr_assert_eq(query_partition("request", "{id: " ID ", partition: 8}", &q, &fault), UINT32_MAX);
	cr_assert_str_eq(fault.field, "partition");
	cr_assert_str_eq(fault.message, "must be an integer from 0 to 7");
	cr_assert_eq(query_partition("name", "{namespace: n, name: x}", &q, &fault),
		     ord_route_name(ord_slice_text("n"), ord_slice_text("x"), PARTITIONS));
	cr_assert_eq(q.kind, ORD_QUERY_NAME);
}
