/* SPDX-License-Identifier: Apache-2.0 - a client submits requests, and checks of each result what ordain.h promises of any. Whether it is the right one is for observe.h. */
#include <string.h>

#include "tests/sim/coverage.h"
#include "tests/sim/work_state.h"
#include "tests/sim/world.h"

#define BATCH_LARGE 20

__attribute__((noreturn)) static void result_fail(const struct work_client *c, const struct ordain_command *asked,
						  const struct ordain_result *r, const char *why)
{
	char id[ORDAIN_ID_TEXT_SIZE];
	ordain_id_format(&asked->id, id);
	sim_fail(SIM_SAFETY, "%s: %s %s is told %s, status %s, code %d (%s, field %s: %s): %s", c->process.name,
		 ordain_command_name(asked->kind), id, ordain_answer_name(r->answer), ordain_status_name(r->status),
		 r->code, r->name, r->field == NULL ? "none" : r->field, r->message, why);
}

/* NULL, or what is wrong with a decided result. */
static const char *decided_fault(const struct ordain_command *asked, const struct ordain_result *r,
				 enum ordain_wait wait)
{
	if (r->answer == ORDAIN_REFUSED) {
		bool is_complete = r->status == ORDAIN_STATUS_REJECTED && r->code > 0 && r->name[0] != '\0' &&
				   r->message[0] != '\0';
		return is_complete ? NULL : "a refusal is rejected, with a reason";
	}
	if (r->code != 0 || r->name[0] != '\0' || r->message[0] != '\0' || r->field != NULL)
		return "what was done has no reason";
	if (r->status == ORDAIN_STATUS_SETTLED)
		return NULL;
	if (r->status != ORDAIN_STATUS_ACCEPTED || wait != ORDAIN_WAIT_LOGGED)
		return "what was done is settled, or accepted if that is what was waited for";
	return asked->kind == ORDAIN_TRANSFER ? NULL : "only transfers are accepted and settled later";
}

/* The same for one that was not decided. A program that closes the library is told so of what was not sent. */
static const char *undecided_fault(const struct ordain_command *asked, const struct ordain_result *r, bool closing)
{
	if (r->status == ORDAIN_STATUS_NONE && (r->partition != 0 || r->offset != 0))
		return "what is not known to be logged has no position";
	if (r->answer == ORDAIN_UNKNOWN) {
		if (r->code != ORDAIN_ERR_UNKNOWN_OUTCOME && r->code != ORDAIN_ERR_EXPIRED)
			return "no node has a reason to say that";
		if (r->status == ORDAIN_STATUS_NONE)
			return NULL;
		return r->status == ORDAIN_STATUS_ACCEPTED && asked->kind == ORDAIN_TRANSFER
			       ? NULL
			       : "only a transfer is accepted";
	}
	if (r->answer != ORDAIN_FAILED)
		return "there is no such answer";
	if (r->status != ORDAIN_STATUS_NONE)
		return "what failed was not logged";
	bool may_be = r->code == ORDAIN_ERR_BUSY || r->code == ORDAIN_ERR_DISK_FULL ||
		      r->code == ORDAIN_ERR_UNAVAILABLE || (closing && r->code == ORDAIN_ERR_CLOSED);
	return may_be ? NULL : "no node has a reason to say that";
}

static void result_check(const struct work_client *c, const struct work_slot *s, const struct ordain_command *asked,
			 const struct ordain_result *r)
{
	const char *why;
	if (memcmp(r->id.bytes, asked->id.bytes, sizeof r->id.bytes) != 0)
		why = "the result has another id";
	else if (r->name == NULL || r->message == NULL)
		result_fail(c, asked, &(struct ordain_result){.name = "", .message = ""}, "a text is missing");
	else if (r->answer == ORDAIN_OK || r->answer == ORDAIN_REFUSED)
		why = decided_fault(asked, r, s->wait);
	else
		why = undecided_fault(asked, r, c->closing);
	if (why != NULL)
		result_fail(c, asked, r, why);
}

static void results_trace(const struct work_slot *s, const struct ordain_result *results)
{
	uint64_t counts[ORDAIN_FAILED + 1] = {0};
	for (uint32_t i = 0; i < s->asks_count; i++)
		counts[results[i].answer]++;
	sim_trace("submit: %llu ok, %llu refused, %llu unknown, %llu failed", counts[ORDAIN_OK], counts[ORDAIN_REFUSED],
		  counts[ORDAIN_UNKNOWN], counts[ORDAIN_FAILED]);
}

