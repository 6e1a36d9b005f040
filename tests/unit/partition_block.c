/* SPDX-License-Identifier: Apache-2.0 - blocks of history: where they are cut, bytes there and back, and that no change of them goes unseen. */
#include "partition/block.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "partition/block_builder.h"
#include "partition/block_codec.h"
#include "partition/command.h"
#include "tests/support/history.h"

static const struct ord_block_end genesis;
static struct history history;
static struct ord_block_codec *codec;
static struct ord_bytes bytes;
static char why[ORD_BLOCK_WHY_SIZE];

static void make(void)
{
	history_open(&history, 1, 5);
	history_buffer(&bytes);
	cr_assert_eq(ord_block_codec_open(&codec), ORD_OK);
}

static void clean(void)
{
	history_close(&history);
	ord_bytes_close(&bytes);
	ord_block_codec_close(codec);
}

TestSuite(partition_block, .init = make, .fini = clean, .timeout = 120);

static int decode(struct ord_slice in, struct ord_block *ret)
{
	why[0] = '\0';
	int err = ord_block_decode(codec, in, ret, why);
	cr_assert(err == ORD_OK || why[0] != '\0', "error %d without a word", err);
	return err;
}

static void cr_raw_equal(const struct ord_block_raw *a, const struct ord_block_raw *b)
{
	uint8_t head[2][ORD_BLOCK_HEADER_BYTES];
	ord_block_header_encode(&a->header, head[0]);
	ord_block_header_encode(&b->header, head[1]);
	cr_assert_arr_eq(head[0], head[1], sizeof head[0]);
	cr_assert(ord_slice_equal(ord_bytes_slice(&a->content), ord_bytes_slice(&b->content)));
}

/* --- The builder. --- */

Test(partition_block, a_block_ends_with_the_entry_that_reaches_the_limit)
{
	for (unsigned blocks = 0; blocks < 4; blocks++) {
		uint64_t sum = 0;
		uint32_t entries = 0;
		uint64_t position = history.builder.end.next_position;
		struct ord_block_entry first = {0}, e = {0};
		struct ord_block_raw raw;
		while (sum < ORD_BLOCK_BYTES) {
			cr_assert_not(ord_block_builder_is_full(&history.builder));
			e = history_entry(&history);
			cr_assert_eq(ord_block_builder_add(&history.builder, &e, NULL), ORD_OK);
			sum += e.bytes.len;
			first = entries++ == 0 ? e : first;
		}
		cr_assert(ord_block_builder_is_full(&history.builder));
		ord_block_builder_take(&history.builder, &raw);
		cr_assert_not(ord_block_builder_is_full(&history.builder));
		cr_assert_eq(raw.header.number, blocks + 1);
		cr_assert_eq(raw.header.partition, 5);
		cr_assert_eq(raw.header.entries_count, entries);
		cr_assert_eq(raw.header.first_index, first.index);
		cr_assert_eq(raw.header.last_index, e.index);
		cr_assert_eq(raw.header.first_term, first.term);
		cr_assert_eq(raw.header.last_term, e.term);
		cr_assert_eq(raw.header.first_time_us, first.time_us);
		cr_assert_eq(raw.header.last_time_us, e.time_us);
		cr_assert_eq(raw.header.first_position, position);
		cr_assert_eq(raw.header.commands_count, e.position + e.commands_count - position);
		cr_assert_eq(raw.content.len, sum + entries * ORD_BLOCK_ENTRY_HEAD_BYTES);
		ord_block_raw_close(&raw);
		ord_block_raw_close(&raw);
	}
}

/* To the byte: one entry of the limit's length is a block, one that is a byte shorter is none. */
Test(partition_block, the_limit_is_exact)
{
	struct ord_block_entry e = {.index = 2, .term = 1, .commands_count = 1};
	struct ord_bytes entry;
	ord_bytes_init(&entry, ORD_ENTRY_BYTES_MAX);
	ord_entry_begin(&entry, 1);
	ord_entry_end(&entry, 1);
	cr_assert_not_null(ord_bytes_extend(&entry, ORD_BLOCK_BYTES - entry.len));
	e.bytes = ord_slice_of(entry.base, ORD_BLOCK_BYTES - 1);
	cr_assert_eq(ord_block_builder_add(&history.builder, &e, NULL), ORD_OK);
	cr_assert_not(ord_block_builder_is_full(&history.builder));
	struct ord_block_builder other;
	cr_assert_eq(ord_block_builder_open(&other, &history_cluster, 5, &genesis, ORD_BLOCK_BYTES), ORD_OK);
	e.bytes.len++;
	cr_assert_eq(ord_block_builder_add(&other, &e, NULL), ORD_OK);
	cr_assert(ord_block_builder_is_full(&other));
	ord_block_builder_close(&other);
	ord_bytes_close(&entry);
}

