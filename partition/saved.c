/* SPDX-License-Identifier: Apache-2.0 - how the state stands in a store. */

/* Numbers in keys are big-endian, so that their order is the order of the keys; all others are little-endian, or, as v and signed ones as s, in as many bytes as they need (base/varint.h). text8: one
 * byte of length, then the bytes. Each value ends with the CRC-32C of its table's number (one byte), the key and the rest of the value.
 *
 *   table      key                           value
 *   ACCOUNTS   account                       u8 state, balance (v v), s floor, v ceiling, v opened_us, v count of postings, v ordinal of the last, 7 v ordinals of the last ones whose number
 *                                            16, 256, ... 16^7 divides, text8 asset
 *   NAMES      text8 namespace, name         16 request id, v position, v since_us, owner
 *   REQUESTS   16 id                         v position, v logged_us, s decided_us less logged_us, u8 kind, u8 status, u8 field, v reason, the command's fields
 *   STAGES     16 request id, u8 kind        v home, v reason, v ordinal of the posting (0 when refused)
 *   POSTINGS   u64 ordinal                   16 request id, v home, u8 kind, u64 account's identity, v number, s amount, s balance after, v position, v time_us, v ordinal less the ordinal of the one
 *                                            before, v ordinal of an earlier one, counterparty
 *   MESSAGES   u32 destination, u64 number   the message
 *   META       "partition"                   numbers_put() below
 *   META       "note"                        what the owner wrote
 *   META       "dropped"                     u32 format (1), u64 digest's halves, counts of requests, stages, those of them that posted: of expired request ids; not there before anything was dropped
 *
 * A balance has 128 bits. It is mapped as signed numbers are; its lower half, then its upper half. Differences are modulo 2^64.
 */
#include "partition/saved.h"

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/varint.h"
#include "partition/account.h"
#include "partition/name.h"
#include "partition/request.h"

#define STAGE_KEY_BYTES (sizeof(struct ord_uuid) + 1)
#define MESSAGE_KEY_BYTES 12
#define POSTING_KEY_BYTES 8

struct saved_key {
	uint8_t bytes[ORD_STORE_KEY_BYTES_MAX];
	size_t len;
};

_Static_assert(ORD_NAMESPACE_BYTES_MAX + ORD_NAME_BYTES_MAX + 1 <= ORD_STORE_KEY_BYTES_MAX, "the longest key fits");

static struct ord_slice key_slice(const struct saved_key *key)
{
	return ord_slice_of(key->bytes, key->len);
}

