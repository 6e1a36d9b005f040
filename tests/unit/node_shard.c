/* SPDX-License-Identifier: Apache-2.0 - shards over real files and sockets, three in one loop: they start, serve, stop and come back with all they had. */
#include "node/shard.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"
#include "node/config.h"
#include "node/faults.h"
#include "node/query.h"
#include "node/room.h"
#include "partition/route.h"
#include "tests/support/node_client.h"

#define NODES 3
#define PARTITIONS 4
#define WAIT_MS 10000

/* --- The bench. --- */

static uv_loop_t loop;
static char parent[64];
static struct ord_config configs[NODES];
static struct ord_shard *shards[NODES]; /* NULL: not running */

static void make(void)
{
	uint16_t ports[NODES];
	snprintf(parent, sizeof parent, "/tmp/ordain-shard-XXXXXX");
	cr_assert_not_null(mkdtemp(parent));
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(uv_loop_init(&loop), 0);
	for (unsigned i = 0; i < NODES; i++)
		ports[i] = client_free_port();
	for (unsigned i = 0; i < NODES; i++) {
		struct ord_config *c = &configs[i];
		ord_config_init(c);
		c->cluster = (struct ord_uuid){{7}};
		c->node = i + 1;
		c->nodes_count = NODES;
		c->partitions_count = PARTITIONS;
		c->segment_bytes = 1u << 20;
		for (unsigned k = 0; k < NODES; k++)
			c->nodes[k] = (struct ord_config_node){.id = k + 1,
							       .peer = {.host = "127.0.0.1", .port = ports[k]},
							       .client = {.host = "127.0.0.1", .port = 1}};
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

TestSuite(shard, .init = make, .fini = clean, .timeout = 120);

static void fatal_cb(void *ctx, int err, const char *why)
{
	(void)ctx;
	cr_assert_fail("%s: %s", ord_err_text(err), why);
}

static void shard_start(unsigned place)
{
	char why[1024] = "";
	cr_assert_eq(ord_shard_start(&loop, &configs[place], fatal_cb, NULL, &shards[place], why, sizeof why), ORD_OK,
		     "%s", why);
}

static void stopped_cb(void *ctx)
{
	*(struct ord_shard **)ctx = NULL;
}

static void shard_stop(unsigned place)
{
	ord_shard_stop(shards[place], stopped_cb, &shards[place]);
	UNTIL(&loop, shards[place] == NULL);
}

static void start_all(void)
{
	for (unsigned i = 0; i < NODES; i++)
		shard_start(i);
}

static void stop_all(void)
{
	for (unsigned i = 0; i < NODES; i++)
		if (shards[i] != NULL)
			shard_stop(i);
}

static bool all_led(void)
{
	unsigned led = 0;
	for (unsigned i = 0; i < NODES; i++)
		for (uint32_t k = 0; k < PARTITIONS && shards[i] != NULL; k++) {
			struct ord_replica_status status;
			ord_shard_replica_status(shards[i], k, &status);
			led += status.ready;
		}
	return led == PARTITIONS;
}

/* --- Calls. --- */

struct call {
	struct ord_waiter waiter; /* first */
	unsigned answers_count;
	int err;
	struct ord_result result;
};

static void call_answer(struct ord_waiter *w, uint32_t item, const struct ord_answer *a)
{
	struct call *call = (struct call *)w;
	cr_assert_eq(item, 5);
	call->answers_count++;
	call->err = a->err;
	call->result = a->result;
}

static void call_send(struct call *call, unsigned place, const struct ord_command *c)
{
	*call = (struct call){.waiter = {.answer = call_answer}};
	ord_shard_submit(shards[place], c, ORD_WAIT_SETTLED, ord_shard_now_ms(shards[place]) + WAIT_MS, &call->waiter,
			 5);
	cr_assert_eq(call->answers_count, 0);
}

static struct ord_uuid next_id(void)
{
	static uint64_t number;
	struct ord_uuid id = {{1}};
	number++;
	memcpy(&id.bytes[8], &number, sizeof number);
	return id;
}

static struct ord_command open_account(const char *name, int64_t floor)
{
	return (struct ord_command){.kind = ORD_COMMAND_OPEN_ACCOUNT,
				    .request_id = next_id(),
				    .open_account = {.account = ord_slice_text(name),
						     .asset = ord_slice_text("EUR"),
						     .floor = floor,
						     .ceiling = INT64_MAX}};
}

static struct ord_command transfer(const char *payer, const char *payee)
{
	return (struct ord_command){.kind = ORD_COMMAND_TRANSFER,
				    .request_id = next_id(),
				    .transfer = {.payer = ord_slice_text(payer),
						 .payee = ord_slice_text(payee),
						 .asset = ord_slice_text("EUR"),
						 .amount = 1}};
}

/* Asks, at any node that runs, until the outcome is known, as a client does. */
static void settle(unsigned place, const struct ord_command *c)
{
	struct call call;
	unsigned rounds = 0;
	do {
		cr_assert_lt(rounds++, 20);
		call_send(&call, place, c);
		UNTIL(&loop, call.answers_count > 0);
	} while (call.err != ORD_OK || call.result.status == ORD_STATUS_ACCEPTED);
	cr_assert_eq(call.answers_count, 1);
	cr_assert_eq(call.result.status, ORD_STATUS_SETTLED);
}

static void settle_transfers(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned place = i % NODES;
		struct ord_command c = transfer("bank", "shop");
		if (shards[place] != NULL)
			settle(place, &c);
	}
}

static struct ord_partition_status states[NODES][PARTITIONS];

/* All replicas that run have the same state in every partition, and that is noted. */
static bool all_equal(void)
{
	const struct ord_partition_status *first[PARTITIONS] = {NULL};
	for (unsigned i = 0; i < NODES; i++) {
		for (uint32_t k = 0; k < PARTITIONS && shards[i] != NULL; k++) {
			struct ord_replica_status status;
			ord_shard_replica_status(shards[i], k, &status);
			states[i][k] = status.state;
			if (first[k] == NULL)
				first[k] = &states[i][k];
			if (status.state.outbox_count > 0 ||
			    memcmp(status.state.history_hash, first[k]->history_hash, sizeof first[k]->history_hash) !=
				    0 ||
			    memcmp(status.state.state_digest, first[k]->state_digest, sizeof first[k]->state_digest) !=
				    0)
				return false;
		}
	}
	return true;
}

/* All nodes run, and all know on their disks that all have a vote in every partition: a majority may be any two of them. */
static bool all_vote(void)
{
	for (unsigned i = 0; i < NODES; i++)
		for (uint32_t k = 0; k < PARTITIONS; k++) {
			uint32_t voters[ORD_NODES_MAX], count;
			ord_shard_voters(shards[i], k, voters, &count);
			if (count != NODES)
				return false;
		}
	return true;
}

Test(shard, what_was_settled_is_there_after_restarts)
{
	start_all();
	UNTIL(&loop, all_led());
	struct ord_command c = open_account("bank", -1000000);
	settle(0, &c);
	c = open_account("shop", 0);
	settle(1, &c);
	settle_transfers(30);
	shard_stop(1);
	settle_transfers(30); /* two of three go on */
	shard_start(1);
	settle_transfers(30);
	UNTIL(&loop, all_led() && all_equal());
	struct ord_partition_status before[PARTITIONS];
	memcpy(before, states[0], sizeof before);
	stop_all();
	start_all();
	UNTIL(&loop, all_led() && all_equal());
	for (uint32_t k = 0; k < PARTITIONS; k++) {
		cr_assert_eq(states[2][k].position, before[k].position);
		cr_assert_arr_eq(states[2][k].history_hash, before[k].history_hash, sizeof before[k].history_hash);
	}
	settle_transfers(3);
	stop_all();
}

/* Enough to fill several segments, with stops in the middle of writes. */
Test(shard, stopping_under_load_answers_all_and_loses_nothing)
{
	static struct call calls[3000];
	static struct ord_command commands[3000];
	start_all();
	UNTIL(&loop, all_led());
	struct ord_command c = open_account("bank", -1000000);
	settle(0, &c);
	c = open_account("shop", 0);
	settle(1, &c);
	for (unsigned round = 0; round < 6; round++) {
		unsigned place = round % NODES;
		for (unsigned i = 0; i < 3000; i++) {
			commands[i] = transfer("bank", "shop");
			call_send(&calls[i], (place + i % 2) % NODES, &commands[i]);
		}
		for (unsigned i = 0; i < 3 * round; i++)
			uv_run(&loop, UV_RUN_NOWAIT);
		shard_stop(place);
		for (unsigned i = 0; i < 3000; i += 2)
			cr_assert_eq(calls[i].answers_count, 1, "answered when the shard has stopped");
		shard_start(place);
		for (unsigned i = 0; i < 3000; i++) {
			UNTIL(&loop, calls[i].answers_count > 0);
			cr_assert_eq(calls[i].answers_count, 1);
			cr_assert(calls[i].err == ORD_OK || calls[i].err == ORD_ERR_UNKNOWN ||
				  calls[i].err == ORD_ERR_NOT_LEADER || calls[i].err == ORD_ERR_BUSY);
		}
		for (unsigned i = 0; i < 3000; i += 7)
			settle(place, &commands[i]);
	}
	UNTIL(&loop, all_led() && all_equal());
	stop_all();
}

Test(shard, alone_it_answers_at_stop_what_it_could_not_pass_on)
{
	struct call call, read;
	shard_start(0);
	struct ord_command c = transfer("bank", "shop");
	call_send(&call, 0, &c);
	struct ord_query q = {.kind = ORD_QUERY_ACCOUNT, .account = ord_slice_text("bank")};
	struct ord_bytes query;
	ord_bytes_init(&query, 256);
	ord_query_encode(&q, &query);
	read = (struct call){.waiter = {.answer = call_answer}};
	ord_shard_read(shards[0], ord_route_account(q.account, PARTITIONS), ord_bytes_slice(&query),
		       ord_shard_now_ms(shards[0]) + WAIT_MS, &read.waiter, 5);
	ord_bytes_close(&query);
	for (unsigned i = 0; i < 5; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	cr_assert(call.answers_count == 0 && read.answers_count == 0);
	shard_stop(0);
	cr_assert(call.answers_count == 1 && read.answers_count == 1);
	cr_assert(call.err == ORD_ERR_NOT_LEADER && read.err == ORD_ERR_NOT_LEADER);
}

/* --- Two nodes that cannot reach each other. --- */

static int leader_of(uint32_t partition)
{
	struct ord_replica_status status;
	for (unsigned i = 0; i < NODES; i++) {
		ord_shard_replica_status(shards[i], partition, &status);
		if (status.ready)
			return (int)i;
	}
	return -1;
}

/* Gives the partition of an account that is led by the node, and its name. */
static uint32_t account_led_by(int place, char name[16])
{
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, 16, "account-%u", i);
		uint32_t partition = ord_route_account(ord_slice_text(name), PARTITIONS);
		if (leader_of(partition) == place)
			return partition;
	}
	cr_assert_fail("node %d leads nothing", place + 1);
	return 0;
}

