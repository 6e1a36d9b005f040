/* SPDX-License-Identifier: Apache-2.0 - shows what a bench has found, for people and as JSON. */
#include "cli/bench_report.h"

#include <inttypes.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/sheet.h"

/* The quantiles that are told, in millionths. */
static const struct {
	const char *name;
	const char *key;
	uint32_t per_million;
} quantiles[] = {
	{"p50", "p50_us", 500000},  {"p90", "p90_us", 900000},	  {"p95", "p95_us", 950000},
	{"p99", "p99_us", 990000},  {"p99.9", "p999_us", 999000}, {"p99.99", "p9999_us", 999900},
	{"max", "max_us", 1000000},
};

static uint64_t per_second(uint64_t count, const struct ord_bench_report *r)
{
	return r->elapsed_us > 0 ? (uint64_t)((double)count * 1e6 / (double)r->elapsed_us) : 0;
}

static uint64_t done_count(const struct ord_bench_report *r)
{
	return r->tally.settled + r->tally.reads;
}

/* "transfers", or "mixed" for several kinds. */
static const char *workload_name(const struct ord_bench_options *o)
{
	const char *name = NULL;
	for (int kind = 0; kind < ORD_BENCH_KINDS; kind++) {
		if (o->work.shares[kind] > 0)
			name = name == NULL ? ord_bench_kind_name((enum ord_bench_kind)kind) : "mixed";
	}
	return name;
}

static bool has_accounts(const struct ord_bench_options *o)
{
	return o->work.shares[ORD_BENCH_TRANSFER] + o->work.shares[ORD_BENCH_READ] > 0;
}

/* --- For people ------------------------------------------------------------------------------------------------------- */

static double ms(uint64_t us)
{
	return (double)us / 1000;
}

static void workload_print(const struct ord_bench_options *o, FILE *out)
{
	fprintf(out, "workload     %s%s, %" PRIu32 " clients with %" PRIu32 " a call", workload_name(o),
		o->stale ? ", stale reads" : "", o->clients, o->batch);
	if (o->rate > 0)
		fprintf(out, ", %" PRIu64 " due each second", o->rate);
	if (has_accounts(o)) {
		fprintf(out, ", %" PRIu32 " accounts", o->work.accounts);
		if (o->work.exponent > 0)
			fprintf(out, ", zipf:%g", o->work.exponent);
		if (o->work.hot_percent > 0)
			fprintf(out, ", %" PRIu32 " %% with the hot one", o->work.hot_percent);
	}
	fprintf(out, ", seed %" PRIu64 "\n", o->work.seed);
}

static void latency_print(const char *label, const struct ord_histogram *h, FILE *out)
{
	fprintf(out, "%-12s", label);
	for (size_t i = 0; i < ORD_COUNT(quantiles); i++)
		fprintf(out, "%s%s %.2f", i > 0 ? "  " : " ", quantiles[i].name,
			ms(ord_histogram_quantile_fine(h, quantiles[i].per_million)));
	fputc('\n', out);
}

static void latencies_print(const struct ord_bench_options *o, const struct ord_bench_report *r, FILE *out)
{
	latency_print("latency ms", &r->tally.latency, out);
	for (int kind = 0; kind < ORD_BENCH_KINDS && strcmp(workload_name(o), "mixed") == 0; kind++) {
		char label[16];
		snprintf(label, sizeof label, "  %s", ord_bench_kind_name((enum ord_bench_kind)kind));
		if (o->work.shares[kind] > 0)
			latency_print(label, &r->tally.latencies[kind], out);
	}
}

static void problems_print(const struct ord_bench_report *r, FILE *out)
{
	const struct ord_bench_tally *t = &r->tally;
	if (t->not_begun > 0)
		fprintf(out, "not begun    %" PRIu64 " calls were due and found no client free\n", t->not_begun);
	for (uint32_t i = 0; i < t->reasons.count; i++)
		fprintf(out, "%s%s %" PRIu64 "%s", i == 0 ? "errors       " : ", ", t->reasons.list[i].name,
			t->reasons.list[i].count, i + 1 == t->reasons.count ? "\n" : "");
	if (t->problem[0] != '\0')
		fprintf(out, "first not settled: %s\n", t->problem);
}

static void amount_put(struct ord_sheet *s, uint64_t v, double unit)
{
	if (v == ORD_USAGE_UNKNOWN)
		ord_sheet_null(s);
	else
		ord_sheet_format(s, "%.1f", (double)v / unit);
}

