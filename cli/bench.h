/* SPDX-License-Identifier: Apache-2.0 - load on a cluster from many clients at once, what it did in a measured time, and whether all is right afterwards. */
#ifndef ORD_CLI_BENCH_H
#define ORD_CLI_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/bench_site.h"
#include "cli/bench_tally.h"
#include "cli/bench_work.h"
#include "client/ordain.h"

#define ORD_BENCH_CLIENTS_MAX 10000
#define ORD_BENCH_CONNECTIONS_MAX 256
#define ORD_BENCH_ITEMS_MAX 1000000 /* clients times batch: what may be under way */
#define ORD_BENCH_ACCOUNTS_MAX 100000000
#define ORD_BENCH_RATE_MAX 10000000

struct ord_bench_options {
	struct ord_bench_work_options work;
	uint32_t clients; /* each has one call under way at most */
	uint32_t
		connections; /* instances of the client library that they share, each with a connection to every node */
	uint32_t batch;	     /* commands, or reads, of one call */
	uint64_t
		rate; /* commands per second that are due, whatever the answers do; 0: each client makes its next call when the one before is answered */
	uint64_t count;		 /* ends after so many commands; 0: after seconds */
	uint32_t seconds;	 /* measured */
	uint32_t warm_up_ms;	 /* before that, not counted */
	uint32_t check_accounts; /* read again at the end, at most */
	uint32_t timeout_ms;	 /* of one call */
	bool stale;		 /* reads of the load, not those that check */
	bool progress;		 /* on standard error, every second */
};

enum ord_bench_verdict { ORD_BENCH_RIGHT = 1, ORD_BENCH_WRONG = 2 };

/* "money: right, ..." */
struct ord_bench_check {
	const char *name;
	enum ord_bench_verdict verdict;
	char text[320];
};
#define ORD_BENCH_CHECKS_MAX 4

struct ord_bench_report {
	char prefix[ORD_BENCH_NAME_SIZE]; /* of the names of this run */
	uint64_t elapsed_us;		  /* measured */
	struct ord_bench_tally tally;
	struct ord_bench_check checks[ORD_BENCH_CHECKS_MAX];
	uint32_t checks_count;
};

/* Opens accounts under a prefix of this run's own, warms up, measures, waits for the last answers, and reads back what it was told. site is marked at the
 * beginning and the end of the measured time. ORD_ERR_INVALID (addresses), ORD_ERR_NOMEM, ORD_ERR_IO (accounts cannot be opened, or no call made) with why. Checks that
 * fail are in the report. */
int ord_bench_run(const struct ord_bench_options *options, const struct ordain_options *cluster,
		  struct ord_bench_site *site, struct ord_bench_report *ret, char *why, size_t why_size);

/* Did one of the checks fail? */
bool ord_bench_report_wrong(const struct ord_bench_report *r);

#endif
