/* SPDX-License-Identifier: Apache-2.0 - how the subcommands of `ordain fault` answer: which nodes it came to be, and what is seen of it. */
#include <inttypes.h>

#include "cli/fault_work.h"

static uint32_t node_id(const struct ord_fault_work *w, uint32_t place)
{
	return w->cluster.layout.nodes[place].id;
}

static bool is_meant(const struct ord_fault_answer *a, uint32_t place)
{
	return a->everything || (a->nodes >> place & 1) != 0;
}

static void text_or_null(struct ord_sheet *s, const char *text)
{
	if (text != NULL && text[0] != '\0')
		ord_sheet_text(s, text);
	else
		ord_sheet_null(s);
}

static void processes_fill(const struct ord_fault_work *w, const struct ord_fault_answer *a,
			   const struct ord_fault_look *look, struct ord_sheet *s)
{
	static const char *const columns[] = {"node", "running", "pid", "state", "outcome", "problem"};
	ord_sheet_init(s, columns, ORD_COUNT(columns));
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++) {
		const struct ord_process *p = &w->cluster.processes[i];
		if (!is_meant(a, i))
			continue;
		ord_sheet_uint(s, node_id(w, i));
		ord_sheet_bool(s, ord_cluster_runs(&w->cluster, i));
		if (w->cluster.is_remote) {
			ord_sheet_null(s);
			ord_sheet_null(s);
		} else if (p->pidfd >= 0) {
			ord_sheet_int(s, p->pid);
			ord_sheet_format(s, "%c", p->state);
		} else {
			ord_sheet_null(s);
			ord_sheet_text(s, "gone");
		}
		text_or_null(s, a->outcomes != NULL ? a->outcomes[i] : NULL);
		text_or_null(s, look != NULL ? look->nodes[i].problem : NULL);
	}
}

static void link_fill(const struct ord_fault_link_seen *l, struct ord_sheet *s)
{
	ord_sheet_bool(s, l->rule.cut);
	ord_sheet_uint(s, l->rule.delay_ms);
	ord_sheet_uint(s, l->rule.jitter_ms);
	ord_sheet_uint(s, l->rule.loss_ppm);
	ord_sheet_uint(s, l->rule.duplicate_ppm);
	ord_sheet_uint(s, l->rule.reorder_ppm);
	ord_sheet_uint(s, l->rule.rate_bytes_s);
	ord_sheet_uint(s, l->counts.dropped);
	ord_sheet_uint(s, l->counts.delayed);
	ord_sheet_uint(s, l->counts.duplicated);
	ord_sheet_uint(s, l->counts.reordered);
	ord_sheet_uint(s, l->counts.bytes);
	text_or_null(s, l->by);
}

/* Links that have a rule. */
static void links_fill(const struct ord_fault_work *w, const struct ord_fault_look *look, struct ord_sheet *s)
{
	static const char *const columns[] = {
		"from",	       "to",	       "cut",	  "delay_ms", "jitter_ms",  "loss_ppm",	 "duplicate_ppm",
		"reorder_ppm", "rate_bytes_s", "dropped", "delayed",  "duplicated", "reordered", "bytes",
		"by"};
	uint32_t count = w->cluster.layout.nodes_count;
	ord_sheet_init(s, columns, ORD_COUNT(columns));
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t k = 0; k < count; k++) {
			const struct ord_fault_link_seen *l = &look->links[i][k];
			if (i == k || !l->known || ord_fault_link_is_none(&l->rule))
				continue;
			ord_sheet_uint(s, node_id(w, i));
			ord_sheet_uint(s, node_id(w, k));
			link_fill(l, s);
		}
	}
}

/* Whether to show what is known of a node: with everything, only what is in force. */
static bool is_shown(const struct ord_fault_answer *a, const struct ord_fault_look *look, uint32_t place, bool none)
{
	return look->nodes[place].known && is_meant(a, place) && !(a->everything && none);
}

