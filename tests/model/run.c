/* SPDX-License-Identifier: Apache-2.0 - one seed, from the first entry to the last delivery. */
#include "tests/model/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "partition/checkpoint.h"
#include "partition/invariants.h"
#include "tests/model/compare.h"
#include "tests/model/generate.h"
#include "tests/model/model.h"
#include "tests/support/lab.h"
#include "tests/support/text.h"

/* How many of the newest entries are shown when something differs. */
#define ENTRIES_SHOWN 12

struct run {
	const struct run_options *options;
	struct lab lab;
	struct model model;
	struct generate generate;
	struct compare compare;
	struct random chance; /* for what is done beside the entries: restarts and the like */
	unsigned step;
	char *shown[ENTRIES_SHOWN]; /* owned; the newest entries in words, a ring by step */
};

static void run_open(struct run *r, const struct run_options *options)
{
	memset(r, 0, sizeof *r);
	r->options = options;
	r->chance = random_of(~options->seed);
	uint32_t partitions_count = 1 + (uint32_t)random_below(&r->chance, 5);
	if (options->seed % 2 == 0)
		lab_open(&r->lab, partitions_count);
	else
		lab_open_stored(&r->lab, partitions_count);
	model_open(&r->model, partitions_count);
	generate_open(&r->generate, options->seed, &r->model, &r->lab);
	r->compare.model = &r->model;
	r->compare.lab = &r->lab;
	r->compare.out = stdout;
}

static void run_close(struct run *r)
{
	generate_close(&r->generate);
	model_close(&r->model);
	lab_close(&r->lab);
	for (size_t i = 0; i < ENTRIES_SHOWN; i++)
		free(r->shown[i]);
}

/* --- What is told when something differs. --- */

static char *entry_text(const struct run *r, const struct generate_entry *e)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		abort();
	fprintf(out, "step %u: partition %" PRIu32 " at %" PRIu64 ", time %" PRIu64 "\n", r->step, e->partition,
		r->model.positions[e->partition], e->time_us);
	for (size_t i = 0; i < e->commands_count; i++) {
		fputs("    ", out);
		text_command(out, &e->commands[i]);
		fputc('\n', out);
	}
	fclose(out);
	return text;
}

static void remember(struct run *r, const struct generate_entry *e)
{
	char **place = &r->shown[r->step % ENTRIES_SHOWN];

	free(*place);
	*place = entry_text(r, e);
	if (r->options->trace)
		fputs(*place, stdout);
}

static void show_failure(const struct run *r)
{
	printf("%u differences. The last entries, oldest first:\n", r->compare.found);
	for (unsigned i = 1; i <= ENTRIES_SHOWN; i++) {
		const char *text = r->shown[(r->step + i) % ENTRIES_SHOWN];

		if (text != NULL)
			fputs(text, stdout);
	}
	printf("Again, with all entries: model --seed %" PRIu64 " --steps %u --trace\n", r->options->seed,
	       r->options->steps);
}

static void fail(struct run *r, const char *what)
{
	printf("  %s\n", what);
	r->compare.found++;
}

/* --- One entry. --- */

static uint64_t letters_count(const struct run *r, uint32_t source)
{
	uint64_t count = 0;

	for (uint32_t d = 0; d < r->model.partitions_count; d++)
		count += r->model.mail[source][d].count;
	return count;
}

/* After the entry, which was equal for certain unless it was falsified. */
static void check_mark(struct run *r, const struct ord_mark *said, const struct ord_partition_status *before)
{
	const struct ord_mark_effect *found = &r->lab.fx.mark;
	bool is_comparable = said->position == before->position;

	coverage_mark(r->options->coverage, found);
	if (found->compared != is_comparable)
		fail(r, "entry: a mark of this position, or of none, was taken for the other");
	if (found->compared &&
	    found->differs == (memcmp(said->state_digest, before->state_digest, sizeof said->state_digest) == 0))
		fail(r, "entry: a mark was compared wrong");
}

static void apply(struct run *r, const struct generate_entry *e)
{
	struct ord_reply replies[GENERATE_ENTRY_COMMANDS_MAX];
	struct ord_partition_status before, after;
	uint64_t letters_before = letters_count(r, e->partition);
	size_t replies_count = 0;

	ord_partition_status(r->lab.partitions[e->partition], &before);
	lab_apply(&r->lab, e->partition, e->commands, e->commands_count, e->time_us);
	ord_partition_status(r->lab.partitions[e->partition], &after);
	r->model.outcomes_count = 0;
	for (size_t i = 0; i < e->commands_count; i++) {
		struct ord_reply *reply = &replies[replies_count];

		coverage_command(r->options->coverage, &r->model, e->partition, &e->commands[i]);
		reply->command_number = (uint32_t)i;
		if (!model_apply(&r->model, e->partition, &e->commands[i], e->time_us, &reply->result))
			continue;
		coverage_reply(r->options->coverage, &reply->result);
		replies_count++;
	}
	compare_effects(&r->compare, replies, replies_count);
	if (e->commands[0].kind == ORD_COMMAND_MARK)
		check_mark(r, &e->commands[0].mark, &before);
	if (r->lab.fx.outbox_grew != (letters_count(r, e->partition) > letters_before))
		fail(r, "entry: outbox_grew is wrong");
	if (memcmp(before.history_hash, after.history_hash, sizeof before.history_hash) == 0)
		fail(r, "entry: the history hash did not change");
	if (memcmp(before.state_digest, after.state_digest, sizeof before.state_digest) == 0)
		fail(r, "entry: the state digest did not change");
	if (after.time_us != r->model.times_us[e->partition] || after.entries_count != before.entries_count + 1)
		fail(r, "entry: status has another time or count of entries");
}

