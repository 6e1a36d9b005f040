/* SPDX-License-Identifier: Apache-2.0 - what the subcommands of `ordain fault` share. */
#include "cli/fault_work.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cluster_words.h"
#include "cli/target.h"

#define ROLE_WAIT_MS 2000 /* for one node's status */
#define TIMEOUT_MS_MAX 600000

struct ord_args ord_fault_args(struct ord_fault_work *w, const struct ord_cmd *self, const struct ord_flag *flags,
			       size_t flags_count)
{
	*w = (struct ord_fault_work){.self = self, .timeout_ms = 30000, .lock = -1};
	w->flags[0] = (struct ord_flag){
		.name = "dir", .value = "DIR", .text = &w->dir, .help = "a cluster made by 'ordain cluster start'"};
	w->flags[1] =
		(struct ord_flag){.name = "connect",
				  .value = "HOST:PORT,...",
				  .text = &w->connect,
				  .help = "client addresses of nodes elsewhere: their links, disks and clocks alone",
				  .normal = "ORDAIN_CONNECT"};
	w->flags[2] = (struct ord_flag){.name = "timeout",
					.value = "TIME",
					.duration_ms = &w->timeout_ms,
					.min = 1,
					.max = TIMEOUT_MS_MAX,
					.help = "the longest wait",
					.normal = "30s"};
	w->flags[3] = (struct ord_flag){.name = "json", .on = &w->json, .help = "print JSON"};
	w->flags[4] = (struct ord_flag){.name = "seed",
					.value = "N",
					.number = &w->seed,
					.given = &w->seed_given,
					.min = 0,
					.max = INT64_MAX,
					.help = "what is left to chance is chosen by it",
					.normal = "another one each time; the answer has it"};
	return (struct ord_args){.command = self->name,
				 .summary = self->summary,
				 .flags = flags,
				 .flags_count = flags_count,
				 .common = w->flags,
				 .common_count = ORD_FAULT_FLAGS};
}

static void seed_draw(struct ord_fault_work *w)
{
	uint32_t drawn = 1;
	if (!w->seed_given && getrandom(&drawn, sizeof drawn, 0) == (ssize_t)sizeof drawn)
		w->seed = drawn;
}

/* A cluster elsewhere: there is no directory to lock, and of two commands at once the later one is in force. */
static int remote_open(struct ord_fault_work *w)
{
	const struct ord_target target = {.dir = w->dir, .connect = w->connect, .timeout_ms = w->timeout_ms};
	struct ord_target_cluster cluster;
	int err = ord_target_resolve(&target, &cluster, w->why, sizeof w->why);
	struct ordain_options options = ord_target_options(&target, &cluster);
	if (err == ORD_OK)
		err = ord_cluster_connect(&options, &w->cluster, w->why);
	if (err != ORD_OK)
		return err;
	w->has_open = true;
	w->back = &ord_fault_hooks;
	return w->back->open(&w->cluster, w->timeout_ms, &w->ctx, w->why);
}

int ord_fault_open_here(struct ord_fault_work *w)
{
	if (w->dir != NULL && w->connect == NULL)
		return ord_fault_open(w);
	snprintf(w->why, sizeof w->why,
		 "this reaches processes and files of this machine: give --dir DIR, made by 'ordain cluster start', on "
		 "the "
		 "node's host; with --connect there are partition, delay, loss, duplicate, reorder, rate, disk slow, "
		 "error "
		 "and full, clock, heal and list");
	return ORD_ERR_INVALID;
}

int ord_fault_open(struct ord_fault_work *w)
{
	seed_draw(w);
	if (w->dir == NULL || w->connect != NULL)
		return remote_open(w);
	int err = ord_layout_load(w->dir, &w->cluster.layout, w->why, sizeof w->why);
	if (err == ORD_OK)
		err = ord_layout_lock(w->cluster.layout.dir, w->timeout_ms, &w->lock, w->why, sizeof w->why);
	if (err == ORD_OK)
		err = ord_cluster_find(&w->cluster, w->why);
	if (err != ORD_OK)
		return err;
	w->has_open = true;
	w->back = ord_fault_back_of(&w->cluster.layout);
	return w->back->open(&w->cluster, w->timeout_ms, &w->ctx, w->why);
}

void ord_fault_unlock(struct ord_fault_work *w)
{
	if (w->lock >= 0)
		close(w->lock);
	w->lock = -1;
}

