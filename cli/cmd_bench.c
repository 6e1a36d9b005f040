/* SPDX-License-Identifier: Apache-2.0 - ordain bench. */
#include <inttypes.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/bench.h"
#include "cli/cmd.h"
#include "cli/once.h"
#include "cli/sheet.h"

static const char notes[] = "transfers: opens its own accounts (asset BENCH, floor far below zero, so that every "
			    "transfer settles), then moves small\n"
			    "amounts between them at random. claims: claims names that nobody has claimed. Each client "
			    "makes its next call when the one\n"
			    "before is answered; the first second is not counted. Latency is that of a whole call, "
			    "until every command of it is settled.\n"
			    "Exit status: 3 when an outcome stayed unknown, 1 when anything was refused or failed.";

static double ms(uint64_t us)
{
	return (double)us / 1000;
}

static void report_json(const struct ord_bench_options *o, const struct ord_bench_report *r, uint64_t per_second)
{
	static const char *const columns[] = {"workload",   "clients", "connections", "batch",	       "accounts",
					      "elapsed_us", "calls",   "settled",     "settled_per_s", "refused",
					      "unknown",    "failed",  "p50_us",      "p95_us",	       "p99_us",
					      "max_us",	    "problem"};
	struct ord_sheet s;
	ord_sheet_init(&s, columns, ORD_COUNT(columns));
	ord_sheet_text(&s, o->workload == ORD_BENCH_TRANSFERS ? "transfers" : "claims");
	ord_sheet_uint(&s, o->clients);
	ord_sheet_uint(&s, o->connections);
	ord_sheet_uint(&s, o->batch);
	ord_sheet_uint(&s, o->workload == ORD_BENCH_TRANSFERS ? o->accounts : 0);
	ord_sheet_uint(&s, r->elapsed_us);
	ord_sheet_uint(&s, r->calls);
	ord_sheet_uint(&s, r->settled);
	ord_sheet_uint(&s, per_second);
	ord_sheet_uint(&s, r->refused);
	ord_sheet_uint(&s, r->unknown);
	ord_sheet_uint(&s, r->failed);
	ord_sheet_uint(&s, ord_histogram_quantile(&r->latency, 500));
	ord_sheet_uint(&s, ord_histogram_quantile(&r->latency, 950));
	ord_sheet_uint(&s, ord_histogram_quantile(&r->latency, 990));
	ord_sheet_uint(&s, r->latency.max);
	if (r->problem[0] != '\0')
		ord_sheet_text(&s, r->problem);
	else
		ord_sheet_null(&s);
	ord_sheet_show_record(&s, ORD_LOOK_JSON, stdout);
	ord_sheet_close(&s);
}

static void report_print(const struct ord_bench_options *o, const struct ord_bench_report *r, uint64_t per_second)
{
	bool transfers = o->workload == ORD_BENCH_TRANSFERS;
	printf("workload     %s, %" PRIu32 " clients with %" PRIu32 " a call", transfers ? "transfers" : "claims",
	       o->clients, o->batch);
	if (transfers)
		printf(", %" PRIu32 " accounts", o->accounts);
	printf("\nmeasured     %.1f s, %" PRIu64 " calls\n", ms(r->elapsed_us) / 1000, r->calls);
	printf("settled/s    %" PRIu64 "\n", per_second);
	printf("settled      %" PRIu64 "\n", r->settled);
	printf("refused      %" PRIu64 "\n", r->refused);
	printf("unknown      %" PRIu64 "\n", r->unknown);
	printf("failed       %" PRIu64 "\n", r->failed);
	printf("latency ms   p50 %.1f  p95 %.1f  p99 %.1f  max %.1f\n", ms(ord_histogram_quantile(&r->latency, 500)),
	       ms(ord_histogram_quantile(&r->latency, 950)), ms(ord_histogram_quantile(&r->latency, 990)),
	       ms(r->latency.max));
	if (r->problem[0] != '\0')
		printf("first not settled: %s\n", r->problem);
}

