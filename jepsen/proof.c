/* SPDX-License-Identifier: Apache-2.0 - whether a fault took effect, by what `ordain fault` answers. */
#include "jepsen/proof.h"

#include <string.h>

#include "jepsen/json.h"

#define FULL_BYTES_MAX (1 << 20) /* less is no room for a node */

/* Which column of `fault list` counts what a fault does, in rows where another one says that it is in force. */
static const struct counter {
	const char *f;
	const char *table;
	const char *rule;
	const char *column;
} counters[] = {
	{"partition", "links", "cut", "dropped"},
	{"ring", "links", "cut", "dropped"},
	{"one-way", "links", "cut", "dropped"},
	{"isolate-leader", "links", "cut", "dropped"},
	{"loss", "links", "loss_ppm", "dropped"},
	{"delay", "links", "delay_ms", "delayed"},
	{"duplicate", "links", "duplicate_ppm", "duplicated"},
	{"reorder", "links", "reorder_ppm", "reordered"},
	{"slow-disk", "disks", "slow_ms", "slowed"},
	{"full-disk", "disks", "full", "refused"},
	{"disk-error", "disks", "error", "failed"},
};

static enum ord_storm_effect effect_if(bool seen)
{
	return seen ? ORD_STORM_SEEN : ORD_STORM_NONE;
}

/* Whether the answer has processes, and all of them are so: gone, or standing still. */
static bool processes_are(struct ord_edn answer, bool gone)
{
	struct ord_edn rows = ord_edn_get(answer, "processes");
	uint32_t count = ord_json_count(rows);
	for (uint32_t i = 0; i < ord_json_count(rows); i++) {
		bool so = gone ? !ord_json_bool(rows.items[i], "running", true)
			       : ord_json_is(rows.items[i], "state", "T");
		count -= so;
	}
	return ord_json_count(rows) > 0 && count == 0;
}

static bool bits_are_flipped(struct ord_edn answer)
{
	struct ord_edn rows = ord_edn_get(answer, "flips");
	for (uint32_t i = 0; i < ord_json_count(rows); i++) {
		if (ord_edn_equal(ord_edn_get(rows.items[i], "before"), ord_edn_get(rows.items[i], "after")))
			return false;
	}
	return ord_json_count(rows) > 0;
}

/* Whether there are clocks, and each is off or goes wrong. */
static bool clocks_are_wrong(struct ord_edn answer)
{
	struct ord_edn rows = ord_edn_get(answer, "clocks");
	for (uint32_t i = 0; i < ord_json_count(rows); i++) {
		if (ord_json_int(rows.items[i], "offset_us", 0) == 0 &&
		    ord_json_int(rows.items[i], "drift_ppm", 0) == 0)
			return false;
	}
	return ord_json_count(rows) > 0;
}

enum ord_storm_effect ord_proof_effect(const struct ord_nemesis_plan *plan, struct ord_edn answer)
{
	if (strcmp(plan->f, "kill") == 0 || strcmp(plan->f, "term") == 0 || strcmp(plan->f, "wipe") == 0)
		return effect_if(processes_are(answer, true));
	if (strcmp(plan->f, "pause") == 0)
		return effect_if(processes_are(answer, false));
	if (strcmp(plan->f, "corrupt") == 0)
		return effect_if(bits_are_flipped(answer));
	if (strcmp(plan->f, "clock") == 0)
		return effect_if(clocks_are_wrong(answer));
	if (strcmp(plan->f, "rolling-restart") == 0)
		return effect_if(ord_json_bool(answer, "ready", false));
	return ORD_STORM_UNKNOWN;
}

/* What the column counts where the rule is in force. */
static int64_t column_sum(struct ord_edn rows, const char *rule, const char *column)
{
	int64_t sum = 0;
	for (uint32_t i = 0; i < ord_json_count(rows); i++) {
		if (ord_json_bool(rows.items[i], rule, false) || ord_json_int(rows.items[i], rule, 0) != 0)
			sum += ord_json_int(rows.items[i], column, 0);
	}
	return sum;
}

/* A node that sees that its disk is full asks for nothing more: then nothing is refused, either. */
static bool any_disk_full(struct ord_edn listing)
{
	struct ord_edn rows = ord_edn_get(listing, "disks");
	for (uint32_t i = 0; i < ord_json_count(rows); i++) {
		if (ord_json_bool(rows.items[i], "full", false) &&
		    ord_json_int(rows.items[i], "free_bytes", INT64_MAX) < FULL_BYTES_MAX)
			return true;
	}
	return false;
}

static bool any_process_gone(struct ord_edn listing)
{
	struct ord_edn rows = ord_edn_get(listing, "processes");
	for (uint32_t i = 0; i < ord_json_count(rows); i++) {
		if (!ord_json_bool(rows.items[i], "running", true))
			return true;
	}
	return false;
}

static bool is_one_of(const char *f, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (strcmp(*names, f) == 0)
			return true;
	}
	return false;
}

/* Whether the fault was meant for the node; when nobody knows for whom, it was. */
static bool is_meant(const struct ord_storm_fault *f, int64_t node)
{
	struct ord_edn nodes = ord_edn_get(f->proof, "nodes");
	for (uint32_t i = 0; i < ord_json_count(nodes); i++) {
		if (ord_edn_equal(nodes.items[i], ord_edn_int(node)))
			return true;
	}
	return nodes.kind != ORD_EDN_VECTOR;
}

/* What is healed starts nodes again; harm to a disk may end one later. */
static bool may_be_gone(const struct ord_storm *s, int64_t node)
{
	static const char *const ends[] = {"kill", "term", "rolling-restart", NULL};
	static const char *const harms[] = {"wipe", "corrupt", "disk-error", "full-disk", NULL};
	for (uint32_t i = 0; i < s->faults_count; i++) {
		const struct ord_storm_fault *f = &s->faults[i];
		if ((is_one_of(f->f, harms) || (i >= s->healed_count && is_one_of(f->f, ends))) && is_meant(f, node))
			return true;
	}
	return false;
}

uint32_t ord_proof_gone(const struct ord_storm *s, struct ord_edn listing)
{
	struct ord_edn rows = ord_edn_get(listing, "processes");
	for (uint32_t i = 0; i < ord_json_count(rows); i++) {
		int64_t node = ord_json_int(rows.items[i], "node", 0);
		if (!ord_json_bool(rows.items[i], "running", true) && !may_be_gone(s, node))
			return (uint32_t)node;
	}
	return 0;
}

enum ord_storm_effect ord_proof_listed(const char *f, struct ord_edn listing)
{
	if (listing.kind != ORD_EDN_MAP)
		return ORD_STORM_UNKNOWN;
	for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
		const struct counter *c = &counters[i];
		if (strcmp(c->f, f) != 0)
			continue;
		if (column_sum(ord_edn_get(listing, c->table), c->rule, c->column) > 0)
			return ORD_STORM_SEEN;
		/* A node whose disk fails ends, and takes its counters along. */
		return effect_if((strcmp(f, "disk-error") == 0 && any_process_gone(listing)) ||
				 (strcmp(f, "full-disk") == 0 && any_disk_full(listing)));
	}
	return ORD_STORM_UNKNOWN;
}
