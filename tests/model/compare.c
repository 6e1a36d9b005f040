/* SPDX-License-Identifier: Apache-2.0 - where real partitions and the model differ. */
#include "tests/model/compare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "tests/support/text.h"

#define POSTINGS_PEEKED 64

__attribute__((format(printf, 2, 3))) static void differ(struct compare *c, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("  ", c->out);
	vfprintf(c->out, format, arguments);
	fputc('\n', c->out);
	va_end(arguments);
	c->found++;
}

static void number(struct compare *c, const char *whose, const char *what, __int128 real, __int128 model)
{
	if (real != model)
		differ(c, "%s: %s is %lld, the model says %lld", whose, what, (long long)real, (long long)model);
}

/* Refunds can lift a balance over what an amount can say; then the most that it can say is told. */
static __int128 shortened(__int128 balance)
{
	return balance > INT64_MAX ? INT64_MAX : balance;
}

static void text(struct compare *c, const char *whose, const char *what, struct ord_slice real,
		 const struct model_text *model)
{
	if (!ord_slice_equal(real, model_text_slice(model)))
		differ(c, "%s: %s is '%.*s', the model says '%.*s'", whose, what, (int)real.len,
		       real.len == 0 ? "" : (const char *)real.base, (int)model->len, model->bytes);
}

static void id(struct compare *c, const char *whose, const char *what, const struct ord_uuid *real,
	       const struct ord_uuid *model)
{
	if (!ord_uuid_equal(real, model))
		differ(c, "%s: %s is another request id than the model's '%.16s'", whose, what,
		       (const char *)model->bytes);
}

static void result(struct compare *c, const char *whose, const struct ord_result *real, const struct ord_result *model)
{
	bool same_field = (real->field == NULL) == (model->field == NULL);

	if (same_field && real->field != NULL)
		same_field = strcmp(real->field, model->field) == 0;
	if (real->status == model->status && real->reason == model->reason && real->replayed == model->replayed &&
	    real->position == model->position && same_field)
		return;
	differ(c, "%s differs:", whose);
	fputs("    real:  ", c->out);
	text_result(c->out, real);
	fprintf(c->out, " at %" PRIu64 "\n    model: ", real->position);
	text_result(c->out, model);
	fprintf(c->out, " at %" PRIu64 "\n", model->position);
}

/* --- Effects. --- */

static void compare_outcomes(struct compare *c)
{
	const struct ord_effects *fx = &c->lab->fx;
	char whose[64];

	number(c, "entry", "count of outcomes", fx->outcomes_count, c->model->outcomes_count);
	for (size_t i = 0; i < fx->outcomes_count && i < c->model->outcomes_count; i++) {
		snprintf(whose, sizeof whose, "outcome %zu", i);
		id(c, whose, "request", &fx->outcomes[i].request_id, &c->model->outcomes[i].request_id);
		result(c, whose, &fx->outcomes[i].result, &c->model->outcomes[i].result);
	}
}

void compare_effects(struct compare *c, const struct ord_reply *replies, size_t replies_count)
{
	const struct ord_effects *fx = &c->lab->fx;
	char whose[64];

	number(c, "entry", "count of replies", fx->replies_count, replies_count);
	for (size_t i = 0; i < fx->replies_count && i < replies_count; i++) {
		snprintf(whose, sizeof whose, "reply to command %u", replies[i].command_number);
		number(c, whose, "its place", fx->replies[i].command_number, replies[i].command_number);
		result(c, whose, &fx->replies[i].result, &replies[i].result);
	}
	compare_outcomes(c);
}

/* --- Accounts. --- */

static const struct model_posting *find_posting(const struct model *m, const struct model_text *account,
						uint64_t posting_number)
{
	for (size_t i = 0; i < m->postings_count; i++) {
		if (m->postings[i].number == posting_number && model_text_equal(&m->postings[i].account, account))
			return &m->postings[i];
	}
	return NULL;
}

static void compare_posting(struct compare *c, const char *account, const struct ord_posting_view *real,
			    const struct model_posting *model)
{
	char whose[128];

	snprintf(whose, sizeof whose, "%s posting %" PRIu64, account, real->number);
	if (model == NULL) {
		differ(c, "%s: the model has none", whose);
		return;
	}
	number(c, whose, "kind", real->kind, model->kind);
	id(c, whose, "request", &real->request_id, &model->request_id);
	text(c, whose, "counterparty", real->counterparty, &model->counterparty);
	number(c, whose, "amount", real->amount, model->amount);
	number(c, whose, "balance after", real->balance_after, shortened(model->balance_after));
	number(c, whose, "position", real->position, model->position);
	number(c, whose, "time", real->time_us, model->time_us);
}

