/* SPDX-License-Identifier: Apache-2.0 - the index page over all runs of a store. */
#include "jepsen/shelf.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "jepsen/html.h"
#include "jepsen/json.h"
#include "jepsen/store.h"

#define SUMMARY_BYTES_MAX 65536
#define POOL_BYTES_MAX (256u << 20)

struct run {
	char workload[64];
	char time[64];
	struct ord_edn summary;
};

struct shelf {
	const char *root;
	struct run *runs; /* owned */
	size_t count;
	size_t capacity;
	struct ord_edn_pool pool;
};

static bool summary_read(struct shelf *s, struct run *run)
{
	char path[ORD_STORE_PATH_SIZE], text[SUMMARY_BYTES_MAX];
	snprintf(path, sizeof path, "%s/%s/%s/summary.json", s->root, run->workload, run->time);
	FILE *in = fopen(path, "re");
	if (in == NULL)
		return false;
	size_t len = fread(text, 1, sizeof text - 1, in);
	fclose(in);
	text[len] = '\0';
	return ord_json_read(&s->pool, text, &run->summary) == ORD_OK;
}

static int run_add(struct shelf *s, const char *workload, const char *time)
{
	if (s->count == s->capacity) {
		size_t capacity = s->capacity == 0 ? 64 : 2 * s->capacity;
		struct run *grown =
			capacity <= 16 * ORD_SHELF_RUNS_MAX ? realloc(s->runs, capacity * sizeof *grown) : NULL;
		if (grown == NULL)
			return ORD_ERR_NOMEM;
		s->runs = grown;
		s->capacity = capacity;
	}
	struct run *run = &s->runs[s->count];
	*run = (struct run){0};
	snprintf(run->workload, sizeof run->workload, "%.63s", workload);
	snprintf(run->time, sizeof run->time, "%.63s", time);
	s->count += summary_read(s, run);
	return ORD_OK;
}

static bool is_name(const char *name)
{
	return name[0] != '.' && strlen(name) < 64;
}

static int workload_scan(struct shelf *s, const char *workload)
{
	char path[ORD_STORE_PATH_SIZE];
	int err = ORD_OK;
	snprintf(path, sizeof path, "%s/%s", s->root, workload);
	DIR *dir = opendir(path);
	for (struct dirent *e; err == ORD_OK && dir != NULL && (e = readdir(dir)) != NULL;) {
		if (is_name(e->d_name))
			err = run_add(s, workload, e->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	return err;
}

static int newest_first(const void *a, const void *b)
{
	const struct run *x = a, *y = b;
	int order = strcmp(y->time, x->time);
	return order != 0 ? order : strcmp(x->workload, y->workload);
}

static const char *verdict_name(struct ord_edn summary)
{
	struct ord_edn valid = ord_edn_get(summary, "valid?");
	return valid.kind != ORD_EDN_BOOL ? "unknown" : valid.truth ? "valid" : "invalid";
}

static void link_write(FILE *out, const struct run *run, const char *file, const char *label)
{
	fputs("<a href=\"", out);
	ord_html_text(out, ord_slice_text(run->workload));
	fputc('/', out);
	ord_html_text(out, ord_slice_text(run->time));
	fprintf(out, "/%s\">%s</a> ", file, label);
}

static void row_write(FILE *out, const char *root, const struct run *run)
{
	static const char *const links[][2] = {{"timeline.html", "timeline"}, {"latency.svg", "latency"},
					       {"rate.svg", "rate"},	      {"results.json", "results"},
					       {"history.edn", "history"},    {"", "files"}};
	const char *verdict = verdict_name(run->summary);
	char path[ORD_STORE_PATH_SIZE];
	fputs("<tr><td>", out);
	ord_html_text(out, ord_slice_text(run->time));
	fputs("</td><td>", out);
	ord_html_text(out, ord_slice_text(run->workload));
	fputs("</td><td>", out);
	ord_html_text(out, ord_edn_text(ord_edn_get(run->summary, "nemesis")));
	int64_t ok = ord_json_int(run->summary, "ok_per_mille", 0);
	fprintf(out, "</td><td class=\"n\">%" PRId64 "</td><td class=\"%s\" title=\"",
		ord_json_int(run->summary, "seed", 0), verdict);
	ord_html_text(out, ord_edn_text(ord_edn_get(run->summary, "words")));
	fprintf(out,
		"\">%s</td><td class=\"n\">%" PRId64 "</td><td class=\"n\">%" PRId64 ".%" PRId64
		" %%</td><td class=\"n\">%" PRId64 "</td><td class=\"n\">%" PRId64 "</td><td>",
		verdict, ord_json_int(run->summary, "ops", 0), ok / 10, ok % 10,
		ord_json_int(run->summary, "outage_us", 0) / 1000, ord_json_int(run->summary, "faults_count", 0));
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		snprintf(path, sizeof path, "%s/%s/%s/%s", root, run->workload, run->time, links[i][0]);
		if (access(path, R_OK) == 0)
			link_write(out, run, links[i][0], links[i][1]);
	}
	fputs("</td></tr>\n", out);
}

static void page_write(FILE *out, const struct shelf *s)
{
	size_t shown = s->count < ORD_SHELF_RUNS_MAX ? s->count : ORD_SHELF_RUNS_MAX;
	ord_html_begin(out, "ordain-jepsen: all runs");
	fputs("<table>\n<thead><tr><th>time</th><th>workload</th><th>nemesis</th><th "
	      "class=\"n\">seed</th><th>verdict</th>"
	      "<th class=\"n\">operations</th><th class=\"n\">ok</th><th class=\"n\">longest outage, ms</th>"
	      "<th class=\"n\">faults</th><th></th></tr></thead>\n<tbody>\n",
	      out);
	for (size_t i = 0; i < shown; i++)
		row_write(out, s->root, &s->runs[i]);
	fputs("</tbody>\n</table>\n", out);
	ord_html_end(out);
}

int ord_shelf_write(const char *root, char *why, size_t why_size)
{
	struct shelf s = {.root = root};
	int err = ORD_OK;
	ord_edn_pool_init(&s.pool, POOL_BYTES_MAX);
	DIR *dir = opendir(root);
	for (struct dirent *e; err == ORD_OK && dir != NULL && (e = readdir(dir)) != NULL;) {
		if (is_name(e->d_name))
			err = workload_scan(&s, e->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	if (s.count > 0)
		qsort(s.runs, s.count, sizeof *s.runs, newest_first);
	FILE *out = err == ORD_OK ? ord_store_create(root, "index.html", why, why_size) : NULL;
	if (out != NULL) {
		page_write(out, &s);
		err = ord_store_close(out, "index.html", why, why_size);
	} else if (err == ORD_OK) {
		err = ORD_ERR_IO;
	}
	free(s.runs);
	ord_edn_pool_close(&s.pool);
	return err;
}
