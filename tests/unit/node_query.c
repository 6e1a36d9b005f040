/* SPDX-License-Identifier: Apache-2.0 - tests of reads: their encoding, and the answers that docs/protocol.md promises. */
#include "node/query.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "tests/support/node_words.h"

#define TIME_US 1700000000000000ull
#define POSTINGS 132 /* more than are read from a partition in one go */

struct bench {
	struct ord_partition *partition;
	struct ord_bytes out;
	char shown[1 << 20];
};

static struct bench bench;

static struct ord_uuid id_of(uint8_t last)
{
	struct ord_uuid id = {{0}};
	id.bytes[0] = 1;
	id.bytes[15] = last;
	return id;
}

static void apply(const struct ord_command *c)
{
	struct ord_bytes entry;
	struct ord_effects fx;
	ord_bytes_init(&entry, ORD_ENTRY_BYTES_MAX);
	ord_effects_init(&fx);
	ord_entry_begin(&entry, TIME_US);
	ord_command_encode(c, &entry);
	ord_entry_end(&entry, 1);
	cr_assert_not(entry.failed);
	cr_assert_eq(ord_partition_apply(bench.partition, ord_bytes_slice(&entry), &fx), ORD_OK);
	ord_effects_close(&fx);
	ord_bytes_close(&entry);
}

static void open_account(const char *account, int64_t floor, uint8_t id)
{
	apply(&(struct ord_command){.kind = ORD_COMMAND_OPEN_ACCOUNT,
				    .request_id = id_of(id),
				    .open_account = {.account = ord_slice_text(account),
						     .asset = ord_slice_text("EUR"),
						     .floor = floor,
						     .ceiling = INT64_MAX}});
}

static void transfer(const char *payer, const char *payee, int64_t amount, uint8_t id)
{
	apply(&(struct ord_command){.kind = ORD_COMMAND_TRANSFER,
				    .request_id = id_of(id),
				    .transfer = {.payer = ord_slice_text(payer),
						 .payee = ord_slice_text(payee),
						 .asset = ord_slice_text("EUR"),
						 .amount = amount}});
}

static void naming(enum ord_command_kind kind, const char *expected, const char *owner, uint8_t id)
{
	apply(&(struct ord_command){.kind = kind,
				    .request_id = id_of(id),
				    .naming = {.space = ord_slice_text("mail"),
					       .name = ord_slice_text("info"),
					       .owner = ord_slice_text(owner),
					       .expected = ord_slice_text(expected)}});
}

static void setup(void)
{
	struct ord_partition_options options = {.id = 0, .partitions_count = 1};
	cr_assert_eq(ord_partition_open(&options, &bench.partition), ORD_OK);
	ord_bytes_init(&bench.out, ORD_RPC_BYTES_MAX);
	open_account("mint", -1000000, 1);
	open_account("alice", 0, 2);
	transfer("mint", "alice", 500, 3);
	transfer("alice", "nobody", 20, 4);
	transfer("alice", "mint", 501, 5);
	naming(ORD_COMMAND_CLAIM, "", "ann", 6);
}

static void teardown(void)
{
	ord_partition_close(bench.partition);
	ord_bytes_close(&bench.out);
}

TestSuite(node_query, .init = setup, .fini = teardown);

/* Runs it and gives the answer as a text, or the error's name. */
static const char *run(const struct ord_query *q)
{
	struct ord_bytes query;
	ord_bytes_init(&query, ORD_COMMAND_BYTES_MAX);
	ord_query_encode(q, &query);
	ord_bytes_clear(&bench.out);
	ord_bytes_put(&bench.out, "\xc0", 1); /* what stands before it stays */
	int err = ord_query_run(ord_bytes_slice(&query), bench.partition, 5, &bench.out);
	ord_bytes_close(&query);
	if (err != ORD_OK) {
		cr_assert_eq(bench.out.len, 1, "nothing is written with an error");
		return ord_err_name(err);
	}
	msgpack_unpacked unpacked;
	size_t offset = 1;
	msgpack_unpacked_init(&unpacked);
	cr_assert_eq(msgpack_unpack_next(&unpacked, (const char *)bench.out.base, bench.out.len, &offset),
		     MSGPACK_UNPACK_SUCCESS);
	cr_assert_eq(offset, bench.out.len, "one object and no more");
	words_show(&unpacked.data, bench.shown, sizeof bench.shown);
	msgpack_unpacked_destroy(&unpacked);
	return bench.shown;
}

static const char *run_request(uint8_t id)
{
	return run(&(struct ord_query){.kind = ORD_QUERY_REQUEST, .request_id = id_of(id)});
}

#define ID(last) "01000000-0000-0000-0000-0000000000" last
#define TIMES "\"logged_us\"=>1700000000000000, \"decided_us\"=>1700000000000000}"

