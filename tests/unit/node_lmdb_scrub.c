/* SPDX-License-Identifier: Apache-2.0 - the scrub of states in LMDB: whatever happens to a page, one round finds it; and what the view of a round costs is bounded. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "node/guard.h"
#include "node/lmdb.h"
#include "partition/checkpoint.h"
#include "tests/support/lab.h"
#include "tests/support/node_client.h"
#include "tests/support/node_damage.h"
#include "tests/support/partition_build.h"

#define TIME_US 1700000000000000u
#define ACCOUNTS 600
#define TRANSFERS 1500
#define PIECE_BYTES 20000u

static uv_loop_t loop;
static char directory[64];
static struct ord_lmdb *lmdb;
static struct ord_states states;
static const struct ord_store *store;
static struct lab l;
static unsigned events_count;
static int status;
static struct ord_pairs_checked checked;
static bool stopped;
static unsigned transfers_count;
static uint64_t piece_bytes; /* of scrub_all */

static void written_cb(void *ctx, uint32_t partition, int ended)
{
	(void)ctx;
	(void)partition;
	status = ended;
	events_count++;
}

static void scrubbed_cb(void *ctx, uint32_t partition, int ended, const struct ord_pairs_checked *piece)
{
	(void)ctx;
	(void)partition;
	status = ended;
	checked = *piece;
	events_count++;
}

static void filled_cb(void *ctx, int ended)
{
	(void)ctx;
	status = ended;
	events_count++;
}

static void stopped_cb(void *ctx)
{
	(void)ctx;
	stopped = true;
}

static int await(void)
{
	UNTIL(&loop, events_count > 0);
	events_count = 0;
	return status;
}

