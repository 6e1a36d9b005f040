/* SPDX-License-Identifier: Apache-2.0 - reads at the end, when everybody knows the outcome of everything: each account, each name, and some of the histories and requests. */
#include <stdlib.h>

#include "tests/sim/work_state.h"
#include "tests/sim/world.h"

#define HISTORIES_COUNT 12
#define REQUESTS_COUNT 100

static void finals_add(const struct work_read *f)
{
	work.finals_todo[work.finals_todo_count++] = work.finals_count;
	work.finals[work.finals_count++] = *f;
}

static void finals_open(void)
{
	size_t most = (size_t)work.accounts_count + work.options.names_count + HISTORIES_COUNT + REQUESTS_COUNT;
	work.finals = calloc(most, sizeof *work.finals);
	work.finals_todo = calloc(most, sizeof *work.finals_todo);
	SIM_ASSERT(work.finals != NULL && work.finals_todo != NULL);
	for (uint32_t i = 0; i < work.accounts_count; i++)
		finals_add(&(struct work_read){.action = WORK_READ_ACCOUNT, .text = work.accounts[i].id});
	for (uint32_t i = 0; i < work.options.names_count; i++)
		finals_add(&(struct work_read){.action = WORK_READ_NAME, .name = i});
	for (uint32_t i = 0; i < HISTORIES_COUNT; i++)
		finals_add(&(struct work_read){.action = WORK_READ_HISTORY,
					       .text = work.accounts[sim_things_any_account()].id});
	for (uint32_t i = 0; i < REQUESTS_COUNT; i++) {
		uint32_t ask = sim_asks_any();
		if (ask != WORK_NONE)
			finals_add(&(struct work_read){.action = WORK_READ_REQUEST, .id = work.asks[ask].command.id});
	}
}

uint32_t sim_finals_take(void)
{
	if (!work.finishing || work.known_count < work.begun_count)
		return WORK_NONE;
	if (work.finals == NULL)
		finals_open();
	return work.finals_todo_count == 0 ? WORK_NONE : work.finals_todo[--work.finals_todo_count];
}

void sim_finals_end(uint32_t final, bool done)
{
	if (done)
		work.finals_done++;
	else
		work.finals_todo[work.finals_todo_count++] = final;
}

void sim_finals_close(void)
{
	free(work.finals);
	free(work.finals_todo);
}
