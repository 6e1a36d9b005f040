/* SPDX-License-Identifier: Apache-2.0 - the entries between history and checkpoint, out of a log in which a bit has changed: all of them, or it is said that they are not and where the damage is. */
#include "cli/tails.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "partition/chain.h"
#include "partition/command.h"
#include "raft/record.h"
#include "raft/segment.h"

#define ENTRIES 6
#define ARCHIVED 2 /* of them are in the history */
#define PAYLOAD_BYTES_MAX 128

static char data_dir[] = "/tmp/ordain-tails.XXXXXX";
static struct ord_bytes segment;
static size_t end;			       /* of what is written in it */
static size_t places[ENTRIES + 1];	       /* of the records, by index */
static struct ord_bytes payloads[ENTRIES + 1]; /* likewise */
static struct ord_tails tails;

static void path_of(char path[128])
{
	snprintf(path, 128, "%s/wal/%016x.wal", data_dir, 1);
}

static void segment_write(void)
{
	char path[128];
	path_of(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, segment.base, segment.len), (ssize_t)segment.len);
	close(fd);
}

/* A batch with one record. */
static size_t batch_put(uint64_t sequence, uint32_t salt, const struct ord_record *r)
{
	uint8_t record[ORD_RECORD_HEADER_BYTES + PAYLOAD_BYTES_MAX];
	ord_record_encode(r, record);
	struct ord_batch_header h = {.sequence = sequence,
				     .records = 1,
				     .length = (uint32_t)ord_record_bytes(r),
				     .check = ord_batch_check(0, ord_record_check(record))};
	ord_batch_encode(&h, salt, ord_bytes_extend(&segment, ORD_BATCH_HEADER_BYTES));
	ord_bytes_put(&segment, record, ord_record_bytes(r));
	return segment.len - ord_record_bytes(r);
}

static struct ord_record record_of(uint64_t index)
{
	return (struct ord_record){.type = ORD_RECORD_ENTRY,
				   .kind = ORD_ENTRY_COMMAND,
				   .term = 1,
				   .index = index,
				   .payload = ord_bytes_slice(&payloads[index])};
}

static void payload_make(uint64_t index)
{
	ord_bytes_init(&payloads[index], PAYLOAD_BYTES_MAX);
	ord_entry_begin(&payloads[index], 1000 + index);
	for (uint64_t i = 0; i <= index; i++)
		ord_bytes_put(&payloads[index], "a command", 9);
	ord_entry_end(&payloads[index], 1);
}

/* A checkpoint at the last entry, and a history that ends before. */
static void checkpoint_make(void)
{
	struct ord_tail *t = &tails.tails[0];
	struct ord_chain chain;
	cr_assert_eq(ord_chain_open(&chain), ORD_OK);
	for (uint64_t i = 1; i <= ENTRIES; i++) {
		ord_chain_add(&chain, ord_bytes_slice(&payloads[i]));
		if (i == ARCHIVED)
			memcpy(t->note.end.chain, chain.hash, sizeof chain.hash);
	}
	t->has_checkpoint = true;
	t->note.index = ENTRIES;
	t->note.end.last_index = ARCHIVED;
	t->note.end.next_position = ARCHIVED;
	t->position = ENTRIES;
	t->wanted_index = ENTRIES;
	memcpy(t->history_hash, chain.hash, sizeof chain.hash);
	ord_chain_close(&chain);
}

static uint32_t salt;

static void make(void)
{
	char path[128];
	struct ord_segment header = {
		.format = ORD_SEGMENT_FORMAT, .node = 1, .groups_count = 1, .number = 1, .sequence = 1};
	cr_assert_not_null(mkdtemp(data_dir));
	snprintf(path, sizeof path, "%s/wal", data_dir);
	cr_assert_eq(mkdir(path, 0700), 0);
	ord_bytes_init(&segment, 1u << 16);
	salt = ord_segment_encode(&header, ord_bytes_extend(&segment, ORD_SEGMENT_HEADER_BYTES));
	for (uint64_t i = 1; i <= ENTRIES; i++) {
		payload_make(i);
		struct ord_record r = record_of(i);
		places[i] = batch_put(i, salt, &r);
	}
	end = segment.len;
	memset(ord_bytes_extend(&segment, ORD_BATCH_HEADER_BYTES), 0, ORD_BATCH_HEADER_BYTES);
	segment_write();
	cr_assert_eq(ord_tails_open(&tails, 1), ORD_OK);
	checkpoint_make();
}

