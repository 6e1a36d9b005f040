/* SPDX-License-Identifier: Apache-2.0 - linearizable registers in histories: keys by themselves, fails, infos, and a hundred thousand operations. */
#include "jepsen/checkers/register.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/support/jepsen_story.h"
#include "tests/support/random.h"

static void expect(const char *text, enum ord_validity validity, const char *rule)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	story_of(text, &h);
	cr_assert_eq(ord_check_register(&h, NULL, &v), ORD_OK);
	story_expect(&v, validity, rule);
	ord_jepsen_close(&h);
}

Test(jepsen_register, what_was_written_is_read)
{
	expect("0 invoke write [1 5]\n0 ok write [1 5]\n1 invoke read [1 nil]\n1 ok read [1 5]\n", ORD_VALID, NULL);
	expect("0 invoke write [1 5]\n0 ok write [1 5]\n1 invoke read [1 nil]\n1 ok read [1 nil]\n", ORD_INVALID,
	       "not-linearizable");
}

Test(jepsen_register, keys_are_apart)
{
	expect("0 invoke write [1 5]\n0 ok write [1 5]\n1 invoke read [\"1\" nil]\n1 ok read [\"1\" nil]\n", ORD_VALID,
	       NULL);
	expect("0 invoke write [1 5]\n0 ok write [1 5]\n1 invoke read [2 nil]\n1 ok read [2 5]\n", ORD_INVALID,
	       "not-linearizable");
}

Test(jepsen_register, values_may_be_of_any_kind)
{
	expect("0 invoke cas [\"k\" [nil \"ada\"]]\n0 ok cas [\"k\" [nil \"ada\"]]\n"
	       "0 invoke cas [\"k\" [\"ada\" :x]]\n0 ok cas [\"k\" [\"ada\" :x]]\n"
	       "0 invoke cas [\"k\" [:x nil]]\n0 ok cas [\"k\" [:x nil]]\n"
	       "1 invoke read [\"k\" nil]\n1 ok read [\"k\" nil]\n",
	       ORD_VALID, NULL);
}

Test(jepsen_register, what_failed_did_nothing)
{
	expect("0 invoke write [1 5]\n0 fail write [1 5]\n1 invoke read [1 nil]\n1 ok read [1 5]\n", ORD_INVALID,
	       "not-linearizable");
	expect("0 invoke cas [1 [nil 5]]\n0 fail cas [1 [nil 5]]\n1 invoke read [1 nil]\n1 ok read [1 nil]\n",
	       ORD_VALID, NULL);
	expect("0 invoke write [1 5]\n0 ok write [1 5]\n1 invoke read [1 nil]\n1 fail read [1 nil]\n", ORD_VALID, NULL);
	expect("1 invoke read [1 nil]\n1 fail read [1 nil]\n0 invoke write [1 5]\n0 ok write [1 5]\n", ORD_VALID, NULL);
}

Test(jepsen_register, a_refusal_that_says_why_has_to_fit)
{
	expect("0 invoke cas [1 [nil 5]]\n0 fail cas [1 [nil 5]] error [:not nil]\n", ORD_INVALID, "not-linearizable");
	expect("0 invoke write [1 4]\n0 ok write [1 4]\n0 invoke cas [1 [nil 5]]\n0 fail cas [1 [nil 5]] error [:not "
	       "nil]\n",
	       ORD_VALID, NULL);
	expect("0 invoke cas [1 [nil 5]]\n0 fail cas [1 [nil 5]] error :timeout\n", ORD_VALID, NULL);
}

Test(jepsen_register, what_has_no_answer_may_have_happened)
{
	expect("0 invoke write [1 5]\n0 info write [1 5]\n1 invoke read [1 nil]\n1 ok read [1 nil]\n"
	       "1 invoke read [1 nil]\n1 ok read [1 5]\n",
	       ORD_VALID, NULL);
	expect("0 invoke write [1 5]\n1 invoke read [1 nil]\n1 ok read [1 5]\n", ORD_VALID, NULL);
	expect("1 invoke read [1 nil]\n1 info read [1 nil]\n2 invoke read [1 nil]\n", ORD_VALID, NULL);
	expect("0 invoke write [1 5]\n0 info write [1 5]\n1 invoke read [1 nil]\n1 ok read [1 5]\n"
	       "1 invoke read [1 nil]\n1 ok read [1 nil]\n",
	       ORD_INVALID, "not-linearizable");
}

