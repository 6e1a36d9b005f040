/* SPDX-License-Identifier: Apache-2.0 - what no log may do: each thing that is broken on purpose is found by the record of the simulator. */
#include "tests/sim/follow.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "partition/account.h"
#include "partition/name.h"
#include "partition/posting.h"
#include "partition/request.h"
#include "partition/route.h"
#include "partition/state.h"
#include "tests/sim/money.h"
#include "tests/sim/record.h"
#include "tests/sim/record_wrap.h"
#include "tests/sim/trail.h"
#include "tests/support/partition_build.h"
#include "tests/support/sim_stub_history.h"
#include "tests/support/sim_stub_record.h"
#include "tests/support/text.h"

static struct history_names names;

static void make(void)
{
	names = history_open();
}

TestSuite(sim_follow, .init = make, .fini = history_close, .timeout = 30);

static struct ord_account *account_of(struct ord_partition *p, const char *account)
{
	return ord_account_find(p, ord_slice_text(account));
}

static struct ord_request *request_of(struct ord_partition *p, const char *id)
{
	struct ord_uuid uuid = text_id_of(id);

	return ord_request_find(p, &uuid);
}

static void command(struct ord_command c)
{
	history_command(c);
}

static void settle_and_check(void)
{
	history_settle();
	sim_record_check();
}

static void open_another(void)
{
	const char *other = build_account_in("other", 1, HISTORY_PARTITIONS);

	command(build_open("o5", other, "EUR", 0, INT64_MAX));
}

static void ask_again(void)
{
	command(build_open("o2", names.alice, "EUR", 0, INT64_MAX));
}

/* --- Answers. --- */

/* An entry that the copy has applied already, with effects that were changed since. */
static struct {
	struct ord_bytes bytes;
	struct ord_effects fx;
	struct sim_entry entry;
} odd;

static void odd_make(const struct ord_command *c)
{
	uint32_t p = ord_route_command(c, HISTORY_PARTITIONS);

	ord_bytes_init(&odd.bytes, 1000);
	ord_effects_init(&odd.fx);
	ord_entry_begin(&odd.bytes, history_time_us());
	ord_command_encode(c, &odd.bytes);
	ord_entry_end(&odd.bytes, 1);
	odd.entry = (struct sim_entry){
		.partition = p,
		.number = sim_record_entries(p),
		.bytes = ord_bytes_slice(&odd.bytes),
		.begin = sim_record_position(p),
		.end = sim_record_position(p) + 1,
		.time_us = history_time_us(),
		.commands_count = 1,
		.fx = &odd.fx,
	};
	cr_assert_eq(__real_ord_partition_apply(history_copy(p), ord_bytes_slice(&odd.bytes), &odd.fx), ORD_OK);
}

static void odd_follow(void)
{
	sim_follow_entry(&odd.entry);
}

static void expect_odd(const char *words)
{
	expect_failure(odd_follow, words);
	ord_bytes_close(&odd.bytes);
	ord_effects_close(&odd.fx);
}

static void odd_claim(void)
{
	struct ord_command c = build_claim("n1", "users", "ada", "one");

	odd_make(&c);
}

static void odd_transfer(void)
{
	struct ord_command c = history_transfer("one", 2, names.bank, names.alice, 1);

	odd_make(&c);
}

Test(sim_follow, a_missing_answer_is_found)
{
	odd_claim();
	odd.fx.replies_count = 0;
	expect_odd("is missing");
}

Test(sim_follow, an_answer_to_another_command_is_found)
{
	odd_claim();
	odd.fx.replies[0].command_number = 1;
	expect_odd("is missing");
}

Test(sim_follow, an_answer_too_many_is_found)
{
	odd_claim();
	ord_effects_add_reply(&odd.fx, &(struct ord_reply){.command_number = 1});
	expect_odd("has 2 answers and 0 outcomes, not 1 and 0");
}

Test(sim_follow, an_outcome_too_many_is_found)
{
	odd_transfer();
	ord_effects_add_outcome(&odd.fx, &(struct ord_outcome){.request_id = text_id_of("x")});
	expect_odd("has 1 answers and 1 outcomes, not 1 and 0");
}

