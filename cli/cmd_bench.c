/* SPDX-License-Identifier: Apache-2.0 - ordain bench. */
#include <unistd.h>

#include "base/err.h"
#include "cli/bench_report.h"
#include "cli/bench_words.h"
#include "cli/cmd.h"
#include "cli/once.h"

static const char notes[] =
	"transfers: opens its own accounts (asset BENCH, floor far below zero, so that every transfer settles), then "
	"moves small\n"
	"amounts between them. claims: claims names that nobody has claimed. reads: balances, linearizable unless "
	"--stale. mixed: "
	"calls "
	"of all three.\n"
	"Latency is that of a whole call, until every command of it is settled. At the end balances and names are read "
	"back and\n"
	"compared with what was told. With --dir, also what each node used; written bytes are the kernel's count for "
	"the "
	"process.\n"
	"Exit status: 3 when an outcome stayed unknown, 1 when anything was refused, failed, or found wrong at the "
	"end.";

static int status_of(const struct ord_bench_report *r)
{
	if (ord_bench_report_wrong(r))
		return ORD_EXIT_REFUSED;
	if (r->tally.unknown > 0)
		return ORD_EXIT_UNKNOWN;
	return r->tally.refused + r->tally.failed > 0 ? ORD_EXIT_REFUSED : ORD_EXIT_OK;
}

static int bench(const struct ord_cmd *self, const struct ord_target *t, const struct ord_bench_options *o)
{
	static struct ord_bench_report report; /* large for a stack, both */
	static struct ord_bench_site site;
	struct ord_target_cluster cluster;
	char why[512];
	if (ord_target_resolve(t, &cluster, why, sizeof why) != ORD_OK ||
	    ord_bench_site_open(&site, t->dir, why, sizeof why) != ORD_OK)
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "%s", why);
	struct ordain_options options = ord_target_options(t, &cluster);
	int err = ord_bench_run(o, &options, &site, &report, why, sizeof why);
	if (err == ORD_OK && t->json)
		ord_bench_report_json(o, &report, &site, stdout);
	else if (err == ORD_OK)
		ord_bench_report_text(o, &report, &site, stdout);
	ord_bench_site_close(&site);
	if (err != ORD_OK)
		return ord_cmd_fail(self, err == ORD_ERR_INVALID ? ORD_EXIT_USAGE : ORD_EXIT_REFUSED, "%s", why);
	return status_of(&report);
}

int ord_cmd_bench(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_bench_words words;
	struct ord_bench_options options;
	struct ord_target target;
	char why[256];
	int status;
	ord_bench_words_init(&words);
	struct ord_args args = ord_once_args(self, &target, words.flags, ORD_BENCH_FLAGS);
	args.notes = notes;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	if (ord_bench_words_options(&words, &options, why, sizeof why) != ORD_OK)
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "%s", why);
	options.timeout_ms = (uint32_t)target.timeout_ms;
	options.progress = isatty(STDERR_FILENO) != 0;
	return bench(self, &target, &options);
}
