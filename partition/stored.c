/* SPDX-License-Identifier: Apache-2.0 - reads what partition/saved.c writes; the bytes are described there. */
#include "partition/stored.h"

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/varint.h"
#include "partition/saved.h"

#define CRC_BYTES 4
#define OUTBOX_BYTES 24
#define DROPPED_FORMAT 1

uint32_t ord_stored_checksum(enum ord_store_table table, struct ord_slice key, struct ord_slice body)
{
	uint8_t number = (uint8_t)table;
	uint32_t crc = ord_crc32c(0, &number, 1);
	crc = ord_crc32c(crc, key.base, key.len);
	return ord_crc32c(crc, body.base, body.len);
}

int ord_stored_verify(enum ord_store_table table, struct ord_slice key, struct ord_slice value,
		      struct ord_slice *ret_body)
{
	/* A length that changed may lead out of the memory that there is. */
	if (key.len > ORD_STORE_KEY_BYTES_MAX || value.len < CRC_BYTES || value.len > ORD_STORE_VALUE_BYTES_MAX)
		return ORD_ERR_CORRUPT;
	struct ord_slice body = ord_slice_of(value.base, value.len - CRC_BYTES);
	uint32_t crc;
	memcpy(&crc, (const uint8_t *)value.base + body.len, sizeof crc);
	if (crc != ord_stored_checksum(table, key, body))
		return ORD_ERR_CORRUPT;
	*ret_body = body;
	return ORD_OK;
}

static uint64_t read_big_endian(struct ord_reader *r, size_t bytes)
{
	struct ord_slice taken = ord_reader_take(r, bytes);
	const uint8_t *at = taken.base;
	uint64_t v = 0;
	for (size_t i = 0; i < taken.len; i++)
		v = v << 8 | at[i];
	return v;
}

static struct ord_uuid read_uuid(struct ord_reader *r)
{
	struct ord_uuid id = {{0}};
	struct ord_slice bytes = ord_reader_take(r, sizeof id.bytes);
	if (bytes.len == sizeof id.bytes)
		memcpy(id.bytes, bytes.base, sizeof id.bytes);
	return id;
}

static struct ord_slice rest_of(struct ord_reader *r)
{
	return ord_reader_take(r, ord_reader_left(r));
}

/* Both were read to their ends, and no further. */
static int read_whole(const struct ord_reader *key, const struct ord_reader *body)
{
	bool whole = !key->failed && !body->failed && ord_reader_left(key) == 0 && ord_reader_left(body) == 0;
	return whole ? ORD_OK : ORD_ERR_CORRUPT;
}

static ord_balance read_balance(struct ord_reader *r)
{
	unsigned __int128 mapped = ord_reader_varint(r);
	mapped |= (unsigned __int128)ord_reader_varint(r) << 64;
	return (ord_balance)(mapped >> 1 ^ ((mapped & 1) != 0 ? ~(unsigned __int128)0 : 0));
}

/* A number that is kept in 32 bits. */
static uint32_t read_u32(struct ord_reader *r)
{
	uint64_t v = ord_reader_varint(r);
	r->failed = r->failed || v > UINT32_MAX;
	return (uint32_t)v;
}

static uint16_t read_u16(struct ord_reader *r)
{
	uint64_t v = ord_reader_varint(r);
	r->failed = r->failed || v > UINT16_MAX;
	return (uint16_t)v;
}

int ord_stored_account(struct ord_slice key, struct ord_slice body, struct ord_stored_account *ret)
{
	struct ord_reader k = ord_reader_of(key), r = ord_reader_of(body);
	struct ord_stored_account a = {.account = rest_of(&k), .state = ord_reader_u8(&r)};
	a.balance = read_balance(&r);
	a.floor = ord_reader_signed_varint(&r);
	a.ceiling = (int64_t)ord_reader_varint(&r);
	a.opened_us = ord_reader_varint(&r);
	a.postings_count = ord_reader_varint(&r);
	a.last_ordinal = ord_reader_varint(&r);
	for (size_t i = 0; i < ORD_POSTING_LEVELS; i++)
		a.ordinals[i] = ord_reader_varint(&r);
	a.asset = ord_reader_text8(&r);
	if (read_whole(&k, &r) != ORD_OK || key.len > ORD_ACCOUNT_ID_BYTES_MAX)
		return ORD_ERR_CORRUPT;
	*ret = a;
	return ORD_OK;
}

int ord_stored_name(struct ord_slice key, struct ord_slice body, struct ord_stored_name *ret)
{
	struct ord_reader k = ord_reader_of(key), r = ord_reader_of(body);
	struct ord_stored_name n = {.naming = {.space = ord_reader_text8(&k)}, .request_id = read_uuid(&r)};
	n.naming.name = rest_of(&k);
	n.position = ord_reader_varint(&r);
	n.since_us = ord_reader_varint(&r);
	n.naming.owner = rest_of(&r);
	if (read_whole(&k, &r) != ORD_OK || n.naming.space.len > ORD_NAMESPACE_BYTES_MAX ||
	    n.naming.name.len > ORD_NAME_BYTES_MAX || n.naming.owner.len > ORD_OWNER_BYTES_MAX)
		return ORD_ERR_CORRUPT;
	*ret = n;
	return ORD_OK;
}