Test(node_query, account)
{
	cr_assert_str_eq(
		run(&(struct ord_query){.kind = ORD_QUERY_ACCOUNT, .account = ord_slice_text("alice")}),
		"{\"account\"=>\"alice\", \"asset\"=>\"EUR\", \"state\"=>\"open\", \"balance\"=>500, \"floor\"=>0, "
		"\"ceiling\"=>9223372036854775807, \"postings\"=>3, \"opened_us\"=>1700000000000000, "
		"\"partition\"=>5}");
	cr_assert_str_eq(run(&(struct ord_query){.kind = ORD_QUERY_ACCOUNT, .account = ord_slice_text("bob")}),
			 "NOT_FOUND");
}

/* The offset is that of the next command. */
Test(node_query, what_may_be_stale_says_what_it_has_seen)
{
	char wanted[64];
	struct ord_query q = {.kind = ORD_QUERY_ACCOUNT, .account = ord_slice_text("alice"), .may_be_stale = true};
	snprintf(wanted, sizeof wanted, "{\"as_of\"=>\"5:%llu\", \"account\"=>\"alice\", ",
		 (unsigned long long)ord_partition_position(bench.partition));
	const char *shown = run(&q);
	cr_expect_eq(strncmp(shown, wanted, strlen(wanted)), 0, "%s", shown);
	q = (struct ord_query){.kind = ORD_QUERY_HISTORY,
			       .account = ord_slice_text("alice"),
			       .from = 4,
			       .limit = 1,
			       .may_be_stale = true};
	cr_expect_eq(strncmp(run(&q), wanted, strlen(wanted)), 0);
	q.account = ord_slice_text("bob");
	cr_expect_str_eq(run(&q), "NOT_FOUND");
}

#define POSTING(number, kind, id, other, amount, after, position)                             \
	"{\"number\"=>" number ", \"kind\"=>\"" kind                                          \
	"\", \"id\"=>\"" ID(id) "\", \"counterparty\"=>\"" other "\", \"amount\"=>" amount    \
				", \"balance_after\"=>" after ", \"position\"=>\"5:" position \
				"\", \"time_us\"=>1700000000000000}"

Test(node_query, history)
{
	struct ord_query q = {.kind = ORD_QUERY_HISTORY, .account = ord_slice_text("alice"), .from = 1, .limit = 100};
	cr_assert_str_eq(run(&q), "{\"account\"=>\"alice\", \"postings\"=>[" POSTING(
					  "1", "credit", "03", "mint", "500", "500",
					  "2") ", " POSTING("2", "debit", "04", "nobody", "20", "480",
							    "3") ", " POSTING("3", "refund", "04", "nobody", "20",
									      "500", "3") "], \"next\"=>nil}");
	q.from = 4;
	cr_assert_str_eq(run(&q), "{\"account\"=>\"alice\", \"postings\"=>[], \"next\"=>nil}");
	q.from = UINT64_MAX;
	cr_assert_str_eq(run(&q), "{\"account\"=>\"alice\", \"postings\"=>[], \"next\"=>nil}");
	q.account = ord_slice_text("bob");
	cr_assert_str_eq(run(&q), "NOT_FOUND");
}

/* Follows next from the first posting to the last; the numbers must be dense. */
static unsigned walk_history(uint32_t limit)
{
	uint64_t number = 0;
	uint64_t next = 1;
	while (next != 0) {
		struct ord_query q = {
			.kind = ORD_QUERY_HISTORY, .account = ord_slice_text("alice"), .from = next, .limit = limit};
		const char *at = run(&q);
		unsigned on_page = 0;
		for (; (at = strstr(at, "\"number\"=>")) != NULL; at++, on_page++)
			cr_assert_eq(strtoull(at + strlen("\"number\"=>"), NULL, 10), ++number);
		cr_assert_leq(on_page, limit);
		at = strstr(bench.shown, "\"next\"=>") + strlen("\"next\"=>");
		next = strtoull(at, NULL, 10);
		if (next != 0)
			cr_assert_eq(next, number + 1);
	}
	return (unsigned)number;
}

Test(node_query, history_goes_on_where_next_says)
{
	for (uint8_t i = 0; i < POSTINGS - 3; i++)
		transfer("mint", "alice", 1 + i, (uint8_t)(100 + i));
	static const uint32_t limits[] = {1, 63, 64, 65, POSTINGS - 1, POSTINGS, POSTINGS + 1, ORD_HISTORY_ITEMS_MAX};
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
		cr_assert_eq(walk_history(limits[i]), POSTINGS, "limit %u", limits[i]);
}