/* A run of postings from number first on; how many there were. */
static size_t compare_page(struct compare *c, const char *whose, const struct model_account *model, uint64_t first)
{
	struct ord_partition *p = c->lab->partitions[model->partition];
	struct ord_posting_view views[POSTINGS_PEEKED];
	uint64_t left = model->postings_count - (first - 1);
	size_t count = 0;

	if (ord_partition_history(p, model_text_slice(&model->id), first, views, POSTINGS_PEEKED, &count) != ORD_OK)
		differ(c, "%s has no history", whose);
	if (left > POSTINGS_PEEKED)
		left = POSTINGS_PEEKED;
	number(c, whose, "count of postings from the history", count, left);
	for (size_t i = 0; i < count; i++) {
		number(c, whose, "posting's number", views[i].number, first + i);
		compare_posting(c, whose, &views[i], find_posting(c->model, &model->id, first + i));
	}
	return count;
}

/* Postings never change: those before the newest were compared when they were new, and are once more at the end. */
static void compare_postings(struct compare *c, const char *whose, const struct model_account *model)
{
	uint64_t first = 1;

	if (!c->all && model->postings_count > POSTINGS_PEEKED)
		first = model->postings_count - POSTINGS_PEEKED + 1;
	while (first <= model->postings_count) {
		size_t count = compare_page(c, whose, model, first);

		if (count == 0)
			return;
		first += count;
	}
}

static void compare_account(struct compare *c, const struct model_account *model)
{
	struct ord_account_view real;
	char whose[96];

	snprintf(whose, sizeof whose, "account '%.*s'", (int)model->id.len, model->id.bytes);
	if (ord_partition_account(c->lab->partitions[model->partition], model_text_slice(&model->id), &real) !=
	    ORD_OK) {
		differ(c, "%s does not exist", whose);
		return;
	}
	text(c, whose, "id", real.account, &model->id);
	text(c, whose, "asset", real.asset, &model->asset);
	number(c, whose, "state", real.state, model->state);
	number(c, whose, "balance", real.balance, shortened(model->balance));
	number(c, whose, "floor", real.floor, model->floor);
	number(c, whose, "ceiling", real.ceiling, model->ceiling);
	number(c, whose, "time of opening", real.opened_us, model->opened_us);
	number(c, whose, "count of postings", real.postings_count, model->postings_count);
	compare_postings(c, whose, model);
}

/* --- Requests. --- */

static void compare_naming(struct compare *c, const char *whose, const struct ord_naming *real,
			   const struct model_payload *model)
{
	size_t at = 2;

	text(c, whose, "namespace", real->space, &model->fields[0].value);
	text(c, whose, "name", real->name, &model->fields[1].value);
	if (model->kind != ORD_COMMAND_RELEASE)
		text(c, whose, "owner", real->owner, &model->fields[at++].value);
	if (model->kind != ORD_COMMAND_CLAIM)
		text(c, whose, "expected owner", real->expected, &model->fields[at].value);
}

static void decimal(struct compare *c, const char *whose, const char *what, int64_t real,
		    const struct model_text *model)
{
	char digits[32];
	int len = snprintf(digits, sizeof digits, "%" PRId64, real);

	text(c, whose, what, ord_slice_of(digits, (size_t)len), model);
}

static void compare_payload(struct compare *c, const char *whose, const struct ord_command *real,
			    const struct model_payload *model)
{
	number(c, whose, "kind", real->kind, model->kind);
	if (real->kind != model->kind)
		return;
	switch (real->kind) {
	case ORD_COMMAND_TRANSFER:
		text(c, whose, "payer", real->transfer.payer, &model->fields[0].value);
		text(c, whose, "payee", real->transfer.payee, &model->fields[1].value);
		decimal(c, whose, "amount", real->transfer.amount, &model->fields[2].value);
		text(c, whose, "asset", real->transfer.asset, &model->fields[3].value);
		break;
	case ORD_COMMAND_OPEN_ACCOUNT:
		text(c, whose, "account", real->open_account.account, &model->fields[0].value);
		text(c, whose, "asset", real->open_account.asset, &model->fields[1].value);
		decimal(c, whose, "floor", real->open_account.floor, &model->fields[2].value);
		decimal(c, whose, "ceiling", real->open_account.ceiling, &model->fields[3].value);
		break;
	case ORD_COMMAND_SET_ACCOUNT:
		text(c, whose, "account", real->set_account.account, &model->fields[0].value);
		decimal(c, whose, "state", real->set_account.state, &model->fields[1].value);
		break;
	default:
		compare_naming(c, whose, &real->naming, model);
		break;
	}
}

