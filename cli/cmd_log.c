/* SPDX-License-Identifier: Apache-2.0 - ordain log: dump, verify. Both read a node's data directory, and never write. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/archive.h"
#include "cli/cmd.h"
#include "cli/command_words.h"
#include "cli/offline.h"
#include "cli/sheet.h"

/* The words of a block's commands are some times as long as their bytes. */
#define WORDS_BYTES_MAX (32u << 20)

/* --- dump --- */

struct dump {
	const struct ord_cmd *self;
	uint32_t partition;
	uint64_t from;
	uint64_t to;
	uint64_t from_us;
	uint64_t to_us;
	bool json;
	struct ord_sheet sheet; /* of one block */
	struct ord_bytes words; /* of one command */
	bool damaged;
};

static void command_row(struct dump *d, const struct ord_block_entry *e, uint64_t position, const struct ord_command *c)
{
	char id[ORD_UUID_TEXT_SIZE];
	ord_sheet_format(&d->sheet, "%" PRIu32 ":%" PRIu64, d->partition, position);
	ord_sheet_format(&d->sheet, "%" PRIu64 ".%" PRIu64, e->index, e->term);
	ord_sheet_time(&d->sheet, e->time_us);
	ord_sheet_text(&d->sheet, ord_command_name(c->kind));
	if (ord_command_words_has_id(c)) {
		ord_uuid_format(&c->request_id, id);
		ord_sheet_text(&d->sheet, id);
	} else {
		ord_sheet_null(&d->sheet);
	}
	ord_bytes_clear(&d->words);
	ord_command_words_put(c, &d->words);
	ord_sheet_str(&d->sheet, ord_bytes_slice(&d->words));
}

static void command_json(const struct dump *d, const struct ord_block_entry *e, uint64_t position,
			 const struct ord_command *c)
{
	char id[ORD_UUID_TEXT_SIZE], text[48];
	struct ord_json j;
	ord_json_init(&j, stdout);
	ord_json_begin_object(&j);
	snprintf(text, sizeof text, "%" PRIu32 ":%" PRIu64, d->partition, position);
	ord_json_pair_text(&j, "position", text);
	ord_json_pair_uint(&j, "index", e->index);
	ord_json_pair_uint(&j, "term", e->term);
	ord_json_pair_uint(&j, "time_us", e->time_us);
	ord_json_pair_text(&j, "kind", ord_command_name(c->kind));
	ord_json_key(&j, "id");
	if (ord_command_words_has_id(c)) {
		ord_uuid_format(&c->request_id, id);
		ord_json_text(&j, id);
	} else {
		ord_json_null(&j);
	}
	ord_json_key(&j, "fields");
	ord_command_words_json(c, &j);
	ord_json_end_object(&j);
}

static void entry_dump(struct dump *d, const struct ord_block_entry *e)
{
	struct ord_reader r = ord_reader_of(e->bytes);
	struct ord_command c;
	if (e->time_us < d->from_us || e->time_us > d->to_us)
		return;
	ord_reader_take(&r, ORD_ENTRY_HEADER_BYTES);
	for (uint32_t i = 0; i < e->commands_count && ord_command_decode(&r, &c) == ORD_OK; i++) {
		uint64_t position = e->position + i;
		if (position < d->from || position > d->to)
			continue;
		if (d->json)
			command_json(d, e, position, &c);
		else
			command_row(d, e, position, &c);
	}
}

static bool dump_block(void *ctx, const struct ord_archive_place *place, const struct ord_block *b)
{
	static const char *const columns[] = {"position", "entry", "time_us", "kind", "id", "fields"};
	struct dump *d = ctx;
	struct ord_block_cursor cursor = ord_block_cursor_of(&b->header, b->content);
	struct ord_block_entry e;
	(void)place;
	d->partition = b->header.partition;
	if (b->header.first_position > d->to || b->header.first_time_us > d->to_us)
		return false;
	ord_sheet_init(&d->sheet, columns, ORD_COUNT(columns));
	while (ord_block_next(&cursor, &e) == ORD_OK)
		entry_dump(d, &e);
	if (!d->json)
		ord_sheet_show(&d->sheet, ORD_LOOK_LINES, NULL, stdout);
	ord_sheet_close(&d->sheet);
	return ord_block_last_position(&b->header) < d->to && !ferror(stdout);
}

