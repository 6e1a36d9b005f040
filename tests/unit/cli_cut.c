/* SPDX-License-Identifier: Apache-2.0 - states of different moments are led to where they go together: then all promises hold over them, money's among them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "cli/cut.h"
#include "partition/invariants.h"
#include "partition/route.h"
#include "tests/support/lab.h"
#include "tests/support/partition_build.h"

#define PARTITIONS 4
#define ACCOUNTS 6
#define STEPS 150
#define SEEDS 40
#define TIME_US 1000

static struct lab lab;
static struct ord_partition *states[PARTITIONS]; /* the ones to be led; owned */
static size_t counts[PARTITIONS];		 /* commands that they were made from */
static size_t forward_count;

static void transfer_random(struct random *r, unsigned number)
{
	static char accounts[ACCOUNTS][8], ids[STEPS][12];
	unsigned payer = (unsigned)random_below(r, ACCOUNTS), payee = (unsigned)random_below(r, ACCOUNTS);
	for (unsigned i = 0; i < ACCOUNTS; i++)
		snprintf(accounts[i], sizeof accounts[i], "a%u", i);
	snprintf(ids[number], sizeof ids[number], "t%u", number);
	struct ord_command c =
		build_transfer(ids[number], accounts[payer], accounts[payee == payer ? (payer + 1) % ACCOUNTS : payee],
			       (int64_t)random_below(r, 300) + 1);
	build_apply(&lab, ord_route_command(&c, PARTITIONS), c, TIME_US);
}

static void deliver_random(struct random *r)
{
	uint32_t source = (uint32_t)random_below(r, PARTITIONS), destination = (uint32_t)random_below(r, PARTITIONS);
	uint64_t first = ord_partition_cursor(lab.partitions[destination], source) + 1;
	uint64_t sent = lab.letters[source][destination].count;
	if (first > sent)
		return;
	struct ord_command c =
		lab_deliver(&lab, source, destination, first, (uint32_t)random_below(r, sent - first + 1) + 1);
	build_apply(&lab, destination, c, TIME_US);
	free((void *)c.deliver.messages.base);
}

static void history_make(struct random *r)
{
	static const char *const accounts[] = {"a0", "a1", "a2", "a3", "a4", "a5"};
	static const char *const ids[] = {"o0", "o1", "o2", "o3", "o4", "o5"};
	lab_open(&lab, PARTITIONS);
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		struct ord_command c = build_open(ids[i], accounts[i], "EUR", -500, INT64_MAX);
		build_apply(&lab, ord_route_command(&c, PARTITIONS), c, TIME_US);
	}
	for (unsigned i = 0; i < STEPS; i++) {
		transfer_random(r, i);
		for (unsigned k = 0; k < 3; k++)
			deliver_random(r);
	}
}

/* Each partition as it was at a moment of its own. */
static void states_take(struct random *r)
{
	for (uint32_t i = 0; i < PARTITIONS; i++) {
		counts[i] = (size_t)random_below(r, lab.logs[i].count + 1);
		states[i] = lab_replay(&lab, i, counts[i]);
	}
}

/* Said once more, and not with the words of what is tested. */
static bool all_were_sent(void)
{
	for (uint32_t s = 0; s < PARTITIONS; s++)
		for (uint32_t d = 0; d < PARTITIONS; d++)
			if (ord_partition_cursor(states[d], s) + 1 > ord_partition_outbox_next(states[s], d))
				return false;
	return true;
}

static void states_close(void)
{
	for (uint32_t i = 0; i < PARTITIONS; i++)
		ord_partition_close(states[i]);
	lab_close(&lab);
}

static int forward(void *ctx, uint32_t partition, uint32_t destination, uint64_t number)
{
	size_t *most = ctx; /* by partition: the commands that are known */
	while (ord_partition_outbox_next(states[partition], destination) <= number) {
		if (counts[partition] == most[partition])
			return ORD_ERR_NOT_FOUND;
		ord_partition_close(states[partition]);
		states[partition] = lab_replay(&lab, partition, ++counts[partition]);
		forward_count++;
	}
	return ORD_OK;
}

Test(cli_cut, states_of_any_moments_are_led_to_where_they_go_together)
{
	unsigned apart_count = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct random r = random_of(seed);
		size_t most[PARTITIONS];
		struct ord_cut cut = {.partitions = states, .count = PARTITIONS, .ctx = most, .forward = forward};
		struct ord_cut_gap gap;
		char why[256] = "";
		history_make(&r);
		states_take(&r);
		for (uint32_t i = 0; i < PARTITIONS; i++)
			most[i] = lab.logs[i].count;
		apart_count += !all_were_sent();
		cr_assert_eq(ord_cut_make(&cut, &gap), ORD_OK, "seed %u", (unsigned)seed);
		cr_assert(ord_cut_holds(states, PARTITIONS, &gap));
		cr_assert(all_were_sent(), "seed %u", (unsigned)seed);
		cr_assert_eq(ord_invariants_check(states, PARTITIONS, why, sizeof why), ORD_OK, "seed %u: %s",
			     (unsigned)seed, why);
		states_close();
	}
	cr_assert_gt(apart_count, SEEDS / 2, "%u: moments that go together anyway prove nothing", apart_count);
	cr_assert_gt(forward_count, 0);
}

Test(cli_cut, what_goes_together_is_left_alone)
{
	struct random r = random_of(7);
	size_t most[PARTITIONS] = {0};
	struct ord_cut cut = {.partitions = states, .count = PARTITIONS, .ctx = most, .forward = forward};
	struct ord_cut_gap gap;
	history_make(&r);
	for (uint32_t i = 0; i < PARTITIONS; i++)
		states[i] = lab_replay(&lab, i, counts[i] = most[i] = lab.logs[i].count);
	cr_assert_eq(ord_cut_make(&cut, &gap), ORD_OK);
	cr_assert_eq(forward_count, 0);
	states_close();
}

/* The source's log is known up to where the message had not been sent. */
Test(cli_cut, a_message_that_no_known_entry_sends_is_named)
{
	struct random r = random_of(3);
	size_t most[PARTITIONS];
	struct ord_cut cut = {.partitions = states, .count = PARTITIONS, .ctx = most, .forward = forward};
	struct ord_cut_gap gap = {.number = 0};
	history_make(&r);
	build_settle(&lab, TIME_US);
	for (uint32_t i = 0; i < PARTITIONS; i++) {
		counts[i] = most[i] = i == 2 ? 1 : lab.logs[i].count;
		states[i] = lab_replay(&lab, i, counts[i]);
	}
	cr_assert_eq(ord_cut_make(&cut, &gap), ORD_ERR_NOT_FOUND);
	cr_assert_eq(gap.source, 2);
	cr_assert_eq(gap.number, ord_partition_cursor(states[gap.destination], 2));
	most[2] = lab.logs[2].count; /* more is known: it goes on from there */
	cr_assert_eq(ord_cut_make(&cut, &gap), ORD_OK);
	states_close();
}
