/* SPDX-License-Identifier: Apache-2.0 - the transfer pipeline.
 *
 *   home (of the request id)      payer's partition             payee's partition
 *   request --------DEBIT-------> debit -----------CREDIT-----> credit
 *   outcome <---OUTCOME(reason)-- refused                         |  |
 *   outcome <---OUTCOME(settled)----------------------------------+  |
 *   outcome <---OUTCOME(reason)-- refund <---REFUND(reason)--------- refused
 *
 * Every stage sends one message at most, in the same step in which it changes its state.
 *
 * Messages come in order and once (outbox and cursor). Where money moves the request id is looked at again all the same: a stage that posted or
 * refused is remembered by (request id, kind). When it comes again
 *   - from the same home, nothing is done and nothing sent: what the first one did and sent stands, and leads to the outcome by itself;
 *   - from another home it is another request under a used id (only a command that was logged in a wrong partition can bring that about): the stage
 *     refuses it as ID_REUSED in its usual way - a debit by an outcome, a credit by a refund, since that money has left its payer.
 * Of an expired id (partition/expire.h) no stage is looked for, and none is remembered: its messages are taken at their word, a refund too, since outbox and cursor let each through once.
 * A refund has one request only, its debit was the one of its kind; a second refund, and a second outcome, change nothing. */
#include "partition/transfer.h"

#include "base/err.h"
#include "partition/account.h"
#include "partition/expire.h"
#include "partition/posting.h"
#include "partition/request.h"
#include "partition/route.h"

void ord_transfer_apply(struct ord_partition *p, const struct ord_command *c, struct ord_request *r)
{
	struct ord_message debit = {
		.kind = ORD_MESSAGE_DEBIT, .request_id = r->id, .home = p->id, .transfer = c->transfer};
	ord_partition_emit(p, ord_route_account(c->transfer.payer, p->partitions_count), &debit);
}

static void emit_outcome(struct ord_partition *p, const struct ord_message *m, enum ord_refusal reason)
{
	struct ord_message outcome = {
		.kind = ORD_MESSAGE_OUTCOME, .request_id = m->request_id, .home = m->home, .reason = reason};
	ord_partition_emit(p, m->home, &outcome);
}

static void emit_credit(struct ord_partition *p, const struct ord_message *m)
{
	struct ord_message credit = *m;
	credit.kind = ORD_MESSAGE_CREDIT;
	ord_partition_emit(p, ord_route_account(m->transfer.payee, p->partitions_count), &credit);
}

static void emit_refund(struct ord_partition *p, const struct ord_message *m, enum ord_refusal reason)
{
	struct ord_message refund = *m;
	refund.kind = ORD_MESSAGE_REFUND;
	refund.reason = reason;
	ord_partition_emit(p, ord_route_account(m->transfer.payer, p->partitions_count), &refund);
}

static enum ord_refusal refuse_debit(const struct ord_account *a, const struct ord_transfer *t)
{
	if (a == NULL)
		return ORD_REFUSAL_UNKNOWN_PAYER;
	if (a->state != ORD_ACCOUNT_OPEN)
		return ORD_REFUSAL_PAYER_NOT_OPEN;
	if (!ord_slice_equal(ord_account_asset(a), t->asset))
		return ORD_REFUSAL_PAYER_OTHER_ASSET;
	ord_balance after;
	if (__builtin_sub_overflow(a->balance, (ord_balance)t->amount, &after) || after < a->floor)
		return ORD_REFUSAL_BELOW_FLOOR;
	return ORD_REFUSAL_NONE;
}

static const struct ord_stage *stage_before(const struct ord_partition *p, const struct ord_message *m,
					    enum ord_posting_kind kind)
{
	return ord_expire_is_old(p, &m->request_id) ? NULL : ord_posting_find(p, &m->request_id, kind);
}

static void debit(struct ord_partition *p, const struct ord_message *m)
{
	const struct ord_stage *before = stage_before(p, m, ORD_POSTING_DEBIT);
	if (before != NULL) {
		p->ignored_count++;
		if (before->home != m->home)
			emit_outcome(p, m, ORD_REFUSAL_ID_REUSED);
		return;
	}
	struct ord_account *a = ord_account_find(p, m->transfer.payer);
	enum ord_refusal reason = refuse_debit(a, &m->transfer);
	if (reason != ORD_REFUSAL_NONE) {
		ord_posting_refuse(p, ORD_POSTING_DEBIT, m, reason);
		emit_outcome(p, m, reason);
		return;
	}
	ord_posting_add(p, a, ORD_POSTING_DEBIT, m);
	emit_credit(p, m);
}

static enum ord_refusal refuse_credit(const struct ord_account *a, const struct ord_transfer *t)
{
	if (a == NULL)
		return ORD_REFUSAL_UNKNOWN_PAYEE;
	if (a->state != ORD_ACCOUNT_OPEN)
		return ORD_REFUSAL_PAYEE_NOT_OPEN;
	if (!ord_slice_equal(ord_account_asset(a), t->asset))
		return ORD_REFUSAL_PAYEE_OTHER_ASSET;
	ord_balance after;
	if (__builtin_add_overflow(a->balance, (ord_balance)t->amount, &after) || after > a->ceiling)
		return ORD_REFUSAL_ABOVE_CEILING;
	return ORD_REFUSAL_NONE;
}

