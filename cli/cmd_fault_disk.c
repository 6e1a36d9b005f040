/* SPDX-License-Identifier: Apache-2.0 - ordain fault disk: disks that are slow, fail, are full, or lie. */
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "cli/fault_flip.h"
#include "cli/fault_process.h"

#define SLOW_MS_MAX 60000

/* The words behind WHAT. */
struct words {
	const char *what;
	const char *first;
	const char *second; /* NULL: not given */
	const char *target;
	int64_t slow_ms;
};

/* slow MS TARGET, corrupt KIND TARGET; error TARGET, full TARGET. */
static int words_sort(struct ord_fault_work *w, struct words *c)
{
	bool takes_two = strcmp(c->what, "slow") == 0 || strcmp(c->what, "corrupt") == 0;
	c->target = takes_two ? c->second : c->first;
	if (takes_two != (c->second != NULL)) {
		snprintf(w->why, sizeof w->why, "write: ordain fault disk %s %sTARGET", c->what,
			 strcmp(c->what, "slow") == 0 ? "MS "
			 : takes_two		      ? "KIND "
						      : "");
		return ORD_ERR_INVALID;
	}
	if (strcmp(c->what, "slow") == 0 && ord_args_number(c->first, 0, SLOW_MS_MAX, &c->slow_ms) != ORD_OK) {
		snprintf(w->why, sizeof w->why, "MS: '%.40s' is not a number of milliseconds from 0 to %d", c->first,
			 SLOW_MS_MAX);
		return ORD_ERR_INVALID;
	}
	if (strcmp(c->what, "corrupt") == 0 && strcmp(c->first, "wal") != 0 && strcmp(c->first, "history") != 0 &&
	    strcmp(c->first, "state") != 0 && strcmp(c->first, "identity") != 0) {
		snprintf(w->why, sizeof w->why, "KIND: '%.40s' is not one of: " ORD_FAULT_FLIP_KINDS, c->first);
		return ORD_ERR_INVALID;
	}
	return ORD_OK;
}

/* --- slow, error, full ------------------------------------------------------------------------------------------------ */

static int rules_set(struct ord_fault_work *w, const struct words *c, uint32_t mask)
{
	struct ord_fault_look look;
	int err = ord_fault_check_run(w, mask);
	if (err == ORD_OK)
		err = w->back->look(w->ctx, &look, w->why);
	for (uint32_t i = 0; err == ORD_OK && i < w->cluster.layout.nodes_count; i++) {
		struct ord_fault_disk rule = look.nodes[i].disk;
		if ((mask >> i & 1) == 0)
			continue;
		if (strcmp(c->what, "slow") == 0)
			rule.slow_ms = (uint32_t)c->slow_ms;
		else if (strcmp(c->what, "error") == 0)
			rule.error = true;
		else
			rule.full = true;
		err = w->back->set_disk(w->ctx, i, &rule, w->why);
	}
	return err;
}

static int rule_run(struct ord_fault_work *w, const struct words *c)
{
	const struct ord_fault_pool pool = {.mask = ord_fault_running(w) & ~ord_fault_paused(w), .name = "runs"};
	uint32_t mask;
	int err = ord_fault_resolve(w, c->target, &pool, &mask);
	if (err == ORD_OK)
		err = rules_set(w, c, mask);
	if (err == ORD_OK)
		err = ord_fault_refind(w); /* one with a disk that fails ends soon */
	if (err != ORD_OK)
		return ord_fault_fail(w, err);
	struct ord_fault_answer answer = {.fault = "disk",
					  .nodes = mask,
					  .parts = ORD_FAULT_PROCESSES | ORD_FAULT_DISKS,
					  .has_seed = ord_fault_target_is_chance(c->target)};
	return ord_fault_look_and_show(w, &answer);
}

/* --- corrupt ---------------------------------------------------------------------------------------------------------- */

