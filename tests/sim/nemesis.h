/* SPDX-License-Identifier: Apache-2.0 - who makes things go wrong, and who puts them right again. */
#ifndef ORD_TESTS_SIM_NEMESIS_H
#define ORD_TESTS_SIM_NEMESIS_H

#include "tests/sim/swarm.h"

/* Starts all nodes, and faults from now on, each for a while. swarm is borrowed. */
void sim_nemesis_start(const struct sim_swarm *swarm);

/* Something is happening at that node, now, in the middle of which a crash would be worth seeing; some do crash soon. */
void sim_nemesis_tempt(uint32_t node, uint32_t once_in);

/* A write was just told to be durable, and entries in it were replaced while it was under way; at times the power goes before their successors are. */
void sim_nemesis_tempt_replaced(uint32_t node);

/* A leadership is being handed over to that node. At times, when the liveness phase is near, the node is lost then, until that phase is over. */
void sim_nemesis_tempt_handover(uint32_t to);

/* A node has passed a call on to another one. At times it is killed right then, again and again, while the answer waits for a disk: calls of one life are read, and
 * answered, in the next. */
void sim_nemesis_tempt_caller(uint32_t from, uint32_t to);

/* A node has given a file its name, and not synced the directory yet; at times it is killed right there. */
void sim_nemesis_tempt_renamed(uint32_t node);

/* A node has given another one its vote; at times it is killed right after, and back before the election is over. */
void sim_nemesis_tempt_voter(uint32_t node);

/* A leader has sent entries; where leaders sleep, at times it falls asleep before it hears of them, until there is another leader. */
void sim_nemesis_tempt_leader(uint32_t node);

/* The liveness phase: no new faults; a majority of nodes, drawn by chance, is well and connected from now on. The others are down, paused or cut off. */
void sim_nemesis_spare_majority(void);

/* True when every node is up and a voter of every group as the member that it is now, no log is damaged, and every partition is led. */
bool sim_nemesis_is_whole(void);

/* All nodes are well and connected from now on. */
void sim_nemesis_spare_all(void);

#endif