static void disks_fill(const struct ord_fault_work *w, const struct ord_fault_answer *a,
		       const struct ord_fault_look *look, struct ord_sheet *s)
{
	static const char *const columns[] = {"node",	"slow_ms", "error",	 "full", "slowed",
					      "failed", "refused", "free_bytes", "by"};
	ord_sheet_init(s, columns, ORD_COUNT(columns));
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++) {
		const struct ord_fault_node_seen *n = &look->nodes[i];
		if (!is_shown(a, look, i, ord_fault_disk_is_none(&n->disk)))
			continue;
		ord_sheet_uint(s, node_id(w, i));
		ord_sheet_uint(s, n->disk.slow_ms);
		ord_sheet_bool(s, n->disk.error);
		ord_sheet_bool(s, n->disk.full);
		ord_sheet_uint(s, n->disk_counts.slowed);
		ord_sheet_uint(s, n->disk_counts.failed);
		ord_sheet_uint(s, n->disk_counts.refused);
		ord_sheet_uint(s, n->disk_counts.free_bytes);
		text_or_null(s, n->disk_by);
	}
}

static void clocks_fill(const struct ord_fault_work *w, const struct ord_fault_answer *a,
			const struct ord_fault_look *look, struct ord_sheet *s)
{
	static const char *const columns[] = {"node", "offset_us", "drift_ppm", "by"};
	ord_sheet_init(s, columns, ORD_COUNT(columns));
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++) {
		const struct ord_fault_node_seen *n = &look->nodes[i];
		if (!is_shown(a, look, i, ord_fault_clock_is_none(&n->clock)))
			continue;
		ord_sheet_uint(s, node_id(w, i));
		ord_sheet_int(s, n->clock.offset_us);
		ord_sheet_int(s, n->clock.drift_ppm);
		text_or_null(s, n->clock_by);
	}
}

struct shown {
	const struct ord_fault_work *work;
	const struct ord_fault_answer *answer;
	enum ord_look look;
	struct ord_json json;
};

static void sheet_show(struct shown *w, struct ord_sheet *s, const char *key, const char *tag)
{
	if (w->look == ORD_LOOK_JSON) {
		ord_json_key(&w->json, key);
		ord_sheet_json(s, &w->json);
	} else if (s->cells.len > 0) {
		ord_sheet_show(s, w->look, tag, stdout);
		if (w->look == ORD_LOOK_TABLE)
			fputc('\n', stdout);
	}
	ord_sheet_close(s);
}

void ord_fault_head_json(const struct ord_fault_work *w, const struct ord_fault_answer *a, struct ord_json *j)
{
	ord_json_begin_object(j);
	ord_json_pair_text(j, "fault", a->fault);
	ord_json_pair_text(j, "back", w->back->name);
	ord_json_key(j, "nodes");
	ord_json_begin_array(j);
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++)
		if ((a->nodes >> i & 1) != 0)
			ord_json_uint(j, node_id(w, i));
	ord_json_end_array(j);
	ord_json_key(j, "seed");
	if (a->has_seed)
		ord_json_int(j, w->seed);
	else
		ord_json_null(j);
}

void ord_fault_show(const struct ord_fault_work *w, const struct ord_fault_answer *a, const struct ord_fault_look *look)
{
	struct shown shown = {.work = w, .answer = a, .look = ord_sheet_look(w->json, stdout)};
	struct ord_sheet s;
	ord_json_init(&shown.json, stdout);
	if (shown.look == ORD_LOOK_JSON)
		ord_fault_head_json(w, a, &shown.json);
	else if (a->has_seed)
		fprintf(stderr, "seed %" PRId64 "\n", w->seed);
	if ((a->parts & ORD_FAULT_PROCESSES) != 0) {
		processes_fill(w, a, look, &s);
		sheet_show(&shown, &s, "processes", "process");
	}
	if ((a->parts & ORD_FAULT_LINKS) != 0) {
		links_fill(w, look, &s);
		sheet_show(&shown, &s, "links", "link");
	}
	if ((a->parts & ORD_FAULT_DISKS) != 0) {
		disks_fill(w, a, look, &s);
		sheet_show(&shown, &s, "disks", "disk");
	}
	if ((a->parts & ORD_FAULT_CLOCKS) != 0) {
		clocks_fill(w, a, look, &s);
		sheet_show(&shown, &s, "clocks", "clock");
	}
	if (shown.look == ORD_LOOK_JSON)
		ord_json_end_object(&shown.json);
}
