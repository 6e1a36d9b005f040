/* SPDX-License-Identifier: Apache-2.0 - ordain state verify: checks the states in a node's data directory, and never writes; each partition in a process of its own (cli/apart.h). */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/apart.h"
#include "cli/cmd.h"
#include "cli/offline.h"
#include "cli/sheet.h"
#include "cli/state_file.h"
#include "cli/stored_words.h"
#include "partition/audit.h"
#include "partition/stored.h"

#define WHY_SIZE (PATH_MAX + 256)

/* One partition. */
struct verify {
	const char *data; /* borrowed */
	uint32_t partition;
	int err; /* ORD_OK: it was walked; ORD_ERR_NOT_FOUND: there is no state */
	uint64_t counts[ORD_STORE_TABLES];
	bool known; /* what follows, from the partition's numbers */
	uint64_t position;
	uint64_t digest[2];
	/* The first thing that is wrong. */
	uint64_t damage_count;
	enum ord_store_table damage_table; /* 0: of all together */
	char damage_key[ORD_STORED_KEY_SIZE];
	char problem[WHY_SIZE];
	/* While it is walked. */
	struct ord_state_file *file;
	struct ord_audit *audit; /* NULL: its numbers cannot be used */
	enum ord_store_table table;
	uint64_t pairs_left;
	uint8_t before[ORD_STORE_KEY_BYTES_MAX]; /* the key before */
	size_t before_bytes;
};

static void damage_note(struct verify *v, enum ord_store_table table, const char *key, const char *problem)
{
	if (v->damage_count++ > 0)
		return;
	v->damage_table = table;
	snprintf(v->damage_key, sizeof v->damage_key, "%s", key);
	snprintf(v->problem, sizeof v->problem, "%s", problem);
}

/* Keys ascend; the first one of a table has none before it. */
static bool key_ascends(const struct verify *v, struct ord_slice key)
{
	size_t common = v->before_bytes < key.len ? v->before_bytes : key.len;
	int order = common > 0 ? memcmp(v->before, key.base, common) : 0;
	return order != 0 ? order < 0 : v->before_bytes < key.len;
}

static bool key_is_found(const struct verify *v, struct ord_slice key, struct ord_slice value)
{
	const struct ord_store *store = ord_state_file_store(v->file);
	struct ord_slice found;
	return store->get(store->ctx, v->table, key, &found) == ORD_OK && found.base == value.base &&
	       found.len == value.len;
}

/* What is wrong with a pair; NULL when nothing is. */
static const char *pair_check(struct verify *v, struct ord_slice key, struct ord_slice value)
{
	struct ord_slice body;
	if (key.len == 0 || key.len > ORD_STORE_KEY_BYTES_MAX)
		return "its key has a length that no key has";
	if (ord_stored_verify(v->table, key, value, &body) != ORD_OK)
		return "its checksum is wrong";
	if (!key_ascends(v, key))
		return "its key is not behind the one before it";
	if (!key_is_found(v, key, value))
		return "it is not found by its key";
	if (v->audit != NULL && v->damage_count == 0 && ord_audit_add(v->audit, v->table, key, value) != ORD_OK)
		return "its checksum is right, and it makes no sense, or a record that belongs to it is missing or "
		       "damaged";
	return NULL;
}

static int verify_pair(void *arg, struct ord_slice key, struct ord_slice value)
{
	struct verify *v = arg;
	char text[ORD_STORED_KEY_SIZE];
	if (v->pairs_left-- == 0)
		return ORD_ERR_CORRUPT;
	v->counts[v->table]++;
	const char *problem = pair_check(v, key, value);
	if (problem != NULL) {
		ord_stored_words_key(v->table, key, text, sizeof text);
		damage_note(v, v->table, text, problem);
	}
	v->before_bytes = key.len < sizeof v->before ? key.len : sizeof v->before;
	memcpy(v->before, key.base, v->before_bytes);
	return ORD_OK;
}

