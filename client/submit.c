/* SPDX-License-Identifier: Apache-2.0 - commands: many items, each on its own way to the leader of its partition, until all have an answer.
 *
 *   item:  pending --batch_dispatch--> in a call --call_ended--> decided
 *             ^                            |
 *             +-------- item_retry --------+   the same id again, after a pause; decided when the time is over
 *
 * An item that may have been seen by a node that did not answer is "sent": it can end as unknown, and never as failed. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "client/decode.h"
#include "client/encode.h"
#include "client/routing.h"
#include "client/session.h"

/* One call of a batch method: what a node allows at most, with room for the answer, which may be longer than the question. */
#define CALL_ITEMS_MAX 5000
#define CALL_BYTES_MAX (2u << 20)

/* A call that is passed on by a node that does not lead comes back sooner: that node may be the one that is cut off. */
#define CALL_PROXY_MS 1000

/* Items that one dispatch looks at, and places that it cannot fill before it stops. */
#define DISPATCH_ITEMS_MAX 16384
#define DISPATCH_MISSES_MAX 4096
#define DISPATCH_WAIT_MS 50

/* Calls that one dispatch fills at the same time: transfers and claims for each node, sent directly or passed on. */
#define DISPATCH_CHAINS_MAX 32

/* An encoded command with its field names is never longer. */
#define ITEM_BYTES_MAX (ORD_COMMAND_BYTES_MAX + 256)

_Static_assert(CALL_ITEMS_MAX <= ORD_BATCH_ITEMS_MAX, "a node takes it");
_Static_assert(CALL_BYTES_MAX + ITEM_BYTES_MAX + 256 <= ORD_RPC_BYTES_MAX, "a node takes it");

/* The refusal request_id_expired (docs/protocol.md, "Refusals"). */
#define REFUSAL_EXPIRED 17

#define ITEM_NONE UINT32_MAX

struct item {
	uint64_t key_hash;
	uint32_t begin; /* of its fields in encoded */
	uint32_t next;	/* in whatever chain it is */
	uint64_t due_ms;
	uint16_t len;
	uint8_t kind; /* enum ordain_command_kind */
	uint8_t attempts;
	bool sent; /* a node may have seen it and not answered, or not known */
	bool decided;
};

/* Items linked by next. */
struct chain {
	uint32_t first;
	uint32_t last;
	uint32_t count;
};

struct batch {
	struct ord_op op;
	ordain_submit_cb cb;
	void *arg;
	enum ordain_wait wait;
	uint32_t count;
	uint32_t undecided_count;
	struct item *items;	       /* owned */
	struct ordain_result *results; /* owned; of undecided items: id, and code and message of the last attempt */
	struct ord_bytes encoded;
	struct ord_texts texts;
	struct chain pending;
	LIST_HEAD(, call) calls; /* under way */
};

/* Items of one batch on their way to one node. */
struct call {
	struct ord_remote_call base;
	LIST_ENTRY(call) of_batch;
	struct batch *batch; /* borrowed; NULL when nobody waits any more */
	struct chain items;
};

/* A call that a dispatch is filling. */
struct filling {
	struct ord_remote *remote;
	enum ordain_command_kind kind;
	bool proxy;
	uint32_t bytes;
	struct chain items;
};

static void chain_init(struct chain *c)
{
	*c = (struct chain){.first = ITEM_NONE, .last = ITEM_NONE};
}

static void chain_append(struct batch *b, struct chain *c, uint32_t i)
{
	b->items[i].next = ITEM_NONE;
	if (c->last == ITEM_NONE)
		c->first = i;
	else
		b->items[c->last].next = i;
	c->last = i;
	c->count++;
}

static uint32_t chain_take(struct batch *b, struct chain *c)
{
	uint32_t i = c->first;
	c->first = b->items[i].next;
	if (c->first == ITEM_NONE)
		c->last = ITEM_NONE;
	c->count--;
	return i;
}

