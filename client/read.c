/* SPDX-License-Identifier: Apache-2.0 - reads and calls of any method: one question, asked again until it is answered or the time is over. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "client/decode.h"
#include "client/encode.h"
#include "client/routing.h"
#include "client/scan.h"
#include "client/session.h"

#define READ_WAIT_MS 50

/* Params of an ordain_call are bounded by what a node takes. */
#define CALL_PARAMS_BYTES_MAX (ORD_RPC_BYTES_MAX - 1024)

/* A read that a node which does not lead passes on. */
#define READ_PROXY_MS 1000

enum read_kind { READ_ACCOUNT, READ_HISTORY, READ_REQUEST, READ_NAME, READ_CALL };

struct read_call;

struct read {
	struct ord_op op;
	enum read_kind kind;
	union {
		ordain_account_cb account;
		ordain_history_cb history;
		ordain_request_cb request;
		ordain_name_cb name;
		ordain_call_cb call;
	} cb;
	void *arg;
	bool told;		 /* the callback was called */
	struct read_call *call;	 /* under way; NULL: none */
	uint32_t node;		 /* CALL: 0 for any */
	const char *method;	 /* a literal, or in texts */
	struct ord_bytes params; /* CALL: the whole map; else names and values of the fields */
	uint32_t fields_count;	 /* in params */
	bool stale;		 /* any node may answer */
	uint64_t key_hash;	 /* of what decides the partition */
	uint32_t others_asked;	 /* REQUEST: partitions after the home that were asked */
	unsigned attempts;
	struct ord_texts texts;
	struct ordain_problem problem; /* why there is no answer yet; code 0: nothing was tried */
};

struct read_call {
	struct ord_remote_call base;
	struct read *read; /* borrowed; NULL when nobody waits any more */
};

static void read_free(struct read *r)
{
	ord_bytes_close(&r->params);
	ord_texts_close(&r->texts);
	free(r);
}

/* Calls the callback: either problem is NULL or answer is. */
static void read_tell(struct read *r, const struct ordain_problem *problem, const void *answer, size_t answer_len)
{
	if (r->told)
		return;
	r->told = true;
	switch (r->kind) {
	case READ_ACCOUNT:
		r->cb.account(problem, answer, r->arg);
		break;
	case READ_HISTORY:
		r->cb.history(problem, answer, r->arg);
		break;
	case READ_REQUEST:
		r->cb.request(problem, answer, r->arg);
		break;
	case READ_NAME:
		r->cb.name(problem, answer, r->arg);
		break;
	case READ_CALL:
		r->cb.call(problem, answer, answer_len, r->arg);
		break;
	}
}

static void read_trouble(struct read *r, int code, const char *message)
{
	r->problem = (struct ordain_problem){.code = code,
					     .name = ordain_error_name(code),
					     .message = message != NULL ? message : ordain_strerror(code)};
}

/* Ends with the problem that is known. */
static void read_fail(struct read *r, int code, const char *message)
{
	read_trouble(r, code, message);
	ord_session_done(&r->op);
}

static void read_retry(struct read *r, uint32_t asked_ms)
{
	uint64_t now_ms = ord_session_now_ms();
	r->attempts++;
	uint64_t pause_ms = ord_session_pause_ms(r->op.client, r->attempts, asked_ms);
	if (ord_session_is_late(&r->op, now_ms + pause_ms))
		ord_session_done(&r->op);
	else
		ord_session_wait(&r->op, now_ms + pause_ms);
}

/* The home, or another one of those that are asked in turn. */
static uint32_t read_partition(const struct read *r, uint32_t partitions_count)
{
	return (ord_routing_partition(r->key_hash, partitions_count) + r->others_asked) % partitions_count;
}

static void read_fault(struct read *r, const struct ord_decoded_fault *fault)
{
	struct ord_fleet *fleet = ord_session_fleet(r->op.client);
	if (fault->code == ORDAIN_ERR_NOT_FOUND && r->kind == READ_REQUEST &&
	    r->others_asked + 1 < ord_fleet_partitions_count(fleet)) {
		r->others_asked++;
		ord_session_wait(&r->op, ord_session_now_ms());
		ord_session_stir(r->op.client);
		return;
	}
	read_trouble(r, fault->code, ord_texts_keep(&r->texts, ord_slice_of(fault->message.base, fault->message.len)));
	r->problem.name = ord_texts_keep(&r->texts, ord_slice_of(fault->name.base, fault->name.len));
	if (fault->field.base != NULL)
		r->problem.field = ord_texts_keep(&r->texts, ord_slice_of(fault->field.base, fault->field.len));
	bool may_pass = fault->code == ORDAIN_ERR_BUSY || fault->code == ORDAIN_ERR_DISK_FULL ||
			fault->code == ORDAIN_ERR_UNAVAILABLE || fault->code == ORDAIN_ERR_UNKNOWN_OUTCOME;
	if (!may_pass || r->kind == READ_CALL) {
		ord_session_done(&r->op);
		return;
	}
	ord_fleet_learn(fleet, read_partition(r, ord_fleet_partitions_count(fleet)), fault->code, fault->leader);
	read_retry(r, fault->retry_after_ms);
}

