/* SPDX-License-Identifier: Apache-2.0 - the nodes that are none. */
#include "tests/support/client_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "client/fields.h"
#include "client/routing.h"
#include "partition/command.h"

struct fake_connection {
	uv_tcp_t tcp;
	struct fake_node *node;
	struct fake_connection *next;
	struct ord_rpc_stream *stream;
	bool closing;
};

struct write {
	uv_write_t base;
	char bytes[];
};

static void write_cb(uv_write_t *request, int status)
{
	(void)status;
	free(request);
}

void fake_bytes(struct fake_connection *c, const void *base, size_t len)
{
	if (c->closing)
		return;
	struct write *w = malloc(sizeof *w + len);
	ORD_ASSERT(w != NULL);
	memcpy(w->bytes, base, len);
	uv_buf_t buf = uv_buf_init(w->bytes, (unsigned)len);
	uv_write(&w->base, (uv_stream_t *)&c->tcp, &buf, 1, write_cb);
}

static void connection_closed(uv_handle_t *handle)
{
	struct fake_connection *c = handle->data;
	struct fake_connection **at = &c->node->connections;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	ord_rpc_stream_close(c->stream);
	free(c);
}

void fake_cut(struct fake_connection *c)
{
	if (c->closing)
		return;
	c->closing = true;
	uv_close((uv_handle_t *)&c->tcp, connection_closed);
}

struct logged {
	struct ord_table_link link;
	struct ordain_id id;
};

static bool logged_equal(const struct ord_table_link *link, const void *key)
{
	return memcmp(((const struct logged *)link)->id.bytes, key, sizeof(struct ordain_id)) == 0;
}

uint32_t fake_logged(const struct fake *f, const struct ordain_id *id)
{
	return ord_table_find(&f->logged, ord_routing_request(id), id->bytes, logged_equal) != NULL;
}

/* True when it was logged before. */
static bool log_id(struct fake *f, const struct ordain_id *id)
{
	if (fake_logged(f, id) > 0)
		return true;
	struct logged *l = calloc(1, sizeof *l);
	ORD_ASSERT(l != NULL);
	l->id = *id;
	ord_table_put(&f->logged, &l->link, ord_routing_request(id));
	return false;
}

static void put_pair(msgpack_packer *p, const char *name, const char *value)
{
	ord_rpc_put_text(p, name);
	ord_rpc_put_text(p, value);
}

static void put_number(msgpack_packer *p, const char *name, int64_t value)
{
	ord_rpc_put_text(p, name);
	msgpack_pack_int64(p, value);
}

static void put_id(msgpack_packer *p, const struct ordain_id *id)
{
	char text[ORDAIN_ID_TEXT_SIZE];
	ordain_id_format(id, text);
	put_pair(p, "id", text);
}

static void put_result(msgpack_packer *p, const struct ordain_id *id, const char *status, bool replayed)
{
	bool rejected = strcmp(status, "rejected") == 0;
	msgpack_pack_map(p, rejected ? 5 : 4);
	put_id(p, id);
	put_pair(p, "status", status);
	ord_rpc_put_text(p, "replayed");
	if (replayed)
		msgpack_pack_true(p);
	else
		msgpack_pack_false(p);
	put_pair(p, "position", "5:42");
	if (!rejected)
		return;
	ord_rpc_put_text(p, "reason");
	msgpack_pack_map(p, 4);
	put_number(p, "code", 8);
	put_pair(p, "name", "below_floor");
	put_pair(p, "message", "the payer's balance would fall below the account's floor");
	put_pair(p, "field", "amount");
}

static uint32_t leader_of(struct fake *f, uint64_t key_hash)
{
	return f->leaders[ord_routing_partition(key_hash, FAKE_PARTITIONS)];
}

static bool map_key(const msgpack_object *o, struct ordain_id *ret_id, uint64_t *ret_hash)
{
	struct ordain_str s;
	struct ordain_str space;
	bool has_id = ord_fields_id(o, "id", ret_id);
	if (ord_fields_str(o, "namespace", &space) && ord_fields_str(o, "name", &s))
		*ret_hash = ord_routing_name(space, s);
	else if (ord_fields_str(o, "account", &s))
		*ret_hash = ord_routing_account(s);
	else
		*ret_hash = ord_routing_request(ret_id);
	return has_id;
}

static void put_command(struct fake_request *r, msgpack_packer *p, const msgpack_object *o)
{
	struct ordain_id id;
	uint64_t hash;
	int64_t amount = 0;
	bool has_id = map_key(o, &id, &hash);
	ORD_ASSERT(has_id);
	r->fake->misled_count += leader_of(r->fake, hash) != r->node;
	bool replayed = log_id(r->fake, &id);
	ord_fields_i64(o, "amount", &amount);
	bool rejected = r->fake->rejected_amount != 0 && amount == r->fake->rejected_amount;
	put_result(p, &id, rejected ? "rejected" : "settled", replayed);
}

