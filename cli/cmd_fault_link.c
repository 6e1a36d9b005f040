/* SPDX-License-Identifier: Apache-2.0 - ordain fault: partition, delay, loss, duplicate, reorder, rate. */
#include <inttypes.h>

#include "base/err.h"
#include "cli/fault_process.h"
#include "cli/fault_spec.h"

#define DELAY_MS_MAX 60000
#define RATE_BYTES_S_MAX (INT64_C(1) << 40)

/* The rules that are in force, as far as anybody can say. */
static int links_look(struct ord_fault_work *w, struct ord_fault_links *ret)
{
	struct ord_fault_look look;
	int err = w->back->look(w->ctx, &look, w->why);
	*ret = (struct ord_fault_links){0};
	for (uint32_t i = 0; err == ORD_OK && i < ORD_NODES_MAX; i++)
		for (uint32_t k = 0; k < ORD_NODES_MAX; k++)
			if (look.links[i][k].known)
				ret->rules[i][k] = look.links[i][k].rule;
	return err;
}

/* Whether a rule is in force as far as it can be read back: the kernel rounds numbers. */
static bool is_in_force(const struct ord_fault_link *wanted, const struct ord_fault_link *seen)
{
	return (!wanted->cut || seen->cut) && (wanted->delay_ms == 0 || seen->delay_ms != 0) &&
	       (wanted->loss_ppm == 0 || seen->loss_ppm != 0) &&
	       (wanted->duplicate_ppm == 0 || seen->duplicate_ppm != 0) &&
	       (wanted->reorder_ppm == 0 || seen->reorder_ppm != 0) &&
	       (wanted->rate_bytes_s == 0 || seen->rate_bytes_s != 0);
}

/* A node that does not run has no rules, and cannot be told any. */
static int links_check(struct ord_fault_work *w, const struct ord_fault_links *wanted,
		       const struct ord_fault_look *look)
{
	char problem[ORD_FAULT_PROBLEM_SIZE];
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++) {
		for (uint32_t k = 0; k < w->cluster.layout.nodes_count; k++) {
			if (is_in_force(&wanted->rules[i][k], &look->links[i][k].rule))
				continue;
			bool runs = ord_fault_check_runs(w, i) == ORD_OK;
			snprintf(problem, sizeof problem, "%.*s", (int)sizeof problem - 1, w->why);
			snprintf(w->why, sizeof w->why,
				 "the rule for what node %" PRIu32 " sends to node %" PRIu32 " is not in force: %s",
				 w->cluster.layout.nodes[i].id, w->cluster.layout.nodes[k].id,
				 runs ? "'ordain fault list' shows what is in force" : problem);
			return ORD_ERR_IO;
		}
	}
	return ORD_OK;
}

/* Makes it so, and shows what came of it. */
static int links_set(struct ord_fault_work *w, const struct ord_fault_links *links, const struct ord_fault_answer *a)
{
	struct ord_fault_look look;
	int err = w->back->set_links(w->ctx, links, w->why);
	if (err == ORD_OK)
		err = w->back->look(w->ctx, &look, w->why);
	if (err != ORD_OK)
		return ord_fault_fail(w, err);
	ord_fault_show(w, a, &look);
	if (w->back == &ord_fault_hooks && ord_fault_paused(w) != 0)
		fprintf(stderr, "a node that is paused keeps the rules that it has, and they are not shown\n");
	err = links_check(w, links, &look);
	return err == ORD_OK ? ORD_EXIT_OK : ord_fault_fail(w, err);
}

/* --- partition -------------------------------------------------------------------------------------------------------- */

struct partition {
	const char *spec; /* NULL: not given */
	bool ring;
	bool random;
	bool leader_given;
	int64_t leader; /* of this partition */
	bool adds;
};

