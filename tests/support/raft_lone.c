/* SPDX-License-Identifier: Apache-2.0 - one host whose peers are the test. */
#include "tests/support/raft_lone.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "raft/members.h"

#define NODE 1
#define TICK_MS 10

static void lone_send(void *ctx, uint32_t node, struct ord_slice bytes)
{
	struct raft_lone *l = ctx;
	struct ord_message *m = &l->sent[l->sent_count];
	cr_assert_lt(l->sent_count, RAFT_LONE_SENT_MAX);
	struct raft_entry *entries = malloc(ORD_MESSAGE_ENTRIES_MAX * sizeof *entries);
	cr_assert_not_null(entries);
	cr_assert_eq(ord_codec_decode(bytes, entries, m), ORD_OK);
	free(entries);
	cr_assert_eq(ORD_MEMBER_NODE(m->to), node);
	l->sent_bytes[l->sent_count++] = bytes.len;
}

static void lone_confirm(void *ctx, uint32_t node, struct ord_slice bytes)
{
	struct raft_lone *l = ctx;
	struct raft_lone_confirm *c = &l->confirms[l->confirms_count];
	struct ord_confirm m;
	cr_assert_lt(l->confirms_count, RAFT_LONE_CONFIRMS_MAX);
	cr_assert_eq(ord_confirm_decode(bytes, &m), ORD_OK);
	cr_assert_leq(m.groups_count, 2);
	cr_assert_eq(ORD_MEMBER_NODE(m.to), node);
	cr_assert_eq(m.from, ord_member_of(NODE, l->incarnation));
	*c = (struct raft_lone_confirm){.message = m};
	for (uint32_t i = 0; i < m.groups_count; i++)
		ord_confirm_group(&m, i, &c->groups[i], &c->terms[i]);
	l->confirms_count++;
}

static void lone_apply(void *ctx, uint32_t group, uint64_t index, uint64_t term, struct ord_slice entry)
{
	struct raft_lone *l = ctx;
	(void)term;
	cr_assert_gt(entry.len, 0);
	cr_assert_gt(index, l->applied[group]);
	l->applied[group] = index;
	l->applied_count++;
}

static void lone_role(void *ctx, uint32_t group, enum ord_role role, uint64_t term, uint32_t leader)
{
	struct raft_lone *l = ctx;
	l->role[group] = role;
	l->term[group] = term;
	l->leader[group] = leader;
}

static void lone_want_install(void *ctx, uint32_t group, uint32_t from, uint64_t index, uint64_t term)
{
	struct raft_lone *l = ctx;
	l->wanted_count++;
	l->wanted_from = from;
	l->wanted_group = group;
	l->wanted_index = index;
	l->wanted_term = term;
}

static void lone_fatal(void *ctx, int err, const char *why)
{
	struct raft_lone *l = ctx;
	l->fatal = err;
	l->fatals_count++;
	snprintf(l->why, sizeof l->why, "%s", why);
}

struct raft_lone *raft_lone_make(void)
{
	struct raft_lone *l = malloc(sizeof *l);
	cr_assert_not_null(l);
	raft_lone_init(l);
	return l;
}

void raft_lone_free(struct raft_lone *l)
{
	raft_lone_close(l);
	free(l);
}

struct raft_lone_entry raft_lone_command(uint64_t term, const char *text)
{
	return (struct raft_lone_entry){.term = term, .kind = ORD_ENTRY_COMMAND, .payload = ord_slice_text(text)};
}

void raft_lone_init(struct raft_lone *l)
{
	memset(l, 0, sizeof *l);
	raft_disk_open(&l->disk);
	l->now_ms = 1000;
	l->entries = malloc(ORD_MESSAGE_ENTRIES_MAX * sizeof *l->entries);
	cr_assert_not_null(l->entries);
	ord_bytes_init(&l->message, ORD_MESSAGE_BYTES_MAX);
}

void raft_lone_close(struct raft_lone *l)
{
	ord_host_close(l->host);
	raft_disk_close(&l->disk);
	ord_bytes_close(&l->message);
	free(l->entries);
}