static void item_decided(struct batch *b, uint32_t i)
{
	ORD_ASSERT(!b->items[i].decided);
	b->items[i].decided = true;
	if (--b->undecided_count == 0)
		ord_session_done(&b->op);
}

/* What is known of an item that was not decided by a node; code and texts stay until it is. */
static void item_trouble(struct batch *b, uint32_t i, int code, const char *message)
{
	struct ordain_result *r = &b->results[i];
	r->code = code;
	r->name = ordain_error_name(code);
	r->message = message != NULL ? message : ordain_strerror(code);
}

/* True when the item may be carried out, for all that is known. */
static bool item_may_be_logged(const struct batch *b, uint32_t i)
{
	return b->items[i].sent || b->results[i].status == ORDAIN_STATUS_ACCEPTED;
}

/* Decides an item without a node: it is unknown when a node may have logged it, else it failed for the reason that its last attempt left. */
static void item_give_up(struct batch *b, uint32_t i)
{
	struct ordain_result *r = &b->results[i];
	r->answer = item_may_be_logged(b, i) ? ORDAIN_UNKNOWN : ORDAIN_FAILED;
	if (r->status == ORDAIN_STATUS_ACCEPTED)
		item_trouble(b, i, ORDAIN_ERR_UNKNOWN_OUTCOME,
			     "logged, and not settled in the time allowed: ask again with the same id");
	else if (b->items[i].sent && r->code != ORDAIN_ERR_PROTOCOL)
		item_trouble(b, i, ORDAIN_ERR_UNKNOWN_OUTCOME, NULL);
	item_decided(b, i);
}

/* Another attempt after a pause, or the end when there is no time for one. */
static void item_retry(struct batch *b, uint32_t i, uint64_t now_ms, uint32_t asked_ms)
{
	struct item *item = &b->items[i];
	if (item->attempts < UINT8_MAX)
		item->attempts++;
	uint64_t pause_ms = ord_session_pause_ms(b->op.client, item->attempts, asked_ms);
	if (ord_session_is_late(&b->op, now_ms + pause_ms)) {
		item_give_up(b, i);
		return;
	}
	item->due_ms = now_ms + pause_ms;
	chain_append(b, &b->pending, i);
	ord_session_wait(&b->op, item->due_ms);
}

/* A node did not decide the item and says why. */
static void item_fault(struct batch *b, uint32_t i, const struct ord_decoded_fault *fault, uint64_t now_ms)
{
	struct ord_fleet *fleet = ord_session_fleet(b->op.client);
	const char *message = ord_texts_keep(&b->texts, ord_slice_of(fault->message.base, fault->message.len));
	item_trouble(b, i, fault->code, message);
	switch (fault->code) {
	case ORDAIN_ERR_UNKNOWN_OUTCOME:
		b->items[i].sent = true;
		/* fall through */
	case ORDAIN_ERR_UNAVAILABLE:
	case ORDAIN_ERR_BUSY:
	case ORDAIN_ERR_DISK_FULL:
		ord_fleet_learn(fleet, ord_routing_partition(b->items[i].key_hash, ord_fleet_partitions_count(fleet)),
				fault->code, fault->leader);
		item_retry(b, i, now_ms, fault->retry_after_ms);
		return;
	default:
		b->results[i].name = ord_texts_keep(&b->texts, ord_slice_of(fault->name.base, fault->name.len));
		if (fault->field.base != NULL)
			b->results[i].field =
				ord_texts_keep(&b->texts, ord_slice_of(fault->field.base, fault->field.len));
		b->results[i].answer = item_may_be_logged(b, i) ? ORDAIN_UNKNOWN : ORDAIN_FAILED;
		item_decided(b, i);
	}
}

/* The id is too old by now to be asked for, and an earlier attempt may have been logged under it: "refused" would say that nothing was done. */
static void item_expired(struct batch *b, uint32_t i)
{
	struct ordain_result *r = &b->results[i];
	r->answer = ORDAIN_UNKNOWN;
	item_trouble(b, i, ORDAIN_ERR_EXPIRED,
		     r->status == ORDAIN_STATUS_ACCEPTED
			     ? "logged, and its id is too old by now to be asked for: the outcome is in the history "
			       "(ordain log dump)"
			     : "an attempt whose answer was lost may have been logged, and the id is too old by now to "
			       "be asked for: the history tells (ordain log dump)");
	item_decided(b, i);
}

