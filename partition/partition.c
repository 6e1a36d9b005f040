/* SPDX-License-Identifier: Apache-2.0 - a partition: open, close, and apply, the only way to change it. */
#include "partition/partition.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "partition/account.h"
#include "partition/expire.h"
#include "partition/mark.h"
#include "partition/name.h"
#include "partition/request.h"
#include "partition/route.h"
#include "partition/saved.h"
#include "partition/state.h"
#include "partition/transfer.h"

/* A client's command without its kind and request id. */
#define COMMAND_HEAD_BYTES (1 + sizeof(struct ord_uuid))

static int tables_open(struct ord_partition *p)
{
	struct ord_table *tables[] = {&p->accounts, &p->names, &p->requests, &p->stages};
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		int rv = ord_table_open(tables[i]);
		if (rv != ORD_OK)
			return rv;
	}
	return ORD_OK;
}

static int outboxes_open(struct ord_partition *p)
{
	p->outboxes = calloc(p->partitions_count, sizeof *p->outboxes);
	p->outboxes_saved = calloc(p->partitions_count, sizeof *p->outboxes_saved);
	p->cursors = calloc(p->partitions_count, sizeof *p->cursors);
	if (p->outboxes == NULL || p->outboxes_saved == NULL || p->cursors == NULL)
		return ORD_ERR_NOMEM;
	for (uint32_t i = 0; i < p->partitions_count; i++) {
		ord_outbox_init(&p->outboxes[i], i);
		p->outboxes_saved[i] = (struct ord_outbox_saved){.first = 1, .next = 1};
	}
	return ORD_OK;
}

int ord_partition_open(const struct ord_partition_options *options, struct ord_partition **ret)
{
	ORD_ASSERT(options->partitions_count <= ORD_PARTITIONS_MAX);
	ORD_ASSERT(options->id < options->partitions_count);
	struct ord_partition *p = calloc(1, sizeof *p);
	if (p == NULL)
		return ORD_ERR_NOMEM;
	p->id = options->id;
	p->partitions_count = options->partitions_count;
	p->store = options->store;
	ord_pool_init(&p->pool);
	ord_rows_init(&p->rows);
	ord_changes_init(&p->checkpoint.changes);
	ord_expire_init(&p->expiry);
	ord_bytes_init(&p->checkpoint.value, ORD_STORE_VALUE_BYTES_MAX);
	int rv = tables_open(p);
	if (rv == ORD_OK)
		rv = outboxes_open(p);
	if (rv == ORD_OK)
		rv = ord_chain_open(&p->chain);
	if (rv == ORD_OK && p->store != NULL)
		rv = ord_saved_open(p);
	if (rv == ORD_OK)
		*ret = p;
	else
		ord_partition_close(p);
	return rv;
}

void ord_partition_close(struct ord_partition *p)
{
	if (p == NULL)
		return;
	ord_table_close(&p->accounts);
	ord_table_close(&p->names);
	ord_table_close(&p->requests);
	ord_table_close(&p->stages);
	for (uint32_t i = 0; p->outboxes != NULL && i < p->partitions_count; i++)
		ord_outbox_close(&p->outboxes[i]);
	free(p->outboxes);
	free(p->outboxes_saved);
	free(p->cursors);
	free(p->postings.places);
	ord_changes_close(&p->checkpoint.changes);
	ord_expire_close(&p->expiry);
	ord_bytes_close(&p->checkpoint.value);
	ord_rows_close(&p->rows);
	ord_chain_close(&p->chain);
	ord_pool_close(&p->pool);
	free(p);
}

void ord_partition_emit(struct ord_partition *p, uint32_t destination, const struct ord_message *m)
{
	ORD_ASSERT(destination < p->partitions_count);
	if (destination == p->id) {
		ORD_ASSERT(!p->local_waits);
		p->local = *m;
		p->local_waits = true;
		return;
	}
	struct ord_outbox *o = &p->outboxes[destination];
	uint64_t bytes_before = o->bytes;
	ord_outbox_append(o, m, &p->digest);
	p->outbox_count++;
	p->outbox_bytes += o->bytes - bytes_before;
	p->fx->outbox_grew = true;
}

