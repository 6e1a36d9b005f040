/* SPDX-License-Identifier: Apache-2.0 - encoding of the parts that nodes exchange.
 *
 * Numbers are little-endian. "text8" is one byte of length, then the bytes.
 *
 *   SUBMIT, READ  u64 forward, u32 partition, u8 wait (1 logged, 2 settled), u32 timeout_ms, then the command or query to the end
 *   ANSWER        u64 forward, u8 err, u32 partition, u32 retry_after_ms, u8 status (0 none), u8 reason, u8 replayed, u64 position,
 *                 text8 field, then the body to the end
 *   DELIVER       u32 destination, u32 source, u64 first, u32 count, then the messages to the end
 *   CURSOR        u32 source, u32 destination, u64 cursor, u64 expected
 *   READY         u32 partition
 *   COPY_ASK      u32 partition, u64 number, u64 index
 *   COPY_NOTE     u32 partition, u64 number, then the note to the end
 *   COPY_NEXT     u32 partition, u64 number, u64 index, u8 table, u16 length and bytes of the key
 *   COPY_PAIRS    u32 partition, u64 number, u8 table, u16 length and bytes of the key, u8 1 when they are the last, then the pairs to the end
 *   COPY_END      u32 partition, u64 number
 *   WANT_BLOCK, WANT_BLOCK_ID   u32 partition, u64 number
 *   BLOCK         u32 partition, u64 number, u8 status (0 here, 1 not there, 2 not now), u64 first block kept, then the block to the end
 *   BLOCK_ID      u32 partition, u64 number, u8 status, u64 last position, 32 bytes history hash after it
 *   MARK_RESULT   u32 partition, u8 flags (1 asks, 2 is fenced), u64 position, u64 entries, u64 both halves of the state digest,
 *                 32 bytes history hash
 *   ROOM          u8 state (0 ok, 1 low, 2 critical)
 *   REACH         node/peers_relay.c
 *   RELAY         u32 from, 16 incarnation of from, u32 to, u8 kind, then the body of that part to the end
 */
#include "node/wire.h"

#include "base/err.h"
#include "base/limits.h"

void ord_wire_put_call(const struct ord_part_call *c, struct ord_bytes *out)
{
	ord_bytes_put_u64(out, c->forward);
	ord_bytes_put_u32(out, c->partition);
	ord_bytes_put_u8(out, (uint8_t)c->wait);
	ord_bytes_put_u32(out, c->timeout_ms);
	ord_bytes_put(out, c->body.base, c->body.len);
}

int ord_wire_get_call(struct ord_slice body, struct ord_part_call *ret)
{
	struct ord_reader r = ord_reader_of(body);
	struct ord_part_call c = {0};
	c.forward = ord_reader_u64(&r);
	c.partition = ord_reader_u32(&r);
	uint8_t wait = ord_reader_u8(&r);
	c.timeout_ms = ord_reader_u32(&r);
	c.body = ord_reader_take(&r, ord_reader_left(&r));
	if (r.failed || (wait != ORD_WAIT_LOGGED && wait != ORD_WAIT_SETTLED))
		return ORD_ERR_FORMAT;
	c.wait = wait;
	*ret = c;
	return ORD_OK;
}

/* The fields that a result can name, so that a decoded result points to a literal like one made here. */
static const char *const field_names[] = {"payer",   "payee", "amount",	   "asset", "method", "account", "floor",
					  "ceiling", "state", "namespace", "name",  "owner",  "expected"};

static const char *field_literal(struct ord_slice text)
{
	for (size_t i = 0; i < sizeof field_names / sizeof *field_names; i++)
		if (ord_slice_equal(text, ord_slice_text(field_names[i])))
			return field_names[i];
	return NULL;
}

void ord_wire_put_answer(uint64_t forward, const struct ord_answer *a, struct ord_bytes *out)
{
	ord_bytes_put_u64(out, forward);
	ord_bytes_put_u8(out, (uint8_t)a->err);
	ord_bytes_put_u32(out, a->partition);
	ord_bytes_put_u32(out, a->retry_after_ms);
	ord_bytes_put_u8(out, (uint8_t)a->result.status);
	ord_bytes_put_u8(out, (uint8_t)a->result.reason);
	ord_bytes_put_u8(out, a->result.replayed);
	ord_bytes_put_u64(out, a->result.position);
	ord_bytes_put_text8(out, ord_slice_text(a->result.field == NULL ? "" : a->result.field));
	ord_bytes_put(out, a->body.base, a->body.len);
}

