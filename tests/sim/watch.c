/* SPDX-License-Identifier: Apache-2.0 - looking at nodes. */
#include "tests/sim/watch.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "node/engine_state.h"
#include "node/replica.h"
#include "node/shard.h"
#include "tests/sim/coverage.h"
#include "tests/sim/nemesis.h"
#include "tests/sim/observe.h"
#include "tests/sim/record.h"
#include "tests/sim/watch_rooms.h"
#include "tests/sim/world.h"

#define LOOK_US (100u * SIM_MS)
#define HANDOVER_US (5u * SIM_SECOND)
/* A fenced replica asks for another state again and again; so long it may be seen not to. */
#define UNWANTED_US (2u * SIM_SECOND)
/* Terms of a partition in which a leader was seen, by term modulo. */
#define TERMS_KEPT 4096
/* The longest entry there is in a run: a batch of the log that is written, and one that fills, are a segment long, or that. */
#define SLACK_BYTES (128u << 10)
/* Lengths of what stands in entries. */
#define MESSAGE_BYTES_MAX 320u
#define COMMAND_BYTES_MIN 24u

struct leadership {
	uint64_t term;
	uint32_t node;
};

static struct {
	const struct sim_swarm *swarm;
	struct leadership seen[SIM_PARTITIONS_MAX][TERMS_KEPT];
	uint32_t leader[SIM_PARTITIONS_MAX];		     /* the last one */
	uint64_t waiters[SIM_NODES_MAX][SIM_PARTITIONS_MAX]; /* at the last look */
	uint64_t segments[SIM_NODES_MAX][SIM_SHARDS_MAX];
	uint64_t handed_us[SIM_PARTITIONS_MAX]; /* when the last hand-over began */
	uint32_t settled[SIM_PARTITIONS_MAX];	/* the leader whose term all nodes were in at the last look; 0: none */
	uint64_t dropped[SIM_NODES_MAX][SIM_SHARDS_MAX][SIM_NODES_MAX];
	uint64_t unwanted_us[SIM_NODES_MAX + 1]
			    [SIM_PARTITIONS_MAX];	 /* a fenced replica asks for nothing since; 0: it does */
	uint64_t wanted_entries[SIM_PARTITIONS_MAX];	 /* that all replicas are to apply; 0: not asked for yet */
	bool replaced[SIM_NODES_MAX + 1];		 /* entries of the write that is under way */
	bool decided[SIM_NODES_MAX + 1][SIM_SHARDS_MAX]; /* the node knew what it is, once */
} watch;

/* Raft's election safety: one leader in a term. */
static void look_leader(uint32_t node, uint32_t partition, const struct ord_replica_status *s)
{
	if (s->group.role != ORD_ROLE_LEADER)
		return;
	struct leadership *l = &watch.seen[partition][s->group.term % TERMS_KEPT];
	if (l->term == s->group.term && l->node != node)
		sim_fail(SIM_SAFETY, "partition %u has two leaders in term %llu: nodes %u and %u", partition,
			 (unsigned long long)s->group.term, l->node, node);
	*l = (struct leadership){.term = s->group.term, .node = node};
	uint32_t before = watch.leader[partition];
	if (!s->ready || before == node)
		return;
	watch.leader[partition] = node;
	if (before == 0)
		return;
	sim_cover(SIM_COVER_ELECTION);
	if (watch.waiters[before - 1][partition] > 0)
		sim_cover(SIM_COVER_ELECTION_LOADED);
	sim_trace("partition %llu: node %llu leads in term %llu", partition, node, s->group.term, 0);
}

static void bound(uint32_t node, const char *what, uint64_t value, uint64_t most)
{
	if (value > most)
		sim_fail(SIM_SAFETY, "node %u: %s is %llu, over its bound of %llu", node, what,
			 (unsigned long long)value, (unsigned long long)most);
}

/* What comes from inside is not refused, so that it is bounded by what others may have under way to it. */
static uint64_t internal_bytes(const struct ord_bounds *b)
{
	uint64_t lane = (uint64_t)(b->deliver_window + 1) * MESSAGE_BYTES_MAX + b->deliver_bytes;
	return watch.swarm->node.partitions_count * (lane + ORD_COMMAND_BYTES_MAX);
}

static void look_queues(uint32_t node, uint32_t partition, const struct ord_engine *e)
{
	const struct ord_bounds *b = &e->bounds;
	const struct ord_replica *r = &e->replicas[partition];
	bound(node, "bytes of clients that wait for admission", r->admit.clients.bytes,
	      b->admit_bytes + ORD_COMMAND_BYTES_MAX);
	bound(node, "bytes of partitions that wait for admission", r->admit.internal.bytes, internal_bytes(b));
	bound(node, "reads that wait", r->reads.count, b->reads_count);
	bound(node, "transfers without outcome", r->unsettled_count,
	      b->unsettled_count + b->entry_bytes / COMMAND_BYTES_MIN);
	for (uint32_t i = 0; r->ready && i < watch.swarm->node.partitions_count; i++)
		bound(node, "messages on their way to another partition",
		      r->dispatch.lanes[i].next - r->dispatch.lanes[i].acked - 1,
		      b->deliver_window + b->deliver_bytes / COMMAND_BYTES_MIN + 1);
}

