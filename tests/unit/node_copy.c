/* SPDX-License-Identifier: Apache-2.0 - copies of states in LMDB: read out while the partition goes on, filled beside the old state, checked, and put in its place at once. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "node/lmdb.h"
#include "partition/checkpoint.h"
#include "tests/support/lab.h"
#include "tests/support/node_client.h"
#include "tests/support/partition_build.h"

#define TIME_US 1700000000000000u
#define PIECE_BYTES 300u

/* A node's states, as far as they matter here. */
struct place {
	char directory[64];
	struct ord_lmdb *lmdb;
	struct ord_states states;
	const struct ord_store *store;
	unsigned events_count;
	int status;
	struct ord_changes pairs; /* owned; what was read last */
	bool is_last;
};

static uv_loop_t loop;
static struct place source, target;
static struct lab l;
static bool stopped;

static void written_cb(void *ctx, uint32_t partition, int status)
{
	struct place *p = ctx;
	(void)partition;
	p->status = status;
	p->events_count++;
}

static void copied_cb(void *ctx, unsigned copy, int status, const struct ord_changes *pairs, bool is_last)
{
	struct place *p = ctx;
	(void)copy;
	p->status = status;
	p->is_last = is_last;
	ord_changes_close(&p->pairs);
	ord_bytes_put(&p->pairs.bytes, pairs->bytes.base, pairs->bytes.len);
	p->pairs.count = pairs->count;
	p->events_count++;
}

static void filled_cb(void *ctx, int status)
{
	struct place *p = ctx;
	p->status = status;
	p->events_count++;
}

static void stopped_cb(void *ctx)
{
	(void)ctx;
	stopped = true;
}

static int await(struct place *p)
{
	UNTIL(&loop, p->events_count > 0);
	p->events_count = 0;
	return p->status;
}

static void start(struct place *p)
{
	char why[512];
	struct ord_lmdb_events events = {.ctx = p, .written = written_cb, .copied = copied_cb, .filled = filled_cb};
	cr_assert_eq(ord_lmdb_open(&loop, p->directory, 1, &events, &p->lmdb), ORD_OK);
	p->states = ord_lmdb_states(p->lmdb);
	cr_assert_eq(p->states.open(p->states.ctx, 0, &p->store, why, sizeof why), ORD_OK, "%s", why);
}

static void end(struct place *p)
{
	stopped = false;
	ord_lmdb_stop(p->lmdb, stopped_cb, NULL);
	UNTIL(&loop, stopped);
}

static void make(struct place *p)
{
	*p = (struct place){.directory = "/tmp/ordain-copy-XXXXXX"};
	cr_assert_not_null(mkdtemp(p->directory));
	ord_changes_init(&p->pairs);
	start(p);
}

static void unmake(struct place *p)
{
	char command[128];
	end(p);
	ord_changes_close(&p->pairs);
	snprintf(command, sizeof command, "rm -rf %s", p->directory);
	cr_assert_eq(system(command), 0);
}

/* What the lab's store has becomes the state of that place. */
static void write_lab(struct place *p)
{
	char why[512];
	struct ord_pairs_place begin = {0};
	struct ord_changes changes;
	bool is_last;
	lab_checkpoint_whole(&l, 0, SIZE_MAX);
	ord_changes_init(&changes);
	cr_assert_eq(ord_pairs_gather(&l.stores[0].store.interface, &begin, SIZE_MAX, &changes, &is_last), ORD_OK);
	p->states.write(p->states.ctx, 0, &changes);
	cr_assert_eq(await(p), ORD_OK);
	cr_assert_eq(p->states.renew(p->states.ctx, 0, why, sizeof why), ORD_OK);
	ord_changes_close(&changes);
}

static void open_all(void)
{
	char account[16], id[16];
	cr_assert_eq(uv_loop_init(&loop), 0);
	make(&source);
	make(&target);
	lab_open_stored(&l, 1);
	for (unsigned i = 0; i < 30; i++) {
		snprintf(account, sizeof account, "a%u", i);
		snprintf(id, sizeof id, "o%u", i);
		build_apply(&l, 0, build_open(id, account, "EUR", -1000000, INT64_MAX), TIME_US);
	}
	build_apply(&l, 0, build_transfer("t1", "a1", "a2", 100), TIME_US);
	write_lab(&source);
}

