/* SPDX-License-Identifier: Apache-2.0 - the states of a node in memory. */
#include "tests/support/node_states.h"

#include <criterion/criterion.h>

#include "base/err.h"

static int states_open(void *ctx, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size)
{
	struct node_states *s = ctx;
	(void)why;
	(void)why_size;
	cr_assert_lt(partition, s->partitions_count);
	memory_store_close(&s->seen[partition]);
	memory_store_copy(&s->seen[partition], &s->kept[partition]);
	*ret = &s->seen[partition].interface;
	return ORD_OK;
}

static void states_write(void *ctx, uint32_t partition, const struct ord_changes *changes)
{
	struct node_states *s = ctx;
	cr_assert_null(s->write, "two writes under way");
	s->write = changes;
	s->write_partition = partition;
}

static int states_renew(void *ctx, uint32_t partition, char *why, size_t why_size)
{
	(void)why;
	(void)why_size;
	struct node_states *s = ctx;
	cr_assert_eq(partition, s->write_partition);
	memory_store_close(&s->seen[partition]);
	memory_store_copy(&s->seen[partition], &s->kept[partition]);
	return ORD_OK;
}

static int copy_open(void *ctx, uint32_t partition, unsigned *ret_copy, const struct ord_store **ret_store)
{
	struct node_states *s = ctx;
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++) {
		if (s->copied[i])
			continue;
		memory_store_copy(&s->views[i], &s->kept[partition]);
		s->copied[i] = true;
		*ret_copy = i;
		*ret_store = &s->views[i].interface;
		return ORD_OK;
	}
	return ORD_ERR_BUSY;
}

static void copy_close(void *ctx, unsigned copy)
{
	struct node_states *s = ctx;
	cr_assert(s->copied[copy]);
	memory_store_close(&s->views[copy]);
	s->copied[copy] = false;
}

/* The disk never brings it. */
static void copy_read(void *ctx, unsigned copy, const struct ord_pairs_place *after, size_t bytes_max)
{
	struct node_states *s = ctx;
	(void)after;
	(void)bytes_max;
	cr_assert(s->copied[copy]);
	s->copy_reads_count++;
}

/* Whoever gets a copy waits for its disk, for ever. */
static void fill_begin(void *ctx, uint32_t partition)
{
	(void)ctx;
	(void)partition;
}

/* What no test asks for yet is left out: a call of it ends the test. */
struct ord_states node_states_interface(struct node_states *s)
{
	return (struct ord_states){.ctx = s,
				   .open = states_open,
				   .write = states_write,
				   .renew = states_renew,
				   .copy_open = copy_open,
				   .copy_read = copy_read,
				   .copy_close = copy_close,
				   .fill_begin = fill_begin};
}

void node_states_open(struct node_states *s, uint32_t partitions_count)
{
	cr_assert_leq(partitions_count, NODE_STATES_PARTITIONS_MAX);
	*s = (struct node_states){.partitions_count = partitions_count};
	for (uint32_t i = 0; i < partitions_count; i++) {
		memory_store_open(&s->kept[i]);
		memory_store_open(&s->seen[i]);
	}
}

void node_states_close(struct node_states *s)
{
	for (uint32_t i = 0; i < s->partitions_count; i++) {
		memory_store_close(&s->kept[i]);
		memory_store_close(&s->seen[i]);
	}
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++)
		if (s->copied[i])
			copy_close(s, i);
}

void node_states_step(struct node_states *s, struct ord_engine *e)
{
	const struct ord_changes *changes = s->write;
	if (changes == NULL || s->holds)
		return;
	s->write = NULL;
	if (!s->full)
		memory_store_write(&s->kept[s->write_partition], changes);
	ord_engine_saved(e, s->full ? ORD_ERR_NO_SPACE : ORD_OK);
}

void node_states_crash(struct node_states *s, struct ord_engine *e)
{
	if (s->write != NULL)
		ord_engine_saved(e, ORD_OK); /* only lets go of it: the engine is gone */
	s->write = NULL;
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++)
		if (s->copied[i])
			copy_close(s, i);
}
