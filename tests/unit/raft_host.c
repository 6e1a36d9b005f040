/* SPDX-License-Identifier: Apache-2.0 - one host: what waits for the disk, what hostile peers can do, what cannot be opened (elections: raft_election.c). */
#include "raft/host.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "base/err.h"
#include "raft/members.h"
#include "raft/segment.h"
#include "raft/wal.h"
#include "tests/support/raft_lone.h"

static struct raft_lone *l;

static void setup(void)
{
	l = raft_lone_make();
}

static void teardown(void)
{
	raft_lone_free(l);
}

TestSuite(raft_host, .init = setup, .fini = teardown);

Test(raft_host, takes_part_when_its_first_entry_is_durable)
{
	cr_assert_eq(raft_lone_open(l), ORD_OK);
	raft_lone_turn(l);
	struct ord_group_status s;
	ord_host_group_status(l->host, 1, &s);
	cr_expect_eq(s.role, ORD_ROLE_UNAVAILABLE);
	cr_expect_eq(raft_lone_ask_vote(l, 2, 0, 2, 1, 1, false), ORD_OK);
	raft_lone_pass(l, 3000);
	cr_expect_eq(l->sent_count, 0, "it says nothing before");
	raft_lone_sync(l);
	ord_host_group_status(l->host, 1, &s);
	cr_expect_eq(s.role, ORD_ROLE_FOLLOWER);
	cr_expect_eq(s.last_index, 1);
	cr_expect_eq(s.durable_index, 1);
}

Test(raft_host, everything_of_a_group_waits_for_its_term_and_nothing_of_another)
{
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 3, 1, 1, 1, NULL, 0), ORD_OK);
	cr_assert_eq(raft_lone_append(l, 2, 1, 1, 1, 1, 1, NULL, 0), ORD_OK);
	raft_lone_turn(l);
	cr_assert_eq(l->sent_count, 1, "only the group whose term did not change answers");
	cr_expect_eq(l->sent[0].group, 1);
	cr_assert_eq(raft_lone_append(l, 2, 0, 3, 1, 1, 1, NULL, 0), ORD_OK);
	cr_expect_eq(l->sent_count, 1);
	raft_lone_sync(l);
	cr_expect_eq(l->sent_count, 3);
	cr_expect_eq(l->role[0], ORD_ROLE_FOLLOWER);
	cr_expect_eq(l->leader[0], 2);
	cr_expect_eq(l->term[0], 3);
}

Test(raft_host, entries_are_acknowledged_when_they_are_durable)
{
	struct raft_lone_entry e[] = {raft_lone_command(1, "a"), raft_lone_command(1, "b")};
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 1, 1, 1, e, 2), ORD_OK);
	raft_lone_turn(l);
	cr_expect_eq(l->sent_count, 0);
	/* A heartbeat that asks about them is answered with what is durable. */
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 3, 1, 1, NULL, 0), ORD_OK);
	cr_assert_eq(l->sent_count, 1);
	cr_expect_eq(l->sent[0].raft.append_entries_result.last_log_index, 1);
	raft_lone_sync(l);
	cr_assert_eq(l->sent_count, 2);
	cr_expect_eq(l->sent[1].raft.append_entries_result.rejected, 0);
	cr_expect_eq(l->sent[1].raft.append_entries_result.last_log_index, 3);
	/* They are still there after a crash, and so are the acknowledged ones only. */
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 3, 1, 1, e, 1), ORD_OK);
	raft_lone_turn(l);
	raft_lone_crash(l);
	raft_lone_start(l);
	struct ord_group_status s;
	ord_host_group_status(l->host, 0, &s);
	cr_expect_eq(s.last_index, 3);
}

Test(raft_host, a_sync_acknowledges_what_was_in_that_write_and_no_more)
{
	struct raft_lone_entry e[] = {raft_lone_command(1, "a"), raft_lone_command(1, "b"), raft_lone_command(1, "c")};
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 1, 1, 1, e, 1), ORD_OK);
	raft_lone_turn(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 2, 1, 1, e + 1, 1), ORD_OK);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 3, 1, 1, e + 2, 1), ORD_OK);
	cr_expect_eq(l->sent_count, 0);
	raft_disk_complete(&l->disk);
	ord_host_synced(l->host, ORD_OK);
	raft_lone_turn(l);
	cr_assert_eq(l->sent_count, 1);
	cr_expect_eq(l->sent[0].raft.append_entries_result.last_log_index, 2);
	raft_disk_complete(&l->disk);
	ord_host_synced(l->host, ORD_OK);
	raft_lone_turn(l);
	cr_assert_eq(l->sent_count, 2, "one answer for all that a sync made durable");
	cr_expect_eq(l->sent[1].raft.append_entries_result.last_log_index, 4);
	cr_expect_not(l->disk.in_flight);
}

