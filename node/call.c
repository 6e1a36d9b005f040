/* SPDX-License-Identifier: Apache-2.0 - requests under way. */
#include "node/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "client/rpc.h"
#include "node/ask.h"
#include "node/config.h"
#include "node/faults.h"
#include "node/reply.h"
#include "node/status.h"

/* Calls of one item that are kept: as many as are under way when a thousand clients send one transfer each. */
#define FREE_CALLS_MAX 1024
#define BUSY_RETRY_MS 50
/* So long it may take until a leadership has gone to a node that has room. */
#define DISK_FULL_RETRY_MS 500

static struct ord_rpc_fault fault_show(const struct ord_params_fault *f)
{
	return (struct ord_rpc_fault){.code = f->code,
				      .message = f->message[0] == '\0' ? NULL : f->message,
				      .field = f->field[0] == '\0' ? NULL : f->field};
}

static struct ord_call *call_new(struct ord_calls *calls, const struct ord_method *m, uint32_t items_count)
{
	struct ord_call *c = calls->free_calls;
	if (items_count == 1 && c != NULL) {
		calls->free_calls = c->next;
		calls->free_count--;
	} else {
		c = malloc(sizeof *c + items_count * sizeof c->items[0]);
	}
	if (c == NULL)
		return NULL;
	*c = (struct ord_call){.calls = calls, .method = m, .items_count = items_count, .items_left = items_count};
	ord_bytes_init(&c->bytes, ORD_RPC_BYTES_MAX);
	return c;
}

void ord_call_free(struct ord_call *c)
{
	struct ord_calls *calls = c->calls;
	ord_bytes_close(&c->bytes);
	if (c->items_count != 1 || calls->free_count == FREE_CALLS_MAX) {
		free(c);
		return;
	}
	c->next = calls->free_calls;
	calls->free_calls = c;
	calls->free_count++;
}

void ord_calls_close(struct ord_calls *calls)
{
	while (calls->free_calls != NULL) {
		struct ord_call *c = calls->free_calls;
		calls->free_calls = c->next;
		free(c);
	}
	calls->free_count = 0;
}

/* The result is bytes as they come, not what came of a command. */
static bool is_body(const struct ord_call *c)
{
	return c->method->kind == ORD_METHOD_READ || c->method->kind >= ORD_METHOD_CLUSTER;
}

static void call_answer_cb(struct ord_waiter *w, uint32_t item, const struct ord_answer *a)
{
	struct ord_call *c = (struct ord_call *)w; /* its first member */
	ORD_ASSERT(item < c->items_count);
	ORD_ASSERT(c->items_left > 0);
	struct ord_call_item *i = &c->items[item];
	i->err = (int8_t)a->err;
	i->partition = a->partition;
	i->retry_after_ms = a->retry_after_ms;
	if (a->err == ORD_OK && is_body(c)) {
		ord_bytes_put(&c->bytes, a->body.base, a->body.len);
	} else if (a->err == ORD_OK) {
		i->position = a->result.position;
		i->field = a->result.field;
		i->reason = (uint16_t)a->result.reason;
		i->status = (uint8_t)a->result.status;
		i->replayed = a->result.replayed;
	}
	if (--c->items_left == 0)
		c->calls->done(c);
}

/* Keeps the error map of an item that is not submitted. */
static void item_fail(struct ord_call *c, struct ord_call_item *i, const struct ord_params_fault *fault)
{
	msgpack_packer p;
	struct ord_rpc_fault shown = fault_show(fault);
	i->fault_offset = (uint32_t)c->bytes.len;
	ord_rpc_packer(&c->bytes, &p);
	ord_rpc_put_fault(&p, &shown);
	i->fault_len = (uint32_t)c->bytes.len - i->fault_offset;
	c->items_left--;
}

