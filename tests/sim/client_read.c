/* SPDX-License-Identifier: Apache-2.0 - a client reads accounts, histories, requests and names, and calls what nodes tell of themselves. What it sees is held against the logs by observe.h. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/coverage.h"
#include "tests/sim/work_state.h"
#include "tests/sim/world.h"

#define PAGES_MAX 6
#define NODE_NOBODY 99

static const char *what_of(enum work_action action)
{
	switch (action) {
	case WORK_READ_ACCOUNT:
		return "account";
	case WORK_READ_HISTORY:
		return "history";
	case WORK_READ_REQUEST:
		return "request";
	case WORK_READ_NAME:
		return "name";
	case WORK_CALL_STATUS:
		return "status";
	case WORK_CALL_CLUSTER:
		return "cluster";
	default:
		return "a wrong call";
	}
}

/* What may happen to every read while nodes fail. */
static bool problem_may_be(const struct work_client *c, const struct ordain_problem *problem)
{
	switch (problem->code) {
	case ORDAIN_ERR_BUSY:
	case ORDAIN_ERR_DISK_FULL:
	case ORDAIN_ERR_UNAVAILABLE:
	case ORDAIN_ERR_UNKNOWN_OUTCOME:
	case ORDAIN_ERR_TIMEOUT:
		return true;
	case ORDAIN_ERR_CLOSED:
		return c->closing;
	default:
		return false;
	}
}

bool sim_read_ended(struct work_client *c, const struct work_slot *s, const struct ordain_problem *problem, bool found)
{
	if ((problem != NULL) == found)
		sim_fail(SIM_SAFETY, "%s: %s: problem and answer, or neither", c->process.name, what_of(s->action));
	bool answered = found || problem->code == ORDAIN_ERR_NOT_FOUND ||
			(problem->code == ORDAIN_ERR_EXPIRED && s->action == WORK_READ_REQUEST);
	if (!answered && !problem_may_be(c, problem))
		sim_fail(SIM_SAFETY, "%s: %s: %s (%s): no node has a reason to say that", c->process.name,
			 what_of(s->action), problem->name, problem->message);
	if (s->final != WORK_NONE)
		sim_finals_end(s->final, answered);
	sim_client_wake(c, false);
	return answered;
}

/* --- Accounts. --- */

static void account_cb(const struct ordain_problem *problem, const struct ordain_account *account, void *arg)
{
	struct work_client *c;
	struct work_slot *s = sim_client_answered(arg, &c);
	if (s == NULL || !sim_read_ended(c, s, problem, account != NULL))
		return;
	sim_cover(SIM_COVER_READ_ACCOUNT);
	sim_observe_account(&s->began, s->text, account);
}

static void read_account(struct work_client *c, struct work_slot *s, const struct ordain_call_options *call)
{
	sim_client_took(c, s, ordain_get_account(c->library, s->text, call, account_cb, sim_client_token(c, s)));
}

/* --- Histories, page by page. --- */

static void read_history(struct work_client *c, struct work_slot *s, const struct ordain_call_options *call);

static void history_cb(const struct ordain_problem *problem, const struct ordain_history *history, void *arg)
{
	struct work_client *c;
	struct work_slot *s = sim_client_answered(arg, &c);
	if (s == NULL)
		return;
	bool more = history != NULL && history->next != 0 && s->pages_left > 0 && !c->closing;
	uint32_t final = s->final;
	if (more)
		s->final = WORK_NONE; /* not yet done */
	if (!sim_read_ended(c, s, problem, history != NULL))
		return;
	sim_cover(SIM_COVER_READ_HISTORY);
	sim_observe_history(&s->began, s->text, s->from, history);
	if (!more)
		return;
	struct ordain_call_options call;
	struct work_slot old = *s;
	struct work_slot *next = sim_client_slot(c, WORK_READ_HISTORY, &call);
	SIM_ASSERT(next != NULL);
	next->text = old.text;
	next->from = history->next;
	next->limit = old.limit;
	next->pages_left = old.pages_left - 1;
	next->final = final;
	if (final != WORK_NONE) /* so that it goes on from there when the library does not take the call now */
		work.finals[final].from = next->from;
	sim_cover(SIM_COVER_READ_HISTORY_PAGED);
	read_history(c, next, &call);
}

static void read_history(struct work_client *c, struct work_slot *s, const struct ordain_call_options *call)
{
	int err = ordain_get_history(c->library, s->text, s->from, s->limit, call, history_cb, sim_client_token(c, s));
	sim_client_took(c, s, err);
}

