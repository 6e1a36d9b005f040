/* SPDX-License-Identifier: Apache-2.0 - what clients are told, held against the logs: right answers pass, and each kind of wrong one is found. */
#include "tests/sim/observe.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "partition/request.h"
#include "partition/route.h"
#include "partition/state.h"
#include "tests/sim/record.h"
#include "tests/sim/world.h"
#include "tests/support/partition_build.h"
#include "tests/support/sim_stub_history.h"
#include "tests/support/sim_stub_record.h"
#include "tests/support/text.h"

static struct history_names names;

static void make(void)
{
	names = history_open();
}

TestSuite(sim_observe, .init = make, .fini = history_close, .timeout = 30);

/* --- As clients have it. --- */

static struct ordain_command asked_as(const struct ord_command *c)
{
	struct ordain_command a = {.kind = (enum ordain_command_kind)c->kind};

	memcpy(a.id.bytes, c->request_id.bytes, sizeof a.id.bytes);
	switch (c->kind) {
	case ORD_COMMAND_OPEN_ACCOUNT:
		a.open_account.account = history_str(c->open_account.account);
		a.open_account.asset = history_str(c->open_account.asset);
		a.open_account.floor = c->open_account.floor;
		a.open_account.ceiling = c->open_account.ceiling;
		break;
	case ORD_COMMAND_TRANSFER:
		a.transfer.payer = history_str(c->transfer.payer);
		a.transfer.payee = history_str(c->transfer.payee);
		a.transfer.asset = history_str(c->transfer.asset);
		a.transfer.amount = c->transfer.amount;
		break;
	default:
		a.naming.space = history_str(c->naming.space);
		a.naming.name = history_str(c->naming.name);
		a.naming.owner = history_str(c->naming.owner);
		a.naming.expected = history_str(c->naming.expected);
		break;
	}
	return a;
}

/* What the log has of the command now, as an answer to the call that logged it. */
static struct ordain_result answer_to(const struct ord_command *c)
{
	uint32_t partition = ord_route_command(c, HISTORY_PARTITIONS);
	struct ord_request_view view;
	struct ordain_result r = {.partition = partition};

	cr_assert_eq(ord_partition_request(sim_record_partition(partition), &c->request_id, &view), ORD_OK);
	memcpy(r.id.bytes, c->request_id.bytes, sizeof r.id.bytes);
	r.status = (enum ordain_status)view.result.status;
	r.code = (int)view.result.reason;
	r.field = view.result.field;
	r.offset = view.result.position;
	r.answer = r.status == ORDAIN_STATUS_REJECTED ? ORDAIN_REFUSED : ORDAIN_OK;
	return r;
}

/* The operation that a test is about, and what is told of it. */
static struct sim_moment began;
static struct ord_command command;
static struct ordain_command asked;
static struct ordain_result result;

static void submit(void)
{
	began = sim_observe_begin();
	asked = asked_as(&command);
	sim_observe_submit(&asked);
}

static void tell(void)
{
	sim_observe_result(&began, &asked, &result);
}

/* Asked, logged, and carried through as far as it goes; the answer is ready to be told. */
static void carry_out(struct ord_command c)
{
	command = c;
	submit();
	history_command(command);
	history_settle();
	result = answer_to(&command);
}

static void carry_out_payment(void)
{
	carry_out(history_transfer("paid", 2, names.bank, names.alice, 100));
}

/* --- Results that are right. --- */

static void tell_many(void)
{
	carry_out_payment();
	tell();
	cr_assert_gt(sim_observe_begin().told[2], sim_record_boundary(2, result.offset)); /* the outcome */
	cr_assert_gt(sim_observe_begin().told[0], 1);					  /* the debit */
	cr_assert_gt(sim_observe_begin().told[1], 1);					  /* the credit */
	submit();
	result.replayed = true;
	tell();
	command.transfer.amount++;
	submit();
	result = (struct ordain_result){.id = asked.id,
					.answer = ORDAIN_REFUSED,
					.status = ORDAIN_STATUS_REJECTED,
					.code = ORD_REFUSAL_ID_REUSED,
					.field = "amount",
					.partition = 2,
					.offset = result.offset};
	tell();
	carry_out(build_claim("n1", "users", "ada", "one"));
	tell();
	carry_out(build_claim("n2", "users", "ada", "two"));
	cr_assert_eq(result.code, ORD_REFUSAL_NAME_TAKEN);
	tell();
	carry_out(build_open("o7", names.bank, "EUR", 0, INT64_MAX));
	cr_assert_str_eq(result.field, "floor");
	tell();
	sim_record_check();
	sim_observe_check();
}

