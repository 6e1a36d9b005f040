/* SPDX-License-Identifier: Apache-2.0 - ordain fault: list, heal. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/err.h"
#include "cli/fault_process.h"

#define ALL_PARTS (ORD_FAULT_PROCESSES | ORD_FAULT_LINKS | ORD_FAULT_DISKS | ORD_FAULT_CLOCKS)

int ord_cmd_fault_list(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_fault_work w;
	struct ord_args args = ord_fault_args(&w, self, NULL, 0);
	const struct ord_fault_answer answer = {.fault = "list", .parts = ALL_PARTS, .everything = true};
	int status;
	args.notes =
		"All of it is asked of the nodes and the system now. Links, disks and clocks are listed that are not "
		"as "
		"they should\nbe, with what that has done since it was set. A link to a node that cannot be asked is "
		"told by its other end.";
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	int err = ord_fault_open(&w);
	status = err == ORD_OK ? ord_fault_look_and_show(&w, &answer) : ord_fault_fail(&w, err);
	ord_fault_close(&w);
	return status;
}

/* --- heal ------------------------------------------------------------------------------------------------------------- */

static bool is_clean(const struct ord_fault_work *w, const struct ord_fault_look *look, uint32_t place)
{
	const struct ord_fault_node_seen *n = &look->nodes[place];
	bool clean = n->known && ord_fault_disk_is_none(&n->disk) && ord_fault_clock_is_none(&n->clock);
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++) {
		const struct ord_fault_link_seen *l = &look->links[place][i];
		clean = clean && (!l->known || ord_fault_link_is_none(&l->rule));
	}
	return clean;
}

/* Looks whether all of it is so. */
static int heal_check(struct ord_fault_work *w, struct ord_fault_look *ret)
{
	int err = w->back->look(w->ctx, ret, w->why);
	for (uint32_t i = 0; err == ORD_OK && i < w->cluster.layout.nodes_count; i++) {
		if (is_clean(w, ret, i))
			continue;
		snprintf(w->why, sizeof w->why,
			 "node %" PRIu32 " is not healed: %s; 'ordain fault list' shows what is left",
			 w->cluster.layout.nodes[i].id,
			 ret->nodes[i].problem[0] != '\0' ? ret->nodes[i].problem : "a fault of it is in force yet");
		return ORD_ERR_IO;
	}
	return err;
}

/* Nodes that are down are started also when others could not be healed. */
static int heal(struct ord_fault_work *w, const char *ordaind, uint32_t *resumed, uint32_t *started)
{
	char why[ORD_CLUSTER_WHY_SIZE];
	*resumed = ord_fault_paused(w);
	*started = 0;
	int err = ord_fault_signal(w, *resumed, SIGCONT);
	/* First what can be healed at once: nodes that start may need their links to answer, or room on their disks. */
	if (err == ORD_OK)
		err = w->back->heal(w->ctx, w->why);
	memcpy(why, w->why, sizeof why);
	/* One whose disk failed may have come to its end meanwhile. */
	int start_err = ord_fault_refind(w);
	if (start_err == ORD_OK && !w->cluster.is_remote)
		*started = ord_fault_all(w) & ~ord_fault_running(w);
	if (start_err == ORD_OK && *started != 0)
		start_err = ord_fault_start(w, *started, ordaind);
	if (err == ORD_OK)
		return start_err;
	memcpy(w->why, why, sizeof why);
	return err;
}

int ord_cmd_fault_heal(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_fault_work w;
	const char *ordaind = NULL;
	struct ord_flag flags[] = {ord_fault_ordaind_flag(&ordaind)};
	struct ord_args args = ord_fault_args(&w, self, flags, ORD_COUNT(flags));
	const char *outcomes[ORD_NODES_MAX];
	struct ord_fault_answer answer = {
		.fault = "heal", .parts = ALL_PARTS, .everything = true, .outcomes = outcomes};
	struct ord_fault_look look, before;
	uint32_t resumed = 0, started = 0;
	int status;
	args.notes =
		"Nodes that are paused go on, nodes that are down are started, links, disks and clocks are as they "
		"should "
		"be.\nExit status 0 only when all of it is so. What was listed before is shown, with what it has done; "
		"damaged\nfiles are for the nodes to mend.";
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	int err = ord_fault_open(&w);
	if (err == ORD_OK)
		err = w.back->look(w.ctx, &before, w.why);
	if (err == ORD_OK)
		err = heal(&w, ordaind, &resumed, &started);
	if (err == ORD_OK)
		err = heal_check(&w, &look);
	for (uint32_t i = 0; err == ORD_OK && i < ORD_NODES_MAX; i++) /* of these there are none any more */
		memcpy(before.nodes[i].problem, look.nodes[i].problem, sizeof before.nodes[i].problem);
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++)
		outcomes[i] = (resumed >> i & 1) != 0 ? "goes on" : (started >> i & 1) != 0 ? "started" : NULL;
	answer.nodes = err == ORD_OK ? ord_fault_all(&w) : 0;
	if (err == ORD_OK)
		ord_fault_show(&w, &answer, &before);
	status = err == ORD_OK ? ORD_EXIT_OK : ord_fault_fail(&w, err);
	ord_fault_close(&w);
	return status;
}
