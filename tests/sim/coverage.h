/* SPDX-License-Identifier: Apache-2.0 - what happened in a run, counted: a campaign tells what never did. */
#ifndef ORD_TESTS_SIM_COVERAGE_H
#define ORD_TESTS_SIM_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>

enum sim_cover {
#define X(name, text) SIM_COVER_##name,
#include "tests/sim/coverage.def"
#undef X
	SIM_COVER_COUNT
};

/* It has happened once more. */
void sim_cover(enum sim_cover what);

/* How often; SIM_COVER_COUNT numbers. */
const uint64_t *sim_coverage(void);

const char *sim_cover_text(enum sim_cover what);

#endif
