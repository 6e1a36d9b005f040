/* SPDX-License-Identifier: Apache-2.0 - every system call that changes the disk fails once: what was told to be durable is there at the next start. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "node/history.h"
#include "node/history_read.h"
#include "tests/support/history.h"
#include "tests/support/node_client.h"

#define PARTITIONS 2
#define BLOCKS 4
/* Files of about two blocks. */
#define VOLUME_BYTES 900

/* --- The calls, of which one fails. --- */

static atomic_int calls_left; /* until the one that fails; below zero: none does */
static int fault_errno;

static bool fails(void)
{
	if (atomic_fetch_sub(&calls_left, 1) != 1)
		return false;
	errno = fault_errno;
	return true;
}

/* What has been changed since the last sync of a file, in which directory a name was made since its last sync (inode, 0: none), and whether something
 * happened in the wrong order. */
static atomic_bool bytes_unsynced;
static atomic_ulong names_unsynced;
static atomic_bool out_of_order;
static pthread_t opener; /* the thread that opens the history, and waits for it */

static void name_made(int dir_fd, const char *path)
{
	struct stat st;
	if (faccessat(dir_fd, path, F_OK, 0) != 0 && fstat(dir_fd, &st) == 0)
		atomic_store(&names_unsynced, st.st_ino);
}

static void synced(int fd)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return;
	if (S_ISREG(st.st_mode))
		atomic_store(&bytes_unsynced, false);
	else if (st.st_ino == atomic_load(&names_unsynced))
		atomic_store(&names_unsynced, 0);
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
ssize_t __real_pwrite(int fd, const void *base, size_t len, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *base, size_t len, off_t offset);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __real_unlinkat(int dir_fd, const char *path, int flags);
int __wrap_unlinkat(int dir_fd, const char *path, int flags);
int __real_mkdirat(int dir_fd, const char *path, mode_t mode);
int __wrap_mkdirat(int dir_fd, const char *path, mode_t mode);
int __real_openat(int dir_fd, const char *path, int flags, ...);
int __wrap_openat(int dir_fd, const char *path, int flags, ...);

/* Some of it is written before it fails. */
ssize_t __wrap_pwrite(int fd, const void *base, size_t len, off_t offset)
{
	if (atomic_load(&names_unsynced) != 0)
		atomic_store(&out_of_order, true); /* a name is durable before the first byte under it */
	atomic_store(&bytes_unsynced, true);
	if (!fails())
		return __real_pwrite(fd, base, len, offset);
	__real_pwrite(fd, base, len * 2 / 3, offset);
	errno = fault_errno;
	return -1;
}

int __wrap_fdatasync(int fd)
{
	synced(fd);
	return fails() ? -1 : __real_fdatasync(fd);
}

int __wrap_fsync(int fd)
{
	synced(fd);
	return fails() ? -1 : __real_fsync(fd);
}

int __wrap_ftruncate(int fd, off_t len)
{
	return fails() ? -1 : __real_ftruncate(fd, len);
}

int __wrap_unlinkat(int dir_fd, const char *path, int flags)
{
	return fails() ? -1 : __real_unlinkat(dir_fd, path, flags);
}

int __wrap_mkdirat(int dir_fd, const char *path, mode_t mode)
{
	name_made(dir_fd, path);
	return fails() ? -1 : __real_mkdirat(dir_fd, path, mode);
}

