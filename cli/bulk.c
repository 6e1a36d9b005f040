/* SPDX-License-Identifier: Apache-2.0 - the --file form of transfer and claim: flags, run, summary, exit status. */
#include "cli/bulk.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/feed.h"
#include "cli/process.h"
#include "cli/sheet.h"

void ord_bulk_init(struct ord_bulk *b, struct ord_flag flags[ORD_BULK_FLAGS])
{
	*b = (struct ord_bulk){.batch = 1000, .parallel = 8};
	flags[0] = (struct ord_flag){.name = "file",
				     .value = "CSV",
				     .text = &b->file,
				     .help = "do all lines of this file instead of one; - is standard input"};
	flags[1] = (struct ord_flag){
		.name = "results",
		.value = "CSV",
		.text = &b->results,
		.help = "with --file: write request_id,status,reason,replayed,field for each line here"};
	flags[2] = (struct ord_flag){.name = "batch",
				     .value = "N",
				     .number = &b->batch,
				     .min = 1,
				     .max = ORD_FEED_BATCH_MAX,
				     .help = "with --file: lines sent together",
				     .normal = "1000"};
	flags[3] = (struct ord_flag){.name = "parallel",
				     .value = "N",
				     .number = &b->parallel,
				     .min = 1,
				     .max = ORD_FEED_BATCHES_MAX,
				     .help = "with --file: batches under way at once",
				     .normal = "8"};
}

int ord_bulk_check(const struct ord_cmd *self, const struct ord_bulk *b, const struct ord_once *once,
		   const struct ord_flag *single, size_t single_count)
{
	if (b->file == NULL && b->results != NULL)
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "--results goes with --file only");
	if (b->file != NULL && once->has_id)
		return ord_cmd_fail(self, ORD_EXIT_USAGE,
				    "--id and --file are both given; the file has a request id in each line");
	for (size_t i = 0; i < single_count; i++) {
		const struct ord_flag *f = &single[i];
		if (b->file != NULL && *f->given)
			return ord_cmd_fail(self, ORD_EXIT_USAGE, "--%s and --file are both given; give one of them",
					    f->name);
		if (b->file == NULL && !*f->given)
			return ord_cmd_fail(self, ORD_EXIT_USAGE,
					    "--%s is missing (%s); 'ordain %s --help' shows how it is written", f->name,
					    f->help, self->name);
	}
	return ORD_EXIT_OK;
}

static void summary_fill(const struct ord_feed_summary *sum, uint64_t elapsed_ms, struct ord_sheet *s)
{
	static const char *const columns[] = {"lines",	"settled", "logged",   "refused",   "unknown",
					      "failed", "invalid", "replayed", "elapsed_ms"};
	ord_sheet_init(s, columns, ORD_COUNT(columns));
	ord_sheet_uint(s, sum->lines);
	ord_sheet_uint(s, sum->settled);
	ord_sheet_uint(s, sum->logged);
	ord_sheet_uint(s, sum->refused);
	ord_sheet_uint(s, sum->unknown);
	ord_sheet_uint(s, sum->failed);
	ord_sheet_uint(s, sum->invalid);
	ord_sheet_uint(s, sum->replayed);
	ord_sheet_uint(s, elapsed_ms);
}

static void summary_show(const struct ord_feed_summary *sum, uint64_t elapsed_ms, enum ord_look look)
{
	static const char *const columns[] = {"reason", "count"};
	struct ord_sheet record, reasons;
	summary_fill(sum, elapsed_ms, &record);
	ord_sheet_init(&reasons, columns, ORD_COUNT(columns));
	for (size_t i = 0; i < sum->reasons.count; i++) {
		ord_sheet_text(&reasons, sum->reasons.list[i].name);
		ord_sheet_uint(&reasons, sum->reasons.list[i].count);
	}
	if (look == ORD_LOOK_JSON) {
		struct ord_json j;
		ord_json_init(&j, stdout);
		ord_json_begin_object(&j);
		ord_json_key(&j, "summary");
		ord_sheet_json_record(&record, &j);
		ord_json_key(&j, "reasons");
		ord_sheet_json(&reasons, &j);
		ord_json_end_object(&j);
	} else {
		ord_sheet_show_record(&record, look, stdout);
		if (look == ORD_LOOK_TABLE && sum->reasons.count > 0)
			fputc('\n', stdout);
		if (sum->reasons.count > 0)
			ord_sheet_show(&reasons, look, "reason", stdout);
	}
	ord_sheet_close(&record);
	ord_sheet_close(&reasons);
}

