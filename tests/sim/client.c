/* SPDX-License-Identifier: Apache-2.0 - a program on libordain: its loop, its timer, its calls under way, and its deaths.
 *
 *   (down) --boot--> up --crash, or it dies in a turn--> (down) --after a while--> boot
 *                    up --reopen: ordain_close, closed_cb, ordain_open--> up
 *
 * A call takes a slot. What ordain.h promises about the callback is checked here: it comes exactly once, never from inside the function that began the call, and not much later
 * than the call's time is over. A token in the callback's arg says which call it is, so that one that comes twice, or for a dead program's call, is recognised. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/coverage.h"
#include "tests/sim/loop.h"
#include "tests/sim/work_state.h"
#include "tests/sim/world.h"

#define ADDRESSES_BYTES 512
#define RESTART_US_MAX (5 * SIM_SECOND)
#define FINISH_PAUSE_MS_MAX 20
#define BURST_PERCENT 25
#define FOLLOW_PAUSE_MS_MAX 8

static void timer_cb(uv_timer_t *timer);

/* --- Opening the library. --- */

/* All addresses from any one on, or some: the rest is learnt from nodes. */
static void addresses_print(struct work_client *c, char *text, size_t text_size)
{
	uint32_t count = work.addresses_count;
	uint32_t first = (uint32_t)sim_below(SIM_WORK, count);
	c->few_addresses = !work.finishing && count > 1 && sim_percent(SIM_WORK, work.mix.few_addresses_percent);
	if (c->few_addresses) {
		sim_cover(SIM_COVER_FEW_ADDRESSES);
		count = 1 + (uint32_t)sim_below(SIM_WORK, count - 1);
	}
	size_t len = 0;
	for (uint32_t i = 0; i < count; i++) {
		const char *address = work.addresses[(first + i) % work.addresses_count];
		int put = snprintf(text + len, text_size - len, "%s%s", i > 0 ? "," : "", address);
		SIM_ASSERT(put > 0 && (size_t)put < text_size - len);
		len += (size_t)put;
	}
}

static void library_open(struct work_client *c)
{
	char addresses[ADDRESSES_BYTES];
	addresses_print(c, addresses, sizeof addresses);
	const struct ordain_options options = {
		.addresses = addresses, .timeout_ms = work.mix.timeout_ms, .items_max = work.mix.items_max};
	c->inside = true;
	int err = ordain_open(&c->loop, &options, &c->library);
	c->inside = false;
	if (err != 0)
		sim_fail(SIM_SAFETY, "%s: ordain_open: %s", c->process.name, ordain_error_name(err));
	c->closing = false;
}

static void closed_cb(void *arg)
{
	struct work_client *c = arg;
	if (sim_is_dead(&c->process))
		return;
	SIM_ASSERT(sim_current() == &c->process);
	if (c->busy_count > 0)
		sim_fail(SIM_SAFETY, "%s: ordain_close is done, and %u calls had no callback", c->process.name,
			 c->busy_count);
	library_open(c);
	sim_client_wake(c, false);
}

static void library_reopen(struct work_client *c)
{
	sim_cover(SIM_COVER_CLIENT_REOPENED);
	c->closing = true;
	ordain_close(c->library, closed_cb, c);
}

/* --- Slots. --- */

static uint32_t timeout_default_ms(void)
{
	return work.mix.timeout_ms != 0 ? work.mix.timeout_ms : 10000;
}

struct work_slot *sim_client_slot(struct work_client *c, enum work_action action, struct ordain_call_options *ret_call)
{
	struct work_slot *s = NULL;
	for (uint32_t i = 0; s == NULL && i < work.options.parallel_max; i++)
		if (!c->slots[i].busy)
			s = &c->slots[i];
	if (s == NULL)
		return NULL;
	uint32_t *asks = s->asks;
	*s = (struct work_slot){
		.busy = true, .action = action, .serial = ++c->serials_count, .asks = asks, .final = WORK_NONE};
	*ret_call = (struct ordain_call_options){.timeout_ms = sim_mix_timeout_ms()};
	ret_call->wait =
		!work.finishing && action < WORK_COMMANDS_COUNT && sim_percent(SIM_WORK, work.mix.logged_percent)
			? ORDAIN_WAIT_LOGGED
			: ORDAIN_WAIT_SETTLED;
	s->wait = ret_call->wait;
	bool is_of_state = action == WORK_READ_ACCOUNT || action == WORK_READ_HISTORY || action == WORK_READ_NAME;
	if (is_of_state && !work.finishing && sim_percent(SIM_STALE, work.options.stale_percent))
		ret_call->consistency = ORDAIN_STALE;
	s->timeout_ms = ret_call->timeout_ms != 0 ? ret_call->timeout_ms : timeout_default_ms();
	s->due_us = sim_clock_monotonic_us(&c->process) + (uint64_t)s->timeout_ms * 1000;
	if (s->timeout_ms < 200)
		sim_cover(SIM_COVER_TIMEOUT_SHORT);
	c->busy_count++;
	c->inside = true;
	s->began = sim_observe_begin();
	s->began.may_be_stale = ret_call->consistency == ORDAIN_STALE;
	return s;
}

