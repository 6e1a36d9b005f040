/* SPDX-License-Identifier: Apache-2.0 - what all groups of a host share: the nodes, the queues, the end. */
#include <stdarg.h>
#include <stdio.h>

#include "base/trace.h"
#include "raft/group_state.h"

void ord_group_env_fatal(struct ord_group_env *env, int err, const char *format, ...)
{
	char why[512];
	va_list args;
	if (env->dead)
		return;
	env->dead = true;
	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	env->events.fatal(env->events.ctx, err, why);
}

void ord_group_env_close(struct ord_group_env *env)
{
	raft_free(env->token);
	env->token = NULL;
}

uint32_t ord_group_env_peer(const struct ord_group_env *env, uint32_t node)
{
	uint32_t i = 0;
	while (i < env->nodes_count && env->nodes[i] != node)
		i++;
	return i;
}

struct ord_group *ord_group_env_next(struct ord_group_env *env, enum ord_group_queue queue)
{
	struct ord_group_list *list = &env->queues[queue];
	struct ord_group *g = list->first;
	if (g == NULL)
		return NULL;
	list->first = g->next[queue];
	if (list->first == NULL)
		list->last = NULL;
	g->queued[queue] = false;
	return g;
}

struct ord_group *ord_group_queue_next(const struct ord_group *g, enum ord_group_queue queue)
{
	return g->next[queue];
}

void ord_group_enqueue(struct ord_group *g, enum ord_group_queue queue)
{
	struct ord_group_list *list = &g->env->queues[queue];
	if (g->queued[queue])
		return;
	g->queued[queue] = true;
	g->next[queue] = NULL;
	if (list->last == NULL)
		list->first = g;
	else
		list->last->next[queue] = g;
	list->last = g;
}

bool ord_group_env_has_room(const struct ord_group_env *env)
{
	struct ord_wal_status wal;
	ord_wal_status(env->wal, &wal);
	return wal.appended_bytes < env->room_end_bytes;
}

void ord_group_env_damaged(struct ord_group_env *env, uint64_t segment, uint64_t offset, const char *why)
{
	if (segment <= env->damage.segment)
		return;
	ord_trace("log damaged", segment, offset);
	env->damage = (struct ord_wal_damage){.segment = segment, .offset = offset, .found_ms = env->now_ms};
	snprintf(env->damage.why, sizeof env->damage.why, "%s", why);
}