/* Processes the messages to this same partition, one after the other, until a stage sends none. */
static void receive_local(struct ord_partition *p)
{
	while (p->local_waits) {
		struct ord_message m = p->local;
		p->local_waits = false;
		ord_transfer_receive(p, &m);
	}
}

static void apply_deliver(struct ord_partition *p, const struct ord_deliver *d)
{
	if (d->source == p->id || d->source >= p->partitions_count)
		return;
	uint64_t *cursor = &p->cursors[d->source];
	uint64_t before = *cursor;
	struct ord_reader r = ord_reader_of(d->messages);
	for (uint32_t i = 0; i < d->count && d->first + i <= *cursor + 1; i++) {
		struct ord_message m;
		int rv = ord_message_decode(&r, &m);
		ORD_ASSERT(rv == ORD_OK);
		if (d->first + i <= *cursor)
			continue;
		*cursor = d->first + i;
		ord_transfer_receive(p, &m);
		receive_local(p);
	}
	ord_digest_count(&p->digest, ORD_DIGEST_CURSOR, d->source, *cursor - before);
}

static void apply_trim(struct ord_partition *p, const struct ord_trim *t)
{
	if (t->destination == p->id || t->destination >= p->partitions_count)
		return;
	struct ord_outbox *o = &p->outboxes[t->destination];
	uint64_t first_before = o->first;
	uint64_t bytes_before = o->bytes;
	ord_outbox_trim(o, t->upto, &p->digest);
	p->outbox_count -= o->first - first_before;
	p->outbox_bytes -= bytes_before - o->bytes;
}

static void process(struct ord_partition *p, const struct ord_command *c, struct ord_request *r)
{
	switch (c->kind) {
	case ORD_COMMAND_OPEN_ACCOUNT:
		ord_account_apply_open(p, c, r);
		break;
	case ORD_COMMAND_SET_ACCOUNT:
		ord_account_apply_set(p, c, r);
		break;
	case ORD_COMMAND_TRANSFER:
		ord_transfer_apply(p, c, r);
		break;
	case ORD_COMMAND_CLAIM:
		ord_name_apply_claim(p, c, r);
		break;
	case ORD_COMMAND_RELEASE:
		ord_name_apply_release(p, c, r);
		break;
	case ORD_COMMAND_REASSIGN:
		ord_name_apply_reassign(p, c, r);
		break;
	case ORD_COMMAND_DELIVER:
	case ORD_COMMAND_TRIM:
	case ORD_COMMAND_MARK:
	case ORD_COMMAND_EXPIRE:
		ORD_ASSERT(!"no client's command");
	}
}

/* body is the command's fields as they stand in the entry. */
static void apply_client(struct ord_partition *p, const struct ord_command *c, struct ord_slice body,
			 uint32_t command_number)
{
	struct ord_reply reply = {.command_number = command_number};
	struct ord_request *r = ord_request_find(p, &c->request_id);
	if (ord_expire_request(p, &c->request_id, r)) {
		reply.result = (struct ord_result){.status = ORD_STATUS_REJECTED,
						   .reason = ORD_REFUSAL_REQUEST_ID_EXPIRED,
						   .position = p->position};
	} else if (r != NULL) {
		reply.result = ord_request_replay(r, c, body);
	} else {
		r = ord_request_log(p, c, body);
		process(p, c, r);
		receive_local(p);
		reply.result = ord_request_result(r);
	}
	ord_effects_add_reply(p->fx, &reply);
}

