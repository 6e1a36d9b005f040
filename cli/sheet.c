/* SPDX-License-Identifier: Apache-2.0 - rows of named values, shown as an aligned table for people, tab-separated lines for pipes, or JSON. */
#include "cli/sheet.h"

#include <inttypes.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

enum cell_kind { CELL_TEXT, CELL_INT, CELL_UINT, CELL_BOOL, CELL_TIME, CELL_NULL };

struct cell {
	enum cell_kind kind;
	union {
		int64_t number;
		uint64_t natural;
		bool truth;
		struct {
			uint32_t offset;
			uint32_t len;
		} text;
	};
};

enum ord_look ord_sheet_look(bool json, FILE *out)
{
	if (json)
		return ORD_LOOK_JSON;
	return isatty(fileno(out)) ? ORD_LOOK_TABLE : ORD_LOOK_LINES;
}

void ord_sheet_init(struct ord_sheet *s, const char *const *columns, size_t columns_count)
{
	ORD_ASSERT(columns_count > 0);
	ORD_ASSERT(columns_count <= ORD_SHEET_COLUMNS_MAX);
	s->columns = columns;
	s->columns_count = columns_count;
	ord_bytes_init(&s->cells, ORD_SHEET_BYTES_MAX);
	ord_bytes_init(&s->texts, ORD_SHEET_BYTES_MAX);
}

void ord_sheet_close(struct ord_sheet *s)
{
	ord_bytes_close(&s->cells);
	ord_bytes_close(&s->texts);
}

static void cell_put(struct ord_sheet *s, struct cell c)
{
	ord_bytes_put(&s->cells, &c, sizeof c);
}

void ord_sheet_str(struct ord_sheet *s, struct ord_slice text)
{
	struct cell c = {.kind = CELL_TEXT, .text = {.offset = (uint32_t)s->texts.len, .len = (uint32_t)text.len}};
	ord_bytes_put(&s->texts, text.base, text.len);
	cell_put(s, c);
}

void ord_sheet_text(struct ord_sheet *s, const char *text)
{
	ord_sheet_str(s, ord_slice_text(text));
}

void ord_sheet_format(struct ord_sheet *s, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	ord_sheet_text(s, text);
}

void ord_sheet_int(struct ord_sheet *s, int64_t v)
{
	cell_put(s, (struct cell){.kind = CELL_INT, .number = v});
}

void ord_sheet_uint(struct ord_sheet *s, uint64_t v)
{
	cell_put(s, (struct cell){.kind = CELL_UINT, .natural = v});
}

void ord_sheet_bool(struct ord_sheet *s, bool v)
{
	cell_put(s, (struct cell){.kind = CELL_BOOL, .truth = v});
}

void ord_sheet_time(struct ord_sheet *s, uint64_t time_us)
{
	cell_put(s, (struct cell){.kind = time_us != 0 ? CELL_TIME : CELL_NULL, .natural = time_us});
}

void ord_sheet_null(struct ord_sheet *s)
{
	cell_put(s, (struct cell){.kind = CELL_NULL});
}

static size_t rows_count(const struct ord_sheet *s)
{
	size_t cells = s->cells.len / sizeof(struct cell);
	ORD_ASSERT(!s->cells.failed);
	ORD_ASSERT(!s->texts.failed);
	ORD_ASSERT(cells % s->columns_count == 0);
	return cells / s->columns_count;
}

static const struct cell *cell_at(const struct ord_sheet *s, size_t row, size_t column)
{
	return (const struct cell *)(const void *)s->cells.base + row * s->columns_count + column;
}

static struct ord_slice cell_text(const struct ord_sheet *s, const struct cell *c)
{
	return ord_slice_of(s->texts.base + c->text.offset, c->text.len);
}

/* True when byte i belongs to a control character (U+0000 to U+001F, U+007F to U+009F). */
static bool is_control(const uint8_t *p, size_t len, size_t i)
{
	if (p[i] == 0xC2 && i + 1 < len)
		return p[i + 1] >= 0x80 && p[i + 1] <= 0x9F;
	if (p[i] >= 0x80 && p[i] <= 0x9F && i > 0)
		return p[i - 1] == 0xC2;
	return p[i] < 0x20 || p[i] == 0x7F;
}

/* Columns that the text takes: characters, not bytes, with control bytes as four, made visible because a name that a stranger chose must not
 * steer the terminal or break a line. Writes it when out is given. */
static size_t text_put(struct ord_slice text, FILE *out)
{
	const uint8_t *p = text.base;
	size_t width = 0;
	for (size_t i = 0; i < text.len; i++) {
		bool control = is_control(p, text.len, i);
		if (control && out != NULL)
			fprintf(out, "\\x%02x", p[i]);
		else if (out != NULL)
			fputc(p[i], out);
		width += control ? 4 : (p[i] & 0xC0) != 0x80;
	}
	return width;
}

/* RFC 3339, in UTC. */
static void time_format(uint64_t time_us, char *text, size_t text_size)
{
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm tm;
	char date[32] = "?";
	if (gmtime_r(&seconds, &tm) != NULL)
		strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, text_size, "%s.%06uZ", date, (unsigned)(time_us % 1000000));
}

