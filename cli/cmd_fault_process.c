/* SPDX-License-Identifier: Apache-2.0 - ordain fault: kill, term, pause, resume, start, wipe. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/fault_process.h"
#include "cli/wipe.h"

/* What a subcommand does. */
struct doing {
	const char *fault;
	int signal_number;   /* 0: none */
	const char *done;    /* the outcome in a word */
	const char *already; /* of one that runs, where nothing was to be done; NULL: there is none */
};

static const struct doing doings[] = {
	{.fault = "kill", .signal_number = SIGKILL, .done = "killed"},
	{.fault = "term", .signal_number = SIGTERM, .done = "ended"},
	{.fault = "pause", .signal_number = SIGSTOP, .done = "paused", .already = "was paused"},
	{.fault = "resume", .signal_number = SIGCONT, .done = "goes on", .already = "was not paused"},
};

static int answer(struct ord_fault_work *w, const struct doing *d, const char *target, uint32_t mask, uint32_t did)
{
	const char *outcomes[ORD_NODES_MAX];
	struct ord_fault_answer a = {.fault = d->fault,
				     .nodes = mask,
				     .parts = ORD_FAULT_PROCESSES,
				     .outcomes = outcomes,
				     .has_seed = ord_fault_target_is_chance(target)};
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++)
		outcomes[i] = (did >> i & 1) != 0		   ? d->done
			      : w->cluster.processes[i].pidfd >= 0 ? d->already
								   : "was not running";
	ord_fault_show(w, &a, NULL);
	return ORD_EXIT_OK;
}

/* A target for a signal; a word for the pool that it chooses from. */
static struct ord_fault_pool pool_of(const struct ord_fault_work *w, const struct doing *d)
{
	if (d->signal_number == SIGCONT)
		return (struct ord_fault_pool){.mask = ord_fault_paused(w), .name = "is paused"};
	if (d->signal_number == SIGSTOP)
		return (struct ord_fault_pool){.mask = ord_fault_running(w) & ~ord_fault_paused(w), .name = "runs"};
	return (struct ord_fault_pool){.mask = ord_fault_running(w), .name = "runs"};
}

static int signal_run(const struct ord_cmd *self, int argc, char **argv, const struct doing *d)
{
	struct ord_fault_work w;
	const char *target = NULL;
	struct ord_flag flags[] = {{.name = "target",
				    .value = "TARGET",
				    .text = &target,
				    .place = 1,
				    .required = true,
				    .help = ORD_FAULT_TARGET_HELP}};
	struct ord_args args = ord_fault_args(&w, self, flags, ORD_COUNT(flags));
	struct ord_fault_pool pool = {0};
	uint32_t mask, did = 0;
	int status;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	int err = ord_fault_open_here(&w);
	if (err == ORD_OK) {
		pool = pool_of(&w, d);
		err = ord_fault_resolve(&w, target, &pool, &mask);
	}
	/* One that is gone is as kill and term want it, and not as pause and resume do. */
	if (err == ORD_OK && d->already != NULL && (mask & ord_fault_running(&w)) == 0)
		err = ord_fault_check_runs(&w, (uint32_t)__builtin_ctz(mask));
	if (err == ORD_OK) {
		did = mask & pool.mask;
		err = ord_fault_signal(&w, mask, d->signal_number);
	}
	status = err == ORD_OK ? answer(&w, d, target, mask, did) : ord_fault_fail(&w, err);
	ord_fault_close(&w);
	return status;
}

int ord_cmd_fault_kill(const struct ord_cmd *self, int argc, char **argv)
{
	return signal_run(self, argc, argv, &doings[0]);
}

int ord_cmd_fault_term(const struct ord_cmd *self, int argc, char **argv)
{
	return signal_run(self, argc, argv, &doings[1]);
}

int ord_cmd_fault_pause(const struct ord_cmd *self, int argc, char **argv)
{
	return signal_run(self, argc, argv, &doings[2]);
}

int ord_cmd_fault_resume(const struct ord_cmd *self, int argc, char **argv)
{
	return signal_run(self, argc, argv, &doings[3]);
}

/* --- start, wipe ------------------------------------------------------------------------------------------------------ */

int ord_cmd_fault_start(const struct ord_cmd *self, int argc, char **argv)
{
	static const struct doing start = {.fault = "start", .done = "started", .already = "ran already"};
	struct ord_fault_work w;
	const char *target = NULL, *ordaind = NULL;
	struct ord_flag flags[] = {
		{.name = "target",
		 .value = "TARGET",
		 .text = &target,
		 .place = 1,
		 .required = true,
		 .help = ORD_FAULT_TARGET_HELP},
		ord_fault_ordaind_flag(&ordaind),
	};
	struct ord_args args = ord_fault_args(&w, self, flags, ORD_COUNT(flags));
	uint32_t mask, did = 0;
	int status;
	args.notes = "Returns when the nodes answer; they may have no leaders, where links are cut.";
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	int err = ord_fault_open_here(&w);
	if (err == ORD_OK) {
		struct ord_fault_pool pool = {.mask = ord_fault_all(&w) & ~ord_fault_running(&w), .name = "is down"};
		err = ord_fault_resolve(&w, target, &pool, &mask);
	}
	if (err == ORD_OK) {
		did = mask & ~ord_fault_running(&w);
		err = ord_fault_start(&w, did, ordaind);
	}
	status = err == ORD_OK ? answer(&w, &start, target, mask, did) : ord_fault_fail(&w, err);
	ord_fault_close(&w);
	return status;
}

