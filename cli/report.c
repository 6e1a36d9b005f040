/* SPDX-License-Identifier: Apache-2.0 - says what came of one command or why a read failed, and with which exit status. */
#include "cli/report.h"

#include <inttypes.h>

/* The exit status that an enum ordain_error leads to. */
static enum ord_exit error_exit(int code)
{
	switch (code) {
	case ORDAIN_ERR_UNKNOWN_OUTCOME:
		return ORD_EXIT_UNKNOWN;
	case ORDAIN_ERR_UNKNOWN_FIELD:
	case ORDAIN_ERR_MISSING_FIELD:
	case ORDAIN_ERR_INVALID_FIELD:
	case ORDAIN_ERR_TOO_LARGE:
	case ORDAIN_ERR_ARGUMENT:
		return ORD_EXIT_USAGE;
	default:
		return ORD_EXIT_REFUSED;
	}
}

static enum ord_exit result_exit(const struct ordain_result *r)
{
	switch (r->answer) {
	case ORDAIN_OK:
		return ORD_EXIT_OK;
	case ORDAIN_UNKNOWN:
		return ORD_EXIT_UNKNOWN;
	case ORDAIN_FAILED:
		return error_exit(r->code);
	case ORDAIN_REFUSED:
		break;
	}
	return ORD_EXIT_REFUSED;
}

static void put_text_or_null(struct ord_sheet *s, const char *text)
{
	if (text != NULL && text[0] != '\0')
		ord_sheet_text(s, text);
	else
		ord_sheet_null(s);
}

static void result_show(const struct ordain_result *r, const char *id, enum ord_look look)
{
	static const char *const columns[] = {"id",	  "answer", "status", "replayed",
					      "position", "reason", "field",  "message"};
	struct ord_sheet s;
	ord_sheet_init(&s, columns, sizeof columns / sizeof *columns);
	ord_sheet_text(&s, id);
	ord_sheet_text(&s, ordain_answer_name(r->answer));
	if (r->status == ORDAIN_STATUS_NONE)
		ord_sheet_null(&s);
	else
		ord_sheet_text(&s, ordain_status_name(r->status));
	ord_sheet_bool(&s, r->replayed);
	if (r->status == ORDAIN_STATUS_NONE)
		ord_sheet_null(&s);
	else
		ord_sheet_format(&s, "%" PRIu32 ":%" PRIu64, r->partition, r->offset);
	put_text_or_null(&s, r->name);
	put_text_or_null(&s, r->field);
	put_text_or_null(&s, r->message);
	ord_sheet_show_record(&s, look, stdout);
	ord_sheet_close(&s);
}

int ord_report_result(const struct ord_cmd *self, const struct ordain_result *r, enum ord_look look)
{
	char id[ORDAIN_ID_TEXT_SIZE];
	const char *field = r->field != NULL ? r->field : "";
	const char *before = r->field != NULL ? ", field " : "";
	enum ord_exit status = result_exit(r);
	ordain_id_format(&r->id, id);
	result_show(r, id, look);
	fflush(stdout);
	switch (r->answer) {
	case ORDAIN_OK:
		break;
	case ORDAIN_REFUSED:
		ord_cmd_fail(self, status, "refused (%s%s%s): %s", r->name, before, field, r->message);
		break;
	case ORDAIN_UNKNOWN:
		if (r->code == ORDAIN_ERR_EXPIRED)
			ord_cmd_fail(self, status, "the outcome is not known: %s", r->message);
		else if (r->status == ORDAIN_STATUS_ACCEPTED)
			ord_cmd_fail(self, status,
				     "logged, but its outcome was not known in time; see: ordain request show %s", id);
		else
			ord_cmd_fail(
				self, status,
				"the outcome is not known (%s); run it again with --id %s: it is done once at most",
				r->message, id);
		break;
	case ORDAIN_FAILED:
		ord_cmd_fail(self, status, "nothing was done (%s%s%s): %s", r->name, before, field, r->message);
		break;
	}
	return status;
}

/* {code, name, message, field?} */
static void reason_json(struct ord_json *j, const struct ordain_problem *p)
{
	ord_json_begin_object(j);
	ord_json_key(j, "code");
	ord_json_int(j, p->code);
	ord_json_key(j, "name");
	ord_json_text(j, p->name);
	ord_json_key(j, "message");
	ord_json_text(j, p->message);
	if (p->field != NULL) {
		ord_json_key(j, "field");
		ord_json_text(j, p->field);
	}
	ord_json_end_object(j);
}

int ord_report_problem(const struct ord_cmd *self, const struct ordain_problem *p, enum ord_look look,
		       const char *missing)
{
	struct ordain_problem own = *p;
	if (p->code == ORDAIN_ERR_NOT_FOUND && missing != NULL) {
		own.message = missing;
		p = &own;
	}
	if (look == ORD_LOOK_JSON) {
		struct ord_json j;
		ord_json_init(&j, stdout);
		ord_json_begin_object(&j);
		ord_json_key(&j, "error");
		reason_json(&j, p);
		ord_json_end_object(&j);
		fflush(stdout);
	}
	if (p->field != NULL)
		return ord_cmd_fail(self, error_exit(p->code), "%s (%s): %s", p->field, p->name, p->message);
	return ord_cmd_fail(self, error_exit(p->code), "%s (%s)", p->message, p->name);
}
