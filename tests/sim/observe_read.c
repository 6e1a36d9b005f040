/* SPDX-License-Identifier: Apache-2.0 - what clients were told by reads.
 *
 * A read saw the state at the end of some entry. That entry is not before what was committed when the read began, and is known by now; so what the read saw must be one of the
 * versions that held in that span. A read that may be stale says itself where it was, and what it saw must be what held there. */
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "partition/account.h"
#include "partition/posting.h"
#include "partition/route.h"
#include "partition/state.h"
#include "tests/sim/coverage.h"
#include "tests/sim/follow_age.h"
#include "tests/sim/observe_state.h"
#include "tests/sim/record.h"
#include "tests/sim/world.h"

/* Where the state was that was seen. */
struct span {
	uint64_t first; /* in commands of the partition */
	bool goes_on;	/* or later; else there alone */
};

static struct span span_since(const struct sim_moment *began, uint32_t partition)
{
	return (struct span){.first = began->committed[partition], .goes_on = true};
}

/* Of a read that found the thing, with what its answer says of that. */
static struct span span_of(const struct sim_moment *began, uint32_t partition, struct ord_slice thing, uint64_t as_of)
{
	if (!began->may_be_stale && as_of != 0)
		sim_observe_wrong(began, partition, thing, "how stale it may be, and nobody allowed that");
	if (!began->may_be_stale)
		return span_since(began, partition);
	if (as_of == 0 || as_of > sim_record_position(partition) || sim_record_boundary(partition, as_of - 1) != as_of)
		sim_observe_wrong(began, partition, thing, "that it is of a position at which there was no state");
	sim_cover(as_of < began->committed[partition] ? SIM_COVER_READ_STALE_OLD : SIM_COVER_READ_STALE);
	sim_observe_raise(partition, as_of);
	return (struct span){.first = as_of};
}

/* A read that found something in its span. */
static void read_found(const struct sim_moment *began, uint32_t partition, uint64_t version_begin, bool is_last)
{
	sim_observe_raise(partition, version_begin);
	sim_cover(SIM_COVER_READ_FOUND);
	if (!began->may_be_stale && (!is_last || version_begin > began->committed[partition]))
		sim_cover(SIM_COVER_READ_LINEARIZABLE_STALE_POSSIBLE);
}

/* --- Accounts. --- */

/* What a read of an account or of its history tells of the account. */
struct account_glimpse {
	bool is_history;
	const struct ordain_account *account; /* unless it is a history */
	uint64_t postings_min;
	uint64_t postings_max;
	uint64_t as_of;
};

static bool version_fits(const struct sim_account_version *v, const struct account_glimpse *g)
{
	if (g->is_history)
		return v->postings_count >= g->postings_min && v->postings_count <= g->postings_max;
	return v->postings_count == g->account->postings_count && v->balance == g->account->balance &&
	       (int)v->state == (int)g->account->state;
}

/* Why no version in the span fits. */
static const char *account_trouble(const struct sim_account_trail *t, const struct account_glimpse *g,
				   const struct sim_moment *began)
{
	size_t i = t->versions_count;

	while (i > 0 && !version_fits(&t->versions[i - 1], g))
		i--;
	if (i == 0)
		return "a state that it never had";
	if (began->may_be_stale)
		return "another state than it had where the answer says that it is of";
	/* The version after the one that was seen was there already. */
	return t->versions[i].begin <= began->told[t->partition]
		       ? "a state that it had before what somebody was told before the read began (stale)"
		       : "a state that it had before what was committed before the read began (stale)";
}

/* One of the versions in the span is what was seen. */
static void account_seen(const struct sim_moment *began, uint32_t partition, struct ord_slice id,
			 const struct account_glimpse *g)
{
	const struct sim_account_trail *t = sim_trail_find_account(id);
	struct span span = span_of(began, partition, id, g->as_of);
	size_t first, end;

	if (t == NULL || t->versions_count == 0)
		sim_observe_wrong(began, partition, id, "an account that was never opened");
	first = sim_trail_at(t->versions, t->versions_count, sizeof *t->versions, span.first);
	end = span.goes_on ? t->versions_count : first == SIM_TRAIL_NONE ? 0 : first + 1;
	for (size_t i = first == SIM_TRAIL_NONE ? 0 : first; i < end; i++) {
		if (!version_fits(&t->versions[i], g))
			continue;
		read_found(began, partition, t->versions[i].begin, i + 1 == t->versions_count);
		return;
	}
	sim_observe_wrong(began, partition, id, account_trouble(t, g, began));
}

