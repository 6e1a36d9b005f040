/* SPDX-License-Identifier: Apache-2.0 - the set of nodes. One of them is asked for `cluster` every second while anything is under way, and sooner when an
 * answer or a lost connection casts doubt on the table of leaders. Nodes take requests for any partition, so a stale table costs time, nothing else. */
#include "client/fleet.h"

#include <stdlib.h>
#include <uv.h>

#include "base/assert.h"
#include "base/err.h"

#define FLEET_ADDRESSES_MAX 16
#define FLEET_MAX (FLEET_ADDRESSES_MAX + ORD_NODES_MAX)

#define FLEET_REFRESH_MS 1000
#define FLEET_DOUBT_MS 100
#define FLEET_PROXY_MS 400 /* a leader out of reach for this long: let another node find it */

struct ord_fleet {
	struct ord_fleet_options options; /* cluster_id points to cluster_id below, or is NULL */
	struct ordain_id cluster_id;
	struct ord_remote *remotes[FLEET_MAX]; /* owned */
	uint32_t remotes_count;
	uint32_t connections_count; /* that stop waits for */
	bool stopping;
	uint32_t turn; /* of find_any and refresh */
	bool known;    /* topology is */
	struct ord_topology topology;
	struct ord_topology told; /* scratch */
	uint64_t refreshed_ms;
	uint64_t refresh_due_ms;
	uint64_t missed_ms[ORD_PARTITIONS_MAX]; /* since when a partition has no leader within reach; 0: it has */
};

uint32_t ord_fleet_partitions_count(const struct ord_fleet *s)
{
	return s->known ? s->topology.partitions_count : 0;
}

struct ord_remote *ord_fleet_find_node(struct ord_fleet *s, uint32_t node)
{
	for (uint32_t i = 0; i < s->remotes_count; i++)
		if (ord_remote_node(s->remotes[i]) == node && !ord_remote_is_retired(s->remotes[i]))
			return s->remotes[i];
	return NULL;
}

static uint64_t fleet_now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static void remote_changed(void *ctx, struct ord_remote *remote)
{
	struct ord_fleet *s = ctx;
	if (s->stopping)
		return;
	if (!ord_remote_is_ready(remote)) {
		ord_fleet_doubt(s);
		ord_remote_tick(remote, fleet_now_ms(), s->options.cluster_id);
	}
	s->options.changed(s->options.ctx);
}

static void remote_gone(void *ctx, struct ord_remote *remote)
{
	(void)remote;
	struct ord_fleet *s = ctx;
	if (s->stopping && --s->connections_count == 0)
		s->options.closed(s->options.ctx);
}

static bool remote_told(void *ctx, struct ord_remote *remote, const msgpack_object *result);

/* A remote in a free place, or in that of one that was retired. NULL when there is none, or no memory. */
static struct ord_remote *remote_add(struct ord_fleet *s)
{
	const struct ord_remote_events events = {
		.ctx = s, .told = remote_told, .changed = remote_changed, .gone = remote_gone};
	uint32_t at = 0;
	while (at < s->remotes_count &&
	       !(ord_remote_is_retired(s->remotes[at]) && !ord_remote_is_connected(s->remotes[at])))
		at++;
	struct ord_remote *remote;
	if (at == FLEET_MAX || ord_remote_open(s->options.loop, s->options.seed + at, &events, &remote) != ORD_OK)
		return NULL;
	if (at < s->remotes_count)
		ord_remote_close(s->remotes[at]);
	else
		s->remotes_count++;
	s->remotes[at] = remote;
	return remote;
}

/* A remote for a node that another node names: the one that has it, one whose address the user gave in the same words, or a new one. */
static void node_learn(struct ord_fleet *s, uint32_t node, const struct ord_endpoint *endpoint)
{
	struct ord_remote *remote = ord_fleet_find_node(s, node);
	for (uint32_t i = 0; remote == NULL && i < s->remotes_count; i++)
		if (ord_remote_node(s->remotes[i]) == 0 && ord_remote_has_endpoint(s->remotes[i], endpoint))
			remote = s->remotes[i];
	if (remote == NULL)
		remote = remote_add(s);
	if (remote == NULL)
		return;
	ord_remote_set_node(remote, node);
	ord_remote_set_endpoints(remote, NULL, endpoint);
}

