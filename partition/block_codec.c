/* SPDX-License-Identifier: Apache-2.0 - blocks of history to bytes and back (RFC 8878 for the content). block.c has the format. */
#include "partition/block_codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "partition/command.h"

/* Entries are ids, which do not compress, and names, which do at once: higher levels take longer and save nothing. */
#define LEVEL (-1)

_Static_assert(ZSTD_COMPRESSBOUND(ORD_BLOCK_CONTENT_BYTES_MAX) <= ORD_BLOCK_STORED_BYTES_MAX,
	       "whatever a block holds, it can be stored");

struct ord_block_codec {
	ZSTD_CCtx *compress;	  /* owned */
	ZSTD_DCtx *decompress;	  /* owned */
	struct ord_chain chain;	  /* owned */
	struct ord_bytes content; /* owned; of the block decoded last */
};

int ord_block_codec_open(struct ord_block_codec **ret)
{
	struct ord_block_codec *c = calloc(1, sizeof *c);
	if (c == NULL)
		return ORD_ERR_NOMEM;
	ord_bytes_init(&c->content, ORD_BLOCK_CONTENT_BYTES_MAX);
	c->compress = ZSTD_createCCtx();
	c->decompress = ZSTD_createDCtx();
	int err = c->compress != NULL && c->decompress != NULL ? ord_chain_open(&c->chain) : ORD_ERR_NOMEM;
	if (err == ORD_OK)
		*ret = c;
	else
		ord_block_codec_close(c);
	return err;
}

void ord_block_codec_close(struct ord_block_codec *c)
{
	if (c == NULL)
		return;
	ZSTD_freeCCtx(c->compress);
	ZSTD_freeDCtx(c->decompress);
	ord_chain_close(&c->chain);
	ord_bytes_close(&c->content);
	free(c);
}

/* --- Encoding. --- */

/* Takes the chain from before the block over all its entries. */
static int chain_fold(struct ord_block_codec *c, const struct ord_block_header *h, struct ord_slice content)
{
	struct ord_block_cursor cursor = ord_block_cursor_of(h, content);
	struct ord_block_entry e;
	int err;
	memcpy(c->chain.hash, h->chain_before, sizeof c->chain.hash);
	while ((err = ord_block_next(&cursor, &e)) == ORD_OK)
		ord_chain_add(&c->chain, e.bytes);
	bool same = memcmp(c->chain.hash, h->chain_after, sizeof c->chain.hash) == 0;
	return err == ORD_ERR_NOT_FOUND && same ? ORD_OK : ORD_ERR_CORRUPT;
}

int ord_block_encode(struct ord_block_codec *c, const struct ord_block_raw *raw, uint32_t joined, struct ord_bytes *out)
{
	ORD_ASSERT(raw->content.len == raw->header.content_bytes);
	if (chain_fold(c, &raw->header, ord_bytes_slice(&raw->content)) != ORD_OK)
		return ORD_ERR_CORRUPT;
	size_t room = ZSTD_COMPRESSBOUND(raw->content.len);
	uint8_t *at = ord_bytes_extend(out, ORD_BLOCK_HEADER_BYTES + room);
	if (at == NULL)
		return out->bytes_max - out->len < ORD_BLOCK_HEADER_BYTES + room ? ORD_ERR_TOO_BIG : ORD_ERR_NOMEM;
	uint8_t *stored = at + ORD_BLOCK_HEADER_BYTES;
	size_t len = ZSTD_compressCCtx(c->compress, stored, room, raw->content.base, raw->content.len, LEVEL);
	if (ZSTD_isError(len)) /* there is room: what is missing is memory */
		return ORD_ERR_NOMEM;
	struct ord_block_header h = raw->header;
	h.joined = joined;
	h.stored_bytes = (uint32_t)len;
	h.stored_crc = ord_crc32c(0, stored, len);
	ord_block_header_encode(&h, at);
	out->len -= room - len;
	return ORD_OK;
}

/* --- Decoding. --- */

static int corrupt(char *why, const char *what, uint64_t offset)
{
	snprintf(why, ORD_BLOCK_WHY_SIZE, "%s, at byte %" PRIu64 " of the block's content", what, offset);
	return ORD_ERR_CORRUPT;
}

bool ord_block_is_whole(const struct ord_block_header *h, struct ord_slice bytes)
{
	ORD_ASSERT(bytes.len == ord_block_bytes(h));
	const uint8_t *stored = (const uint8_t *)bytes.base + ORD_BLOCK_HEADER_BYTES;
	return ord_crc32c(0, stored, h->stored_bytes) == h->stored_crc;
}

static int content_decompress(struct ord_block_codec *c, const struct ord_block *b, char *why)
{
	const struct ord_block_header *h = &b->header;
	const uint8_t *stored = (const uint8_t *)b->bytes.base + ORD_BLOCK_HEADER_BYTES;
	if (ZSTD_getFrameContentSize(stored, h->stored_bytes) != h->content_bytes) {
		snprintf(why, ORD_BLOCK_WHY_SIZE, "the block's content does not have the length that its header says");
		return ORD_ERR_CORRUPT;
	}
	ord_bytes_clear(&c->content);
	uint8_t *content = ord_bytes_extend(&c->content, h->content_bytes);
	if (content == NULL) {
		snprintf(why, ORD_BLOCK_WHY_SIZE, "%s", ord_err_text(ORD_ERR_NOMEM));
		return ORD_ERR_NOMEM;
	}
	size_t len = ZSTD_decompressDCtx(c->decompress, content, h->content_bytes, stored, h->stored_bytes);
	if (ZSTD_isError(len) || len != h->content_bytes) {
		snprintf(why, ORD_BLOCK_WHY_SIZE, "the block's content does not decompress: %s",
			 ZSTD_isError(len) ? ZSTD_getErrorName(len) : "it is too short");
		return ORD_ERR_CORRUPT;
	}
	return ORD_OK;
}

