/* SPDX-License-Identifier: Apache-2.0 - latency and rate over time as SVG, the times of faults shaded; drawn by gnuplot. */
#include "jepsen/plot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "jepsen/program.h"
#include "jepsen/store.h"

#define SCRIPT "plot.gp"
#define TIMEOUT_MS 60000
#define SECONDS_MAX 100000
#define TYPES 3

static const struct {
	enum ord_jepsen_type type;
	const char *name;
	const char *colour;
} types[TYPES] = {
	{ORD_JEPSEN_OK, "ok", "#2da44e"},
	{ORD_JEPSEN_FAIL, "fail", "#cf222e"},
	{ORD_JEPSEN_INFO, "info", "#d4a72c"},
};

static bool is_client(const struct ord_jepsen_op *op)
{
	return op->process != ORD_JEPSEN_NEMESIS && op->type != ORD_JEPSEN_INVOKE && op->other != ORD_JEPSEN_NONE;
}

/* Points "seconds milliseconds" of one type, as a named block of data. */
static void latencies_write(FILE *out, const struct ord_jepsen_history *h, uint32_t which)
{
	uint32_t step = h->ops_count / ORD_PLOT_POINTS_MAX + 1, seen = 0;
	fprintf(out, "$%s << EOD\n", types[which].name);
	for (uint32_t i = 0; i < h->ops_count; i++) {
		const struct ord_jepsen_op *op = &h->ops[i];
		if (!is_client(op) || op->type != types[which].type || seen++ % step != 0)
			continue;
		uint64_t begin_ns = h->ops[op->other].time_ns;
		fprintf(out, "%.3f %.3f\n", (double)begin_ns / 1e9, (double)(op->time_ns - begin_ns) / 1e6);
	}
	fputs("EOD\n", out);
}

/* "second count" of one type. */
static int rates_write(FILE *out, const struct ord_jepsen_history *h, uint32_t which)
{
	uint64_t seconds = h->ops_count > 0 ? h->ops[h->ops_count - 1].time_ns / 1000000000u + 1 : 1;
	seconds = seconds < SECONDS_MAX ? seconds : SECONDS_MAX;
	uint32_t *counts = calloc(seconds, sizeof *counts);
	if (counts == NULL)
		return ORD_ERR_NOMEM;
	for (uint32_t i = 0; i < h->ops_count; i++) {
		uint64_t second = h->ops[i].time_ns / 1000000000u;
		if (is_client(&h->ops[i]) && h->ops[i].type == types[which].type && second < seconds)
			counts[second]++;
	}
	fprintf(out, "$rate_%s << EOD\n", types[which].name);
	for (uint64_t s = 0; s < seconds; s++)
		fprintf(out, "%" PRIu64 " %" PRIu32 "\n", s, counts[s]);
	fputs("EOD\n", out);
	free(counts);
	return ORD_OK;
}

static void faults_write(FILE *out, const struct ord_storm *storm)
{
	for (uint32_t i = 0; i < storm->faults_count; i++) {
		const struct ord_storm_fault *f = &storm->faults[i];
		fprintf(out,
			"set object %u rect from first %.3f, graph 0 to first %.3f, graph 1 fc rgb '#cf222e' fs "
			"transparent solid "
			"0.12 noborder behind\n",
			i + 1, (double)f->begin_ns / 1e9, (double)f->end_ns / 1e9);
		fprintf(out, "set label %u \"%s\" at first %.3f, graph %.2f font ',8' tc rgb '#82071e'\n", i + 1, f->f,
			(double)f->begin_ns / 1e9, 0.98 - 0.03 * (i % 4));
	}
}

static void plots_write(FILE *out)
{
	fputs("set logscale y\nset yrange [0.1:*]\nset ylabel 'latency, ms'\nset output 'latency.svg'\nplot", out);
	for (uint32_t i = 0; i < TYPES; i++)
		fprintf(out, "%s $%s with points pt 7 ps 0.25 lc rgb '%s' title '%s'", i > 0 ? "," : "", types[i].name,
			types[i].colour, types[i].name);
	fputs("\nunset logscale\nset yrange [0:*]\nset ylabel 'operations a second'\nset output 'rate.svg'\nplot", out);
	for (uint32_t i = 0; i < TYPES; i++)
		fprintf(out, "%s $rate_%s with steps lw 1.5 lc rgb '%s' title '%s'", i > 0 ? "," : "", types[i].name,
			types[i].colour, types[i].name);
	fputs("\n", out);
}

static int script_write(FILE *out, const char *title, const struct ord_jepsen_history *h, const struct ord_storm *storm)
{
	int err = ORD_OK;
	for (uint32_t i = 0; err == ORD_OK && i < TYPES; i++) {
		latencies_write(out, h, i);
		err = rates_write(out, h, i);
	}
	/* An empty block must not end the whole. The title is ours: names and numbers. */
	fprintf(out,
		"set terminal svg size 1200,420 dynamic background rgb '#ffffff' font 'sans,12'\nset title \"%s\" "
		"noenhanced\n"
		"set xlabel 'seconds'\nset key outside right top\nset grid ytics lc rgb '#d0d7de'\nset xrange [0:*]\n",
		title);
	faults_write(out, storm);
	plots_write(out);
	return err;
}

static int gnuplot_run(const char *dir, char *why, size_t why_size)
{
	struct ord_program_end end;
	char change[ORD_STORE_PATH_SIZE + 16];
	for (const char *p = dir; *p != '\0'; p++) {
		if (*p == '\'' || *p == '\\') {
			snprintf(why, why_size, "plots are not drawn into a directory with a quote in its name");
			return ORD_ERR_NOT_FOUND;
		}
	}
	snprintf(change, sizeof change, "cd '%s'", dir);
	/* It reads the script when it is there already. */
	struct ord_program_words words = {.words = {"gnuplot", "-e", change, SCRIPT}, .count = 4};
	char path[ORD_STORE_PATH_SIZE + 16];
	snprintf(path, sizeof path, "%s/%s", dir, SCRIPT);
	if (ord_program_run(&words, TIMEOUT_MS, &end, why, why_size) != ORD_OK) {
		snprintf(why, why_size, "no plots: there is no gnuplot; install gnuplot-nox");
		return ORD_ERR_NOT_FOUND;
	}
	int err = end.late || end.status != 0 ? ORD_ERR_IO : ORD_OK;
	if (err != ORD_OK)
		snprintf(why, why_size, "gnuplot: %.300s", (const char *)end.err.base);
	else
		unlink(path);
	ord_program_close(&end);
	return err;
}

int ord_plot_write(const char *dir, const char *title, const struct ord_jepsen_history *h,
		   const struct ord_storm *storm, char *why, size_t why_size)
{
	FILE *out = ord_store_create(dir, SCRIPT, why, why_size);
	if (out == NULL)
		return ORD_ERR_IO;
	int err = script_write(out, title, h, storm);
	if (ord_store_close(out, SCRIPT, why, why_size) != ORD_OK)
		err = ORD_ERR_IO;
	return err == ORD_OK ? gnuplot_run(dir, why, why_size) : err;
}