int raft_lone_open(struct raft_lone *l)
{
	static const uint32_t nodes[] = {3, 1, 2};
	memset(l->role, 0, sizeof l->role);
	for (int i = 0; i < 2; i++)
		l->applied[i] = l->bases[i].index;
	l->fatal = ORD_OK;
	struct ord_host_options o = {.cluster = {{5}},
				     .node = NODE,
				     .member = l->is_undecided ? 0 : ord_member_of(NODE, l->incarnation),
				     .log_begun = l->log_begun,
				     .nodes = nodes,
				     .nodes_count = 3,
				     .groups_count = 2,
				     .groups_first = l->groups_first,
				     .groups_step = l->groups_step,
				     .seed = 9,
				     .cache_bytes = l->cache_bytes,
				     .segment_bytes = l->segment_bytes,
				     .trailing_bytes = l->trailing_bytes,
				     .segments_max = l->segments_max,
				     .bases = l->bases,
				     .io = raft_disk_io(&l->disk),
				     .events = {.ctx = l,
						.send = lone_send,
						.confirm = lone_confirm,
						.apply = lone_apply,
						.role = lone_role,
						.want_install = lone_want_install,
						.fatal = lone_fatal}};
	return ord_host_open(&o, l->now_ms, &l->host, l->why, sizeof l->why);
}

void raft_lone_start(struct raft_lone *l)
{
	cr_assert_eq(raft_lone_open(l), ORD_OK, "%s", l->why);
	raft_lone_sync(l);
	raft_lone_forget(l);
}

void raft_lone_crash(struct raft_lone *l)
{
	l->disk.in_flight = false;
	l->disk.remove_segment = 0;
	ord_host_close(l->host);
	l->host = NULL;
}

void raft_lone_turn(struct raft_lone *l)
{
	for (int i = 0; i < 10000 && ord_host_turn(l->host); i++)
		cr_assert_lt(i, 9999);
}

void raft_lone_sync(struct raft_lone *l)
{
	raft_lone_turn(l);
	while (l->disk.in_flight || l->disk.remove_segment != 0) {
		if (l->disk.in_flight) {
			raft_disk_complete(&l->disk);
			ord_host_synced(l->host, ORD_OK);
		}
		if (l->disk.remove_segment != 0) {
			raft_disk_complete_remove(&l->disk);
			ord_host_removed(l->host, ORD_OK);
		}
		raft_lone_turn(l);
	}
}

void raft_lone_pass(struct raft_lone *l, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i += TICK_MS) {
		l->now_ms += TICK_MS;
		ord_host_tick(l->host, l->now_ms);
		raft_lone_turn(l);
	}
}

int raft_lone_give(struct raft_lone *l, uint32_t from, struct ord_message m)
{
	m.from = ord_member_of(from, l->peer_incarnations[from]);
	m.to = ord_member_of(NODE, l->incarnation);
	ord_bytes_clear(&l->message);
	cr_assert_eq(ord_codec_encode(&m, &l->message), ORD_OK);
	return ord_host_receive(l->host, from, ord_bytes_slice(&l->message));
}

int raft_lone_append(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, uint64_t before,
		     uint64_t before_term, uint64_t commit, const struct raft_lone_entry *entries, uint32_t count)
{
	struct ord_message m = {.group = group,
				.from = ord_member_of(from, l->peer_incarnations[from]),
				.to = ord_member_of(NODE, l->incarnation)};
	m.raft.type = RAFT_APPEND_ENTRIES;
	m.raft.append_entries = (struct raft_append_entries){
		.term = term, .prev_log_index = before, .prev_log_term = before_term, .leader_commit = commit};
	ord_bytes_clear(&l->message);
	size_t begun = ord_codec_append_begin(&m, &l->message);
	for (uint32_t i = 0; i < count; i++) {
		struct ord_record r = {.type = ORD_RECORD_ENTRY,
				       .kind = entries[i].kind,
				       .group = group,
				       .term = entries[i].term,
				       .index = before + 1 + i,
				       .payload = entries[i].payload};
		ord_record_encode(&r, ord_bytes_extend(&l->message, ord_record_bytes(&r)));
	}
	ord_codec_append_end(&l->message, begun, count);
	return ord_host_receive(l->host, from, ord_bytes_slice(&l->message));
}

