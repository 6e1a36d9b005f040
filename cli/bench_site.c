/* SPDX-License-Identifier: Apache-2.0 - the processes that take part in a bench and run on this machine, and what they used while it measured. */
#include "cli/bench_site.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cluster.h"

int ord_bench_site_open(struct ord_bench_site *s, const char *dir, char *why, size_t why_size)
{
	static struct ord_cluster c; /* large for a stack */
	char cluster_why[ORD_CLUSTER_WHY_SIZE];
	memset(s, 0, sizeof *s);
	if (dir == NULL)
		return ORD_OK;
	int err = ord_cluster_open(dir, &c, cluster_why);
	if (err != ORD_OK) {
		snprintf(why, why_size, "%.400s", cluster_why);
		return err;
	}
	s->nodes_count = c.layout.nodes_count;
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		s->nodes[i] = (struct ord_bench_site_node){
			.id = c.layout.nodes[i].id, .pid = c.processes[i].pid, .own_network = c.layout.netns.on};
		ord_layout_path(&c.layout, &c.layout.nodes[i], "data", s->nodes[i].data);
	}
	ord_cluster_close(&c);
	return ORD_OK;
}

void ord_bench_site_close(struct ord_bench_site *s)
{
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		ord_usage_mark_close(&s->nodes[i].begin);
		ord_usage_mark_close(&s->nodes[i].end);
	}
	ord_usage_mark_close(&s->own_begin);
	ord_usage_mark_close(&s->own_end);
}

/* One list of connections serves all: those of this network namespace. */
static void site_mark(struct ord_bench_site *s, bool end)
{
	struct ord_sockets all = {0};
	bool have = ord_sockets_list(&all) == ORD_OK;
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		struct ord_bench_site_node *n = &s->nodes[i];
		struct ord_usage_mark *mark = end ? &n->end : &n->begin;
		uint64_t *device_bytes = end ? &n->device_end_bytes : &n->device_begin_bytes;
		ord_usage_mark_close(mark);
		ord_usage_mark(mark, n->pid, n->own_network, have ? &all : NULL);
		*device_bytes = ord_usage_device(n->data, n->device);
	}
	struct ord_usage_mark *own = end ? &s->own_end : &s->own_begin;
	ord_usage_mark_close(own);
	ord_usage_mark(own, getpid(), false, have ? &all : NULL);
	ord_sockets_close(&all);
}

void ord_bench_site_begin(struct ord_bench_site *s)
{
	site_mark(s, false);
}

void ord_bench_site_end(struct ord_bench_site *s)
{
	site_mark(s, true);
}

struct ord_usage ord_bench_site_node_used(const struct ord_bench_site *s, uint32_t place)
{
	return ord_usage_between(&s->nodes[place].begin, &s->nodes[place].end);
}

struct ord_usage ord_bench_site_own_used(const struct ord_bench_site *s)
{
	return ord_usage_between(&s->own_begin, &s->own_end);
}

uint64_t ord_bench_site_device(const struct ord_bench_site *s, uint32_t place, uint32_t *ret_sharing)
{
	const struct ord_bench_site_node *n = &s->nodes[place];
	uint32_t sharing = 0;
	for (uint32_t i = 0; i < s->nodes_count; i++)
		sharing += strcmp(s->nodes[i].device, n->device) == 0;
	*ret_sharing = sharing;
	if (n->device_begin_bytes == ORD_USAGE_UNKNOWN || n->device_end_bytes == ORD_USAGE_UNKNOWN)
		return ORD_USAGE_UNKNOWN;
	return n->device_end_bytes - n->device_begin_bytes;
}
