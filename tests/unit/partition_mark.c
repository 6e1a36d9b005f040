/* SPDX-License-Identifier: Apache-2.0 - partition/mark: what a replica was, in the log, and every other one compares itself. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "partition/state.h"
#include "tests/support/partition_build.h"
#include "tests/support/text.h"

static struct lab l;
static struct ord_partition *other; /* another replica of partition 0 */
static struct ord_effects fx;

static void replica_apply(struct ord_partition *p, const struct ord_command *commands, size_t count, uint64_t time_us)
{
	struct ord_bytes entry;

	ord_bytes_init(&entry, 65536);
	ord_entry_begin(&entry, time_us);
	for (size_t i = 0; i < count; i++)
		ord_command_encode(&commands[i], &entry);
	ord_entry_end(&entry, (uint32_t)count);
	cr_assert_eq(ord_partition_apply(p, ord_bytes_slice(&entry), &fx), ORD_OK);
	ord_bytes_close(&entry);
}

static void start(void)
{
	lab_open_stored(&l, 1);
	ord_effects_init(&fx);
	build_apply(&l, 0, build_open("o1", "bank", "EUR", -1000, INT64_MAX), 10);
	build_apply(&l, 0, build_open("o2", "alice", "EUR", 0, INT64_MAX), 11);
	build_apply(&l, 0, build_transfer("t1", "bank", "alice", 7), 12);
	other = lab_replay(&l, 0, 3);
}

static void end(void)
{
	ord_partition_close(other);
	ord_effects_close(&fx);
	lab_close(&l);
}

TestSuite(partition_mark, .init = start, .fini = end);

static struct ord_command mark_of(const struct ord_partition *p)
{
	struct ord_command c = {.kind = ORD_COMMAND_MARK};

	ord_partition_mark(p, &c.mark);
	return c;
}

static struct ord_partition_status status_of(const struct ord_partition *p)
{
	struct ord_partition_status status;

	ord_partition_status(p, &status);
	return status;
}

Test(partition_mark, is_equal_where_the_state_is)
{
	struct ord_command mark = mark_of(l.partitions[0]);

	replica_apply(other, &mark, 1, 500);
	cr_assert(fx.mark.compared);
	cr_assert_not(fx.mark.differs, "the time of its own entry is no difference");
	cr_assert_eq(fx.mark.said.position, 3);
	cr_assert_eq(fx.replies_count, 0);
	struct ord_partition_status status = status_of(other);
	cr_assert_eq(status.position, 4);
	cr_assert_eq(status.time_us, 500);
	cr_assert_eq(status.marks.equal_count, 1);
	cr_assert_eq(status.marks.equal_position, 3);
	replica_apply(other, NULL, 0, 600);
	cr_assert_not(fx.mark.compared, "an entry without a mark compares nothing");
}

Test(partition_mark, tells_a_difference_and_leaves_the_state_alone)
{
	struct ord_command mark = mark_of(l.partitions[0]);
	struct ord_partition *twin = lab_replay(&l, 0, 3);

	cr_assert_eq(ord_partition_spoil(other, ord_slice_text("alice"), 1), ORD_OK);
	cr_assert_eq(ord_partition_spoil(twin, ord_slice_text("alice"), 1), ORD_OK);
	struct ord_command good = mark_of(twin);
	replica_apply(other, &mark, 1, 20);
	cr_assert(fx.mark.compared);
	cr_assert(fx.mark.differs);
	cr_assert_neq(fx.mark.said.state_digest[0], fx.mark.found.state_digest[0]);
	cr_assert_arr_eq(fx.mark.said.history_hash, fx.mark.found.history_hash, sizeof fx.mark.said.history_hash);
	cr_assert_eq(status_of(other).marks.differing_count, 1);
	cr_assert_eq(status_of(other).marks.equal_position, 0);
	replica_apply(twin, &good, 1, 20);
	cr_assert_not(fx.mark.differs);
	cr_assert_arr_eq(status_of(other).state_digest, status_of(twin).state_digest, sizeof(uint64_t[2]),
			 "what came of the comparison is in the state");
	ord_partition_close(twin);
}

Test(partition_mark, each_of_its_numbers_counts)
{
	for (unsigned i = 0; i < 4; i++) {
		struct ord_command mark = mark_of(other);

		mark.mark.entries_count += i == 0;
		mark.mark.state_digest[0] += i == 1;
		mark.mark.state_digest[1] += i == 2;
		mark.mark.history_hash[31] ^= i == 3;
		replica_apply(other, &mark, 1, 20);
		cr_expect(fx.mark.differs, "number %u", i);
	}
}

Test(partition_mark, of_another_position_says_nothing)
{
	struct ord_command commands[2] = {build_transfer("t2", "bank", "alice", 1), mark_of(other)};

	replica_apply(other, commands, 2, 20);
	cr_assert_not(fx.mark.compared);
	commands[0] = mark_of(other);
	commands[0].mark.position--;
	replica_apply(other, commands, 1, 20);
	cr_assert_not(fx.mark.compared);
	commands[0] = commands[1] = mark_of(other);
	commands[1].mark.position++;
	replica_apply(other, commands, 2, 20);
	cr_assert(fx.mark.compared);
	cr_assert_not(fx.mark.differs, "the second one is not alone");
	cr_assert_eq(status_of(other).marks.behind_count, 3);
	cr_assert_eq(status_of(other).position, 8);
}

Test(partition_mark, is_equal_after_a_restart_from_a_checkpoint)
{
	lab_checkpoint(&l, 0, 100);
	lab_checkpoint(&l, 0, 100);
	lab_checkpoint(&l, 0, 100);
	build_apply(&l, 0, build_transfer("t2", "bank", "alice", 1), 13);
	struct ord_command mark = mark_of(l.partitions[0]);
	lab_restart(&l, 0);
	lab_apply(&l, 0, &mark, 1, 14);
	cr_assert(l.fx.mark.compared);
	cr_assert_not(l.fx.mark.differs);
}

Test(partition_mark, what_is_spoilt_is_in_memory)
{
	cr_assert_eq(ord_partition_spoil(other, ord_slice_text("nobody"), 1), ORD_ERR_NOT_FOUND);
	cr_assert_eq(ord_partition_spoil(other, ord_slice_text("alice"), -5), ORD_OK);
	struct ord_account_view view;
	cr_assert_eq(ord_partition_account(other, ord_slice_text("alice"), &view), ORD_OK);
	cr_assert_eq(view.balance, 2);
}
