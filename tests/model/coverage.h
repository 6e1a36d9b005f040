/* SPDX-License-Identifier: Apache-2.0 - what random histories have brought about: an oracle proves nothing about what never happened. */
#ifndef ORD_TESTS_MODEL_COVERAGE_H
#define ORD_TESTS_MODEL_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/model/model.h"

enum coverage_case {
#define X(name, text) COVERAGE_##name,
#include "tests/model/coverage.def"
#undef X
	COVERAGE_CASES
};

struct coverage {
	uint64_t refusals[32]; /* by enum ord_refusal, of requests that were logged */
	uint64_t cases[COVERAGE_CASES];
};

/* Before the command is applied: what the model is about to see. */
void coverage_command(struct coverage *c, const struct model *m, uint32_t partition, const struct ord_command *command);

/* What a partition has dropped of expired request ids. */
void coverage_dropped(struct coverage *c, const struct ord_partition *p);

/* What came of a mark. */
void coverage_mark(struct coverage *c, const struct ord_mark_effect *mark);

void coverage_reply(struct coverage *c, const struct ord_result *reply);

/* At the end of a history. */
void coverage_history(struct coverage *c, const struct model *m);

/* Prints one line for each thing, and tells whether all of them happened. */
bool coverage_show(const struct coverage *c, FILE *out);

#endif
