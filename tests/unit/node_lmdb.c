/* SPDX-License-Identifier: Apache-2.0 - states in LMDB: what was written is there, whole, also after a process that died while it wrote. */
#include "node/lmdb.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "node/guard.h"
#include "partition/stored.h"
#include "tests/support/node_client.h"

#define PARTITIONS 2

static uv_loop_t loop;
static char directory[64];
static struct ord_lmdb *lmdb;
static struct ord_states states;
static const struct ord_store *stores[PARTITIONS];
static struct ord_changes changes;
static char why[512];
static unsigned written_count;
static int written_status;
static unsigned copied_count;
static int copied_status;
static bool copied_last;
static struct ord_changes copied;
static unsigned filled_count;
static int filled_status;
static bool stopped;

static void written_cb(void *ctx, uint32_t partition, int status)
{
	(void)ctx;
	(void)partition;
	written_count++;
	written_status = status;
}

static void copied_cb(void *ctx, unsigned copy, int status, const struct ord_changes *pairs, bool is_last)
{
	(void)ctx;
	(void)copy;
	copied_status = status;
	copied_last = is_last;
	ord_changes_close(&copied);
	ord_bytes_put(&copied.bytes, pairs->bytes.base, pairs->bytes.len);
	copied.count = pairs->count;
	copied_count++;
}

static void filled_cb(void *ctx, int status)
{
	(void)ctx;
	filled_status = status;
	filled_count++;
}

static unsigned scrubbed_count;
static int scrubbed_status;
static struct ord_pairs_checked scrubbed;

static void scrubbed_cb(void *ctx, uint32_t partition, int status, const struct ord_pairs_checked *piece)
{
	(void)ctx;
	(void)partition;
	scrubbed_status = status;
	scrubbed = *piece;
	scrubbed_count++;
}

static const struct ord_lmdb_events events = {
	.written = written_cb, .copied = copied_cb, .filled = filled_cb, .scrubbed = scrubbed_cb};

static void stopped_cb(void *ctx)
{
	(void)ctx;
	stopped = true;
}

static void start(void)
{
	cr_assert_eq(ord_lmdb_open(&loop, directory, PARTITIONS, &events, &lmdb), ORD_OK);
	states = ord_lmdb_states(lmdb);
	for (uint32_t i = 0; i < PARTITIONS; i++)
		cr_assert_eq(states.open(states.ctx, i, &stores[i], why, sizeof why), ORD_OK, "%s", why);
}

static void end(void)
{
	stopped = false;
	ord_lmdb_stop(lmdb, stopped_cb, NULL);
	UNTIL(&loop, stopped);
}

