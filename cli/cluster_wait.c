/* SPDX-License-Identifier: Apache-2.0 - waits until nodes of a cluster directory serve, and tells why they do not. */
#include "cli/cluster_wait.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/log_file.h"

#define ROUND_MS 1000	     /* longest wait for a node's status; one that is paused never answers */
#define PAUSE_MS 50	     /* between two looks at a cluster that is not ready yet */
#define LOG_TAIL_BYTES 1500u /* of the log of a node that is at fault */

/* What is waited for, and what is seen of it. */
struct watch {
	struct ord_cluster *c;
	const struct ord_cluster_wait *wait;
	struct ord_survey *s; /* owned */
};

/* Appends "its log PATH says:" and its last lines, of this run when the node was started through c. */
static void log_tell(const struct ord_cluster *c, uint32_t place, char *why, size_t why_len)
{
	char path[PATH_MAX], tail[LOG_TAIL_BYTES];
	ord_layout_path(&c->layout, &c->layout.nodes[place], "log", path);
	ord_log_file_tail(path, c->log_begin[place], tail, sizeof tail);
	snprintf(why + why_len, ORD_CLUSTER_WHY_SIZE - why_len, "its log %s says:\n%s", path, tail);
}

static int ended_tell(const struct ord_cluster *c, uint32_t place, char *why)
{
	int len = snprintf(why, ORD_CLUSTER_WHY_SIZE, "node %" PRIu32 " has ended; ", c->layout.nodes[place].id);
	log_tell(c, place, why, (size_t)len);
	return ORD_ERR_CLOSED;
}

/* Waits a moment, or until a node ends. ORD_ERR_CLOSED with why when one that was started through c has; another one is forgotten, and
 * lost when it is waited for. */
static int pause_watching(struct watch *w, uint32_t *lost, char *why)
{
	struct ord_cluster *c = w->c;
	struct pollfd ends[ORD_NODES_MAX];
	for (uint32_t i = 0; i < c->layout.nodes_count; i++)
		ends[i] = (struct pollfd){.fd = c->processes[i].pidfd, .events = POLLIN}; /* -1 is skipped */
	if (poll(ends, c->layout.nodes_count, PAUSE_MS) < 1)
		return ORD_OK;
	for (uint32_t i = 0; i < c->layout.nodes_count; i++) {
		if (ends[i].revents == 0)
			continue;
		if (c->processes[i].ours)
			return ended_tell(c, i, why);
		ord_process_close(&c->processes[i]);
		w->s->nodes[i].asked = false;
		*lost |= w->wait->nodes & 1u << i;
	}
	return ORD_OK;
}

static bool has_majority(const struct ord_cluster *c)
{
	uint32_t running = 0;
	for (uint32_t i = 0; i < c->layout.nodes_count; i++)
		running += c->processes[i].pidfd >= 0 && !c->processes[i].paused;
	return running * 2 > c->layout.nodes_count;
}

/* Must the node at this place serve? */
static bool is_wanted(const struct watch *w, uint32_t place)
{
	return (w->wait->nodes >> place & 1) != 0 && (w->wait->alone || !w->c->processes[place].paused);
}

static bool node_serves(const struct watch *w, uint32_t place)
{
	if (!w->s->nodes[place].answered)
		return false;
	return !has_majority(w->c) || ord_survey_led_count(w->s, place) == w->s->partitions_count;
}

static bool is_ready(const struct watch *w)
{
	for (uint32_t i = 0; i < w->s->nodes_count; i++) {
		if (is_wanted(w, i) && !node_serves(w, i))
			return false;
	}
	if (w->wait->alone && !has_majority(w->c))
		return true;
	return ord_survey_ready_count(w->s) == w->s->partitions_count;
}

/* "; node 2 ..." when there is something to say about it. Gives the length. */
static size_t node_tell(const struct watch *w, uint32_t place, char *text, size_t text_size)
{
	const struct ord_survey_node *n = &w->s->nodes[place];
	const char *what = n->problem[0] != '\0' ? n->problem : "has not answered yet";
	if (!n->asked)
		what = "does not run";
	else if (w->c->processes[place].paused)
		what = "is paused (continue it: cluster kill --signal CONT)";
	if (!n->answered)
		return (size_t)snprintf(text, text_size, "; node %" PRIu32 " %s", n->id, what);
	if (!is_wanted(w, place) || node_serves(w, place))
		return 0;
	if (n->problem[0] != '\0')
		return (size_t)snprintf(text, text_size, "; node %" PRIu32 " is %s", n->id, n->problem);
	return (size_t)snprintf(text, text_size,
				"; node %" PRIu32 " answers, but knows a leader of only %" PRIu32 " partitions", n->id,
				ord_survey_led_count(w->s, place));
}

static int not_ready_tell(const struct watch *w, char *why)
{
	const struct ord_survey *s = w->s;
	int at_fault = -1; /* the first that should serve and runs, but does not serve */
	size_t len = (size_t)snprintf(why, ORD_CLUSTER_WHY_SIZE,
				      "after %" PRId64 " ms %" PRIu32 " of %" PRIu32
				      " partitions have a leader that takes commands",
				      w->wait->timeout_ms, ord_survey_ready_count(s), s->partitions_count);
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		len += node_tell(w, i, why + len, ORD_CLUSTER_WHY_SIZE - len);
		if (at_fault < 0 && is_wanted(w, i) && !node_serves(w, i) && s->nodes[i].asked &&
		    !w->c->processes[i].paused)
			at_fault = (int)i;
	}
	len += (size_t)snprintf(why + len, ORD_CLUSTER_WHY_SIZE - len, "; wait longer with --timeout, or look ");
	if (at_fault < 0) {
		snprintf(why + len, ORD_CLUSTER_WHY_SIZE - len, "into the logs %s/node-*/log", w->c->layout.dir);
		return ORD_ERR_TIMEOUT;
	}
	len += (size_t)snprintf(why + len, ORD_CLUSTER_WHY_SIZE - len, "at node %" PRIu32 ": ", s->nodes[at_fault].id);
	log_tell(w->c, (uint32_t)at_fault, why, len);
	return ORD_ERR_TIMEOUT;
}

int ord_cluster_wait_ready(struct ord_cluster *c, const struct ord_cluster_wait *wait, uint32_t *ret_lost, char *why)
{
	int64_t deadline_ms = ord_process_now_ms() + wait->timeout_ms;
	struct watch w = {.c = c, .wait = wait};
	uint32_t lost = 0;
	int err = ord_cluster_survey(c, &w.s, why);
	if (err != ORD_OK)
		return err;
	while (err == ORD_OK && lost == 0) {
		int64_t left_ms = deadline_ms - ord_process_now_ms();
		if (left_ms <= 0) {
			err = not_ready_tell(&w, why);
			break;
		}
		ord_survey_round(w.s, (uint32_t)(left_ms < ROUND_MS ? left_ms : ROUND_MS));
		if (is_ready(&w))
			break;
		err = pause_watching(&w, &lost, why);
	}
	ord_survey_close(w.s);
	*ret_lost = lost;
	return err;
}