static const char *path_of(const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

/* What opening the state gives. */
static int start(void)
{
	static const struct ord_lmdb_events events = {
		.written = written_cb, .filled = filled_cb, .scrubbed = scrubbed_cb};
	char why[512];
	cr_assert_eq(ord_lmdb_open(&loop, directory, 1, &events, &lmdb), ORD_OK);
	states = ord_lmdb_states(lmdb);
	return states.open(states.ctx, 0, &store, why, sizeof why);
}

static void end(void)
{
	stopped = false;
	ord_lmdb_stop(lmdb, stopped_cb, NULL);
	UNTIL(&loop, stopped);
}

/* What the lab's partition has becomes the state on disk: all of it, or what has changed. */
static void write_lab(void)
{
	struct ord_pairs_place begin = {0};
	struct ord_changes changes;
	char why[512];
	bool is_last;
	lab_checkpoint_whole(&l, 0, SIZE_MAX);
	ord_changes_init(&changes);
	cr_assert_eq(ord_pairs_gather(&l.stores[0].store.interface, &begin, SIZE_MAX, &changes, &is_last), ORD_OK);
	states.write(states.ctx, 0, &changes);
	cr_assert_eq(await(), ORD_OK);
	cr_assert_eq(states.renew(states.ctx, 0, why, sizeof why), ORD_OK);
	ord_changes_close(&changes);
}

static void transfer(unsigned count)
{
	char id[16], payer[16], payee[16];
	for (unsigned i = 0; i < count; i++, transfers_count++) {
		snprintf(id, sizeof id, "t%u", transfers_count);
		snprintf(payer, sizeof payer, "a%u", transfers_count * 31 % ACCOUNTS);
		snprintf(payee, sizeof payee, "a%u", (transfers_count * 17 + 1) % ACCOUNTS);
		build_apply(&l, 0, build_transfer(id, payer, payee, 1), TIME_US + transfers_count);
	}
}

static void open_all(void)
{
	char account[16], id[16];
	piece_bytes = PIECE_BYTES;
	snprintf(directory, sizeof directory, "/tmp/ordain-scrub-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(uv_loop_init(&loop), 0);
	cr_assert_eq(start(), ORD_OK);
	lab_open_stored(&l, 1);
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		snprintf(account, sizeof account, "a%u", i);
		snprintf(id, sizeof id, "o%u", i);
		build_apply(&l, 0, build_open(id, account, "EUR", -1000000, INT64_MAX), TIME_US);
	}
	transfer(TRANSFERS);
	write_lab();
}

static void close_all(void)
{
	char command[128];
	end();
	lab_close(&l);
	cr_assert_eq(uv_loop_close(&loop), 0);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(node_lmdb_scrub, .init = open_all, .fini = close_all, .timeout = 120);

static int scrub_piece(uint64_t bytes_max)
{
	struct ord_pairs_place place = checked.place;
	states.scrub(states.ctx, 0, &place, bytes_max);
	return await();
}

/* A round. */
static int scrub_all(uint64_t *ret_pairs)
{
	checked = (struct ord_pairs_checked){0};
	*ret_pairs = 0;
	do {
		scrub_piece(piece_bytes);
		*ret_pairs += checked.pairs_count;
	} while (status == ORD_OK && !checked.is_last);
	return status;
}

static uint64_t pairs_of_lab(void)
{
	uint64_t count = 0;
	for (unsigned t = ORD_STORE_META; t < ORD_STORE_TABLES; t++)
		count += l.stores[0].store.tables[t].count;
	return count;
}

Test(node_lmdb_scrub, a_sound_state_is_read_to_its_end)
{
	uint64_t pairs;
	cr_expect_eq(scrub_all(&pairs), ORD_OK, "%s", ord_lmdb_error_text(lmdb));
	cr_expect_eq(pairs, pairs_of_lab());
	cr_expect_gt(pairs, 4 * TRANSFERS);
	cr_expect_not(checked.presses);
}

/* --- Damage. --- */

/* How a round ends on what is there: as an exit status, or by a signal. */
enum { SOUND = 0, FOUND = 1, FOUND_AT_START = 2, MISSED = 3, OTHER = 4 };

static int same_cb(void *arg, struct ord_slice key, struct ord_slice value)
{
	const enum ord_store_table *table = arg;
	struct ord_slice found;
	int err = store->get(store->ctx, *table, key, &found);
	return err == ORD_OK && ord_slice_equal(found, value) ? ORD_OK : ORD_ERR_CORRUPT;
}

/* Each record is found by its key, and is what the lab's partition wrote. */
static bool is_as_written(void)
{
	const struct ord_store *lab = &l.stores[0].store.interface;
	int err = ORD_OK;
	for (unsigned t = ORD_STORE_META; err == ORD_OK && t < ORD_STORE_TABLES; t++) {
		enum ord_store_table table = (enum ord_store_table)t;
		err = lab->walk(lab->ctx, table, (struct ord_slice){0}, same_cb, &table);
	}
	return err == ORD_OK;
}

static void scrub_in_child(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT};
	uint64_t pairs;
	alarm(60);
	/* What LMDB does to it is wanted here: nobody else is to see it, nor to speak of it. */
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		signal(numbers[i], SIG_DFL);
	if (freopen("/dev/null", "w", stderr) == NULL)
		_exit(OTHER);
	ord_guard_install();
	if (uv_loop_init(&loop) != 0)
		_exit(OTHER);
	int err = start();
	if (err != ORD_OK)
		_exit(err == ORD_ERR_CORRUPT ? FOUND_AT_START : OTHER);
	err = scrub_all(&pairs);
	bool is_named = strstr(ord_lmdb_error_text(lmdb), path_of("0/data.mdb")) != NULL;
	if (err == ORD_OK)
		_exit(is_as_written() ? SOUND : MISSED);
	_exit(err == ORD_ERR_CORRUPT && is_named ? FOUND : OTHER);
}

/* What a round gives; FOUND also when it ends the process, with a note for the next start. */
static int outcome(void)
{
	int ended;
	pid_t child = fork();
	if (child == 0)
		scrub_in_child();
	cr_assert_eq(waitpid(child, &ended, 0), child);
	bool is_marked = unlink(path_of("0.damaged")) == 0;
	if (WIFSIGNALED(ended))
		return WTERMSIG(ended) != SIGALRM && is_marked ? FOUND : OTHER;
	return WEXITSTATUS(ended);
}

static bool is_found(void)
{
	int found = outcome();
	return found == FOUND || found == FOUND_AT_START;
}

static void copy_file(const char *from, const char *to)
{
	char command[300];
	snprintf(command, sizeof command, "cp %s/%s %s/%s", directory, from, directory, to);
	cr_assert_eq(system(command), 0);
}

static void damage_each(void)
{
	static const enum ord_store_table tables[] = {ORD_STORE_ACCOUNTS, ORD_STORE_REQUESTS, ORD_STORE_STAGES,
						      ORD_STORE_POSTINGS};
	cr_expect_not(is_found(), "nothing is wrong yet");
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		for (unsigned kind = 0; kind < DAMAGE_KINDS; kind++) {
			node_damage_do(path_of("0/data.mdb"), tables[i], kind);
			cr_expect(is_found(), "%s in table %u", node_damage_name(kind), tables[i]);
			copy_file("kept", "0/data.mdb");
		}
	}
	cr_expect_not(is_found(), "nor any more");
}

