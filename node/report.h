/* SPDX-License-Identifier: Apache-2.0 - what can be seen of one shard at one moment, copied, so that another thread may look at it; and what several say together. */
#ifndef ORD_NODE_REPORT_H
#define ORD_NODE_REPORT_H

#include <stdint.h>

#include "base/limits.h"
#include "node/history.h"
#include "node/room.h"
#include "node/scrub.h"
#include "node/shard.h"

struct ord_report {
	uint32_t shard;
	struct ord_report_replica {
		struct ord_replica_status status;
		uint32_t voters[ORD_NODES_MAX];
		uint32_t voters_count;
	} * replicas; /* owned; of the shard's partitions, ascending */
	uint32_t replicas_count;
	struct ord_peer_status peers[ORD_NODES_MAX];
	uint32_t peers_count;
	struct ord_member_self self;
	struct ord_host_status host;
	struct ord_state_status state;
	struct ord_history_status history;
	struct ord_scrub_status scrub;
	struct ord_room room;
	struct ord_turn_status turn;
};

/* Looks at the shard, which is number `shard` of shards_count. ORD_ERR_NOMEM. The caller closes *ret. */
int ord_report_take(const struct ord_shard *s, uint32_t shard, uint32_t shards_count, struct ord_report *ret);
void ord_report_close(struct ord_report *r);

/* What all of them, one of each shard, say of the node: sums, the longest time, the worst state; what one shard alone can say (member, standing) of the first one that waits for something, else of
 * the first. Its replicas are none. */
void ord_report_sum(const struct ord_report *reports, uint32_t count, struct ord_report *ret);

#endif
