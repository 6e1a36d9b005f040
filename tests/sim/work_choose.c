/* SPDX-License-Identifier: Apache-2.0 - what a client asks for next: requests that may be carried out, that must be refused, that quarrel with what others ask, and repeats. */
#include "tests/sim/coverage.h"
#include "tests/sim/work_state.h"
#include "tests/sim/world.h"

#define HOPS_MAX 4

static int64_t pick_amount(void)
{
	static const int64_t extremes[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX / 2, INT64_MAX / 2 + 1};
	uint64_t mood = sim_below(SIM_WORK, 100);
	if (work.mix.extreme && mood < 8)
		return extremes[sim_below(SIM_WORK, 4)];
	if (mood < 60)
		return (int64_t)sim_between(SIM_WORK, 1, 20);
	if (mood < 85)
		return (int64_t)sim_between(SIM_WORK, 1, 100);
	return (int64_t)sim_between(SIM_WORK, 1, mood < 97 ? 1000 : 1000000);
}

static uint32_t add_transfer(uint32_t payer, uint32_t payee, int64_t amount)
{
	struct ordain_command c = {.kind = ORDAIN_TRANSFER};
	c.transfer.payer = work.accounts[payer].id;
	c.transfer.payee = work.accounts[payee].id;
	c.transfer.asset = work.assets[work.accounts[payee].asset];
	c.transfer.amount = amount;
	return sim_asks_add(&c, payee);
}

/* Issuers bring money in, and take some back. */
static uint32_t choose_transfer(void)
{
	uint32_t asset = sim_things_asset();
	uint32_t account = sim_things_account(asset);
	uint64_t mood = sim_below(SIM_WORK, 100);
	int64_t amount = pick_amount();
	if (mood < 25)
		return add_transfer(sim_things_issuer(asset), account, amount < INT64_MAX / 10 ? amount * 5 : amount);
	if (mood < 30)
		return add_transfer(account, sim_things_issuer(asset), amount);
	return add_transfer(account, sim_things_account_but(asset, account), amount);
}

/* From one to another through accounts that have nothing of their own, if there are such. */
static uint32_t choose_chain(void)
{
	uint32_t asset = sim_things_asset();
	uint32_t through = sim_things_through(asset);
	if (through == WORK_NONE)
		through = sim_things_account(asset);
	uint32_t payer = sim_percent(SIM_WORK, 30) ? sim_things_issuer(asset) : sim_things_account_but(asset, through);
	uint32_t first = add_transfer(payer, through, pick_amount());
	work.asks[first].hops_left = (uint16_t)sim_between(SIM_WORK, 1, HOPS_MAX);
	return first;
}

/* Where the payer has nothing else, this leaves it empty, and the money comes back: meanwhile the account may be closed, and must get it all the same. */
static uint32_t choose_vain_hop(struct work_client *c, uint32_t payer, int64_t amount)
{
	uint32_t hop = add_transfer(payer, sim_things_account_but(work.accounts[payer].asset, payer), amount);
	struct ordain_command close = {.kind = ORDAIN_SET_ACCOUNT};
	work.asks[hop].command.transfer.payee = sim_things_nobody();
	work.asks[hop].thing = WORK_NONE;
	close.set_account =
		(struct ordain_set_account){.account = work.accounts[payer].id, .state = ORDAIN_ACCOUNT_CLOSED};
	if (work.closings_left > 0 && c->follow_count < WORK_FOLLOW_MAX && !sim_asks_are_enough()) {
		work.closings_left--;
		c->follow[c->follow_count++] = sim_asks_add(&close, payer);
	}
	return hop;
}

void sim_choose_hop(struct work_client *c, uint32_t before)
{
	const struct work_ask *a = &work.asks[before];
	uint32_t payer = a->thing;
	if (a->hops_left == 0 || payer == WORK_NONE || c->follow_count == WORK_FOLLOW_MAX || sim_asks_are_enough())
		return;
	int64_t amount = a->command.transfer.amount;
	uint32_t asset = work.accounts[payer].asset;
	uint32_t next;
	if (sim_percent(SIM_WORK, 25)) {
		next = choose_vain_hop(c, payer, amount);
	} else {
		uint32_t payee = a->hops_left > 1 ? sim_things_through(asset) : WORK_NONE;
		if (payee == WORK_NONE || payee == payer)
			payee = sim_things_account_but(asset, payer);
		next = add_transfer(payer, payee, amount);
		work.asks[next].hops_left = (uint16_t)(a->hops_left - 1);
		work.asks[next].in_chain = true;
	}
	if (c->follow_count < WORK_FOLLOW_MAX)
		c->follow[c->follow_count++] = next;
}

