/* SPDX-License-Identifier: Apache-2.0 - ordain scrub: what checking the nodes' disks has found: histories, states, write-ahead logs. */
#include <inttypes.h>
#include <unistd.h>

#include "base/err.h"

#include "cli/cmd.h"
#include "cli/once.h"
#include "cli/sheet.h"
#include "cli/survey.h"
#include "cli/target.h"

#define ANSWER_WAIT_MS 2000 /* for one node */
#define LOOK_US 200000

static const char *const columns[] = {
	"node",	    "scrubbing", "rounds",    "scrubbed_at", "blocks",	       "gaps",	    "missing",	   "damaged",
	"repaired", "compared",	 "different", "records",     "states_damaged", "log_bytes", "log_damaged", "problem"};

static void node_row(struct ord_sheet *sheet, const struct ord_survey_node *n)
{
	const struct ord_survey_history *h = &n->history;
	const uint64_t numbers[] = {h->blocks,	       h->gaps,	     h->missing,     h->damaged,
				    h->repaired,       h->compared,  h->different,   h->records,
				    h->damaged_states, h->log_bytes, h->damaged_logs};
	ord_sheet_uint(sheet, n->id);
	if (!n->answered) {
		for (size_t i = 0; i < ORD_COUNT(columns) - 2; i++)
			ord_sheet_null(sheet);
		ord_sheet_text(sheet, n->problem);
		return;
	}
	ord_sheet_bool(sheet, h->scrubbing);
	ord_sheet_uint(sheet, h->rounds);
	ord_sheet_time(sheet, h->scrubbed_us);
	for (size_t i = 0; i < ORD_COUNT(numbers); i++)
		ord_sheet_uint(sheet, numbers[i]);
	ord_sheet_null(sheet);
}

static int survey_show(const struct ord_cmd *self, const struct ord_survey *s, bool json)
{
	struct ord_sheet sheet;
	bool silent = false, wrong = false, lost = false;
	ord_sheet_init(&sheet, columns, ORD_COUNT(columns));
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		const struct ord_survey_node *n = &s->nodes[i];
		if (!n->asked)
			continue;
		node_row(&sheet, n);
		silent |= !n->answered;
		lost |= n->answered && s->nodes_count == 1 && n->history.damaged_states > 0;
		wrong |= n->answered &&
			 (n->history.missing > 0 || n->history.different > 0 || n->history.damaged_segment > 0);
	}
	ord_sheet_show(&sheet, ord_sheet_look(json, stdout), NULL, stdout);
	ord_sheet_close(&sheet);
	if (silent)
		return ord_cmd_fail(self, ORD_EXIT_REFUSED, "not all nodes have answered");
	if (lost)
		return ord_cmd_fail(self, ORD_EXIT_REFUSED,
				    "a state is damaged, and a cluster of one node has no other one to get it from: "
				    "restore the data directory whole");
	if (wrong)
		return ord_cmd_fail(self, ORD_EXIT_REFUSED,
				    "blocks are missing, or differ between nodes, or a write-ahead log is damaged and "
				    "still needed: see the logs of the nodes");
	return ORD_EXIT_OK;
}

/* Does a node that answers still check? */
static bool survey_scrubs(const struct ord_survey *s)
{
	for (uint32_t i = 0; i < s->nodes_count; i++)
		if (s->nodes[i].answered && s->nodes[i].history.scrubbing)
			return true;
	return false;
}

static void survey_run(struct ord_survey *s, bool now)
{
	if (now)
		ord_survey_scrub(s, ANSWER_WAIT_MS);
	do {
		if (now)
			usleep(LOOK_US);
		ord_survey_round(s, ANSWER_WAIT_MS);
	} while (now && survey_scrubs(s));
}

/* Leaves one node to be asked. False: there is no such node. */
static bool node_choose(struct ord_survey *s, int64_t node)
{
	bool found = false;
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		s->nodes[i].asked = node == 0 || s->nodes[i].id == (uint64_t)node;
		found |= s->nodes[i].asked;
	}
	return found;
}

static int scrub_run(const struct ord_cmd *self, const struct ord_target *t, int64_t node, bool now)
{
	struct ord_survey *s;
	int status;
	if (!ord_once_survey(self, t, &s, &status))
		return status;
	if (!node_choose(s, node)) {
		status = ord_cmd_fail(self, ORD_EXIT_USAGE, "--node: the cluster has no node %" PRId64, node);
	} else {
		survey_run(s, now);
		status = survey_show(self, s, t->json);
	}
	ord_survey_close(s);
	return status;
}

int ord_cmd_scrub(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_target target;
	bool now = false;
	int64_t node = 0;
	int status;
	ord_target_init(&target);
	struct ord_flag flags[] = {
		{.name = "node",
		 .value = "N",
		 .number = &node,
		 .min = 1,
		 .max = 65535,
		 .help = "one node",
		 .normal = "all"},
		{.name = "now",
		 .on = &now,
		 .help = "have all of it read and checked now, as fast as the disks go, and wait until that is done"},
	};
	struct ord_args args = {
		.command = self->name,
		.summary = self->summary,
		.flags = flags,
		.flags_count = ORD_COUNT(flags),
		.common = target.flags,
		.common_count = ORD_TARGET_FLAGS,
		.notes = "Exit status 1 when blocks are missing on a node, differ between nodes, a damaged part "
			 "of a write-ahead log is still needed, or a node does not answer."};
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	return scrub_run(self, &target, node, now);
}