static int summary_exit(const struct ord_feed_summary *sum)
{
	if (sum->unknown > 0)
		return ORD_EXIT_UNKNOWN;
	return sum->refused + sum->failed + sum->invalid > 0 ? ORD_EXIT_REFUSED : ORD_EXIT_OK;
}

static int files_open(const struct ord_cmd *self, const struct ord_bulk *b, FILE **ret_in, FILE **ret_results)
{
	FILE *in = strcmp(b->file, "-") == 0 ? stdin : fopen(b->file, "re");
	if (in == NULL)
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "--file: %s: %s", b->file, strerror(errno));
	FILE *results = b->results != NULL ? fopen(b->results, "we") : NULL;
	if (b->results != NULL && results == NULL) {
		int status = ord_cmd_fail(self, ORD_EXIT_USAGE, "--results: %s: %s", b->results, strerror(errno));
		if (in != stdin)
			fclose(in);
		return status;
	}
	*ret_in = in;
	*ret_results = results;
	return ORD_EXIT_OK;
}

/* Runs the feed and shows what came of it. */
static int feed(const struct ord_cmd *self, const struct ord_feed_options *options,
		const struct ordain_options *cluster, bool json)
{
	struct ord_feed_summary sum;
	char why[512];
	int64_t begin_ms = ord_process_now_ms();
	int err = ord_feed_run(options, cluster, &sum, why, sizeof why);
	if (err == ORD_ERR_FORMAT || err == ORD_ERR_INVALID)
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "%s: %s", options->in_name, why);
	summary_show(&sum, (uint64_t)(ord_process_now_ms() - begin_ms), ord_sheet_look(json, stdout));
	fflush(stdout);
	int status = summary_exit(&sum);
	if (sum.unknown > 0 || sum.failed > 0)
		ord_cmd_fail(self, status,
			     "run the same file again to learn or do the rest: what was done is not done twice");
	if (err == ORD_OK)
		return status;
	return ord_cmd_fail(self, status == ORD_EXIT_OK ? ORD_EXIT_REFUSED : status, "%s: %s", options->in_name, why);
}

int ord_bulk_run(const struct ord_cmd *self, const struct ord_bulk *b, const struct ord_target *t,
		 const struct ord_once *once, enum ordain_command_kind kind)
{
	struct ord_target_cluster cluster;
	char why[512];
	FILE *in = NULL, *results = NULL;
	if (ord_target_resolve(t, &cluster, why, sizeof why) != ORD_OK)
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "%s", why);
	int status = files_open(self, b, &in, &results);
	if (status != ORD_EXIT_OK)
		return status;
	struct ordain_options options = ord_target_options(t, &cluster);
	struct ord_feed_options feed_options = {
		.kind = kind,
		.in = in,
		.in_name = strcmp(b->file, "-") == 0 ? "standard input" : b->file,
		.results = results,
		.batch_lines = (uint32_t)b->batch,
		.batches = (uint32_t)b->parallel,
		.call = {.wait = strcmp(once->wait, "logged") == 0 ? ORDAIN_WAIT_LOGGED : ORDAIN_WAIT_SETTLED,
			 .timeout_ms = t->timeout_given ? (uint32_t)t->timeout_ms : ORD_WAIT_MS_MAX},
		.progress = isatty(STDERR_FILENO) != 0,
	};
	status = feed(self, &feed_options, &options, t->json);
	if (results != NULL)
		fclose(results);
	if (in != stdin)
		fclose(in);
	return status;
}
