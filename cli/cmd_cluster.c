/* SPDX-License-Identifier: Apache-2.0 - ordain cluster: start, status, stop, restart, kill. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cluster.h"
#include "cli/cmd.h"
#include "cli/overview.h"
#include "cli/target.h"

#define STATUS_WAIT_MS 2000   /* for one node's answer */
#define KILL_WAIT_MS 10000    /* a killed process ends as soon as its last system call is over */
#define TIMEOUT_MS_MAX 600000 /* of starting and stopping */

/* What all subcommands of this family take. */
struct common {
	const char *dir;
	int64_t timeout_ms;
	int64_t node; /* 0: not given */
	bool json;
};

static struct ord_flag dir_flag(struct common *c)
{
	return (struct ord_flag){.name = "dir",
				 .value = "DIR",
				 .text = &c->dir,
				 .help = "the cluster's directory: ports, logs, data",
				 .required = true};
}

static struct ord_flag timeout_flag(struct common *c)
{
	return (struct ord_flag){.name = "timeout",
				 .value = "TIME",
				 .duration_ms = &c->timeout_ms,
				 .min = 1,
				 .max = TIMEOUT_MS_MAX,
				 .help = "the longest wait",
				 .normal = "30s"};
}

static struct ord_flag json_flag(struct common *c)
{
	return (struct ord_flag){.name = "json", .on = &c->json, .help = "print JSON"};
}

static struct ord_flag node_flag(struct common *c, const char *normal)
{
	return (struct ord_flag){.name = "node",
				 .value = "N",
				 .number = &c->node,
				 .min = 1,
				 .max = ORD_NODES_MAX,
				 .help = "number of the node",
				 .normal = normal,
				 .required = normal == NULL};
}

static struct ord_args args_of(const struct ord_cmd *self, const struct ord_flag *flags, size_t flags_count)
{
	return (struct ord_args){
		.command = self->name, .summary = self->summary, .flags = flags, .flags_count = flags_count};
}

/* The exit status for an error of cli/cluster.h. */
static int fail(const struct ord_cmd *self, int err, const char *why)
{
	bool usage = err == ORD_ERR_NOT_FOUND || err == ORD_ERR_FORMAT || err == ORD_ERR_INVALID;
	return ord_cmd_fail(self, usage ? ORD_EXIT_USAGE : ORD_EXIT_REFUSED, "%s", why);
}

static int status_show(const struct ord_cmd *self, struct ord_cluster *c, bool json)
{
	char why[ORD_CLUSTER_WHY_SIZE];
	struct ord_survey *s;
	int err = ord_cluster_survey(c, &s, why);
	if (err != ORD_OK)
		return fail(self, err, why);
	ord_survey_round(s, STATUS_WAIT_MS);
	ord_uuid_format(&c->layout.cluster, s->cluster_id);
	ord_overview_show(s, c->processes, ord_sheet_look(json, stdout), stdout);
	ord_survey_close(s);
	return ORD_EXIT_OK;
}

/* The mask of one node that the cluster has, or of all when none is named (0). */
static uint32_t nodes_mask(const struct ord_cluster *c, int64_t node)
{
	const struct ord_layout_node *found = ord_layout_find(&c->layout, node);
	return found != NULL ? 1u << (found - c->layout.nodes) : (1u << c->layout.nodes_count) - 1;
}

static int node_check(const struct ord_cluster *c, int64_t node, char *why)
{
	if (node == 0 || ord_layout_find(&c->layout, node) != NULL)
		return ORD_OK;
	snprintf(why, ORD_CLUSTER_WHY_SIZE,
		 "--node: there is no node %" PRId64 "; this cluster has nodes 1 to %" PRIu32, node,
		 c->layout.nodes_count);
	return ORD_ERR_INVALID;
}

/* --- start ------------------------------------------------------------------------------------------------------------ */

