/* SPDX-License-Identifier: Apache-2.0 - what a command of a log says. The fields come from partition/field.c, so that a new command needs nothing here. */
#include "cli/command_words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/offline.h"
#include "partition/field.h"

bool ord_command_words_has_id(const struct ord_command *c)
{
	return ord_command_is_clients(c->kind);
}

/* --- The value of a field. --- */

static const void *value_of(const struct ord_field *f, const void *payload)
{
	return (const char *)payload + f->offset;
}

static struct ord_slice text_of(const struct ord_field *f, const void *payload)
{
	return *(const struct ord_slice *)value_of(f, payload);
}

static int64_t number_of(const struct ord_field *f, const void *payload)
{
	return *(const int64_t *)value_of(f, payload);
}

static const char *state_of(const struct ord_field *f, const void *payload)
{
	return ord_account_state_name(*(const enum ord_account_state *)value_of(f, payload));
}

static bool has_reason(const struct ord_message *m)
{
	return m->kind == ORD_MESSAGE_REFUND || m->kind == ORD_MESSAGE_OUTCOME;
}

static bool has_transfer(const struct ord_message *m)
{
	return m->kind != ORD_MESSAGE_OUTCOME;
}

/* --- Words. --- */

__attribute__((format(printf, 2, 3))) static void put(struct ord_bytes *out, const char *format, ...)
{
	char text[128];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	ord_bytes_put(out, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

static void put_quoted(struct ord_bytes *out, struct ord_slice text)
{
	const uint8_t *p = text.base;
	ord_bytes_put_u8(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (p[i] == '"' || p[i] == '\\')
			ord_bytes_put_u8(out, '\\');
		ord_bytes_put_u8(out, p[i]);
	}
	ord_bytes_put_u8(out, '"');
}

static void put_fields(struct ord_bytes *out, struct ord_field_list list, const void *payload)
{
	for (size_t i = 0; i < list.count; i++) {
		const struct ord_field *f = &list.fields[i];
		put(out, "%s%s=", i > 0 ? " " : "", f->name);
		if (f->type == ORD_FIELD_TEXT)
			put_quoted(out, text_of(f, payload));
		else if (f->type == ORD_FIELD_STATE)
			put(out, "%s", state_of(f, payload));
		else
			put(out, "%" PRId64, number_of(f, payload));
	}
}

void ord_command_words_message_put(const struct ord_message *m, struct ord_bytes *out)
{
	char id[ORD_UUID_TEXT_SIZE];
	ord_uuid_format(&m->request_id, id);
	put(out, "%s %s home=%" PRIu32, ord_message_name(m->kind), id, m->home);
	if (has_reason(m))
		put(out, " reason=%s", ord_refusal_name(m->reason));
	if (has_transfer(m)) {
		put(out, " ");
		put_fields(out, ord_field_list(ORD_COMMAND_TRANSFER), &m->transfer);
	}
}

static void put_deliver(struct ord_bytes *out, const struct ord_deliver *d)
{
	struct ord_reader r = ord_reader_of(d->messages);
	struct ord_message m;
	put(out, "source=%" PRIu32 " first=%" PRIu64 " count=%" PRIu32 " messages=[", d->source, d->first, d->count);
	for (uint32_t i = 0; i < d->count && ord_message_decode(&r, &m) == ORD_OK; i++) {
		put(out, "%s", i > 0 ? "; " : "");
		ord_command_words_message_put(&m, out);
	}
	put(out, "]");
}

static void put_mark(struct ord_bytes *out, const struct ord_mark *m)
{
	char digest[ORD_OFFLINE_DIGEST_SIZE], history[2 * sizeof m->history_hash + 1];
	ord_offline_digest(m->state_digest, digest);
	ord_offline_hex(m->history_hash, sizeof m->history_hash, history);
	put(out, "position=%" PRIu64 " entries=%" PRIu64 " digest=%s", m->position, m->entries_count, digest);
	put(out, " history=%s", history);
}

void ord_command_words_put(const struct ord_command *c, struct ord_bytes *out)
{
	if (c->kind == ORD_COMMAND_DELIVER)
		put_deliver(out, &c->deliver);
	else if (c->kind == ORD_COMMAND_TRIM)
		put(out, "destination=%" PRIu32 " upto=%" PRIu64, c->trim.destination, c->trim.upto);
	else if (c->kind == ORD_COMMAND_MARK)
		put_mark(out, &c->mark);
	else if (c->kind == ORD_COMMAND_EXPIRE)
		put(out, "watermark_ms=%" PRIu64, c->expire.watermark_ms);
	else
		put_fields(out, ord_field_list(c->kind), &c->open_account);
}

/* --- JSON. --- */

static void json_fields(struct ord_json *j, struct ord_field_list list, const void *payload)
{
	for (size_t i = 0; i < list.count; i++) {
		const struct ord_field *f = &list.fields[i];
		ord_json_key(j, f->name);
		if (f->type == ORD_FIELD_TEXT)
			ord_json_str(j, text_of(f, payload));
		else if (f->type == ORD_FIELD_STATE)
			ord_json_text(j, state_of(f, payload));
		else
			ord_json_int(j, number_of(f, payload));
	}
}

void ord_command_words_message_json(const struct ord_message *m, struct ord_json *j)
{
	char id[ORD_UUID_TEXT_SIZE];
	ord_uuid_format(&m->request_id, id);
	ord_json_begin_object(j);
	ord_json_pair_text(j, "kind", ord_message_name(m->kind));
	ord_json_pair_text(j, "id", id);
	ord_json_pair_uint(j, "home", m->home);
	if (has_reason(m))
		ord_json_pair_text(j, "reason", ord_refusal_name(m->reason));
	if (has_transfer(m))
		json_fields(j, ord_field_list(ORD_COMMAND_TRANSFER), &m->transfer);
	ord_json_end_object(j);
}

static void json_deliver(struct ord_json *j, const struct ord_deliver *d)
{
	struct ord_reader r = ord_reader_of(d->messages);
	struct ord_message m;
	ord_json_pair_uint(j, "source", d->source);
	ord_json_pair_uint(j, "first", d->first);
	ord_json_pair_uint(j, "count", d->count);
	ord_json_key(j, "messages");
	ord_json_begin_array(j);
	for (uint32_t i = 0; i < d->count && ord_message_decode(&r, &m) == ORD_OK; i++)
		ord_command_words_message_json(&m, j);
	ord_json_end_array(j);
}

static void json_mark(struct ord_json *j, const struct ord_mark *m)
{
	char digest[ORD_OFFLINE_DIGEST_SIZE], history[2 * sizeof m->history_hash + 1];
	ord_offline_digest(m->state_digest, digest);
	ord_offline_hex(m->history_hash, sizeof m->history_hash, history);
	ord_json_pair_uint(j, "position", m->position);
	ord_json_pair_uint(j, "entries", m->entries_count);
	ord_json_pair_text(j, "digest", digest);
	ord_json_pair_text(j, "history", history);
}

void ord_command_words_json(const struct ord_command *c, struct ord_json *j)
{
	ord_json_begin_object(j);
	if (c->kind == ORD_COMMAND_DELIVER) {
		json_deliver(j, &c->deliver);
	} else if (c->kind == ORD_COMMAND_TRIM) {
		ord_json_pair_uint(j, "destination", c->trim.destination);
		ord_json_pair_uint(j, "upto", c->trim.upto);
	} else if (c->kind == ORD_COMMAND_MARK) {
		json_mark(j, &c->mark);
	} else if (c->kind == ORD_COMMAND_EXPIRE) {
		ord_json_pair_uint(j, "watermark_ms", c->expire.watermark_ms);
	} else {
		json_fields(j, ord_field_list(c->kind), &c->open_account);
	}
	ord_json_end_object(j);
}
