/* SPDX-License-Identifier: Apache-2.0 - the processes of nodes that faults are made on: wait for what a signal does, start. */
#include "cli/fault_process.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>

#include "base/err.h"
#include "cli/log_file.h"
#include "cli/node_disk.h"

#define STATE_WAIT_MS 5000 /* until a signal that stops or continues is seen to have done so */
#define LOOK_MS 5
#define ANSWER_WAIT_MS 500 /* for one node's status, while it starts */
#define PAUSE_MS 20
#define LOG_TAIL_BYTES 1500u

static int signal_fail(struct ord_fault_work *w, uint32_t place, int err)
{
	snprintf(w->why, sizeof w->why, "node %" PRIu32 " (process %d): %s", w->cluster.layout.nodes[place].id,
		 (int)w->cluster.processes[place].pid,
		 err == ORD_ERR_NOT_FOUND ? "has just ended" : "may not be signalled by this user");
	return err;
}

/* Waits until the system says of all of the mask that they are stopped, or not. */
static int state_wait(struct ord_fault_work *w, uint32_t mask, bool stopped)
{
	int64_t deadline_ms = ord_process_now_ms() + STATE_WAIT_MS;
	for (;;) {
		int err = ord_fault_refind(w);
		uint32_t wrong = stopped ? ~ord_fault_paused(w) : ord_fault_paused(w);
		wrong &= mask & ord_fault_running(w);
		if (err != ORD_OK || wrong == 0)
			return err;
		if (ord_process_now_ms() >= deadline_ms) {
			snprintf(w->why, sizeof w->why,
				 "node %" PRIu32 " is not in the state that it was told to be in",
				 w->cluster.layout.nodes[__builtin_ctz(wrong)].id);
			return ORD_ERR_TIMEOUT;
		}
		poll(NULL, 0, LOOK_MS);
	}
}

/* Waits until all of the mask have ended. */
static int end_wait(struct ord_fault_work *w, uint32_t mask)
{
	int64_t deadline_ms = ord_process_now_ms() + w->timeout_ms;
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++) {
		const struct ord_process *p = &w->cluster.processes[i];
		if ((mask >> i & 1) == 0 || p->pidfd < 0 || ord_process_wait(p, deadline_ms - ord_process_now_ms()))
			continue;
		snprintf(w->why, sizeof w->why,
			 "node %" PRIu32 " (process %d) has not ended within %" PRId64
			 " ms; wait longer with --timeout",
			 w->cluster.layout.nodes[i].id, (int)p->pid, w->timeout_ms);
		return ORD_ERR_TIMEOUT;
	}
	return ord_fault_refind(w);
}

int ord_fault_signal(struct ord_fault_work *w, uint32_t mask, int signal_number)
{
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++) {
		const struct ord_process *p = &w->cluster.processes[i];
		if ((mask >> i & 1) == 0 || p->pidfd < 0)
			continue;
		int err = ord_process_signal(p, signal_number);
		if (err == ORD_OK && signal_number == SIGTERM && p->paused)
			err = ord_process_signal(p, SIGCONT); /* it would never see it */
		if (err != ORD_OK)
			return signal_fail(w, i, err);
	}
	if (signal_number == SIGSTOP || signal_number == SIGCONT)
		return state_wait(w, mask, signal_number == SIGSTOP);
	return end_wait(w, mask);
}

int ord_fault_check_runs(struct ord_fault_work *w, uint32_t place)
{
	const struct ord_process *p = &w->cluster.processes[place];
	uint32_t id = w->cluster.layout.nodes[place].id;
	char address[ORD_CLUSTER_ADDRESS_SIZE];
	if (ord_cluster_runs(&w->cluster, place) && (w->cluster.is_remote || !p->paused))
		return ORD_OK;
	if (w->cluster.is_remote) {
		ord_cluster_address(&w->cluster, place, address);
		snprintf(w->why, sizeof w->why,
			 "node %" PRIu32 " does not answer at %s; see on its host whether it runs", id, address);
		return ORD_ERR_NOT_FOUND;
	}
	snprintf(w->why, sizeof w->why, "node %" PRIu32 " %s: ordain fault %s %" PRIu32 " --dir %s", id,
		 p->pidfd < 0 ? "does not run; start it first"
			      : "is paused and can be told nothing; let it go on first",
		 p->pidfd < 0 ? "start" : "resume", id, w->cluster.layout.dir);
	return p->pidfd < 0 ? ORD_ERR_NOT_FOUND : ORD_ERR_TIMEOUT;
}

