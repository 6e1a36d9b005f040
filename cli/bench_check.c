/* SPDX-License-Identifier: Apache-2.0 - after the load of a bench: are balances and names what the bench was told, and do the replicas agree? */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "cli/bench_inside.h"
#include "cli/survey.h"

#define READS 256     /* under way */
#define ROUNDS_MAX 10 /* while transfers of unknown outcome may still be on their way */
#define PAUSE_MS 1000 /* between two rounds */
#define SURVEY_WAIT_MS 5000
#define SURVEYS_MAX 5

/* Reads of things with numbers, some under way at once. */
struct reading {
	struct ord_bench *bench;
	uint32_t next; /* of count */
	uint32_t count;
	uint32_t failed;
	char problem[160];			     /* of the first */
	int (*begin)(struct reading *r, uint32_t i); /* 0 or enum ordain_error */
	struct ord_bench_money_sum sum;		     /* of accounts */
	uint32_t lost;				     /* claims that are not what was settled */
	uint64_t lost_first;
	struct claim_read *claims; /* owned */
};

struct claim_read {
	struct reading *reading;
	const struct ord_bench_kept *kept;
};

__attribute__((format(printf, 4, 5))) static void check_put(struct ord_bench *b, const char *name, bool right,
							    const char *format, ...)
{
	ORD_ASSERT(b->report->checks_count < ORD_BENCH_CHECKS_MAX);
	struct ord_bench_check *c = &b->report->checks[b->report->checks_count++];
	va_list args;
	c->name = name;
	c->verdict = right ? ORD_BENCH_RIGHT : ORD_BENCH_WRONG;
	va_start(args, format);
	vsnprintf(c->text, sizeof c->text, format, args);
	va_end(args);
}

static void reading_failed(struct reading *r, const char *name, const char *message)
{
	if (r->failed++ == 0)
		snprintf(r->problem, sizeof r->problem, "%s: %s", name, message);
}

/* After the first that failed none is begun: each has waited its whole time-out, and a cluster that is gone would be asked for all of them. */
static void reading_go_on(struct reading *r)
{
	while (r->failed == 0 && r->next < r->count) {
		int err = r->begin(r, r->next++);
		if (err == 0)
			return;
		reading_failed(r, ordain_error_name(err), ordain_strerror(err));
	}
}

static void reading_run(struct reading *r)
{
	for (uint32_t i = 0; i < READS; i++)
		reading_go_on(r);
	uv_run(&r->bench->loop, UV_RUN_DEFAULT);
}

/* --- Accounts --------------------------------------------------------------------------------------------------------- */

/* The number at the end of an account's name, which is one of ours: it was asked for. */
static uint32_t account_number(const struct reading *r, struct ordain_str name)
{
	uint32_t number = 0;
	for (size_t i = r->bench->work.prefix_len; i < name.len; i++)
		number = number * 10 + (uint32_t)(name.base[i] - '0');
	return number;
}

static void account_cb(const struct ordain_problem *problem, const struct ordain_account *account, void *arg)
{
	struct reading *r = arg;
	if (problem != NULL)
		reading_failed(r, problem->name, problem->message);
	else
		ord_bench_money_found(&r->bench->money, &r->sum, account_number(r, account->account), account->balance);
	reading_go_on(r);
}

/* When not all are read, those that are have the same distance from one another: hot accounts come first, and the first is among them. */
static int account_begin(struct reading *r, uint32_t i)
{
	struct ord_bench *b = r->bench;
	char name[ORD_BENCH_NAME_SIZE];
	uint64_t number = (uint64_t)i * b->options->work.accounts / r->count;
	size_t len = ord_bench_work_name(&b->work, number, name);
	return ordain_get_account(b->clients[i % b->clients_count], (struct ordain_str){name, len}, NULL, account_cb,
				  r);
}

/* Reads all accounts, or some, once. */
static bool money_round(struct ord_bench *b, struct reading *r, char *why, size_t why_size)
{
	uint32_t all = b->options->work.accounts, most = b->options->check_accounts;
	*r = (struct reading){.bench = b, .count = all < most ? all : most, .begin = account_begin};
	reading_run(r);
	if (r->failed == 0)
		return ord_bench_money_right(&b->money, &r->sum, why, why_size);
	snprintf(why, why_size, "the %" PRIu32 " accounts could not all be read; %s", r->count, r->problem);
	return false;
}

static void money_check(struct ord_bench *b)
{
	struct reading r;
	char why[256];
	bool right = money_round(b, &r, why, sizeof why);
	/* A transfer of unknown outcome may be in the middle: what was read before it settles and after it do not go together. */
	for (int i = 1; i < ROUNDS_MAX && !right && r.failed == 0 && b->money.unknown > 0; i++) {
		uv_sleep(PAUSE_MS);
		right = money_round(b, &r, why, sizeof why);
	}
	if (!right)
		check_put(b, "money", false, "%s", why);
	else if (r.count == b->options->work.accounts)
		check_put(b, "money", true, "all %" PRIu32 " balances are what was settled, their sum is 0", r.count);
	else
		check_put(b, "money", true, "%" PRIu32 " of %" PRIu32 " balances were read and are what was settled",
			  r.count, b->options->work.accounts);
}

/* --- Claims ----------------------------------------------------------------------------------------------------------- */

