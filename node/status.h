/* SPDX-License-Identifier: Apache-2.0 - what a node tells of itself: the results of the methods `cluster` and `status`. */
#ifndef ORD_NODE_STATUS_H
#define ORD_NODE_STATUS_H

#include <msgpack.h>
#include <stdint.h>

#include "node/config.h"
#include "node/report.h"
#include "node/shard.h"

/* The result map of `cluster`: who is in it, and who leads as far as this node knows. */
void ord_status_put_cluster(msgpack_packer *p, const struct ord_config *config, const struct ord_shard *shard);

/* The result map of `status`: this node's view of every partition, its peers, its disk, by the reports of all its shards. */
void ord_status_put(msgpack_packer *p, const struct ord_config *config, const struct ord_report *reports,
		    uint32_t shards_count, uint64_t uptime_ms, uint32_t clients_count);

/* The result of `scrub`: what `status` calls history. */
void ord_status_put_history(msgpack_packer *p, const struct ord_history_status *h, const struct ord_scrub_status *s);

#endif
