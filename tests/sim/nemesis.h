/* SPDX-License-Identifier: Apache-2.0 - who makes things go wrong, and who puts them right again. */
#ifndef ORD_TESTS_SIM_NEMESIS_H
#define ORD_TESTS_SIM_NEMESIS_H

#include "tests/sim/swarm.h"

/* Starts all nodes, and faults from now on, each for a while. swarm is borrowed. */
void sim_nemesis_start(const struct sim_swarm *swarm);

/* Something is happening at that node, now, in the middle of which a crash would be worth seeing; some do crash soon. */
void sim_nemesis_tempt(uint32_t node, uint32_t once_in);

/* The liveness phase: no new faults; a majority of nodes, drawn by chance, is well and connected from now on. The others are down, paused or cut off. */
void sim_nemesis_spare_majority(void);

/* All nodes are well and connected from now on. */
void sim_nemesis_spare_all(void);

#endif