Test(partition_block, a_block_that_is_cut_before_it_is_full_is_whole_all_the_same)
{
	struct ord_block_raw raw;
	struct ord_block block;
	struct ord_block_entry e = history_entry(&history), read;
	cr_assert_eq(ord_block_builder_add(&history.builder, &e, NULL), ORD_OK);
	struct ord_block_end end = history.builder.end;
	ord_block_builder_cut(&history.builder, &raw);
	cr_assert_eq(ord_block_encode(codec, &raw, 0, &bytes), ORD_OK);
	ord_block_raw_close(&raw);
	cr_assert_eq(decode(ord_bytes_slice(&bytes), &block), ORD_OK, "%s", why);
	cr_assert_eq(block.header.number, 1);
	cr_assert_eq(block.header.entries_count, 1);
	cr_assert_arr_eq(block.header.chain_after, end.chain, sizeof end.chain);
	struct ord_block_cursor cursor = ord_block_cursor_of(&block.header, block.content);
	cr_assert_eq(ord_block_next(&cursor, &read), ORD_OK);
	cr_assert_eq(read.index, e.index);
	cr_assert_eq(ord_block_next(&cursor, &read), ORD_ERR_NOT_FOUND);
	cr_assert_eq(history.builder.end.number, 1);
}

Test(partition_block, an_empty_block_is_not_cut, .signal = SIGABRT)
{
	struct ord_block_raw raw;
	ord_block_builder_cut(&history.builder, &raw);
}

/* Replicas that started at different times, of which one is told the hashes and the other computes them. */
Test(partition_block, the_cut_does_not_depend_on_who_makes_it)
{
	struct ord_block_raw raw, again;
	history_block(&history, &raw);
	struct ord_block_end end = ord_block_end_of(&raw.header);
	struct ord_chain chain;
	struct ord_block_builder late;
	cr_assert_eq(ord_chain_open(&chain), ORD_OK);
	memcpy(chain.hash, end.chain, sizeof end.chain);
	cr_assert_eq(ord_block_builder_open(&late, &history_cluster, 5, &end, ORD_BLOCK_BYTES), ORD_OK);
	ord_block_raw_close(&raw);
	for (unsigned blocks = 0; blocks < 3; blocks++) {
		while (!ord_block_builder_is_full(&history.builder)) {
			struct ord_block_entry e = history_entry(&history);
			ord_chain_add(&chain, e.bytes);
			cr_assert_eq(ord_block_builder_add(&history.builder, &e, NULL), ORD_OK);
			cr_assert_eq(ord_block_builder_add(&late, &e, chain.hash), ORD_OK);
		}
		ord_block_builder_take(&history.builder, &raw);
		ord_block_builder_take(&late, &again);
		cr_raw_equal(&raw, &again);
		ord_block_raw_close(&raw);
		ord_block_raw_close(&again);
	}
	ord_chain_close(&chain);
	ord_block_builder_close(&late);
}

static void cr_refused(struct ord_block_entry e, int err)
{
	struct ord_block_builder before = history.builder;
	cr_assert_eq(ord_block_builder_add(&history.builder, &e, NULL), err);
	cr_assert_eq(history.builder.content.len, before.content.len);
	cr_assert_eq(memcmp(&history.builder.end, &before.end, sizeof before.end), 0);
}

Test(partition_block, an_entry_out_of_order_is_refused_and_changes_nothing)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ord_block_entry e = history_entry(&history);
		cr_assert_eq(ord_block_builder_add(&history.builder, &e, NULL), ORD_OK);
	}
	struct ord_block_entry good = history_entry(&history), e = good;
	e.index = history.builder.end.last_index;
	cr_refused(e, ORD_ERR_INVALID);
	e = good;
	e.term = 0;
	cr_refused(e, ORD_ERR_INVALID);
	e = good;
	e.position++;
	cr_refused(e, ORD_ERR_INVALID);
	e = good;
	e.bytes.len = ORD_ENTRY_HEADER_BYTES - 1;
	cr_refused(e, ORD_ERR_TRUNCATED);
	struct ord_bytes entry;
	ord_bytes_init(&entry, 64);
	ord_entry_begin(&entry, good.time_us);
	e.bytes = ord_bytes_slice(&entry);
	cr_refused(e, ORD_ERR_FORMAT); /* no commands */
	ord_bytes_clear(&entry);
	ord_entry_begin(&entry, history.builder.end.last_time_us - 1);
	ord_entry_end(&entry, 1);
	e.bytes = ord_bytes_slice(&entry);
	cr_refused(e, ORD_ERR_INVALID);
	entry.base[0] = 9;
	cr_refused(e, ORD_ERR_FORMAT);
	ord_bytes_close(&entry);
	cr_assert_eq(ord_block_builder_add(&history.builder, &good, NULL), ORD_OK);
}

