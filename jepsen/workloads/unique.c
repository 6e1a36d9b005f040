/* SPDX-License-Identifier: Apache-2.0 - workload: many clients claim the same names, hand them on and let them go. */
#include "jepsen/checkers/unique.h"
#include "jepsen/naming.h"
#include "jepsen/workload.h"

#define NAMES_AT_ONCE 5
#define OPS_PER_NAME 150 /* then nobody asks for it any more: what a checker has to search stays small */

/* A name that is asked for now, and who owns it as far as it was heard. */
struct slot {
	uint64_t name;
	uint32_t ops_count;
	int64_t owner; /* -1: nobody, or not known */
};

struct state {
	struct slot slots[NAMES_AT_ONCE];
	uint64_t names_count;
	uint64_t owners_count; /* each is asked for once, so that an answer tells which command it saw */
};

static void begin(void *arg, const struct ord_workload_shape *shape)
{
	struct state *s = arg;
	(void)shape;
	for (uint32_t i = 0; i < NAMES_AT_ONCE; i++)
		s->slots[i] = (struct slot){.name = s->names_count++, .owner = -1};
}

static struct ord_edn owner_label(struct ord_edn_pool *pool, uint64_t owner)
{
	return ord_client_label(pool, "o", owner);
}

/* Whom the command expects: mostly the one heard of last, now and then an earlier one. */
static struct ord_edn expected(const struct state *s, const struct slot *slot, struct ord_random *r,
			       struct ord_edn_pool *pool)
{
	bool known = slot->owner >= 0 && ord_random_chance(r, 850);
	return owner_label(pool, known ? (uint64_t)slot->owner : ord_random_below(r, s->owners_count + 1));
}

static void next(void *arg, uint32_t thread, struct ord_random *r, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	struct state *s = arg;
	struct slot *slot = &s->slots[ord_random_below(r, NAMES_AT_ONCE)];
	uint64_t drawn = ord_random_below(r, 100);
	(void)thread;
	if (++slot->ops_count > OPS_PER_NAME)
		*slot = (struct slot){.name = s->names_count++, .owner = -1, .ops_count = 1};
	struct ord_edn value = ord_edn_map(pool, 4);
	ret->f = drawn < 35 ? "claim" : drawn < 60 ? "read" : drawn < 80 ? "reassign" : "release";
	if (drawn < 35 || drawn >= 60)
		ord_edn_put_word(&value, "id", ord_client_id(r, pool));
	ord_edn_put_word(&value, "name", ord_client_label(pool, "n", slot->name));
	if (drawn < 35) {
		ord_edn_put_word(&value, "owner", owner_label(pool, s->owners_count++));
	} else if (drawn >= 80) {
		ord_edn_put_word(&value, "owner", expected(s, slot, r, pool));
	} else if (drawn >= 60) {
		ord_edn_put_word(&value, "from", expected(s, slot, r, pool));
		ord_edn_put_word(&value, "to", owner_label(pool, s->owners_count++));
	}
	ret->value = value;
}

static void told(void *arg, const struct ord_ask *ask, const struct ord_told *told)
{
	struct state *s = arg;
	int64_t name = ord_client_number(ord_client_str(ord_edn_get(ask->value, "name")), "n");
	struct ord_edn owner = ord_edn_get(told->value, "owner"), to = ord_edn_get(told->value, "to");
	bool refused = ord_edn_is_word(ord_edn_get(told->value, "outcome"), "refused");
	for (uint32_t i = 0; i < NAMES_AT_ONCE; i++) {
		struct slot *slot = &s->slots[i];
		if ((int64_t)slot->name != name || told->type != ORD_JEPSEN_OK || refused)
			continue;
		slot->owner = ord_client_number(ord_client_str(ord_edn_is_nil(to) ? owner : to), "o");
	}
}

static bool final(void *arg, uint32_t n, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	const struct state *s = arg;
	struct ord_edn value = ord_edn_map(pool, 1);
	ord_edn_put_word(&value, "name", ord_client_label(pool, "n", n));
	*ret = (struct ord_ask){.f = "final-read", .value = value};
	return n < s->names_count;
}

static int check(const struct ord_jepsen_history *h, const struct ord_workload_check *options, struct ord_verdict *ret)
{
	struct ord_register_options limits = {.time_limit_ms = options->time_limit_ms};
	return ord_check_unique(h, &limits, ret);
}

const struct ord_workload ord_workload_unique = {
	.name = "unique",
	.summary = "many clients claim, reassign and release the same names; one owner at a time",
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.next = next,
	.told = told,
	.final = final,
	.perform = ord_naming_perform,
	.check = check,
};