static void close_all(void)
{
	lab_close(&l);
	unmake(&source);
	unmake(&target);
	cr_assert_eq(uv_loop_close(&loop), 0);
}

TestSuite(node_copy, .init = open_all, .fini = close_all, .timeout = 60);

static struct ord_partition_status status_of(const struct ord_store *store)
{
	struct ord_partition_options options = {.id = 0, .partitions_count = 1, .store = store};
	struct ord_partition_status status;
	struct ord_partition *p;
	cr_assert_eq(ord_partition_open(&options, &p), ORD_OK);
	ord_partition_status(p, &status);
	ord_partition_close(p);
	return status;
}

/* Copies the source's state into an empty place beside the target's, but for one pair. Gives what the last step gave. */
static int copy_all_but(unsigned copy, size_t without)
{
	struct ord_pairs_place sent = {0};
	size_t number = 0;
	target.states.fill_begin(target.states.ctx, 0);
	cr_assert_eq(await(&target), ORD_OK);
	do {
		struct ord_changes got, written;
		struct ord_change c;
		ord_changes_init(&got);
		source.states.copy_read(source.states.ctx, copy, &sent, PIECE_BYTES);
		cr_assert_eq(await(&source), ORD_OK);
		cr_assert_eq(ord_pairs_take(ord_bytes_slice(&source.pairs.bytes), &sent, &got), ORD_OK);
		ord_changes_init(&written);
		struct ord_reader r = ord_reader_of(ord_bytes_slice(&got.bytes));
		while (ord_changes_next(&r, &c))
			if (number++ != without)
				ord_changes_put(&written, c.table, c.key, c.value);
		target.states.fill_write(target.states.ctx, &written);
		cr_assert_eq(await(&target), ORD_OK);
		ord_changes_close(&written);
		ord_changes_close(&got);
	} while (!source.is_last);
	target.states.fill_end(target.states.ctx, 1);
	return await(&target);
}

static unsigned copy_begin(void)
{
	unsigned copy;
	const struct ord_store *store;
	cr_assert_eq(source.states.copy_open(source.states.ctx, 0, &copy, &store), ORD_OK);
	return copy;
}

static bool there_is(const struct place *p, const char *name)
{
	char path[128];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", p->directory, name);
	return lstat(path, &st) == 0;
}

static void replace(bool keeps_old)
{
	char why[512];
	cr_assert_eq(target.states.replace(target.states.ctx, 0, keeps_old, &target.store, why, sizeof why), ORD_OK,
		     "%s", why);
}

Test(node_copy, is_of_one_state_whatever_is_written_meanwhile)
{
	struct ord_partition_status before = status_of(source.store);
	unsigned copy = copy_begin();
	build_apply(&l, 0, build_transfer("t2", "a3", "a4", 100), TIME_US);
	write_lab(&source);
	cr_assert_neq(status_of(source.store).position, before.position);
	cr_assert_eq(copy_all_but(copy, SIZE_MAX), ORD_OK);
	cr_expect_eq(status_of(target.store).position, 0, "the old state stays until then");
	replace(false);
	struct ord_partition_status after = status_of(target.store);
	cr_expect_eq(after.position, before.position);
	cr_expect_arr_eq(after.state_digest, before.state_digest, sizeof before.state_digest);
	cr_expect_arr_eq(after.history_hash, before.history_hash, sizeof before.history_hash);
	source.states.copy_close(source.states.ctx, copy);
	end(&target);
	start(&target);
	cr_expect_eq(status_of(target.store).position, before.position, "it is there after a start");
	cr_expect_not(there_is(&target, "0.new"));
	cr_expect_not(there_is(&target, "0.aside-1"));
}

