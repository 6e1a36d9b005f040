/* SPDX-License-Identifier: Apache-2.0 - the promises that hold at every position.
 *
 *   1, 2, 6  flow.c: what all partitions together say about each transfer and each asset
 *   3        accounts: every posting, from zero on, and the limits after it
 *   4        names: all requests about a name, in log order, decided anew
 *   5        the digest, made anew
 *   7        outboxes and cursors
 *
 * Every record is also looked up by its key: what cannot be found, or is there twice, is broken whatever it says. */
#include "partition/invariants.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "partition/account.h"
#include "partition/check.h"
#include "partition/name.h"
#include "partition/posting.h"
#include "partition/request.h"
#include "partition/route.h"

/* For printf's "%.*s". */
#define TEXT(slice) (int)(slice).len, (const char *)(slice).base

bool ord_check_broken(struct ord_check *c, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(c->why, c->why_size, format, arguments);
	va_end(arguments);
	return false;
}

/* --- Accounts (3). --- */

/* The balance after the posting is known, and is left as it was before it: postings are looked at from the newest to the oldest. */
static bool posting_check(struct ord_check *c, const struct ord_partition *p, const struct ord_account *a,
			  uint64_t ordinal, uint64_t number, const struct ord_posting_fact *f, ord_balance *balance)
{
	const struct ord_posting_view *v = &f->view;
	struct ord_slice id = ord_account_id(a);
	const struct ord_stage *stage = ord_posting_find(p, &v->request_id, v->kind);
	unsigned long long shown = number;

	bool is_known = stage != NULL ? stage->reason == ORD_REFUSAL_NONE && stage->ordinal == ordinal
				      : ord_expire_is_old(p, &v->request_id);
	if (f->account != a->identity || v->number != number || !is_known)
		return ord_check_broken(c, "partition %u, account '%.*s': posting %llu is not the account's", p->id,
					TEXT(id), shown);
	if (v->amount <= 0 || v->position >= p->position || v->time_us > p->time_us)
		return ord_check_broken(c, "partition %u, account '%.*s': posting %llu has amount %lld, position %llu",
					p->id, TEXT(id), shown, (long long)v->amount, (unsigned long long)v->position);
	if (v->balance_after != (*balance > INT64_MAX ? INT64_MAX : (int64_t)*balance))
		return ord_check_broken(c,
					"partition %u, account '%.*s': posting %llu has another balance than the sum",
					p->id, TEXT(id), shown);
	/* A refund gives back what was the account's own, also when credits have meanwhile taken its place below the ceiling. */
	if ((v->kind == ORD_POSTING_DEBIT && *balance < a->floor) ||
	    (v->kind == ORD_POSTING_CREDIT && *balance > a->ceiling))
		return ord_check_broken(c, "invariant 3: partition %u, account '%.*s': posting %llu passes the %s",
					p->id, TEXT(id), shown, v->kind == ORD_POSTING_DEBIT ? "floor" : "ceiling");
	*balance -= v->kind == ORD_POSTING_DEBIT ? -(ord_balance)v->amount : v->amount;
	return true;
}

/* All postings, each found from the one after it, and once more by its number; before the first one there was nothing. */
static bool postings_check(struct ord_check *c, const struct ord_partition *p, const struct ord_account *a)
{
	struct ord_slice id = ord_account_id(a);
	ord_balance balance = a->balance;
	uint64_t ordinal = a->last_ordinal;
	uint64_t position = UINT64_MAX;

	for (uint64_t number = a->postings_count; number > 0; number--) {
		struct ord_posting_fact fact;
		uint64_t sought;

		if (ordinal >= p->postings_count || ord_posting_get(p, ordinal, &fact) != ORD_OK)
			return ord_check_broken(c, "partition %u, account '%.*s': posting %llu cannot be read", p->id,
						TEXT(id), (unsigned long long)number);
		if (!posting_check(c, p, a, ordinal, number, &fact, &balance))
			return false;
		if (fact.view.position > position)
			return ord_check_broken(c,
						"partition %u, account '%.*s': posting %llu is older than the one "
						"before it",
						p->id, TEXT(id), (unsigned long long)number + 1);
		if (ord_posting_seek(p, a, number, &sought) != ORD_OK || sought != ordinal)
			return ord_check_broken(c, "partition %u, account '%.*s': posting %llu is not found", p->id,
						TEXT(id), (unsigned long long)number);
		position = fact.view.position;
		ordinal = fact.previous;
	}
	if (balance != 0)
		return ord_check_broken(c, "partition %u: the balance of account '%.*s' is not the sum of its postings",
					p->id, TEXT(id));
	return true;
}

