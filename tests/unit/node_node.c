/* SPDX-License-Identifier: Apache-2.0 - nodes of several shards over real files and sockets, all in one loop: what needs partitions of different shards is settled, restarts lose nothing, mistakes are named. */
#include "node/node.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "node/config.h"
#include "node/query.h"
#include "node/shard.h"
#include "partition/route.h"
#include "tests/support/node_client.h"

#define NODES 3
#define SHARDS 2
#define PARTITIONS 5
#define WAIT_MS 10000
#define ACCOUNTS 12

/* --- The bench. --- */

static uv_loop_t loop;
static char parent[64];
static struct ord_config configs[NODES];
static struct ord_node *nodes[NODES]; /* NULL: not running */

/* Each test is a process, and has an address of its own: ports that must follow each other are free there. */
static void own_host(char *host, size_t size)
{
	unsigned pid = (unsigned)getpid();
	snprintf(host, size, "127.%u.%u.%u", 1 + pid / 62500 % 250, 1 + pid / 250 % 250, 1 + pid % 250);
}

static void make(void)
{
	char host[32];
	snprintf(parent, sizeof parent, "/tmp/ordain-node-XXXXXX");
	cr_assert_not_null(mkdtemp(parent));
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(uv_loop_init(&loop), 0);
	own_host(host, sizeof host);
	for (unsigned i = 0; i < NODES; i++) {
		struct ord_config *c = &configs[i];
		ord_config_init(c);
		c->cluster = (struct ord_uuid){{7}};
		c->node = i + 1;
		c->nodes_count = NODES;
		c->partitions_count = PARTITIONS;
		c->shards_count = SHARDS;
		c->segment_bytes = 1u << 20;
		for (unsigned k = 0; k < NODES; k++) {
			struct ord_config_node *n = &c->nodes[k];
			*n = (struct ord_config_node){.id = k + 1, .peer.port = (uint16_t)(7101 + 10 * k)};
			n->client.port = (uint16_t)(7001 + 10 * k);
			memcpy(n->peer.host, host, sizeof host);
			memcpy(n->client.host, host, sizeof host);
		}
		snprintf(c->data_dir, sizeof c->data_dir, "%s/node-%u", parent, i + 1);
	}
}

static void clean(void)
{
	char command[128];
	cr_assert_eq(uv_loop_close(&loop), 0, "a handle was left open");
	snprintf(command, sizeof command, "rm -r %s", parent);
	cr_assert_eq(system(command), 0);
}

TestSuite(node, .init = make, .fini = clean, .timeout = 120);

static void fatal_cb(void *ctx, int err, const char *why)
{
	(void)ctx;
	cr_assert_fail("%s: %s", ord_err_text(err), why);
}

static int node_try(unsigned place, char *why, size_t why_size)
{
	struct ord_node_options options = {.loop = &loop, .config = &configs[place], .fatal = fatal_cb};
	return ord_node_start(&options, &nodes[place], why, why_size);
}

static void node_start(unsigned place)
{
	char why[1024] = "";
	cr_assert_eq(node_try(place, why, sizeof why), ORD_OK, "%s", why);
}

static void stopped_cb(void *ctx)
{
	*(struct ord_node **)ctx = NULL;
}

static void node_stop(unsigned place)
{
	ord_node_stop(nodes[place], stopped_cb, &nodes[place]);
	UNTIL(&loop, nodes[place] == NULL);
}

static void start_all(void)
{
	for (unsigned i = 0; i < NODES; i++)
		node_start(i);
}

static void stop_all(void)
{
	for (unsigned i = 0; i < NODES; i++)
		if (nodes[i] != NULL)
			node_stop(i);
}

static void replica_status(unsigned place, uint32_t partition, struct ord_replica_status *ret)
{
	ord_shard_replica_status(ord_node_shard(nodes[place], partition % SHARDS), partition, ret);
}

/* Each partition has a leader, and every shard of every node knows it. */
static bool all_led(void)
{
	for (uint32_t k = 0; k < PARTITIONS; k++) {
		uint32_t leader = 0;
		for (unsigned i = 0; i < NODES; i++) {
			struct ord_replica_status status;
			if (nodes[i] == NULL)
				continue;
			replica_status(i, k, &status);
			leader = status.ready ? i + 1 : leader;
		}
		for (unsigned i = 0; i < NODES; i++)
			for (uint32_t s = 0; nodes[i] != NULL && s < SHARDS; s++)
				if (leader == 0 || ord_shard_leader(ord_node_shard(nodes[i], s), k) != leader)
					return false;
	}
	return true;
}

static bool all_equal(void)
{
	for (uint32_t k = 0; k < PARTITIONS; k++) {
		struct ord_replica_status first, status;
		replica_status(0, k, &first);
		for (unsigned i = 0; i < NODES; i++) {
			replica_status(i, k, &status);
			if (status.state.outbox_count > 0 || memcmp(status.state.history_hash, first.state.history_hash,
								    sizeof first.state.history_hash) != 0)
				return false;
		}
	}
	return true;
}