Test(partition_block, a_full_block_takes_no_entry, .signal = SIGABRT)
{
	while (!ord_block_builder_is_full(&history.builder)) {
		struct ord_block_entry e = history_entry(&history);
		ord_block_builder_add(&history.builder, &e, NULL);
	}
	struct ord_block_entry e = history_entry(&history);
	ord_block_builder_add(&history.builder, &e, NULL);
}

/* --- There and back. --- */

Test(partition_block, what_was_encoded_is_decoded)
{
	struct ord_block_end end = genesis;
	for (uint32_t i = 0; i < 4; i++) {
		struct ord_block_raw raw;
		struct ord_block block;
		ord_bytes_clear(&bytes);
		history_block(&history, &raw);
		cr_assert_eq(ord_block_encode(codec, &raw, i, &bytes), ORD_OK);
		cr_assert_lt(bytes.len, raw.content.len);
		cr_assert_eq(decode(ord_bytes_slice(&bytes), &block), ORD_OK, "%s", why);
		cr_assert_eq(block.bytes.len, bytes.len);
		cr_assert_eq(block.header.joined, i);
		struct ord_block_raw back = {
			.header = block.header,
			.content = {.base = (uint8_t *)block.content.base, .len = block.content.len}};
		raw.header.joined = block.header.joined;
		raw.header.stored_bytes = block.header.stored_bytes;
		raw.header.stored_crc = block.header.stored_crc;
		cr_raw_equal(&raw, &back);
		cr_assert_eq(ord_block_follows(&block.header, &end, why), ORD_OK, "%s", why);
		end = ord_block_end_of(&block.header);
		ord_block_raw_close(&raw);
	}
}

Test(partition_block, its_entries_are_those_that_were_added)
{
	struct history twin;
	struct ord_block block;
	struct ord_block_entry e;
	uint32_t count = 0;
	history_open(&twin, 1, 5);
	history_encode(&history, codec, 0, &bytes);
	cr_assert_eq(decode(ord_bytes_slice(&bytes), &block), ORD_OK, "%s", why);
	struct ord_block_cursor cursor = ord_block_cursor_of(&block.header, block.content);
	while (ord_block_next(&cursor, &e) == ORD_OK) {
		struct ord_block_entry added = history_entry(&twin);
		cr_assert(e.index == added.index && e.term == added.term && e.time_us == added.time_us);
		cr_assert(e.commands_count == added.commands_count && e.position == added.position);
		cr_assert(ord_slice_equal(e.bytes, added.bytes));
		cr_assert_eq(ord_block_builder_add(&twin.builder, &added, NULL), ORD_OK);
		count++;
	}
	cr_assert_eq(count, block.header.entries_count);
	cr_assert_eq(cursor.position, ord_block_last_position(&block.header) + 1);
	history_close(&twin);
}

/* --- Damage. --- */

Test(partition_block, a_change_of_any_byte_is_found)
{
	struct ord_block_header h = history_encode(&history, codec, 0, &bytes);
	struct ord_block block = {.header.number = 77};
	struct random random = random_of(3);
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned flips = i < ORD_BLOCK_HEADER_BYTES ? 8 : 1;
		for (unsigned j = 0; j < flips; j++) {
			unsigned bit = flips == 8 ? j : (unsigned)random_below(&random, 8);
			bytes.base[i] ^= (uint8_t)(1u << bit);
			cr_assert_neq(decode(ord_bytes_slice(&bytes), &block), ORD_OK, "byte %zu bit %u", i, bit);
			cr_assert_eq(block.header.number, 77);
			bytes.base[i] ^= (uint8_t)(1u << bit);
		}
	}
	cr_assert_eq(bytes.len, ord_block_bytes(&h));
	cr_assert_eq(decode(ord_bytes_slice(&bytes), &block), ORD_OK);
}

