/* SPDX-License-Identifier: Apache-2.0 - requests.
 *
 *   (none) --log--> accepted --settle--> settled
 *                       |
 *                       +-----reject---> rejected, with a reason
 *
 * Claims and accounts are decided by the command that logs them; a transfer when its outcome comes back. Nothing leaves settled or rejected. */
#include "partition/request.h"

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "partition/field.h"
#include "partition/saved.h"

/* Other than the routing's seed: all transfers of a partition agree in what the routing made of their hash. */
#define REQUESTS_SEED 0x7265717565737473u

_Static_assert(ORD_COMMAND_BYTES_MAX <= UINT16_MAX, "a request's body_bytes holds every length");

static bool request_equal(const struct ord_table_link *link, const void *key)
{
	return ord_uuid_equal(&((const struct ord_request *)link)->id, key);
}

static uint64_t request_hash(const struct ord_uuid *id)
{
	return ord_hash64_seed(id->bytes, sizeof id->bytes, REQUESTS_SEED);
}

struct ord_request *ord_request_find(const struct ord_partition *p, const struct ord_uuid *id)
{
	return (struct ord_request *)ord_table_find(&p->requests, request_hash(id), id, request_equal);
}

static bool may_be_stored(const struct ord_partition *p, const struct ord_uuid *id)
{
	return ord_row_ids_may_hold(&p->rows.requests_gone, id);
}

int ord_request_load(struct ord_partition *p, const struct ord_uuid *id)
{
	bool is_there = !may_be_stored(p, id) || ord_request_find(p, id) != NULL;
	return is_there ? ORD_OK : ord_saved_get_request(p, id);
}

static int look_load(struct ord_partition *p, const struct ord_ahead_look *look)
{
	return ord_request_load(p, &look->id);
}

int ord_request_ahead(struct ord_ahead *ahead, const struct ord_uuid *id)
{
	const struct ord_partition *p = ahead->partition;
	struct ord_ahead_look look = {.table = &p->requests,
				      .hash = request_hash(id),
				      .load = may_be_stored(p, id) ? look_load : NULL,
				      .id = *id};
	return ord_ahead_add(ahead, &look);
}

size_t ord_request_bytes(const struct ord_request *r)
{
	return sizeof *r + r->body_bytes;
}

struct ord_request *ord_request_make(struct ord_partition *p, const struct ord_request *r, struct ord_slice body)
{
	struct ord_request *made = ord_pool_take(&p->pool, sizeof *made + body.len);
	*made = *r;
	made->body_bytes = (uint16_t)body.len;
	memcpy(made->body, body.base, body.len);
	ord_table_put(&p->requests, &made->row.link, request_hash(&r->id));
	return made;
}

static struct ord_digest logged_digest(const struct ord_request *r, struct ord_slice body)
{
	uint64_t fixed[5] = {[2] = r->position, [3] = r->logged_us, [4] = r->kind};
	memcpy(fixed, r->id.bytes, sizeof r->id.bytes);
	return ord_digest_of(ORD_DIGEST_REQUEST, ord_slice_of(fixed, sizeof fixed), body);
}

static struct ord_digest decided_digest(const struct ord_request *r)
{
	uint64_t fixed[6] = {[2] = r->decided_us, [3] = r->status, [4] = r->reason, [5] = r->field};
	memcpy(fixed, r->id.bytes, sizeof r->id.bytes);
	return ord_digest_of(ORD_DIGEST_OUTCOME, ord_slice_of(fixed, sizeof fixed), (struct ord_slice){0});
}

void ord_request_digest(const struct ord_request *r, struct ord_digest *d)
{
	ord_digest_add(d, logged_digest(r, ord_slice_of(r->body, r->body_bytes)));
	if (r->status != ORD_STATUS_ACCEPTED)
		ord_digest_add(d, decided_digest(r));
}