/* --- Requests. --- */

static void request_cb(const struct ordain_problem *problem, const struct ordain_request *request, void *arg)
{
	struct work_client *c;
	struct work_slot *s = sim_client_answered(arg, &c);
	if (s == NULL || !sim_read_ended(c, s, problem, request != NULL))
		return;
	if (problem != NULL && problem->code == ORDAIN_ERR_EXPIRED) {
		sim_observe_request_expired(&s->began, &s->id);
		return;
	}
	sim_cover(request != NULL ? SIM_COVER_READ_REQUEST : SIM_COVER_READ_REQUEST_NONE);
	sim_observe_request(&s->began, &s->id, request);
}

static void read_request(struct work_client *c, struct work_slot *s, const struct ordain_call_options *call)
{
	sim_client_took(c, s, ordain_get_request(c->library, &s->id, call, request_cb, sim_client_token(c, s)));
}

/* --- Names. --- */

static void name_cb(const struct ordain_problem *problem, const struct ordain_name *name, void *arg)
{
	struct work_client *c;
	struct work_slot *s = sim_client_answered(arg, &c);
	if (s == NULL || !sim_read_ended(c, s, problem, name != NULL))
		return;
	sim_cover(SIM_COVER_READ_NAME);
	sim_observe_name(&s->began, work.names[s->name].space, work.names[s->name].name, name);
}

static void read_name(struct work_client *c, struct work_slot *s, const struct ordain_call_options *call)
{
	const struct work_name *n = &work.names[s->name];
	sim_client_took(c, s, ordain_get_name(c->library, n->space, n->name, call, name_cb, sim_client_token(c, s)));
}

/* --- Calls of any method. --- */

static void call_cb(const struct ordain_problem *problem, const void *result, size_t result_len, void *arg)
{
	struct work_client *c;
	struct work_slot *s = sim_client_answered(arg, &c);
	if (s == NULL)
		return;
	bool is_right = s->action != WORK_CALL_WRONG && s->node != NODE_NOBODY;
	if (problem == NULL && (!is_right || result == NULL || result_len < 2))
		sim_fail(SIM_SAFETY, "%s: %s has a result that cannot be", c->process.name, what_of(s->action));
	bool expected = problem != NULL && !is_right &&
			(problem->code == ORDAIN_ERR_UNKNOWN_METHOD || problem->code == ORDAIN_ERR_MISSING_FIELD ||
			 problem->code == ORDAIN_ERR_UNKNOWN_FIELD || problem->code == ORDAIN_ERR_NOT_FOUND);
	if (problem != NULL && !expected && !problem_may_be(c, problem))
		sim_fail(SIM_SAFETY, "%s: %s: %s (%s): no node has a reason to say that", c->process.name,
			 what_of(s->action), problem->name, problem->message);
	if (expected)
		sim_cover(SIM_COVER_CALL_WRONG);
	else if (problem == NULL)
		sim_cover(s->action == WORK_CALL_STATUS ? SIM_COVER_CALL_STATUS : SIM_COVER_CALL_CLUSTER);
	sim_client_wake(c, false);
}

static void call_method(struct work_client *c, struct work_slot *s, const struct ordain_call_options *call)
{
	static const unsigned char odd_field[] = {0x81, 0xa3, 'o', 'd', 'd', 0x01};
	const char *method = s->action == WORK_CALL_STATUS ? "status" : "cluster";
	const void *params = NULL;
	size_t params_len = 0;
	if (s->action == WORK_CALL_WRONG && sim_percent(SIM_WORK, 50)) {
		method = sim_percent(SIM_WORK, 50) ? "account" : "no_such_method";
	} else if (s->action == WORK_CALL_WRONG) {
		params = odd_field;
		params_len = sizeof odd_field;
	}
	int err = ordain_call(c->library, s->node, method, params, params_len, call, call_cb, sim_client_token(c, s));
	sim_client_took(c, s, err);
}

/* --- Which one. --- */

static struct ordain_str pick_account(void)
{
	if (sim_once_in(SIM_WORK, 20))
		return sim_things_nobody();
	return work
		.accounts[sim_percent(SIM_WORK, 70) ? sim_things_account(sim_things_asset()) : sim_things_any_account()]
		.id;
}