static void usage_put(struct ord_sheet *s, const struct ord_usage *u, uint64_t each)
{
	double done = each > 0 ? (double)each : 1;
	amount_put(s, u->cpu_us, 1e6);
	amount_put(s, each > 0 ? u->cpu_us : ORD_USAGE_UNKNOWN, done);
	amount_put(s, u->resident_bytes, 1 << 20);
	amount_put(s, u->peak_bytes, 1 << 20);
	amount_put(s, each > 0 ? u->written_bytes : ORD_USAGE_UNKNOWN, done);
	amount_put(s, each > 0 ? u->sent_bytes : ORD_USAGE_UNKNOWN, done);
	amount_put(s, each > 0 ? u->received_bytes : ORD_USAGE_UNKNOWN, done);
}

/* What the device below a node's data wrote for each command and node that shares it. */
static void device_put(struct ord_sheet *s, const struct ord_bench_site *site, uint32_t place, uint64_t each)
{
	uint32_t sharing;
	uint64_t bytes = ord_bench_site_device(site, place, &sharing);
	if (bytes == ORD_USAGE_UNKNOWN || each == 0)
		ord_sheet_null(s);
	else
		ord_sheet_format(s, "%.1f", (double)bytes / sharing / (double)each);
}

static void site_print(const struct ord_bench_report *r, const struct ord_bench_site *site, FILE *out)
{
	static const char *const columns[] = {"process",	  "cpu_s",
					      "cpu_us/each",	  "resident_MiB",
					      "peak_MiB",	  "written_bytes/each",
					      "sent_bytes/each",  "received_bytes/each",
					      "device_bytes/each"};
	struct ord_sheet s;
	uint64_t each = done_count(r);
	struct ord_usage own = ord_bench_site_own_used(site);
	ord_sheet_init(&s, columns, ORD_COUNT(columns));
	for (uint32_t i = 0; i < site->nodes_count; i++) {
		struct ord_usage u = ord_bench_site_node_used(site, i);
		ord_sheet_format(&s, "node %" PRIu32, site->nodes[i].id);
		usage_put(&s, &u, each);
		device_put(&s, site, i, each);
	}
	ord_sheet_text(&s, "bench");
	usage_put(&s, &own, each);
	ord_sheet_null(&s);
	ord_sheet_show(&s, ORD_LOOK_TABLE, NULL, out);
	ord_sheet_close(&s);
}

static void checks_print(const struct ord_bench_report *r, FILE *out)
{
	for (uint32_t i = 0; i < r->checks_count; i++) {
		const struct ord_bench_check *c = &r->checks[i];
		fprintf(out, "%s%-10s %s: %s\n", i == 0 ? "checks       " : "             ", c->name,
			c->verdict == ORD_BENCH_RIGHT ? "right" : "WRONG", c->text);
	}
}

void ord_bench_report_text(const struct ord_bench_options *o, const struct ord_bench_report *r,
			   const struct ord_bench_site *site, FILE *out)
{
	const struct ord_bench_tally *t = &r->tally;
	workload_print(o, out);
	fprintf(out, "measured     %.1f s, %" PRIu64 " calls\n", ms(r->elapsed_us) / 1000, t->latency.count);
	if (o->work.shares[ORD_BENCH_TRANSFER] + o->work.shares[ORD_BENCH_CLAIM] > 0)
		fprintf(out, "settled/s    %" PRIu64 "\nsettled      %" PRIu64 "\n", per_second(t->settled, r),
			t->settled);
	if (o->work.shares[ORD_BENCH_READ] > 0)
		fprintf(out, "reads/s      %" PRIu64 "\nreads        %" PRIu64 "\n", per_second(t->reads, r), t->reads);
	fprintf(out, "refused      %" PRIu64 "\nunknown      %" PRIu64 "\nfailed       %" PRIu64 "\n", t->refused,
		t->unknown, t->failed);
	latencies_print(o, r, out);
	problems_print(r, out);
	checks_print(r, out);
	site_print(r, site, out);
}

/* --- JSON ------------------------------------------------------------------------------------------------------------- */

/* A count, or null where nobody tells it. */
static void count_json(struct ord_json *j, const char *key, uint64_t v)
{
	ord_json_key(j, key);
	if (v == ORD_USAGE_UNKNOWN)
		ord_json_null(j);
	else
		ord_json_uint(j, v);
}

static void work_json(struct ord_json *j, const struct ord_bench_options *o)
{
	char skew[40] = "uniform";
	if (o->work.exponent > 0)
		snprintf(skew, sizeof skew, "zipf:%g", o->work.exponent);
	ord_json_pair_text(j, "workload", workload_name(o));
	count_json(j, "clients", o->clients);
	count_json(j, "connections", o->connections);
	count_json(j, "batch", o->batch);
	count_json(j, "rate", o->rate > 0 ? o->rate : ORD_USAGE_UNKNOWN);
	count_json(j, "accounts", has_accounts(o) ? o->work.accounts : 0);
	ord_json_pair_text(j, "skew", skew);
	count_json(j, "hot_share", o->work.hot_percent);
	ord_json_pair_bool(j, "stale", o->stale);
	count_json(j, "warm_up_ms", o->warm_up_ms);
	count_json(j, "seed", o->work.seed);
}