static bool is_expired(const struct ordain_result *r)
{
	return r->answer == ORDAIN_REFUSED && r->code == REFUSAL_EXPIRED;
}

/* A node answered for the item. */
static void item_answered(struct batch *b, uint32_t i, const msgpack_object *o, uint64_t now_ms)
{
	struct ordain_result *r = &b->results[i];
	struct ordain_result decoded;
	struct ord_decoded_fault fault;
	if (!ord_decode_result(o, &r->id, b->wait, &b->texts, &decoded, &fault)) {
		b->items[i].sent = true;
		item_trouble(b, i, ORDAIN_ERR_PROTOCOL, NULL);
		item_give_up(b, i);
	} else if (fault.code != 0) {
		item_fault(b, i, &fault, now_ms);
	} else if (is_expired(&decoded) && item_may_be_logged(b, i)) {
		item_expired(b, i);
	} else {
		/* Of a request that this call's own earlier attempt logged, the later ones say "replayed". */
		if (r->status == ORDAIN_STATUS_ACCEPTED)
			decoded.replayed = r->replayed;
		*r = decoded;
		if (r->answer == ORDAIN_UNKNOWN)
			item_retry(b, i, now_ms, 0); /* logged; the next attempt waits for the outcome */
		else
			item_decided(b, i);
	}
}

/* The connection ended. */
static void item_lost(struct batch *b, uint32_t i, enum ord_remote_end end, const char *why, uint64_t now_ms)
{
	if (end == ORD_REMOTE_LOST)
		b->items[i].sent = true;
	item_trouble(b, i, ORDAIN_ERR_UNAVAILABLE, ord_texts_keep(&b->texts, ord_slice_text(why)));
	item_retry(b, i, now_ms, 0);
}

/* What the answer says of item number n of the call's items; NULL when it does not. */
static const msgpack_object *answer_part(const struct call *c, const msgpack_object *result, uint32_t n)
{
	if (c->items.count == 1 && result->type == MSGPACK_OBJECT_MAP)
		return result;
	if (result->type != MSGPACK_OBJECT_ARRAY || n >= result->via.array.size)
		return NULL;
	return &result->via.array.ptr[n];
}

static void call_ended(struct ord_remote_call *base, enum ord_remote_end end, const struct ord_rpc_message *m,
		       const char *why)
{
	struct call *c = (struct call *)base;
	struct batch *b = c->batch;
	if (b == NULL) {
		free(c);
		return;
	}
	LIST_REMOVE(c, of_batch);
	uint64_t now_ms = ord_session_now_ms();
	bool is_fault = end == ORD_REMOTE_ANSWERED && m->error->type != MSGPACK_OBJECT_NIL;
	struct ord_decoded_fault fault;
	if (is_fault && !ord_decode_fault(m->error, &fault))
		is_fault = false; /* decided below as an answer that is none */
	struct chain items = c->items;
	for (uint32_t n = 0; items.count > 0; n++) {
		uint32_t i = chain_take(b, &items);
		if (end != ORD_REMOTE_ANSWERED)
			item_lost(b, i, end, why, now_ms);
		else if (is_fault)
			item_fault(b, i, &fault, now_ms);
		else
			item_answered(b, i, answer_part(c, m->result, n), now_ms);
	}
	free(c);
}

static void put_fields(msgpack_packer *p, struct batch *b, uint32_t i)
{
	struct ord_bytes *out = p->data;
	ord_bytes_put(out, b->encoded.base + b->items[i].begin, b->items[i].len);
}

static uint32_t fields_count(const struct batch *b, uint32_t i)
{
	return ord_encode_fields_count((enum ordain_command_kind)b->items[i].kind);
}