static int halves(struct ord_fault_work *w, const struct ord_fault_view *view, struct ord_fault_cuts *ret)
{
	uint32_t places[ORD_NODES_MAX], mask = 0;
	if (view->nodes_count < 2) {
		snprintf(w->why, sizeof w->why, "--random: a cluster of one node has no links");
		return ORD_ERR_INVALID;
	}
	ord_fault_shuffle(view->seed, view->nodes_count, places);
	for (uint32_t i = 0; i < view->nodes_count / 2; i++)
		mask |= 1u << places[i];
	ord_fault_spec_apart(view, mask, ret);
	return ORD_OK;
}

static int leader_alone(struct ord_fault_work *w, const struct ord_fault_view *view, int64_t partition,
			struct ord_fault_cuts *ret)
{
	char target[32];
	uint32_t mask;
	snprintf(target, sizeof target, "leader:%" PRId64, partition);
	int err = ord_fault_target(target, view, &mask, w->why, sizeof w->why);
	if (err == ORD_OK)
		ord_fault_spec_apart(view, mask, ret);
	return err;
}

static int cuts_choose(struct ord_fault_work *w, const struct partition *p, struct ord_fault_cuts *ret)
{
	const struct ord_fault_pool pool = {.mask = ord_fault_running(w), .name = "runs"};
	struct ord_fault_view view;
	int given = (p->spec != NULL) + p->ring + p->random + p->leader_given;
	if (given != 1) {
		snprintf(w->why, sizeof w->why,
			 "give one of SPEC (\"1,2|3,4,5\" or \"1>3\"), --ring, --leader P and --random%s",
			 given > 1 ? ", not more" : "");
		return ORD_ERR_INVALID;
	}
	int err = ord_fault_view(w, &pool, p->leader_given, &view);
	if (err != ORD_OK)
		return err;
	if (p->spec != NULL)
		return ord_fault_spec(p->spec, &view, ret, w->why, sizeof w->why);
	if (p->ring)
		return ord_fault_spec_ring(&view, ret, w->why, sizeof w->why);
	return p->random ? halves(w, &view, ret) : leader_alone(w, &view, p->leader, ret);
}

/* The nodes that lose a link. */
static uint32_t cut_mask(const struct ord_fault_cuts *c)
{
	uint32_t mask = 0;
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++)
		for (uint32_t k = 0; k < ORD_NODES_MAX; k++)
			if (c->cut[i][k])
				mask |= 1u << i | 1u << k;
	return mask;
}

static int partition_run(struct ord_fault_work *w, const struct partition *p)
{
	struct ord_fault_cuts cuts;
	struct ord_fault_links links;
	int err = ord_fault_open(w);
	if (err == ORD_OK)
		err = cuts_choose(w, p, &cuts);
	if (err == ORD_OK)
		err = links_look(w, &links);
	if (err != ORD_OK)
		return ord_fault_fail(w, err);
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++)
		for (uint32_t k = 0; k < ORD_NODES_MAX; k++)
			links.rules[i][k].cut = cuts.cut[i][k] || (p->adds && links.rules[i][k].cut);
	struct ord_fault_answer answer = {.fault = "partition",
					  .nodes = cut_mask(&cuts),
					  .parts = ORD_FAULT_LINKS,
					  .has_seed = p->ring || p->random};
	return links_set(w, &links, &answer);
}

int ord_cmd_fault_partition(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_fault_work w;
	struct partition p = {0};
	struct ord_flag flags[] = {
		{.name = "spec",
		 .value = "SPEC",
		 .text = &p.spec,
		 .place = 1,
		 .help = "\"1,2|3,4,5\": groups that do not reach each other; \"1>3\": what 1 sends to 3 is lost"},
		{.name = "ring", .on = &p.ring, .help = "each node reaches a majority, no two the same"},
		{.name = "leader",
		 .value = "P",
		 .number = &p.leader,
		 .given = &p.leader_given,
		 .min = 0,
		 .max = ORD_PARTITIONS_MAX - 1,
		 .help = "the leader of partition P alone on one side"},
		{.name = "random", .on = &p.random, .help = "two halves by chance"},
		{.name = "add", .on = &p.adds, .help = "what is cut already stays cut", .normal = "only this is cut"},
	};
	struct ord_args args = ord_fault_args(&w, self, flags, ORD_COUNT(flags));
	int status;
	args.notes =
		"A node that is in no group reaches all. Delays and the like stay as they are. Over a real network a "
		"connection\nends whose acknowledgements are lost; hooks let it go on in the direction that is not "
		"cut.";
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	status = partition_run(&w, &p);
	ord_fault_close(&w);
	return status;
}

