/* SPDX-License-Identifier: Apache-2.0 - the transfer pipeline, stage by stage, and what keeps money from moving twice. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/err.h"
#include "partition/route.h"
#include "partition/state.h"
#include "tests/support/partition_build.h"
#include "tests/support/text.h"

/* Three partitions with one role each: 0 has the requests, 1 the payers, 2 the payees. */
#define HOME 0
#define PAYERS 1
#define PAYEES 2
#define COUNT 3

static struct lab l;
static const char *payer, *payee, *t1, *t2;

static struct ord_result apply(uint32_t partition, struct ord_command c)
{
	return build_apply(&l, partition, c, 1000 + l.logs[partition].count);
}

static void open_lab(void)
{
	lab_open(&l, COUNT);
	payer = build_account_in("payer", PAYERS, COUNT);
	payee = build_account_in("payee", PAYEES, COUNT);
	t1 = build_id_in("t", HOME, COUNT);
	t2 = build_id_in("u", HOME, COUNT);
	apply(PAYERS, build_open("o1", payer, "EUR", -1000, 1000));
	apply(PAYEES, build_open("o2", payee, "EUR", 0, 500));
}

static void close_lab(void)
{
	lab_close(&l);
}

TestSuite(partition_transfer, .init = open_lab, .fini = close_lab);

static struct ord_partition_status status_of(uint32_t partition)
{
	struct ord_partition_status status;

	ord_partition_status(l.partitions[partition], &status);
	return status;
}

/* Delivers the messages from source to destination that have not been; the effects of it are in l.fx. */
static void deliver(uint32_t source, uint32_t destination, uint32_t count)
{
	uint64_t first = ord_partition_cursor(l.partitions[destination], source) + 1;
	struct ord_command c = lab_deliver(&l, source, destination, first, count);

	apply(destination, c);
	free((void *)c.deliver.messages.base);
}

static void cr_rejected(const char *id, enum ord_refusal reason, int64_t payer_balance, int64_t payee_balance)
{
	struct ord_result r = build_request(&l, HOME, id);

	cr_assert_eq(r.status, ORD_STATUS_REJECTED);
	cr_assert_eq(r.reason, reason, "reason %s", ord_refusal_name(r.reason));
	cr_assert_null(r.field);
	cr_assert_eq(build_balance(&l, payer), payer_balance);
	cr_assert_eq(build_balance(&l, payee), payee_balance);
	for (uint32_t i = 0; i < COUNT; i++) {
		cr_assert_eq(status_of(i).outbox_count, 0);
		cr_assert_eq(status_of(i).unsettled_count, 0);
		cr_assert_eq(status_of(i).ignored_count, 0);
	}
}

static void transfer(const char *id, const char *from, const char *to, int64_t amount)
{
	struct ord_result r = apply(HOME, build_transfer(id, from, to, amount));

	cr_assert_eq(r.status, ORD_STATUS_ACCEPTED);
	build_settle(&l, 2000);
}

/* --- the five stages --- */

Test(partition_transfer, goes_through_its_stages)
{
	struct ord_result r = apply(HOME, build_transfer(t1, payer, payee, 300));

	cr_assert_eq(r.status, ORD_STATUS_ACCEPTED);
	cr_assert_not(r.replayed);
	cr_assert_eq(r.position, 0);
	cr_assert(l.fx.outbox_grew);
	cr_assert_eq(l.fx.outcomes_count, 0);
	cr_assert_eq(status_of(HOME).unsettled_count, 1);
	cr_assert_eq(ord_partition_outbox_next(l.partitions[HOME], PAYERS), 2);

	deliver(HOME, PAYERS, 1);
	cr_assert_eq(l.fx.replies_count, 0);
	cr_assert_eq(l.fx.outcomes_count, 0);
	cr_assert(l.fx.outbox_grew);
	cr_assert_eq(build_balance(&l, payer), -300);
	cr_assert_eq(build_balance(&l, payee), 0);

	deliver(PAYERS, PAYEES, 1);
	cr_assert_eq(build_balance(&l, payee), 300);
	cr_assert_eq(build_request(&l, HOME, t1).status, ORD_STATUS_ACCEPTED);

	deliver(PAYEES, HOME, 1);
	cr_assert_not(l.fx.outbox_grew);
	cr_assert_eq(l.fx.outcomes_count, 1);
	cr_assert_eq(l.fx.outcomes[0].result.status, ORD_STATUS_SETTLED);
	cr_assert_eq(l.fx.outcomes[0].result.position, 0);
	struct ord_uuid id = text_id_of(t1);
	cr_assert(ord_uuid_equal(&l.fx.outcomes[0].request_id, &id));
	cr_assert_eq(status_of(HOME).unsettled_count, 0);
	cr_assert_eq(build_request(&l, HOME, t1).status, ORD_STATUS_SETTLED);
	struct ord_request_view view;
	cr_assert_eq(ord_partition_request(l.partitions[HOME], &id, &view), ORD_OK);
	cr_assert_eq(view.logged_us, 1000);
	cr_assert_eq(view.decided_us, 1001);
}