static void look_replica(uint32_t node, uint32_t partition, const struct ord_engine *e)
{
	struct ord_replica_status s;
	ord_engine_replica_status(e, partition, &s);
	look_leader(node, partition, &s);
	look_queues(node, partition, e);
	if (s.group.applied_index > s.group.commit_index || s.group.commit_index > s.group.last_index)
		sim_fail(SIM_SAFETY, "node %u, partition %u: applied %llu, committed %llu, last %llu", node, partition,
			 (unsigned long long)s.group.applied_index, (unsigned long long)s.group.commit_index,
			 (unsigned long long)s.group.last_index);
	if (s.ready && e->replicas[partition].fence.state == ORD_FENCE_FENCED)
		sim_fail(SIM_SAFETY, "node %u leads partition %u with a replica that is fenced", node, partition);
	if (s.admit_count > 0)
		sim_cover(SIM_COVER_ADMIT_WAITS);
	if (s.state.outbox_count > 0)
		sim_cover(SIM_COVER_OUTBOX_WAITS);
	if (s.group.applied_index > s.group.durable_index)
		sim_cover(SIM_COVER_COMMIT_AHEAD_OF_DISK);
	watch.waiters[node - 1][partition] = s.waiters_count;
}

/* A replica that is fenced has nobody to tell it when there is a state to be had: it goes on asking. */
static void look_fenced(uint32_t node, uint32_t partition, const struct ord_engine *e)
{
	uint64_t *us = &watch.unwanted_us[node][partition];
	const struct sim_process *p = sim_node_process(node);
	bool is_awake = e != NULL && p->paused_until_us <= sim_now_us() && p->busy_until_us <= sim_now_us();
	if (!is_awake || e->replicas[partition].fence.state != ORD_FENCE_FENCED || e->copy_in.wants[partition].wanted)
		*us = 0;
	else if (*us == 0)
		*us = sim_now_us();
	else if (sim_now_us() - *us > UNWANTED_US)
		sim_fail(SIM_LIVENESS, "node %u, partition %u: the replica is fenced, and asks for no other state",
			 node, partition);
}

static void look_shard(uint32_t node, uint32_t number, const struct ord_shard *shard)
{
	const struct ord_engine *e = ord_shard_engine(shard);
	bound(node, "calls passed on", e->forward.calls.count, e->bounds.forwards_count);
	struct ord_host_status h;
	ord_engine_host_status(e, &h);
	bound(node, "log in memory", h.cached_bytes,
	      watch.swarm->node.cache_bytes + 2 * h.wal_waiting_bytes +
		      2 * (watch.swarm->node.segment_bytes + SLACK_BYTES));
	uint64_t segment = h.wal_bytes / watch.swarm->node.segment_bytes;
	if (segment > watch.segments[node - 1][number] && watch.segments[node - 1][number] > 0)
		sim_cover(SIM_COVER_SEGMENT_CHANGE);
	watch.segments[node - 1][number] = segment;
	struct ord_member_self self;
	ord_shard_member_status(shard, &self);
	if (self.member == 0)
		sim_cover(SIM_COVER_UNDECIDED);
	watch.decided[node][number] = watch.decided[node][number] || self.member != 0;
	for (uint32_t i = 0; i < ord_shard_peers_count(shard); i++) {
		struct ord_peer_status peer;
		ord_shard_peer_status(shard, i, &peer);
		bound(node, "bytes for a peer", peer.output_bytes, e->bounds.peer_output_bytes);
		if (peer.dropped_count > watch.dropped[node - 1][number][i])
			sim_cover(SIM_COVER_PEER_DROPPED);
		watch.dropped[node - 1][number][i] = peer.dropped_count;
		if (peer.passed_count > 0)
			sim_cover(SIM_COVER_RELAYED);
	}
}

static void look_node(uint32_t node)
{
	for (uint32_t i = 0; i < watch.swarm->node.partitions_count; i++)
		look_fenced(node, i, sim_node_engine(node, i));
	for (uint32_t i = 0; i < watch.swarm->node.partitions_count; i++)
		if (sim_node_engine(node, i) != NULL)
			look_replica(node, i, sim_node_engine(node, i));
	for (uint32_t i = 0; i < sim_shards_count(); i++)
		if (sim_node_shard(node, i) != NULL)
			look_shard(node, i, sim_node_shard(node, i));
}

