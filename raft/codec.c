/* SPDX-License-Identifier: Apache-2.0 - Raft messages to bytes and back. */
#include "raft/codec.h"

#include "base/assert.h"
#include "base/err.h"
#include "raft/host.h"

#define MESSAGE_FORMAT 2
#define MESSAGE_FORMAT_NODES 1 /* of earlier versions */

/* The latest versions of libraft's messages that have all their fields in the format. Of votes no earlier one is taken: it would not tell
 * a pre-vote from a vote. */
#define REQUEST_VOTE_VERSION 2
#define REQUEST_VOTE_RESULT_VERSION 2
#define APPEND_VERSION 0
#define APPEND_RESULT_VERSION 2
#define TIMEOUT_NOW_VERSION 0
#define INSTALL_VERSION 0

enum { FLAG_DISRUPT = 1, FLAG_GRANTED = 1, FLAG_PRE_VOTE = 2 };

static uint8_t version_at_most(uint8_t version, uint8_t most)
{
	return version < most ? version : most;
}

static void put_header(const struct ord_message *m, uint8_t version, uint8_t flags, uint64_t term,
		       struct ord_bytes *out)
{
	ord_bytes_put_u8(out, MESSAGE_FORMAT);
	ord_bytes_put_u8(out, (uint8_t)m->raft.type);
	ord_bytes_put_u8(out, version);
	ord_bytes_put_u8(out, flags);
	ord_bytes_put_u32(out, m->group);
	ord_bytes_put_u64(out, m->from);
	ord_bytes_put_u64(out, m->to);
	ord_bytes_put_u64(out, term);
}

static void put_append_result(const struct ord_message *m, struct ord_bytes *out)
{
	const struct raft_append_entries_result *a = &m->raft.append_entries_result;
	put_header(m, version_at_most(a->version, APPEND_RESULT_VERSION), 0, a->term, out);
	ord_bytes_put_u64(out, a->rejected);
	ord_bytes_put_u64(out, a->last_log_index);
	ord_bytes_put_u64(out, m->applied);
	ord_bytes_put_u16(out, a->features);
	ord_bytes_put_u16(out, a->capacity);
}

static void put_request_vote(const struct ord_message *m, struct ord_bytes *out)
{
	const struct raft_request_vote *v = &m->raft.request_vote;
	uint8_t flags = (uint8_t)((v->disrupt_leader ? FLAG_DISRUPT : 0) | (v->pre_vote ? FLAG_PRE_VOTE : 0));
	put_header(m, version_at_most(v->version, REQUEST_VOTE_VERSION), flags, v->term, out);
	ord_bytes_put_u64(out, v->last_log_index);
	ord_bytes_put_u64(out, v->last_log_term);
}

static void put_request_vote_result(const struct ord_message *m, struct ord_bytes *out)
{
	const struct raft_request_vote_result *v = &m->raft.request_vote_result;
	uint8_t flags = (uint8_t)((v->vote_granted ? FLAG_GRANTED : 0) | (v->pre_vote ? FLAG_PRE_VOTE : 0));
	put_header(m, version_at_most(v->version, REQUEST_VOTE_RESULT_VERSION), flags, v->term, out);
	ord_bytes_put_u16(out, v->features);
	ord_bytes_put_u16(out, v->capacity);
}

static void put_timeout_now(const struct ord_message *m, struct ord_bytes *out)
{
	const struct raft_timeout_now *t = &m->raft.timeout_now;
	put_header(m, version_at_most(t->version, TIMEOUT_NOW_VERSION), 0, t->term, out);
	ord_bytes_put_u64(out, t->last_log_index);
	ord_bytes_put_u64(out, t->last_log_term);
}

static void put_install(const struct ord_message *m, struct ord_bytes *out)
{
	const struct raft_install_snapshot *i = &m->raft.install_snapshot;
	put_header(m, version_at_most(i->version, INSTALL_VERSION), 0, i->term, out);
	ord_bytes_put_u64(out, i->last_index);
	ord_bytes_put_u64(out, i->last_term);
	ord_bytes_put_u64(out, i->conf_index);
	ord_bytes_put_u32(out, (uint32_t)m->members.len);
	ord_bytes_put(out, m->members.base, m->members.len);
}

