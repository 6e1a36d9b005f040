/* SPDX-License-Identifier: Apache-2.0 - the blocking form: a client on a loop of its own, turned until the one call is done. */
#include <stdlib.h>
#include <uv.h>

#include "client/ordain.h"
#include "client/texts.h"

struct ordain_sync {
	uv_loop_t loop;
	struct ordain_client *client; /* owned */
	bool done;
	bool closed;
	struct ord_texts texts; /* of the last call's answer or problem */
	struct ordain_problem problem;
	void *into; /* where the answer of the call under way goes */
};

int ordain_sync_open(const struct ordain_options *options, struct ordain_sync **ret)
{
	struct ordain_sync *s = calloc(1, sizeof *s);
	if (s == NULL)
		return ORDAIN_ERR_MEMORY;
	if (uv_loop_init(&s->loop) != 0) {
		free(s);
		return ORDAIN_ERR_SYSTEM;
	}
	s->problem = (struct ordain_problem){.name = ordain_error_name(0), .message = ordain_strerror(0)};
	int err = ordain_open(&s->loop, options, &s->client);
	if (err != 0) {
		uv_loop_close(&s->loop);
		free(s);
		return err;
	}
	*ret = s;
	return 0;
}

static void sync_closed(void *arg)
{
	struct ordain_sync *s = arg;
	s->closed = true;
}

void ordain_sync_close(struct ordain_sync *s)
{
	if (s == NULL)
		return;
	ordain_close(s->client, sync_closed, s);
	while (!s->closed)
		uv_run(&s->loop, UV_RUN_ONCE);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	uv_loop_close(&s->loop);
	ord_texts_close(&s->texts);
	free(s);
}

const struct ordain_problem *ordain_sync_problem(const struct ordain_sync *s)
{
	return &s->problem;
}

/* What every call begins with. */
static void sync_begin(struct ordain_sync *s, void *into)
{
	ord_texts_close(&s->texts);
	s->problem = (struct ordain_problem){.name = ordain_error_name(0), .message = ordain_strerror(0)};
	s->done = false;
	s->into = into;
}

/* And ends with; err is what beginning it gave. */
static int sync_end(struct ordain_sync *s, int err)
{
	if (err != 0)
		s->problem = (struct ordain_problem){
			.code = err, .name = ordain_error_name(err), .message = ordain_strerror(err)};
	else
		while (!s->done)
			uv_run(&s->loop, UV_RUN_ONCE);
	return s->problem.code;
}

static const char *text_keep(struct ordain_sync *s, const char *text)
{
	return text == NULL ? NULL : ord_texts_keep(&s->texts, ord_slice_text(text));
}

static void str_keep(struct ordain_sync *s, struct ordain_str *str)
{
	char *copy = str->len == 0 ? NULL : ord_texts_room(&s->texts, str->len);
	if (copy == NULL)
		str->len = 0;
	else
		memcpy(copy, str->base, str->len);
	str->base = copy;
}

/* Ends the wait; true when there is an answer to keep. */
static bool sync_done(struct ordain_sync *s, const struct ordain_problem *problem)
{
	s->done = true;
	if (problem == NULL)
		return true;
	s->problem = (struct ordain_problem){.code = problem->code,
					     .name = text_keep(s, problem->name),
					     .message = text_keep(s, problem->message),
					     .field = text_keep(s, problem->field)};
	return false;
}

static void submit_cb(const struct ordain_result *results, size_t count, void *arg)
{
	struct ordain_sync *s = arg;
	struct ordain_result *into = s->into;
	for (size_t i = 0; i < count; i++) {
		into[i] = results[i];
		into[i].name = text_keep(s, results[i].name);
		into[i].message = text_keep(s, results[i].message);
		into[i].field = text_keep(s, results[i].field);
	}
	sync_done(s, NULL);
}

int ordain_sync_submit(struct ordain_sync *s, const struct ordain_command *commands, size_t count,
		       const struct ordain_call_options *call, struct ordain_result *results)
{
	sync_begin(s, results);
	return sync_end(s, ordain_submit(s->client, commands, count, call, submit_cb, s));
}

static void account_cb(const struct ordain_problem *problem, const struct ordain_account *account, void *arg)
{
	struct ordain_sync *s = arg;
	struct ordain_account *into = s->into;
	if (!sync_done(s, problem))
		return;
	*into = *account;
	str_keep(s, &into->account);
	str_keep(s, &into->asset);
}

