/* SPDX-License-Identifier: Apache-2.0 - how much of everything there is in a run: some of it not at all, some of it all the time. */
#include "tests/sim/work_state.h"
#include "tests/sim/world.h"

static const uint32_t usual[WORK_ACTIONS_COUNT] = {
	[WORK_TRANSFER] = 300,	  [WORK_CHAIN] = 80,	    [WORK_BROKEN] = 60,	      [WORK_SET] = 50,
	[WORK_CLAIM] = 80,	  [WORK_RELEASE] = 30,	    [WORK_REASSIGN] = 40,     [WORK_OPEN_AGAIN] = 20,
	[WORK_CHANGED] = 40,	  [WORK_LOOSE] = 150,	    [WORK_KNOWN] = 50,	      [WORK_TWIN] = 50,
	[WORK_READ_ACCOUNT] = 60, [WORK_READ_HISTORY] = 40, [WORK_READ_REQUEST] = 40, [WORK_READ_NAME] = 40,
	[WORK_CALL_STATUS] = 10,  [WORK_CALL_CLUSTER] = 10, [WORK_CALL_WRONG] = 8,    [WORK_MALFORMED] = 8,
	[WORK_REOPEN] = 3,	  [WORK_RAW] = 40,
};

static void weights_draw(struct work_mix *m)
{
	for (uint32_t i = 0; i < WORK_ACTIONS_COUNT; i++) {
		uint64_t mood = sim_below(SIM_WORK, 100);
		if (mood < 20)
			m->weights[i] = 0;
		else if (mood < 32)
			m->weights[i] = usual[i] * 6;
		else
			m->weights[i] = usual[i] * (uint32_t)sim_between(SIM_WORK, 1, 3);
	}
	if (work.options.names_count == 0)
		m->weights[WORK_CLAIM] = m->weights[WORK_RELEASE] = m->weights[WORK_REASSIGN] =
			m->weights[WORK_READ_NAME] = 0;
	/* There is something new in every run. */
	if (m->weights[WORK_TRANSFER] + m->weights[WORK_CHAIN] + m->weights[WORK_CLAIM] == 0)
		m->weights[WORK_TRANSFER] = usual[WORK_TRANSFER];
	if (work.options.asks_nodes)
		m->weights[WORK_RAW] = usual[WORK_RAW] * 50;
	for (uint32_t i = 0; i < WORK_ACTIONS_COUNT; i++) {
		m->weights_all += m->weights[i];
		m->weights_commands += i < WORK_COMMANDS_COUNT ? m->weights[i] : 0;
	}
}

void sim_mix_open(void)
{
	static const unsigned percents[] = {0, 5, 20, 50, 100};
	struct work_mix *m = &work.mix;
	weights_draw(m);
	m->batch_percent = work.options.batches ? 90 : percents[sim_below(SIM_WORK, 5)];
	m->logged_percent = percents[sim_below(SIM_WORK, 5)];
	m->few_addresses_percent = percents[sim_below(SIM_WORK, 4)];
	static const unsigned echoes[] = {0, 20, 60, 100};
	m->echo_percent = work.options.reads_back ? 100 : echoes[sim_below(SIM_WORK, 4)];
	m->patience = (unsigned)sim_below(SIM_WORK, 4);
	m->timeout_ms = sim_percent(SIM_WORK, 50) ? 0 : (uint32_t)sim_between(SIM_WORK, 500, 20000);
	m->items_max = sim_percent(SIM_WORK, 75) ? 0 : work.options.batch_max + sim_below(SIM_WORK, 4);
	m->extreme = sim_percent(SIM_WORK, 20);
	m->issuers_count = 1 + (uint32_t)sim_below(SIM_WORK, 2);
	if (m->extreme)
		m->issue_floor = sim_percent(SIM_WORK, 50) ? INT64_MAX : INT64_MAX / 2;
	else if (work.options.tight)
		m->issue_floor = work.options.accounts_count * sim_between(SIM_WORK, 10, 1000);
	else
		m->issue_floor = 1000000000000;
}

static enum work_action action_draw(uint32_t weights_sum)
{
	uint64_t left = sim_below(SIM_WORK, weights_sum);
	uint32_t i = 0;
	while (left >= work.mix.weights[i])
		left -= work.mix.weights[i++];
	return (enum work_action)i;
}

enum work_action sim_mix_action(void)
{
	return action_draw(work.mix.weights_all);
}

enum work_action sim_mix_command(void)
{
	return action_draw(work.mix.weights_commands);
}

uint32_t sim_mix_timeout_ms(void)
{
	uint64_t mood = sim_below(SIM_WORK, 100);
	unsigned patience = mood < 60 ? work.mix.patience : (unsigned)sim_below(SIM_WORK, 4);
	uint64_t least;
	if (work.finishing)
		return (uint32_t)sim_between(SIM_WORK, 5000, 20000);
	switch (patience) {
	case 0:
		return 0;
	case 1:
		return (uint32_t)sim_between(SIM_WORK, 50, 500);
	case 2:
		return (uint32_t)sim_between(SIM_WORK, 5000, 20000);
	default:
		/* Each order of magnitude as often as the others. */
		least = (uint64_t)50 << sim_below(SIM_WORK, 8);
		return (uint32_t)(least + sim_below(SIM_WORK, least));
	}
}