static void account_missed(const struct sim_moment *began, uint32_t partition, struct ord_slice id)
{
	const struct sim_account_trail *t = sim_trail_find_account(id);

	if (t != NULL && t->versions_count > 0 && t->versions[0].begin <= began->committed[partition])
		sim_observe_wrong(began, partition, id,
				  "that there is no such account, and it was open when the read began");
	sim_cover(SIM_COVER_READ_NOT_FOUND);
}

/* What never changes. */
static bool account_is(const struct ordain_account *a, struct ord_slice id, uint32_t partition)
{
	struct ord_account_view view;

	return ord_partition_account(sim_record_partition(partition), id, &view) == ORD_OK &&
	       ord_slice_equal(sim_observe_slice(a->account), id) &&
	       ord_slice_equal(sim_observe_slice(a->asset), view.asset) && a->floor == view.floor &&
	       a->ceiling == view.ceiling && a->opened_us == view.opened_us && a->partition == partition;
}

void sim_observe_account(const struct sim_moment *began, struct ordain_str id_text, const struct ordain_account *seen)
{
	struct ord_slice id = sim_observe_slice(id_text);
	uint32_t partition = ord_route_account(id, sim_record_partitions_count());
	struct account_glimpse g = {.account = seen};

	if (seen == NULL) {
		account_missed(began, partition, id);
		return;
	}
	g.as_of = seen->as_of;
	account_seen(began, partition, id, &g);
	if (!account_is(seen, id, partition))
		sim_observe_wrong(began, partition, id,
				  "another asset, limit, time of opening or partition than it has");
}

/* --- History. --- */

static bool posting_is(const struct ordain_posting *p, const struct ord_posting *real, uint32_t partition)
{
	return p->number == real->number && (int)p->kind == (int)real->stage.kind &&
	       memcmp(p->id.bytes, real->stage.request_id.bytes, sizeof p->id.bytes) == 0 &&
	       ord_slice_equal(sim_observe_slice(p->counterparty), ord_posting_counterparty(real)) &&
	       p->amount == real->amount && p->balance_after == real->balance_after && p->partition == partition &&
	       p->offset == real->position && p->time_us == real->time_us;
}

/* The postings of a page follow each other, and each is what the log made it. */
static void page_check(const struct sim_moment *began, uint32_t partition, struct ord_slice id, uint64_t from,
		       const struct ordain_history *h)
{
	struct ord_partition *p = sim_record_partition(partition);
	const struct ord_account *a = ord_account_find(p, id);

	if (a == NULL || !ord_slice_equal(sim_observe_slice(h->account), id))
		sim_observe_wrong(began, partition, id, "the history of another account");
	if (h->postings_count > ORD_HISTORY_ITEMS_MAX || (h->next != 0 && h->next != from + h->postings_count) ||
	    (h->next != 0 && h->postings_count == 0))
		sim_observe_wrong(began, partition, id, "a page of its history that does not go on where it ends");
	for (size_t i = 0; i < h->postings_count; i++)
		if (from + i > a->postings_count ||
		    !posting_is(&h->postings[i], ord_posting_record(p, a, from + i), partition))
			sim_observe_wrong(began, partition, id, "a posting in its history that the log does not have");
}

/* How many postings the account had: the page ends with the last one, or before it. */
static struct account_glimpse page_glimpse(uint64_t from, const struct ordain_history *h)
{
	struct account_glimpse g = {
		.is_history = true, .postings_min = from - 1 + h->postings_count, .as_of = h->as_of};

	g.postings_max = g.postings_min;
	if (h->next != 0) {
		g.postings_min++;
		g.postings_max = UINT64_MAX;
	} else if (h->postings_count == 0) {
		g.postings_min = 0;
	}
	return g;
}