/* Entries 2 .. 6 of term 1 are being written when a new leader replaces all but the second one: their sync must not acknowledge the new ones. */
Test(raft_host, a_sync_of_replaced_entries_acknowledges_nothing_of_the_new_ones)
{
	struct raft_lone_entry old[] = {raft_lone_command(1, "a"), raft_lone_command(1, "b"), raft_lone_command(1, "c"),
					raft_lone_command(1, "d"), raft_lone_command(1, "e")};
	struct raft_lone_entry new[] = {raft_lone_command(2, "x"), raft_lone_command(2, "y"), raft_lone_command(2, "z"),
					raft_lone_command(2, "w")};
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 1, 1, 1, old, 5), ORD_OK);
	/* The new term goes into the same write: else its own sync would hide the mistake. */
	struct ord_message m = {.group = 0};
	m.raft.type = RAFT_TIMEOUT_NOW;
	m.raft.timeout_now = (struct raft_timeout_now){.term = 2, .last_log_index = 1, .last_log_term = 1};
	cr_assert_eq(raft_lone_give(l, 2, m), ORD_OK);
	raft_lone_turn(l);
	cr_assert(l->disk.in_flight);
	cr_assert_eq(raft_lone_append(l, 3, 0, 2, 2, 1, 1, new, 4), ORD_OK);
	raft_disk_complete(&l->disk);
	ord_host_synced(l->host, ORD_OK);
	raft_lone_turn(l);
	for (uint32_t i = 0; i < l->sent_count; i++)
		cr_expect_leq(l->sent[i].raft.append_entries_result.last_log_index, 2);
	raft_lone_sync(l);
	const struct ord_message *last = raft_lone_last(l, RAFT_APPEND_ENTRIES_RESULT);
	cr_assert_not_null(last);
	cr_expect_eq(last->raft.append_entries_result.last_log_index, 6);
	raft_lone_crash(l);
	raft_lone_start(l);
	struct ord_group_status s;
	ord_host_group_status(l->host, 0, &s);
	cr_expect_eq(s.last_index, 6);
	cr_expect_eq(s.term, 2);
}

Test(raft_host, an_append_of_an_old_term_is_rejected_with_clean_fields)
{
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 5, 1, 1, 1, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	raft_lone_forget(l);
	cr_assert_eq(raft_lone_append(l, 3, 0, 4, 1, 1, 1, NULL, 0), ORD_OK);
	cr_assert_eq(l->sent_count, 1);
	const struct raft_append_entries_result *a = &l->sent[0].raft.append_entries_result;
	cr_expect_eq(a->term, 5);
	cr_expect_eq(a->rejected, 1);
	cr_expect_eq(a->last_log_index, 0);
	cr_expect_eq(l->leader[0], 2, "its sender leads nobody");
}

Test(raft_host, messages_for_others_are_refused)
{
	raft_lone_start(l);
	struct ord_message m = {.group = 0, .from = 2, .to = 1};
	struct ord_bytes b;
	m.raft.type = RAFT_REQUEST_VOTE;
	m.raft.request_vote =
		(struct raft_request_vote){.version = 2, .term = 9, .last_log_index = 1, .last_log_term = 1};
	ord_bytes_init(&b, 1000);
	ord_codec_encode(&m, &b);
	cr_expect_eq(ord_host_receive(l->host, 3, ord_bytes_slice(&b)), ORD_ERR_FORMAT, "from another than it says");
	cr_expect_eq(ord_host_receive(l->host, 2, ord_slice_of("", 0)), ORD_ERR_FORMAT);
	static const uint32_t wrong[][3] = {{0, 2, 3}, {0, 4, 1}, {0, 1, 1}, {2, 2, 1}, {UINT32_MAX, 2, 1}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		m.group = wrong[i][0];
		m.from = wrong[i][1];
		m.to = wrong[i][2];
		ord_bytes_clear(&b);
		ord_codec_encode(&m, &b);
		cr_expect_eq(ord_host_receive(l->host, m.from, ord_bytes_slice(&b)), ORD_ERR_FORMAT, "case %zu", i);
	}
	raft_lone_sync(l);
	cr_expect_eq(l->sent_count, 0);
	ord_bytes_close(&b);
}

