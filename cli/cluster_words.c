/* SPDX-License-Identifier: Apache-2.0 - what the subcommands of `ordain cluster` share: their flags, and how they end. */
#include "cli/cluster_words.h"

#include "base/err.h"
#include "base/limits.h"
#include "cli/overview.h"

#define STATUS_WAIT_MS 2000   /* for one node's answer */
#define TIMEOUT_MS_MAX 600000 /* of starting and stopping */

struct ord_flag ord_cluster_words_dir(struct ord_cluster_words *w)
{
	return (struct ord_flag){.name = "dir",
				 .value = "DIR",
				 .text = &w->dir,
				 .help = "the cluster's directory: ports, logs, data",
				 .required = true};
}

struct ord_flag ord_cluster_words_timeout(struct ord_cluster_words *w)
{
	return (struct ord_flag){.name = "timeout",
				 .value = "TIME",
				 .duration_ms = &w->timeout_ms,
				 .min = 1,
				 .max = TIMEOUT_MS_MAX,
				 .help = "the longest wait",
				 .normal = "30s"};
}

struct ord_flag ord_cluster_words_json(struct ord_cluster_words *w)
{
	return (struct ord_flag){.name = "json", .on = &w->json, .help = "print JSON"};
}

struct ord_flag ord_cluster_words_shards(int64_t *shards)
{
	return (struct ord_flag){.name = "shards",
				 .value = "N",
				 .number = shards,
				 .min = 1,
				 .max = ORD_SHARDS_MAX,
				 .help = "threads of each node that share its partitions",
				 .normal = "1"};
}

struct ord_flag ord_cluster_words_node(struct ord_cluster_words *w, const char *normal)
{
	return (struct ord_flag){.name = "node",
				 .value = "N",
				 .number = &w->node,
				 .min = 1,
				 .max = ORD_NODES_MAX,
				 .help = "number of the node",
				 .normal = normal,
				 .required = normal == NULL};
}

struct ord_args ord_cluster_words_args(const struct ord_cmd *self, const struct ord_flag *flags, size_t flags_count)
{
	return (struct ord_args){
		.command = self->name, .summary = self->summary, .flags = flags, .flags_count = flags_count};
}

/* The exit status for an error of cli/cluster.h. */
int ord_cluster_words_fail(const struct ord_cmd *self, int err, const char *why)
{
	bool usage = err == ORD_ERR_NOT_FOUND || err == ORD_ERR_FORMAT || err == ORD_ERR_INVALID;
	return ord_cmd_fail(self, usage ? ORD_EXIT_USAGE : ORD_EXIT_REFUSED, "%s", why);
}

int ord_cluster_words_status(const struct ord_cmd *self, const struct ord_cluster *c, bool json)
{
	char why[ORD_CLUSTER_WHY_SIZE];
	struct ord_survey *s;
	int err = ord_cluster_survey(c, &s, why);
	if (err != ORD_OK)
		return ord_cluster_words_fail(self, err, why);
	ord_survey_round(s, STATUS_WAIT_MS);
	ord_uuid_format(&c->layout.cluster, s->cluster_id);
	ord_overview_show(s, c->processes, ord_sheet_look(json, stdout), stdout);
	ord_survey_close(s);
	return ORD_EXIT_OK;
}
