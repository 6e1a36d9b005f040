/* SPDX-License-Identifier: Apache-2.0 - ordain state dump: reads a state in a node's data directory, and never writes; in a process of its own (cli/apart.h). */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/err.h"
#include "cli/apart.h"
#include "cli/cmd.h"
#include "cli/offline.h"
#include "cli/sheet.h"
#include "cli/state_file.h"
#include "cli/stored_words.h"

#define WHY_SIZE (PATH_MAX + 256)
/* The words of a record are some times as long as its bytes; the longest are the partition's own numbers. */
#define WORDS_BYTES_MAX (4u << 20)
/* Records shown at a time. */
#define DUMP_ROWS 512

struct dump {
	const struct ord_cmd *self;
	const char *data; /* borrowed */
	uint32_t partition;
	enum ord_store_table only; /* 0: all tables */
	bool json;
	int status; /* enum ord_exit */
	/* While it is walked. */
	struct ord_state_file *file;
	enum ord_store_table table;
	uint64_t pairs_left; /* of the table, by LMDB's count: damaged pages may lead in a circle */
	struct ord_sheet sheet;
	size_t rows;
	struct ord_bytes words;
};

static const char *const dump_columns[] = {"table", "fields"};

static void dump_flush(struct dump *d)
{
	ord_sheet_show(&d->sheet, ORD_LOOK_LINES, NULL, stdout);
	ord_sheet_close(&d->sheet);
	ord_sheet_init(&d->sheet, dump_columns, ORD_COUNT(dump_columns));
	d->rows = 0;
}

static void dump_damage(struct dump *d, const char *what, const char *why)
{
	dump_flush(d);
	fflush(stdout); /* so that it stands where it belongs when both go to one place */
	d->status = ord_cmd_fail(d->self, ORD_EXIT_REFUSED, "%s, table %s, %s: %s", ord_state_file_path(d->file),
				 ord_stored_table_name(d->table), what, why);
}

static int pair_row(struct dump *d, struct ord_slice key, struct ord_slice value, const char **ret_why)
{
	struct ord_values f = {.words = &d->words};
	ord_bytes_clear(&d->words);
	int err = ord_stored_words_put(d->table, key, value, &f, ret_why);
	if (err != ORD_OK)
		return err;
	ord_sheet_text(&d->sheet, ord_stored_table_name(d->table));
	ord_sheet_str(&d->sheet, ord_bytes_slice(&d->words));
	if (++d->rows == DUMP_ROWS)
		dump_flush(d);
	return ORD_OK;
}

static int pair_json(const struct dump *d, struct ord_slice key, struct ord_slice value, const char **ret_why)
{
	struct ord_json j;
	struct ord_values f = {.json = &j};
	/* Nothing of it is printed before it is known to be sound. */
	struct ord_bytes words;
	struct ord_values first = {.words = &words};
	ord_bytes_init(&words, WORDS_BYTES_MAX);
	int err = ord_stored_words_put(d->table, key, value, &first, ret_why);
	ord_bytes_close(&words);
	if (err != ORD_OK)
		return err;
	ord_json_init(&j, stdout);
	ord_json_begin_object(&j);
	ord_json_key(&j, "table");
	ord_json_text(&j, ord_stored_table_name(d->table));
	ord_json_key(&j, "fields");
	ord_json_begin_object(&j);
	err = ord_stored_words_put(d->table, key, value, &f, ret_why);
	ord_json_end_object(&j);
	ord_json_end_object(&j);
	return err;
}

static int dump_pair(void *arg, struct ord_slice key, struct ord_slice value)
{
	struct dump *d = arg;
	char text[ORD_STORED_KEY_SIZE];
	const char *why = "";
	if (d->pairs_left-- == 0)
		return ORD_ERR_CORRUPT;
	int err = d->json ? pair_json(d, key, value, &why) : pair_row(d, key, value, &why);
	if (err != ORD_OK) {
		ord_stored_words_key(d->table, key, text, sizeof text);
		dump_damage(d, text, why);
	}
	return ferror(stdout) ? ORD_ERR_IO : ORD_OK;
}

static void tables_dump(struct dump *d)
{
	const struct ord_store *store = ord_state_file_store(d->file);
	for (unsigned t = ORD_STORE_META; t < ORD_STORE_TABLES && !ferror(stdout); t++) {
		if (d->only != 0 && d->only != t)
			continue;
		d->table = (enum ord_store_table)t;
		d->pairs_left = ord_state_file_pairs(d->file, d->table);
		int err = store->walk(store->ctx, d->table, (struct ord_slice){0}, dump_pair, d);
		if (err != ORD_OK && !ferror(stdout))
			dump_damage(d, "in its pages", ord_err_text(err));
		else if (d->pairs_left > 0 && !ferror(stdout))
			dump_damage(d, "in its pages", "there are fewer records than LMDB counts");
	}
}

static void dump_work(void *ctx)
{
	struct dump *d = ctx;
	char why[WHY_SIZE];
	int err = ord_state_file_open(d->data, d->partition, &d->file, why, sizeof why);
	if (err != ORD_OK) {
		d->status =
			ord_cmd_fail(d->self, err == ORD_ERR_NOT_FOUND ? ORD_EXIT_USAGE : ORD_EXIT_REFUSED, "%s", why);
		return;
	}
	ord_bytes_init(&d->words, WORDS_BYTES_MAX);
	ord_sheet_init(&d->sheet, dump_columns, ORD_COUNT(dump_columns));
	tables_dump(d);
	dump_flush(d);
	if (!ord_state_file_holds(d->file))
		d->status = ord_cmd_fail(
			d->self, ORD_EXIT_REFUSED,
			"a node was started meanwhile, and what was read may be of no one moment: run it again");
	if (fflush(stdout) != 0 || ferror(stdout))
		d->status = ord_cmd_fail(d->self, ORD_EXIT_REFUSED, "standard output cannot be written");
	ord_sheet_close(&d->sheet);
	ord_bytes_close(&d->words);
	ord_state_file_close(d->file);
}

static int dump_run(struct dump *d)
{
	char why[WHY_SIZE];
	int err = ord_apart_run(dump_work, d, sizeof *d);
	if (err == ORD_OK)
		return d->status;
	ord_state_file_died(d->data, d->partition, why, sizeof why);
	return ord_cmd_fail(d->self, ORD_EXIT_REFUSED, "%s", err == ORD_ERR_CORRUPT ? why : ord_err_text(err));
}

int ord_cmd_state_dump(const struct ord_cmd *self, int argc, char **argv)
{
	const char *table = NULL;
	int64_t partition = 0;
	struct dump d = {.self = self};
	struct ord_flag flags[] = {
		ord_offline_data_flag(&d.data),
		ord_offline_partition_flag(&partition),
		{.name = "table",
		 .value = "NAME",
		 .text = &table,
		 .choices = "meta accounts names requests stages postings messages",
		 .help = "which records",
		 .normal = "all"},
		ord_offline_json_flag(&d.json),
	};
	struct ord_args args = {
		.command = self->name,
		.summary = self->summary,
		.flags = flags,
		.flags_count = ORD_COUNT(flags),
		.notes = "Exit status 1 when something is damaged; it is told, and all else is printed."};
	int status;
	flags[1].required = true;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	d.partition = (uint32_t)partition;
	d.only = table != NULL ? ord_stored_table_of(table) : 0;
	return dump_run(&d);
}
