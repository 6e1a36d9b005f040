/* SPDX-License-Identifier: Apache-2.0 - one seed: a random history, applied by real partitions and by the model, compared after every entry. */
#ifndef ORD_TESTS_MODEL_RUN_H
#define ORD_TESTS_MODEL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/model/coverage.h"

struct run_options {
	uint64_t seed;
	unsigned steps;		   /* entries; after them everything is delivered */
	bool trace;		   /* print each entry */
	struct coverage *coverage; /* borrowed; counts what happens */
};

/* True when all agreed; else a description was printed to stdout. */
bool run_seed(const struct run_options *options);

#endif
