/* SPDX-License-Identifier: Apache-2.0 - packing of `cluster` and `status`. */
#include "node/status.h"

#include "client/ordain.h"
#include "client/rpc.h"
#include "node/fence.h"
#include "node/history.h"
#include "node/reply.h"
#include "node/room.h"
#include "node/scrub.h"

static void put_identity(msgpack_packer *p, const struct ord_config *config)
{
	ord_rpc_put_text(p, "cluster_id");
	ord_reply_put_id(p, &config->cluster);
	ord_rpc_put_pair_u64(p, "node", config->node);
	ord_rpc_put_pair_text(p, "version", ORDAIN_VERSION);
}

void ord_status_put_cluster(msgpack_packer *p, const struct ord_config *config, const struct ord_shard *shard)
{
	uint32_t partitions_count = ord_shard_partitions_count(shard);
	msgpack_pack_map(p, 6);
	put_identity(p, config);
	ord_rpc_put_pair_u64(p, "partitions", partitions_count);
	ord_rpc_put_text(p, "nodes");
	msgpack_pack_array(p, config->nodes_count);
	for (uint32_t i = 0; i < config->nodes_count; i++) {
		msgpack_pack_map(p, 3);
		ord_rpc_put_pair_u64(p, "node", config->nodes[i].id);
		ord_rpc_put_pair_text(p, "host", config->nodes[i].client.host);
		ord_rpc_put_pair_u64(p, "port", config->nodes[i].client.port);
	}
	ord_rpc_put_text(p, "leaders");
	msgpack_pack_array(p, partitions_count);
	for (uint32_t i = 0; i < partitions_count; i++)
		msgpack_pack_uint32(p, ord_shard_leader(shard, i));
}

/* The leader that the node goes by: behind a cut its group hears of none, and its leader says so by another way. */
static void put_group(msgpack_packer *p, const struct ord_replica_status *s)
{
	const struct ord_group_status *g = &s->group;
	ord_rpc_put_pair_text(p, "role", ord_role_name(g->role));
	ord_rpc_put_pair_u64(p, "term", g->term);
	ord_rpc_put_pair_u64(p, "leader", s->leader);
	ord_rpc_put_pair_bool(p, "ready", s->ready);
	ord_rpc_put_pair_u64(p, "last_index", g->last_index);
	ord_rpc_put_pair_u64(p, "commit_index", g->commit_index);
	ord_rpc_put_pair_u64(p, "applied_index", g->applied_index);
	ord_rpc_put_pair_u64(p, "durable_index", g->durable_index);
}

static void put_state(msgpack_packer *p, uint32_t partition, const struct ord_partition_status *s)
{
	ord_rpc_put_text(p, "position");
	ord_reply_put_position(p, partition, s->position);
	uint8_t digest[16]; /* most significant byte first, so that the text reads as a number */
	for (unsigned i = 0; i < sizeof digest; i++)
		digest[i] = (uint8_t)(s->state_digest[i / 8] >> (56 - 8 * (i % 8)));
	ord_rpc_put_text(p, "digest");
	ord_reply_put_hex(p, digest, sizeof digest);
	ord_rpc_put_text(p, "history_hash");
	ord_reply_put_hex(p, s->history_hash, sizeof s->history_hash);
	ord_rpc_put_pair_u64(p, "accounts", s->accounts_count);
	ord_rpc_put_pair_u64(p, "names", s->names_count);
	ord_rpc_put_pair_u64(p, "requests", s->requests_count);
	ord_rpc_put_pair_u64(p, "expired_ms", s->expired_ms);
	ord_rpc_put_pair_u64(p, "unsettled", s->unsettled_count);
	ord_rpc_put_pair_u64(p, "outbox", s->outbox_count);
}

static void put_numbers(msgpack_packer *p, const char *name, const uint32_t *numbers, uint32_t count)
{
	ord_rpc_put_text(p, name);
	msgpack_pack_array(p, count);
	for (uint32_t i = 0; i < count; i++)
		msgpack_pack_uint32(p, numbers[i]);
}

