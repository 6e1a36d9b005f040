/* SPDX-License-Identifier: Apache-2.0 - accounts: opened once, opened, frozen and closed; and how request ids are remembered. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "tests/support/partition_build.h"
#include "tests/support/text.h"

static struct lab l;

static void open_lab(void)
{
	lab_open(&l, 1);
}

static void close_lab(void)
{
	lab_close(&l);
}

TestSuite(partition_account, .init = open_lab, .fini = close_lab);

static struct ord_result apply(struct ord_command c)
{
	return build_apply(&l, 0, c, 1000 + l.logs[0].count);
}

static void cr_result(struct ord_result r, enum ord_status status, enum ord_refusal reason)
{
	cr_assert_eq(r.status, status, "status %s", ord_status_name(r.status));
	cr_assert_eq(r.reason, reason, "reason %s", ord_refusal_name(r.reason));
	cr_assert_not(r.replayed);
}

static void cr_field(struct ord_result r, const char *field)
{
	cr_assert_not_null(r.field);
	cr_assert_str_eq(r.field, field);
}

Test(partition_account, opens_with_balance_zero)
{
	struct ord_account_view view;

	cr_result(apply(build_open("o1", "alice", "EUR", -5, 700)), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
	cr_assert_eq(ord_partition_account(l.partitions[0], ord_slice_text("alice"), &view), ORD_OK);
	cr_assert(ord_slice_equal(view.account, ord_slice_text("alice")));
	cr_assert(ord_slice_equal(view.asset, ord_slice_text("EUR")));
	cr_assert_eq(view.state, ORD_ACCOUNT_OPEN);
	cr_assert_eq(view.balance, 0);
	cr_assert_eq(view.floor, -5);
	cr_assert_eq(view.ceiling, 700);
	cr_assert_eq(view.postings_count, 0);
	cr_assert_eq(view.opened_us, 1000);
	cr_assert_eq(ord_partition_account(l.partitions[0], ord_slice_text("alic"), &view), ORD_ERR_NOT_FOUND);
}

Test(partition_account, opening_again_is_fine_only_with_the_same_properties)
{
	apply(build_open("o1", "alice", "EUR", -5, 700));
	apply(build_set("s1", "alice", ORD_ACCOUNT_FROZEN));
	cr_result(apply(build_open("o2", "alice", "EUR", -5, 700)), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
	struct ord_result r = apply(build_open("o3", "alice", "USD", -6, 700));
	cr_result(r, ORD_STATUS_REJECTED, ORD_REFUSAL_ACCOUNT_DIFFERS);
	cr_field(r, "asset");
	r = apply(build_open("o4", "alice", "EUR", -6, 701));
	cr_result(r, ORD_STATUS_REJECTED, ORD_REFUSAL_ACCOUNT_DIFFERS);
	cr_field(r, "floor");
	r = apply(build_open("o5", "alice", "EUR", -5, 701));
	cr_field(r, "ceiling");
	/* The refusal is remembered, with its field. */
	r = apply(build_open("o5", "alice", "EUR", -5, 701));
	cr_assert(r.replayed);
	cr_assert_eq(r.reason, ORD_REFUSAL_ACCOUNT_DIFFERS);
	cr_field(r, "ceiling");
}

