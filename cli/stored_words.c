/* SPDX-License-Identifier: Apache-2.0 - records of a stored state as named values. */
#include "cli/stored_words.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/command_words.h"
#include "partition/field.h"
#include "partition/stored.h"

/* The node's note: u32 format, u64 index, u64 term, u64 time (docs/formats.md, "State"). */
#define NOTE_FORMAT 1
#define NOTE_BYTES 28

#define KEY_WORDS_BYTES_MAX 4096

static const char *const table_names[ORD_STORE_TABLES] = {
	[ORD_STORE_META] = "meta",	   [ORD_STORE_ACCOUNTS] = "accounts", [ORD_STORE_NAMES] = "names",
	[ORD_STORE_REQUESTS] = "requests", [ORD_STORE_STAGES] = "stages",     [ORD_STORE_POSTINGS] = "postings",
	[ORD_STORE_MESSAGES] = "messages",
};

const char *ord_stored_table_name(enum ord_store_table table)
{
	bool known = table >= ORD_STORE_META && table < ORD_STORE_TABLES;
	return known ? table_names[table] : "unknown";
}

enum ord_store_table ord_stored_table_of(const char *name)
{
	for (unsigned t = ORD_STORE_META; t < ORD_STORE_TABLES; t++)
		if (strcmp(table_names[t], name) == 0)
			return (enum ord_store_table)t;
	return (enum ord_store_table)0;
}

/* --- One kind of record each. --- */

static int put_account(struct ord_slice key, struct ord_slice body, struct ord_values *f)
{
	struct ord_stored_account a;
	int err = ord_stored_account(key, body, &a);
	if (err != ORD_OK)
		return err;
	ord_values_text(f, "account", a.account);
	ord_values_text(f, "asset", a.asset);
	ord_values_name(f, "state", ord_account_state_name(a.state));
	ord_values_wide(f, "balance", a.balance);
	ord_values_int(f, "floor", a.floor);
	ord_values_int(f, "ceiling", a.ceiling);
	ord_values_uint(f, "opened_us", a.opened_us);
	ord_values_uint(f, "postings", a.postings_count);
	ord_values_uint(f, "last_ordinal", a.last_ordinal);
	return ORD_OK;
}

static int put_name(struct ord_slice key, struct ord_slice body, struct ord_values *f)
{
	struct ord_stored_name n;
	int err = ord_stored_name(key, body, &n);
	if (err != ORD_OK)
		return err;
	ord_values_text(f, "namespace", n.naming.space);
	ord_values_text(f, "name", n.naming.name);
	ord_values_text(f, "owner", n.naming.owner);
	ord_values_id(f, "request", &n.request_id);
	ord_values_uint(f, "position", n.position);
	ord_values_uint(f, "since_us", n.since_us);
	return ORD_OK;
}

/* What was asked. A log has only what can be decoded; if this cannot, the bytes are shown. */
static void put_command(const struct ord_stored_request *q, struct ord_values *f)
{
	struct ord_command c = {.kind = q->kind, .request_id = q->id};
	struct ord_reader r = ord_reader_of(q->body);
	struct ord_field_list list = ord_field_list(c.kind);
	if (list.count == 0 || ord_field_decode(list, &r, &c.open_account) != ORD_OK || ord_reader_left(&r) != 0) {
		ord_values_hex(f, "bytes", q->body);
		return;
	}
	ord_values_begin(f, "command");
	if (f->json != NULL) {
		ord_command_words_json(&c, f->json);
		return;
	}
	ord_bytes_put_u8(f->words, '[');
	ord_command_words_put(&c, f->words);
	ord_bytes_put_u8(f->words, ']');
}

static int put_request(struct ord_slice key, struct ord_slice body, struct ord_values *f)
{
	struct ord_stored_request q;
	int err = ord_stored_request(key, body, &q);
	if (err != ORD_OK)
		return err;
	struct ord_field_list list = ord_field_list(q.kind);
	ord_values_id(f, "id", &q.id);
	ord_values_name(f, "kind", ord_command_name(q.kind));
	ord_values_name(f, "status", ord_status_name(q.status));
	ord_values_name(f, "reason", ord_refusal_name(q.reason));
	if (q.field != 0)
		ord_values_name(f, "field", q.field <= list.count ? list.fields[q.field - 1].name : "unknown");
	ord_values_uint(f, "position", q.position);
	ord_values_uint(f, "logged_us", q.logged_us);
	ord_values_uint(f, "decided_us", q.decided_us);
	put_command(&q, f);
	return ORD_OK;
}

