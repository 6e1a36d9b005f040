/* SPDX-License-Identifier: Apache-2.0 - the narration of a golden script. */
#include "tests/golden/tell.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "partition/route.h"
#include "tests/support/text.h"

#define POSTINGS_TOLD_MAX 64

/* --- Which accounts and names to look at. --- */

static void note(struct play *p, struct ord_slice space, struct ord_slice name, uint32_t partition)
{
	struct play_noted *n;

	for (unsigned i = 0; i < p->noted_count; i++) {
		n = &p->noted[i];
		if (ord_slice_equal(ord_slice_text(n->space), space) && ord_slice_equal(ord_slice_text(n->name), name))
			return;
	}
	ORD_ASSERT(p->noted_count < PLAY_NOTED_MAX);
	n = &p->noted[p->noted_count++];
	memset(n, 0, sizeof *n);
	memcpy(n->space, space.base == NULL ? "" : space.base, space.len);
	memcpy(n->name, name.base, name.len);
	n->partition = partition;
}

static void note_account(struct play *p, struct ord_slice account)
{
	note(p, (struct ord_slice){.len = 0}, account, ord_route_account(account, p->lab.partitions_count));
}

void tell_note(struct play *p, const struct ord_command *c)
{
	switch (c->kind) {
	case ORD_COMMAND_OPEN_ACCOUNT:
		note_account(p, c->open_account.account);
		break;
	case ORD_COMMAND_SET_ACCOUNT:
		note_account(p, c->set_account.account);
		break;
	case ORD_COMMAND_TRANSFER:
		note_account(p, c->transfer.payer);
		note_account(p, c->transfer.payee);
		break;
	default:
		note(p, c->naming.space, c->naming.name,
		     ord_route_name(c->naming.space, c->naming.name, p->lab.partitions_count));
		break;
	}
}

static int account_of(const struct play *p, const struct play_noted *n, struct ord_account_view *ret)
{
	return ord_partition_account(p->lab.partitions[n->partition], ord_slice_text(n->name), ret);
}

static int name_of(const struct play *p, const struct play_noted *n, struct ord_name_view *ret)
{
	return ord_partition_name(p->lab.partitions[n->partition], ord_slice_text(n->space), ord_slice_text(n->name),
				  ret);
}

void tell_before(struct play *p)
{
	for (unsigned i = 0; i < p->noted_count; i++) {
		struct play_noted *n = &p->noted[i];
		struct ord_account_view account = {.postings_count = 0};
		struct ord_name_view name = {.position = 0};

		n->exists = n->space[0] == '\0' ? account_of(p, n, &account) == ORD_OK : name_of(p, n, &name) == ORD_OK;
		n->state = account.state;
		n->postings_count = account.postings_count;
		n->position = name.position;
	}
}

/* --- What an entry did. --- */

static void tell_posting(struct play *p, const char *account, const struct ord_posting_view *v)
{
	fprintf(p->out, "  %s #%" PRIu64 " %s %" PRId64 ", balance %" PRId64 ", %s ", account, v->number,
		ord_posting_kind_name(v->kind), v->amount, v->balance_after,
		v->kind == ORD_POSTING_CREDIT ? "from" : "to");
	text_slice(p->out, v->counterparty);
	fputs(", of ", p->out);
	text_id(p->out, &v->request_id);
	fputc('\n', p->out);
}

static void tell_account(struct play *p, const struct play_noted *n)
{
	struct ord_posting_view views[POSTINGS_TOLD_MAX];
	struct ord_account_view a;
	size_t count = 0;

	if (account_of(p, n, &a) != ORD_OK)
		return;
	if (ord_partition_history(p->lab.partitions[n->partition], a.account, n->postings_count + 1, views,
				  POSTINGS_TOLD_MAX, &count) != ORD_OK)
		fprintf(p->out, "  error: no history\n");
	for (size_t i = 0; i < count; i++)
		tell_posting(p, n->name, &views[i]);
	if (!n->exists || n->state != a.state) {
		fputs("  account ", p->out);
		text_account(p->out, &a);
		fputc('\n', p->out);
	}
}

static void tell_name(struct play *p, const struct play_noted *n)
{
	struct ord_name_view v;

	if (name_of(p, n, &v) != ORD_OK) {
		if (n->exists)
			fprintf(p->out, "  name %s %s is free\n", n->space, n->name);
		return;
	}
	if (n->exists && n->position == v.position)
		return;
	fprintf(p->out, "  name %s %s belongs to ", n->space, n->name);
	text_slice(p->out, v.owner);
	fprintf(p->out, " since %" PRIu32 ":%" PRIu64 "\n", n->partition, v.position);
}

