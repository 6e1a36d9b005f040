/* SPDX-License-Identifier: Apache-2.0 - faults on purpose in this node: made, and looked at. */
#include "node/faults.h"

#include "base/err.h"
#include "node/clock.h"
#include "node/log.h"
#include "node/peers.h"
#include "node/room.h"

static const struct ord_faults_link_rule *link_rule(const struct ord_faults_order *order, uint32_t node)
{
	static const struct ord_faults_link_rule none;
	for (uint32_t i = 0; i < order->links_count; i++)
		if (order->links[i].node == node)
			return &order->links[i].rule;
	return &none;
}

static void links_apply(struct ord_peers *peers, const struct ord_faults_order *order)
{
	for (uint32_t i = 0; i < ord_peers_count(peers); i++) {
		struct ord_peer_status peer;
		ord_peers_status(peers, i, &peer);
		ord_peers_link_set(peers, peer.node, link_rule(order, peer.node));
	}
}

static void clock_apply(struct ord_clock *c, const struct ord_faults_clock_rule *rule)
{
	c->skew = (struct ord_clock_skew){
		.offset_us = rule->offset_us, .drift_ppm = rule->drift_ppm, .since_us = ord_clock_monotonic_us()};
}

int ord_faults_apply(const struct ord_faults_parts *parts, const struct ord_faults_order *order, uint32_t *ret_node)
{
	for (uint32_t i = 0; i < order->links_count; i++) {
		if (ord_peers_link(parts->peers, order->links[i].node) != NULL)
			continue;
		*ret_node = order->links[i].node;
		return ORD_ERR_NOT_FOUND;
	}
	if (order->has_links)
		links_apply(parts->peers, order);
	if (order->has_disk)
		ord_faults_disk_set(parts->disk, &order->disk);
	if (order->has_clock)
		clock_apply(parts->clock, &order->clock);
	ord_log(ORD_LOG_WARN, "faults on purpose were set:%s%s%s", order->has_links ? " links" : "",
		order->has_disk ? " disk" : "", order->has_clock ? " clock" : "");
	return ORD_OK;
}

void ord_faults_look(const struct ord_faults_parts *parts, struct ord_faults_status *ret)
{
	*ret = (struct ord_faults_status){.links_count = ord_peers_count(parts->peers)};
	for (uint32_t i = 0; i < ret->links_count; i++) {
		struct ord_faults_link_status *l = &ret->links[i];
		struct ord_peer_status peer;
		ord_peers_status(parts->peers, i, &peer);
		const struct ord_faults_link *link = ord_peers_link(parts->peers, peer.node);
		*l = (struct ord_faults_link_status){.node = peer.node,
						     .rule = link->rule,
						     .counts = link->counts,
						     .waiting_bytes = link->waiting_bytes + peer.output_bytes};
	}
	ord_faults_disk_get(parts->disk, &ret->disk, &ret->disk_counts);
	ret->free_bytes = parts->room->sample.free_bytes;
	ret->clock.offset_us = ord_clock_skew_us(&parts->clock->skew, ord_clock_monotonic_us());
	ret->clock.drift_ppm = parts->clock->skew.drift_ppm;
}