Test(raft_host, two_leaders_of_one_term_are_not_believed)
{
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 4, 1, 1, 1, NULL, 0), ORD_OK);
	cr_expect_eq(raft_lone_append(l, 3, 0, 4, 1, 1, 1, NULL, 0), ORD_ERR_FORMAT);
	raft_lone_crash(l);
	raft_lone_start(l);
	raft_lone_lead(l);
	cr_assert_eq(l->role[0], ORD_ROLE_LEADER);
	cr_expect_eq(raft_lone_append(l, 2, 0, l->term[0], 1, 1, 1, NULL, 0), ORD_ERR_FORMAT);
	cr_expect_eq(l->role[0], ORD_ROLE_LEADER);
}

Test(raft_host, lists_of_members_that_cannot_be_are_refused)
{
	static const uint32_t all[] = {1, 2, 3};
	static const uint32_t less[] = {1, 2};
	static const uint32_t stranger[] = {1, 2, 4};
	struct ord_bytes b;
	struct raft_lone_entry e = {
		.term = 1, .kind = ORD_ENTRY_CHANGE, .payload = ord_slice_text("\1nonsense that ends")};
	ord_bytes_init(&b, 1000);
	raft_lone_start(l);
	cr_expect_eq(raft_lone_append(l, 2, 0, 1, 1, 1, 1, &e, 1), ORD_ERR_FORMAT);
	ord_members_encode(stranger, 3, &b);
	e.payload = ord_bytes_slice(&b);
	cr_expect_eq(raft_lone_append(l, 2, 0, 1, 1, 1, 1, &e, 1), ORD_ERR_FORMAT);
	cr_expect_eq(raft_lone_append(l, 2, 0, 1, 0, 0, 1, &e, 1), ORD_ERR_FORMAT, "another first entry");
	struct raft_lone_entry c = raft_lone_command(1, "a");
	cr_expect_eq(raft_lone_append(l, 2, 0, 1, 0, 0, 1, &c, 1), ORD_ERR_FORMAT, "no members first");
	ord_bytes_clear(&b);
	ord_members_encode(less, 2, &b);
	e.payload = ord_bytes_slice(&b);
	cr_expect_eq(raft_lone_append(l, 2, 0, 1, 0, 0, 1, &e, 1), ORD_ERR_FORMAT, "fewer members first");
	ord_bytes_clear(&b);
	ord_members_encode(all, 3, &b);
	e.payload = ord_bytes_slice(&b);
	cr_expect_eq(raft_lone_append(l, 2, 0, 1, 0, 0, 1, &e, 1), ORD_OK, "what it has already");
	ord_bytes_close(&b);
}

/* A change of members in the middle of an append: libraft would note the wrong index, and take the change for uncommitted for ever. */
Test(raft_host, a_change_of_members_among_other_entries_is_committed)
{
	static const uint32_t all[] = {1, 2, 3};
	struct ord_bytes b;
	ord_bytes_init(&b, 1000);
	ord_members_encode(all, 3, &b);
	struct raft_lone_entry change = {.term = 1, .kind = ORD_ENTRY_CHANGE, .payload = ord_bytes_slice(&b)};
	struct raft_lone_entry e[] = {raft_lone_command(1, "a"), change, raft_lone_command(1, "b"), change,
				      raft_lone_command(1, "c")};
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 1, 1, 1, e, 5), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 6, 1, 6, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(l->applied[0], 6);
	cr_expect_eq(l->applied_count, 3);
	const struct ord_message *m = raft_lone_last(l, RAFT_APPEND_ENTRIES_RESULT);
	cr_expect_eq(m->raft.append_entries_result.last_log_index, 6);
	/* Also when it is read from the log at the next start. */
	raft_lone_crash(l);
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 6, 1, 6, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(l->applied_count, 6);
	cr_expect_eq(l->fatals_count, 0);
	ord_bytes_close(&b);
}