/* A client's command is answered; of the others the command itself is told. */
static void tell_commands(struct play *p)
{
	const struct ord_effects *fx = &p->lab.fx;
	struct ord_partition_status status;
	size_t reply = 0;

	ord_partition_status(p->lab.partitions[p->partition], &status);
	for (unsigned i = 0; i < p->commands_count; i++) {
		fprintf(p->out, "%" PRIu32 ":%" PRIu64 " ", p->partition, status.position - p->commands_count + i);
		if (reply < fx->replies_count && fx->replies[reply].command_number == i) {
			const struct ord_result *r = &fx->replies[reply++].result;

			text_result(p->out, r);
			fprintf(p->out, ", logged at %" PRIu32 ":%" PRIu64, p->partition, r->position);
		} else
			text_command(p->out, &p->commands[i]);
		fputc('\n', p->out);
	}
}

static void tell_outcomes(struct play *p)
{
	for (size_t i = 0; i < p->lab.fx.outcomes_count; i++) {
		fputs("  outcome of ", p->out);
		text_id(p->out, &p->lab.fx.outcomes[i].request_id);
		fputs(": ", p->out);
		text_result(p->out, &p->lab.fx.outcomes[i].result);
		fputc('\n', p->out);
	}
}

static void tell_message(struct play *p, uint32_t source, uint32_t destination, uint64_t message_number)
{
	const struct lab_letter *letter = &p->lab.letters[source][destination].letters[message_number - 1];
	struct ord_reader r = ord_reader_of(ord_slice_of(letter->bytes, letter->len));
	struct ord_message m;

	ORD_ASSERT(ord_message_decode(&r, &m) == ORD_OK);
	fprintf(p->out, "  message %" PRIu32 " to %" PRIu32 " #%" PRIu64 ": ", source, destination, message_number);
	text_message(p->out, &m);
	fputc('\n', p->out);
}

static void tell_messages(struct play *p, uint32_t source)
{
	for (uint32_t d = 0; d < p->lab.partitions_count; d++) {
		while (p->told[source][d] < p->lab.letters[source][d].count)
			tell_message(p, source, d, ++p->told[source][d]);
	}
}

static void tell_cursors(struct play *p)
{
	for (unsigned i = 0; i < p->commands_count; i++) {
		const struct ord_command *c = &p->commands[i];

		if (c->kind == ORD_COMMAND_DELIVER)
			fprintf(p->out, "  cursor for %" PRIu32 " is %" PRIu64 "\n", c->deliver.source,
				ord_partition_cursor(p->lab.partitions[p->partition], c->deliver.source));
		else if (c->kind == ORD_COMMAND_TRIM)
			fprintf(p->out, "  outbox to %" PRIu32 " begins at #%" PRIu64 "\n", c->trim.destination,
				ord_partition_outbox_first(p->lab.partitions[p->partition], c->trim.destination));
	}
}

static void tell_mark(struct play *p)
{
	const struct ord_mark_effect *mark = &p->lab.fx.mark;

	for (unsigned i = 0; i < p->commands_count; i++)
		if (p->commands[i].kind == ORD_COMMAND_MARK)
			fprintf(p->out, "  %s\n",
				!mark->compared ? "the mark says nothing here"
				: mark->differs ? "the replica differs"
						: "the replica is equal");
}

void tell_after(struct play *p)
{
	tell_commands(p);
	tell_mark(p);
	for (unsigned i = 0; i < p->noted_count; i++) {
		if (p->noted[i].partition != p->partition)
			continue;
		if (p->noted[i].space[0] == '\0')
			tell_account(p, &p->noted[i]);
		else
			tell_name(p, &p->noted[i]);
	}
	tell_outcomes(p);
	tell_messages(p, p->partition);
	tell_cursors(p);
}

/* --- "show". --- */

static void show_account(struct play *p, const char *name)
{
	struct play_noted n = {.partition = ord_route_account(ord_slice_text(name), p->lab.partitions_count)};
	struct ord_account_view a;

	snprintf(n.name, sizeof n.name, "%s", name);
	if (account_of(p, &n, &a) != ORD_OK) {
		fprintf(p->out, "account %s does not exist\n", name);
		return;
	}
	fputs("account ", p->out);
	text_account(p->out, &a);
	fprintf(p->out, ", in partition %" PRIu32 "\n", n.partition);
	n.exists = true;
	n.state = a.state;
	tell_account(p, &n);
}