static void read_result(struct read *r, const msgpack_object *o)
{
	union {
		struct ordain_account account;
		struct ordain_history history;
		struct ordain_request request;
		struct ordain_name name;
	} answer;
	struct ord_bytes raw;
	ord_bytes_init(&raw, ORD_RPC_BYTES_MAX * 4ul);
	bool right = false;
	switch (r->kind) {
	case READ_ACCOUNT:
		right = ord_decode_account(o, &answer.account);
		break;
	case READ_HISTORY:
		right = ord_decode_history(o, &r->texts, &answer.history);
		break;
	case READ_REQUEST:
		right = ord_decode_request(o, &r->texts, &answer.request);
		break;
	case READ_NAME:
		right = ord_decode_name(o, &answer.name);
		break;
	case READ_CALL: {
		msgpack_packer p;
		ord_rpc_packer(&raw, &p);
		right = msgpack_pack_object(&p, *o) == 0 && !raw.failed;
		break;
	}
	}
	if (!right)
		read_trouble(r, ORDAIN_ERR_PROTOCOL, NULL);
	else if (r->kind == READ_CALL)
		read_tell(r, NULL, raw.base, raw.len);
	else
		read_tell(r, NULL, &answer, sizeof answer);
	ord_bytes_close(&raw);
	ord_session_done(&r->op);
}

static void read_lost(struct read *r, enum ord_remote_end end, const char *why)
{
	bool once = r->kind == READ_CALL && (r->node != 0 || end == ORD_REMOTE_LOST);
	read_trouble(r, end == ORD_REMOTE_LOST && once ? ORDAIN_ERR_UNKNOWN_OUTCOME : ORDAIN_ERR_UNAVAILABLE,
		     ord_texts_print(&r->texts, "the connection was lost before the answer: %s", why));
	if (once)
		ord_session_done(&r->op);
	else
		read_retry(r, 0);
}

static void call_ended(struct ord_remote_call *base, enum ord_remote_end end, const struct ord_rpc_message *m,
		       const char *why)
{
	struct read_call *c = (struct read_call *)base;
	struct read *r = c->read;
	free(c);
	if (r == NULL)
		return;
	r->call = NULL;
	struct ord_decoded_fault fault;
	if (end != ORD_REMOTE_ANSWERED)
		read_lost(r, end, why);
	else if (m->error->type == MSGPACK_OBJECT_NIL)
		read_result(r, m->result);
	else if (ord_decode_fault(m->error, &fault))
		read_fault(r, &fault);
	else
		read_fail(r, ORDAIN_ERR_PROTOCOL, NULL);
}

static bool any_will_do(const struct read *r, uint32_t partitions_count)
{
	return r->kind == READ_CALL ? r->node == 0 : r->stale && partitions_count > 0;
}

/* Where to send now. NULL: put off, or ended. */
static struct ord_remote *read_remote(struct read *r, uint64_t now_ms, bool *ret_proxy)
{
	struct ord_fleet *fleet = ord_session_fleet(r->op.client);
	uint32_t partitions_count = ord_fleet_partitions_count(fleet);
	struct ord_remote *remote = NULL;
	*ret_proxy = false;
	if (ord_fleet_are_wrong(fleet)) {
		const char *why;
		ord_fleet_trouble(fleet, &why);
		read_fail(r, ORDAIN_ERR_WRONG_CLUSTER, ord_texts_print(&r->texts, "%s", why));
		return NULL;
	}
	if (any_will_do(r, partitions_count)) {
		remote = ord_fleet_find_any(fleet);
	} else if (partitions_count > 0 && r->kind == READ_CALL) {
		remote = ord_fleet_find_node(fleet, r->node);
		const char *why = "";
		if (remote == NULL) {
			read_fail(r, ORDAIN_ERR_NOT_FOUND,
				  ord_texts_print(&r->texts, "the cluster has no node %u", (unsigned)r->node));
			return NULL;
		}
		if (ord_remote_is_down(remote)) {
			ord_remote_trouble(remote, &why);
			read_fail(r, ORDAIN_ERR_UNAVAILABLE,
				  ord_texts_print(&r->texts, "node %u cannot be reached: %s", (unsigned)r->node, why));
			return NULL;
		}
		if (!ord_remote_has_room(remote))
			remote = NULL;
	} else if (partitions_count > 0) {
		remote = ord_fleet_find_leader(fleet, read_partition(r, partitions_count), now_ms, ret_proxy);
	}
	if (remote == NULL)
		ord_session_wait(&r->op, now_ms + READ_WAIT_MS);
	return remote;
}

