/* SPDX-License-Identifier: Apache-2.0 - histories that a seed decides. */
#include "tests/support/history.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "partition/command.h"

#define ACCOUNTS 10000
#define COMMANDS_MAX 400
#define DULL_COMMANDS 1000

const struct ord_uuid history_cluster = {{0x0e, 0x42, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7}};

void history_open(struct history *h, uint64_t seed, uint32_t partition)
{
	static const struct ord_block_end genesis;
	*h = (struct history){.random = random_of(seed), .index = 1, .term = 1, .time_us = 1700000000000000};
	ord_bytes_init(&h->entry, ORD_ENTRY_BYTES_MAX);
	ORD_ASSERT(ord_block_builder_open(&h->builder, &history_cluster, partition, &genesis, ORD_BLOCK_BYTES) ==
		   ORD_OK);
}

void history_close(struct history *h)
{
	ord_block_builder_close(&h->builder);
	ord_bytes_close(&h->entry);
}

static struct ord_uuid id_make(struct history *h)
{
	uint8_t random[10];
	for (size_t i = 0; i < sizeof random; i++)
		random[i] = (uint8_t)random_next(&h->random);
	return ord_uuid_v7(h->time_us / 1000, random);
}

static struct ord_slice account_make(struct history *h, char text[32])
{
	int len = snprintf(text, 32, "account-%u", (unsigned)random_below(&h->random, ACCOUNTS));
	return ord_slice_of(text, (size_t)len);
}

static void message_put(struct history *h, struct ord_bytes *out)
{
	static const enum ord_message_kind kinds[] = {ORD_MESSAGE_DEBIT, ORD_MESSAGE_CREDIT, ORD_MESSAGE_OUTCOME};
	char payer[32], payee[32];
	struct ord_message m = {.kind = kinds[random_below(&h->random, 3)], .request_id = id_make(h), .home = 3};
	m.transfer = (struct ord_transfer){account_make(h, payer), account_make(h, payee), ord_slice_text("EUR"),
					   1 + (int64_t)random_below(&h->random, 100000)};
	ord_message_encode(&m, out);
}

static void deliver_put(struct history *h, struct ord_bytes *out)
{
	struct ord_bytes messages;
	uint32_t count = 1 + (uint32_t)random_below(&h->random, 50);
	ord_bytes_init(&messages, ORD_DELIVER_BYTES_MAX);
	for (uint32_t i = 0; i < count; i++)
		message_put(h, &messages);
	struct ord_command c = {.kind = ORD_COMMAND_DELIVER,
				.deliver = {.source = 1,
					    .first = h->messages_count + 1,
					    .count = count,
					    .messages = ord_bytes_slice(&messages)}};
	h->messages_count += count;
	ord_command_encode(&c, out);
	ord_bytes_close(&messages);
}

static void command_put(struct history *h, struct ord_bytes *out)
{
	char payer[32], payee[32];
	struct ord_command c = {.kind = ORD_COMMAND_TRANSFER, .request_id = id_make(h)};
	uint64_t which = random_below(&h->random, 20);
	if (which == 0) {
		deliver_put(h, out);
		return;
	}
	if (which == 1) {
		c = (struct ord_command){.kind = ORD_COMMAND_TRIM, .trim = {.destination = 2, .upto = h->index}};
	} else if (which == 2) {
		c.kind = ORD_COMMAND_CLAIM;
		c.naming = (struct ord_naming){.space = ord_slice_text("users"),
					       .name = account_make(h, payer),
					       .owner = account_make(h, payee)};
	} else {
		c.transfer =
			(struct ord_transfer){account_make(h, payer), account_make(h, payee), ord_slice_text("EUR"),
					      1 + (int64_t)random_below(&h->random, 100000)};
	}
	ord_command_encode(&c, out);
}

static void dull_put(struct ord_bytes *out)
{
	struct ord_command c = {.kind = ORD_COMMAND_CLAIM,
				.request_id = history_cluster,
				.naming = {.space = ord_slice_text("users"),
					   .name = ord_slice_text("a name that is claimed all day long"),
					   .owner = ord_slice_text("the one who does not give up")}};
	ord_command_encode(&c, out);
}

struct ord_block_entry history_entry(struct history *h)
{
	uint32_t count = h->dull ? DULL_COMMANDS : 1 + (uint32_t)random_below(&h->random, COMMANDS_MAX);
	h->index += 1 + random_below(&h->random, 3); /* reads make entries without commands */
	h->term += random_chance(&h->random, 1);
	h->time_us += random_below(&h->random, 20000);
	ord_bytes_clear(&h->entry);
	ord_entry_begin(&h->entry, h->time_us);
	for (uint32_t i = 0; i < count; i++) {
		if (h->dull)
			dull_put(&h->entry);
		else
			command_put(h, &h->entry);
	}
	ord_entry_end(&h->entry, count);
	ORD_ASSERT(!h->entry.failed);
	return (struct ord_block_entry){.index = h->index,
					.term = h->term,
					.position = h->builder.end.next_position,
					.time_us = h->time_us,
					.commands_count = count,
					.bytes = ord_bytes_slice(&h->entry)};
}

void history_block(struct history *h, struct ord_block_raw *ret)
{
	while (!ord_block_builder_is_full(&h->builder)) {
		struct ord_block_entry e = history_entry(h);
		ORD_ASSERT(ord_block_builder_add(&h->builder, &e, NULL) == ORD_OK);
	}
	ord_block_builder_take(&h->builder, ret);
}

struct ord_block_header history_encode(struct history *h, struct ord_block_codec *codec, uint32_t joined,
				       struct ord_bytes *out)
{
	struct ord_block_raw raw;
	struct ord_block_header header;
	char why[ORD_BLOCK_WHY_SIZE];
	size_t begin = out->len;
	history_block(h, &raw);
	ORD_ASSERT(ord_block_encode(codec, &raw, joined, out) == ORD_OK);
	ORD_ASSERT(ord_block_header_decode(out->base + begin, &header, why) == ORD_OK);
	ord_block_raw_close(&raw);
	return header;
}

void history_buffer(struct ord_bytes *b)
{
	ord_bytes_init(b, 64 * (ORD_BLOCK_HEADER_BYTES + ORD_BLOCK_STORED_BYTES_MAX));
}

static int volume_read(void *ctx, uint64_t offset, void *base, size_t len, size_t *ret_len)
{
	const struct ord_bytes *bytes = ctx;
	size_t left = offset < bytes->len ? bytes->len - (size_t)offset : 0;
	*ret_len = left < len ? left : len;
	if (*ret_len > 0)
		memcpy(base, bytes->base + offset, *ret_len);
	return ORD_OK;
}

struct ord_volume history_volume(const struct ord_bytes *bytes, uint64_t first_block)
{
	return (struct ord_volume){.header = {.cluster = history_cluster, .first_block = first_block},
				   .bytes = bytes->len,
				   .ctx = (void *)bytes,
				   .read = volume_read};
}

void history_volume_begin(struct ord_bytes *out, uint64_t first_block)
{
	struct ord_volume_header header = {.cluster = history_cluster, .first_block = first_block};
	ord_volume_header_encode(&header, ord_bytes_extend(out, ORD_VOLUME_HEADER_BYTES));
}
