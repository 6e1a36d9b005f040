/* SPDX-License-Identifier: Apache-2.0 - the naive model (tests/model) beside the logs: it is told each command, and must answer as the copies of the partitions do. */
#ifndef ORD_TESTS_SIM_ORACLE_H
#define ORD_TESTS_SIM_ORACLE_H

#include <stdint.h>

#include "partition/command.h"
#include "partition/effects.h"
#include "partition/partition.h"

struct ord_account;

/* copies[i] is the copy of partition i, borrowed. */
void sim_oracle_open(uint32_t partitions_count, struct ord_partition *const *copies);
void sim_oracle_close(void);

/* What the copies apply with: the answers of the last entry. */
struct ord_effects *sim_oracle_effects(void);

/* One entry that the copy has applied: begin, each command, each account that it changed (borrowed), compare. Fails the run where answers, outcomes, those accounts, or
 * what was sent and received differ. */
void sim_oracle_begin(void);
void sim_oracle_command(uint32_t partition, uint32_t number, const struct ord_command *c, uint64_t time_us);
void sim_oracle_touch(const struct ord_account *a);
void sim_oracle_compare(uint32_t partition, uint64_t entry);

/* The whole state, and every posting that is new since the last time. Fails the run. */
void sim_oracle_check(void);

#endif
