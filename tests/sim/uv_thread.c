/* SPDX-License-Identifier: Apache-2.0 - libuv's threads as coroutines: one thing happens at a time, and a thread gives way only where it waits: for a condition, inside a system
 * call (sim_sleep_us), or at its end. So its program can die while it is in the middle of a write, and no two runs of a seed differ. */
#undef _FORTIFY_SOURCE /* its longjmp allows no jump to another stack */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "tests/sim/loop.h"
#include "tests/sim/world.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define SWITCH_BEGIN(save, stack, bytes) __sanitizer_start_switch_fiber(save, stack, bytes)
#define SWITCH_END(save, stack, bytes) __sanitizer_finish_switch_fiber(save, stack, bytes)
#else
#define SWITCH_BEGIN(save, stack, bytes) (void)(save)
#define SWITCH_END(save, stack, bytes) (void)(save)
#endif

#define STACK_BYTES (256u << 10)
/* From the signal to the moment at which the thread goes on. */
#define WAKE_US_MAX 60
#define PAUSED_LOOK_US (200u * SIM_MS)

struct sim_thread {
	struct sim_thread *next; /* of all */
	struct sim_process *process;
	ucontext_t first; /* enters thread_main on its stack, once; then jumps do, which cost no system call */
	jmp_buf here;
	jmp_buf back; /* who let it run */
	bool begun;
	void *fake_stack; /* of the address sanitizer */
	const void *back_stack;
	size_t back_stack_bytes;
	uint8_t *stack; /* owned */
	void (*entry)(void *arg);
	void *arg;
	uint64_t number; /* by which events recognise it */
	uint64_t wakes_count;
	const void *waits_for; /* a condition */
	bool may_run;
	bool ended;
};

static struct sim_thread *threads; /* owned */
static struct sim_thread *running;
static uint64_t threads_ever;

bool sim_thread_is_running(void)
{
	return running != NULL;
}

static void thread_main(unsigned low, unsigned high)
{
	struct sim_thread *t = (struct sim_thread *)(uintptr_t)((uint64_t)high << 32 | low);
	SWITCH_END(NULL, &t->back_stack, &t->back_stack_bytes);
	t->entry(t->arg);
	t->ended = true;
	SWITCH_BEGIN(NULL, t->back_stack, t->back_stack_bytes);
	_longjmp(t->back, 1);
}

static void thread_enter(struct sim_thread *t)
{
	if (t->begun)
		_longjmp(t->here, 1);
	t->begun = true;
	setcontext(&t->first);
}

/* Lets the thread run until it waits or ends. */
static void thread_run(struct sim_thread *t)
{
	SIM_ASSERT(running == NULL && t->may_run && !t->ended);
	struct sim_process *before = sim_enter(t->process);
	void *fake = NULL;
	t->may_run = false;
	running = t;
	SWITCH_BEGIN(&fake, t->stack, STACK_BYTES);
	if (_setjmp(t->back) == 0)
		thread_enter(t);
	SWITCH_END(fake, NULL, NULL);
	running = NULL;
	sim_enter(before);
}

/* Gives way: the world goes on until something wakes the thread. */
static void thread_yield(struct sim_thread *t)
{
	SWITCH_BEGIN(&t->fake_stack, t->back_stack, t->back_stack_bytes);
	if (_setjmp(t->here) == 0)
		_longjmp(t->back, 1);
	SWITCH_END(t->fake_stack, &t->back_stack, &t->back_stack_bytes);
}

static struct sim_thread *thread_find(uint64_t number)
{
	struct sim_thread *t = threads;
	while (t != NULL && t->number != number)
		t = t->next;
	return t;
}

static void wake_event(void *ctx, uint64_t number)
{
	struct sim_process *p = ctx;
	struct sim_thread *t = thread_find(number >> 32);
	if (t == NULL || t->process != p || t->wakes_count != (uint32_t)number || t->ended || p->state != SIM_UP)
		return;
	uint64_t now_us = sim_now_us();
	if (p->paused_until_us > now_us) {
		/* It may be woken before its time. */
		uint64_t look_us = now_us + PAUSED_LOOK_US;
		sim_at(p->paused_until_us < look_us ? p->paused_until_us : look_us, wake_event, p, number);
		return;
	}
	t->may_run = true;
	thread_run(t);
}