/* Nodes that have nothing on their disks: they were wiped before and not started since. The others count them as voters until they have heard of it. */
static uint32_t empty_find(const struct ord_fault_work *w)
{
	uint32_t mask = 0;
	for (uint32_t i = 0; i < w->cluster.layout.nodes_count; i++) {
		const struct ord_layout *l = &w->cluster.layout;
		char identity[PATH_MAX];
		ord_layout_path(l, &l->nodes[i], l->shards_count > 1 ? "data/shard-0/identity" : "data/identity",
				identity);
		mask |= (uint32_t)(access(identity, F_OK) != 0 && errno == ENOENT) << i;
	}
	return mask;
}

/* A node that is wiped already, and has not come back in every partition, counts as little as those that are to be wiped now. */
static int wipe_check_voters(struct ord_fault_work *w, uint32_t mask)
{
	uint32_t majority = w->cluster.layout.nodes_count / 2 + 1;
	int err = ord_fault_ask(w);
	if (err == ORD_OK && !w->has_voters) {
		snprintf(w->why, sizeof w->why,
			 "no node answers, so it is not known which have a vote, and whether a majority of those would "
			 "keep its data; start them first ('ordain fault start all'), or give --force when a loss of "
			 "data is meant");
		return ORD_ERR_INVALID;
	}
	for (uint32_t i = 0; err == ORD_OK && i < w->cluster.layout.partitions_count; i++) {
		uint32_t stay = (uint32_t)__builtin_popcount(w->voters[i] & ~mask);
		if (stay >= majority)
			continue;
		snprintf(w->why, sizeof w->why,
			 "in partition %" PRIu32 " only %" PRIu32
			 " of the nodes that would be left have a vote, and %" PRIu32
			 " must: a node that lost its data has not come back there; wait until 'ordain cluster status' "
			 "shows "
			 "all voters, or give --force when a loss of data is meant",
			 i, stay, majority);
		err = ORD_ERR_INVALID;
	}
	return err;
}

/* All copies of what was acknowledged would be gone. */
static int wipe_check(struct ord_fault_work *w, uint32_t mask, bool force)
{
	uint32_t empty = empty_find(w) & ~mask, all = w->cluster.layout.nodes_count;
	uint32_t count = (uint32_t)__builtin_popcount(mask), before = (uint32_t)__builtin_popcount(empty);
	if (force)
		return ORD_OK;
	if (all - count - before >= all / 2 + 1)
		return wipe_check_voters(w, mask | empty);
	snprintf(w->why, sizeof w->why,
		 "wiping %" PRIu32 " of %" PRIu32
		 " nodes%s leaves no majority that knows what was acknowledged: the cluster would lose data; give "
		 "--force "
		 "when "
		 "that is meant",
		 count, all, before > 0 ? ", beside what is wiped already," : "");
	return ORD_ERR_INVALID;
}

static int wipe_all(struct ord_fault_work *w, uint32_t mask)
{
	int err = ord_fault_signal(w, mask, SIGKILL);
	for (uint32_t i = 0; err == ORD_OK && i < w->cluster.layout.nodes_count; i++) {
		char data[PATH_MAX];
		if ((mask >> i & 1) == 0)
			continue;
		ord_layout_path(&w->cluster.layout, &w->cluster.layout.nodes[i], "data", data);
		err = ord_wipe(data, w->why, sizeof w->why);
	}
	return err;
}

int ord_cmd_fault_wipe(const struct ord_cmd *self, int argc, char **argv)
{
	static const struct doing wipe = {.fault = "wipe", .done = "wiped"};
	struct ord_fault_work w;
	const char *target = NULL, *ordaind = NULL;
	bool starts = false, force = false;
	struct ord_flag flags[] = {
		{.name = "target",
		 .value = "TARGET",
		 .text = &target,
		 .place = 1,
		 .required = true,
		 .help = ORD_FAULT_TARGET_HELP},
		{.name = "start", .on = &starts, .help = "start the nodes again, with nothing on their disks"},
		{.name = "force", .on = &force, .help = "also when no majority keeps its data"},
		ord_fault_ordaind_flag(&ordaind),
	};
	struct ord_args args = ord_fault_args(&w, self, flags, ORD_COUNT(flags));
	uint32_t mask;
	int status;
	args.notes = "A node that lost its disk comes back as a new member and is filled by the others. Wait until\n"
		     "'ordain cluster status' shows all nodes as voters of every partition before the next one is "
		     "wiped.";
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	int err = ord_fault_open_here(&w);
	if (err == ORD_OK) {
		struct ord_fault_pool pool = {.mask = ord_fault_all(&w), .name = "is there"};
		err = ord_fault_resolve(&w, target, &pool, &mask);
	}
	if (err == ORD_OK)
		err = ord_fault_check_data(&w, mask);
	if (err == ORD_OK)
		err = wipe_check(&w, mask, force);
	if (err == ORD_OK)
		err = wipe_all(&w, mask);
	if (err == ORD_OK && starts)
		err = ord_fault_start(&w, mask, ordaind);
	status = err == ORD_OK ? answer(&w, &wipe, target, mask, mask) : ord_fault_fail(&w, err);
	ord_fault_close(&w);
	return status;
}
