/* SPDX-License-Identifier: Apache-2.0 - the cluster under test, driven by the program `ordain` alone. */
#include "jepsen/subject.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "jepsen/clock.h"
#include "jepsen/json.h"

#define START_TIMEOUT_MS 120000
#define STOP_TIMEOUT_MS 60000
#define LOOK_TIMEOUT_MS 20000
#define BACKUP_TIMEOUT_MS 330000 /* more than the command allows the node, so that it is heard why */
#define LOOK_PAUSE_NS 100000000ull
#define ANSWER_BYTES_MAX (64u << 20)

/* The last line that the command said to people, else that it said nothing. */
static void why_of(const struct ord_program_words *words, const struct ord_program_end *end, char *why)
{
	const char *text = (const char *)end->err.base;
	size_t len = end->err.len;
	while (len > 0 && text[len - 1] == '\n')
		len--;
	size_t begin = len;
	while (begin > 0 && text[begin - 1] != '\n')
		begin--;
	if (end->late)
		snprintf(why, ORD_SUBJECT_WHY_SIZE, "ordain %s %s took too long and was ended", words->words[1],
			 words->words[2]);
	else if (len > begin)
		snprintf(why, ORD_SUBJECT_WHY_SIZE, "%.*s", (int)(len - begin), text + begin);
	else
		snprintf(why, ORD_SUBJECT_WHY_SIZE, "ordain %s %s ended with status %d and said nothing",
			 words->words[1], words->words[2], end->status);
}

int ord_subject_ask(const struct ord_subject *s, const struct ord_program_words *words, int64_t timeout_ms,
		    struct ord_edn_pool *pool, struct ord_edn *ret, char *why)
{
	struct ord_program_words all = {0};
	struct ord_program_end end;
	ORD_ASSERT(words->count >= 2);
	ord_program_add(&all, s->program);
	for (uint32_t i = 0; i < words->count; i++)
		ord_program_add(&all, words->words[i]);
	ord_program_add(&all, "--dir");
	ord_program_add(&all, s->dir);
	ord_program_add(&all, "--json");
	*ret = ord_edn_nil();
	int err = ord_program_run(&all, timeout_ms, &end, why, ORD_SUBJECT_WHY_SIZE);
	if (err != ORD_OK)
		return err;
	if (end.out.len > 0 && end.out.len <= ANSWER_BYTES_MAX)
		ord_json_read(pool, (const char *)end.out.base, ret); /* what is none stays nil */
	if (end.status != 0 || end.late) {
		why_of(&all, &end, why);
		err = ORD_ERR_INVALID;
	}
	ord_program_close(&end);
	return err;
}

static void addresses_learn(struct ord_subject *s, struct ord_edn status)
{
	struct ord_edn nodes = ord_edn_get(status, "nodes");
	for (uint32_t i = 0; i < ord_json_count(nodes) && i < ORD_NODES_MAX; i++) {
		struct ord_slice address = ord_edn_text(ord_edn_get(nodes.items[i], "address"));
		snprintf(s->addresses[i], sizeof s->addresses[i], "%.*s", (int)address.len,
			 address.len > 0 ? (const char *)address.base : "");
	}
}

int ord_subject_start(struct ord_subject *s, char *why)
{
	struct ord_program_words words = {0};
	struct ord_edn_pool pool;
	struct ord_edn status;
	char nodes[16], partitions[16];
	snprintf(nodes, sizeof nodes, "%" PRIu32, s->nodes_count);
	snprintf(partitions, sizeof partitions, "%" PRIu32, s->partitions_count);
	const char *const fixed[] = {"cluster",	     "start",	 "--nodes",   nodes,
				     "--partitions", partitions, "--timeout", "60s"};
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		ord_program_add(&words, fixed[i]);
	if (s->ordaind != NULL) {
		ord_program_add(&words, "--ordaind");
		ord_program_add(&words, s->ordaind);
	}
	if (s->netns)
		ord_program_add(&words, "--netns");
	else if (s->hooks)
		ord_program_add(&words, "--enable-faults");
	ord_edn_pool_init(&pool, ANSWER_BYTES_MAX);
	int err = ord_subject_ask(s, &words, START_TIMEOUT_MS, &pool, &status, why);
	if (err == ORD_OK)
		addresses_learn(s, status);
	if (err == ORD_OK && s->addresses[s->nodes_count - 1][0] == '\0') {
		snprintf(why, ORD_SUBJECT_WHY_SIZE, "%s: 'cluster start --json' names no address of node %" PRIu32,
			 s->program, s->nodes_count);
		err = ORD_ERR_IO;
	}
	ord_edn_pool_close(&pool);
	return err;
}

__attribute__((format(printf, 2, 3))) static void missing(struct ord_subject_state *state, const char *format, ...)
{
	va_list args;
	if (!state->whole)
		return; /* the first thing that is missing is told */
	state->whole = false;
	va_start(args, format);
	vsnprintf(state->words, sizeof state->words, format, args);
	va_end(args);
}

static void disagreement(struct ord_subject_state *state, int64_t partition, const char *what)
{
	state->whole = false;
	if (!state->disagrees)
		snprintf(state->words, sizeof state->words, "partition %" PRId64 ": %s", partition, what);
	state->disagrees = true;
}