/* --- The others ------------------------------------------------------------------------------------------------------- */

/* What is changed on which links. */
struct change {
	const char *fault;
	const char *from; /* NULL: all; likewise below */
	const char *to;
	void (*apply)(struct ord_fault_link *rule, const struct change *c);
	int64_t number;
	int64_t jitter_ms;
	const char *percent; /* NULL: the fault takes a number */
	uint32_t ppm;
};

static void delay_apply(struct ord_fault_link *rule, const struct change *c)
{
	rule->delay_ms = (uint32_t)c->number;
	rule->jitter_ms = (uint32_t)c->jitter_ms;
}

static void loss_apply(struct ord_fault_link *rule, const struct change *c)
{
	rule->loss_ppm = c->ppm;
}

static void duplicate_apply(struct ord_fault_link *rule, const struct change *c)
{
	rule->duplicate_ppm = c->ppm;
}

static void reorder_apply(struct ord_fault_link *rule, const struct change *c)
{
	rule->reorder_ppm = c->ppm;
}

static void rate_apply(struct ord_fault_link *rule, const struct change *c)
{
	rule->rate_bytes_s = (uint64_t)c->number;
}

static int change_links(struct ord_fault_work *w, const struct change *c)
{
	const struct ord_fault_pool from_pool = {.mask = ord_fault_running(w), .name = "runs"};
	struct ord_fault_pool to_pool = {.mask = ord_fault_running(w), .name = "runs", .salt = 1};
	struct ord_fault_links links;
	uint32_t from = ord_fault_all(w), to = from;
	int err = ORD_OK;
	if (c->from != NULL)
		err = ord_fault_resolve(w, c->from, &from_pool, &from);
	if (err == ORD_OK && (from & (from - 1)) == 0) { /* no link leads from it to itself */
		to_pool.mask &= ~from;
		to_pool.name = "runs beside that of --from";
	}
	if (err == ORD_OK && c->to != NULL)
		err = ord_fault_resolve(w, c->to, &to_pool, &to);
	if (err == ORD_OK)
		err = links_look(w, &links);
	if (err != ORD_OK)
		return ord_fault_fail(w, err);
	uint32_t changed = 0;
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++) {
		for (uint32_t k = 0; k < w->cluster.layout.nodes_count; k++) {
			if (i == k || (from >> i & 1) == 0 || (to >> k & 1) == 0)
				continue;
			c->apply(&links.rules[i][k], c);
			changed |= 1u << i | 1u << k;
		}
	}
	if (changed == 0) {
		snprintf(w->why, sizeof w->why,
			 w->cluster.layout.nodes_count == 1
				 ? "a cluster of one node has no links"
				 : "--from and --to name one and the same node; no link leads from it to itself");
		return ord_fault_fail(w, ORD_ERR_INVALID);
	}
	struct ord_fault_answer answer = {.fault = c->fault,
					  .nodes = changed,
					  .parts = ORD_FAULT_LINKS,
					  .has_seed = (c->from != NULL && ord_fault_target_is_chance(c->from)) ||
						      (c->to != NULL && ord_fault_target_is_chance(c->to))};
	return links_set(w, &links, &answer);
}

