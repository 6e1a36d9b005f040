/* SPDX-License-Identifier: Apache-2.0 - reads of a partition: their bytes, and running them. */
/* Encoding: kind u8, with bit 7 set when it may be stale; ACCOUNT: account text8; HISTORY: account text8, from u64, limit u32; REQUEST: 16 bytes; NAME: namespace text8, name text8.
 * (text8: one byte of length, then the bytes; numbers are little-endian.) */
#include "node/query.h"

#include <msgpack.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "client/rpc.h"
#include "node/reply.h"

/* Postings that are read from the partition in one go. */
#define HISTORY_VIEWS 64

#define STALE_BIT 0x80u

void ord_query_encode(const struct ord_query *q, struct ord_bytes *out)
{
	ord_bytes_put_u8(out, (uint8_t)((unsigned)q->kind | (q->may_be_stale ? STALE_BIT : 0)));
	switch (q->kind) {
	case ORD_QUERY_ACCOUNT:
		ord_bytes_put_text8(out, q->account);
		return;
	case ORD_QUERY_HISTORY:
		ord_bytes_put_text8(out, q->account);
		ord_bytes_put_u64(out, q->from);
		ord_bytes_put_u32(out, q->limit);
		return;
	case ORD_QUERY_REQUEST:
		ord_bytes_put(out, q->request_id.bytes, sizeof q->request_id.bytes);
		return;
	case ORD_QUERY_NAME:
		ord_bytes_put_text8(out, q->space);
		ord_bytes_put_text8(out, q->name);
		return;
	}
	ORD_ASSERT(!"a query of unknown kind");
}

bool ord_query_may_be_stale(struct ord_slice query)
{
	const uint8_t *kind = query.base;
	return query.len > 0 && (*kind & STALE_BIT) != 0;
}

static int query_decode(struct ord_slice bytes, struct ord_query *ret)
{
	struct ord_reader r = ord_reader_of(bytes);
	uint8_t kind = ord_reader_u8(&r);
	struct ord_query q = {.kind = (enum ord_query_kind)(kind & ~STALE_BIT),
			      .may_be_stale = (kind & STALE_BIT) != 0};
	struct ord_slice id = {0};
	switch (q.kind) {
	case ORD_QUERY_ACCOUNT:
		q.account = ord_reader_text8(&r);
		break;
	case ORD_QUERY_HISTORY:
		q.account = ord_reader_text8(&r);
		q.from = ord_reader_u64(&r);
		q.limit = ord_reader_u32(&r);
		if (q.from == 0 || q.limit == 0 || q.limit > ORD_HISTORY_ITEMS_MAX)
			return ORD_ERR_FORMAT;
		break;
	case ORD_QUERY_REQUEST:
		id = ord_reader_take(&r, sizeof q.request_id.bytes);
		if (id.len != 0)
			memcpy(q.request_id.bytes, id.base, sizeof q.request_id.bytes);
		break;
	case ORD_QUERY_NAME:
		q.space = ord_reader_text8(&r);
		q.name = ord_reader_text8(&r);
		break;
	default:
		return ORD_ERR_FORMAT;
	}
	if (r.failed || ord_reader_left(&r) != 0)
		return ORD_ERR_FORMAT;
	*ret = q;
	return ORD_OK;
}

/* A map of that many fields, and one more where the answer may be stale: what its state has seen. */
static void put_map(const struct ord_query *q, const struct ord_partition *p, uint32_t partition, uint32_t fields,
		    msgpack_packer *pk)
{
	msgpack_pack_map(pk, fields + (q->may_be_stale ? 1 : 0));
	if (!q->may_be_stale)
		return;
	ord_rpc_put_text(pk, "as_of");
	ord_reply_put_position(pk, partition, ord_partition_position(p));
}