static int shape_check(const struct ord_layout *l, const struct ord_layout_shape *wanted, char *why)
{
	bool nodes = wanted->nodes_count == 0 || wanted->nodes_count == l->nodes_count;
	bool partitions = wanted->partitions_count == 0 || wanted->partitions_count == l->partitions_count;
	if (nodes && partitions)
		return ORD_OK;
	snprintf(why, ORD_CLUSTER_WHY_SIZE,
		 "--%s: the cluster in %.1024s has %" PRIu32
		 " %s for its whole life; leave the flag out, or use another --dir",
		 nodes ? "partitions" : "nodes", l->dir, nodes ? l->partitions_count : l->nodes_count,
		 nodes ? "partitions" : "nodes");
	return ORD_ERR_INVALID;
}

/* Reads what is in dir, or makes it in the wanted shape (0: 3 nodes, 8 partitions). */
static int layout_find_or_make(const char *dir, const struct ord_layout_shape *wanted, struct ord_layout *ret,
			       char *why)
{
	struct ord_layout_shape shape = {.nodes_count = wanted->nodes_count != 0 ? wanted->nodes_count : 3,
					 .partitions_count =
						 wanted->partitions_count != 0 ? wanted->partitions_count : 8};
	int err = ord_layout_load(dir, ret, why, ORD_CLUSTER_WHY_SIZE);
	if (err == ORD_ERR_NOT_FOUND)
		return ord_layout_create(dir, &shape, ret, why, ORD_CLUSTER_WHY_SIZE);
	return err == ORD_OK ? shape_check(ret, wanted, why) : err;
}

/* Starts the nodes of the mask that do not run; the directory's lock is held. *ret_count: how many. */
static int nodes_start(struct ord_cluster *c, uint32_t mask, uint32_t *ret_count, char *why)
{
	int err = ORD_OK;
	*ret_count = 0;
	for (uint32_t i = 0; err == ORD_OK && i < c->layout.nodes_count; i++) {
		if ((mask >> i & 1) == 0 || c->processes[i].pidfd >= 0)
			continue;
		err = ord_cluster_start_node(c, i, why);
		*ret_count += err == ORD_OK;
	}
	return err;
}

static int cluster_start(struct ord_cluster *c, const struct common *common, const struct ord_layout_shape *wanted,
			 const char *ordaind, uint32_t *ret_count, char *why)
{
	int lock = -1;
	int err = ord_layout_directory(common->dir, why, ORD_CLUSTER_WHY_SIZE);
	if (err == ORD_OK)
		err = ord_layout_lock(common->dir, &lock, why, ORD_CLUSTER_WHY_SIZE);
	if (err == ORD_OK)
		err = ord_cluster_program(c, ordaind, why);
	if (err == ORD_OK)
		err = layout_find_or_make(common->dir, wanted, &c->layout, why);
	if (err == ORD_OK)
		err = ord_cluster_find(c, why);
	if (err == ORD_OK)
		err = node_check(c, common->node, why);
	if (err == ORD_OK)
		err = nodes_start(c, nodes_mask(c, common->node), ret_count, why);
	if (lock >= 0)
		close(lock);
	return err;
}

int ord_cmd_cluster_start(const struct ord_cmd *self, int argc, char **argv)
{
	struct common common = {.timeout_ms = 30000};
	int64_t nodes = 0, partitions = 0;
	const char *ordaind = NULL;
	struct ord_flag flags[] = {
		dir_flag(&common),
		node_flag(&common, "all nodes"),
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
		{.name = "ordaind",
		 .value = "PROGRAM",
		 .text = &ordaind,
		 .help = "the node program",
		 .normal = "beside ordain, or in PATH"},
		timeout_flag(&common),
		json_flag(&common),
	};
	struct ord_args args = args_of(self, flags, ORD_COUNT(flags));
	struct ord_cluster c = {0};
	char why[ORD_CLUSTER_WHY_SIZE];
	uint32_t started = 0;
	int status;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++)
		c.processes[i].pidfd = -1;
	struct ord_layout_shape wanted = {.nodes_count = (uint32_t)nodes, .partitions_count = (uint32_t)partitions};
	int err = cluster_start(&c, &common, &wanted, ordaind, &started, why);
	if (err == ORD_OK && started == 0)
		fprintf(stderr, "%s in %s runs already\n", common.node != 0 ? "the node" : "the cluster", c.layout.dir);
	if (err == ORD_OK)
		err = ord_cluster_wait_ready(&c, common.node != 0 ? __builtin_ctz(nodes_mask(&c, common.node)) : -1,
					     common.timeout_ms, why);
	status = err == ORD_OK ? status_show(self, &c, common.json) : fail(self, err, why);
	ord_cluster_close(&c);
	return status;
}

