/* SPDX-License-Identifier: Apache-2.0 - the history as the engine sees it (node/archive.h). */
#include "node/history.h"

static struct ord_block_end archive_end(void *ctx, uint32_t partition)
{
	return ord_history_found(ctx, partition)->end;
}

static int archive_write(void *ctx, struct ord_block_raw *raw)
{
	return ord_history_write(ctx, raw);
}

static int archive_jump(void *ctx, uint32_t partition, const struct ord_block_end *end)
{
	return ord_history_jump(ctx, partition, end);
}

static bool archive_is_full(void *ctx)
{
	return ord_history_is_full(ctx);
}

static bool archive_gap(void *ctx, uint32_t partition, struct ord_history_gap *ret)
{
	return ord_history_gap(ctx, partition, ret);
}

static int archive_fill(void *ctx, uint32_t partition, uint64_t number, struct ord_slice bytes)
{
	return ord_history_fill(ctx, partition, number, bytes);
}

static int archive_ask(void *ctx, uint32_t partition, uint64_t number, bool whole, uint64_t token)
{
	return ord_history_ask(ctx, partition, number, whole, token);
}

static int archive_retain(void *ctx, uint32_t partition, uint64_t index, uint64_t now_us)
{
	return ord_history_retain(ctx, partition, index, now_us);
}

static int archive_forget(void *ctx, uint32_t partition, uint64_t first)
{
	return ord_history_forget(ctx, partition, first);
}

static void archive_compared(void *ctx, uint32_t partition, uint64_t number, uint32_t node, bool same)
{
	ord_history_compared(ctx, partition, number, node, same);
}

struct ord_archive ord_history_archive(struct ord_history *h)
{
	return (struct ord_archive){.ctx = h,
				    .end = archive_end,
				    .write = archive_write,
				    .jump = archive_jump,
				    .is_full = archive_is_full,
				    .gap = archive_gap,
				    .fill = archive_fill,
				    .ask = archive_ask,
				    .retain = archive_retain,
				    .forget = archive_forget,
				    .compared = archive_compared};
}