static void partition_look(const struct ord_subject *s, struct ord_edn partition, struct ord_subject_state *state)
{
	int64_t number = ord_json_int(partition, "partition", -1);
	struct ord_edn replicas = ord_edn_get(partition, "replicas");
	int64_t position = ord_json_int(partition, "position", -1);
	if (!ord_json_bool(partition, "agree", true))
		disagreement(state, number, "replicas at the same position have different digests");
	if (!ord_json_bool(partition, "ready", false))
		missing(state, "partition %" PRId64 " has no leader that takes commands", number);
	uint32_t voters_count = ord_json_count(ord_edn_get(partition, "voters"));
	if (voters_count != s->nodes_count)
		missing(state, "partition %" PRId64 ": %" PRIu32 " nodes have a vote", number, voters_count);
	if (ord_json_count(replicas) != s->nodes_count)
		missing(state, "partition %" PRId64 ": %" PRIu32 " replicas are known of", number,
			ord_json_count(replicas));
	for (uint32_t i = 0; i < ord_json_count(replicas); i++) {
		struct ord_edn r = replicas.items[i];
		int64_t node = ord_json_int(r, "node", -1);
		if (ord_json_is(r, "comparison", "differs") || ord_json_is(r, "comparison", "fenced"))
			disagreement(state, number, "a replica is not as the others at a mark");
		if (ord_json_int(r, "position", -2) != position)
			missing(state, "partition %" PRId64 ": node %" PRId64 " is at position %" PRId64 " of %" PRId64,
				number, node, ord_json_int(r, "position", -2), position);
		if (ord_json_int(r, "unsettled", 0) != 0)
			missing(state, "partition %" PRId64 ": node %" PRId64 " has %" PRId64 " unsettled transfers",
				number, node, ord_json_int(r, "unsettled", 0));
	}
}

/* Looks once. False when the cluster cannot be asked: then words says why. */
static bool look(const struct ord_subject *s, struct ord_subject_state *ret)
{
	struct ord_program_words words = {.words = {"cluster", "status"}, .count = 2};
	struct ord_edn_pool pool;
	struct ord_edn status;
	char why[ORD_SUBJECT_WHY_SIZE];
	*ret = (struct ord_subject_state){.whole = true};
	ord_edn_pool_init(&pool, ANSWER_BYTES_MAX);
	int err = ord_subject_ask(s, &words, LOOK_TIMEOUT_MS, &pool, &status, why);
	struct ord_edn nodes = ord_edn_get(status, "nodes"), partitions = ord_edn_get(status, "partitions");
	bool known = ord_json_count(nodes) == s->nodes_count && ord_json_count(partitions) == s->partitions_count;
	if (!known)
		missing(ret, "%.200s", err != ORD_OK ? why : "'cluster status --json' cannot be understood");
	for (uint32_t i = 0; known && i < nodes.len; i++) {
		if (!ord_json_is(nodes.items[i], "state", "running"))
			missing(ret, "node %" PRId64 " does not answer", ord_json_int(nodes.items[i], "node", -1));
	}
	for (uint32_t i = 0; known && i < partitions.len; i++)
		partition_look(s, partitions.items[i], ret);
	ord_edn_pool_close(&pool);
	return known;
}

bool ord_subject_await(const struct ord_subject *s, int64_t timeout_ms, struct ord_subject_state *ret)
{
	uint64_t deadline_ns = ord_clock_ns() + (uint64_t)timeout_ms * 1000000u;
	for (;;) {
		look(s, ret);
		if (ret->whole || ret->disagrees || ord_clock_ns() > deadline_ns)
			return ret->whole;
		if (!ord_clock_sleep_until(ord_clock_ns() + LOOK_PAUSE_NS))
			return false;
	}
}

int ord_subject_backup(const struct ord_subject *s, char *why)
{
	char node[16], to[ORD_SUBJECT_PATH_SIZE + 32];
	struct ord_edn_pool pool;
	struct ord_edn answer;
	int err = ORD_OK;
	ord_edn_pool_init(&pool, ANSWER_BYTES_MAX);
	for (uint32_t i = 1; err == ORD_OK && i <= s->nodes_count; i++) {
		struct ord_program_words words = {.words = {"backup", "--node", node, "--to", to}, .count = 5};
		snprintf(node, sizeof node, "%" PRIu32, i);
		snprintf(to, sizeof to, "%s/backup-%" PRIu32, s->dir, i);
		err = ord_subject_ask(s, &words, BACKUP_TIMEOUT_MS, &pool, &answer, why);
	}
	ord_edn_pool_close(&pool);
	return err;
}

int ord_subject_stop(const struct ord_subject *s, char *why)
{
	struct ord_program_words words = {.words = {"cluster", "stop", "--force", "--timeout", "30s"}, .count = 5};
	struct ord_edn_pool pool;
	struct ord_edn answer;
	ord_edn_pool_init(&pool, ANSWER_BYTES_MAX);
	int err = ord_subject_ask(s, &words, STOP_TIMEOUT_MS, &pool, &answer, why);
	ord_edn_pool_close(&pool);
	return err;
}

void ord_subject_addresses(const struct ord_subject *s, uint32_t first, char ret[ORD_CLIENT_ADDRESSES_SIZE])
{
	size_t used = 0;
	ret[0] = '\0';
	for (uint32_t i = 0; i < s->nodes_count; i++)
		used += (size_t)snprintf(ret + used, ORD_CLIENT_ADDRESSES_SIZE - used, "%s%s", i > 0 ? "," : "",
					 s->addresses[(first + i) % s->nodes_count]);
}
