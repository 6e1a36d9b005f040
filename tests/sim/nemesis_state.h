/* SPDX-License-Identifier: Apache-2.0 - the inside of the nemesis, for tests/sim/nemesis*.c alone.
 *
 * What a fault changed is undone when it ends, unless a later fault of the same kind at the same place still goes on, or the liveness phase has put everything
 * right; clocks stay as wrong as they are. Whatever ends a node, it is started again after a while.
 */
#ifndef ORD_TESTS_SIM_NEMESIS_STATE_H
#define ORD_TESTS_SIM_NEMESIS_STATE_H

#include "tests/sim/swarm.h"

/* Whose files are damaged. */

#define SIM_RESTART_US_MIN (5u * SIM_MS)

extern struct sim_nemesis {
	const struct sim_swarm *swarm;
	uint32_t nodes_count;
	bool active;	/* faults go on */
	uint64_t phase; /* rises when all faults that last are put an end to */
	uint64_t cuts;	/* of the last cut between nodes */
	uint64_t disk_until_us[SIM_NODES_MAX + 1];
	uint64_t slow_until_us[SIM_NODES_MAX + 1][SIM_NODES_MAX + 1];
	uint64_t frames_until_us;
	uint64_t late_until_us;	      /* a leader hears late what the others say */
	bool held[SIM_NODES_MAX + 1]; /* stays down on purpose */
	bool soon[SIM_NODES_MAX + 1]; /* is started at once, so to speak, when it goes down */
	uint32_t lost;		      /* one of them, which was so before the liveness phase began; 0: none */
	uint64_t ends_us;	      /* of the safety phase */
	uint32_t spoilt;	      /* the node whose history is damaged now and then; 0: not drawn yet */
	uint32_t flapping;	      /* a node that starts again and again */
	uint64_t flaps_end_us;
} sim_nemesis;

uint64_t sim_nemesis_draw_lasts_us(void);
uint32_t sim_nemesis_draw_node(void);
/* Another one than that, when there is one. */
uint32_t sim_nemesis_draw_other(uint32_t node);
uint32_t sim_nemesis_draw_client(void); /* its address */
/* The leader of some partition. */
uint32_t sim_nemesis_draw_leader(void);

/* Calls fn after a while. It returns at once when the phase is another by then: sim_nemesis_is_void(ctx). */
void sim_nemesis_at(uint64_t after_us, void (*fn)(void *ctx, uint64_t arg), uint64_t arg);
bool sim_nemesis_is_void(const void *ctx);

/* Nodes. */
void sim_nemesis_node_start(uint32_t node);   /* unless it runs; some do not get far */
void sim_nemesis_restart_soon(uint32_t node); /* when it goes down next */
void sim_nemesis_node_down(uint32_t node);    /* plans its restart */

/* It gets no processor for so long. It may be deaf to one of the others when it wakes, and not have noticed that time has passed, as a machine that was suspended. */
void sim_nemesis_sleep(uint32_t node, uint64_t lasts_us);

/* Paths. */
void sim_nemesis_cut_off(uint32_t node);
void sim_nemesis_deafen(
	uint32_t node,
	uint64_t lasts_us); /* to one of the others: when that one has come to lead, only those between them can tell */

/* Lost disks. */
void sim_nemesis_loss_start(void);
bool sim_nemesis_is_losing(void);
bool sim_nemesis_may_harm(void); /* a disk, or a node for good */
void sim_nemesis_harmed(void);

/* States. */
void sim_nemesis_states_open(void);
bool sim_nemesis_states_are_wrong(
	void); /* somewhere a state is damaged or not what it should be, or is being made anew */
void sim_nemesis_states_put_right(void); /* all but what a node is about to put right itself */

/* Disks. */
void sim_nemesis_stall_disk(uint32_t node); /* a sync takes longer than an election */
struct sim_disk_habits *sim_nemesis_habits(uint32_t node);
void sim_nemesis_disk_lasts(
	uint32_t node); /* what its disk does now ends after a while, unless a later fault goes on */

/* Each begins one fault. */
#define X(name, text) void sim_fault_##name(void);
#include "tests/sim/faults.def"
#undef X

#endif
