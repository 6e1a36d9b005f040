/* SPDX-License-Identifier: Apache-2.0 - states of all partitions that go together. */
#include "cli/cut.h"

#include "base/err.h"

static bool is_missing(struct ord_partition *const *partitions, uint32_t source, uint32_t destination,
		       struct ord_cut_gap *ret)
{
	uint64_t applied = ord_partition_cursor(partitions[destination], source);
	if (applied < ord_partition_outbox_next(partitions[source], destination))
		return false;
	*ret = (struct ord_cut_gap){.source = source, .destination = destination, .number = applied};
	return true;
}

bool ord_cut_holds(struct ord_partition *const *partitions, uint32_t count, struct ord_cut_gap *ret)
{
	for (uint32_t s = 0; s < count; s++)
		for (uint32_t d = 0; d < count; d++)
			if (s != d && is_missing(partitions, s, d, ret))
				return false;
	return true;
}

int ord_cut_make(const struct ord_cut *c, struct ord_cut_gap *ret)
{
	int err = ORD_OK;
	/* A source that went on has applied more itself, and may be ahead of its own sources now. */
	while (err == ORD_OK && !ord_cut_holds(c->partitions, c->count, ret))
		err = c->forward(c->ctx, ret->source, ret->destination, ret->number);
	return err;
}
