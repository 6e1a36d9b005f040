/* SPDX-License-Identifier: Apache-2.0 - nodes whose disks fill up: they see it in time, and that there is room again; they do not go on leading, and at last take nothing more. For watch.c only. */
#ifndef ORD_TESTS_SIM_WATCH_ROOMS_H
#define ORD_TESTS_SIM_WATCH_ROOMS_H

#include "tests/sim/swarm.h"

/* Forgets what it has seen. swarm is borrowed. */
void sim_watch_rooms_start(const struct sim_swarm *swarm);

/* Looks at all nodes; several times a second. Fails the run. */
void sim_watch_rooms_look(void);

#endif
