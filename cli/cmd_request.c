/* SPDX-License-Identifier: Apache-2.0 - ordain request show. */
#include <inttypes.h>

#include "cli/cmd.h"
#include "cli/once.h"
#include "cli/report.h"
#include "cli/sheet.h"

#define COLUMNS_BEFORE 2
#define COLUMNS_AFTER 6

static void put_str(struct ord_sheet *s, struct ordain_str text)
{
	ord_sheet_str(s, ord_slice_of(text.base, text.len));
}

/* The columns of the payload, by the kind of command; columns has room for four. Returns how many. */
static size_t payload_columns(enum ordain_command_kind kind, const char **columns)
{
	static const struct {
		enum ordain_command_kind kind;
		const char *columns[4];
	} known[] = {
		{ORDAIN_OPEN_ACCOUNT, {"account", "asset", "floor", "ceiling"}},
		{ORDAIN_SET_ACCOUNT, {"account", "state"}},
		{ORDAIN_TRANSFER, {"payer", "payee", "amount", "asset"}},
		{ORDAIN_CLAIM, {"namespace", "name", "owner"}},
		{ORDAIN_RELEASE, {"namespace", "name", "expected"}},
		{ORDAIN_REASSIGN, {"namespace", "name", "expected", "owner"}},
	};
	size_t count = 0;
	for (size_t i = 0; i < ORD_COUNT(known); i++) {
		if (known[i].kind != kind)
			continue;
		while (count < 4 && known[i].columns[count] != NULL) {
			columns[count] = known[i].columns[count];
			count++;
		}
	}
	return count;
}

static void naming_put(struct ord_sheet *s, const struct ordain_command *c)
{
	put_str(s, c->naming.space);
	put_str(s, c->naming.name);
	if (c->kind != ORDAIN_CLAIM)
		put_str(s, c->naming.expected);
	if (c->kind != ORDAIN_RELEASE)
		put_str(s, c->naming.owner);
}

static void payload_put(struct ord_sheet *s, const struct ordain_command *c)
{
	switch (c->kind) {
	case ORDAIN_OPEN_ACCOUNT:
		put_str(s, c->open_account.account);
		put_str(s, c->open_account.asset);
		ord_sheet_int(s, c->open_account.floor);
		ord_sheet_int(s, c->open_account.ceiling);
		break;
	case ORDAIN_SET_ACCOUNT:
		put_str(s, c->set_account.account);
		ord_sheet_text(s, ordain_account_state_name(c->set_account.state));
		break;
	case ORDAIN_TRANSFER:
		put_str(s, c->transfer.payer);
		put_str(s, c->transfer.payee);
		ord_sheet_int(s, c->transfer.amount);
		put_str(s, c->transfer.asset);
		break;
	case ORDAIN_CLAIM:
	case ORDAIN_RELEASE:
	case ORDAIN_REASSIGN:
		naming_put(s, c);
		break;
	}
}

static void request_print(const struct ordain_request *r, enum ord_look look)
{
	static const char *const after[COLUMNS_AFTER] = {"status",   "reason",	  "message",
							 "position", "logged_us", "decided_us"};
	const char *columns[COLUMNS_BEFORE + 4 + COLUMNS_AFTER] = {"id", "command"};
	size_t count = COLUMNS_BEFORE + payload_columns(r->command.kind, columns + COLUMNS_BEFORE);
	char id[ORDAIN_ID_TEXT_SIZE];
	struct ord_sheet s;
	memcpy(columns + count, after, sizeof after);
	ordain_id_format(&r->command.id, id);
	ord_sheet_init(&s, columns, count + COLUMNS_AFTER);
	ord_sheet_text(&s, id);
	ord_sheet_text(&s, ordain_command_name(r->command.kind));
	payload_put(&s, &r->command);
	ord_sheet_text(&s, ordain_status_name(r->status));
	if (r->code != 0) {
		ord_sheet_text(&s, r->name);
		ord_sheet_text(&s, r->message);
	} else {
		ord_sheet_null(&s);
		ord_sheet_null(&s);
	}
	ord_sheet_format(&s, "%" PRIu32 ":%" PRIu64, r->partition, r->offset);
	ord_sheet_time(&s, r->logged_us);
	ord_sheet_time(&s, r->decided_us);
	ord_sheet_show_record(&s, look, stdout);
	ord_sheet_close(&s);
}

int ord_cmd_request_show(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_uuid id;
	struct ord_target target;
	struct ord_flag flags[] = {
		{.name = "id", .value = "UUID", .id = &id, .help = "the request id", .required = true, .place = 1},
	};
	struct ord_args args = ord_once_args(self, &target, flags, ORD_COUNT(flags));
	struct ordain_sync *sync;
	struct ordain_request request;
	struct ordain_id wanted;
	int status;
	args.notes = "Exit status 1 when no partition knows the request: then nothing was logged "
		     "under this id, and it is safe\n"
		     "to send the request again with it.";
	if (!ord_cmd_begin(&args, argc, argv, &status) || !ord_once_open(self, &target, &sync, &status))
		return status;
	enum ord_look look = ord_sheet_look(target.json, stdout);
	memcpy(wanted.bytes, id.bytes, sizeof wanted.bytes);
	if (ordain_sync_request(sync, &wanted, NULL, &request) == 0) {
		request_print(&request, look);
		status = ORD_EXIT_OK;
	} else {
		status = ord_report_problem(self, ordain_sync_problem(sync), look,
					    "no partition knows this request: nothing was logged under this id");
	}
	ordain_sync_close(sync);
	return status;
}