static void table_verify(struct verify *v, enum ord_store_table table)
{
	const struct ord_store *store = ord_state_file_store(v->file);
	v->table = table;
	v->pairs_left = ord_state_file_pairs(v->file, table);
	v->before_bytes = 0;
	int err = store->walk(store->ctx, table, (struct ord_slice){0}, verify_pair, v);
	if (err != ORD_OK)
		damage_note(v, table, "", "its pages are damaged");
	else if (v->pairs_left > 0)
		damage_note(v, table, "", "there are fewer records than LMDB counts");
}

/* Opens the partition by what its numbers say that it is. Without them the records alone can be checked. */
static void audit_open(struct verify *v)
{
	const struct ord_store *store = ord_state_file_store(v->file);
	struct ord_slice key = ord_slice_text(ORD_STORED_NUMBERS_KEY), value, body;
	struct ord_stored_numbers n;
	struct ord_partition_status status;
	if (store->get(store->ctx, ORD_STORE_META, key, &value) != ORD_OK ||
	    ord_stored_verify(ORD_STORE_META, key, value, &body) != ORD_OK || ord_stored_numbers(body, &n) != ORD_OK ||
	    n.partition != v->partition || n.partition >= n.partitions_count || n.partitions_count > ORD_PARTITIONS_MAX)
		return;
	struct ord_partition_options options = {
		.id = n.partition, .partitions_count = n.partitions_count, .store = store};
	if (ord_audit_open(&options, &v->audit) != ORD_OK) {
		v->audit = NULL;
		return;
	}
	ord_audit_status(v->audit, &status);
	v->known = true;
	v->position = status.position;
	memcpy(v->digest, status.state_digest, sizeof v->digest);
}

static bool is_empty(const struct verify *v)
{
	uint64_t records = 0;
	for (unsigned t = 0; t < ORD_STORE_TABLES; t++)
		records += v->counts[t];
	return records == 0;
}

/* When all records are sound by themselves. */
static void whole_verify(struct verify *v)
{
	char why[ORD_AUDIT_WHY_SIZE];
	if (v->audit != NULL && ord_audit_finish(v->audit, why) != ORD_OK)
		damage_note(v, (enum ord_store_table)0, "", why);
	else if (v->audit == NULL && !is_empty(v))
		damage_note(v, ORD_STORE_META, "key=\"" ORD_STORED_NUMBERS_KEY "\"",
			    "the partition's numbers are missing, of another partition or version, or do not fit the "
			    "messages");
}

static void verify_work(void *ctx)
{
	/* Postings first: a stage is read together with its posting. */
	static const enum ord_store_table order[] = {ORD_STORE_META,	 ORD_STORE_ACCOUNTS, ORD_STORE_NAMES,
						     ORD_STORE_REQUESTS, ORD_STORE_POSTINGS, ORD_STORE_STAGES,
						     ORD_STORE_MESSAGES};
	struct verify *v = ctx;
	char why[WHY_SIZE];
	v->err = ord_state_file_open(v->data, v->partition, &v->file, why, sizeof why);
	if (v->err != ORD_OK) {
		damage_note(v, (enum ord_store_table)0, "", why);
		return;
	}
	audit_open(v);
	for (size_t i = 0; i < ORD_COUNT(order); i++)
		table_verify(v, order[i]);
	if (v->damage_count == 0)
		whole_verify(v);
	if (v->damage_count > 0 && !ord_state_file_holds(v->file))
		snprintf(v->problem, sizeof v->problem, "a node was started meanwhile: run it again");
	ord_audit_close(v->audit);
	ord_state_file_close(v->file);
}

static void verify_row(const struct verify *v, struct ord_sheet *sheet)
{
	char digest[ORD_OFFLINE_DIGEST_SIZE];
	ord_sheet_uint(sheet, v->partition);
	if (v->known) {
		ord_offline_digest(v->digest, digest);
		ord_sheet_uint(sheet, v->position);
		ord_sheet_text(sheet, digest);
	} else {
		ord_sheet_null(sheet);
		ord_sheet_null(sheet);
	}
	for (unsigned t = ORD_STORE_ACCOUNTS; t < ORD_STORE_TABLES; t++)
		ord_sheet_uint(sheet, v->counts[t]);
	ord_sheet_uint(sheet, v->damage_count);
	if (v->damage_count == 0) {
		ord_sheet_null(sheet);
		ord_sheet_null(sheet);
		ord_sheet_null(sheet);
		return;
	}
	ord_sheet_text(sheet, v->damage_table == 0 ? "all" : ord_stored_table_name(v->damage_table));
	ord_sheet_text(sheet, v->damage_key);
	ord_sheet_text(sheet, v->problem);
}

