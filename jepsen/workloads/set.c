/* SPDX-License-Identifier: Apache-2.0 - workload: each claimed name is an element; it is there from then on. Jepsen's set-full, read in ranges. */
#include "jepsen/checkers/set.h"

#include <string.h>

#include "jepsen/naming.h"
#include "jepsen/workload.h"

#define SPACE "set"
#define ADDS_PER_MILLE 700
#define RANGE 12 /* elements of a read */
#define RANGE_FINAL 50
#define RECENT 60 /* half of the reads look at the elements that were added last */

struct state {
	uint64_t count; /* elements 1 .. count were asked for */
};

static struct ord_ask range_read(struct ord_edn_pool *pool, const char *f, uint64_t from, uint64_t to)
{
	struct ord_edn value = ord_edn_map(pool, 2);
	ord_edn_put_word(&value, "from", ord_edn_int((int64_t)from));
	ord_edn_put_word(&value, "to", ord_edn_int((int64_t)to));
	return (struct ord_ask){.f = f, .value = value};
}

static void next(void *arg, uint32_t thread, struct ord_random *r, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	struct state *s = arg;
	(void)thread;
	if (s->count < RANGE || ord_random_chance(r, ADDS_PER_MILLE)) {
		*ret = (struct ord_ask){.f = "add", .value = ord_edn_int((int64_t)++s->count)};
		return;
	}
	uint64_t last = s->count - RANGE + 1; /* where a range may begin */
	uint64_t from = 1 + ord_random_below(r, last);
	if (last > RECENT && ord_random_chance(r, 500))
		from = last - ord_random_below(r, RECENT);
	*ret = range_read(pool, "read", from, from + RANGE - 1);
}

static bool final(void *arg, uint32_t n, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	const struct state *s = arg;
	uint64_t from = (uint64_t)n * RANGE_FINAL + 1;
	if (from > s->count)
		return false;
	*ret = range_read(pool, "final-read", from,
			  from + RANGE_FINAL - 1 < s->count ? from + RANGE_FINAL - 1 : s->count);
	return true;
}

static struct ord_told add(struct ord_client *c, struct ord_edn element)
{
	struct ord_naming_ask ask = {
		.kind = ORDAIN_CLAIM, .space = ordain_str_of(SPACE), .owner = ordain_str_of("set")};
	struct ord_edn name = ord_client_label(c->pool, "e", (uint64_t)element.integer);
	struct ordain_result result;
	struct ordain_id id;
	struct ord_told told = {.type = ORD_JEPSEN_FAIL, .error = ord_edn_word("system")};
	ask.name = ord_client_str(name);
	if (ordain_id_make(&id) != 0 || !ord_naming_submit(c, &ask, &id, &result, &told))
		return told;
	if (result.answer == ORDAIN_OK)
		return (struct ord_told){.type = ORD_JEPSEN_OK, .value = element};
	return (struct ord_told){.type = ORD_JEPSEN_FAIL,
				 .error = ord_edn_keyword(c->pool, ord_slice_text(result.name))};
}

static struct ord_told range(struct ord_client *c, struct ord_edn asked)
{
	int64_t from = ord_edn_get(asked, "from").integer, to = ord_edn_get(asked, "to").integer;
	struct ord_edn found = ord_edn_vector(c->pool, (size_t)(to - from + 1));
	uint32_t count = 0;
	for (int64_t e = from; e <= to; e++) {
		struct ord_edn name = ord_client_label(c->pool, "e", (uint64_t)e);
		struct ordain_str owner;
		struct ord_told told;
		if (!ord_naming_read(c, ordain_str_of(SPACE), ord_client_str(name), &owner, &told))
			return told;
		if (owner.base != NULL && count < found.len)
			found.items[count++] = ord_edn_int(e);
	}
	found.len = count;
	struct ord_edn value = ord_edn_map(c->pool, 3);
	ord_edn_put_word(&value, "from", ord_edn_int(from));
	ord_edn_put_word(&value, "to", ord_edn_int(to));
	ord_edn_put_word(&value, "found", found);
	return (struct ord_told){.type = ORD_JEPSEN_OK, .value = value};
}

static void perform(struct ord_client *c, const struct ord_ask *ask, struct ord_told *ret)
{
	*ret = strcmp(ask->f, "add") == 0 ? add(c, ask->value) : range(c, ask->value);
}

static int check(const struct ord_jepsen_history *h, const struct ord_workload_check *options, struct ord_verdict *ret)
{
	(void)options;
	return ord_check_set(h, ret);
}

const struct ord_workload ord_workload_set = {
	.name = "set",
	.summary = "names are claimed, each once; whoever looks finds each from then on",
	.state_bytes = sizeof(struct state),
	.next = next,
	.final = final,
	.perform = perform,
	.check = check,
};
