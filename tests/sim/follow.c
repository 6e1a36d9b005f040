/* SPDX-License-Identifier: Apache-2.0 - follows each log, entry by entry.
 *
 * The copy of the partition has applied the whole entry when its commands are looked at here, one after the other. So what a command did is read from the end of the entry; that is
 * what anybody can ever see. */
#include "tests/sim/follow.h"

#include <string.h>

#include "base/err.h"
#include "partition/route.h"
#include "partition/state.h"
#include "tests/sim/coverage.h"
#include "tests/sim/follow_age.h"
#include "tests/sim/letters.h"
#include "tests/sim/money.h"
#include "tests/sim/observe.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

/* An entry of so many commands shows that they were collected. */
#define FOLLOW_BIG_COMMANDS 50

static struct {
	uint32_t partitions_count;
	struct ord_partition *const *copies;			  /* borrowed */
	uint64_t cursors[SIM_PARTITIONS_MAX][SIM_PARTITIONS_MAX]; /* [destination][source], as they must be */
	size_t replies_seen;					  /* of this entry */
	size_t outcomes_seen;
} follow;

void sim_follow_open(uint32_t partitions_count, struct ord_partition *const *copies)
{
	memset(&follow, 0, sizeof follow);
	follow.partitions_count = partitions_count;
	follow.copies = copies;
	sim_trail_open();
	sim_age_open();
	sim_money_open();
	sim_letters_open(partitions_count);
	sim_follow_transfer_reset();
}

void sim_follow_close(void)
{
	sim_letters_close();
	sim_money_close();
	sim_trail_close();
	memset(&follow, 0, sizeof follow);
}

struct ord_partition *sim_follow_copy(uint32_t partition)
{
	return follow.copies[partition];
}

uint32_t sim_follow_partitions_count(void)
{
	return follow.partitions_count;
}

/* --- Messages of other partitions. --- */

static void money_arrived(const struct ord_message *m)
{
	if (sim_letters_is_money(m))
		sim_money_add(m->transfer.asset, -(__int128)m->transfer.amount);
}

static void message_applied(const struct sim_entry *e, const struct ord_message *m)
{
	struct sim_request_trail *t = sim_trail_find_request(m->home, &m->request_id);

	if (t == NULL || t->kind != ORD_COMMAND_TRANSFER)
		sim_fail(SIM_SAFETY,
			 "invariant 2: entry %llu of partition %u brings a message (%s) of a transfer that partition "
			 "%u has not logged",
			 (unsigned long long)e->number, e->partition, ord_message_name(m->kind), m->home);
	money_arrived(m);
	if (sim_age_is_old(e->partition, &m->request_id)) {
		sim_cover(SIM_COVER_EXPIRED_UNDER_WAY);
		t->is_aged = true;
	}
	if (m->kind != ORD_MESSAGE_OUTCOME) {
		sim_follow_account_change(e, m->transfer.payer);
		sim_follow_account_change(e, m->transfer.payee);
	}
	follow.outcomes_seen += sim_follow_transfer_change(e, t);
}

static void cover_deliver(const struct ord_deliver *d, uint64_t cursor)
{
	uint64_t last = d->first + d->count - 1;

	sim_cover(SIM_COVER_DELIVER);
	if (d->first > cursor + 1)
		sim_cover(SIM_COVER_DELIVER_GAP);
	else if (last <= cursor)
		sim_cover(SIM_COVER_DELIVER_DUPLICATE);
	else if (d->first <= cursor)
		sim_cover(SIM_COVER_DELIVER_OVERLAP);
}

static void deliver(const struct sim_entry *e, const struct ord_deliver *d)
{
	struct ord_reader r = ord_reader_of(d->messages);

	if (d->source >= follow.partitions_count || d->source == e->partition)
		sim_fail(SIM_SAFETY, "invariant 7: entry %llu of partition %u delivers messages of partition %u",
			 (unsigned long long)e->number, e->partition, d->source);
	uint64_t *cursor = &follow.cursors[e->partition][d->source];
	cover_deliver(d, *cursor);
	for (uint32_t i = 0; i < d->count; i++) {
		struct ord_message m;
		size_t begin = r.offset;

		SIM_ASSERT(ord_message_decode(&r, &m) == ORD_OK);
		sim_letters_compare(d->source, e->partition, d->first + i,
				    ord_slice_of(r.base + begin, r.offset - begin));
		if (d->first + i != *cursor + 1)
			continue;
		++*cursor;
		message_applied(e, &m);
	}
}

