/* SPDX-License-Identifier: Apache-2.0 - faults on purpose in this node: made, and looked at. */
#include "node/faults.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* A line of the log, so that what follows in it is understood. */
#define TEXT_SIZE 1024

__attribute__((format(printf, 2, 3))) static void text_add(char text[TEXT_SIZE], const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;
	va_start(args, format);
	vsnprintf(text + len, TEXT_SIZE - len, format, args);
	va_end(args);
}

static void number_add(char text[TEXT_SIZE], const char *name, int64_t v)
{
	if (v != 0)
		text_add(text, " %s %" PRId64, name, v);
}

static void link_tell(const struct ord_faults_link_rule *r, uint32_t node, char text[TEXT_SIZE])
{
	static const struct ord_faults_link_rule none;
	if (ord_faults_link_rule_equal(r, &none))
		return;
	text_add(text, "; node %" PRIu32 "%s%s", node, r->cut_out ? " cut_out" : "", r->cut_in ? " cut_in" : "");
	number_add(text, "delay_ms", r->delay_ms);
	number_add(text, "jitter_ms", r->jitter_ms);
	number_add(text, "loss_ppm", r->loss_ppm);
	number_add(text, "duplicate_ppm", r->duplicate_ppm);
	number_add(text, "reorder_ppm", r->reorder_ppm);
	number_add(text, "rate_bytes_s", (int64_t)r->rate_bytes_s);
}

static void links_apply(struct ord_peers *peers, const struct ord_faults_order *order)
{
	char text[TEXT_SIZE] = "";
	bool changed = false;
	for (uint32_t i = 0; i < ord_peers_count(peers); i++) {
		struct ord_peer_status peer;
		ord_peers_status(peers, i, &peer);
		const struct ord_faults_link_rule *rule = link_rule(order, peer.node);
		changed |= !ord_faults_link_rule_equal(rule, &ord_peers_link(peers, peer.node)->rule);
		link_tell(rule, peer.node, text);
		ord_peers_link_set(peers, peer.node, rule);
	}
	if (changed)
		ord_log(ORD_LOG_WARN, "a fault on purpose: links%s", text[0] != '\0' ? text : ": none any more");
}

static void disk_apply(struct ord_faults_disk *disk, const struct ord_faults_disk_rule *rule)
{
	struct ord_faults_disk_rule before;
	struct ord_faults_disk_counts counts;
	ord_faults_disk_get(disk, &before, &counts);
	ord_faults_disk_set(disk, rule);
	if (rule->slow_ms == before.slow_ms && rule->error == before.error && rule->full == before.full)
		return;
	ord_log(ORD_LOG_WARN, "a fault on purpose: disk: slow_ms %" PRIu32 "%s%s", rule->slow_ms,
		rule->error ? " error" : "", rule->full ? " full" : "");
}

static void clock_apply(struct ord_clock *c, const struct ord_faults_clock_rule *rule)
{
	bool was_right = c->skew.offset_us == 0 && c->skew.drift_ppm == 0;
	c->skew = (struct ord_clock_skew){
		.offset_us = rule->offset_us, .drift_ppm = rule->drift_ppm, .since_us = ord_clock_monotonic_us()};
	if (!was_right || rule->offset_us != 0 || rule->drift_ppm != 0)
		ord_log(ORD_LOG_WARN, "a fault on purpose: clock: offset_us %" PRId64 " drift_ppm %" PRId64,
			rule->offset_us, rule->drift_ppm);
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
		disk_apply(parts->disk, &order->disk);
	if (order->has_clock)
		clock_apply(parts->clock, &order->clock);
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