static void compare_request(struct compare *c, const struct model_request *model)
{
	struct ord_request_view real;
	char whose[64];

	snprintf(whose, sizeof whose, "request %.16s in %u", (const char *)model->id.bytes, model->partition);
	int err = ord_partition_request(c->lab->partitions[model->partition], &model->id, &real);
	bool is_expired = model_is_expired(c->model, model->partition, &model->id);
	if (err != (is_expired ? ORD_ERR_EXPIRED : ORD_OK))
		differ(c, "%s is not known, or not forgotten: %s", whose, ord_err_text(err));
	if (err != ORD_OK)
		return;
	id(c, whose, "id", &real.command.request_id, &model->id);
	compare_payload(c, whose, &real.command, &model->payload);
	result(c, whose, &real.result, &model->result);
	number(c, whose, "time of logging", real.logged_us, model->logged_us);
	number(c, whose, "time of deciding", real.decided_us, model->decided_us);
}

/* --- Names. --- */

static void compare_name(struct compare *c, const struct model_name *model)
{
	struct ord_name_view real;
	char whose[640];
	int err;

	snprintf(whose, sizeof whose, "name '%.*s' '%.*s'", (int)model->space.len, model->space.bytes,
		 (int)model->name.len, model->name.bytes);
	err = ord_partition_name(c->lab->partitions[model->partition], model_text_slice(&model->space),
				 model_text_slice(&model->name), &real);
	if ((err == ORD_OK) != model->owned) {
		differ(c, "%s is %s, the model says %s", whose, err == ORD_OK ? "owned" : "free",
		       model->owned ? "owned" : "free");
		return;
	}
	if (!model->owned)
		return;
	text(c, whose, "owner", real.owner, &model->owner);
	id(c, whose, "request", &real.request_id, &model->request_id);
	number(c, whose, "position", real.position, model->position);
	number(c, whose, "time", real.since_us, model->since_us);
}

/* --- Outboxes and counts. --- */

static void compare_letter(struct compare *c, const char *whose, const struct lab_letter *letter,
			   const struct model_message *model)
{
	struct ord_reader r = ord_reader_of(ord_slice_of(letter->bytes, letter->len));
	struct ord_message real;

	ORD_ASSERT(ord_message_decode(&r, &real) == ORD_OK);
	number(c, whose, "kind", real.kind, model->kind);
	id(c, whose, "request", &real.request_id, &model->request_id);
	if (real.kind == ORD_MESSAGE_REFUND || real.kind == ORD_MESSAGE_OUTCOME)
		number(c, whose, "reason", real.reason, model->reason);
	if (real.kind == ORD_MESSAGE_OUTCOME)
		return;
	number(c, whose, "home", real.home, model->home);
	text(c, whose, "payer", real.transfer.payer, &model->payer);
	text(c, whose, "payee", real.transfer.payee, &model->payee);
	text(c, whose, "asset", real.transfer.asset, &model->asset);
	number(c, whose, "amount", real.transfer.amount, model->amount);
}

/* What peek gives from a message on is byte by byte what left the partition when it was new; how many that are. */
static uint64_t compare_run(struct compare *c, const char *whose, const struct ord_outbox_run *run,
			    const struct lab_letters *letters)
{
	const uint8_t *at = run->messages.base;
	size_t left = run->messages.len;

	for (uint64_t n = run->first; n < run->first + run->count; n++) {
		const struct lab_letter *letter = &letters->letters[n - 1];

		if (n > letters->count || letter->len > left || memcmp(at, letter->bytes, letter->len) != 0) {
			differ(c, "%s: message %" PRIu64 " is not what it was when it was sent", whose, n);
			return 0;
		}
		at += letter->len;
		left -= letter->len;
	}
	number(c, whose, "bytes after the last message of a run", left, 0);
	return run->count;
}

static void compare_peek(struct compare *c, const char *whose, const struct ord_partition *p, uint32_t destination,
			 const struct lab_letters *letters)
{
	uint64_t from = ord_partition_outbox_first(p, destination);
	uint64_t moved = 1;

	while (moved > 0) {
		size_t bytes_max = 1 + from * 97 % 600; /* some hold one message, some hold many */
		struct ord_outbox_run run = ord_partition_outbox_peek(p, destination, from, bytes_max);

		if (run.first != from || (run.count > 1 && run.messages.len > bytes_max))
			differ(c, "%s: peek from %" PRIu64 " gives another or too long a run", whose, from);
		moved = run.count > 0 ? compare_run(c, whose, &run, letters) : 0;
		from += moved;
	}
	number(c, whose, "number after the last message", from, letters->count + 1);
}

