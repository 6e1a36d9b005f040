/* SPDX-License-Identifier: Apache-2.0 - Raft messages: what is written is read, and nothing else is. */
#include "raft/codec.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tests/support/random.h"

static struct raft_entry entries[ORD_MESSAGE_ENTRIES_MAX];
static struct ord_bytes out;

static void setup(void)
{
	ord_bytes_init(&out, ORD_MESSAGE_BYTES_MAX);
}

static void teardown(void)
{
	ord_bytes_close(&out);
}

TestSuite(raft_codec, .init = setup, .fini = teardown);

static struct ord_message message_of(enum raft_message_type type)
{
	struct ord_message m = {.group = 3, .from = 1, .to = 2};
	m.raft.type = type;
	switch (type) {
	case RAFT_APPEND_ENTRIES_RESULT:
		m.applied = 17;
		m.raft.append_entries_result = (struct raft_append_entries_result){
			.version = 2, .term = 5, .rejected = 20, .last_log_index = 18, .features = 1, .capacity = 9};
		break;
	case RAFT_REQUEST_VOTE:
		m.raft.request_vote = (struct raft_request_vote){.version = 2,
								 .term = 5,
								 .candidate_id = 1,
								 .last_log_index = 7,
								 .last_log_term = 4,
								 .disrupt_leader = true};
		break;
	case RAFT_REQUEST_VOTE_RESULT:
		m.raft.request_vote_result = (struct raft_request_vote_result){
			.version = 2, .term = 6, .vote_granted = true, .pre_vote = true, .features = 1, .capacity = 2};
		break;
	case RAFT_INSTALL_SNAPSHOT:
		m.members = ord_slice_text("members");
		m.raft.install_snapshot =
			(struct raft_install_snapshot){.term = 8, .last_index = 9, .last_term = 7, .conf_index = 4};
		break;
	default:
		m.raft.timeout_now =
			(struct raft_timeout_now){.version = 0, .term = 8, .last_log_index = 9, .last_log_term = 8};
		break;
	}
	return m;
}

static void put_entry(uint64_t index, uint64_t term, enum ord_entry_kind kind, const char *payload)
{
	struct ord_record r = {.type = ORD_RECORD_ENTRY,
			       .kind = kind,
			       .group = 3,
			       .term = term,
			       .index = index,
			       .payload = ord_slice_text(payload)};
	ord_record_encode(&r, ord_bytes_extend(&out, ord_record_bytes(&r)));
}

static void append_of(uint64_t term, uint64_t before, uint64_t before_term)
{
	struct ord_message m = {.group = 3, .from = 1, .to = 2};
	m.raft.type = RAFT_APPEND_ENTRIES;
	m.raft.append_entries = (struct raft_append_entries){
		.term = term, .prev_log_index = before, .prev_log_term = before_term, .leader_commit = 11};
	size_t begun = ord_codec_append_begin(&m, &out);
	put_entry(before + 1, before_term, ORD_ENTRY_COMMAND, "abc");
	put_entry(before + 2, term, ORD_ENTRY_BARRIER, "12345678");
	put_entry(before + 3, term, ORD_ENTRY_COMMAND, "defgh");
	ord_codec_append_end(&out, begun, 3);
}

static int decode(struct ord_slice bytes, struct ord_message *ret)
{
	/* An exact copy, so that reading past the end is seen. */
	uint8_t *copy = malloc(bytes.len + (bytes.len == 0));
	cr_assert_not_null(copy);
	if (bytes.len > 0)
		memcpy(copy, bytes.base, bytes.len);
	int err = ord_codec_decode(ord_slice_of(copy, bytes.len), entries, ret);
	free(copy);
	return err;
}

static const enum raft_message_type plain[] = {RAFT_APPEND_ENTRIES_RESULT, RAFT_REQUEST_VOTE, RAFT_REQUEST_VOTE_RESULT,
					       RAFT_TIMEOUT_NOW, RAFT_INSTALL_SNAPSHOT};
#define PLAIN_COUNT (sizeof plain / sizeof plain[0])