static void put_account(msgpack_packer *p)
{
	msgpack_pack_map(p, 9);
	put_pair(p, "account", "alice");
	put_pair(p, "asset", "EUR");
	put_pair(p, "state", "frozen");
	put_number(p, "balance", -7);
	put_number(p, "floor", -100);
	put_number(p, "ceiling", INT64_MAX);
	put_number(p, "postings", 3);
	put_number(p, "opened_us", 1700000000000000);
	put_number(p, "partition", 5);
}

static void put_history(msgpack_packer *p)
{
	struct ordain_id id = {{1}};
	msgpack_pack_map(p, 3);
	put_pair(p, "account", "alice");
	ord_rpc_put_text(p, "postings");
	msgpack_pack_array(p, 2);
	for (int i = 0; i < 2; i++) {
		msgpack_pack_map(p, 8);
		put_number(p, "number", i + 1);
		put_pair(p, "kind", i == 0 ? "credit" : "debit");
		put_id(p, &id);
		put_pair(p, "counterparty", i == 0 ? "bank" : "bob");
		put_number(p, "amount", 10 + i);
		put_number(p, "balance_after", 10 - 11 * i);
		put_pair(p, "position", i == 0 ? "5:7" : "5:18446744073709551615");
		put_number(p, "time_us", 1700000000000000 + i);
	}
	ord_rpc_put_text(p, "next");
	msgpack_pack_nil(p);
}

static void put_request(msgpack_packer *p, const struct ordain_id *id)
{
	msgpack_pack_map(p, 8);
	put_id(p, id);
	put_pair(p, "command", "transfer");
	ord_rpc_put_text(p, "payload");
	msgpack_pack_map(p, 4);
	put_pair(p, "payer", "alice");
	put_pair(p, "payee", "bob");
	put_number(p, "amount", 250);
	put_pair(p, "asset", "EUR");
	put_pair(p, "status", "rejected");
	ord_rpc_put_text(p, "reason");
	msgpack_pack_map(p, 3);
	put_number(p, "code", 8);
	put_pair(p, "name", "below_floor");
	put_pair(p, "message", "too little");
	put_pair(p, "position", "2:9");
	put_number(p, "logged_us", 11);
	put_number(p, "decided_us", 12);
}

static void put_name(msgpack_packer *p)
{
	struct ordain_id id = {{2}};
	msgpack_pack_map(p, 6);
	put_pair(p, "namespace", "ns");
	put_pair(p, "name", "name");
	put_pair(p, "owner", "carol");
	put_id(p, &id);
	put_pair(p, "position", "3:4");
	put_number(p, "since_us", 77);
}

static void put_answer(struct fake_request *r, msgpack_packer *p)
{
	const msgpack_object *items = ord_fields_find(r->params, "items");
	struct ordain_id id;
	ord_rpc_put_result(p, r->rpc_id);
	if (items != NULL) {
		msgpack_pack_array(p, items->via.array.size);
		for (uint32_t i = 0; i < items->via.array.size; i++)
			put_command(r, p, &items->via.array.ptr[i]);
	} else if (strcmp(r->method, "account") == 0) {
		put_account(p);
	} else if (strcmp(r->method, "history") == 0) {
		put_history(p);
	} else if (strcmp(r->method, "name") == 0) {
		put_name(p);
	} else if (strcmp(r->method, "request") == 0 && ord_fields_id(r->params, "id", &id)) {
		put_request(p, &id);
	} else if (strcmp(r->method, "status") == 0) {
		msgpack_pack_map(p, 1);
		put_number(p, "node", r->node);
	} else {
		put_command(r, p, r->params);
	}
}

static void answer_bytes(struct fake_request *r, struct ord_bytes *out)
{
	msgpack_packer p;
	ord_bytes_init(out, 64u << 20);
	ord_rpc_packer(out, &p);
	put_answer(r, &p);
	ORD_ASSERT(!out->failed);
}

void fake_answer(struct fake_request *r)
{
	struct ord_bytes out;
	answer_bytes(r, &out);
	fake_bytes(r->connection, out.base, out.len);
	ord_bytes_close(&out);
}

static void cut_cb(uv_write_t *request, int status)
{
	struct fake_connection *c = request->data;
	(void)status;
	free(request);
	fake_cut(c);
}