static void dump_damage(void *ctx, const struct ord_archive_place *place, uint64_t bytes, const char *why)
{
	struct dump *d = ctx;
	fflush(stdout); /* so that it stands where it belongs when both go to one place */
	fprintf(stderr, "ordain %s: %s, offset %" PRIu64 ": %s; skipped %" PRIu64 " bytes\n", d->self->name,
		place->path, place->offset, why, bytes);
	d->damaged = true;
}

static void dump_gap(void *ctx, const struct ord_archive_place *place, uint64_t first, uint64_t last)
{
	struct dump *d = ctx;
	fflush(stdout);
	fprintf(stderr, "ordain %s: %s, offset %" PRIu64 ": blocks %" PRIu64 " to %" PRIu64 " are missing before it\n",
		d->self->name, place->path, place->offset, first, last);
	d->damaged = true;
}

static int dump_walk(struct dump *d, const char *data, const char *file, const struct ord_archive_visitor *visitor,
		     char *why, size_t why_size)
{
	struct ord_archive archive;
	struct ord_archive_total total;
	uint32_t partition;
	if (file != NULL)
		return ord_archive_walk_file(file, visitor, &partition, &total, why, why_size);
	int err = ord_archive_open(data, &archive, why, why_size);
	return err == ORD_OK ? ord_archive_walk(&archive, d->partition, visitor, &total, why, why_size)
			     : ORD_ERR_NOT_FOUND;
}

static int dump_run(struct dump *d, const char *data, const char *file)
{
	struct ord_archive_visitor visitor = {.ctx = d,
					      .from_position = d->from,
					      .from_time_us = d->from_us,
					      .block = dump_block,
					      .damage = dump_damage,
					      .gap = dump_gap};
	char why[PATH_MAX + 256];
	ord_bytes_init(&d->words, WORDS_BYTES_MAX);
	int err = dump_walk(d, data, file, &visitor, why, sizeof why);
	ord_bytes_close(&d->words);
	if (err == ORD_ERR_NOT_FOUND)
		return ord_cmd_fail(d->self, ORD_EXIT_USAGE, "%s", why);
	if (err != ORD_OK)
		return ord_cmd_fail(d->self, ORD_EXIT_REFUSED, "%s", why);
	if (fflush(stdout) != 0 || ferror(stdout))
		return ord_cmd_fail(d->self, ORD_EXIT_REFUSED, "standard output cannot be written");
	return d->damaged ? ORD_EXIT_REFUSED : ORD_EXIT_OK;
}

static int time_fail(const struct ord_cmd *self, const char *flag, const char *text)
{
	return ord_cmd_fail(self, ORD_EXIT_USAGE,
			    "--%s: '%s' is no time: give one like 2026-01-31T12:00:03Z, or microseconds since 1970",
			    flag, text);
}