static void put_params(const struct read *r, msgpack_packer *p, uint32_t timeout_ms, uint32_t partition)
{
	struct ord_bytes *out = p->data;
	if (r->kind != READ_CALL)
		msgpack_pack_map(p, r->fields_count + 1 + r->stale + (r->others_asked > 0));
	ord_bytes_put(out, r->params.base, r->params.len);
	if (r->kind == READ_CALL)
		return;
	ord_rpc_put_text(p, "timeout_ms");
	msgpack_pack_uint32(p, timeout_ms);
	if (r->stale)
		ord_rpc_put_pair_text(p, "consistency", "stale");
	if (r->others_asked > 0) {
		ord_rpc_put_text(p, "partition");
		msgpack_pack_uint32(p, partition);
	}
}

/* The time is over before anything was sent, or while waiting for another attempt. */
static void read_late(struct read *r)
{
	const char *trouble;
	int code = ord_fleet_trouble(ord_session_fleet(r->op.client), &trouble);
	if (r->problem.code != 0)
		ord_session_done(&r->op);
	else if (code != 0)
		read_fail(r, ORDAIN_ERR_UNAVAILABLE,
			  ord_texts_print(&r->texts, "no node could be reached in time: %s", trouble));
	else
		read_fail(r, ORDAIN_ERR_UNAVAILABLE, "no node or no leader within reach in the time allowed");
}

static void read_dispatch(struct ord_op *op, uint64_t now_ms)
{
	struct read *r = (struct read *)op;
	if (ord_session_is_late(op, now_ms)) {
		read_late(r);
		return;
	}
	bool proxy;
	struct ord_remote *remote = read_remote(r, now_ms, &proxy);
	if (remote == NULL)
		return;
	struct read_call *c = calloc(1, sizeof *c);
	if (c == NULL) {
		ord_session_wait(op, now_ms + READ_WAIT_MS);
		return;
	}
	c->base.ended = call_ended;
	c->base.items_count = 1;
	c->read = r;
	r->call = c;
	uint32_t timeout_ms = ord_session_left_ms(op, now_ms);
	uint32_t most_ms = proxy ? READ_PROXY_MS : ORD_WAIT_MS_MAX;
	uint32_t partitions_count = ord_fleet_partitions_count(ord_session_fleet(op->client));
	msgpack_packer p;
	ord_rpc_packer(ord_remote_begin(remote, &c->base), &p);
	ord_rpc_put_request(&p, c->base.id, r->method);
	put_params(r, &p, timeout_ms < most_ms ? timeout_ms : most_ms, read_partition(r, partitions_count));
	ord_remote_end(remote);
}

static void read_expire(struct ord_op *op, int code)
{
	struct read *r = (struct read *)op;
	if (r->call != NULL) {
		r->call->read = NULL;
		r->call = NULL;
		read_fail(r, code != 0 ? code : ORDAIN_ERR_TIMEOUT, NULL);
	} else if (code != 0) {
		read_fail(r, code, NULL);
	} else {
		read_late(r);
	}
}

static void read_finish(struct ord_op *op)
{
	struct read *r = (struct read *)op;
	ORD_ASSERT(r->call == NULL);
	read_tell(r, &r->problem, NULL, 0);
	read_free(r);
}

static const struct ord_op_kind read_op_kind = {
	.dispatch = read_dispatch, .expire = read_expire, .finish = read_finish};

static int read_open(struct ordain_client *client, enum read_kind kind, size_t params_bytes, struct read **ret)
{
	int err = ord_session_admit(client, 1, sizeof(struct read) + params_bytes);
	if (err != 0)
		return err;
	struct read *r = calloc(1, sizeof *r);
	if (r == NULL)
		return ORDAIN_ERR_MEMORY;
	r->kind = kind;
	ord_bytes_init(&r->params, params_bytes);
	r->op.kind = &read_op_kind;
	r->op.items_count = 1;
	r->op.bytes_count = sizeof(struct read) + params_bytes;
	*ret = r;
	return 0;
}

static int read_begin(struct ordain_client *client, struct read *r, const struct ordain_call_options *call)
{
	if (r->params.failed) {
		read_free(r);
		return ORDAIN_ERR_MEMORY;
	}
	bool may_be_stale = r->kind == READ_ACCOUNT || r->kind == READ_HISTORY || r->kind == READ_NAME;
	r->stale = may_be_stale && call != NULL && call->consistency == ORDAIN_STALE;
	ord_session_begin(client, &r->op, call);
	return 0;
}

/* Fields of a read with their names fit. */
#define READ_PARAMS_BYTES 512