static struct ordain_id pick_id(void)
{
	uint32_t ask = sim_once_in(SIM_WORK, 10) ? WORK_NONE : sim_asks_any();
	if (ask != WORK_NONE)
		return work.asks[ask].command.id;
	struct ordain_id id;
	int err = ordain_id_make(&id);
	SIM_ASSERT(err == 0);
	return id;
}

static void pick_page(struct work_slot *s)
{
	static const uint32_t limits[] = {0, 1, 2, 7, 20, 1000};
	s->limit = limits[sim_below(SIM_WORK, sizeof limits / sizeof *limits)];
	s->from = sim_percent(SIM_WORK, 60) ? sim_below(SIM_WORK, 2) : sim_below(SIM_WORK, 60);
	s->pages_left = (uint32_t)sim_below(SIM_WORK, PAGES_MAX);
}

static void slot_read(struct work_client *c, struct work_slot *s, const struct ordain_call_options *call)
{
	switch (s->action) {
	case WORK_READ_ACCOUNT:
		read_account(c, s, call);
		break;
	case WORK_READ_HISTORY:
		read_history(c, s, call);
		break;
	case WORK_READ_REQUEST:
		read_request(c, s, call);
		break;
	case WORK_READ_NAME:
		read_name(c, s, call);
		break;
	default:
		call_method(c, s, call);
	}
}

void sim_read_begin(struct work_client *c, enum work_action action)
{
	struct ordain_str account = pick_account();
	struct ordain_id id = pick_id();
	struct ordain_call_options call;
	struct work_slot *s = sim_client_slot(c, action, &call);
	SIM_ASSERT(s != NULL);
	s->text = account;
	s->id = id;
	if (action == WORK_READ_HISTORY)
		pick_page(s);
	if (action == WORK_READ_NAME)
		s->name = sim_things_name();
	/* A certain node, any, or one that there is not. */
	if (action >= WORK_CALL_STATUS && sim_percent(SIM_WORK, 60))
		s->node = sim_once_in(SIM_WORK, 20) ? NODE_NOBODY
						    : 1 + (uint32_t)sim_below(SIM_WORK, work.addresses_count);
	slot_read(c, s, &call);
}

/* What the request changed, or the request itself. */
static struct work_read read_of(const struct work_ask *a)
{
	struct work_read r = {.action = WORK_READ_REQUEST, .id = a->command.id};
	switch (a->command.kind) {
	case ORDAIN_TRANSFER:
		r.text = sim_percent(SIM_WORK, 50) ? a->command.transfer.payer : a->command.transfer.payee;
		break;
	case ORDAIN_OPEN_ACCOUNT:
		r.text = a->command.open_account.account;
		break;
	case ORDAIN_SET_ACCOUNT:
		r.text = a->command.set_account.account;
		break;
	default:
		if (a->thing != WORK_NONE) {
			r.action = WORK_READ_NAME;
			r.name = a->thing;
		}
		return r;
	}
	if (sim_percent(SIM_WORK, 80))
		r.action = WORK_READ_ACCOUNT;
	return r;
}

void sim_read_by_another(const struct work_client *told, uint32_t ask)
{
	struct work_client *c = &work.clients[sim_below(SIM_WORK, work.options.clients_count)];
	if (c == told || c->process.state != SIM_UP || c->echoes_count == WORK_ECHOES_MAX || work.finishing)
		return;
	c->echoes[c->echoes_count++] = read_of(&work.asks[ask]);
	struct sim_process *before = sim_enter(&c->process);
	sim_client_wake(c, true);
	sim_enter(before);
}

static void read_chosen(struct work_client *c, struct work_slot *s, const struct work_read *r,
			const struct ordain_call_options *call)
{
	s->text = r->text;
	s->from = r->from;
	s->id = r->id;
	s->name = r->name;
	slot_read(c, s, call);
}

void sim_read_echo(struct work_client *c)
{
	struct work_read r = c->echoes[--c->echoes_count];
	struct ordain_call_options call;
	if (sim_peek_may(&r)) {
		sim_peek(c, &r);
		return;
	}
	struct work_slot *s = sim_client_slot(c, r.action, &call);
	SIM_ASSERT(s != NULL);
	read_chosen(c, s, &r, &call);
}

void sim_read_final(struct work_client *c, uint32_t final)
{
	const struct work_read *f = &work.finals[final];
	struct ordain_call_options call;
	struct work_slot *s = sim_client_slot(c, f->action, &call);
	SIM_ASSERT(s != NULL);
	s->final = final;
	s->limit = 1000;
	s->pages_left = UINT32_MAX;
	read_chosen(c, s, f, &call);
}
