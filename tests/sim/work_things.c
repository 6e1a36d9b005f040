/* SPDX-License-Identifier: Apache-2.0 - what the work is about: accounts, assets, names, owners, with short and long and foreign texts, and which of them are picked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/work_state.h"
#include "tests/sim/world.h"

#define THROUGH_ONE_IN 6

static const char *const assets[WORK_ASSETS_MAX] = {"EUR", "USD", "SIXTEEN-LETTERS!", "\xc2\xa5"};
/* "s" and "sp": with names that begin with "p" only the length of the namespace tells them apart. */
static const char *const spaces[WORK_SPACES_COUNT] = {
	"s", "sp", "a namespace that has all of the sixty-four bytes it may have, k."};
static const char *const owners[WORK_OWNERS_COUNT] = {
	"ada",	     "bob", "account-17",
	"\xc3\xa4",  "x",   "an owner whose text has all of the sixty-four bytes it may have.",
	"person 17", "y",
};

_Static_assert(WORK_ASSETS_MAX == 4, "as many texts as assets");

static void account_name(struct work_account *a, uint32_t place)
{
	const char *asset = assets[a->asset];
	int len;
	if (place % 7 == 5)
		len = snprintf(a->text, sizeof a->text, "%-55s%8u.",
			       "an account whose id has all the bytes it may have", place);
	else if (place % 7 == 6)
		len = snprintf(a->text, sizeof a->text, "k\xc3\xb6nto-%u", place);
	else
		len = snprintf(a->text, sizeof a->text, "%.3s-%u", a->asset == 3 ? "yen" : asset, place);
	SIM_ASSERT(len > 0 && (size_t)len < sizeof a->text);
	a->id = (struct ordain_str){a->text, (size_t)len};
}

static void account_limits(struct work_account *a, uint32_t place_in_asset)
{
	a->floor = 0;
	a->ceiling = INT64_MAX;
	if (place_in_asset < work.mix.issuers_count)
		a->floor = -(int64_t)work.mix.issue_floor;
	else if (work.options.tight)
		a->ceiling = (int64_t)sim_between(SIM_WORK, 20, 500);
	else if (sim_once_in(SIM_WORK, 20))
		a->ceiling = (int64_t)sim_between(SIM_WORK, 0, 10000);
}

static void accounts_open(void)
{
	struct sim_work_options *o = &work.options;
	work.accounts_per_asset = work.mix.issuers_count + o->accounts_count;
	work.through_count = (o->accounts_count + THROUGH_ONE_IN - 3) / THROUGH_ONE_IN;
	work.accounts_count = work.accounts_per_asset * o->assets_count;
	work.accounts = calloc(work.accounts_count, sizeof *work.accounts);
	SIM_ASSERT(work.accounts != NULL);
	for (uint32_t i = 0; i < work.accounts_count; i++) {
		struct work_account *a = &work.accounts[i];
		a->asset = i / work.accounts_per_asset;
		account_name(a, i);
		account_limits(a, i % work.accounts_per_asset);
	}
	work.closings_left = work.accounts_count / 4 + 2;
}

static void names_open(void)
{
	work.names = calloc(work.options.names_count, sizeof *work.names);
	SIM_ASSERT(work.names != NULL || work.options.names_count == 0);
	for (uint32_t i = 0; i < work.options.names_count; i++) {
		struct work_name *n = &work.names[i];
		/* Names 0 and 1 of every six: "s" with "p0", "sp" with "0". */
		uint32_t number = i / 6;
		int len;
		if (i % 6 == 5)
			len = snprintf(n->text, sizeof n->text, "%-246s%8u.",
				       "a name that has all of the bytes that it may have", number);
		else if (i % 6 < 2)
			len = snprintf(n->text, sizeof n->text, "%s%u", i % 6 == 0 ? "p" : "", number);
		else
			len = snprintf(n->text, sizeof n->text, "seat %u \xe2\x82\xac %u", number, i % 6);
		SIM_ASSERT(len > 0 && (size_t)len < sizeof n->text);
		n->name = (struct ordain_str){n->text, (size_t)len};
		n->space = ordain_str_of(spaces[i % 6 < 2 ? i % 6 : i % WORK_SPACES_COUNT]);
		n->owner = WORK_NONE;
	}
}