/* Items of one kind as one call; one item goes by the method for one. */
static void call_put(struct batch *b, const struct call *c, uint32_t timeout_ms, struct ord_bytes *out)
{
	msgpack_packer p;
	ord_rpc_packer(out, &p);
	uint32_t first = c->items.first;
	enum ordain_command_kind kind = (enum ordain_command_kind)b->items[first].kind;
	if (c->items.count == 1) {
		ord_rpc_put_request(&p, c->base.id, ordain_command_name(kind));
		msgpack_pack_map(&p, fields_count(b, first) + 2);
		put_fields(&p, b, first);
		ord_encode_call(&p, b->wait, timeout_ms);
		return;
	}
	ord_rpc_put_request(&p, c->base.id, kind == ORDAIN_TRANSFER ? "transfers" : "claims");
	msgpack_pack_map(&p, 3);
	ord_encode_call(&p, b->wait, timeout_ms);
	ord_rpc_put_text(&p, "items");
	msgpack_pack_array(&p, c->items.count);
	for (uint32_t i = first; i != ITEM_NONE; i = b->items[i].next) {
		msgpack_pack_map(&p, fields_count(b, i));
		put_fields(&p, b, i);
	}
}

static void call_send(struct batch *b, struct filling *f, uint64_t now_ms)
{
	struct call *c = calloc(1, sizeof *c);
	if (c == NULL || !ord_remote_has_room(f->remote)) {
		free(c);
		while (f->items.count > 0)
			chain_append(b, &b->pending, chain_take(b, &f->items));
		return;
	}
	c->base.ended = call_ended;
	c->base.items_count = f->items.count;
	c->batch = b;
	c->items = f->items;
	LIST_INSERT_HEAD(&b->calls, c, of_batch);
	uint32_t timeout_ms = ord_session_left_ms(&b->op, now_ms);
	uint32_t most_ms = f->proxy ? CALL_PROXY_MS : ORD_WAIT_MS_MAX;
	call_put(b, c, timeout_ms < most_ms ? timeout_ms : most_ms, ord_remote_begin(f->remote, &c->base));
	ord_remote_end(f->remote);
	chain_init(&f->items);
	f->bytes = 0;
}

struct dispatch {
	struct filling fillings[DISPATCH_CHAINS_MAX];
	uint32_t fillings_count;
	uint64_t due_ms; /* when what stays pending is to be tried again */
};

/* The call under filling that the item can join; NULL when there is no place for another one. */
static struct filling *filling_find(struct dispatch *d, struct ord_remote *remote, enum ordain_command_kind kind,
				    bool proxy)
{
	for (uint32_t i = 0; i < d->fillings_count; i++) {
		struct filling *f = &d->fillings[i];
		if (f->remote == remote && f->kind == kind && f->proxy == proxy)
			return f;
	}
	if (d->fillings_count == DISPATCH_CHAINS_MAX)
		return NULL;
	struct filling *f = &d->fillings[d->fillings_count++];
	*f = (struct filling){.remote = remote, .kind = kind, .proxy = proxy};
	chain_init(&f->items);
	return f;
}

/* Gives one item to a call; false when it has to stay pending. */
static bool item_place(struct batch *b, struct dispatch *d, uint32_t i, uint64_t now_ms)
{
	struct ord_fleet *fleet = ord_session_fleet(b->op.client);
	struct item *item = &b->items[i];
	uint32_t partition = ord_routing_partition(item->key_hash, ord_fleet_partitions_count(fleet));
	bool proxy;
	struct ord_remote *remote = ord_fleet_find_leader(fleet, partition, now_ms, &proxy);
	if (remote == NULL)
		return false;
	enum ordain_command_kind kind = (enum ordain_command_kind)item->kind;
	bool single = kind != ORDAIN_TRANSFER && kind != ORDAIN_CLAIM;
	struct filling *f = filling_find(d, remote, kind, proxy);
	if (f == NULL)
		return false;
	if (f->items.count == CALL_ITEMS_MAX || f->bytes > CALL_BYTES_MAX) {
		call_send(b, f, now_ms);
		if (!ord_remote_has_room(remote))
			return false;
	}
	chain_append(b, &f->items, i);
	f->bytes += item->len + 1u;
	if (single)
		call_send(b, f, now_ms);
	return true;
}