Test(sim_observe, right_results_are_taken_as_such)
{
	expect_content(tell_many);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_RESULT_ID_REUSED), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_RESULT_REPLAYED), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_RESULT_SETTLED), 3);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_RESULT_REFUSED), 3);
}

static void fill_undecided(enum ordain_answer answer)
{
	result = (struct ordain_result){.id = asked.id, .answer = answer, .code = ORDAIN_ERR_BUSY};
}

static void learn_slowly(void)
{
	command = history_transfer("slow", 2, names.bank, names.alice, 1);
	submit();
	fill_undecided(ORDAIN_FAILED);
	tell();
	submit();
	fill_undecided(ORDAIN_UNKNOWN);
	tell();
	submit();
	history_command(command);
	result = answer_to(&command);
	cr_assert_eq(result.status, ORDAIN_STATUS_ACCEPTED);
	result.answer = ORDAIN_UNKNOWN;
	result.code = ORDAIN_ERR_UNKNOWN_OUTCOME;
	tell();
	submit();
	history_settle();
	result = answer_to(&command);
	result.replayed = true;
	tell();
	sim_observe_check();
}

Test(sim_observe, what_was_unknown_becomes_known)
{
	expect_content(learn_slowly);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_UNKNOWN_BECAME_KNOWN), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_RESULT_FAILED), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_RESULT_UNKNOWN), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_RESULT_UNKNOWN_ACCEPTED), 1);
}

/* --- Results that are wrong. --- */

Test(sim_observe, a_result_that_is_wrong_in_itself_is_found)
{
	carry_out_payment();
	struct ordain_result right = result;
	static const struct {
		enum ordain_answer answer;
		enum ordain_status status;
		int code;
	} impossible[] = {
		{ORDAIN_OK, ORDAIN_STATUS_NONE, 0},
		{ORDAIN_OK, ORDAIN_STATUS_REJECTED, 0},
		{ORDAIN_OK, ORDAIN_STATUS_SETTLED, 5},
		{ORDAIN_REFUSED, ORDAIN_STATUS_SETTLED, 5},
		{ORDAIN_REFUSED, ORDAIN_STATUS_REJECTED, 0},
		{ORDAIN_UNKNOWN, ORDAIN_STATUS_SETTLED, 10},
		{ORDAIN_FAILED, ORDAIN_STATUS_ACCEPTED, 10},
		{ORDAIN_FAILED, ORDAIN_STATUS_NONE, 0},
		{0, ORDAIN_STATUS_SETTLED, 0},
	};

	for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
		result = right;
		result.answer = impossible[i].answer;
		result.status = impossible[i].status;
		result.code = impossible[i].code;
		expect_failure(tell, "do not go together");
	}
	result = right;
	result.id.bytes[3]++;
	expect_failure(tell, "another id");
}

Test(sim_observe, a_result_that_is_not_the_logs_is_found)
{
	carry_out_payment();
	struct ordain_result right = result;

	result.partition = 0;
	expect_failure(tell, "another partition");
	result = right;
	result.offset++;
	expect_failure(tell, "another position");
	result = right;
	result.answer = ORDAIN_REFUSED;
	result.status = ORDAIN_STATUS_REJECTED;
	result.code = ORD_REFUSAL_BELOW_FLOOR;
	expect_failure(tell, "another outcome");
	result = right;
	result.field = "amount";
	expect_failure(tell, "another field");
	result = right;
	result.answer = ORDAIN_REFUSED;
	result.status = ORDAIN_STATUS_REJECTED;
	result.code = ORD_REFUSAL_ID_REUSED;
	result.field = "amount";
	expect_failure(tell, "it is what the log has");
}