/* Submits the good items. The count of those left is taken down by answers only later, never from inside submit. */
static void batch_submit(struct ord_call *c, const struct ord_params *params, uint64_t deadline_ms)
{
	const msgpack_object_array *items = &params->items->via.array;
	for (uint32_t n = 0; n < c->items_count; n++) {
		struct ord_call_item *i = &c->items[n];
		struct ord_params item;
		struct ord_params_fault fault;
		struct ord_command command;
		*i = (struct ord_call_item){0};
		int err = ord_method_item(c->method, &items->ptr[n], &item, &fault);
		i->has_id = (item.given & ORD_FIELD_BIT(ORD_FIELD_ID)) != 0;
		i->id = item.id;
		if (err == ORD_OK)
			err = ord_method_command(c->method, &item, &command, &fault);
		if (err != ORD_OK)
			item_fail(c, i, &fault);
		else
			ord_shard_submit(c->calls->shard, &command, (enum ord_wait)params->wait, deadline_ms,
					 &c->waiter, n);
	}
}

static int read_submit(struct ord_call *c, const struct ord_params *params, uint64_t deadline_ms,
		       struct ord_params_fault *ret_fault)
{
	struct ord_query q;
	uint32_t partition;
	int err = ord_method_query(c->method, params, ord_shard_partitions_count(c->calls->shard), &q, &partition,
				   ret_fault);
	if (err != ORD_OK)
		return err;
	uint8_t room[ORD_COMMAND_BYTES_MAX];
	struct ord_bytes bytes = {.base = room, .capacity = sizeof room, .bytes_max = sizeof room};
	ord_query_encode(&q, &bytes);
	ORD_ASSERT(!bytes.failed);
	ord_shard_read(c->calls->shard, partition, ord_bytes_slice(&bytes), deadline_ms, &c->waiter, 0);
	return ORD_OK;
}

static int command_submit(struct ord_call *c, const struct ord_params *params, uint64_t deadline_ms,
			  struct ord_params_fault *ret_fault)
{
	struct ord_command command;
	int err = ord_method_command(c->method, params, &command, ret_fault);
	if (err != ORD_OK)
		return err;
	c->items[0].id = params->id;
	c->items[0].has_id = true;
	ord_shard_submit(c->calls->shard, &command, (enum ord_wait)params->wait, deadline_ms, &c->waiter, 0);
	return ORD_OK;
}

/* What `fault` asks for. Links to no other node of the cluster are refused before anything is done. */
static int fault_decode(const struct ord_calls *calls, const struct ord_params *params, struct ord_faults_order *ret,
			struct ord_params_fault *ret_fault)
{
	int err = ord_faults_decode(params, ret, ret_fault);
	for (uint32_t i = 0; err == ORD_OK && i < ret->links_count; i++) {
		uint32_t node = ret->links[i].node;
		if (node != calls->config->node && ord_config_find(calls->config, node) != NULL)
			continue;
		char text[ORD_FAULT_MESSAGE_SIZE];
		snprintf(text, sizeof text, "node %" PRIu32 " is not another node of this cluster", node);
		ord_params_fault_set(ret_fault, ORD_RPC_ERROR_INVALID_FIELD, "links", text);
		err = ORD_ERR_INVALID;
	}
	return err;
}

/* What it means that not all shards could do what was asked. */
static struct ord_rpc_fault ask_fault_of(int err)
{
	if (err == ORD_ERR_NOT_FOUND)
		return (struct ord_rpc_fault){
			.code = ORD_RPC_ERROR_NOT_FOUND,
			.field = ord_field_name(ORD_FIELD_ACCOUNT),
			.message = "no such account is in this node's memory: let it pay or be paid first"};
	return (struct ord_rpc_fault){.code = ORD_RPC_ERROR_BUSY,
				      .message = "the node is short of memory, or stops: try again later",
				      .retry_after_ms = BUSY_RETRY_MS};
}

static void ask_fault(int err, struct ord_params_fault *ret_fault)
{
	struct ord_rpc_fault f = ask_fault_of(err);
	ord_params_fault_set(ret_fault, f.code, f.field, f.message);
}

