/* SPDX-License-Identifier: Apache-2.0 - workload: transfers and claims whose positions are kept; at the end the histories of all nodes are read, from a backup that is made of each: what a node's disk has in its log only is in the backup as well. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "jepsen/checkers/order.h"
#include "jepsen/json.h"
#include "jepsen/money.h"
#include "jepsen/naming.h"
#include "jepsen/program.h"
#include "jepsen/workload.h"

#define ACCOUNTS 8
#define BALANCE 1000000
#define FLOOR (-100000000)
#define DUMP_TIMEOUT_MS 60000
#define LINE_POOL_BYTES_MAX (8u << 20)
#define PATH_SIZE 4200

struct state {
	uint32_t nodes_count;
	uint32_t partitions_count;
	uint64_t names_count;
};

static void begin(void *arg, const struct ord_workload_shape *shape)
{
	struct state *s = arg;
	s->nodes_count = shape->nodes_count;
	s->partitions_count = shape->partitions_count;
}

static const struct ord_money_accounts accounts = {
	.count = ACCOUNTS, .balance = BALANCE, .ceiling = INT64_MAX, .mint_floor = FLOOR};

static bool setup(void *arg, uint32_t n, struct ord_random *r, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	(void)arg;
	return ord_money_setup(&accounts, n, r, pool, ret);
}

static void next(void *arg, uint32_t thread, struct ord_random *r, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	struct state *s = arg;
	(void)thread;
	if (ord_random_chance(r, 500)) {
		uint64_t from = ord_random_below(r, ACCOUNTS);
		uint64_t to = (from + 1 + ord_random_below(r, ACCOUNTS - 1)) % ACCOUNTS;
		*ret = ord_money_transfer(pool, ord_client_id(r, pool), ord_client_label(pool, "a", from),
					  ord_client_label(pool, "a", to), 1);
		return;
	}
	struct ord_edn value = ord_edn_map(pool, 3);
	ord_edn_put_word(&value, "id", ord_client_id(r, pool));
	ord_edn_put_word(&value, "name", ord_client_label(pool, "l", s->names_count++));
	ord_edn_put_word(&value, "owner", ord_edn_literal("log"));
	*ret = (struct ord_ask){.f = "claim", .value = value};
}

static bool final(void *arg, uint32_t n, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	const struct state *s = arg;
	struct ord_edn value = ord_edn_map(pool, 2);
	ord_edn_put_word(&value, "node", ord_edn_int(n / s->partitions_count + 1));
	ord_edn_put_word(&value, "partition", ord_edn_int(n % s->partitions_count));
	*ret = (struct ord_ask){.f = "log", .value = value};
	return n < s->nodes_count * s->partitions_count;
}

/* --- reading a history ------------------------------------------------------------------------------------------------ */

/* One command of a log, for the checker: a hash of all that is known of it, and its id. */
struct line {
	int64_t offset;
	struct ord_edn command;
	struct ord_edn id;
};

static bool line_read(struct ord_client *c, char *text, struct line *ret)
{
	struct ord_edn_pool pool;
	struct ord_edn value;
	char hash[24];
	ord_edn_pool_init(&pool, LINE_POOL_BYTES_MAX);
	bool good = ord_json_read(&pool, text, &value) == ORD_OK;
	struct ord_slice position = good ? ord_edn_text(ord_edn_get(value, "position")) : ord_slice_text("");
	const char *colon = position.len > 0 ? memchr(position.base, ':', position.len) : NULL;
	good = good && colon != NULL;
	if (good) {
		size_t skip = (size_t)(colon - (const char *)position.base);
		struct ordain_str digits = {.base = colon, .len = position.len - skip};
		ret->offset = ord_client_number(digits, ":");
		snprintf(hash, sizeof hash, "%016" PRIx64, ord_hash64_seed(text, strlen(text), 0));
		ret->command = ord_edn_string(c->pool, ord_slice_text(hash));
		ret->id = ord_edn_copy(c->pool, ord_edn_get(value, "id"));
	}
	ord_edn_pool_close(&pool);
	return good;
}

