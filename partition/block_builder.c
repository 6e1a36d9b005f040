/* SPDX-License-Identifier: Apache-2.0 - entries into blocks. The rule of the cut is here alone: a block ends with the entry that brings the sum of the
 * entries' bytes to ORD_BLOCK_BYTES. Nothing else ends one: neither time nor a restart. */
#include "partition/block_builder.h"

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "partition/command.h"

void ord_block_raw_close(struct ord_block_raw *raw)
{
	ord_bytes_close(&raw->content);
}

int ord_block_builder_open(struct ord_block_builder *b, const struct ord_uuid *cluster, uint32_t partition,
			   const struct ord_block_end *end, uint32_t block_bytes)
{
	ORD_ASSERT(block_bytes > 0);
	ORD_ASSERT(block_bytes <= ORD_BLOCK_BYTES);
	*b = (struct ord_block_builder){
		.end = *end, .header = {.cluster = *cluster, .partition = partition}, .block_bytes = block_bytes};
	ord_bytes_init(&b->content, ORD_BLOCK_CONTENT_BYTES_MAX);
	return ord_chain_open(&b->chain);
}

void ord_block_builder_close(struct ord_block_builder *b)
{
	ord_bytes_close(&b->content);
	ord_chain_close(&b->chain);
}

static int entry_check(const struct ord_block_builder *b, const struct ord_block_entry *e, struct ord_entry_header *ret)
{
	struct ord_reader r = ord_reader_of(e->bytes);
	int err = ord_entry_decode(&r, ret);
	if (err != ORD_OK)
		return err;
	if (ret->commands_count == 0)
		return ORD_ERR_FORMAT;
	if (e->index <= b->end.last_index || e->term < b->end.last_term || e->position != b->end.next_position ||
	    ret->time_us < b->end.last_time_us)
		return ORD_ERR_INVALID;
	return ORD_OK;
}

static void block_begin(struct ord_block_builder *b, const struct ord_block_entry *e, uint64_t time_us)
{
	struct ord_block_header *h = &b->header;
	h->number = b->end.number + 1;
	h->first_index = e->index;
	h->first_term = e->term;
	h->first_position = e->position;
	h->first_time_us = time_us;
	h->commands_count = 0;
	h->entries_count = 0;
	memcpy(h->chain_before, b->end.chain, sizeof h->chain_before);
	b->entries_bytes = 0;
}

static void chain_go_on(struct ord_block_builder *b, struct ord_slice bytes, const uint8_t *chain_after)
{
	if (chain_after == NULL) {
		memcpy(b->chain.hash, b->end.chain, sizeof b->chain.hash);
		ord_chain_add(&b->chain, bytes);
		chain_after = b->chain.hash;
	}
	memcpy(b->end.chain, chain_after, sizeof b->end.chain);
}

int ord_block_builder_add(struct ord_block_builder *b, const struct ord_block_entry *e, const uint8_t *chain_after)
{
	ORD_ASSERT(!ord_block_builder_is_full(b));
	struct ord_entry_header entry;
	int err = entry_check(b, e, &entry);
	if (err != ORD_OK)
		return err;
	size_t len = b->content.len;
	ord_block_entry_encode(e, &b->content);
	if (b->content.failed) { /* there is room by the limits' relations: memory it is */
		b->content.len = len;
		b->content.failed = false;
		return ORD_ERR_NOMEM;
	}
	if (len == 0)
		block_begin(b, e, entry.time_us);
	b->header.commands_count += entry.commands_count;
	b->header.entries_count++;
	b->entries_bytes += e->bytes.len;
	b->end.last_index = e->index;
	b->end.last_term = e->term;
	b->end.last_time_us = entry.time_us;
	b->end.next_position += entry.commands_count;
	chain_go_on(b, e->bytes, chain_after);
	return ORD_OK;
}

bool ord_block_builder_is_full(const struct ord_block_builder *b)
{
	return b->content.len > 0 && b->entries_bytes >= b->block_bytes;
}

void ord_block_builder_take(struct ord_block_builder *b, struct ord_block_raw *ret)
{
	ORD_ASSERT(ord_block_builder_is_full(b));
	ord_block_builder_cut(b, ret);
}

void ord_block_builder_cut(struct ord_block_builder *b, struct ord_block_raw *ret)
{
	ORD_ASSERT(b->content.len > 0);
	b->header.last_index = b->end.last_index;
	b->header.last_term = b->end.last_term;
	b->header.last_time_us = b->end.last_time_us;
	b->header.content_bytes = (uint32_t)b->content.len;
	memcpy(b->header.chain_after, b->end.chain, sizeof b->header.chain_after);
	*ret = (struct ord_block_raw){.header = b->header, .content = b->content};
	ord_bytes_init(&b->content, ORD_BLOCK_CONTENT_BYTES_MAX);
	b->end.number++;
	b->entries_bytes = 0;
}
