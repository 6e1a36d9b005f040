/* SPDX-License-Identifier: Apache-2.0 - follows transfers: each goes one way to one outcome, and moves money once (invariant 2).
 *
 *   request --> debit posted ---> credit posted --------------------> outcome: settled
 *                  |                 or refused --> refund posted --> outcome: rejected, for the credit's reason
 *               or refused -----------------------------------------> outcome: rejected, for the debit's reason */
#include <string.h>

#include "base/err.h"
#include "partition/posting.h"
#include "partition/request.h"
#include "partition/state.h"
#include "tests/sim/coverage.h"
#include "tests/sim/follow.h"
#include "tests/sim/world.h"

/* How many transfers are at which place of their way. */
static uint64_t at[SIM_AT_COUNT];

void sim_follow_transfer_reset(void)
{
	memset(at, 0, sizeof at);
}

uint64_t sim_follow_transfers_at(enum sim_stage stage)
{
	return at[stage];
}

__attribute__((noreturn)) static void transfer_wrong(const struct sim_entry *e, const struct sim_request_trail *t,
						     const char *what)
{
	char id[ORD_UUID_TEXT_SIZE];

	ord_uuid_format(&t->id, id);
	sim_fail(SIM_SAFETY, "entry %llu of partition %u: transfer %s %s", (unsigned long long)e->number, e->partition,
		 id, what);
}

static void move(struct sim_request_trail *t, enum sim_stage stage)
{
	at[t->at]--;
	t->at = stage;
	at[stage]++;
}

void sim_follow_transfer_open(struct sim_request_trail *t, const struct ord_transfer *asked)
{
	t->payer = sim_follow_account_trail(asked->payer);
	t->payee = sim_follow_account_trail(asked->payee);
	t->payer->unsettled_count++;
	t->payee->unsettled_count++;
	t->at = SIM_AT_REQUEST;
	at[SIM_AT_REQUEST]++;
}

/* What the stage did in the entry's partition, NULL when nothing or when that was seen before. */
static const struct ord_stage *stage_new(const struct sim_entry *e, const struct sim_request_trail *t,
					 enum ord_posting_kind kind, struct sim_stage_done *done)
{
	const struct ord_stage *s = ord_posting_find(sim_follow_copy(e->partition), &t->id, kind);

	if (s == NULL || s->home != t->partition)
		return NULL;
	if (done->begin != 0) {
		if (done->partition != e->partition || done->reason != s->reason)
			transfer_wrong(e, t, "has done a stage twice, and once otherwise (invariant 2)");
		return NULL;
	}
	*done = (struct sim_stage_done){.begin = e->end, .partition = e->partition, .reason = s->reason};
	return s;
}

static bool posted(const struct sim_stage_done *done)
{
	return done->begin != 0 && done->reason == ORD_REFUSAL_NONE;
}

static bool refused(const struct sim_stage_done *done)
{
	return done->begin != 0 && done->reason != ORD_REFUSAL_NONE;
}

static void stages_follow(const struct sim_entry *e, struct sim_request_trail *t)
{
	if (stage_new(e, t, ORD_POSTING_DEBIT, &t->debit) != NULL)
		move(t, SIM_AT_DEBIT);
	if (stage_new(e, t, ORD_POSTING_CREDIT, &t->credit) != NULL) {
		if (!t->is_aged && !posted(&t->debit))
			transfer_wrong(e, t, "is credited and was not debited (invariant 2)");
		move(t, SIM_AT_CREDIT);
	}
	if (stage_new(e, t, ORD_POSTING_REFUND, &t->refund) != NULL) {
		if (!t->is_aged && !refused(&t->credit))
			transfer_wrong(e, t, "is refunded and its credit was not refused (invariant 2)");
		move(t, SIM_AT_REFUND);
	}
}

/* The outcome is what the stages lead to. */
static bool outcome_fits(const struct sim_request_trail *t, const struct ord_request *r)
{
	if (r->status == ORD_STATUS_SETTLED)
		return posted(&t->debit) && posted(&t->credit) && t->refund.begin == 0;
	if (refused(&t->debit))
		return t->debit.reason == r->reason && t->credit.begin == 0 && t->refund.begin == 0;
	return posted(&t->debit) && refused(&t->credit) && t->credit.reason == r->reason && posted(&t->refund);
}

/* Which of the three partitions are the same. */
static void cover_path(const struct sim_request_trail *t)
{
	uint32_t home = t->partition, payer = t->payer->partition, payee = t->payee->partition;

	if (home == payer && payer == payee)
		sim_cover(SIM_COVER_PATH_IN_ONE_PARTITION);
	else if (payer == payee)
		sim_cover(SIM_COVER_PATH_PAYER_WITH_PAYEE);
	else if (home == payer)
		sim_cover(SIM_COVER_PATH_HOME_WITH_PAYER);
	else if (home == payee)
		sim_cover(SIM_COVER_PATH_HOME_WITH_PAYEE);
	else
		sim_cover(SIM_COVER_PATH_ALL_APART);
}

static void cover_outcome(const struct sim_request_trail *t)
{
	cover_path(t);
	if (t->status == ORD_STATUS_SETTLED)
		sim_cover(t->decided == t->logged ? SIM_COVER_SETTLED_LOCAL : SIM_COVER_SETTLED_REMOTE);
	else if (!t->is_aged)
		sim_cover(refused(&t->debit) ? SIM_COVER_REJECTED_BY_PAYER : SIM_COVER_REFUNDED);
	sim_follow_refusal(t->reason);
}

static void outcome_follow(const struct sim_entry *e, struct sim_request_trail *t, const struct ord_request *r)
{
	if (!t->is_aged && !outcome_fits(t, r))
		transfer_wrong(e, t, "has an outcome that its stages do not lead to (invariant 2)");
	t->status = r->status;
	t->reason = r->reason;
	t->decided = e->end;
	t->decided_us = sim_now_us();
	t->payer->unsettled_count--;
	t->payee->unsettled_count--;
	move(t, SIM_AT_OUTCOME);
	cover_outcome(t);
}

bool sim_follow_transfer_change(const struct sim_entry *e, struct sim_request_trail *t)
{
	const struct ord_request *r;

	stages_follow(e, t);
	if (t->partition != e->partition)
		return false;
	r = ord_request_find(sim_follow_copy(e->partition), &t->id);
	if (r == NULL)
		transfer_wrong(e, t, "is forgotten");
	if (t->decided != 0 || r->status == ORD_STATUS_ACCEPTED)
		return false;
	outcome_follow(e, t, r);
	return true;
}

void sim_follow_refusal(enum ord_refusal reason)
{
	switch (reason) {
	case ORD_REFUSAL_NONE:
		break;
#define X(number, name, text, explanation)           \
	case ORD_REFUSAL_##name:                     \
		sim_cover(SIM_COVER_REFUSED_##name); \
		break;
#include "partition/refusals.def"
#undef X
	}
}