static void clean(void)
{
	char path[128];
	path_of(path);
	unlink(path);
	snprintf(path, sizeof path, "%s/wal", data_dir);
	rmdir(path);
	rmdir(data_dir);
	ord_tails_close(&tails);
	ord_bytes_close(&segment);
	for (uint64_t i = 1; i <= ENTRIES; i++)
		ord_bytes_close(&payloads[i]);
}

TestSuite(cli_tails, .init = make, .fini = clean);

static const struct ord_tail *tail_read(void)
{
	char why[256];
	cr_assert_eq(ord_tails_read(&tails, &(struct ord_home){.data_dir = data_dir}, why, sizeof why), ORD_OK);
	return &tails.tails[0];
}

static bool something_is_told(void)
{
	return tails.damage[0] != '\0' || tails.unfinished[0] != '\0';
}

/* Exactly the entries that are not in the history. */
static void expect_content(const struct ord_tail *t, const char *what, size_t at)
{
	struct ord_block_cursor c = {.reader = ord_reader_of(ord_bytes_slice(&t->content)), .position = ARCHIVED};
	struct ord_block_entry e;
	for (uint64_t i = ARCHIVED + 1; i <= ENTRIES; i++) {
		cr_assert_eq(ord_block_next(&c, &e), ORD_OK, "%s, byte %zu", what, at);
		cr_expect_eq(e.index, i, "%s, byte %zu", what, at);
		cr_expect(ord_slice_equal(e.bytes, ord_bytes_slice(&payloads[i])), "%s, byte %zu", what, at);
	}
	cr_expect_eq(ord_block_next(&c, &e), ORD_ERR_NOT_FOUND);
}

Test(cli_tails, a_sound_log_has_them_all)
{
	const struct ord_tail *t = tail_read();
	cr_expect(t->is_whole);
	cr_expect_not(something_is_told());
	cr_expect_eq(t->log_index, ENTRIES);
	expect_content(t, "sound", 0);
}

Test(cli_tails, a_log_that_was_begun_anew_has_none)
{
	tail_read();
	segment.len = ORD_SEGMENT_HEADER_BYTES;
	segment_write();
	cr_expect_eq(tail_read()->log_index, 0);
}

/* What is written as entry 4 takes the place of 4 to 6. */
static void overwrite(uint64_t term)
{
	struct ord_record r = record_of(4);
	r.term = term;
	segment.len = end;
	batch_put(ENTRIES + 1, salt, &r);
	segment_write();
}

Test(cli_tails, an_entry_is_overruled_by_a_later_term_alone)
{
	tail_read();
	cr_expect_not(ord_tail_has_overruled(&tails.tails[0], ENTRIES, 1));
	overwrite(2);
	cr_expect_eq(tail_read()->log_index, 4);
	cr_expect(ord_tail_has_overruled(&tails.tails[0], ENTRIES, 1));
	cr_expect_not(ord_tail_has_overruled(&tails.tails[0], 4, 1), "one that the log has got instead");
	segment.len = places[4] - ORD_BATCH_HEADER_BYTES;
	segment_write();
	cr_expect_eq(tail_read()->log_index, 3);
	cr_expect_not(ord_tail_has_overruled(&tails.tails[0], ENTRIES, 1), "it may still come");
}