Test(sim_observe, the_outcome_of_another_payload_is_found)
{
	carry_out_payment();
	struct ordain_result right = result;

	command.transfer.payee = ord_slice_text(names.bob);
	submit();
	result.replayed = true;
	expect_failure(tell, "the outcome of another payload");
	result = right;
	result.answer = ORDAIN_REFUSED;
	result.status = ORDAIN_STATUS_REJECTED;
	result.code = ORD_REFUSAL_ID_REUSED;
	result.field = "amount";
	expect_failure(tell, "another field is named");
	result.field = "payee";
	result.replayed = true;
	expect_failure(tell, "is called a replay");
	result.replayed = false;
	expect_content(tell);
}

Test(sim_observe, the_difference_is_in_the_first_field_that_differs)
{
	struct ordain_result reused = {
		.answer = ORDAIN_REFUSED, .status = ORDAIN_STATUS_REJECTED, .code = ORD_REFUSAL_ID_REUSED};
	const struct {
		struct ord_command c;
		const char *field;
	} others[] = {
		{build_claim("n1", "users", "ada", "two"), "owner"},
		{build_release("n1", "users", "ada", "one"), "method"},
	};

	carry_out(build_claim("n1", "users", "ada", "one"));
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		command = others[i].c;
		submit();
		reused.id = asked.id;
		reused.partition = result.partition;
		reused.offset = result.offset;
		reused.field = others[i].field;
		struct ordain_result first = result;
		result = reused;
		expect_content(tell);
		result = first;
	}
}

Test(sim_observe, a_result_of_what_no_log_has_is_found)
{
	command = history_transfer("none", 2, names.bank, names.alice, 1);
	submit();
	result = (struct ordain_result){
		.id = asked.id, .answer = ORDAIN_OK, .status = ORDAIN_STATUS_ACCEPTED, .partition = 2};
	expect_failure(tell, "no log has it");
}

Test(sim_observe, two_calls_that_both_logged_it_are_found)
{
	carry_out_payment();
	struct sim_moment first = began;

	expect_content(tell);
	submit();
	began = first; /* both were under way at the same time */
	expect_failure(tell, "so another call was told, too");
}

Test(sim_observe, a_call_that_logged_before_it_began_is_found)
{
	carry_out_payment();
	expect_content(tell);
	submit();
	expect_failure(tell, "before what somebody was told before the call");
}

Test(sim_observe, a_call_that_logged_before_what_was_committed_is_found)
{
	carry_out_payment();
	submit();
	expect_failure(tell, "before what was committed before the call");
	result.replayed = true;
	expect_content(tell);
}

Test(sim_observe, no_outcome_where_there_was_one_is_found)
{
	carry_out_payment();
	submit();
	result.status = ORDAIN_STATUS_ACCEPTED;
	result.replayed = true;
	expect_failure(tell, "it has no outcome, and it had one when it was asked");
}

static void fail_and_log(void)
{
	command = history_transfer("fail", 2, names.bank, names.alice, 1);
	submit();
	fill_undecided(ORDAIN_FAILED);
	tell();
	history_command(command);
}

Test(sim_observe, an_outcome_that_is_not_told_is_found)
{
	sim_stub_record_at(SIM_SECOND);
	carry_out_payment();
	result.answer = ORDAIN_UNKNOWN;
	result.status = ORDAIN_STATUS_ACCEPTED;
	result.code = ORDAIN_ERR_UNKNOWN_OUTCOME;
	sim_stub_record_at(10 * SIM_SECOND);
	expect_content(tell); /* somebody was killed, perhaps */
	result.replayed = true;
	sim_observe_promptly();
	sim_stub_record_at(5 * SIM_SECOND);
	expect_content(tell);
	sim_stub_record_at(7 * SIM_SECOND);
	expect_failure(tell, "a call that waited for it was not told");
}

Test(sim_observe, what_failed_and_is_logged_is_found)
{
	fail_and_log();
	expect_failure(sim_observe_check, "was told that nothing was");
	expect_failure(submit, "was told that nothing was");
}

Test(sim_observe, what_failed_once_may_be_logged_by_another_call)
{
	command = history_transfer("fail", 2, names.bank, names.alice, 1);
	submit();
	submit();
	history_command(command);
	fill_undecided(ORDAIN_FAILED);
	expect_content(tell);
	expect_content(sim_observe_check);
	expect_failure(tell, "was told that nothing was");
}