int ord_codec_encode(const struct ord_message *m, struct ord_bytes *out)
{
	switch (m->raft.type) {
	case RAFT_APPEND_ENTRIES_RESULT:
		put_append_result(m, out);
		return ORD_OK;
	case RAFT_REQUEST_VOTE:
		put_request_vote(m, out);
		return ORD_OK;
	case RAFT_REQUEST_VOTE_RESULT:
		put_request_vote_result(m, out);
		return ORD_OK;
	case RAFT_TIMEOUT_NOW:
		put_timeout_now(m, out);
		return ORD_OK;
	case RAFT_INSTALL_SNAPSHOT:
		put_install(m, out);
		return ORD_OK;
	default:
		return ORD_ERR_INVALID;
	}
}

size_t ord_codec_append_begin(const struct ord_message *m, struct ord_bytes *out)
{
	const struct raft_append_entries *a = &m->raft.append_entries;
	put_header(m, version_at_most(a->version, APPEND_VERSION), 0, a->term, out);
	ord_bytes_put_u64(out, a->prev_log_index);
	ord_bytes_put_u64(out, a->prev_log_term);
	ord_bytes_put_u64(out, a->leader_commit);
	size_t begun = out->len;
	ord_bytes_put_u32(out, 0);
	return begun;
}

void ord_codec_append_end(struct ord_bytes *out, size_t begun, uint32_t entries_count)
{
	ORD_ASSERT(entries_count <= ORD_MESSAGE_ENTRIES_MAX);
	if (!out->failed)
		ord_bytes_set_u32(out, begun, entries_count);
}

/* An index and the term of the entry there: both zero, or neither. */
static bool point_makes_sense(uint64_t index, uint64_t term, uint64_t current_term)
{
	return index <= ORD_RAFT_NUMBER_MAX && term <= current_term && (index == 0) == (term == 0);
}

/* Reads one entry, which must be number index, of a term between the one before and the message's. */
static bool get_entry(struct ord_reader *r, const struct ord_message *m, uint64_t index, uint64_t *term,
		      struct raft_entry *ret)
{
	struct ord_record record;
	if (ord_record_decode(ord_slice_of(r->base + r->offset, ord_reader_left(r)), &record) != ORD_OK)
		return false;
	bool fits = record.type == ORD_RECORD_ENTRY && record.group == m->group && record.index == index &&
		    record.term >= *term && record.term <= m->raft.append_entries.term;
	if (!fits)
		return false;
	*ret = (struct raft_entry){.term = record.term,
				   .type = (enum raft_entry_type)record.kind,
				   .buf = {.base = (void *)(uintptr_t)record.payload.base, .len = record.payload.len}};
	*term = record.term;
	ord_reader_take(r, ord_record_bytes(&record));
	return true;
}

static bool get_append(struct ord_reader *r, struct raft_entry *entries, uint64_t term, struct ord_message *ret)
{
	struct raft_append_entries *a = &ret->raft.append_entries;
	a->term = term;
	a->prev_log_index = ord_reader_u64(r);
	a->prev_log_term = ord_reader_u64(r);
	a->leader_commit = ord_reader_u64(r);
	a->n_entries = ord_reader_u32(r);
	a->entries = entries;
	if (r->failed || a->n_entries > ORD_MESSAGE_ENTRIES_MAX || a->leader_commit > ORD_RAFT_NUMBER_MAX ||
	    !point_makes_sense(a->prev_log_index, a->prev_log_term, term))
		return false;
	uint64_t before = a->prev_log_term;
	for (unsigned i = 0; i < a->n_entries; i++)
		if (!get_entry(r, ret, a->prev_log_index + 1 + i, &before, &entries[i]))
			return false;
	return true;
}

static bool get_append_result(struct ord_reader *r, uint64_t term, struct ord_message *ret)
{
	struct raft_append_entries_result *a = &ret->raft.append_entries_result;
	a->term = term;
	a->rejected = ord_reader_u64(r);
	a->last_log_index = ord_reader_u64(r);
	ret->applied = ord_reader_u64(r);
	a->features = ord_reader_u16(r);
	a->capacity = ord_reader_u16(r);
	return a->rejected <= ORD_RAFT_NUMBER_MAX && a->last_log_index <= ORD_RAFT_NUMBER_MAX &&
	       ret->applied <= ORD_RAFT_NUMBER_MAX && (a->rejected == 0 || a->last_log_index < a->rejected);
}

static bool get_request_vote(struct ord_reader *r, uint8_t flags, uint64_t term, struct ord_message *ret)
{
	struct raft_request_vote *v = &ret->raft.request_vote;
	v->term = term;
	v->candidate_id = ret->from;
	v->last_log_index = ord_reader_u64(r);
	v->last_log_term = ord_reader_u64(r);
	v->disrupt_leader = (flags & FLAG_DISRUPT) != 0;
	v->pre_vote = (flags & FLAG_PRE_VOTE) != 0;
	return flags <= (FLAG_DISRUPT | FLAG_PRE_VOTE) && point_makes_sense(v->last_log_index, v->last_log_term, term);
}