/* --- Calls. --- */

struct call {
	struct ord_waiter waiter; /* first */
	unsigned answers_count;
	int err;
	uint32_t partition;
	struct ord_result result;
	char body[512];
	size_t body_bytes;
};

static void call_answer(struct ord_waiter *w, uint32_t item, const struct ord_answer *a)
{
	struct call *call = (struct call *)w;
	cr_assert_eq(item, 5);
	call->answers_count++;
	call->err = a->err;
	call->partition = a->partition;
	call->result = a->result;
	call->body_bytes = a->body.len < sizeof call->body ? a->body.len : sizeof call->body;
	if (call->body_bytes > 0)
		memcpy(call->body, a->body.base, call->body_bytes);
}

static struct ord_uuid next_id(void)
{
	static uint64_t number;
	struct ord_uuid id = {{1}};
	number++;
	memcpy(&id.bytes[8], &number, sizeof number);
	return id;
}

/* Asks, at any shard, until the outcome is known, as a client does. */
static void settle(unsigned place, uint32_t shard, const struct ord_command *c)
{
	struct call call;
	unsigned rounds = 0;
	do {
		struct ord_shard *s = ord_node_shard(nodes[place], shard);
		cr_assert_lt(rounds++, 20);
		call = (struct call){.waiter = {.answer = call_answer}};
		ord_shard_submit(s, c, ORD_WAIT_SETTLED, ord_shard_now_ms(s) + WAIT_MS, &call.waiter, 5);
		cr_assert_eq(call.answers_count, 0);
		UNTIL(&loop, call.answers_count > 0);
	} while (call.err != ORD_OK || call.result.status == ORD_STATUS_ACCEPTED);
	cr_assert_eq(call.answers_count, 1);
	cr_assert_eq(call.partition, ord_route_command(c, PARTITIONS));
	cr_assert_eq(call.result.status, ORD_STATUS_SETTLED);
}

static struct ord_slice account_name(unsigned number)
{
	static char names[ACCOUNTS][16];
	snprintf(names[number], sizeof names[number], "account-%u", number);
	return ord_slice_text(names[number]);
}

static void open_accounts(void)
{
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		struct ord_command c = {.kind = ORD_COMMAND_OPEN_ACCOUNT,
					.request_id = next_id(),
					.open_account = {.account = account_name(i),
							 .asset = ord_slice_text("EUR"),
							 .floor = -1000000,
							 .ceiling = INT64_MAX}};
		settle(i % NODES, i % SHARDS, &c);
	}
}

/* From each account to the next one, so between all shards, each asked at every shard in turn. */
static void settle_transfers(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct ord_command c = {.kind = ORD_COMMAND_TRANSFER,
					.request_id = next_id(),
					.transfer = {.payer = account_name(i % ACCOUNTS),
						     .payee = account_name((i + 1) % ACCOUNTS),
						     .asset = ord_slice_text("EUR"),
						     .amount = 1}};
		if (nodes[i % NODES] != NULL)
			settle(i % NODES, i / NODES % SHARDS, &c);
	}
}

Test(node, what_was_settled_between_shards_is_there_after_restarts)
{
	start_all();
	UNTIL(&loop, all_led());
	open_accounts();
	settle_transfers(36);
	node_stop(1);
	settle_transfers(36); /* two of three go on */
	node_start(1);
	settle_transfers(36);
	UNTIL(&loop, all_led() && all_equal());
	uint64_t before[PARTITIONS];
	for (uint32_t k = 0; k < PARTITIONS; k++) {
		struct ord_replica_status status;
		replica_status(0, k, &status);
		cr_assert_gt(status.state.position, 0);
		before[k] = status.state.position;
	}
	stop_all();
	start_all();
	UNTIL(&loop, all_led() && all_equal());
	for (uint32_t k = 0; k < PARTITIONS; k++) {
		struct ord_replica_status status;
		replica_status(2, k, &status);
		cr_assert_eq(status.state.position, before[k]);
	}
	settle_transfers(12);
	stop_all();
}

Test(node, reads_are_answered_by_any_shard)
{
	start_all();
	UNTIL(&loop, all_led());
	open_accounts();
	for (unsigned i = 0; i < ACCOUNTS * SHARDS; i++) {
		struct call call = {.waiter = {.answer = call_answer}};
		struct ord_shard *s = ord_node_shard(nodes[i % NODES], i % SHARDS);
		struct ord_query q = {.kind = ORD_QUERY_ACCOUNT, .account = account_name(i / SHARDS)};
		struct ord_bytes bytes;
		ord_bytes_init(&bytes, 1024);
		ord_query_encode(&q, &bytes);
		ord_shard_read(s, ord_route_account(q.account, PARTITIONS), ord_bytes_slice(&bytes),
			       ord_shard_now_ms(s) + WAIT_MS, &call.waiter, 5);
		ord_bytes_close(&bytes);
		UNTIL(&loop, call.answers_count > 0);
		cr_assert_eq(call.err, ORD_OK);
		cr_assert_not_null(memmem(call.body, call.body_bytes, q.account.base, q.account.len));
	}
	stop_all();
}