/* The remote turns out to be node `teller`. False when another remote has that node already. */
static bool teller_learn(struct ord_fleet *s, struct ord_remote *remote, uint32_t teller)
{
	struct ord_remote *other = ord_fleet_find_node(s, teller);
	if (other == remote)
		return true;
	if (other != NULL && ord_remote_is_ready(other)) {
		ord_remote_retire(remote);
		return false;
	}
	if (other != NULL)
		ord_remote_retire(other);
	ord_remote_set_node(remote, teller);
	return true;
}

static bool remote_told(void *ctx, struct ord_remote *remote, const msgpack_object *result)
{
	struct ord_fleet *s = ctx;
	struct ord_topology *told = &s->told;
	if (!ord_topology_decode(result, told)) {
		ord_remote_fail(remote, ORDAIN_ERR_PROTOCOL,
				"it does not answer like a node: is this the client port of a node?");
		return false;
	}
	bool other_id = s->options.cluster_id != NULL &&
			memcmp(s->cluster_id.bytes, told->cluster_id.bytes, sizeof s->cluster_id.bytes) != 0;
	if (other_id || (s->known && told->partitions_count != s->topology.partitions_count)) {
		ord_remote_fail(remote, ORDAIN_ERR_WRONG_CLUSTER, "it belongs to another cluster");
		return false;
	}
	s->cluster_id = told->cluster_id;
	s->options.cluster_id = &s->cluster_id;
	if (!teller_learn(s, remote, told->teller))
		return false;
	for (uint32_t i = 0; i < told->nodes_count; i++)
		node_learn(s, told->nodes[i].node, &told->nodes[i].endpoint);
	s->topology = *told;
	s->known = true;
	s->refreshed_ms = fleet_now_ms();
	s->refresh_due_ms = s->refreshed_ms + FLEET_REFRESH_MS;
	s->options.changed(s->options.ctx);
	return true;
}

static int addresses_parse(struct ord_fleet *s, const char *addresses)
{
	struct ordain_str left = ordain_str_of(addresses);
	for (;;) {
		const char *comma = left.len == 0 ? NULL : memchr(left.base, ',', left.len);
		struct ordain_str one = {left.base, comma == NULL ? left.len : (size_t)(comma - left.base)};
		struct ord_endpoint endpoint;
		if (!ord_endpoint_parse(one, &endpoint) || s->remotes_count == FLEET_ADDRESSES_MAX)
			return ORDAIN_ERR_ARGUMENT;
		struct ord_remote *remote = remote_add(s);
		if (remote == NULL)
			return ORDAIN_ERR_MEMORY;
		ord_remote_set_endpoints(remote, &endpoint, NULL);
		if (comma == NULL)
			return 0;
		left = (struct ordain_str){comma + 1, left.len - one.len - 1};
	}
}

int ord_fleet_open(const struct ord_fleet_options *options, struct ord_fleet **ret)
{
	struct ord_fleet *s = calloc(1, sizeof *s);
	if (s == NULL)
		return ORDAIN_ERR_MEMORY;
	s->options = *options;
	s->options.addresses = NULL;
	if (options->cluster_id != NULL) {
		s->cluster_id = *options->cluster_id;
		s->options.cluster_id = &s->cluster_id;
	}
	int err = addresses_parse(s, options->addresses);
	if (err != 0) {
		ord_fleet_close(s);
		return err;
	}
	*ret = s;
	return 0;
}

bool ord_fleet_stop(struct ord_fleet *s)
{
	s->stopping = true;
	for (uint32_t i = 0; i < s->remotes_count; i++)
		s->connections_count += ord_remote_stop(s->remotes[i]);
	return s->connections_count > 0;
}

void ord_fleet_close(struct ord_fleet *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->remotes_count; i++)
		ord_remote_close(s->remotes[i]);
	free(s);
}