/* Nobody has asked for votes in a later term, and nobody's request is under way. */
static void look_settled(uint32_t partition)
{
	uint32_t leader = watch.leader[partition];
	struct ord_replica_status s;
	uint64_t term = 0;
	watch.settled[partition] = 0;
	for (uint32_t i = 1; i <= watch.swarm->node.nodes_count; i++) {
		const struct ord_engine *e = sim_node_engine(i, partition);
		if (e == NULL)
			return;
		ord_engine_replica_status(e, partition, &s);
		if ((term != 0 && s.group.term != term) || s.group.leader != leader)
			return;
		term = s.group.term;
	}
	watch.settled[partition] = leader;
}

static void look_event(void *ctx, uint64_t arg)
{
	for (uint32_t i = 1; i <= watch.swarm->node.nodes_count; i++)
		look_node(i);
	for (uint32_t i = 0; i < watch.swarm->node.partitions_count; i++)
		look_settled(i);
	sim_watch_rooms_look();
	sim_at(sim_now_us() + LOOK_US, look_event, ctx, arg);
}

void sim_watch_start(const struct sim_swarm *swarm)
{
	memset(&watch, 0, sizeof watch);
	watch.swarm = swarm;
	sim_watch_rooms_start(swarm);
	sim_at(sim_now_us() + LOOK_US, look_event, NULL, 0);
}

bool sim_watch_founded(void)
{
	for (uint32_t i = 1; i <= watch.swarm->node.nodes_count; i++)
		for (uint32_t k = 0; k < sim_shards_count(); k++)
			if (!watch.decided[i][k])
				return false;
	return true;
}

/* What else a replica must be; NULL: it is. */
static const char *replica_lacks(const struct ord_engine *e, uint32_t node, uint32_t partition)
{
	if (e == NULL)
		return ", which is down,";
	if (e->replicas[partition].lost)
		return ", whose state is lost,";
	if (e->replicas[partition].fence.state == ORD_FENCE_FENCED)
		return ", whose replica is fenced,";
	return sim_record_is_spoilt(node, partition) ? ", whose replica went astray," : NULL;
}

bool sim_watch_all_equal(char *why, size_t why_size)
{
	for (uint32_t node = 1; node <= watch.swarm->node.nodes_count; node++) {
		for (uint32_t i = 0; i < watch.swarm->node.partitions_count; i++) {
			const struct ord_engine *e = sim_node_engine(node, i);
			if (watch.wanted_entries[i] == 0)
				watch.wanted_entries[i] = sim_record_entries(i);
			uint64_t known = watch.wanted_entries[i];
			uint64_t applied = sim_record_applied(node, i);
			const char *but = replica_lacks(e, node, i);
			if (applied >= known && but == NULL)
				continue;
			snprintf(why, why_size, "node %u%s has applied %llu of the %llu entries of partition %u", node,
				 but == NULL ? "" : but, (unsigned long long)applied, (unsigned long long)known, i);
			return false;
		}
	}
	return true;
}

static void show_replica(uint32_t node, uint32_t partition, const struct ord_engine *e)
{
	struct ord_replica_status s;
	ord_engine_replica_status(e, partition, &s);
	printf("node %u partition %u: %s%s in term %llu, leader %u, last %llu, committed %llu, applied %llu, durable "
	       "%llu; position "
	       "%llu, outbox %llu, unsettled %llu, waiters %llu\n",
	       node, partition, ord_role_name(s.group.role), s.ready ? " (ready)" : "",
	       (unsigned long long)s.group.term, s.group.leader, (unsigned long long)s.group.last_index,
	       (unsigned long long)s.group.commit_index, (unsigned long long)s.group.applied_index,
	       (unsigned long long)s.group.durable_index, (unsigned long long)s.state.position,
	       (unsigned long long)s.state.outbox_count, (unsigned long long)s.state.unsettled_count,
	       (unsigned long long)s.waiters_count);
}

void sim_watch_show(void)
{
	for (uint32_t node = 1; watch.swarm != NULL && node <= watch.swarm->node.nodes_count; node++) {
		const struct sim_process *p = sim_node_process(node);
		static const char *const states[] = {"down", "up", "dying", "a ghost"};
		printf("node %u is %s%s%s\n", node, states[p->state],
		       p->paused_until_us > sim_now_us() ? ", paused" : "",
		       sim_node_is_damaged(node) ? ", damaged" : "");
		for (uint32_t i = 0; i < watch.swarm->node.partitions_count; i++)
			if (sim_node_engine(node, i) != NULL)
				show_replica(node, i, sim_node_engine(node, i));
	}
}

