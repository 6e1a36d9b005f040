/* SPDX-License-Identifier: Apache-2.0 - libuv's loop on virtual time: handles, timers, prepare, check, idle, async, and the order of an iteration
 * (docs of libuv: "Design overview", "The I/O loop").
 *
 * An iteration begins where a real one wakes from its poll: what is ready is called back, then check handles, then close callbacks, then timers, idle
 * and prepare handles; then the program waits until something becomes ready or a timer is due.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/loop.h"
#include "tests/sim/net.h"
#include "tests/sim/world.h"

#define NEVER UINT64_MAX
#define PROCESSES_MAX 64
/* How long an iteration computes, usually and now and then. */
#define COMPUTE_US_MAX 40
#define COMPUTE_LONG_US_MAX 8000
#define COMPUTE_LONG_ONCE_IN 5000
#define GHOST_ITERATIONS_MAX 100000

enum handle_list { LIST_TIMERS, LIST_PREPARES, LIST_CHECKS, LIST_IDLES, LIST_OTHERS, LISTS_COUNT };

struct sim_loop {
	struct sim_process *process;
	uv_loop_t *uv;
	uint64_t time_ms; /* as uv_now() says: of the iteration */
	struct sim_handle *lists[LISTS_COUNT];
	uint32_t handles_count;
	uint32_t idles_count; /* active ones */
	uint64_t starts_count;
	struct sim_ready *ready; /* owned */
	size_t ready_count;
	size_t ready_capacity;
	struct sim_ready *taken; /* owned: those of the iteration under way */
	size_t taken_count;
	size_t taken_capacity;
	struct sim_handle **closing; /* owned array */
	size_t closing_count;
	size_t closing_capacity;
	uint64_t wake_due_us; /* the event that is planned */
	uint64_t wake_number; /* by which it is recognised */
	bool iterating;
};

struct sim_loop *sim_loop_of(const uv_loop_t *uv)
{
	return uv->internal_fields;
}

struct sim_process *sim_loop_process(const struct sim_loop *l)
{
	return l->process;
}

/* --- Waking up. --- */

static void loop_iterate(struct sim_loop *l);

static void loop_event(void *ctx, uint64_t number);

static void loop_wake(struct sim_loop *l, uint64_t due_us)
{
	if (l->wake_due_us <= due_us)
		return;
	l->wake_due_us = due_us;
	sim_at(due_us, loop_event, l, ++l->wake_number);
}

/* The time of the world at which the program's clock will show ms. */
static uint64_t world_time_of(const struct sim_process *p, uint64_t ms)
{
	uint64_t clock_us = sim_clock_monotonic_us(p);
	uint64_t now_us = sim_now_us();
	if (ms * 1000 <= clock_us)
		return now_us;
	uint64_t left_us = ms * 1000 - clock_us;
	return now_us + left_us * 1000000 / (uint64_t)(1000000 + p->drift_ppm) + 1;
}

static void loop_plan(struct sim_loop *l)
{
	uint64_t now_us = sim_now_us();
	struct sim_process *p = l->process;
	if (l->ready_count > 0 || l->closing_count > 0 || l->idles_count > 0) {
		loop_wake(l, p->busy_until_us > now_us ? p->busy_until_us : now_us);
		return;
	}
	uint64_t due_ms = NEVER;
	for (struct sim_handle *h = l->lists[LIST_TIMERS]; h != NULL; h = h->next)
		if (h->active && h->due_ms < due_ms)
			due_ms = h->due_ms;
	if (due_ms != NEVER)
		loop_wake(l, world_time_of(p, due_ms));
}

static void loop_event(void *ctx, uint64_t number)
{
	struct sim_loop *l = ctx;
	if (number != l->wake_number || l->uv == NULL)
		return;
	l->wake_due_us = NEVER;
	struct sim_process *p = l->process;
	if (p->state != SIM_UP)
		return;
	uint64_t now_us = sim_now_us();
	uint64_t free_us = p->paused_until_us > p->busy_until_us ? p->paused_until_us : p->busy_until_us;
	if (free_us > now_us) {
		loop_wake(l, free_us);
		return;
	}
	uint64_t most = sim_once_in(SIM_LOOP, COMPUTE_LONG_ONCE_IN) ? COMPUTE_LONG_US_MAX : COMPUTE_US_MAX;
	p->busy_until_us = now_us + 1 + sim_below(SIM_LOOP, most);
	struct sim_process *before = sim_enter(p);
	loop_iterate(l);
	sim_enter(before);
	if (p->state == SIM_UP)
		loop_plan(l);
}

