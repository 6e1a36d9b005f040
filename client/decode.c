/* SPDX-License-Identifier: Apache-2.0 - answers into structs. */
#include "client/decode.h"

#include "client/fields.h"

bool ord_decode_fault(const msgpack_object *o, struct ord_decoded_fault *ret)
{
	struct ord_decoded_fault fault = {0};
	uint32_t code;
	if (!ord_fields_u32(o, "code", &code) || code == 0 || code >= ORDAIN_ERR_ARGUMENT ||
	    !ord_fields_str(o, "name", &fault.name) || !ord_fields_str(o, "message", &fault.message))
		return false;
	fault.code = (int)code;
	ord_fields_str(o, "field", &fault.field);
	ord_fields_u32(o, "retry_after_ms", &fault.retry_after_ms);
	ord_fields_u32(o, "leader", &fault.leader);
	*ret = fault;
	return true;
}

/* The place of s in names, which may have holes; 0 when it is not there. */
static int number_of(struct ordain_str s, const char *(*name_of)(int), int last)
{
	for (int i = 1; i <= last; i++)
		if (ord_fields_is(s, name_of(i)))
			return i;
	return 0;
}

static const char *status_name(int number)
{
	return ordain_status_name((enum ordain_status)number);
}

static const char *state_name(int number)
{
	return ordain_account_state_name((enum ordain_account_state)number);
}

static const char *posting_name(int number)
{
	return ordain_posting_kind_name((enum ordain_posting_kind)number);
}

static const char *command_name(int number)
{
	return ordain_command_name((enum ordain_command_kind)number);
}

static bool decode_named(const msgpack_object *o, const char *field, const char *(*name_of)(int), int last, int *ret)
{
	struct ordain_str s;
	if (!ord_fields_str(o, field, &s))
		return false;
	int number = number_of(s, name_of, last);
	if (number == 0)
		return false;
	*ret = number;
	return true;
}

static const char *kept(struct ord_texts *texts, struct ordain_str s)
{
	return ord_texts_keep(texts, ord_slice_of(s.base, s.len));
}

/* Fills code, name, message and field from the reason of a rejected request. */
static bool decode_reason(const msgpack_object *o, struct ord_texts *texts, struct ordain_result *ret)
{
	const msgpack_object *reason = ord_fields_find(o, "reason");
	struct ord_decoded_fault fault;
	if (!ord_decode_fault(reason, &fault))
		return false;
	ret->code = fault.code;
	ret->name = kept(texts, fault.name);
	ret->message = kept(texts, fault.message);
	ret->field = fault.field.base == NULL ? NULL : kept(texts, fault.field);
	return true;
}

static enum ordain_answer answer_of(enum ordain_status status, enum ordain_wait wait)
{
	if (status == ORDAIN_STATUS_REJECTED)
		return ORDAIN_REFUSED;
	if (status == ORDAIN_STATUS_ACCEPTED && wait == ORDAIN_WAIT_SETTLED)
		return ORDAIN_UNKNOWN;
	return ORDAIN_OK;
}

bool ord_decode_result(const msgpack_object *o, const struct ordain_id *id, enum ordain_wait wait,
		       struct ord_texts *texts, struct ordain_result *ret, struct ord_decoded_fault *ret_fault)
{
	struct ordain_result r = {.name = "", .message = ""};
	struct ordain_str status;
	if (!ord_fields_id(o, "id", &r.id) || memcmp(r.id.bytes, id->bytes, sizeof id->bytes) != 0 ||
	    !ord_fields_str(o, "status", &status))
		return false;
	if (ord_fields_is(status, "failed"))
		return ord_decode_fault(ord_fields_find(o, "error"), ret_fault);
	int number = number_of(status, status_name, ORDAIN_STATUS_REJECTED);
	if (number == 0 || !ord_fields_bool(o, "replayed", &r.replayed) ||
	    !ord_fields_position(o, "position", &r.partition, &r.offset))
		return false;
	r.status = (enum ordain_status)number;
	r.answer = answer_of(r.status, wait);
	if (r.status == ORDAIN_STATUS_REJECTED && !decode_reason(o, texts, &r))
		return false;
	*ret = r;
	*ret_fault = (struct ord_decoded_fault){0};
	return true;
}

/* What a read that may be stale has seen; 0 of others. */
static bool decode_as_of(const msgpack_object *o, uint32_t *ret_partition, uint64_t *ret)
{
	*ret_partition = 0;
	*ret = 0;
	return ord_fields_find(o, "as_of") == NULL || ord_fields_position(o, "as_of", ret_partition, ret);
}

bool ord_decode_account(const msgpack_object *o, struct ordain_account *ret)
{
	struct ordain_account a;
	int state;
	if (!decode_as_of(o, &a.partition, &a.as_of) || !ord_fields_str(o, "account", &a.account) ||
	    !ord_fields_str(o, "asset", &a.asset) ||
	    !decode_named(o, "state", state_name, ORDAIN_ACCOUNT_CLOSED, &state) ||
	    !ord_fields_i64(o, "balance", &a.balance) || !ord_fields_i64(o, "floor", &a.floor) ||
	    !ord_fields_i64(o, "ceiling", &a.ceiling) || !ord_fields_u64(o, "postings", &a.postings_count) ||
	    !ord_fields_u64(o, "opened_us", &a.opened_us) || !ord_fields_u32(o, "partition", &a.partition))
		return false;
	a.state = (enum ordain_account_state)state;
	*ret = a;
	return true;
}

