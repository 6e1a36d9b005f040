/* SPDX-License-Identifier: Apache-2.0 - a cluster without network and Raft, for the checkers: a test writes the logs, and its nodes apply them by way of the record. */
#ifndef ORD_TESTS_SUPPORT_SIM_STUB_HISTORY_H
#define ORD_TESTS_SUPPORT_SIM_STUB_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/ordain.h"
#include "partition/command.h"
#include "partition/partition.h"

#define HISTORY_PARTITIONS 3
#define HISTORY_NODES 3

/* The bank (floor -1000) lives in partition 0, alice in 1, bob (ceiling 500) in 2, and nobody, who has no account, in 2, too. All of EUR. */
struct history_names {
	const char *bank;
	const char *alice;
	const char *bob;
	const char *nobody;
};

/* Opens the record and three empty nodes, and logs the opening of the accounts. */
struct history_names history_open(void);
void history_close(void);

/* The same text as clients have it; borrowed. */
struct ordain_str history_str(struct ord_slice s);

/* A request id that lives in that partition, made from a word. */
const char *history_id(const char *stem, uint32_t partition);
/* With such an id. */
struct ord_command history_transfer(const char *stem, uint32_t home, const char *payer, const char *payee,
				    int64_t amount);

/* One entry, later than all before it, that all nodes apply. */
void history_log(uint32_t partition, const struct ord_command *commands, size_t count);
/* A client's command as an entry of its own, in the partition that it belongs to, which is returned. */
uint32_t history_command(struct ord_command c);

/* One entry at that time that one node applies. */
void history_log_on(uint32_t node, uint32_t partition, const struct ord_command *commands, size_t count,
		    uint64_t time_us);
uint64_t history_time_us(void);
/* The node starts again: its replicas are empty, and apply the first `count` entries of each log. */
void history_restart(uint32_t node, uint64_t count);

/* Messages first .. first + count - 1 of source to destination, which the outbox still has. Borrows from the outbox. */
struct ord_command history_deliver(uint32_t source, uint32_t destination, uint64_t first, uint32_t count);
/* Delivers and trims all that is due from source to destination, or everywhere until nothing is under way. False when nothing was. */
bool history_move(uint32_t source, uint32_t destination);
void history_settle(void);

/* To be broken on purpose: the record's copy, and a node's replica. */
struct ord_partition *history_copy(uint32_t partition);
struct ord_partition *history_replica(uint32_t node, uint32_t partition);

#endif