/* flags: the value of the fault first, room for --from and --to at the end. */
static int change_run(const struct ord_cmd *self, int argc, char **argv, struct change *c, struct ord_flag *flags,
		      size_t flags_count, const char *notes)
{
	struct ord_fault_work w;
	int status;
	flags[flags_count - 2] = (struct ord_flag){.name = "from",
						   .value = "TARGET",
						   .text = &c->from,
						   .help = "links that begin there: " ORD_FAULT_TARGET_HELP,
						   .normal = "all"};
	flags[flags_count - 1] = (struct ord_flag){.name = "to",
						   .value = "TARGET",
						   .text = &c->to,
						   .help = "links that end there, likewise",
						   .normal = "all"};
	struct ord_args args = ord_fault_args(&w, self, flags, flags_count);
	args.notes = notes;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	if (c->percent != NULL && ord_fault_percent(c->percent, &c->ppm) != ORD_OK)
		return ord_cmd_fail(self, ORD_EXIT_USAGE,
				    "PERCENT: '%s' is not a number from 0 to 100 with at most four decimals",
				    c->percent);
	if (c->jitter_ms > c->number)
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "--jitter must not be more than the delay, %" PRId64 " ms",
				    c->number);
	int err = ord_fault_open(&w);
	status = err == ORD_OK ? change_links(&w, c) : ord_fault_fail(&w, err);
	ord_fault_close(&w);
	return status;
}

int ord_cmd_fault_delay(const struct ord_cmd *self, int argc, char **argv)
{
	struct change c = {.fault = "delay", .apply = delay_apply};
	struct ord_flag flags[4] = {{.name = "ms",
				     .value = "MS",
				     .number = &c.number,
				     .min = 0,
				     .max = DELAY_MS_MAX,
				     .place = 1,
				     .required = true,
				     .help = "milliseconds from the sending to the arrival; 0: none"},
				    {.name = "jitter",
				     .value = "MS",
				     .number = &c.jitter_ms,
				     .min = 0,
				     .max = DELAY_MS_MAX,
				     .help = "more or less than that, by chance"}};
	return change_run(self, argc, argv, &c, flags, ORD_COUNT(flags),
			  "Each direction is a link of its own: a round trip takes twice as long.");
}

int ord_cmd_fault_rate(const struct ord_cmd *self, int argc, char **argv)
{
	struct change c = {.fault = "rate", .apply = rate_apply};
	struct ord_flag flags[3] = {{.name = "rate",
				     .value = "BYTES_PER_S",
				     .number = &c.number,
				     .min = 0,
				     .max = RATE_BYTES_S_MAX,
				     .place = 1,
				     .required = true,
				     .help = "bytes a second on each link; 0: as fast as it goes"}};
	return change_run(self, argc, argv, &c, flags, ORD_COUNT(flags), NULL);
}

/* Those that take a percentage. */
static int percent_run(const struct ord_cmd *self, int argc, char **argv, struct change *c, const char *help,
		       const char *notes)
{
	struct ord_flag flags[3] = {{.name = "percent",
				     .value = "PERCENT",
				     .text = &c->percent,
				     .place = 1,
				     .required = true,
				     .help = help}};
	return change_run(self, argc, argv, c, flags, ORD_COUNT(flags), notes);
}

int ord_cmd_fault_loss(const struct ord_cmd *self, int argc, char **argv)
{
	struct change c = {.fault = "loss", .apply = loss_apply};
	return percent_run(
		self, argc, argv, &c, "of packets that are lost; 0: none",
		"Nodes talk over TCP, which sends a lost packet again: what they see is a stream that stalls for "
		"200 ms or\nmore. That is what hooks make, too. 100 is as a cut.");
}

int ord_cmd_fault_duplicate(const struct ord_cmd *self, int argc, char **argv)
{
	struct change c = {.fault = "duplicate", .apply = duplicate_apply};
	return percent_run(self, argc, argv, &c, "of packets that come twice; 0: none",
			   "TCP throws the second one away: nodes see none of it. It takes its part of a rate.");
}

int ord_cmd_fault_reorder(const struct ord_cmd *self, int argc, char **argv)
{
	struct change c = {.fault = "reorder", .apply = reorder_apply};
	return percent_run(
		self, argc, argv, &c, "of packets that are overtaken; 0: none",
		"TCP puts them in order again: what nodes see is a stream that waits for the late one, by the "
		"link's delay\nonce more, or 10 ms.");
}
