/* SPDX-License-Identifier: Apache-2.0 - what a seed decides about its run before it begins: how large, how unreliable, how busy (A. Groce and others, "Swarm Testing", ISSTA 2012:
 * runs that leave things out find what runs of everything hide). */
#ifndef ORD_TESTS_SIM_SWARM_H
#define ORD_TESTS_SIM_SWARM_H

#include <stdint.h>

#include "tests/sim/disk.h"
#include "tests/sim/net.h"
#include "tests/sim/node.h"
#include "tests/sim/work.h"

enum sim_fault {
#define X(name, text) SIM_FAULT_##name,
#include "tests/sim/faults.def"
#undef X
	SIM_FAULTS_COUNT
};

struct sim_swarm {
	struct sim_node_options node;
	struct sim_work_options work;
	struct sim_net_habits net;
	struct sim_disk_habits disk;
	uint64_t safety_us;	 /* how long faults go on */
	uint64_t fault_pause_us; /* between two faults, on average; 0: no faults */
	uint64_t fault_lasts_us; /* a fault, at most */
	bool steady;		 /* disks get slow, and nothing else: no leader may lose its leadership by it */
	bool sleepers;		 /* leaders fall asleep while entries are under way */
	bool callers;		 /* nodes that pass calls on are killed again and again */
	bool overtaken;		 /* leaders that are cut off have slow disks, and may lose power when they are back */
	bool late_news;		 /* leaders hear all others late, and are replaced before they can know */
	bool loses_disks; /* disks are lost with all that is on them, and damaged logs set aside: each makes a new member */
	bool fills;	  /* disks fill up, and nothing else goes wrong */
	bool calm;	  /* no fault takes a leader away: what gets stuck stays stuck */
	unsigned weights[SIM_FAULTS_COUNT]; /* of each kind of fault; 0: it does not occur in this run */
};

/* Draws it all from SIM_SWARM, but how many shards a node has from SIM_SHARDS: shards_count is that number, 0: drawn for that seed. */
void sim_swarm_draw(struct sim_swarm *s, uint64_t seed, uint32_t shards_count);

/* One line for the trace. */
void sim_swarm_show(const struct sim_swarm *s);

const char *sim_fault_name(enum sim_fault fault);

#endif