static int put_stage(struct ord_slice key, struct ord_slice body, struct ord_values *f)
{
	struct ord_stored_stage s;
	int err = ord_stored_stage(key, body, &s);
	if (err != ORD_OK)
		return err;
	ord_values_id(f, "request", &s.request_id);
	ord_values_name(f, "kind", ord_posting_kind_name(s.kind));
	ord_values_uint(f, "home", s.home);
	ord_values_name(f, "reason", ord_refusal_name(s.reason));
	if (s.reason == ORD_REFUSAL_NONE)
		ord_values_uint(f, "ordinal", s.ordinal);
	return ORD_OK;
}

static int put_posting(struct ord_slice key, struct ord_slice body, struct ord_values *f)
{
	struct ord_stored_posting s;
	int err = ord_stored_posting(key, body, &s);
	if (err != ORD_OK)
		return err;
	ord_values_uint(f, "ordinal", s.ordinal);
	ord_values_name(f, "kind", ord_posting_kind_name(s.view.kind));
	ord_values_id(f, "request", &s.view.request_id);
	ord_values_uint(f, "home", s.home);
	ord_values_uint(f, "account", s.account);
	ord_values_uint(f, "number", s.view.number);
	ord_values_int(f, "amount", s.view.amount);
	ord_values_int(f, "balance_after", s.view.balance_after);
	ord_values_text(f, "counterparty", s.view.counterparty);
	ord_values_uint(f, "position", s.view.position);
	ord_values_uint(f, "time_us", s.view.time_us);
	ord_values_uint(f, "previous", s.previous);
	ord_values_uint(f, "earlier", s.earlier);
	return ORD_OK;
}

static int put_message(struct ord_slice key, struct ord_slice body, struct ord_values *f)
{
	struct ord_stored_message m;
	int err = ord_stored_message(key, body, &m);
	if (err != ORD_OK)
		return err;
	ord_values_uint(f, "destination", m.destination);
	ord_values_uint(f, "number", m.number);
	ord_values_begin(f, "message");
	if (f->json != NULL) {
		ord_command_words_message_json(&m.message, f->json);
		return ORD_OK;
	}
	ord_bytes_put_u8(f->words, '[');
	ord_command_words_message_put(&m.message, f->words);
	ord_bytes_put_u8(f->words, ']');
	return ORD_OK;
}

/* --- The partition's own numbers, and the node's note. --- */

static void put_outboxes(const struct ord_stored_numbers *n, struct ord_values *f)
{
	char name[32];
	for (uint32_t i = 0; i < n->partitions_count; i++) {
		struct ord_stored_outbox o = ord_stored_outbox_of(n, i);
		if (i == n->partition)
			continue;
		snprintf(name, sizeof name, "first_to_%u", i);
		ord_values_uint(f, name, o.first);
		snprintf(name, sizeof name, "next_to_%u", i);
		ord_values_uint(f, name, o.next);
		snprintf(name, sizeof name, "cursor_of_%u", i);
		ord_values_uint(f, name, o.cursor);
	}
}

static int put_numbers(struct ord_slice body, struct ord_values *f)
{
	struct ord_stored_numbers n;
	int err = ord_stored_numbers(body, &n);
	if (err != ORD_OK)
		return err;
	ord_values_uint(f, "partition", n.partition);
	ord_values_uint(f, "partitions", n.partitions_count);
	for (unsigned i = 0; i < ORD_STORED_NUMBERS; i++)
		ord_values_uint(f, ord_stored_number_name((enum ord_stored_number)i), n.numbers[i]);
	ord_values_name(f, "odd_requests", n.requests_odd ? "yes" : "no");
	ord_values_name(f, "odd_stages", n.stages_odd ? "yes" : "no");
	ord_values_hex(f, "history_hash", ord_slice_of(n.history_hash, sizeof n.history_hash));
	put_outboxes(&n, f);
	return ORD_OK;
}

static int put_note(struct ord_slice body, struct ord_values *f)
{
	struct ord_reader r = ord_reader_of(body);
	if (body.len != NOTE_BYTES || ord_reader_u32(&r) != NOTE_FORMAT) {
		ord_values_hex(f, "note", body);
		return ORD_OK;
	}
	ord_values_uint(f, "index", ord_reader_u64(&r));
	ord_values_uint(f, "term", ord_reader_u64(&r));
	ord_values_uint(f, "entry_us", ord_reader_u64(&r));
	return ORD_OK;
}

static int put_dropped(struct ord_slice body, struct ord_values *f)
{
	struct ord_stored_dropped d;
	int err = ord_stored_dropped(body, &d);
	if (err != ORD_OK)
		return err;
	ord_values_uint(f, "digest_0", d.digest[0]);
	ord_values_uint(f, "digest_1", d.digest[1]);
	ord_values_uint(f, "requests", d.requests_count);
	ord_values_uint(f, "stages", d.stages_count);
	ord_values_uint(f, "posted", d.posted_count);
	return ORD_OK;
}

