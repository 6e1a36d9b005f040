/* SPDX-License-Identifier: Apache-2.0 - what clients were told of their commands.
 *
 * The state of a partition is only ever seen between entries. So all moments are counted in commands, at the ends of entries: who was told of a command knows of its whole entry. */
#include "tests/sim/observe.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "partition/route.h"
#include "tests/sim/coverage.h"
#include "tests/sim/follow_age.h"
#include "tests/sim/observe_state.h"
#include "tests/sim/record.h"
#include "tests/sim/world.h"

#define PROMPT_US (5u * SIM_SECOND)

/* A request as clients know it: by its id and the partition that its command belongs to, since an id counts in one partition. */
struct asked {
	struct ord_table_link link;
	struct asked *next; /* in the order in which they were first submitted */
	uint32_t partition;
	struct ord_uuid id;
	uint32_t submits_count;
	uint32_t failed_count;	   /* submits that ended as ORDAIN_FAILED */
	bool unknown;		   /* the last thing that anybody was told is ORDAIN_UNKNOWN */
	bool fresh;		   /* somebody was told that his call logged it */
	enum ordain_status status; /* the most that anybody was told; NONE: nothing */
	int reason;
	uint64_t position;
};

static struct {
	uint64_t told[SIM_PARTITIONS_MAX];
	struct ord_table table;
	struct asked *asked, *asked_last; /* owned */
	bool promptly;
} observe;

void sim_observe_open(void)
{
	memset(&observe, 0, sizeof observe);
	SIM_ASSERT(ord_table_open(&observe.table) == ORD_OK);
}

void sim_observe_close(void)
{
	for (struct asked *a = observe.asked, *next; a != NULL; a = next) {
		next = a->next;
		free(a);
	}
	ord_table_close(&observe.table);
	memset(&observe, 0, sizeof observe);
}

void sim_observe_promptly(void)
{
	observe.promptly = true;
}

struct sim_moment sim_observe_begin(void)
{
	struct sim_moment now = {.at_us = sim_now_us()};

	memcpy(now.told, observe.told, sizeof now.told);
	for (uint32_t i = 0; i < sim_record_partitions_count(); i++)
		now.committed[i] = sim_record_position(i);
	return now;
}

void sim_observe_raise(uint32_t partition, uint64_t position)
{
	if (position > observe.told[partition])
		observe.told[partition] = position;
}

static void raise_stage(const struct sim_stage_done *done)
{
	if (done->begin != 0)
		sim_observe_raise(done->partition, done->begin);
}

void sim_observe_raise_request(const struct sim_request_trail *t, bool is_decided)
{
	sim_observe_raise(t->partition, t->logged);
	if (!is_decided)
		return;
	sim_observe_raise(t->partition, t->decided);
	raise_stage(&t->debit);
	raise_stage(&t->credit);
	raise_stage(&t->refund);
}

/* --- Commands. --- */

_Static_assert((int)ORD_COMMAND_OPEN_ACCOUNT == (int)ORDAIN_OPEN_ACCOUNT &&
		       (int)ORD_COMMAND_REASSIGN == (int)ORDAIN_REASSIGN,
	       "client and core number commands alike");

struct ord_slice sim_observe_slice(struct ordain_str s)
{
	return ord_slice_of(s.base, s.len);
}

struct ord_command sim_observe_command(const struct ordain_command *c)
{
	struct ord_command ret = {.kind = (enum ord_command_kind)c->kind};