Test(partition_block, a_block_that_ends_early_is_told_at_every_length)
{
	history_encode(&history, codec, 0, &bytes);
	struct ord_block block;
	for (size_t len = 0; len < bytes.len; len++)
		cr_assert_eq(decode(ord_slice_of(bytes.base, len), &block), ORD_ERR_TRUNCATED, "length %zu", len);
}

/* The header with its checksum made right again. */
static int decode_with(const struct ord_block_header *h)
{
	struct ord_block block;
	ord_block_header_encode(h, bytes.base);
	return decode(ord_bytes_slice(&bytes), &block);
}

static size_t memory_in_use(void)
{
	struct mallinfo2 m = mallinfo2();
	return m.uordblks + m.hblkhd;
}

Test(partition_block, lengths_are_checked_before_memory_is_asked_for)
{
	struct ord_block_header good = history_encode(&history, codec, 0, &bytes), h = good;
	size_t before = memory_in_use();
	h.content_bytes = ORD_BLOCK_CONTENT_BYTES_MAX + 1;
	cr_assert_eq(decode_with(&h), ORD_ERR_TOO_BIG);
	h.content_bytes = UINT32_MAX;
	cr_assert_eq(decode_with(&h), ORD_ERR_TOO_BIG);
	h.content_bytes = ORD_BLOCK_CONTENT_BYTES_MAX; /* allowed, and not what the frame says */
	cr_assert_eq(decode_with(&h), ORD_ERR_CORRUPT);
	h = good;
	h.stored_bytes = ORD_BLOCK_STORED_BYTES_MAX + 1;
	cr_assert_eq(decode_with(&h), ORD_ERR_TOO_BIG);
	h.stored_bytes = UINT32_MAX;
	cr_assert_eq(decode_with(&h), ORD_ERR_TOO_BIG);
	h.stored_bytes = good.stored_bytes + 1;
	cr_assert_eq(decode_with(&h), ORD_ERR_TRUNCATED);
	h.stored_bytes = good.stored_bytes - 1;
	cr_assert_eq(decode_with(&h), ORD_ERR_CORRUPT);
	cr_assert_lt(memory_in_use(), before + (64u << 10));
	cr_assert_eq(decode_with(&good), ORD_OK);
}

Test(partition_block, another_format_is_named)
{
	history_encode(&history, codec, 0, &bytes);
	bytes.base[8] = 7;
	uint32_t crc = ord_crc32c(0, bytes.base + 8, ORD_BLOCK_HEADER_BYTES - 8);
	memcpy(bytes.base + 4, &crc, sizeof crc);
	struct ord_block block;
	cr_assert_eq(decode(ord_bytes_slice(&bytes), &block), ORD_ERR_MISMATCH);
	cr_assert_not_null(strstr(why, "format 7"), "%s", why);
}

/* Whatever the header says that the entries do not. */
Test(partition_block, a_header_that_does_not_fit_its_entries_is_found)
{
	struct ord_block_header good = history_encode(&history, codec, 0, &bytes);
	struct ord_block_header lies[] = {good, good, good, good, good, good, good, good, good, good};
	lies[0].first_index--;
	lies[1].last_index++;
	lies[2].last_term++;
	lies[3].first_term--;
	lies[4].first_time_us--;
	lies[5].last_time_us++;
	lies[6].commands_count++;
	lies[7].entries_count--;
	lies[8].chain_before[3] ^= 1;
	lies[9].chain_after[31] ^= 1;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
		cr_assert_eq(decode_with(&lies[i]), ORD_ERR_CORRUPT, "lie %zu: %s", i, why);
	cr_assert_eq(decode_with(&good), ORD_OK);
}