static void put_big_endian(uint8_t *at, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

/* --- Checksums. --- */

/* Adds what stands in the checkpoint's value buffer. */
static void put_value(struct ord_partition *p, enum ord_store_table table, struct ord_slice key)
{
	struct ord_bytes *value = &p->checkpoint.value;
	ord_bytes_put_u32(value, ord_stored_checksum(table, key, ord_bytes_slice(value)));
	ORD_ASSERT(!value->failed);
	ord_changes_put(&p->checkpoint.changes, table, key, ord_bytes_slice(value));
	ord_bytes_clear(value);
}

/* The value without its checksum. ORD_ERR_NOT_FOUND, ORD_ERR_IO, ORD_ERR_CORRUPT. */
static int get(const struct ord_partition *p, enum ord_store_table table, struct ord_slice key, struct ord_slice *ret)
{
	struct ord_slice value;
	int err = p->store->get(p->store->ctx, table, key, &value);
	return err == ORD_OK ? ord_stored_verify(table, key, value, ret) : err;
}

/* --- Accounts. --- */

static void put_account(struct ord_partition *p, const struct ord_account *a)
{
	struct ord_bytes *v = &p->checkpoint.value;
	unsigned __int128 balance = (unsigned __int128)a->balance << 1 ^ (unsigned __int128)(a->balance >> 127);
	ord_bytes_put_u8(v, a->state);
	ord_bytes_put_varint(v, (uint64_t)balance);
	ord_bytes_put_varint(v, (uint64_t)(balance >> 64));
	ord_bytes_put_signed_varint(v, a->floor);
	ord_bytes_put_varint(v, (uint64_t)a->ceiling);
	ord_bytes_put_varint(v, a->opened_us);
	ord_bytes_put_varint(v, a->postings_count);
	ord_bytes_put_varint(v, a->last_ordinal);
	for (size_t i = 0; i < ORD_POSTING_LEVELS; i++)
		ord_bytes_put_varint(v, a->ordinals[i]);
	ord_bytes_put_text8(v, ord_account_asset(a));
	put_value(p, ORD_STORE_ACCOUNTS, ord_account_id(a));
}

static int take_account(struct ord_partition *p, struct ord_slice key, struct ord_slice body)
{
	struct ord_stored_account s;
	int err = ord_stored_account(key, body, &s);
	if (err != ORD_OK)
		return err;
	struct ord_account a = {.balance = s.balance,
				.floor = s.floor,
				.ceiling = s.ceiling,
				.opened_us = s.opened_us,
				.postings_count = s.postings_count,
				.last_ordinal = s.last_ordinal,
				.state = s.state};
	memcpy(a.ordinals, s.ordinals, sizeof a.ordinals);
	struct ord_account *made = ord_account_make(p, &a, s.account, s.asset);
	ord_row_loaded(p, &made->row, ORD_STORE_ACCOUNTS);
	return ORD_OK;
}

int ord_saved_get_account(struct ord_partition *p, struct ord_slice account)
{
	struct ord_slice body;
	int err = account.len == 0 ? ORD_ERR_NOT_FOUND : get(p, ORD_STORE_ACCOUNTS, account, &body);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK;
	return err == ORD_OK ? take_account(p, account, body) : err;
}

/* --- Names. --- */

static struct saved_key name_key(struct ord_slice space, struct ord_slice name)
{
	struct saved_key key = {.len = 1 + space.len + name.len};
	ORD_ASSERT(key.len <= sizeof key.bytes);
	key.bytes[0] = (uint8_t)space.len;
	if (space.len > 0)
		memcpy(key.bytes + 1, space.base, space.len);
	if (name.len > 0)
		memcpy(key.bytes + 1 + space.len, name.base, name.len);
	return key;
}

static void put_name(struct ord_partition *p, const struct ord_name *n)
{
	struct saved_key key = name_key(ord_name_space(n), ord_name_name(n));
	struct ord_slice owner = ord_name_owner(n);
	struct ord_bytes *v = &p->checkpoint.value;
	if ((n->row.flags & ORD_ROW_REMOVED) != 0) {
		ord_changes_remove(&p->checkpoint.changes, ORD_STORE_NAMES, key_slice(&key));
		return;
	}
	ord_bytes_put(v, n->request_id.bytes, sizeof n->request_id.bytes);
	ord_bytes_put_varint(v, n->position);
	ord_bytes_put_varint(v, n->since_us);
	ord_bytes_put(v, owner.base, owner.len);
	put_value(p, ORD_STORE_NAMES, key_slice(&key));
}

static int take_name(struct ord_partition *p, struct ord_slice key, struct ord_slice body)
{
	struct ord_stored_name s;
	int err = ord_stored_name(key, body, &s);
	if (err != ORD_OK)
		return err;
	struct ord_name n = {.request_id = s.request_id, .position = s.position, .since_us = s.since_us};
	struct ord_name *made = ord_name_make(p, &n, &s.naming);
	ord_row_loaded(p, &made->row, ORD_STORE_NAMES);
	return ORD_OK;
}

int ord_saved_get_name(struct ord_partition *p, struct ord_slice space, struct ord_slice name)
{
	struct saved_key key = name_key(space, name);
	struct ord_slice body;
	int err = get(p, ORD_STORE_NAMES, key_slice(&key), &body);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK;
	return err == ORD_OK ? take_name(p, key_slice(&key), body) : err;
}

/* --- Requests. --- */

static void put_request(struct ord_partition *p, const struct ord_request *q)
{
	struct ord_bytes *v = &p->checkpoint.value;
	ord_bytes_put_varint(v, q->position);
	ord_bytes_put_varint(v, q->logged_us);
	ord_bytes_put_signed_varint(v, (int64_t)(q->decided_us - q->logged_us));
	ord_bytes_put_u8(v, q->kind);
	ord_bytes_put_u8(v, q->status);
	ord_bytes_put_u8(v, q->field);
	ord_bytes_put_varint(v, q->reason);
	ord_bytes_put(v, q->body, q->body_bytes);
	put_value(p, ORD_STORE_REQUESTS, ord_slice_of(q->id.bytes, sizeof q->id.bytes));
}

static int take_request(struct ord_partition *p, struct ord_slice key, struct ord_slice body)
{
	struct ord_stored_request s;
	int err = ord_stored_request(key, body, &s);
	if (err != ORD_OK)
		return err;
	struct ord_request q = {.id = s.id,
				.position = s.position,
				.logged_us = s.logged_us,
				.decided_us = s.decided_us,
				.kind = s.kind,
				.status = s.status,
				.field = s.field,
				.reason = s.reason};
	struct ord_request *made = ord_request_make(p, &q, s.body);
	ord_row_loaded(p, &made->row, ORD_STORE_REQUESTS);
	return ORD_OK;
}

int ord_saved_get_request(struct ord_partition *p, const struct ord_uuid *id)
{
	struct ord_slice key = ord_slice_of(id->bytes, sizeof id->bytes);
	struct ord_slice body;
	struct ord_stored_request s;
	int err = get(p, ORD_STORE_REQUESTS, key, &body);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK;
	if (err == ORD_OK)
		err = ord_stored_request(key, body, &s);
	/* As good as dropped: in memory it would only be kept from that. */
	if (err != ORD_OK || ord_expire_record(p, id, s.status, s.logged_us))
		return err;
	return take_request(p, key, body);
}

/* --- Stages and postings. --- */

static struct saved_key stage_key(const struct ord_uuid *request_id, uint8_t kind)
{
	struct saved_key key = {.len = STAGE_KEY_BYTES};
	memcpy(key.bytes, request_id->bytes, sizeof request_id->bytes);
	key.bytes[sizeof request_id->bytes] = kind;
	return key;
}

static struct saved_key posting_key(uint64_t ordinal)
{
	struct saved_key key = {.len = POSTING_KEY_BYTES};
	put_big_endian(key.bytes, ordinal, POSTING_KEY_BYTES);
	return key;
}

static void put_posting(struct ord_partition *p, const struct ord_posting *posting)
{
	struct saved_key key = posting_key(posting->stage.ordinal);
	struct ord_slice counterparty = ord_posting_counterparty(posting);
	struct ord_bytes *v = &p->checkpoint.value;
	ord_bytes_put(v, posting->stage.request_id.bytes, sizeof posting->stage.request_id.bytes);
	ord_bytes_put_varint(v, posting->stage.home);
	ord_bytes_put_u8(v, posting->stage.kind);
	ord_bytes_put_u64(v, posting->account);
	ord_bytes_put_varint(v, posting->number);
	ord_bytes_put_signed_varint(v, posting->amount);
	ord_bytes_put_signed_varint(v, posting->balance_after);
	ord_bytes_put_varint(v, posting->position);
	ord_bytes_put_varint(v, posting->time_us);
	ord_bytes_put_varint(v, posting->stage.ordinal - posting->previous);
	ord_bytes_put_varint(v, posting->earlier);
	ord_bytes_put(v, counterparty.base, counterparty.len);
	put_value(p, ORD_STORE_POSTINGS, key_slice(&key));
}

static void put_stage(struct ord_partition *p, const struct ord_stage *stage)
{
	struct saved_key key = stage_key(&stage->request_id, stage->kind);
	struct ord_bytes *v = &p->checkpoint.value;
	if (!stage->is_apart) {
		ord_bytes_put_varint(v, stage->home);
		ord_bytes_put_varint(v, stage->reason);
		ord_bytes_put_varint(v, stage->ordinal);
		put_value(p, ORD_STORE_STAGES, key_slice(&key));
	}
	if (stage->is_posting)
		put_posting(p, (const struct ord_posting *)stage);
}

static int take_stage(struct ord_partition *p, struct ord_slice key, struct ord_slice body)
{
	struct ord_stored_stage s;
	int err = ord_stored_stage(key, body, &s);
	if (err != ORD_OK)
		return err;
	struct ord_stage stage = {
		.request_id = s.request_id, .ordinal = s.ordinal, .home = s.home, .reason = s.reason, .kind = s.kind};
	struct ord_stage *made = ord_posting_make_stage(p, &stage);
	ord_row_loaded(p, &made->row, ORD_STORE_STAGES);
	return ORD_OK;
}

int ord_saved_get_stage(struct ord_partition *p, const struct ord_uuid *request_id, enum ord_posting_kind kind)
{
	struct saved_key key = stage_key(request_id, (uint8_t)kind);
	struct ord_slice body;
	int err = get(p, ORD_STORE_STAGES, key_slice(&key), &body);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK;
	return err == ORD_OK ? take_stage(p, key_slice(&key), body) : err;
}

struct ord_posting_fact ord_saved_posting_fact(const struct ord_stored_posting *s)
{
	return (struct ord_posting_fact){.view = s->view,
					 .account = s->account,
					 .previous = s->previous,
					 .earlier = s->earlier,
					 .home = s->home};
}

int ord_saved_get_posting(const struct ord_partition *p, uint64_t ordinal, struct ord_posting_fact *ret)
{
	struct saved_key key = posting_key(ordinal);
	struct ord_slice body;
	int err = get(p, ORD_STORE_POSTINGS, key_slice(&key), &body);
	if (err != ORD_OK)
		return err == ORD_ERR_NOT_FOUND ? ORD_ERR_CORRUPT : err;
	struct ord_stored_posting s;
	err = ord_stored_posting(key_slice(&key), body, &s);
	if (err == ORD_OK)
		*ret = ord_saved_posting_fact(&s);
	return err;
}

/* --- Rows. --- */

void ord_saved_put_row(struct ord_partition *p, const struct ord_row *row)
{
	switch (row->table) {
	case ORD_STORE_ACCOUNTS:
		put_account(p, (const struct ord_account *)row);
		return;
	case ORD_STORE_NAMES:
		put_name(p, (const struct ord_name *)row);
		return;
	case ORD_STORE_REQUESTS:
		put_request(p, (const struct ord_request *)row);
		return;
	default:
		ORD_ASSERT(row->table == ORD_STORE_STAGES);
		put_stage(p, (const struct ord_stage *)row);
	}
}

struct load {
	struct ord_partition *p;
	enum ord_store_table table;
};

static bool is_loaded(const struct ord_partition *p, enum ord_store_table table, struct ord_slice key)
{
	struct ord_reader k = ord_reader_of(key);
	struct ord_slice first = ord_reader_text8(&k);
	struct ord_uuid id = {{0}};
	if (table == ORD_STORE_ACCOUNTS)
		return ord_account_find(p, key) != NULL;
	if (table == ORD_STORE_NAMES)
		return !k.failed && ord_name_is_known(p, first, ord_reader_take(&k, ord_reader_left(&k)));
	if (key.len < sizeof id.bytes)
		return false;
	memcpy(id.bytes, key.base, sizeof id.bytes);
	if (table == ORD_STORE_REQUESTS)
		return ord_request_find(p, &id) != NULL;
	return key.len == STAGE_KEY_BYTES &&
	       ord_posting_find(p, &id, ((const uint8_t *)key.base)[sizeof id.bytes]) != NULL;
}

int ord_saved_load(struct ord_partition *p, enum ord_store_table table, struct ord_slice key, struct ord_slice value)
{
	struct ord_slice body;
	int err = ord_stored_verify(table, key, value, &body);
	if (err != ORD_OK || is_loaded(p, table, key) || ord_expire_is_swept(p, table, key))
		return err;
	switch (table) {
	case ORD_STORE_ACCOUNTS:
		return take_account(p, key, body);
	case ORD_STORE_NAMES:
		return take_name(p, key, body);
	case ORD_STORE_REQUESTS:
		return take_request(p, key, body);
	default:
		ORD_ASSERT(table == ORD_STORE_STAGES);
		return take_stage(p, key, body);
	}
}

static int load_cb(void *arg, struct ord_slice key, struct ord_slice value)
{
	const struct load *load = arg;
	return ord_saved_load(load->p, load->table, key, value);
}

int ord_state_load_all(struct ord_partition *p)
{
	static const enum ord_store_table tables[] = {ORD_STORE_ACCOUNTS, ORD_STORE_NAMES, ORD_STORE_REQUESTS,
						      ORD_STORE_STAGES};
	int err = ORD_OK;
	for (size_t i = 0; p->store != NULL && err == ORD_OK && i < sizeof tables / sizeof *tables; i++) {
		struct load load = {p, tables[i]};
		err = p->store->walk(p->store->ctx, tables[i], (struct ord_slice){0}, load_cb, &load);
	}
	return err;
}

/* --- Messages. --- */

static struct saved_key message_key(uint32_t destination, uint64_t number)
{
	struct saved_key key = {.len = MESSAGE_KEY_BYTES};
	put_big_endian(key.bytes, destination, 4);
	put_big_endian(key.bytes + 4, number, 8);
	return key;
}

static void put_message(struct ord_partition *p, uint32_t destination, uint64_t number, struct ord_slice message)
{
	struct saved_key key = message_key(destination, number);
	ord_bytes_put(&p->checkpoint.value, message.base, message.len);
	put_value(p, ORD_STORE_MESSAGES, key_slice(&key));
}

/* The outbox now holds first .. next - 1; the store has what the last checkpoint gave it. */
static void put_outbox(struct ord_partition *p, const struct ord_outbox *o, struct ord_outbox_saved *saved)
{
	uint64_t end = o->first < saved->next ? o->first : saved->next;
	for (uint64_t number = saved->first; number < end; number++) {
		struct saved_key key = message_key(o->destination, number);
		ord_changes_remove(&p->checkpoint.changes, ORD_STORE_MESSAGES, key_slice(&key));
	}
	for (uint64_t number = o->first > saved->next ? o->first : saved->next; number < o->next; number++)
		put_message(p, o->destination, number, ord_outbox_peek(o, number, 1).messages);
	*saved = (struct ord_outbox_saved){.first = o->first, .next = o->next};
}

void ord_saved_put_messages(struct ord_partition *p)
{
	for (uint32_t i = 0; i < p->partitions_count; i++)
		put_outbox(p, &p->outboxes[i], &p->outboxes_saved[i]);
}

static int load_message_cb(void *arg, struct ord_slice key, struct ord_slice value)
{
	struct ord_partition *p = arg;
	struct ord_stored_message m;
	struct ord_slice body;
	int err = ord_stored_verify(ORD_STORE_MESSAGES, key, value, &body);
	if (err == ORD_OK)
		err = ord_stored_message(key, body, &m);
	if (err != ORD_OK)
		return err;
	if (m.destination >= p->partitions_count || m.number != p->outboxes[m.destination].next)
		return ORD_ERR_CORRUPT;
	ord_outbox_load(&p->outboxes[m.destination], m.bytes);
	p->outbox_count++;
	p->outbox_bytes += m.bytes.len;
	return ORD_OK;
}

/* --- The partition's own numbers. --- */

/* In the order in which they are put: u32 format, partition, count of partitions; then partition/numbers.def as u64; u8 odd request ids, u8 odd stages; then 32 bytes of history hash; then for each partition
 * u64 first and next of the outbox, and the cursor. */
void ord_saved_put_numbers(struct ord_partition *p)
{
	struct ord_bytes *v = &p->checkpoint.value;
	ord_bytes_put_u32(v, ORD_SAVED_NUMBERS_FORMAT);
	ord_bytes_put_u32(v, p->id);
	ord_bytes_put_u32(v, p->partitions_count);
#define X(place, name) ord_bytes_put_u64(v, p->place);
#include "partition/numbers.def"
#undef X
	ord_bytes_put_u8(v, p->rows.requests_made.odd);
	ord_bytes_put_u8(v, p->rows.stages_made.odd);
	ord_bytes_put(v, p->chain.hash, sizeof p->chain.hash);
	for (uint32_t i = 0; i < p->partitions_count; i++) {
		ord_bytes_put_u64(v, p->outboxes[i].first);
		ord_bytes_put_u64(v, p->outboxes[i].next);
		ord_bytes_put_u64(v, p->cursors[i]);
	}
	put_value(p, ORD_STORE_META, ord_slice_text(ORD_STORED_NUMBERS_KEY));
}

void ord_saved_put_dropped(struct ord_partition *p)
{
	const struct ord_dropped *d = &p->expiry.saved;
	struct ord_bytes *v = &p->checkpoint.value;
	if (d->requests_count + d->stages_count == 0)
		return;
	ord_bytes_put_u32(v, 1);
	ord_bytes_put_u64(v, d->digest.sum[0]);
	ord_bytes_put_u64(v, d->digest.sum[1]);
	ord_bytes_put_u64(v, d->requests_count);
	ord_bytes_put_u64(v, d->stages_count);
	ord_bytes_put_u64(v, d->posted_count);
	put_value(p, ORD_STORE_META, ord_slice_text(ORD_STORED_DROPPED_KEY));
}

static int take_dropped(struct ord_partition *p)
{
	struct ord_slice body;
	struct ord_stored_dropped d;
	int err = get(p, ORD_STORE_META, ord_slice_text(ORD_STORED_DROPPED_KEY), &body);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK;
	if (err == ORD_OK)
		err = ord_stored_dropped(body, &d);
	if (err == ORD_OK)
		p->expiry.dropped = (struct ord_dropped){.digest = {{d.digest[0], d.digest[1]}},
							 .requests_count = d.requests_count,
							 .stages_count = d.stages_count,
							 .posted_count = d.posted_count};
	return err;
}

void ord_saved_put_note(struct ord_partition *p, struct ord_slice note)
{
	ord_bytes_put(&p->checkpoint.value, note.base, note.len);
	put_value(p, ORD_STORE_META, ord_slice_text(ORD_STORED_NOTE_KEY));
}

int ord_saved_get_note(const struct ord_partition *p, struct ord_slice *ret)
{
	int err = get(p, ORD_STORE_META, ord_slice_text(ORD_STORED_NOTE_KEY), ret);
	if (err != ORD_ERR_NOT_FOUND)
		return err;
	*ret = (struct ord_slice){0};
	return ORD_OK;
}

static int take_outboxes(struct ord_partition *p, const struct ord_stored_numbers *n)
{
	for (uint32_t i = 0; i < p->partitions_count; i++) {
		struct ord_stored_outbox o = ord_stored_outbox_of(n, i);
		if (o.first == 0 || o.first > o.next)
			return ORD_ERR_CORRUPT;
		p->outboxes_saved[i] = (struct ord_outbox_saved){.first = o.first, .next = o.next};
		p->cursors[i] = o.cursor;
		p->outboxes[i].first = p->outboxes[i].next = o.first;
	}
	int err = p->store->walk(p->store->ctx, ORD_STORE_MESSAGES, (struct ord_slice){0}, load_message_cb, p);
	for (uint32_t i = 0; err == ORD_OK && i < p->partitions_count; i++)
		if (p->outboxes[i].next != p->outboxes_saved[i].next)
			err = ORD_ERR_CORRUPT;
	return err;
}

static int take_numbers(struct ord_partition *p, struct ord_slice body)
{
	struct ord_stored_numbers n;
	int err = ord_stored_numbers(body, &n);
	if (err != ORD_OK)
		return err;
	if (n.partition != p->id || n.partitions_count != p->partitions_count)
		return ORD_ERR_MISMATCH;
#define X(place, name) p->place = n.numbers[ORD_STORED_##name];
#include "partition/numbers.def"
#undef X
	p->rows.requests_made.odd = n.requests_odd;
	p->rows.stages_made.odd = n.stages_odd;
	memcpy(p->chain.hash, n.history_hash, sizeof p->chain.hash);
	return take_outboxes(p, &n);
}

int ord_saved_open(struct ord_partition *p)
{
	struct ord_slice body;
	int err = get(p, ORD_STORE_META, ord_slice_text(ORD_STORED_NUMBERS_KEY), &body);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK;
	if (err == ORD_OK)
		err = take_numbers(p, body);
	if (err == ORD_OK)
		err = take_dropped(p);
	if (err != ORD_OK)
		return err;
	p->postings.first = p->postings_count;
	p->rows.any_gone = true;
	p->rows.accounts_gone = p->accounts_count > 0;
	p->rows.names_gone = p->names_count > 0;
	p->rows.requests_gone = p->rows.requests_made;
	p->rows.stages_gone = p->rows.stages_made;
	return ORD_OK;
}
