/* SPDX-License-Identifier: Apache-2.0 - simulated programs: who is at work, who is dead, what time it is for them. */
#include "tests/sim/process.h"

#include <stddef.h>

#include "tests/sim/loop.h"
#include "tests/sim/world.h"

static struct sim_process *current;

struct sim_process *sim_current(void)
{
	return current;
}

struct sim_process *sim_enter(struct sim_process *p)
{
	struct sim_process *before = current;
	current = p;
	return before;
}

static void died_event(void *ctx, uint64_t boot)
{
	struct sim_process *p = ctx;
	if (p->state == SIM_DYING && p->boots_count == boot)
		p->died(p);
}

void sim_process_die(struct sim_process *p)
{
	SIM_ASSERT(p->state == SIM_UP);
	p->state = SIM_DYING;
	p->died_at_io = p->die_at_io != 0 && p->ios_count >= p->die_at_io;
	p->die_at_io = 0;
	sim_trace("%llu dies, after %llu I/Os", p->number, p->ios_count, 0, 0);
	sim_at(sim_now_us(), died_event, p, p->boots_count);
}

bool sim_is_dead(const struct sim_process *p)
{
	return p->state != SIM_UP;
}

bool sim_io(void)
{
	struct sim_process *p = current;
	if (p == NULL)
		return true;
	if (p->state != SIM_UP)
		return false;
	p->ios_count++;
	if (p->die_at_io == 0 || p->ios_count < p->die_at_io)
		return true;
	sim_process_die(p);
	return false;
}

void sim_sleep_us(uint64_t us)
{
	struct sim_process *p = current;
	if (p == NULL || p->state != SIM_UP)
		return;
	if (sim_thread_is_running()) {
		sim_thread_sleep(us);
		return;
	}
	uint64_t now_us = sim_now_us();
	p->busy_until_us = (p->busy_until_us > now_us ? p->busy_until_us : now_us) + us;
}

/* --- Clocks. --- */

uint64_t sim_clock_monotonic_us(const struct sim_process *p)
{
	int64_t elapsed_us = (int64_t)sim_now_us() - p->clock_since_us;
	return (uint64_t)(p->clock_base_us + elapsed_us + elapsed_us * p->drift_ppm / 1000000);
}

uint64_t sim_clock_wall_us(const struct sim_process *p)
{
	return (uint64_t)((int64_t)sim_clock_monotonic_us(p) + p->wall_offset_us);
}

void sim_clock_start(struct sim_process *p, int64_t wall_offset_us, int32_t drift_ppm)
{
	p->clock_base_us = (int64_t)SIM_SECOND * 1000 + (int64_t)sim_now_us();
	p->clock_since_us = (int64_t)sim_now_us();
	p->wall_offset_us = wall_offset_us;
	p->drift_ppm = drift_ppm;
}

void sim_clock_drift(struct sim_process *p, int32_t drift_ppm)
{
	p->clock_base_us = (int64_t)sim_clock_monotonic_us(p);
	p->clock_since_us = (int64_t)sim_now_us();
	p->drift_ppm = drift_ppm;
}

void sim_process_pause(struct sim_process *p, uint64_t until_us)
{
	if (until_us > p->paused_until_us)
		p->paused_until_us = until_us;
}

void sim_process_resume(struct sim_process *p)
{
	uint64_t now_us = sim_now_us();
	if (p->paused_until_us <= now_us && p->busy_until_us <= now_us + SIM_SECOND)
		return;
	if (p->paused_until_us > now_us)
		p->paused_until_us = now_us;
	if (p->busy_until_us > now_us + SIM_SECOND)
		p->busy_until_us = now_us + SIM_SECOND;
	if (p->loop != NULL)
		sim_loop_wake(p->loop);
}