/* --- status ----------------------------------------------------------------------------------------------------------- */

/* A cluster that was not made by 'cluster start': its nodes are asked who they are. */
static int remote_status(const struct ord_cmd *self, const struct ord_target *t)
{
	struct ord_target_cluster cluster;
	char why[512];
	struct ord_survey *s;
	if (ord_target_resolve(t, &cluster, why, sizeof why) != ORD_OK)
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "%s", why);
	struct ordain_options options = ord_target_options(t, &cluster);
	int err = ord_survey_open(&options, &s);
	if (err != 0)
		return ord_cmd_fail(self, err == ORDAIN_ERR_ARGUMENT ? ORD_EXIT_USAGE : ORD_EXIT_REFUSED,
				    "--connect: '%s': %s", cluster.addresses, ordain_strerror(err));
	err = ord_survey_discover(s, (uint32_t)t->timeout_ms, why, sizeof why);
	if (err == 0) {
		ord_survey_round(s, STATUS_WAIT_MS);
		ord_overview_show(s, NULL, ord_sheet_look(t->json, stdout), stdout);
	}
	ord_survey_close(s);
	return err == 0 ? ORD_EXIT_OK : ord_cmd_fail(self, ORD_EXIT_REFUSED, "%s", why);
}

int ord_cmd_cluster_status(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_target target;
	struct ord_cluster c;
	char why[ORD_CLUSTER_WHY_SIZE];
	int status;
	ord_target_init(&target);
	struct ord_args args = args_of(self, target.flags, ORD_TARGET_FLAGS);
	args.notes = "'agree' is no when two replicas that applied the same entries differ; then stop the cluster and "
		     "keep its "
		     "data.\n"
		     "A node is 'silent' when its process runs and does not answer.";
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	if (target.dir == NULL || target.connect != NULL)
		return remote_status(self, &target);
	int err = ord_cluster_open(target.dir, &c, why);
	if (err != ORD_OK)
		return fail(self, err, why);
	status = status_show(self, &c, target.json);
	ord_cluster_close(&c);
	return status;
}

/* --- stop, restart, kill ---------------------------------------------------------------------------------------------- */

static const char *end_name(enum ord_cluster_end end)
{
	switch (end) {
	case ORD_CLUSTER_NOT_RUNNING:
		return "was not running";
	case ORD_CLUSTER_ENDED:
		return "stopped";
	case ORD_CLUSTER_KILLED:
		return "killed";
	}
	return "";
}

static void ends_show(const struct ord_cluster *c, uint32_t mask, const enum ord_cluster_end *ends, bool json)
{
	static const char *const columns[] = {"node", "result"};
	struct ord_sheet s;
	ord_sheet_init(&s, columns, ORD_COUNT(columns));
	for (uint32_t i = 0; i < c->layout.nodes_count; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		ord_sheet_uint(&s, c->layout.nodes[i].id);
		ord_sheet_text(&s, end_name(ends[i]));
	}
	ord_sheet_show(&s, ord_sheet_look(json, stdout), NULL, stdout);
	ord_sheet_close(&s);
}