int raft_lone_result(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, uint64_t rejected,
		     uint64_t last)
{
	struct ord_message m = {.group = group, .applied = last};
	m.raft.type = RAFT_APPEND_ENTRIES_RESULT;
	m.raft.append_entries_result = (struct raft_append_entries_result){
		.version = 2, .term = term, .rejected = rejected, .last_log_index = last};
	return raft_lone_give(l, from, m);
}

int raft_lone_ask_vote(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, uint64_t last,
		       uint64_t last_term, bool is_pre_vote)
{
	struct ord_message m = {.group = group};
	m.raft.type = RAFT_REQUEST_VOTE;
	m.raft.request_vote = (struct raft_request_vote){.version = 2,
							 .term = term,
							 .last_log_index = last,
							 .last_log_term = last_term,
							 .pre_vote = is_pre_vote};
	return raft_lone_give(l, from, m);
}

int raft_lone_vote(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, bool is_pre_vote)
{
	struct ord_message m = {.group = group};
	m.raft.type = RAFT_REQUEST_VOTE_RESULT;
	m.raft.request_vote_result = (struct raft_request_vote_result){
		.version = 2, .term = term, .vote_granted = true, .pre_vote = is_pre_vote};
	return raft_lone_give(l, from, m);
}

static int give_confirm(struct raft_lone *l, bool is_answer, uint32_t from, uint32_t group, uint64_t term,
			uint64_t round)
{
	struct ord_confirm c = {.is_answer = is_answer,
				.from = ord_member_of(from, l->peer_incarnations[from]),
				.to = ord_member_of(NODE, l->incarnation),
				.round = round};
	ord_bytes_clear(&l->message);
	size_t begun = ord_confirm_begin(&c, &l->message);
	ord_confirm_put_group(&l->message, group, term);
	ord_confirm_end(&l->message, begun);
	return ord_host_receive_confirm(l->host, from, ord_bytes_slice(&l->message));
}

int raft_lone_question(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, uint64_t round)
{
	return give_confirm(l, false, from, group, term, round);
}

int raft_lone_answer(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, uint64_t round)
{
	return give_confirm(l, true, from, group, term, round);
}

struct ord_base raft_lone_base(uint64_t index, uint64_t term, uint64_t current_term)
{
	static const uint32_t nodes[] = {1, 2, 3};
	static uint8_t payload[256];
	struct ord_bytes members;
	ord_bytes_init(&members, sizeof payload);
	ord_members_encode(nodes, 3, &members);
	memcpy(payload, members.base, members.len);
	struct ord_base base = {.index = index,
				.term = term,
				.current_term = current_term,
				.members_index = 1,
				.members = ord_slice_of(payload, members.len)};
	ord_bytes_close(&members);
	return base;
}

int raft_lone_tell_install(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, uint64_t index,
			   uint64_t index_term)
{
	struct ord_message m = {.group = group, .members = raft_lone_base(1, 1, 1).members};
	m.raft.type = RAFT_INSTALL_SNAPSHOT;
	m.raft.install_snapshot = (struct raft_install_snapshot){
		.term = term, .last_index = index, .last_term = index_term, .conf_index = 1};
	return raft_lone_give(l, from, m);
}

const struct ord_message *raft_lone_last(const struct raft_lone *l, enum raft_message_type type)
{
	for (uint32_t i = l->sent_count; i > 0; i--)
		if (l->sent[i - 1].raft.type == type)
			return &l->sent[i - 1];
	return NULL;
}

uint32_t raft_lone_count(const struct raft_lone *l, enum raft_message_type type)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < l->sent_count; i++)
		count += l->sent[i].raft.type == type;
	return count;
}

void raft_lone_forget(struct raft_lone *l)
{
	l->sent_count = 0;
	l->confirms_count = 0;
}

void raft_lone_lead(struct raft_lone *l)
{
	struct ord_group_status s;
	raft_lone_pass(l, 300);
	ord_host_group_status(l->host, 0, &s);
	cr_assert_eq(s.role, ORD_ROLE_CANDIDATE);
	cr_assert_eq(raft_lone_vote(l, 2, 0, s.term + 1, true), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(raft_lone_vote(l, 2, 0, s.term + 1, false), ORD_OK);
	raft_lone_sync(l);
	raft_lone_result(l, 2, 0, s.term + 1, 0, s.last_index);
	raft_lone_sync(l);
}