static int put_meta(struct ord_slice key, struct ord_slice body, struct ord_values *f)
{
	if (ord_slice_equal(key, ord_slice_text(ORD_STORED_NUMBERS_KEY)))
		return put_numbers(body, f);
	if (ord_slice_equal(key, ord_slice_text(ORD_STORED_DROPPED_KEY)))
		return put_dropped(body, f);
	return ord_slice_equal(key, ord_slice_text(ORD_STORED_NOTE_KEY)) ? put_note(body, f) : ORD_ERR_FORMAT;
}

/* --- All. --- */

static int put_body(enum ord_store_table table, struct ord_slice key, struct ord_slice body, struct ord_values *f)
{
	switch (table) {
	case ORD_STORE_META:
		return put_meta(key, body, f);
	case ORD_STORE_ACCOUNTS:
		return put_account(key, body, f);
	case ORD_STORE_NAMES:
		return put_name(key, body, f);
	case ORD_STORE_REQUESTS:
		return put_request(key, body, f);
	case ORD_STORE_STAGES:
		return put_stage(key, body, f);
	case ORD_STORE_POSTINGS:
		return put_posting(key, body, f);
	case ORD_STORE_MESSAGES:
		return put_message(key, body, f);
	}
	return ORD_ERR_FORMAT;
}

int ord_stored_words_put(enum ord_store_table table, struct ord_slice key, struct ord_slice value, struct ord_values *f,
			 const char **ret_why)
{
	struct ord_slice body;
	int err = ord_stored_verify(table, key, value, &body);
	if (err != ORD_OK) {
		*ret_why = "its checksum is wrong";
		return err;
	}
	err = put_body(table, key, body, f);
	if (err != ORD_OK)
		*ret_why = err == ORD_ERR_FORMAT ? "it was written by a version that this build does not know"
						 : "its checksum is right, and it makes no sense";
	return err;
}

static uint64_t big_endian(const uint8_t *at, size_t bytes)
{
	uint64_t v = 0;
	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | at[i];
	return v;
}

static void put_id_key(const char *name, const uint8_t *at, struct ord_values *f)
{
	struct ord_uuid id;
	memcpy(id.bytes, at, sizeof id.bytes);
	ord_values_id(f, name, &id);
}

/* False when the key has not the form that the table's keys have. */
static bool put_key(enum ord_store_table table, struct ord_slice key, struct ord_values *f)
{
	const uint8_t *at = key.base;
	struct ord_reader k = ord_reader_of(key);
	struct ord_slice space = ord_reader_text8(&k);
	if (table == ORD_STORE_META || table == ORD_STORE_ACCOUNTS) {
		ord_values_text(f, table == ORD_STORE_META ? "key" : "account", key);
	} else if (table == ORD_STORE_NAMES && !k.failed) {
		ord_values_text(f, "namespace", space);
		ord_values_text(f, "name", ord_reader_take(&k, ord_reader_left(&k)));
	} else if (table == ORD_STORE_REQUESTS && key.len == sizeof(struct ord_uuid)) {
		put_id_key("id", at, f);
	} else if (table == ORD_STORE_STAGES && key.len == sizeof(struct ord_uuid) + 1) {
		put_id_key("request", at, f);
		ord_values_name(f, "kind", ord_posting_kind_name(at[sizeof(struct ord_uuid)]));
	} else if (table == ORD_STORE_POSTINGS && key.len == 8) {
		ord_values_uint(f, "ordinal", big_endian(at, 8));
	} else if (table == ORD_STORE_MESSAGES && key.len == 12) {
		ord_values_uint(f, "destination", big_endian(at, 4));
		ord_values_uint(f, "number", big_endian(at + 4, 8));
	} else {
		return false;
	}
	return true;
}

void ord_stored_words_key(enum ord_store_table table, struct ord_slice key, char *text, size_t text_size)
{
	struct ord_bytes words;
	struct ord_values f = {.words = &words};
	if (key.len > ORD_STORE_KEY_BYTES_MAX)
		key.len = 0; /* nor looked at */
	ord_bytes_init(&words, KEY_WORDS_BYTES_MAX);
	if (!put_key(table, key, &f))
		ord_values_hex(&f, "key", key);
	size_t len = words.len < text_size - 1 ? words.len : text_size - 1;
	if (len > 0)
		memcpy(text, words.base, len);
	text[len] = '\0';
	ord_bytes_close(&words);
}
