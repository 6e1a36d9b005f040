/* SPDX-License-Identifier: Apache-2.0 - ordain cluster: stop, restart, kill. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cluster.h"
#include "cli/cluster_wait.h"
#include "cli/cluster_words.h"
#include "cli/cmd.h"
#include "cli/sheet.h"

#define KILL_WAIT_MS 10000 /* a killed process ends as soon as its last system call is over */

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
static int open_locked(const struct ord_cluster_words *common, struct ord_cluster *ret, int *ret_lock, char *why)
{
	int err = ord_layout_load(common->dir, &ret->layout, why, ORD_CLUSTER_WHY_SIZE);
	if (err == ORD_OK)
		err = ord_cluster_check(ret, common->node, why);
	if (err == ORD_OK)
		err = ord_layout_lock(ret->layout.dir, common->timeout_ms, ret_lock, why, ORD_CLUSTER_WHY_SIZE);
	if (err != ORD_OK)
		return err;
	err = ord_cluster_find(ret, why);
	if (err != ORD_OK)
		close(*ret_lock);
	return err;
}

int ord_cmd_cluster_stop(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_cluster_words common = {.timeout_ms = 30000};
	bool force = false;
	struct ord_flag flags[] = {
		ord_cluster_words_dir(&common),
		ord_cluster_words_node(&common, "all nodes"),
		{.name = "force", .on = &force, .help = "after --timeout, SIGKILL what still runs"},
		ord_cluster_words_timeout(&common),
		ord_cluster_words_json(&common),
	};
	struct ord_args args = ord_cluster_words_args(self, flags, ORD_COUNT(flags));
	enum ord_cluster_end ends[ORD_NODES_MAX];
	struct ord_cluster c;
	char why[ORD_CLUSTER_WHY_SIZE];
	int status, lock;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	int err = open_locked(&common, &c, &lock, why);
	if (err != ORD_OK)
		return ord_cluster_words_fail(self, err, why);
	uint32_t mask = ord_cluster_mask(&c, common.node);
	err = ord_cluster_stop(&c, mask, force, common.timeout_ms, ends, why);
	if (err == ORD_OK && common.node == 0)
		err = ord_cluster_clear(&c, why);
	if (err == ORD_OK)
		ends_show(&c, mask, ends, common.json);
	ord_cluster_close(&c);
	close(lock);
	return err == ORD_OK ? ORD_EXIT_OK : ord_cluster_words_fail(self, err, why);
}

/* How to restart. */
struct restart {
	const struct ord_cluster_words *common;
	const char *ordaind; /* NULL: find it */
	bool force;
};

/* Waits until the nodes of the mask, which were just started through c, serve. */
static int serving_wait(struct ord_cluster *c, const struct restart *r, uint32_t mask, char *why)
{
	struct ord_cluster_wait wait = {.nodes = mask, .alone = true, .timeout_ms = r->common->timeout_ms};
	uint32_t lost;
	return ord_cluster_wait_ready(c, &wait, &lost, why);
}

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
	*ret_ran = ran & ord_cluster_mask(&c, r->common->node);
	err = ord_cluster_program(&c, r->ordaind, why);
	if (err == ORD_OK)
		err = ord_cluster_start_nodes(&c, ord_cluster_mask(&c, r->common->node), &started, why);
	close(lock);
	if (err == ORD_OK && started > 0)
		err = serving_wait(&c, r, ord_cluster_mask(&c, r->common->node) & ~ran, why);
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
		err = ord_cluster_start_nodes(&c, 1u << place, &started, why);
	close(lock);
	if (err == ORD_OK)
		err = serving_wait(&c, r, 1u << place, why);
	ord_cluster_close(&c);
	return err;
}

int ord_cmd_cluster_restart(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_cluster_words common = {.timeout_ms = 30000};
	const char *ordaind = NULL;
	bool force = false;
	struct ord_flag flags[] = {
		ord_cluster_words_dir(&common),
		ord_cluster_words_node(&common, "all nodes, one after the other"),
		{.name = "force", .on = &force, .help = "SIGKILL what has not ended after --timeout"},
		{.name = "ordaind",
		 .value = "PROGRAM",
		 .text = &ordaind,
		 .help = "the node program",
		 .normal = "beside ordain, or in PATH"},
		ord_cluster_words_timeout(&common),
		ord_cluster_words_json(&common),
	};
	struct ord_args args = ord_cluster_words_args(self, flags, ORD_COUNT(flags));
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
		return ord_cluster_words_fail(self, err, why);
	status = ord_cluster_words_status(self, &c, common.json);
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
	struct ord_cluster_words common = {0};
	const char *signal_name = "KILL";
	struct ord_flag flags[] = {
		ord_cluster_words_dir(&common),
		ord_cluster_words_node(&common, NULL),
		{.name = "signal",
		 .value = "NAME",
		 .text = &signal_name,
		 .help = "KILL, TERM, STOP (pause), CONT (go on) or another",
		 .normal = "KILL"},
		ord_cluster_words_json(&common),
	};
	struct ord_args args = ord_cluster_words_args(self, flags, ORD_COUNT(flags));
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
		err = ord_cluster_check(&c, common.node, why);
	if (err != ORD_OK)
		return ord_cluster_words_fail(self, err, why);
	const struct ord_process *p = &c.processes[__builtin_ctz(ord_cluster_mask(&c, common.node))];
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