static void put_replica(msgpack_packer *p, const struct ord_report_replica *r, uint32_t partition)
{
	const struct ord_replica_status *s = &r->status;
	msgpack_pack_map(p, 23);
	ord_rpc_put_pair_u64(p, "partition", partition);
	put_group(p, s);
	put_numbers(p, "voters", r->voters, r->voters_count);
	put_state(p, partition, &s->state);
	ord_rpc_put_pair_text(p, "comparison", ord_fence_state_name(s->fence));
	ord_rpc_put_pair_u64(p, "marks", s->state.marks.equal_count);
	ord_rpc_put_pair_u64(p, "admit", s->admit_count);
	ord_rpc_put_pair_u64(p, "waiters", s->waiters_count);
}

static void put_peers(msgpack_packer *p, const struct ord_report *r)
{
	msgpack_pack_array(p, r->peers_count);
	for (uint32_t i = 0; i < r->peers_count; i++) {
		const struct ord_peer_status *peer = &r->peers[i];
		msgpack_pack_map(p, 8);
		ord_rpc_put_pair_u64(p, "node", peer->node);
		ord_rpc_put_pair_bool(p, "connected", peer->connected);
		ord_rpc_put_pair_u64(p, "output_bytes", peer->output_bytes);
		ord_rpc_put_pair_u64(p, "dropped", peer->dropped_count);
		ord_rpc_put_pair_bool(p, "relayed", peer->relayed);
		ord_rpc_put_pair_u64(p, "sent_round", peer->relayed_count);
		ord_rpc_put_pair_u64(p, "passed_on", peer->passed_count);
		ord_rpc_put_pair_u64(p, "not_passed_on", peer->refused_count);
	}
}

static void put_wal(msgpack_packer *p, const struct ord_host_status *host)
{
	msgpack_pack_map(p, 4);
	ord_rpc_put_pair_u64(p, "bytes", host->wal_bytes);
	ord_rpc_put_pair_u64(p, "waiting_bytes", host->wal_waiting_bytes);
	ord_rpc_put_pair_u64(p, "syncs", host->syncs_count);
	ord_rpc_put_pair_u64(p, "cached_bytes", host->cached_bytes);
}

/* Three pairs. */
static void put_member(msgpack_packer *p, const struct ord_member_self *self)
{
	ord_rpc_put_pair_u64(p, "member", self->member);
	ord_rpc_put_pair_text(p, "standing", self->standing);
	put_numbers(p, "waits_for", self->waits_for, self->waits_for_count);
}

static void put_state_files(msgpack_packer *p, const struct ord_state_status *state)
{
	msgpack_pack_map(p, 5);
	ord_rpc_put_pair_u64(p, "memory_bytes", state->memory_bytes);
	ord_rpc_put_pair_u64(p, "changed_bytes", state->changed_bytes);
	ord_rpc_put_pair_u64(p, "disk_bytes", state->disk_bytes);
	ord_rpc_put_pair_u64(p, "checkpoints", state->checkpoints_count);
	ord_rpc_put_pair_u64(p, "checkpoint_ms", state->checkpoint_ms);
}

void ord_status_put_history(msgpack_packer *p, const struct ord_history_status *h, const struct ord_scrub_status *s)
{
	msgpack_pack_map(p, 17);
	ord_rpc_put_pair_u64(p, "gaps", h->gaps_count);
	ord_rpc_put_pair_u64(p, "missing", h->missing_count);
	ord_rpc_put_pair_bool(p, "surveyed", h->surveyed);
	ord_rpc_put_pair_u64(p, "repaired", h->filled_count);
	ord_rpc_put_pair_u64(p, "damaged_found", h->damaged_count);
	ord_rpc_put_pair_u64(p, "rounds", h->rounds_count);
	ord_rpc_put_pair_bool(p, "scrubbing", h->scrubbing || s->scrubbing);
	ord_rpc_put_pair_u64(p, "scrubbed_at", h->scrubbed_us);
	ord_rpc_put_pair_u64(p, "scrubbed_blocks", h->scrub_blocks);
	ord_rpc_put_pair_u64(p, "compared", h->compared_count);
	ord_rpc_put_pair_u64(p, "different", h->different_count);
	ord_rpc_put_pair_u64(p, "store_rounds", s->rounds_count);
	ord_rpc_put_pair_u64(p, "scrubbed_records", s->records_count);
	ord_rpc_put_pair_u64(p, "scrubbed_log_bytes", s->log_bytes);
	ord_rpc_put_pair_u64(p, "damaged_states", s->damaged_states_count);
	ord_rpc_put_pair_u64(p, "damaged_logs", s->damaged_logs_count);
	ord_rpc_put_pair_u64(p, "damaged_segment", s->damaged_segment);
}

