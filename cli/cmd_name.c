/* SPDX-License-Identifier: Apache-2.0 - ordain name: show, release, reassign. */
#include <inttypes.h>

#include "cli/cmd.h"
#include "cli/once.h"
#include "cli/report.h"
#include "cli/sheet.h"

static struct ord_flag text_flag(const char *name, const char **text, int place)
{
	static const struct ord_flag known[] = {
		{.name = "namespace", .value = "NAMESPACE", .help = "where the name is unique, 1 to 64 bytes"},
		{.name = "name", .value = "NAME", .help = "the name, 1 to 255 bytes"},
		{.name = "expected", .value = "OWNER", .help = "who must own it now"},
		{.name = "owner", .value = "OWNER", .help = "who owns it afterwards"},
	};
	struct ord_flag flag = {0};
	for (size_t i = 0; i < ORD_COUNT(known); i++) {
		if (strcmp(known[i].name, name) == 0)
			flag = known[i];
	}
	flag.text = text;
	flag.required = true;
	flag.place = place;
	return flag;
}

static void name_print(const struct ordain_name *n, enum ord_look look)
{
	static const char *const columns[] = {"namespace", "name", "owner", "id", "position", "since_us", "as_of"};
	bool has_as_of = n->as_of != 0;
	char id[ORDAIN_ID_TEXT_SIZE];
	struct ord_sheet s;
	ordain_id_format(&n->id, id);
	ord_sheet_init(&s, columns, has_as_of ? ORD_COUNT(columns) : ORD_COUNT(columns) - 1);
	ord_sheet_str(&s, ord_slice_of(n->space.base, n->space.len));
	ord_sheet_str(&s, ord_slice_of(n->name.base, n->name.len));
	ord_sheet_str(&s, ord_slice_of(n->owner.base, n->owner.len));
	ord_sheet_text(&s, id);
	ord_sheet_format(&s, "%" PRIu32 ":%" PRIu64, n->partition, n->offset);
	ord_sheet_time(&s, n->since_us);
	if (has_as_of)
		ord_sheet_format(&s, "%" PRIu32 ":%" PRIu64, n->partition, n->as_of);
	ord_sheet_show_record(&s, look, stdout);
	ord_sheet_close(&s);
}

int ord_cmd_name_show(const struct ord_cmd *self, int argc, char **argv)
{
	const char *space = NULL, *name = NULL;
	struct ord_target target;
	bool stale = false;
	struct ord_flag flags[] = {text_flag("namespace", &space, 1), text_flag("name", &name, 2),
				   ord_once_stale_flag(&stale)};
	struct ord_args args = ord_once_args(self, &target, flags, ORD_COUNT(flags));
	struct ordain_sync *sync;
	struct ordain_name n;
	int status;
	args.notes = "Exit status 1 when nobody owns it.";
	if (!ord_cmd_begin(&args, argc, argv, &status) || !ord_once_open(self, &target, &sync, &status))
		return status;
	enum ord_look look = ord_sheet_look(target.json, stdout);
	struct ordain_call_options call = ord_once_read_options(stale);
	if (ordain_sync_name(sync, ordain_str_of(space), ordain_str_of(name), &call, &n) == 0) {
		name_print(&n, look);
		status = ORD_EXIT_OK;
	} else {
		char missing[400];
		snprintf(missing, sizeof missing, "nobody owns the name '%.255s' in '%.64s'", name, space);
		status = ord_report_problem(self, ordain_sync_problem(sync), look, missing);
	}
	ordain_sync_close(sync);
	return status;
}

/* release, and reassign with one flag more. */
static int name_change(const struct ord_cmd *self, int argc, char **argv, enum ordain_command_kind kind)
{
	const char *space = NULL, *name = NULL, *expected = NULL, *owner = NULL;
	size_t fields = kind == ORDAIN_REASSIGN ? 4 : 3;
	struct ord_target target;
	struct ord_once once;
	struct ord_flag flags[4 + ORD_ONCE_FLAGS] = {
		text_flag("namespace", &space, 1),
		text_flag("name", &name, 2),
		text_flag("expected", &expected, 0),
		text_flag("owner", &owner, 0),
	};
	struct ord_args args = ord_once_args(self, &target, flags, fields + ORD_ONCE_FLAGS);
	int status;
	ord_once_init(&once, flags + fields);
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	struct ordain_command c = {.kind = kind,
				   .naming = {.space = ordain_str_of(space),
					      .name = ordain_str_of(name),
					      .owner = ordain_str_of(owner),
					      .expected = ordain_str_of(expected)}};
	return ord_once_submit(self, &target, &once, &c);
}

int ord_cmd_name_release(const struct ord_cmd *self, int argc, char **argv)
{
	return name_change(self, argc, argv, ORDAIN_RELEASE);
}

int ord_cmd_name_reassign(const struct ord_cmd *self, int argc, char **argv)
{
	return name_change(self, argc, argv, ORDAIN_REASSIGN);
}
