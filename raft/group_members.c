/* SPDX-License-Identifier: Apache-2.0 - the members of a group: those in force at an entry that is applied, and the newest ones in the log. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "raft/group_state.h"
#include "raft/members.h"

int ord_group_keep_members(struct ord_group *g, uint64_t index, struct ord_slice payload)
{
	struct group_members *members = realloc(g->members, (g->members_count + 1) * sizeof *members);
	if (members == NULL)
		return ORD_ERR_NOMEM;
	g->members = members;
	struct group_members *m = &members[g->members_count];
	m->index = index;
	ord_bytes_init(&m->payload, ORD_ENTRY_BYTES_MAX);
	ord_bytes_put(&m->payload, payload.base, payload.len);
	if (m->payload.failed) {
		ord_bytes_close(&m->payload);
		return ORD_ERR_NOMEM;
	}
	g->members_count++;
	return ORD_OK;
}

const struct group_members *ord_group_members_at(const struct ord_group *g, uint64_t index)
{
	size_t at = g->members_count;
	while (at > 0 && g->members[at - 1].index > index)
		at--;
	ORD_ASSERT(at > 0);
	return &g->members[at - 1];
}

void ord_group_members_trim(struct ord_group *g)
{
	size_t gone = (size_t)(ord_group_members_at(g, g->entries.base) - g->members);
	for (size_t i = 0; i < gone; i++)
		ord_bytes_close(&g->members[i].payload);
	g->members_count -= gone;
	memmove(g->members, g->members + gone, g->members_count * sizeof *g->members);
}

int ord_group_members_decode(const struct group_members *members, struct raft_snapshot_metadata *ret)
{
	struct raft_buffer buf = {.base = members->payload.base, .len = members->payload.len};
	ret->configuration_index = members->index;
	return raft_configuration_decode(&buf, &ret->configuration) == 0 ? ORD_OK : ORD_ERR_NOMEM;
}

/* libraft must be told of every committed change of members, in order, also after a restart. It keeps what it is given. */
void ord_group_members_committed(struct ord_group *g, uint64_t index, struct ord_slice payload)
{
	struct raft_event event = {.type = RAFT_CONFIGURATION, .configuration = {.index = index}};
	struct raft_buffer buf = {.base = (void *)(uintptr_t)payload.base, .len = payload.len};
	int rv = raft_configuration_decode(&buf, &event.configuration.conf);
	if (rv == 0)
		rv = ord_group_step(g, &event, GROUP_SOURCE_NONE, NULL);
	if (rv != 0)
		ord_group_failed(g, "a change of members", rv);
}

/* A leader changes members when the change before is committed, so that one that is followed by another is. libraft would remember the last one that was told to it as applied,
 * and go back further than that when the later one is void. */
void ord_group_members_settle(struct ord_group *g, uint64_t index)
{
	uint64_t before = g->raft.configuration_uncommitted_index;
	struct ord_slice record;
	if (before == 0 || before >= index || ord_group_read(g, g->env->apply_reader, before, &record) != ORD_OK)
		return;
	ord_group_members_committed(g, before, ord_record_payload(record));
}

const struct raft_server *ord_group_member_of(const struct ord_group *g, uint32_t node)
{
	const struct raft_configuration *newest = &g->raft.configuration;
	for (unsigned i = 0; i < newest->n; i++)
		if (ORD_MEMBER_NODE(newest->servers[i].id) == node)
			return &newest->servers[i];
	return NULL;
}

bool ord_group_has_vote(const struct ord_group *g, uint32_t node, uint64_t member)
{
	const struct raft_server *s = ord_group_member_of(g, node);
	if (g->raft.configuration.n == 0)
		return true;
	return s != NULL && s->role == RAFT_VOTER && (member == 0 || s->id == member);
}

static const struct raft_server *voter_in(const struct raft_configuration *list, uint32_t node)
{
	for (unsigned i = 0; i < list->n; i++)
		if (ORD_MEMBER_NODE(list->servers[i].id) == node && list->servers[i].role == RAFT_VOTER)
			return &list->servers[i];
	return NULL;
}

uint64_t ord_group_voter_of(const struct ord_group *g, uint32_t node)
{
	const struct raft_server *s = voter_in(&g->raft.configuration, node);
	if (s == NULL && g->raft.configuration_uncommitted_index != 0)
		s = voter_in(&g->raft.configuration_committed, node);
	return s != NULL ? s->id : 0;
}

static bool is_majority_of(const struct raft_configuration *list, const uint64_t *members, uint32_t members_count)
{
	unsigned voters_count = 0, found_count = 0;
	for (unsigned i = 0; i < list->n; i++) {
		bool is_found = false;
		if (list->servers[i].role != RAFT_VOTER)
			continue;
		for (uint32_t k = 0; k < members_count; k++)
			is_found = is_found || members[k] == list->servers[i].id;
		voters_count++;
		found_count += is_found;
	}
	return found_count > voters_count / 2;
}

bool ord_group_is_majority(const struct ord_group *g, const uint64_t *members, uint32_t members_count)
{
	const struct raft_configuration *before = &g->raft.configuration_committed;
	if (!is_majority_of(&g->raft.configuration, members, members_count))
		return false;
	return g->raft.configuration_uncommitted_index == 0 || before->n == 0 ||
	       is_majority_of(before, members, members_count);
}

void ord_group_voters(const struct ord_group *g, uint32_t *ret, uint32_t *ret_count)
{
	const struct raft_configuration *newest = &g->raft.configuration;
	ORD_ASSERT(newest->n <= ORD_NODES_MAX);
	uint64_t index = g->raft.configuration_uncommitted_index;
	if (index == 0)
		index = g->raft.configuration_committed_index;
	*ret_count = 0;
	if (index > g->durable)
		return;
	for (unsigned i = 0; i < newest->n; i++)
		if (newest->servers[i].role == RAFT_VOTER)
			ret[(*ret_count)++] = ORD_MEMBER_NODE(newest->servers[i].id);
}

void ord_group_members(const struct ord_group *g, struct ord_member_status *ret, uint32_t *ret_count)
{
	const struct raft_configuration *newest = &g->raft.configuration;
	ORD_ASSERT(newest->n <= ORD_NODES_MAX);
	for (unsigned i = 0; i < newest->n; i++) {
		const struct raft_server *s = &newest->servers[i];
		ret[i] = (struct ord_member_status){
			.id = s->id, .node = ORD_MEMBER_NODE(s->id), .role = (enum ord_member_role)s->role};
	}
	*ret_count = newest->n;
}