struct ord_digest ord_request_stored_digest(const struct ord_stored_request *s)
{
	struct ord_request r = {.id = s->id,
				.position = s->position,
				.logged_us = s->logged_us,
				.decided_us = s->decided_us,
				.kind = s->kind,
				.status = s->status,
				.field = s->field,
				.reason = s->reason};
	struct ord_digest d = logged_digest(&r, s->body);
	if (r.status != ORD_STATUS_ACCEPTED)
		ord_digest_add(&d, decided_digest(&r));
	return d;
}

struct ord_request *ord_request_log(struct ord_partition *p, const struct ord_command *c, struct ord_slice body)
{
	struct ord_request new = {
		.id = c->request_id,
		.position = p->position,
		.logged_us = p->time_us,
		.kind = (uint8_t)c->kind,
		.status = ORD_STATUS_ACCEPTED,
	};
	struct ord_request *r = ord_request_make(p, &new, body);
	ord_row_made(p, &r->row, ORD_STORE_REQUESTS);
	ord_row_ids_add(&p->rows.requests_made, &r->id, p->time_us);
	p->requests_count++;
	ord_digest_add(&p->digest, logged_digest(r, body));
	if (r->kind == ORD_COMMAND_TRANSFER)
		p->unsettled_count++;
	return r;
}

static void decide(struct ord_partition *p, struct ord_request *r)
{
	r->decided_us = p->time_us;
	ord_digest_add(&p->digest, decided_digest(r));
	if (r->kind != ORD_COMMAND_TRANSFER)
		return;
	p->unsettled_count--;
	ord_effects_add_outcome(p->fx, &(struct ord_outcome){.request_id = r->id, .result = ord_request_result(r)});
}

void ord_request_settle(struct ord_partition *p, struct ord_request *r)
{
	ORD_ASSERT(r->status == ORD_STATUS_ACCEPTED);
	ord_row_change(p, &r->row);
	r->status = ORD_STATUS_SETTLED;
	decide(p, r);
}

void ord_request_reject(struct ord_partition *p, struct ord_request *r, enum ord_refusal reason, const char *field)
{
	ORD_ASSERT(r->status == ORD_STATUS_ACCEPTED);
	ORD_ASSERT(reason != ORD_REFUSAL_NONE);
	ord_row_change(p, &r->row);
	r->status = ORD_STATUS_REJECTED;
	r->reason = (uint16_t)reason;
	if (field != NULL)
		r->field = (uint8_t)(1 + ord_field_place(ord_field_list(r->kind), field));
	decide(p, r);
}

struct ord_result ord_request_result(const struct ord_request *r)
{
	return (struct ord_result){
		.status = r->status,
		.reason = r->reason,
		.field = r->field == 0 ? NULL : ord_field_list(r->kind).fields[r->field - 1].name,
		.position = r->position,
	};
}

struct ord_command ord_request_command(const struct ord_request *r)
{
	struct ord_command c = {.kind = r->kind, .request_id = r->id};
	struct ord_reader reader = ord_reader_of(ord_slice_of(r->body, r->body_bytes));
	int rv = ord_field_decode(ord_field_list(r->kind), &reader, &c.open_account);
	ORD_ASSERT(rv == ORD_OK);
	return c;
}

/* The name of the first thing in which the command is not the one that was logged, NULL when it is the same. */
static const char *differing_field(const struct ord_request *r, const struct ord_command *c, struct ord_slice body)
{
	if (r->kind != c->kind)
		return "method";
	if (ord_slice_equal(ord_slice_of(r->body, r->body_bytes), body))
		return NULL;
	struct ord_command logged = ord_request_command(r);
	struct ord_field_list list = ord_field_list(r->kind);
	size_t place = ord_field_difference(list, &logged.open_account, &c->open_account);
	ORD_ASSERT(place < list.count);
	return list.fields[place].name;
}

struct ord_result ord_request_replay(const struct ord_request *r, const struct ord_command *c, struct ord_slice body)
{
	const char *field = differing_field(r, c, body);
	if (field != NULL)
		return (struct ord_result){
			.status = ORD_STATUS_REJECTED,
			.reason = ORD_REFUSAL_ID_REUSED,
			.field = field,
			.position = r->position,
		};
	struct ord_result result = ord_request_result(r);
	result.replayed = true;
	return result;
}