static void show_name(struct play *p, const char *space, const char *name)
{
	struct ord_name_view v;
	uint32_t partition = ord_route_name(ord_slice_text(space), ord_slice_text(name), p->lab.partitions_count);

	if (ord_partition_name(p->lab.partitions[partition], ord_slice_text(space), ord_slice_text(name), &v) !=
	    ORD_OK) {
		fprintf(p->out, "name %s %s is free\n", space, name);
		return;
	}
	fprintf(p->out, "name %s %s belongs to ", space, name);
	text_slice(p->out, v.owner);
	fprintf(p->out, " since %" PRIu32 ":%" PRIu64 ", time %" PRIu64 ", by ", partition, v.position, v.since_us);
	text_id(p->out, &v.request_id);
	fputc('\n', p->out);
}

static void show_request(struct play *p, const char *name, uint32_t partition)
{
	struct ord_request_view v;
	struct ord_uuid id = text_id_of(name);

	if (ord_partition_request(p->lab.partitions[partition], &id, &v) != ORD_OK) {
		fprintf(p->out, "request %s is not known in partition %" PRIu32 "\n", name, partition);
		return;
	}
	fprintf(p->out, "%" PRIu32 ":%" PRIu64 " ", partition, v.result.position);
	text_command(p->out, &v.command);
	fputs(": ", p->out);
	text_result(p->out, &v.result);
	fprintf(p->out, "; logged at time %" PRIu64 ", decided at %" PRIu64 "\n", v.logged_us, v.decided_us);
}

static void show_status(struct play *p, uint32_t partition)
{
	struct ord_partition_status s;

	ord_partition_status(p->lab.partitions[partition], &s);
	fprintf(p->out,
		"partition %" PRIu32 ": %" PRIu64 " commands in %" PRIu64 " entries, time %" PRIu64 ", %" PRIu64
		" accounts, %" PRIu64 " names, %" PRIu64 " requests, %" PRIu64 " unsettled, %" PRIu64
		" in the outbox\n",
		partition, s.position, s.entries_count, s.time_us, s.accounts_count, s.names_count, s.requests_count,
		s.unsettled_count, s.outbox_count);
}

/* Pinned: when these change, a log of yesterday gives another state today. */
static void show_digest(struct play *p, uint32_t partition)
{
	struct ord_partition_status s;

	ord_partition_status(p->lab.partitions[partition], &s);
	fprintf(p->out, "partition %" PRIu32 ": digest %016" PRIx64 "%016" PRIx64 "\n  history ", partition,
		s.state_digest[0], s.state_digest[1]);
	for (size_t i = 0; i < sizeof s.history_hash; i++)
		fprintf(p->out, "%02x", s.history_hash[i]);
	fputc('\n', p->out);
}

bool tell_show(struct play *p, const struct script_line *line)
{
	static const char *const account[] = {"=show", "=account", "w", NULL};
	static const char *const name[] = {"=show", "=name", "w", "w", NULL};
	static const char *const request[] = {"=show", "=request", "w", NULL};
	static const char *const request_in[] = {"=show", "=request", "w", "=in", "n", NULL};
	static const char *const status[] = {"=show", "=status", "n", NULL};
	static const char *const digest[] = {"=show", "=digest", "n", NULL};
	struct ord_uuid id;
	uint64_t number = 0;

	if (script_matches(line, account, NULL))
		show_account(p, line->words[2]);
	else if (script_matches(line, name, NULL))
		show_name(p, line->words[2], line->words[3]);
	else if (script_matches(line, request, NULL)) {
		id = text_id_of(line->words[2]);
		show_request(p, line->words[2], ord_route_request(&id, p->lab.partitions_count));
	} else if (script_matches(line, request_in, &number) && number < p->lab.partitions_count)
		show_request(p, line->words[2], (uint32_t)number);
	else if (script_matches(line, status, &number) && number < p->lab.partitions_count)
		show_status(p, (uint32_t)number);
	else if (script_matches(line, digest, &number) && number < p->lab.partitions_count)
		show_digest(p, (uint32_t)number);
	else
		return false;
	return true;
}