Test(partition_transfer, writes_what_it_did_into_both_histories)
{
	struct ord_posting_view v[4];
	struct ord_uuid id = text_id_of(t1);
	size_t count = 0;

	transfer(t1, payer, payee, 300);
	cr_assert_eq(ord_partition_history(l.partitions[PAYERS], ord_slice_text(payer), 1, v, 4, &count), ORD_OK);
	cr_assert_eq(count, 1);
	cr_assert_eq(v[0].number, 1);
	cr_assert_eq(v[0].kind, ORD_POSTING_DEBIT);
	cr_assert(ord_uuid_equal(&v[0].request_id, &id));
	cr_assert(ord_slice_equal(v[0].counterparty, ord_slice_text(payee)));
	cr_assert_eq(v[0].amount, 300);
	cr_assert_eq(v[0].balance_after, -300);
	cr_assert_eq(v[0].position, 1);
	cr_assert_eq(v[0].time_us, 2000);
	cr_assert_eq(ord_partition_history(l.partitions[PAYEES], ord_slice_text(payee), 1, v, 4, &count), ORD_OK);
	cr_assert_eq(count, 1);
	cr_assert_eq(v[0].kind, ORD_POSTING_CREDIT);
	cr_assert(ord_slice_equal(v[0].counterparty, ord_slice_text(payer)));
	cr_assert_eq(v[0].balance_after, 300);
}

Test(partition_transfer, is_done_in_one_command_where_all_stages_are_here)
{
	struct lab one;

	lab_open(&one, 1);
	build_apply(&one, 0, build_open("o1", "alice", "EUR", -10, 10), 1);
	build_apply(&one, 0, build_open("o2", "bob", "EUR", 0, 10), 2);
	struct ord_result r = build_apply(&one, 0, build_transfer("t1", "alice", "bob", 10), 3);
	cr_assert_eq(r.status, ORD_STATUS_SETTLED);
	cr_assert_not(r.replayed);
	cr_assert_not(one.fx.outbox_grew);
	cr_assert_eq(one.fx.outcomes_count, 1);
	cr_assert_eq(one.fx.outcomes[0].result.status, ORD_STATUS_SETTLED);
	cr_assert_eq(build_balance(&one, "bob"), 10);
	/* Refused by the payee: debit, refund and outcome in the same command too. */
	r = build_apply(&one, 0, build_transfer("t2", "bob", "nobody", 4), 4);
	cr_assert_eq(r.status, ORD_STATUS_REJECTED);
	cr_assert_eq(r.reason, ORD_REFUSAL_UNKNOWN_PAYEE);
	cr_assert_eq(build_balance(&one, "bob"), 10);
	struct ord_account_view view;
	ord_partition_account(one.partitions[0], ord_slice_text("bob"), &view);
	cr_assert_eq(view.postings_count, 3);
	cr_assert(build_digests_hold(&one));
	lab_close(&one);
}

/* --- refusals --- */

Test(partition_transfer, refuses_for_the_payer)
{
	const char *nobody = build_account_in("nobody", PAYERS, COUNT);
	const char *dollars = build_account_in("dollar", PAYERS, COUNT);

	transfer(t1, nobody, payee, 1);
	cr_rejected(t1, ORD_REFUSAL_UNKNOWN_PAYER, 0, 0);
	transfer(t2, payer, payee, 1001);
	cr_rejected(t2, ORD_REFUSAL_BELOW_FLOOR, 0, 0);
	apply(PAYERS, build_open("o3", dollars, "USD", -10, 10));
	transfer(build_id_in("v", HOME, COUNT), dollars, payee, 1);
	cr_rejected(build_id_in("v", HOME, COUNT), ORD_REFUSAL_PAYER_OTHER_ASSET, 0, 0);
	apply(PAYERS, build_set("s1", payer, ORD_ACCOUNT_FROZEN));
	transfer(build_id_in("w", HOME, COUNT), payer, payee, 1);
	cr_rejected(build_id_in("w", HOME, COUNT), ORD_REFUSAL_PAYER_NOT_OPEN, 0, 0);
}

