/* SPDX-License-Identifier: Apache-2.0 - the engine of one shard among others of the same node: what is for a partition of another one is handed to it, and it does with that as if it had come up there. */

/* What goes from one node's shard to another node's takes two steps, in this order: across the shards of the node, then from node to node between the shards of the same number.
 *
 *   SUBMIT, READ      to the shard that has the partition, which answers, whoever leads it (ANSWER)
 *   DELIVER, CURSOR   to the shard that has the partition they are for, which takes them or passes them on to the leader; lost when there is none, as by a network
 *   LEADER            from the shard that has a partition to all others: who leads it
 */
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/engine_state.h"

bool ord_engine_owns(const struct ord_engine *e, uint32_t partition)
{
	return partition < e->partitions_count && (e->shards_count == 1 || partition % e->shards_count == e->shard);
}

uint32_t ord_engine_owned_count(const struct ord_engine *e)
{
	return (e->partitions_count - e->shard + e->shards_count - 1) / e->shards_count;
}

uint32_t ord_engine_shard_of(const struct ord_engine *e, uint32_t partition)
{
	return ORD_ENGINE_SHARDS + partition % e->shards_count;
}

bool ord_engine_hand(struct ord_engine *e, uint32_t shard, enum ord_part_kind kind)
{
	ORD_ASSERT(!e->scratch.failed);
	ORD_ASSERT(shard < e->shards_count && shard != e->shard);
	return e->events.hand(e->events.ctx, shard, kind, ord_bytes_slice(&e->scratch));
}

/* --- Who leads. --- */

static bool tell(struct ord_engine *e, const struct ord_part_leader *part)
{
	bool is_told = true;
	for (uint32_t i = 0; i < e->shards_count; i++) {
		if (i == e->shard)
			continue;
		ord_bytes_clear(&e->scratch);
		ord_wire_put_leader(part, &e->scratch);
		is_told = ord_engine_hand(e, i, ORD_PART_LEADER) && is_told;
	}
	return is_told;
}

void ord_engine_tell_leaders(struct ord_engine *e)
{
	if (e->shards_count == 1)
		return;
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count) {
		struct ord_replica *r = &e->replicas[i];
		struct ord_part_leader part = {
			.partition = i, .leader = ord_dispatch_leader(e, i), .is_renewed = r->renewed};
		if (part.leader == r->told_leader && !r->renewed)
			continue;
		if (!tell(e, &part))
			return; /* in the next turn, all once more */
		r->told_leader = part.leader;
		r->renewed = false;
	}
}

static void take_leader(struct ord_engine *e, struct ord_slice body)
{
	struct ord_part_leader part;
	int err = ord_wire_get_leader(body, &part);
	ORD_ASSERT(err == ORD_OK && part.partition < e->partitions_count && !ord_engine_owns(e, part.partition));
	struct ord_replica *r = &e->replicas[part.partition];
	if (part.leader != r->leader)
		ord_dispatch_hasten(e, part.partition);
	r->leader = part.leader;
	if (part.is_renewed)
		ord_dispatch_restart_all(e, part.partition);
}

uint32_t ord_engine_leader(const struct ord_engine *e, uint32_t partition)
{
	ORD_ASSERT(partition < e->partitions_count);
	return e->replicas[partition].leader;
}

/* --- What another shard hands. --- */

static void take_call(struct ord_engine *e, uint32_t shard, enum ord_part_kind kind, struct ord_slice body)
{
	struct ord_part_call part;
	int err = ord_wire_get_call(body, &part);
	ORD_ASSERT(err == ORD_OK && ord_engine_owns(e, part.partition));
	struct ord_engine_remote *remote = ord_engine_sibling(e, shard);
	uint64_t deadline_ms = e->now_ms + part.timeout_ms;
	remote->calls_count++;
	if (kind == ORD_PART_READ) {
		ord_engine_read(e, part.partition, part.body, deadline_ms, &remote->waiter, (uint32_t)part.forward);
		return;
	}
	struct ord_command c;
	struct ord_reader reader = ord_reader_of(part.body);
	err = ord_command_decode(&reader, &c);
	ORD_ASSERT(err == ORD_OK); /* encoded by ord_engine_submit */
	ord_engine_submit(e, &c, part.wait, deadline_ms, &remote->waiter, (uint32_t)part.forward);
}

static void take_answer(struct ord_engine *e, uint32_t shard, struct ord_slice body)
{
	uint64_t number;
	struct ord_answer a;
	int err = ord_wire_get_answer(body, &number, &a);
	ORD_ASSERT(err == ORD_OK);
	ord_forward_answer(&e->forward, ORD_ENGINE_SHARDS + shard, (uint32_t)number, &a);
}

/* What is for the leader of one of this shard's partitions, and that is another node. */
static void pass_on(struct ord_engine *e, uint32_t partition, enum ord_part_kind kind, struct ord_slice body)
{
	uint32_t leader = ord_dispatch_leader(e, partition);
	if (leader != 0 && leader != e->node)
		e->events.send(e->events.ctx, leader, kind, body);
}

static void take_deliver(struct ord_engine *e, struct ord_slice body)
{
	struct ord_part_deliver part;
	int err = ord_wire_get_deliver(body, &part);
	ORD_ASSERT(err == ORD_OK && ord_engine_owns(e, part.destination));
	struct ord_replica *r = &e->replicas[part.destination];
	if (r->ready)
		ord_dispatch_take(r, &part.run);
	else
		pass_on(e, part.destination, ORD_PART_DELIVER, body);
}

static void take_cursor(struct ord_engine *e, struct ord_slice body)
{
	struct ord_part_cursor part;
	int err = ord_wire_get_cursor(body, &part);
	ORD_ASSERT(err == ORD_OK && ord_engine_owns(e, part.source));
	struct ord_replica *r = &e->replicas[part.source];
	if (r->ready)
		ord_dispatch_cursor(r, &part);
	else
		pass_on(e, part.source, ORD_PART_CURSOR, body);
}

void ord_engine_take(struct ord_engine *e, uint32_t shard, enum ord_part_kind kind, struct ord_slice body)
{
	ORD_ASSERT(shard < e->shards_count && shard != e->shard);
	if (e->stopped)
		return;
	switch (kind) {
	case ORD_PART_SUBMIT:
	case ORD_PART_READ:
		take_call(e, shard, kind, body);
		return;
	case ORD_PART_ANSWER:
		take_answer(e, shard, body);
		return;
	case ORD_PART_DELIVER:
		take_deliver(e, body);
		return;
	case ORD_PART_CURSOR:
		take_cursor(e, body);
		return;
	case ORD_PART_LEADER:
		take_leader(e, body);
		return;
	default:
		ORD_ASSERT(!"a part that no shard hands to another one");
	}
}
