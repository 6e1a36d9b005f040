/* SPDX-License-Identifier: Apache-2.0 - outboxes and cursors: numbered, in order, none skipped, none twice; and the memory they lie in. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "partition/outbox.h"
#include "tests/support/partition_build.h"
#include "tests/support/text.h"

/* --- the outbox alone --- */

static struct ord_outbox o;
static struct ord_digest digest;

static void open_outbox(void)
{
	ord_outbox_init(&o, 3);
	digest = (struct ord_digest){{0, 0}};
}

static void close_outbox(void)
{
	ord_outbox_close(&o);
}

/* What append and trim told the digest bit by bit is what the outbox holds. */
static void cr_digest(void)
{
	struct ord_digest anew = {{0, 0}};

	ord_outbox_digest(&o, &anew);
	cr_assert_eq(anew.sum[0], digest.sum[0]);
	cr_assert_eq(anew.sum[1], digest.sum[1]);
}

TestSuite(partition_outbox, .init = open_outbox, .fini = close_outbox);

static void append(uint64_t number)
{
	char id[24];

	snprintf(id, sizeof id, "m%llu", (unsigned long long)number);
	struct ord_message m = {.kind = ORD_MESSAGE_OUTCOME, .request_id = text_id_of(id), .home = 3};
	ord_outbox_append(&o, &m, &digest);
}

/* Reads the run and asserts that its messages are those appended under its numbers. */
static void cr_run(struct ord_outbox_run run)
{
	struct ord_reader r = ord_reader_of(run.messages);

	for (uint64_t n = run.first; n < run.first + run.count; n++) {
		char text[24];
		struct ord_message m;

		snprintf(text, sizeof text, "m%llu", (unsigned long long)n);
		struct ord_uuid id = text_id_of(text);
		cr_assert_eq(ord_message_decode(&r, &m), ORD_OK);
		cr_assert(ord_uuid_equal(&m.request_id, &id), "message %s", text);
	}
	cr_assert_eq(ord_reader_left(&r), 0);
}

/* Messages from number from to the end, by runs of at most bytes_max. */
static void cr_all(uint64_t from, size_t bytes_max)
{
	while (from < o.next) {
		struct ord_outbox_run run = ord_outbox_peek(&o, from, bytes_max);

		cr_assert_eq(run.first, from);
		cr_assert_geq(run.count, 1);
		cr_assert(run.count == 1 || run.messages.len <= bytes_max);
		cr_run(run);
		from += run.count;
	}
	cr_assert_eq(from, o.next);
}

Test(partition_outbox, numbers_from_one)
{
	cr_assert_eq(o.first, 1);
	cr_assert_eq(o.next, 1);
	cr_assert_eq(ord_outbox_peek(&o, 1, 1000).count, 0);
	append(1);
	append(2);
	cr_assert_eq(o.next, 3);
	struct ord_outbox_run run = ord_outbox_peek(&o, 1, 1000);
	cr_assert_eq(run.first, 1);
	cr_assert_eq(run.count, 2);
	cr_assert_eq(run.messages.len, o.bytes);
	cr_run(run);
	cr_run(ord_outbox_peek(&o, 2, 1000));
	cr_assert_eq(ord_outbox_peek(&o, 3, 1000).count, 0);
	cr_digest();
}

Test(partition_outbox, a_run_keeps_to_its_bytes_but_is_never_empty)
{
	for (uint64_t n = 1; n <= 10; n++)
		append(n);
	size_t each = ord_outbox_peek(&o, 1, 1).messages.len;
	cr_assert_eq(each, 23);
	cr_assert_eq(ord_outbox_peek(&o, 1, 0).count, 1);
	cr_assert_eq(ord_outbox_peek(&o, 1, 2 * each - 1).count, 1);
	cr_assert_eq(ord_outbox_peek(&o, 1, 2 * each).count, 2);
	cr_assert_eq(ord_outbox_peek(&o, 4, 5 * each).count, 5);
	cr_assert_eq(ord_outbox_peek(&o, 4, 1000).count, 7);
}

