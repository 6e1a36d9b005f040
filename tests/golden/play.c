/* SPDX-License-Identifier: Apache-2.0 - plays the blocks of a golden script. */
#include "tests/golden/play.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "partition/invariants.h"
#include "partition/route.h"
#include "tests/golden/tell.h"
#include "tests/support/text.h"

#define BEGIN_US 1000000u

void play_open(struct play *p, FILE *out)
{
	memset(p, 0, sizeof *p);
	p->out = out;
	p->time_us = BEGIN_US;
}

void play_close(struct play *p)
{
	if (p->lab.partitions_count > 0)
		lab_close(&p->lab);
}

/* --- Entries. --- */

static void release(struct play *p)
{
	for (unsigned i = 0; i < p->commands_count; i++) {
		if (p->commands[i].kind == ORD_COMMAND_DELIVER)
			free((void *)p->commands[i].deliver.messages.base);
	}
	p->commands_count = 0;
}

void play_flush(struct play *p)
{
	if (p->commands_count == 0)
		return;
	tell_before(p);
	lab_apply(&p->lab, p->partition, p->commands, p->commands_count, p->time_us);
	tell_after(p);
	release(p);
}

/* Adds a command to the entry that waits, or to a new one. */
static void add(struct play *p, const struct script_line *line, const struct ord_command *c, uint32_t partition)
{
	if (!line->joins)
		play_flush(p);
	if (p->commands_count > 0 && partition != p->partition)
		fprintf(p->out, "error: this command belongs to partition %" PRIu32 ", the entry to %" PRIu32 "\n",
			partition, p->partition);
	else if (p->commands_count == PLAY_ENTRY_COMMANDS_MAX)
		fprintf(p->out, "error: more than %d commands in an entry\n", PLAY_ENTRY_COMMANDS_MAX);
	else {
		p->partition = partition;
		p->commands[p->commands_count++] = *c;
	}
}

static void add_client(struct play *p, const struct script_line *line, const struct ord_command *c)
{
	struct ord_fault fault;

	if (ord_command_check(c, &fault) != ORD_OK) {
		fprintf(p->out, "invalid %s: give %s\n", fault.field, fault.remedy);
		return;
	}
	tell_note(p, c);
	add(p, line, c, ord_route_command(c, p->lab.partitions_count));
}

/* --- Deliveries. --- */

static bool pair_is_known(struct play *p, uint64_t source, uint64_t destination)
{
	if (source < p->lab.partitions_count && destination < p->lab.partitions_count && source != destination)
		return true;
	fprintf(p->out, "error: no such pair of partitions\n");
	return false;
}

static void deliver(struct play *p, const struct script_line *line, uint32_t source, uint32_t destination,
		    uint64_t first, uint64_t last)
{
	struct ord_command c;

	if (first < 1 || last < first || last > p->lab.letters[source][destination].count) {
		fprintf(p->out, "error: no such messages\n");
		return;
	}
	c = lab_deliver(&p->lab, source, destination, first, (uint32_t)(last - first + 1));
	add(p, line, &c, destination);
}

/* Delivers what is due from source to destination, and lets the source trim it. */
static bool run_pair(struct play *p, uint32_t source, uint32_t destination)
{
	static const struct script_line alone;
	uint64_t cursor = ord_partition_cursor(p->lab.partitions[destination], source);
	uint64_t last = p->lab.letters[source][destination].count;
	struct ord_command trim = {.kind = ORD_COMMAND_TRIM, .trim = {.destination = destination, .upto = last}};

	if (cursor >= last)
		return false;
	deliver(p, &alone, source, destination, cursor + 1, last);
	play_flush(p);
	add(p, &alone, &trim, source);
	play_flush(p);
	return true;
}

static void run(struct play *p)
{
	bool moved = true;
	bool any = false;

	while (moved) {
		moved = false;
		for (uint32_t s = 0; s < p->lab.partitions_count; s++) {
			for (uint32_t d = 0; d < p->lab.partitions_count; d++)
				moved |= run_pair(p, s, d);
		}
		any |= moved;
	}
	if (!any)
		fprintf(p->out, "nothing is under way\n");
}

/* --- What is not a command. --- */

static void restart(struct play *p, uint32_t partition)
{
	struct ord_partition *replayed = lab_replay(&p->lab, partition, p->lab.logs[partition].count);
	struct ord_partition_status before, after;

	ord_partition_status(p->lab.partitions[partition], &before);
	ord_partition_status(replayed, &after);
	lab_replace(&p->lab, partition, replayed);
	fprintf(p->out, "partition %" PRIu32 " replayed %" PRIu64 " commands: %s digest, %s history hash\n", partition,
		after.position,
		memcmp(before.state_digest, after.state_digest, sizeof before.state_digest) == 0 ? "same" : "OTHER",
		memcmp(before.history_hash, after.history_hash, sizeof before.history_hash) == 0 ? "same" : "OTHER");
}

