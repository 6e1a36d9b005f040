/* SPDX-License-Identifier: Apache-2.0 - where the states of simulated nodes lie: in the place of LMDB, whose files no simulated disk could hold. */
#ifndef ORD_TESTS_SIM_STATES_H
#define ORD_TESTS_SIM_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every node has a place for each partition, which outlives its programs and any loss of power: what was written there in one piece is there. */
void sim_states_open(uint32_t nodes_count, uint32_t partitions_count);
void sim_states_close(void);

/* A bit of a record changes, on the disk and in the eyes of a program that runs; of the partition's own numbers, which every start reads, or of any record. False when there is none yet. */
bool sim_states_damage(uint32_t node, uint32_t partition, bool is_meta);

/* The last record of the node that was damaged is still so. */
bool sim_states_are_damaged(uint32_t node);

/* No node has such a record any more: whose scrub has been round has found it. False with why (why_size bytes). */
bool sim_states_are_sound(char *why, size_t why_size);

/* A start of the node with the partition's state as it is on the disk needs the log after that index alone: 0 when there is no checkpoint yet. False when the record that says so is damaged. */
bool sim_states_base(uint32_t node, uint32_t partition, uint64_t *ret_index);

/* The lowest such index of the copies of the partition's state that the node's program has opened and not closed; UINT64_MAX: there is none. */
uint64_t sim_states_copies_base(uint32_t node, uint32_t partition);

/* All that a node had is gone. It must be down. */
void sim_states_lose(uint32_t node);

#endif
