/* SPDX-License-Identifier: Apache-2.0 - node/replica: request ids expire some time after their own. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "partition/route.h"
#include "tests/support/node_calls.h"

#define HOME 1

static struct node_cluster c;

static uint64_t wall_ms(void)
{
	return 1700000000000 + c.now_ms;
}

/* A transfer under an id of now (or so much later), all in one partition. */
static struct call *timed_transfer(int64_t later_ms)
{
	static uint8_t count;
	struct call *call = call_transfer(0, 2, 1);
	uint8_t rest[10] = {[8] = ++count};

	do {
		rest[9]++;
		call->command.request_id = ord_uuid_v7((uint64_t)((int64_t)wall_ms() + later_ms), rest);
	} while (ord_route_request(&call->command.request_id, PARTITIONS) != HOME);
	return call;
}

static void ask(struct call *call)
{
	node_cluster_wait_ready(&c);
	call_send(&c, call, 0, ORD_WAIT_SETTLED);
	calls_wait(&c);
	cr_assert_eq(call->last_err, ORD_OK, "%s", ord_err_text(call->last_err));
}

static uint64_t expired_ms(unsigned place)
{
	struct ord_replica_status status;

	ord_engine_replica_status(c.nodes[place].engine, HOME, &status);
	return status.state.expired_ms;
}

static uint64_t position(void)
{
	struct ord_replica_status status;

	ord_engine_replica_status(c.nodes[0].engine, HOME, &status);
	return status.state.position;
}

Test(age, a_request_is_refused_when_its_time_is_over)
{
	calls_start(&c, 1);
	struct call *call = timed_transfer(0);
	ask(call);
	cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
	node_cluster_steps(&c, NODE_CLUSTER_REQUEST_WINDOW_MS + 5000);
	cr_assert_eq(expired_ms(0), 0, "without newer requests nothing expires");
	ask(timed_transfer(0));
	node_cluster_steps(&c, 1000);
	for (unsigned place = 0; place < NODE_CLUSTER_NODES; place++)
		cr_assert_geq(expired_ms(place), wall_ms() - NODE_CLUSTER_REQUEST_WINDOW_MS - 5000);
	struct call *again = timed_transfer(0);
	again->command.request_id = call->command.request_id;
	ask(again);
	cr_assert_eq(again->reason, ORD_REFUSAL_REQUEST_ID_EXPIRED);
	node_cluster_steps(&c, 2000);
	node_cluster_check(&c);
	node_cluster_close(&c);
}

Test(age, a_watermark_moves_in_steps_and_is_known_after_a_restart)
{
	calls_start(&c, 2);
	node_cluster_steps(&c, NODE_CLUSTER_REQUEST_WINDOW_MS);
	ask(timed_transfer(0));
	node_cluster_steps(&c, 1000);
	uint64_t before = expired_ms(0), at = position();
	cr_assert_gt(before, 0);
	ask(timed_transfer(0));
	node_cluster_steps(&c, 100);
	cr_assert_leq(position(), at + 8, "not for every request");
	node_cluster_crash(&c, 0);
	node_cluster_restart(&c, 0);
	node_cluster_wait_ready(&c);
	node_cluster_steps(&c, 2000);
	cr_assert_geq(expired_ms(0), before);
	node_cluster_check(&c);
	node_cluster_close(&c);
}

Test(age, a_clock_that_is_ahead_expires_nothing_of_now)
{
	calls_start(&c, 3);
	struct call *call = timed_transfer(-30000), *last;
	ask(call);
	c.now_ms += 100 * NODE_CLUSTER_REQUEST_WINDOW_MS; /* of all nodes: their clocks, not the clients' */
	node_cluster_step(&c);
	last = timed_transfer(-100 * NODE_CLUSTER_REQUEST_WINDOW_MS);
	ask(last);
	cr_assert_eq(last->decided, ORD_STATUS_SETTLED);
	node_cluster_steps(&c, 2000);
	ask(call);
	cr_assert(call->last.replayed);
	node_cluster_close(&c);
}
