/* SPDX-License-Identifier: Apache-2.0 - every workload under every nemesis, one run after the other, and a table of what came of each. */
#ifndef ORD_JEPSEN_CAMPAIGN_H
#define ORD_JEPSEN_CAMPAIGN_H

#include "jepsen/setting.h"

struct ord_campaign_options {
	const char *workloads; /* names with commas between */
	const char *nemeses;   /* each a cell of its own */
	uint32_t minutes;      /* for all cells together; a cell has 5 s of load at least */
};

/* Checks all names first. Runs the cells with seeds of their own, from the setting's on, and prints a line when each is over. *ret is the worst verdict; a cell that could not be run, or was not because the program was told to end, counts as unknown.
 * ORD_ERR_INVALID with why (a name): nothing was run. */
int ord_campaign_run(const struct ord_setting *setting, const struct ord_campaign_options *options,
		     enum ord_validity *ret, char why[ORD_SETTING_WHY_SIZE]);

#endif