/* A transfer that has something wrong. */
static uint32_t choose_broken(void)
{
	struct ordain_command c = {.kind = ORDAIN_TRANSFER};
	uint32_t asset = sim_things_asset();
	uint32_t other = sim_things_asset();
	uint32_t payer = sim_things_account(asset);
	uint32_t payee = sim_things_account_but(asset, payer);
	c.transfer.payer = work.accounts[payer].id;
	c.transfer.payee = work.accounts[payee].id;
	c.transfer.asset = work.assets[asset];
	c.transfer.amount = pick_amount();
	switch (sim_below(SIM_WORK, 7)) {
	case 0:
		c.transfer.payer = sim_things_nobody();
		break;
	case 1:
		c.transfer.payee = sim_things_nobody();
		break;
	case 2:
		c.transfer.asset = sim_things_no_asset();
		break;
	case 3:
		c.transfer.asset = work.assets[other];
		break;
	case 4:
		c.transfer.payee = work.accounts[sim_things_account_but(other, payer)].id;
		break;
	case 5:
		c.transfer.payer = work.accounts[sim_things_account_but(other, payee)].id;
		break;
	default:
		c.transfer.amount = (int64_t)1000000000000000;
	}
	return sim_asks_add(&c, WORK_NONE);
}

static uint32_t add_open(uint32_t account)
{
	const struct work_account *a = &work.accounts[account];
	struct ordain_command c = {.kind = ORDAIN_OPEN_ACCOUNT};
	c.open_account = (struct ordain_open_account){
		.account = a->id, .asset = work.assets[a->asset], .floor = a->floor, .ceiling = a->ceiling};
	return sim_asks_add(&c, account);
}

/* An account that was opened, or will be, with the same properties or others. */
static uint32_t choose_open_again(void)
{
	uint32_t account = sim_things_any_account();
	uint32_t i = add_open(account);
	struct ordain_open_account *o = &work.asks[i].command.open_account;
	switch (sim_below(SIM_WORK, 5)) {
	case 0:
		o->floor = o->floor == 0 ? -50 : 0;
		break;
	case 1:
		o->ceiling = o->ceiling == INT64_MAX ? 1000 : INT64_MAX;
		break;
	case 2:
		o->asset = work.assets[sim_things_asset()];
		break;
	default:
		break;
	}
	return i;
}

/* --- Accounts that are frozen, thawed, closed. --- */

/* Payer or payee of a transfer that is under way at some client: what is asked now meets it on its way. WORK_NONE when luck finds none. */
static uint32_t account_under_way(void)
{
	for (unsigned tries = 0; tries < 4; tries++) {
		uint32_t i = sim_asks_any();
		if (i == WORK_NONE || work.asks[i].under_way_count == 0 || work.asks[i].thing == WORK_NONE ||
		    work.asks[i].command.kind != ORDAIN_TRANSFER)
			continue;
		return work.asks[i].thing;
	}
	return WORK_NONE;
}

static uint32_t frozen_account(void)
{
	for (unsigned tries = 0; tries < 8; tries++) {
		uint32_t account = sim_things_any_account();
		if (work.accounts[account].frozen)
			return account;
	}
	return WORK_NONE;
}