static void credit(struct ord_partition *p, const struct ord_message *m)
{
	const struct ord_stage *before = stage_before(p, m, ORD_POSTING_CREDIT);
	if (before != NULL) {
		p->ignored_count++;
		if (before->home != m->home)
			emit_refund(p, m, ORD_REFUSAL_ID_REUSED);
		return;
	}
	struct ord_account *a = ord_account_find(p, m->transfer.payee);
	enum ord_refusal reason = refuse_credit(a, &m->transfer);
	if (reason != ORD_REFUSAL_NONE) {
		ord_posting_refuse(p, ORD_POSTING_CREDIT, m, reason);
		emit_refund(p, m, reason);
		return;
	}
	ord_posting_add(p, a, ORD_POSTING_CREDIT, m);
	emit_outcome(p, m, ORD_REFUSAL_NONE);
}

/* Looks neither at the account's state nor at its ceiling: the money was the account's own. */
static void refund(struct ord_partition *p, const struct ord_message *m)
{
	struct ord_account *a = ord_account_find(p, m->transfer.payer);
	const struct ord_stage *debited = stage_before(p, m, ORD_POSTING_DEBIT);
	bool again = stage_before(p, m, ORD_POSTING_REFUND) != NULL;
	bool was_debited = debited != NULL && debited->reason == ORD_REFUSAL_NONE;
	if (a == NULL || again || (!was_debited && !ord_expire_is_old(p, &m->request_id))) {
		p->ignored_count++;
		return;
	}
	ord_posting_add(p, a, ORD_POSTING_REFUND, m);
	emit_outcome(p, m, m->reason);
}

static void outcome(struct ord_partition *p, const struct ord_message *m)
{
	struct ord_request *r = ord_request_find(p, &m->request_id);
	/* Whatever else a client asks is decided by the command that logs it, so only a transfer is found accepted here. */
	if (r == NULL || m->home != p->id || r->status != ORD_STATUS_ACCEPTED) {
		p->ignored_count++;
		return;
	}
	if (m->reason == ORD_REFUSAL_NONE)
		ord_request_settle(p, r);
	else
		ord_request_reject(p, r, m->reason, NULL);
}

void ord_transfer_receive(struct ord_partition *p, const struct ord_message *m)
{
	if (m->home >= p->partitions_count) {
		p->ignored_count++;
		return;
	}
	switch (m->kind) {
	case ORD_MESSAGE_DEBIT:
		debit(p, m);
		break;
	case ORD_MESSAGE_CREDIT:
		credit(p, m);
		break;
	case ORD_MESSAGE_REFUND:
		refund(p, m);
		break;
	case ORD_MESSAGE_OUTCOME:
		outcome(p, m);
		break;
	}
}

/* What the stage itself looks for. */
static int stage_ahead(struct ord_ahead *ahead, const struct ord_message *m)
{
	const struct ord_slice *account = m->kind == ORD_MESSAGE_CREDIT ? &m->transfer.payee : &m->transfer.payer;
	int err;
	switch (m->kind) {
	case ORD_MESSAGE_DEBIT:
		err = ord_posting_ahead(ahead, &m->request_id, ORD_POSTING_DEBIT);
		break;
	case ORD_MESSAGE_CREDIT:
		err = ord_posting_ahead(ahead, &m->request_id, ORD_POSTING_CREDIT);
		break;
	case ORD_MESSAGE_REFUND:
		err = ord_posting_ahead(ahead, &m->request_id, ORD_POSTING_DEBIT);
		if (err == ORD_OK)
			err = ord_posting_ahead(ahead, &m->request_id, ORD_POSTING_REFUND);
		break;
	default:
		return ord_request_ahead(ahead, &m->request_id);
	}
	return err == ORD_OK ? ord_account_ahead(ahead, *account) : err;
}

/* The messages that may follow from a stage, if they stay here. */
static int what_follows_ahead(struct ord_ahead *ahead, const struct ord_message *m)
{
	const struct ord_partition *p = ahead->partition;
	struct ord_message next = *m;
	uint32_t destination = ord_route_account(m->transfer.payer, p->partitions_count);
	if (m->kind == ORD_MESSAGE_DEBIT) {
		next.kind = ORD_MESSAGE_CREDIT;
		destination = ord_route_account(m->transfer.payee, p->partitions_count);
	} else if (m->kind == ORD_MESSAGE_CREDIT) {
		next.kind = ORD_MESSAGE_REFUND;
	} else {
		return ORD_OK;
	}
	return destination == p->id ? ord_transfer_ahead(ahead, &next) : ORD_OK;
}

int ord_transfer_ahead(struct ord_ahead *ahead, const struct ord_message *m)
{
	const struct ord_partition *p = ahead->partition;
	int err = stage_ahead(ahead, m);
	if (err != ORD_OK || !p->rows.any_gone || m->kind == ORD_MESSAGE_OUTCOME)
		return err;
	if (m->home == p->id)
		err = ord_request_ahead(ahead, &m->request_id);
	return err == ORD_OK ? what_follows_ahead(ahead, m) : err;
}