void fake_answer_half(struct fake_request *r)
{
	struct ord_bytes out;
	answer_bytes(r, &out);
	struct write *w = malloc(sizeof *w + out.len);
	ORD_ASSERT(w != NULL);
	memcpy(w->bytes, out.base, out.len);
	w->base.data = r->connection;
	uv_buf_t buf = uv_buf_init(w->bytes, (unsigned)out.len / 2);
	uv_write(&w->base, (uv_stream_t *)&r->connection->tcp, &buf, 1, cut_cb);
	ord_bytes_close(&out);
}

/* Begins the answer to a request that names an id. */
static void answer_begin(const struct fake_request *r, struct ord_bytes *out, msgpack_packer *p, struct ordain_id *ret)
{
	ord_bytes_init(out, 4096);
	ord_rpc_packer(out, p);
	bool has_id = ord_fields_id(r->params, "id", ret);
	ORD_ASSERT(has_id);
	ord_rpc_put_result(p, r->rpc_id);
}

void fake_status(struct fake_request *r, const char *status)
{
	struct ord_bytes out;
	struct ordain_id id;
	msgpack_packer p;
	answer_begin(r, &out, &p, &id);
	bool replayed = log_id(r->fake, &id);
	put_result(&p, &id, status, replayed);
	fake_bytes(r->connection, out.base, out.len);
	ord_bytes_close(&out);
}

void fake_expired(struct fake_request *r)
{
	struct ord_bytes out;
	struct ordain_id id;
	msgpack_packer p;
	answer_begin(r, &out, &p, &id);
	msgpack_pack_map(&p, 5);
	put_id(&p, &id);
	put_pair(&p, "status", "rejected");
	ord_rpc_put_text(&p, "replayed");
	msgpack_pack_false(&p);
	put_pair(&p, "position", "5:77");
	ord_rpc_put_text(&p, "reason");
	msgpack_pack_map(&p, 3);
	put_number(&p, "code", ORD_REFUSAL_REQUEST_ID_EXPIRED);
	put_pair(&p, "name", "request_id_expired");
	put_pair(&p, "message", "this request id is too old");
	fake_bytes(r->connection, out.base, out.len);
	ord_bytes_close(&out);
}

void fake_fault(struct fake_request *r, const struct ord_rpc_fault *fault)
{
	struct ord_bytes out;
	msgpack_packer p;
	ord_bytes_init(&out, 4096);
	ord_rpc_packer(&out, &p);
	ord_rpc_put_error(&p, r->rpc_id, fault);
	fake_bytes(r->connection, out.base, out.len);
	ord_bytes_close(&out);
}

/* `cluster`, with the check of the cluster id. */
static void answer_cluster(struct fake_request *r)
{
	struct fake *f = r->fake;
	struct ordain_id asked;
	char id[ORDAIN_ID_TEXT_SIZE];
	if (ord_fields_id(r->params, "cluster_id", &asked) &&
	    memcmp(asked.bytes, f->cluster_id.bytes, sizeof asked.bytes) != 0) {
		fake_fault(r, &(struct ord_rpc_fault){.code = ORD_RPC_ERROR_WRONG_CLUSTER});
		return;
	}
	struct ord_bytes out;
	msgpack_packer p;
	ord_bytes_init(&out, 4096);
	ord_rpc_packer(&out, &p);
	ord_rpc_put_result(&p, r->rpc_id);
	msgpack_pack_map(&p, 6);
	ordain_id_format(&f->cluster_id, id);
	put_pair(&p, "cluster_id", id);
	put_number(&p, "node", r->node);
	put_number(&p, "partitions", FAKE_PARTITIONS);
	ord_rpc_put_text(&p, "nodes");
	msgpack_pack_array(&p, f->nodes_count);
	for (uint32_t i = 0; i < f->nodes_count; i++) {
		msgpack_pack_map(&p, 3);
		put_number(&p, "node", i + 1);
		put_pair(&p, "host", "127.0.0.1");
		put_number(&p, "port", f->nodes[i].port);
	}
	ord_rpc_put_text(&p, "leaders");
	msgpack_pack_array(&p, FAKE_PARTITIONS);
	for (uint32_t i = 0; i < FAKE_PARTITIONS; i++)
		msgpack_pack_uint32(&p, f->leaders[i]);
	put_pair(&p, "version", ORDAIN_VERSION);
	fake_bytes(r->connection, out.base, out.len);
	ord_bytes_close(&out);
}