static bool decode_posting(const msgpack_object *o, struct ordain_posting *ret)
{
	int kind;
	if (!ord_fields_u64(o, "number", &ret->number) ||
	    !decode_named(o, "kind", posting_name, ORDAIN_POSTING_REFUND, &kind) || !ord_fields_id(o, "id", &ret->id) ||
	    !ord_fields_str(o, "counterparty", &ret->counterparty) || !ord_fields_i64(o, "amount", &ret->amount) ||
	    !ord_fields_i64(o, "balance_after", &ret->balance_after) ||
	    !ord_fields_position(o, "position", &ret->partition, &ret->offset) ||
	    !ord_fields_u64(o, "time_us", &ret->time_us))
		return false;
	ret->kind = (enum ordain_posting_kind)kind;
	return true;
}

bool ord_decode_history(const msgpack_object *o, struct ord_texts *texts, struct ordain_history *ret)
{
	struct ordain_history h = {0};
	const msgpack_object *list = ord_fields_find(o, "postings");
	if (!decode_as_of(o, &h.partition, &h.as_of) || !ord_fields_str(o, "account", &h.account) || list == NULL ||
	    list->type != MSGPACK_OBJECT_ARRAY)
		return false;
	h.postings_count = list->via.array.size;
	struct ordain_posting *postings = ord_texts_room(texts, h.postings_count * sizeof *postings);
	if (postings == NULL)
		return false;
	for (size_t i = 0; i < h.postings_count; i++)
		if (!decode_posting(&list->via.array.ptr[i], &postings[i]))
			return false;
	h.postings = postings;
	const msgpack_object *next = ord_fields_find(o, "next");
	if (next == NULL || (next->type != MSGPACK_OBJECT_NIL && !ord_fields_u64(o, "next", &h.next)))
		return false;
	*ret = h;
	return true;
}

static bool decode_payload(const msgpack_object *o, struct ordain_command *c)
{
	int state;
	switch (c->kind) {
	case ORDAIN_OPEN_ACCOUNT:
		return ord_fields_str(o, "account", &c->open_account.account) &&
		       ord_fields_str(o, "asset", &c->open_account.asset) &&
		       ord_fields_i64(o, "floor", &c->open_account.floor) &&
		       ord_fields_i64(o, "ceiling", &c->open_account.ceiling);
	case ORDAIN_SET_ACCOUNT:
		if (!decode_named(o, "state", state_name, ORDAIN_ACCOUNT_CLOSED, &state))
			return false;
		c->set_account.state = (enum ordain_account_state)state;
		return ord_fields_str(o, "account", &c->set_account.account);
	case ORDAIN_TRANSFER:
		return ord_fields_str(o, "payer", &c->transfer.payer) &&
		       ord_fields_str(o, "payee", &c->transfer.payee) &&
		       ord_fields_str(o, "asset", &c->transfer.asset) &&
		       ord_fields_i64(o, "amount", &c->transfer.amount);
	case ORDAIN_CLAIM:
	case ORDAIN_RELEASE:
	case ORDAIN_REASSIGN:
		break;
	}
	return ord_fields_str(o, "namespace", &c->naming.space) && ord_fields_str(o, "name", &c->naming.name) &&
	       (c->kind == ORDAIN_RELEASE || ord_fields_str(o, "owner", &c->naming.owner)) &&
	       (c->kind == ORDAIN_CLAIM || ord_fields_str(o, "expected", &c->naming.expected));
}

bool ord_decode_request(const msgpack_object *o, struct ord_texts *texts, struct ordain_request *ret)
{
	struct ordain_request r = {.name = "", .message = ""};
	int kind;
	int status;
	if (!ord_fields_id(o, "id", &r.command.id) ||
	    !decode_named(o, "command", command_name, ORDAIN_REASSIGN, &kind) ||
	    !decode_named(o, "status", status_name, ORDAIN_STATUS_REJECTED, &status) ||
	    !ord_fields_position(o, "position", &r.partition, &r.offset) ||
	    !ord_fields_u64(o, "logged_us", &r.logged_us))
		return false;
	const msgpack_object *decided = ord_fields_find(o, "decided_us");
	if (decided != NULL && decided->type != MSGPACK_OBJECT_NIL && !ord_fields_u64(o, "decided_us", &r.decided_us))
		return false;
	r.command.kind = (enum ordain_command_kind)kind;
	r.status = (enum ordain_status)status;
	if (!decode_payload(ord_fields_find(o, "payload"), &r.command))
		return false;
	if (r.status == ORDAIN_STATUS_REJECTED) {
		struct ordain_result reason;
		if (!decode_reason(o, texts, &reason))
			return false;
		r.code = reason.code;
		r.name = reason.name;
		r.message = reason.message;
	}
	*ret = r;
	return true;
}

bool ord_decode_name(const msgpack_object *o, struct ordain_name *ret)
{
	struct ordain_name n;
	if (!decode_as_of(o, &n.partition, &n.as_of) || !ord_fields_str(o, "namespace", &n.space) ||
	    !ord_fields_str(o, "name", &n.name) || !ord_fields_str(o, "owner", &n.owner) ||
	    !ord_fields_id(o, "id", &n.id) || !ord_fields_position(o, "position", &n.partition, &n.offset) ||
	    !ord_fields_u64(o, "since_us", &n.since_us))
		return false;
	*ret = n;
	return true;
}