	memcpy(ret.request_id.bytes, c->id.bytes, sizeof ret.request_id.bytes);
	switch (c->kind) {
	case ORDAIN_OPEN_ACCOUNT:
		ret.open_account.account = sim_observe_slice(c->open_account.account);
		ret.open_account.asset = sim_observe_slice(c->open_account.asset);
		ret.open_account.floor = c->open_account.floor;
		ret.open_account.ceiling = c->open_account.ceiling;
		break;
	case ORDAIN_SET_ACCOUNT:
		ret.set_account.account = sim_observe_slice(c->set_account.account);
		ret.set_account.state = (enum ord_account_state)c->set_account.state;
		break;
	case ORDAIN_TRANSFER:
		ret.transfer.payer = sim_observe_slice(c->transfer.payer);
		ret.transfer.payee = sim_observe_slice(c->transfer.payee);
		ret.transfer.asset = sim_observe_slice(c->transfer.asset);
		ret.transfer.amount = c->transfer.amount;
		break;
	case ORDAIN_CLAIM:
	case ORDAIN_RELEASE:
	case ORDAIN_REASSIGN:
		ret.naming.space = sim_observe_slice(c->naming.space);
		ret.naming.name = sim_observe_slice(c->naming.name);
		ret.naming.owner = sim_observe_slice(c->naming.owner);
		ret.naming.expected = sim_observe_slice(c->naming.expected);
		break;
	}
	return ret;
}

static const char *transfer_difference(const struct ord_transfer *a, const struct ord_transfer *b)
{
	if (!ord_slice_equal(a->payer, b->payer))
		return "payer";
	if (!ord_slice_equal(a->payee, b->payee))
		return "payee";
	if (a->amount != b->amount)
		return "amount";
	return ord_slice_equal(a->asset, b->asset) ? NULL : "asset";
}

static const char *open_difference(const struct ord_open_account *a, const struct ord_open_account *b)
{
	if (!ord_slice_equal(a->account, b->account))
		return "account";
	if (!ord_slice_equal(a->asset, b->asset))
		return "asset";
	if (a->floor != b->floor)
		return "floor";
	return a->ceiling == b->ceiling ? NULL : "ceiling";
}

static const char *naming_difference(enum ord_command_kind kind, const struct ord_naming *a, const struct ord_naming *b)
{
	if (!ord_slice_equal(a->space, b->space))
		return "namespace";
	if (!ord_slice_equal(a->name, b->name))
		return "name";
	if (kind != ORD_COMMAND_RELEASE && !ord_slice_equal(a->owner, b->owner))
		return "owner";
	if (kind != ORD_COMMAND_CLAIM && !ord_slice_equal(a->expected, b->expected))
		return "expected";
	return NULL;
}

const char *sim_observe_difference(const struct ord_command *a, const struct ord_command *b)
{
	if (a->kind != b->kind)
		return "method";
	switch (a->kind) {
	case ORD_COMMAND_OPEN_ACCOUNT:
		return open_difference(&a->open_account, &b->open_account);
	case ORD_COMMAND_SET_ACCOUNT:
		if (!ord_slice_equal(a->set_account.account, b->set_account.account))
			return "account";
		return a->set_account.state == b->set_account.state ? NULL : "state";
	case ORD_COMMAND_TRANSFER:
		return transfer_difference(&a->transfer, &b->transfer);
	default:
		return naming_difference(a->kind, &a->naming, &b->naming);
	}
}

/* --- Failing. --- */

void sim_observe_wrong(const struct sim_moment *began, uint32_t partition, struct ord_slice thing, const char *what)
{
	sim_fail(SIM_SAFETY,
		 "partition %u: a client asked when %llu commands were told and %llu committed; now %llu are; what it "
		 "is told of '%.*s': %s",
		 partition, (unsigned long long)began->told[partition], (unsigned long long)began->committed[partition],
		 (unsigned long long)sim_record_position(partition), (int)thing.len,
		 thing.len == 0 ? "" : (const char *)thing.base, what);
}

void sim_observe_request_wrong(const struct sim_moment *began, uint32_t partition, const struct ord_uuid *id,
			       const char *what)
{
	char text[ORD_UUID_TEXT_SIZE];

	ord_uuid_format(id, text);
	sim_observe_wrong(began, partition, ord_slice_text(text), what);
}

/* --- Who has asked for what. --- */

struct asked_key {
	uint32_t partition;
	const struct ord_uuid *id;
};

static bool asked_equal(const struct ord_table_link *link, const void *key)
{
	const struct asked *a = (const struct asked *)link;
	const struct asked_key *k = key;

	return a->partition == k->partition && ord_uuid_equal(&a->id, k->id);
}