static void name_cb(const struct ordain_problem *problem, const struct ordain_name *name, void *arg)
{
	const struct claim_read *c = arg;
	struct reading *r = c->reading;
	bool ours = problem == NULL && memcmp(name->id.bytes, c->kept->id.bytes, sizeof name->id.bytes) == 0;
	if (problem != NULL && problem->code != ORDAIN_ERR_NOT_FOUND)
		reading_failed(r, problem->name, problem->message);
	else if (!ours && r->lost++ == 0)
		r->lost_first = c->kept->number;
	reading_go_on(r);
}

static int name_begin(struct reading *r, uint32_t i)
{
	struct ord_bench *b = r->bench;
	char name[ORD_BENCH_NAME_SIZE];
	r->claims[i] = (struct claim_read){.reading = r, .kept = &b->kept[i]};
	size_t len = ord_bench_work_name(&b->work, b->kept[i].number, name);
	return ordain_get_name(b->clients[i % b->clients_count], ordain_str_of(ORD_BENCH_SPACE),
			       (struct ordain_str){name, len}, NULL, name_cb, &r->claims[i]);
}

static void claims_check(struct ord_bench *b)
{
	struct reading r = {.bench = b, .begin = name_begin};
	r.count = b->claims_settled < ORD_BENCH_KEPT_MAX ? (uint32_t)b->claims_settled : ORD_BENCH_KEPT_MAX;
	r.claims = calloc(ORD_BENCH_KEPT_MAX, sizeof *r.claims);
	if (r.claims == NULL) {
		check_put(b, "claims", false, "out of memory for looking at them");
		return;
	}
	reading_run(&r);
	free(r.claims);
	if (r.failed > 0)
		check_put(b, "claims", false, "the %" PRIu32 " names could not all be read; %s", r.count, r.problem);
	else if (r.lost > 0)
		check_put(b, "claims", false,
			  "%" PRIu32 " of %" PRIu32 " names that were settled do not have their owner; name %" PRIu64
			  " of the run is one",
			  r.lost, r.count, r.lost_first);
	else
		check_put(b, "claims", true, "%" PRIu32 " of %" PRIu64 " settled names have their owner", r.count,
			  b->claims_settled);
}

/* --- All -------------------------------------------------------------------------------------------------------------- */

void ord_bench_check(struct ord_bench *b)
{
	if (b->options->check_accounts > 0 && ord_bench_work_has_accounts(&b->work))
		money_check(b);
	if (ord_bench_work_has(&b->work, ORD_BENCH_CLAIM))
		claims_check(b);
	if (ord_bench_work_has(&b->work, ORD_BENCH_READ) && b->reads_wrong == 0)
		check_put(b, "reads", true, "none gave what cannot be");
	else if (b->reads_wrong > 0)
		check_put(b, "reads", false, "%" PRIu64 " gave another asset, or a balance that was never there",
			  b->reads_wrong);
}

static uint32_t compared_count(const struct ord_survey *s)
{
	uint32_t count = 0;
	for (uint32_t p = 0; p < s->partitions_count; p++)
		count += ord_survey_compares(s, p);
	return count;
}

static void replicas_compare(struct ord_bench *b, const struct ord_survey *s)
{
	uint32_t differ = 0, first = 0, compared = compared_count(s);
	for (uint32_t p = 0; p < s->partitions_count; p++) {
		if (ord_survey_agrees(s, p))
			continue;
		if (differ++ == 0)
			first = p;
	}
	if (differ > 0)
		check_put(b, "replicas", false,
			  "%" PRIu32 " of %" PRIu32 " partitions have replicas that differ; partition %" PRIu32
			  " is one: see 'ordain cluster status'",
			  differ, s->partitions_count, first);
	else if (s->nodes_count == 1)
		check_put(b, "replicas", true, "there is one of each partition, and nothing to compare it with");
	else if (compared == 0)
		check_put(b, "replicas", false,
			  "nothing could be compared: no two of a partition were seen at one position; see 'ordain "
			  "cluster status'");
	else if (compared < s->partitions_count)
		check_put(b, "replicas", true,
			  "no two of a partition differ; of %" PRIu32 " of %" PRIu32
			  " partitions two were seen at one position",
			  compared, s->partitions_count);
	else
		check_put(b, "replicas", true, "no two of a partition differ");
}

/* Until those that lag behind are where the others are. Under somebody else's load that may never be so. */
static void replicas_await(struct ord_survey *s)
{
	for (int i = 0; i < SURVEYS_MAX; i++) {
		ord_survey_round(s, SURVEY_WAIT_MS);
		if (s->nodes_count == 1 || compared_count(s) == s->partitions_count)
			return;
		uv_sleep(PAUSE_MS);
	}
}

void ord_bench_check_replicas(struct ord_bench *b, const struct ordain_options *cluster)
{
	struct ord_survey *s = NULL;
	char why[160] = "";
	int err = ord_survey_open(cluster, &s);
	if (err == 0)
		err = ord_survey_discover(s, SURVEY_WAIT_MS, why, sizeof why);
	else
		snprintf(why, sizeof why, "%s", ordain_strerror(err));
	if (err == 0) {
		replicas_await(s);
		replicas_compare(b, s);
	} else {
		check_put(b, "replicas", false, "the nodes could not be asked: %s", why);
	}
	if (s != NULL)
		ord_survey_close(s);
}