static void trim(const struct sim_entry *e, const struct ord_trim *t)
{
	if (t->destination >= follow.partitions_count || t->destination == e->partition ||
	    t->upto > follow.cursors[t->destination][e->partition])
		sim_fail(SIM_SAFETY,
			 "invariant 7: entry %llu of partition %u trims messages to %u up to %llu, which are not all "
			 "applied there",
			 (unsigned long long)e->number, e->partition, t->destination, (unsigned long long)t->upto);
	sim_cover(SIM_COVER_TRIM);
}

static void cursors_check(const struct sim_entry *e)
{
	for (uint32_t s = 0; s < follow.partitions_count; s++) {
		uint64_t cursor = ord_partition_cursor(follow.copies[e->partition], s);

		if (cursor != follow.cursors[e->partition][s])
			sim_fail(SIM_SAFETY,
				 "invariant 7: after entry %llu of partition %u its cursor of %u is %llu, and %llu "
				 "were due",
				 (unsigned long long)e->number, e->partition, s, (unsigned long long)cursor,
				 (unsigned long long)follow.cursors[e->partition][s]);
	}
}

/* --- Commands of clients. --- */

__attribute__((noreturn)) static void reply_wrong(const struct sim_entry *e, uint64_t position,
						  const struct ord_uuid *id, const char *what)
{
	char text[ORD_UUID_TEXT_SIZE];

	ord_uuid_format(id, text);
	sim_fail(SIM_SAFETY, "entry %llu of partition %u: the answer to request %s at %llu %s",
		 (unsigned long long)e->number, e->partition, text, (unsigned long long)position, what);
}

/* Nothing was done, and nothing of before is told. */
static void request_expired(const struct sim_entry *e, uint64_t position, const struct ord_uuid *id,
			    const struct ord_result *r)
{
	if (r->status != ORD_STATUS_REJECTED || r->reason != ORD_REFUSAL_REQUEST_ID_EXPIRED || r->replayed ||
	    r->position != position)
		reply_wrong(e, position, id, "is not that the id is expired, which it is");
	sim_follow_refusal(r->reason);
	if (sim_trail_find_request(e->partition, id) != NULL)
		sim_cover(SIM_COVER_EXPIRED_AGAIN);
}

/* The id was logged before: the answer tells what is known, or that this is another request. */
static void request_again(const struct sim_entry *e, uint64_t position, const struct ord_result *r,
			  const struct sim_request_trail *t)
{
	if (r->position != t->position)
		reply_wrong(e, position, &t->id, "names another place than where it was logged");
	if (r->reason == ORD_REFUSAL_ID_REUSED && !r->replayed) {
		sim_follow_refusal(r->reason);
		return;
	}
	if (!r->replayed)
		reply_wrong(e, position, &t->id, "says that it is new, and it was logged before");
	if (r->status != t->status || r->reason != t->reason)
		reply_wrong(e, position, &t->id, "is not what was decided (invariant 6)");
	sim_cover(SIM_COVER_REPLAYED);
}

static struct sim_request_trail *request_logged(const struct sim_entry *e, uint64_t position,
						const struct ord_command *c, const struct ord_result *r)
{
	struct sim_request_trail *t = sim_trail_make_request(e->partition, &c->request_id);

	if (r->reason == ORD_REFUSAL_REQUEST_ID_EXPIRED)
		reply_wrong(e, position, &t->id, "says that the id is expired, and it is not");
	if (r->position != position || r->replayed || r->reason == ORD_REFUSAL_ID_REUSED)
		reply_wrong(e, position, &t->id, "says that it was logged before, and it is new");
	t->kind = c->kind;
	t->position = position;
	t->logged = e->end;
	t->logged_us = e->time_us;
	t->status = ORD_STATUS_ACCEPTED;
	return t;
}