/* The same mistake would keep a change of members that a new leader has replaced. */
Test(raft_host, a_change_of_members_that_is_replaced_is_taken_back)
{
	static const uint32_t two[] = {1, 2};
	struct ord_bytes b;
	ord_bytes_init(&b, 1000);
	ord_members_encode(two, 2, &b);
	struct raft_lone_entry change = {.term = 1, .kind = ORD_ENTRY_CHANGE, .payload = ord_bytes_slice(&b)};
	struct raft_lone_entry e[] = {raft_lone_command(1, "a"), change};
	struct raft_lone_entry other = raft_lone_command(2, "b");
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 1, 1, 1, e, 2), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(raft_lone_append(l, 3, 0, 2, 2, 1, 1, &other, 1), ORD_OK);
	raft_lone_sync(l);
	raft_lone_forget(l);
	raft_lone_pass(l, 1100);
	bool asked[4] = {false};
	for (uint32_t i = 0; i < l->sent_count; i++)
		if (l->sent[i].group == 0 && l->sent[i].raft.type == RAFT_REQUEST_VOTE)
			asked[l->sent[i].to] = true;
	cr_expect(asked[2]);
	cr_expect(asked[3], "node 3 is a member again");
	ord_bytes_close(&b);
}

Test(raft_host, late_rejections_do_not_move_a_leader_back)
{
	uint64_t index;
	uint64_t term;
	raft_lone_start(l);
	raft_lone_lead(l);
	cr_assert_eq(l->role[0], ORD_ROLE_LEADER);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("entry"), &index, &term), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(raft_lone_result(l, 2, 0, term, 0, index), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(l->applied[0], index);
	/* Node 2 falls silent long enough to be probed; then old rejections come. */
	for (int i = 0; i < 10; i++) {
		raft_lone_pass(l, 100);
		raft_lone_result(l, 3, 0, term, 0, 1);
	}
	for (uint64_t rejected = 1; rejected <= index + 3; rejected++)
		for (uint64_t last = 0; last < rejected; last++)
			cr_assert_eq(raft_lone_result(l, 2, 0, term, rejected, last), ORD_OK);
	raft_lone_forget(l);
	raft_lone_pass(l, 200);
	cr_expect_geq(raft_lone_count(l, RAFT_APPEND_ENTRIES), 2);
	for (uint32_t i = 0; i < l->sent_count; i++)
		if (l->sent[i].to == 2 && l->sent[i].raft.type == RAFT_APPEND_ENTRIES)
			cr_expect_geq(l->sent[i].raft.append_entries.prev_log_index, index);
	cr_expect_eq(l->role[0], ORD_ROLE_LEADER);
}

Test(raft_host, appends_are_split_and_kept_within_a_window)
{
	static uint8_t payload[1 << 20];
	uint64_t index;
	uint64_t term;
	raft_lone_start(l);
	raft_lone_lead(l);
	raft_lone_forget(l);
	for (int i = 0; i < 30; i++) {
		cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_of(payload, sizeof payload), &index, &term),
			     ORD_OK);
		raft_lone_sync(l);
	}
	uint64_t acked = index - 30;
	uint64_t sent = 0;
	while (acked < index) {
		uint64_t bytes = 0;
		uint64_t last = acked;
		for (uint32_t i = 0; i < l->sent_count; i++) {
			const struct raft_append_entries *a = &l->sent[i].raft.append_entries;
			if (l->sent[i].to != 2 || a->n_entries == 0)
				continue;
			cr_assert_eq(a->prev_log_index, last, "each goes on where the one before ended");
			cr_assert_leq(l->sent_bytes[i], 2u << 20);
			last += a->n_entries;
			bytes += l->sent_bytes[i];
			sent += l->sent_bytes[i];
		}
		cr_assert_gt(last, acked, "it goes on");
		cr_assert_leq(bytes, 10u << 20, "%lu bytes are on their way at once", bytes);
		raft_lone_forget(l);
		acked = last;
		raft_lone_result(l, 2, 0, term, 0, acked);
		raft_lone_sync(l);
	}
	cr_expect_lt(sent, 31u << 20, "nothing is sent twice");
	cr_expect_eq(l->applied[0], index);
}

