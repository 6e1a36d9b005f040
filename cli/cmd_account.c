/* SPDX-License-Identifier: Apache-2.0 - ordain account: open, show, history, freeze, thaw, close. */
#include <inttypes.h>

#include "base/limits.h"
#include "cli/cmd.h"
#include "cli/once.h"
#include "cli/report.h"
#include "cli/sheet.h"

static struct ord_flag account_flag(const char **account)
{
	return (struct ord_flag){.name = "account",
				 .value = "ACCOUNT",
				 .text = account,
				 .help = "the account's id, 1 to 64 bytes",
				 .required = true,
				 .place = 1};
}

int ord_cmd_account_open(const struct ord_cmd *self, int argc, char **argv)
{
	const char *account = NULL, *asset = NULL;
	int64_t floor = 0, ceiling = INT64_MAX;
	struct ord_target target;
	struct ord_once once;
	struct ord_flag flags[4 + ORD_ONCE_FLAGS] = {
		account_flag(&account),
		{.name = "asset",
		 .value = "ASSET",
		 .text = &asset,
		 .help = "what it holds, such as EUR",
		 .required = true},
		{.name = "floor",
		 .value = "N",
		 .number = &floor,
		 .min = -INT64_MAX,
		 .max = INT64_MAX,
		 .help = "the balance never falls below it, minor units; "
			 "below zero the account can issue money",
		 .normal = "0"},
		{.name = "ceiling",
		 .value = "N",
		 .number = &ceiling,
		 .min = -INT64_MAX,
		 .max = INT64_MAX,
		 .help = "the balance never rises above it, minor units",
		 .normal = "none"},
	};
	struct ord_args args = ord_once_args(self, &target, flags, ORD_COUNT(flags));
	int status;
	ord_once_init(&once, flags + 4);
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	struct ordain_command c = {.kind = ORDAIN_OPEN_ACCOUNT,
				   .open_account = {.account = ordain_str_of(account),
						    .asset = ordain_str_of(asset),
						    .floor = floor,
						    .ceiling = ceiling}};
	return ord_once_submit(self, &target, &once, &c);
}

static int account_set(const struct ord_cmd *self, int argc, char **argv, enum ordain_account_state state)
{
	const char *account = NULL;
	struct ord_target target;
	struct ord_once once;
	struct ord_flag flags[1 + ORD_ONCE_FLAGS] = {account_flag(&account)};
	struct ord_args args = ord_once_args(self, &target, flags, ORD_COUNT(flags));
	int status;
	ord_once_init(&once, flags + 1);
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	struct ordain_command c = {.kind = ORDAIN_SET_ACCOUNT,
				   .set_account = {.account = ordain_str_of(account), .state = state}};
	return ord_once_submit(self, &target, &once, &c);
}

int ord_cmd_account_freeze(const struct ord_cmd *self, int argc, char **argv)
{
	return account_set(self, argc, argv, ORDAIN_ACCOUNT_FROZEN);
}

int ord_cmd_account_thaw(const struct ord_cmd *self, int argc, char **argv)
{
	return account_set(self, argc, argv, ORDAIN_ACCOUNT_OPEN);
}

int ord_cmd_account_close(const struct ord_cmd *self, int argc, char **argv)
{
	return account_set(self, argc, argv, ORDAIN_ACCOUNT_CLOSED);
}

static struct ord_slice slice_of(struct ordain_str s)
{
	return ord_slice_of(s.base, s.len);
}

static int problem_print(const struct ord_cmd *self, const char *account, const struct ordain_sync *sync,
			 enum ord_look look)
{
	char missing[128];
	snprintf(missing, sizeof missing, "there is no account '%.64s'", account);
	return ord_report_problem(self, ordain_sync_problem(sync), look, missing);
}

static void account_print(const struct ordain_account *a, enum ord_look look)
{
	static const char *const columns[] = {"account", "asset",    "state",	  "balance",   "floor",
					      "ceiling", "postings", "opened_us", "partition", "as_of"};
	bool has_as_of = a->as_of != 0;
	struct ord_sheet s;
	ord_sheet_init(&s, columns, has_as_of ? ORD_COUNT(columns) : ORD_COUNT(columns) - 1);
	ord_sheet_str(&s, slice_of(a->account));
	ord_sheet_str(&s, slice_of(a->asset));
	ord_sheet_text(&s, ordain_account_state_name(a->state));
	ord_sheet_int(&s, a->balance);
	ord_sheet_int(&s, a->floor);
	ord_sheet_int(&s, a->ceiling);
	ord_sheet_uint(&s, a->postings_count);
	ord_sheet_time(&s, a->opened_us);
	ord_sheet_uint(&s, a->partition);
	if (has_as_of)
		ord_sheet_format(&s, "%" PRIu32 ":%" PRIu64, a->partition, a->as_of);
	ord_sheet_show_record(&s, look, stdout);
	ord_sheet_close(&s);
}

