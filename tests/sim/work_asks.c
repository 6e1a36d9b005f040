/* SPDX-License-Identifier: Apache-2.0 - the table of requests: what was asked under which id, where it is under way, and whether anybody knows the outcome.
 *
 *   added --begin--> under way --end--> loose --begin--> under way ... --end, with an outcome--> known
 *
 * Loose ones are asked again: a client that does not know what came of a request asks until it does. The table is what programs keep in a place that outlives them. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/coverage.h"
#include "tests/sim/work_state.h"
#include "tests/sim/world.h"

#define ASKS_AT_ONCE 50

void sim_asks_open(void)
{
	/* Accounts are opened in any case. */
	work.asks_max = work.options.operations_max + work.accounts_count;
	work.asks = calloc(work.asks_max, sizeof *work.asks);
	work.loose = calloc(work.asks_max, sizeof *work.loose);
	SIM_ASSERT(work.asks != NULL && work.loose != NULL);
}

void sim_asks_close(void)
{
	free(work.asks);
	free(work.loose);
}

/* New ones come one after the other over the whole time, so that every fault meets some. */
bool sim_asks_are_enough(void)
{
	uint64_t elapsed_us = sim_now_us() - work.started_us;
	uint64_t allowed = work.accounts_count + ASKS_AT_ONCE;
	if (work.finishing || work.asks_count >= work.options.operations_max)
		return true;
	if (elapsed_us >= work.lasts_us)
		return false;
	return work.asks_count >= allowed + work.options.operations_max * elapsed_us / work.lasts_us;
}

static uint32_t asks_append(const struct ordain_command *c, uint32_t thing)
{
	SIM_ASSERT(work.asks_count < work.asks_max);
	work.asks[work.asks_count] = (struct work_ask){.command = *c, .thing = thing, .loose_at = WORK_NONE};
	return work.asks_count++;
}

uint32_t sim_asks_add(const struct ordain_command *c, uint32_t thing)
{
	struct ordain_command with_id = *c;
	int err = ordain_id_make(&with_id.id);
	SIM_ASSERT(err == 0);
	return asks_append(&with_id, thing);
}

uint32_t sim_asks_add_same_id(const struct ordain_command *c)
{
	return asks_append(c, WORK_NONE);
}

/* --- Loose ones. --- */

static void loose_insert(uint32_t ask)
{
	work.asks[ask].loose_at = work.loose_count;
	work.loose[work.loose_count++] = ask;
}

static void loose_remove(uint32_t ask)
{
	uint32_t at = work.asks[ask].loose_at;
	if (at == WORK_NONE)
		return;
	uint32_t last = work.loose[--work.loose_count];
	work.loose[at] = last;
	work.asks[last].loose_at = at;
	work.asks[ask].loose_at = WORK_NONE;
}

/* --- Under way. --- */

static struct work_name *claimed_name(const struct work_ask *a)
{
	bool is_claim = a->command.kind == ORDAIN_CLAIM && a->thing != WORK_NONE;
	return is_claim ? &work.names[a->thing] : NULL;
}

void sim_asks_begin(uint32_t ask)
{
	struct work_ask *a = &work.asks[ask];
	struct work_name *name = claimed_name(a);
	if (!a->begun)
		work.begun_count++;
	a->begun = true;
	if (name != NULL && name->claims_under_way++ > 0 && a->under_way_count == 0)
		sim_cover(SIM_COVER_NAME_CONTESTED);
	a->under_way_count++;
	loose_remove(ask);
}

/* --- What came of it. --- */

static void name_learn(const struct work_ask *a)
{
	const struct ordain_command *c = &a->command;
	if (a->thing == WORK_NONE)
		return;
	if (c->kind == ORDAIN_RELEASE)
		work.names[a->thing].owner = WORK_NONE;
	else if (c->kind == ORDAIN_CLAIM || c->kind == ORDAIN_REASSIGN)
		work.names[a->thing].owner = sim_things_owner_of(c->naming.owner);
}

static void chain_go_on(uint32_t ask, struct work_client *c)
{
	if (work.asks[ask].in_chain)
		sim_cover(SIM_COVER_CHAIN_SETTLED);
	sim_choose_hop(c, ask);
}

static void ask_known(uint32_t ask, const struct ordain_result *r, struct work_client *c)
{
	struct work_ask *a = &work.asks[ask];
	a->known = true;
	a->refused = r->answer == ORDAIN_REFUSED;
	work.known_count++;
	loose_remove(ask);
	if (a->refused)
		return;
	name_learn(a);
	if (a->command.kind == ORDAIN_TRANSFER)
		chain_go_on(ask, c);
}

void sim_asks_end(uint32_t ask, const struct ordain_result *r, struct work_client *c)
{
	struct work_ask *a = &work.asks[ask];
	struct work_name *name = claimed_name(a);
	SIM_ASSERT(a->under_way_count > 0);
	a->under_way_count--;
	if (name != NULL)
		name->claims_under_way--;
	bool decided = r != NULL &&
		       (r->answer == ORDAIN_REFUSED || (r->answer == ORDAIN_OK && r->status == ORDAIN_STATUS_SETTLED));
	if (decided && !a->known)
		ask_known(ask, r, c);
	else if (!a->known && a->under_way_count == 0)
		loose_insert(ask);
}

void sim_asks_withdraw(uint32_t ask)
{
	sim_asks_end(ask, NULL, NULL);
}

/* --- Picking. --- */

uint32_t sim_asks_any(void)
{
	uint32_t range = work.asks_count;
	if (range == 0)
		return WORK_NONE;
	if (range > 100 && sim_percent(SIM_WORK, 60))
		range = 100;
	uint32_t i = work.asks_count - 1 - (uint32_t)sim_below(SIM_WORK, range);
	return work.asks[i].begun ? i : WORK_NONE;
}

uint32_t sim_asks_loose(void)
{
	return work.loose_count == 0 ? WORK_NONE : work.loose[sim_below(SIM_WORK, work.loose_count)];
}