void sim_observe_history(const struct sim_moment *began, struct ordain_str id_text, uint64_t from,
			 const struct ordain_history *seen)
{
	struct ord_slice id = sim_observe_slice(id_text);
	uint32_t partition = ord_route_account(id, sim_record_partitions_count());

	if (seen == NULL) {
		account_missed(began, partition, id);
		return;
	}
	if (from == 0)
		from = 1;
	if (began->may_be_stale && seen->partition != partition)
		sim_observe_wrong(began, partition, id, "that it is of a position of another partition");
	page_check(began, partition, id, from, seen);
	struct account_glimpse g = page_glimpse(from, seen);
	account_seen(began, partition, id, &g);
	sim_cover(seen->next != 0 ? SIM_COVER_HISTORY_PAGE : SIM_COVER_HISTORY_END);
}

/* --- Requests. --- */

static void request_missed(const struct sim_moment *began, uint32_t partition, const struct ord_uuid *id)
{
	const struct sim_request_trail *t = sim_trail_find_request(partition, id);

	if (t != NULL && t->logged <= began->committed[partition])
		sim_observe_request_wrong(began, partition, id,
					  "that there is no such request, and it was logged when the read began");
}

/* What of a request never changes. */
static bool request_is(const struct ordain_request *r, const struct ord_request_view *view)
{
	struct ord_command command = sim_observe_command(&r->command);

	return sim_observe_difference(&view->command, &command) == NULL && r->offset == view->result.position &&
	       r->logged_us == view->logged_us;
}

static void request_status_check(const struct sim_moment *began, const struct ordain_request *r,
				 const struct sim_request_trail *t, const struct ord_request_view *view)
{
	if (r->status == ORDAIN_STATUS_ACCEPTED) {
		if (t->decided != 0 && t->decided <= began->committed[t->partition])
			sim_observe_request_wrong(began, t->partition, &t->id,
						  "that it has no outcome, and it had one when the read began (stale)");
		if (r->decided_us != 0 || r->code != 0)
			sim_observe_request_wrong(began, t->partition, &t->id, "an outcome that is none");
		return;
	}
	if (t->decided == 0 || (int)r->status != (int)t->status || r->code != (int)t->reason ||
	    r->decided_us != view->decided_us)
		sim_observe_request_wrong(began, t->partition, &t->id,
					  "another outcome than the log has (invariant 6)");
}

static void request_found(const struct sim_moment *began, const struct ord_uuid *id, const struct ordain_request *r)
{
	const struct sim_request_trail *t = sim_trail_find_request(r->partition, id);
	struct ord_request_view view;

	if (t == NULL || !sim_age_request(sim_record_partition(r->partition), r->partition, id, &view))
		sim_observe_request_wrong(began, r->partition, id, "a request that no log has");
	if (memcmp(r->command.id.bytes, id->bytes, sizeof id->bytes) != 0 || !request_is(r, &view))
		sim_observe_request_wrong(began, r->partition, id, "another payload, place or time than was logged");
	request_status_check(began, r, t, &view);
	bool is_decided = r->status != ORDAIN_STATUS_ACCEPTED;
	sim_observe_raise_request(t, is_decided);
	read_found(began, t->partition, is_decided ? t->decided : t->logged, is_decided || t->decided == 0);
}

void sim_observe_request(const struct sim_moment *began, const struct ordain_id *id, const struct ordain_request *seen)
{
	uint32_t count = sim_record_partitions_count();
	struct ord_uuid uuid;

	memcpy(uuid.bytes, id->bytes, sizeof uuid.bytes);
	SIM_ASSERT(seen == NULL || seen->partition < count);
	/* The library asks one partition after the other, from where a transfer would live. */
	uint32_t home = ord_route_request(&uuid, count);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t partition = (home + i) % count;

		if (seen != NULL && seen->partition == partition)
			break;
		request_missed(began, partition, &uuid);
	}
	if (seen != NULL)
		request_found(began, &uuid, seen);
	else
		sim_cover(SIM_COVER_READ_NOT_FOUND);
}