/* Where a piece begins the tree is searched, and much comes to light by that: so also with a state that is one piece. */
Test(node_lmdb_scrub, each_damage_of_a_page_is_found_in_one_round)
{
	end();
	copy_file("0/data.mdb", "kept");
	damage_each();
	piece_bytes = UINT64_MAX;
	damage_each();
	cr_assert_eq(start(), ORD_OK);
}

/* Of half of them in a branch page, and else most in headers and pointers. */
static uint64_t draw_offset(struct random *r, uint64_t pages_count)
{
	static const enum ord_store_table tables[] = {ORD_STORE_ACCOUNTS, ORD_STORE_REQUESTS, ORD_STORE_STAGES,
						      ORD_STORE_POSTINGS};
	uint64_t page = 2 + random_below(r, pages_count - 2);
	enum ord_store_table table = tables[random_below(r, 4)];
	if (random_chance(r, 50))
		return node_damage_branch(path_of("kept"), table) * 4096 + random_below(r, 4096);
	return page * 4096 + random_below(r, random_chance(r, 70) ? 64 : 4096);
}

/* What a round does not find is in no record, and on the way to none. */
Test(node_lmdb_scrub, a_bit_that_no_round_finds_changes_nothing_that_is_read)
{
	struct random r = random_of(1);
	unsigned outcomes[OTHER + 1] = {0};
	end();
	copy_file("0/data.mdb", "kept");
	struct stat st;
	cr_assert_eq(stat(path_of("kept"), &st), 0);
	for (unsigned i = 0; i < 200; i++) {
		uint64_t offset = draw_offset(&r, (uint64_t)st.st_size / 4096);
		unsigned bit = (unsigned)random_below(&r, 8);
		node_damage_flip(path_of("0/data.mdb"), offset, bit);
		int found = outcome();
		outcomes[found]++;
		cr_expect(found < MISSED, "bit %u at %llu: %d", bit, (unsigned long long)offset, found);
		copy_file("kept", "0/data.mdb");
	}
	cr_expect_gt(outcomes[SOUND], 0);
	cr_expect_gt(outcomes[FOUND], 50);
	cr_assert_eq(start(), ORD_OK);
}

/* All checksums are right, and the order is: only all records together tell. */
Test(node_lmdb_scrub, a_page_of_an_earlier_state_is_found)
{
	uint8_t page[4096];
	node_damage_read(path_of("0/data.mdb"), node_damage_leaf(path_of("0/data.mdb"), ORD_STORE_ACCOUNTS), page);
	transfer(ACCOUNTS);
	write_lab();
	end();
	cr_expect_not(is_found());
	uint64_t number = node_damage_leaf(path_of("0/data.mdb"), ORD_STORE_ACCOUNTS);
	memcpy(page, &number, sizeof number);
	node_damage_write(path_of("0/data.mdb"), number, page);
	cr_expect(is_found());
	cr_assert_eq(start(), ORD_OK);
}

Test(node_lmdb_scrub, what_is_wrong_is_told)
{
	uint64_t pairs;
	node_damage_do(path_of("0/data.mdb"), ORD_STORE_POSTINGS, DAMAGE_SHRUNK);
	cr_expect_eq(scrub_all(&pairs), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(ord_lmdb_error_text(lmdb), path_of("0/data.mdb")), "%s", ord_lmdb_error_text(lmdb));
	end();
	node_damage_do(path_of("0/data.mdb"), ORD_STORE_ACCOUNTS, DAMAGE_VALUE);
	cr_assert_eq(start(), ORD_OK);
	cr_expect_eq(scrub_all(&pairs), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(ord_lmdb_error_text(lmdb), "the record in table 2 after "), "%s",
			   ord_lmdb_error_text(lmdb));
}

/* --- The view. --- */

Test(node_lmdb_scrub, a_round_is_of_the_state_that_was_there_when_it_began)
{
	checked = (struct ord_pairs_checked){0};
	uint64_t pairs = pairs_of_lab(), found = 0;
	do {
		cr_assert_eq(scrub_piece(PIECE_BYTES), ORD_OK, "%s", ord_lmdb_error_text(lmdb));
		found += checked.pairs_count;
		if (found > pairs / 2 && transfers_count == TRANSFERS) {
			transfer(100);
			write_lab();
		}
	} while (!checked.is_last);
	cr_expect_eq(found, pairs);
	cr_expect_eq(scrub_all(&found), ORD_OK);
	cr_expect_eq(found, pairs_of_lab(), "and the next one of the next");
}