static uint64_t asked_hash(uint32_t partition, const struct ord_uuid *id)
{
	return ord_hash64_seed(id->bytes, sizeof id->bytes, partition);
}

static struct asked *asked_find(uint32_t partition, const struct ord_uuid *id)
{
	struct asked_key key = {partition, id};

	return (struct asked *)ord_table_find(&observe.table, asked_hash(partition, id), &key, asked_equal);
}

static struct asked *asked_make(uint32_t partition, const struct ord_uuid *id)
{
	struct asked *a = calloc(1, sizeof *a);

	SIM_ASSERT(a != NULL);
	a->partition = partition;
	a->id = *id;
	if (observe.asked_last == NULL)
		observe.asked = a;
	else
		observe.asked_last->next = a;
	observe.asked_last = a;
	ord_table_put(&observe.table, &a->link, asked_hash(partition, id));
	return a;
}

/* When each submit of it ended with "nothing was logged", nothing is. A submit of which nothing was heard, or "unknown", may still log it. */
static void failed_check(const struct asked *a)
{
	char id[ORD_UUID_TEXT_SIZE];

	if (a->submits_count == 0 || a->failed_count < a->submits_count ||
	    sim_trail_find_request(a->partition, &a->id) == NULL)
		return;
	ord_uuid_format(&a->id, id);
	sim_fail(SIM_SAFETY, "partition %u: request %s is logged, and whoever asked for it was told that nothing was",
		 a->partition, id);
}

void sim_observe_submit(const struct ordain_command *c)
{
	struct ord_command command = sim_observe_command(c);
	uint32_t partition = ord_route_command(&command, sim_record_partitions_count());
	struct asked *a = asked_find(partition, &command.request_id);

	if (a == NULL)
		a = asked_make(partition, &command.request_id);
	failed_check(a);
	a->submits_count++;
}

/* --- Results. --- */

/* One thing told, while it is looked at. */
struct told {
	const struct sim_moment *began;
	const struct ordain_result *result;
	const struct sim_request_trail *trail;
	struct ord_request_view logged;
	const char *difference; /* between what was asked and what was logged under the id */
};