int ord_cmd_log_dump(const struct ord_cmd *self, int argc, char **argv)
{
	const char *data = NULL, *file = NULL, *from_time = NULL, *to_time = NULL;
	int64_t partition = -1, from = 0, to = INT64_MAX;
	struct dump d = {.self = self};
	struct ord_flag flags[] = {
		ord_offline_data_flag(&data),
		ord_offline_partition_flag(&partition),
		{.name = "from",
		 .value = "POSITION",
		 .number = &from,
		 .min = 0,
		 .max = INT64_MAX,
		 .help = "the first position to print",
		 .normal = "0"},
		{.name = "to",
		 .value = "POSITION",
		 .number = &to,
		 .min = 0,
		 .max = INT64_MAX,
		 .help = "the last position to print",
		 .normal = "the end"},
		{.name = "from-time",
		 .value = "TIME",
		 .text = &from_time,
		 .help = "nothing older: like 2026-01-31T12:00:03Z, or microseconds since 1970"},
		{.name = "to-time", .value = "TIME", .text = &to_time, .help = "nothing younger"},
		ord_offline_json_flag(&d.json),
		{.name = "file",
		 .value = "FILE",
		 .text = &file,
		 .place = 1,
		 .help = "one file of history instead of --data and --partition, such as one that a node has set "
			 "aside"},
	};
	struct ord_args args = {
		.command = self->name,
		.summary = self->summary,
		.flags = flags,
		.flags_count = ORD_COUNT(flags),
		.notes = "Exit status 1 when something is damaged or missing; it is told, and all else is printed."};
	int status;
	flags[0].required = false;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	if (file == NULL && (data == NULL || partition < 0))
		return ord_cmd_fail(self, ORD_EXIT_USAGE,
				    "--%s is missing: give --data and --partition, or a file of history",
				    data == NULL ? "data" : "partition");
	if (file != NULL && (data != NULL || partition >= 0))
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "a file alone is enough: leave --%s out",
				    data != NULL ? "data" : "partition");
	d.to_us = UINT64_MAX;
	if (from_time != NULL && ord_offline_time(from_time, &d.from_us) != ORD_OK)
		return time_fail(self, "from-time", from_time);
	if (to_time != NULL && ord_offline_time(to_time, &d.to_us) != ORD_OK)
		return time_fail(self, "to-time", to_time);
	d.partition = (uint32_t)partition;
	d.from = (uint64_t)from;
	d.to = (uint64_t)to;
	return dump_run(&d, data, file);
}

/* --- verify --- */

struct verify {
	const struct ord_cmd *self;
	struct ord_sheet sheet;
	/* Of the partition that is being walked. */
	uint64_t damage_count;
	char path[PATH_MAX + 128]; /* of the first damage, as what follows */
	uint64_t offset;
	char problem[ORD_BLOCK_WHY_SIZE];
};

static bool verify_block(void *ctx, const struct ord_archive_place *place, const struct ord_block *b)
{
	(void)ctx;
	(void)place;
	(void)b;
	return true; /* the walk has checked it */
}

static void verify_damage(void *ctx, const struct ord_archive_place *place, uint64_t bytes, const char *why)
{
	struct verify *v = ctx;
	(void)bytes;
	if (v->damage_count++ > 0)
		return;
	snprintf(v->path, sizeof v->path, "%s", place->path);
	snprintf(v->problem, sizeof v->problem, "%s", why);
	v->offset = place->offset;
}

static void verify_gap(void *ctx, const struct ord_archive_place *place, uint64_t first, uint64_t last)
{
	char why[ORD_BLOCK_WHY_SIZE];
	snprintf(why, sizeof why, "blocks %" PRIu64 " to %" PRIu64 " are missing before it", first, last);
	verify_damage(ctx, place, 0, why);
}

static void verify_aside(void *ctx, const char *path)
{
	const struct verify *v = ctx;
	fprintf(stderr, "ordain %s: %s was set aside by the node and is not read\n", v->self->name, path);
}

static void chain_put(struct ord_sheet *s, const uint8_t chain[ORD_CHAIN_BYTES])
{
	char text[2 * ORD_CHAIN_BYTES + 1];
	ord_offline_hex(chain, ORD_CHAIN_BYTES, text);
	ord_sheet_text(s, text);
}

