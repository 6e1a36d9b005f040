/* SPDX-License-Identifier: Apache-2.0 - follows each log, entry by entry: writes down what became true (trail.h), and holds it against what an entry may do. */
#ifndef ORD_TESTS_SIM_FOLLOW_H
#define ORD_TESTS_SIM_FOLLOW_H

#include <stdint.h>

#include "partition/command.h"
#include "partition/effects.h"
#include "partition/partition.h"
#include "tests/sim/trail.h"

/* copies[i] is the copy of partition i, borrowed; all empty yet. */
void sim_follow_open(uint32_t partitions_count, struct ord_partition *const *copies);
void sim_follow_close(void);

/* A new entry of a log. The copy of the partition has applied it already. */
struct sim_entry {
	uint32_t partition;
	uint64_t number; /* from 0 */
	struct ord_slice bytes;
	uint64_t begin; /* position of its first command */
	uint64_t end;	/* position behind its last one */
	uint64_t time_us;
	uint32_t commands_count;
	const struct ord_effects *fx; /* of the copy */
};
void sim_follow_entry(const struct sim_entry *e);

/* A node starts again: counts at which places of their way transfers are just now. */
void sim_follow_restart(void);

/* All that was written down is what the copies say. Fails the run. */
void sim_follow_check(void);

/* --- The parts of it, each a file: for follow*.c only. --- */

struct ord_partition *sim_follow_copy(uint32_t partition);
uint32_t sim_follow_partitions_count(void);

/* follow_account.c. change: the account may have been changed by the entry; does nothing where it does not live in the entry's partition or does not exist. set: a SET_ACCOUNT was
 * carried out. */
void sim_follow_account_change(const struct sim_entry *e, struct ord_slice id);
void sim_follow_account_set(const struct sim_entry *e, const struct ord_set_account *s);
struct sim_account_trail *sim_follow_account_trail(struct ord_slice id);
void sim_follow_account_check(void);

/* follow_transfer.c. open: a TRANSFER was logged. change: something about it may have happened in the entry's partition; true when it got its outcome. */
void sim_follow_transfer_reset(void);
void sim_follow_transfer_open(struct sim_request_trail *t, const struct ord_transfer *asked);
bool sim_follow_transfer_change(const struct sim_entry *e, struct sim_request_trail *t);
uint64_t sim_follow_transfers_at(enum sim_stage stage);
/* Counts coverage of why requests are refused. */
void sim_follow_refusal(enum ord_refusal reason);

/* follow_name.c. A CLAIM, RELEASE or REASSIGN was logged and decided as t says. */
void sim_follow_naming(const struct sim_entry *e, const struct ord_command *c, const struct sim_request_trail *t);
void sim_follow_name_check(void);

#endif