void sim_loop_ready(struct sim_loop *l, void (*fn)(void *ctx, uint64_t arg), void *ctx, uint64_t arg)
{
	if (l->ready_count == l->ready_capacity) {
		l->ready_capacity = l->ready_capacity == 0 ? 16 : l->ready_capacity * 2;
		l->ready = realloc(l->ready, l->ready_capacity * sizeof *l->ready);
		SIM_ASSERT(l->ready != NULL);
	}
	l->ready[l->ready_count++] = (struct sim_ready){.fn = fn, .ctx = ctx, .arg = arg};
	if (!l->iterating)
		loop_plan(l);
}

void sim_loop_wake(struct sim_loop *l)
{
	loop_wake(l, sim_now_us());
}

void sim_loop_unready(struct sim_loop *l, const void *ctx)
{
	for (size_t i = 0; i < l->ready_count; i++)
		if (l->ready[i].ctx == ctx)
			l->ready[i].fn = NULL;
	for (size_t i = 0; i < l->taken_count; i++)
		if (l->taken[i].ctx == ctx)
			l->taken[i].fn = NULL;
}

/* --- An iteration. --- */

static void iterate_poll(struct sim_loop *l)
{
	struct sim_ready *ready = l->ready;
	size_t capacity = l->ready_capacity;
	l->taken_count = l->ready_count;
	l->ready = l->taken;
	l->ready_capacity = l->taken_capacity;
	l->ready_count = 0;
	l->taken = ready;
	l->taken_capacity = capacity;
	if (l->taken_count == 0)
		return;
	/* The kernel tells of what is ready in an order of its own; of one thing in the order in which it came. */
	size_t first = l->taken_count < 2 ? 0 : (size_t)sim_below(SIM_LOOP, l->taken_count);
	while (first > 0 && l->taken[first].ctx == l->taken[first - 1].ctx)
		first--;
	for (size_t i = first; i < l->taken_count; i++)
		if (l->taken[i].fn != NULL)
			l->taken[i].fn(l->taken[i].ctx, l->taken[i].arg);
	for (size_t i = 0; i < first; i++)
		if (l->taken[i].fn != NULL)
			l->taken[i].fn(l->taken[i].ctx, l->taken[i].arg);
	l->taken_count = 0;
}

static enum handle_list list_of(uv_handle_type type)
{
	switch (type) {
	case UV_TIMER:
		return LIST_TIMERS;
	case UV_PREPARE:
		return LIST_PREPARES;
	case UV_CHECK:
		return LIST_CHECKS;
	case UV_IDLE:
		return LIST_IDLES;
	default:
		return LIST_OTHERS;
	}
}

static void handle_free(struct sim_handle *h)
{
	struct sim_loop *l = h->loop;
	struct sim_handle **first = &l->lists[list_of(h->type)];
	if (h->previous == NULL)
		*first = h->next;
	else
		h->previous->next = h->next;
	if (h->next != NULL)
		h->next->previous = h->previous;
	l->handles_count--;
	if (h->sent)
		sim_loop_unready(l, h);
	if (h->socket != NULL)
		sim_socket_free(h->socket);
	free(h);
}

static void iterate_closing(struct sim_loop *l)
{
	size_t count = l->closing_count;
	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++) {
		struct sim_handle *h = l->closing[i]; /* the array may grow meanwhile */
		uv_close_cb cb = h->close_cb;
		uv_handle_t *uv = h->uv;
		handle_free(h);
		if (cb != NULL)
			cb(uv);
	}
	memmove(l->closing, l->closing + count, (l->closing_count - count) * sizeof *l->closing);
	l->closing_count -= count;
}

static struct sim_handle *timer_due(const struct sim_loop *l, uint64_t starts_before)
{
	struct sim_handle *first = NULL;
	for (struct sim_handle *h = l->lists[LIST_TIMERS]; h != NULL; h = h->next)
		if (h->active && h->due_ms <= l->time_ms && h->start_number < starts_before &&
		    (first == NULL || h->due_ms < first->due_ms ||
		     (h->due_ms == first->due_ms && h->start_number < first->start_number)))
			first = h;
	return first;
}

static void iterate_timers(struct sim_loop *l)
{
	struct sim_handle *h;
	uint64_t starts_before =
		l->starts_count + 1; /* one that starts now comes in the next iteration, even with timeout 0 */
	while ((h = timer_due(l, starts_before)) != NULL) {
		h->active = false;
		if (h->repeat_ms != 0)
			uv_timer_start((uv_timer_t *)h->uv, h->timer_cb, h->repeat_ms, h->repeat_ms);
		h->timer_cb((uv_timer_t *)h->uv);
	}
}

static void loop_update_time(struct sim_loop *l)
{
	l->time_ms = sim_clock_monotonic_us(l->process) / 1000;
}