/* libraft takes entries that wait for the window for sent, and would let the peer hear nothing while proposals go on. */
Test(raft_host, a_peer_whose_window_is_full_still_hears_from_the_leader)
{
	static uint8_t payload[1 << 20];
	uint64_t index;
	uint64_t term;
	raft_lone_start(l);
	raft_lone_lead(l);
	raft_lone_result(l, 3, 0, l->term[0], 0, 1);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_of(payload, sizeof payload), &index, &term),
			     ORD_OK);
	raft_lone_sync(l);
	uint64_t heard_ms = l->now_ms;
	for (int i = 0; i < 50; i++) {
		raft_lone_forget(l);
		cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("more"), &index, &term), ORD_OK);
		raft_lone_result(l, 2, 0, term, 0, index - 1);
		raft_lone_result(l, 3, 1, 1, 0, 1); /* of another group: node 3 lives, but takes nothing in */
		raft_lone_pass(l, 50);
		raft_lone_sync(l);
		for (uint32_t j = 0; j < l->sent_count; j++)
			if (l->sent[j].to == 3 && l->sent[j].raft.type == RAFT_APPEND_ENTRIES && l->sent[j].group == 0)
				heard_ms = l->now_ms;
		cr_assert_leq(l->now_ms - heard_ms, 300);
	}
	cr_expect_eq(l->role[0], ORD_ROLE_LEADER);
}

Test(raft_host, a_dead_peer_costs_no_entries)
{
	static uint8_t payload[100000];
	uint64_t index;
	uint64_t term;
	uint64_t bytes = 0;
	uint32_t count = 0;
	raft_lone_start(l);
	raft_lone_lead(l);
	for (int i = 0; i < 100; i++) {
		raft_lone_forget(l);
		cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_of(payload, sizeof payload), &index, &term),
			     ORD_OK);
		raft_lone_result(l, 2, 0, term, 0, index - 1);
		raft_lone_pass(l, 50);
		raft_lone_sync(l);
		for (uint32_t j = 0; j < l->sent_count; j++) {
			if (l->sent[j].to != 3 || l->sent[j].group != 0)
				continue;
			bytes += l->sent_bytes[j];
			count++;
		}
	}
	cr_expect_lt(bytes, 1000000, "%lu bytes went to a node that never answered", bytes);
	cr_expect_gt(count, 30, "it is asked whether it lives");
	/* When it answers it gets everything. */
	raft_lone_forget(l);
	raft_lone_result(l, 3, 0, term, 0, 1);
	for (uint64_t acked = 1; acked < index;) {
		raft_lone_pass(l, 20);
		for (uint32_t j = 0; j < l->sent_count; j++) {
			const struct raft_append_entries *a = &l->sent[j].raft.append_entries;
			if (l->sent[j].to == 3 && l->sent[j].group == 0 && a->prev_log_index == acked)
				acked += a->n_entries;
		}
		raft_lone_forget(l);
		raft_lone_result(l, 3, 0, term, 0, acked);
		raft_lone_result(l, 2, 0, term, 0, index);
		cr_assert_eq(l->role[0], ORD_ROLE_LEADER);
	}
}

Test(raft_host, a_failed_write_stops_the_node)
{
	struct raft_lone_entry e = raft_lone_command(1, "a");
	uint64_t index;
	uint64_t term;
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 1, 1, 1, &e, 1), ORD_OK);
	raft_lone_turn(l);
	cr_assert(l->disk.in_flight);
	l->disk.in_flight = false;
	ord_host_synced(l->host, ORD_ERR_IO);
	cr_expect_eq(l->fatals_count, 1);
	cr_expect_eq(l->fatal, ORD_ERR_IO);
	cr_expect_not_null(strstr(l->why, "disk"), "%s", l->why);
	/* Whatever is called now does nothing. */
	raft_lone_append(l, 2, 0, 1, 2, 1, 1, &e, 1);
	raft_lone_pass(l, 5000);
	ord_host_synced(l->host, ORD_OK);
	cr_expect_eq(ord_host_propose(l->host, 0, ord_slice_text("c"), &index, &term), ORD_ERR_NOT_LEADER);
	cr_expect_eq(ord_host_transfer(l->host, 0, 2), ORD_ERR_NOT_LEADER);
	cr_expect_not(ord_host_turn(l->host));
	cr_expect_eq(l->fatals_count, 1);
	cr_expect_eq(l->sent_count, 0);
	cr_expect_not(l->disk.in_flight);
}

