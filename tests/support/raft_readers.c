/* SPDX-License-Identifier: Apache-2.0 - reads at the hosts of a raft_cluster. */
#include "tests/support/raft_readers.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"

#define PATIENCE_MS 2000

static void begin(struct raft_readers *r, struct raft_cluster *c, uint32_t node, uint32_t group)
{
	struct raft_reader *read = &r->reads[node][group];
	struct raft_cluster_node *n = &c->nodes[node];
	int err = ord_host_read_begin(n->host, group, &read->point);
	cr_assert_eq(err, n->role[group] == ORD_ROLE_LEADER ? ORD_OK : ORD_ERR_NOT_LEADER);
	if (err != ORD_OK)
		return;
	read->begun_ms = c->now_ms;
	read->seen = c->groups[group].last;
	r->begun_count++;
}

static void look(struct raft_readers *r, struct raft_cluster *c, uint32_t node, uint32_t group)
{
	struct raft_reader *read = &r->reads[node][group];
	struct raft_cluster_node *n = &c->nodes[node];
	if (read->begun_ms == 0 && random_chance(&c->random, r->begin_percent))
		begin(r, c, node, group);
	else if (read->begun_ms != 0 && ord_host_may_read(n->host, group, &read->point)) {
		cr_assert_geq(n->applied[group], read->seen,
			      "node %u, group %u: a read that began at %lu ms sees %lu, and somebody had applied %lu",
			      n->id, group, read->begun_ms, n->applied[group], read->seen);
		read->begun_ms = 0;
		r->done_count++;
	} else if (read->begun_ms != 0 && c->now_ms - read->begun_ms > PATIENCE_MS)
		read->begun_ms = 0;
}

static void readers_watch(struct raft_cluster *c, void *arg)
{
	struct raft_readers *r = arg;
	for (uint32_t i = 0; i < c->options.nodes_count; i++)
		for (uint32_t g = 0; c->nodes[i].host != NULL && g < c->options.groups_count; g++)
			look(r, c, i, g);
}

void raft_readers_start(struct raft_readers *r, struct raft_cluster *c, unsigned begin_percent)
{
	memset(r, 0, sizeof *r);
	r->begin_percent = begin_percent;
	c->watch = readers_watch;
	c->watch_arg = r;
}