int __wrap_openat(int dir_fd, const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
	va_end(args);
	if ((flags & O_CREAT) != 0)
		name_made(dir_fd, path);
	if ((flags & O_ACCMODE) == O_RDONLY && !pthread_equal(pthread_self(), opener))
		return __real_openat(dir_fd, path, flags, mode); /* who only reads looks again later */
	return fails() ? -1 : __real_openat(dir_fd, path, flags, mode);
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* --- A history that is written and opened again. --- */

static uv_loop_t loop;
static char parent[64];
static char directory[128];
static uint64_t durable_index[PARTITIONS];
static unsigned told_count;
static int first_error;
static bool stopped;
static char why[1024];

static void written_cb(void *ctx, uint32_t partition, uint64_t last_index, int status)
{
	(void)ctx;
	told_count++;
	if (status == ORD_OK) {
		cr_assert_eq(first_error, ORD_OK, "nothing is written after a failure");
		cr_assert_not(atomic_load(&bytes_unsynced), "told before its sync");
		durable_index[partition] = last_index;
	} else if (first_error == ORD_OK) {
		first_error = status;
	}
}

static void stopped_cb(void *ctx)
{
	(void)ctx;
	stopped = true;
}

static int store_open(struct ord_history **ret)
{
	atomic_store(&bytes_unsynced,
		     false); /* what an earlier process left is written and synced again, in any order */
	atomic_store(&names_unsynced, 0);
	struct ord_history_options options = {.loop = &loop,
					      .directory = directory,
					      .cluster = history_cluster,
					      .partitions_count = PARTITIONS,
					      .volume_bytes = VOLUME_BYTES,
					      .written = written_cb};
	int err = ord_history_open(&options, ret, why, sizeof why);
	if (err == ORD_OK)
		cr_assert_not(atomic_load(&bytes_unsynced) || atomic_load(&names_unsynced) != 0,
			      "found and not synced");
	return err;
}

static void store_stop(struct ord_history *store)
{
	stopped = false;
	ord_history_stop(store, stopped_cb, NULL);
	UNTIL(&loop, stopped);
}

static void begin(void)
{
	snprintf(parent, sizeof parent, "/tmp/ordain-history-XXXXXX");
	cr_assert_not_null(mkdtemp(parent));
	snprintf(directory, sizeof directory, "%s/history", parent);
	memset(durable_index, 0, sizeof durable_index);
	told_count = 0;
	first_error = ORD_OK;
}

static void end(void)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", parent);
	cr_assert_eq(system(command), 0);
}

/* Goes on with the blocks of every partition behind what the store has. Gives what went wrong. */
static int blocks_write(struct ord_history *store)
{
	unsigned count = told_count;
	for (uint32_t i = 0; i < PARTITIONS; i++) {
		struct history history;
		uint64_t have = ord_history_found(store, i)->end.number;
		history_open(&history, i + 1, i);
		history.dull = true;
		for (uint64_t number = 1; number <= BLOCKS; number++) {
			struct ord_block_raw raw;
			history_block(&history, &raw);
			if (number > have) {
				cr_assert_eq(ord_history_write(store, &raw), ORD_OK);
				count++;
				UNTIL(&loop, told_count == count); /* each is a write of its own */
			}
			ord_block_raw_close(&raw);
		}
		history_close(&history);
	}
	if (first_error != ORD_OK)
		cr_assert_neq(ord_history_error_text(store)[0], '\0');
	return first_error;
}

/* All that was told is there, and every block can be read. */
static void cr_holds(struct ord_history *store)
{
	for (uint32_t i = 0; i < PARTITIONS; i++) {
		const struct ord_block_end *found = &ord_history_found(store, i)->end;
		struct ord_history_reader_options options = {
			.directory = directory, .cluster = history_cluster, .partition = i};
		struct ord_history_reader *reader;
		struct ord_block block;
		cr_assert_geq(found->last_index, durable_index[i]);
		cr_assert_eq(ord_history_reader_open(&options, &reader), ORD_OK);
		for (uint64_t number = 1; number <= found->number; number++)
			cr_assert_eq(ord_history_read_number(reader, number, &block), ORD_OK, "%s",
				     ord_history_reader_error_text(reader));
		cr_assert_eq(ord_history_read_number(reader, found->number + 1, &block), ORD_ERR_NOT_FOUND);
		ord_history_reader_close(reader);
	}
}