Test(raft_host, an_entry_that_cannot_be_read_back_stops_the_node)
{
	static uint8_t payload[10000];
	struct raft_lone_entry e[50];
	l->cache_bytes = 1;
	for (int i = 0; i < 50; i++)
		e[i] = (struct raft_lone_entry){
			.term = 1, .kind = ORD_ENTRY_COMMAND, .payload = ord_slice_of(payload, sizeof payload)};
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 1, 1, 1, e, 50), ORD_OK);
	raft_lone_sync(l);
	raft_lone_crash(l);
	raft_lone_start(l);
	l->disk.segments[1].base[l->disk.segments[1].len - ORD_IO_END_BYTES - 20] ^= 1;
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 51, 1, 51, NULL, 0), ORD_OK);
	raft_lone_turn(l);
	cr_expect_eq(l->fatal, ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(l->why, "entry 51 of partition 0"), "%s", l->why);
	cr_expect_eq(l->applied[0], 50);
}

Test(raft_host, options_that_cannot_be_are_refused)
{
	static const uint32_t twins[] = {1, 2, 2};
	static const uint32_t others[] = {2, 3, 4};
	static const uint32_t fine[] = {1, 2, 3};
	struct ord_host_options good = {.node = 1, .nodes = fine, .nodes_count = 3, .groups_count = 1};
	struct ord_host *h = NULL;
	char why[256];
	good.io = raft_disk_io(&l->disk);
	struct ord_host_options o = good;
	o.nodes = twins;
	cr_expect_eq(ord_host_open(&o, 0, &h, why, sizeof why), ORD_ERR_INVALID);
	o.nodes = others;
	cr_expect_eq(ord_host_open(&o, 0, &h, why, sizeof why), ORD_ERR_INVALID);
	cr_expect_not_null(strstr(why, "node 1"), "%s", why);
	o = good;
	o.nodes_count = 0;
	cr_expect_eq(ord_host_open(&o, 0, &h, why, sizeof why), ORD_ERR_INVALID);
	o = good;
	o.groups_count = 0;
	cr_expect_eq(ord_host_open(&o, 0, &h, why, sizeof why), ORD_ERR_INVALID);
	o = good;
	o.segment_bytes = 100;
	cr_expect_eq(ord_host_open(&o, 0, &h, why, sizeof why), ORD_ERR_INVALID);
	cr_expect_null(h);
	cr_expect_eq(ord_host_check_library(why, sizeof why), ORD_OK);
}

Test(raft_host, a_log_of_other_nodes_is_a_mismatch)
{
	static const uint32_t others[] = {1, 2, 4};
	struct ord_host *h = NULL;
	raft_lone_start(l);
	struct ord_host_options o = {.cluster = {{5}},
				     .node = 1,
				     .nodes = others,
				     .nodes_count = 3,
				     .groups_count = 2,
				     .io = raft_disk_io(&l->disk)};
	cr_expect_eq(ord_host_open(&o, 0, &h, l->why, sizeof l->why), ORD_ERR_MISMATCH);
	cr_expect_not_null(strstr(l->why, "nodes"), "%s", l->why);
}

/* Writes records to an empty log as nobody would, and expects that they are not believed. */
static void expect_corrupt(const struct ord_record *records, size_t count, const char *what)
{
	struct ord_wal_options o = {.cluster = {{5}},
				    .node = 1,
				    .groups_count = 2,
				    .segment_bytes = 1 << 20,
				    .cache_bytes = 1 << 20,
				    .io = raft_disk_io(&l->disk)};
	static const uint32_t all[] = {1, 2, 3};
	struct ord_bytes members;
	struct ord_wal *w;
	uint64_t place;
	uint32_t groups;
	ord_bytes_init(&members, 1000);
	ord_members_encode(all, 3, &members);
	struct ord_record first = {.type = ORD_RECORD_ENTRY,
				   .kind = ORD_ENTRY_CHANGE,
				   .term = 1,
				   .index = 1,
				   .payload = ord_bytes_slice(&members)};
	struct ord_record vote = {.type = ORD_RECORD_VOTE, .term = 3};
	cr_assert_eq(ord_wal_open(&o, NULL, NULL, &w, l->why, sizeof l->why), ORD_OK);
	cr_assert_eq(ord_wal_append(w, &vote, &place), ORD_OK);
	cr_assert_eq(ord_wal_append(w, &first, &place), ORD_OK);
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(ord_wal_append(w, &records[i], &place), ORD_OK);
	ord_wal_write(w);
	raft_disk_complete(&l->disk);
	ord_wal_synced(w, &groups);
	ord_wal_close(w);
	cr_expect_eq(raft_lone_open(l), ORD_ERR_CORRUPT, "%s", what);
	cr_expect_not_null(strstr(l->why, "segment 1"), "%s", l->why);
	raft_disk_close(&l->disk);
	raft_disk_open(&l->disk);
	ord_bytes_close(&members);
}