Test(node_copy, an_old_state_can_be_set_aside)
{
	for (unsigned i = 0; i < 5; i++) {
		unsigned copy = copy_begin();
		cr_assert_eq(copy_all_but(copy, SIZE_MAX), ORD_OK);
		source.states.copy_close(source.states.ctx, copy);
		replace(true);
	}
	cr_expect(there_is(&target, "0.aside-1"));
	cr_expect(there_is(&target, "0.aside-3"));
	cr_expect_not(there_is(&target, "0.aside-4"), "but not without bound");
}

Test(node_copy, with_a_record_missing_it_is_not_taken)
{
	unsigned copy = copy_begin();
	for (size_t without = 2; without < 40; without += 7)
		cr_expect_eq(copy_all_but(copy, without), ORD_ERR_CORRUPT, "without pair %zu", without);
	cr_expect_eq(copy_all_but(copy, SIZE_MAX), ORD_OK, "and the next attempt begins anew");
	source.states.copy_close(source.states.ctx, copy);
}

Test(node_copy, pairs_out_of_order_are_not_taken)
{
	struct ord_changes changes;
	target.states.fill_begin(target.states.ctx, 0);
	cr_assert_eq(await(&target), ORD_OK);
	ord_changes_init(&changes);
	ord_changes_put(&changes, ORD_STORE_ACCOUNTS, ord_slice_text("b"), ord_slice_text("1"));
	ord_changes_put(&changes, ORD_STORE_ACCOUNTS, ord_slice_text("a"), ord_slice_text("1"));
	target.states.fill_write(target.states.ctx, &changes);
	cr_expect_eq(await(&target), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(ord_lmdb_error_text(target.lmdb), target.directory));
	ord_changes_close(&changes);
}

Test(node_copy, what_a_copy_that_was_cut_short_left_is_removed_at_the_next_start)
{
	target.states.fill_begin(target.states.ctx, 0);
	cr_assert_eq(await(&target), ORD_OK);
	end(&target);
	cr_assert(there_is(&target, "0.new"));
	start(&target);
	cr_expect_not(there_is(&target, "0.new"));
}

Test(node_copy, there_are_only_so_many)
{
	unsigned copies[ORD_STATES_COPIES_MAX], more;
	const struct ord_store *store;
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++)
		copies[i] = copy_begin();
	cr_expect_eq(source.states.copy_open(source.states.ctx, 0, &more, &store), ORD_ERR_BUSY);
	source.states.copy_close(source.states.ctx, copies[1]);
	cr_expect_eq(copy_begin(), copies[1]);
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++)
		source.states.copy_close(source.states.ctx, copies[i]);
}

/* Until another one is there: a start must not take the empty one that is used meanwhile for a state. */
Test(node_copy, a_state_that_cannot_be_read_stays_until_it_is_replaced)
{
	char why[512];
	const uint64_t position = status_of(source.store).position;
	for (unsigned i = 0; i < 2; i++) {
		cr_assert_eq(source.states.discard(source.states.ctx, 0, &source.store, why, sizeof why), ORD_OK, "%s",
			     why);
		cr_expect_eq(status_of(source.store).position, 0, "an empty one");
		end(&source);
		start(&source);
		cr_expect_eq(status_of(source.store).position, position, "the next start finds it again");
		cr_expect_not(there_is(&source, "0.lost"));
	}
	unsigned copy = copy_begin();
	cr_assert_eq(target.states.discard(target.states.ctx, 0, &target.store, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(copy_all_but(copy, SIZE_MAX), ORD_OK);
	source.states.copy_close(source.states.ctx, copy);
	char marker[128];
	snprintf(marker, sizeof marker, "%s/0.damaged", target.directory);
	cr_assert_eq(close(creat(marker, 0600)), 0);
	replace(false);
	cr_expect_eq(status_of(target.store).position, position);
	cr_expect(there_is(&target, "0.aside-1"));
	cr_expect_not(there_is(&target, "0.lost"));
	cr_expect_not(there_is(&target, "0.damaged"), "it has said what it had to say");
	end(&target);
	start(&target);
	cr_expect_eq(status_of(target.store).position, position);
}