static void link_cut(unsigned from, unsigned to, bool cuts)
{
	struct ord_faults_order order = {.has_links = true, .links_count = cuts};
	uint32_t node;
	order.links[0].node = to + 1;
	order.links[0].rule = (struct ord_faults_link_rule){.cut_out = true, .cut_in = true};
	cr_assert_eq(ord_shard_fault(shards[from], &order, &node), ORD_OK);
}

Test(shard, two_nodes_that_cannot_reach_each_other_settle_through_the_third)
{
	char payer[16], payee[16];
	for (unsigned i = 0; i < NODES; i++)
		configs[i].enable_faults = true;
	start_all();
	UNTIL(&loop, all_led() && leader_of(0) != leader_of(1));
	int a = leader_of(0), b = leader_of(1);
	uint32_t from = account_led_by(a, payer), to = account_led_by(b, payee);
	struct ord_command c = open_account(payer, -1000000);
	settle((unsigned)a, &c);
	c = open_account(payee, -1000000);
	settle((unsigned)b, &c);
	link_cut((unsigned)a, (unsigned)b, true);
	link_cut((unsigned)b, (unsigned)a, true);
	for (unsigned i = 0; i < 60;
	     i++) { /* asked everywhere, in both directions, from the moment of the cut until long after it was noticed */
		c = i % 2 == 0 ? transfer(payer, payee) : transfer(payee, payer);
		struct call call;
		call_send(&call, i % NODES, &c);
		uint64_t begin_ns = uv_hrtime();
		while (call.answers_count == 0)
			uv_run(&loop, UV_RUN_ONCE);
		cr_assert_eq(call.err, ORD_OK, "transfer %u: %s", i, ord_err_text(call.err));
		cr_assert_eq(call.result.status, ORD_STATUS_SETTLED);
		cr_assert_lt((uv_hrtime() - begin_ns) / 1000000, 6000);
		for (unsigned k = 0; i >= 20 && k < 30; k++)
			uv_run(&loop, UV_RUN_ONCE);
	}
	cr_assert_eq(leader_of(from), a, "each sees a majority");
	cr_assert_eq(leader_of(to), b);
	link_cut((unsigned)a, (unsigned)b, false);
	link_cut((unsigned)b, (unsigned)a, false);
	UNTIL(&loop, all_equal());
	stop_all();
}

