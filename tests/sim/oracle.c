/* SPDX-License-Identifier: Apache-2.0 - the naive model beside the logs. */
#include "tests/sim/oracle.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "partition/state.h"
#include "tests/model/compare.h"
#include "tests/model/model.h"
#include "tests/sim/world.h"

/* The model looks for each request from the first one on. For 6,000 of them that takes 0.07 s, for ten times as many it would cost more than the cluster; so from here on it sleeps,
 * and what is left are the invariants and what follow.h checks. */
#define ORACLE_REQUESTS_MAX 8000

static struct {
	struct model model;
	struct lab lab; /* of it only the copies (borrowed) and the effects are used */
	struct compare compare;
	char *text; /* owned; what compare.out has written */
	size_t text_len;
	bool asleep;

	/* Of the entry at work. */
	struct ord_reply *replies; /* owned */
	size_t replies_count;
	size_t replies_capacity;
	const struct ord_account **touched; /* owned; what they point to is not */
	size_t touched_count;
	size_t touched_capacity;

	size_t postings_checked;
} oracle;

void sim_oracle_open(uint32_t partitions_count, struct ord_partition *const *copies)
{
	memset(&oracle, 0, sizeof oracle);
	model_open(&oracle.model, partitions_count);
	oracle.lab.partitions_count = partitions_count;
	for (uint32_t i = 0; i < partitions_count; i++)
		oracle.lab.partitions[i] = copies[i];
	ord_effects_init(&oracle.lab.fx);
	oracle.compare.model = &oracle.model;
	oracle.compare.lab = &oracle.lab;
	oracle.compare.out = open_memstream(&oracle.text, &oracle.text_len);
	SIM_ASSERT(oracle.compare.out != NULL);
}

void sim_oracle_close(void)
{
	if (oracle.compare.out == NULL)
		return;
	fclose(oracle.compare.out);
	free(oracle.text);
	free(oracle.replies);
	free(oracle.touched);
	ord_effects_close(&oracle.lab.fx);
	model_close(&oracle.model);
	memset(&oracle, 0, sizeof oracle);
}

struct ord_effects *sim_oracle_effects(void)
{
	return &oracle.lab.fx;
}

/* --- Differences. --- */

__attribute__((format(printf, 1, 2))) static void differ(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("  ", oracle.compare.out);
	vfprintf(oracle.compare.out, format, arguments);
	fputc('\n', oracle.compare.out);
	va_end(arguments);
	oracle.compare.found++;
}

static void number(const char *whose, const char *what, __int128 real, __int128 model)
{
	if (real != model)
		differ("%s: %s is %lld, the model says %lld", whose, what, (long long)real, (long long)model);
}

static void differences_tell(const char *when)
{
	if (oracle.compare.found == 0)
		return;
	fflush(oracle.compare.out);
	sim_fail(SIM_SAFETY, "%s the naive model says otherwise:\n%s", when, oracle.text);
}

/* --- One entry. --- */

void sim_oracle_begin(void)
{
	oracle.replies_count = 0;
	oracle.touched_count = 0;
	oracle.model.outcomes_count = 0;
}

static void *grow(void *base, size_t count, size_t *capacity, size_t record_bytes)
{
	if (count < *capacity)
		return base;
	*capacity = *capacity == 0 ? 64 : 2 * *capacity;
	base = realloc(base, *capacity * record_bytes);
	SIM_ASSERT(base != NULL);
	return base;
}

void sim_oracle_command(uint32_t partition, uint32_t number_in_entry, const struct ord_command *c, uint64_t time_us)
{
	struct ord_reply reply = {.command_number = number_in_entry};

	if (oracle.asleep || !model_apply(&oracle.model, partition, c, time_us, &reply.result))
		return;
	oracle.replies = grow(oracle.replies, oracle.replies_count, &oracle.replies_capacity, sizeof *oracle.replies);
	oracle.replies[oracle.replies_count++] = reply;
}

void sim_oracle_touch(const struct ord_account *a)
{
	oracle.touched = grow(oracle.touched, oracle.touched_count, &oracle.touched_capacity, sizeof(void *));
	oracle.touched[oracle.touched_count++] = a;
}

static void compare_account(const struct ord_account *a)
{
	struct model_text id = model_text_of(ord_account_id(a));
	const struct model_account *model = model_account(&oracle.model, &id);
	char whose[96];

	snprintf(whose, sizeof whose, "account '%.*s'", (int)id.len, id.bytes);
	if (model == NULL) {
		differ("%s: the model has none", whose);
		return;
	}
	number(whose, "state", a->state, model->state);
	number(whose, "balance", a->balance, model->balance);
	number(whose, "count of postings", a->postings_count, model->postings_count);
}

static void compare_lanes(uint32_t partition)
{
	const struct ord_partition *p = oracle.lab.partitions[partition];
	char whose[64];

	for (uint32_t other = 0; other < oracle.model.partitions_count; other++) {
		const struct model_mail *out = &oracle.model.mail[partition][other];
		const struct model_mail *in = &oracle.model.mail[other][partition];

		if (other == partition)
			continue;
		snprintf(whose, sizeof whose, "partitions %u and %u", partition, other);
		number(whose, "next number sent", ord_partition_outbox_next(p, other), out->count + 1);
		number(whose, "first number kept", ord_partition_outbox_first(p, other), out->trimmed + 1);
		number(whose, "cursor", ord_partition_cursor(p, other), in->cursor);
	}
}