/* Decides all that is pending: no time, no use, or the client closes. */
static void pending_give_up(struct batch *b, int code, const char *why)
{
	while (b->pending.count > 0) {
		uint32_t i = chain_take(b, &b->pending);
		if (code != 0)
			item_trouble(b, i, code, why);
		item_give_up(b, i);
	}
}

/* Why nothing could be sent so far, for items that were never tried. */
static void pending_explain(struct batch *b)
{
	const char *trouble;
	struct ord_fleet *fleet = ord_session_fleet(b->op.client);
	int code = ord_fleet_trouble(fleet, &trouble);
	const char *why = "no leader within reach, or no room on its connection, in the time allowed";
	if (code != 0)
		why = ord_texts_print(&b->texts, "no node could be reached in time: %s", trouble);
	else if (ord_fleet_partitions_count(fleet) == 0)
		why = "no node answered in the time allowed";
	for (uint32_t i = b->pending.first; i != ITEM_NONE; i = b->items[i].next)
		if (b->results[i].code == 0 && b->results[i].status == ORDAIN_STATUS_NONE)
			item_trouble(b, i, code == ORDAIN_ERR_WRONG_CLUSTER ? code : ORDAIN_ERR_UNAVAILABLE, why);
}

/* False when there is nothing to be dispatched: no time left, or no cluster known. */
static bool dispatch_can(struct batch *b, uint64_t now_ms)
{
	struct ord_fleet *fleet = ord_session_fleet(b->op.client);
	if (ord_session_is_late(&b->op, now_ms) || ord_fleet_are_wrong(fleet)) {
		pending_explain(b);
		pending_give_up(b, 0, NULL);
		return false;
	}
	if (ord_fleet_partitions_count(fleet) > 0)
		return true;
	ord_session_wait(&b->op, now_ms + DISPATCH_WAIT_MS);
	return false;
}

static void batch_dispatch(struct ord_op *op, uint64_t now_ms)
{
	struct batch *b = (struct batch *)op;
	if (!dispatch_can(b, now_ms))
		return;
	struct dispatch d = {.due_ms = now_ms + DISPATCH_WAIT_MS};
	uint32_t looks = b->pending.count < DISPATCH_ITEMS_MAX ? b->pending.count : DISPATCH_ITEMS_MAX;
	uint32_t misses = 0;
	for (; looks > 0 && misses < DISPATCH_MISSES_MAX; looks--) {
		uint32_t i = chain_take(b, &b->pending);
		bool due = b->items[i].due_ms <= now_ms;
		if (due && item_place(b, &d, i, now_ms))
			continue;
		misses++;
		chain_append(b, &b->pending, i);
		if (!due && b->items[i].due_ms < d.due_ms)
			d.due_ms = b->items[i].due_ms;
	}
	for (uint32_t i = 0; i < d.fillings_count; i++)
		if (d.fillings[i].items.count > 0)
			call_send(b, &d.fillings[i], now_ms);
	if (b->pending.count > 0)
		ord_session_wait(&b->op, misses == 0 ? now_ms : d.due_ms);
}

static void batch_expire(struct ord_op *op, int code)
{
	struct batch *b = (struct batch *)op;
	struct call *c;
	while ((c = LIST_FIRST(&b->calls)) != NULL) {
		LIST_REMOVE(c, of_batch);
		c->batch = NULL;
		while (c->items.count > 0) {
			uint32_t i = chain_take(b, &c->items);
			b->items[i].sent = true;
			item_give_up(b, i);
		}
	}
	if (code == 0)
		pending_explain(b);
	pending_give_up(b, code, NULL);
}