int ord_fault_check_run(struct ord_fault_work *w, uint32_t mask)
{
	int err = ORD_OK;
	for (uint32_t i = 0; err == ORD_OK && i < w->cluster.layout.nodes_count; i++)
		if ((mask >> i & 1) != 0)
			err = ord_fault_check_runs(w, i);
	return err;
}

int ord_fault_check_data(struct ord_fault_work *w, uint32_t mask)
{
	const struct ord_layout *l = &w->cluster.layout;
	for (uint32_t i = 0; l->netns.on && i < l->nodes_count; i++) {
		if ((mask >> i & 1) == 0 || ord_node_disk_is_mounted(l, &l->nodes[i]))
			continue;
		snprintf(w->why, sizeof w->why,
			 "the file system of node %" PRIu32
			 " is not mounted; start it with: ordain cluster start --dir %s",
			 l->nodes[i].id, l->dir);
		return ORD_ERR_NOT_FOUND;
	}
	return ORD_OK;
}

/* --- Starting. --- */

/* Says that it has not come, and the end of its log. */
static int start_fail(struct ord_fault_work *w, uint32_t place, const char *what)
{
	const struct ord_layout *l = &w->cluster.layout;
	char path[PATH_MAX], tail[LOG_TAIL_BYTES];
	ord_layout_path(l, &l->nodes[place], "log", path);
	ord_log_file_tail(path, w->cluster.log_begin[place], tail, sizeof tail);
	snprintf(w->why, sizeof w->why, "node %" PRIu32 " %s; its log %s says:\n%s", l->nodes[place].id, what, path,
		 tail);
	return ORD_ERR_TIMEOUT;
}

/* Asks until all of the mask have answered. */
static int answers_wait(struct ord_fault_work *w, struct ord_survey *s, uint32_t mask)
{
	int64_t deadline_ms = ord_process_now_ms() + w->timeout_ms;
	for (;;) {
		uint32_t missing = 0;
		for (uint32_t i = 0; i < s->nodes_count; i++)
			s->nodes[i].asked = (mask >> i & 1) != 0;
		ord_survey_round(s, ANSWER_WAIT_MS);
		for (uint32_t i = 0; i < s->nodes_count; i++)
			missing |= (uint32_t)((mask >> i & 1) != 0 && !s->nodes[i].answered) << i;
		if (missing == 0)
			return ORD_OK;
		for (uint32_t i = 0; i < s->nodes_count; i++)
			if ((missing >> i & 1) != 0 && ord_process_wait(&w->cluster.processes[i], 0))
				return start_fail(w, i, "has ended again");
		if (ord_process_now_ms() >= deadline_ms)
			return start_fail(w, (uint32_t)__builtin_ctz(missing),
					  "does not answer; wait longer with --timeout");
		poll(NULL, 0, PAUSE_MS);
	}
}

int ord_fault_start(struct ord_fault_work *w, uint32_t mask, const char *ordaind)
{
	struct ord_survey *s;
	uint32_t count;
	if (mask == 0)
		return ORD_OK;
	int err = ord_cluster_program(&w->cluster, ordaind, w->why);
	if (err == ORD_OK)
		err = ord_cluster_start_nodes(&w->cluster, mask, &count, w->why);
	if (err == ORD_OK)
		err = ord_cluster_survey(&w->cluster, &s, w->why);
	if (err != ORD_OK)
		return err;
	ord_fault_unlock(w);
	err = answers_wait(w, s, mask);
	ord_survey_close(s);
	return err;
}

struct ord_flag ord_fault_ordaind_flag(const char **ordaind)
{
	return (struct ord_flag){.name = "ordaind",
				 .value = "PROGRAM",
				 .text = ordaind,
				 .help = "the node program",
				 .normal = "beside ordain, or in PATH"};
}
