/* SPDX-License-Identifier: Apache-2.0 - a history as a page: a column a process, a box an operation, a band a fault. */
#include "jepsen/timeline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "jepsen/html.h"
#include "jepsen/store.h"

#define ROW_PX 16
#define COLUMN_PX 150
#define LEFT_PX 90 /* where times stand */

/* One row for each operation of the history, not for each moment: quiet times take no room, and no box is too small to read. */
struct sheet {
	FILE *out;
	const struct ord_jepsen_history *h;
	uint32_t rows; /* how many operations are shown */
	int32_t *columns;
	uint32_t columns_count;
};

static unsigned column_px(uint32_t column)
{
	return LEFT_PX + column * COLUMN_PX;
}

/* The column of a process; -1: there are too many. */
static int column_of(struct sheet *s, int32_t process)
{
	for (uint32_t i = 0; i < s->columns_count; i++) {
		if (s->columns[i] == process)
			return (int)i;
	}
	if (s->columns_count == ORD_TIMELINE_COLUMNS_MAX)
		return -1;
	s->columns[s->columns_count] = process;
	return (int)s->columns_count++;
}

/* A value as text for a page. */
static void value_write(FILE *out, struct ord_edn v)
{
	char *text = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len);
	if (memory == NULL)
		return;
	ord_edn_write(memory, v);
	fclose(memory);
	ord_html_text(out, ord_slice_of(text, len));
	free(text);
}

/* What a box has room for: of a map its values, without what only the page's reader of details wants. */
static void label_write(FILE *out, struct ord_edn v)
{
	if (v.kind != ORD_EDN_MAP) {
		value_write(out, v);
		return;
	}
	for (uint32_t i = 0; i < v.len; i += 2) {
		struct ord_edn key = v.items[i];
		if (ord_edn_is_word(key, "id") || ord_edn_is_word(key, "position") || ord_edn_is_word(key, "replayed"))
			continue;
		value_write(out, v.items[i + 1]);
		fputc(' ', out);
	}
}

static void box_write(struct sheet *s, uint32_t index)
{
	const struct ord_jepsen_op *op = &s->h->ops[index];
	const struct ord_jepsen_op *done = op->other == ORD_JEPSEN_NONE ? NULL : &s->h->ops[op->other];
	uint32_t end = done == NULL || op->other >= s->rows ? s->rows : op->other;
	enum ord_jepsen_type type = done == NULL ? ORD_JEPSEN_INFO : done->type;
	int column = column_of(s, op->process);
	if (column < 0)
		return;
	fprintf(s->out, "<div class=\"%s\" style=\"top:%upx;height:%upx;left:%upx;width:%upx\" title=\"",
		ord_jepsen_type_name(type), (index + 1) * ROW_PX, (end - index) * ROW_PX + ROW_PX - 2,
		column_px((uint32_t)column), COLUMN_PX - 6);
	fprintf(s->out, "%u: process %d, %.3f s", index, op->process, (double)op->time_ns / 1e9);
	if (done != NULL)
		fprintf(s->out, ", %.1f ms", (double)(done->time_ns - op->time_ns) / 1e6);
	fputs("\n", s->out);
	value_write(s->out, op->value);
	fputs("\n", s->out);
	if (done != NULL) {
		value_write(s->out, done->value);
		value_write(s->out, done->error);
	}
	fputs("\">", s->out);
	ord_html_text(s->out, ord_slice_text(op->f));
	fputc(' ', s->out);
	label_write(s->out, done != NULL && done->type == ORD_JEPSEN_OK ? done->value : op->value);
	fputs("</div>\n", s->out);
}

/* The first row that is not before a moment. */
static uint32_t row_at(const struct sheet *s, uint64_t time_ns)
{
	uint32_t low = 0, high = s->rows;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (s->h->ops[middle].time_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void band_write(struct sheet *s, const struct ord_storm_fault *f)
{
	uint32_t from = row_at(s, f->begin_ns), to = row_at(s, f->end_ns);
	if (from >= s->rows)
		return;
	fprintf(s->out, "<div class=\"fault\" style=\"top:%upx;height:%upx;width:%upx\" title=\"effect: %s\">",
		(from + 1) * ROW_PX, (to - from + 1) * ROW_PX, column_px(s->columns_count),
		ord_storm_effect_name(f->effect));
	ord_html_text(s->out, ord_edn_text(f->command));
	fputs("</div>\n", s->out);
}

static void times_write(struct sheet *s)
{
	for (uint32_t i = 0; i < s->rows; i += 10)
		fprintf(s->out, "<div class=\"soft\" style=\"top:%upx;left:0\">%.3f s</div>\n", (i + 1) * ROW_PX,
			(double)s->h->ops[i].time_ns / 1e9);
}

static int by_number(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

static void columns_find(struct sheet *s)
{
	for (uint32_t i = 0; i < s->rows; i++) {
		if (s->h->ops[i].type == ORD_JEPSEN_INVOKE)
			column_of(s, s->h->ops[i].process);
	}
	qsort(s->columns, s->columns_count, sizeof *s->columns, by_number);
}

static void page_write(struct sheet *s, const char *title, const struct ord_storm *storm)
{
	ord_html_begin(s->out, title);
	fprintf(s->out,
		"<p class=\"soft\">A row for each of the first %u of %u operations, in the order of the history; a "
		"column a "
		"process; an unknown outcome (yellow) ends its process. <a href=\"../../index.html\">All "
		"runs</a></p>\n",
		s->rows, s->h->ops_count);
	columns_find(s);
	fprintf(s->out, "<div class=\"line\" style=\"height:%upx;width:%upx\">\n", (s->rows + 2) * ROW_PX,
		column_px(s->columns_count));
	for (uint32_t i = 0; storm != NULL && i < storm->faults_count; i++)
		band_write(s, &storm->faults[i]);
	for (uint32_t i = 0; i < s->columns_count; i++)
		fprintf(s->out, "<div class=\"head\" style=\"top:0;left:%upx\">process %d</div>\n", column_px(i),
			s->columns[i]);
	times_write(s);
	for (uint32_t i = 0; i < s->rows; i++) {
		if (s->h->ops[i].type == ORD_JEPSEN_INVOKE)
			box_write(s, i);
	}
	fputs("</div>\n", s->out);
	ord_html_end(s->out);
}

int ord_timeline_write(const char *dir, const char *title, const struct ord_jepsen_history *h,
		       const struct ord_storm *storm, char *why, size_t why_size)
{
	struct sheet s = {.h = h, .rows = h->ops_count < ORD_TIMELINE_OPS_MAX ? h->ops_count : ORD_TIMELINE_OPS_MAX};
	s.columns = calloc(ORD_TIMELINE_COLUMNS_MAX, sizeof *s.columns);
	if (s.columns == NULL)
		return ORD_ERR_NOMEM;
	s.out = ord_store_create(dir, "timeline.html", why, why_size);
	int err = ORD_ERR_IO;
	if (s.out != NULL) {
		page_write(&s, title, storm);
		err = ord_store_close(s.out, "timeline.html", why, why_size);
	}
	free(s.columns);
	return err;
}
