/* SPDX-License-Identifier: Apache-2.0 - where real partitions and the model differ, in words. */
#ifndef ORD_TESTS_MODEL_COMPARE_H
#define ORD_TESTS_MODEL_COMPARE_H

#include <stdio.h>

#include "tests/model/model.h"
#include "tests/support/lab.h"

/* Differences are written to out, one a line; found counts them. */
struct compare {
	const struct model *model;
	const struct lab *lab;
	FILE *out;
	unsigned found;
	bool all; /* compare all postings, not only the newest of each account */
	uint64_t letters_seen[LAB_PARTITIONS_MAX][LAB_PARTITIONS_MAX]; /* compared already */
};

/* The answers and outcomes of the last entry (lab->fx) with what the model gave: replies_count answers, with the places of their commands. */
void compare_effects(struct compare *c, const struct ord_reply *replies, size_t replies_count);

/* Everything that can be read: accounts, postings, requests, names, counts, cursors, outboxes, and each message that is new. */
void compare_state(struct compare *c);

/* Two partitions that must be the same; same_entries tells whether their entries were too. */
void compare_partitions(struct compare *c, const char *what, const struct ord_partition *a,
			const struct ord_partition *b, bool same_entries);

#endif
