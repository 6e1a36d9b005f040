/* SPDX-License-Identifier: Apache-2.0 - commands: check, encode, decode.
 *
 * A client's command:   kind u8, request id 16 bytes, then its fields in the order of field.c.
 * DELIVER:              kind u8, source u32, first u64, count u32, length u32, that many bytes of messages (message.c).
 * TRIM:                 kind u8, destination u32, upto u64.
 * MARK:                 kind u8, position u64, count of entries u64, state digest 2 u64, history hash 32 bytes.
 * EXPIRE:               kind u8, watermark in milliseconds u64.
 * Numbers are little-endian; a text is one byte of length and its bytes. A command has exactly one encoding. */
#include "partition/command.h"

#include "base/assert.h"
#include "base/err.h"
#include "partition/field.h"

/* All payloads are members of one union, so they share one address. */
static const void *payload_of(const struct ord_command *c)
{
	return &c->open_account;
}

static bool id_is_zero(const struct ord_uuid *id)
{
	static const struct ord_uuid zero;
	return ord_uuid_equal(id, &zero);
}

int ord_command_check(const struct ord_command *c, struct ord_fault *ret)
{
	struct ord_field_list list = ord_field_list(c->kind);
	if (list.count == 0) {
		*ret = (struct ord_fault){"method", "a command that clients may send"};
		return ORD_ERR_INVALID;
	}
	if (id_is_zero(&c->request_id)) {
		*ret = (struct ord_fault){"id", "16 bytes that are not all zero"};
		return ORD_ERR_INVALID;
	}
	const struct ord_field *wrong = ord_field_check(list, payload_of(c));
	if (wrong != NULL) {
		*ret = (struct ord_fault){wrong->name, wrong->remedy};
		return ORD_ERR_INVALID;
	}
	if (c->kind == ORD_COMMAND_TRANSFER && ord_slice_equal(c->transfer.payer, c->transfer.payee)) {
		*ret = (struct ord_fault){"payee", "another account than the payer"};
		return ORD_ERR_INVALID;
	}
	return ORD_OK;
}

static void deliver_encode(const struct ord_deliver *d, struct ord_bytes *out)
{
	ORD_ASSERT(d->messages.len <= UINT32_MAX);
	ord_bytes_put_u32(out, d->source);
	ord_bytes_put_u64(out, d->first);
	ord_bytes_put_u32(out, d->count);
	ord_bytes_put_u32(out, (uint32_t)d->messages.len);
	ord_bytes_put(out, d->messages.base, d->messages.len);
}

static void trim_encode(const struct ord_trim *t, struct ord_bytes *out)
{
	ord_bytes_put_u32(out, t->destination);
	ord_bytes_put_u64(out, t->upto);
}

static void mark_encode(const struct ord_mark *m, struct ord_bytes *out)
{
	ord_bytes_put_u64(out, m->position);
	ord_bytes_put_u64(out, m->entries_count);
	ord_bytes_put_u64(out, m->state_digest[0]);
	ord_bytes_put_u64(out, m->state_digest[1]);
	ord_bytes_put(out, m->history_hash, sizeof m->history_hash);
}

bool ord_command_is_clients(enum ord_command_kind kind)
{
	return ord_field_list(kind).count != 0;
}

void ord_command_encode(const struct ord_command *c, struct ord_bytes *out)
{
	struct ord_field_list list = ord_field_list(c->kind);
	ord_bytes_put_u8(out, (uint8_t)c->kind);
	if (c->kind == ORD_COMMAND_DELIVER) {
		deliver_encode(&c->deliver, out);
	} else if (c->kind == ORD_COMMAND_TRIM) {
		trim_encode(&c->trim, out);
	} else if (c->kind == ORD_COMMAND_MARK) {
		mark_encode(&c->mark, out);
	} else if (c->kind == ORD_COMMAND_EXPIRE) {
		ord_bytes_put_u64(out, c->expire.watermark_ms);
	} else {
		ORD_ASSERT(list.count != 0);
		ord_bytes_put(out, c->request_id.bytes, sizeof c->request_id.bytes);
		ord_field_encode(list, payload_of(c), out);
	}
}

static int deliver_decode(struct ord_reader *r, struct ord_command *ret)
{
	struct ord_deliver d;
	d.source = ord_reader_u32(r);
	d.first = ord_reader_u64(r);
	d.count = ord_reader_u32(r);
	d.messages = ord_reader_take(r, ord_reader_u32(r));
	if (r->failed)
		return ORD_ERR_TRUNCATED;
	if (d.first > UINT64_MAX - d.count)
		return ORD_ERR_FORMAT;
	*ret = (struct ord_command){.kind = ORD_COMMAND_DELIVER, .deliver = d};
	return ORD_OK;
}

static int trim_decode(struct ord_reader *r, struct ord_command *ret)
{
	struct ord_trim t;
	t.destination = ord_reader_u32(r);
	t.upto = ord_reader_u64(r);
	if (r->failed)
		return ORD_ERR_TRUNCATED;
	*ret = (struct ord_command){.kind = ORD_COMMAND_TRIM, .trim = t};
	return ORD_OK;
}

static int mark_decode(struct ord_reader *r, struct ord_command *ret)
{
	struct ord_mark m = {.position = ord_reader_u64(r)};
	m.entries_count = ord_reader_u64(r);
	m.state_digest[0] = ord_reader_u64(r);
	m.state_digest[1] = ord_reader_u64(r);
	struct ord_slice hash = ord_reader_take(r, sizeof m.history_hash);
	if (r->failed)
		return ORD_ERR_TRUNCATED;
	memcpy(m.history_hash, hash.base, sizeof m.history_hash);
	*ret = (struct ord_command){.kind = ORD_COMMAND_MARK, .mark = m};
	return ORD_OK;
}

static int expire_decode(struct ord_reader *r, struct ord_command *ret)
{
	struct ord_expire e = {.watermark_ms = ord_reader_u64(r)};
	if (r->failed)
		return ORD_ERR_TRUNCATED;
	*ret = (struct ord_command){.kind = ORD_COMMAND_EXPIRE, .expire = e};
	return ORD_OK;
}

static int client_decode(struct ord_reader *r, enum ord_command_kind kind, struct ord_command *ret)
{
	struct ord_field_list list = ord_field_list(kind);
	if (list.count == 0)
		return ORD_ERR_FORMAT;
	struct ord_command c = {.kind = kind};
	struct ord_slice id = ord_reader_take(r, sizeof c.request_id.bytes);
	if (r->failed)
		return ORD_ERR_TRUNCATED;
	memcpy(c.request_id.bytes, id.base, id.len);
	int rv = ord_field_decode(list, r, &c.open_account);
	if (rv == ORD_OK)
		*ret = c;
	return rv;
}

int ord_command_decode(struct ord_reader *r, struct ord_command *ret)
{
	uint8_t kind = ord_reader_u8(r);
	if (r->failed)
		return ORD_ERR_TRUNCATED;
	if (kind == ORD_COMMAND_DELIVER)
		return deliver_decode(r, ret);
	if (kind == ORD_COMMAND_TRIM)
		return trim_decode(r, ret);
	if (kind == ORD_COMMAND_MARK)
		return mark_decode(r, ret);
	if (kind == ORD_COMMAND_EXPIRE)
		return expire_decode(r, ret);
	return client_decode(r, (enum ord_command_kind)kind, ret);
}
