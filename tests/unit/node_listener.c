/* SPDX-License-Identifier: Apache-2.0 - tests of the client's port over real sockets, with a shard that answers when the test says so. */
#include "node/listener.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/err.h"
#include "base/limits.h"
#include "node/config.h"
#include "node/history.h"
#include "tests/support/node_client.h"
#include "tests/support/node_words.h"

#define ITEMS_MAX 100000
#define CLUSTER "01890a5d-ac96-774b-bcce-b302099a8057"
#define ID(last) "01000000-0000-0000-0000-0000000000" last
#define PARTITIONS 2

/* --- the shard ---------------------------------------------------------------------------------------------------------- */

struct submitted {
	struct ord_waiter *waiter;
	uint32_t item;
	enum ord_command_kind kind;
	enum ord_wait wait;
	int64_t amount;
	uint64_t deadline_ms;
	uint32_t partition; /* of a read */
};

struct ord_shard {
	uv_loop_t *loop;
	struct submitted items[ITEMS_MAX];
	size_t items_count;    /* so far */
	size_t answered_count; /* they are answered in order unless a test does it otherwise */
	bool inside_submit;
};

static struct ord_shard shard;

void ord_shard_submit(struct ord_shard *s, const struct ord_command *c, enum ord_wait wait, uint64_t deadline_ms,
		      struct ord_waiter *w, uint32_t item)
{
	cr_assert_lt(s->items_count, ITEMS_MAX);
	s->items[s->items_count++] =
		(struct submitted){.waiter = w,
				   .item = item,
				   .kind = c->kind,
				   .wait = wait,
				   .amount = c->kind == ORD_COMMAND_TRANSFER ? c->transfer.amount : 0,
				   .deadline_ms = deadline_ms};
}

void ord_shard_read(struct ord_shard *s, uint32_t partition, struct ord_slice query, uint64_t deadline_ms,
		    struct ord_waiter *w, uint32_t item)
{
	cr_assert_gt(query.len, 1);
	cr_assert_lt(s->items_count, ITEMS_MAX);
	s->items[s->items_count++] =
		(struct submitted){.waiter = w, .item = item, .deadline_ms = deadline_ms, .partition = partition};
}

uint64_t ord_shard_now_ms(const struct ord_shard *s)
{
	return uv_now(s->loop);
}

uint32_t ord_shard_partitions_count(const struct ord_shard *s)
{
	(void)s;
	return PARTITIONS;
}

uint32_t ord_shard_leader(const struct ord_shard *s, uint32_t partition)
{
	(void)s;
	return partition == 0 ? 2 : 0;
}

void ord_shard_replica_status(const struct ord_shard *s, uint32_t partition, struct ord_replica_status *ret)
{
	(void)s;
	*ret = (struct ord_replica_status){
		.group = {.role = ORD_ROLE_FOLLOWER, .term = 3, .leader = partition == 0 ? 2 : 0},
		.leader = partition == 0 ? 2 : 0,
		.state = {.position = 7, .state_digest = {0x0123456789abcdef, 1}}};
}

static unsigned scrubs_count;

void ord_shard_history_status(const struct ord_shard *s, struct ord_history_status *ret)
{
	(void)s;
	*ret = (struct ord_history_status){.rounds_count = scrubs_count};
}

void ord_shard_scrub(struct ord_shard *s)
{
	(void)s;
	scrubs_count++;
}

int ord_shard_spoil(struct ord_shard *s, struct ord_slice account, int64_t delta)
{
	(void)s;
	return ord_slice_equal(account, ord_slice_text("alice")) && delta == -3 ? ORD_OK : ORD_ERR_NOT_FOUND;
}

static void answer(size_t i, const struct ord_answer *a)
{
	struct submitted *s = &shard.items[i];
	cr_assert_not_null(s->waiter, "answered once");
	struct ord_waiter *w = s->waiter;
	s->waiter = NULL;
	w->answer(w, s->item, a);
}

/* Settles all that were not answered, in order. */
static void settle_all(void)
{
	for (; shard.answered_count < shard.items_count; shard.answered_count++) {
		struct ord_answer a = {.partition = 1,
				       .result = {.status = ORD_STATUS_SETTLED, .position = shard.answered_count}};
		answer(shard.answered_count, &a);
	}
}

/* --- the bench ---------------------------------------------------------------------------------------------------------- */

static uv_loop_t loop;
static struct ord_config config;
static struct ord_listener *listener;
static bool listener_closed;

static void setup(void)
{
	char why[256] = "";
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(uv_loop_init(&loop), 0);
	shard.loop = &loop;
	ord_config_init(&config);
	cr_assert_eq(ord_uuid_parse(ord_slice_text(CLUSTER), &config.cluster), ORD_OK);
	config.node = 1;
	config.nodes_count = 1;
	config.nodes[0] =
		(struct ord_config_node){.id = 1, .client = {.host = "127.0.0.1", .port = client_free_port()}};
	config.partitions_count = PARTITIONS;
	config.clients_max = 3;
	cr_assert_eq(ord_listener_start(&loop, &config, &shard, &listener, why, sizeof why), ORD_OK, "%s", why);
}