Test(sim_observe, what_was_told_and_is_forgotten_is_found)
{
	carry_out_payment();
	expect_content(tell);
	struct ord_request *r = ord_request_find(history_copy(2), &command.request_id);

	r->status = ORD_STATUS_ACCEPTED;
	expect_failure(sim_observe_check, "a client was told 'settled'");
	r->status = ORD_STATUS_SETTLED;
	expect_content(sim_observe_check);
	ord_table_remove(&history_copy(2)->requests, &r->row.link);
	expect_failure(sim_observe_check, "the log has it no more");
}

/* --- Reads of accounts. --- */

static struct ordain_account account;
static const char *account_id;
static bool account_is_there;

/* As the log has it now. */
static void look_at(const char *id)
{
	struct ord_account_view v;
	uint32_t partition = ord_route_account(ord_slice_text(id), HISTORY_PARTITIONS);

	account_id = id;
	account_is_there = ord_partition_account(sim_record_partition(partition), ord_slice_text(id), &v) == ORD_OK;
	if (!account_is_there)
		return;
	account = (struct ordain_account){
		.account = history_str(v.account),
		.asset = history_str(v.asset),
		.state = (enum ordain_account_state)v.state,
		.balance = v.balance,
		.floor = v.floor,
		.ceiling = v.ceiling,
		.postings_count = v.postings_count,
		.opened_us = v.opened_us,
		.partition = partition,
	};
}

static void tell_account(void)
{
	sim_observe_account(&began, ordain_str_of(account_id), account_is_there ? &account : NULL);
}

Test(sim_observe, an_account_is_seen_as_it_was_in_the_span_of_the_read)
{
	look_at(names.alice);
	carry_out_payment(); /* begins before it is logged */
	expect_content(tell_account);
	look_at(names.alice);
	cr_assert_eq(account.balance, 100);
	expect_content(tell_account);
	began = sim_observe_begin();
	expect_content(tell_account);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_READ_LINEARIZABLE_STALE_POSSIBLE), 2);
}

Test(sim_observe, a_stale_account_is_found)
{
	look_at(names.alice);
	carry_out_payment();
	tell_account();
	struct sim_moment first = began;
	began = sim_observe_begin();
	expect_failure(tell_account, "before what was committed before the read began (stale)");
	began = first;
	tell();
	began = sim_observe_begin();
	expect_failure(tell_account, "before what somebody was told before the read began (stale)");
}

Test(sim_observe, what_a_read_has_seen_is_known_to_all)
{
	uint64_t before = sim_observe_begin().told[1];

	carry_out_payment();
	began = sim_observe_begin();
	look_at(names.alice);
	tell_account();
	cr_assert_eq(before, 0);
	cr_assert_eq(sim_observe_begin().told[1], 2);
}

Test(sim_observe, an_account_that_never_was_so_is_found)
{
	carry_out_payment();
	began = sim_observe_begin();
	look_at(names.alice);
	account.balance++;
	expect_failure(tell_account, "a state that it never had");
	look_at(names.alice);
	account.state = ORDAIN_ACCOUNT_FROZEN;
	expect_failure(tell_account, "a state that it never had");
	look_at(names.alice);
	account.ceiling--;
	expect_failure(tell_account, "another asset, limit");
	look_at(names.alice);
	account.partition = 0;
	expect_failure(tell_account, "another asset, limit");
	account_id = names.nobody;
	expect_failure(tell_account, "never opened");
}

Test(sim_observe, an_account_that_was_not_there_yet_may_be_missed)
{
	const char *other = build_account_in("other", 1, HISTORY_PARTITIONS);

	began = sim_observe_begin();
	look_at(other);
	expect_content(tell_account);
	history_command(build_open("o9", other, "EUR", 0, 1));
	expect_content(tell_account);
	began = sim_observe_begin();
	expect_failure(tell_account, "that there is no such account");
}

/* --- Histories. --- */

static struct ordain_posting page[4];
static struct ordain_history history;
static uint64_t from;