Test(partition_transfer, takes_the_last_cent_above_the_floor)
{
	apply(PAYEES, build_open("o3", build_account_in("rich", PAYEES, COUNT), "EUR", 0, INT64_MAX));
	transfer(t1, payer, build_account_in("rich", PAYEES, COUNT), 1000);
	cr_assert_eq(build_request(&l, HOME, t1).status, ORD_STATUS_SETTLED);
	transfer(t2, payer, build_account_in("rich", PAYEES, COUNT), 1);
	cr_rejected(t2, ORD_REFUSAL_BELOW_FLOOR, -1000, 0);
}

Test(partition_transfer, refuses_for_the_payee_and_gives_the_money_back)
{
	const char *nobody = build_account_in("nobody", PAYEES, COUNT);
	const char *dollars = build_account_in("dollar", PAYEES, COUNT);

	transfer(t1, payer, nobody, 7);
	cr_rejected(t1, ORD_REFUSAL_UNKNOWN_PAYEE, 0, 0);
	transfer(t2, payer, payee, 501);
	cr_rejected(t2, ORD_REFUSAL_ABOVE_CEILING, 0, 0);
	apply(PAYEES, build_open("o3", dollars, "USD", -10, 10));
	transfer(build_id_in("v", HOME, COUNT), payer, dollars, 1);
	cr_rejected(build_id_in("v", HOME, COUNT), ORD_REFUSAL_PAYEE_OTHER_ASSET, 0, 0);
	apply(PAYEES, build_set("s1", payee, ORD_ACCOUNT_CLOSED));
	transfer(build_id_in("w", HOME, COUNT), payer, payee, 1);
	cr_rejected(build_id_in("w", HOME, COUNT), ORD_REFUSAL_PAYEE_NOT_OPEN, 0, 0);

	struct ord_posting_view v[16];
	size_t count = 0;
	ord_partition_history(l.partitions[PAYERS], ord_slice_text(payer), 1, v, 16, &count);
	cr_assert_eq(count, 8);
	cr_assert_eq(v[0].kind, ORD_POSTING_DEBIT);
	cr_assert_eq(v[1].kind, ORD_POSTING_REFUND);
	cr_assert_eq(v[1].amount, 7);
	cr_assert_eq(v[1].balance_after, 0);
	cr_assert(ord_slice_equal(v[1].counterparty, ord_slice_text(nobody)));
}

Test(partition_transfer, a_refund_finds_its_account_frozen_or_closed)
{
	apply(HOME, build_transfer(t1, payer, payee, 501));
	deliver(HOME, PAYERS, 1);
	apply(PAYERS, build_set("s1", payer, ORD_ACCOUNT_FROZEN));
	build_settle(&l, 2000);
	cr_rejected(t1, ORD_REFUSAL_ABOVE_CEILING, 0, 0);

	apply(PAYERS, build_set("s2", payer, ORD_ACCOUNT_OPEN));
	const char *other = build_account_in("other", PAYEES, COUNT);
	apply(PAYEES, build_open("o3", other, "EUR", -10, 10));
	transfer(build_id_in("v", HOME, COUNT), other, payer, 10);
	apply(HOME, build_transfer(t2, payer, build_account_in("nobody", PAYEES, COUNT), 10));
	deliver(HOME, PAYERS, 1);
	cr_assert_eq(apply(PAYERS, build_set("s3", payer, ORD_ACCOUNT_CLOSED)).status, ORD_STATUS_SETTLED);
	build_settle(&l, 2000);
	cr_rejected(t2, ORD_REFUSAL_UNKNOWN_PAYEE, 10, 0);
}