int ord_wire_get_answer(struct ord_slice body, uint64_t *ret_forward, struct ord_answer *ret)
{
	struct ord_reader r = ord_reader_of(body);
	struct ord_answer a = {0};
	uint64_t forward = ord_reader_u64(&r);
	a.err = ord_reader_u8(&r);
	a.partition = ord_reader_u32(&r);
	a.retry_after_ms = ord_reader_u32(&r);
	uint8_t status = ord_reader_u8(&r);
	a.result.reason = ord_reader_u8(&r);
	a.result.replayed = ord_reader_u8(&r) != 0;
	a.result.position = ord_reader_u64(&r);
	a.result.field = field_literal(ord_reader_text8(&r));
	a.body = ord_reader_take(&r, ord_reader_left(&r));
	if (r.failed || status > ORD_STATUS_REJECTED)
		return ORD_ERR_FORMAT;
	a.result.status = status;
	*ret_forward = forward;
	*ret = a;
	return ORD_OK;
}

void ord_wire_put_deliver(const struct ord_part_deliver *d, struct ord_bytes *out)
{
	ord_bytes_put_u32(out, d->destination);
	ord_bytes_put_u32(out, d->run.source);
	ord_bytes_put_u64(out, d->run.first);
	ord_bytes_put_u32(out, d->run.count);
	ord_bytes_put(out, d->run.messages.base, d->run.messages.len);
}

int ord_wire_get_deliver(struct ord_slice body, struct ord_part_deliver *ret)
{
	struct ord_reader r = ord_reader_of(body);
	struct ord_part_deliver d = {0};
	d.destination = ord_reader_u32(&r);
	d.run.source = ord_reader_u32(&r);
	d.run.first = ord_reader_u64(&r);
	d.run.count = ord_reader_u32(&r);
	d.run.messages = ord_reader_take(&r, ord_reader_left(&r));
	if (r.failed || d.run.first == 0 || d.run.count == 0 || d.run.messages.len > ORD_DELIVER_BYTES_MAX ||
	    d.run.first + d.run.count < d.run.first)
		return ORD_ERR_FORMAT;
	*ret = d;
	return ORD_OK;
}

void ord_wire_put_cursor(const struct ord_part_cursor *c, struct ord_bytes *out)
{
	ord_bytes_put_u32(out, c->source);
	ord_bytes_put_u32(out, c->destination);
	ord_bytes_put_u64(out, c->cursor);
	ord_bytes_put_u64(out, c->expected);
}

int ord_wire_get_cursor(struct ord_slice body, struct ord_part_cursor *ret)
{
	struct ord_reader r = ord_reader_of(body);
	struct ord_part_cursor c = {0};
	c.source = ord_reader_u32(&r);
	c.destination = ord_reader_u32(&r);
	c.cursor = ord_reader_u64(&r);
	c.expected = ord_reader_u64(&r);
	if (r.failed || ord_reader_left(&r) != 0)
		return ORD_ERR_FORMAT;
	*ret = c;
	return ORD_OK;
}

void ord_wire_put_ready(uint32_t partition, struct ord_bytes *out)
{
	ord_bytes_put_u32(out, partition);
}

int ord_wire_get_ready(struct ord_slice body, uint32_t *ret_partition)
{
	struct ord_reader r = ord_reader_of(body);
	uint32_t partition = ord_reader_u32(&r);
	if (r.failed || ord_reader_left(&r) != 0)
		return ORD_ERR_FORMAT;
	*ret_partition = partition;
	return ORD_OK;
}

void ord_wire_put_leader(const struct ord_part_leader *l, struct ord_bytes *out)
{
	ord_bytes_put_u32(out, l->partition);
	ord_bytes_put_u32(out, l->leader);
	ord_bytes_put_u8(out, l->is_renewed);
}

int ord_wire_get_leader(struct ord_slice body, struct ord_part_leader *ret)
{
	struct ord_reader r = ord_reader_of(body);
	struct ord_part_leader l = {.partition = ord_reader_u32(&r), .leader = ord_reader_u32(&r)};
	l.is_renewed = ord_reader_u8(&r) != 0;
	if (r.failed || ord_reader_left(&r) != 0)
		return ORD_ERR_FORMAT;
	*ret = l;
	return ORD_OK;
}