void sim_oracle_compare(uint32_t partition, uint64_t entry)
{
	char when[64];

	if (oracle.asleep)
		return;
	compare_effects(&oracle.compare, oracle.replies, oracle.replies_count);
	for (size_t i = 0; i < oracle.touched_count; i++)
		compare_account(oracle.touched[i]);
	compare_lanes(partition);
	snprintf(when, sizeof when, "after entry %" PRIu64 " of partition %u", entry, partition);
	differences_tell(when);
	oracle.asleep = oracle.model.requests_count > ORACLE_REQUESTS_MAX;
}

/* --- All of it. --- */

static void check_account(const struct model_account *model)
{
	struct ord_account_view real;
	char whose[96];

	snprintf(whose, sizeof whose, "account '%.*s'", (int)model->id.len, model->id.bytes);
	if (ord_partition_account(oracle.lab.partitions[model->partition], model_text_slice(&model->id), &real) !=
	    ORD_OK) {
		differ("%s does not exist", whose);
		return;
	}
	if (!ord_slice_equal(real.asset, model_text_slice(&model->asset)))
		differ("%s has another asset than the model's '%.*s'", whose, (int)model->asset.len,
		       model->asset.bytes);
	number(whose, "state", real.state, model->state);
	number(whose, "balance", real.balance, model->balance > INT64_MAX ? INT64_MAX : model->balance);
	number(whose, "floor", real.floor, model->floor);
	number(whose, "ceiling", real.ceiling, model->ceiling);
	number(whose, "time of opening", real.opened_us, model->opened_us);
	number(whose, "count of postings", real.postings_count, model->postings_count);
}

static void check_posting(const struct model_posting *model)
{
	const struct model_account *account = model_account(&oracle.model, &model->account);
	struct ord_posting_view real;
	size_t count = 0;
	char whose[128];

	snprintf(whose, sizeof whose, "account '%.*s', posting %" PRIu64, (int)model->account.len, model->account.bytes,
		 model->number);
	ord_partition_history(oracle.lab.partitions[account->partition], model_text_slice(&model->account),
			      model->number, &real, 1, &count);
	if (count != 1) {
		differ("%s is missing", whose);
		return;
	}
	if (!ord_uuid_equal(&real.request_id, &model->request_id) ||
	    !ord_slice_equal(real.counterparty, model_text_slice(&model->counterparty)))
		differ("%s is of another transfer than the model's", whose);
	number(whose, "kind", real.kind, model->kind);
	number(whose, "amount", real.amount, model->amount);
	number(whose, "balance after", real.balance_after,
	       model->balance_after > INT64_MAX ? INT64_MAX : model->balance_after);
	number(whose, "position", real.position, model->position);
	number(whose, "time", real.time_us, model->time_us);
}

/* Not the payload: what clients are told of a request is held against what they asked (observe.h). */
static void check_request(const struct model_request *model)
{
	struct ord_request_view real;
	char whose[64], id[ORD_UUID_TEXT_SIZE];

	ord_uuid_format(&model->id, id);
	snprintf(whose, sizeof whose, "request %s", id);
	int err = ord_partition_request(oracle.lab.partitions[model->partition], &model->id, &real);
	bool is_expired = model_is_expired(&oracle.model, model->partition, &model->id);
	if (err != (is_expired ? ORD_ERR_EXPIRED : ORD_OK))
		differ("%s is not known, or not forgotten: %s", whose, ord_err_text(err));
	if (err != ORD_OK)
		return;
	number(whose, "kind", real.command.kind, model->payload.kind);
	number(whose, "status", real.result.status, model->result.status);
	number(whose, "reason", real.result.reason, model->result.reason);
	number(whose, "position", real.result.position, model->result.position);
	number(whose, "time of logging", real.logged_us, model->logged_us);
	number(whose, "time of deciding", real.decided_us, model->decided_us);
}

static void check_name(const struct model_name *model)
{
	struct ord_name_view real;
	char whose[352];
	bool owned = ord_partition_name(oracle.lab.partitions[model->partition], model_text_slice(&model->space),
					model_text_slice(&model->name), &real) == ORD_OK;

	snprintf(whose, sizeof whose, "name '%.*s' '%.*s'", (int)model->space.len, model->space.bytes,
		 (int)model->name.len, model->name.bytes);
	number(whose, "having an owner", owned, model->owned);
	if (!owned || !model->owned)
		return;
	if (!ord_slice_equal(real.owner, model_text_slice(&model->owner)))
		differ("%s has another owner than the model's '%.*s'", whose, (int)model->owner.len,
		       model->owner.bytes);
	number(whose, "position", real.position, model->position);
	number(whose, "time", real.since_us, model->since_us);
}

void sim_oracle_check(void)
{
	const struct model *m = &oracle.model;

	if (oracle.asleep)
		return;
	for (size_t i = 0; i < m->accounts_count; i++)
		check_account(&m->accounts[i]);
	for (; oracle.postings_checked < m->postings_count; oracle.postings_checked++)
		check_posting(&m->postings[oracle.postings_checked]);
	for (size_t i = 0; i < m->requests_count; i++)
		check_request(&m->requests[i]);
	for (size_t i = 0; i < m->names_count; i++)
		check_name(&m->names[i]);
	for (uint32_t i = 0; i < m->partitions_count; i++)
		compare_lanes(i);
	differences_tell("of the whole state");
}
