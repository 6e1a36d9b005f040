/* SPDX-License-Identifier: Apache-2.0 - one command or one read against a cluster, from flags to exit status. */
#include "cli/once.h"

#include "base/err.h"
#include "cli/check.h"
#include "cli/report.h"
#include "cli/sheet.h"

struct ord_args ord_once_args(const struct ord_cmd *self, struct ord_target *t, const struct ord_flag *flags,
			      size_t flags_count)
{
	ord_target_init(t);
	return (struct ord_args){.command = self->name,
				 .summary = self->summary,
				 .flags = flags,
				 .flags_count = flags_count,
				 .common = t->flags,
				 .common_count = ORD_TARGET_FLAGS};
}

static int open_fail(const struct ord_cmd *self, const struct ord_target_cluster *cluster, int code)
{
	char why[512];
	ord_target_explain(cluster->addresses, code, why, sizeof why);
	return ord_cmd_fail(self, code == ORDAIN_ERR_ARGUMENT ? ORD_EXIT_USAGE : ORD_EXIT_REFUSED, "%s", why);
}

bool ord_once_open(const struct ord_cmd *self, const struct ord_target *t, struct ordain_sync **ret, int *ret_exit)
{
	struct ord_target_cluster cluster;
	char why[512];
	if (ord_target_resolve(t, &cluster, why, sizeof why) != ORD_OK) {
		*ret_exit = ord_cmd_fail(self, ORD_EXIT_USAGE, "%s", why);
		return false;
	}
	struct ordain_options options = ord_target_options(t, &cluster);
	int err = ordain_sync_open(&options, ret);
	if (err == 0)
		return true;
	*ret_exit = open_fail(self, &cluster, err);
	return false;
}

bool ord_once_survey(const struct ord_cmd *self, const struct ord_target *t, struct ord_survey **ret, int *ret_exit)
{
	struct ord_target_cluster cluster;
	char why[512];
	struct ord_survey *s;
	if (ord_target_resolve(t, &cluster, why, sizeof why) != ORD_OK) {
		*ret_exit = ord_cmd_fail(self, ORD_EXIT_USAGE, "%s", why);
		return false;
	}
	struct ordain_options options = ord_target_options(t, &cluster);
	int err = ord_survey_open(&options, &s);
	if (err != 0) {
		*ret_exit = open_fail(self, &cluster, err);
		return false;
	}
	if (ord_survey_discover(s, (uint32_t)t->timeout_ms, why, sizeof why) != 0) {
		*ret_exit = ord_cmd_fail(self, ORD_EXIT_REFUSED, "%s", why);
		ord_survey_close(s);
		return false;
	}
	*ret = s;
	return true;
}

void ord_once_init(struct ord_once *o, struct ord_flag flags[ORD_ONCE_FLAGS])
{
	*o = (struct ord_once){.wait = "settled"};
	flags[0] = (struct ord_flag){
		.name = "id",
		.value = "UUID",
		.id = &o->id,
		.given = &o->has_id,
		.help = "request id; the same id again answers what was decided first",
		.normal = "a new UUIDv7",
	};
	flags[1] = (struct ord_flag){
		.name = "wait",
		.value = "WHAT",
		.text = &o->wait,
		.choices = "settled logged",
		.help = "answer when the outcome is known, or when the request is logged",
		.normal = "settled",
	};
}

struct ord_flag ord_once_stale_flag(bool *stale)
{
	return (struct ord_flag){.name = "stale",
				 .on = stale,
				 .help = "from any node, as far as it has come: it may be behind, or cut off"};
}

struct ordain_call_options ord_once_read_options(bool stale)
{
	return (struct ordain_call_options){.consistency = stale ? ORDAIN_STALE : ORDAIN_LINEARIZABLE};
}

int ord_once_submit(const struct ord_cmd *self, const struct ord_target *t, const struct ord_once *o,
		    struct ordain_command *c)
{
	struct ordain_call_options call = {.wait = strcmp(o->wait, "logged") == 0 ? ORDAIN_WAIT_LOGGED
										  : ORDAIN_WAIT_SETTLED};
	struct ordain_sync *sync;
	struct ordain_result result;
	struct ord_fault fault;
	int status;
	memcpy(c->id.bytes, o->id.bytes, sizeof c->id.bytes);
	if (!o->has_id && ordain_id_make(&c->id) != 0)
		return ord_cmd_fail(self, ORD_EXIT_REFUSED, "no random numbers to make a request id from; give --id");
	if (ord_check_command(c, &fault) != ORD_OK)
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "--%s must be %s", fault.field, fault.remedy);
	if (!ord_once_open(self, t, &sync, &status))
		return status;
	enum ord_look look = ord_sheet_look(t->json, stdout);
	if (ordain_sync_submit(sync, c, 1, &call, &result) == 0)
		status = ord_report_result(self, &result, look);
	else
		status = ord_report_problem(self, ordain_sync_problem(sync), look, NULL);
	ordain_sync_close(sync);
	return status;
}
