/* SPDX-License-Identifier: Apache-2.0 - the set of nodes. One of them is asked for `cluster` every second while anything is under way, and sooner when an
 * answer or a lost connection casts doubt on the table of leaders. Nodes take requests for any partition, so a stale table costs time, nothing else. */
#include "client/peers.h"

#include <stdlib.h>
#include <uv.h>

#include "base/assert.h"
#include "base/err.h"

#define PEERS_ADDRESSES_MAX 16
#define PEERS_MAX (PEERS_ADDRESSES_MAX + ORD_NODES_MAX)

#define PEERS_REFRESH_MS 1000
#define PEERS_DOUBT_MS 100
#define PEERS_PROXY_MS 400 /* a leader out of reach for this long: let another node find it */

struct ord_peers {
	struct ord_peers_options options; /* cluster_id points to cluster_id below, or is NULL */
	struct ordain_id cluster_id;
	struct ord_peer *peers[PEERS_MAX]; /* owned */
	uint32_t peers_count;
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

uint32_t ord_peers_partitions_count(const struct ord_peers *s)
{
	return s->known ? s->topology.partitions_count : 0;
}

struct ord_peer *ord_peers_find_node(struct ord_peers *s, uint32_t node)
{
	for (uint32_t i = 0; i < s->peers_count; i++)
		if (ord_peer_node(s->peers[i]) == node && !ord_peer_is_retired(s->peers[i]))
			return s->peers[i];
	return NULL;
}

static uint64_t peers_now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static void peer_changed(void *ctx, struct ord_peer *peer)
{
	struct ord_peers *s = ctx;
	if (s->stopping)
		return;
	if (!ord_peer_is_ready(peer)) {
		ord_peers_doubt(s);
		ord_peer_tick(peer, peers_now_ms(), s->options.cluster_id);
	}
	s->options.changed(s->options.ctx);
}

static void peer_gone(void *ctx, struct ord_peer *peer)
{
	(void)peer;
	struct ord_peers *s = ctx;
	if (s->stopping && --s->connections_count == 0)
		s->options.closed(s->options.ctx);
}

static bool peer_told(void *ctx, struct ord_peer *peer, const msgpack_object *result);

/* A peer in a free place, or in that of one that was retired. NULL when there is none, or no memory. */
static struct ord_peer *peer_add(struct ord_peers *s)
{
	const struct ord_peer_events events = {.ctx = s, .told = peer_told, .changed = peer_changed, .gone = peer_gone};
	if (s->peers_count == PEERS_MAX || ord_peer_open(s->options.loop, &events, &s->peers[s->peers_count]) != ORD_OK)
		return NULL;
	return s->peers[s->peers_count++];
}

/* A peer for a node that another node names: the one that has it, one whose address the user gave in the same words, or a new one. */
static void node_learn(struct ord_peers *s, uint32_t node, const struct ord_endpoint *endpoint)
{
	struct ord_peer *peer = ord_peers_find_node(s, node);
	for (uint32_t i = 0; peer == NULL && i < s->peers_count; i++)
		if (ord_peer_node(s->peers[i]) == 0 && ord_peer_has_endpoint(s->peers[i], endpoint))
			peer = s->peers[i];
	if (peer == NULL)
		peer = peer_add(s);
	if (peer == NULL)
		return;
	ord_peer_set_node(peer, node);
	ord_peer_set_endpoints(peer, NULL, endpoint);
}

/* The peer turns out to be node `teller`. False when another peer has that node already. */
static bool teller_learn(struct ord_peers *s, struct ord_peer *peer, uint32_t teller)
{
	struct ord_peer *other = ord_peers_find_node(s, teller);
	if (other == peer)
		return true;
	if (other != NULL && ord_peer_is_ready(other)) {
		ord_peer_retire(peer);
		return false;
	}
	if (other != NULL)
		ord_peer_retire(other);
	ord_peer_set_node(peer, teller);
	return true;
}

static bool peer_told(void *ctx, struct ord_peer *peer, const msgpack_object *result)
{
	struct ord_peers *s = ctx;
	struct ord_topology *told = &s->told;
	if (!ord_topology_decode(result, told)) {
		ord_peer_fail(peer, ORDAIN_ERR_PROTOCOL,
			      "it does not answer like a node: is this the client port of a node?");
		return false;
	}
	bool other_id = s->options.cluster_id != NULL &&
			memcmp(s->cluster_id.bytes, told->cluster_id.bytes, sizeof s->cluster_id.bytes) != 0;
	if (other_id || (s->known && told->partitions_count != s->topology.partitions_count)) {
		ord_peer_fail(peer, ORDAIN_ERR_WRONG_CLUSTER, "it belongs to another cluster");
		return false;
	}
	s->cluster_id = told->cluster_id;
	s->options.cluster_id = &s->cluster_id;
	if (!teller_learn(s, peer, told->teller))
		return false;
	for (uint32_t i = 0; i < told->nodes_count; i++)
		node_learn(s, told->nodes[i].node, &told->nodes[i].endpoint);
	s->topology = *told;
	s->known = true;
	s->options.changed(s->options.ctx);
	return true;
}

static int addresses_parse(struct ord_peers *s, const char *addresses)
{
	struct ordain_str left = ordain_str_of(addresses);
	for (;;) {
		const char *comma = left.len == 0 ? NULL : memchr(left.base, ',', left.len);
		struct ordain_str one = {left.base, comma == NULL ? left.len : (size_t)(comma - left.base)};
		struct ord_endpoint endpoint;
		if (!ord_endpoint_parse(one, &endpoint) || s->peers_count == PEERS_ADDRESSES_MAX)
			return ORDAIN_ERR_ARGUMENT;
		struct ord_peer *peer = peer_add(s);
		if (peer == NULL)
			return ORDAIN_ERR_MEMORY;
		ord_peer_set_endpoints(peer, &endpoint, NULL);
		if (comma == NULL)
			return 0;
		left = (struct ordain_str){comma + 1, left.len - one.len - 1};
	}
}

int ord_peers_open(const struct ord_peers_options *options, uint64_t now_ms, struct ord_peers **ret)
{
	struct ord_peers *s = calloc(1, sizeof *s);
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
		ord_peers_close(s);
		return err;
	}
	ord_peers_tick(s, now_ms);
	*ret = s;
	return 0;
}