static void flips_show(const struct ord_fault_work *w, const struct words *c, uint32_t mask,
		       const struct ord_fault_flip *flips)
{
	static const char *const columns[] = {"node", "kind", "file", "offset", "bit", "before", "after"};
	enum ord_look look = ord_sheet_look(w->json, stdout);
	struct ord_sheet s;
	struct ord_json j;
	ord_sheet_init(&s, columns, ORD_COUNT(columns));
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		ord_sheet_uint(&s, w->cluster.layout.nodes[i].id);
		ord_sheet_text(&s, c->first);
		ord_sheet_text(&s, flips[i].path);
		ord_sheet_uint(&s, flips[i].offset);
		ord_sheet_uint(&s, flips[i].bit);
		ord_sheet_format(&s, "%02x", flips[i].before);
		ord_sheet_format(&s, "%02x", flips[i].after);
	}
	if (look == ORD_LOOK_JSON) {
		struct ord_fault_answer answer = {.fault = "disk", .nodes = mask, .has_seed = true};
		ord_json_init(&j, stdout);
		ord_fault_head_json(w, &answer, &j);
		ord_json_key(&j, "flips");
		ord_sheet_json(&s, &j);
		ord_json_end_object(&j);
	} else {
		fprintf(stderr, "seed %" PRId64 "\n", w->seed);
		ord_sheet_show(&s, look, NULL, stdout);
	}
	ord_sheet_close(&s);
}

static int corrupt_run(struct ord_fault_work *w, const struct words *c)
{
	const struct ord_fault_pool pool = {.mask = ord_fault_all(w), .name = "is there"};
	struct ord_fault_flip flips[ORD_NODES_MAX];
	uint32_t mask, done = 0;
	int err = ord_fault_resolve(w, c->target, &pool, &mask);
	if (err == ORD_OK)
		err = ord_fault_check_data(w, mask);
	for (uint32_t i = 0; err == ORD_OK && i < w->cluster.layout.nodes_count; i++) {
		char data[PATH_MAX];
		if ((mask >> i & 1) == 0)
			continue;
		ord_layout_path(&w->cluster.layout, &w->cluster.layout.nodes[i], "data", data);
		err = ord_fault_flip(data, c->first, (uint64_t)w->seed + i, &flips[i], w->why, sizeof w->why);
		done |= (uint32_t)(err == ORD_OK) << i;
	}
	/* Also before an error: what was changed is known from here alone. */
	if (done != 0)
		flips_show(w, c, done, flips);
	return err == ORD_OK ? ORD_EXIT_OK : ord_fault_fail(w, err);
}

int ord_cmd_fault_disk(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_fault_work w;
	struct words c = {0};
	struct ord_flag flags[] = {
		{.name = "what",
		 .value = "WHAT",
		 .text = &c.what,
		 .choices = "slow error full corrupt",
		 .place = 1,
		 .required = true,
		 .help = "slow MS TARGET, error TARGET, full TARGET, corrupt KIND TARGET"},
		{.name = "first",
		 .value = "MS|KIND|TARGET",
		 .text = &c.first,
		 .place = 2,
		 .required = true,
		 .help = "MS: that each sync takes longer; KIND: wal, history, state or identity"},
		{.name = "second", .value = "TARGET", .text = &c.second, .place = 3, .help = ORD_FAULT_TARGET_HELP},
	};
	struct ord_args args = ord_fault_args(&w, self, flags, ORD_COUNT(flags));
	int status;
	args.notes = "error: a node whose write or sync fails stops, as it must. full: the node refuses clients and "
		     "hands its "
		     "leaderships over.\ncorrupt: one bit in a file, of a node that runs or does not; heal cannot undo "
		     "it, the "
		     "node has to find and mend it.";
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	int err = words_sort(&w, &c);
	if (err == ORD_OK)
		err = strcmp(c.what, "corrupt") == 0 ? ord_fault_open_here(&w) : ord_fault_open(&w);
	if (err != ORD_OK)
		status = ord_fault_fail(&w, err);
	else
		status = strcmp(c.what, "corrupt") == 0 ? corrupt_run(&w, &c) : rule_run(&w, &c);
	ord_fault_close(&w);
	return status;
}