/* A block of these entries, as somebody would make it who checks nothing. */
static int decode_entries(const struct ord_block_entry *entries, size_t count)
{
	struct ord_block_raw raw = {.header = {.cluster = history_cluster, .number = 1}};
	struct ord_chain chain;
	struct ord_block block;
	ord_bytes_init(&raw.content, ORD_BLOCK_CONTENT_BYTES_MAX);
	ord_chain_open(&chain);
	for (size_t i = 0; i < count; i++) {
		ord_block_entry_encode(&entries[i], &raw.content);
		ord_chain_add(&chain, entries[i].bytes);
		raw.header.commands_count += entries[i].commands_count;
	}
	raw.header.entries_count = (uint32_t)count;
	raw.header.first_index = entries[0].index;
	raw.header.first_term = entries[0].term;
	raw.header.first_time_us = entries[0].time_us;
	raw.header.last_index = entries[count - 1].index;
	raw.header.last_term = entries[count - 1].term;
	raw.header.last_time_us = entries[count - 1].time_us;
	raw.header.content_bytes = (uint32_t)raw.content.len;
	memcpy(raw.header.chain_after, chain.hash, sizeof chain.hash);
	ord_bytes_clear(&bytes);
	int err = ord_block_encode(codec, &raw, 0, &bytes);
	if (err == ORD_OK)
		err = decode(ord_bytes_slice(&bytes), &block);
	ord_chain_close(&chain);
	ord_bytes_close(&raw.content);
	return err;
}

static struct ord_slice entry_bytes(uint64_t time_us, uint32_t count, const char *garbage)
{
	static struct ord_bytes rooms[8];
	static unsigned used;
	struct ord_bytes *entry = &rooms[used++ % 8];
	struct ord_command c = {.kind = ORD_COMMAND_TRIM, .trim = {.upto = 1}};
	ord_bytes_close(entry);
	ord_bytes_init(entry, 1024);
	ord_entry_begin(entry, time_us);
	ord_command_encode(&c, entry);
	ord_bytes_put(entry, garbage, strlen(garbage));
	ord_entry_end(entry, count);
	return ord_bytes_slice(entry);
}

Test(partition_block, entries_out_of_order_and_entries_that_are_none_are_found)
{
	struct ord_block_entry good[] = {
		{.index = 5, .term = 2, .time_us = 10, .commands_count = 1, .bytes = entry_bytes(10, 1, "")},
		{.index = 7, .term = 3, .time_us = 11, .commands_count = 1, .bytes = entry_bytes(11, 1, "")},
		{.index = 9, .term = 3, .time_us = 11, .commands_count = 1, .bytes = entry_bytes(11, 1, "")},
	};
	struct ord_block_entry e[3];
	cr_assert_eq(decode_entries(good, 3), ORD_OK, "%s", why);
	memcpy(e, good, sizeof e);
	e[1].index = 9;
	cr_assert_eq(decode_entries(e, 3), ORD_ERR_CORRUPT);
	cr_assert_not_null(strstr(why, "index"), "%s", why);
	memcpy(e, good, sizeof e);
	e[1].term = 4;
	cr_assert_eq(decode_entries(e, 3), ORD_ERR_CORRUPT);
	cr_assert_not_null(strstr(why, "term"), "%s", why);
	memcpy(e, good, sizeof e);
	e[1].bytes = entry_bytes(12, 1, "");
	cr_assert_eq(decode_entries(e, 3), ORD_ERR_CORRUPT);
	cr_assert_not_null(strstr(why, "time"), "%s", why);
	memcpy(e, good, sizeof e);
	e[1].bytes = entry_bytes(11, 1, "x");
	cr_assert_eq(decode_entries(e, 3), ORD_ERR_CORRUPT);
	cr_assert_not_null(strstr(why, "commands, at byte"), "%s", why);
	e[1].bytes = entry_bytes(11, 2, "\xff");
	e[1].commands_count = 2;
	cr_assert_eq(decode_entries(e, 3), ORD_ERR_CORRUPT);
	struct ord_bytes deliver;
	struct ord_command c = {.kind = ORD_COMMAND_DELIVER, .deliver = {.source = 1, .first = 1, .count = 1}};
	ord_bytes_init(&deliver, 1024);
	c.deliver.messages = ord_slice_text("\x09 is no message");
	ord_entry_begin(&deliver, 11);
	ord_command_encode(&c, &deliver);
	ord_entry_end(&deliver, 1);
	e[1].bytes = ord_bytes_slice(&deliver);
	e[1].commands_count = 1;
	cr_assert_eq(decode_entries(e, 3), ORD_ERR_CORRUPT);
	ord_bytes_close(&deliver);
	e[1].bytes = entry_bytes(11, 0, "");
	cr_assert_eq(decode_entries(e, 3), ORD_ERR_CORRUPT); /* already refused when it is encoded */
}