/* --- Starts that fail. They leave nothing behind: clean() closes the loop. --- */

static void refuse(unsigned place, int err, const char *word)
{
	char why[1024] = "";
	struct ord_shard *shard;
	cr_assert_eq(ord_shard_start(&loop, &configs[place], fatal_cb, NULL, &shard, why, sizeof why), err, "%s", why);
	cr_assert_not_null(strstr(why, word), "'%s' is not in: %s", word, why);
}

Test(shard, a_start_that_fails_leaves_nothing_behind)
{
	shard_start(0);
	refuse(0, ORD_ERR_IN_USE, "in use");
	configs[1].nodes[1].peer.port = configs[0].nodes[0].peer.port;
	refuse(1, ORD_ERR_IO, "cannot listen for peers");
	shard_stop(0);
	shard_start(0); /* what failed beside it has not touched it */
	shard_stop(0);
	configs[0].segment_bytes = 1;
	refuse(0, ORD_ERR_INVALID, "segment_bytes");
	char path[128];
	snprintf(path, sizeof path, "%s/node-1/wal/0000000000000009.wal", parent);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	configs[0].segment_bytes = 1u << 20;
	refuse(0, ORD_ERR_CORRUPT, "not its own");
}

/* --- Lost and damaged logs. --- */

static void in_node(unsigned place, const char *what)
{
	char command[512];
	snprintf(command, sizeof command, "cd %s/node-%u && %s", parent, place + 1, what);
	cr_assert_eq(system(command), 0, "%s", command);
}

