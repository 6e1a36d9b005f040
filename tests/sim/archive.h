/* SPDX-License-Identifier: Apache-2.0 - the histories that nodes have on their disks, held against the one that all have applied. */
#ifndef ORD_TESTS_SIM_ARCHIVE_H
#define ORD_TESTS_SIM_ARCHIVE_H

#include <stdint.h>

/* Reads what every node that is up has on its disk, block by block. Fails the run when an entry is missing, another one, or out of order, and when a node has less on its disk than it believes. */
void sim_archive_check(uint32_t nodes_count, uint32_t partitions_count);

#endif