static int run_account(const struct ord_query *q, struct ord_partition *p, uint32_t partition, msgpack_packer *pk)
{
	struct ord_account_view v;
	int err = ord_partition_account(p, q->account, &v);
	if (err != ORD_OK)
		return err;
	put_map(q, p, partition, 9, pk);
	ord_rpc_put_pair_str(pk, "account", v.account);
	ord_rpc_put_pair_str(pk, "asset", v.asset);
	ord_rpc_put_pair_text(pk, "state", ord_account_state_name(v.state));
	ord_rpc_put_pair_i64(pk, "balance", v.balance);
	ord_rpc_put_pair_i64(pk, "floor", v.floor);
	ord_rpc_put_pair_i64(pk, "ceiling", v.ceiling);
	ord_rpc_put_pair_u64(pk, "postings", v.postings_count);
	ord_rpc_put_pair_u64(pk, "opened_us", v.opened_us);
	ord_rpc_put_pair_u64(pk, "partition", partition);
	return ORD_OK;
}

static void put_posting(const struct ord_posting_view *v, uint32_t partition, msgpack_packer *pk)
{
	msgpack_pack_map(pk, 8);
	ord_rpc_put_pair_u64(pk, "number", v->number);
	ord_rpc_put_pair_text(pk, "kind", ord_posting_kind_name(v->kind));
	ord_rpc_put_text(pk, "id");
	ord_reply_put_id(pk, &v->request_id);
	ord_rpc_put_pair_str(pk, "counterparty", v->counterparty);
	ord_rpc_put_pair_i64(pk, "amount", v->amount);
	ord_rpc_put_pair_i64(pk, "balance_after", v->balance_after);
	ord_rpc_put_text(pk, "position");
	ord_reply_put_position(pk, partition, v->position);
	ord_rpc_put_pair_u64(pk, "time_us", v->time_us);
}

static int run_history(const struct ord_query *q, struct ord_partition *p, uint32_t partition, struct ord_bytes *out,
		       msgpack_packer *pk)
{
	struct ord_account_view account;
	int err = ord_partition_account(p, q->account, &account);
	if (err != ORD_OK)
		return err;
	uint64_t there = q->from <= account.postings_count ? account.postings_count - q->from + 1 : 0;
	uint32_t count = there < q->limit ? (uint32_t)there : q->limit;
	put_map(q, p, partition, 3, pk);
	ord_rpc_put_pair_str(pk, "account", account.account);
	ord_rpc_put_text(pk, "postings");
	msgpack_pack_array(pk, count);
	struct ord_posting_view views[HISTORY_VIEWS];
	for (uint32_t done = 0; done < count;) {
		size_t wanted = count - done < HISTORY_VIEWS ? count - done : HISTORY_VIEWS;
		size_t got = 0;
		err = ord_partition_history(p, q->account, q->from + done, views, wanted, &got);
		if (err != ORD_OK) { /* a posting that only the store has may be damaged */
			ord_bytes_clear(out);
			return err;
		}
		ORD_ASSERT(got == wanted);
		for (size_t i = 0; i < got; i++)
			put_posting(&views[i], partition, pk);
		done += (uint32_t)got;
	}
	ord_rpc_put_text(pk, "next");
	if (there > count)
		msgpack_pack_uint64(pk, q->from + count);
	else
		msgpack_pack_nil(pk);
	return ORD_OK;
}

static void put_naming(const struct ord_command *c, msgpack_packer *pk)
{
	bool owner = c->kind != ORD_COMMAND_RELEASE;
	bool expected = c->kind != ORD_COMMAND_CLAIM;
	msgpack_pack_map(pk, 2 + (owner ? 1 : 0) + (expected ? 1 : 0));
	ord_rpc_put_pair_str(pk, "namespace", c->naming.space);
	ord_rpc_put_pair_str(pk, "name", c->naming.name);
	if (expected)
		ord_rpc_put_pair_str(pk, "expected", c->naming.expected);
	if (owner)
		ord_rpc_put_pair_str(pk, "owner", c->naming.owner);
}