/* Balance INT64_MAX, a debit of it, a credit of it, then the refund: more than an amount can say, and not one unit lost. */
Test(partition_transfer, a_refund_beyond_the_largest_amount_is_exact)
{
	const char *full = build_account_in("full", PAYERS, COUNT);
	const char *bank = build_account_in("bank", PAYERS, COUNT);
	const char *mint = build_account_in("mint", PAYERS, COUNT);
	const char *ids[5];

	for (unsigned i = 0; i < 5; i++)
		ids[i] = build_id_in((const char *[]){"a", "b", "c", "d", "e"}[i], HOME, COUNT);
	apply(PAYERS, build_open("o3", full, "EUR", 0, INT64_MAX));
	apply(PAYERS, build_open("o4", bank, "EUR", -INT64_MAX, INT64_MAX));
	apply(PAYERS, build_open("o5", mint, "EUR", -INT64_MAX, INT64_MAX));
	transfer(ids[0], bank, full, INT64_MAX);
	apply(HOME, build_transfer(ids[1], full, build_account_in("nobody", PAYEES, COUNT), INT64_MAX));
	deliver(HOME, PAYERS, 1);
	cr_assert_eq(build_balance(&l, full), 0);
	apply(HOME, build_transfer(ids[2], mint, full, INT64_MAX));
	deliver(HOME, PAYERS, 1);
	cr_assert_eq(build_balance(&l, full), INT64_MAX);
	build_settle(&l, 2000);
	cr_assert_eq(build_request(&l, HOME, ids[1]).reason, ORD_REFUSAL_UNKNOWN_PAYEE);
	cr_assert_eq(build_balance(&l, full), INT64_MAX);
	struct ord_posting_view v;
	size_t count = 0;
	ord_partition_history(l.partitions[PAYERS], ord_slice_text(full), 4, &v, 1, &count);
	cr_assert_eq(v.kind, ORD_POSTING_REFUND);
	cr_assert_eq(v.balance_after, INT64_MAX);
	/* A credit is refused, a debit works, and what is left afterwards is exactly INT64_MAX + INT64_MAX - 1 - INT64_MAX. */
	transfer(ids[3], bank, full, 1);
	cr_assert_eq(build_request(&l, HOME, ids[3]).status, ORD_STATUS_REJECTED);
	transfer(ids[4], full, bank, INT64_MAX);
	cr_assert_eq(build_request(&l, HOME, ids[4]).status, ORD_STATUS_SETTLED);
	cr_assert_eq(build_balance(&l, full), INT64_MAX);
	cr_assert_eq(build_balance(&l, bank), 0);
	transfer(t1, full, payer, 1);
	cr_assert_eq(build_balance(&l, full), INT64_MAX - 1);
}

/* --- the request id --- */

Test(partition_transfer, a_repeated_request_is_told_what_is_known)
{
	apply(PAYEES, build_set("s0", payee, ORD_ACCOUNT_OPEN));
	apply(HOME, build_claim("c1", "users", "ada", "u1"));
	apply(HOME, build_transfer(t1, payer, payee, 300));
	struct ord_result r = apply(HOME, build_transfer(t1, payer, payee, 300));
	cr_assert_eq(r.status, ORD_STATUS_ACCEPTED);
	cr_assert(r.replayed);
	cr_assert_eq(r.position, 1);
	cr_assert_not(l.fx.outbox_grew);
	build_settle(&l, 2000);
	r = apply(HOME, build_transfer(t1, payer, payee, 300));
	cr_assert_eq(r.status, ORD_STATUS_SETTLED);
	cr_assert(r.replayed);
	cr_assert_eq(r.position, 1);
	cr_assert_eq(l.fx.outcomes_count, 0);
	build_settle(&l, 2000);
	cr_assert_eq(build_balance(&l, payee), 300);
	cr_assert_eq(status_of(HOME).requests_count, 2);
}

static void cr_reused(struct ord_command c, const char *field)
{
	struct ord_result r = apply(HOME, c);

	cr_assert_eq(r.status, ORD_STATUS_REJECTED);
	cr_assert_eq(r.reason, ORD_REFUSAL_ID_REUSED);
	cr_assert_str_eq(r.field, field);
	cr_assert_not(r.replayed);
	cr_assert_eq(r.position, 0);
	cr_assert_not(l.fx.outbox_grew);
}