static void make(void)
{
	snprintf(directory, sizeof directory, "/tmp/ordain-lmdb-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(uv_loop_init(&loop), 0);
	ord_changes_init(&changes);
	start();
}

static void clean(void)
{
	char command[128];

	end();
	ord_changes_close(&changes);
	cr_assert_eq(uv_loop_close(&loop), 0);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(lmdb, .init = make, .fini = clean, .timeout = 60);

static void put(enum ord_store_table table, const char *key, const char *value)
{
	ord_changes_put(&changes, table, ord_slice_text(key), ord_slice_text(value));
}

static void take_out(enum ord_store_table table, const char *key)
{
	ord_changes_remove(&changes, table, ord_slice_text(key));
}

/* Writes what was put; the store does not read it yet. */
static void write_put(uint32_t partition)
{
	written_count = 0;
	states.write(states.ctx, partition, &changes);
	UNTIL(&loop, written_count > 0);
	ord_changes_close(&changes);
}

/* Writes what was put, and lets the store read it. */
static int commit(uint32_t partition)
{
	write_put(partition);
	if (written_status == ORD_OK)
		cr_assert_eq(states.renew(states.ctx, partition, why, sizeof why), ORD_OK);
	return written_status;
}

/* Kilobytes of files in this process's memory; -1: the system does not tell. */
static long file_kilobytes(void)
{
	long kilobytes = -1;
	char line[256];
	FILE *status = fopen("/proc/self/status", "re");
	while (status != NULL && fgets(line, sizeof line, status) != NULL)
		if (sscanf(line, "RssFile: %ld", &kilobytes) == 1)
			break;
	if (status != NULL)
		fclose(status);
	return kilobytes;
}

/* The value of a key; "-" when there is none. */
static const char *value(uint32_t partition, enum ord_store_table table, const char *key)
{
	static char text[64];
	struct ord_slice found;
	int err = stores[partition]->get(stores[partition]->ctx, table, ord_slice_text(key), &found);

	if (err == ORD_ERR_NOT_FOUND)
		return "-";
	cr_assert_eq(err, ORD_OK);
	cr_assert_lt(found.len, sizeof text);
	memcpy(text, found.base, found.len);
	text[found.len] = '\0';
	return text;
}

static int list_cb(void *arg, struct ord_slice key, struct ord_slice found)
{
	char *text = arg;
	size_t len = strlen(text);

	snprintf(text + len, 256 - len, "%.*s=%.*s ", (int)key.len, (const char *)key.base, (int)found.len,
		 (const char *)found.base);
	return ORD_OK;
}

static const char *list_from(uint32_t partition, enum ord_store_table table, const char *from)
{
	static char text[256];

	text[0] = '\0';
	cr_assert_eq(stores[partition]->walk(stores[partition]->ctx, table, ord_slice_text(from), list_cb, text),
		     ORD_OK);
	return text;
}

static const char *list(uint32_t partition, enum ord_store_table table)
{
	return list_from(partition, table, "");
}

Test(lmdb, what_was_written_is_there)
{
	put(ORD_STORE_ACCOUNTS, "b", "2");
	put(ORD_STORE_ACCOUNTS, "a", "1");
	put(ORD_STORE_NAMES, "a", "other");
	cr_expect_eq(commit(0), ORD_OK);
	cr_expect_str_eq(list(0, ORD_STORE_ACCOUNTS), "a=1 b=2 ");
	cr_expect_str_eq(value(0, ORD_STORE_NAMES, "a"), "other");
	cr_expect_str_eq(value(0, ORD_STORE_NAMES, "b"), "-");
	cr_expect_str_eq(list(1, ORD_STORE_ACCOUNTS), "", "each partition has its own");
	put(ORD_STORE_ACCOUNTS, "b", "3");
	take_out(ORD_STORE_ACCOUNTS, "a");
	take_out(ORD_STORE_ACCOUNTS, "never");
	cr_expect_eq(commit(0), ORD_OK);
	end();
	start();
	cr_expect_str_eq(list(0, ORD_STORE_ACCOUNTS), "b=3 ");
	cr_expect_gt(ord_lmdb_disk_bytes(lmdb), 0);
}

Test(lmdb, of_a_key_removed_and_set_the_value_counts)
{
	put(ORD_STORE_NAMES, "x", "old");
	cr_expect_eq(commit(0), ORD_OK);
	put(ORD_STORE_NAMES, "x", "new");
	take_out(ORD_STORE_NAMES, "x");
	put(ORD_STORE_NAMES, "y", "only");
	take_out(ORD_STORE_NAMES, "y");
	cr_expect_eq(commit(0), ORD_OK);
	cr_expect_str_eq(list(0, ORD_STORE_NAMES), "x=new y=only ");
}

Test(lmdb, a_reader_sees_the_old_state_until_it_is_renewed)
{
	put(ORD_STORE_META, "k", "1");
	cr_expect_eq(commit(1), ORD_OK);
	put(ORD_STORE_META, "k", "2");
	write_put(1);
	cr_expect_str_eq(value(1, ORD_STORE_META, "k"), "1");
	cr_expect_eq(states.renew(states.ctx, 1, why, sizeof why), ORD_OK);
	cr_expect_str_eq(value(1, ORD_STORE_META, "k"), "2");
}

/* The child writes state after state, each with the same number under many keys, until it is killed somewhere. */
static void write_until_killed(void)
{
	char key[32], number[32];

	cr_assert_eq(uv_loop_init(&loop), 0);
	start();
	for (unsigned n = 1;; n++) {
		snprintf(number, sizeof number, "%u", n);
		for (unsigned i = 0; i < 300; i++) {
			snprintf(key, sizeof key, "key-%u", i * 7919 % 300);
			put(ORD_STORE_REQUESTS, key, number);
		}
		put(ORD_STORE_META, "n", number);
		commit(0);
	}
}

static int same_cb(void *arg, struct ord_slice key, struct ord_slice found)
{
	const char *number = arg;

	(void)key;
	return ord_slice_equal(found, ord_slice_text(number)) ? ORD_OK : ORD_ERR_CORRUPT;
}

Test(lmdb, a_walk_begins_at_the_first_key_that_is_not_below_its_beginning)
{
	put(ORD_STORE_ACCOUNTS, "a", "1");
	put(ORD_STORE_ACCOUNTS, "bb", "2");
	put(ORD_STORE_ACCOUNTS, "c", "3");
	cr_assert_eq(commit(0), ORD_OK);
	cr_expect_str_eq(list_from(0, ORD_STORE_ACCOUNTS, "b"), "bb=2 c=3 ");
	cr_expect_str_eq(list_from(0, ORD_STORE_ACCOUNTS, "bb"), "bb=2 c=3 ");
	cr_expect_str_eq(list_from(0, ORD_STORE_ACCOUNTS, "bba"), "c=3 ");
	cr_expect_str_eq(list_from(0, ORD_STORE_ACCOUNTS, "d"), "");
	cr_expect_str_eq(list_from(0, ORD_STORE_NAMES, "a"), "");
}

Test(lmdb, a_write_that_is_killed_is_there_or_not)
{
	char number[64];

	end();
	for (unsigned round = 0; round < 10; round++) {
		pid_t child = fork();

		if (child == 0) {
			write_until_killed();
			_exit(0);
		}
		usleep(20000 + round * 7000);
		cr_assert_eq(kill(child, SIGKILL), 0);
		cr_assert_eq(waitpid(child, NULL, 0), child);
		start();
		snprintf(number, sizeof number, "%s", value(0, ORD_STORE_META, "n"));
		cr_expect_eq(
			stores[0]->walk(stores[0]->ctx, ORD_STORE_REQUESTS, (struct ord_slice){0}, same_cb, number),
			ORD_OK, "round %u: not all are of state %s", round, number);
		end();
	}
	start();
}

Test(lmdb, a_file_that_is_no_state_is_named)
{
	char path[128];

	end();
	snprintf(path, sizeof path, "%s/0/data.mdb", directory);
	int fd = open(path, O_WRONLY);
	cr_assert_geq(fd, 0);
	char nothing[8192];
	memset(nothing, 0x5a, sizeof nothing);
	cr_assert_eq(pwrite(fd, nothing, sizeof nothing, 0), (ssize_t)sizeof nothing);
	close(fd);
	cr_assert_eq(ord_lmdb_open(&loop, directory, PARTITIONS, &events, &lmdb), ORD_OK);
	states = ord_lmdb_states(lmdb);
	cr_expect_eq(states.open(states.ctx, 0, &stores[0], why, sizeof why), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(why, "partition 0"), "%s", why);
	cr_expect_not_null(strstr(why, directory), "%s", why);
}

/* --- What a large write leaves in memory. --- */

/* With so many, what one of them may keep is less than a test writes. */
#define MANY_PARTITIONS 1024
#define LARGE_COUNT 1000u
#define LARGE_BYTES 3000u

static void start_many(void)
{
	end();
	cr_assert_eq(ord_lmdb_open(&loop, directory, MANY_PARTITIONS, &events, &lmdb), ORD_OK);
	states = ord_lmdb_states(lmdb);
	cr_assert_eq(states.open(states.ctx, 0, &stores[0], why, sizeof why), ORD_OK, "%s", why);
}

/* A page for each. */
static void put_large(uint8_t byte)
{
	uint8_t bytes[LARGE_BYTES];
	char key[16];

	memset(bytes, byte, sizeof bytes);
	for (unsigned i = 0; i < LARGE_COUNT; i++) {
		snprintf(key, sizeof key, "%04u", i);
		ord_changes_put(&changes, ORD_STORE_ACCOUNTS, ord_slice_text(key), ord_slice_of(bytes, sizeof bytes));
	}
}

static void expect_large(const struct ord_store *store, uint8_t byte)
{
	struct ord_slice found;

	cr_assert_eq(store->get(store->ctx, ORD_STORE_ACCOUNTS, ord_slice_text("0999"), &found), ORD_OK);
	cr_expect_eq(found.len, LARGE_BYTES);
	cr_expect_eq(*(const uint8_t *)found.base, byte);
}

Test(lmdb, what_a_large_write_took_is_given_back)
{
	start_many();
	size_t before = mallinfo2().uordblks;
	put_large(1);
	cr_assert_eq(commit(0), ORD_OK);
	expect_large(stores[0], 1);
	put_large(2);
	cr_assert_eq(commit(0), ORD_OK);
	expect_large(stores[0], 2);
	cr_expect_lt(mallinfo2().uordblks, before + LARGE_COUNT * LARGE_BYTES / 4);
}

Test(lmdb, a_copy_stays_as_it_is_while_much_is_written)
{
	const struct ord_store *copy;
	unsigned number;

	start_many();
	put_large(1);
	cr_assert_eq(commit(0), ORD_OK);
	cr_assert_eq(states.copy_open(states.ctx, 0, &number, &copy), ORD_OK);
	for (uint8_t byte = 2; byte < 7; byte++) { /* pages of the copy would be used again, if nobody looked at them */
		put_large(byte);
		cr_assert_eq(commit(0), ORD_OK);
	}
	expect_large(copy, 1);
	expect_large(stores[0], 6);
	states.copy_close(states.ctx, number);
	put_large(7);
	cr_assert_eq(commit(0), ORD_OK);
	expect_large(stores[0], 7);
}

/* After a large write, before it is renewed. */
static void write_large(void)
{
	start_many();
	put_large(1);
	write_put(0);
}

/* Nobody who still asks brings the process down. */
static void expect_unusable(int err)
{
	struct ord_slice found;

	cr_expect_eq(states.renew(states.ctx, 0, why, sizeof why), err);
	cr_expect_not_null(strstr(why, directory), "%s", why);
	cr_expect_eq(ord_lmdb_disk_bytes(lmdb), 0);
	for (unsigned i = 0; i < 5000; i++)
		cr_assert_eq(stores[0]->get(stores[0]->ctx, ORD_STORE_ACCOUNTS, ord_slice_text("0000"), &found),
			     ORD_ERR_IO);
	cr_expect_eq(stores[0]->walk(stores[0]->ctx, ORD_STORE_ACCOUNTS, (struct ord_slice){0}, same_cb, "1"),
		     ORD_ERR_IO);
}

Test(lmdb, a_state_that_cannot_be_opened_again_is_told)
{
	char path[128], moved[160];

	write_large();
	snprintf(path, sizeof path, "%s/0", directory);
	snprintf(moved, sizeof moved, "%s-moved", path);
	cr_assert_eq(rename(path, moved), 0);
	expect_unusable(ORD_ERR_IO);
}

Test(lmdb, another_file_is_not_taken_for_the_state)
{
	char path[128];

	write_large();
	snprintf(path, sizeof path, "%s/0/data.mdb", directory);
	cr_assert_eq(unlink(path), 0);
	expect_unusable(ORD_ERR_CORRUPT);
}

Test(lmdb, a_state_that_is_damaged_when_it_is_opened_again_can_be_discarded)
{
	char path[128];
	static const uint8_t nothing[8192];

	write_large();
	snprintf(path, sizeof path, "%s/0/data.mdb", directory);
	int fd = open(path, O_WRONLY);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pwrite(fd, nothing, sizeof nothing, 0), (ssize_t)sizeof nothing);
	close(fd);
	expect_unusable(ORD_ERR_CORRUPT);
	cr_assert_eq(states.discard(states.ctx, 0, &stores[0], why, sizeof why), ORD_OK, "%s", why);
	cr_expect_str_eq(list(0, ORD_STORE_ACCOUNTS), "");
}

/* --- Damage. --- */

static void put_sound(enum ord_store_table table, const char *key, const char *body)
{
	struct ord_bytes stored;

	ord_bytes_init(&stored, 1024);
	ord_bytes_put(&stored, body, strlen(body));
	ord_bytes_put_u32(&stored, ord_stored_checksum(table, ord_slice_text(key), ord_slice_text(body)));
	ord_changes_put(&changes, table, ord_slice_text(key), ord_bytes_slice(&stored));
	ord_bytes_close(&stored);
}

static void put_many(void)
{
	char key[32];

	for (unsigned i = 0; i < 20000; i++) {
		snprintf(key, sizeof key, "account-%05u", i);
		put_sound(ORD_STORE_ACCOUNTS, key, "what stands in a record of some length");
	}
	cr_assert_eq(commit(0), ORD_OK);
}

static int scrub_all(uint64_t *ret_pairs)
{
	scrubbed = (struct ord_pairs_checked){0};
	*ret_pairs = 0;
	do {
		struct ord_pairs_place place = scrubbed.place;

		scrubbed_count = 0;
		states.scrub(states.ctx, 0, &place, 100000);
		UNTIL(&loop, scrubbed_count > 0);
		*ret_pairs += scrubbed.pairs_count;
	} while (scrubbed_status == ORD_OK && !scrubbed.is_last);
	return scrubbed_status;
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

/* The file is cut under a process that reads it. */
static void read_what_was_cut(void)
{
	uint64_t pairs;

	ord_guard_install();
	cr_assert_eq(uv_loop_init(&loop), 0);
	start();
	cr_assert_eq(truncate(path_of("0/data.mdb"), 8192), 0);
	scrub_all(&pairs);
}

Test(lmdb, what_ends_the_process_in_a_state_is_known_to_the_next_start)
{
	int status;

	put_many();
	end();
	pid_t child = fork();
	if (child == 0) {
		read_what_was_cut();
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS, "the action of before is taken: %x", status);
	cr_expect_eq(access(path_of("0.damaged"), F_OK), 0);
	cr_assert_eq(ord_lmdb_open(&loop, directory, PARTITIONS, &events, &lmdb), ORD_OK);
	states = ord_lmdb_states(lmdb);
	cr_expect_eq(states.open(states.ctx, 0, &stores[0], why, sizeof why), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(why, path_of("0.damaged")), "%s", why);
	cr_expect_eq(states.discard(states.ctx, 0, &stores[0], why, sizeof why), ORD_OK);
	cr_expect_str_eq(list(0, ORD_STORE_ACCOUNTS), "");
	cr_expect_eq(access(path_of("0.damaged"), F_OK), 0, "until there is another one");
	end();
	cr_assert_eq(ord_lmdb_open(&loop, directory, PARTITIONS, &events, &lmdb), ORD_OK);
	states = ord_lmdb_states(lmdb);
	cr_expect_eq(states.open(states.ctx, 0, &stores[0], why, sizeof why), ORD_ERR_CORRUPT, "a start later, too");
}

Test(lmdb, a_file_that_was_cut_is_found_when_it_is_opened)
{
	put_many();
	end();
	cr_assert_eq(truncate(path_of("0/data.mdb"), 16384), 0);
	cr_assert_eq(ord_lmdb_open(&loop, directory, PARTITIONS, &events, &lmdb), ORD_OK);
	states = ord_lmdb_states(lmdb);
	cr_expect_eq(states.open(states.ctx, 0, &stores[0], why, sizeof why), ORD_ERR_CORRUPT);
}

static void end_outside(int number)
{
	ord_guard_install();
	ord_guard_enter(path_of("0.damaged"));
	ord_guard_leave();
	raise(number);
}

static void end_inside(int number)
{
	ord_guard_install();
	ord_guard_enter(path_of("0.damaged"));
	if (number == SIGABRT)
		abort();
	kill(getpid(), number);
}

static bool leaves_marker(void (*main)(int), int number)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		main(number);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == number, "%x", status);
	return unlink(path_of("0.damaged")) == 0;
}