/* A run of messages is exactly as many as it says, to its last byte. */
static int messages_check(const struct ord_deliver *d)
{
	struct ord_reader r = ord_reader_of(d->messages);
	struct ord_message m;
	for (uint32_t i = 0; i < d->count; i++) {
		int err = ord_message_decode(&r, &m);
		if (err != ORD_OK)
			return err;
	}
	return ord_reader_left(&r) == 0 ? ORD_OK : ORD_ERR_FORMAT;
}

/* So are the commands of an entry. */
static int commands_check(const struct ord_block_entry *e)
{
	struct ord_reader r = ord_reader_of(e->bytes);
	struct ord_command c;
	ord_reader_take(&r, ORD_ENTRY_HEADER_BYTES);
	for (uint32_t i = 0; i < e->commands_count; i++) {
		int err = ord_command_decode(&r, &c);
		if (err == ORD_OK && c.kind == ORD_COMMAND_DELIVER)
			err = messages_check(&c.deliver);
		if (err != ORD_OK)
			return err;
	}
	return ord_reader_left(&r) == 0 ? ORD_OK : ORD_ERR_FORMAT;
}

/* Each entry after the one before, and what is wrong with it; NULL when nothing is. */
static const char *entry_fault(const struct ord_block_entry *e, const struct ord_block_entry *before)
{
	if (commands_check(e) != ORD_OK)
		return "an entry holds something else than its commands";
	if (before->bytes.base == NULL)
		return NULL;
	if (e->index <= before->index)
		return "the index of an entry goes back";
	if (e->term < before->term)
		return "the term of an entry goes back";
	if (e->time_us < before->time_us)
		return "the time of an entry goes back";
	return NULL;
}

/* What the header says, against what the entries say. */
static const char *header_fault(const struct ord_block_header *h, const struct ord_block_header *counted)
{
	if (h->first_index != counted->first_index || h->last_index != counted->last_index)
		return "the indexes of its entries are not those of the block's header";
	if (h->first_term != counted->first_term || h->last_term != counted->last_term)
		return "the terms of its entries are not those of the block's header";
	if (h->first_time_us != counted->first_time_us || h->last_time_us != counted->last_time_us)
		return "the times of its entries are not those of the block's header";
	if (h->entries_count != counted->entries_count || h->commands_count != counted->commands_count)
		return "the numbers of its entries and commands are not those of the block's header";
	return NULL;
}

static void count_entry(struct ord_block_header *counted, const struct ord_block_entry *e)
{
	if (counted->entries_count++ == 0) {
		counted->first_index = e->index;
		counted->first_term = e->term;
		counted->first_time_us = e->time_us;
	}
	counted->last_index = e->index;
	counted->last_term = e->term;
	counted->last_time_us = e->time_us;
	counted->commands_count += e->commands_count;
}

static int content_check(struct ord_block_codec *c, const struct ord_block *b, char *why)
{
	struct ord_block_cursor cursor = ord_block_cursor_of(&b->header, b->content);
	struct ord_block_entry before = {0}, e;
	struct ord_block_header counted = {0};
	size_t offset = 0;
	int err;
	memcpy(c->chain.hash, b->header.chain_before, sizeof c->chain.hash);
	while ((err = ord_block_next(&cursor, &e)) == ORD_OK) {
		const char *fault = entry_fault(&e, &before);
		if (fault != NULL)
			return corrupt(why, fault, offset);
		count_entry(&counted, &e);
		ord_chain_add(&c->chain, e.bytes);
		before = e;
		offset = cursor.reader.offset;
	}
	if (err == ORD_ERR_MISMATCH) {
		corrupt(why, "an entry is of a logic version that this build does not know", offset);
		return err;
	}
	if (err != ORD_ERR_NOT_FOUND)
		return corrupt(why, "no entry with commands stands where one should", offset);
	const char *fault = header_fault(&b->header, &counted);
	if (fault == NULL && memcmp(c->chain.hash, b->header.chain_after, sizeof c->chain.hash) != 0)
		fault = "the chain over its entries does not end at the hash in the block's header";
	if (fault == NULL)
		return ORD_OK;
	snprintf(why, ORD_BLOCK_WHY_SIZE, "%s", fault);
	return ORD_ERR_CORRUPT;
}

static int truncated(char *why, size_t missing)
{
	snprintf(why, ORD_BLOCK_WHY_SIZE, "the bytes end before the block does, %zu are missing", missing);
	return ORD_ERR_TRUNCATED;
}

int ord_block_decode(struct ord_block_codec *c, struct ord_slice bytes, struct ord_block *ret, char *why)
{
	struct ord_block b;
	if (bytes.len < ORD_BLOCK_HEADER_BYTES)
		return truncated(why, ORD_BLOCK_HEADER_BYTES - bytes.len);
	int err = ord_block_header_decode(bytes.base, &b.header, why);
	if (err != ORD_OK)
		return err;
	if (bytes.len < ord_block_bytes(&b.header))
		return truncated(why, ord_block_bytes(&b.header) - bytes.len);
	b.bytes = ord_slice_of(bytes.base, ord_block_bytes(&b.header));
	if (!ord_block_is_whole(&b.header, b.bytes)) {
		snprintf(why, ORD_BLOCK_WHY_SIZE, "the checksum of the block's content is wrong");
		return ORD_ERR_CORRUPT;
	}
	err = content_decompress(c, &b, why);
	if (err != ORD_OK)
		return err;
	b.content = ord_bytes_slice(&c->content);
	err = content_check(c, &b, why);
	if (err == ORD_OK)
		*ret = b;
	return err;
}