/* What it takes to ask all shards of the node. */
static int ask_open(const struct ord_calls *calls, const struct ord_method *m, const struct ord_params *params,
		    struct ord_ask *a, struct ord_params_fault *ret_fault)
{
	int err = ord_ask_open(a, m->kind, calls->config->shards_count > 1 ? calls->config->shards_count : 1);
	if (err != ORD_OK) {
		ask_fault(err, ret_fault);
		return err;
	}
	a->uptime_ms = ord_shard_now_ms(calls->shard) - calls->started_ms;
	if (m->kind == ORD_METHOD_FAULT)
		err = fault_decode(calls, params, &a->order, ret_fault);
	if (m->kind == ORD_METHOD_SPOIL) {
		ORD_ASSERT(params->account.len <= sizeof a->account);
		memcpy(a->account, params->account.base, params->account.len);
		a->account_bytes = params->account.len;
		a->delta = params->delta;
	}
	if (err != ORD_OK)
		ord_ask_close(a);
	return err;
}

static int check_faults_enabled(const struct ord_calls *calls, const struct ord_method *m,
				struct ord_params_fault *ret_fault)
{
	bool is_fault = m->kind == ORD_METHOD_SPOIL || m->kind == ORD_METHOD_FAULT || m->kind == ORD_METHOD_FAULTS;
	if (!is_fault || calls->config->enable_faults)
		return ORD_OK;
	ord_params_fault_set(ret_fault, ORD_RPC_ERROR_UNKNOWN_METHOD, NULL,
			     "this node makes no faults on purpose: start it with --enable-faults");
	return ORD_ERR_INVALID;
}

static int check_cluster(const struct ord_calls *calls, const struct ord_params *params,
			 struct ord_params_fault *ret_fault)
{
	const struct ord_config *config = calls->config;
	bool asks_cluster = (params->given & ORD_FIELD_BIT(ORD_FIELD_CLUSTER_ID)) != 0;
	if (!asks_cluster || ord_uuid_equal(&params->cluster_id, &config->cluster))
		return ORD_OK;
	char id[ORD_UUID_TEXT_SIZE];
	char text[ORD_FAULT_MESSAGE_SIZE];
	ord_uuid_format(&config->cluster, id);
	snprintf(text, sizeof text, "this node belongs to cluster %s: connect to a node of yours", id);
	ord_params_fault_set(ret_fault, ORD_RPC_ERROR_WRONG_CLUSTER, ord_field_name(ORD_FIELD_CLUSTER_ID), text);
	return ORD_ERR_INVALID;
}

static void ask_put(const struct ord_calls *calls, const struct ord_ask *a, msgpack_packer *p)
{
	ord_ask_put(a, calls->config, atomic_load(calls->clients_count), p);
}

/* All shards have been asked, or one could not: the answer comes as that of a read. The shard of these calls may be gone. */
static void ask_done(struct ord_asking *asking)
{
	struct ord_call *c = (struct ord_call *)asking->ctx;
	struct ord_answer answer = {.err = asking->ask.err};
	msgpack_packer p;
	ord_rpc_packer(&c->bytes, &p);
	if (answer.err == ORD_OK)
		ask_put(c->calls, &asking->ask, &p);
	ord_ask_close(&asking->ask);
	free(asking);
	c->waiter.answer(&c->waiter, 0, &answer);
}

/* Asks the other shards, too. */
static int ask_all(struct ord_calls *calls, const struct ord_method *m, struct ord_ask *a, struct ord_call **ret,
		   struct ord_params_fault *ret_fault)
{
	struct ord_asking *asking = malloc(sizeof *asking);
	struct ord_call *c = asking != NULL ? call_new(calls, m, 1) : NULL;
	if (c == NULL) {
		free(asking);
		ord_ask_close(a);
		ask_fault(ORD_ERR_NOMEM, ret_fault);
		return ORD_ERR_NOMEM;
	}
	c->waiter.answer = call_answer_cb;
	c->items[0] = (struct ord_call_item){0};
	*asking = (struct ord_asking){.ask = *a, .done = ask_done, .ctx = c};
	calls->ask(calls->ask_ctx, asking);
	*ret = c;
	return ORD_OK;
}