/* The same records again and again: with what nobody looks at any more used again, the file stays as it is. */
static uint64_t grow(unsigned writes_count)
{
	for (unsigned i = 0; i < writes_count; i++)
		write_lab();
	return ord_lmdb_disk_bytes(lmdb);
}

Test(node_lmdb_scrub, what_it_holds_it_says_and_lets_go)
{
	const uint64_t most_bytes = UINT64_C(64) << 20;
	uint64_t bytes = grow(5);
	cr_expect_eq(grow(5), bytes, "nothing is held");
	checked = (struct ord_pairs_checked){0};
	cr_assert_eq(scrub_piece(PIECE_BYTES), ORD_OK);
	while (ord_lmdb_disk_bytes(lmdb) <= bytes + most_bytes) {
		cr_assert_eq(scrub_piece(1), ORD_OK);
		cr_assert_not(checked.presses);
		grow(10);
	}
	cr_assert_eq(scrub_piece(1), ORD_OK);
	cr_expect(checked.presses);
	cr_assert_eq(scrub_piece(UINT64_MAX), ORD_OK);
	cr_expect(checked.is_last);
	bytes = ord_lmdb_disk_bytes(lmdb);
	cr_expect_eq(grow(20), bytes, "what was held is used again");
}

/* Records that only add to the file: what a view holds of it are the few pages on the way to them. */
static void write_more(uint64_t bytes)
{
	static uint8_t value[1000];
	char key[16];
	struct ord_changes changes;
	ord_changes_init(&changes);
	for (unsigned i = 0; i < bytes / sizeof value; i++) {
		snprintf(key, sizeof key, "more%08u", i);
		ord_changes_put(&changes, ORD_STORE_TABLES - 1, ord_slice_of(key, strlen(key)),
				ord_slice_of(value, sizeof value));
	}
	states.write(states.ctx, 0, &changes);
	cr_assert_eq(await(), ORD_OK);
	ord_changes_close(&changes);
}

Test(node_lmdb_scrub, a_file_that_grows_by_records_is_in_no_hurry)
{
	const uint64_t most_bytes = UINT64_C(64) << 20;
	uint64_t bytes = grow(5);
	checked = (struct ord_pairs_checked){0};
	cr_assert_eq(scrub_piece(PIECE_BYTES), ORD_OK);
	write_more(most_bytes);
	cr_assert_gt(ord_lmdb_disk_bytes(lmdb), bytes + most_bytes);
	cr_assert_eq(scrub_piece(1), ORD_OK);
	cr_expect_not(checked.presses);
	cr_assert_eq(scrub_piece(UINT64_MAX), ORD_OK);
	cr_expect(checked.is_last, "in the view there are none of them");
}

Test(node_lmdb_scrub, one_that_is_given_up_holds_nothing)
{
	uint64_t pairs;
	checked = (struct ord_pairs_checked){0};
	cr_assert_eq(scrub_piece(PIECE_BYTES), ORD_OK);
	states.scrub_end(states.ctx);
	states.scrub_end(states.ctx);
	uint64_t bytes = grow(5);
	cr_expect_eq(grow(5), bytes);
	cr_assert_eq(scrub_piece(UINT64_MAX), ORD_OK);
	cr_expect(checked.is_last);
	cr_expect_eq(checked.pairs_count, pairs_of_lab(), "it begins anew");
	cr_assert_eq(scrub_all(&pairs), ORD_OK);
}

Test(node_lmdb_scrub, a_state_is_not_replaced_while_a_piece_of_it_is_checked)
{
	const struct ord_store *replaced;
	struct ord_pairs_place begin = {0};
	char why[512];
	states.fill_begin(states.ctx, 0);
	cr_assert_eq(await(), ORD_OK);
	states.scrub(states.ctx, 0, &begin, 1000);
	cr_expect_eq(states.replace(states.ctx, 0, false, &replaced, why, sizeof why), ORD_ERR_BUSY);
	cr_expect_eq(await(), ORD_OK);
	cr_expect_not(checked.is_last);
	states.fill_end(states.ctx, 1);
	cr_assert_eq(await(), ORD_OK);
	cr_assert_eq(states.replace(states.ctx, 0, false, &replaced, why, sizeof why), ORD_OK, "%s", why);
	cr_expect_eq(scrub_piece(UINT64_MAX), ORD_OK, "of the new one, from its beginning");
	cr_expect(checked.is_last);
	cr_expect_eq(checked.pairs_count, 0);
}
