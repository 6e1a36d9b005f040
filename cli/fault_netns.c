/* SPDX-License-Identifier: Apache-2.0 - real faults in a cluster whose nodes have network namespaces: packets in the switch, file systems, the clock that a process sees. What the kernel cannot do is left to the
 * hooks in the nodes. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/fault.h"
#include "cli/links.h"
#include "cli/netns.h"
#include "cli/node_clock.h"
#include "cli/node_disk.h"

#define WHY_SIZE ORD_CLUSTER_WHY_SIZE
#define KILL_WAIT_MS 10000

struct back {
	const struct ord_cluster *c;
	const struct ord_layout *l;
	void *hooks; /* owned */
	/* What the last look saw of the hooks: they are asked to change only what they have, since a node that is paused or ends cannot. */
	bool has_looked;
	bool has_soft_links;
	bool has_soft_disk[ORD_NODES_MAX];
	bool has_soft_clock[ORD_NODES_MAX];
};

static int back_open(const struct ord_cluster *c, int64_t timeout_ms, void **ret, char *why)
{
	struct back *b = calloc(1, sizeof *b);
	int err = ord_netns_check(why, WHY_SIZE);
	if (b == NULL) {
		snprintf(why, WHY_SIZE, "out of memory");
		return ORD_ERR_NOMEM;
	}
	if (err == ORD_OK)
		err = ord_fault_hooks.open(c, timeout_ms, &b->hooks, why);
	if (err != ORD_OK) {
		free(b);
		return err == ORD_ERR_NOT_FOUND ? ORD_ERR_INVALID : err;
	}
	b->c = c;
	b->l = &c->layout;
	*ret = b;
	return ORD_OK;
}

static void back_close(void *back)
{
	struct back *b = back;
	if (b == NULL)
		return;
	ord_fault_hooks.close(b->hooks);
	free(b);
}

static int network_check(const struct back *b, char *why)
{
	if (ord_netns_is_whole(b->l))
		return ORD_OK;
	snprintf(why, WHY_SIZE, "the nodes' network is not there; make it with: ordain cluster start --dir %s",
		 b->l->dir);
	return ORD_ERR_INVALID;
}

/* --- links ------------------------------------------------------------------------------------------------------------ */

static bool is_delayed(const struct ord_fault_link *r)
{
	return r->delay_ms > 0 || r->jitter_ms > 0 || r->reorder_ppm > 0;
}

/* The part of the rules that the nodes have to do themselves. True when there is any. */
static bool soft_part(const struct back *b, const struct ord_links *links, struct ord_fault_links *ret)
{
	bool any = false;
	*ret = (struct ord_fault_links){0};
	for (uint32_t i = 0; i < b->l->nodes_count; i++) {
		for (uint32_t k = 0; k < b->l->nodes_count; k++) {
			const struct ord_fault_link *r = &links->rules[i][k];
			if (!links->soft[i][k] || !is_delayed(r))
				continue;
			ret->rules[i][k] = (struct ord_fault_link){
				.delay_ms = r->delay_ms, .jitter_ms = r->jitter_ms, .reorder_ppm = r->reorder_ppm};
			any = true;
		}
	}
	return any;
}

/* Leaves delays to the nodes where the kernel has no netem. */
static void soft_choose(const struct back *b, struct ord_links *links)
{
	bool wanted = false;
	for (uint32_t i = 0; i < b->l->nodes_count; i++) {
		for (uint32_t k = 0; k < b->l->nodes_count; k++)
			wanted = wanted || is_delayed(&links->rules[i][k]);
	}
	if (!wanted || ord_links_can_delay(b->l))
		return;
	for (uint32_t i = 0; i < b->l->nodes_count; i++) {
		for (uint32_t k = 0; k < b->l->nodes_count; k++)
			links->soft[i][k] = is_delayed(&links->rules[i][k]);
	}
}

static int set_links(void *back, const struct ord_fault_links *rules, char *why)
{
	struct back *b = back;
	struct ord_links now, wanted = {0};
	struct ord_fault_links soft;
	int err = network_check(b, why);
	if (err == ORD_OK)
		err = ord_links_read(b->l, &now, why, WHY_SIZE);
	if (err != ORD_OK)
		return err;
	memcpy(wanted.rules, rules->rules, sizeof wanted.rules);
	soft_choose(b, &wanted);
	err = ord_links_write(b->l, &now, &wanted, why, WHY_SIZE);
	bool any = soft_part(b, &wanted, &soft);
	if (err == ORD_OK && (any || b->has_soft_links || !b->has_looked))
		err = ord_fault_hooks.set_links(b->hooks, &soft, why);
	return err;
}

/* --- disks ------------------------------------------------------------------------------------------------------------ */

