/* SPDX-License-Identifier: Apache-2.0 - what random histories have brought about. */
#include "tests/model/coverage.h"

#include <inttypes.h>
#include <string.h>

#include "partition/state.h"

static enum coverage_case deliver_case(const struct model_mail *mail, const struct ord_deliver *d)
{
	uint64_t last = d->first + d->count - 1;

	if (d->first == mail->cursor + 1)
		return COVERAGE_DELIVER_DUE;
	if (d->first > mail->cursor)
		return COVERAGE_DELIVER_GAP;
	return last > mail->cursor ? COVERAGE_DELIVER_OVERLAP : COVERAGE_DELIVER_DUPLICATE;
}

void coverage_command(struct coverage *c, const struct model *m, uint32_t partition, const struct ord_command *command)
{
	if (command->kind == ORD_COMMAND_DELIVER) {
		const struct model_mail *mail = &m->mail[command->deliver.source][partition];

		c->cases[deliver_case(mail, &command->deliver)]++;
		c->cases[COVERAGE_DELIVER_TRIMMED] += command->deliver.first <= mail->trimmed;
	} else if (command->kind == ORD_COMMAND_TRIM) {
		const struct model_mail *mail = &m->mail[partition][command->trim.destination];

		c->cases[COVERAGE_TRIM_NEW] += command->trim.upto > mail->trimmed;
		c->cases[COVERAGE_TRIM_STALE] += command->trim.upto < mail->trimmed;
	}
}

void coverage_mark(struct coverage *c, const struct ord_mark_effect *mark)
{
	c->cases[COVERAGE_MARK_BEHIND] += !mark->compared;
	c->cases[COVERAGE_MARK_EQUAL] += mark->compared && !mark->differs;
	c->cases[COVERAGE_MARK_DIFFERS] += mark->differs;
}

static enum coverage_case reused_case(const char *field)
{
	if (strcmp(field, "method") == 0)
		return COVERAGE_REUSED_METHOD;
	if (strcmp(field, "payee") == 0)
		return COVERAGE_REUSED_PAYEE;
	if (strcmp(field, "amount") == 0)
		return COVERAGE_REUSED_AMOUNT;
	return strcmp(field, "asset") == 0 ? COVERAGE_REUSED_ASSET : COVERAGE_REUSED_OTHER;
}

void coverage_reply(struct coverage *c, const struct ord_result *reply)
{
	c->cases[COVERAGE_ACCEPTED] += reply->status == ORD_STATUS_ACCEPTED;
	if (reply->replayed)
		c->cases[COVERAGE_REPLAYED_ACCEPTED + (reply->status - ORD_STATUS_ACCEPTED)]++;
	c->refusals[ORD_REFUSAL_REQUEST_ID_EXPIRED] += reply->reason == ORD_REFUSAL_REQUEST_ID_EXPIRED;
	if (reply->reason == ORD_REFUSAL_ID_REUSED) {
		c->refusals[ORD_REFUSAL_ID_REUSED]++;
		c->cases[reused_case(reply->field)]++;
	}
}

void coverage_dropped(struct coverage *c, const struct ord_partition *p)
{
	c->cases[COVERAGE_DROPPED_REQUEST] += p->expiry.dropped.requests_count;
	c->cases[COVERAGE_DROPPED_STAGE] += p->expiry.dropped.stages_count;
}

static void coverage_posting(struct coverage *c, const struct model *m, const struct model_posting *posting)
{
	const struct model_account *account = model_account(m, &posting->account);

	c->cases[COVERAGE_FLOOR_REACHED] += posting->balance_after == account->floor;
	c->cases[COVERAGE_CEILING_REACHED] += posting->balance_after == account->ceiling;
	if (posting->kind != ORD_POSTING_REFUND)
		return;
	c->cases[COVERAGE_REFUND_OVER_CEILING] += posting->balance_after > account->ceiling;
	c->cases[COVERAGE_REFUND_OVER_AMOUNTS] += posting->balance_after > INT64_MAX;
	/* Closing takes a balance of zero, and then only refunds move it. */
	c->cases[COVERAGE_REFUND_TO_CLOSED] += account->state == ORD_ACCOUNT_CLOSED &&
					       posting->number == account->postings_count && account->balance > 0;
}

void coverage_history(struct coverage *c, const struct model *m)
{
	for (size_t i = 0; i < m->requests_count; i++) {
		const struct model_request *r = &m->requests[i];
		bool at_once = r->payload.kind == ORD_COMMAND_TRANSFER && r->decided_us == r->logged_us &&
			       m->partitions_count == 1;

		c->refusals[r->result.reason]++;
		c->cases[COVERAGE_SETTLED_AT_ONCE] += at_once && r->result.status == ORD_STATUS_SETTLED;
		c->cases[COVERAGE_REJECTED_AT_ONCE] += at_once && r->result.status == ORD_STATUS_REJECTED;
	}
	for (size_t i = 0; i < m->postings_count; i++)
		coverage_posting(c, m, &m->postings[i]);
	for (size_t i = 0; i < m->names_count; i++)
		c->cases[COVERAGE_NAME_CHANGED] += m->names[i].changes_count > 2;
}

static bool line(FILE *out, uint64_t count, const char *what)
{
	fprintf(out, "%10" PRIu64 "  %s\n", count, what);
	return count > 0;
}

bool coverage_show(const struct coverage *c, FILE *out)
{
	bool all = true;

#define X(number, name, text, explanation) all &= line(out, c->refusals[number], "refused: " text);
#include "partition/refusals.def"
#undef X
#define X(name, text) all &= line(out, c->cases[COVERAGE_##name], text);
#include "tests/model/coverage.def"
#undef X
	return all;
}
