/* SPDX-License-Identifier: Apache-2.0 - the oracle. Slow and obvious on purpose: where it and partition/ differ, one of them is wrong. */
#include "tests/model/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/assert.h"

/* The command at work. */
struct at {
	uint32_t partition;
	uint64_t position;
	uint64_t time_us;
};

#define APPEND(array, count, capacity, ...)                                       \
	do {                                                                      \
		if ((count) == (capacity)) {                                      \
			(capacity) = (capacity) == 0 ? 64 : 2 * (capacity);       \
			(array) = realloc((array), (capacity) * sizeof *(array)); \
			ORD_ASSERT((array) != NULL);                              \
		}                                                                 \
		(array)[(count)++] = (__VA_ARGS__);                               \
	} while (0)

void model_open(struct model *m, uint32_t partitions_count)
{
	ORD_ASSERT(partitions_count >= 1 && partitions_count <= MODEL_PARTITIONS_MAX);
	memset(m, 0, sizeof *m);
	m->partitions_count = partitions_count;
}

void model_close(struct model *m)
{
	for (uint32_t s = 0; s < m->partitions_count; s++) {
		for (uint32_t d = 0; d < m->partitions_count; d++)
			free(m->mail[s][d].messages);
	}
	free(m->accounts);
	free(m->postings);
	free(m->requests);
	free(m->names);
	free(m->outcomes);
	free(m->local);
}

