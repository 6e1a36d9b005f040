/* SPDX-License-Identifier: Apache-2.0 - ordain backup: states that go together, and their histories. */
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "base/err.h"
#include "cli/backup.h"
#include "cli/cmd.h"
#include "cli/folder.h"
#include "cli/identity.h"
#include "cli/layout.h"
#include "cli/offline.h"
#include "cli/process.h"
#include "cli/sheet.h"
#include "cli/survey.h"
#include "cli/target.h"

#define TIMEOUT_MS_MAX (24 * 3600 * INT64_C(1000))
#define ANSWER_WAIT_MS 2000 /* for one node */
#define LEADERS_WAIT_MS 5000
#define LEADERS_PAUSE_MS 250

/* Where it comes from. */
struct source {
	struct ord_target target;
	const char *data; /* NULL: by --dir and --node */
	int64_t node;
	char path[PATH_MAX];
	struct ord_survey *survey; /* owned; NULL: nobody is asked */
	bool is_told;		   /* of damage */
	int64_t leaders_wait_ms;
};

static const char *const columns[] = {"partition", "position", "digest", "blocks", "time"};

static void result_show(const struct ord_manifest *m, enum ord_look look)
{
	char digest[ORD_OFFLINE_DIGEST_SIZE];
	struct ord_sheet sheet;
	ord_sheet_init(&sheet, columns, ORD_COUNT(columns));
	for (uint32_t i = 0; i < m->partitions_count; i++) {
		const struct ord_manifest_partition *p = &m->partitions[i];
		ord_offline_digest(p->digest, digest);
		ord_sheet_uint(&sheet, i);
		ord_sheet_uint(&sheet, p->position);
		ord_sheet_text(&sheet, digest);
		ord_sheet_uint(&sheet, p->blocks_last);
		ord_sheet_time(&sheet, p->time_us);
	}
	ord_sheet_show(&sheet, look, NULL, stdout);
	ord_sheet_close(&sheet);
}

/* --- The cluster, where it can be asked. --- */

/* Leaders may just be elected: for some seconds it is asked again. */
static bool leaders_await(struct source *s, uint32_t count)
{
	int64_t until_ms = ord_process_now_ms() + s->leaders_wait_ms;
	while (true) {
		for (uint32_t i = 0; i < s->survey->nodes_count; i++)
			s->survey->nodes[i].asked = true;
		ord_survey_round(s->survey, ANSWER_WAIT_MS);
		if (s->survey->partitions_count == count && ord_survey_ready_count(s->survey) >= count)
			return true;
		if (ord_process_now_ms() >= until_ms)
			return false;
		poll(NULL, 0, LEADERS_PAUSE_MS);
	}
}

static bool committed_ask(void *ctx, uint64_t *wanted, uint32_t count)
{
	struct source *s = ctx;
	if (!leaders_await(s, count)) {
		fprintf(stderr,
			"%" PRIu32 " of %" PRIu32
			" partitions have a leader that answers, so it is not known what is committed: "
			"the backup has what the node's own log has now\n",
			ord_survey_ready_count(s->survey), count);
		return false;
	}
	for (uint32_t p = 0; p < count; p++)
		wanted[p] = s->survey->nodes[ord_survey_leader(s->survey, p)].replicas[p].commit_index;
	return true;
}

/* The node whose files are read; NULL: the cluster does not name it. */
static struct ord_survey_node *node_choose(struct source *s)
{
	struct ord_survey_node *found = NULL;
	for (uint32_t i = 0; i < s->survey->nodes_count; i++) {
		struct ord_survey_node *n = &s->survey->nodes[i];
		n->asked = n->id == (uint64_t)s->node;
		found = n->asked ? n : found;
	}
	return found;
}

static void checkpoint_hasten(void *ctx)
{
	struct source *s = ctx;
	node_choose(s);
	ord_survey_checkpoint(s->survey, ANSWER_WAIT_MS);
}

/* Every call but the first one looks whether the check has ended. */
static bool scrub_ask(void *ctx, const char *damage)
{
	struct source *s = ctx;
	struct ord_survey_node *node = s->survey != NULL ? node_choose(s) : NULL;
	bool is_first = !s->is_told;
	s->is_told = true;
	if (node != NULL && is_first)
		ord_survey_scrub(s->survey, ANSWER_WAIT_MS);
	else if (node != NULL)
		ord_survey_round(s->survey, ANSWER_WAIT_MS);
	bool answers = node != NULL && node->answered;
	if (is_first)
		fprintf(stderr, "damage: %s; %s\n", damage,
			answers ? "the node was asked to check and repair its files (ordain scrub)"
				: "have the node check and repair its files: ordain scrub --now");
	return answers && node->history.scrubbing;
}