static uint32_t lines_count(const char *text)
{
	uint32_t count = 0;
	for (; (text = strchr(text, '\n')) != NULL; text++)
		count++;
	return count;
}

/* What `log dump --json` prints: a line a command, in order. */
static bool lines_read(struct ord_client *c, char *text, struct ord_edn asked, struct ord_edn *ret)
{
	uint32_t count = lines_count(text), taken = 0;
	struct ord_edn commands = ord_edn_vector(c->pool, count), ids = ord_edn_vector(c->pool, count);
	struct line line = {0};
	int64_t from = 0;
	char *rest = NULL;
	for (char *at = strtok_r(text, "\n", &rest); at != NULL && taken < commands.len;
	     at = strtok_r(NULL, "\n", &rest)) {
		if (!line_read(c, at, &line))
			return false;
		from = taken == 0 ? line.offset : from;
		if (line.offset !=
		    from + taken) /* a gap: the rest is another piece; the checker says what is missing */
			break;
		commands.items[taken] = line.command;
		ids.items[taken++] = line.id;
	}
	commands.len = ids.len = taken;
	*ret = ord_edn_map(c->pool, 5);
	ord_edn_put_word(ret, "node", ord_edn_get(asked, "node"));
	ord_edn_put_word(ret, "partition", ord_edn_get(asked, "partition"));
	ord_edn_put_word(ret, "from", ord_edn_int(from));
	ord_edn_put_word(ret, "commands", commands);
	ord_edn_put_word(ret, "ids", ids);
	return true;
}

static struct ord_told log_read(struct ord_client *c, struct ord_edn asked)
{
	char data[PATH_SIZE], partition[16], why[512];
	struct ord_program_end end;
	struct ord_told told = {.type = ORD_JEPSEN_FAIL, .error = ord_edn_word("system")};
	snprintf(data, sizeof data, "%s/backup-%" PRId64, c->dir, ord_edn_get(asked, "node").integer);
	snprintf(partition, sizeof partition, "%" PRId64, ord_edn_get(asked, "partition").integer);
	struct ord_program_words words = {
		.words = {c->program, "log", "dump", "--data", data, "--partition", partition, "--json"}, .count = 8};
	if (ord_program_run(&words, DUMP_TIMEOUT_MS, &end, why, sizeof why) != ORD_OK)
		return told;
	if (end.cut)
		told.error = ord_edn_word("too-long");
	else if (end.late || end.status != 0)
		told.error = ord_edn_string(c->pool, ord_slice_text((const char *)end.err.base));
	else if (lines_read(c, (char *)end.out.base, asked, &told.value))
		told = (struct ord_told){.type = ORD_JEPSEN_OK, .value = told.value};
	ord_program_close(&end);
	return told;
}

static void perform(struct ord_client *c, const struct ord_ask *ask, struct ord_told *ret)
{
	if (strcmp(ask->f, "log") == 0)
		*ret = log_read(c, ask->value);
	else if (strcmp(ask->f, "claim") == 0)
		ord_naming_perform(c, ask, ret);
	else
		ord_money_perform(c, ask, ret);
}

static int check(const struct ord_jepsen_history *h, const struct ord_workload_check *options, struct ord_verdict *ret)
{
	(void)options;
	int err = ord_check_order(h, ret);
	/* What was never compared is not equal. */
	if (err == ORD_OK && ord_json_int(ret->figures, "compared", 0) == 0)
		ord_verdict_add(ret, ORD_UNKNOWN, "no-logs", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"no two nodes' histories of a partition were read");
	return err;
}

const struct ord_workload ord_workload_log = {
	.name = "log",
	.summary = "one order for all commands of a partition, the same on all nodes, in agreement with real time",
	.state_bytes = sizeof(struct state),
	.logs = true,
	.begin = begin,
	.setup = setup,
	.next = next,
	.final = final,
	.perform = perform,
	.check = check,
};
