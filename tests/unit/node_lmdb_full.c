/* SPDX-License-Identifier: Apache-2.0 - checkpoints on a full disk: LMDB's writes are cut short, and nothing is lost by it. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"
#include "node/lmdb.h"
#include "tests/support/node_client.h"

/* --- The disk: these stand before the C library's, for LMDB, too. --- */

static atomic_bool cuts_short;
static atomic_bool has_room; /* says the file system */

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-inconsistent-declaration-parameter-name) */
ssize_t pwrite(int fd, const void *base, size_t len, off_t offset)
{
	ssize_t (*real)(int, const void *, size_t, off_t);
	*(void **)&real = dlsym(RTLD_NEXT, "pwrite");
	return real(fd, base, atomic_load(&cuts_short) ? len / 2 : len, offset);
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
	ssize_t (*real)(int, const struct iovec *, int);
	*(void **)&real = dlsym(RTLD_NEXT, "writev");
	return real(fd, iov, atomic_load(&cuts_short) && fd > STDERR_FILENO ? count / 2 : count);
}

int fstatvfs(int fd, struct statvfs *ret)
{
	(void)fd;
	*ret = (struct statvfs){.f_frsize = 4096, .f_bavail = atomic_load(&has_room) ? 1u << 20 : 1};
	return 0;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-inconsistent-declaration-parameter-name) */

/* --- A state. --- */

static uv_loop_t loop;
static char directory[64];
static struct ord_lmdb *lmdb;
static struct ord_states states;
static const struct ord_store *store;
static struct ord_changes changes;
static unsigned written_count;
static int written_status;
static bool stopped;

static void written_cb(void *ctx, uint32_t partition, int status)
{
	(void)ctx;
	(void)partition;
	written_count++;
	written_status = status;
}

static void stopped_cb(void *ctx)
{
	(void)ctx;
	stopped = true;
}

static void make(void)
{
	char why[512];
	snprintf(directory, sizeof directory, "/tmp/ordain-lmdb-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(uv_loop_init(&loop), 0);
	ord_changes_init(&changes);
	struct ord_lmdb_events events = {.written = written_cb};
	cr_assert_eq(ord_lmdb_open(&loop, directory, 1, &events, &lmdb), ORD_OK);
	states = ord_lmdb_states(lmdb);
	cr_assert_eq(states.open(states.ctx, 0, &store, why, sizeof why), ORD_OK, "%s", why);
}

static void clean(void)
{
	char command[128];
	ord_lmdb_stop(lmdb, stopped_cb, NULL);
	UNTIL(&loop, stopped);
	ord_changes_close(&changes);
	cr_assert_eq(uv_loop_close(&loop), 0);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(lmdb_full, .init = make, .fini = clean, .timeout = 60);

static int write_once(void)
{
	written_count = 0;
	states.write(states.ctx, 0, &changes);
	UNTIL(&loop, written_count > 0);
	return written_status;
}

static void put(const char *value)
{
	char key[16];
	ord_changes_close(&changes);
	ord_changes_init(&changes);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(key, sizeof key, "key-%06u", i);
		ord_changes_put(&changes, ORD_STORE_ACCOUNTS, ord_slice_text(key), ord_slice_text(value));
	}
}

static void expect_value(const char *value)
{
	struct ord_slice found;
	char why[512];
	cr_assert_eq(states.renew(states.ctx, 0, why, sizeof why), ORD_OK);
	cr_assert_eq(store->get(store->ctx, ORD_STORE_ACCOUNTS, ord_slice_text("key-000999"), &found), ORD_OK);
	cr_assert(ord_slice_equal(found, ord_slice_text(value)));
}

Test(lmdb_full, a_checkpoint_without_room_can_be_tried_again_until_there_is)
{
	put("one");
	cr_assert_eq(write_once(), ORD_OK);
	expect_value("one");
	put("two");
	atomic_store(&cuts_short, true);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(write_once(), ORD_ERR_NO_SPACE);
	expect_value("one");
	atomic_store(&cuts_short, false);
	cr_assert_eq(write_once(), ORD_OK);
	expect_value("two");
}

Test(lmdb_full, where_there_is_room_a_write_that_is_cut_short_is_an_error)
{
	put("one");
	atomic_store(&cuts_short, true);
	atomic_store(&has_room, true);
	cr_assert_eq(write_once(), ORD_ERR_IO);
	cr_assert_not_null(strstr(ord_lmdb_error_text(lmdb), "writing a checkpoint failed"));
	atomic_store(&cuts_short, false);
}
