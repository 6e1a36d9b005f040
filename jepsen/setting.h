/* SPDX-License-Identifier: Apache-2.0 - the flags that run and campaign share, and what they make of them. */
#ifndef ORD_JEPSEN_SETTING_H
#define ORD_JEPSEN_SETTING_H

#include "jepsen/flags.h"
#include "jepsen/run.h"

#define ORD_SETTING_FLAGS 18
#define ORD_SETTING_WHY_SIZE 1024

/* Where the flags go; the defaults before. */
struct ord_setting {
	const char *ordain;
	const char *ordaind;
	const char *store;
	int64_t seed;
	int64_t concurrency;
	int64_t rate;
	int64_t timeout_ms;
	int64_t nodes;
	int64_t partitions;
	int64_t interval_ms;
	int64_t intensity;
	int64_t patience_s;
	int64_t outage_ms_max;
	int64_t check_seconds;
	bool netns;
	bool keep;
	char beside[ORD_STORE_PATH_SIZE]; /* `ordain` beside this program */
	char command[1024];		  /* how this program was called */
	struct ord_flags_one flags[ORD_SETTING_FLAGS];
	size_t flags_count;
};

/* Defaults and flags, which point into s: it must not move. argv is that of main. */
void ord_setting_init(struct ord_setting *s, int argc, char **argv);

/* After the flags were read. nemeses are names with commas between. ORD_ERR_INVALID with why, which names what is wrong and the remedy. */
int ord_setting_options(const struct ord_setting *s, const char *workload, const char *nemeses, int64_t seconds,
			struct ord_run_options *ret, char why[ORD_SETTING_WHY_SIZE]);

/* The names of all, with spaces between, for messages and help. */
const char *ord_setting_workloads(void);
const char *ord_setting_nemeses(void);

#endif