Test(node_query, requests_of_every_kind)
{
	cr_assert_str_eq(
		run_request(2),
		"{\"id\"=>\"" ID("02") "\", \"command\"=>\"open_account\", \"payload\"=>{\"account\"=>\"alice\", "
				       "\"asset\"=>\"EUR\", \"floor\"=>0, \"ceiling\"=>9223372036854775807}, "
				       "\"status\"=>\"settled\", \"position\"=>\"5:1\", " TIMES);
	cr_assert_str_eq(run_request(3),
			 "{\"id\"=>\"" ID("03") "\", \"command\"=>\"transfer\", \"payload\"=>{\"payer\"=>\"mint\", "
						"\"payee\"=>\"alice\", \"amount\"=>500, \"asset\"=>\"EUR\"}, "
						"\"status\"=>\"settled\", \"position\"=>\"5:2\", " TIMES);
	cr_assert_str_eq(
		run_request(5),
		"{\"id\"=>\"" ID(
			"05") "\", \"command\"=>\"transfer\", \"payload\"=>{\"payer\"=>\"alice\", "
			      "\"payee\"=>\"mint\", \"amount\"=>501, \"asset\"=>\"EUR\"}, \"status\"=>\"rejected\", "
			      "\"reason\"=>{\"code\"=>8, \"name\"=>\"below_floor\", \"message\"=>\"the payer's balance "
			      "would fall below the account's floor\"}, \"position\"=>\"5:4\", " TIMES);
	naming(ORD_COMMAND_REASSIGN, "ann", "ben", 7);
	naming(ORD_COMMAND_RELEASE, "ben", "", 8);
	apply(&(struct ord_command){.kind = ORD_COMMAND_SET_ACCOUNT,
				    .request_id = id_of(9),
				    .set_account = {.account = ord_slice_text("alice"), .state = ORD_ACCOUNT_FROZEN}});
	cr_assert_not_null(strstr(run_request(6),
				  "\"command\"=>\"claim\", \"payload\"=>{\"namespace\"=>\"mail\", \"name\"=>\"info\", "
				  "\"owner\"=>\"ann\"}, \"status\"=>\"settled\""));
	cr_assert_not_null(strstr(run_request(7),
				  "\"payload\"=>{\"namespace\"=>\"mail\", \"name\"=>\"info\", \"expected\"=>\"ann\", "
				  "\"owner\"=>\"ben\"}"));
	cr_assert_not_null(strstr(run_request(8),
				  "\"payload\"=>{\"namespace\"=>\"mail\", \"name\"=>\"info\", \"expected\"=>\"ben\"}"));
	cr_assert_not_null(strstr(run_request(9), "\"payload\"=>{\"account\"=>\"alice\", \"state\"=>\"frozen\"}"));
	cr_assert_str_eq(run_request(99), "NOT_FOUND");
}

Test(node_query, name)
{
	struct ord_query q = {.kind = ORD_QUERY_NAME, .space = ord_slice_text("mail"), .name = ord_slice_text("info")};
	cr_assert_str_eq(run(&q),
			 "{\"namespace\"=>\"mail\", \"name\"=>\"info\", \"owner\"=>\"ann\", \"id\"=>\"" ID(
				 "06") "\", \"position\"=>\"5:5\", \"since_us\"=>1700000000000000, \"partition\"=>5}");
	q.name = ord_slice_text("inf");
	cr_assert_str_eq(run(&q), "NOT_FOUND");
	q.space = ord_slice_text("mailinf");
	q.name = ord_slice_text("o");
	cr_assert_str_eq(run(&q), "NOT_FOUND");
}

/* Every prefix of every query, and every query with a byte too many, is refused and nothing is read past the end. */
Test(node_query, bytes_that_are_no_query_are_refused)
{
	struct ord_query all[] = {
		{.kind = ORD_QUERY_ACCOUNT, .account = ord_slice_text("alice")},
		{.kind = ORD_QUERY_HISTORY, .account = ord_slice_text("alice"), .from = 1, .limit = 10},
		{.kind = ORD_QUERY_REQUEST, .request_id = id_of(3)},
		{.kind = ORD_QUERY_NAME, .space = ord_slice_text("mail"), .name = ord_slice_text("info")},
	};
	struct ord_bytes query;
	ord_bytes_init(&query, ORD_COMMAND_BYTES_MAX);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		ord_bytes_clear(&query);
		ord_query_encode(&all[i], &query);
		ord_bytes_put_u8(&query, 0);
		for (size_t len = 0; len <= query.len; len++) {
			uint8_t *exact =
				malloc(len + 1); /* its own allocation, so that a sanitizer sees every overrun */
			memcpy(exact, query.base, len);
			int err = ord_query_run(ord_slice_of(exact, len), bench.partition, 0, &bench.out);
			cr_assert_eq(err, len == query.len - 1 ? ORD_OK : ORD_ERR_FORMAT, "query %zu, %zu bytes", i,
				     len);
			ord_bytes_clear(&bench.out);
			free(exact);
		}
	}
	static const uint8_t kinds[] = {0, 5, 255};
	for (size_t i = 0; i < sizeof kinds; i++)
		cr_assert_eq(ord_query_run(ord_slice_of(&kinds[i], 1), bench.partition, 0, &bench.out), ORD_ERR_FORMAT);
	all[1].limit = ORD_HISTORY_ITEMS_MAX + 1;
	cr_assert_str_eq(run(&all[1]), "FORMAT");
	all[1].limit = 0;
	cr_assert_str_eq(run(&all[1]), "FORMAT");
	all[1].limit = 1;
	all[1].from = 0;
	cr_assert_str_eq(run(&all[1]), "FORMAT");
	ord_bytes_close(&query);
}
