/* SPDX-License-Identifier: Apache-2.0 - a state's file that is shorter than its pages: unused pages at its end are none of its business, what was cut off is. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/apart.h"
#include "cli/state_file.h"
#include "node/lmdb_env.h"

#define PAGE_BYTES 4096
#define PAIRS 1000

static char directory[] = "/tmp/ordain-state-file-XXXXXX";
static char state[64], file[80], why[512];
static char value[3 * PAGE_BYTES];

static void path_remove(const char *name)
{
	char path[96];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	cr_assert_eq(remove(path), 0, "%s", path);
}

static void directory_remove(void)
{
	path_remove("state/0/data.mdb");
	path_remove("state/0/lock.mdb");
	path_remove("state/0");
	path_remove("state");
	cr_assert_eq(rmdir(directory), 0);
}

static void state_write(uint32_t step)
{
	struct ord_lmdb_env env;
	struct ord_changes changes;
	ord_changes_init(&changes);
	for (uint32_t i = 0; i < PAIRS; i += step) {
		char key[16];
		snprintf(key, sizeof key, "%08" PRIu32, i);
		ord_changes_put(&changes, ORD_STORE_ACCOUNTS, ord_slice_text(key), ord_slice_of(value, sizeof value));
	}
	cr_assert_eq(ord_lmdb_env_open(&env, state, ord_lmdb_env_map_bytes(1), false), 0);
	cr_assert_eq(ord_lmdb_env_write(&env, &changes), 0);
	ord_lmdb_env_close(&env);
	ord_changes_close(&changes);
}

/* One transaction takes pages at the end of the file, and gives them back before it has written them. */
static void pages_take_and_give(void)
{
	struct ord_lmdb_env env;
	MDB_txn *txn;
	MDB_val key = {.mv_size = 1, .mv_data = "z"}, taken = {.mv_size = 64 * PAGE_BYTES, .mv_data = NULL};
	cr_assert_eq(ord_lmdb_env_open(&env, state, ord_lmdb_env_map_bytes(1), false), 0);
	cr_assert_eq(mdb_txn_begin(env.env, NULL, 0, &txn), 0);
	cr_assert_eq(mdb_put(txn, env.tables[ORD_STORE_ACCOUNTS], &key, &taken, MDB_RESERVE), 0);
	cr_assert_eq(mdb_del(txn, env.tables[ORD_STORE_ACCOUNTS], &key, NULL), 0);
	cr_assert_eq(mdb_txn_commit(txn), 0);
	ord_lmdb_env_close(&env);
}

static uint64_t bytes_missing(void)
{
	struct ord_lmdb_env env;
	uint64_t bytes, wanted;
	cr_assert_eq(ord_lmdb_env_open(&env, state, ord_lmdb_env_map_bytes(1), false), 0);
	cr_assert_eq(ord_lmdb_length(env.env, &bytes, &wanted), 0);
	ord_lmdb_env_close(&env);
	return wanted > bytes ? wanted - bytes : 0;
}

static void bytes_cut(uint64_t bytes)
{
	struct stat st;
	cr_assert_eq(stat(file, &st), 0);
	cr_assert_eq(truncate(file, st.st_size - (off_t)bytes), 0);
}

static void setup(void)
{
	cr_assert_not_null(mkdtemp(directory));
	snprintf(state, sizeof state, "%s/state", directory);
	cr_assert_eq(mkdir(state, 0700), 0);
	snprintf(state, sizeof state, "%s/state/0", directory);
	snprintf(file, sizeof file, "%s/data.mdb", state);
	state_write(1);
}

TestSuite(state_file, .init = setup, .fini = directory_remove);

struct walk {
	int err;
	uint64_t pairs;
};

static int pair_count(void *arg, struct ord_slice key, struct ord_slice v)
{
	uint64_t *pairs = arg;
	(void)key;
	cr_assert_eq(memcmp(v.base, value, sizeof value), 0);
	++*pairs;
	return ORD_OK;
}

static void walk_work(void *ctx)
{
	struct walk *w = ctx;
	struct ord_state_file *f;
	w->err = ord_state_file_open(directory, 0, &f, why, sizeof why);
	if (w->err != ORD_OK)
		return;
	const struct ord_store *store = ord_state_file_store(f);
	w->err = store->walk(store->ctx, ORD_STORE_ACCOUNTS, ord_slice_of(NULL, 0), pair_count, &w->pairs);
	ord_state_file_close(f);
}

Test(state_file, pages_that_were_taken_and_given_back_unwritten_are_not_missed)
{
	struct walk w = {.err = ORD_OK};
	state_write(2); /* leaves free pages in between, for what a commit itself needs */
	state_write(PAIRS);
	pages_take_and_give();
	cr_assert_gt(bytes_missing(), 0, "this is what the test is about");
	walk_work(&w);
	cr_expect_eq(w.err, ORD_OK, "%s", why);
	cr_expect_eq(w.pairs, PAIRS);
}

Test(state_file, a_file_that_was_cut_is_named_with_both_lengths)
{
	struct ord_state_file *f;
	bytes_cut(2 << 20);
	cr_assert_eq(ord_state_file_open(directory, 0, &f, why, sizeof why), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(why, file), "%s", why);
	cr_expect_not_null(strstr(why, "bytes and should have"), "%s", why);
}

Test(state_file, what_little_was_cut_off_ends_only_the_process_that_reads_it)
{
	struct walk w = {.err = ORD_OK};
	bytes_cut(100 * PAGE_BYTES);
	cr_expect_eq(ord_apart_run(walk_work, &w, sizeof w), ORD_ERR_CORRUPT);
}