Test(partition_account, freezes_thaws_and_closes)
{
	struct ord_account_view view;

	cr_result(apply(build_set("s0", "alice", ORD_ACCOUNT_OPEN)), ORD_STATUS_REJECTED, ORD_REFUSAL_UNKNOWN_ACCOUNT);
	apply(build_open("o1", "alice", "EUR", 0, 10));
	cr_result(apply(build_set("s1", "alice", ORD_ACCOUNT_OPEN)), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
	cr_result(apply(build_set("s2", "alice", ORD_ACCOUNT_FROZEN)), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
	ord_partition_account(l.partitions[0], ord_slice_text("alice"), &view);
	cr_assert_eq(view.state, ORD_ACCOUNT_FROZEN);
	cr_result(apply(build_set("s3", "alice", ORD_ACCOUNT_OPEN)), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
	cr_result(apply(build_set("s4", "alice", ORD_ACCOUNT_CLOSED)), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
	cr_result(apply(build_set("s5", "alice", ORD_ACCOUNT_CLOSED)), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
	cr_result(apply(build_set("s6", "alice", ORD_ACCOUNT_OPEN)), ORD_STATUS_REJECTED, ORD_REFUSAL_ACCOUNT_CLOSED);
	cr_result(apply(build_set("s7", "alice", ORD_ACCOUNT_FROZEN)), ORD_STATUS_REJECTED, ORD_REFUSAL_ACCOUNT_CLOSED);
	ord_partition_account(l.partitions[0], ord_slice_text("alice"), &view);
	cr_assert_eq(view.state, ORD_ACCOUNT_CLOSED);
}

Test(partition_account, closes_only_with_balance_zero)
{
	apply(build_open("o1", "bank", "EUR", -100, 100));
	apply(build_open("o2", "alice", "EUR", 0, 100));
	apply(build_transfer("t1", "bank", "alice", 1));
	cr_result(apply(build_set("s1", "alice", ORD_ACCOUNT_CLOSED)), ORD_STATUS_REJECTED,
		  ORD_REFUSAL_BALANCE_NOT_ZERO);
	cr_result(apply(build_set("s2", "bank", ORD_ACCOUNT_CLOSED)), ORD_STATUS_REJECTED,
		  ORD_REFUSAL_BALANCE_NOT_ZERO);
	cr_result(apply(build_set("s3", "alice", ORD_ACCOUNT_FROZEN)), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
	cr_result(apply(build_set("s4", "alice", ORD_ACCOUNT_CLOSED)), ORD_STATUS_REJECTED,
		  ORD_REFUSAL_BALANCE_NOT_ZERO);
}

/* --- request ids --- */

Test(partition_account, a_repeated_request_is_answered_as_the_first_time)
{
	struct ord_result first = apply(build_open("o1", "alice", "EUR", 0, 10));
	apply(build_set("s1", "alice", ORD_ACCOUNT_FROZEN));
	struct ord_result again = apply(build_open("o1", "alice", "EUR", 0, 10));

	cr_assert_eq(first.position, 0);
	cr_assert_eq(again.position, 0);
	cr_assert(again.replayed);
	cr_assert_eq(again.status, ORD_STATUS_SETTLED);
	/* A repeated command does nothing: the account that was frozen before and opened since is not frozen by it. */
	apply(build_set("s2", "alice", ORD_ACCOUNT_OPEN));
	again = apply(build_set("s1", "alice", ORD_ACCOUNT_FROZEN));
	cr_assert(again.replayed);
	cr_assert_eq(again.position, 1);
	struct ord_account_view view;
	ord_partition_account(l.partitions[0], ord_slice_text("alice"), &view);
	cr_assert_eq(view.state, ORD_ACCOUNT_OPEN);
}

Test(partition_account, a_refusal_is_remembered_after_its_cause_is_gone)
{
	apply(build_set("s1", "alice", ORD_ACCOUNT_FROZEN));
	apply(build_open("o1", "alice", "EUR", 0, 10));
	struct ord_result r = apply(build_set("s1", "alice", ORD_ACCOUNT_FROZEN));
	cr_assert(r.replayed);
	cr_assert_eq(r.status, ORD_STATUS_REJECTED);
	cr_assert_eq(r.reason, ORD_REFUSAL_UNKNOWN_ACCOUNT);
	cr_result(apply(build_set("s2", "alice", ORD_ACCOUNT_FROZEN)), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
}

static void cr_reused(struct ord_command c, const char *field)
{
	struct ord_partition_status before, after;

	ord_partition_status(l.partitions[0], &before);
	struct ord_result r = apply(c);
	ord_partition_status(l.partitions[0], &after);
	cr_result(r, ORD_STATUS_REJECTED, ORD_REFUSAL_ID_REUSED);
	cr_field(r, field);
	cr_assert_eq(r.position, 1);
	cr_assert_eq(after.requests_count, before.requests_count);
	cr_assert_eq(after.accounts_count, before.accounts_count);
}

Test(partition_account, an_id_with_another_payload_is_refused_by_its_first_difference)
{
	apply(build_open("o0", "bank", "EUR", -100, 100));
	apply(build_open("o1", "alice", "EUR", -5, 700));
	cr_reused(build_open("o1", "bob", "USD", -6, 701), "account");
	cr_reused(build_open("o1", "alice", "USD", -6, 701), "asset");
	cr_reused(build_open("o1", "alice", "EUR", -6, 701), "floor");
	cr_reused(build_open("o1", "alice", "EUR", -5, 701), "ceiling");
	cr_reused(build_set("o1", "alice", ORD_ACCOUNT_CLOSED), "method");
	cr_reused(build_transfer("o1", "bank", "alice", 1), "method");
	cr_reused(build_claim("o1", "users", "ada", "u1"), "method");
	cr_assert_eq(build_balance(&l, "alice"), 0);
	/* The first one stands. */
	struct ord_result r = apply(build_open("o1", "alice", "EUR", -5, 700));
	cr_assert(r.replayed);
	cr_assert_eq(r.status, ORD_STATUS_SETTLED);
}

Test(partition_account, the_state_asked_for_is_part_of_the_payload)
{
	apply(build_open("o1", "alice", "EUR", 0, 10));
	apply(build_set("s1", "alice", ORD_ACCOUNT_FROZEN));
	cr_reused(build_set("s1", "alice", ORD_ACCOUNT_OPEN), "state");
	cr_reused(build_set("s1", "bob", ORD_ACCOUNT_OPEN), "account");
}

Test(partition_account, a_request_can_be_read)
{
	struct ord_request_view view;
	struct ord_uuid id = text_id_of("o1");

	cr_assert_eq(ord_partition_request(l.partitions[0], &id, &view), ORD_ERR_NOT_FOUND);
	apply(build_open("o1", "alice", "EUR", -5, 700));
	cr_assert_eq(ord_partition_request(l.partitions[0], &id, &view), ORD_OK);
	cr_assert_eq(view.command.kind, ORD_COMMAND_OPEN_ACCOUNT);
	cr_assert(ord_uuid_equal(&view.command.request_id, &id));
	cr_assert(ord_slice_equal(view.command.open_account.account, ord_slice_text("alice")));
	cr_assert_eq(view.command.open_account.floor, -5);
	cr_assert_eq(view.result.status, ORD_STATUS_SETTLED);
	cr_assert_eq(view.logged_us, 1000);
	cr_assert_eq(view.decided_us, 1000);
}