/* serial, slot, client, from the top; unique for the whole run. */
void *sim_client_token(const struct work_client *c, const struct work_slot *s)
{
	return (void *)(uintptr_t)(s->serial << 16 | (uint64_t)(s - c->slots) << 8 | c->process.number);
}

static void slot_release(struct work_client *c, struct work_slot *s)
{
	SIM_ASSERT(s->busy);
	s->busy = false;
	c->busy_count--;
}

bool sim_client_took(struct work_client *c, struct work_slot *s, int err)
{
	c->inside = false;
	if (err == 0)
		return true;
	/* Some clients may have little under way; nothing else can be wrong. */
	if (err != ORDAIN_ERR_LIMIT || work.mix.items_max == 0)
		sim_fail(SIM_SAFETY, "%s: a call was not taken: %s", c->process.name, ordain_error_name(err));
	sim_cover(SIM_COVER_CLIENT_LIMIT);
	if (s->final != WORK_NONE)
		sim_finals_end(s->final, false);
	slot_release(c, s);
	return false;
}

struct work_slot *sim_client_answered(void *token, struct work_client **ret)
{
	uint64_t bits = (uintptr_t)token;
	struct work_client *c = &work.clients[(bits & 0xff) - 1];
	struct work_slot *s = &c->slots[bits >> 8 & 0xff];
	if (sim_is_dead(&c->process))
		return NULL;
	SIM_ASSERT(sim_current() == &c->process);
	if (c->inside)
		sim_fail(SIM_SAFETY, "%s: a callback comes from inside the function that began a call",
			 c->process.name);
	if (!s->busy || s->serial != bits >> 16)
		sim_fail(SIM_SAFETY, "%s: a callback comes for call %llu, which had one already", c->process.name,
			 (unsigned long long)(bits >> 16));
	slot_release(c, s);
	*ret = c;
	return s;
}

/* The program has forgotten its calls. */
static void slots_forget(struct work_client *c)
{
	for (uint32_t i = 0; i < work.options.parallel_max; i++) {
		struct work_slot *s = &c->slots[i];
		if (!s->busy)
			continue;
		for (uint32_t n = 0; n < s->asks_count; n++)
			sim_asks_end(s->asks[n], NULL, NULL);
		if (s->final != WORK_NONE)
			sim_finals_end(s->final, false);
		slot_release(c, s);
	}
}

/* --- What it does next. --- */

static bool has_room(const struct work_client *c)
{
	return !c->closing && c->busy_count < work.options.parallel_max;
}

void sim_client_wake(struct work_client *c, bool soon)
{
	if (!has_room(c) || (c->armed && !soon))
		return;
	uint64_t most_ms = work.options.pause_us_max / 1000;
	if (work.finishing && most_ms > FINISH_PAUSE_MS_MAX)
		most_ms = FINISH_PAUSE_MS_MAX;
	/* Not without any pause: there may be nothing to do. */
	uint64_t pause_ms = soon ? 0 : 1 + sim_below(SIM_WORK, most_ms + 1);
	if (!soon && c->follow_count > 0)
		pause_ms = sim_below(SIM_WORK, FOLLOW_PAUSE_MS_MAX + 1);
	c->armed = true;
	uv_timer_start(&c->timer, timer_cb, pause_ms, 0);
}

/* Outcomes first; then everything is read once more. */
static void begin_last(struct work_client *c)
{
	if (c->few_addresses) {
		library_reopen(c);
		return;
	}
	if (work.loose_count > 0) {
		sim_submit_loose(c);
		return;
	}
	uint32_t final = sim_finals_take();
	if (final != WORK_NONE)
		sim_read_final(c, final);
}

static void begin_action(struct work_client *c)
{
	if (c->follow_count > 0) {
		sim_submit_ask(c, c->follow[--c->follow_count]);
		return;
	}
	if (c->echoes_count > 0) {
		sim_read_echo(c);
		return;
	}
	enum work_action action = work.opened_cursor < work.accounts_count && sim_percent(SIM_WORK, 50)
					  ? WORK_TRANSFER
					  : sim_mix_action();
	if (action == WORK_REOPEN) {
		library_reopen(c);
	} else if (action == WORK_MALFORMED) {
		sim_submit_malformed(c);
	} else if (action == WORK_RAW) {
		sim_submit_raw(c);
	} else if (action >= WORK_COMMANDS_COUNT) {
		sim_read_begin(c, action);
	} else {
		uint32_t ask = sim_choose_ask(c, action);
		if (ask != WORK_NONE)
			sim_submit_ask(c, ask);
	}
}

static void timer_cb(uv_timer_t *timer)
{
	struct work_client *c = timer->data;
	if (sim_is_dead(&c->process))
		return;
	c->armed = false;
	bool more = has_room(c);
	while (more) {
		if (work.finishing)
			begin_last(c);
		else
			begin_action(c);
		more = has_room(c) && sim_percent(SIM_WORK, BURST_PERCENT);
	}
	sim_client_wake(c, false);
}

/* --- Life and death. --- */