static bool account_check(struct ord_check *c, const struct ord_partition *p, const struct ord_account *a)
{
	struct ord_slice id = ord_account_id(a);

	if (ord_account_find(p, id) != a || ord_route_account(id, c->count) != p->id)
		return ord_check_broken(c, "partition %u: account '%.*s' is there twice or not where it belongs", p->id,
					TEXT(id));
	if (a->floor > 0 || a->ceiling < 0 || a->state < ORD_ACCOUNT_OPEN || a->state > ORD_ACCOUNT_CLOSED)
		return ord_check_broken(c, "partition %u: account '%.*s' has no possible limits or state", p->id,
					TEXT(id));
	return postings_check(c, p, a);
}

static bool accounts_check(struct ord_check *c, const struct ord_partition *p)
{
	uint64_t postings_count = 0, posted_count = 0, cursor = 0;
	struct ord_account *a = NULL;

	while ((a = ord_state_next_account(p, &cursor, a)) != NULL) {
		if (!account_check(c, p, a))
			return false;
		postings_count += a->postings_count;
	}
	cursor = 0;
	for (struct ord_stage *s = ord_state_next_stage(p, &cursor, NULL); s != NULL;
	     s = ord_state_next_stage(p, &cursor, s)) {
		if (ord_posting_find(p, &s->request_id, s->kind) != s)
			return ord_check_broken(c, "invariant 2: partition %u did a stage twice for one request",
						p->id);
		posted_count += s->reason == ORD_REFUSAL_NONE;
	}
	posted_count += p->expiry.dropped.posted_count;
	if (postings_count != p->postings_count || posted_count != p->postings_count)
		return ord_check_broken(c, "partition %u: counted %llu postings, accounts have %llu, stages %llu",
					p->id, (unsigned long long)p->postings_count,
					(unsigned long long)postings_count, (unsigned long long)posted_count);
	if (p->accounts.count != p->accounts_count ||
	    p->requests.count + p->expiry.dropped.requests_count != p->requests_count)
		return ord_check_broken(c, "partition %u: the counts of accounts or requests are wrong", p->id);
	return true;
}

/* --- Requests. --- */

static bool status_is_possible(const struct ord_request *r)
{
	switch (r->status) {
	case ORD_STATUS_ACCEPTED:
		return r->kind == ORD_COMMAND_TRANSFER && r->reason == ORD_REFUSAL_NONE && r->decided_us == 0;
	case ORD_STATUS_SETTLED:
		return r->reason == ORD_REFUSAL_NONE && r->decided_us >= r->logged_us;
	case ORD_STATUS_REJECTED:
		return r->reason != ORD_REFUSAL_NONE && r->decided_us >= r->logged_us;
	default:
		return false;
	}
}

static bool request_check(struct ord_check *c, const struct ord_partition *p, const struct ord_request *r)
{
	char id[ORD_UUID_TEXT_SIZE];

	ord_uuid_format(&r->id, id);
	if (ord_request_find(p, &r->id) != r)
		return ord_check_broken(c, "partition %u: request %s is there twice", p->id, id);
	if (r->position >= p->position || r->logged_us > p->time_us || r->decided_us > p->time_us ||
	    !status_is_possible(r))
		return ord_check_broken(c, "invariant 6: partition %u: request %s has no possible status", p->id, id);
	struct ord_command command = ord_request_command(r);
	if (ord_route_command(&command, c->count) != p->id)
		return ord_check_broken(c, "partition %u: request %s belongs to another partition", p->id, id);
	return true;
}

static int position_compare(const void *a, const void *b)
{
	uint64_t x = (*(const struct ord_request *const *)a)->position;
	uint64_t y = (*(const struct ord_request *const *)b)->position;
	return (x > y) - (x < y);
}

/* The requests of the partition in log order, to be freed. */
static const struct ord_request **requests_in_order(const struct ord_partition *p)
{
	const struct ord_request **requests = malloc((p->requests.count + 1) * sizeof *requests);
	uint64_t cursor = 0;
	size_t count = 0;

	ORD_ASSERT(requests != NULL);
	for (struct ord_request *r = ord_state_next_request(p, &cursor, NULL); r != NULL;
	     r = ord_state_next_request(p, &cursor, r)) {
		ORD_ASSERT(count < p->requests.count);
		requests[count++] = r;
	}
	ORD_ASSERT(count == p->requests.count);
	qsort(requests, count, sizeof *requests, position_compare);
	return requests;
}