void ord_fault_close(struct ord_fault_work *w)
{
	if (w->ctx != NULL)
		w->back->close(w->ctx);
	w->ctx = NULL;
	if (w->has_open)
		ord_cluster_close(&w->cluster);
	w->has_open = false;
	ord_fault_unlock(w);
	free(w->leaders);
	free(w->voters);
	w->leaders = NULL;
	w->voters = NULL;
}

int ord_fault_refind(struct ord_fault_work *w)
{
	if (w->cluster.is_remote)
		return ORD_OK;
	ord_cluster_close(&w->cluster);
	return ord_cluster_find(&w->cluster, w->why);
}

int ord_fault_fail(const struct ord_fault_work *w, int err)
{
	bool usage = err == ORD_ERR_INVALID || err == ORD_ERR_FORMAT ||
		     (err == ORD_ERR_NOT_FOUND && !w->has_open); /* no cluster there; else nobody has that role now */
	return ord_cmd_fail(w->self, usage ? ORD_EXIT_USAGE : ORD_EXIT_REFUSED, "%s", w->why);
}

uint32_t ord_fault_all(const struct ord_fault_work *w)
{
	return (1u << w->cluster.layout.nodes_count) - 1;
}

uint32_t ord_fault_running(const struct ord_fault_work *w)
{
	uint32_t mask = 0;
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++)
		mask |= (uint32_t)ord_cluster_runs(&w->cluster, i) << i;
	return mask;
}

uint32_t ord_fault_paused(const struct ord_fault_work *w)
{
	uint32_t mask = 0;
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++)
		mask |= (uint32_t)(w->cluster.processes[i].pidfd >= 0 && w->cluster.processes[i].paused) << i;
	return mask;
}

int ord_fault_ask(struct ord_fault_work *w)
{
	uint32_t count = w->cluster.layout.partitions_count;
	struct ord_survey *s;
	if (w->leaders != NULL)
		return ORD_OK;
	w->leaders = calloc(count, sizeof *w->leaders);
	w->voters = calloc(count, sizeof *w->voters);
	if (w->leaders == NULL || w->voters == NULL) {
		snprintf(w->why, sizeof w->why, "out of memory");
		return ORD_ERR_NOMEM;
	}
	int err = ord_cluster_survey(&w->cluster, &s, w->why);
	if (err != ORD_OK)
		return err;
	for (uint32_t i = 0; i < s->nodes_count; i++)
		s->nodes[i].asked = s->nodes[i].asked && !w->cluster.processes[i].paused;
	ord_survey_round(s, w->timeout_ms < ROLE_WAIT_MS ? (uint32_t)w->timeout_ms : ROLE_WAIT_MS);
	for (uint32_t i = 0; i < count; i++) {
		w->leaders[i] = ord_survey_leader(s, i);
		w->has_voters |= ord_survey_voters(s, i, &w->voters[i]);
	}
	ord_survey_close(s);
	return ORD_OK;
}

int ord_fault_view(struct ord_fault_work *w, const struct ord_fault_pool *pool, bool needs_leaders,
		   struct ord_fault_view *ret)
{
	const struct ord_layout *l = &w->cluster.layout;
	int err = needs_leaders ? ord_fault_ask(w) : ORD_OK;
	if (err != ORD_OK)
		return err;
	*ret = (struct ord_fault_view){.nodes_count = l->nodes_count,
				       .partitions_count = l->partitions_count,
				       .leaders = w->leaders,
				       .pool = pool->mask,
				       .pool_name = pool->name,
				       .seed = (uint64_t)w->seed + pool->salt};
	for (uint32_t i = 0; i < l->nodes_count; i++)
		ret->ids[i] = l->nodes[i].id;
	return ORD_OK;
}

int ord_fault_resolve(struct ord_fault_work *w, const char *text, const struct ord_fault_pool *pool, uint32_t *ret_mask)
{
	struct ord_fault_view view;
	int err = ord_fault_view(w, pool, ord_fault_target_is_role(text), &view);
	return err == ORD_OK ? ord_fault_target(text, &view, ret_mask, w->why, sizeof w->why) : err;
}

int ord_fault_look_and_show(struct ord_fault_work *w, const struct ord_fault_answer *a)
{
	struct ord_fault_look look;
	int err = w->back->look(w->ctx, &look, w->why);
	if (err != ORD_OK)
		return ord_fault_fail(w, err);
	ord_fault_show(w, a, &look);
	return ORD_EXIT_OK;
}
