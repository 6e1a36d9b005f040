/* SPDX-License-Identifier: Apache-2.0 - the histories that nodes have on their disks, held against the one that all have applied. */
#ifndef ORD_TESTS_SIM_ARCHIVE_H
#define ORD_TESTS_SIM_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Counts what nodes that are up say of their histories. Fails the run when two have different ones. */
void sim_archive_watch(void);

/* Has every node that is up found all damage to its history, and filled all gaps? To be asked again and again when all are well. */
bool sim_archive_is_whole(char *why, size_t why_size);

/* A node that is up: has it all of the history, as far as it knows? */
bool sim_archive_has_all(uint32_t node);

/* Reads what every node that is up has on its disk, block by block. Fails the run when an entry is missing, another one, or out of order, and when a node has less on its disk than it believes. */
void sim_archive_check(uint32_t nodes_count, uint32_t partitions_count);

#endif
