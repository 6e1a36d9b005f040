/* SPDX-License-Identifier: Apache-2.0 - waits until nodes of a cluster directory serve, and tells why they do not. */
#ifndef ORD_CLI_CLUSTER_WAIT_H
#define ORD_CLI_CLUSTER_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cluster.h"

struct ord_cluster_wait {
	uint32_t nodes; /* mask: these must answer, and their replicas must know a leader */
	bool alone; /* they are meant, not the cluster: paused ones count, and a cluster without majority is enough */
	int64_t timeout_ms;
};

/* Waits until every partition has a leader that takes commands and the nodes serve, at most timeout_ms. Without a majority of nodes that run there
 * can be no leaders: with `alone`, only the answers are waited for then. Without `alone`, paused nodes are left out.
 * ORD_ERR_TIMEOUT: why names the nodes at fault and has the end of the log of the first; ORD_ERR_CLOSED: a node that was started through c has ended,
 * why has the end of its log. *ret_lost: nodes of the mask that c found running and that have ended meanwhile; when there are any, ORD_OK is
 * given at once, nothing more was waited for, and they are to be started again. */
int ord_cluster_wait_ready(struct ord_cluster *c, const struct ord_cluster_wait *wait, uint32_t *ret_lost, char *why);

#endif