Test(raft_codec, every_message_comes_back)
{
	for (size_t i = 0; i < PLAIN_COUNT; i++) {
		struct ord_message m = message_of(plain[i]);
		struct ord_message got;
		ord_bytes_clear(&out);
		cr_assert_eq(ord_codec_encode(&m, &out), ORD_OK);
		cr_assert_eq(ord_codec_decode(ord_bytes_slice(&out), entries, &got), ORD_OK);
		cr_expect_eq(got.group, 3);
		cr_expect_eq(got.from, 1);
		cr_expect_eq(got.to, 2);
		cr_expect_eq(got.raft.server_id, 1);
		cr_expect_eq(got.raft.type, plain[i]);
	}
	struct ord_message m = message_of(RAFT_APPEND_ENTRIES_RESULT);
	struct ord_message got;
	ord_bytes_clear(&out);
	ord_codec_encode(&m, &out);
	cr_assert_eq(ord_codec_decode(ord_bytes_slice(&out), entries, &got), ORD_OK);
	const struct raft_append_entries_result *a = &got.raft.append_entries_result;
	cr_expect(a->version == 2 && a->term == 5 && a->rejected == 20 && a->last_log_index == 18);
	cr_expect(a->features == 1 && a->capacity == 9 && got.applied == 17);
	m = message_of(RAFT_REQUEST_VOTE);
	ord_bytes_clear(&out);
	ord_codec_encode(&m, &out);
	cr_assert_eq(ord_codec_decode(ord_bytes_slice(&out), entries, &got), ORD_OK);
	const struct raft_request_vote *v = &got.raft.request_vote;
	cr_expect(v->version == 2 && v->term == 5 && v->candidate_id == 1 && v->last_log_index == 7);
	cr_expect(v->last_log_term == 4 && v->disrupt_leader && !v->pre_vote);
	m = message_of(RAFT_REQUEST_VOTE_RESULT);
	ord_bytes_clear(&out);
	ord_codec_encode(&m, &out);
	cr_assert_eq(ord_codec_decode(ord_bytes_slice(&out), entries, &got), ORD_OK);
	const struct raft_request_vote_result *w = &got.raft.request_vote_result;
	cr_expect(w->version == 2 && w->term == 6 && w->vote_granted && w->pre_vote && w->features == 1 &&
		  w->capacity == 2);
	m = message_of(RAFT_TIMEOUT_NOW);
	ord_bytes_clear(&out);
	ord_codec_encode(&m, &out);
	cr_assert_eq(ord_codec_decode(ord_bytes_slice(&out), entries, &got), ORD_OK);
	const struct raft_timeout_now *t = &got.raft.timeout_now;
	cr_expect(t->version == 0 && t->term == 8 && t->last_log_index == 9 && t->last_log_term == 8);
}

Test(raft_codec, entries_come_back_as_records)
{
	struct ord_message got;
	append_of(6, 9, 4);
	cr_assert_eq(ord_codec_decode(ord_bytes_slice(&out), entries, &got), ORD_OK);
	const struct raft_append_entries *a = &got.raft.append_entries;
	cr_expect(a->term == 6 && a->prev_log_index == 9 && a->prev_log_term == 4 && a->leader_commit == 11);
	cr_assert_eq(a->n_entries, 3);
	cr_expect_eq(entries[0].term, 4);
	cr_expect_eq(entries[0].type, RAFT_COMMAND);
	cr_expect_eq(entries[1].type, RAFT_BARRIER);
	cr_expect_eq(entries[2].buf.len, 5);
	cr_expect_eq(memcmp(entries[2].buf.base, "defgh", 5), 0);
	struct ord_record r;
	const uint8_t *record = (const uint8_t *)entries[2].buf.base - ORD_RECORD_HEADER_BYTES;
	cr_assert_eq(ord_record_decode(ord_slice_of(record, ORD_RECORD_HEADER_BYTES + 5), &r), ORD_OK);
	cr_expect_eq(r.index, 12);
}

