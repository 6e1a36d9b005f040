/* SPDX-License-Identifier: Apache-2.0 - what clients were told by reads that may be stale: exactly what held at the position that came with it passes, and nothing else. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "partition/route.h"
#include "tests/sim/observe.h"
#include "tests/sim/record.h"
#include "tests/support/partition_build.h"
#include "tests/support/sim_stub_history.h"
#include "tests/support/sim_stub_record.h"

#define ALICE_PARTITION 1

static struct history_names names;
static struct sim_moment began;

static void make(void)
{
	names = history_open();
}

TestSuite(sim_observe_stale, .init = make, .fini = history_close, .timeout = 30);

static void begin(void)
{
	began = sim_observe_begin();
	began.may_be_stale = true;
}

static void pay_alice(const char *stem, int64_t amount)
{
	history_command(history_transfer(stem, 2, names.bank, names.alice, amount));
	history_settle();
}

/* --- Accounts. --- */

static struct ordain_account account;
static bool account_is_there;

static uint64_t alice_position(void)
{
	return sim_record_position(ALICE_PARTITION);
}

/* As the log has it now. */
static void look_at_alice(void)
{
	struct ord_account_view v;
	struct ord_slice id = ord_slice_text(names.alice);
	cr_assert_eq(ord_partition_account(sim_record_partition(ALICE_PARTITION), id, &v), ORD_OK);
	account_is_there = true;
	account = (struct ordain_account){.account = history_str(v.account),
					  .asset = history_str(v.asset),
					  .state = (enum ordain_account_state)v.state,
					  .balance = v.balance,
					  .floor = v.floor,
					  .ceiling = v.ceiling,
					  .postings_count = v.postings_count,
					  .opened_us = v.opened_us,
					  .partition = ALICE_PARTITION,
					  .as_of = alice_position()};
}

static void tell_account(void)
{
	sim_observe_account(&began, ordain_str_of(names.alice), account_is_there ? &account : NULL);
}

Test(sim_observe_stale, an_account_is_what_it_was_where_its_answer_says)
{
	look_at_alice();
	pay_alice("paid", 100);
	begin();
	expect_content(tell_account);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_READ_STALE_OLD), 1);
	account.as_of = alice_position();
	expect_failure(tell_account, "another state than it had where the answer says");
	look_at_alice();
	expect_content(tell_account);
	cr_assert_gt(sim_stub_record_covered(SIM_COVER_READ_STALE), 0);
}

Test(sim_observe_stale, a_position_without_a_state_is_found)
{
	pay_alice("paid", 100);
	begin();
	look_at_alice();
	account.as_of++;
	expect_failure(tell_account, "a position at which there was no state");
	account.as_of = 0;
	expect_failure(tell_account, "a position at which there was no state");
}

Test(sim_observe_stale, that_there_is_nothing_must_be_true)
{
	begin();
	account_is_there = false;
	expect_failure(tell_account, "it was open when the read began");
}

Test(sim_observe_stale, nobody_answers_so_who_was_not_allowed_to)
{
	look_at_alice();
	began = sim_observe_begin();
	expect_failure(tell_account, "nobody allowed that");
	account.as_of = 0;
	expect_content(tell_account);
}

Test(sim_observe_stale, what_it_has_seen_is_known_to_all)
{
	pay_alice("paid", 100);
	begin();
	look_at_alice();
	tell_account();
	cr_assert_eq(sim_observe_begin().told[ALICE_PARTITION], alice_position());
}

/* --- Histories. --- */

static struct ordain_posting posting;
static struct ordain_history history;

/* The newest of alice's postings, as the only one of a page. */
static void read_last(uint64_t number)
{
	struct ord_posting_view v;
	size_t count;
	ord_partition_history(sim_record_partition(ALICE_PARTITION), ord_slice_text(names.alice), number, &v, 1,
			      &count);
	cr_assert_eq(count, 1);
	posting = (struct ordain_posting){.number = v.number,
					  .kind = (enum ordain_posting_kind)v.kind,
					  .counterparty = history_str(v.counterparty),
					  .amount = v.amount,
					  .balance_after = v.balance_after,
					  .partition = ALICE_PARTITION,
					  .offset = v.position,
					  .time_us = v.time_us};
	memcpy(posting.id.bytes, v.request_id.bytes, sizeof posting.id.bytes);
	history = (struct ordain_history){.account = ordain_str_of(names.alice),
					  .postings = &posting,
					  .postings_count = 1,
					  .partition = ALICE_PARTITION,
					  .as_of = alice_position()};
}

static void tell_history(void)
{
	sim_observe_history(&began, ordain_str_of(names.alice), posting.number, &history);
}

Test(sim_observe_stale, a_page_is_what_it_was_where_its_answer_says)
{
	pay_alice("ha", 1);
	pay_alice("hb", 2);
	read_last(2);
	pay_alice("hc", 3);
	begin();
	expect_content(tell_history);
	history.partition = 0;
	expect_failure(tell_history, "of another partition");
	history.partition = ALICE_PARTITION;
	history.as_of = alice_position();
	expect_failure(tell_history, "another state than it had where the answer says");
}

/* --- Names. --- */

static struct ordain_name name;
static bool name_is_there;
static uint32_t name_partition;

static void look_at_name(void)
{
	struct ord_slice space = ord_slice_text("users"), text = ord_slice_text("ada");
	struct ord_name_view v;
	name_partition = ord_route_name(space, text, HISTORY_PARTITIONS);
	cr_assert_eq(ord_partition_name(sim_record_partition(name_partition), space, text, &v), ORD_OK);
	name_is_there = true;
	name = (struct ordain_name){.space = history_str(space),
				    .name = history_str(text),
				    .owner = history_str(v.owner),
				    .partition = name_partition,
				    .offset = v.position,
				    .since_us = v.since_us,
				    .as_of = sim_record_position(name_partition)};
	memcpy(name.id.bytes, v.request_id.bytes, sizeof name.id.bytes);
}

static void tell_name(void)
{
	sim_observe_name(&began, ordain_str_of("users"), ordain_str_of("ada"), name_is_there ? &name : NULL);
}

Test(sim_observe_stale, a_name_is_what_it_was_where_its_answer_says)
{
	history_command(build_claim("n1", "users", "ada", "one"));
	look_at_name();
	struct ordain_name first = name;
	first.owner = ordain_str_of("one");
	history_command(build_reassign("n2", "users", "ada", "one", "two"));
	look_at_name();
	struct ordain_name second = name;
	begin();
	expect_content(tell_name);
	name = first;
	expect_content(tell_name);
	name.as_of = second.as_of;
	expect_failure(tell_name, "another owner than it had where the answer says");
	name = second;
	name.as_of = first.as_of;
	expect_failure(tell_name, "another owner than it had where the answer says");
	name_is_there = false;
	expect_failure(tell_name, "that nobody owns it");
}
