/* SPDX-License-Identifier: Apache-2.0 - what a node says of the faults that are in force in it: its answer to `faults` (docs/protocol.md). */
#include "cli/fault_seen.h"

#include <stddef.h>
#include <stdio.h>

#include "client/fields.h"

static uint64_t count_of(const msgpack_object *o, const char *name)
{
	uint64_t v = 0;
	ord_fields_u64(o, name, &v);
	return v;
}

/* A link as this end sees it. The other end adds what it knows. */
static void link_take(const msgpack_object *o, const struct ord_layout *l, uint32_t place, struct ord_fault_look *look)
{
	uint32_t id = 0;
	bool cut_out = false, cut_in = false;
	ord_fields_u32(o, "node", &id);
	const struct ord_layout_node *node = ord_layout_find(l, id);
	if (node == NULL || node == &l->nodes[place])
		return;
	ptrdiff_t other = node - l->nodes;
	struct ord_fault_link_seen *out = &look->links[place][other], *in = &look->links[other][place];
	ord_fields_bool(o, "cut_out", &cut_out);
	ord_fields_bool(o, "cut_in", &cut_in);
	out->known = true;
	in->known = true;
	snprintf(out->by, sizeof out->by, "hooks");
	snprintf(in->by, sizeof in->by, "hooks");
	out->rule.cut |= cut_out;
	in->rule.cut |= cut_in;
	ord_fields_u32(o, "delay_ms", &out->rule.delay_ms);
	ord_fields_u32(o, "jitter_ms", &out->rule.jitter_ms);
	ord_fields_u32(o, "loss_ppm", &out->rule.loss_ppm);
	ord_fields_u32(o, "duplicate_ppm", &out->rule.duplicate_ppm);
	ord_fields_u32(o, "reorder_ppm", &out->rule.reorder_ppm);
	ord_fields_u64(o, "rate_bytes_s", &out->rule.rate_bytes_s);
	out->counts.dropped += count_of(o, "stopped") + count_of(o, "attempts") + count_of(o, "lost");
	in->counts.dropped += count_of(o, "unanswered");
	out->counts.delayed += count_of(o, "delayed");
	out->counts.duplicated += count_of(o, "duplicated");
	out->counts.reordered += count_of(o, "reordered");
	out->counts.bytes += count_of(o, "bytes");
}

void ord_fault_seen_take(const msgpack_object *result, const struct ord_layout *l, uint32_t place,
			 struct ord_fault_look *look)
{
	struct ord_fault_node_seen *n = &look->nodes[place];
	const msgpack_object *links = ord_fields_find(result, "links");
	const msgpack_object *disk = ord_fields_find(result, "disk"), *clock = ord_fields_find(result, "clock");
	int64_t drift_ppm = 0;
	n->known = true;
	for (uint32_t i = 0; links != NULL && links->type == MSGPACK_OBJECT_ARRAY && i < links->via.array.size; i++)
		link_take(&links->via.array.ptr[i], l, place, look);
	if (disk != NULL) {
		ord_fields_u32(disk, "slow_ms", &n->disk.slow_ms);
		ord_fields_bool(disk, "error", &n->disk.error);
		ord_fields_bool(disk, "full", &n->disk.full);
		n->disk_counts.slowed = count_of(disk, "slowed");
		n->disk_counts.failed = count_of(disk, "failed");
		n->disk_counts.refused = count_of(disk, "refused");
		n->disk_counts.free_bytes = count_of(disk, "free_bytes");
	}
	if (clock != NULL) {
		ord_fields_i64(clock, "offset_us", &n->clock.offset_us);
		ord_fields_i64(clock, "drift_ppm", &drift_ppm);
		n->clock.drift_ppm = (int32_t)drift_ppm;
	}
	snprintf(n->disk_by, sizeof n->disk_by, "hooks");
	snprintf(n->clock_by, sizeof n->clock_by, "hooks");
}
