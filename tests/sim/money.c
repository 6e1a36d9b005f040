/* SPDX-License-Identifier: Apache-2.0 - the sums of all assets. */
#include "tests/sim/money.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tests/sim/world.h"

struct asset {
	__int128 sum;
	uint8_t len;
	char name[ORD_ASSET_BYTES_MAX];
};

static struct {
	struct asset *assets; /* owned; few, so they are looked for one after the other */
	size_t count;
} money;

void sim_money_open(void)
{
	memset(&money, 0, sizeof money);
}

void sim_money_close(void)
{
	free(money.assets);
	memset(&money, 0, sizeof money);
}

static struct asset *asset_of(struct ord_slice name)
{
	for (size_t i = 0; i < money.count; i++) {
		struct asset *a = &money.assets[i];

		if (ord_slice_equal(ord_slice_of(a->name, a->len), name))
			return a;
	}
	SIM_ASSERT(name.len <= ORD_ASSET_BYTES_MAX);
	money.assets = realloc(money.assets, (money.count + 1) * sizeof *money.assets);
	SIM_ASSERT(money.assets != NULL);
	struct asset *a = &money.assets[money.count++];
	*a = (struct asset){.len = (uint8_t)name.len};
	memcpy(a->name, name.base, name.len);
	return a;
}

void sim_money_add(struct ord_slice asset, __int128 amount)
{
	asset_of(asset)->sum += amount;
}

void sim_money_check(uint32_t partition, uint64_t entry)
{
	for (size_t i = 0; i < money.count; i++) {
		const struct asset *a = &money.assets[i];

		if (a->sum != 0)
			sim_fail(SIM_SAFETY,
				 "invariant 1: after entry %llu of partition %u all %.*s on accounts and under way are "
				 "%lld, not 0",
				 (unsigned long long)entry, partition, (int)a->len, a->name, (long long)a->sum);
	}
}
