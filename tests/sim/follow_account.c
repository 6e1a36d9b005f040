/* SPDX-License-Identifier: Apache-2.0 - follows accounts: each new posting keeps the limits (invariant 3), and each balance is the sum of its postings. */
#include <string.h>

#include "partition/account.h"
#include "partition/posting.h"
#include "partition/route.h"
#include "partition/state.h"
#include "tests/sim/coverage.h"
#include "tests/sim/follow.h"
#include "tests/sim/money.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

/* For printf's "%.*s". */
#define TEXT(slice) (int)(slice).len, (const char *)(slice).base

struct sim_account_trail *sim_follow_account_trail(struct ord_slice id)
{
	struct sim_account_trail *t = sim_trail_find_account(id);

	if (t == NULL)
		t = sim_trail_make_account(ord_route_account(id, sim_follow_partitions_count()), id);
	return t;
}

__attribute__((noreturn)) static void posting_wrong(const struct ord_account *a, const struct ord_posting *posting,
						    const char *what)
{
	sim_fail(SIM_SAFETY, "account '%.*s', posting %llu at %llu: %s", TEXT(ord_account_id(a)),
		 (unsigned long long)posting->number, (unsigned long long)posting->position, what);
}

static void refund_cover(const struct ord_account *a, const struct sim_account_trail *t, __int128 balance)
{
	if (balance > t->ceiling)
		sim_cover(SIM_COVER_REFUND_OVER_CEILING);
	if (a->state == ORD_ACCOUNT_FROZEN)
		sim_cover(SIM_COVER_REFUND_TO_FROZEN);
	if (a->state == ORD_ACCOUNT_CLOSED)
		sim_cover(SIM_COVER_REFUND_TO_CLOSED);
}

static void posting_check(const struct sim_entry *e, const struct ord_account *a, const struct sim_account_trail *t,
			  uint64_t place, __int128 *balance)
{
	const struct ord_posting *posting = ord_posting_record(sim_follow_copy(e->partition), a, place + 1);
	enum ord_posting_kind kind = posting->stage.kind;

	if (posting->number != place + 1 || posting->amount <= 0 || posting->position < e->begin ||
	    posting->position >= e->end || posting->time_us != e->time_us)
		posting_wrong(a, posting, "its number, place or time is not that of the entry that made it");
	*balance += kind == ORD_POSTING_DEBIT ? -(__int128)posting->amount : posting->amount;
	if (posting->balance_after != (*balance > INT64_MAX ? INT64_MAX : (int64_t)*balance))
		posting_wrong(a, posting, "the balance after it is not the sum");
	if (kind == ORD_POSTING_DEBIT && *balance < t->floor)
		posting_wrong(a, posting, "invariant 3: a debit below the floor");
	if (kind == ORD_POSTING_CREDIT && *balance > t->ceiling)
		posting_wrong(a, posting, "invariant 3: a credit above the ceiling");
	if (*balance == t->floor)
		sim_cover(SIM_COVER_FLOOR_REACHED);
	if (*balance == t->ceiling)
		sim_cover(SIM_COVER_CEILING_REACHED);
	if (kind == ORD_POSTING_REFUND)
		refund_cover(a, t, *balance);
}

static struct sim_account_version version_of(const struct ord_account *a, uint64_t begin)
{
	return (struct sim_account_version){
		.begin = begin,
		.postings_count = a->postings_count,
		.balance = a->balance > INT64_MAX ? INT64_MAX : (int64_t)a->balance,
		.state = a->state,
	};
}

static bool version_equal(const struct sim_account_version *a, const struct sim_account_version *b)
{
	return a->postings_count == b->postings_count && a->balance == b->balance && a->state == b->state;
}

/* The postings that the entry has added, and what they sum to. */
static void postings_follow(const struct sim_entry *e, const struct ord_account *a, struct sim_account_trail *t)
{
	const struct sim_account_version *last = sim_trail_last_account(t);
	uint64_t place = last == NULL ? 0 : last->postings_count;
	__int128 balance = t->balance;

	if (a->postings_count < place)
		sim_fail(SIM_SAFETY, "account '%.*s' has lost postings", TEXT(ord_account_id(a)));
	for (; place < a->postings_count; place++)
		posting_check(e, a, t, place, &balance);
	if (balance != a->balance)
		sim_fail(SIM_SAFETY, "account '%.*s': the balance is not the sum of its postings",
			 TEXT(ord_account_id(a)));
	sim_money_add(ord_account_asset(a), a->balance - t->balance);
	t->balance = a->balance;
}

void sim_follow_account_change(const struct sim_entry *e, struct ord_slice id)
{
	const struct ord_account *a = ord_account_find(sim_follow_copy(e->partition), id);

	if (a == NULL)
		return;
	struct sim_account_trail *t = sim_follow_account_trail(id);
	struct sim_account_version now = version_of(a, e->end);
	if (t->versions_count == 0) {
		t->floor = a->floor;
		t->ceiling = a->ceiling;
	} else if (version_equal(&now, sim_trail_last_account(t))) {
		return;
	}
	postings_follow(e, a, t);
	sim_trail_add_account_version(t, &now);
	sim_oracle_touch(a);
}

void sim_follow_account_set(const struct sim_entry *e, const struct ord_set_account *s)
{
	const struct sim_account_trail *t = sim_follow_account_trail(s->account);

	if (t->unsettled_count > 0 && s->state == ORD_ACCOUNT_FROZEN)
		sim_cover(SIM_COVER_ACCOUNT_FROZEN_IN_FLIGHT);
	if (t->unsettled_count > 0 && s->state == ORD_ACCOUNT_CLOSED)
		sim_cover(SIM_COVER_ACCOUNT_CLOSED_IN_FLIGHT);
	sim_follow_account_change(e, s->account);
}

void sim_follow_account_check(void)
{
	for (const struct sim_account_trail *t = sim_trail_accounts(); t != NULL; t = t->next) {
		struct ord_slice id = ord_slice_of(t->id, t->id_bytes);
		const struct ord_account *a = ord_account_find(sim_follow_copy(t->partition), id);
		const struct sim_account_version *last = sim_trail_last_account(t);
		struct sim_account_version now;

		if (a == NULL && last == NULL)
			continue;
		if (a != NULL)
			now = version_of(a, 0);
		if (a == NULL || last == NULL || !version_equal(&now, last))
			sim_fail(SIM_SAFETY, "account '%.*s' of partition %u was changed, and no entry did it",
				 TEXT(id), t->partition);
	}
}
