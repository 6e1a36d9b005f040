/* SPDX-License-Identifier: Apache-2.0 - workload: more buyers than stock. An item is an account that is filled once; a purchase is a transfer from it. */
#include "jepsen/checkers/stock.h"

#include "jepsen/money.h"
#include "jepsen/workload.h"

#define ITEMS 12
#define BUYERS 5
#define FLOOR (-1000000000)
#define STOCK_MIN 10

struct state {
	uint64_t stock;	       /* of each item */
	uint64_t ops_per_item; /* then most turn to the next one */
	uint64_t ops_count;
};

static void begin(void *arg, const struct ord_workload_shape *shape)
{
	struct state *s = arg;
	s->ops_per_item = shape->ops_expected / ITEMS + 1;
	s->stock = s->ops_per_item > STOCK_MIN ? s->ops_per_item
					       : STOCK_MIN; /* two pieces a purchase: it is sold out half way */
}

static struct ord_ask item_open(const struct state *s, struct ord_edn_pool *pool, uint64_t item)
{
	struct ord_ask ask = ord_money_open(pool, ord_client_label(pool, "i", item), 0, INT64_MAX);
	ord_edn_put_word(&ask.value, "stock", ord_edn_int((int64_t)s->stock));
	return ask;
}

static bool setup(void *arg, uint32_t n, struct ord_random *r, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	const struct state *s = arg;
	if (n == 0)
		*ret = ord_money_open(pool, ord_edn_literal(ORD_MONEY_MINT), FLOOR, INT64_MAX);
	else if (n <= BUYERS)
		*ret = ord_money_open(pool, ord_client_label(pool, "b", n - 1), 0, INT64_MAX);
	else if (n <= BUYERS + ITEMS)
		*ret = item_open(s, pool, n - 1 - BUYERS);
	else if (n <= BUYERS + 2 * ITEMS)
		*ret = ord_money_transfer(pool, ord_client_id(r, pool), ord_edn_literal(ORD_MONEY_MINT),
					  ord_client_label(pool, "i", n - 1 - BUYERS - ITEMS), (int64_t)s->stock);
	return n <= BUYERS + 2 * ITEMS;
}

static void next(void *arg, uint32_t thread, struct ord_random *r, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	struct state *s = arg;
	uint64_t item = s->ops_count++ / s->ops_per_item % ITEMS;
	(void)thread;
	if (ord_random_chance(r, 100))
		item = ord_random_below(r, ITEMS);
	if (ord_random_chance(r, 100)) {
		struct ord_edn items = ord_edn_vector(pool, 1);
		for (uint32_t i = 0; i < items.len; i++)
			items.items[i] = ord_client_label(pool, "i", item);
		*ret = (struct ord_ask){.f = "read", .value = items};
		return;
	}
	*ret = ord_money_transfer(pool, ord_client_id(r, pool), ord_client_label(pool, "i", item),
				  ord_client_label(pool, "b", ord_random_below(r, BUYERS)),
				  (int64_t)(1 + ord_random_below(r, 3)));
}

static bool final(void *arg, uint32_t n, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	(void)arg;
	if (n == 0)
		*ret = ord_money_read(pool, "final-read", "i", ITEMS, true);
	else if (n == 1)
		*ret = ord_money_read(pool, "final-read", "b", BUYERS, false);
	return n <= 1;
}

static int check(const struct ord_jepsen_history *h, const struct ord_workload_check *options, struct ord_verdict *ret)
{
	(void)options;
	return ord_check_stock(h, ret);
}

const struct ord_workload ord_workload_stock = {
	.name = "stock",
	.summary = "more buyers than stock; no more is sold than there was",
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.setup = setup,
	.next = next,
	.final = final,
	.perform = ord_money_perform,
	.check = check,
};
