/* SPDX-License-Identifier: Apache-2.0 - the client.
 *
 *   ord_session_begin --> waiting <--> under way --ord_session_done--> done --turn--> finish (callback, freed)
 *
 * A turn is what happens once around each poll of the loop: callbacks of what is done, dispatch of what waits, one write per connection. */
#include "client/session.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <uv.h>

#include "base/assert.h"
#include "base/hash.h"

#define TICK_MS 10

#define TIMEOUT_DEFAULT_MS 10000
#define ITEMS_DEFAULT 1000000
#define BYTES_DEFAULT ((size_t)256 << 20)

/* Operations that a turn tries in vain before it leaves the rest to the next one. */
#define TURN_MISSES_MAX 256

/* With less time left than this, or a tenth of the timeout, there is no further attempt. */
#define LEFT_MIN_MS 20

#define BACKOFF_MIN_MS 10
#define BACKOFF_MAX_MS 500
/* A node that is busy says after how long to come again. Were all to do that, it would be busy with refusing them: who is refused again waits up to so many times as long. */
#define ASKED_MAX_TIMES 16

TAILQ_HEAD(ord_op_list, ord_op);

struct ordain_client {
	uv_loop_t *loop; /* borrowed */
	uv_timer_t tick;
	uv_prepare_t prepare;
	uv_check_t check;
	struct ord_fleet *fleet; /* owned */
	uint32_t timeout_ms;
	size_t items_max;
	size_t bytes_max;
	size_t items_count;
	size_t bytes_count;
	struct ord_op_list all;
	struct ord_op_list waiting;
	struct ord_op_list done;
	uint64_t next_deadline_ms; /* of all, or earlier */
	uint64_t randoms_count;
	uint64_t seed;
	bool stirred;
	bool ticking;
	bool closing;
	unsigned handles_count; /* that closing waits for; the fleet count as one */
	void (*closed)(void *arg);
	void *closed_arg;
};

uint64_t ord_session_now_ms(void)
{
	return uv_hrtime() / 1000000;
}

struct ord_fleet *ord_session_fleet(struct ordain_client *client)
{
	return client->fleet;
}

uint32_t ord_session_left_ms(const struct ord_op *op, uint64_t now_ms)
{
	return op->deadline_ms > now_ms ? (uint32_t)(op->deadline_ms - now_ms) : 1;
}

bool ord_session_is_late(const struct ord_op *op, uint64_t now_ms)
{
	uint64_t worth_ms = (op->deadline_ms - op->begun_ms) / 10;
	return now_ms + (worth_ms < LEFT_MIN_MS ? worth_ms : LEFT_MIN_MS) >= op->deadline_ms;
}

size_t ord_session_room_bytes(const struct ordain_client *client)
{
	return client->bytes_max - client->bytes_count;
}

static uint64_t doubled_ms(uint64_t ms, unsigned times, uint64_t most_ms)
{
	return times < 6 && ms << times < most_ms ? ms << times : most_ms;
}

uint64_t ord_session_pause_ms(struct ordain_client *client, unsigned attempts, uint32_t asked_ms)
{
	uint64_t most_ms = doubled_ms(BACKOFF_MIN_MS, attempts, BACKOFF_MAX_MS), least_ms = most_ms / 2;
	if (asked_ms != 0) {
		least_ms = asked_ms;
		most_ms = doubled_ms(asked_ms, attempts, (uint64_t)asked_ms * ASKED_MAX_TIMES);
	}
	client->randoms_count++;
	uint64_t random = ord_hash64_seed(&client->randoms_count, sizeof client->randoms_count, client->seed);
	return least_ms + random % (most_ms - least_ms);
}

int ord_session_admit(const struct ordain_client *client, size_t items_count, size_t bytes_count)
{
	if (client->closing)
		return ORDAIN_ERR_CLOSED;
	if (items_count > client->items_max - client->items_count ||
	    bytes_count > client->bytes_max - client->bytes_count)
		return ORDAIN_ERR_LIMIT;
	return 0;
}

static void tick_cb(uv_timer_t *timer);

/* The timer runs while something is under way or a connection is being made; it holds the loop only for the former. */
static void tick_keep(struct ordain_client *client)
{
	bool busy = !TAILQ_EMPTY(&client->all);
	bool wanted = busy || ord_fleet_are_connecting(client->fleet);
	if (wanted && !client->ticking)
		uv_timer_start(&client->tick, tick_cb, TICK_MS, TICK_MS);
	if (!wanted && client->ticking)
		uv_timer_stop(&client->tick);
	client->ticking = wanted;
	if (busy)
		uv_ref((uv_handle_t *)&client->tick);
	else
		uv_unref((uv_handle_t *)&client->tick);
}