Test(partition_outbox, holds_many_messages_in_many_chunks)
{
	for (uint64_t n = 1; n <= 20000; n++)
		append(n);
	cr_all(1, 1 << 20);
	cr_all(12345, 500);
	ord_outbox_trim(&o, 7777, &digest);
	cr_assert_eq(o.first, 7778);
	cr_all(7778, 4096);
	for (uint64_t n = 20001; n <= 40000; n++) {
		append(n);
		ord_outbox_trim(&o, n - 9000, &digest);
	}
	cr_all(31001, 1 << 20);
	cr_assert_eq(o.bytes, 9000 * 23);
	cr_assert_leq(o.chunks_capacity, 16, "spent places are used again");
	cr_digest();
}

Test(partition_outbox, gives_its_memory_back)
{
	for (uint64_t round = 0; round < 50; round++) {
		for (uint64_t n = 0; n < 3000; n++)
			append(o.next);
		ord_outbox_trim(&o, UINT64_MAX, &digest);
		cr_assert_eq(o.first, o.next);
		cr_assert_eq(o.bytes, 0);
		cr_assert_eq(o.chunks_count, 0);
	}
	cr_assert_leq(o.chunks_capacity, 16);
	for (unsigned i = 0; i < 20; i++) {
		append(o.next);
		ord_outbox_trim(&o, o.next, &digest);
	}
	cr_assert_eq(o.chunk_bytes, 1024);
}

Test(partition_outbox, trims_what_there_is_and_no_more)
{
	for (uint64_t n = 1; n <= 5; n++)
		append(n);
	ord_outbox_trim(&o, 0, &digest);
	cr_assert_eq(o.first, 1);
	ord_outbox_trim(&o, 2, &digest);
	cr_assert_eq(o.first, 3);
	ord_outbox_trim(&o, 1, &digest);
	ord_outbox_trim(&o, 2, &digest);
	cr_assert_eq(o.first, 3);
	cr_all(3, 1000);
	ord_outbox_trim(&o, 99, &digest);
	cr_assert_eq(o.first, 6);
	cr_assert_eq(o.next, 6);
	append(6);
	cr_all(6, 1000);
	cr_digest();
}

/* --- delivery --- */

static struct lab l;
static const char *payer, *payee, *ids[6];

static void open_pair(void)
{
	lab_open(&l, 2);
	payer = build_account_in("payer", 1, 2);
	payee = build_account_in("payee", 1, 2);
	for (unsigned i = 0; i < 6; i++)
		ids[i] = build_id_in((const char *[]){"a", "b", "c", "d", "e", "f"}[i], 0, 2);
	build_apply(&l, 1, build_open("o1", payer, "EUR", -1000, 0), 1);
	build_apply(&l, 1, build_open("o2", payee, "EUR", 0, 1000), 2);
	for (unsigned i = 0; i < 6; i++)
		build_apply(&l, 0, build_transfer(ids[i], payer, payee, 1 << i), 3);
}

static void close_pair(void)
{
	lab_close(&l);
}

TestSuite(partition_deliver, .init = open_pair, .fini = close_pair);

static void deliver(uint64_t first, uint32_t count)
{
	struct ord_command c = lab_deliver(&l, 0, 1, first, count);

	build_apply(&l, 1, c, 4);
	free((void *)c.deliver.messages.base);
}