static int ask_here(struct ord_calls *calls, struct ord_ask *a, uint32_t rpc_id, struct ord_bytes *out,
		    struct ord_params_fault *ret_fault)
{
	ord_ask_visit(a, calls->shard);
	int err = a->err;
	if (err == ORD_OK) {
		msgpack_packer p;
		ord_rpc_packer(out, &p);
		ord_rpc_put_result(&p, rpc_id);
		ask_put(calls, a, &p);
	} else {
		ask_fault(err, ret_fault);
	}
	ord_ask_close(a);
	return err;
}

/* What this node answers by itself: at once, or, when the other shards have to be asked, with a call. */
static int answer_here(struct ord_calls *calls, const struct ord_method *m, const struct ord_params *params,
		       uint32_t rpc_id, struct ord_bytes *out, struct ord_call **ret,
		       struct ord_params_fault *ret_fault)
{
	int err = check_cluster(calls, params, ret_fault);
	if (err == ORD_OK)
		err = check_faults_enabled(calls, m, ret_fault);
	if (err != ORD_OK)
		return err;
	if (m->kind == ORD_METHOD_CLUSTER) {
		msgpack_packer p;
		ord_rpc_packer(out, &p);
		ord_rpc_put_result(&p, rpc_id);
		ord_status_put_cluster(&p, calls->config, calls->shard);
		return ORD_OK;
	}
	struct ord_ask a;
	err = ask_open(calls, m, params, &a, ret_fault);
	if (err != ORD_OK)
		return err;
	return calls->ask != NULL ? ask_all(calls, m, &a, ret, ret_fault) : ask_here(calls, &a, rpc_id, out, ret_fault);
}

/* Makes the call and hands it to the shard; a batch may come back with nothing left to wait for. */
static int call_begin(struct ord_calls *calls, const struct ord_method *m, const struct ord_params *params,
		      struct ord_call **ret, struct ord_params_fault *ret_fault)
{
	bool batch = m->kind == ORD_METHOD_BATCH;
	struct ord_call *c = call_new(calls, m, batch ? params->items->via.array.size : 1);
	if (c == NULL) {
		ord_params_fault_set(ret_fault, ORD_RPC_ERROR_BUSY, NULL,
				     "the node is short of memory: try again later");
		return ORD_ERR_NOMEM;
	}
	c->waiter.answer = call_answer_cb;
	uint64_t deadline_ms = ord_shard_now_ms(calls->shard) + (uint64_t)params->timeout_ms;
	int err = ORD_OK;
	if (batch) {
		batch_submit(c, params, deadline_ms);
	} else {
		c->items[0] = (struct ord_call_item){0};
		err = m->kind == ORD_METHOD_READ ? read_submit(c, params, deadline_ms, ret_fault)
						 : command_submit(c, params, deadline_ms, ret_fault);
	}
	if (err != ORD_OK)
		ord_call_free(c);
	else
		*ret = c;
	return err;
}

struct ord_call *ord_call_take(struct ord_calls *calls, const struct ord_rpc_message *m, void *owner,
			       struct ord_bytes *out)
{
	ORD_ASSERT(m->type == ORD_RPC_REQUEST);
	const struct ord_method *method;
	struct ord_params params;
	struct ord_params_fault fault;
	struct ord_call *c = NULL;
	int err = ord_method_find(m->method, &method, &fault);
	if (err == ORD_OK)
		err = ord_method_params(method, m->params, &params, &fault);
	if (err == ORD_OK && method->kind >= ORD_METHOD_CLUSTER)
		err = answer_here(calls, method, &params, m->id, out, &c, &fault);
	else if (err == ORD_OK)
		err = call_begin(calls, method, &params, &c, &fault);
	if (err != ORD_OK) {
		msgpack_packer p;
		struct ord_rpc_fault shown = fault_show(&fault);
		if (fault.code == ORD_RPC_ERROR_BUSY)
			shown.retry_after_ms = BUSY_RETRY_MS;
		ord_rpc_packer(out, &p);
		ord_rpc_put_error(&p, m->id, &shown);
	}
	if (c == NULL)
		return NULL;
	c->owner = owner;
	c->rpc_id = m->id;
	if (c->items_left > 0)
		return c;
	ord_call_reply(c, out);
	ord_call_free(c);
	return NULL;
}