static void put_disk(msgpack_packer *p, const struct ord_room *room)
{
	msgpack_pack_map(p, 4);
	ord_rpc_put_pair_u64(p, "free_bytes", room->sample.free_bytes);
	ord_rpc_put_pair_u64(p, "total_bytes", room->sample.total_bytes);
	ord_rpc_put_pair_u64(p, "reserve_bytes", room->reserve_bytes);
	ord_rpc_put_pair_text(p, "state", ord_room_name(room->state));
}

static void put_turns(msgpack_packer *p, const struct ord_turn_status *turn)
{
	msgpack_pack_map(p, 9);
	ord_rpc_put_pair_u64(p, "turns", turn->count);
	ord_rpc_put_pair_u64(p, "p50_us", turn->p50_us);
	ord_rpc_put_pair_u64(p, "p99_us", turn->p99_us);
	ord_rpc_put_pair_u64(p, "p999_us", turn->p999_us);
	ord_rpc_put_pair_u64(p, "max_us", turn->max_us);
	ord_rpc_put_pair_u64(p, "worked_p999_us", turn->worked_p999_us);
	ord_rpc_put_pair_u64(p, "worked_max_us", turn->worked_max_us);
	ord_rpc_put_pair_u64(p, "checkpoint_p999_us", turn->checkpoint_p999_us);
	ord_rpc_put_pair_u64(p, "checkpoint_max_us", turn->checkpoint_max_us);
}

/* What belongs to one shard alone, of each. */
static void put_shards(msgpack_packer *p, const struct ord_report *reports, uint32_t count)
{
	msgpack_pack_array(p, count);
	for (uint32_t i = 0; i < count; i++) {
		const struct ord_report *r = &reports[i];
		msgpack_pack_map(p, 7);
		ord_rpc_put_pair_u64(p, "shard", r->shard);
		put_member(p, &r->self);
		ord_rpc_put_text(p, "wal");
		put_wal(p, &r->host);
		ord_rpc_put_text(p, "state");
		put_state_files(p, &r->state);
		ord_rpc_put_text(p, "loop");
		put_turns(p, &r->turn);
	}
}

static void put_replicas(msgpack_packer *p, const struct ord_report *reports, uint32_t shards_count)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < shards_count; i++)
		count += reports[i].replicas_count;
	msgpack_pack_array(p, count);
	for (uint32_t i = 0; i < count; i++)
		put_replica(p, &reports[i % shards_count].replicas[i / shards_count], i);
}

void ord_status_put(msgpack_packer *p, const struct ord_config *config, const struct ord_report *reports,
		    uint32_t shards_count, uint64_t uptime_ms, uint32_t clients_count)
{
	struct ord_report sum;
	ord_report_sum(reports, shards_count, &sum);
	msgpack_pack_map(p, 16);
	put_identity(p, config);
	put_member(p, &sum.self);
	ord_rpc_put_pair_u64(p, "uptime_ms", uptime_ms);
	ord_rpc_put_text(p, "replicas");
	put_replicas(p, reports, shards_count);
	ord_rpc_put_text(p, "peers");
	put_peers(p, &sum);
	ord_rpc_put_text(p, "wal");
	put_wal(p, &sum.host);
	ord_rpc_put_text(p, "state");
	put_state_files(p, &sum.state);
	ord_rpc_put_text(p, "history");
	ord_status_put_history(p, &sum.history, &sum.scrub);
	ord_rpc_put_text(p, "disk");
	put_disk(p, &sum.room);
	ord_rpc_put_text(p, "loop");
	put_turns(p, &sum.turn);
	ord_rpc_put_pair_u64(p, "clients", clients_count);
	ord_rpc_put_text(p, "shards");
	put_shards(p, reports, shards_count);
}