static void batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	ord_bytes_close(&b->encoded);
	ord_texts_close(&b->texts);
	free(b->items);
	free(b->results);
	free(b);
}

static void batch_finish(struct ord_op *op)
{
	struct batch *b = (struct batch *)op;
	ORD_ASSERT(LIST_EMPTY(&b->calls));
	b->cb(b->results, b->count, b->arg);
	batch_free(b);
}

static const struct ord_op_kind batch_kind = {
	.dispatch = batch_dispatch, .expire = batch_expire, .finish = batch_finish};

/* Encodes item number i, or decides it when it cannot be. */
static void item_begin(struct batch *b, uint32_t i, const struct ordain_command *c)
{
	struct item *item = &b->items[i];
	struct ordain_result *r = &b->results[i];
	const char *field = NULL;
	const char *why = ord_encode_check(c, &field);
	*item = (struct item){.next = ITEM_NONE, .kind = (uint8_t)c->kind};
	*r = (struct ordain_result){.id = c->id, .name = "", .message = ""};
	if (why != NULL) {
		item_trouble(b, i, ORDAIN_ERR_INVALID_FIELD, why);
		r->answer = ORDAIN_FAILED;
		r->field = field;
		item->decided = true;
		b->undecided_count--;
		return;
	}
	item->key_hash = ord_routing_command(c);
	item->begin = (uint32_t)b->encoded.len;
	ord_encode_command(c, &b->encoded);
	item->len = (uint16_t)(b->encoded.len - item->begin);
	chain_append(b, &b->pending, i);
}

static struct batch *batch_open(size_t count, size_t bytes_max)
{
	struct batch *b = calloc(1, sizeof *b);
	if (b == NULL)
		return NULL;
	b->items = malloc(count * sizeof *b->items);
	b->results = malloc(count * sizeof *b->results);
	ord_bytes_init(&b->encoded, bytes_max);
	chain_init(&b->pending);
	if (b->items != NULL && b->results != NULL)
		return b;
	batch_free(b);
	return NULL;
}

static bool commands_check(const struct ordain_command *commands, size_t count)
{
	if (commands == NULL || count == 0 || count >= ITEM_NONE)
		return false;
	for (size_t i = 0; i < count; i++)
		if (commands[i].kind < ORDAIN_OPEN_ACCOUNT || commands[i].kind > ORDAIN_REASSIGN)
			return false;
	return true;
}

int ordain_submit(struct ordain_client *client, const struct ordain_command *commands, size_t count,
		  const struct ordain_call_options *call, ordain_submit_cb cb, void *arg)
{
	if (cb == NULL || !commands_check(commands, count))
		return ORDAIN_ERR_ARGUMENT;
	size_t fixed_bytes = sizeof(struct batch) + count * (sizeof(struct item) + sizeof(struct ordain_result));
	int err = ord_session_admit(client, count, fixed_bytes);
	if (err != 0)
		return err;
	size_t room_bytes = ord_session_room_bytes(client) - fixed_bytes;
	struct batch *b = batch_open(count, room_bytes < UINT32_MAX ? room_bytes : UINT32_MAX);
	if (b == NULL)
		return ORDAIN_ERR_MEMORY;
	b->cb = cb;
	b->arg = arg;
	b->wait = call != NULL ? call->wait : ORDAIN_WAIT_SETTLED;
	b->count = b->undecided_count = (uint32_t)count;
	for (uint32_t i = 0; i < count && !b->encoded.failed; i++)
		item_begin(b, i, &commands[i]);
	b->op.kind = &batch_kind;
	b->op.items_count = count;
	b->op.bytes_count = fixed_bytes + b->encoded.len;
	if (b->encoded.failed) {
		err = b->encoded.bytes_max - b->encoded.len < ITEM_BYTES_MAX ? ORDAIN_ERR_LIMIT : ORDAIN_ERR_MEMORY;
		batch_free(b);
		return err;
	}
	ord_session_begin(client, &b->op, call);
	if (b->undecided_count == 0)
		ord_session_done(&b->op);
	return 0;
}