static void check(struct play *p)
{
	char why[512] = "";

	if (ord_invariants_check(p->lab.partitions, p->lab.partitions_count, why, sizeof why) == ORD_OK)
		fprintf(p->out, "invariants hold\n");
	else
		fprintf(p->out, "BROKEN: %s\n", why);
}

static bool play_begin(struct play *p, const struct script_line *line)
{
	static const char *const partitions[] = {"=partitions", "n", NULL};
	uint64_t count;

	if (!script_matches(line, partitions, &count))
		return false;
	if (p->lab.partitions_count > 0 || count == 0 || count > LAB_PARTITIONS_MAX)
		fprintf(p->out, "error: partitions once, 1 to %d\n", LAB_PARTITIONS_MAX);
	else {
		lab_open(&p->lab, (uint32_t)count);
		fprintf(p->out, "empty partitions: %" PRIu64 "\n", count);
	}
	return true;
}

static bool play_delivery(struct play *p, const struct script_line *line)
{
	static const char *const some[] = {"=deliver", "n", "=to", "n", "=messages", "n", "n", NULL};
	static const char *const due[] = {"=deliver", "n", "=to", "n", NULL};
	static const char *const trim[] = {"=trim", "n", "=to", "n", "=upto", "n", NULL};
	uint64_t n[4];

	if (script_matches(line, some, n)) {
		if (pair_is_known(p, n[0], n[1]))
			deliver(p, line, (uint32_t)n[0], (uint32_t)n[1], n[2], n[3]);
	} else if (script_matches(line, due, n)) {
		if (pair_is_known(p, n[0], n[1]))
			deliver(p, line, (uint32_t)n[0], (uint32_t)n[1],
				ord_partition_cursor(p->lab.partitions[n[1]], (uint32_t)n[0]) + 1,
				p->lab.letters[n[0]][n[1]].count);
	} else if (script_matches(line, trim, n)) {
		struct ord_command c = {.kind = ORD_COMMAND_TRIM,
					.trim = {.destination = (uint32_t)n[1], .upto = n[2]}};

		if (pair_is_known(p, n[0], n[1]))
			add(p, line, &c, (uint32_t)n[0]);
	} else
		return false;
	return true;
}

/* What the node itself puts into logs, beside deliveries. */
static bool play_own(struct play *p, const struct script_line *line)
{
	static const char *const mark[] = {"=mark", "n", NULL};
	static const char *const false_mark[] = {"=mark", "n", "=of", "=another", "=state", NULL};
	static const char *const expire[] = {"=expire", "n", "=before", "n", NULL};
	struct ord_command c = {.kind = ORD_COMMAND_MARK};
	uint64_t n[2];
	bool is_false = script_matches(line, false_mark, n);

	if (script_matches(line, expire, n)) {
		c.kind = ORD_COMMAND_EXPIRE;
		c.expire.watermark_ms = n[1];
	} else if (!is_false && !script_matches(line, mark, n)) {
		return false;
	}
	if (n[0] >= p->lab.partitions_count) {
		fprintf(p->out, "error: no such partition\n");
		return true;
	}
	if (c.kind == ORD_COMMAND_MARK) {
		ord_partition_mark(p->lab.partitions[n[0]], &c.mark);
		c.mark.state_digest[0] += is_false;
	}
	add(p, line, &c, (uint32_t)n[0]);
	return true;
}

/* Lines that are no part of an entry; all that waits is logged first. */
static bool play_other(struct play *p, const struct script_line *line)
{
	static const char *const run_words[] = {"=run", NULL};
	static const char *const check_words[] = {"=check", NULL};
	static const char *const restart_words[] = {"=restart", "n", NULL};
	static const char *const later_words[] = {"=later", "n", NULL};
	uint64_t number;

	play_flush(p);
	if (script_matches(line, run_words, NULL))
		run(p);
	else if (script_matches(line, check_words, NULL))
		check(p);
	else if (script_matches(line, restart_words, &number) && number < p->lab.partitions_count)
		restart(p, (uint32_t)number);
	else if (script_matches(line, later_words, &number)) {
		p->time_us += number;
		fprintf(p->out, "time %" PRIu64 "\n", p->time_us);
	} else
		return tell_show(p, line);
	return true;
}

void play_line(struct play *p, const char *text, size_t len)
{
	/* Commands that wait point into their lines, so each has its own. */
	struct script_line *line;
	struct script_line first_look;
	struct ord_command c;

	if (!script_split(text, len, &first_look)) {
		fprintf(p->out, "error: too long a line\n");
		return;
	}
	if (!first_look.joins)
		play_flush(p);
	line = &p->lines[p->commands_count % PLAY_ENTRY_COMMANDS_MAX];
	(void)script_split(text, len, line);
	if (p->lab.partitions_count == 0) {
		if (!play_begin(p, line))
			fprintf(p->out, "error: a script begins with \"partitions N\"\n");
	} else if (script_client_command(line, &c))
		add_client(p, line, &c);
	else if (!play_delivery(p, line) && !play_own(p, line) && !play_other(p, line))
		fprintf(p->out, "error: not a line of the script language\n");
}
