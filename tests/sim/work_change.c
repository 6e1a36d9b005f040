/* SPDX-License-Identifier: Apache-2.0 - the same id with something else: each field by itself, and the method; and what no client may ask at all. */
#include <string.h>

#include "tests/sim/work_state.h"
#include "tests/sim/world.h"

static bool is_same(struct ordain_str a, struct ordain_str b)
{
	return a.len == b.len && memcmp(a.base, b.base, a.len) == 0;
}

/* Replaces the text unless luck gives the same one. */
static bool change_text(struct ordain_str *text, struct ordain_str other)
{
	if (is_same(*text, other))
		return false;
	*text = other;
	return true;
}

static bool change_account(struct ordain_str *id)
{
	bool is_known = !sim_once_in(SIM_WORK, 10);
	return change_text(id, is_known ? work.accounts[sim_things_any_account()].id : sim_things_nobody());
}

static bool change_asset(struct ordain_str *asset)
{
	bool is_known = sim_percent(SIM_WORK, 70);
	return change_text(asset, is_known ? work.assets[sim_things_asset()] : sim_things_no_asset());
}

static bool change_owner(struct ordain_str *owner)
{
	return change_text(owner, sim_things_owner((uint32_t)sim_below(SIM_WORK, WORK_OWNERS_COUNT)));
}

/* Numbers change by little: a program that compares too short would not notice. */
static int64_t near_to(int64_t number)
{
	return number > INT64_MAX / 2 ? number - 1 : number + 1;
}

static void change_direction(struct ordain_transfer *t)
{
	struct ordain_str payer = t->payer;
	t->payer = t->payee;
	t->payee = payer;
}

/* Nobody may ask for a transfer to the payer itself. */
static bool change_transfer(struct ordain_transfer *t)
{
	switch (sim_below(SIM_WORK, 5)) {
	case 0:
		return change_account(&t->payer) && !is_same(t->payer, t->payee);
	case 1:
		return change_account(&t->payee) && !is_same(t->payer, t->payee);
	case 2:
		return change_asset(&t->asset);
	case 3:
		change_direction(t);
		return true;
	default:
		t->amount = near_to(t->amount);
		return true;
	}
}

static bool change_open_account(struct ordain_open_account *o)
{
	switch (sim_below(SIM_WORK, 4)) {
	case 0:
		return change_account(&o->account);
	case 1:
		return change_asset(&o->asset);
	case 2:
		o->floor = o->floor == 0 ? -1 : o->floor + 1;
		return true;
	default:
		o->ceiling = near_to(o->ceiling);
		return true;
	}
}

static bool change_set_account(struct ordain_set_account *s)
{
	if (sim_percent(SIM_WORK, 50))
		return change_account(&s->account);
	s->state = s->state == ORDAIN_ACCOUNT_OPEN ? ORDAIN_ACCOUNT_FROZEN : ORDAIN_ACCOUNT_OPEN;
	return true;
}

static bool change_naming(enum ordain_command_kind kind, struct ordain_naming *n)
{
	const struct work_name *other = &work.names[sim_things_name()];
	switch (sim_below(SIM_WORK, 4)) {
	case 0:
		return change_text(&n->name, other->name);
	case 1:
		return change_text(&n->space, other->space);
	case 2:
		return change_owner(kind == ORDAIN_RELEASE ? &n->expected : &n->owner);
	default:
		return change_owner(kind == ORDAIN_CLAIM ? &n->owner : &n->expected);
	}
}

/* --- Another method under the same id, about the same thing if that is possible: then both come to the same partition. --- */

static bool naming_as_other(struct ordain_command *c)
{
	static const enum ordain_command_kind kinds[] = {ORDAIN_CLAIM, ORDAIN_RELEASE, ORDAIN_REASSIGN};
	enum ordain_command_kind kind = kinds[sim_below(SIM_WORK, 3)];
	if (kind == c->kind)
		return false;
	struct ordain_naming n = {.space = c->naming.space, .name = c->naming.name};
	struct ordain_str somebody = c->kind == ORDAIN_RELEASE ? c->naming.expected : c->naming.owner;
	if (kind != ORDAIN_RELEASE)
		n.owner = somebody;
	if (kind != ORDAIN_CLAIM)
		n.expected = somebody;
	c->kind = kind;
	c->naming = n;
	return true;
}

static bool as_transfer(struct ordain_command *c, struct ordain_str payer)
{
	struct ordain_transfer t = {.payer = payer, .amount = 1};
	t.payee = work.accounts[sim_things_any_account()].id;
	t.asset = work.assets[sim_things_asset()];
	c->kind = ORDAIN_TRANSFER;
	c->transfer = t;
	return !is_same(t.payer, t.payee);
}

static void as_set_account(struct ordain_command *c, struct ordain_str account)
{
	c->kind = ORDAIN_SET_ACCOUNT;
	c->set_account = (struct ordain_set_account){.account = account, .state = ORDAIN_ACCOUNT_OPEN};
}

static void as_open_account(struct ordain_command *c, struct ordain_str account)
{
	c->kind = ORDAIN_OPEN_ACCOUNT;
	c->open_account = (struct ordain_open_account){
		.account = account, .asset = work.assets[sim_things_asset()], .ceiling = INT64_MAX};
}

static bool change_method(struct ordain_command *c)
{
	bool away = sim_percent(SIM_WORK, 30);
	switch (c->kind) {
	case ORDAIN_OPEN_ACCOUNT:
		if (away)
			return as_transfer(c, c->open_account.account);
		as_set_account(c, c->open_account.account);
		return true;
	case ORDAIN_SET_ACCOUNT:
		if (away)
			return as_transfer(c, c->set_account.account);
		as_open_account(c, c->set_account.account);
		return true;
	case ORDAIN_TRANSFER:
		as_set_account(c, away ? c->transfer.payer : c->transfer.payee);
		return true;
	default:
		return naming_as_other(c);
	}
}

bool sim_change_command(struct ordain_command *c)
{
	if (sim_percent(SIM_WORK, 20))
		return change_method(c);
	switch (c->kind) {
	case ORDAIN_OPEN_ACCOUNT:
		return change_open_account(&c->open_account);
	case ORDAIN_SET_ACCOUNT:
		return change_set_account(&c->set_account);
	case ORDAIN_TRANSFER:
		return change_transfer(&c->transfer);
	default:
		return change_naming(c->kind, &c->naming);
	}
}

/* --- What no client may ask. --- */

struct ordain_command sim_change_malformed(void)
{
	static const char long_text[256] = {0};
	struct ordain_command c = {.kind = ORDAIN_TRANSFER};
	int err = ordain_id_make(&c.id);
	SIM_ASSERT(err == 0);
	c.transfer.payer = work.accounts[sim_things_any_account()].id;
	c.transfer.payee = ordain_str_of("somebody else");
	c.transfer.asset = work.assets[0];
	c.transfer.amount = 1;
	switch (sim_below(SIM_WORK, 6)) {
	case 0:
		c.transfer.amount = -(int64_t)sim_below(SIM_WORK, 3);
		break;
	case 1:
		c.transfer.payee = (struct ordain_str){long_text, 65};
		break;
	case 2:
		c.transfer.asset = (struct ordain_str){long_text, 17};
		break;
	case 3:
		c.transfer.payer = ordain_str_of("");
		break;
	case 4:
		c.transfer.payee = c.transfer.payer;
		break;
	default:
		c.transfer.payee = ordain_str_of("\xff\xfe no UTF-8");
	}
	return c;
}
