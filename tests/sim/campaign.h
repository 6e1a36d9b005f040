/* SPDX-License-Identifier: Apache-2.0 - many seeds, each in a process of its own. */
#ifndef ORD_TESTS_SIM_CAMPAIGN_H
#define ORD_TESTS_SIM_CAMPAIGN_H

#include <stdbool.h>
#include <stdint.h>

struct sim_campaign {
	uint64_t first;
	uint64_t count;
	unsigned jobs;
	bool until_failure; /* the first one ends it */
	bool brief;	    /* only the lines of failures */
	const char *keep;   /* failing seeds are appended to this file; NULL: not */
	bool demand_all;    /* everything in coverage.def must have happened */
};

/* 0 when all passed and nothing that is demanded never happened; 2 when all that failed failed by liveness; else 1. */
int sim_campaign_run(const struct sim_campaign *c);

#endif