int ordain_get_account(struct ordain_client *client, struct ordain_str account, const struct ordain_call_options *call,
		       ordain_account_cb cb, void *arg)
{
	if (cb == NULL || account.len > ORD_ACCOUNT_ID_BYTES_MAX)
		return ORDAIN_ERR_ARGUMENT;
	struct read *r;
	int err = read_open(client, READ_ACCOUNT, READ_PARAMS_BYTES, &r);
	if (err != 0)
		return err;
	r->cb.account = cb;
	r->arg = arg;
	r->method = "account";
	r->key_hash = ord_routing_account(account);
	msgpack_packer p;
	ord_rpc_packer(&r->params, &p);
	ord_encode_str(&p, "account", account);
	r->fields_count = 1;
	return read_begin(client, r, call);
}

int ordain_get_history(struct ordain_client *client, struct ordain_str account, uint64_t from, uint32_t limit,
		       const struct ordain_call_options *call, ordain_history_cb cb, void *arg)
{
	if (cb == NULL || account.len > ORD_ACCOUNT_ID_BYTES_MAX || limit > ORD_HISTORY_ITEMS_MAX)
		return ORDAIN_ERR_ARGUMENT;
	struct read *r;
	int err = read_open(client, READ_HISTORY, READ_PARAMS_BYTES, &r);
	if (err != 0)
		return err;
	r->cb.history = cb;
	r->arg = arg;
	r->method = "history";
	r->key_hash = ord_routing_account(account);
	msgpack_packer p;
	ord_rpc_packer(&r->params, &p);
	ord_encode_str(&p, "account", account);
	ord_rpc_put_text(&p, "from");
	msgpack_pack_uint64(&p, from == 0 ? 1 : from);
	ord_rpc_put_text(&p, "limit");
	msgpack_pack_uint32(&p, limit == 0 ? 100 : limit);
	r->fields_count = 3;
	return read_begin(client, r, call);
}

int ordain_get_request(struct ordain_client *client, const struct ordain_id *id, const struct ordain_call_options *call,
		       ordain_request_cb cb, void *arg)
{
	if (cb == NULL || id == NULL)
		return ORDAIN_ERR_ARGUMENT;
	struct read *r;
	int err = read_open(client, READ_REQUEST, READ_PARAMS_BYTES, &r);
	if (err != 0)
		return err;
	r->cb.request = cb;
	r->arg = arg;
	r->method = "request";
	r->key_hash = ord_routing_request(id);
	msgpack_packer p;
	ord_rpc_packer(&r->params, &p);
	ord_encode_id(&p, id);
	r->fields_count = 1;
	return read_begin(client, r, call);
}

int ordain_get_name(struct ordain_client *client, struct ordain_str space, struct ordain_str name,
		    const struct ordain_call_options *call, ordain_name_cb cb, void *arg)
{
	if (cb == NULL || space.len > ORD_NAMESPACE_BYTES_MAX || name.len > ORD_NAME_BYTES_MAX)
		return ORDAIN_ERR_ARGUMENT;
	struct read *r;
	int err = read_open(client, READ_NAME, READ_PARAMS_BYTES, &r);
	if (err != 0)
		return err;
	r->cb.name = cb;
	r->arg = arg;
	r->method = "name";
	r->key_hash = ord_routing_name(space, name);
	msgpack_packer p;
	ord_rpc_packer(&r->params, &p);
	ord_encode_str(&p, "namespace", space);
	ord_encode_str(&p, "name", name);
	r->fields_count = 2;
	return read_begin(client, r, call);
}

/* One whole map and nothing behind it. */
static bool params_check(const void *params, size_t len)
{
	const uint8_t *at = params;
	if (len == 0 || len > CALL_PARAMS_BYTES_MAX)
		return false;
	if ((at[0] & 0xf0) != 0x80 && at[0] != 0xde && at[0] != 0xdf)
		return false;
	struct ord_scan scan;
	bool whole;
	ord_scan_init(&scan, len, len);
	return ord_scan_continue(&scan, at, len, &whole) == 0 && whole && scan.offset == len;
}

int ordain_call(struct ordain_client *client, uint32_t node, const char *method, const void *params, size_t params_len,
		const struct ordain_call_options *call, ordain_call_cb cb, void *arg)
{
	static const uint8_t empty_map = 0x80;
	if (params == NULL) {
		params = &empty_map;
		params_len = 1;
	}
	if (cb == NULL || method == NULL || strlen(method) > 255 || !params_check(params, params_len))
		return ORDAIN_ERR_ARGUMENT;
	struct read *r;
	int err = read_open(client, READ_CALL, params_len, &r);
	if (err != 0)
		return err;
	r->cb.call = cb;
	r->arg = arg;
	r->node = node;
	r->method = ord_texts_keep(&r->texts, ord_slice_text(method));
	ord_bytes_put(&r->params, params, params_len);
	return read_begin(client, r, call);
}