void sim_observe_request_expired(const struct sim_moment *began, const struct ordain_id *id)
{
	uint32_t count = sim_record_partitions_count();
	struct ord_uuid uuid;

	memcpy(uuid.bytes, id->bytes, sizeof uuid.bytes);
	for (uint32_t i = 0; i < count; i++)
		if (sim_age_is_expired(i, &uuid)) {
			sim_cover(SIM_COVER_READ_EXPIRED);
			return;
		}
	sim_observe_request_wrong(began, ord_route_request(&uuid, count), &uuid,
				  "that its id is expired, and it is not, anywhere");
}

/* --- Names. --- */

static bool name_fits(const struct sim_name_version *v, const struct ordain_name *n)
{
	if (n == NULL || !v->owned)
		return n == NULL && !v->owned;
	return memcmp(v->request_id.bytes, n->id.bytes, sizeof n->id.bytes) == 0 && v->position == n->offset &&
	       ord_slice_equal(v->owner, sim_observe_slice(n->owner));
}

/* Others came and went within one entry. */
static bool name_was_visible(const struct sim_name_trail *t, size_t place)
{
	return place + 1 == t->versions_count || t->versions[place + 1].begin > t->versions[place].begin;
}

/* The place of the version in the span that was seen; versions_count when there is none. */
static size_t name_find(const struct sim_name_trail *t, size_t first, const struct ordain_name *n)
{
	while (first < t->versions_count && !(name_was_visible(t, first) && name_fits(&t->versions[first], n)))
		first++;
	return first;
}

static const char *name_trouble(const struct sim_moment *began, const struct sim_name_trail *t,
				const struct ordain_name *n)
{
	size_t i = name_find(t, 0, n);

	if (n != NULL && began->may_be_stale)
		return "another owner than it had where the answer says that it is of";
	if (n == NULL)
		return "that nobody owns it, and somebody did all the time since the read began";
	return i == t->versions_count ? "an owner that it never had"
				      : "an owner that it had before what was committed before the read began (stale)";
}

/* What follows from who owns it. */
static bool name_is(const struct ordain_name *n, struct ord_slice space, struct ord_slice name, uint32_t partition)
{
	struct ord_request_view view;
	struct ord_uuid id;

	memcpy(id.bytes, n->id.bytes, sizeof id.bytes);
	return sim_age_request(sim_record_partition(partition), partition, &id, &view) &&
	       n->since_us == view.logged_us && n->partition == partition &&
	       ord_slice_equal(sim_observe_slice(n->space), space) && ord_slice_equal(sim_observe_slice(n->name), name);
}

void sim_observe_name(const struct sim_moment *began, struct ordain_str space_text, struct ordain_str name_text,
		      const struct ordain_name *seen)
{
	struct ord_slice space = sim_observe_slice(space_text), name = sim_observe_slice(name_text);
	uint32_t partition = ord_route_name(space, name, sim_record_partitions_count());
	const struct sim_name_trail *t = sim_trail_find_name(space, name);
	struct span span = span_since(began, partition);
	size_t first, i;

	if (t == NULL || t->versions_count == 0) {
		if (seen != NULL)
			sim_observe_wrong(began, partition, name, "an owner, and nobody ever claimed it");
		sim_cover(SIM_COVER_READ_NOT_FOUND);
		return;
	}
	if (seen != NULL)
		span = span_of(began, partition, name, seen->as_of);
	first = sim_trail_at(t->versions, t->versions_count, sizeof *t->versions, span.first);
	if (first == SIM_TRAIL_NONE && seen == NULL) {
		sim_cover(SIM_COVER_READ_NOT_FOUND);
		return;
	}
	i = name_find(t, first == SIM_TRAIL_NONE ? 0 : first, seen);
	if (i == t->versions_count || (!span.goes_on && i != first))
		sim_observe_wrong(began, partition, name, name_trouble(began, t, seen));
	if (seen != NULL && !name_is(seen, space, name, partition))
		sim_observe_wrong(began, partition, name, "another name, time or partition");
	read_found(began, partition, t->versions[i].begin, i + 1 == t->versions_count);
}