/* Opens the cluster of --dir with its lock held; the processes are what they are while it is. Checks --node. */
static int open_locked(const struct common *common, struct ord_cluster *ret, int *ret_lock, char *why)
{
	int err = ord_layout_load(common->dir, &ret->layout, why, ORD_CLUSTER_WHY_SIZE);
	if (err == ORD_OK)
		err = node_check(ret, common->node, why);
	if (err == ORD_OK)
		err = ord_layout_lock(ret->layout.dir, ret_lock, why, ORD_CLUSTER_WHY_SIZE);
	if (err != ORD_OK)
		return err;
	err = ord_cluster_find(ret, why);
	if (err != ORD_OK)
		close(*ret_lock);
	return err;
}

int ord_cmd_cluster_stop(const struct ord_cmd *self, int argc, char **argv)
{
	struct common common = {.timeout_ms = 30000};
	bool force = false;
	struct ord_flag flags[] = {
		dir_flag(&common),
		node_flag(&common, "all nodes"),
		{.name = "force", .on = &force, .help = "after --timeout, SIGKILL what still runs"},
		timeout_flag(&common),
		json_flag(&common),
	};
	struct ord_args args = args_of(self, flags, ORD_COUNT(flags));
	enum ord_cluster_end ends[ORD_NODES_MAX];
	struct ord_cluster c;
	char why[ORD_CLUSTER_WHY_SIZE];
	int status, lock;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	int err = open_locked(&common, &c, &lock, why);
	if (err != ORD_OK)
		return fail(self, err, why);
	uint32_t mask = nodes_mask(&c, common.node);
	err = ord_cluster_stop(&c, mask, force, common.timeout_ms, ends, why);
	if (err == ORD_OK)
		ends_show(&c, mask, ends, common.json);
	ord_cluster_close(&c);
	close(lock);
	return err == ORD_OK ? ORD_EXIT_OK : fail(self, err, why);
}

/* How to restart. */
struct restart {
	const struct common *common;
	const char *ordaind; /* NULL: find it */
	bool force;
};

/* Starts the nodes of the mask that do not run and waits until they serve; *ret_ran: those of the mask that ran already. */
static int absent_start(const struct restart *r, uint32_t *ret_ran, char *why)
{
	struct ord_cluster c;
	uint32_t started = 0, ran = 0;
	int lock;
	int err = open_locked(r->common, &c, &lock, why);
	if (err != ORD_OK)
		return err;
	for (uint32_t i = 0; i < c.layout.nodes_count; i++)
		ran |= (uint32_t)(c.processes[i].pidfd >= 0) << i;
	*ret_ran = ran & nodes_mask(&c, r->common->node);
	err = ord_cluster_program(&c, r->ordaind, why);
	if (err == ORD_OK)
		err = nodes_start(&c, nodes_mask(&c, r->common->node), &started, why);
	close(lock);
	if (err == ORD_OK && started > 0)
		err = ord_cluster_wait_ready(&c, __builtin_ctz(nodes_mask(&c, r->common->node)), r->common->timeout_ms,
					     why);
	ord_cluster_close(&c);
	return err;
}

/* Ends the node, starts it, and waits until it and all partitions serve. */
static int node_restart(const struct restart *r, uint32_t place, char *why)
{
	enum ord_cluster_end ends[ORD_NODES_MAX];
	struct ord_cluster c;
	uint32_t started;
	int lock;
	int err = open_locked(r->common, &c, &lock, why);
	if (err != ORD_OK)
		return err;
	err = ord_cluster_program(&c, r->ordaind, why);
	if (err == ORD_OK)
		err = ord_cluster_stop(&c, 1u << place, r->force, r->common->timeout_ms, ends, why);
	if (err == ORD_OK)
		err = nodes_start(&c, 1u << place, &started, why);
	close(lock);
	if (err == ORD_OK)
		err = ord_cluster_wait_ready(&c, (int)place, r->common->timeout_ms, why);
	ord_cluster_close(&c);
	return err;
}