static void flips_from(size_t first, size_t past, bool may_be_whole, const char *what)
{
	for (size_t at = first; at < past; at++) {
		segment.base[at] ^= (uint8_t)(1u << at % 8);
		segment_write();
		const struct ord_tail *t = tail_read();
		cr_expect(something_is_told(), "%s, byte %zu", what, at);
		cr_expect(!t->is_whole || may_be_whole, "%s, byte %zu", what, at);
		if (t->is_whole)
			expect_content(t, what, at);
		segment.base[at] ^= (uint8_t)(1u << at % 8);
	}
}

/* Checksum, length, group, kind, term, index, payload: of an entry that is in no history, the tail lacks it, and says where. */
Test(cli_tails, any_bit_of_an_entry_that_is_needed_is_told)
{
	for (uint64_t i = ARCHIVED + 1; i <= ENTRIES; i++)
		flips_from(places[i], places[i] + ORD_RECORD_HEADER_BYTES + payloads[i].len, false, "record");
	cr_expect(strstr(tails.unfinished, "0000000000000001.wal, offset ") != NULL, "%s", tails.unfinished);
}

Test(cli_tails, any_bit_of_a_batch_is_told)
{
	for (uint64_t i = 1; i <= ENTRIES; i++)
		flips_from(places[i] - ORD_BATCH_HEADER_BYTES, places[i], i <= ARCHIVED, "batch");
	flips_from(0, ORD_SEGMENT_HEADER_BYTES, true, "segment");
}

Test(cli_tails, damage_in_what_the_history_has_takes_nothing_away)
{
	for (uint64_t i = 1; i <= ARCHIVED; i++)
		flips_from(places[i], places[i] + ORD_RECORD_HEADER_BYTES + payloads[i].len, true, "archived");
	segment.base[places[1] + 40] ^= 1;
	segment_write();
	cr_expect(tail_read()->is_whole);
	cr_expect(strstr(tails.damage, "checksum of this record") != NULL, "%s", tails.damage);
}

/* The entry that replaced another one is damaged: what it replaced is not taken for it, whatever follows. */
Test(cli_tails, an_entry_that_was_replaced_does_not_come_back)
{
	struct ord_record old = record_of(4), next = record_of(4);
	segment.len = places[4] - ORD_BATCH_HEADER_BYTES;
	old.payload = ord_bytes_slice(&payloads[5]);
	old.term = 1;
	next.term = 2;
	batch_put(4, salt, &old);
	size_t place = batch_put(5, salt, &next);
	for (uint64_t i = 5; i <= ENTRIES; i++) {
		struct ord_record r = record_of(i);
		r.term = 2;
		batch_put(i + 1, salt, &r);
	}
	segment_write();
	cr_expect(tail_read()->is_whole);
	segment.base[place + 40] ^= 1;
	segment_write();
	cr_expect_not(tail_read()->is_whole);
	cr_expect(something_is_told());
}

/* As the node does it: the entry is written again at the end. */
Test(cli_tails, a_copy_stands_for_the_damaged_entry)
{
	uint8_t encoded[ORD_RECORD_HEADER_BYTES + PAYLOAD_BYTES_MAX];
	struct ord_record r = record_of(4);
	ord_record_encode(&r, encoded);
	struct ord_record copy = {
		.type = ORD_RECORD_COPY, .term = 1, .index = 4, .payload = ord_slice_of(encoded, ord_record_bytes(&r))};
	segment.base[places[4] + 40] ^= 1;
	segment.len = end;
	uint8_t record[2 * sizeof encoded];
	ord_record_encode(&copy, record);
	struct ord_batch_header h = {.sequence = ENTRIES + 1,
				     .records = 1,
				     .length = (uint32_t)ord_record_bytes(&copy),
				     .check = ord_batch_check(0, ord_record_check(record))};
	ord_batch_encode(&h, salt, ord_bytes_extend(&segment, ORD_BATCH_HEADER_BYTES));
	ord_bytes_put(&segment, record, ord_record_bytes(&copy));
	segment_write();
	const struct ord_tail *t = tail_read();
	cr_expect(t->is_whole);
	expect_content(t, "copied", 0);
}
