/* SPDX-License-Identifier: Apache-2.0 - ordain wal dump: what stands in a node's write-ahead log. Never writes. */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/offline.h"
#include "cli/segments.h"
#include "cli/sheet.h"
#include "partition/command.h"

/* Records shown at a time. */
#define DUMP_ROWS 512

static const char *const columns[] = {"segment", "offset", "batch", "partition", "type",
				      "kind",	 "term",   "index", "length",	 "commands"};

struct dump {
	const struct ord_cmd *self;
	bool json;
	bool damaged;
	struct ord_sheet sheet;
	size_t rows;
};

static const char *type_name(enum ord_record_type type)
{
	switch (type) {
	case ORD_RECORD_ENTRY:
		return "entry";
	case ORD_RECORD_VOTE:
		return "vote";
	case ORD_RECORD_COPY:
		return "copy";
	case ORD_RECORD_BASE:
		return "base";
	}
	return "unknown";
}

/* Of entries; NULL otherwise. */
static const char *kind_name(enum ord_entry_kind kind)
{
	switch (kind) {
	case ORD_ENTRY_COMMAND:
		return "command";
	case ORD_ENTRY_BARRIER:
		return "barrier";
	case ORD_ENTRY_CHANGE:
		return "change";
	}
	return NULL;
}

/* How many commands the record's entry has. False when it is none with commands, or this build cannot read it. */
static bool commands_count(const struct ord_record *entry, uint32_t *ret)
{
	struct ord_reader r = ord_reader_of(entry->payload);
	struct ord_entry_header h;
	if (entry->kind != ORD_ENTRY_COMMAND || ord_entry_decode(&r, &h) != ORD_OK)
		return false;
	*ret = h.commands_count;
	return true;
}

static void sheet_flush(struct dump *d)
{
	ord_sheet_show(&d->sheet, ORD_LOOK_LINES, NULL, stdout);
	ord_sheet_close(&d->sheet);
	ord_sheet_init(&d->sheet, columns, ORD_COUNT(columns));
	d->rows = 0;
}

static void record_row(struct dump *d, const struct ord_segments_place *place, const struct ord_record *r)
{
	struct ord_sheet *s = &d->sheet;
	struct ord_record entry = r->type == ORD_RECORD_COPY ? ord_record_of_copy(r) : *r;
	uint32_t commands;
	ord_sheet_uint(s, place->segment);
	ord_sheet_uint(s, place->offset);
	ord_sheet_uint(s, place->sequence);
	ord_sheet_uint(s, r->group);
	ord_sheet_text(s, type_name(r->type));
	if (kind_name(entry.kind) != NULL)
		ord_sheet_text(s, kind_name(entry.kind));
	else
		ord_sheet_null(s);
	ord_sheet_uint(s, r->term);
	ord_sheet_uint(s, r->index);
	ord_sheet_uint(s, r->payload.len);
	if (commands_count(&entry, &commands))
		ord_sheet_uint(s, commands);
	else
		ord_sheet_null(s);
}

/* The only row as an object. */
static void row_json(struct dump *d)
{
	struct ord_json j;
	ord_json_init(&j, stdout);
	ord_sheet_json_record(&d->sheet, &j);
	ord_sheet_close(&d->sheet);
	ord_sheet_init(&d->sheet, columns, ORD_COUNT(columns));
}

static bool dump_record(void *ctx, const struct ord_segments_place *place, const struct ord_record *r)
{
	struct dump *d = ctx;
	record_row(d, place, r);
	if (d->json)
		row_json(d);
	else if (++d->rows == DUMP_ROWS)
		sheet_flush(d);
	return !ferror(stdout);
}

static void dump_damage(void *ctx, const struct ord_segments_place *place, uint64_t bytes, const char *why)
{
	struct dump *d = ctx;
	sheet_flush(d);
	fflush(stdout); /* so that it stands where it belongs when both go to one place */
	fprintf(stderr, "ordain %s: %s, offset %" PRIu64 ": %s; skipped %" PRIu64 " bytes\n", d->self->name,
		place->path, place->offset, why, bytes);
	d->damaged = true;
}

static void dump_unfinished(void *ctx, const struct ord_segments_place *place, uint64_t bytes)
{
	struct dump *d = ctx;
	sheet_flush(d);
	fflush(stdout);
	fprintf(stderr,
		"ordain %s: %s, offset %" PRIu64
		": what the log ends with is no whole batch: it is being written, or a start will cut it off; %" PRIu64
		" bytes\n",
		d->self->name, place->path, place->offset, bytes);
}

static int dump_run(struct dump *d, const char *data)
{
	struct ord_segments_visitor visitor = {
		.ctx = d, .record = dump_record, .damage = dump_damage, .unfinished = dump_unfinished};
	char why[PATH_MAX + 256];
	ord_sheet_init(&d->sheet, columns, ORD_COUNT(columns));
	int err = ord_segments_walk(data, &visitor, why, sizeof why);
	sheet_flush(d);
	ord_sheet_close(&d->sheet);
	if (err != ORD_OK)
		return ord_cmd_fail(d->self, err == ORD_ERR_NOT_FOUND ? ORD_EXIT_USAGE : ORD_EXIT_REFUSED, "%s", why);
	if (fflush(stdout) != 0 || ferror(stdout))
		return ord_cmd_fail(d->self, ORD_EXIT_REFUSED, "standard output cannot be written");
	return d->damaged ? ORD_EXIT_REFUSED : ORD_EXIT_OK;
}

int ord_cmd_wal_dump(const struct ord_cmd *self, int argc, char **argv)
{
	const char *data = NULL;
	struct dump d = {.self = self};
	struct ord_flag flags[] = {ord_offline_data_flag(&data), ord_offline_json_flag(&d.json)};
	struct ord_args args = {
		.command = self->name,
		.summary = self->summary,
		.flags = flags,
		.flags_count = ORD_COUNT(flags),
		.notes = "Exit status 1 when something is damaged; it is told, and all else is printed."};
	int status;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	return dump_run(&d, data);
}
