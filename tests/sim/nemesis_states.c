/* SPDX-License-Identifier: Apache-2.0 - states that go wrong on one node: a bit of a record changes on its disk, or a balance in its memory.
 *
 * One node at a time, and no other disk is lost meanwhile: what is wrong is made good from the others. The node has to find it by itself. What a leader that went astray would tell clients nobody could tell from the
 * truth before the next mark, so such a replica is one that follows, and its node dies before it would lead; nor is it copied from.
 */
#include <stdio.h>

#include "base/err.h"
#include "node/engine_state.h"
#include "partition/state.h"
#include "tests/sim/coverage.h"
#include "tests/sim/nemesis_state.h"
#include "tests/sim/record.h"
#include "tests/sim/states.h"
#include "tests/sim/world.h"

#define SPOIL_MOST 5
/* A mark has to come soon: in the meantime the replica is wrong, and nobody knows. */
#define SPOIL_MARK_ENTRIES_MAX 20
#define ACCOUNTS_PASSED_MAX 8

static uint32_t damaged; /* a node; 0: none */

void sim_nemesis_states_open(void)
{
	damaged = 0;
}

static bool is_whole(uint32_t node)
{
	for (uint32_t i = 0; i < sim_nemesis.swarm->node.partitions_count; i++) {
		const struct ord_engine *e = sim_node_engine(node, i);
		if (e == NULL || !ord_replica_is_whole(&e->replicas[i]))
			return false;
	}
	return true;
}

bool sim_nemesis_states_are_wrong(void)
{
	if (damaged != 0 && !sim_states_are_damaged(damaged) && is_whole(damaged)) {
		sim_cover(SIM_COVER_STATE_REPAIRED);
		damaged = 0;
	}
	return damaged != 0 || sim_record_any_spoilt();
}

void sim_fault_DAMAGE_STATE(void)
{
	uint32_t node = sim_nemesis_draw_node();
	uint32_t partition = (uint32_t)sim_below(SIM_NEMESIS, sim_nemesis.swarm->node.partitions_count);
	if (sim_nemesis.nodes_count < 3 || !sim_nemesis_may_harm() ||
	    !sim_states_damage(node, partition, sim_percent(SIM_NEMESIS, 30)))
		return;
	sim_cover(SIM_COVER_STATE_DAMAGED);
	damaged = node;
	sim_record_harm(node);
	if (sim_percent(SIM_NEMESIS, 50))
		sim_node_kill(node, 0);
}

/* --- Replicas that go astray. --- */

/* Some account that it has in memory. */
static struct ord_account *draw_account(struct ord_partition *p)
{
	uint64_t cursor = 0;
	struct ord_account *a = ord_state_next_account(p, &cursor, NULL);
	for (uint64_t passed = sim_below(SIM_NEMESIS, ACCOUNTS_PASSED_MAX); a != NULL && passed > 0; passed--) {
		struct ord_account *next = ord_state_next_account(p, &cursor, a);
		if (next == NULL)
			break;
		a = next;
	}
	return a;
}

void sim_fault_SPOIL(void)
{
	uint32_t node = sim_nemesis_draw_node();
	uint32_t partition = (uint32_t)sim_below(SIM_NEMESIS, sim_nemesis.swarm->node.partitions_count);
	int64_t delta = 1 + (int64_t)sim_below(SIM_NEMESIS, SPOIL_MOST);
	uint32_t mark_entries = sim_nemesis.swarm->node.mark_entries;
	const struct ord_engine *e = sim_node_engine(node, partition);
	struct ord_replica_status s;
	if (sim_nemesis.nodes_count < 3 || !sim_nemesis_may_harm() || e == NULL || mark_entries == 0 ||
	    mark_entries > SPOIL_MARK_ENTRIES_MAX || !ord_replica_is_whole(&e->replicas[partition]))
		return;
	ord_engine_replica_status(e, partition, &s);
	struct ord_account *a = draw_account(e->replicas[partition].partition);
	if (a == NULL || s.group.role != ORD_ROLE_FOLLOWER || s.group.leader == 0)
		return;
	SIM_ASSERT(ord_partition_spoil(e->replicas[partition].partition, ord_account_id(a), delta) == ORD_OK);
	sim_cover(SIM_COVER_REPLICA_SPOILT);
	sim_trace("node %llu: a balance in its memory of partition %llu is changed by %llu", node, partition,
		  (uint64_t)delta, 0);
	sim_record_spoil(node, partition);
}

/* No mark may come any more. What has not been found becomes damage that a start finds. */
void sim_nemesis_states_put_right(void)
{
	for (uint32_t node = 1; node <= sim_nemesis.nodes_count; node++)
		for (uint32_t i = 0; i < sim_nemesis.swarm->node.partitions_count; i++) {
			const struct ord_engine *e = sim_node_engine(node, i);
			if (!sim_record_is_spoilt(node, i) ||
			    (e != NULL && e->replicas[i].fence.state == ORD_FENCE_FENCED))
				continue;
			if (sim_states_damage(node, i, true)) {
				damaged = node;
				sim_record_harm(node);
			}
			sim_node_kill(node, 0);
		}
}

/* --- A replica that is to lead. The linker leads the call here. --- */

void __real_ord_replica_role(struct ord_replica *r, enum ord_role role, uint32_t leader);
void __wrap_ord_replica_role(struct ord_replica *r, enum ord_role role, uint32_t leader);

void __wrap_ord_replica_role(struct ord_replica *r, enum ord_role role, uint32_t leader)
{
	struct sim_process *p = sim_current();
	if (role == ORD_ROLE_LEADER && r->fence.state != ORD_FENCE_FENCED && p->state == SIM_UP &&
	    sim_record_is_spoilt(p->number, r->id)) {
		sim_trace("node %llu dies before it leads partition %llu", p->number, r->id, 0, 0);
		sim_process_die(p);
	}
	__real_ord_replica_role(r, role, leader);
}
