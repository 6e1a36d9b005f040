/* SPDX-License-Identifier: Apache-2.0 - what can be seen of shards. */
#include "node/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"

static void replicas_take(const struct ord_shard *s, uint32_t shard, uint32_t shards_count, struct ord_report *r)
{
	for (uint32_t i = 0; i < r->replicas_count; i++) {
		struct ord_report_replica *replica = &r->replicas[i];
		uint32_t partition = shard + i * shards_count;
		ord_shard_replica_status(s, partition, &replica->status);
		ord_shard_voters(s, partition, replica->voters, &replica->voters_count);
	}
}

int ord_report_take(const struct ord_shard *s, uint32_t shard, uint32_t shards_count, struct ord_report *ret)
{
	uint32_t partitions_count = ord_shard_partitions_count(s);
	ORD_ASSERT(shard < shards_count && shards_count <= partitions_count);
	struct ord_report r = {.shard = shard, .peers_count = ord_shard_peers_count(s), .room = *ord_shard_room(s)};
	r.replicas_count = (partitions_count - shard + shards_count - 1) / shards_count;
	r.replicas = calloc(r.replicas_count, sizeof *r.replicas);
	if (r.replicas == NULL)
		return ORD_ERR_NOMEM;
	replicas_take(s, shard, shards_count, &r);
	for (uint32_t i = 0; i < r.peers_count; i++)
		ord_shard_peer_status(s, i, &r.peers[i]);
	ord_shard_member_status(s, &r.self);
	ord_shard_host_status(s, &r.host);
	ord_shard_state_status(s, &r.state);
	ord_shard_history_status(s, &r.history);
	ord_shard_scrub_status(s, &r.scrub);
	ord_shard_turn_status(s, &r.turn);
	*ret = r;
	return ORD_OK;
}

void ord_report_close(struct ord_report *r)
{
	free(r->replicas);
	*r = (struct ord_report){0};
}

static void more(uint64_t *value, uint64_t other)
{
	if (other > *value)
		*value = other;
}

static void less(uint64_t *value, uint64_t other)
{
	if (other < *value)
		*value = other;
}

static void peers_add(struct ord_report *sum, const struct ord_report *r)
{
	ORD_ASSERT(r->peers_count == sum->peers_count);
	for (uint32_t i = 0; i < r->peers_count; i++) {
		sum->peers[i].connected = sum->peers[i].connected && r->peers[i].connected;
		sum->peers[i].output_bytes += r->peers[i].output_bytes;
		sum->peers[i].dropped_count += r->peers[i].dropped_count;
		sum->peers[i].relayed = sum->peers[i].relayed || r->peers[i].relayed;
		sum->peers[i].relayed_count += r->peers[i].relayed_count;
		sum->peers[i].passed_count += r->peers[i].passed_count;
		sum->peers[i].refused_count += r->peers[i].refused_count;
	}
}

static void stores_add(struct ord_report *sum, const struct ord_report *r)
{
	sum->host.wal_bytes += r->host.wal_bytes;
	sum->host.wal_segments += r->host.wal_segments;
	sum->host.wal_waiting_bytes += r->host.wal_waiting_bytes;
	sum->host.wal_appended_bytes += r->host.wal_appended_bytes;
	sum->host.syncs_count += r->host.syncs_count;
	sum->host.cached_bytes += r->host.cached_bytes;
	sum->state.memory_bytes += r->state.memory_bytes;
	sum->state.changed_bytes += r->state.changed_bytes;
	sum->state.disk_bytes += r->state.disk_bytes;
	sum->state.checkpoints_count += r->state.checkpoints_count;
	more(&sum->state.checkpoint_ms, r->state.checkpoint_ms);
	if (r->room.state > sum->room.state)
		sum->room = r->room;
}

static void history_add(struct ord_history_status *sum, const struct ord_history_status *h)
{
	sum->surveyed = sum->surveyed && h->surveyed;
	sum->gaps_count += h->gaps_count;
	sum->missing_count += h->missing_count;
	sum->filled_count += h->filled_count;
	sum->damaged_count += h->damaged_count;
	less(&sum->rounds_count, h->rounds_count);
	less(&sum->scrubbed_us, h->scrubbed_us);
	sum->scrub_blocks += h->scrub_blocks;
	sum->compared_count += h->compared_count;
	sum->different_count += h->different_count;
	sum->scrubbing = sum->scrubbing || h->scrubbing;
}

static void scrub_add(struct ord_scrub_status *sum, const struct ord_scrub_status *s)
{
	sum->scrubbing = sum->scrubbing || s->scrubbing;
	less(&sum->rounds_count, s->rounds_count);
	sum->records_count += s->records_count;
	sum->log_bytes += s->log_bytes;
	sum->damaged_states_count += s->damaged_states_count;
	sum->damaged_logs_count += s->damaged_logs_count;
	if (sum->damaged_segment == 0)
		sum->damaged_segment = s->damaged_segment;
}

static void turn_add(struct ord_turn_status *sum, const struct ord_turn_status *t)
{
	sum->count += t->count;
	more(&sum->p50_us, t->p50_us);
	more(&sum->p99_us, t->p99_us);
	more(&sum->p999_us, t->p999_us);
	more(&sum->max_us, t->max_us);
	more(&sum->worked_p999_us, t->worked_p999_us);
	more(&sum->worked_max_us, t->worked_max_us);
	more(&sum->checkpoint_p999_us, t->checkpoint_p999_us);
	more(&sum->checkpoint_max_us, t->checkpoint_max_us);
}

void ord_report_sum(const struct ord_report *reports, uint32_t count, struct ord_report *ret)
{
	ORD_ASSERT(count > 0);
	struct ord_report sum = reports[0];
	sum.replicas = NULL;
	sum.replicas_count = 0;
	for (uint32_t i = 1; i < count; i++) {
		const struct ord_report *r = &reports[i];
		if (sum.self.waits_for_count == 0 && r->self.waits_for_count > 0)
			sum.self = r->self;
		peers_add(&sum, r);
		stores_add(&sum, r);
		history_add(&sum.history, &r->history);
		scrub_add(&sum.scrub, &r->scrub);
		turn_add(&sum.turn, &r->turn);
	}
	*ret = sum;
}