static bool requests_check(struct ord_check *c, const struct ord_partition *p, const struct ord_request **requests)
{
	uint64_t unsettled_count = 0;

	for (size_t i = 0; i < p->requests.count; i++) {
		if (!request_check(c, p, requests[i]))
			return false;
		if (i > 0 && requests[i]->position == requests[i - 1]->position)
			return ord_check_broken(c, "partition %u: two requests were logged at position %llu", p->id,
						(unsigned long long)requests[i]->position);
		unsettled_count += requests[i]->status == ORD_STATUS_ACCEPTED;
	}
	if (unsettled_count != p->unsettled_count)
		return ord_check_broken(c, "partition %u: counted %llu unsettled requests, there are %llu", p->id,
					(unsigned long long)p->unsettled_count, (unsigned long long)unsettled_count);
	return true;
}

/* --- Names (4). --- */

struct naming {
	const struct ord_request *request;
	struct ord_naming asked;
};

static int slice_compare(struct ord_slice a, struct ord_slice b)
{
	int order = memcmp(a.base, b.base, a.len < b.len ? a.len : b.len);
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int name_compare(const struct ord_naming *a, const struct ord_naming *b)
{
	int order = slice_compare(a->space, b->space);
	return order != 0 ? order : slice_compare(a->name, b->name);
}

static int naming_compare(const void *a, const void *b)
{
	const struct naming *x = a, *y = b;
	int order = name_compare(&x->asked, &y->asked);
	return order != 0 ? order : position_compare(&x->request, &y->request);
}

/* How the log decides n when holder, NULL for nobody, is the request that gave the name to its owner. */
static enum ord_refusal naming_decide(const struct naming *n, const struct naming *holder)
{
	if (n->request->kind == ORD_COMMAND_CLAIM)
		return holder == NULL ? ORD_REFUSAL_NONE : ORD_REFUSAL_NAME_TAKEN;
	if (holder == NULL)
		return ORD_REFUSAL_NAME_FREE;
	return ord_slice_equal(holder->asked.owner, n->asked.expected) ? ORD_REFUSAL_NONE : ORD_REFUSAL_OTHER_OWNER;
}

static bool holder_check(struct ord_check *c, const struct ord_partition *p, const struct ord_naming *asked,
			 const struct naming *holder)
{
	const struct ord_name *name = ord_name_find(p, asked->space, asked->name);

	if (holder == NULL && name == NULL)
		return true;
	if (holder != NULL && name != NULL && ord_slice_equal(ord_name_owner(name), holder->asked.owner) &&
	    ord_uuid_equal(&name->request_id, &holder->request->id) && name->position == holder->request->position &&
	    name->since_us == holder->request->logged_us)
		return true;
	return ord_check_broken(c, "invariant 4: partition %u: name '%.*s' '%.*s' is %s, the requests say otherwise",
				p->id, TEXT(asked->space), TEXT(asked->name), name == NULL ? "free" : "owned");
}

/* All requests about names, by name and then in log order, decided once more. */
static bool namings_check(struct ord_check *c, const struct ord_partition *p, const struct naming *namings,
			  size_t count)
{
	const struct naming *holder = NULL;
	uint64_t held_count = 0;

	for (size_t i = 0; i < count; i++) {
		const struct naming *n = &namings[i];
		enum ord_refusal reason = naming_decide(n, holder);

		if (n->request->reason != reason)
			return ord_check_broken(c,
						"invariant 4: partition %u: the request at %llu about name '%.*s' "
						"'%.*s' was %s, not %s",
						p->id, (unsigned long long)n->request->position, TEXT(n->asked.space),
						TEXT(n->asked.name), ord_refusal_name(n->request->reason),
						ord_refusal_name(reason));
		if (reason == ORD_REFUSAL_NONE)
			holder = n->request->kind == ORD_COMMAND_RELEASE ? NULL : n;
		if (i + 1 < count && name_compare(&n->asked, &namings[i + 1].asked) == 0)
			continue;
		if (!holder_check(c, p, &n->asked, holder))
			return false;
		held_count += holder != NULL;
		holder = NULL;
	}
	if (held_count != p->names_count)
		return ord_check_broken(c, "invariant 4: partition %u has %llu names, its requests gave %llu", p->id,
					(unsigned long long)p->names_count, (unsigned long long)held_count);
	return true;
}

static bool names_check(struct ord_check *c, const struct ord_partition *p, const struct ord_request **requests)
{
	if (p->expiry.dropped.requests_count > 0)
		return true; /* some of those that made the names what they are may be among them */
	struct naming *namings = malloc((p->requests.count + 1) * sizeof *namings);
	size_t count = 0;

	ORD_ASSERT(namings != NULL);
	for (size_t i = 0; i < p->requests.count; i++) {
		uint8_t kind = requests[i]->kind;

		if (kind == ORD_COMMAND_CLAIM || kind == ORD_COMMAND_RELEASE || kind == ORD_COMMAND_REASSIGN)
			namings[count++] = (struct naming){requests[i], ord_request_command(requests[i]).naming};
	}
	qsort(namings, count, sizeof *namings, naming_compare);
	bool holds = namings_check(c, p, namings, count);
	free(namings);
	return holds;
}

/* --- Outboxes and cursors (7). --- */

static uint32_t message_destination(const struct ord_check *c, const struct ord_message *m)
{
	switch (m->kind) {
	case ORD_MESSAGE_CREDIT:
		return ord_route_account(m->transfer.payee, c->count);
	case ORD_MESSAGE_OUTCOME:
		return m->home;
	case ORD_MESSAGE_DEBIT:
	case ORD_MESSAGE_REFUND:
		break;
	}
	return ord_route_account(m->transfer.payer, c->count);
}

static bool outbox_check(struct ord_check *c, const struct ord_partition *p, uint32_t destination, uint64_t *bytes)
{
	uint64_t number = ord_partition_outbox_first(p, destination);
	uint64_t next = ord_partition_outbox_next(p, destination);

	while (number < next) {
		struct ord_outbox_run run = ord_partition_outbox_peek(p, destination, number, UINT32_MAX);
		struct ord_reader r = ord_reader_of(run.messages);
		struct ord_message m;

		for (uint32_t i = 0; i < run.count; i++, number++)
			if (ord_message_decode(&r, &m) != ORD_OK || message_destination(c, &m) != destination)
				return ord_check_broken(c,
							"invariant 7: partition %u: message %llu to %u is not for it",
							p->id, (unsigned long long)number, destination);
		if (run.count == 0 || ord_reader_left(&r) != 0)
			return ord_check_broken(c, "invariant 7: partition %u: message %llu to %u is missing", p->id,
						(unsigned long long)number, destination);
		*bytes += run.messages.len;
	}
	return true;
}

static bool outboxes_check(struct ord_check *c, const struct ord_partition *p)
{
	uint64_t count = 0, bytes = 0;

	for (uint32_t d = 0; d < c->count; d++) {
		if (!outbox_check(c, p, d, &bytes))
			return false;
		count += ord_partition_outbox_next(p, d) - ord_partition_outbox_first(p, d);
	}
	if (ord_partition_outbox_next(p, p->id) != 1 || ord_partition_cursor(p, p->id) != 0)
		return ord_check_broken(c, "invariant 7: partition %u sends messages to itself", p->id);
	if (count != p->outbox_count || bytes != p->outbox_bytes)
		return ord_check_broken(
			c, "partition %u: counted %llu outbox messages of %llu bytes, there are %llu of %llu", p->id,
			(unsigned long long)p->outbox_count, (unsigned long long)p->outbox_bytes,
			(unsigned long long)count, (unsigned long long)bytes);
	return true;
}

/* What was trimmed and is not applied here was applied by another replica of the destination: this one is behind. */
static bool is_consistent(const struct ord_check *c)
{
	for (uint32_t s = 0; s < c->count; s++) {
		for (uint32_t d = 0; d < c->count; d++) {
			uint64_t due = ord_partition_cursor(c->partitions[d], s) + 1;

			if (due < ord_partition_outbox_first(c->partitions[s], d) ||
			    due > ord_partition_outbox_next(c->partitions[s], d))
				return false;
		}
	}
	return true;
}

/* --- All of it. --- */

static bool partition_check(struct ord_check *c, struct ord_partition *p)
{
	struct ord_partition_status status;
	uint64_t digest[2];

	ord_partition_status(p, &status);
	if (ord_partition_digest_recompute(p, digest) != ORD_OK)
		return ord_check_broken(c, "partition %u: the store cannot be read", p->id);
	if (digest[0] != status.state_digest[0] || digest[1] != status.state_digest[1])
		return ord_check_broken(c, "invariant 5: the digest of partition %u is not that of its state", p->id);
	if (!accounts_check(c, p) || !outboxes_check(c, p))
		return false;
	const struct ord_request **requests = requests_in_order(p);
	bool holds = requests_check(c, p, requests) && names_check(c, p, requests);
	free(requests);
	return holds;
}

int ord_invariants_check(struct ord_partition *const *partitions, uint32_t count, char *why, size_t why_size)
{
	struct ord_check c = {.partitions = partitions, .count = count, .why = why, .why_size = why_size};

	ORD_ASSERT(count > 0);
	for (uint32_t i = 0; i < count; i++) {
		ORD_ASSERT(partitions[i]->id == i);
		ORD_ASSERT(partitions[i]->partitions_count == count);
		if (!partition_check(&c, partitions[i]))
			return ORD_ERR_CORRUPT;
	}
	c.consistent = is_consistent(&c);
	return ord_flow_check(&c) ? ORD_OK : ORD_ERR_CORRUPT;
}
