/* SPDX-License-Identifier: Apache-2.0 - the work of all clients together: its beginning, its end, and the watch over it. */
#include "tests/sim/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/work_state.h"
#include "tests/sim/world.h"

#define WATCH_US (SIM_SECOND / 5)

struct work work;

/* Which work the watch is for: one world may see several, one after the other. */
static uint64_t works_count;

void sim_work_open(const struct sim_work_options *options)
{
	SIM_ASSERT(options->clients_count > 0 && options->clients_count <= WORK_CLIENTS_MAX);
	SIM_ASSERT(options->parallel_max > 0 && options->parallel_max <= WORK_SLOTS_MAX && options->batch_max > 0);
	memset(&work, 0, sizeof work);
	works_count++;
	work.options = *options;
	work.lasts_us = options->lasts_us != 0 ? options->lasts_us : sim_between(SIM_WORK, 1, 240) * SIM_SECOND;
	sim_mix_open();
	sim_things_open();
	sim_asks_open();
	work.clients = calloc(options->clients_count, sizeof *work.clients);
	work.commands = calloc(options->batch_max, sizeof *work.commands);
	SIM_ASSERT(work.clients != NULL && work.commands != NULL);
}

void sim_work_close(void)
{
	for (uint32_t i = 0; i < work.options.clients_count; i++)
		sim_client_close(&work.clients[i]);
	sim_finals_close();
	sim_asks_close();
	sim_things_close();
	free(work.clients);
	free(work.commands);
	memset(&work, 0, sizeof work);
}

static void watch_event(void *ctx, uint64_t number)
{
	(void)ctx;
	if (number != works_count || work.clients == NULL)
		return;
	for (uint32_t i = 0; i < work.options.clients_count; i++)
		sim_client_watch(&work.clients[i]);
	sim_at(sim_now_us() + WATCH_US, watch_event, NULL, number);
}

void sim_work_start(void)
{
	work.started_us = sim_now_us();
	for (uint32_t i = 0; i < work.options.clients_count; i++)
		sim_client_open(&work.clients[i], i + 1);
	watch_event(NULL, works_count);
}

void sim_work_crash(uint32_t client)
{
	SIM_ASSERT(client > 0 && client <= work.options.clients_count);
	sim_client_crash(&work.clients[client - 1]);
}

/* Clients notice when their pause is over. */
void sim_work_finish(void)
{
	work.finishing = true;
}

static uint32_t under_way_count(void)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < work.options.clients_count; i++)
		count += work.clients[i].busy_count;
	return count;
}

bool sim_work_is_finished(char *why, size_t why_size)
{
	uint32_t under_way = under_way_count();
	if (work.known_count < work.begun_count)
		snprintf(why, why_size, "%u of %u requests have no known outcome, %u calls are under way",
			 work.begun_count - work.known_count, work.begun_count, under_way);
	else if (!work.finishing || work.finals == NULL || work.finals_done < work.finals_count)
		snprintf(why, why_size, "%u of %u last reads were answered", work.finals_done, work.finals_count);
	else if (under_way > 0)
		snprintf(why, why_size, "%u calls are under way", under_way);
	else
		return true;
	return false;
}

void sim_work_counts(uint64_t *ret_begun, uint64_t *ret_known)
{
	*ret_begun = work.begun_count;
	*ret_known = work.known_count;
}