void ord_wire_put_copy(enum ord_part_kind kind, const struct ord_part_copy *c, struct ord_bytes *out)
{
	ord_bytes_put_u32(out, c->partition);
	ord_bytes_put_u64(out, c->number);
	if (kind == ORD_PART_COPY_ASK || kind == ORD_PART_COPY_NEXT)
		ord_bytes_put_u64(out, c->index);
	if (kind == ORD_PART_COPY_NEXT || kind == ORD_PART_COPY_PAIRS) {
		ord_bytes_put_u8(out, c->after.table);
		ord_bytes_put_u16(out, c->after.key_bytes);
		ord_bytes_put(out, c->after.key, c->after.key_bytes);
	}
	if (kind == ORD_PART_COPY_PAIRS)
		ord_bytes_put_u8(out, c->is_last);
	if (kind == ORD_PART_COPY_NOTE || kind == ORD_PART_COPY_PAIRS)
		ord_bytes_put(out, c->body.base, c->body.len);
}

static void get_place(struct ord_reader *r, struct ord_pairs_place *ret)
{
	ret->table = ord_reader_u8(r);
	ret->key_bytes = ord_reader_u16(r);
	struct ord_slice key = ord_reader_take(r, ret->key_bytes);
	if (r->failed || key.len > sizeof ret->key || ret->table >= ORD_STORE_TABLES)
		r->failed = true;
	else if (key.len > 0)
		memcpy(ret->key, key.base, key.len);
}

int ord_wire_get_copy(enum ord_part_kind kind, struct ord_slice body, struct ord_part_copy *ret)
{
	struct ord_reader r = ord_reader_of(body);
	struct ord_part_copy c = {.partition = ord_reader_u32(&r)};
	c.number = ord_reader_u64(&r);
	if (kind == ORD_PART_COPY_ASK || kind == ORD_PART_COPY_NEXT)
		c.index = ord_reader_u64(&r);
	if (kind == ORD_PART_COPY_NEXT || kind == ORD_PART_COPY_PAIRS)
		get_place(&r, &c.after);
	if (kind == ORD_PART_COPY_PAIRS)
		c.is_last = ord_reader_u8(&r) != 0;
	if (kind == ORD_PART_COPY_NOTE || kind == ORD_PART_COPY_PAIRS)
		c.body = ord_reader_take(&r, ord_reader_left(&r));
	if (r.failed || ord_reader_left(&r) != 0)
		return ORD_ERR_FORMAT;
	*ret = c;
	return ORD_OK;
}

void ord_wire_put_want_block(const struct ord_part_want_block *w, struct ord_bytes *out)
{
	ord_bytes_put_u32(out, w->partition);
	ord_bytes_put_u64(out, w->number);
}

int ord_wire_get_want_block(struct ord_slice body, struct ord_part_want_block *ret)
{
	struct ord_reader r = ord_reader_of(body);
	struct ord_part_want_block w = {0};
	w.partition = ord_reader_u32(&r);
	w.number = ord_reader_u64(&r);
	if (r.failed || ord_reader_left(&r) != 0 || w.number == 0)
		return ORD_ERR_FORMAT;
	*ret = w;
	return ORD_OK;
}

void ord_wire_put_block(const struct ord_part_block *b, struct ord_bytes *out)
{
	ord_bytes_put_u32(out, b->partition);
	ord_bytes_put_u64(out, b->number);
	ord_bytes_put_u8(out, (uint8_t)b->status);
	ord_bytes_put_u64(out, b->first);
	ord_bytes_put(out, b->bytes.base, b->bytes.len);
}

int ord_wire_get_block(struct ord_slice body, struct ord_part_block *ret)
{
	struct ord_reader r = ord_reader_of(body);
	struct ord_part_block b = {0};
	b.partition = ord_reader_u32(&r);
	b.number = ord_reader_u64(&r);
	uint8_t status = ord_reader_u8(&r);
	b.first = ord_reader_u64(&r);
	b.bytes = ord_reader_take(&r, ord_reader_left(&r));
	if (r.failed || b.number == 0 || status > ORD_PART_BLOCK_NOT_NOW ||
	    b.bytes.len > ORD_BLOCK_HEADER_BYTES + ORD_BLOCK_STORED_BYTES_MAX ||
	    (status == ORD_PART_BLOCK_HERE) != (b.bytes.len > 0))
		return ORD_ERR_FORMAT;
	b.status = status;
	*ret = b;
	return ORD_OK;
}

void ord_wire_put_block_id(const struct ord_part_block_id *b, struct ord_bytes *out)
{
	ord_bytes_put_u32(out, b->partition);
	ord_bytes_put_u64(out, b->id.number);
	ord_bytes_put_u8(out, (uint8_t)b->status);
	ord_bytes_put_u64(out, b->id.last_position);
	ord_bytes_put(out, b->id.chain_after, sizeof b->id.chain_after);
}