static void loop_iterate(struct sim_loop *l)
{
	SIM_ASSERT(!l->iterating);
	l->iterating = true;
	loop_update_time(l);
	iterate_poll(l);
	for (struct sim_handle *h = l->lists[LIST_CHECKS]; h != NULL; h = h->next)
		if (h->active)
			h->check_cb((uv_check_t *)h->uv);
	iterate_closing(l);
	iterate_timers(l);
	for (struct sim_handle *h = l->lists[LIST_IDLES]; h != NULL; h = h->next)
		if (h->active)
			h->idle_cb((uv_idle_t *)h->uv);
	for (struct sim_handle *h = l->lists[LIST_PREPARES]; h != NULL; h = h->next)
		if (h->active)
			h->prepare_cb((uv_prepare_t *)h->uv);
	l->iterating = false;
}

/* --- Loops. --- */

static struct sim_loop *loops[PROCESSES_MAX];
static uint32_t loops_count;

/* The struct stays for the program's next life, since the world may hold events for it. */
static struct sim_loop *loop_for(struct sim_process *p)
{
	for (uint32_t i = 0; i < loops_count; i++)
		if (loops[i]->process == p)
			return loops[i];
	SIM_ASSERT(loops_count < PROCESSES_MAX);
	struct sim_loop *l = calloc(1, sizeof *l);
	SIM_ASSERT(l != NULL);
	l->process = p;
	loops[loops_count++] = l;
	return l;
}

void sim_loops_free(void)
{
	for (uint32_t i = 0; i < loops_count; i++) {
		free(loops[i]->ready);
		free(loops[i]->taken);
		free(loops[i]->closing);
		free(loops[i]);
	}
	loops_count = 0;
}

int uv_loop_init(uv_loop_t *uv)
{
	struct sim_process *p = sim_current();
	SIM_ASSERT(p != NULL && p->loop == NULL);
	void *data = uv->data;
	memset(uv, 0, sizeof *uv);
	uv->data = data;
	struct sim_loop *l = loop_for(p);
	SIM_ASSERT(l->uv == NULL && l->handles_count == 0);
	l->uv = uv;
	l->wake_due_us = NEVER;
	l->wake_number++;
	l->ready_count = 0;
	uv->internal_fields = l;
	p->loop = l;
	loop_update_time(l);
	return 0;
}

int uv_loop_close(uv_loop_t *uv)
{
	struct sim_loop *l = sim_loop_of(uv);
	if (l->handles_count > 0)
		return UV_EBUSY;
	SIM_ASSERT(l->ready_count == 0);
	l->uv = NULL;
	l->wake_due_us = NEVER;
	l->wake_number++;
	l->ready_count = 0;
	l->process->loop = NULL;
	return 0;
}

uint64_t uv_now(const uv_loop_t *uv)
{
	return sim_loop_of(uv)->time_ms;
}

uint64_t uv_hrtime(void)
{
	struct sim_process *p = sim_current();
	return p == NULL ? sim_now_us() * 1000 : sim_clock_monotonic_us(p) * 1000;
}

/* Iterations outside of the world's time: for the dead, and for a start that is undone. */
static bool loop_spin(struct sim_loop *l)
{
	loop_iterate(l);
	return l->ready_count > 0 || l->closing_count > 0;
}

int uv_run(uv_loop_t *uv, uv_run_mode mode)
{
	struct sim_loop *l = sim_loop_of(uv);
	bool more = loop_spin(l);
	for (unsigned i = 0; more && mode == UV_RUN_DEFAULT; i++) {
		SIM_ASSERT(i < GHOST_ITERATIONS_MAX);
		more = loop_spin(l);
	}
	return l->handles_count > 0;
}

void sim_process_bury(struct sim_process *p, void (*stop)(void *ctx), void *ctx)
{
	struct sim_process *before = sim_enter(p);
	p->state = SIM_GHOST;
	sim_net_forget(p->address);
	sim_names_hasten(p);
	if (stop != NULL)
		stop(ctx);
	if (p->loop != NULL) {
		struct sim_loop *l = p->loop;
		for (unsigned i = 0; l->handles_count > 0; i++) {
			SIM_ASSERT(i < GHOST_ITERATIONS_MAX);
			loop_spin(l);
		}
		int err = uv_loop_close(l->uv);
		SIM_ASSERT(err == 0);
	}
	p->state = SIM_DOWN;
	p->paused_until_us = 0;
	p->busy_until_us = 0;
	sim_enter(before);
}

/* --- Handles. --- */