/* What was asked, with the names that the method's parameters have. */
static void put_payload(const struct ord_command *c, msgpack_packer *pk)
{
	switch (c->kind) {
	case ORD_COMMAND_OPEN_ACCOUNT:
		msgpack_pack_map(pk, 4);
		ord_rpc_put_pair_str(pk, "account", c->open_account.account);
		ord_rpc_put_pair_str(pk, "asset", c->open_account.asset);
		ord_rpc_put_pair_i64(pk, "floor", c->open_account.floor);
		ord_rpc_put_pair_i64(pk, "ceiling", c->open_account.ceiling);
		return;
	case ORD_COMMAND_SET_ACCOUNT:
		msgpack_pack_map(pk, 2);
		ord_rpc_put_pair_str(pk, "account", c->set_account.account);
		ord_rpc_put_pair_text(pk, "state", ord_account_state_name(c->set_account.state));
		return;
	case ORD_COMMAND_TRANSFER:
		msgpack_pack_map(pk, 4);
		ord_rpc_put_pair_str(pk, "payer", c->transfer.payer);
		ord_rpc_put_pair_str(pk, "payee", c->transfer.payee);
		ord_rpc_put_pair_i64(pk, "amount", c->transfer.amount);
		ord_rpc_put_pair_str(pk, "asset", c->transfer.asset);
		return;
	case ORD_COMMAND_CLAIM:
	case ORD_COMMAND_RELEASE:
	case ORD_COMMAND_REASSIGN:
		put_naming(c, pk);
		return;
	case ORD_COMMAND_DELIVER:
	case ORD_COMMAND_TRIM:
	case ORD_COMMAND_MARK:
	case ORD_COMMAND_EXPIRE:
		break;
	}
	ORD_ASSERT(!"a request that no client can make");
}

static int run_request(const struct ord_query *q, struct ord_partition *p, uint32_t partition, msgpack_packer *pk)
{
	struct ord_request_view v;
	int err = ord_partition_request(p, &q->request_id, &v);
	if (err != ORD_OK)
		return err;
	bool rejected = v.result.status == ORD_STATUS_REJECTED;
	msgpack_pack_map(pk, rejected ? 8 : 7);
	ord_rpc_put_text(pk, "id");
	ord_reply_put_id(pk, &q->request_id);
	ord_rpc_put_pair_text(pk, "command", ord_command_name(v.command.kind));
	ord_rpc_put_text(pk, "payload");
	put_payload(&v.command, pk);
	ord_rpc_put_pair_text(pk, "status", ord_status_name(v.result.status));
	if (rejected) {
		ord_rpc_put_text(pk, "reason");
		ord_reply_put_reason(pk, v.result.reason, v.result.field);
	}
	ord_rpc_put_text(pk, "position");
	ord_reply_put_position(pk, partition, v.result.position);
	ord_rpc_put_pair_u64(pk, "logged_us", v.logged_us);
	ord_rpc_put_pair_u64(pk, "decided_us", v.decided_us);
	return ORD_OK;
}

static int run_name(const struct ord_query *q, struct ord_partition *p, uint32_t partition, msgpack_packer *pk)
{
	struct ord_name_view v;
	int err = ord_partition_name(p, q->space, q->name, &v);
	if (err != ORD_OK)
		return err;
	put_map(q, p, partition, 7, pk);
	ord_rpc_put_pair_str(pk, "namespace", q->space);
	ord_rpc_put_pair_str(pk, "name", q->name);
	ord_rpc_put_pair_str(pk, "owner", v.owner);
	ord_rpc_put_text(pk, "id");
	ord_reply_put_id(pk, &v.request_id);
	ord_rpc_put_text(pk, "position");
	ord_reply_put_position(pk, partition, v.position);
	ord_rpc_put_pair_u64(pk, "since_us", v.since_us);
	ord_rpc_put_pair_u64(pk, "partition", partition);
	return ORD_OK;
}

int ord_query_run(struct ord_slice query, struct ord_partition *p, uint32_t partition, struct ord_bytes *out)
{
	struct ord_query q;
	int err = query_decode(query, &q);
	if (err != ORD_OK)
		return err;
	msgpack_packer pk;
	ord_rpc_packer(out, &pk);
	switch (q.kind) {
	case ORD_QUERY_ACCOUNT:
		return run_account(&q, p, partition, &pk);
	case ORD_QUERY_HISTORY:
		return run_history(&q, p, partition, out, &pk);
	case ORD_QUERY_REQUEST:
		return run_request(&q, p, partition, &pk);
	case ORD_QUERY_NAME:
		return run_name(&q, p, partition, &pk);
	}
	ORD_ASSERT(!"a decoded query has a known kind");
	return ORD_ERR_FORMAT;
}
