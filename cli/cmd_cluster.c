/* SPDX-License-Identifier: Apache-2.0 - ordain cluster: start, status. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cluster.h"
#include "cli/cluster_wait.h"
#include "cli/cluster_words.h"
#include "cli/cmd.h"
#include "cli/netns.h"
#include "cli/node_disk.h"
#include "cli/once.h"
#include "cli/overview.h"
#include "cli/target.h"

#define STATUS_WAIT_MS 2000 /* for one node's answer */
#define DISK_BYTES (INT64_C(4) << 30)
#define DISK_BYTES_MAX (INT64_C(1) << 44)

/* --- start ------------------------------------------------------------------------------------------------------------ */

/* 0 wants nothing. */
static int number_check(const struct ord_layout *l, const char *name, uint32_t wanted, uint32_t has, char *why)
{
	if (wanted == 0 || wanted == has)
		return ORD_OK;
	snprintf(why, ORD_CLUSTER_WHY_SIZE,
		 "--%s: the cluster in %s has %" PRIu32
		 " %s for its whole life; leave the flag out, or use another --dir",
		 name, l->dir, has, name);
	return ORD_ERR_INVALID;
}

static int shape_check(const struct ord_layout *l, const struct ord_layout_shape *wanted, char *why)
{
	if (wanted->netns && !l->netns.on) {
		snprintf(why, ORD_CLUSTER_WHY_SIZE,
			 "--netns: the cluster in %s was made without; leave the flag out, or use another --dir",
			 l->dir);
		return ORD_ERR_INVALID;
	}
	int err = number_check(l, "nodes", wanted->nodes_count, l->nodes_count, why);
	if (err == ORD_OK)
		err = number_check(l, "partitions", wanted->partitions_count, l->partitions_count, why);
	return err == ORD_OK ? number_check(l, "shards", wanted->shards_count, l->shards_count, why) : err;
}

static int shape_fits(const struct ord_layout_shape *shape, char *why)
{
	if (shape->shards_count <= shape->partitions_count)
		return ORD_OK;
	snprintf(why, ORD_CLUSTER_WHY_SIZE, "--shards: %" PRIu32 " must be at most --partitions, which is %" PRIu32,
		 shape->shards_count, shape->partitions_count);
	return ORD_ERR_INVALID;
}

/* Reads what is in dir, or makes it in the wanted shape (0: 3 nodes, 8 partitions, 1 shard). */
static int layout_find_or_make(const char *dir, const struct ord_layout_shape *wanted, struct ord_layout *ret,
			       char *why)
{
	struct ord_layout_shape shape = {.nodes_count = wanted->nodes_count != 0 ? wanted->nodes_count : 3,
					 .partitions_count =
						 wanted->partitions_count != 0 ? wanted->partitions_count : 8,
					 .shards_count = wanted->shards_count != 0 ? wanted->shards_count : 1,
					 .netns = wanted->netns,
					 .disk_bytes = wanted->disk_bytes};
	int err = ord_layout_load(dir, ret, why, ORD_CLUSTER_WHY_SIZE);
	if (err == ORD_ERR_NOT_FOUND && shape_fits(&shape, why) != ORD_OK)
		return ORD_ERR_INVALID;
	if (err == ORD_ERR_NOT_FOUND)
		return ord_layout_create(dir, &shape, ret, why, ORD_CLUSTER_WHY_SIZE);
	return err == ORD_OK ? shape_check(ret, wanted, why) : err;
}

/* Lets the nodes of the mask make faults on purpose, from their next start on. */
static int faults_enable(const struct ord_cluster *c, uint32_t mask, char *why)
{
	int err = ORD_OK;
	for (uint32_t i = 0; err == ORD_OK && i < c->layout.nodes_count; i++) {
		bool changed;
		if ((mask >> i & 1) == 0)
			continue;
		err = ord_layout_enable_faults(&c->layout, &c->layout.nodes[i], &changed, why, ORD_CLUSTER_WHY_SIZE);
		if (err == ORD_OK && changed && c->processes[i].pidfd >= 0)
			fprintf(stderr, "node %" PRIu32 " runs already and makes faults after its next start\n",
				c->layout.nodes[i].id);
	}
	return err;
}

/* What 'cluster start' is asked for, beside the flags that all have. */
struct start {
	struct ord_layout_shape shape;
	const char *ordaind;
	bool enable_faults;
};

static int cluster_start(struct ord_cluster *c, const struct ord_cluster_words *common, const struct start *start,
			 uint32_t *ret_count, char *why)
{
	int lock = -1;
	int err = start->shape.netns ? ord_netns_check(why, ORD_CLUSTER_WHY_SIZE) : ORD_OK;
	if (err == ORD_OK)
		err = ord_layout_directory(common->dir, why, ORD_CLUSTER_WHY_SIZE);
	if (err == ORD_OK)
		err = ord_layout_lock(common->dir, common->timeout_ms, &lock, why, ORD_CLUSTER_WHY_SIZE);
	if (err == ORD_OK)
		err = ord_cluster_program(c, start->ordaind, why);
	if (err == ORD_OK)
		err = layout_find_or_make(common->dir, &start->shape, &c->layout, why);
	if (err == ORD_OK)
		err = ord_cluster_find(c, why);
	if (err == ORD_OK)
		err = ord_cluster_check(c, common->node, why);
	/* What the kernel cannot do the nodes do (cli/fault_netns.c). */
	if (err == ORD_OK && (start->enable_faults || c->layout.netns.on))
		err = faults_enable(c, ord_cluster_mask(c, common->node), why);
	if (err == ORD_OK)
		err = ord_cluster_start_nodes(c, ord_cluster_mask(c, common->node), ret_count, why);
	if (lock >= 0)
		close(lock);
	return err;
}

