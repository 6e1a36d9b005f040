/* SPDX-License-Identifier: Apache-2.0 - looks at all nodes again and again: bounds that must hold, states worth counting. */
#ifndef ORD_TESTS_SIM_WATCH_H
#define ORD_TESTS_SIM_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/sim/swarm.h"

/* Looks several times a second from now on. swarm is borrowed. */
void sim_watch_start(const struct sim_swarm *swarm);

/* True when every node has been seen to know what it is: a cluster begins when all nodes have met. */
bool sim_watch_founded(void);

/* True when all nodes are up, and have applied all that was known when this was first asked, and agree on it; else why says who has not. What a leader logs by itself, as when ids expire, comes for ever. */
bool sim_watch_all_equal(char *why, size_t why_size);

/* Prints how all replicas stand, for who looks at a failure. */
void sim_watch_show(void);

#endif