/* Opens, writes and stops while call number k fails, in a directory that an earlier failure may have left. True: the call was made. */
static bool round_run(int k, int error)
{
	struct ord_history *store = NULL;
	opener = pthread_self();
	atomic_store(&calls_left, k);
	fault_errno = error;
	int err = store_open(&store);
	if (err == ORD_OK) {
		err = blocks_write(store);
		store_stop(store);
	} else {
		cr_assert_eq(strncmp(why, "history: ", 9), 0, "%s", why);
	}
	bool made = atomic_load(&calls_left) <= 0;
	atomic_store(&calls_left, -1);
	cr_assert_not(atomic_load(&out_of_order));
	if (store != NULL && error == ENOSPC && err == ORD_OK)
		return made; /* it was tried again */
	cr_assert_eq(made, err != ORD_OK, "call %d: no failure is passed over", k);
	cr_assert(store == NULL || error != ENOSPC, "call %d: for want of room nothing is given up", k);
	if (err != ORD_OK)
		cr_assert_eq(err, error == ENOSPC ? ORD_ERR_NO_SPACE : ORD_ERR_IO, "%s", ord_err_name(err));
	return made;
}

Test(node_history_faults, whatever_fails_what_was_told_is_there, .timeout = 120)
{
	bool made = true;
	cr_assert_eq(uv_loop_init(&loop), 0);
	for (int k = 1; made; k++) {
		struct ord_history *store;
		begin();
		made = round_run(k, k % 5 != 0 ? EIO : ENOSPC); /* the latter costs a second */
		cr_assert(made || k > 20, "calls are counted");
		cr_assert_eq(store_open(&store), ORD_OK, "call %d: %s", k, why);
		cr_holds(store);
		first_error = ORD_OK;
		cr_assert_eq(blocks_write(store), ORD_OK);
		store_stop(store);
		end();
	}
	cr_assert_eq(uv_loop_close(&loop), 0);
}

/* Two failures: one while it is written, one while what that left is opened. */
Test(node_history_faults, a_start_that_fails_can_be_tried_again, .timeout = 120)
{
	cr_assert_eq(uv_loop_init(&loop), 0);
	for (int first = 14; first < 40; first += 5) {
		bool made = true;
		for (int k = 1; made && k < 16; k++) {
			struct ord_history *store;
			begin();
			round_run(first, EIO);
			first_error = ORD_OK;
			made = round_run(k, EIO);
			first_error = ORD_OK;
			cr_assert_eq(store_open(&store), ORD_OK, "calls %d, %d: %s", first, k, why);
			cr_holds(store);
			store_stop(store);
			end();
		}
	}
	cr_assert_eq(uv_loop_close(&loop), 0);
}

/* Whichever call meets the full disk, the block is kept, in its place, and written when there is room. */
Test(node_history_faults, blocks_wait_for_room, .timeout = 60)
{
	struct ord_history *store;
	cr_assert_eq(uv_loop_init(&loop), 0);
	begin();
	cr_assert_eq(store_open(&store), ORD_OK);
	atomic_store(&calls_left, 1);
	fault_errno = ENOSPC;
	cr_assert_eq(blocks_write(store), ORD_OK);
	cr_assert_eq(atomic_load(&calls_left) > 0, false);
	cr_assert_eq(told_count, PARTITIONS * BLOCKS);
	cr_assert_eq(ord_history_waiting_bytes(store), 0);
	store_stop(store);
	cr_assert_eq(store_open(&store), ORD_OK, "%s", why);
	for (uint32_t i = 0; i < PARTITIONS; i++)
		cr_assert_eq(ord_history_found(store, i)->end.number, BLOCKS);
	cr_holds(store);
	store_stop(store);
	end();
	cr_assert_eq(uv_loop_close(&loop), 0);
}

/* Who stops meanwhile does not wait for room; the log has what was not written. */
Test(node_history_faults, stopping_does_not_wait_for_room, .timeout = 20)
{
	struct ord_history *store;
	struct history history;
	struct ord_block_raw raw;
	cr_assert_eq(uv_loop_init(&loop), 0);
	begin();
	cr_assert_eq(store_open(&store), ORD_OK);
	history_open(&history, 1, 0);
	history.dull = true;
	history_block(&history, &raw);
	atomic_store(&calls_left, 1);
	fault_errno = ENOSPC;
	cr_assert_eq(ord_history_write(store, &raw), ORD_OK);
	UNTIL(&loop, atomic_load(&calls_left) <= 0);
	store_stop(store);
	cr_expect_eq(told_count, 0);
	history_close(&history);
	end();
	cr_assert_eq(uv_loop_close(&loop), 0);
}