/* Starts nodes again that have ended meanwhile. */
static int lost_start(struct ord_cluster *c, uint32_t lost, int64_t timeout_ms, uint32_t *count, char *why)
{
	uint32_t started = 0;
	int lock;
	int err = ord_layout_lock(c->layout.dir, timeout_ms, &lock, why, ORD_CLUSTER_WHY_SIZE);
	if (err != ORD_OK)
		return err;
	err = ord_cluster_start_nodes(c, lost, &started, why);
	close(lock);
	*count += started;
	return err;
}

/* Waits until the nodes that were asked for serve. One that ran already may have been dying: it is started, too, and counted. */
static int serving_wait(struct ord_cluster *c, const struct ord_cluster_words *common, uint32_t *count, char *why)
{
	int64_t deadline_ms = ord_process_now_ms() + common->timeout_ms;
	struct ord_cluster_wait wait = {.nodes = ord_cluster_mask(c, common->node), .alone = common->node != 0};
	uint32_t lost = 0;
	int err = ORD_OK;
	do {
		int64_t left_ms = deadline_ms - ord_process_now_ms();
		wait.timeout_ms = left_ms > 0 ? left_ms : 0;
		err = ord_cluster_wait_ready(c, &wait, &lost, why);
		if (err == ORD_OK && lost != 0)
			err = lost_start(c, lost, common->timeout_ms, count, why);
	} while (err == ORD_OK && lost != 0);
	return err;
}

int ord_cmd_cluster_start(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_cluster_words common = {.timeout_ms = 30000};
	int64_t nodes = 0, partitions = 0, shards = 0;
	struct start start = {0};
	bool netns = false;
	int64_t disk_bytes = DISK_BYTES;
	struct ord_flag flags[] = {
		ord_cluster_words_dir(&common),
		ord_cluster_words_node(&common, "all nodes"),
		{.name = "netns",
		 .on = &netns,
		 .help = "each node in its own network namespace, with its own file system; as root"},
		{.name = "disk-size",
		 .value = "BYTES",
		 .bytes = &disk_bytes,
		 .min = ORD_NODE_DISK_BYTES_MIN,
		 .max = DISK_BYTES_MAX,
		 .help = "with --netns: of each node's file system; K, M and G are understood",
		 .normal = "4G"},
		{.name = "nodes",
		 .value = "N",
		 .number = &nodes,
		 .min = 1,
		 .max = ORD_NODES_MAX,
		 .help = "how many node processes",
		 .normal = "3"},
		{.name = "partitions",
		 .value = "N",
		 .number = &partitions,
		 .min = 1,
		 .max = ORD_PARTITIONS_MAX,
		 .help = "how many partitions",
		 .normal = "8"},
		ord_cluster_words_shards(&shards),
		{.name = "ordaind",
		 .value = "PROGRAM",
		 .text = &start.ordaind,
		 .help = "the node program",
		 .normal = "beside ordain, or in PATH"},
		{.name = "enable-faults",
		 .on = &start.enable_faults,
		 .help = "let 'ordain fault' make links, disks and clocks go wrong: for tests, never where it matters"},
		ord_cluster_words_timeout(&common),
		ord_cluster_words_json(&common),
	};
	struct ord_args args = ord_cluster_words_args(self, flags, ORD_COUNT(flags));
	struct ord_cluster c = {0};
	char why[ORD_CLUSTER_WHY_SIZE];
	uint32_t started = 0;
	int status;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++)
		c.processes[i].pidfd = -1;
	start.shape = (struct ord_layout_shape){.nodes_count = (uint32_t)nodes,
						.partitions_count = (uint32_t)partitions,
						.shards_count = (uint32_t)shards,
						.netns = netns,
						.disk_bytes = (uint64_t)disk_bytes};
	int err = cluster_start(&c, &common, &start, &started, why);
	if (err == ORD_OK)
		err = serving_wait(&c, &common, &started, why);
	if (err == ORD_OK && started == 0)
		fprintf(stderr, "%s in %s runs already\n", common.node != 0 ? "the node" : "the cluster", c.layout.dir);
	status = err == ORD_OK ? ord_cluster_words_status(self, &c, common.json)
			       : ord_cluster_words_fail(self, err, why);
	ord_cluster_close(&c);
	return status;
}

/* --- status ----------------------------------------------------------------------------------------------------------- */

/* A cluster that was not made by 'cluster start': its nodes are asked who they are. */
static int remote_status(const struct ord_cmd *self, const struct ord_target *t)
{
	struct ord_survey *s;
	int status;
	if (!ord_once_survey(self, t, &s, &status))
		return status;
	ord_survey_round(s, STATUS_WAIT_MS);
	ord_overview_show(s, NULL, ord_sheet_look(t->json, stdout), stdout);
	ord_survey_close(s);
	return ORD_EXIT_OK;
}

int ord_cmd_cluster_status(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_target target;
	struct ord_cluster c;
	char why[ORD_CLUSTER_WHY_SIZE];
	int status;
	ord_target_init(&target);
	struct ord_args args = ord_cluster_words_args(self, target.flags, ORD_TARGET_FLAGS);
	args.notes = "'agree' is no when two replicas at the same position differ; then stop the cluster and "
		     "keep its "
		     "data.\n"
		     "A node is 'silent' when its process runs and does not answer.";
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	if (target.dir == NULL || target.connect != NULL)
		return remote_status(self, &target);
	int err = ord_cluster_open(target.dir, &c, why);
	if (err != ORD_OK)
		return ord_cluster_words_fail(self, err, why);
	status = ord_cluster_words_status(self, &c, target.json);
	ord_cluster_close(&c);
	return status;
}