Test(sim_follow, a_new_request_that_is_called_old_is_found)
{
	odd_claim();
	odd.fx.replies[0].result.replayed = true;
	expect_odd("says that it was logged before, and it is new");
}

Test(sim_follow, an_old_request_that_is_called_new_is_found)
{
	struct ord_command c = build_open("o2", names.alice, "EUR", 0, INT64_MAX);

	odd_make(&c);
	odd.fx.replies[0].result.replayed = false;
	expect_odd("says that it is new, and it was logged before");
}

Test(sim_follow, a_claim_that_is_only_accepted_is_found)
{
	odd_claim();
	odd.fx.replies[0].result.status = ORD_STATUS_ACCEPTED;
	expect_odd("does not decide what is decided where it is logged");
}

Test(sim_follow, an_answer_that_is_not_the_states_is_found)
{
	odd_transfer();
	odd.fx.replies[0].result.status = ORD_STATUS_SETTLED;
	expect_odd("is not what the state says");
}

/* --- Requests (6). --- */

Test(sim_follow, an_answer_that_changes_is_found)
{
	for (uint32_t node = 1; node <= HISTORY_NODES; node++)
		request_of(history_replica(node, 1), "o2")->status = ORD_STATUS_REJECTED;
	request_of(history_copy(1), "o2")->status = ORD_STATUS_REJECTED;
	expect_failure(ask_again, "is not what was decided (invariant 6)");
}

Test(sim_follow, a_request_that_is_logged_twice_is_found)
{
	struct ord_request *r = request_of(history_copy(1), "o2");

	ord_table_remove(&history_copy(1)->requests, &r->row.link);
	expect_failure(ask_again, "names another place");
}

static void log_elsewhere(void)
{
	struct ord_command c = history_transfer("one", 0, names.bank, names.alice, 1);

	history_log(1, &c, 1);
}

Test(sim_follow, a_command_in_a_wrong_partition_is_found)
{
	expect_failure(log_elsewhere, "should come from another partition");
}

/* --- Money (1, 2, 3). --- */

Test(sim_follow, a_debit_below_the_floor_is_found)
{
	account_of(history_copy(0), names.bank)->floor = -5000;
	command(history_transfer("one", 1, names.bank, names.alice, 1001));
	expect_failure(settle_and_check, "a debit below the floor");
}

Test(sim_follow, a_credit_above_the_ceiling_is_found)
{
	account_of(history_copy(2), names.bob)->ceiling = 5000;
	command(history_transfer("one", 1, names.bank, names.bob, 501));
	expect_failure(settle_and_check, "a credit above the ceiling");
}

Test(sim_follow, a_balance_that_is_no_sum_is_found)
{
	account_of(history_copy(0), names.bank)->balance = 7;
	command(history_transfer("one", 1, names.bank, names.alice, 1));
	expect_failure(settle_and_check, "the balance after it is not the sum");
}

static void pay_again(void)
{
	command(history_transfer("two", 1, names.bank, names.alice, 1));
	history_settle();
}

Test(sim_follow, a_posting_of_another_time_is_found)
{
	history_copy(0)->time_us = UINT64_MAX;
	expect_failure(pay_again, "its number, place or time");
}

Test(sim_follow, postings_that_are_lost_are_found)
{
	struct ord_account *bank = account_of(history_copy(0), names.bank);

	command(history_transfer("one", 1, names.bank, names.alice, 1));
	command(history_transfer("three", 1, names.bank, names.alice, 1));
	settle_and_check();
	bank->postings_count = 0;
	expect_failure(pay_again, "has lost postings");
}

static void check_money(void)
{
	sim_money_check(0, 0);
}

Test(sim_follow, money_that_comes_from_nowhere_is_found)
{
	sim_money_add(ord_slice_text("EUR"), 1);
	sim_money_add(ord_slice_text("USD"), -1);
	sim_money_add(ord_slice_text("EUR"), -1);
	expect_failure(check_money, "invariant 1");
	sim_money_add(ord_slice_text("USD"), 1);
	expect_content(check_money);
}

/* The bank's debit is forgotten, and the message that asked for it comes once more. */
static void deliver_once_more(void)
{
	struct ord_command d;
	struct ord_uuid id;

	command(history_transfer("one", 1, names.bank, names.alice, 1));
	d = history_deliver(1, 0, 1, 1);
	history_log(0, &d, 1);
	id = text_id_of(history_id("one", 1));
	cr_assert_not_null(ord_posting_find(sim_record_partition(0), &id, ORD_POSTING_DEBIT));
	history_copy(0)->cursors[1] = 0;
	history_log(0, &d, 1);
}