static void request_decided(const struct sim_entry *e, struct sim_request_trail *t, const struct ord_result *r)
{
	if (r->status != ORD_STATUS_SETTLED && r->status != ORD_STATUS_REJECTED)
		reply_wrong(e, t->position, &t->id, "does not decide what is decided where it is logged");
	t->decided = e->end;
	t->decided_us = sim_now_us();
	t->status = r->status;
	t->reason = r->reason;
	sim_follow_refusal(r->reason);
}

static void transfer_logged(const struct sim_entry *e, struct sim_request_trail *t, const struct ord_command *c,
			    const struct ord_result *r)
{
	sim_follow_transfer_open(t, &c->transfer);
	sim_follow_account_change(e, c->transfer.payer);
	sim_follow_account_change(e, c->transfer.payee);
	follow.outcomes_seen += sim_follow_transfer_change(e, t);
	if (r->status != t->status || r->reason != t->reason)
		reply_wrong(e, t->position, &t->id, "is not what the state says");
}

static void request_new(const struct sim_entry *e, uint64_t position, const struct ord_command *c,
			const struct ord_result *r)
{
	struct sim_request_trail *t = request_logged(e, position, c, r);
	bool settled;

	if (c->kind == ORD_COMMAND_TRANSFER) {
		transfer_logged(e, t, c, r);
		return;
	}
	request_decided(e, t, r);
	settled = r->status == ORD_STATUS_SETTLED;
	if (c->kind == ORD_COMMAND_OPEN_ACCOUNT && settled)
		sim_follow_account_change(e, c->open_account.account);
	else if (c->kind == ORD_COMMAND_SET_ACCOUNT && settled)
		sim_follow_account_set(e, &c->set_account);
	else if (c->kind == ORD_COMMAND_CLAIM || c->kind == ORD_COMMAND_RELEASE || c->kind == ORD_COMMAND_REASSIGN)
		sim_follow_naming(e, c, t);
}

static void client_command(const struct sim_entry *e, uint32_t number, const struct ord_command *c)
{
	const struct sim_request_trail *t = sim_trail_find_request(e->partition, &c->request_id);
	uint64_t position = e->begin + number;

	if (follow.replies_seen >= e->fx->replies_count || e->fx->replies[follow.replies_seen].command_number != number)
		reply_wrong(e, position, &c->request_id, "is missing");
	const struct ord_result *r = &e->fx->replies[follow.replies_seen++].result;
	if (ord_route_command(c, follow.partitions_count) != e->partition)
		reply_wrong(e, position, &c->request_id, "should come from another partition");
	if (sim_age_is_expired(e->partition, &c->request_id))
		request_expired(e, position, &c->request_id, r);
	else if (t != NULL)
		request_again(e, position, r, t);
	else
		request_new(e, position, c, r);
}

/* --- Entries. --- */

static void command(const struct sim_entry *e, uint32_t number, const struct ord_command *c)
{
	if (c->kind == ORD_COMMAND_DELIVER)
		deliver(e, &c->deliver);
	else if (c->kind == ORD_COMMAND_TRIM)
		trim(e, &c->trim);
	else if (c->kind == ORD_COMMAND_EXPIRE)
		sim_age_expire(e->partition, &c->expire, e->time_us);
	else if (ord_command_is_clients(c->kind))
		client_command(e, number, c);
	sim_oracle_command(e->partition, number, c,
			   e->time_us); /* the model takes for granted what was checked above */
}

