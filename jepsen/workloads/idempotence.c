/* SPDX-License-Identifier: Apache-2.0 - workload: the same few request ids are asked again and again by everybody, now and then with other values. */
#include "jepsen/checkers/idempotence.h"

#include "jepsen/money.h"
#include "jepsen/workload.h"

#define ACCOUNTS 4
#define BALANCE 2000 /* not enough for ever: some are refused, and stay so */
#define FLOOR (-1000000)
#define IDS_AT_ONCE 8
#define OPS_PER_ID 6 /* then another takes its place */
#define OTHER_PER_MILLE 200

/* A transfer that is asked for. */
struct slot {
	char id_text[40];
	uint32_t ops_count;
	uint64_t from;
	uint64_t to;
	int64_t amount;
};

struct state {
	struct slot slots[IDS_AT_ONCE];
};

static const struct ord_money_accounts accounts = {
	.count = ACCOUNTS, .balance = BALANCE, .ceiling = INT64_MAX, .mint_floor = FLOOR};

static bool setup(void *arg, uint32_t n, struct ord_random *r, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	(void)arg;
	return ord_money_setup(&accounts, n, r, pool, ret);
}

static void slot_renew(struct slot *slot, struct ord_random *r, struct ord_edn_pool *pool)
{
	struct ord_edn id = ord_client_id(r, pool);
	*slot = (struct slot){.from = ord_random_below(r, ACCOUNTS)};
	for (uint32_t i = 0; i < id.len && i < sizeof slot->id_text - 1; i++)
		slot->id_text[i] = id.text[i];
	slot->to = (slot->from + 1 + ord_random_below(r, ACCOUNTS - 1)) % ACCOUNTS;
	slot->amount = (int64_t)(1 + ord_random_below(r, BALANCE / 4));
}

static void next(void *arg, uint32_t thread, struct ord_random *r, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	struct state *s = arg;
	struct slot *slot = &s->slots[ord_random_below(r, IDS_AT_ONCE)];
	(void)thread;
	if (slot->id_text[0] == '\0' || ++slot->ops_count > OPS_PER_ID)
		slot_renew(slot, r, pool);
	int64_t amount = slot->amount + (ord_random_chance(r, OTHER_PER_MILLE) ? 1 : 0);
	*ret = ord_money_transfer(pool, ord_edn_string(pool, ord_slice_text(slot->id_text)),
				  ord_client_label(pool, "a", slot->from), ord_client_label(pool, "a", slot->to),
				  amount);
}

static bool final(void *arg, uint32_t n, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	(void)arg;
	return ord_money_final(&accounts, n, pool, ret);
}

static int check(const struct ord_jepsen_history *h, const struct ord_workload_check *options, struct ord_verdict *ret)
{
	(void)options;
	return ord_check_idempotence(h, ret);
}

const struct ord_workload ord_workload_idempotence = {
	.name = "idempotence",
	.summary = "the same ids again and again, with and without changes; one outcome, one effect",
	.state_bytes = sizeof(struct state),
	.setup = setup,
	.next = next,
	.final = final,
	.perform = ord_money_perform,
	.check = check,
};