/* Where nothing but disks goes wrong, a leadership that all nodes know changes by being handed over. */
static void look_steady(uint32_t partition)
{
	if (watch.settled[partition] != sim_current()->number)
		return;
	bool handed = watch.handed_us[partition] != 0 && sim_now_us() - watch.handed_us[partition] < HANDOVER_US;
	if (watch.swarm != NULL && watch.swarm->steady && !handed && !sim_is_dead(sim_current()))
		sim_fail(SIM_LIVENESS, "node %u loses the leadership of partition %u, and only disks are slow",
			 sim_current()->number, partition);
}

/* --- What comes from other partitions before it is put into a log. The linker leads the call here. --- */

bool __real_ord_dispatch_wants(const struct ord_replica *r, const struct ord_deliver *run);
bool __wrap_ord_dispatch_wants(const struct ord_replica *r, const struct ord_deliver *run);

bool __wrap_ord_dispatch_wants(const struct ord_replica *r, const struct ord_deliver *run)
{
	bool wants = __real_ord_dispatch_wants(r, run);
	if (!wants)
		sim_cover(run->first > r->dispatch.taken[run->source] + 1 ? SIM_COVER_DELIVER_CAME_EARLY
									  : SIM_COVER_DELIVER_CAME_TWICE);
	return wants;
}

/* --- Calls of a node that is not taken for connected. --- */

int __real_ord_engine_receive(struct ord_engine *e, uint32_t from, enum ord_part_kind kind, struct ord_slice body);
int __wrap_ord_engine_receive(struct ord_engine *e, uint32_t from, enum ord_part_kind kind, struct ord_slice body);

int __wrap_ord_engine_receive(struct ord_engine *e, uint32_t from, enum ord_part_kind kind, struct ord_slice body)
{
	bool is_call = kind == ORD_PART_SUBMIT || kind == ORD_PART_READ;
	if (is_call && !e->connected[ord_engine_place(e, from)])
		sim_cover(SIM_COVER_LATE_CALL);
	return __real_ord_engine_receive(e, from, kind, body);
}

/* --- Writes whose entries are replaced before they are durable. --- */

void __real_ord_host_synced(struct ord_host *h, int status);
void __wrap_ord_host_synced(struct ord_host *h, int status);

void __wrap_ord_host_synced(struct ord_host *h, int status)
{
	uint32_t node = sim_current() == NULL ? 0 : sim_current()->number;
	bool replaced = node != 0 && watch.replaced[node];
	if (replaced)
		watch.replaced[node] = false;
	__real_ord_host_synced(h, status);
	if (replaced)
		sim_nemesis_tempt_replaced(node);
}

static void look_truncation(uint32_t node, uint32_t partition)
{
	const struct ord_engine *e = sim_node_engine(node, partition);
	struct ord_replica_status s;
	struct ord_host_status h;
	sim_cover(SIM_COVER_TRUNCATION);
	if (e == NULL)
		return;
	ord_engine_replica_status(e, partition, &s);
	ord_engine_host_status(e, &h);
	if (!h.sync_in_flight || s.group.durable_index >= s.group.last_index)
		return;
	sim_cover(SIM_COVER_TRUNCATION_UNDER_WAY);
	watch.replaced[node] = true;
}

/* --- What the node's own trace points tell (base/trace.h). The linker leads them here. --- */

void __real_ord_trace(const char *what, uint64_t a, uint64_t b);
void __wrap_ord_trace(const char *what, uint64_t a, uint64_t b);

void __wrap_ord_trace(const char *what, uint64_t a, uint64_t b)
{
	__real_ord_trace(what, a, b);
	if (sim_current() == NULL || strncmp(what, "client connection", 17) == 0)
		return;
	sim_trace_text("%s %llu %llu", what, (unsigned long long)a, (unsigned long long)b);
	if (strcmp(what, "replica_damaged") == 0)
		sim_cover(SIM_COVER_FENCED_DAMAGED);
	if (strcmp(what, "replica_fenced") == 0)
		sim_cover(SIM_COVER_FENCED_DIFFERS);
	bool truncates = strcmp(what, "group truncates") == 0;
	if (truncates)
		look_truncation(sim_current()->number, (uint32_t)a);
	sim_nemesis_tempt(sim_current()->number, truncates ? 2 : 10);
	if (strcmp(what, "log tail cut") == 0)
		sim_cover(SIM_COVER_TORN_TAIL);
	if (strcmp(what, "log segment not begun") == 0)
		sim_cover(SIM_COVER_SEGMENT_REUSED_UNWRITTEN);
	if (strcmp(what, "group hand-over begins") == 0) {
		sim_cover(SIM_COVER_HANDOVER);
		watch.handed_us[a] = sim_now_us();
		sim_nemesis_tempt_handover((uint32_t)b);
	}
	if (strcmp(what, "replica_lose") == 0)
		look_steady((uint32_t)a);
}