static void apply_command(struct ord_partition *p, struct ord_reader *r, uint32_t command_number)
{
	size_t begin = r->offset;
	struct ord_command c;
	int rv = ord_command_decode(r, &c);
	ORD_ASSERT(rv == ORD_OK);
	if (c.kind == ORD_COMMAND_DELIVER) {
		apply_deliver(p, &c.deliver);
	} else if (c.kind == ORD_COMMAND_TRIM) {
		apply_trim(p, &c.trim);
	} else if (c.kind == ORD_COMMAND_MARK) {
		ord_mark_apply(p, &c.mark, command_number);
	} else if (c.kind == ORD_COMMAND_EXPIRE) {
		ord_expire_apply(p, &c.expire);
	} else {
		size_t body = begin + COMMAND_HEAD_BYTES;
		apply_client(p, &c, ord_slice_of(r->base + body, r->offset - body), command_number);
	}
	p->position++;
}

/* A run of messages is exactly as many as it says, to its last byte. */
static int deliver_validate(const struct ord_deliver *d, struct ord_ahead *ahead)
{
	struct ord_reader r = ord_reader_of(d->messages);
	struct ord_message m;
	for (uint32_t i = 0; i < d->count; i++) {
		int rv = ord_message_decode(&r, &m);
		if (rv == ORD_OK)
			rv = ord_transfer_ahead(ahead, &m);
		if (rv != ORD_OK)
			return rv;
	}
	return ord_reader_left(&r) == 0 ? ORD_OK : ORD_ERR_FORMAT;
}

static int transfer_ahead(struct ord_ahead *ahead, const struct ord_command *c)
{
	const struct ord_partition *p = ahead->partition;
	struct ord_message debit = {
		.kind = ORD_MESSAGE_DEBIT, .request_id = c->request_id, .home = p->id, .transfer = c->transfer};
	bool stays = p->rows.any_gone && ord_route_account(c->transfer.payer, p->partitions_count) == p->id;
	return stays ? ord_transfer_ahead(ahead, &debit) : ORD_OK;
}

/* Asks memory, and the store, for what a client's command will touch. */
static int client_ahead(struct ord_ahead *ahead, const struct ord_command *c)
{
	int rv = ord_request_ahead(ahead, &c->request_id);
	if (rv != ORD_OK)
		return rv;
	switch (c->kind) {
	case ORD_COMMAND_OPEN_ACCOUNT:
		return ord_account_ahead(ahead, c->open_account.account);
	case ORD_COMMAND_SET_ACCOUNT:
		return ord_account_ahead(ahead, c->set_account.account);
	case ORD_COMMAND_TRANSFER:
		return transfer_ahead(ahead, c);
	default:
		return ord_name_ahead(ahead, c->naming.space, c->naming.name);
	}
}

/* Reads every command of an entry before the first is applied, and brings what they will touch into memory: from here on nothing can fail. */
static int commands_validate(struct ord_partition *p, struct ord_reader r, uint32_t count)
{
	struct ord_ahead ahead = {.partition = p};
	struct ord_command c;
	for (uint32_t i = 0; i < count; i++) {
		int rv = ord_command_decode(&r, &c);
		if (rv == ORD_OK && c.kind == ORD_COMMAND_DELIVER)
			rv = deliver_validate(&c.deliver, &ahead);
		else if (rv == ORD_OK && ord_command_is_clients(c.kind))
			rv = client_ahead(&ahead, &c);
		if (rv != ORD_OK)
			return rv;
	}
	return ord_reader_left(&r) == 0 ? ord_ahead_finish(&ahead) : ORD_ERR_FORMAT;
}

int ord_partition_apply(struct ord_partition *p, struct ord_slice entry, struct ord_effects *fx)
{
	ord_effects_clear(fx);
	struct ord_reader r = ord_reader_of(entry);
	struct ord_entry_header header;
	int rv = ord_entry_decode(&r, &header);
	if (rv == ORD_OK)
		rv = commands_validate(p, r, header.commands_count);
	if (rv != ORD_OK || header.commands_count == 0)
		return rv;
	p->time_before_us = p->time_us;
	if (header.time_us > p->time_us)
		p->time_us = header.time_us;
	p->fx = fx;
	for (uint32_t i = 0; i < header.commands_count; i++)
		apply_command(p, &r, i);
	p->fx = NULL;
	p->entries_count++;
	ord_chain_add(&p->chain, entry);
	return ORD_OK;
}