static void read_page(uint64_t first, size_t limit)
{
	struct ord_posting_view views[4];
	size_t count = 0, all = 0;

	from = first;
	ord_partition_history(sim_record_partition(1), ord_slice_text(names.alice), first, views, limit, &count);
	ord_partition_history(sim_record_partition(1), ord_slice_text(names.alice), first, views, 4, &all);
	for (size_t i = 0; i < count; i++) {
		page[i] = (struct ordain_posting){
			.number = views[i].number,
			.kind = (enum ordain_posting_kind)views[i].kind,
			.counterparty = history_str(views[i].counterparty),
			.amount = views[i].amount,
			.balance_after = views[i].balance_after,
			.partition = 1,
			.offset = views[i].position,
			.time_us = views[i].time_us,
		};
		memcpy(page[i].id.bytes, views[i].request_id.bytes, sizeof page[i].id.bytes);
	}
	history = (struct ordain_history){
		.account = ordain_str_of(names.alice),
		.postings = page,
		.postings_count = count,
		.next = count < all ? first + count : 0,
	};
}

static void tell_history(void)
{
	sim_observe_history(&began, ordain_str_of(names.alice), from, &history);
}

static void pay_three_times(void)
{
	for (unsigned i = 0; i < 3; i++) {
		char stem[8];

		snprintf(stem, sizeof stem, "h%c", 'a' + (char)i);
		carry_out(history_transfer(stem, 2, names.bank, names.alice, 1 + i));
	}
	began = sim_observe_begin();
}

Test(sim_observe, pages_of_a_history_are_taken_as_such)
{
	pay_three_times();
	for (uint64_t first = 1; first <= 5; first++) {
		for (size_t limit = 1; limit <= 4; limit++) {
			read_page(first, limit);
			expect_content(tell_history);
		}
	}
	cr_assert_gt(sim_stub_record_covered(SIM_COVER_HISTORY_PAGE), 0);
	read_page(1, 4);
	from = 0;
	expect_content(tell_history);
}

Test(sim_observe, a_wrong_page_is_found)
{
	pay_three_times();
	read_page(1, 4);
	page[1].amount++;
	expect_failure(tell_history, "a posting in its history that the log does not have");
	read_page(1, 4);
	page[2] = page[1];
	expect_failure(tell_history, "a posting in its history that the log does not have");
	read_page(1, 2);
	history.next = 4;
	expect_failure(tell_history, "does not go on where it ends");
	read_page(1, 2);
	history.next = 0;
	expect_failure(tell_history, "(stale)");
	read_page(2, 2);
	history.next = 4;
	expect_failure(tell_history, "a state that it never had");
	read_page(3, 1);
	history.postings_count = 0;
	expect_failure(tell_history, "(stale)");
}

/* --- Requests. --- */

static struct ordain_request request;
static bool request_is_there;

static void look_at_request(void)
{
	uint32_t partition = ord_route_command(&command, HISTORY_PARTITIONS);
	struct ord_request_view v;

	request_is_there = ord_partition_request(sim_record_partition(partition), &command.request_id, &v) == ORD_OK;
	if (!request_is_there)
		return;
	request = (struct ordain_request){
		.command = asked_as(&v.command),
		.status = (enum ordain_status)v.result.status,
		.code = (int)v.result.reason,
		.partition = partition,
		.offset = v.result.position,
		.logged_us = v.logged_us,
		.decided_us = v.decided_us,
	};
}

static void tell_request(void)
{
	struct ordain_id id;

	memcpy(id.bytes, command.request_id.bytes, sizeof id.bytes);
	sim_observe_request(&began, &id, request_is_there ? &request : NULL);
}

Test(sim_observe, a_request_is_seen_as_it_was_in_the_span_of_the_read)
{
	command = history_transfer("paid", 2, names.bank, names.alice, 100);
	submit();
	look_at_request();
	expect_content(tell_request);
	history_command(command);
	expect_content(tell_request);
	began = sim_observe_begin();
	expect_failure(tell_request, "that there is no such request");
	look_at_request();
	cr_assert_eq(request.status, ORDAIN_STATUS_ACCEPTED);
	expect_content(tell_request);
	history_settle();
	expect_content(tell_request);
	began = sim_observe_begin();
	expect_failure(tell_request, "that it has no outcome, and it had one");
	look_at_request();
	expect_content(tell_request);
	cr_assert_gt(sim_observe_begin().told[1], 1); /* the credit */
}

