/* SPDX-License-Identifier: Apache-2.0 - a nemesis: which faults it puts in force, chosen by seed; and the thread that does so. */
#ifndef ORD_JEPSEN_NEMESIS_H
#define ORD_JEPSEN_NEMESIS_H

#include <stdbool.h>
#include <stdint.h>

#include "jepsen/random.h"

#define ORD_NEMESIS_WORDS_MAX 10
#define ORD_NEMESIS_WORD_BYTES 64
#define ORD_NEMESES_MAX 16 /* of one run */

/* One fault: a command of `ordain` that puts it in force. */
struct ord_nemesis_plan {
	const char *f; /* a literal: what the history calls it */
	char words[ORD_NEMESIS_WORDS_MAX][ORD_NEMESIS_WORD_BYTES];
	uint32_t words_count;
	bool harms_data; /* what a node has on its disk is damaged or lost */
	bool ends_itself;
};

/* What a nemesis may know of the run. */
struct ord_nemesis_shape {
	uint32_t nodes_count;
	uint32_t partitions_count;
	uint32_t
		victim; /* the node (from 1) whose disk may be harmed; one for the whole run: the cluster promises to survive the loss of a minority's data, and damage may sleep for long */
};

struct ord_nemesis {
	const char *name;
	const char *summary;
	bool hooks; /* needs faults inside of nodes or of their network, not only signals */
	/* Fills an empty plan. NULL: does nothing, ever. */
	void (*plan)(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret);
};

/* All of them, in the order in which they are listed; NULL at the end. */
extern const struct ord_nemesis *const ord_nemeses[];

/* NULL: there is none of that name. */
const struct ord_nemesis *ord_nemesis_find(const char *name);

/* Appends a word of the command, cut at its maximum; asserts that there is room for it. */
__attribute__((format(printf, 2, 3))) void ord_nemesis_add(struct ord_nemesis_plan *plan, const char *format, ...);

/* Appends a target: one node, a minority, a majority, all, or the leader of a partition, each as likely as its weight. */
struct ord_nemesis_weights {
	uint32_t one, minority, majority, all, leader;
};
void ord_nemesis_add_target(struct ord_nemesis_plan *plan, struct ord_random *r, const struct ord_nemesis_shape *shape,
			    const struct ord_nemesis_weights *weights);

/* Nodes 1 .. count in a random order. */
void ord_nemesis_shuffle(struct ord_random *r, uint32_t count, uint32_t *ret);

/* Appends nodes[0 .. count - 1] as "2,5,1" to text. */
void ord_nemesis_list(const uint32_t *nodes, uint32_t count, char text[ORD_NEMESIS_WORD_BYTES]);

#endif