Test(partition_deliver, applies_each_message_once_and_in_order)
{
	deliver(2, 2);
	cr_assert_eq(build_balance(&l, payee), 0, "a gap changes nothing");
	cr_assert_eq(ord_partition_cursor(l.partitions[1], 0), 0);
	deliver(1, 1);
	cr_assert_eq(build_balance(&l, payee), 1);
	cr_assert_eq(ord_partition_cursor(l.partitions[1], 0), 1);
	deliver(1, 1);
	cr_assert_eq(build_balance(&l, payee), 1, "a duplicate changes nothing");
	deliver(1, 3);
	cr_assert_eq(build_balance(&l, payee), 7, "what is new in a run is applied");
	deliver(5, 2);
	cr_assert_eq(build_balance(&l, payee), 7);
	deliver(2, 5);
	cr_assert_eq(build_balance(&l, payee), 63);
	cr_assert_eq(ord_partition_cursor(l.partitions[1], 0), 6);
	struct ord_partition_status status;
	ord_partition_status(l.partitions[1], &status);
	cr_assert_eq(status.ignored_count, 0);
	cr_assert_eq(status.position, 2 + 6, "every delivery has a position");
	cr_assert_eq(ord_partition_outbox_next(l.partitions[1], 0), 7);
}

static void cr_no_effect(uint32_t partition, struct ord_command c)
{
	struct ord_partition_status before, after;

	ord_partition_status(l.partitions[partition], &before);
	build_apply(&l, partition, c, 4);
	ord_partition_status(l.partitions[partition], &after);
	cr_assert_eq(after.position, before.position + 1);
	cr_assert_eq(after.outbox_count, before.outbox_count);
	cr_assert_eq(after.outbox_bytes, before.outbox_bytes);
	cr_assert_eq(after.requests_count, before.requests_count);
	cr_assert_eq(l.fx.replies_count + l.fx.outcomes_count, 0);
	cr_assert_not(l.fx.outbox_grew);
}

Test(partition_deliver, nonsense_changes_nothing)
{
	struct ord_command c = lab_deliver(&l, 0, 1, 1, 1);

	c.deliver.source = 1;
	cr_no_effect(1, c);
	c.deliver.source = 2;
	cr_no_effect(1, c);
	c.deliver.source = UINT32_MAX;
	cr_no_effect(1, c);
	c.deliver.source = 0;
	c.deliver.first = 0;
	cr_no_effect(1, c);
	c.deliver.first = UINT64_MAX - 1;
	cr_no_effect(1, c);
	cr_assert_eq(build_balance(&l, payee), 0);
	free((void *)c.deliver.messages.base);
	c = (struct ord_command){.kind = ORD_COMMAND_DELIVER, .deliver = {.source = 0, .first = 1}};
	cr_no_effect(1, c);
	c = (struct ord_command){.kind = ORD_COMMAND_TRIM, .trim = {0, 5}};
	cr_no_effect(0, c);
	c.trim.destination = 2;
	cr_no_effect(0, c);
	c.trim.destination = UINT32_MAX;
	cr_no_effect(0, c);
	c.trim = (struct ord_trim){1, 0};
	cr_no_effect(0, c);
}

Test(partition_deliver, a_trim_drops_what_was_applied)
{
	struct ord_command trim = {.kind = ORD_COMMAND_TRIM, .trim = {1, 4}};
	struct ord_partition_status status;

	build_apply(&l, 0, trim, 5);
	cr_assert_eq(ord_partition_outbox_first(l.partitions[0], 1), 5);
	cr_assert_eq(ord_partition_outbox_next(l.partitions[0], 1), 7);
	ord_partition_status(l.partitions[0], &status);
	cr_assert_eq(status.outbox_count, 2);
	cr_assert_eq(status.outbox_bytes, ord_partition_outbox_peek(l.partitions[0], 1, 5, 4096).messages.len);
	trim.trim.upto = 3;
	cr_no_effect(0, trim);
	trim.trim.upto = 1000;
	build_apply(&l, 0, trim, 5);
	cr_assert_eq(ord_partition_outbox_first(l.partitions[0], 1), 7);
	ord_partition_status(l.partitions[0], &status);
	cr_assert_eq(status.outbox_count, 0);
	cr_assert_eq(status.outbox_bytes, 0);
}