static void submit_cb(const struct ordain_result *results, size_t count, void *arg)
{
	struct work_client *c;
	struct work_slot *s = sim_client_answered(arg, &c);
	if (s == NULL)
		return;
	if (count != s->asks_count)
		sim_fail(SIM_SAFETY, "%s: %zu results for %u commands", c->process.name, count, s->asks_count);
	if (s->wait == ORDAIN_WAIT_LOGGED && results[0].answer == ORDAIN_OK)
		sim_cover(SIM_COVER_WAIT_LOGGED);
	for (uint32_t i = 0; i < s->asks_count; i++) {
		const struct ordain_command *asked = &work.asks[s->asks[i]].command;
		result_check(c, s, asked, &results[i]);
		struct sim_moment began = s->began;
		if (s->asks_count > 1)
			began.at_us = UINT64_MAX;
		sim_observe_result(&began, asked, &results[i]);
		sim_asks_end(s->asks[i], &results[i], c);
		if (results[i].answer == ORDAIN_OK && sim_percent(SIM_WORK, work.mix.echo_percent))
			sim_read_by_another(c, s->asks[i]);
	}
	results_trace(s, results);
	sim_client_wake(c, c->follow_count > 0);
}

static void slot_submit(struct work_client *c, struct work_slot *s, const struct ordain_call_options *call)
{
	bool mixed = false;
	for (uint32_t i = 0; i < s->asks_count; i++) {
		work.commands[i] = work.asks[s->asks[i]].command;
		mixed |= work.commands[i].kind != work.commands[0].kind;
	}
	int err = ordain_submit(c->library, work.commands, s->asks_count, call, submit_cb, sim_client_token(c, s));
	/* The library copies commands: what they were made of may go. */
	memset(work.commands, 0, s->asks_count * sizeof *work.commands);
	if (!sim_client_took(c, s, err)) {
		for (uint32_t i = 0; i < s->asks_count; i++)
			sim_asks_withdraw(s->asks[i]);
		return;
	}
	for (uint32_t i = 0; i < s->asks_count; i++)
		sim_observe_submit(&work.asks[s->asks[i]].command);
	if (mixed)
		sim_cover(SIM_COVER_BATCH_MIXED);
	if (s->asks_count >= BATCH_LARGE)
		sim_cover(SIM_COVER_BATCH_LARGE);
}

static void slot_add(struct work_slot *s, uint32_t ask)
{
	sim_asks_begin(ask);
	s->asks[s->asks_count++] = ask;
}

/* How many more go with it, and whether in any case so many: what is asked again serves as well. */
static uint32_t batch_more(bool *ret_full)
{
	*ret_full = false;
	if (work.finishing || !sim_percent(SIM_WORK, work.mix.batch_percent))
		return 0;
	*ret_full = sim_percent(SIM_WORK, work.options.batches ? 60 : 12);
	return *ret_full ? work.options.batch_max - 1 : (uint32_t)sim_below(SIM_WORK, work.options.batch_max);
}

void sim_submit_ask(struct work_client *c, uint32_t ask)
{
	struct ordain_call_options call;
	struct work_slot *s = sim_client_slot(c, WORK_TRANSFER, &call);
	SIM_ASSERT(s != NULL);
	slot_add(s, ask);
	bool full;
	for (uint32_t more = batch_more(&full); more > 0; more--) {
		uint32_t other = sim_choose_ask(c, sim_mix_command());
		if (other == WORK_NONE && full)
			other = sim_asks_any();
		if (other != WORK_NONE)
			slot_add(s, other);
	}
	slot_submit(c, s, &call);
}

void sim_submit_loose(struct work_client *c)
{
	struct ordain_call_options call;
	struct work_slot *s = sim_client_slot(c, WORK_LOOSE, &call);
	SIM_ASSERT(s != NULL);
	uint32_t ask;
	while (s->asks_count < work.options.batch_max && (ask = sim_asks_loose()) != WORK_NONE)
		slot_add(s, ask);
	slot_submit(c, s, &call);
}

/* --- What the library or a node must refuse to take. --- */

static void malformed_cb(const struct ordain_result *results, size_t count, void *arg)
{
	struct work_client *c;
	struct work_slot *s = sim_client_answered(arg, &c);
	if (s == NULL)
		return;
	if (count != 1)
		sim_fail(SIM_SAFETY, "%s: %zu results for a command", c->process.name, count);
	const struct ordain_result *r = &results[0];
	const struct ordain_command asked = {.kind = ORDAIN_TRANSFER, .id = s->id};
	/* Unknown: a node that did not answer may have seen it first, for all that the library knows. */
	bool is_rejected = (r->answer == ORDAIN_FAILED || r->answer == ORDAIN_UNKNOWN) &&
			   r->code == ORDAIN_ERR_INVALID_FIELD && r->field != NULL;
	const char *why = is_rejected ? NULL : undecided_fault(&asked, r, c->closing);
	if (why != NULL || r->status != ORDAIN_STATUS_NONE)
		result_fail(c, &asked, r, why != NULL ? why : "it was malformed, and logged");
	if (is_rejected)
		sim_cover(SIM_COVER_MALFORMED);
	sim_client_wake(c, false);
}

void sim_submit_malformed(struct work_client *c)
{
	struct ordain_command malformed = sim_change_malformed();
	struct ordain_call_options call;
	struct work_slot *s = sim_client_slot(c, WORK_MALFORMED, &call);
	SIM_ASSERT(s != NULL);
	s->id = malformed.id;
	sim_client_took(c, s, ordain_submit(c->library, &malformed, 1, &call, malformed_cb, sim_client_token(c, s)));
}