bool model_text_equal(const struct model_text *a, const struct model_text *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

struct model_text model_text_of(struct ord_slice s)
{
	struct model_text t = {.len = s.len};

	ORD_ASSERT(s.len <= sizeof t.bytes);
	if (s.len > 0)
		memcpy(t.bytes, s.base, s.len);
	return t;
}

struct ord_slice model_text_slice(const struct model_text *t)
{
	return ord_slice_of(t->bytes, t->len);
}

/* --- Where things live. --- */

uint32_t model_route(const struct model *m, const void *key, size_t len)
{
	return (uint32_t)(XXH3_64bits(key, len) % m->partitions_count);
}

static uint32_t route_name(const struct model *m, struct ord_slice space, struct ord_slice name)
{
	char key[1 + 255 + 255];

	key[0] = (char)space.len;
	memcpy(key + 1, space.base, space.len);
	memcpy(key + 1 + space.len, name.base, name.len);
	return model_route(m, key, 1 + space.len + name.len);
}

uint32_t model_route_command(const struct model *m, const struct ord_command *c)
{
	switch (c->kind) {
	case ORD_COMMAND_TRANSFER:
		return model_route(m, c->request_id.bytes, sizeof c->request_id.bytes);
	case ORD_COMMAND_OPEN_ACCOUNT:
		return model_route(m, c->open_account.account.base, c->open_account.account.len);
	case ORD_COMMAND_SET_ACCOUNT:
		return model_route(m, c->set_account.account.base, c->set_account.account.len);
	default:
		return route_name(m, c->naming.space, c->naming.name);
	}
}

/* --- Finding. --- */

static struct model_account *find_account(const struct model *m, const struct model_text *id)
{
	for (size_t i = 0; i < m->accounts_count; i++) {
		if (model_text_equal(&m->accounts[i].id, id))
			return &m->accounts[i];
	}
	return NULL;
}

const struct model_account *model_account(const struct model *m, const struct model_text *id)
{
	return find_account(m, id);
}

static struct model_name *find_name(const struct model *m, const struct model_text *space,
				    const struct model_text *name)
{
	for (size_t i = 0; i < m->names_count; i++) {
		if (model_text_equal(&m->names[i].space, space) && model_text_equal(&m->names[i].name, name))
			return &m->names[i];
	}
	return NULL;
}

const struct model_name *model_name(const struct model *m, const struct model_text *space,
				    const struct model_text *name)
{
	return find_name(m, space, name);
}

static struct model_request *find_request(const struct model *m, uint32_t partition, const struct ord_uuid *id)
{
	for (size_t i = 0; i < m->requests_count; i++) {
		if (m->requests[i].partition == partition && ord_uuid_equal(&m->requests[i].id, id))
			return &m->requests[i];
	}
	return NULL;
}

/* --- Payloads. --- */

static void payload_text(struct model_payload *p, const char *name, struct ord_slice s)
{
	p->fields[p->fields_count].name = name;
	p->fields[p->fields_count].value = model_text_of(s);
	p->fields_count++;
}

static void payload_number(struct model_payload *p, const char *name, int64_t number)
{
	char digits[32];

	snprintf(digits, sizeof digits, "%" PRId64, number);
	payload_text(p, name, ord_slice_text(digits));
}

static struct model_payload payload_of(const struct ord_command *c)
{
	struct model_payload p = {.kind = c->kind};

	switch (c->kind) {
	case ORD_COMMAND_OPEN_ACCOUNT:
		payload_text(&p, "account", c->open_account.account);
		payload_text(&p, "asset", c->open_account.asset);
		payload_number(&p, "floor", c->open_account.floor);
		payload_number(&p, "ceiling", c->open_account.ceiling);
		break;
	case ORD_COMMAND_SET_ACCOUNT:
		payload_text(&p, "account", c->set_account.account);
		payload_number(&p, "state", c->set_account.state);
		break;
	case ORD_COMMAND_TRANSFER:
		payload_text(&p, "payer", c->transfer.payer);
		payload_text(&p, "payee", c->transfer.payee);
		payload_number(&p, "amount", c->transfer.amount);
		payload_text(&p, "asset", c->transfer.asset);
		break;
	default:
		payload_text(&p, "namespace", c->naming.space);
		payload_text(&p, "name", c->naming.name);
		if (c->kind != ORD_COMMAND_RELEASE)
			payload_text(&p, "owner", c->naming.owner);
		if (c->kind != ORD_COMMAND_CLAIM)
			payload_text(&p, "expected", c->naming.expected);
		break;
	}
	return p;
}

/* NULL when they are the same. */
static const char *payload_difference(const struct model_payload *a, const struct model_payload *b)
{
	if (a->kind != b->kind)
		return "method";
	for (size_t i = 0; i < a->fields_count; i++) {
		if (!model_text_equal(&a->fields[i].value, &b->fields[i].value))
			return a->fields[i].name;
	}
	return NULL;
}

/* --- The stages of a transfer. --- */

static void send(struct model *m, uint32_t source, uint32_t destination, struct model_message message)
{
	struct model_mail *mail = &m->mail[source][destination];

	if (source == destination)
		APPEND(m->local, m->local_count, m->local_capacity, message);
	else
		APPEND(mail->messages, mail->count, mail->capacity, message);
}

static void send_outcome(struct model *m, uint32_t source, const struct model_message *cause, enum ord_refusal reason)
{
	struct model_message outcome = {
		.kind = ORD_MESSAGE_OUTCOME,
		.request_id = cause->request_id,
		.home = cause->home,
		.reason = reason,
	};

	send(m, source, cause->home, outcome);
}

static void post(struct model *m, const struct at *at, struct model_account *account, enum ord_posting_kind kind,
		 const struct model_message *message)
{
	account->balance += kind == ORD_POSTING_DEBIT ? -message->amount : message->amount;
	account->postings_count++;
	APPEND(m->postings, m->postings_count, m->postings_capacity,
	       (struct model_posting){
		       .account = account->id,
		       .number = account->postings_count,
		       .kind = kind,
		       .request_id = message->request_id,
		       .counterparty = kind == ORD_POSTING_CREDIT ? message->payer : message->payee,
		       .amount = message->amount,
		       .balance_after = account->balance,
		       .position = at->position,
		       .time_us = at->time_us,
	       });
}

static void stage_debit(struct model *m, const struct at *at, const struct model_message *debit)
{
	struct model_account *payer = find_account(m, &debit->payer);
	struct model_message credit = *debit;

	credit.kind = ORD_MESSAGE_CREDIT;
	if (payer == NULL)
		send_outcome(m, at->partition, debit, ORD_REFUSAL_UNKNOWN_PAYER);
	else if (payer->state != ORD_ACCOUNT_OPEN)
		send_outcome(m, at->partition, debit, ORD_REFUSAL_PAYER_NOT_OPEN);
	else if (!model_text_equal(&payer->asset, &debit->asset))
		send_outcome(m, at->partition, debit, ORD_REFUSAL_PAYER_OTHER_ASSET);
	else if (payer->balance - debit->amount < payer->floor)
		send_outcome(m, at->partition, debit, ORD_REFUSAL_BELOW_FLOOR);
	else {
		post(m, at, payer, ORD_POSTING_DEBIT, debit);
		send(m, at->partition, model_route(m, debit->payee.bytes, debit->payee.len), credit);
	}
}

static void send_refund(struct model *m, const struct at *at, const struct model_message *credit,
			enum ord_refusal reason)
{
	struct model_message refund = *credit;

	refund.kind = ORD_MESSAGE_REFUND;
	refund.reason = reason;
	send(m, at->partition, model_route(m, credit->payer.bytes, credit->payer.len), refund);
}

static void stage_credit(struct model *m, const struct at *at, const struct model_message *credit)
{
	struct model_account *payee = find_account(m, &credit->payee);

	if (payee == NULL)
		send_refund(m, at, credit, ORD_REFUSAL_UNKNOWN_PAYEE);
	else if (payee->state != ORD_ACCOUNT_OPEN)
		send_refund(m, at, credit, ORD_REFUSAL_PAYEE_NOT_OPEN);
	else if (!model_text_equal(&payee->asset, &credit->asset))
		send_refund(m, at, credit, ORD_REFUSAL_PAYEE_OTHER_ASSET);
	else if (payee->balance + credit->amount > payee->ceiling)
		send_refund(m, at, credit, ORD_REFUSAL_ABOVE_CEILING);
	else {
		post(m, at, payee, ORD_POSTING_CREDIT, credit);
		send_outcome(m, at->partition, credit, ORD_REFUSAL_NONE);
	}
}

static void stage_refund(struct model *m, const struct at *at, const struct model_message *refund)
{
	struct model_account *payer = find_account(m, &refund->payer);

	ORD_ASSERT(payer != NULL);
	post(m, at, payer, ORD_POSTING_REFUND, refund);
	send_outcome(m, at->partition, refund, refund->reason);
}

static void stage_outcome(struct model *m, const struct at *at, const struct model_message *outcome)
{
	struct model_request *request = find_request(m, at->partition, &outcome->request_id);

	ORD_ASSERT(request != NULL && request->result.status == ORD_STATUS_ACCEPTED);
	request->result.status = outcome->reason == ORD_REFUSAL_NONE ? ORD_STATUS_SETTLED : ORD_STATUS_REJECTED;
	request->result.reason = outcome->reason;
	request->decided_us = at->time_us;
	APPEND(m->outcomes, m->outcomes_count, m->outcomes_capacity,
	       (struct ord_outcome){.request_id = request->id, .result = request->result});
}

static void receive(struct model *m, const struct at *at, const struct model_message *message)
{
	switch (message->kind) {
	case ORD_MESSAGE_DEBIT:
		stage_debit(m, at, message);
		break;
	case ORD_MESSAGE_CREDIT:
		stage_credit(m, at, message);
		break;
	case ORD_MESSAGE_REFUND:
		stage_refund(m, at, message);
		break;
	case ORD_MESSAGE_OUTCOME:
		stage_outcome(m, at, message);
		break;
	}
}

/* What a partition sends itself is done within the same command, in the order of sending. */
static void receive_local(struct model *m, const struct at *at)
{
	for (size_t i = 0; i < m->local_count; i++) {
		struct model_message message = m->local[i];

		receive(m, at, &message);
	}
	m->local_count = 0;
}

static void transfer(struct model *m, const struct at *at, const struct ord_command *c)
{
	struct model_message debit = {
		.kind = ORD_MESSAGE_DEBIT,
		.request_id = c->request_id,
		.home = at->partition,
		.payer = model_text_of(c->transfer.payer),
		.payee = model_text_of(c->transfer.payee),
		.asset = model_text_of(c->transfer.asset),
		.amount = c->transfer.amount,
	};

	send(m, at->partition, model_route(m, c->transfer.payer.base, c->transfer.payer.len), debit);
}

/* --- Decisions that are made where they are logged. --- */

static enum ord_refusal open_account(struct model *m, const struct at *at, const struct ord_open_account *o,
				     const char **ret_field)
{
	struct model_text id = model_text_of(o->account);
	struct model_text asset = model_text_of(o->asset);
	const struct model_account *there = find_account(m, &id);

	if (there == NULL) {
		APPEND(m->accounts, m->accounts_count, m->accounts_capacity,
		       (struct model_account){
			       .partition = at->partition,
			       .id = id,
			       .asset = asset,
			       .state = ORD_ACCOUNT_OPEN,
			       .floor = o->floor,
			       .ceiling = o->ceiling,
			       .opened_us = at->time_us,
		       });
		return ORD_REFUSAL_NONE;
	}
	if (!model_text_equal(&there->asset, &asset))
		*ret_field = "asset";
	else if (there->floor != o->floor)
		*ret_field = "floor";
	else if (there->ceiling != o->ceiling)
		*ret_field = "ceiling";
	return *ret_field == NULL ? ORD_REFUSAL_NONE : ORD_REFUSAL_ACCOUNT_DIFFERS;
}

static enum ord_refusal set_account(struct model *m, const struct ord_set_account *s)
{
	struct model_text id = model_text_of(s->account);
	struct model_account *account = find_account(m, &id);

	if (account == NULL)
		return ORD_REFUSAL_UNKNOWN_ACCOUNT;
	if (account->state == ORD_ACCOUNT_CLOSED && s->state != ORD_ACCOUNT_CLOSED)
		return ORD_REFUSAL_ACCOUNT_CLOSED;
	if (account->state != ORD_ACCOUNT_CLOSED && s->state == ORD_ACCOUNT_CLOSED && account->balance != 0)
		return ORD_REFUSAL_BALANCE_NOT_ZERO;
	account->state = s->state;
	return ORD_REFUSAL_NONE;
}

static enum ord_refusal naming(struct model *m, const struct at *at, const struct ord_command *c)
{
	struct model_text space = model_text_of(c->naming.space);
	struct model_text text = model_text_of(c->naming.name);
	struct model_text expected = model_text_of(c->naming.expected);
	struct model_name *name = find_name(m, &space, &text);
	bool owned = name != NULL && name->owned;

	if (c->kind == ORD_COMMAND_CLAIM && owned)
		return ORD_REFUSAL_NAME_TAKEN;
	if (c->kind != ORD_COMMAND_CLAIM && !owned)
		return ORD_REFUSAL_NAME_FREE;
	if (c->kind != ORD_COMMAND_CLAIM && !model_text_equal(&name->owner, &expected))
		return ORD_REFUSAL_OTHER_OWNER;
	if (name == NULL) {
		APPEND(m->names, m->names_count, m->names_capacity,
		       (struct model_name){.partition = at->partition, .space = space, .name = text});
		name = &m->names[m->names_count - 1];
	}
	name->owned = c->kind != ORD_COMMAND_RELEASE;
	name->changes_count++;
	if (name->owned) {
		name->owner = model_text_of(c->naming.owner);
		name->request_id = c->request_id;
		name->position = at->position;
		name->since_us = at->time_us;
	}
	return ORD_REFUSAL_NONE;
}

/* --- Commands. --- */

static struct ord_result decide(struct model *m, const struct at *at, const struct ord_command *c)
{
	struct ord_result result = {.status = ORD_STATUS_SETTLED, .position = at->position};

	switch (c->kind) {
	case ORD_COMMAND_TRANSFER:
		result.status = ORD_STATUS_ACCEPTED;
		break;
	case ORD_COMMAND_OPEN_ACCOUNT:
		result.reason = open_account(m, at, &c->open_account, &result.field);
		break;
	case ORD_COMMAND_SET_ACCOUNT:
		result.reason = set_account(m, &c->set_account);
		break;
	default:
		result.reason = naming(m, at, c);
		break;
	}
	if (result.reason != ORD_REFUSAL_NONE)
		result.status = ORD_STATUS_REJECTED;
	return result;
}

static struct ord_result known(const struct model_request *request, const struct model_payload *payload)
{
	struct ord_result result = request->result;
	const char *field = payload_difference(&request->payload, payload);

	result.replayed = true;
	if (field != NULL) {
		result.status = ORD_STATUS_REJECTED;
		result.reason = ORD_REFUSAL_ID_REUSED;
		result.replayed = false;
		result.field = field;
	}
	return result;
}

/* The time of a UUIDv7; 0 of other ids. */
static uint64_t time_of(const struct ord_uuid *id)
{
	uint64_t ms = 0;

	for (unsigned i = 0; i < 6; i++)
		ms = ms * 256 + id->bytes[i];
	return (id->bytes[6] & 0xf0) == 0x70 && (id->bytes[8] & 0xc0) == 0x80 ? ms : 0;
}

bool model_is_expired(const struct model *m, uint32_t partition, const struct ord_uuid *id)
{
	const struct model_request *request = find_request(m, partition, id);
	uint64_t ms = time_of(id);

	if (ms == 0 || ms >= m->watermarks_ms[partition])
		return false;
	/* What waits for its outcome, and what came from the future, is kept. */
	return request == NULL ||
	       (request->result.status != ORD_STATUS_ACCEPTED && ms <= request->logged_us / 1000 + 60000);
}

static struct ord_result client(struct model *m, const struct at *at, const struct ord_command *c)
{
	struct model_payload payload = payload_of(c);
	const struct model_request *request = find_request(m, at->partition, &c->request_id);
	struct ord_result result;

	if (model_is_expired(m, at->partition, &c->request_id))
		return (struct ord_result){.status = ORD_STATUS_REJECTED,
					   .reason = ORD_REFUSAL_REQUEST_ID_EXPIRED,
					   .position = at->position};
	if (request != NULL)
		return known(request, &payload);
	result = decide(m, at, c);
	APPEND(m->requests, m->requests_count, m->requests_capacity,
	       (struct model_request){
		       .partition = at->partition,
		       .id = c->request_id,
		       .payload = payload,
		       .result = result,
		       .logged_us = at->time_us,
		       .decided_us = result.status == ORD_STATUS_ACCEPTED ? 0 : at->time_us,
	       });
	if (c->kind == ORD_COMMAND_TRANSFER)
		transfer(m, at, c);
	receive_local(m, at);
	return find_request(m, at->partition, &c->request_id)->result;
}

static void deliver(struct model *m, const struct at *at, const struct ord_deliver *d)
{
	struct model_mail *mail = &m->mail[d->source][at->partition];

	for (uint64_t n = d->first; n < d->first + d->count; n++) {
		struct model_message message;

		if (n != mail->cursor + 1)
			continue;
		message = mail->messages[n - 1];
		mail->cursor = n;
		receive(m, at, &message);
		receive_local(m, at);
	}
}

static void trim(struct model *m, const struct at *at, const struct ord_trim *t)
{
	struct model_mail *mail = &m->mail[at->partition][t->destination];

	if (t->upto > mail->trimmed)
		mail->trimmed = t->upto;
}

bool model_apply(struct model *m, uint32_t partition, const struct ord_command *c, uint64_t time_us,
		 struct ord_result *ret_reply)
{
	struct at at = {.partition = partition, .position = m->positions[partition]++};

	if (time_us > m->times_us[partition])
		m->times_us[partition] = time_us;
	at.time_us = m->times_us[partition];
	if (c->kind == ORD_COMMAND_DELIVER) {
		deliver(m, &at, &c->deliver);
		return false;
	}
	if (c->kind == ORD_COMMAND_TRIM) {
		trim(m, &at, &c->trim);
		return false;
	}
	if (c->kind == ORD_COMMAND_MARK)
		return false;
	if (c->kind == ORD_COMMAND_EXPIRE) {
		uint64_t *watermark_ms = &m->watermarks_ms[partition];

		if (c->expire.watermark_ms > *watermark_ms && c->expire.watermark_ms < at.time_us / 1000)
			*watermark_ms = c->expire.watermark_ms;
		return false;
	}
	*ret_reply = client(m, &at, c);
	return true;
}