static void compare_pair(struct compare *c, uint32_t source, uint32_t destination)
{
	const struct model_mail *mail = &c->model->mail[source][destination];
	const struct lab_letters *letters = &c->lab->letters[source][destination];
	const struct ord_partition *from = c->lab->partitions[source];
	uint64_t *seen = &c->letters_seen[source][destination];
	char whose[64];

	snprintf(whose, sizeof whose, "outbox %u to %u", source, destination);
	number(c, whose, "next number", ord_partition_outbox_next(from, destination), mail->count + 1);
	number(c, whose, "first number", ord_partition_outbox_first(from, destination), mail->trimmed + 1);
	number(c, whose, "cursor", ord_partition_cursor(c->lab->partitions[destination], source), mail->cursor);
	compare_peek(c, whose, from, destination, letters);
	for (; *seen < letters->count && *seen < mail->count; ++*seen) {
		snprintf(whose, sizeof whose, "message %u to %u number %" PRIu64, source, destination, *seen + 1);
		compare_letter(c, whose, &letters->letters[*seen], &mail->messages[*seen]);
	}
}

static void compare_counts(struct compare *c, uint32_t partition)
{
	const struct model *m = c->model;
	struct ord_partition_status real;
	uint64_t accounts = 0, names = 0, requests = 0, unsettled = 0, messages = 0, bytes = 0;
	char whose[32];

	for (size_t i = 0; i < m->accounts_count; i++)
		accounts += m->accounts[i].partition == partition;
	for (size_t i = 0; i < m->names_count; i++)
		names += m->names[i].partition == partition && m->names[i].owned;
	for (size_t i = 0; i < m->requests_count; i++) {
		requests += m->requests[i].partition == partition;
		unsettled +=
			m->requests[i].partition == partition && m->requests[i].result.status == ORD_STATUS_ACCEPTED;
	}
	for (uint32_t d = 0; d < m->partitions_count; d++) {
		const struct lab_letters *letters = &c->lab->letters[partition][d];

		messages += m->mail[partition][d].count - m->mail[partition][d].trimmed;
		for (uint64_t n = m->mail[partition][d].trimmed; n < letters->count; n++)
			bytes += letters->letters[n].len;
	}
	snprintf(whose, sizeof whose, "partition %u", partition);
	ord_partition_status(c->lab->partitions[partition], &real);
	number(c, whose, "watermark", real.expired_ms, m->watermarks_ms[partition]);
	number(c, whose, "position", real.position, m->positions[partition]);
	number(c, whose, "count of accounts", real.accounts_count, accounts);
	number(c, whose, "count of names", real.names_count, names);
	number(c, whose, "count of requests", real.requests_count, requests);
	number(c, whose, "count of unsettled requests", real.unsettled_count, unsettled);
	number(c, whose, "count of outbox messages", real.outbox_count, messages);
	number(c, whose, "bytes of outbox messages", real.outbox_bytes, bytes);
	number(c, whose, "count of ignored messages", real.ignored_count, 0);
}

void compare_state(struct compare *c)
{
	const struct model *m = c->model;

	for (size_t i = 0; i < m->accounts_count; i++)
		compare_account(c, &m->accounts[i]);
	for (size_t i = 0; i < m->requests_count; i++)
		compare_request(c, &m->requests[i]);
	for (size_t i = 0; i < m->names_count; i++)
		compare_name(c, &m->names[i]);
	for (uint32_t s = 0; s < m->partitions_count; s++) {
		compare_counts(c, s);
		for (uint32_t d = 0; d < m->partitions_count; d++) {
			if (s != d)
				compare_pair(c, s, d);
		}
	}
}

void compare_partitions(struct compare *c, const char *what, const struct ord_partition *a,
			const struct ord_partition *b, bool same_entries)
{
	struct ord_partition_status x, y;

	ord_partition_status(a, &x);
	ord_partition_status(b, &y);
	if (memcmp(x.state_digest, y.state_digest, sizeof x.state_digest) != 0)
		differ(c, "%s: another state digest", what);
	if (same_entries && memcmp(x.history_hash, y.history_hash, sizeof x.history_hash) != 0)
		differ(c, "%s: another history hash", what);
	if (same_entries)
		number(c, what, "count of entries", y.entries_count, x.entries_count);
	number(c, what, "position", y.position, x.position);
	number(c, what, "time", y.time_us, x.time_us);
	number(c, what, "count of accounts", y.accounts_count, x.accounts_count);
	number(c, what, "count of names", y.names_count, x.names_count);
	number(c, what, "count of requests", y.requests_count, x.requests_count);
	number(c, what, "count of unsettled requests", y.unsettled_count, x.unsettled_count);
	number(c, what, "count of outbox messages", y.outbox_count, x.outbox_count);
	number(c, what, "bytes of outbox messages", y.outbox_bytes, x.outbox_bytes);
}