static const char *standing_of(unsigned place)
{
	struct ord_member_self self;
	ord_shard_member_status(shards[place], &self);
	cr_assert_eq(self.waits_for_count > 0, self.member == 0);
	return self.standing;
}

static void found(void)
{
	start_all();
	UNTIL(&loop, all_led());
	for (unsigned i = 0; i < NODES; i++)
		cr_expect_str_eq(standing_of(i), "founder");
	struct ord_command c = open_account("bank", -1000000);
	settle(0, &c);
	c = open_account("shop", 0);
	settle(1, &c);
	settle_transfers(30);
}

/* Flips a bit of the first record, and there are later batches. */
#define DAMAGE "printf '\\377' | dd of=wal/$(ls wal | grep wal | head -n 1) bs=1 seek=110 conv=notrunc 2>/dev/null"

Test(shard, a_first_start_waits_for_all_nodes)
{
	shard_start(0);
	shard_start(1);
	for (unsigned i = 0; i < 200; i++)
		uv_run(&loop, UV_RUN_ONCE);
	struct ord_member_self self;
	ord_shard_member_status(shards[0], &self);
	cr_expect_str_eq(self.standing, "undecided");
	cr_expect_eq(self.waits_for_count, 1);
	cr_expect_eq(self.waits_for[0], 3);
	cr_expect_eq(self.member, 0);
	shard_start(2);
	UNTIL(&loop, all_led());
	cr_expect_str_eq(standing_of(0), "founder");
	stop_all();
	start_all();
	UNTIL(&loop, all_led());
	stop_all();
}