void ord_session_begin(struct ordain_client *client, struct ord_op *op, const struct ordain_call_options *call)
{
	uint32_t timeout_ms = call != NULL && call->timeout_ms != 0 ? call->timeout_ms : client->timeout_ms;
	op->client = client;
	op->begun_ms = ord_session_now_ms();
	op->deadline_ms = op->begun_ms + timeout_ms;
	client->items_count += op->items_count;
	client->bytes_count += op->bytes_count;
	TAILQ_INSERT_TAIL(&client->all, op, all);
	if (op->deadline_ms < client->next_deadline_ms)
		client->next_deadline_ms = op->deadline_ms;
	ord_session_wait(op, op->begun_ms);
	ord_session_stir(client);
	tick_keep(client);
}

void ord_session_wait(struct ord_op *op, uint64_t due_ms)
{
	if (op->done)
		return;
	if (op->waiting)
		op->due_ms = due_ms < op->due_ms ? due_ms : op->due_ms;
	else
		op->due_ms = due_ms;
	if (!op->waiting)
		TAILQ_INSERT_TAIL(&op->client->waiting, op, queue);
	op->waiting = true;
}

void ord_session_done(struct ord_op *op)
{
	if (op->done)
		return;
	if (op->waiting)
		TAILQ_REMOVE(&op->client->waiting, op, queue);
	op->waiting = false;
	op->done = true;
	TAILQ_INSERT_TAIL(&op->client->done, op, queue);
}

void ord_session_stir(struct ordain_client *client)
{
	client->stirred = true;
}

/* Finishes what is done now; what a callback makes done is for the next turn. */
static void turn_finish(struct ordain_client *client)
{
	struct ord_op *last = TAILQ_LAST(&client->done, ord_op_list);
	while (last != NULL) {
		struct ord_op *op = TAILQ_FIRST(&client->done);
		bool more = op != last;
		TAILQ_REMOVE(&client->done, op, queue);
		TAILQ_REMOVE(&client->all, op, all);
		client->items_count -= op->items_count;
		client->bytes_count -= op->bytes_count;
		op->kind->finish(op);
		if (!more)
			return;
	}
}

/* Dispatches from the front of the queue; what has to wait on goes to its end, so that the next turn begins with others. */
static void turn_dispatch(struct ordain_client *client, uint64_t now_ms)
{
	bool all = client->stirred;
	client->stirred = false;
	unsigned misses = 0;
	struct ord_op *last = TAILQ_LAST(&client->waiting, ord_op_list);
	for (struct ord_op *op = TAILQ_FIRST(&client->waiting); op != NULL;) {
		struct ord_op *next = op == last ? NULL : TAILQ_NEXT(op, queue);
		if (all || op->due_ms <= now_ms) {
			TAILQ_REMOVE(&client->waiting, op, queue);
			op->waiting = false;
			op->kind->dispatch(op, now_ms);
			misses += op->waiting;
		}
		if (misses > TURN_MISSES_MAX)
			return;
		op = next;
	}
}

static void turn_expire(struct ordain_client *client, uint64_t now_ms)
{
	uint64_t next = UINT64_MAX;
	struct ord_op *op;
	TAILQ_FOREACH(op, &client->all, all)
	{
		if (!op->done && op->deadline_ms + ORD_SESSION_GRACE_MS <= now_ms)
			op->kind->expire(op, 0);
		if (!op->done && op->deadline_ms < next)
			next = op->deadline_ms;
	}
	client->next_deadline_ms = next;
}

static void turn(struct ordain_client *client)
{
	turn_finish(client);
	if (client->closing)
		return;
	if (client->stirred)
		turn_dispatch(client, ord_session_now_ms());
	ord_fleet_flush(client->fleet);
}

static void prepare_cb(uv_prepare_t *prepare)
{
	turn(prepare->data);
}

static void check_cb(uv_check_t *check)
{
	turn(check->data);
}

static void tick_cb(uv_timer_t *timer)
{
	struct ordain_client *client = timer->data;
	uint64_t now_ms = ord_session_now_ms();
	ord_fleet_tick(client->fleet, now_ms);
	if (client->next_deadline_ms <= now_ms)
		turn_expire(client, now_ms);
	turn_dispatch(client, now_ms);
	turn(client);
	if (!client->closing)
		tick_keep(client);
}