Test(partition_block, what_was_not_applied_is_not_stored)
{
	struct ord_block_raw raw;
	history_block(&history, &raw);
	raw.content.base[raw.content.len / 2] ^= 1;
	cr_assert_eq(ord_block_encode(codec, &raw, 0, &bytes), ORD_ERR_CORRUPT);
	raw.content.base[raw.content.len / 2] ^= 1;
	raw.header.chain_after[0] ^= 1;
	cr_assert_eq(ord_block_encode(codec, &raw, 0, &bytes), ORD_ERR_CORRUPT);
	ord_block_raw_close(&raw);
}

Test(partition_block, a_block_follows_the_one_before_and_no_other)
{
	struct ord_block_header first = history_encode(&history, codec, 0, &bytes);
	struct ord_block_header good = history_encode(&history, codec, 0, &bytes);
	struct ord_block_end end = ord_block_end_of(&first);
	struct ord_block_header lies[] = {good, good, good, good, good, good};
	const char *words[] = {"number", "index", "term", "position", "time", "chain"};
	cr_assert_eq(ord_block_follows(&good, &end, why), ORD_OK);
	lies[0].number++;
	lies[1].first_index = end.last_index;
	lies[2].first_term = end.last_term - 1;
	lies[3].first_position++;
	lies[4].first_time_us = end.last_time_us - 1;
	lies[5].chain_before[0] ^= 1;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		cr_assert_eq(ord_block_follows(&lies[i], &end, why), ORD_ERR_CORRUPT);
		cr_assert_not_null(strstr(why, words[i]), "%s", why);
	}
	cr_assert_eq(ord_block_follows(&first, &genesis, why), ORD_OK);
	cr_assert_eq(ord_block_follows(&good, &genesis, why), ORD_ERR_CORRUPT);
}

Test(partition_block, the_identity_is_that_of_the_content)
{
	struct history twin, other;
	history_open(&twin, 1, 5);
	history_open(&other, 2, 5);
	struct ord_block_header h = history_encode(&history, codec, 0, &bytes);
	struct ord_block_header same = history_encode(&twin, codec, 0, &bytes);
	struct ord_block_header not_same = history_encode(&other, codec, 0, &bytes);
	same.stored_bytes = 1; /* as another version of the library may have it */
	struct ord_block_id a = ord_block_id_of(&h), b = ord_block_id_of(&same), c = ord_block_id_of(&not_same);
	cr_assert(ord_block_id_equal(&a, &b));
	cr_assert_not(ord_block_id_equal(&a, &c));
	cr_assert_eq(a.last_position, h.first_position + h.commands_count - 1);
	history_close(&twin);
	history_close(&other);
}

/* Bytes that somebody made: checksums are right, all else is chance. Whatever comes out of it, it comes back as an error or as a block that holds. */
static void mutate(struct random *r, struct ord_bytes *b)
{
	size_t stored = b->len - ORD_BLOCK_HEADER_BYTES;
	for (uint64_t n = 1 + random_below(r, 4); n > 0; n--) {
		size_t at = random_chance(r, 50) ? 8 + random_below(r, ORD_BLOCK_HEADER_BYTES - 8)
						 : ORD_BLOCK_HEADER_BYTES + random_below(r, stored);
		b->base[at] = random_chance(r, 30) ? 0xff : (uint8_t)random_next(r);
	}
	uint32_t crc = ord_crc32c(0, b->base + ORD_BLOCK_HEADER_BYTES, stored);
	memcpy(b->base + 176, &crc, sizeof crc);
	crc = ord_crc32c(0, b->base + 8, ORD_BLOCK_HEADER_BYTES - 8);
	memcpy(b->base + 4, &crc, sizeof crc);
}

Test(partition_block, foreign_bytes_do_no_harm)
{
	struct random random = random_of(11);
	struct ord_bytes good;
	unsigned unharmed = 0;
	history.dull = true;
	history_buffer(&good);
	history_encode(&history, codec, 0, &good);
	for (unsigned i = 0; i < 4000; i++) {
		struct ord_block block;
		struct ord_block_entry e;
		ord_bytes_clear(&bytes);
		ord_bytes_put(&bytes, good.base, good.len);
		mutate(&random, &bytes);
		if (decode(ord_bytes_slice(&bytes), &block) != ORD_OK)
			continue;
		unharmed++;
		struct ord_block_cursor cursor = ord_block_cursor_of(&block.header, block.content);
		while (ord_block_next(&cursor, &e) == ORD_OK)
			;
		cr_assert_eq(cursor.position, ord_block_last_position(&block.header) + 1);
	}
	cr_assert_lt(unharmed, 2000);
	ord_bytes_close(&good);
}