bool ord_peers_stop(struct ord_peers *s)
{
	s->stopping = true;
	for (uint32_t i = 0; i < s->peers_count; i++)
		s->connections_count += ord_peer_stop(s->peers[i]);
	return s->connections_count > 0;
}

void ord_peers_close(struct ord_peers *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->peers_count; i++)
		ord_peer_close(s->peers[i]);
	free(s);
}

/* Another ready peer each time, for `cluster`. */
static void refresh(struct ord_peers *s, uint64_t now_ms)
{
	for (uint32_t i = 0; i < s->peers_count; i++) {
		struct ord_peer *peer = s->peers[s->turn++ % s->peers_count];
		if (!ord_peer_ask(peer, now_ms, s->options.cluster_id))
			continue;
		s->refreshed_ms = now_ms;
		s->refresh_due_ms = now_ms + PEERS_REFRESH_MS;
		return;
	}
}

void ord_peers_tick(struct ord_peers *s, uint64_t now_ms)
{
	for (uint32_t i = 0; i < s->peers_count; i++)
		ord_peer_tick(s->peers[i], now_ms, s->options.cluster_id);
	if (s->known && now_ms >= s->refresh_due_ms)
		refresh(s, now_ms);
}

void ord_peers_flush(struct ord_peers *s)
{
	for (uint32_t i = 0; i < s->peers_count; i++)
		ord_peer_flush(s->peers[i]);
}

void ord_peers_doubt(struct ord_peers *s)
{
	if (s->refresh_due_ms > s->refreshed_ms + PEERS_DOUBT_MS)
		s->refresh_due_ms = s->refreshed_ms + PEERS_DOUBT_MS;
}

struct ord_peer *ord_peers_find_any(struct ord_peers *s)
{
	for (uint32_t i = 0; i < s->peers_count; i++) {
		struct ord_peer *peer = s->peers[s->turn++ % s->peers_count];
		if (ord_peer_has_room(peer))
			return peer;
	}
	return NULL;
}

struct ord_peer *ord_peers_find_leader(struct ord_peers *s, uint32_t partition, uint64_t now_ms, bool *ret_proxy)
{
	ORD_ASSERT(s->known);
	ORD_ASSERT(partition < s->topology.partitions_count);
	uint32_t leader = s->topology.leaders[partition];
	struct ord_peer *peer = leader == 0 ? NULL : ord_peers_find_node(s, leader);
	*ret_proxy = false;
	if (peer != NULL && ord_peer_is_ready(peer)) {
		s->missed_ms[partition] = 0;
		return ord_peer_has_room(peer) ? peer : NULL;
	}
	ord_peers_doubt(s);
	if (s->missed_ms[partition] == 0)
		s->missed_ms[partition] = now_ms;
	if (now_ms - s->missed_ms[partition] < PEERS_PROXY_MS)
		return NULL;
	*ret_proxy = true;
	return ord_peers_find_any(s);
}

void ord_peers_set_leader(struct ord_peers *s, uint32_t partition, uint32_t node)
{
	if (s->known && partition < s->topology.partitions_count)
		s->topology.leaders[partition] = node;
}

bool ord_peers_are_wrong(const struct ord_peers *s)
{
	for (uint32_t i = 0; i < s->peers_count; i++) {
		const char *why;
		if (!ord_peer_is_retired(s->peers[i]) &&
		    ord_peer_trouble(s->peers[i], &why) != ORDAIN_ERR_WRONG_CLUSTER)
			return false;
	}
	return true;
}

bool ord_peers_are_connecting(const struct ord_peers *s)
{
	for (uint32_t i = 0; i < s->peers_count; i++)
		if (ord_peer_is_connected(s->peers[i]) && !ord_peer_is_ready(s->peers[i]))
			return true;
	return false;
}

int ord_peers_trouble(const struct ord_peers *s, const char **ret_why)
{
	int code = 0;
	*ret_why = "";
	for (uint32_t i = 0; i < s->peers_count; i++) {
		const char *why;
		int trouble = ord_peer_trouble(s->peers[i], &why);
		if (ord_peer_is_ready(s->peers[i])) {
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
