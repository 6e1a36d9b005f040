/* SPDX-License-Identifier: Apache-2.0 - what can be seen of a shard, and asked of it by an operator. */
#include <inttypes.h>

#include "base/err.h"
#include "node/datadir.h"
#include "node/engine.h"
#include "node/faults.h"
#include "node/gauge.h"
#include "node/history.h"
#include "node/keep.h"
#include "node/lmdb.h"
#include "node/log.h"
#include "node/peers.h"
#include "node/shard_state.h"

const struct ord_room *ord_shard_room(const struct ord_shard *s)
{
	return ord_gauge_room(s->gauge);
}

void ord_shard_replica_status(const struct ord_shard *s, uint32_t partition, struct ord_replica_status *ret)
{
	ord_engine_replica_status(s->engine, partition, ret);
}

uint32_t ord_shard_leader(const struct ord_shard *s, uint32_t partition)
{
	return ord_engine_leader(s->engine, partition);
}

void ord_shard_voters(const struct ord_shard *s, uint32_t partition, uint32_t *ret, uint32_t *ret_count)
{
	ord_engine_voters(s->engine, partition, ret, ret_count);
}

uint32_t ord_shard_peers_count(const struct ord_shard *s)
{
	return ord_peers_count(s->peers);
}

void ord_shard_peer_status(const struct ord_shard *s, uint32_t peer, struct ord_peer_status *ret)
{
	ord_peers_status(s->peers, peer, ret);
}

void ord_shard_host_status(const struct ord_shard *s, struct ord_host_status *ret)
{
	ord_engine_host_status(s->engine, ret);
}

void ord_shard_member_status(const struct ord_shard *s, struct ord_member_self *ret)
{
	const struct ord_self *self = ord_datadir_self(s->datadir);
	ret->member = ord_self_member(self, s->config->node);
	ret->standing = ord_standing_name(self->standing);
	ret->waits_for_count = ord_peers_waits_for(s->peers, ret->waits_for);
}

void ord_shard_state_status(const struct ord_shard *s, struct ord_state_status *ret)
{
	struct ord_keep_status keep;
	ord_engine_keep_status(s->engine, &keep);
	*ret = (struct ord_state_status){.memory_bytes = keep.memory_bytes,
					 .changed_bytes = keep.changed_bytes,
					 .disk_bytes = ord_lmdb_disk_bytes(s->lmdb),
					 .checkpoints_count = keep.checkpoints_count,
					 .checkpoint_ms = keep.checkpoint_ms};
}

void ord_shard_history_status(const struct ord_shard *s, struct ord_history_status *ret)
{
	ord_history_status(s->history, ret);
}

void ord_shard_scrub_status(const struct ord_shard *s, struct ord_scrub_status *ret)
{
	ord_engine_scrub_status(s->engine, ret);
}

void ord_shard_scrub(struct ord_shard *s)
{
	ord_engine_scrub(s->engine);
	ord_history_scrub_now(s->history);
}

void ord_shard_checkpoint(struct ord_shard *s)
{
	ord_engine_checkpoint(s->engine);
}

void ord_shard_turn_status(const struct ord_shard *s, struct ord_turn_status *ret)
{
	*ret = (struct ord_turn_status){.count = s->turns_us.count,
					.p50_us = ord_histogram_quantile(&s->turns_us, 500),
					.p99_us = ord_histogram_quantile(&s->turns_us, 990),
					.p999_us = ord_histogram_quantile(&s->turns_us, 999),
					.max_us = s->turns_us.max,
					.worked_p999_us = ord_histogram_quantile(&s->works_us, 999),
					.worked_max_us = s->works_us.max,
					.checkpoint_p999_us = ord_histogram_quantile(&s->keeps_us, 999),
					.checkpoint_max_us = s->keeps_us.max};
}

int ord_shard_spoil(struct ord_shard *s, struct ord_slice account, int64_t delta)
{
	int err = ord_engine_spoil(s->engine, account, delta);
	if (err == ORD_OK)
		ord_log(ORD_LOG_WARN,
			"a fault on purpose: the balance of account '%.*s' is changed by %" PRId64
			" in this node's memory",
			(int)account.len, (const char *)account.base, delta);
	return err;
}

static struct ord_faults_parts faults_parts(struct ord_shard *s)
{
	return (struct ord_faults_parts){
		.peers = s->peers, .disk = s->faults, .clock = &s->clock, .room = ord_gauge_room(s->gauge)};
}

int ord_shard_fault(struct ord_shard *s, const struct ord_faults_order *order, uint32_t *ret_node)
{
	struct ord_faults_parts parts = faults_parts(s);
	return ord_faults_apply(&parts, order, ret_node);
}

void ord_shard_faults(struct ord_shard *s, struct ord_faults_status *ret)
{
	struct ord_faults_parts parts = faults_parts(s);
	ord_faults_look(&parts, ret);
}

const struct ord_engine *ord_shard_engine(const struct ord_shard *s)
{
	return s->engine;
}