static void request_take(struct fake_connection *c, const struct ord_rpc_message *m)
{
	struct fake *f = c->node->fake;
	struct fake_request r = {
		.fake = f, .connection = c, .node = c->node->node, .rpc_id = m->id, .params = m->params};
	ORD_ASSERT(m->type == ORD_RPC_REQUEST);
	snprintf(r.method, sizeof r.method, "%.*s", (int)m->method.len, (const char *)m->method.base);
	if (strcmp(r.method, "cluster") == 0) {
		f->clusters_count++;
		if (f->silent_node != r.node)
			answer_cluster(&r);
		return;
	}
	f->requests_count++;
	c->node->requests_count++;
	if (f->silent_node == r.node)
		return;
	if (f->handler != NULL)
		f->handler(&r);
	else
		fake_answer(&r);
}

static void room_cb(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)suggested;
	struct fake_connection *c = handle->data;
	size_t len = 0;
	void *base = ord_rpc_stream_space(c->stream, &len);
	*buf = uv_buf_init(base, (unsigned)len);
}

static void read_cb(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	(void)buf;
	struct fake_connection *c = stream->data;
	if (got < 0) {
		fake_cut(c);
		return;
	}
	ord_rpc_stream_filled(c->stream, (size_t)got);
	while (!c->closing) {
		struct ord_rpc_message m;
		bool have;
		int err = ord_rpc_stream_next(c->stream, &m, &have);
		ORD_ASSERT(err == 0);
		if (!have)
			return;
		request_take(c, &m);
	}
}

static void accept_cb(uv_stream_t *listener, int status)
{
	struct fake_node *n = listener->data;
	struct fake_connection *c = calloc(1, sizeof *c);
	ORD_ASSERT(c != NULL && status == 0);
	c->node = n;
	c->next = n->connections;
	n->connections = c;
	int err = ord_rpc_stream_open(ORD_RPC_BYTES_MAX, &c->stream);
	ORD_ASSERT(err == 0);
	uv_tcp_init(n->fake->loop, &c->tcp);
	c->tcp.data = c;
	err = uv_accept(listener, (uv_stream_t *)&c->tcp);
	ORD_ASSERT(err == 0);
	uv_read_start((uv_stream_t *)&c->tcp, room_cb, read_cb);
	uv_unref((uv_handle_t *)&c->tcp);
}

static void node_open(struct fake *f, uint32_t node)
{
	struct fake_node *n = &f->nodes[node - 1];
	struct sockaddr_in address;
	int len = sizeof address;
	n->node = node;
	n->fake = f;
	uv_tcp_init(f->loop, &n->listener);
	n->listener.data = n;
	uv_ip4_addr("127.0.0.1", 0, &address);
	int err = uv_tcp_bind(&n->listener, (const struct sockaddr *)&address, 0);
	ORD_ASSERT(err == 0);
	err = uv_listen((uv_stream_t *)&n->listener, 16, accept_cb);
	ORD_ASSERT(err == 0);
	uv_tcp_getsockname(&n->listener, (struct sockaddr *)&address, &len);
	n->port = ntohs(address.sin_port);
	n->listening = true;
	uv_unref((uv_handle_t *)&n->listener);
}

void fake_open(struct fake *f, uv_loop_t *loop, uint32_t nodes_count)
{
	ORD_ASSERT(nodes_count > 0 && nodes_count <= FAKE_NODES_MAX);
	*f = (struct fake){.loop = loop, .nodes_count = nodes_count, .cluster_id = {{0xc1}}};
	int err = ord_table_open(&f->logged);
	ORD_ASSERT(err == 0);
	for (uint32_t node = 1; node <= nodes_count; node++)
		node_open(f, node);
	for (uint32_t p = 0; p < FAKE_PARTITIONS; p++)
		f->leaders[p] = p % nodes_count + 1;
}

void fake_kill(struct fake *f, uint32_t node)
{
	struct fake_node *n = &f->nodes[node - 1];
	if (n->listening)
		uv_close((uv_handle_t *)&n->listener, NULL);
	n->listening = false;
	for (struct fake_connection *c = n->connections; c != NULL; c = c->next)
		fake_cut(c);
}

void fake_close(struct fake *f)
{
	for (uint32_t node = 1; node <= f->nodes_count; node++)
		fake_kill(f, node);
	uint64_t cursor = 0;
	struct ord_table_link *link = ord_table_next(&f->logged, &cursor, NULL);
	while (link != NULL) {
		struct ord_table_link *next = ord_table_next(&f->logged, &cursor, link);
		free(link);
		link = next;
	}
	ord_table_close(&f->logged);
}

const char *fake_addresses(const struct fake *f, uint32_t count)
{
	static char text[256];
	size_t len = 0;
	for (uint32_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s127.0.0.1:%u", i == 0 ? "" : ",",
					(unsigned)f->nodes[i].port);
	return text;
}
