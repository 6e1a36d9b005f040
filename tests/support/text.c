/* SPDX-License-Identifier: Apache-2.0 - commands, messages and results as lines. */
#include "tests/support/text.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"

struct ord_uuid text_id_of(const char *name)
{
	struct ord_uuid id = {{0}};
	size_t len = strlen(name);

	ORD_ASSERT(len >= 1 && len <= sizeof id.bytes);
	memcpy(id.bytes, name, len);
	return id;
}

static size_t name_length(const struct ord_uuid *id)
{
	size_t len = 0;

	while (len < sizeof id->bytes && id->bytes[len] > ' ' && id->bytes[len] < 127)
		len++;
	for (size_t i = len; i < sizeof id->bytes; i++) {
		if (id->bytes[i] != 0)
			return 0;
	}
	return len;
}

void text_id(FILE *out, const struct ord_uuid *id)
{
	char uuid[ORD_UUID_TEXT_SIZE];
	size_t len = name_length(id);

	if (len > 0) {
		fprintf(out, "%.*s", (int)len, (const char *)id->bytes);
		return;
	}
	ord_uuid_format(id, uuid);
	fputs(uuid, out);
}

void text_slice(FILE *out, struct ord_slice s)
{
	fprintf(out, "%.*s", (int)s.len, s.len == 0 ? "" : (const char *)s.base);
}

static void text_limit(FILE *out, const char *what, int64_t value)
{
	if (value == INT64_MAX)
		fprintf(out, " %s none", what);
	else
		fprintf(out, " %s %" PRId64, what, value);
}

static void text_transfer(FILE *out, const struct ord_transfer *t)
{
	fprintf(out, "%" PRId64 " ", t->amount);
	text_slice(out, t->asset);
	fputs(" from ", out);
	text_slice(out, t->payer);
	fputs(" to ", out);
	text_slice(out, t->payee);
}

static void text_naming(FILE *out, const char *verb, const struct ord_command *c)
{
	fprintf(out, "%s ", verb);
	text_slice(out, c->naming.space);
	fputc(' ', out);
	text_slice(out, c->naming.name);
	if (c->kind != ORD_COMMAND_CLAIM) {
		fputs(" of ", out);
		text_slice(out, c->naming.expected);
	}
	if (c->kind != ORD_COMMAND_RELEASE) {
		fputs(c->kind == ORD_COMMAND_CLAIM ? " for " : " to ", out);
		text_slice(out, c->naming.owner);
	}
}

static void text_open(FILE *out, const struct ord_open_account *o)
{
	fputs("open ", out);
	text_slice(out, o->account);
	fputc(' ', out);
	text_slice(out, o->asset);
	fprintf(out, " floor %" PRId64, o->floor);
	text_limit(out, "ceiling", o->ceiling);
}

void text_command(FILE *out, const struct ord_command *c)
{
	switch (c->kind) {
	case ORD_COMMAND_OPEN_ACCOUNT:
		text_open(out, &c->open_account);
		break;
	case ORD_COMMAND_SET_ACCOUNT:
		fputs("set ", out);
		text_slice(out, c->set_account.account);
		fprintf(out, " %s", ord_account_state_name(c->set_account.state));
		break;
	case ORD_COMMAND_TRANSFER:
		fputs("transfer ", out);
		text_transfer(out, &c->transfer);
		break;
	case ORD_COMMAND_CLAIM:
	case ORD_COMMAND_RELEASE:
	case ORD_COMMAND_REASSIGN:
		text_naming(out, ord_command_name(c->kind), c);
		break;
	case ORD_COMMAND_DELIVER:
		fprintf(out, "deliver from %" PRIu32 " messages %" PRIu64 "..%" PRIu64, c->deliver.source,
			c->deliver.first, c->deliver.first + c->deliver.count - 1);
		return;
	case ORD_COMMAND_TRIM:
		fprintf(out, "trim to %" PRIu32 " upto %" PRIu64, c->trim.destination, c->trim.upto);
		return;
	case ORD_COMMAND_EXPIRE:
		fprintf(out, "expire before %" PRIu64 " ms", c->expire.watermark_ms);
		return;
	case ORD_COMMAND_MARK:
		fprintf(out, "mark of %" PRIu64, c->mark.position);
		return;
	}
	fputs(" as ", out);
	text_id(out, &c->request_id);
}

void text_message(FILE *out, const struct ord_message *m)
{
	fprintf(out, "%s ", ord_message_name(m->kind));
	if (m->kind != ORD_MESSAGE_OUTCOME) {
		text_transfer(out, &m->transfer);
		fputc(' ', out);
	}
	fputs("of ", out);
	text_id(out, &m->request_id);
	if (m->kind == ORD_MESSAGE_OUTCOME && m->reason == ORD_REFUSAL_NONE)
		fputs(": settled", out);
	else if (m->reason != ORD_REFUSAL_NONE)
		fprintf(out, ": %s", ord_refusal_name(m->reason));
	if (m->kind != ORD_MESSAGE_OUTCOME)
		fprintf(out, ", home %" PRIu32, m->home);
}

void text_result(FILE *out, const struct ord_result *r)
{
	fputs(ord_status_name(r->status), out);
	if (r->reason != ORD_REFUSAL_NONE)
		fprintf(out, " %s", ord_refusal_name(r->reason));
	if (r->field != NULL)
		fprintf(out, " (%s)", r->field);
	if (r->replayed)
		fputs(", replayed", out);
}

void text_account(FILE *out, const struct ord_account_view *a)
{
	text_slice(out, a->account);
	fputc(' ', out);
	text_slice(out, a->asset);
	fprintf(out, " %s balance %" PRId64 " floor %" PRId64, ord_account_state_name(a->state), a->balance, a->floor);
	text_limit(out, "ceiling", a->ceiling);
}