Test(jepsen_register, what_cannot_be_judged_is_not_valid)
{
	expect("", ORD_UNKNOWN, "no-operation");
	expect("0 invoke transfer nil\n", ORD_UNKNOWN, "no-operation");
	expect("0 invoke read 7\n0 ok read 8\n", ORD_UNKNOWN, "malformed");
	expect("0 invoke read [1 nil]\n0 ok read nil\n", ORD_UNKNOWN, "malformed");
	expect("0 invoke read [1 nil]\n0 ok read [2 nil]\n", ORD_UNKNOWN, "malformed");
	expect("0 invoke cas [1 [nil 2]]\n0 ok cas [1 [nil 3]]\n", ORD_UNKNOWN, "malformed");
	expect("0 invoke cas [1 [nil 2]]\n0 ok cas nil\n", ORD_VALID, NULL);
	expect("0 invoke cas [1 2]\n0 ok cas [1 2]\n", ORD_UNKNOWN, "malformed");
}

/* What is invalid stays so, whatever else is not known. */
Test(jepsen_register, the_worst_counts)
{
	expect("0 invoke read [1 nil]\n0 ok read [1 4]\n0 invoke read 7\n0 ok read 7\n", ORD_INVALID,
	       "not-linearizable");
}

Test(jepsen_register, out_of_time_is_unknown)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	cr_assert_eq(ord_jepsen_open(41, &h), ORD_OK);
	struct ord_edn_pool pool;
	ord_edn_pool_init(&pool, 1 << 20);
	for (uint32_t i = 0; i < 40; i++)
		ord_jepsen_invoke(&h, i, 1, "write", ord_edn_pair(&pool, ord_edn_int(1), ord_edn_int(i)), NULL);
	for (uint32_t i = 0; i < 40; i++)
		ord_jepsen_complete(&h, i, 2, ORD_JEPSEN_OK, ord_edn_nil(), ord_edn_nil());
	ord_jepsen_invoke(&h, 40, 3, "read", ord_edn_pair(&pool, ord_edn_int(1), ord_edn_nil()), NULL);
	ord_jepsen_complete(&h, 40, 4, ORD_JEPSEN_OK, ord_edn_pair(&pool, ord_edn_int(1), ord_edn_int(77)),
			    ord_edn_nil());
	struct ord_register_options options = {.time_limit_ms = 200};
	cr_assert_eq(ord_check_register(&h, &options, &v), ORD_OK);
	story_expect(&v, ORD_UNKNOWN, "out-of-time");
	options = (struct ord_register_options){.bytes_max = 1 << 20};
	cr_assert_eq(ord_check_register(&h, &options, &v), ORD_OK);
	story_expect(&v, ORD_UNKNOWN, "out-of-memory");
	ord_edn_pool_close(&pool);
	ord_jepsen_close(&h);
}

/* --- A hundred thousand operations --- */

#define KEYS 100
#define OPS 100000

/* A register that works, asked by threads that overlap; some operations end as infos, some of which have happened. */
struct made {
	struct ord_jepsen_history h;
	struct random random;
	struct ord_edn_pool pool;
	int64_t values[KEYS];
	struct {
		bool busy, done, refused;
		const char *f;
		int64_t key, old, new;
	} threads[64];
};

static struct ord_edn value_of(int64_t v)
{
	return v == 0 ? ord_edn_nil() : ord_edn_int(v);
}

static void ask(struct made *m, uint32_t t)
{
	static const char *const fs[] = {"read", "write", "cas", "cas"};
	struct random *r = &m->random;
	m->threads[t].busy = true;
	m->threads[t].done = m->threads[t].refused = false;
	m->threads[t].f = fs[random_below(r, 4)];
	m->threads[t].key = (int64_t)random_below(r, KEYS);
	m->threads[t].new = 1 + (int64_t)random_below(r, 5);
	/* Most changes are from what a client has seen. */
	m->threads[t].old = random_chance(r, 80) ? m->values[m->threads[t].key] : (int64_t)random_below(r, 6);
	struct ord_edn argument = ord_edn_nil();
	if (strcmp(m->threads[t].f, "write") == 0)
		argument = value_of(m->threads[t].new);
	if (strcmp(m->threads[t].f, "cas") == 0)
		argument = ord_edn_pair(&m->pool, value_of(m->threads[t].old), value_of(m->threads[t].new));
	cr_assert_eq(ord_jepsen_invoke(&m->h, t, m->h.ops_count * 1000ull, m->threads[t].f,
				       ord_edn_pair(&m->pool, ord_edn_int(m->threads[t].key), argument), NULL),
		     ORD_OK);
}