/* Brings full and error to what is wanted; *now is what is. */
static int disk_bring(const struct back *b, uint32_t place, const struct ord_fault_disk *rule,
		      const struct ord_node_disk_look *now, char *why)
{
	const struct ord_layout_node *node = &b->l->nodes[place];
	int err = ORD_OK;
	if (now->broken && !rule->error) {
		const struct ord_process *p = &b->c->processes[place];
		if (p->pidfd >= 0) {
			ord_process_signal(p, SIGKILL);
			if (!ord_process_wait(p, KILL_WAIT_MS)) {
				snprintf(why, WHY_SIZE,
					 "node %" PRIu32
					 " (process %d), whose disk is in error, has not ended 10 s after SIGKILL",
					 node->id, (int)p->pid);
				return ORD_ERR_TIMEOUT;
			}
		}
		err = ord_node_disk_mend(b->l, node, why, WHY_SIZE);
	}
	if (err == ORD_OK && now->broken && rule->error)
		return ORD_OK; /* no more can be done to it */
	if (err == ORD_OK)
		err = rule->full ? ord_node_disk_fill(b->l, node, why, WHY_SIZE)
				 : ord_node_disk_empty(b->l, node, why, WHY_SIZE);
	if (err == ORD_OK && rule->error)
		err = ord_node_disk_break(b->l, node, why, WHY_SIZE);
	return err;
}

static int set_disk(void *back, uint32_t place, const struct ord_fault_disk *rule, char *why)
{
	struct back *b = back;
	struct ord_node_disk_look now;
	struct ord_fault_disk soft = {.slow_ms = rule->slow_ms};
	int err = ord_node_disk_look(b->l, &b->l->nodes[place], &now, why, WHY_SIZE);
	if (err == ORD_OK)
		err = disk_bring(b, place, rule, &now, why);
	if (err == ORD_OK && (rule->slow_ms > 0 || b->has_soft_disk[place] || !b->has_looked))
		err = ord_fault_hooks.set_disk(b->hooks, place, &soft, why);
	return err;
}

/* --- clocks ----------------------------------------------------------------------------------------------------------- */

static int set_clock(void *back, uint32_t place, const struct ord_fault_clock *rule, char *why)
{
	struct back *b = back;
	const struct ord_layout_node *node = &b->l->nodes[place];
	const struct ord_process *p = &b->c->processes[place];
	if (p->pidfd >= 0 && !ord_node_clock_is_seen(b->l, node, p->pid))
		return ord_fault_hooks.set_clock(b->hooks, place, rule, why);
	static const struct ord_fault_clock none;
	int err = ord_node_clock_set(b->l, node, rule->offset_us, rule->drift_ppm, why, WHY_SIZE);
	if (err == ORD_OK && b->has_soft_clock[place])
		err = ord_fault_hooks.set_clock(b->hooks, place, &none, why);
	return err;
}

/* --- what is in force ------------------------------------------------------------------------------------------------- */

static const char *by_name(bool real, bool soft)
{
	if (real && soft)
		return "netns+hooks";
	if (real)
		return "netns";
	return soft ? "hooks" : "";
}

/* What the hooks do beside the kernel: delays, and whatever a node was told by others than this back end. */
static void soft_add(const struct ord_fault_link *soft, struct ord_fault_link *rule)
{
	rule->cut |= soft->cut;
	rule->delay_ms += soft->delay_ms;
	rule->jitter_ms += soft->jitter_ms;
	rule->loss_ppm = soft->loss_ppm > rule->loss_ppm ? soft->loss_ppm : rule->loss_ppm;
	rule->duplicate_ppm = soft->duplicate_ppm > rule->duplicate_ppm ? soft->duplicate_ppm : rule->duplicate_ppm;
	rule->reorder_ppm = soft->reorder_ppm > rule->reorder_ppm ? soft->reorder_ppm : rule->reorder_ppm;
	if (soft->rate_bytes_s > 0 && (rule->rate_bytes_s == 0 || soft->rate_bytes_s < rule->rate_bytes_s))
		rule->rate_bytes_s = soft->rate_bytes_s;
}

/* seen holds what the hooks say. */
static void link_look(const struct ord_links *links, uint32_t i, uint32_t k, struct ord_fault_link_seen *seen)
{
	struct ord_fault_link_seen soft = *seen;
	struct ord_fault_link real = links->rules[i][k];
	bool has_soft = soft.known && !ord_fault_link_is_none(&soft.rule);
	if (links->soft[i][k])
		real.delay_ms = real.jitter_ms = real.reorder_ppm = 0;
	*seen = (struct ord_fault_link_seen){.known = true, .rule = real, .counts = links->counts[i][k]};
	if (has_soft) {
		soft_add(&soft.rule, &seen->rule);
		seen->counts.dropped += soft.counts.dropped;
		seen->counts.delayed += soft.counts.delayed;
		seen->counts.duplicated += soft.counts.duplicated;
		seen->counts.reordered += soft.counts.reordered;
	}
	snprintf(seen->by, sizeof seen->by, "%s", by_name(!ord_fault_link_is_none(&real), has_soft));
}