void sim_client_boot(struct work_client *c)
{
	struct sim_process *p = &c->process;
	SIM_ASSERT(p->state == SIM_DOWN && c->busy_count == 0);
	struct sim_process *before = sim_enter(p);
	p->state = SIM_UP;
	p->boots_count++;
	p->ios_count = 0;
	p->die_at_io = 0;
	sim_trace("client %llu starts", p->number, 0, 0, 0);
	int err = uv_loop_init(&c->loop);
	if (err == 0)
		err = uv_timer_init(&c->loop, &c->timer);
	SIM_ASSERT(err == 0);
	c->timer.data = c;
	c->armed = false;
	library_open(c);
	sim_client_wake(c, false);
	sim_enter(before);
}

static void boot_event(void *ctx, uint64_t boots_count)
{
	struct work_client *c = ctx;
	if (c->process.state == SIM_DOWN && c->process.boots_count == boots_count)
		sim_client_boot(c);
}

static void ghost_stop(void *ctx)
{
	struct work_client *c = ctx;
	uv_close((uv_handle_t *)&c->timer, NULL);
	ordain_close(c->library, NULL, NULL); /* does nothing when the program was closing it */
	c->library = NULL;
}

static void client_bury(struct work_client *c)
{
	slots_forget(c);
	sim_process_bury(&c->process, ghost_stop, c);
}

/* The world calls it when the program has died in the middle of a turn. */
static void died(struct sim_process *p)
{
	struct work_client *c = (struct work_client *)p;
	sim_cover(SIM_COVER_CLIENT_CRASHED);
	client_bury(c);
	c->echoes_count = 0;
	uint64_t away_us = sim_below(SIM_WORK, sim_percent(SIM_WORK, 50) ? SIM_SECOND / 10 : RESTART_US_MAX);
	sim_at(sim_now_us() + away_us, boot_event, c, p->boots_count);
}

void sim_client_crash(struct work_client *c)
{
	struct sim_process *p = &c->process;
	if (p->state != SIM_UP)
		return;
	if (sim_percent(SIM_WORK, 50))
		sim_process_die(p); /* at once */
	else
		p->die_at_io = p->ios_count + sim_between(SIM_WORK, 1, 20);
}

void sim_client_open(struct work_client *c, uint32_t number)
{
	struct sim_process *p = &c->process;
	snprintf(p->name, sizeof p->name, "client %u", number);
	p->number = number;
	p->address = 100 + number;
	p->died = died;
	/* Its clock is wrong by up to a minute, and a little too fast or slow. */
	int64_t wall_us =
		1700000000000000 + (int64_t)sim_below(SIM_WORK, 2ull * 60 * SIM_SECOND) - 60 * (int64_t)SIM_SECOND;
	sim_clock_start(p, wall_us, (int32_t)sim_below(SIM_WORK, 401) - 200);
	c->slots = calloc(work.options.parallel_max, sizeof *c->slots);
	SIM_ASSERT(c->slots != NULL);
	for (uint32_t i = 0; i < work.options.parallel_max; i++) {
		c->slots[i].asks = calloc(work.options.batch_max, sizeof *c->slots[i].asks);
		SIM_ASSERT(c->slots[i].asks != NULL);
	}
	sim_at(sim_now_us() + sim_below(SIM_WORK, 2 * SIM_SECOND), boot_event, c, 0);
}

void sim_client_close(struct work_client *c)
{
	if (c->process.state != SIM_DOWN)
		client_bury(c);
	for (uint32_t i = 0; i < work.options.parallel_max; i++)
		free(c->slots[i].asks);
	free(c->slots);
}

/* --- The watch. --- */

static void slot_watch(struct work_client *c, struct work_slot *s, uint64_t own_us, uint64_t awake_us)
{
	if (own_us <= s->due_us)
		return;
	s->late_us += awake_us < own_us - s->due_us ? awake_us : own_us - s->due_us;
	if (s->late_us <= WORK_GRACE_US)
		return;
	sim_fail(SIM_SAFETY, "%s: call %llu (kind %d, %u commands, timeout %u ms) is %llu ms overdue", c->process.name,
		 (unsigned long long)s->serial, (int)s->action, s->asks_count, s->timeout_ms,
		 (unsigned long long)(own_us - s->due_us) / 1000);
}

void sim_client_watch(struct work_client *c)
{
	const struct sim_process *p = &c->process;
	if (p->state != SIM_UP)
		return;
	uint64_t own_us = sim_clock_monotonic_us(p);
	uint64_t now_us = sim_now_us();
	/* What it could not use does not count. */
	bool was_awake =
		c->watched_boot == p->boots_count && p->paused_until_us <= c->watched_us && p->busy_until_us <= now_us;
	uint64_t awake_us = was_awake ? own_us - c->watched_own_us : 0;
	for (uint32_t i = 0; i < work.options.parallel_max; i++)
		if (c->slots[i].busy)
			slot_watch(c, &c->slots[i], own_us, awake_us);
	c->watched_us = now_us;
	c->watched_own_us = own_us;
	c->watched_boot = p->boots_count;
}