int ord_cmd_account_show(const struct ord_cmd *self, int argc, char **argv)
{
	const char *account = NULL;
	struct ord_target target;
	bool stale = false;
	struct ord_flag flags[] = {account_flag(&account), ord_once_stale_flag(&stale)};
	struct ord_args args = ord_once_args(self, &target, flags, ORD_COUNT(flags));
	struct ordain_sync *sync;
	struct ordain_account a;
	int status;
	if (!ord_cmd_begin(&args, argc, argv, &status) || !ord_once_open(self, &target, &sync, &status))
		return status;
	enum ord_look look = ord_sheet_look(target.json, stdout);
	struct ordain_call_options call = ord_once_read_options(stale);
	if (ordain_sync_account(sync, ordain_str_of(account), &call, &a) == 0) {
		account_print(&a, look);
		status = ORD_EXIT_OK;
	} else {
		status = problem_print(self, account, sync, look);
	}
	ordain_sync_close(sync);
	return status;
}

static void history_print(const struct ordain_history *h, enum ord_look look)
{
	static const char *const columns[] = {"number", "kind",		 "id",	     "counterparty",
					      "amount", "balance_after", "position", "time_us"};
	char as_of[40];
	struct ord_sheet s;
	snprintf(as_of, sizeof as_of, "%" PRIu32 ":%" PRIu64, h->partition, h->as_of);
	ord_sheet_init(&s, columns, ORD_COUNT(columns));
	for (size_t i = 0; i < h->postings_count; i++) {
		const struct ordain_posting *p = &h->postings[i];
		char id[ORDAIN_ID_TEXT_SIZE];
		ordain_id_format(&p->id, id);
		ord_sheet_uint(&s, p->number);
		ord_sheet_text(&s, ordain_posting_kind_name(p->kind));
		ord_sheet_text(&s, id);
		ord_sheet_str(&s, slice_of(p->counterparty));
		ord_sheet_int(&s, p->amount);
		ord_sheet_int(&s, p->balance_after);
		ord_sheet_format(&s, "%" PRIu32 ":%" PRIu64, p->partition, p->offset);
		ord_sheet_time(&s, p->time_us);
	}
	if (look == ORD_LOOK_JSON) {
		struct ord_json j;
		ord_json_init(&j, stdout);
		ord_json_begin_object(&j);
		ord_json_key(&j, "account");
		ord_json_str(&j, slice_of(h->account));
		ord_json_key(&j, "postings");
		ord_sheet_json(&s, &j);
		ord_json_key(&j, "next");
		if (h->next != 0)
			ord_json_uint(&j, h->next);
		else
			ord_json_null(&j);
		if (h->as_of != 0)
			ord_json_pair_text(&j, "as_of", as_of);
		ord_json_end_object(&j);
	} else {
		ord_sheet_show(&s, look, NULL, stdout);
	}
	ord_sheet_close(&s);
	if (look != ORD_LOOK_JSON && h->next != 0)
		fprintf(stderr, "more postings: go on with --from %" PRIu64 "\n", h->next);
	if (look != ORD_LOOK_JSON && h->as_of != 0)
		fprintf(stderr, "as of position %s\n", as_of);
}

int ord_cmd_account_history(const struct ord_cmd *self, int argc, char **argv)
{
	const char *account = NULL;
	int64_t from = 1, limit = 100;
	bool stale = false;
	struct ord_target target;
	struct ord_flag flags[] = {
		account_flag(&account),
		{.name = "from",
		 .value = "N",
		 .number = &from,
		 .min = 1,
		 .max = INT64_MAX,
		 .help = "number of the first posting to list",
		 .normal = "1"},
		{.name = "limit",
		 .value = "N",
		 .number = &limit,
		 .min = 1,
		 .max = ORD_HISTORY_ITEMS_MAX,
		 .help = "how many postings to list at most",
		 .normal = "100"},
		ord_once_stale_flag(&stale),
	};
	struct ord_args args = ord_once_args(self, &target, flags, ORD_COUNT(flags));
	struct ordain_sync *sync;
	struct ordain_history h;
	int status;
	if (!ord_cmd_begin(&args, argc, argv, &status) || !ord_once_open(self, &target, &sync, &status))
		return status;
	enum ord_look look = ord_sheet_look(target.json, stdout);
	struct ordain_call_options call = ord_once_read_options(stale);
	if (ordain_sync_history(sync, ordain_str_of(account), (uint64_t)from, (uint32_t)limit, &call, &h) == 0) {
		history_print(&h, look);
		status = ORD_EXIT_OK;
	} else {
		status = problem_print(self, account, sync, look);
	}
	ordain_sync_close(sync);
	return status;
}