int ord_cmd_cluster_restart(const struct ord_cmd *self, int argc, char **argv)
{
	struct common common = {.timeout_ms = 30000};
	const char *ordaind = NULL;
	bool force = false;
	struct ord_flag flags[] = {
		dir_flag(&common),
		node_flag(&common, "all nodes, one after the other"),
		{.name = "force", .on = &force, .help = "SIGKILL what has not ended after --timeout"},
		{.name = "ordaind",
		 .value = "PROGRAM",
		 .text = &ordaind,
		 .help = "the node program",
		 .normal = "beside ordain, or in PATH"},
		timeout_flag(&common),
		json_flag(&common),
	};
	struct ord_args args = args_of(self, flags, ORD_COUNT(flags));
	struct ord_cluster c;
	char why[ORD_CLUSTER_WHY_SIZE];
	int status;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	struct restart restart = {.common = &common, .ordaind = ordaind, .force = force};
	uint32_t ran = 0;
	int err = absent_start(&restart, &ran, why);
	for (uint32_t i = 0; err == ORD_OK && i < ORD_NODES_MAX; i++) {
		if ((ran >> i & 1) != 0)
			err = node_restart(&restart, i, why);
	}
	if (err == ORD_OK)
		err = ord_cluster_open(common.dir, &c, why);
	if (err != ORD_OK)
		return fail(self, err, why);
	status = status_show(self, &c, common.json);
	ord_cluster_close(&c);
	return status;
}

/* Signals the node's process and, when the signal must end it, waits for that. */
static int node_signal(const struct ord_cmd *self, const struct ord_process *p, int64_t node, int number)
{
	if (p->pidfd < 0)
		return ord_cmd_fail(self, ORD_EXIT_REFUSED,
				    "node %" PRId64
				    " is not running; start it with: ordain cluster restart --node %" PRId64,
				    node, node);
	int err = ord_process_signal(p, number);
	if (err != ORD_OK)
		return ord_cmd_fail(self, ORD_EXIT_REFUSED, "node %" PRId64 " (process %d): %s", node, (int)p->pid,
				    err == ORD_ERR_NOT_FOUND ? "has just ended" : "may not be signalled by this user");
	if (number == SIGKILL && !ord_process_wait(p, KILL_WAIT_MS))
		return ord_cmd_fail(self, ORD_EXIT_REFUSED,
				    "node %" PRId64 " (process %d) has not ended 10 s after SIGKILL", node,
				    (int)p->pid);
	return ORD_EXIT_OK;
}

int ord_cmd_cluster_kill(const struct ord_cmd *self, int argc, char **argv)
{
	static const char *const columns[] = {"node", "pid", "signal"};
	struct common common = {0};
	const char *signal_name = "KILL";
	struct ord_flag flags[] = {
		dir_flag(&common),
		node_flag(&common, NULL),
		{.name = "signal",
		 .value = "NAME",
		 .text = &signal_name,
		 .help = "KILL, TERM, STOP (pause), CONT (go on) or another",
		 .normal = "KILL"},
		json_flag(&common),
	};
	struct ord_args args = args_of(self, flags, ORD_COUNT(flags));
	struct ord_cluster c;
	char why[ORD_CLUSTER_WHY_SIZE];
	struct ord_sheet s;
	int status;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	int number = ord_process_signal_number(signal_name);
	if (number == 0)
		return ord_cmd_fail(self, ORD_EXIT_USAGE,
				    "--signal: there is no signal '%s'; KILL, TERM, STOP or CONT is meant",
				    signal_name);
	int err = ord_cluster_open(common.dir, &c, why);
	if (err == ORD_OK)
		err = node_check(&c, common.node, why);
	if (err != ORD_OK)
		return fail(self, err, why);
	const struct ord_process *p = &c.processes[__builtin_ctz(nodes_mask(&c, common.node))];
	status = node_signal(self, p, common.node, number);
	if (status == ORD_EXIT_OK) {
		ord_sheet_init(&s, columns, ORD_COUNT(columns));
		ord_sheet_int(&s, common.node);
		ord_sheet_int(&s, p->pid);
		ord_sheet_text(&s, sigabbrev_np(number));
		ord_sheet_show_record(&s, ord_sheet_look(common.json, stdout), stdout);
		ord_sheet_close(&s);
	}
	ord_cluster_close(&c);
	return status;
}