Test(sim_follow, a_stage_that_comes_again_is_found)
{
	expect_failure(deliver_once_more, "brings a stage or an outcome once more");
}

static void settle_from_nowhere(void)
{
	struct ord_request *r;

	command(history_transfer("one", 1, names.bank, names.alice, 1));
	history_move(1, 0);
	/* The credit is here; before it comes, the outcome is there without it. */
	r = request_of(history_copy(1), history_id("one", 1));
	r->status = ORD_STATUS_REJECTED;
	r->reason = ORD_REFUSAL_UNKNOWN_PAYER;
	history_move(0, 1);
}

Test(sim_follow, an_outcome_that_the_stages_do_not_lead_to_is_found)
{
	expect_failure(settle_from_nowhere, "has an outcome that its stages do not lead to");
}

/* A transfer as the record has it. */
static struct sim_request_trail *trail_of(const char *stem, uint32_t home)
{
	struct ord_uuid id = text_id_of(history_id(stem, home));

	return sim_trail_find_request(home, &id);
}

Test(sim_follow, a_credit_without_debit_is_found)
{
	command(history_transfer("one", 1, names.bank, names.alice, 1));
	history_move(1, 0);
	trail_of("one", 1)->debit.begin = 0;
	expect_failure(settle_and_check, "is credited and was not debited");
}

Test(sim_follow, a_refund_of_what_was_credited_is_found)
{
	command(history_transfer("one", 0, names.bank, names.nobody, 1));
	history_move(0, 2);
	trail_of("one", 0)->credit.reason = ORD_REFUSAL_NONE;
	expect_failure(settle_and_check, "is refunded and its credit was not refused");
}

Test(sim_follow, a_stage_that_changes_is_found)
{
	command(history_transfer("one", 0, names.bank, names.nobody, 1));
	history_move(0, 2);
	trail_of("one", 0)->debit.reason = ORD_REFUSAL_BELOW_FLOOR;
	expect_failure(settle_and_check, "has done a stage twice");
}

Test(sim_follow, a_transfer_that_is_forgotten_is_found)
{
	struct ord_request *r;

	command(history_transfer("one", 2, names.bank, names.alice, 1));
	history_move(2, 0);
	r = request_of(history_copy(2), history_id("one", 2));
	ord_table_remove(&history_copy(2)->requests, &r->row.link);
	expect_failure(settle_and_check, "is forgotten");
}

Test(sim_follow, a_message_of_a_transfer_that_nobody_asked_is_found)
{
	command(history_transfer("one", 2, names.bank, names.alice, 1));
	trail_of("one", 2)->kind = ORD_COMMAND_CLAIM;
	expect_failure(settle_and_check, "of a transfer that partition 2 has not logged");
}

/* All copies and replicas alike refuse what the account allows: only who knows what was asked of it can tell. */
static void freeze_silently(void)
{
	account_of(history_copy(1), names.alice)->state = ORD_ACCOUNT_FROZEN;
	command(history_transfer("one", 1, names.bank, names.alice, 1));
	history_settle();
}

Test(sim_follow, what_the_model_does_not_say_is_found)
{
	expect_failure(freeze_silently, "the naive model says otherwise");
}

/* --- Names (4). --- */

static void claim_and_release(void)
{
	struct ord_command claim = build_claim("n1", "users", "ada", "one");
	uint32_t p = history_command(claim);
	struct ord_name *n = ord_name_find(history_copy(p), claim.naming.space, claim.naming.name);

	n->text[n->space_bytes + n->name_bytes] = 'X';
	command(build_release("n2", "users", "ada", "one"));
}

Test(sim_follow, a_name_that_changes_hands_by_itself_is_found)
{
	expect_failure(claim_and_release, "invariant 4");
}

/* --- Messages (7). --- */

static struct ord_command delivery;

static void log_delivery(void)
{
	history_log(0, &delivery, 1);
}

