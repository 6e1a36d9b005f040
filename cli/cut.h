/* SPDX-License-Identifier: Apache-2.0 - states of all partitions that go together: nothing was applied anywhere that its source, as it is here, has not sent. */
#ifndef ORD_CLI_CUT_H
#define ORD_CLI_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "partition/partition.h"

/* States of different moments do not go together by themselves. A message that was sent and not applied is in the outbox and is sent again. But one that was applied by a destination whose source
 * is older would be lost: that source gives its number to another message, which the destination takes for a repetition. So sources are led forward by their own logs. */
struct ord_cut {
	struct ord_partition *const *partitions; /* borrowed; by id */
	uint32_t count;
	void *ctx; /* borrowed; first argument of forward */
	/* Applies entries of a partition, in order, until it has sent message `number` to `destination`, and no more. ORD_ERR_NOT_FOUND: no more entries are known; what there was is applied. Others end it. */
	int (*forward)(void *ctx, uint32_t partition, uint32_t destination, uint64_t number);
};

/* A message that was applied, and not sent. */
struct ord_cut_gap {
	uint32_t source;
	uint32_t destination;
	uint64_t number;
};

/* Leads partitions forward until all go together; none further than that needs. It ends, since each step is one that the cluster has made. What forward gives, with *ret; may be called once
 * more when more entries are known. */
int ord_cut_make(const struct ord_cut *c, struct ord_cut_gap *ret);

/* Do they go together? False with *ret. */
bool ord_cut_holds(struct ord_partition *const *partitions, uint32_t count, struct ord_cut_gap *ret);

#endif