Test(partition_transfer, an_id_with_another_payload_is_refused_by_its_first_difference)
{
	struct ord_command c = build_transfer(t1, payer, payee, 301);

	apply(HOME, build_transfer(t1, payer, payee, 300));
	c.transfer.asset = ord_slice_text("USD");
	cr_reused(c, "amount");
	c.transfer.amount = 300;
	cr_reused(c, "asset");
	c = build_transfer(t1, payee, payer, 301);
	cr_reused(c, "payer");
	c = build_transfer(t1, payer, "somebody", 301);
	cr_reused(c, "payee");
	cr_reused(build_claim(t1, "users", "ada", "u1"), "method");
	build_settle(&l, 2000);
	cr_reused(build_transfer(t1, payer, payee, 299), "amount");
	cr_assert_eq(build_request(&l, HOME, t1).status, ORD_STATUS_SETTLED);
	cr_assert_eq(build_balance(&l, payee), 300);
}

Test(partition_transfer, a_refused_transfer_stays_refused_when_it_could_be_paid)
{
	const char *poor = build_account_in("poor", PAYERS, COUNT);

	apply(PAYERS, build_open("o3", poor, "EUR", 0, 100));
	transfer(t1, poor, payee, 10);
	transfer(t2, payer, poor, 100);
	struct ord_result r = apply(HOME, build_transfer(t1, poor, payee, 10));
	cr_assert(r.replayed);
	cr_assert_eq(r.reason, ORD_REFUSAL_BELOW_FLOOR);
	build_settle(&l, 2000);
	cr_assert_eq(build_balance(&l, poor), 100);
}

/* --- money moves once: messages that should never be --- */

/* Delivers a message that no outbox gave, under the next number. */
static void forge(uint32_t source, uint32_t destination, struct ord_message m)
{
	struct ord_bytes b;

	ord_bytes_init(&b, 1024);
	ord_message_encode(&m, &b);
	struct ord_command c = {
		.kind = ORD_COMMAND_DELIVER,
		.deliver = {source, ord_partition_cursor(l.partitions[destination], source) + 1, 1,
			    ord_bytes_slice(&b)},
	};
	apply(destination, c);
	ord_bytes_close(&b);
}

static struct ord_message forged(enum ord_message_kind kind, const char *id, uint32_t home, int64_t amount)
{
	struct ord_message m = {.kind = kind, .request_id = text_id_of(id), .home = home};

	if (kind != ORD_MESSAGE_OUTCOME)
		m.transfer = build_transfer(id, payer, payee, amount).transfer;
	if (kind == ORD_MESSAGE_REFUND)
		m.reason = ORD_REFUSAL_ABOVE_CEILING;
	return m;
}

Test(partition_transfer, a_stage_that_comes_again_from_the_same_home_does_nothing)
{
	transfer(t1, payer, payee, 300);
	forge(HOME, PAYERS, forged(ORD_MESSAGE_DEBIT, t1, HOME, 300));
	cr_assert_not(l.fx.outbox_grew);
	forge(PAYERS, PAYEES, forged(ORD_MESSAGE_CREDIT, t1, HOME, 300));
	cr_assert_not(l.fx.outbox_grew);
	cr_assert_eq(build_balance(&l, payer), -300);
	cr_assert_eq(build_balance(&l, payee), 300);
	cr_assert_eq(status_of(PAYERS).ignored_count, 1);
	cr_assert_eq(status_of(PAYEES).ignored_count, 1);
}

Test(partition_transfer, a_refused_stage_that_comes_again_is_not_tried_again)
{
	transfer(t1, payer, payee, 1001);
	apply(PAYERS, build_open("o3", build_account_in("donor", PAYERS, COUNT), "EUR", -500, 0));
	transfer(t2, build_account_in("donor", PAYERS, COUNT), payer, 500);
	forge(HOME, PAYERS, forged(ORD_MESSAGE_DEBIT, t1, HOME, 1001));
	cr_assert_not(l.fx.outbox_grew);
	cr_assert_eq(build_balance(&l, payer), 500);
}