Test(lmdb, only_what_happens_inside_counts)
{
	cr_expect(leaves_marker(end_inside, SIGABRT));
	cr_expect_not(leaves_marker(end_outside, SIGSEGV));
	cr_expect_not(leaves_marker(end_outside, SIGABRT));
	cr_expect_not(leaves_marker(end_inside, SIGSEGV), "somebody sent it");
}

/* 64 MiB are read, and nothing is written meanwhile. */
Test(lmdb, reading_alone_does_not_fill_the_memory)
{
	enum { RECORDS = 16384, BYTES = 3000 };
	char key[16], bytes[BYTES] = "";
	struct ord_slice found;
	for (unsigned i = 0; i < RECORDS; i++) {
		snprintf(key, sizeof key, "%08u", i);
		ord_changes_put(&changes, ORD_STORE_NAMES, ord_slice_text(key), ord_slice_of(bytes, sizeof bytes));
	}
	cr_assert_eq(commit(0), ORD_OK);
	long before = file_kilobytes(), most = 0;
	for (unsigned i = 0; i < RECORDS; i++) {
		snprintf(key, sizeof key, "%08u", i);
		cr_assert_eq(stores[0]->get(stores[0]->ctx, ORD_STORE_NAMES, ord_slice_text(key), &found), ORD_OK);
		cr_assert_eq(found.len, sizeof bytes);
		long now = i % 256 == 0 ? file_kilobytes() - before : 0;
		most = now > most ? now : most;
	}
	cr_expect_lt(most, 40000, "%ld KiB", most);
}