static int bench(const struct ord_cmd *self, const struct ord_target *t, const struct ord_bench_options *o)
{
	static struct ord_bench_report report; /* large for a stack */
	struct ord_target_cluster cluster;
	char why[512];
	if (ord_target_resolve(t, &cluster, why, sizeof why) != ORD_OK)
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "%s", why);
	struct ordain_options options = ord_target_options(t, &cluster);
	int err = ord_bench_run(o, &options, &report, why, sizeof why);
	if (err != ORD_OK)
		return ord_cmd_fail(self, err == ORD_ERR_INVALID ? ORD_EXIT_USAGE : ORD_EXIT_REFUSED, "%s", why);
	uint64_t per_second =
		report.elapsed_us > 0 ? (uint64_t)((double)report.settled * 1e6 / (double)report.elapsed_us) : 0;
	if (t->json)
		report_json(o, &report, per_second);
	else
		report_print(o, &report, per_second);
	if (report.unknown > 0)
		return ORD_EXIT_UNKNOWN;
	return report.refused + report.failed > 0 ? ORD_EXIT_REFUSED : ORD_EXIT_OK;
}

int ord_cmd_bench(const struct ord_cmd *self, int argc, char **argv)
{
	const char *workload = "transfers";
	int64_t clients = 4, connections = 1, batch = 1000, accounts = 10000, seconds = 10;
	struct ord_target target;
	struct ord_flag flags[] = {
		{.name = "workload",
		 .value = "WHAT",
		 .text = &workload,
		 .choices = "transfers claims",
		 .help = "what to do",
		 .normal = "transfers"},
		{.name = "clients",
		 .value = "N",
		 .number = &clients,
		 .min = 1,
		 .max = ORD_BENCH_CLIENTS_MAX,
		 .help = "calls under way at once",
		 .normal = "4"},
		{.name = "batch",
		 .value = "N",
		 .number = &batch,
		 .min = 1,
		 .max = ORD_BATCH_ITEMS_MAX,
		 .help = "transfers or claims of one call",
		 .normal = "1000"},
		{.name = "seconds",
		 .value = "N",
		 .number = &seconds,
		 .min = 1,
		 .max = 3600,
		 .help = "how long to measure",
		 .normal = "10"},
		{.name = "accounts",
		 .value = "N",
		 .number = &accounts,
		 .min = 2,
		 .max = 1000000,
		 .help = "transfers: accounts to open first",
		 .normal = "10000"},
		{.name = "connections",
		 .value = "N",
		 .number = &connections,
		 .min = 1,
		 .max = ORD_BENCH_CONNECTIONS_MAX,
		 .help = "connections to each node, which the clients share",
		 .normal = "1"},
	};
	struct ord_args args = ord_once_args(self, &target, flags, ORD_COUNT(flags));
	int status;
	args.notes = notes;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	if (clients * batch > ORD_BENCH_ITEMS_MAX)
		return ord_cmd_fail(self, ORD_EXIT_USAGE,
				    "--clients times --batch is %" PRId64
				    "; at most %d can be under way: give less of one",
				    clients * batch, ORD_BENCH_ITEMS_MAX);
	if (connections > clients)
		return ord_cmd_fail(self, ORD_EXIT_USAGE,
				    "--connections: %" PRId64 " is more than the %" PRId64 " of --clients", connections,
				    clients);
	struct ord_bench_options options = {
		.workload = strcmp(workload, "transfers") == 0 ? ORD_BENCH_TRANSFERS : ORD_BENCH_CLAIMS,
		.clients = (uint32_t)clients,
		.connections = (uint32_t)connections,
		.batch = (uint32_t)batch,
		.accounts = (uint32_t)accounts,
		.seconds = (uint32_t)seconds,
		.timeout_ms = (uint32_t)target.timeout_ms,
		.progress = isatty(STDERR_FILENO) != 0,
	};
	return bench(self, &target, &options);
}
