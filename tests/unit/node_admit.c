/* SPDX-License-Identifier: Apache-2.0 - admission: what waits becomes entries, in order, whole, and bounded. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/err.h"
#include "base/limits.h"
#include "node/admit.h"

static struct ord_admit a;
static struct ord_bounds bounds;

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
	return ord_admit_command(&a, &c, &t);
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
	cr_assert(a.commands_count == 0 && a.entry_bytes == 0);
}

Test(admit, clients_are_refused_when_too_much_waits_and_partitions_never)
{
	uint32_t taken = 0;
	while (add_transfer(taken, 100) == ORD_OK)
		taken++;
	cr_assert_geq(a.entry_bytes, ORD_ADMIT_BYTES_MAX);
	cr_assert_leq(a.entry_bytes, ORD_ADMIT_BYTES_MAX + ORD_COMMAND_BYTES_MAX);
	struct ord_command trim = {.kind = ORD_COMMAND_TRIM, .trim = {.destination = 1, .upto = 5}};
	uint64_t before = a.commands_count;
	ord_admit_internal(&a, &trim);
	cr_assert_eq(a.commands_count, before + 1);
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
	while (a.first == a.last)
		cr_assert_eq(add_transfer(count++, 100), ORD_OK);
	uint64_t commands_count = a.commands_count, entry_bytes = a.entry_bytes;
	ord_admit_untake(&a, ord_admit_take(&a, 99));
	cr_assert_eq(a.commands_count, commands_count);
	cr_assert_eq(a.entry_bytes, entry_bytes);
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