static void addresses_open(void)
{
	const char *left = work.options.addresses;
	while (*left != '\0') {
		size_t len = strcspn(left, ",");
		SIM_ASSERT(work.addresses_count < WORK_ADDRESSES_MAX);
		work.addresses[work.addresses_count] = strndup(left, len);
		SIM_ASSERT(work.addresses[work.addresses_count] != NULL);
		work.addresses_count++;
		left += len + (left[len] == ',');
	}
	SIM_ASSERT(work.addresses_count > 0);
}

void sim_things_open(void)
{
	SIM_ASSERT(work.options.assets_count > 0 && work.options.assets_count <= WORK_ASSETS_MAX);
	SIM_ASSERT(work.options.accounts_count >= 2);
	for (uint32_t i = 0; i < WORK_ASSETS_MAX; i++)
		work.assets[i] = ordain_str_of(assets[i]);
	accounts_open();
	names_open();
	addresses_open();
}

void sim_things_close(void)
{
	free(work.accounts);
	free(work.names);
	for (uint32_t i = 0; i < work.addresses_count; i++)
		free(work.addresses[i]);
}

/* One of count, each equally often, or the first ones much more often. */
static uint32_t pick(uint32_t count)
{
	uint32_t range = count;
	while (work.options.zipf && range > 1 && sim_percent(SIM_WORK, 50))
		range = (range + 1) / 2;
	return (uint32_t)sim_below(SIM_WORK, range);
}

uint32_t sim_things_account(uint32_t asset)
{
	uint32_t count = work.options.accounts_count;
	if (!sim_percent(SIM_WORK, 3))
		count -= work.through_count;
	return asset * work.accounts_per_asset + work.mix.issuers_count + pick(count);
}

uint32_t sim_things_account_but(uint32_t asset, uint32_t other)
{
	for (unsigned tries = 0; tries < 4; tries++) {
		uint32_t account = sim_things_account(asset);
		if (account != other)
			return account;
	}
	return sim_things_issuer(asset);
}

uint32_t sim_things_issuer(uint32_t asset)
{
	return asset * work.accounts_per_asset + (uint32_t)sim_below(SIM_WORK, work.mix.issuers_count);
}

uint32_t sim_things_through(uint32_t asset)
{
	if (work.through_count == 0)
		return WORK_NONE;
	uint32_t place = (uint32_t)sim_below(SIM_WORK, work.through_count);
	return (asset + 1) * work.accounts_per_asset - 1 - place;
}

uint32_t sim_things_any_account(void)
{
	return (uint32_t)sim_below(SIM_WORK, work.accounts_count);
}

uint32_t sim_things_asset(void)
{
	return (uint32_t)sim_below(SIM_WORK, work.options.assets_count);
}

uint32_t sim_things_name(void)
{
	return pick(work.options.names_count);
}

struct ordain_str sim_things_owner(uint32_t owner)
{
	SIM_ASSERT(owner < WORK_OWNERS_COUNT);
	return ordain_str_of(owners[owner]);
}

uint32_t sim_things_owner_of(struct ordain_str text)
{
	for (uint32_t i = 0; i < WORK_OWNERS_COUNT; i++)
		if (text.len == strlen(owners[i]) && memcmp(text.base, owners[i], text.len) == 0)
			return i;
	return WORK_NONE;
}

struct ordain_str sim_things_nobody(void)
{
	static const char *const nobodies[] = {"nobody", "EUR", "eur-1", "\xf0\x9f\x92\xb0",
					       "an account that was never made, whose id is as long as can be.!!"};
	return ordain_str_of(nobodies[sim_below(SIM_WORK, sizeof nobodies / sizeof *nobodies)]);
}

struct ordain_str sim_things_no_asset(void)
{
	return ordain_str_of(sim_percent(SIM_WORK, 50) ? "NONE" : "eur");
}