static void entry_check(const struct sim_entry *e)
{
	sim_letters_collect(follow.copies[e->partition], e->partition, e->number);
	cursors_check(e);
	if (follow.replies_seen != e->fx->replies_count || follow.outcomes_seen != e->fx->outcomes_count)
		sim_fail(SIM_SAFETY, "entry %llu of partition %u has %zu answers and %zu outcomes, not %zu and %zu",
			 (unsigned long long)e->number, e->partition, e->fx->replies_count, e->fx->outcomes_count,
			 follow.replies_seen, follow.outcomes_seen);
	if (follow.copies[e->partition]->ignored_count != 0)
		sim_fail(SIM_SAFETY, "invariant 2: entry %llu of partition %u brings a stage or an outcome once more",
			 (unsigned long long)e->number, e->partition);
	if (e->fx->mark.differs)
		sim_fail(SIM_SAFETY, "invariant 5: entry %llu of partition %u is a mark of another state",
			 (unsigned long long)e->number, e->partition);
	if (e->fx->mark.compared)
		sim_cover(SIM_COVER_MARK);
	sim_money_check(e->partition, e->number);
	sim_oracle_compare(e->partition, e->number);
}

void sim_follow_entry(const struct sim_entry *e)
{
	struct ord_reader r = ord_reader_of(e->bytes);
	struct ord_entry_header header;

	SIM_ASSERT(ord_entry_decode(&r, &header) == ORD_OK && header.commands_count == e->commands_count);
	if (e->commands_count == 0)
		return;
	if (e->commands_count >= FOLLOW_BIG_COMMANDS)
		sim_cover(SIM_COVER_BIG_ENTRY);
	follow.replies_seen = 0;
	follow.outcomes_seen = 0;
	sim_oracle_begin();
	for (uint32_t i = 0; i < e->commands_count; i++) {
		struct ord_command c;

		SIM_ASSERT(ord_command_decode(&r, &c) == ORD_OK);
		command(e, i, &c);
	}
	entry_check(e);
}

/* --- Restarts. --- */

/* An outcome that was applied and is not trimmed yet: a new leader of its source sends it again. */
static bool is_outcome_untrimmed(uint32_t source, uint32_t destination)
{
	uint64_t n = ord_partition_outbox_first(follow.copies[source], destination);

	for (; n <= follow.cursors[destination][source]; n++)
		if (sim_letters_kind(source, destination, n) == ORD_MESSAGE_OUTCOME)
			return true;
	return false;
}

void sim_follow_restart(void)
{
	if (sim_follow_transfers_at(SIM_AT_REQUEST) > 0)
		sim_cover(SIM_COVER_REPLAY_AFTER_CRASH_AT_REQUEST);
	if (sim_follow_transfers_at(SIM_AT_DEBIT) > 0)
		sim_cover(SIM_COVER_REPLAY_AFTER_CRASH_AT_DEBIT);
	if (sim_follow_transfers_at(SIM_AT_CREDIT) > 0)
		sim_cover(SIM_COVER_REPLAY_AFTER_CRASH_AT_CREDIT);
	if (sim_follow_transfers_at(SIM_AT_REFUND) > 0)
		sim_cover(SIM_COVER_REPLAY_AFTER_CRASH_AT_REFUND);
	for (uint32_t s = 0; s < follow.partitions_count; s++)
		for (uint32_t d = 0; d < follow.partitions_count; d++)
			if (s != d && is_outcome_untrimmed(s, d))
				sim_cover(SIM_COVER_REPLAY_AFTER_CRASH_AT_OUTCOME);
}

/* --- All of it. --- */

static void request_check(const struct sim_request_trail *t)
{
	struct ord_request_view view;
	char id[ORD_UUID_TEXT_SIZE];
	bool is_there = sim_age_request(follow.copies[t->partition], t->partition, &t->id, &view);

	if (is_there && view.result.position == t->position && view.result.status == t->status &&
	    view.result.reason == t->reason && view.command.kind == t->kind)
		return;
	ord_uuid_format(&t->id, id);
	sim_fail(
		SIM_SAFETY,
		"invariant 6: partition %u: request %s is not what was decided: %s for reason %u, was %s for reason %u",
		t->partition, id, is_there ? ord_status_name(view.result.status) : "unknown",
		is_there ? view.result.reason : 0, ord_status_name(t->status), t->reason);
}

void sim_follow_check(void)
{
	for (const struct sim_request_trail *t = sim_trail_requests(); t != NULL; t = t->next)
		request_check(t);
	sim_follow_account_check();
	sim_follow_name_check();
}