__attribute__((noreturn)) static void told_wrong(const struct told *t, const char *what)
{
	sim_observe_request_wrong(t->began, t->trail->partition, &t->trail->id, what);
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_id_reused(const struct ordain_result *r)
{
	return r->status == ORDAIN_STATUS_REJECTED && r->code == ORD_REFUSAL_ID_REUSED;
}

/* Answer, status and code go together as ordain.h says. */
static bool is_possible(const struct ordain_result *r)
{
	switch (r->answer) {
	case ORDAIN_OK:
		return r->code == 0 && (r->status == ORDAIN_STATUS_SETTLED || r->status == ORDAIN_STATUS_ACCEPTED);
	case ORDAIN_REFUSED:
		return r->code != 0 && r->status == ORDAIN_STATUS_REJECTED;
	case ORDAIN_UNKNOWN:
		return r->code != 0 && (r->status == ORDAIN_STATUS_NONE || r->status == ORDAIN_STATUS_ACCEPTED);
	case ORDAIN_FAILED:
		return r->code != 0 && r->status == ORDAIN_STATUS_NONE;
	}
	return false;
}

static void id_reused_check(const struct told *t)
{
	if (t->difference == NULL)
		told_wrong(t, "its id was used before for something else, and it is what the log has");
	if (!same_text(t->result->field, t->difference))
		told_wrong(t, "another field is named than the first that differs from what was logged");
	if (t->result->replayed)
		told_wrong(t, "another payload under its id is called a replay");
}

static void status_check(const struct told *t)
{
	const struct ordain_result *r = t->result;

	if (t->difference != NULL)
		told_wrong(t, "the outcome of another payload that was logged under its id");
	if (r->status == ORDAIN_STATUS_ACCEPTED) {
		if (t->trail->decided != 0 && t->trail->decided <= t->began->committed[t->trail->partition])
			told_wrong(t, "it has no outcome, and it had one when it was asked");
		return;
	}
	if (t->trail->decided == 0 || (int)r->status != (int)t->trail->status || r->code != (int)t->trail->reason)
		told_wrong(t, "another outcome than the log has (invariant 6)");
	if (!same_text(r->field, t->logged.result.field))
		told_wrong(t, "another field than the log names");
}

/* What this call has logged stands behind all that was known when the call began. */
static void order_check(const struct told *t, struct asked *a)
{
	uint32_t partition = t->trail->partition;

	if (t->result->replayed) {
		sim_cover(SIM_COVER_RESULT_REPLAYED);
		return;
	}
	if (t->result->offset < t->began->told[partition])
		told_wrong(t, "it was logged by this call, before what somebody was told before the call");
	if (t->result->offset < t->began->committed[partition])
		told_wrong(t, "it was logged by this call, before what was committed before the call");
	if (a->fresh)
		told_wrong(t, "it was logged by this call, and so another call was told, too");
	a->fresh = true;
}

static void told_remember(const struct told *t, struct asked *a)
{
	const struct ordain_result *r = t->result;
	bool is_decided = r->status != ORDAIN_STATUS_ACCEPTED;

	sim_observe_raise_request(t->trail, is_decided);
	if (is_decided && a->unknown) {
		sim_cover(SIM_COVER_UNKNOWN_BECAME_KNOWN);
		a->unknown = false;
	}
	a->position = r->offset;
	if (!is_decided && a->status != ORDAIN_STATUS_NONE)
		return;
	a->status = r->status;
	a->reason = r->code;
}

static bool is_expired(const struct ordain_result *r)
{
	return r->status == ORDAIN_STATUS_REJECTED && r->code == ORD_REFUSAL_REQUEST_ID_EXPIRED;
}

/* A client was told that its id is so old that nothing is known of it. That comes from a command of this call, and says nothing of an earlier one. */
static void expired_check(const struct sim_moment *began, const struct ordain_result *r, const struct asked *a)
{
	if (!sim_age_is_expired(a->partition, &a->id))
		sim_observe_request_wrong(began, a->partition, &a->id, "its id is expired, and it is not");
	if (r->replayed || r->offset < began->committed[a->partition])
		sim_observe_request_wrong(began, a->partition, &a->id, "its id is expired, and where it was logged");
	if (a->submits_count == 1 && sim_trail_find_request(a->partition, &a->id) != NULL)
		sim_observe_request_wrong(began, a->partition, &a->id,
					  "its id is expired and nothing was done, and this very call has logged it");
	sim_cover(SIM_COVER_RESULT_EXPIRED);
}

/* A client was told that its id has become too old while it did not know what came of it. */
static void unknown_expired_check(const struct sim_moment *began, const struct asked *a)
{
	if (!sim_age_is_expired(a->partition, &a->id))
		sim_observe_request_wrong(began, a->partition, &a->id,
					  "its outcome is not known since its id is expired, and it is not");
	sim_cover(SIM_COVER_RESULT_UNKNOWN_EXPIRED);
}

/* A client was told that its command stands in the log. */
static void told_check(const struct sim_moment *began, const struct ord_command *c, const struct ordain_result *r,
		       struct asked *a)
{
	struct told t = {.began = began, .result = r};

	if (r->partition != a->partition)
		sim_observe_request_wrong(began, a->partition, &a->id, "it is in another partition than its own");
	if (is_expired(r)) {
		expired_check(began, r, a);
		return;
	}
	t.trail = sim_trail_find_request(a->partition, &a->id);
	if (t.trail == NULL || !sim_age_request(sim_record_partition(a->partition), a->partition, &a->id, &t.logged))
		sim_observe_request_wrong(began, a->partition, &a->id, "it is logged, and no log has it");
	if (r->offset != t.trail->position)
		told_wrong(&t, "another position than where it stands in the log");
	t.difference = sim_observe_difference(&t.logged.command, c);
	if (is_id_reused(r)) {
		id_reused_check(&t);
		sim_observe_raise_request(t.trail, false);
		sim_cover(SIM_COVER_RESULT_ID_REUSED);
		return;
	}
	status_check(&t);
	order_check(&t, a);
	told_remember(&t, a);
}

/* A client is told that its request is logged and that its time is over. */
static void patience_check(const struct sim_moment *began, const struct asked *a)
{
	const struct sim_request_trail *t = sim_trail_find_request(a->partition, &a->id);
	if (!observe.promptly || t == NULL || t->decided == 0 || began->at_us == UINT64_MAX)
		return;
	uint64_t since_us = t->decided_us > began->at_us ? t->decided_us : began->at_us;
	if (sim_now_us() > since_us + PROMPT_US)
		sim_observe_request_wrong(
			began, a->partition, &a->id,
			"it has had its outcome for long, and a call that waited for it was not told");
}

static void cover_answer(const struct ordain_result *r)
{
	switch (r->answer) {
	case ORDAIN_OK:
		sim_cover(r->status == ORDAIN_STATUS_SETTLED ? SIM_COVER_RESULT_SETTLED : SIM_COVER_RESULT_ACCEPTED);
		break;
	case ORDAIN_REFUSED:
		sim_cover(SIM_COVER_RESULT_REFUSED);
		break;
	case ORDAIN_UNKNOWN:
		sim_cover(r->status == ORDAIN_STATUS_ACCEPTED ? SIM_COVER_RESULT_UNKNOWN_ACCEPTED
							      : SIM_COVER_RESULT_UNKNOWN);
		break;
	case ORDAIN_FAILED:
		sim_cover(r->code == ORDAIN_ERR_DISK_FULL ? SIM_COVER_RESULT_DISK_FULL : SIM_COVER_RESULT_FAILED);
		break;
	}
}

void sim_observe_result(const struct sim_moment *began, const struct ordain_command *c, const struct ordain_result *r)
{
	struct ord_command command = sim_observe_command(c);
	uint32_t partition = ord_route_command(&command, sim_record_partitions_count());
	struct asked *a = asked_find(partition, &command.request_id);

	SIM_ASSERT(a != NULL); /* sim_observe_submit was called */
	if (memcmp(r->id.bytes, c->id.bytes, sizeof r->id.bytes) != 0)
		sim_observe_request_wrong(began, partition, &a->id, "it is about another id");
	if (!is_possible(r))
		sim_observe_request_wrong(began, partition, &a->id, "answer, status and code do not go together");
	cover_answer(r);
	if (r->answer == ORDAIN_UNKNOWN && r->code == ORDAIN_ERR_EXPIRED)
		unknown_expired_check(began, a);
	else if (r->answer == ORDAIN_UNKNOWN && r->status == ORDAIN_STATUS_ACCEPTED)
		patience_check(began, a);
	if (r->answer == ORDAIN_FAILED) {
		a->failed_count++;
		SIM_ASSERT(a->failed_count <= a->submits_count);
		failed_check(a);
	}
	if (r->answer == ORDAIN_UNKNOWN && a->status != ORDAIN_STATUS_SETTLED && a->status != ORDAIN_STATUS_REJECTED)
		a->unknown = true;
	if (r->status != ORDAIN_STATUS_NONE)
		told_check(began, &command, r, a);
}

/* --- All of it. --- */

static bool told_holds(const struct asked *a)
{
	struct ord_request_view view;

	if (a->status == ORDAIN_STATUS_NONE)
		return true;
	if (!sim_age_request(sim_record_partition(a->partition), a->partition, &a->id, &view) ||
	    view.result.position != a->position)
		return false;
	return a->status == ORDAIN_STATUS_ACCEPTED ||
	       ((int)view.result.status == (int)a->status && (int)view.result.reason == a->reason);
}

void sim_observe_check(void)
{
	char id[ORD_UUID_TEXT_SIZE];

	for (const struct asked *a = observe.asked; a != NULL; a = a->next) {
		failed_check(a);
		if (told_holds(a))
			continue;
		ord_uuid_format(&a->id, id);
		sim_fail(SIM_SAFETY,
			 "partition %u: of request %s a client was told '%s' at %llu, and the log has it no more",
			 a->partition, id, ordain_status_name(a->status), (unsigned long long)a->position);
	}
}