/* --- What happens beside the entries. --- */

static void restart(struct run *r, uint32_t partition)
{
	struct ord_partition *replayed = lab_replay(&r->lab, partition, r->lab.logs[partition].count);

	compare_partitions(&r->compare, "the whole log replayed", r->lab.partitions[partition], replayed, true);
	lab_replace(&r->lab, partition, replayed);
}

static void resplit(struct run *r, uint32_t partition)
{
	struct ord_partition *replayed = lab_resplit(&r->lab, partition, &r->chance);

	compare_partitions(&r->compare, "the log in other entries", r->lab.partitions[partition], replayed, false);
	ord_partition_close(replayed);
}

static void check_invariants(struct run *r, const char *when, struct ord_partition *const *partitions)
{
	char why[512] = "";

	if (ord_invariants_check(partitions, r->lab.partitions_count, why, sizeof why) == ORD_OK)
		return;
	printf("  invariants, %s: %s\n", when, why);
	r->compare.found++;
}

/* Some replicas are behind: each at a position of its own, as one finds them in a cluster that runs. */
static void check_lagging(struct run *r)
{
	struct ord_partition *replicas[LAB_PARTITIONS_MAX];

	for (uint32_t i = 0; i < r->lab.partitions_count; i++) {
		size_t count = r->lab.logs[i].count;

		if (random_chance(&r->chance, 60))
			count = random_below(&r->chance, count + 1);
		replicas[i] = lab_replay(&r->lab, i, count);
	}
	check_invariants(r, "replicas at unrelated positions", replicas);
	for (uint32_t i = 0; i < r->lab.partitions_count; i++)
		ord_partition_close(replicas[i]);
}

/* From the last checkpoint and the log after it the same comes out as from the whole log. */
static void restart_stored(struct run *r, uint32_t partition)
{
	struct ord_partition *replayed = lab_replay(&r->lab, partition, r->lab.logs[partition].count);

	lab_restart(&r->lab, partition);
	compare_partitions(&r->compare, "a checkpoint and the log after it", r->lab.partitions[partition], replayed,
			   true);
	ord_partition_close(replayed);
}

/* A checkpoint goes on a little, memory is given back, the process dies: all of it at any moment. */
static void store_step(struct run *r)
{
	uint32_t partition = (uint32_t)random_below(&r->chance, r->lab.partitions_count);

	if (random_chance(&r->chance, 60))
		lab_checkpoint(&r->lab, partition, 1 + random_below(&r->chance, 12));
	if (random_chance(&r->chance, 60))
		ord_checkpoint_evict(r->lab.partitions[partition], random_below(&r->chance, 2000), SIZE_MAX);
	if (random_chance(&r->chance, 4))
		restart_stored(r, partition);
}

static void step(struct run *r, const struct generate_entry *e)
{
	uint32_t any = (uint32_t)random_below(&r->chance, r->lab.partitions_count);

	remember(r, e);
	apply(r, e);
	compare_state(&r->compare);
	/* The check brings everything back into memory. */
	if (r->lab.stores == NULL || random_chance(&r->chance, 20))
		check_invariants(r, "after the entry", r->lab.partitions);
	if (r->lab.stores != NULL)
		store_step(r);
	else if (random_chance(&r->chance, 3))
		restart(r, any);
	if (random_chance(&r->chance, 3))
		resplit(r, any);
	if (random_chance(&r->chance, 3))
		check_lagging(r);
}

/* --- The end: everything is delivered, in order, until nothing is left. --- */

static bool settle_pair(struct run *r, uint32_t source, uint32_t destination)
{
	uint64_t cursor = r->model.mail[source][destination].cursor;
	uint64_t count = r->lab.letters[source][destination].count;
	struct generate_entry e = {.partition = destination, .time_us = r->generate.time_us, .commands_count = 1};

	if (cursor >= count)
		return false;
	e.commands[0] = lab_deliver(&r->lab, source, destination, cursor + 1, (uint32_t)(count - cursor));
	r->step++;
	step(r, &e);
	generate_release(&e);
	return true;
}

static void settle(struct run *r)
{
	bool moved = true;

	for (uint32_t i = 0; i < r->lab.partitions_count; i++)
		coverage_dropped(r->options->coverage, r->lab.partitions[i]);
	while (moved && r->compare.found == 0) {
		moved = false;
		for (uint32_t s = 0; s < r->lab.partitions_count && r->compare.found == 0; s++) {
			for (uint32_t d = 0; d < r->lab.partitions_count && r->compare.found == 0; d++)
				moved |= settle_pair(r, s, d);
		}
	}
	for (uint32_t i = 0; i < r->lab.partitions_count && r->compare.found == 0; i++) {
		struct ord_partition_status status;

		ord_partition_status(r->lab.partitions[i], &status);
		if (status.unsettled_count > 0)
			fail(r, "all is delivered, and a request has no outcome");
		restart(r, i);
		resplit(r, i);
	}
}

bool run_seed(const struct run_options *options)
{
	struct run r;
	bool agreed;

	run_open(&r, options);
	while (r.step < options->steps && r.compare.found == 0) {
		struct generate_entry e = generate_next(&r.generate);

		r.step++;
		step(&r, &e);
		generate_release(&e);
	}
	if (r.compare.found == 0)
		settle(&r);
	r.compare.all = true;
	if (r.compare.found == 0)
		compare_state(&r.compare);
	coverage_history(options->coverage, &r.model);
	agreed = r.compare.found == 0;
	if (!agreed)
		show_failure(&r);
	run_close(&r);
	return agreed;
}