int ordain_sync_account(struct ordain_sync *s, struct ordain_str account, const struct ordain_call_options *call,
			struct ordain_account *ret)
{
	sync_begin(s, ret);
	return sync_end(s, ordain_get_account(s->client, account, call, account_cb, s));
}

static void history_cb(const struct ordain_problem *problem, const struct ordain_history *history, void *arg)
{
	struct ordain_sync *s = arg;
	struct ordain_history *into = s->into;
	if (!sync_done(s, problem))
		return;
	*into = *history;
	str_keep(s, &into->account);
	struct ordain_posting *postings = ord_texts_room(&s->texts, history->postings_count * sizeof *postings);
	if (postings == NULL)
		into->postings_count = 0;
	for (size_t i = 0; i < into->postings_count; i++) {
		postings[i] = history->postings[i];
		str_keep(s, &postings[i].counterparty);
	}
	into->postings = postings;
}

int ordain_sync_history(struct ordain_sync *s, struct ordain_str account, uint64_t from, uint32_t limit,
			const struct ordain_call_options *call, struct ordain_history *ret)
{
	sync_begin(s, ret);
	return sync_end(s, ordain_get_history(s->client, account, from, limit, call, history_cb, s));
}

static void command_keep(struct ordain_sync *s, struct ordain_command *c)
{
	switch (c->kind) {
	case ORDAIN_OPEN_ACCOUNT:
		str_keep(s, &c->open_account.account);
		str_keep(s, &c->open_account.asset);
		break;
	case ORDAIN_SET_ACCOUNT:
		str_keep(s, &c->set_account.account);
		break;
	case ORDAIN_TRANSFER:
		str_keep(s, &c->transfer.payer);
		str_keep(s, &c->transfer.payee);
		str_keep(s, &c->transfer.asset);
		break;
	case ORDAIN_CLAIM:
	case ORDAIN_RELEASE:
	case ORDAIN_REASSIGN:
		str_keep(s, &c->naming.space);
		str_keep(s, &c->naming.name);
		str_keep(s, &c->naming.owner);
		str_keep(s, &c->naming.expected);
		break;
	}
}

static void request_cb(const struct ordain_problem *problem, const struct ordain_request *request, void *arg)
{
	struct ordain_sync *s = arg;
	struct ordain_request *into = s->into;
	if (!sync_done(s, problem))
		return;
	*into = *request;
	command_keep(s, &into->command);
	into->name = text_keep(s, request->name);
	into->message = text_keep(s, request->message);
}

int ordain_sync_request(struct ordain_sync *s, const struct ordain_id *id, const struct ordain_call_options *call,
			struct ordain_request *ret)
{
	sync_begin(s, ret);
	return sync_end(s, ordain_get_request(s->client, id, call, request_cb, s));
}

static void name_cb(const struct ordain_problem *problem, const struct ordain_name *name, void *arg)
{
	struct ordain_sync *s = arg;
	struct ordain_name *into = s->into;
	if (!sync_done(s, problem))
		return;
	*into = *name;
	str_keep(s, &into->space);
	str_keep(s, &into->name);
	str_keep(s, &into->owner);
}

int ordain_sync_name(struct ordain_sync *s, struct ordain_str space, struct ordain_str name,
		     const struct ordain_call_options *call, struct ordain_name *ret)
{
	sync_begin(s, ret);
	return sync_end(s, ordain_get_name(s->client, space, name, call, name_cb, s));
}

static void call_cb(const struct ordain_problem *problem, const void *result, size_t result_len, void *arg)
{
	struct ordain_sync *s = arg;
	struct ordain_str *into = s->into;
	if (!sync_done(s, problem))
		return;
	*into = (struct ordain_str){result, result_len};
	str_keep(s, into);
}

int ordain_sync_call(struct ordain_sync *s, uint32_t node, const char *method, const void *params, size_t params_len,
		     const struct ordain_call_options *call, const void **ret_result, size_t *ret_result_len)
{
	struct ordain_str result = {0};
	sync_begin(s, &result);
	int err = sync_end(s, ordain_call(s->client, node, method, params, params_len, call, call_cb, s));
	if (err == 0) {
		*ret_result = result.base;
		*ret_result_len = result.len;
	}
	return err;
}