static void happen(struct made *m, uint32_t t)
{
	int64_t *value = &m->values[m->threads[t].key];
	bool is_cas = strcmp(m->threads[t].f, "cas") == 0;
	m->threads[t].done = true;
	m->threads[t].refused = is_cas && *value != m->threads[t].old;
	if (strcmp(m->threads[t].f, "read") == 0)
		m->threads[t].new = *value;
	else if (!m->threads[t].refused)
		*value = m->threads[t].new;
}

static void answer(struct made *m, uint32_t t, uint32_t infos_per_mille)
{
	enum ord_jepsen_type type = ORD_JEPSEN_OK;
	struct ord_edn value = ord_edn_nil(), error = ord_edn_nil();
	if (random_below(&m->random, 1000) < infos_per_mille)
		type = ORD_JEPSEN_INFO;
	else if (!m->threads[t].done)
		happen(m, t);
	if (type == ORD_JEPSEN_OK && m->threads[t].refused) {
		type = ORD_JEPSEN_FAIL;
		error = ord_edn_pair(&m->pool, ord_edn_word("not"), value_of(m->threads[t].old));
	}
	if (type == ORD_JEPSEN_OK && strcmp(m->threads[t].f, "read") == 0)
		value = ord_edn_pair(&m->pool, ord_edn_int(m->threads[t].key), value_of(m->threads[t].new));
	m->threads[t].busy = false;
	cr_assert_eq(ord_jepsen_complete(&m->h, t, m->h.ops_count * 1000ull, type, value, error), ORD_OK);
}

static void make(struct made *m, uint32_t threads, uint32_t infos_per_mille, uint64_t seed)
{
	*m = (struct made){.random = random_of(seed)};
	cr_assert_eq(ord_jepsen_open(threads, &m->h), ORD_OK);
	for (uint32_t asked = 0; asked < OPS;) {
		uint32_t t = (uint32_t)random_below(&m->random, threads);
		ord_edn_pool_init(&m->pool, 1 << 20);
		if (!m->threads[t].busy && ++asked > 0)
			ask(m, t);
		else if (!m->threads[t].done && random_chance(&m->random, 50))
			happen(m, t);
		else
			answer(m, t, infos_per_mille);
		ord_edn_pool_close(&m->pool);
	}
}

static void check_made(uint32_t threads, uint32_t infos_per_mille, bool spoil)
{
	struct made m;
	struct ord_verdict v;
	make(&m, threads, infos_per_mille, threads);
	for (uint32_t i = OPS; spoil; i++) { /* a read in the middle saw what nobody wrote last */
		if (m.h.ops[i].type == ORD_JEPSEN_OK && strcmp(m.h.ops[i].f, "read") == 0) {
			m.h.ops[i].value.items[1] = ord_edn_int(77);
			break;
		}
	}
	cr_assert_eq(ord_check_register(&m.h, NULL, &v), ORD_OK);
	fprintf(stderr, "%u operations, %u keys, %u processes, %lld infos: %lld steps, %lld ms, %s\n", OPS, KEYS,
		threads, (long long)story_figure(&v, "infos"), (long long)story_figure(&v, "steps"),
		(long long)story_figure(&v, "duration-us") / 1000, ord_validity_name(v.validity));
	cr_assert_lt(story_figure(&v, "duration-us"), 10000000);
	story_expect(&v, spoil ? ORD_INVALID : ORD_VALID, spoil ? "not-linearizable" : NULL);
	ord_jepsen_close(&m.h);
}

Test(jepsen_register, a_hundred_thousand_operations_take_less_than_ten_seconds)
{
	check_made(10, 0, false);
	check_made(30, 0, false);
	check_made(10, 5, false);
	check_made(30, 20, false);
	check_made(10, 0, true);
	check_made(30, 5, true);
	check_made(30, 50, false);
	check_made(30, 20, true);
	check_made(30, 30, true);
}