static void damage_tell(const struct ord_cmd *self, const struct verify *v)
{
	if (v->damage_table == 0)
		ord_cmd_fail(self, ORD_EXIT_REFUSED, "partition %" PRIu32 ": %s", v->partition, v->problem);
	else
		ord_cmd_fail(self, ORD_EXIT_REFUSED, "%s/state/%" PRIu32 "/data.mdb, table %s, %s: %s", v->data,
			     v->partition, ord_stored_table_name(v->damage_table),
			     v->damage_key[0] != '\0' ? v->damage_key : "in its pages", v->problem);
}

/* Walks one partition and adds its row; gives what the process is to end with because of it. */
static int partition_verify(const struct ord_cmd *self, const char *data, uint32_t partition, struct ord_sheet *sheet)
{
	struct verify v = {.data = data, .partition = partition};
	char why[WHY_SIZE];
	int err = ord_apart_run(verify_work, &v, sizeof v);
	if (err != ORD_OK) {
		ord_state_file_died(data, partition, why, sizeof why);
		damage_note(&v, (enum ord_store_table)0, "", err == ORD_ERR_CORRUPT ? why : ord_err_text(err));
		if (v.damage_count > 1) /* the first one is told below */
			ord_cmd_fail(self, ORD_EXIT_REFUSED, "%s", err == ORD_ERR_CORRUPT ? why : ord_err_text(err));
	}
	if (err == ORD_OK && v.err == ORD_ERR_NOT_FOUND)
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "%s", v.problem);
	verify_row(&v, sheet);
	if (v.damage_count == 0)
		return ORD_EXIT_OK;
	damage_tell(self, &v);
	return ORD_EXIT_REFUSED;
}

static int verify_run(const struct ord_cmd *self, const char *data, int64_t partition, enum ord_look look)
{
	static const char *const columns[] = {"partition", "position", "digest",   "accounts", "names",
					      "requests",  "stages",   "postings", "messages", "damaged",
					      "table",	   "record",   "problem"};
	char directory[PATH_MAX + 16], why[WHY_SIZE];
	uint32_t *partitions = NULL, one = (uint32_t)partition;
	size_t count = 1;
	int status = ORD_EXIT_OK;
	struct ord_sheet sheet;
	ord_state_file_directory(data, directory, sizeof directory);
	if (partition < 0 && ord_offline_partitions(directory, &partitions, &count, why, sizeof why) != ORD_OK)
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "%s; give the data directory of a node", why);
	ord_sheet_init(&sheet, columns, ORD_COUNT(columns));
	for (size_t i = 0; i < count; i++) {
		int of_one = partition_verify(self, data, partition < 0 ? partitions[i] : one, &sheet);
		status = of_one > status ? of_one : status;
	}
	if (status != ORD_EXIT_USAGE)
		ord_sheet_show(&sheet, look, NULL, stdout);
	ord_sheet_close(&sheet);
	free(partitions);
	return status;
}

int ord_cmd_state_verify(const struct ord_cmd *self, int argc, char **argv)
{
	const char *data = NULL;
	int64_t partition = -1;
	bool json = false;
	struct ord_flag flags[] = {ord_offline_data_flag(&data), ord_offline_partition_flag(&partition),
				   ord_offline_json_flag(&json)};
	struct ord_args args = {.command = self->name,
				.summary = self->summary,
				.flags = flags,
				.flags_count = ORD_COUNT(flags),
				.notes = "Exit status 1 when something is damaged."};
	int status;
	flags[1].normal = "all";
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	return verify_run(self, data, partition, ord_sheet_look(json, stdout));
}
