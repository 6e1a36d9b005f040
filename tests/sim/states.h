/* SPDX-License-Identifier: Apache-2.0 - where the states of simulated nodes lie: in the place of LMDB, whose files no simulated disk could hold. */
#ifndef ORD_TESTS_SIM_STATES_H
#define ORD_TESTS_SIM_STATES_H

#include <stdint.h>

/* Every node has a place for each partition, which outlives its programs and any loss of power: what was written there in one piece is there. */
void sim_states_open(uint32_t nodes_count, uint32_t partitions_count);
void sim_states_close(void);

/* All that a node had is gone. It must be down. */
void sim_states_lose(uint32_t node);

#endif