/* The spare that is there may be needed by the log; the next one takes room from it. */
Test(shard, where_the_disk_is_low_one_spare_segment_is_kept_and_no_more)
{
	struct statvfs s;
	start_all();
	UNTIL(&loop, all_led());
	stop_all();
	cr_assert_eq(statvfs(parent, &s), 0);
	for (unsigned i = 0; i < NODES; i++)
		in_node(i, "truncate -s 1M wal/spare wal/spare.next");
	configs[0].reserve_bytes = (uint64_t)s.f_bavail * s.f_frsize * 2;
	configs[1].reserve_bytes = configs[2].reserve_bytes = 1;
	start_all();
	UNTIL(&loop, all_led());
	cr_expect_eq(ord_shard_room(shards[0])->state, ORD_ROOM_LOW);
	stop_all();
	in_node(0, "test -e wal/spare && test ! -e wal/spare.next");
	in_node(1, "test -e wal/spare && test -e wal/spare.next");
}

/* It is a whole member again: what is settled is settled with it alone beside another one. */
static void becomes_newcomer(const char *harm)
{
	struct ord_member_self before, after;
	found();
	ord_shard_member_status(shards[1], &before);
	shard_stop(1);
	in_node(1, harm);
	shard_start(1);
	ord_shard_member_status(shards[1], &after);
	cr_expect_str_eq(after.standing, "newcomer");
	cr_expect_neq(after.member, before.member);
	cr_expect_eq((uint32_t)after.member, 2);
	struct ord_command c = transfer("bank", "shop");
	settle(0, &c); /* the others go on */
	UNTIL(&loop, all_led() && all_equal() && all_vote());
	settle_transfers(10);
	shard_stop(0); /* it counts */
	settle_transfers(10);
	stop_all();
	start_all();
	cr_expect_str_eq(standing_of(1), "newcomer");
	UNTIL(&loop, all_led() && all_equal());
	stop_all();
	in_node(1, "test -d wal && test -d state && test -d history");
}

Test(shard, a_node_whose_log_is_damaged_takes_part_as_a_newcomer)
{
	becomes_newcomer(DAMAGE);
	in_node(1, "test -d wal.damaged-1");
}

Test(shard, a_node_whose_log_was_emptied_takes_part_as_a_newcomer)
{
	becomes_newcomer("rm wal/*.wal");
}

Test(shard, a_node_whose_log_is_gone_takes_part_as_a_newcomer)
{
	becomes_newcomer("rm -r wal");
}

Test(shard, a_node_whose_directory_is_gone_takes_part_as_a_newcomer)
{
	found();
	for (unsigned i = 0; i < NODES; i++) { /* one after the other, so that none is a founder at last */
		shard_stop(i);
		in_node(i, "rm -r wal state history identity peers lock");
		shard_start(i);
		settle_transfers(10);
		UNTIL(&loop, all_led() && all_equal() && all_vote());
		cr_expect_str_eq(standing_of(i), "newcomer");
	}
	stop_all();
	start_all();
	UNTIL(&loop, all_led() && all_equal());
	settle_transfers(10);
	stop_all();
}

Test(shard, a_log_of_another_node_is_refused_and_stays)
{
	found();
	stop_all();
	in_node(1, "rm -r wal && cp -r ../node-1/wal wal");
	refuse(1, ORD_ERR_MISMATCH, "node 1");
	in_node(1, "test -d wal && ! test -e wal.damaged-1");
}

Test(shard, alone_a_damaged_or_lost_log_is_refused_and_stays)
{
	configs[0].nodes_count = 1;
	shard_start(0);
	UNTIL(&loop, all_led());
	struct ord_command c = open_account("bank", -1000000);
	settle(0, &c);
	c = open_account("shop", 0);
	settle(0, &c);
	shard_stop(0);
	in_node(0, "cp -r wal kept && " DAMAGE);
	refuse(0, ORD_ERR_LOG_LOST, "no other one");
	in_node(0, "test -d wal && ! test -e wal.damaged-1 && rm wal/*.wal");
	refuse(0, ORD_ERR_LOG_LOST, "empty");
	in_node(0, "rm -r wal");
	refuse(0, ORD_ERR_LOG_LOST, "'wal' is gone");
	in_node(0, "mv kept wal");
	shard_start(0);
	UNTIL(&loop, all_led());
	shard_stop(0);
}