Test(sim_observe, a_wrong_request_is_found)
{
	carry_out_payment();
	began = sim_observe_begin();
	look_at_request();
	request.command.transfer.amount++;
	expect_failure(tell_request, "another payload");
	look_at_request();
	request.offset++;
	expect_failure(tell_request, "another payload, place");
	look_at_request();
	request.decided_us++;
	expect_failure(tell_request, "another outcome");
	look_at_request();
	request.status = ORDAIN_STATUS_ACCEPTED;
	expect_failure(tell_request, "that it has no outcome, and it had one");
	began.committed[2] = 2;
	expect_failure(tell_request, "an outcome that is none");
	began = sim_observe_begin();
	look_at_request();
	request.status = ORDAIN_STATUS_REJECTED;
	expect_failure(tell_request, "another outcome");
	look_at_request();
	request.partition = 0;
	expect_failure(tell_request, "that there is no such request"); /* in partition 2, which is asked first */
}

Test(sim_observe, a_request_is_looked_for_in_all_partitions)
{
	carry_out(build_claim("n1", "users", "ada", "one"));
	began = sim_observe_begin();
	look_at_request();
	expect_content(tell_request);
	request_is_there = false;
	expect_failure(tell_request, "that there is no such request");
}

/* --- Names. --- */

static struct ordain_name name;
static char name_owner[16]; /* the view's text goes with the name */
static bool name_is_there;

static void look_at_name(void)
{
	struct ord_slice space = ord_slice_text("users"), text = ord_slice_text("ada");
	uint32_t partition = ord_route_name(space, text, HISTORY_PARTITIONS);
	struct ord_name_view v;

	name_is_there = ord_partition_name(sim_record_partition(partition), space, text, &v) == ORD_OK;
	if (!name_is_there)
		return;
	cr_assert_leq(v.owner.len, sizeof name_owner);
	memcpy(name_owner, v.owner.base, v.owner.len);
	name = (struct ordain_name){
		.space = history_str(space),
		.name = history_str(text),
		.owner = {.base = name_owner, .len = v.owner.len},
		.partition = partition,
		.offset = v.position,
		.since_us = v.since_us,
	};
	memcpy(name.id.bytes, v.request_id.bytes, sizeof name.id.bytes);
}

static void tell_name(void)
{
	sim_observe_name(&began, ordain_str_of("users"), ordain_str_of("ada"), name_is_there ? &name : NULL);
}

Test(sim_observe, a_name_is_seen_as_it_was_in_the_span_of_the_read)
{
	began = sim_observe_begin();
	look_at_name();
	expect_content(tell_name);
	history_command(build_claim("n1", "users", "ada", "one"));
	expect_content(tell_name);
	began = sim_observe_begin();
	expect_failure(tell_name, "that nobody owns it");
	look_at_name();
	expect_content(tell_name);
	history_command(build_release("n2", "users", "ada", "one"));
	expect_content(tell_name);
	began = sim_observe_begin();
	expect_failure(tell_name, "(stale)");
	look_at_name();
	cr_assert_not(name_is_there);
	expect_content(tell_name);
	history_command(build_claim("n3", "users", "ada", "one"));
	began = sim_observe_begin();
	expect_failure(tell_name, "that nobody owns it");
}

Test(sim_observe, an_owner_between_two_commands_of_an_entry_is_never_seen)
{
	struct ord_command both[2] = {build_claim("n1", "users", "ada", "one"),
				      build_reassign("n2", "users", "ada", "one", "two")};
	uint32_t p = ord_route_command(&both[0], HISTORY_PARTITIONS);

	began = sim_observe_begin();
	history_log(p, both, 2);
	look_at_name();
	expect_content(tell_name);
	memcpy(name.id.bytes, both[0].request_id.bytes, sizeof name.id.bytes);
	name.owner = ordain_str_of("one");
	name.offset--;
	expect_failure(tell_name, "an owner that it never had");
}

Test(sim_observe, a_wrong_name_is_found)
{
	began = sim_observe_begin();
	name_is_there = true;
	expect_failure(tell_name, "nobody ever claimed it");
	history_command(build_claim("n1", "users", "ada", "one"));
	look_at_name();
	name.owner = ordain_str_of("two");
	expect_failure(tell_name, "an owner that it never had");
	look_at_name();
	name.offset++;
	expect_failure(tell_name, "an owner that it never had");
	look_at_name();
	name.since_us++;
	expect_failure(tell_name, "another name, time or partition");
	look_at_name();
	expect_content(tell_name);
}