/* A cluster that does not answer is not asked: its files are there all the same. */
static void survey_open(struct source *s)
{
	struct ord_target_cluster cluster;
	char why[512], id[ORD_UUID_TEXT_SIZE];
	struct ord_identity identity = ord_identity_read(s->path);
	if (ord_target_resolve(&s->target, &cluster, why, sizeof why) != ORD_OK)
		return;
	struct ordain_options options = ord_target_options(&s->target, &cluster);
	if (ord_survey_open(&options, &s->survey) != 0) {
		s->survey = NULL;
		return;
	}
	s->node = identity.node;
	ord_uuid_format(&identity.cluster, id);
	bool is_it = ord_survey_discover(s->survey, ANSWER_WAIT_MS, why, sizeof why) == 0 &&
		     strcmp(s->survey->cluster_id, id) == 0;
	if (is_it)
		return;
	fprintf(stderr, "%s does not answer, or is another cluster: what it has committed is not asked\n",
		cluster.addresses);
	ord_survey_close(s->survey);
	s->survey = NULL;
}

/* Finds the data directory. */
static int source_open(const struct ord_cmd *self, struct source *s)
{
	struct ord_layout layout;
	char why[ORD_FOLDER_WHY_SIZE];
	if ((s->data != NULL) == (s->target.dir != NULL))
		return ord_cmd_fail(self, ORD_EXIT_USAGE,
				    "which node? give --data DIR, its data directory, or --dir DIR --node N, of a "
				    "cluster made by 'ordain cluster start'");
	if (s->data != NULL) {
		snprintf(s->path, sizeof s->path, "%s", s->data);
	} else {
		if (ord_layout_load(s->target.dir, &layout, why, sizeof why) != ORD_OK)
			return ord_cmd_fail(self, ORD_EXIT_USAGE, "%s", why);
		const struct ord_layout_node *node = ord_layout_find(&layout, s->node);
		if (node == NULL)
			return ord_cmd_fail(self, ORD_EXIT_USAGE, "--node: the cluster has no node %" PRId64, s->node);
		ord_layout_path(&layout, node, "data", s->path);
	}
	survey_open(s);
	return ORD_EXIT_OK;
}

static int fail(const struct ord_cmd *self, int err, const char *why)
{
	bool usage = err == ORD_ERR_NOT_FOUND || err == ORD_ERR_INVALID || err == ORD_ERR_EXISTS;
	return ord_cmd_fail(self, usage ? ORD_EXIT_USAGE : ORD_EXIT_REFUSED, "%s", why);
}

static int backup_run(const struct ord_cmd *self, const struct ord_backup_options *options, bool json)
{
	struct ord_backup_result result;
	char why[ORD_FOLDER_WHY_SIZE];
	int err = ord_backup_make(options, &result, why, sizeof why);
	if (err != ORD_OK)
		return fail(self, err, why);
	result_show(&result.manifest, ord_sheet_look(json, stdout));
	if (!result.node_runs)
		fprintf(stderr, "the node does not run: what came after its last checkpoints is not in this backup\n");
	ord_manifest_close(&result.manifest);
	return ORD_EXIT_OK;
}

int ord_cmd_backup(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_backup_options options = {.timeout_ms = 300000};
	struct source source = {.node = 1};
	int status;
	ord_target_init(&source.target);
	struct ord_flag flags[] = {
		{.name = "data",
		 .value = "DIR",
		 .text = &source.data,
		 .help = "data directory of a node, which may run; or:"},
		source.target.flags[0],
		{.name = "node",
		 .value = "N",
		 .number = &source.node,
		 .min = 1,
		 .max = ORD_NODES_MAX,
		 .help = "with --dir: which node",
		 .normal = "1"},
		source.target.flags[1],
		{.name = "to",
		 .value = "BACKUP",
		 .text = &options.to,
		 .help = "the directory to make",
		 .required = true},
		{.name = "timeout",
		 .value = "TIME",
		 .duration_ms = &options.timeout_ms,
		 .min = 1,
		 .max = TIMEOUT_MS_MAX,
		 .help = "the longest wait for the node to write its checkpoints",
		 .normal = "5m"},
		ord_offline_json_flag(&source.target.json),
	};
	struct ord_args args = {
		.command = self->name,
		.summary = self->summary,
		.flags = flags,
		.flags_count = ORD_COUNT(flags),
		.notes = "With --dir or --connect the backup has all that the cluster had committed when it "
			 "was begun, and does not wait for\ncheckpoints. Everything is checked on the way; exit "
			 "status 1 when something is damaged or missing: then there is no backup."};
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	status = source_open(self, &source);
	if (status != ORD_EXIT_OK)
		return status;
	options.data_dir = source.path;
	options.ctx = &source;
	options.mend = scrub_ask;
	source.leaders_wait_ms = options.timeout_ms < LEADERS_WAIT_MS ? options.timeout_ms : LEADERS_WAIT_MS;
	if (source.survey != NULL) {
		options.ask = committed_ask;
		options.hasten = checkpoint_hasten;
	}
	status = backup_run(self, &options, source.target.json);
	ord_survey_close(source.survey);
	return status;
}