/* Writes the cell when out is given; returns its width. */
static size_t cell_show(const struct ord_sheet *s, const struct cell *c, FILE *out)
{
	char text[48];
	switch (c->kind) {
	case CELL_TEXT:
		return text_put(cell_text(s, c), out);
	case CELL_INT:
		snprintf(text, sizeof text, "%" PRId64, c->number);
		break;
	case CELL_UINT:
		snprintf(text, sizeof text, "%" PRIu64, c->natural);
		break;
	case CELL_BOOL:
		snprintf(text, sizeof text, "%s", c->truth ? "yes" : "no");
		break;
	case CELL_TIME:
		time_format(c->natural, text, sizeof text);
		break;
	case CELL_NULL:
		snprintf(text, sizeof text, "-");
		break;
	}
	return text_put(ord_slice_text(text), out);
}

static void pad(FILE *out, size_t count)
{
	fprintf(out, "%*s", (int)count, "");
}

static void table_row(const struct ord_sheet *s, size_t row, const size_t *widths, FILE *out)
{
	for (size_t i = 0; i < s->columns_count; i++) {
		const struct cell *c = cell_at(s, row, i);
		bool right = c->kind == CELL_INT || c->kind == CELL_UINT;
		size_t room = widths[i] - cell_show(s, c, NULL);
		if (right)
			pad(out, room);
		cell_show(s, c, out);
		if (i + 1 < s->columns_count)
			pad(out, (right ? 0 : room) + 2);
	}
	fputc('\n', out);
}

static void table_show(const struct ord_sheet *s, FILE *out)
{
	size_t widths[ORD_SHEET_COLUMNS_MAX], rows = rows_count(s);
	for (size_t i = 0; i < s->columns_count; i++) {
		widths[i] = strlen(s->columns[i]);
		for (size_t row = 0; row < rows; row++) {
			size_t width = cell_show(s, cell_at(s, row, i), NULL);
			widths[i] = width > widths[i] ? width : widths[i];
		}
	}
	for (size_t i = 0; i < s->columns_count; i++) {
		bool right = rows > 0 && (cell_at(s, 0, i)->kind == CELL_INT || cell_at(s, 0, i)->kind == CELL_UINT);
		fprintf(out, right ? "%*s" : "%-*s", i + 1 < s->columns_count || right ? (int)widths[i] : 0,
			s->columns[i]);
		fputs(i + 1 < s->columns_count ? "  " : "\n", out);
	}
	for (size_t row = 0; row < rows; row++)
		table_row(s, row, widths, out);
}

static void lines_show(const struct ord_sheet *s, const char *tag, FILE *out)
{
	for (size_t row = 0; row < rows_count(s); row++) {
		if (tag != NULL)
			fprintf(out, "%s\t", tag);
		for (size_t i = 0; i < s->columns_count; i++) {
			cell_show(s, cell_at(s, row, i), out);
			fputc(i + 1 < s->columns_count ? '\t' : '\n', out);
		}
	}
}

static void cell_json(const struct ord_sheet *s, const struct cell *c, struct ord_json *j)
{
	switch (c->kind) {
	case CELL_TEXT:
		ord_json_str(j, cell_text(s, c));
		return;
	case CELL_INT:
		ord_json_int(j, c->number);
		return;
	case CELL_UINT:
	case CELL_TIME:
		ord_json_uint(j, c->natural);
		return;
	case CELL_BOOL:
		ord_json_bool(j, c->truth);
		return;
	case CELL_NULL:
		ord_json_null(j);
		return;
	}
}

static void row_json(const struct ord_sheet *s, size_t row, struct ord_json *j)
{
	ord_json_begin_object(j);
	for (size_t i = 0; i < s->columns_count; i++) {
		ord_json_key(j, s->columns[i]);
		cell_json(s, cell_at(s, row, i), j);
	}
	ord_json_end_object(j);
}

void ord_sheet_json(const struct ord_sheet *s, struct ord_json *j)
{
	ord_json_begin_array(j);
	for (size_t row = 0; row < rows_count(s); row++)
		row_json(s, row, j);
	ord_json_end_array(j);
}

void ord_sheet_json_record(const struct ord_sheet *s, struct ord_json *j)
{
	ORD_ASSERT(rows_count(s) == 1);
	row_json(s, 0, j);
}

void ord_sheet_show(const struct ord_sheet *s, enum ord_look look, const char *tag, FILE *out)
{
	struct ord_json j;
	switch (look) {
	case ORD_LOOK_TABLE:
		table_show(s, out);
		return;
	case ORD_LOOK_LINES:
		lines_show(s, tag, out);
		return;
	case ORD_LOOK_JSON:
		ord_json_init(&j, out);
		ord_sheet_json(s, &j);
		return;
	}
}

void ord_sheet_show_record(const struct ord_sheet *s, enum ord_look look, FILE *out)
{
	size_t width = 0;
	ORD_ASSERT(rows_count(s) == 1);
	if (look == ORD_LOOK_JSON) {
		struct ord_json j;
		ord_json_init(&j, out);
		ord_sheet_json_record(s, &j);
		return;
	}
	for (size_t i = 0; i < s->columns_count; i++)
		width = strlen(s->columns[i]) > width ? strlen(s->columns[i]) : width;
	for (size_t i = 0; i < s->columns_count; i++) {
		fputs(s->columns[i], out);
		if (look == ORD_LOOK_TABLE)
			pad(out, width - strlen(s->columns[i]) + 2);
		else
			fputc('\t', out);
		cell_show(s, cell_at(s, 0, i), out);
		fputc('\n', out);
	}
}