static void node_look(const struct back *b, uint32_t place, struct ord_fault_node_seen *seen)
{
	const struct ord_layout_node *node = &b->l->nodes[place];
	const struct ord_process *p = &b->c->processes[place];
	struct ord_fault_node_seen soft = *seen; /* what the hooks say */
	struct ord_node_disk_look disk;
	char why[WHY_SIZE];
	bool is_real = false;
	bool has_soft = soft.known && !ord_fault_disk_is_none(&soft.disk);
	*seen = (struct ord_fault_node_seen){.known = true};
	if (p->pidfd >= 0) /* what the hooks do there is not known then */
		snprintf(seen->problem, sizeof seen->problem, "%s", soft.problem);
	if (ord_node_disk_look(b->l, node, &disk, why, sizeof why) == ORD_OK) {
		seen->disk = has_soft ? soft.disk : (struct ord_fault_disk){0};
		seen->disk.error |= disk.broken;
		seen->disk.full |= disk.full;
		is_real = disk.broken || disk.full;
		seen->disk_counts.free_bytes = disk.free_bytes;
	} else {
		seen->known = false;
		snprintf(seen->problem, sizeof seen->problem, "%.*s", (int)sizeof seen->problem - 1, why);
	}
	if (soft.known) {
		seen->disk_counts.slowed = soft.disk_counts.slowed;
		seen->disk_counts.failed = soft.disk_counts.failed;
		seen->disk_counts.refused = soft.disk_counts.refused;
	}
	snprintf(seen->disk_by, sizeof seen->disk_by, "%s", by_name(is_real, has_soft));
	if (p->pidfd < 0 || ord_node_clock_is_seen(b->l, node, p->pid)) {
		ord_node_clock_get(b->l, node, &seen->clock.offset_us, &seen->clock.drift_ppm);
		snprintf(seen->clock_by, sizeof seen->clock_by, "preload");
		if (b->has_soft_clock[place]) {
			seen->clock.offset_us += soft.clock.offset_us;
			seen->clock.drift_ppm += soft.clock.drift_ppm;
			snprintf(seen->clock_by, sizeof seen->clock_by, "preload+hooks");
		}
	} else if (soft.known) {
		seen->clock = soft.clock;
		snprintf(seen->clock_by, sizeof seen->clock_by, "%s", soft.clock_by);
	}
}

static int look(void *back, struct ord_fault_look *ret, char *why)
{
	struct back *b = back;
	struct ord_links links;
	int err = ord_links_read(b->l, &links, why, WHY_SIZE);
	if (err != ORD_OK)
		return err;
	if (ord_fault_hooks.look(b->hooks, ret, why) != ORD_OK)
		*ret = (struct ord_fault_look){0};
	b->has_looked = true;
	b->has_soft_links = false;
	for (uint32_t i = 0; i < b->l->nodes_count; i++) {
		b->has_soft_disk[i] = ret->nodes[i].known && !ord_fault_disk_is_none(&ret->nodes[i].disk);
		b->has_soft_clock[i] = ret->nodes[i].known && !ord_fault_clock_is_none(&ret->nodes[i].clock);
		node_look(b, i, &ret->nodes[i]);
		for (uint32_t k = 0; k < b->l->nodes_count; k++) {
			struct ord_fault_link_seen *seen = &ret->links[i][k];
			b->has_soft_links = b->has_soft_links || (seen->known && !ord_fault_link_is_none(&seen->rule));
			if (i != k)
				link_look(&links, i, k, seen);
		}
	}
	return ORD_OK;
}

/* --- heal ------------------------------------------------------------------------------------------------------------- */

static int links_heal(const struct back *b, char *why)
{
	struct ord_links now;
	static const struct ord_links none;
	if (!ord_netns_is_whole(b->l))
		return ORD_OK;
	int err = ord_links_read(b->l, &now, why, WHY_SIZE);
	return err == ORD_OK ? ord_links_write(b->l, &now, &none, why, WHY_SIZE) : err;
}

static int node_heal(const struct back *b, uint32_t place, char *why)
{
	static const struct ord_fault_disk none;
	const struct ord_layout_node *node = &b->l->nodes[place];
	struct ord_node_disk_look now;
	int err = ORD_OK;
	if (ord_node_disk_is_mounted(b->l, node)) {
		err = ord_node_disk_look(b->l, node, &now, why, WHY_SIZE);
		if (err == ORD_OK)
			err = disk_bring(b, place, &none, &now, why);
	}
	return err == ORD_OK ? ord_node_clock_set(b->l, node, 0, 0, why, WHY_SIZE) : err;
}

/* The hooks come first: a node whose disk is in error ends by what is done to it here. */
static int heal(void *back, char *why)
{
	struct back *b = back;
	int err = links_heal(b, why);
	if (err == ORD_OK)
		err = ord_fault_hooks.heal(b->hooks, why);
	for (uint32_t i = 0; err == ORD_OK && i < b->l->nodes_count; i++)
		err = node_heal(b, i, why);
	return err;
}

const struct ord_fault_back ord_fault_netns = {
	.name = "netns",
	.open = back_open,
	.close = back_close,
	.set_links = set_links,
	.set_disk = set_disk,
	.set_clock = set_clock,
	.look = look,
	.heal = heal,
};