static void latency_json(struct ord_json *j, const struct ord_histogram *h)
{
	for (size_t i = 0; i < ORD_COUNT(quantiles); i++)
		count_json(j, quantiles[i].key, ord_histogram_quantile_fine(h, quantiles[i].per_million));
}

static void kinds_json(struct ord_json *j, const struct ord_bench_options *o, const struct ord_bench_report *r)
{
	ord_json_key(j, "kinds");
	ord_json_begin_object(j);
	for (int kind = 0; kind < ORD_BENCH_KINDS; kind++) {
		if (o->work.shares[kind] == 0)
			continue;
		ord_json_key(j, ord_bench_kind_name((enum ord_bench_kind)kind));
		ord_json_begin_object(j);
		count_json(j, "calls", r->tally.latencies[kind].count);
		latency_json(j, &r->tally.latencies[kind]);
		ord_json_end_object(j);
	}
	ord_json_end_object(j);
}

static void counts_json(struct ord_json *j, const struct ord_bench_report *r)
{
	const struct ord_bench_tally *t = &r->tally;
	count_json(j, "elapsed_us", r->elapsed_us);
	count_json(j, "calls", t->latency.count);
	count_json(j, "settled", t->settled);
	count_json(j, "settled_per_s", per_second(t->settled, r));
	count_json(j, "reads", t->reads);
	count_json(j, "reads_per_s", per_second(t->reads, r));
	count_json(j, "refused", t->refused);
	count_json(j, "unknown", t->unknown);
	count_json(j, "failed", t->failed);
	count_json(j, "not_begun", t->not_begun);
	latency_json(j, &t->latency);
}

static void problems_json(struct ord_json *j, const struct ord_bench_tally *t)
{
	ord_json_key(j, "problem");
	if (t->problem[0] != '\0')
		ord_json_text(j, t->problem);
	else
		ord_json_null(j);
	ord_json_key(j, "errors");
	ord_json_begin_object(j);
	for (uint32_t i = 0; i < t->reasons.count; i++)
		count_json(j, t->reasons.list[i].name, t->reasons.list[i].count);
	ord_json_end_object(j);
}

static void usage_json(struct ord_json *j, const struct ord_usage *u)
{
	count_json(j, "cpu_us", u->cpu_us);
	count_json(j, "resident_bytes", u->resident_bytes);
	count_json(j, "peak_bytes", u->peak_bytes);
	count_json(j, "written_bytes", u->written_bytes);
	count_json(j, "sent_bytes", u->sent_bytes);
	count_json(j, "received_bytes", u->received_bytes);
}

static void site_json(struct ord_json *j, const struct ord_bench_site *site)
{
	struct ord_usage own = ord_bench_site_own_used(site);
	ord_json_key(j, "bench");
	ord_json_begin_object(j);
	usage_json(j, &own);
	ord_json_end_object(j);
	ord_json_key(j, "nodes");
	ord_json_begin_array(j);
	for (uint32_t i = 0; i < site->nodes_count; i++) {
		struct ord_usage u = ord_bench_site_node_used(site, i);
		uint32_t sharing;
		uint64_t device_bytes = ord_bench_site_device(site, i, &sharing);
		ord_json_begin_object(j);
		count_json(j, "node", site->nodes[i].id);
		usage_json(j, &u);
		count_json(j, "device_bytes", device_bytes);
		count_json(j, "device_nodes", sharing);
		ord_json_end_object(j);
	}
	ord_json_end_array(j);
}

static void checks_json(struct ord_json *j, const struct ord_bench_report *r)
{
	ord_json_pair_bool(j, "right", !ord_bench_report_wrong(r));
	ord_json_key(j, "checks");
	ord_json_begin_array(j);
	for (uint32_t i = 0; i < r->checks_count; i++) {
		ord_json_begin_object(j);
		ord_json_pair_text(j, "name", r->checks[i].name);
		ord_json_pair_bool(j, "right", r->checks[i].verdict == ORD_BENCH_RIGHT);
		ord_json_pair_text(j, "text", r->checks[i].text);
		ord_json_end_object(j);
	}
	ord_json_end_array(j);
}

void ord_bench_report_json(const struct ord_bench_options *o, const struct ord_bench_report *r,
			   const struct ord_bench_site *site, FILE *out)
{
	struct ord_json j;
	ord_json_init(&j, out);
	ord_json_begin_object(&j);
	work_json(&j, o);
	ord_json_pair_text(&j, "names", r->prefix);
	counts_json(&j, r);
	problems_json(&j, &r->tally);
	kinds_json(&j, o, r);
	checks_json(&j, r);
	site_json(&j, site);
	ord_json_end_object(&j);
}