Test(partition_transfer, the_same_id_from_another_home_is_refused_where_money_would_move)
{
	transfer(t1, payer, payee, 300);
	/* The debit: by an outcome to that other home. */
	forge(HOME, PAYERS, forged(ORD_MESSAGE_DEBIT, t1, PAYEES, 5));
	cr_assert(l.fx.outbox_grew);
	cr_assert_eq(build_balance(&l, payer), -300);
	uint64_t last = ord_partition_outbox_next(l.partitions[PAYERS], PAYEES) - 1;
	struct ord_outbox_run run = ord_partition_outbox_peek(l.partitions[PAYERS], PAYEES, last, 1);
	struct ord_reader r = ord_reader_of(run.messages);
	struct ord_message m;
	cr_assert_eq(ord_message_decode(&r, &m), ORD_OK);
	cr_assert_eq(m.kind, ORD_MESSAGE_OUTCOME);
	cr_assert_eq(m.reason, ORD_REFUSAL_ID_REUSED);
	/* The credit: its money left another payer, so it goes back. */
	forge(PAYERS, PAYEES, forged(ORD_MESSAGE_CREDIT, t1, PAYERS, 5));
	cr_assert_eq(build_balance(&l, payee), 300);
	last = ord_partition_outbox_next(l.partitions[PAYEES], PAYERS) - 1;
	run = ord_partition_outbox_peek(l.partitions[PAYEES], PAYERS, last, 1);
	r = ord_reader_of(run.messages);
	cr_assert_eq(ord_message_decode(&r, &m), ORD_OK);
	cr_assert_eq(m.kind, ORD_MESSAGE_REFUND);
	cr_assert_eq(m.reason, ORD_REFUSAL_ID_REUSED);
	cr_assert_eq(m.transfer.amount, 5);
}

Test(partition_transfer, money_comes_back_once_and_only_after_it_left)
{
	transfer(t2, payer, payee, 501);
	forge(PAYEES, PAYERS, forged(ORD_MESSAGE_REFUND, t2, HOME, 501));
	cr_assert_eq(build_balance(&l, payer), 0);
	cr_assert_not(l.fx.outbox_grew);
	forge(PAYEES, PAYERS, forged(ORD_MESSAGE_REFUND, t1, HOME, 9));
	cr_assert_eq(build_balance(&l, payer), 0);
	cr_assert_not(l.fx.outbox_grew);
	/* Nor after a debit that was refused. */
	apply(HOME, build_transfer(t1, payer, payee, 1001));
	deliver(HOME, PAYERS, 1);
	forge(PAYEES, PAYERS, forged(ORD_MESSAGE_REFUND, t1, HOME, 1001));
	cr_assert_eq(build_balance(&l, payer), 0);
	cr_assert_eq(status_of(PAYERS).ignored_count, 3);
}

Test(partition_transfer, an_outcome_never_changes)
{
	transfer(t1, payer, payee, 300);
	struct ord_message m = forged(ORD_MESSAGE_OUTCOME, t1, HOME, 0);
	m.reason = ORD_REFUSAL_BELOW_FLOOR;
	forge(PAYEES, HOME, m);
	cr_assert_eq(l.fx.outcomes_count, 0);
	cr_assert_eq(build_request(&l, HOME, t1).status, ORD_STATUS_SETTLED);
	m.request_id = text_id_of("nobody's");
	forge(PAYEES, HOME, m);
	apply(HOME, build_claim("c1", "users", "ada", "u1"));
	m.request_id = text_id_of("c1");
	forge(PAYEES, HOME, m);
	cr_assert_eq(build_request(&l, HOME, "c1").status, ORD_STATUS_SETTLED);
	cr_assert_eq(l.fx.outcomes_count, 0);
	cr_assert_eq(status_of(HOME).ignored_count, 3);
	cr_assert_eq(status_of(HOME).unsettled_count, 0);
	/* Nor is an outcome taken that was meant for another home. */
	apply(HOME, build_transfer(t2, payer, payee, 1));
	m = forged(ORD_MESSAGE_OUTCOME, t2, PAYERS, 0);
	forge(PAYEES, HOME, m);
	cr_assert_eq(build_request(&l, HOME, t2).status, ORD_STATUS_ACCEPTED);
}

Test(partition_transfer, a_home_that_does_not_exist_changes_nothing)
{
	forge(HOME, PAYERS, forged(ORD_MESSAGE_DEBIT, t1, COUNT, 5));
	cr_assert_eq(build_balance(&l, payer), 0);
	cr_assert_not(l.fx.outbox_grew);
	forge(PAYERS, HOME, forged(ORD_MESSAGE_OUTCOME, t1, UINT32_MAX, 0));
	cr_assert_eq(status_of(PAYERS).ignored_count, 1);
	cr_assert_eq(status_of(HOME).ignored_count, 1);
	/* They count as applied: the outbox behind them goes on. */
	cr_assert_eq(ord_partition_cursor(l.partitions[PAYERS], HOME), 1);
}
