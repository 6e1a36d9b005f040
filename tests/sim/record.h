/* SPDX-License-Identifier: Apache-2.0 - the one history of each partition, as its replicas apply it: the first replica that applies an entry writes it down, all others must
 * apply the same. Beside it stands a copy of the partition of its own, and the naive model. */
#ifndef ORD_TESTS_SIM_RECORD_H
#define ORD_TESTS_SIM_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "partition/partition.h"

/* Nodes have ids from 1. Opens what observe.h remembers, too. Link with --wrap=ord_partition_apply: what a program that is UP applies goes by here. */
void sim_record_open(uint32_t partitions_count, uint32_t nodes_count);
void sim_record_close(void);

/* A node starts: its replicas begin at the first entry again, unless sim_record_found says otherwise. */
void sim_record_boot(uint32_t node);

/* A node that starts has found a state of a partition: after the entry at that index of the log (0: an empty one). Fails the run when it is not the state that all had there. */
void sim_record_found(uint32_t node, const struct ord_partition *p, uint64_t index);

/* A replica goes astray: what it applies is compared with nothing any more, until it is found with the state that all had there. But no mark may take it for sound. */
void sim_record_spoil(uint32_t node, uint32_t partition);
bool sim_record_is_spoilt(uint32_t node, uint32_t partition);
bool sim_record_any_spoilt(void);
/* A record of some state on its disk is damaged: an entry may not be applied for that. */
void sim_record_harm(uint32_t node);
/* It has got another state: the next one found has to be the right one again. */
void sim_record_replaced(uint32_t node, uint32_t partition);

/* The next entry that a replica applies has this index, and the last one before it that its state has in it that one. Without being told, entries are taken to come one after the other. */
void sim_record_announce(uint64_t index, uint64_t index_before);

/* A replica was given the entry at that index, as committed, whether it applied it or, being fenced, only put it into its history. Fails the run when others were given something else there, or when it has not been given what
 * stands before it. */
void sim_record_given(uint32_t node, uint32_t partition, uint64_t index, struct ord_slice entry);

/* Invariants 1 to 7, the model, and all that clients were told, against the whole state. Fails the run. Call it now and then, when it does nothing unless much is new, and at the end,
 * when all is settled. */
void sim_record_check(void);

/* At the end of the liveness phase: every accepted request has its outcome, nothing is in any outbox, all messages were applied. False with why while that is not so. */
bool sim_record_is_settled(char *why, size_t why_size);

/* An entry that was applied, by its number in sim_record_entries. Asserts that there is one. */
struct sim_record_entry {
	uint64_t index;
	uint64_t bytes_hash; /* ord_hash64 */
	size_t bytes_count;
	uint32_t commands_count;
};
struct sim_record_entry sim_record_entry(uint32_t partition, uint64_t number);

/* A node that starts has found a history that ends there. Fails the run when it is not the one that replicas were given, or has more. */
struct ord_block_end;
void sim_record_found_history(uint32_t node, uint32_t partition, const struct ord_block_end *end);

/* How many commands of the partition are known to be committed; the copy of it at that position (borrowed). */
uint64_t sim_record_position(uint32_t partition);
struct ord_partition *sim_record_partition(uint32_t partition);
uint32_t sim_record_partitions_count(void);

/* Where the entry ends that brought the command at this position: as a number of commands. Nobody ever sees a state from the middle of an entry. Asserts that the command is known. */
uint64_t sim_record_boundary(uint32_t partition, uint64_t position);

/* How many entries of the partition this boot of the node has applied; how many are known. */
uint64_t sim_record_applied(uint32_t node, uint32_t partition);
uint64_t sim_record_entries(uint32_t partition);

#endif