static void fleet_changed(void *ctx)
{
	ord_session_stir(ctx);
}

static void client_release(struct ordain_client *client)
{
	if (--client->handles_count > 0)
		return;
	void (*closed)(void *arg) = client->closed;
	void *arg = client->closed_arg;
	ORD_ASSERT(TAILQ_EMPTY(&client->all));
	ord_fleet_close(client->fleet);
	free(client);
	if (closed != NULL)
		closed(arg);
}

static void handle_closed(uv_handle_t *handle)
{
	client_release(handle->data);
}

static void fleet_closed(void *ctx)
{
	client_release(ctx);
}

static int handles_open(struct ordain_client *client)
{
	int err = uv_timer_init(client->loop, &client->tick);
	if (err == 0)
		err = uv_prepare_init(client->loop, &client->prepare);
	if (err == 0)
		err = uv_check_init(client->loop, &client->check);
	if (err != 0)
		return ORDAIN_ERR_SYSTEM;
	client->tick.data = client->prepare.data = client->check.data = client;
	uv_prepare_start(&client->prepare, prepare_cb);
	uv_check_start(&client->check, check_cb);
	uv_unref((uv_handle_t *)&client->prepare);
	uv_unref((uv_handle_t *)&client->check);
	return 0;
}

/* Without this a write to a connection that a node has closed would end the program. A handler of the program's own stays. */
static void ignore_broken_pipes(void)
{
	struct sigaction action;
	if (sigaction(SIGPIPE, NULL, &action) != 0 || (action.sa_flags & SA_SIGINFO) != 0 ||
	    action.sa_handler != SIG_DFL)
		return;
	action = (struct sigaction){.sa_handler = SIG_IGN};
	sigaction(SIGPIPE, &action, NULL);
}

int ordain_open(uv_loop_t *loop, const struct ordain_options *options, struct ordain_client **ret)
{
	if (loop == NULL || options == NULL || options->addresses == NULL)
		return ORDAIN_ERR_ARGUMENT;
	struct ordain_client *client = calloc(1, sizeof *client);
	if (client == NULL)
		return ORDAIN_ERR_MEMORY;
	client->loop = loop;
	client->timeout_ms = options->timeout_ms != 0 ? options->timeout_ms : TIMEOUT_DEFAULT_MS;
	client->items_max = options->items_max != 0 ? options->items_max : ITEMS_DEFAULT;
	client->bytes_max = options->bytes_max != 0 ? options->bytes_max : BYTES_DEFAULT;
	client->next_deadline_ms = UINT64_MAX;
	if (getrandom(&client->seed, sizeof client->seed, 0) != (ssize_t)sizeof client->seed)
		client->seed = uv_hrtime();
	TAILQ_INIT(&client->all);
	TAILQ_INIT(&client->waiting);
	TAILQ_INIT(&client->done);
	struct ord_fleet_options fleet_options = {.loop = loop,
						  .seed = client->seed,
						  .addresses = options->addresses,
						  .cluster_id = options->cluster_id,
						  .changed = fleet_changed,
						  .closed = fleet_closed,
						  .ctx = client};
	ignore_broken_pipes();
	int err = ord_fleet_open(&fleet_options, &client->fleet);
	if (err == 0)
		err = handles_open(client);
	if (err != 0) {
		ord_fleet_close(client->fleet);
		free(client);
		return err;
	}
	ord_fleet_tick(client->fleet, ord_session_now_ms());
	tick_keep(client);
	*ret = client;
	return 0;
}

static void close_begin(uv_timer_t *timer)
{
	struct ordain_client *client = timer->data;
	struct ord_op *op;
	TAILQ_FOREACH(op, &client->all, all)
	{
		if (!op->done)
			op->kind->expire(op, ORDAIN_ERR_CLOSED);
	}
	while (!TAILQ_EMPTY(&client->done))
		turn_finish(client);
	client->handles_count = 3 + ord_fleet_stop(client->fleet);
	uv_close((uv_handle_t *)&client->tick, handle_closed);
	uv_close((uv_handle_t *)&client->prepare, handle_closed);
	uv_close((uv_handle_t *)&client->check, handle_closed);
}

void ordain_close(struct ordain_client *client, void (*closed)(void *arg), void *arg)
{
	if (client == NULL || client->closing)
		return;
	client->closing = true;
	client->closed = closed;
	client->closed_arg = arg;
	uv_timer_start(&client->tick, close_begin, 0, 0);
	uv_ref((uv_handle_t *)&client->tick);
}