/* What an item's error means in the protocol. */
static struct ord_rpc_fault item_fault(const struct ord_call *c, const struct ord_call_item *i)
{
	struct ord_rpc_fault f = {.retry_after_ms = i->retry_after_ms};
	if (c->method->kind >= ORD_METHOD_STATUS)
		return ask_fault_of(i->err);
	switch (i->err) {
	case ORD_ERR_NOT_FOUND:
		f.code = ORD_RPC_ERROR_NOT_FOUND;
		break;
	case ORD_ERR_EXPIRED:
		f.code = ORD_RPC_ERROR_EXPIRED;
		break;
	case ORD_ERR_INVALID:
		f.code = ORD_RPC_ERROR_UNAVAILABLE;
		f.message = "the partition's leader does not understand this read: do all nodes run the same version?";
		break;
	case ORD_ERR_BUSY:
		f.code = ORD_RPC_ERROR_BUSY;
		if (f.retry_after_ms == 0)
			f.retry_after_ms = BUSY_RETRY_MS;
		break;
	case ORD_ERR_NO_SPACE:
		f.code = ORD_RPC_ERROR_DISK_FULL;
		f.retry_after_ms = DISK_FULL_RETRY_MS;
		break;
	case ORD_ERR_NOT_LEADER:
		f.code = ORD_RPC_ERROR_UNAVAILABLE;
		break;
	default:
		f.code = ORD_RPC_ERROR_UNKNOWN_OUTCOME;
		if (c->method->kind == ORD_METHOD_READ) {
			f.code = ORD_RPC_ERROR_UNAVAILABLE;
			f.message = "the read was not answered within the time allowed: ask again";
		}
		break;
	}
	return f;
}

static void put_item_result(msgpack_packer *p, const struct ord_call_item *i)
{
	struct ord_result r = {.status = (enum ord_status)i->status,
			       .reason = (enum ord_refusal)i->reason,
			       .replayed = i->replayed,
			       .field = i->field,
			       .position = i->position};
	ord_reply_put_result(p, &i->id, i->partition, &r);
}

static void put_batch_item(const struct ord_call *c, const struct ord_call_item *i, msgpack_packer *p,
			   struct ord_bytes *out)
{
	if (i->fault_len == 0 && i->err == ORD_OK) {
		put_item_result(p, i);
		return;
	}
	msgpack_pack_map(p, i->has_id ? 3 : 2);
	if (i->has_id) {
		ord_rpc_put_text(p, "id");
		ord_reply_put_id(p, &i->id);
	}
	ord_rpc_put_pair_text(p, "status", "failed");
	ord_rpc_put_text(p, "error");
	if (i->fault_len != 0) {
		ord_bytes_put(out, c->bytes.base + i->fault_offset, i->fault_len);
		return;
	}
	struct ord_rpc_fault f = item_fault(c, i);
	ord_rpc_put_fault(p, &f);
}

void ord_call_reply(const struct ord_call *c, struct ord_bytes *out)
{
	ORD_ASSERT(c->items_left == 0);
	msgpack_packer p;
	ord_rpc_packer(out, &p);
	if (c->method->kind == ORD_METHOD_BATCH) {
		ord_rpc_put_result(&p, c->rpc_id);
		msgpack_pack_array(&p, c->items_count);
		for (uint32_t n = 0; n < c->items_count; n++)
			put_batch_item(c, &c->items[n], &p, out);
		return;
	}
	const struct ord_call_item *i = &c->items[0];
	if (i->err != ORD_OK || c->bytes.failed) {
		struct ord_rpc_fault f = item_fault(c, i);
		ord_rpc_put_error(&p, c->rpc_id, &f);
		return;
	}
	ord_rpc_put_result(&p, c->rpc_id);
	if (is_body(c))
		ord_bytes_put(out, c->bytes.base, c->bytes.len);
	else
		put_item_result(&p, i);
}
