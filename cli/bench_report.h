/* SPDX-License-Identifier: Apache-2.0 - shows what a bench has found, for people and as JSON. */
#ifndef ORD_CLI_BENCH_REPORT_H
#define ORD_CLI_BENCH_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/bench.h"

/* For people: a line for each figure, then a table of the processes. */
void ord_bench_report_text(const struct ord_bench_options *o, const struct ord_bench_report *r,
			   const struct ord_bench_site *site, FILE *out);

/* One object; its keys stand in docs/cli.md. */
void ord_bench_report_json(const struct ord_bench_options *o, const struct ord_bench_report *r,
			   const struct ord_bench_site *site, FILE *out);

#endif