int ord_stored_request(struct ord_slice key, struct ord_slice body, struct ord_stored_request *ret)
{
	struct ord_reader k = ord_reader_of(key), r = ord_reader_of(body);
	struct ord_stored_request q = {.id = read_uuid(&k), .position = ord_reader_varint(&r)};
	q.logged_us = ord_reader_varint(&r);
	q.decided_us = q.logged_us + (uint64_t)ord_reader_signed_varint(&r);
	q.kind = ord_reader_u8(&r);
	q.status = ord_reader_u8(&r);
	q.field = ord_reader_u8(&r);
	q.reason = read_u16(&r);
	q.body = rest_of(&r);
	if (read_whole(&k, &r) != ORD_OK || q.body.len > ORD_COMMAND_BYTES_MAX)
		return ORD_ERR_CORRUPT;
	*ret = q;
	return ORD_OK;
}

int ord_stored_stage(struct ord_slice key, struct ord_slice body, struct ord_stored_stage *ret)
{
	struct ord_reader k = ord_reader_of(key), r = ord_reader_of(body);
	struct ord_stored_stage s = {.request_id = read_uuid(&k), .home = read_u32(&r)};
	s.kind = ord_reader_u8(&k);
	s.reason = read_u16(&r);
	s.ordinal = ord_reader_varint(&r);
	if (read_whole(&k, &r) != ORD_OK)
		return ORD_ERR_CORRUPT;
	*ret = s;
	return ORD_OK;
}

int ord_stored_posting(struct ord_slice key, struct ord_slice body, struct ord_stored_posting *ret)
{
	struct ord_reader k = ord_reader_of(key), r = ord_reader_of(body);
	struct ord_stored_posting s = {.ordinal = read_big_endian(&k, 8), .view = {.request_id = read_uuid(&r)}};
	s.home = read_u32(&r);
	s.view.kind = ord_reader_u8(&r);
	s.account = ord_reader_u64(&r);
	s.view.number = ord_reader_varint(&r);
	s.view.amount = ord_reader_signed_varint(&r);
	s.view.balance_after = ord_reader_signed_varint(&r);
	s.view.position = ord_reader_varint(&r);
	s.view.time_us = ord_reader_varint(&r);
	s.previous = s.ordinal - ord_reader_varint(&r);
	s.earlier = ord_reader_varint(&r);
	s.view.counterparty = rest_of(&r);
	if (read_whole(&k, &r) != ORD_OK)
		return ORD_ERR_CORRUPT;
	*ret = s;
	return ORD_OK;
}

int ord_stored_message(struct ord_slice key, struct ord_slice body, struct ord_stored_message *ret)
{
	struct ord_reader k = ord_reader_of(key), r = ord_reader_of(body);
	struct ord_stored_message m = {.destination = (uint32_t)read_big_endian(&k, 4), .bytes = body};
	m.number = read_big_endian(&k, 8);
	if (ord_message_decode(&r, &m.message) != ORD_OK || read_whole(&k, &r) != ORD_OK)
		return ORD_ERR_CORRUPT;
	*ret = m;
	return ORD_OK;
}

/* --- The partition's own numbers. --- */

const char *ord_stored_number_name(enum ord_stored_number number)
{
	static const char *const names[] = {
#define X(place, name) #name,
#include "partition/numbers.def"
#undef X
	};
	ORD_ASSERT(number < ORD_STORED_NUMBERS);
	return names[number];
}

int ord_stored_numbers(struct ord_slice body, struct ord_stored_numbers *ret)
{
	struct ord_reader r = ord_reader_of(body);
	uint32_t format = ord_reader_u32(&r);
	if (format != ORD_SAVED_NUMBERS_FORMAT)
		return r.failed ? ORD_ERR_CORRUPT : ORD_ERR_FORMAT;
	struct ord_stored_numbers n = {.partition = ord_reader_u32(&r)};
	n.partitions_count = ord_reader_u32(&r);
	for (size_t i = 0; i < ORD_STORED_NUMBERS; i++)
		n.numbers[i] = ord_reader_u64(&r);
	n.requests_odd = ord_reader_u8(&r) != 0;
	n.stages_odd = ord_reader_u8(&r) != 0;
	struct ord_slice hash = ord_reader_take(&r, sizeof n.history_hash);
	n.outboxes = rest_of(&r);
	if (r.failed || n.outboxes.len != (uint64_t)n.partitions_count * OUTBOX_BYTES)
		return ORD_ERR_CORRUPT;
	memcpy(n.history_hash, hash.base, sizeof n.history_hash);
	*ret = n;
	return ORD_OK;
}

struct ord_stored_outbox ord_stored_outbox_of(const struct ord_stored_numbers *n, uint32_t partition)
{
	ORD_ASSERT(partition < n->partitions_count);
	const uint8_t *at = n->outboxes.base;
	struct ord_reader r = ord_reader_of(ord_slice_of(at + (size_t)partition * OUTBOX_BYTES, OUTBOX_BYTES));
	struct ord_stored_outbox o = {.first = ord_reader_u64(&r)};
	o.next = ord_reader_u64(&r);
	o.cursor = ord_reader_u64(&r);
	return o;
}

int ord_stored_dropped(struct ord_slice body, struct ord_stored_dropped *ret)
{
	struct ord_reader r = ord_reader_of(body);
	if (ord_reader_u32(&r) != DROPPED_FORMAT)
		return r.failed ? ORD_ERR_CORRUPT : ORD_ERR_FORMAT;
	struct ord_stored_dropped d = {.digest = {ord_reader_u64(&r)}};
	d.digest[1] = ord_reader_u64(&r);
	d.requests_count = ord_reader_u64(&r);
	d.stages_count = ord_reader_u64(&r);
	d.posted_count = ord_reader_u64(&r);
	if (r.failed || ord_reader_left(&r) != 0)
		return ORD_ERR_CORRUPT;
	*ret = d;
	return ORD_OK;
}