Test(sim_follow, a_message_that_was_not_sent_is_found)
{
	command(history_transfer("one", 1, names.bank, names.alice, 1));
	delivery = history_deliver(1, 0, 1, 1);
	delivery.deliver.first = 2;
	expect_failure(log_delivery, "is delivered message 2 of 1, which has sent 1");
}

Test(sim_follow, a_message_that_was_changed_is_found)
{
	static uint8_t bytes[512];

	command(history_transfer("one", 1, names.bank, names.alice, 1));
	delivery = history_deliver(1, 0, 1, 1);
	memcpy(bytes, delivery.deliver.messages.base, delivery.deliver.messages.len);
	bytes[5] ^= 1;
	delivery.deliver.messages.base = bytes;
	expect_failure(log_delivery, "it is not what was sent");
}

Test(sim_follow, a_message_of_nobody_is_found)
{
	command(history_transfer("one", 1, names.bank, names.alice, 1));
	delivery = history_deliver(1, 0, 1, 1);
	delivery.deliver.source = 0;
	expect_failure(log_delivery, "delivers messages of partition 0");
}

static void log_trim(void)
{
	struct ord_command t = {.kind = ORD_COMMAND_TRIM, .trim = {0, 1}};

	history_log(1, &t, 1);
}

Test(sim_follow, a_trim_of_what_was_not_applied_is_found)
{
	command(history_transfer("one", 1, names.bank, names.alice, 1));
	expect_failure(log_trim, "which are not all applied there");
}

Test(sim_follow, a_cursor_that_jumps_is_found)
{
	history_copy(1)->cursors[2] = 3;
	expect_failure(open_another, "its cursor of 2 is 3, and 0 were due");
}

static void send_nothing(void)
{
	command(history_transfer("two", 1, names.bank, names.alice, 1));
}

Test(sim_follow, a_message_that_has_gone_is_found)
{
	command(history_transfer("one", 1, names.bank, names.alice, 1));
	history_copy(1)->outboxes[0].first = 3;
	expect_failure(send_nothing, "are trimmed, and 1 was the last to be sent");
}

Test(sim_follow, a_message_that_is_taken_back_is_found)
{
	command(history_transfer("one", 1, names.bank, names.alice, 1));
	history_copy(1)->outboxes[0].next = 1;
	expect_failure(open_another, "message 1 to 0 has gone");
}

/* --- All of it. --- */

Test(sim_follow, the_check_finds_an_account_that_no_entry_changed)
{
	struct ord_account *a = account_of(history_copy(0), names.bank);

	a->balance++;
	expect_failure(sim_follow_check, "was changed, and no entry did it");
	ord_table_remove(&history_copy(0)->accounts, &a->row.link);
	expect_failure(sim_follow_check, "was changed, and no entry did it");
}

Test(sim_follow, the_check_finds_a_name_that_no_entry_changed)
{
	struct ord_command claim = build_claim("n1", "users", "ada", "one");
	uint32_t p = history_command(claim);
	struct ord_name *n = ord_name_find(history_copy(p), claim.naming.space, claim.naming.name);

	n->position++;
	expect_failure(sim_follow_check, "has another owner than the log says");
	n->position--;
	expect_content(sim_follow_check);
}

Test(sim_follow, the_check_finds_a_request_that_no_entry_changed)
{
	request_of(history_copy(1), "o2")->reason = ORD_REFUSAL_ACCOUNT_DIFFERS;
	expect_failure(sim_follow_check, "is not what was decided: settled for reason 10, was settled for reason 0");
}

Test(sim_follow, the_check_of_all_finds_what_no_entry_did)
{
	account_of(history_copy(0), names.bank)->balance++;
	expect_failure(sim_record_check, "digest");
}

Test(sim_follow, the_check_finds_a_changed_request)
{
	struct ord_partition *p = history_copy(1);
	struct ord_request *r = request_of(p, "o2");
	uint64_t digest[2];
	struct ord_partition_status status;

	r->status = ORD_STATUS_REJECTED;
	r->reason = ORD_REFUSAL_ACCOUNT_DIFFERS;
	ord_partition_digest_recompute(p, digest);
	ord_partition_status(p, &status);
	for (int i = 0; i < 2; i++)
		p->digest.sum[i] += digest[i] - status.state_digest[i];
	expect_failure(sim_record_check, "the naive model says otherwise");
}