/* Frozen ones are thawed more often than others are frozen, and few are closed: where all stand still, nothing is to be seen any more. */
static uint32_t choose_set(void)
{
	struct ordain_command c = {.kind = ORDAIN_SET_ACCOUNT};
	uint32_t account = sim_percent(SIM_WORK, 55) ? frozen_account() : WORK_NONE;
	uint32_t met = account == WORK_NONE && sim_percent(SIM_WORK, 50) ? account_under_way() : WORK_NONE;
	if (account == WORK_NONE)
		account = met;
	if (account == WORK_NONE && sim_percent(SIM_WORK, 30))
		account = sim_things_through(sim_things_asset());
	if (account == WORK_NONE)
		account = sim_things_any_account();
	struct work_account *a = &work.accounts[account];
	c.set_account.account = a->id;
	c.set_account.state = a->frozen ? ORDAIN_ACCOUNT_OPEN : ORDAIN_ACCOUNT_FROZEN;
	if (work.closings_left > 0 && sim_percent(SIM_WORK, met != WORK_NONE ? 30 : 10)) {
		c.set_account.state = ORDAIN_ACCOUNT_CLOSED;
		work.closings_left--;
	}
	a->frozen = c.set_account.state == ORDAIN_ACCOUNT_FROZEN;
	if (met != WORK_NONE)
		sim_cover(c.set_account.state == ORDAIN_ACCOUNT_CLOSED ? SIM_COVER_CLOSE_UNDER_WAY
								       : SIM_COVER_FREEZE_UNDER_WAY);
	if (sim_once_in(SIM_WORK, 40))
		c.set_account.account = sim_things_nobody();
	return sim_asks_add(&c, account);
}

/* --- Names. --- */

static uint32_t choose_naming(enum ordain_command_kind kind)
{
	struct ordain_command c = {.kind = kind};
	uint32_t place = sim_things_name();
	const struct work_name *name = &work.names[place];
	c.naming.space = name->space;
	c.naming.name = name->name;
	if (kind != ORDAIN_RELEASE)
		c.naming.owner = sim_things_owner((uint32_t)sim_below(SIM_WORK, WORK_OWNERS_COUNT));
	if (kind != ORDAIN_CLAIM) {
		bool right = name->owner != WORK_NONE && sim_percent(SIM_WORK, 75);
		c.naming.expected =
			sim_things_owner(right ? name->owner : (uint32_t)sim_below(SIM_WORK, WORK_OWNERS_COUNT));
	}
	return sim_asks_add(&c, place);
}

/* --- Repeats. --- */

static uint32_t choose_known(void)
{
	uint32_t i = sim_asks_any();
	if (i == WORK_NONE || !work.asks[i].known)
		return WORK_NONE;
	if (work.asks[i].refused)
		sim_cover(SIM_COVER_REPEAT_REFUSED);
	return i;
}

/* One that another client, or this one on the same connections, is asking at this moment. */
static uint32_t choose_twin(const struct work_client *c)
{
	const struct work_client *other = &work.clients[sim_below(SIM_WORK, work.options.clients_count)];
	if (other->busy_count == 0)
		return WORK_NONE;
	const struct work_slot *s = &other->slots[sim_below(SIM_WORK, work.options.parallel_max)];
	if (!s->busy || s->asks_count == 0)
		return WORK_NONE;
	sim_cover(other == c ? SIM_COVER_REPEAT_HERE : SIM_COVER_REPEAT_ELSEWHERE);
	return s->asks[sim_below(SIM_WORK, s->asks_count)];
}

static uint32_t choose_changed(void)
{
	uint32_t i = sim_asks_any();
	if (i == WORK_NONE)
		return WORK_NONE;
	struct ordain_command c = work.asks[i].command;
	if (!sim_change_command(&c))
		return WORK_NONE;
	sim_cover(SIM_COVER_REPEAT_CHANGED_PAYLOAD);
	return sim_asks_add_same_id(&c);
}

static uint32_t choose_new(enum work_action action)
{
	switch (action) {
	case WORK_TRANSFER:
		return choose_transfer();
	case WORK_CHAIN:
		return choose_chain();
	case WORK_BROKEN:
		return choose_broken();
	case WORK_SET:
		return choose_set();
	case WORK_CLAIM:
		return choose_naming(ORDAIN_CLAIM);
	case WORK_RELEASE:
		return choose_naming(ORDAIN_RELEASE);
	case WORK_REASSIGN:
		return choose_naming(ORDAIN_REASSIGN);
	case WORK_OPEN_AGAIN:
		return choose_open_again();
	default:
		return choose_changed();
	}
}

uint32_t sim_choose_ask(struct work_client *c, enum work_action action)
{
	SIM_ASSERT(!work.finishing);
	if (work.opened_cursor < work.accounts_count && sim_percent(SIM_WORK, 70))
		return add_open(work.opened_cursor++);
	switch (action) {
	case WORK_LOOSE:
		return sim_asks_loose();
	case WORK_KNOWN:
		return choose_known();
	case WORK_TWIN:
		return choose_twin(c);
	default:
		return sim_asks_are_enough() ? WORK_NONE : choose_new(action);
	}
}
