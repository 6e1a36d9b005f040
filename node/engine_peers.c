/* SPDX-License-Identifier: Apache-2.0 - which other nodes the engine reaches, by themselves or through a third one, and what follows when that changes. */
#include "base/assert.h"
#include "node/engine_state.h"

void ord_engine_peer_ended(struct ord_engine *e, uint32_t node)
{
	uint32_t place = ord_engine_place(e, node);
	ORD_ASSERT(place < e->nodes_count);
	if (!e->relayed[place])
		ord_engine_remote_lose(e, place);
}

bool ord_engine_reaches(const struct ord_engine *e, uint32_t place)
{
	return e->connected[place] || e->relayed[place];
}

bool ord_engine_reaches_majority(const struct ord_engine *e)
{
	uint32_t count = 1;
	for (uint32_t place = 0; place < e->nodes_count; place++)
		count += e->nodes[place] != e->node && ord_engine_reaches(e, place);
	return count > e->nodes_count / 2;
}

/* Nothing that is owed to a node gets there, or comes from it. */
static void peer_lost(struct ord_engine *e, uint32_t place)
{
	uint32_t node = e->nodes[place];
	ord_engine_remote_lose(e, place);
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count)
		ord_replica_doubt(&e->replicas[i], node);
	ord_forward_peer_lost(&e->forward, node);
}

/* What goes to a node takes another way from now on: what was under way may be lost, and who leads may have changed meanwhile. */
static void peer_found(struct ord_engine *e, uint32_t place)
{
	uint32_t node = e->nodes[place];
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count) {
		if (e->replicas[i].leader == node)
			ord_dispatch_restart_all(e, i);
		if (e->replicas[i].ready)
			ord_dispatch_tell_ready(&e->replicas[i], node); /* its own group may not know */
	}
}

void ord_engine_peer_relayed(struct ord_engine *e, uint32_t node, bool relayed)
{
	uint32_t place = ord_engine_place(e, node);
	ORD_ASSERT(place < e->nodes_count);
	e->relayed[place] = relayed;
	e->forward.retry = true;
	if (!ord_engine_reaches(e, place)) {
		peer_lost(e, place);
		return;
	}
	ord_forward_rerouted(&e->forward, node);
	peer_found(e, place);
}

void ord_engine_tell_ready(struct ord_engine *e)
{
	e->ready_told_ms = e->now_ms;
	for (uint32_t place = 0; place < e->nodes_count; place++)
		for (uint32_t i = e->shard; e->relayed[place] && i < e->partitions_count; i += e->shards_count)
			if (e->replicas[i].ready)
				ord_dispatch_tell_ready(&e->replicas[i], e->nodes[place]);
}

void ord_engine_peer(struct ord_engine *e, uint32_t node, bool connected)
{
	uint32_t place = ord_engine_place(e, node);
	ORD_ASSERT(place < e->nodes_count);
	e->connected[place] = connected;
	e->forward.retry = true;
	if (!connected) {
		e->rooms[place] = ORD_ROOM_OK; /* until it says otherwise */
		ord_host_peer(e->host, node, 0);
		if (!e->relayed[place])
			peer_lost(e, place);
		ord_fill_peer_lost(&e->fill, place);
		return;
	}
	peer_found(e, place);
	ord_engine_tell_room(e, true);
}

void ord_engine_peer_member(struct ord_engine *e, uint32_t node, uint64_t member)
{
	ord_host_peer(e->host, node, member);
}
