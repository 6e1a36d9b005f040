/* SPDX-License-Identifier: Apache-2.0 - ordain restore: a new cluster from a backup. */
#include <inttypes.h>

#include "base/err.h"
#include "cli/cluster_words.h"
#include "cli/cmd.h"
#include "cli/folder.h"
#include "cli/offline.h"
#include "cli/restore.h"
#include "cli/sheet.h"

static const char *const columns[] = {"cluster_id", "nodes", "partitions", "commands", "backup_of"};

static void result_show(const struct ord_restore_result *r, bool json)
{
	char cluster[ORD_UUID_TEXT_SIZE], source[ORD_UUID_TEXT_SIZE];
	struct ord_sheet sheet;
	uint64_t commands = 0;
	for (uint32_t i = 0; i < r->manifest.partitions_count; i++)
		commands += r->manifest.partitions[i].position;
	ord_uuid_format(&r->layout.cluster, cluster);
	ord_uuid_format(&r->manifest.cluster, source);
	ord_sheet_init(&sheet, columns, ORD_COUNT(columns));
	ord_sheet_text(&sheet, cluster);
	ord_sheet_uint(&sheet, r->layout.nodes_count);
	ord_sheet_uint(&sheet, r->manifest.partitions_count);
	ord_sheet_uint(&sheet, commands);
	ord_sheet_text(&sheet, source);
	ord_sheet_show_record(&sheet, ord_sheet_look(json, stdout), stdout);
	ord_sheet_close(&sheet);
}

static int fail(const struct ord_cmd *self, int err, const char *why)
{
	bool usage =
		err == ORD_ERR_NOT_FOUND || err == ORD_ERR_INVALID || err == ORD_ERR_EXISTS || err == ORD_ERR_MISMATCH;
	return ord_cmd_fail(self, usage ? ORD_EXIT_USAGE : ORD_EXIT_REFUSED, "%s", why);
}

int ord_cmd_restore(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_restore_options options = {.nodes_count = 0};
	struct ord_restore_result result;
	int64_t nodes = 0, shards = 0;
	bool json = false;
	char why[ORD_FOLDER_WHY_SIZE];
	int status;
	struct ord_flag flags[] = {
		{.name = "from",
		 .value = "BACKUP",
		 .text = &options.from,
		 .help = "a directory that 'ordain backup' has made",
		 .required = true},
		{.name = "dir",
		 .value = "DIR",
		 .text = &options.dir,
		 .help = "the new cluster's directory, to be made",
		 .required = true},
		{.name = "nodes",
		 .value = "N",
		 .number = &nodes,
		 .min = 1,
		 .max = ORD_NODES_MAX,
		 .help = "how many nodes",
		 .normal = "as many as before"},
		ord_cluster_words_shards(&shards),
		ord_offline_json_flag(&json),
	};
	struct ord_args args = {
		.command = self->name,
		.summary = self->summary,
		.flags = flags,
		.flags_count = ORD_COUNT(flags),
		.notes = "It is another cluster than the one that was backed up: with an id of its own, "
			 "and clients have to be told its\naddresses. Every file of the backup is checked "
			 "first."};
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	options.nodes_count = (uint32_t)nodes;
	options.shards_count = (uint32_t)shards;
	int err = ord_restore_make(&options, &result, why, sizeof why);
	if (err != ORD_OK)
		return fail(self, err, why);
	result_show(&result, json);
	fprintf(stderr, "start it with: ordain cluster start --dir %s\n", options.dir);
	ord_manifest_close(&result.manifest);
	return ORD_EXIT_OK;
}
