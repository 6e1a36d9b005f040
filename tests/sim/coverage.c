/* SPDX-License-Identifier: Apache-2.0 - counting. */
#include "tests/sim/coverage.h"

static uint64_t counts[SIM_COVER_COUNT];

void sim_cover(enum sim_cover what)
{
	counts[what]++;
}

const uint64_t *sim_coverage(void)
{
	return counts;
}

const char *sim_cover_text(enum sim_cover what)
{
	static const char *const texts[] = {
#define X(name, text) text,
#include "tests/sim/coverage.def"
#undef X
	};
	return texts[what];
}
