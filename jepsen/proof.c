/* SPDX-License-Identifier: Apache-2.0 - whether a fault took effect, by what `ordain fault` answers. */
#include "jepsen/proof.h"

#include <string.h>

#include "jepsen/json.h"

#define FULL_BYTES_MAX (1 << 20) /* less is no room for a node */

/* Which column of `fault list` counts what a fault does. */
static const struct counter {
	const char *f;
	const char *table;
	const char *column;
} counters[] = {
	{"partition", "links", "dropped"},	{"ring", "links", "dropped"},	   {"one-way", "links", "dropped"},
	{"isolate-leader", "links", "dropped"}, {"loss", "links", "dropped"},	   {"delay", "links", "delayed"},
	{"duplicate", "links", "duplicated"},	{"reorder", "links", "reordered"}, {"slow-disk", "disks", "slowed"},
	{"full-disk", "disks", "refused"},	{"disk-error", "disks", "failed"},
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

enum ord_storm_effect ord_proof_effect(const struct ord_nemesis_plan *plan, struct ord_edn answer)
{
	if (strcmp(plan->f, "kill") == 0 || strcmp(plan->f, "term") == 0 || strcmp(plan->f, "wipe") == 0)
		return effect_if(processes_are(answer, true));
	if (strcmp(plan->f, "pause") == 0)
		return effect_if(processes_are(answer, false));
	if (strcmp(plan->f, "corrupt") == 0)
		return effect_if(bits_are_flipped(answer));
	if (strcmp(plan->f, "clock") == 0)
		return effect_if(ord_json_count(ord_edn_get(answer, "clocks")) > 0);
	if (strcmp(plan->f, "rolling-restart") == 0)
		return effect_if(ord_json_bool(answer, "ready", false));
	return ORD_STORM_UNKNOWN;
}

static int64_t column_sum(struct ord_edn rows, const char *column)
{
	int64_t sum = 0;
	for (uint32_t i = 0; i < ord_json_count(rows); i++)
		sum += ord_json_int(rows.items[i], column, 0);
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

enum ord_storm_effect ord_proof_listed(const char *f, struct ord_edn listing)
{
	if (listing.kind != ORD_EDN_MAP)
		return ORD_STORM_UNKNOWN;
	for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
		const struct counter *c = &counters[i];
		if (strcmp(c->f, f) != 0)
			continue;
		if (column_sum(ord_edn_get(listing, c->table), c->column) > 0)
			return ORD_STORM_SEEN;
		/* A node whose disk fails ends, and takes its counters along. */
		return effect_if((strcmp(f, "disk-error") == 0 && any_process_gone(listing)) ||
				 (strcmp(f, "full-disk") == 0 && any_disk_full(listing)));
	}
	return ORD_STORM_UNKNOWN;
}