static void closed_cb(void *ctx)
{
	*(bool *)ctx = true;
}

/* After a test: everything stops, nothing is left (a sanitizer sees what was not freed). */
static void teardown(void)
{
	settle_all();
	if (listener != NULL) {
		ord_listener_end(listener);
		ord_listener_close(listener, closed_cb, &listener_closed);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert(listener_closed);
	cr_assert_eq(uv_loop_close(&loop), 0);
}

TestSuite(node_listener, .init = setup, .fini = teardown, .timeout = 60);

static void turn(void)
{
	uv_run(&loop, UV_RUN_NOWAIT);
}

static struct client come(int receive_bytes)
{
	return client_open(&loop, config.nodes[0].client.port, receive_bytes);
}

#define TRANSFER(number, rest) \
	"[0, " number          \
	", transfer, {id: x01000000000000000000000000000001, payer: a, payee: b, amount: 5, asset: EUR" rest "}]"

/* --- tests -------------------------------------------------------------------------------------------------------------- */

Test(node_listener, a_transfer_is_answered_when_the_shard_has_answered)
{
	struct client c = come(0);
	client_send_words(&c, TRANSFER("7", ", wait: logged, timeout_ms: 1234"));
	UNTIL(&loop, shard.items_count == 1);
	cr_assert_eq(shard.items[0].wait, ORD_WAIT_LOGGED);
	cr_assert_eq(shard.items[0].amount, 5);
	cr_assert_leq(shard.items[0].deadline_ms, uv_now(&loop) + 1234);
	cr_assert_geq(shard.items[0].deadline_ms + CLIENT_PATIENCE_MS, uv_now(&loop) + 1234);
	cr_assert_str_empty(client_poll(&c));
	answer(0, &(struct ord_answer){.partition = 6, .result = {.status = ORD_STATUS_ACCEPTED, .position = 41}});
	shard.answered_count = 1;
	cr_assert_str_eq(client_next(&c),
			 "[1, 7, nil, {\"id\"=>\"" ID("01") "\", \"status\"=>\"accepted\", \"replayed\"=>false, "
							    "\"position\"=>\"6:41\"}]");
	client_send_words(&c, TRANSFER("8", ""));
	UNTIL(&loop, shard.items_count == 2);
	cr_assert_eq(shard.items[1].wait, ORD_WAIT_SETTLED);
	struct ord_result refused = {.status = ORD_STATUS_REJECTED,
				     .reason = ORD_REFUSAL_ID_REUSED,
				     .replayed = true,
				     .field = "amount",
				     .position = UINT64_MAX};
	answer(1, &(struct ord_answer){.partition = UINT32_MAX, .result = refused});
	shard.answered_count = 2;
	cr_assert_str_eq(client_next(&c),
			 "[1, 8, nil, {\"id\"=>\"" ID(
				 "01") "\", \"status\"=>\"rejected\", \"replayed\"=>true, "
				       "\"position\"=>\"4294967295:18446744073709551615\", \"reason\"=>{\"code\"=>1, "
				       "\"name\"=>\"id_reused\", \"message\"=>\"this request id was used before with "
				       "another payload; the first one stands\", \"field\"=>\"amount\"}}]");
	client_close(&c);
}

static const char *answered_with(struct client *c, const char *words, const struct ord_answer *a)
{
	size_t before = shard.items_count;
	client_send_words(c, words);
	UNTIL(&loop, shard.items_count == before + 1);
	answer(before, a);
	shard.answered_count = shard.items_count;
	return client_next(c);
}

Test(node_listener, errors_of_the_shard_are_errors_of_the_protocol)
{
	struct client c = come(0);
	const char *shown =
		answered_with(&c, TRANSFER("1", ""), &(struct ord_answer){.err = ORD_ERR_BUSY, .retry_after_ms = 30});
	cr_expect_str_eq(shown, "[1, 1, {\"code\"=>8, \"name\"=>\"busy\", \"message\"=>\"a queue is full, nothing was "
				"logged: try again "
				"later\", \"retry_after_ms\"=>30}, nil]");
	shown = answered_with(&c, TRANSFER("2", ""), &(struct ord_answer){.err = ORD_ERR_NOT_LEADER});
	cr_expect_not_null(strstr(shown, "[1, 2, {\"code\"=>9, \"name\"=>\"unavailable\""), "%s", shown);
	shown = answered_with(&c, TRANSFER("4", ""), &(struct ord_answer){.err = ORD_ERR_NO_SPACE});
	cr_expect(strstr(shown, "[1, 4, {\"code\"=>12, \"name\"=>\"disk_full\"") != NULL &&
			  strstr(shown, "\"retry_after_ms\"=>500}") != NULL,
		  "%s", shown);
	shown = answered_with(&c, TRANSFER("3", ""), &(struct ord_answer){.err = ORD_ERR_UNKNOWN});
	cr_expect_not_null(strstr(shown, "[1, 3, {\"code\"=>10, \"name\"=>\"unknown_outcome\""), "%s", shown);
	shown = answered_with(&c, TRANSFER("4", ""), &(struct ord_answer){.err = ORD_ERR_IO});
	cr_expect_not_null(strstr(shown, "[1, 4, {\"code\"=>10, \"name\"=>\"unknown_outcome\""), "%s", shown);
	shown = answered_with(&c, "[0, 5, account, {account: a}]", &(struct ord_answer){.err = ORD_ERR_NOT_FOUND});
	cr_expect_not_null(strstr(shown, "[1, 5, {\"code\"=>7, \"name\"=>\"not_found\""), "%s", shown);
	shown = answered_with(&c, "[0, 6, account, {account: a}]", &(struct ord_answer){.err = ORD_ERR_UNKNOWN});
	cr_expect_not_null(strstr(shown, "[1, 6, {\"code\"=>9, \"name\"=>\"unavailable\""), "%s", shown);
	shown = answered_with(&c, "[0, 7, name, {namespace: n, name: x}]",
			      &(struct ord_answer){.err = ORD_ERR_INVALID});
	cr_expect_not_null(strstr(shown, "[1, 7, {\"code\"=>9, \"name\"=>\"unavailable\""), "%s", shown);
	client_close(&c);
}

Test(node_listener, a_read_gives_what_the_partition_wrote)
{
	struct client c = come(0);
	msgpack_sbuffer body;
	msgpack_sbuffer_init(&body);
	words_pack("{account: a, balance: -5}", &body);
	struct ord_answer a = {.body = ord_slice_of(body.data, body.size)};
	cr_assert_str_eq(answered_with(&c, "[0, 4294967295, account, {account: a}]", &a),
			 "[1, 4294967295, nil, {\"account\"=>\"a\", \"balance\"=>-5}]");
	cr_assert_str_eq(answered_with(&c, "[0, 0, request, [{id: '" ID("01") "', partition: 1}]]", &a),
			 "[1, 0, nil, {\"account\"=>\"a\", \"balance\"=>-5}]");
	cr_assert_eq(shard.items[1].partition, 1);
	msgpack_sbuffer_destroy(&body);
	client_close(&c);
}

Test(node_listener, faults_are_answered_and_the_connection_goes_on)
{
	struct client c = come(0);
	cr_assert_not_null(
		strstr(client_ask(&c, "[0, 1, tranfer, {}]"), "[1, 1, {\"code\"=>2, \"name\"=>\"unknown_method\""));
	cr_assert_str_eq(
		client_ask(&c,
			   "[0, 2, transfer, {id: x01000000000000000000000000000001, payer: a, payee: b, amount: 0}]"),
		"[1, 2, {\"code\"=>5, \"name\"=>\"invalid_field\", \"message\"=>\"must be an integer from 1 to "
		"9223372036854775807\", \"field\"=>\"amount\"}, nil]");
	cr_assert_not_null(
		strstr(client_ask(&c, "[0, 3, request, {id: x01000000000000000000000000000001, partition: 2}]"),
		       "must be an integer from 0 to 1"));
	cr_assert_not_null(strstr(client_ask(&c, "[0, 4, account, nil]"), "\"field\"=>\"params\""));
	cr_assert_eq(shard.items_count, 0, "no id is burnt");
	client_send_words(&c, TRANSFER("5", ""));
	UNTIL(&loop, shard.items_count == 1);
	client_close(&c);
}

Test(node_listener, a_batch_keeps_the_order_and_bad_items_do_not_stop_the_others)
{
	struct client c = come(0);
	client_send_words(&c, "[0, 9, transfers, {items: ["
			      "{id: x01000000000000000000000000000001, payer: a, payee: b, amount: 1, asset: EUR},"
			      "{id: x01000000000000000000000000000002, payer: a, payee: b, amount: 0, asset: EUR},"
			      "{id: x01000000000000000000000000000003, payer: a, payee: b, amount: 3, asset: EUR},"
			      "17,"
			      "{id: x01000000000000000000000000000005, payer: a, payee: b, amount: 5, asset: EUR}]}]");
	UNTIL(&loop, shard.items_count == 3);
	cr_assert_eq(shard.items[2].item, 4);
	answer(2, &(struct ord_answer){.err = ORD_ERR_BUSY});
	answer(1, &(struct ord_answer){.partition = 1, .result = {.status = ORD_STATUS_SETTLED, .position = 3}});
	turn();
	cr_assert_str_empty(client_poll(&c), "not before all are answered");
	answer(0, &(struct ord_answer){.partition = 0, .result = {.status = ORD_STATUS_SETTLED, .position = 1}});
	shard.answered_count = 3;
	cr_assert_str_eq(
		client_next(&c),
		"[1, 9, nil, [{\"id\"=>\"" ID(
			"01") "\", \"status\"=>\"settled\", \"replayed\"=>false, \"position\"=>\"0:1\"}, "
			      "{\"id\"=>\"" ID(
				      "02") "\", \"status\"=>\"failed\", \"error\"=>{\"code\"=>5, "
					    "\"name\"=>\"invalid_field\", "
					    "\"message\"=>\"must be an integer from 1 to 9223372036854775807\", "
					    "\"field\"=>\"amount\"}}, "
					    "{\"id\"=>\"" ID(
						    "03") "\", \"status\"=>\"settled\", \"replayed\"=>false, "
							  "\"position\"=>\"1:3\"}, "
							  "{\"status\"=>\"failed\", \"error\"=>{\"code\"=>5, "
							  "\"name\"=>\"invalid_field\", \"message\"=>\"each item must "
							  "be a map "
							  "of field names and values\", \"field\"=>\"items\"}}, "
							  "{\"id\"=>\"" ID(
								  "05") "\", \"status\"=>\"failed\", "
									"\"error\"=>{\"code\"=>8, \"name\"=>\"busy\", "
									"\"message\"=>\"a queue "
									"is full, nothing was logged: try again "
									"later\", \"retry_after_ms\"=>50}}]]");
	/* A batch without one good item never reaches the shard. */
	cr_assert_str_eq(
		client_ask(&c, "[0, 10, claims, {items: [7]}]"),
		"[1, 10, nil, [{\"status\"=>\"failed\", \"error\"=>{\"code\"=>5, \"name\"=>\"invalid_field\", "
		"\"message\"=>\"each item must be a map of field names and values\", \"field\"=>\"items\"}}]]");
	client_close(&c);
}

Test(node_listener, cluster_and_status_are_answered_here)
{
	struct client c = come(0);
	char wanted[512];
	snprintf(wanted, sizeof wanted,
		 "[1, 1, nil, {\"cluster_id\"=>\"" CLUSTER
		 "\", \"node\"=>1, \"version\"=>\"0.1.0\", \"partitions\"=>2, "
		 "\"nodes\"=>[{\"node\"=>1, \"host\"=>\"127.0.0.1\", \"port\"=>%u}], \"leaders\"=>[2, 0]}]",
		 (unsigned)config.nodes[0].client.port);
	cr_assert_str_eq(client_ask(&c, "[0, 1, cluster, []]"), wanted);
	cr_assert_str_eq(client_ask(&c, "[0, 1, cluster, {cluster_id: '" CLUSTER "'}]"), wanted);
	cr_assert_str_eq(client_ask(&c, "[0, 2, cluster, {cluster_id: x01890a5dac96774bbcceb302099a8058}]"),
			 "[1, 2, {\"code\"=>11, \"name\"=>\"wrong_cluster\", \"message\"=>\"this node belongs to "
			 "cluster " CLUSTER ": connect to a node of yours\", \"field\"=>\"cluster_id\"}, nil]");
	const char *shown = client_ask(&c, "[0, 3, status, {}]");
	cr_assert_not_null(
		strstr(shown, "\"replicas\"=>[{\"partition\"=>0, \"role\"=>\"follower\", \"term\"=>3, \"leader\"=>2, "
			      "\"ready\"=>false, \"last_index\"=>0"),
		"%s", shown);
	cr_assert_not_null(strstr(shown, "\"position\"=>\"1:7\", \"digest\"=>\"0123456789abcdef0000000000000001\""),
			   "%s", shown);
	cr_assert_not_null(
		strstr(shown, "\"peers\"=>[{\"node\"=>2, \"connected\"=>true, \"output_bytes\"=>0, \"dropped\"=>0, "
			      "\"relayed\"=>false, "
			      "\"sent_round\"=>0, \"passed_on\"=>0, \"not_passed_on\"=>0}], "
			      "\"wal\"=>{\"bytes\"=>4096, \"waiting_bytes\"=>0, \"syncs\"=>0, \"cached_bytes\"=>0}, "
			      "\"state\"=>{\"memory_bytes\"=>1, \"changed_bytes\"=>0, \"disk_bytes\"=>0, "
			      "\"checkpoints\"=>0, \"checkpoint_ms\"=>0}, "
			      "\"history\"=>{\"gaps\"=>0, \"missing\"=>0, \"surveyed\"=>false, \"repaired\"=>0, "
			      "\"damaged_found\"=>0, \"rounds\"=>0, \"scrubbing\"=>false, \"scrubbed_at\"=>0, "
			      "\"scrubbed_blocks\"=>0, \"compared\"=>0, \"different\"=>0, \"store_rounds\"=>0, "
			      "\"scrubbed_records\"=>1, \"scrubbed_log_bytes\"=>0, \"damaged_states\"=>0, "
			      "\"damaged_logs\"=>0, \"damaged_segment\"=>0}, "
			      "\"disk\"=>{\"free_bytes\"=>900, \"total_bytes\"=>5000, \"reserve_bytes\"=>1000, "
			      "\"state\"=>\"low\"}, "
			      "\"loop\"=>{\"turns\"=>7, \"p50_us\"=>0, \"p99_us\"=>0, \"p999_us\"=>0, "
			      "\"max_us\"=>90, \"worked_p999_us\"=>0, \"worked_max_us\"=>0, "
			      "\"checkpoint_p999_us\"=>0, \"checkpoint_max_us\"=>0}, \"clients\"=>1, "
			      "\"shards\"=>[{\"shard\"=>0, \"member\"=>0, "),
		"%s", shown);
	cr_assert_not_null(strstr(client_ask(&c, "[0, 4, scrub, {}]"), "[1, 4, nil, {\"gaps\"=>0"));
	cr_assert_eq(scrubs_count, 1);
	client_close(&c);
}

Test(node_listener, faults_are_made_only_where_they_are_enabled)
{
	struct client c = come(0);
	cr_assert_str_eq(
		client_ask(&c, "[0, 1, spoil, {account: alice, delta: -3}]"),
		"[1, 1, {\"code\"=>2, \"name\"=>\"unknown_method\", \"message\"=>\"this node makes no faults on "
		"purpose: start it with --enable-faults\"}, nil]");
	config.enable_faults = true;
	cr_assert_str_eq(client_ask(&c, "[0, 2, spoil, {account: alice, delta: -3}]"), "[1, 2, nil, {}]");
	cr_assert_not_null(strstr(client_ask(&c, "[0, 3, spoil, {account: bob, delta: -3}]"), "not_found"));
	cr_assert_not_null(strstr(client_ask(&c, "[0, 4, spoil, {account: bob}]"), "missing_field"));
	client_close(&c);
}

Test(node_listener, rules_of_faults_are_set_and_told)
{
	struct client c = come(0);
	cr_assert_not_null(strstr(client_ask(&c, "[0, 1, fault, {links: []}]"), "start it with --enable-faults"));
	cr_assert_not_null(strstr(client_ask(&c, "[0, 2, faults, {}]"), "start it with --enable-faults"));
	config.enable_faults = true;
	config.nodes_count = 2;
	config.nodes[1].id = 2;
	cr_assert_not_null(
		strstr(client_ask(&c, "[0, 3, fault, {links: [{node: 2, cut_out: true}], disk: {}, clock: {}}]"),
		       "[1, 3, nil, {\"links\"=>[{\"node\"=>2, \"cut_out\"=>true, \"cut_in\"=>false, "
		       "\"delay_ms\"=>0, "));
	cr_assert_not_null(
		strstr(client_ask(&c, "[0, 4, faults, {}]"), "\"clock\"=>{\"offset_us\"=>0, \"drift_ppm\"=>0}}]"));
	cr_assert_not_null(strstr(client_ask(&c, "[0, 5, fault, {links: [{node: 9}]}]"), "node 9 is not another node"));
	client_close(&c);
}

#define GARBAGE_ANSWER                                                                                                 \
	"[1, 0, {\"code\"=>1, \"name\"=>\"invalid_request\", \"message\"=>\"this port takes MessagePack-RPC requests " \
	"[0, id, "                                                                                                     \
	"method, params] and nothing else: docs/protocol.md\"}, nil]"

/* What is no request is answered with an error of id 0, and the connection closed, whatever else the client goes on to send. */
static void assert_thrown_out(const void *base, size_t len, const char *wanted)
{
	struct client c = come(0);
	client_send(&c, base, len);
	cr_expect_str_eq(client_next(&c), wanted);
	UNTIL(&loop, (client_fill(&c), c.ended));
	cr_expect_eq(c.input_taken, c.input_len, "one answer and no more");
	cr_expect_not(c.reset);
	client_close(&c);
}

static void assert_words_thrown_out(const char *words)
{
	msgpack_sbuffer bytes;
	msgpack_sbuffer_init(&bytes);
	words_pack(words, &bytes);
	assert_thrown_out(bytes.data, bytes.size, GARBAGE_ANSWER);
	msgpack_sbuffer_destroy(&bytes);
}

Test(node_listener, what_is_no_request_is_told_so_and_closed)
{
	static const char http[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
	static const char tls[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
	static const char peer[] = "\x40\x00\x00\x00\x12\x34\x56\x78\x01\x01";
	assert_thrown_out(http, sizeof http - 1, GARBAGE_ANSWER);
	assert_thrown_out(tls, sizeof tls - 1, GARBAGE_ANSWER);
	assert_thrown_out(peer, sizeof peer - 1, GARBAGE_ANSWER);
	assert_words_thrown_out("[2, transfer, {}]");
	assert_words_thrown_out("[1, 5, nil, nil]");
	assert_words_thrown_out("{id: 5}");
	assert_words_thrown_out("[0, 5, transfer]");
	assert_words_thrown_out("[0, -5, transfer, {}]");
	assert_words_thrown_out("[0, 5, 7, {}]");
	/* A text that would have 5 MiB: refused when its length has come, not when its bytes have. */
	static const char large[] = "\x94\x00\x05\xa8transfer\xdb\x00\x50\x00\x00";
	assert_thrown_out(
		large, sizeof large - 1,
		"[1, 0, {\"code\"=>6, \"name\"=>\"too_large\", \"message\"=>\"a request has at most 4 MiB: split the "
		"batch\"}, nil]");
	cr_assert_eq(shard.items_count, 0);
}

Test(node_listener, the_last_answer_arrives_although_the_client_goes_on_sending)
{
	struct client c = come(0);
	char *flood = calloc(1, 1 << 20);
	memset(flood, 'G', 1 << 20);
	client_send(&c, flood, 1 << 20);
	cr_assert_str_eq(client_next(&c), GARBAGE_ANSWER);
	UNTIL(&loop, (client_fill(&c), c.ended));
	cr_assert_not(c.reset, "a reset would make many systems forget the answer");
	free(flood);
	client_close(&c);
}

Test(node_listener, answers_under_way_come_before_the_end)
{
	struct client c = come(0);
	client_send_words(&c, TRANSFER("1", ""));
	client_send(&c, "GET", 3);
	cr_assert_str_eq(client_next(&c), GARBAGE_ANSWER);
	cr_assert_eq(shard.items_count, 1);
	for (int i = 0; i < 100; i++)
		turn();
	client_fill(&c);
	cr_assert_not(c.ended);
	settle_all();
	cr_assert_not_null(strstr(client_next(&c), "[1, 1, nil, {"));
	UNTIL(&loop, (client_fill(&c), c.ended));
	client_close(&c);
}

Test(node_listener, requests_may_come_byte_by_byte)
{
	struct client c = come(0);
	msgpack_sbuffer bytes;
	msgpack_sbuffer_init(&bytes);
	words_pack(TRANSFER("1", "") " " TRANSFER("2", ""), &bytes);
	for (size_t i = 0; i < bytes.size; i++) {
		client_send(&c, bytes.data + i, 1);
		turn();
	}
	UNTIL(&loop, shard.items_count == 2);
	settle_all();
	cr_assert_not_null(strstr(client_next(&c), "[1, 1, nil, {"));
	cr_assert_not_null(strstr(client_next(&c), "[1, 2, nil, {"));
	msgpack_sbuffer_destroy(&bytes);
	client_close(&c);
}

Test(node_listener, a_half_request_and_a_goodbye_leave_nothing)
{
	struct client c = come(0);
	client_send(&c, "\x94\x00\x05\xa8tran", 8);
	turn();
	client_close(&c);
	struct client d = come(0);
	cr_assert_not_null(strstr(client_ask(&d, "[0, 1, status, {}]"), "\"clients\"=>"));
	UNTIL(&loop, strstr(client_ask(&d, "[0, 1, status, {}]"), "\"clients\"=>1, ") != NULL);
	client_close(&d);
}

Test(node_listener, a_client_that_goes_away_leaves_its_calls_to_end_in_silence)
{
	struct client c = come(0);
	client_send_words(&c, TRANSFER("1", "") " " TRANSFER("2", "") " [0, 3, account, {account: a}]");
	UNTIL(&loop, shard.items_count == 3);
	struct linger at_once = {.l_onoff = 1};
	setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once); /* a reset instead of an orderly end */
	client_close(&c);
	for (int i = 0; i < 100; i++)
		turn();
	answer(1, &(struct ord_answer){.result = {.status = ORD_STATUS_SETTLED}});
	answer(0, &(struct ord_answer){.err = ORD_ERR_UNKNOWN});
	answer(2, &(struct ord_answer){.err = ORD_OK, .body = ord_slice_text("\x80")});
	shard.answered_count = 3;
	struct client d = come(0);
	cr_assert_not_null(strstr(client_ask(&d, "[0, 1, status, {}]"), "\"clients\"=>1, "));
	client_close(&d);
}

Test(node_listener, a_client_that_has_only_closed_its_side_gets_its_answers)
{
	struct client c = come(0);
	client_send_words(&c, TRANSFER("1", "") " " TRANSFER("2", ""));
	cr_assert_eq(shutdown(c.fd, SHUT_WR), 0);
	UNTIL(&loop, shard.items_count == 2);
	for (int i = 0; i < 100; i++)
		turn();
	settle_all();
	cr_assert_not_null(strstr(client_next(&c), "[1, 1, nil, {"));
	cr_assert_not_null(strstr(client_next(&c), "[1, 2, nil, {"));
	UNTIL(&loop, (client_fill(&c), c.ended));
	client_close(&c);
}

/* Sends len bytes as far as the node takes them; true when all have gone. */
static bool send_some(struct client *c, const msgpack_sbuffer *bytes, size_t *sent)
{
	ssize_t n = send(c->fd, bytes->data + *sent, bytes->size - *sent, MSG_NOSIGNAL);
	if (n > 0)
		*sent += (size_t)n;
	turn();
	return *sent == bytes->size;
}

Test(node_listener, at_most_so_many_calls_are_under_way)
{
	enum { MORE = 3 * ORD_CONNECTION_CALLS_MAX };
	struct client c = come(0);
	msgpack_sbuffer bytes;
	msgpack_sbuffer_init(&bytes);
	for (int i = 0; i < MORE; i++)
		words_pack(TRANSFER("1", ""), &bytes);
	size_t sent = 0;
	UNTIL(&loop, send_some(&c, &bytes, &sent) || shard.items_count >= ORD_CONNECTION_CALLS_MAX);
	for (int i = 0; i < 1000; i++)
		turn();
	cr_assert_eq(shard.items_count, ORD_CONNECTION_CALLS_MAX);
	cr_assert_neq(uv_backend_timeout(&loop), 0, "a paused connection does not keep the loop busy");
	answer(0, &(struct ord_answer){.result = {.status = ORD_STATUS_SETTLED}});
	shard.answered_count = 1;
	UNTIL(&loop, shard.items_count == ORD_CONNECTION_CALLS_MAX + 1);
	for (int i = 0; i < 1000; i++)
		turn();
	cr_assert_eq(shard.items_count, ORD_CONNECTION_CALLS_MAX + 1);
	for (int got = 0; got < MORE;) {
		if (sent < bytes.size)
			send_some(&c, &bytes, &sent);
		settle_all();
		turn();
		while (client_poll(&c)[0] != '\0')
			got++;
	}
	cr_assert_eq(shard.items_count, MORE);
	msgpack_sbuffer_destroy(&bytes);
	client_close(&c);
}

static void pack_batch(msgpack_sbuffer *bytes, uint32_t items)
{
	msgpack_packer p;
	msgpack_packer_init(&p, bytes, msgpack_sbuffer_write);
	words_pack("", bytes);
	msgpack_pack_array(&p, 4);
	words_pack("0 1 claims", bytes);
	msgpack_pack_map(&p, 1);
	words_pack("items", bytes);
	msgpack_pack_array(&p, items);
	for (uint32_t i = 0; i < items; i++)
		words_pack("{id: x01000000000000000000000000000001, namespace: n, name: m, owner: o}", bytes);
}

Test(node_listener, at_most_so_many_items_are_under_way)
{
	struct client c = come(0);
	msgpack_sbuffer bytes;
	msgpack_sbuffer_init(&bytes);
	for (int i = 0; i < 9; i++)
		pack_batch(&bytes, ORD_BATCH_ITEMS_MAX);
	size_t sent = 0;
	UNTIL(&loop, send_some(&c, &bytes, &sent) || shard.items_count >= ORD_CONNECTION_ITEMS_MAX);
	for (int i = 0; i < 1000; i++)
		turn();
	cr_assert_eq(shard.items_count, 7 * ORD_BATCH_ITEMS_MAX,
		     "the seventh batch passes the bound, the eighth waits");
	settle_all();
	UNTIL(&loop, (send_some(&c, &bytes, &sent), client_fill(&c), shard.items_count == 9 * ORD_BATCH_ITEMS_MAX));
	msgpack_sbuffer_destroy(&bytes);
	client_close(&c);
}

static uint8_t body[100000] = {0xdb, 0x00, 0x01, 0x86, 0x9b}; /* a str of 99,995 bytes */

static void answer_reads(size_t upto)
{
	for (; shard.answered_count < upto; shard.answered_count++)
		answer(shard.answered_count, &(struct ord_answer){.body = ord_slice_of(body, sizeof body)});
}

Test(node_listener, a_client_that_does_not_read_is_not_read_from)
{
	enum { READS = 120 };
	struct client c = come(16384);
	msgpack_sbuffer bytes;
	msgpack_sbuffer_init(&bytes);
	for (int i = 0; i < READS; i++)
		words_pack("[0, 1, account, {account: a}]", &bytes);
	client_send(&c, bytes.data, bytes.size);
	UNTIL(&loop, shard.items_count == READS);
	answer_reads(READS); /* 12 MB */
	client_send(&c, bytes.data, bytes.size);
	for (int i = 0; i < 1000; i++)
		turn();
	cr_assert_eq(shard.items_count, READS, "over the soft bound nothing is taken");
	cr_assert_neq(uv_backend_timeout(&loop), 0);
	int wide = 1 << 20;
	setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &wide, sizeof wide);
	UNTIL(&loop, (client_fill(&c), shard.items_count == 2 * READS));
	answer_reads(2 * READS);
	UNTIL(&loop, (client_fill(&c), c.input_len >= 2 * READS * sizeof body));
	for (int i = 0; i < 100; i++)
		turn();
	client_fill(&c);
	cr_assert_eq(c.input_len, 2 * READS * (sizeof body + 4));
	msgpack_sbuffer_destroy(&bytes);
	client_close(&c);
}

Test(node_listener, a_client_that_never_reads_is_cut_off_and_others_are_not)
{
	struct client c = come(16384);
	struct client d = come(0);
	msgpack_sbuffer bytes;
	msgpack_sbuffer_init(&bytes);
	for (int i = 0; i < ORD_CONNECTION_CALLS_MAX; i++)
		words_pack("[0, 1, account, {account: a}]", &bytes);
	client_send(&c, bytes.data, bytes.size);
	UNTIL(&loop, shard.items_count == ORD_CONNECTION_CALLS_MAX);
	answer_reads(ORD_CONNECTION_CALLS_MAX); /* 102 MB */
	UNTIL(&loop, strstr(client_ask(&d, "[0, 1, status, {}]"), "\"clients\"=>1, ") != NULL);
	msgpack_sbuffer_destroy(&bytes);
	client_close(&c);
	client_close(&d);
}

Test(node_listener, one_client_too_many_is_told_so)
{
	struct client all[3] = {come(0), come(0), come(0)};
	for (int i = 0; i < 3; i++)
		cr_assert_not_null(strstr(client_ask(&all[i], "[0, 1, cluster, {}]"), "[1, 1, nil, {"));
	struct client fourth = come(0);
	client_send_words(&fourth, TRANSFER("1", ""));
	cr_assert_str_eq(client_next(&fourth),
			 "[1, 0, {\"code\"=>8, \"name\"=>\"busy\", \"message\"=>\"as many clients as this node "
			 "takes: try another node\", \"retry_after_ms\"=>1000}, nil]");
	UNTIL(&loop, (client_fill(&fourth), fourth.ended));
	client_close(&fourth);
	client_close(&all[0]);
	UNTIL(&loop, strstr(client_ask(&all[1], "[0, 1, status, {}]"), "\"clients\"=>2, ") != NULL);
	struct client fifth = come(0);
	cr_assert_not_null(strstr(client_ask(&fifth, "[0, 1, cluster, {}]"), "[1, 1, nil, {"));
	cr_assert_eq(shard.items_count, 0);
	client_close(&fifth);
	client_close(&all[1]);
	client_close(&all[2]);
}

Test(node_listener, answers_of_one_turn_are_written_together_and_then_the_loop_rests)
{
	struct client c = come(0);
	for (int i = 0; i < 50; i++)
		client_send_words(&c, TRANSFER("1", ""));
	UNTIL(&loop, shard.items_count == 50);
	for (int i = 0; i < 10; i++)
		turn();
	cr_assert_neq(uv_backend_timeout(&loop), 0);
	settle_all();
	cr_assert_eq(recv(c.fd, &(char){0}, 1, MSG_PEEK), -1, "nothing is written before the turn's end");
	cr_assert_eq(uv_backend_timeout(&loop), 0, "what waits to be written keeps the loop from waiting");
	turn();
	client_fill(&c);
	int got = 0;
	while (client_poll(&c)[0] != '\0')
		got++;
	cr_assert_eq(got, 50);
	turn();
	cr_assert_neq(uv_backend_timeout(&loop), 0);
	client_close(&c);
}

Test(node_listener, at_the_end_what_is_under_way_is_answered_and_no_more_taken)
{
	struct client c = come(0);
	struct client idle = come(0);
	client_send_words(&c, TRANSFER("1", ""));
	cr_assert_not_null(strstr(client_ask(&idle, "[0, 1, cluster, {}]"), "[1, 1, nil, {"));
	UNTIL(&loop, shard.items_count == 1);
	ord_listener_end(listener);
	client_send_words(&c, TRANSFER("2", ""));
	UNTIL(&loop, (client_fill(&idle), idle.ended));
	for (int i = 0; i < 100; i++)
		turn();
	cr_assert_eq(shard.items_count, 1);
	answer(0, &(struct ord_answer){.err = ORD_ERR_UNKNOWN});
	shard.answered_count = 1;
	ord_listener_close(listener, closed_cb, &listener_closed); /* in the same turn: the answer is written first */
	listener = NULL;
	UNTIL(&loop, listener_closed);
	cr_assert_not_null(strstr(client_next(&c), "[1, 1, {\"code\"=>10"));
	client_close(&c);
	client_close(&idle);
}

Test(node_listener, a_port_in_use_or_an_address_elsewhere_is_named)
{
	char why[512] = "";
	char wanted[512];
	struct ord_listener *second = NULL;
	cr_assert_eq(ord_listener_start(&loop, &config, &shard, &second, why, sizeof why), ORD_ERR_IN_USE);
	snprintf(wanted, sizeof wanted,
		 "cannot listen on 127.0.0.1:%u: Address already in use: stop the process that uses the port (ss -ltnp "
		 "shows it), or "
		 "give other ports in nodes",
		 (unsigned)config.nodes[0].client.port);
	cr_assert_str_eq(why, wanted);
	struct ord_config elsewhere = config;
	snprintf(elsewhere.listen_host, sizeof elsewhere.listen_host, "192.0.2.1"); /* RFC 5737: nobody's */
	cr_assert_eq(ord_listener_start(&loop, &elsewhere, &shard, &second, why, sizeof why), ORD_ERR_IO);
	cr_assert_not_null(strstr(why, "this machine does not have that address"), "%s", why);
	snprintf(elsewhere.listen_host, sizeof elsewhere.listen_host, "no.such.host.invalid"); /* RFC 2606 */
	cr_assert_eq(ord_listener_start(&loop, &elsewhere, &shard, &second, why, sizeof why), ORD_ERR_IO);
	cr_assert_not_null(strstr(why, "cannot listen on no.such.host.invalid:"), "%s", why);
	cr_assert_null(second);
}
