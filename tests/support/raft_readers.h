/* SPDX-License-Identifier: Apache-2.0 - reads at the hosts of a raft_cluster, whoever believes to lead: each must see what anybody had applied when it began. */
#ifndef ORD_TESTS_SUPPORT_RAFT_READERS_H
#define ORD_TESTS_SUPPORT_RAFT_READERS_H

#include "tests/support/raft_cluster.h"

struct raft_readers {
	struct raft_reader {
		uint64_t begun_ms; /* 0: none is under way */
		uint64_t seen;	   /* by anybody, when it began */
		struct ord_read_point point;
	} reads[RAFT_CLUSTER_NODES_MAX][RAFT_CLUSTER_GROUPS_MAX];
	unsigned begin_percent; /* in a millisecond, at each node and group */
	uint64_t begun_count;
	uint64_t done_count;
};

/* From now on each millisecond of the cluster begins some and looks after all. Of those that nothing comes of in two seconds no more is expected. */
void raft_readers_start(struct raft_readers *r, struct raft_cluster *c, unsigned begin_percent);

#endif