/* Whoever waits is answered, whichever shard they asked. */
Test(node, stopping_under_load_answers_all)
{
	enum { CALLS = 200 };
	static struct call calls[CALLS];
	start_all();
	UNTIL(&loop, all_led());
	open_accounts();
	for (unsigned i = 0; i < CALLS; i++) {
		struct ord_command c = {.kind = ORD_COMMAND_TRANSFER,
					.request_id = next_id(),
					.transfer = {.payer = account_name(i % ACCOUNTS),
						     .payee = account_name((i + 5) % ACCOUNTS),
						     .asset = ord_slice_text("EUR"),
						     .amount = 1}};
		struct ord_shard *s = ord_node_shard(nodes[0], i % SHARDS);
		calls[i] = (struct call){.waiter = {.answer = call_answer}};
		ord_shard_submit(s, &c, ORD_WAIT_SETTLED, ord_shard_now_ms(s) + WAIT_MS, &calls[i].waiter, 5);
	}
	uv_run(&loop, UV_RUN_NOWAIT);
	node_stop(0);
	for (unsigned i = 0; i < CALLS; i++)
		cr_expect_eq(calls[i].answers_count, 1, "call %u: %u answers", i, calls[i].answers_count);
	stop_all();
}

/* Where tests' clients connect. */
static void serve_node(unsigned place)
{
	struct ord_address *client = &configs[place].nodes[place].client;
	snprintf(client->host, sizeof client->host, "127.0.0.1");
	client->port = client_free_port();
}

Test(node, what_is_asked_of_all_shards_is_refused_with_its_reason)
{
	static const char not_there[] = "no such account is in this node's memory";
	serve_node(0);
	configs[0].enable_faults = true;
	node_start(0);
	struct client client = client_open(&loop, configs[0].nodes[0].client.port, 0);
	for (unsigned i = 0; i < ACCOUNTS; i++) { /* of all shards */
		char words[64];
		snprintf(words, sizeof words, "[0, 1, spoil, {account: account-%u, delta: 1}]", i);
		const char *answer = client_ask(&client, words);
		cr_assert_not_null(strstr(answer, "not_found"), "%s", answer);
		cr_assert_not_null(strstr(answer, not_there), "%s", answer);
	}
	client_close(&client);
	stop_all();
}

/* What goes round all shards finds some that run, some that stop, and some that are gone. */
Test(node, what_is_asked_of_all_shards_while_they_stop_is_answered)
{
	enum { ASKED = 8 };
	serve_node(0);
	for (unsigned turns = 0; turns < 24; turns++) {
		node_start(0);
		struct client clients[SHARDS];
		for (unsigned i = 0; i < SHARDS; i++)
			clients[i] = client_open(&loop, configs[0].nodes[0].client.port, 0);
		for (unsigned i = 0; i < SHARDS; i++)
			cr_assert_not_null(strstr(client_ask(&clients[i], "[0, 1, status, {}]"), "standing"));
		for (unsigned i = 0; i < SHARDS * ASKED; i++)
			client_send_words(&clients[i % SHARDS], "[0, 2, status, {}]");
		for (unsigned i = 0; i < turns / 2; i++)
			uv_run(&loop, UV_RUN_NOWAIT);
		node_stop(0);
		for (unsigned i = 0; i < SHARDS; i++) {
			while (strlen(client_next(&clients[i])) > 0)
				;
			cr_expect(!clients[i].reset);
			client_close(&clients[i]);
		}
	}
}

static void expect_refused(unsigned place, const char *wanted)
{
	char why[1024] = "";
	cr_assert_neq(node_try(place, why, sizeof why), ORD_OK);
	nodes[place] = NULL;
	cr_assert_not_null(strstr(why, wanted), "%s", why);
}

Test(node, another_number_of_shards_is_refused)
{
	start_all();
	UNTIL(&loop, all_led());
	stop_all();
	configs[0].shards_count = 3;
	expect_refused(0, "belongs to a node of 2 shards, the configuration says 3");
	configs[0].shards_count = 1;
	expect_refused(0, "belongs to a node of several shards, the configuration says shards = 1");
	configs[0].shards_count = SHARDS;
	node_start(0);
	node_stop(0);
}

Test(node, directories_of_shards_are_not_exchanged)
{
	char command[512];
	start_all();
	UNTIL(&loop, all_led());
	stop_all();
	snprintf(command, sizeof command, "cd %s/node-1 && mv shard-0 x && mv shard-1 shard-0 && mv x shard-1", parent);
	cr_assert_eq(system(command), 0);
	expect_refused(0, "belongs to shard 1, not 0");
}

/* All others have ended again then, in order. */
Test(node, a_port_in_use_is_named)
{
	node_start(0);
	configs[1].nodes[1].peer.port = configs[0].nodes[0].peer.port;
	configs[1].nodes[1].peer.port--; /* that of shard 1 is taken */
	expect_refused(1, "in use");
	stop_all();
}
