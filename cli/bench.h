/* SPDX-License-Identifier: Apache-2.0 - load on a cluster from many submitters at once, and what it did in a measured time. */
#ifndef ORD_CLI_BENCH_H
#define ORD_CLI_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "client/ordain.h"

enum ord_bench_workload { ORD_BENCH_TRANSFERS = 1, ORD_BENCH_CLAIMS = 2 };

#define ORD_BENCH_CLIENTS_MAX 10000
#define ORD_BENCH_CONNECTIONS_MAX 256
#define ORD_BENCH_ITEMS_MAX 1000000 /* clients times batch: what may be under way */
#define ORD_BENCH_WARM_UP_MS 1000   /* not counted */

struct ord_bench_options {
	enum ord_bench_workload workload;
	uint32_t clients; /* each has one call under way and makes the next when that is answered */
	uint32_t
		connections; /* instances of the client library that they share, each with a connection to every node */
	uint32_t batch;	     /* commands of one call */
	uint32_t accounts;   /* TRANSFERS: at least 2 */
	uint32_t seconds;
	uint32_t timeout_ms;
	bool progress; /* on standard error, every second */
};

/* Answers that came in the measured time. */
struct ord_bench_report {
	uint64_t elapsed_us;
	uint64_t calls;
	uint64_t settled;
	uint64_t refused;
	uint64_t unknown;
	uint64_t failed;
	char problem[256];	      /* the first that was not settled: "name: message"; "" when there was none */
	struct ord_histogram latency; /* of calls, microseconds */
};

/* Opens accounts under a prefix of this run's own (transfers), warms up, measures, waits for the last answers. ORD_ERR_INVALID (addresses),
 * ORD_ERR_NOMEM, ORD_ERR_IO (accounts cannot be opened) with why. */
int ord_bench_run(const struct ord_bench_options *options, const struct ordain_options *cluster,
		  struct ord_bench_report *ret, char *why, size_t why_size);

#endif