int ord_wire_get_block_id(struct ord_slice body, struct ord_part_block_id *ret)
{
	struct ord_reader r = ord_reader_of(body);
	struct ord_part_block_id b = {0};
	b.partition = ord_reader_u32(&r);
	b.id.number = ord_reader_u64(&r);
	uint8_t status = ord_reader_u8(&r);
	b.id.last_position = ord_reader_u64(&r);
	struct ord_slice chain = ord_reader_take(&r, sizeof b.id.chain_after);
	if (r.failed || ord_reader_left(&r) != 0 || b.id.number == 0 || status > ORD_PART_BLOCK_NOT_NOW)
		return ORD_ERR_FORMAT;
	memcpy(b.id.chain_after, chain.base, sizeof b.id.chain_after);
	b.status = status;
	*ret = b;
	return ORD_OK;
}

#define MARK_ASKS 1
#define MARK_FENCED 2

void ord_wire_put_mark_result(const struct ord_part_mark_result *m, struct ord_bytes *out)
{
	ord_bytes_put_u32(out, m->partition);
	ord_bytes_put_u8(out, (uint8_t)((m->asks ? MARK_ASKS : 0) | (m->is_fenced ? MARK_FENCED : 0)));
	ord_bytes_put_u64(out, m->result.position);
	ord_bytes_put_u64(out, m->result.entries_count);
	ord_bytes_put_u64(out, m->result.state_digest[0]);
	ord_bytes_put_u64(out, m->result.state_digest[1]);
	ord_bytes_put(out, m->result.history_hash, sizeof m->result.history_hash);
}

int ord_wire_get_mark_result(struct ord_slice body, struct ord_part_mark_result *ret)
{
	struct ord_reader r = ord_reader_of(body);
	struct ord_part_mark_result m = {.partition = ord_reader_u32(&r)};
	uint8_t flags = ord_reader_u8(&r);
	m.result.position = ord_reader_u64(&r);
	m.result.entries_count = ord_reader_u64(&r);
	m.result.state_digest[0] = ord_reader_u64(&r);
	m.result.state_digest[1] = ord_reader_u64(&r);
	struct ord_slice hash = ord_reader_take(&r, sizeof m.result.history_hash);
	if (r.failed || ord_reader_left(&r) != 0 || flags > (MARK_ASKS | MARK_FENCED))
		return ORD_ERR_FORMAT;
	memcpy(m.result.history_hash, hash.base, sizeof m.result.history_hash);
	m.asks = (flags & MARK_ASKS) != 0;
	m.is_fenced = (flags & MARK_FENCED) != 0;
	*ret = m;
	return ORD_OK;
}

void ord_wire_put_relay(const struct ord_part_relay *p, struct ord_bytes *out)
{
	ord_bytes_put_u32(out, p->from);
	ord_bytes_put(out, p->incarnation.bytes, sizeof p->incarnation.bytes);
	ord_bytes_put_u32(out, p->to);
	ord_bytes_put_u8(out, p->kind);
	ord_bytes_put(out, p->body.base, p->body.len);
}

int ord_wire_get_relay(struct ord_slice body, struct ord_part_relay *ret)
{
	struct ord_reader r = ord_reader_of(body);
	struct ord_part_relay p = {.from = ord_reader_u32(&r)};
	struct ord_slice incarnation = ord_reader_take(&r, sizeof p.incarnation.bytes);
	p.to = ord_reader_u32(&r);
	p.kind = ord_reader_u8(&r);
	p.body = ord_reader_take(&r, ord_reader_left(&r));
	if (r.failed)
		return ORD_ERR_FORMAT;
	memcpy(p.incarnation.bytes, incarnation.base, sizeof p.incarnation.bytes);
	*ret = p;
	return ORD_OK;
}

void ord_wire_put_room(enum ord_room_state state, struct ord_bytes *out)
{
	ord_bytes_put_u8(out, (uint8_t)state);
}

int ord_wire_get_room(struct ord_slice body, enum ord_room_state *ret_state)
{
	struct ord_reader r = ord_reader_of(body);
	uint8_t state = ord_reader_u8(&r);
	if (r.failed || ord_reader_left(&r) != 0 || state >= ORD_ROOM_STATES)
		return ORD_ERR_FORMAT;
	*ret_state = (enum ord_room_state)state;
	return ORD_OK;
}