Test(raft_host, a_log_that_contradicts_itself_is_corruption)
{
	struct ord_record e = {.type = ORD_RECORD_ENTRY,
			       .kind = ORD_ENTRY_COMMAND,
			       .term = 3,
			       .index = 3,
			       .payload = ord_slice_text("x")};
	expect_corrupt(&e, 1, "a gap");
	e.index = 2;
	e.term = 4;
	expect_corrupt(&e, 1, "a term that the group never had");
	struct ord_record back[] = {e, e};
	back[0].term = 3;
	back[1].term = 2;
	back[1].index = 3;
	expect_corrupt(back, 2, "a term that goes back");
	struct ord_record vote = {.type = ORD_RECORD_VOTE, .term = 2};
	expect_corrupt(&vote, 1, "a vote that goes back");
	struct ord_record members = {.type = ORD_RECORD_ENTRY,
				     .kind = ORD_ENTRY_CHANGE,
				     .term = 3,
				     .index = 2,
				     .payload = ord_slice_text("\1 no list of members")};
	expect_corrupt(&members, 1, "members that libraft cannot read");
}

/* A message of random fields, near what would make sense. */
static void give_random_message(struct random *r, struct ord_slice members, bool is_calm)
{
	uint32_t from = 2 + (uint32_t)random_below(r, 2);
	uint32_t group = (uint32_t)random_below(r, 2);
	struct ord_group_status s;
	ord_host_group_status(l->host, group, &s);
	uint64_t term = s.term + (is_calm ? 0 : random_below(r, 4));
	term = term > 1 ? term - random_below(r, 2) : 1;
	/* A contradiction of what is committed, as entry 1 is, stops the node: it comes seldom. */
	uint64_t index = random_chance(r, 1) ? 0 : 1 + random_below(r, s.last_index + 3);
	uint64_t commit = random_chance(r, 2) ? index : 1;
	switch (random_below(r, 7)) {
	case 6:
		raft_lone_tell_install(l, from, group, term, index + 1, 1 + random_below(r, term));
		break;
	case 0:
	case 1: {
		struct raft_lone_entry e[4];
		uint64_t before_term = index <= 1 ? index : 1 + random_below(r, term);
		uint64_t entry_term = before_term;
		uint32_t count = (uint32_t)random_below(r, 5);
		for (uint32_t i = 0; i < count; i++) {
			entry_term += random_below(r, term - entry_term + 1);
			e[i] = raft_lone_command(entry_term == 0 ? 1 : entry_term, "entry");
			if (random_chance(r, 10) || index + i == 0)
				e[i] = (struct raft_lone_entry){
					.term = e[i].term, .kind = ORD_ENTRY_CHANGE, .payload = members};
		}
		raft_lone_append(l, from, group, term, index, before_term, commit, e, count);
		break;
	}
	case 2:
		raft_lone_result(l, from, group, term, random_chance(r, 50) ? index + 1 : 0,
				 random_below(r, index + 1));
		break;
	case 3:
		raft_lone_ask_vote(l, from, group, term, index, index == 0 ? 0 : 1 + random_below(r, term),
				   random_chance(r, 50));
		break;
	case 4:
		raft_lone_vote(l, from, group, term + random_below(r, 2), random_chance(r, 50));
		break;
	default: {
		struct ord_message m = {.group = group};
		m.raft.type = RAFT_TIMEOUT_NOW;
		m.raft.timeout_now = (struct raft_timeout_now){
			.term = term, .last_log_index = index, .last_log_term = index == 0 ? 0 : 1};
		raft_lone_give(l, from, m);
	}
	}
}