static void verify_row(struct verify *v, uint32_t partition, const struct ord_archive_total *t)
{
	ord_sheet_uint(&v->sheet, partition);
	ord_sheet_uint(&v->sheet, t->files_count);
	ord_sheet_uint(&v->sheet, t->blocks_count);
	if (t->blocks_count > 0) {
		ord_sheet_uint(&v->sheet, t->first_position);
		ord_sheet_uint(&v->sheet, t->end.next_position - 1);
	} else {
		ord_sheet_null(&v->sheet);
		ord_sheet_null(&v->sheet);
	}
	ord_sheet_uint(&v->sheet, t->bytes);
	ord_sheet_uint(&v->sheet, t->unfinished_bytes);
	chain_put(&v->sheet, t->end.chain);
	ord_sheet_uint(&v->sheet, v->damage_count);
	if (v->damage_count > 0) {
		ord_sheet_text(&v->sheet, v->path);
		ord_sheet_uint(&v->sheet, v->offset);
		ord_sheet_text(&v->sheet, v->problem);
	} else {
		ord_sheet_null(&v->sheet);
		ord_sheet_null(&v->sheet);
		ord_sheet_null(&v->sheet);
	}
	ord_sheet_uint(&v->sheet, t->missing_count);
}

/* Walks one partition and adds its row. *ret_exit is raised when something is wrong. */
static void partition_verify(struct verify *v, const struct ord_archive *archive, uint32_t partition, int *ret_exit)
{
	struct ord_archive_visitor visitor = {
		.ctx = v, .block = verify_block, .damage = verify_damage, .gap = verify_gap, .aside = verify_aside};
	struct ord_archive_total total;
	char why[PATH_MAX + 256];
	v->damage_count = 0;
	int err = ord_archive_walk(archive, partition, &visitor, &total, why, sizeof why);
	if (err != ORD_OK) {
		*ret_exit =
			ord_cmd_fail(v->self, err == ORD_ERR_NOT_FOUND ? ORD_EXIT_USAGE : ORD_EXIT_REFUSED, "%s", why);
		return;
	}
	verify_row(v, partition, &total);
	if (v->damage_count > 0)
		*ret_exit = ord_cmd_fail(v->self, ORD_EXIT_REFUSED, "%s, offset %" PRIu64 ": %s", v->path, v->offset,
					 v->problem);
}

static int verify_run(struct verify *v, const char *data, int64_t partition, enum ord_look look)
{
	static const char *const columns[] = {"partition", "files",	 "blocks", "first",   "last",
					      "bytes",	   "unfinished", "chain",  "damaged", "file",
					      "offset",	   "problem",	 "missing"};
	struct ord_archive archive;
	char why[PATH_MAX + 256], directory[ORD_HOME_PATH_SIZE + 16];
	uint32_t *partitions = NULL, one = (uint32_t)partition;
	size_t count = 1;
	int status = ORD_EXIT_OK;
	if (ord_archive_open(data, &archive, why, sizeof why) != ORD_OK)
		return ord_cmd_fail(v->self, ORD_EXIT_USAGE, "%s", why);
	ord_archive_directory(&archive, directory);
	if (partition < 0 && ord_offline_partitions(directory, &partitions, &count, why, sizeof why) != ORD_OK)
		return ord_cmd_fail(v->self, ORD_EXIT_REFUSED, "%s", why);
	ord_sheet_init(&v->sheet, columns, ORD_COUNT(columns));
	for (size_t i = 0; i < count; i++)
		partition_verify(v, &archive, partition < 0 ? partitions[i] : one, &status);
	if (status != ORD_EXIT_USAGE)
		ord_sheet_show(&v->sheet, look, NULL, stdout);
	ord_sheet_close(&v->sheet);
	free(partitions);
	return status;
}

int ord_cmd_log_verify(const struct ord_cmd *self, int argc, char **argv)
{
	const char *data = NULL;
	int64_t partition = -1;
	bool json = false;
	struct verify v = {.self = self};
	struct ord_flag flags[] = {ord_offline_data_flag(&data), ord_offline_partition_flag(&partition),
				   ord_offline_json_flag(&json)};
	struct ord_args args = {.command = self->name,
				.summary = self->summary,
				.flags = flags,
				.flags_count = ORD_COUNT(flags),
				.notes = "Exit status 1 when something is damaged or missing."};
	int status;
	flags[1].normal = "all";
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	return verify_run(&v, data, partition, ord_sheet_look(json, stdout));
}
