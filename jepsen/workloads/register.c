/* SPDX-License-Identifier: Apache-2.0 - workload: a name is a register, its owner the value. Jepsen's cas-register over many keys.
 *
 *   :read [k nil]        who owns the name, linearizable
 *   :cas  [k [nil v]]    claim: the first write
 *   :cas  [k [old new]]  reassign
 *   :cas  [k [old nil]]  release
 *
 * There is no :write. The cluster has no command that overwrites an owner without naming the one before, and one made of a read and a
 * compare-and-set would be two operations that pass for one. */
#include "jepsen/checkers/register.h"
#include "jepsen/naming.h"
#include "jepsen/workload.h"

#define SPACE "register"
#define KEYS_AT_ONCE 5
#define OPS_PER_KEY 200

/* A key that is asked for now, and what it holds as far as it was heard. */
struct slot {
	uint64_t key;
	uint32_t ops_count;
	int64_t seen; /* -1: nil */
};

struct state {
	struct slot slots[KEYS_AT_ONCE];
	uint64_t keys_count;
	int64_t values_count; /* each is written by one operation */
};

static void begin(void *arg, const struct ord_workload_shape *shape)
{
	struct state *s = arg;
	(void)shape;
	for (uint32_t i = 0; i < KEYS_AT_ONCE; i++)
		s->slots[i] = (struct slot){.key = s->keys_count++, .seen = -1};
}

static struct ord_edn value_of(int64_t v)
{
	return v < 0 ? ord_edn_nil() : ord_edn_int(v);
}

static void next(void *arg, uint32_t thread, struct ord_random *r, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	struct state *s = arg;
	struct slot *slot = &s->slots[ord_random_below(r, KEYS_AT_ONCE)];
	(void)thread;
	if (++slot->ops_count > OPS_PER_KEY)
		*slot = (struct slot){.key = s->keys_count++, .seen = -1, .ops_count = 1};
	struct ord_edn key = ord_edn_int((int64_t)slot->key);
	if (ord_random_chance(r, 500)) {
		*ret = (struct ord_ask){.f = "read", .value = ord_edn_pair(pool, key, ord_edn_nil())};
		return;
	}
	int64_t old = slot->seen;
	if (ord_random_chance(r, 150)) /* most likely what it holds no more */
		old = (int64_t)ord_random_below(r, (uint64_t)s->values_count + 1) - 1;
	int64_t new = old >= 0 && ord_random_chance(r, 150) ? -1 : s->values_count++;
	*ret = (struct ord_ask){.f = "cas",
				.value = ord_edn_pair(pool, key, ord_edn_pair(pool, value_of(old), value_of(new)))};
}

static void told(void *arg, const struct ord_ask *ask, const struct ord_told *told)
{
	struct state *s = arg;
	if (told->type != ORD_JEPSEN_OK)
		return;
	struct ord_edn holds = told->value.items[1];
	if (ask->f[0] == 'c')
		holds = holds.items[1];
	for (uint32_t i = 0; i < KEYS_AT_ONCE; i++) {
		if ((int64_t)s->slots[i].key == ask->value.items[0].integer)
			s->slots[i].seen = ord_edn_is_nil(holds) ? -1 : holds.integer;
	}
}

static struct ord_told read_key(struct ord_client *c, struct ord_edn key)
{
	struct ord_edn name = ord_client_label(c->pool, "k", (uint64_t)key.integer);
	struct ordain_str owner;
	struct ord_told told;
	if (!ord_naming_read(c, ordain_str_of(SPACE), ord_client_str(name), &owner, &told))
		return told;
	struct ord_edn v = value_of(owner.base == NULL ? -1 : ord_client_number(owner, "v"));
	return (struct ord_told){.type = ORD_JEPSEN_OK, .value = ord_edn_pair(c->pool, key, v)};
}

/* A refusal says what it did not hold. */
static struct ord_told refusal(struct ord_client *c, const char *name, struct ord_edn old)
{
	struct ord_edn reason = ord_edn_keyword(c->pool, ord_slice_text(name));
	struct ord_told told = {.type = ORD_JEPSEN_FAIL, .error = reason};
	if (ord_edn_is_word(reason, "name_taken") || ord_edn_is_word(reason, "name_free") ||
	    ord_edn_is_word(reason, "other_owner"))
		told.error = ord_edn_pair(c->pool, ord_edn_word("not"), old);
	return told;
}

static struct ord_told cas(struct ord_client *c, struct ord_edn value)
{
	struct ord_edn old = value.items[1].items[0], new = value.items[1].items[1];
	struct ord_edn name = ord_client_label(c->pool, "k", (uint64_t)value.items[0].integer);
	struct ord_naming_ask ask = {.kind = ORDAIN_REASSIGN, .space = ordain_str_of(SPACE)};
	struct ordain_result result;
	struct ordain_id id;
	struct ord_told told = {.type = ORD_JEPSEN_FAIL, .error = ord_edn_word("system")};
	ask.name = ord_client_str(name);
	if (ord_edn_is_nil(old))
		ask.kind = ORDAIN_CLAIM;
	else
		ask.expected = ord_client_str(ord_client_label(c->pool, "v", (uint64_t)old.integer));
	if (ord_edn_is_nil(new))
		ask.kind = ORDAIN_RELEASE;
	else
		ask.owner = ord_client_str(ord_client_label(c->pool, "v", (uint64_t) new.integer));
	if (ordain_id_make(&id) != 0 || !ord_naming_submit(c, &ask, &id, &result, &told))
		return told;
	if (result.answer == ORDAIN_OK)
		return (struct ord_told){.type = ORD_JEPSEN_OK, .value = value};
	return refusal(c, result.name, old);
}

static void perform(struct ord_client *c, const struct ord_ask *ask, struct ord_told *ret)
{
	*ret = ask->f[0] == 'r' ? read_key(c, ask->value.items[0]) : cas(c, ask->value);
}

static int check(const struct ord_jepsen_history *h, const struct ord_workload_check *options, struct ord_verdict *ret)
{
	struct ord_register_options limits = {.time_limit_ms = options->time_limit_ms};
	return ord_check_register(h, &limits, ret);
}

const struct ord_workload ord_workload_register = {
	.name = "register",
	.summary = "a name is a register that is read and compared-and-set; each is linearizable",
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.next = next,
	.told = told,
	.perform = perform,
	.check = check,
};