/* Another ready remote each time, for `cluster`. */
static void refresh(struct ord_fleet *s, uint64_t now_ms)
{
	for (uint32_t i = 0; i < s->remotes_count; i++) {
		struct ord_remote *remote = s->remotes[s->turn++ % s->remotes_count];
		if (!ord_remote_ask(remote, now_ms, s->options.cluster_id))
			continue;
		s->refreshed_ms = now_ms;
		s->refresh_due_ms = now_ms + FLEET_REFRESH_MS;
		return;
	}
}

void ord_fleet_tick(struct ord_fleet *s, uint64_t now_ms)
{
	for (uint32_t i = 0; i < s->remotes_count; i++)
		ord_remote_tick(s->remotes[i], now_ms, s->options.cluster_id);
	if (s->known && now_ms >= s->refresh_due_ms)
		refresh(s, now_ms);
}

void ord_fleet_flush(struct ord_fleet *s)
{
	for (uint32_t i = 0; i < s->remotes_count; i++)
		ord_remote_flush(s->remotes[i]);
}

void ord_fleet_doubt(struct ord_fleet *s)
{
	if (s->refresh_due_ms > s->refreshed_ms + FLEET_DOUBT_MS)
		s->refresh_due_ms = s->refreshed_ms + FLEET_DOUBT_MS;
}

struct ord_remote *ord_fleet_find_any(struct ord_fleet *s)
{
	for (uint32_t i = 0; i < s->remotes_count; i++) {
		struct ord_remote *remote = s->remotes[s->turn++ % s->remotes_count];
		if (ord_remote_has_room(remote))
			return remote;
	}
	return NULL;
}

struct ord_remote *ord_fleet_find_leader(struct ord_fleet *s, uint32_t partition, uint64_t now_ms, bool *ret_proxy)
{
	ORD_ASSERT(s->known);
	ORD_ASSERT(partition < s->topology.partitions_count);
	uint32_t leader = s->topology.leaders[partition];
	struct ord_remote *remote = leader == 0 ? NULL : ord_fleet_find_node(s, leader);
	*ret_proxy = false;
	if (remote != NULL && ord_remote_is_ready(remote)) {
		s->missed_ms[partition] = 0;
		return ord_remote_has_room(remote) ? remote : NULL;
	}
	ord_fleet_doubt(s);
	if (s->missed_ms[partition] == 0)
		s->missed_ms[partition] = now_ms;
	if (now_ms - s->missed_ms[partition] < FLEET_PROXY_MS)
		return NULL;
	*ret_proxy = true;
	return ord_fleet_find_any(s);
}

void ord_fleet_learn(struct ord_fleet *s, uint32_t partition, int code, uint32_t leader)
{
	ORD_ASSERT(s->known);
	ORD_ASSERT(partition < s->topology.partitions_count);
	if (leader != 0)
		s->topology.leaders[partition] = leader;
	else if (code != ORDAIN_ERR_BUSY)
		ord_fleet_doubt(s);
}

bool ord_fleet_are_wrong(const struct ord_fleet *s)
{
	for (uint32_t i = 0; i < s->remotes_count; i++) {
		const char *why;
		if (!ord_remote_is_retired(s->remotes[i]) &&
		    ord_remote_trouble(s->remotes[i], &why) != ORDAIN_ERR_WRONG_CLUSTER)
			return false;
	}
	return true;
}

bool ord_fleet_are_connecting(const struct ord_fleet *s)
{
	for (uint32_t i = 0; i < s->remotes_count; i++)
		if (ord_remote_is_connected(s->remotes[i]) && !ord_remote_is_ready(s->remotes[i]))
			return true;
	return false;
}

int ord_fleet_trouble(const struct ord_fleet *s, const char **ret_why)
{
	int code = 0;
	*ret_why = "";
	for (uint32_t i = 0; i < s->remotes_count; i++) {
		const char *why;
		int trouble = ord_remote_trouble(s->remotes[i], &why);
		if (ord_remote_is_ready(s->remotes[i])) {
			*ret_why = "";
			return 0;
		}
		if (trouble != 0 && (code == 0 || trouble == ORDAIN_ERR_WRONG_CLUSTER)) {
			code = trouble;
			*ret_why = why;
		}
	}
	return code;
}