static void thread_wake_at(struct sim_thread *t, uint64_t due_us)
{
	t->may_run = true; /* also at once, by who joins it */
	t->wakes_count = (uint32_t)(t->wakes_count + 1);
	sim_at(due_us, wake_event, t->process, t->number << 32 | t->wakes_count);
}

void sim_thread_sleep(uint64_t us)
{
	struct sim_thread *t = running;
	thread_wake_at(t, sim_now_us() + us);
	thread_yield(t);
}

int uv_thread_create(uv_thread_t *uv, uv_thread_cb entry, void *arg)
{
	struct sim_thread *t = calloc(1, sizeof *t);
	SIM_ASSERT(t != NULL);
	t->process = sim_current();
	t->stack = malloc(STACK_BYTES);
	SIM_ASSERT(t->process != NULL && t->stack != NULL);
	t->entry = entry;
	t->arg = arg;
	t->number = ++threads_ever;
	t->next = threads;
	threads = t;
	int err = getcontext(&t->first);
	SIM_ASSERT(err == 0);
	t->first.uc_stack.ss_sp = t->stack;
	t->first.uc_stack.ss_size = STACK_BYTES;
	t->first.uc_link = NULL;
	makecontext(&t->first, (void (*)(void))thread_main, 2, (unsigned)(uintptr_t)t,
		    (unsigned)((uint64_t)(uintptr_t)t >> 32));
	_Static_assert(sizeof(uv_thread_t) >= sizeof t->number, "a handle holds the number");
	memcpy(uv, &t->number, sizeof t->number);
	thread_wake_at(t, sim_now_us() + 1 + sim_below(SIM_LOOP, WAKE_US_MAX));
	return 0;
}

/* Runs it to its end at once: whoever joins has told it to end. */
int uv_thread_join(uv_thread_t *uv)
{
	uint64_t number;
	memcpy(&number, uv, sizeof number);
	struct sim_thread **at = &threads;
	while (*at != NULL && (*at)->number != number)
		at = &(*at)->next;
	struct sim_thread *t = *at;
	SIM_ASSERT(t != NULL);
	while (!t->ended)
		thread_run(t);
	*at = t->next;
	free(t->stack);
	free(t);
	return 0;
}

/* The first byte of a mutex tells whether it is held; a thread gives way only when it holds none. */
int uv_mutex_init(uv_mutex_t *mutex)
{
	memset(mutex, 0, sizeof *mutex);
	return 0;
}

void uv_mutex_destroy(uv_mutex_t *mutex)
{
	SIM_ASSERT(*(uint8_t *)mutex == 0);
}

void uv_mutex_lock(uv_mutex_t *mutex)
{
	SIM_ASSERT(*(uint8_t *)mutex == 0);
	*(uint8_t *)mutex = 1;
}

void uv_mutex_unlock(uv_mutex_t *mutex)
{
	SIM_ASSERT(*(uint8_t *)mutex == 1);
	*(uint8_t *)mutex = 0;
}

int uv_cond_init(uv_cond_t *cond)
{
	memset(cond, 0, sizeof *cond);
	return 0;
}

void uv_cond_destroy(uv_cond_t *cond)
{
	(void)cond;
}

void uv_cond_wait(uv_cond_t *cond, uv_mutex_t *mutex)
{
	struct sim_thread *t = running;
	SIM_ASSERT(t != NULL);
	uv_mutex_unlock(mutex);
	t->waits_for = cond;
	thread_yield(t);
	t->waits_for = NULL;
	uv_mutex_lock(mutex);
}

/* Nothing but the time wakes it, or who joins it. */
int uv_cond_timedwait(uv_cond_t *cond, uv_mutex_t *mutex, uint64_t timeout_ns)
{
	(void)cond;
	SIM_ASSERT(running != NULL);
	uv_mutex_unlock(mutex);
	sim_thread_sleep(timeout_ns / 1000);
	uv_mutex_lock(mutex);
	return UV_ETIMEDOUT;
}

void uv_cond_broadcast(uv_cond_t *cond)
{
	for (struct sim_thread *t = threads; t != NULL; t = t->next)
		if (t->waits_for == cond && t != running && !t->may_run)
			thread_wake_at(t, sim_now_us() + 1 + sim_below(SIM_LOOP, WAKE_US_MAX));
}