struct sim_handle *sim_handle_open(uv_loop_t *loop, void *uv, uv_handle_type type)
{
	struct sim_loop *l = sim_loop_of(loop);
	struct sim_handle *h = calloc(1, sizeof *h);
	SIM_ASSERT(h != NULL);
	struct sim_handle **first = &l->lists[list_of(type)];
	h->loop = l;
	h->uv = uv;
	h->type = type;
	h->next = *first;
	if (h->next != NULL)
		h->next->previous = h;
	*first = h;
	l->handles_count++;
	h->uv->loop = loop;
	h->uv->type = type;
	h->uv->u.reserved[0] = h;
	return h;
}

struct sim_handle *sim_handle_of(const void *uv)
{
	struct sim_handle *h = ((const uv_handle_t *)uv)->u.reserved[0];
	SIM_ASSERT(h != NULL && h->uv == uv);
	return h;
}

static void handle_activate(struct sim_handle *h, bool active)
{
	if (h->type == UV_IDLE && h->active != active)
		h->loop->idles_count += active ? 1 : -1u;
	h->active = active;
	if (active && !h->loop->iterating)
		loop_plan(h->loop);
}

void uv_close(uv_handle_t *uv, uv_close_cb cb)
{
	struct sim_handle *h = sim_handle_of(uv);
	struct sim_loop *l = h->loop;
	SIM_ASSERT(!h->closing);
	handle_activate(h, false);
	h->closing = true;
	h->close_cb = cb;
	if (h->socket != NULL)
		sim_socket_closing(h->socket);
	if (l->closing_count == l->closing_capacity) {
		l->closing_capacity = l->closing_capacity == 0 ? 16 : l->closing_capacity * 2;
		l->closing = realloc(l->closing, l->closing_capacity * sizeof *l->closing);
		SIM_ASSERT(l->closing != NULL);
	}
	l->closing[l->closing_count++] = h;
	if (!l->iterating)
		loop_plan(l);
}

int uv_is_closing(const uv_handle_t *uv)
{
	return sim_handle_of(uv)->closing;
}

void uv_ref(uv_handle_t *uv)
{
	sim_handle_of(uv)->unreferenced = false;
}

void uv_unref(uv_handle_t *uv)
{
	sim_handle_of(uv)->unreferenced = true;
}

int uv_timer_init(uv_loop_t *loop, uv_timer_t *uv)
{
	sim_handle_open(loop, uv, UV_TIMER);
	return 0;
}

int uv_timer_start(uv_timer_t *uv, uv_timer_cb cb, uint64_t timeout_ms, uint64_t repeat_ms)
{
	struct sim_handle *h = sim_handle_of(uv);
	SIM_ASSERT(!h->closing);
	h->timer_cb = cb;
	h->due_ms = h->loop->time_ms + timeout_ms;
	h->repeat_ms = repeat_ms;
	h->start_number = ++h->loop->starts_count;
	handle_activate(h, true);
	return 0;
}

int uv_timer_stop(uv_timer_t *uv)
{
	handle_activate(sim_handle_of(uv), false);
	return 0;
}

/* prepare, check and idle differ in their names only. */
#define SIMPLE_HANDLE(kind, KIND)                                   \
	int uv_##kind##_init(uv_loop_t *loop, uv_##kind##_t *uv)    \
	{                                                           \
		sim_handle_open(loop, uv, KIND);                    \
		return 0;                                           \
	}                                                           \
	int uv_##kind##_start(uv_##kind##_t *uv, uv_##kind##_cb cb) \
	{                                                           \
		struct sim_handle *h = sim_handle_of(uv);           \
		SIM_ASSERT(!h->closing);                            \
		if (!h->active)                                     \
			h->kind##_cb = cb;                          \
		handle_activate(h, true);                           \
		return 0;                                           \
	}                                                           \
	int uv_##kind##_stop(uv_##kind##_t *uv)                     \
	{                                                           \
		handle_activate(sim_handle_of(uv), false);          \
		return 0;                                           \
	}

SIMPLE_HANDLE(prepare, UV_PREPARE)
SIMPLE_HANDLE(check, UV_CHECK)
SIMPLE_HANDLE(idle, UV_IDLE)

int uv_async_init(uv_loop_t *loop, uv_async_t *uv, uv_async_cb cb)
{
	struct sim_handle *h = sim_handle_open(loop, uv, UV_ASYNC);
	h->async_cb = cb;
	h->active = true;
	return 0;
}

static void async_ready(void *ctx, uint64_t arg)
{
	struct sim_handle *h = ctx;
	(void)arg;
	h->sent = false;
	if (!h->closing)
		h->async_cb((uv_async_t *)h->uv);
}

int uv_async_send(uv_async_t *uv)
{
	struct sim_handle *h = sim_handle_of(uv);
	if (h->sent || h->closing)
		return 0;
	h->sent = true;
	sim_loop_ready(h->loop, async_ready, h, 0);
	return 0;
}