Test(raft_codec, a_message_without_its_end_is_refused)
{
	for (size_t i = 0; i <= PLAIN_COUNT; i++) {
		struct ord_message got;
		ord_bytes_clear(&out);
		if (i == PLAIN_COUNT) {
			append_of(6, 9, 4);
		} else {
			struct ord_message m = message_of(plain[i]);
			cr_assert_eq(ord_codec_encode(&m, &out), ORD_OK);
		}
		cr_assert_eq(decode(ord_bytes_slice(&out), &got), ORD_OK);
		for (size_t len = 0; len < out.len; len++)
			cr_assert_eq(decode(ord_slice_of(out.base, len), &got), ORD_ERR_FORMAT);
		ord_bytes_put_u8(&out, 0);
		cr_assert_eq(decode(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT, "one byte too many");
	}
}

/* Changes one field of an append and expects that it is refused. */
static void expect_refused(size_t offset, uint64_t value, size_t width, const char *what)
{
	struct ord_message got;
	ord_bytes_clear(&out);
	append_of(6, 9, 4);
	memcpy(out.base + offset, &value, width);
	cr_expect_eq(decode(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT, "%s", what);
}

/* Messages of earlier versions name nodes where these name members. */
Test(raft_codec, the_format_of_earlier_versions_is_refused_by_name)
{
	struct ord_message got;
	append_of(6, 9, 4);
	out.base[0] = 1;
	cr_expect_eq(decode(ord_bytes_slice(&out), &got), ORD_ERR_MISMATCH);
}

Test(raft_codec, fields_that_make_no_sense_are_refused)
{
	expect_refused(0, 3, 1, "format");
	expect_refused(1, 5, 1, "an install");
	expect_refused(1, 9, 1, "type");
	expect_refused(2, 1, 1, "version of an append");
	expect_refused(3, 1, 1, "flags of an append");
	expect_refused(4, 4, 4, "another group than the entries'");
	expect_refused(8, 0, 4, "a member of node 0");
	expect_refused(24, 0, 8, "term 0");
	expect_refused(24, 3, 8, "a term before the entries'");
	expect_refused(24, UINT64_MAX, 8, "an enormous term");
	expect_refused(32, 0, 8, "no entry before, with a term");
	expect_refused(32, 8, 8, "another index than the entries'");
	expect_refused(32, UINT64_MAX - 1, 8, "an index that overflows");
	expect_refused(40, 0, 8, "an entry before, without a term");
	expect_refused(40, 5, 8, "an entry before, of a later term than the next");
	expect_refused(48, UINT64_MAX, 8, "an enormous commit index");
	expect_refused(56, 2, 4, "fewer entries than there are");
	expect_refused(56, 4, 4, "more entries than there are");
	expect_refused(56, UINT32_MAX, 4, "four billion entries");
}

Test(raft_codec, terms_of_entries_never_go_back)
{
	struct ord_message m = {.group = 3, .from = 1, .to = 2};
	struct ord_message got;
	m.raft.type = RAFT_APPEND_ENTRIES;
	m.raft.append_entries = (struct raft_append_entries){.term = 6, .prev_log_index = 1, .prev_log_term = 1};
	size_t begun = ord_codec_append_begin(&m, &out);
	put_entry(2, 5, ORD_ENTRY_COMMAND, "a");
	put_entry(3, 4, ORD_ENTRY_COMMAND, "b");
	ord_codec_append_end(&out, begun, 2);
	cr_expect_eq(decode(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
}

Test(raft_codec, a_changed_byte_of_an_entry_is_refused)
{
	struct ord_message got;
	append_of(6, 9, 4);
	for (size_t at = 60; at < out.len; at++) {
		out.base[at] ^= 0x10;
		cr_assert_eq(decode(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT, "byte %zu", at);
		out.base[at] ^= 0x10;
	}
}

Test(raft_codec, results_and_votes_are_checked)
{
	struct ord_message m = message_of(RAFT_APPEND_ENTRIES_RESULT);
	struct ord_message got;
	m.raft.append_entries_result.last_log_index = 20;
	ord_codec_encode(&m, &out);
	cr_expect_eq(decode(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT, "rejects what it says it has");
	m = message_of(RAFT_REQUEST_VOTE);
	m.raft.request_vote.last_log_term = 6;
	ord_bytes_clear(&out);
	ord_codec_encode(&m, &out);
	cr_expect_eq(decode(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT, "a log of a later term");
	m = message_of(RAFT_REQUEST_VOTE_RESULT);
	m.raft.request_vote_result.version = 1;
	ord_bytes_clear(&out);
	ord_codec_encode(&m, &out);
	cr_expect_eq(decode(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT, "a vote that does not tell pre-votes apart");
}

static int decode_install(uint64_t index, uint64_t term, uint64_t members_index, size_t members_len)
{
	static const uint8_t payload[ORD_MESSAGE_MEMBERS_BYTES_MAX + 1];
	struct ord_message m = message_of(RAFT_INSTALL_SNAPSHOT);
	struct ord_message got;
	m.raft.install_snapshot.last_index = index;
	m.raft.install_snapshot.last_term = term;
	m.raft.install_snapshot.conf_index = members_index;
	m.members = ord_slice_of(payload, members_len);
	ord_bytes_clear(&out);
	cr_assert_eq(ord_codec_encode(&m, &out), ORD_OK);
	return decode(ord_bytes_slice(&out), &got);
}

Test(raft_codec, installs_are_checked)
{
	struct ord_message m = message_of(RAFT_INSTALL_SNAPSHOT);
	struct ord_message got;
	ord_codec_encode(&m, &out);
	cr_assert_eq(ord_codec_decode(ord_bytes_slice(&out), entries, &got), ORD_OK);
	const struct raft_install_snapshot *i = &got.raft.install_snapshot;
	cr_expect(i->version == 0 && i->term == 8 && i->last_index == 9 && i->last_term == 7 && i->conf_index == 4);
	cr_expect(ord_slice_equal(got.members, ord_slice_text("members")));
	cr_expect_eq(i->conf.n, 0);
	cr_expect_eq(decode_install(9, 8, 9, 7), ORD_OK);
	cr_expect_eq(decode_install(9, 9, 4, 7), ORD_ERR_FORMAT, "an entry of a later term");
	cr_expect_eq(decode_install(0, 0, 0, 7), ORD_ERR_FORMAT, "no entry");
	cr_expect_eq(decode_install(9, 0, 4, 7), ORD_ERR_FORMAT, "an entry without a term");
	cr_expect_eq(decode_install(9, 7, 10, 7), ORD_ERR_FORMAT, "members of later");
	cr_expect_eq(decode_install(9, 7, 0, 7), ORD_ERR_FORMAT, "members of never");
	cr_expect_eq(decode_install(UINT64_MAX, 7, 4, 7), ORD_ERR_FORMAT, "an enormous index");
	cr_expect_eq(decode_install(9, 7, 4, 0), ORD_ERR_FORMAT, "nobody");
	cr_expect_eq(decode_install(9, 7, 4, ORD_MESSAGE_MEMBERS_BYTES_MAX), ORD_OK);
	cr_expect_eq(decode_install(9, 7, 4, ORD_MESSAGE_MEMBERS_BYTES_MAX + 1), ORD_ERR_FORMAT, "too many");
}

/* What a log is tidied with does not travel. */
Test(raft_codec, a_copy_is_no_entry_between_nodes)
{
	struct ord_message m = {.group = 3, .from = 1, .to = 2};
	struct ord_message got;
	uint8_t inner[ORD_RECORD_HEADER_BYTES + 3];
	struct ord_record r = {.type = ORD_RECORD_ENTRY,
			       .kind = ORD_ENTRY_COMMAND,
			       .group = 3,
			       .term = 5,
			       .index = 2,
			       .payload = ord_slice_text("abc")};
	ord_record_encode(&r, inner);
	struct ord_record copy = {.type = ORD_RECORD_COPY,
				  .group = 3,
				  .term = 5,
				  .index = 2,
				  .payload = ord_slice_of(inner, sizeof inner)};
	m.raft.type = RAFT_APPEND_ENTRIES;
	m.raft.append_entries = (struct raft_append_entries){.term = 6, .prev_log_index = 1, .prev_log_term = 1};
	size_t begun = ord_codec_append_begin(&m, &out);
	ord_record_encode(&copy, ord_bytes_extend(&out, ord_record_bytes(&copy)));
	ord_codec_append_end(&out, begun, 1);
	cr_expect_eq(decode(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
}

Test(raft_codec, garbage_is_refused)
{
	struct random r = random_of(11);
	static uint8_t bytes[4096];
	uint64_t accepted = 0;
	for (int i = 0; i < 200000; i++) {
		struct ord_message got;
		size_t len = random_below(&r, i % 100 == 0 ? sizeof bytes : 80);
		for (size_t at = 0; at < len; at++)
			bytes[at] = (uint8_t)random_next(&r);
		/* Half of them begin as messages do. */
		if (len >= ORD_MESSAGE_HEADER_BYTES && i % 2 == 0) {
			bytes[0] = 1;
			bytes[1] = (uint8_t)(1 + random_below(&r, 6));
			bytes[2] = (uint8_t)random_below(&r, 3);
			bytes[3] = 0;
			memset(bytes + 17, 0, 7);
		}
		if (decode(ord_slice_of(bytes, len), &got) == ORD_OK)
			accepted++;
	}
	cr_expect_lt(accepted, 20000);
}