static bool get_request_vote_result(struct ord_reader *r, uint8_t flags, uint64_t term, struct ord_message *ret)
{
	struct raft_request_vote_result *v = &ret->raft.request_vote_result;
	v->term = term;
	v->vote_granted = (flags & FLAG_GRANTED) != 0;
	v->pre_vote = (flags & FLAG_PRE_VOTE) != 0;
	v->features = ord_reader_u16(r);
	v->capacity = ord_reader_u16(r);
	return flags <= (FLAG_GRANTED | FLAG_PRE_VOTE);
}

static bool get_timeout_now(struct ord_reader *r, uint64_t term, struct ord_message *ret)
{
	struct raft_timeout_now *t = &ret->raft.timeout_now;
	t->term = term;
	t->last_log_index = ord_reader_u64(r);
	t->last_log_term = ord_reader_u64(r);
	return point_makes_sense(t->last_log_index, t->last_log_term, term);
}

static bool get_install(struct ord_reader *r, uint64_t term, struct ord_message *ret)
{
	struct raft_install_snapshot *i = &ret->raft.install_snapshot;
	i->term = term;
	i->last_index = ord_reader_u64(r);
	i->last_term = ord_reader_u64(r);
	i->conf_index = ord_reader_u64(r);
	ret->members = ord_reader_take(r, ord_reader_u32(r));
	return !r->failed && i->last_index > 0 && point_makes_sense(i->last_index, i->last_term, term) &&
	       i->conf_index >= 1 && i->conf_index <= i->last_index && ret->members.len > 0 &&
	       ret->members.len <= ORD_MESSAGE_MEMBERS_BYTES_MAX;
}

static bool get_body(struct ord_reader *r, uint8_t version, uint8_t flags, struct raft_entry *entries,
		     struct ord_message *ret)
{
	struct raft_message *m = &ret->raft;
	uint64_t term = ord_reader_u64(r);
	if (r->failed || term == 0 || term > ORD_RAFT_NUMBER_MAX)
		return false;
	switch (m->type) {
	case RAFT_APPEND_ENTRIES:
		m->append_entries.version = version;
		return version <= APPEND_VERSION && flags == 0 && get_append(r, entries, term, ret);
	case RAFT_APPEND_ENTRIES_RESULT:
		m->append_entries_result.version = version;
		return version <= APPEND_RESULT_VERSION && flags == 0 && get_append_result(r, term, ret);
	case RAFT_REQUEST_VOTE:
		m->request_vote.version = version;
		return version == REQUEST_VOTE_VERSION && get_request_vote(r, flags, term, ret);
	case RAFT_REQUEST_VOTE_RESULT:
		m->request_vote_result.version = version;
		return version == REQUEST_VOTE_RESULT_VERSION && get_request_vote_result(r, flags, term, ret);
	case RAFT_INSTALL_SNAPSHOT:
		m->install_snapshot.version = version;
		return version <= INSTALL_VERSION && flags == 0 && get_install(r, term, ret);
	case RAFT_TIMEOUT_NOW:
		m->timeout_now.version = version;
		return version <= TIMEOUT_NOW_VERSION && flags == 0 && get_timeout_now(r, term, ret);
	default:
		return false;
	}
}

int ord_codec_decode(struct ord_slice in, struct raft_entry *entries, struct ord_message *ret)
{
	struct ord_reader r = ord_reader_of(in);
	struct ord_message m = {0};
	uint8_t format = ord_reader_u8(&r);
	m.raft.type = ord_reader_u8(&r);
	uint8_t version = ord_reader_u8(&r);
	uint8_t flags = ord_reader_u8(&r);
	m.group = ord_reader_u32(&r);
	m.from = ord_reader_u64(&r);
	m.to = ord_reader_u64(&r);
	m.raft.server_id = m.from;
	if (!r.failed && format == MESSAGE_FORMAT_NODES)
		return ORD_ERR_MISMATCH;
	if (r.failed || format != MESSAGE_FORMAT || ORD_MEMBER_NODE(m.from) == 0 || in.len > ORD_MESSAGE_BYTES_MAX)
		return ORD_ERR_FORMAT;
	if (!get_body(&r, version, flags, entries, &m) || r.failed || ord_reader_left(&r) != 0)
		return ORD_ERR_FORMAT;
	*ret = m;
	return ORD_OK;
}