/* Entries leave the log, and states are installed, also such as nobody asked for. */
static void move_base(struct random *r)
{
	uint32_t group = (uint32_t)random_below(r, 2);
	struct ord_group_status s;
	ord_host_group_status(l->host, group, &s);
	if (random_chance(r, 80)) {
		ord_host_release(l->host, group, s.applied_index - random_below(r, s.applied_index - s.base_index + 1));
		return;
	}
	uint64_t term = 1 + random_below(r, s.term);
	struct ord_base base = raft_lone_base(s.applied_index + random_below(r, 5), term, s.term);
	if (ord_host_install(l->host, group, &base) == ORD_OK)
		l->applied[group] = base.index;
}

/* With libraft's assertions compiled in, this shows that none of them can be reached from outside. */
Test(raft_host, whatever_peers_say_the_process_stands)
{
	static const uint32_t all[] = {1, 2, 3};
	const char *seed = getenv("ORDAIN_TEST_SEED");
	struct random r = random_of(seed != NULL ? strtoull(seed, NULL, 10) : 21);
	uint64_t led = 0;
	uint64_t steps = 0;
	struct ord_bytes members;
	ord_bytes_init(&members, 1000);
	ord_members_encode(all, 3, &members);
	for (int life = 0; life < 300; life++) {
		raft_lone_start(l);
		if (life % 2 == 0)
			raft_lone_lead(l);
		for (int i = 0; i < 300 && l->fatal == ORD_OK; i++) {
			steps++;
			uint64_t index;
			uint64_t term;
			give_random_message(&r, ord_bytes_slice(&members), life % 4 == 0);
			if (random_chance(&r, 30))
				raft_lone_turn(l);
			if (random_chance(&r, 30))
				raft_lone_sync(l);
			if (random_chance(&r, 20))
				raft_lone_pass(l, random_below(&r, life % 4 == 0 ? 6 : 60) * 10);
			if (random_chance(&r, 20) && l->fatal == ORD_OK)
				ord_host_propose(l->host, 0, ord_slice_text("own"), &index, &term);
			if (random_chance(&r, 2) && l->fatal == ORD_OK)
				ord_host_transfer(l->host, 0, 2);
			if (life % 3 == 0 && random_chance(&r, 10) && l->fatal == ORD_OK)
				move_base(&r);
			led += l->role[0] == ORD_ROLE_LEADER ? 1 : 0;
			raft_lone_forget(l);
		}
		raft_lone_crash(l);
		raft_disk_close(&l->disk);
		raft_disk_open(&l->disk);
	}
	cr_log_info("%lu messages, leader at %lu of them", steps, led);
	cr_expect_gt(led, 3000);
	cr_expect_gt(steps, 10000);
	ord_bytes_close(&members);
}

/* A host may have every n-th group only: another one of the node has the rest, with a log of its own. */
Test(raft_host, a_host_knows_no_groups_but_its_own)
{
	l->groups_first = 1;
	l->groups_step = 2;
	raft_lone_start(l);
	struct ord_group_status s;
	ord_host_group_status(l->host, 1, &s);
	cr_expect_eq(s.role, ORD_ROLE_FOLLOWER);
	cr_expect_eq(raft_lone_ask_vote(l, 2, 1, 2, 1, 1, false), ORD_OK);
	cr_expect_eq(raft_lone_ask_vote(l, 2, 0, 2, 1, 1, false), ORD_ERR_FORMAT);
	raft_lone_sync(l);
	raft_lone_crash(l);
	cr_assert_eq(raft_lone_open(l), ORD_OK, "%s", l->why);
}

Test(raft_host, a_log_of_other_groups_is_refused)
{
	raft_lone_start(l);
	raft_lone_crash(l);
	l->groups_first = 1;
	l->groups_step = 2;
	cr_assert_eq(raft_lone_open(l), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(l->why, "of partition 0, which is not one of this log's"), "%s", l->why);
}

Test(raft_host, asking_for_a_group_that_is_not_there_is_a_bug, .signal = SIGABRT)
{
	l->groups_first = 1;
	l->groups_step = 2;
	raft_lone_start(l);
	struct ord_group_status s;
	ord_host_group_status(l->host, 0, &s);
}
