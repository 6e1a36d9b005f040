/* SPDX-License-Identifier: Apache-2.0 - every message that a partition ever sent another one, by its number (invariant 7): what is delivered must be what was sent. */
#ifndef ORD_TESTS_SIM_LETTERS_H
#define ORD_TESTS_SIM_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "partition/command.h"
#include "partition/partition.h"

void sim_letters_open(uint32_t partitions_count);
void sim_letters_close(void);

/* After each entry of source: writes down what is new in the outboxes of p, the copy of it (entry is its number), and counts the money in it as under way (money.h). */
void sim_letters_collect(const struct ord_partition *p, uint32_t source, uint64_t entry);

/* A delivery to destination holds these bytes as message number n of source: fails the run unless source sent them as that. */
void sim_letters_compare(uint32_t source, uint32_t destination, uint64_t n, struct ord_slice bytes);

/* How many there are; their numbers begin at 1. */
uint64_t sim_letters_count(uint32_t source, uint32_t destination);
enum ord_message_kind sim_letters_kind(uint32_t source, uint32_t destination, uint64_t n);

/* True when the message carries money from account to account. */
bool sim_letters_is_money(const struct ord_message *m);

#endif
