/* SPDX-License-Identifier: Apache-2.0 - checker: how long each kind of operation was not to be had, and how long it took. */
#include "jepsen/checkers/availability.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/histogram.h"
#include "jepsen/array.h"
#include "jepsen/checkers/numbering.h"

#define NS_PER_US 1000u
#define IDLE_NS_MAX 1000000000u /* between an answer that is no ok and the next question: still the same outage */
#define NEVER UINT64_MAX

struct fault {
	uint64_t begin_ns;
	uint64_t end_ns;
};

/* One f. */
struct kind {
	const char *f;
	uint32_t waiting_count; /* asked and not completed */
	uint64_t since_ns;	/* nobody was told ok since then though somebody waited; NEVER */
	uint64_t idle_ns;	/* nobody has waited since then; NEVER: somebody does */
	uint64_t ok_count;
	uint64_t done_count;
	uint64_t longest_ns;
	uint64_t longest_at_ns; /* where it began */
	uint64_t in_fault_ns;	/* the longest that a fault touches */
	uint64_t without_fault_ns;
	struct ord_histogram latency_us;
};

struct availability {
	const struct ord_jepsen_history *h;
	const struct ord_availability_options *options; /* NULL: none */
	struct ord_verdict *v;
	struct fault *faults; /* owned; in the order of time */
	uint32_t faults_count;
	struct ord_numbering numbers;
	struct kind **kinds; /* owned; by number of f */
	uint32_t kinds_capacity;
};

static bool begins_with(const char *text, const char *begin)
{
	return strncmp(text, begin, strlen(begin)) == 0;
}

/* --- Faults --- */

static bool is_end(const char *f)
{
	return begins_with(f, "heal") || begins_with(f, "stop") || begins_with(f, "end") || strcmp(f, "start") == 0 ||
	       strcmp(f, "resume") == 0;
}

static int find_faults(struct availability *a)
{
	uint32_t nemesis_count = 0;
	bool is_in_force = false;
	for (uint32_t i = 0; i < a->h->ops_count; i++)
		nemesis_count += a->h->ops[i].process == ORD_JEPSEN_NEMESIS;
	a->faults = calloc((size_t)nemesis_count + 1, sizeof *a->faults);
	if (a->faults == NULL)
		return ORD_ERR_NOMEM;
	for (uint32_t i = 0; i < a->h->ops_count; i++) {
		const struct ord_jepsen_op *op = &a->h->ops[i];
		if (op->process != ORD_JEPSEN_NEMESIS)
			continue;
		if (!is_in_force && !is_end(op->f))
			a->faults[a->faults_count++] = (struct fault){.begin_ns = op->time_ns, .end_ns = NEVER};
		else if (is_in_force && is_end(op->f))
			a->faults[a->faults_count - 1].end_ns = op->time_ns;
		is_in_force = !is_end(op->f);
	}
	return ORD_OK;
}

/* Whether a fault was in force at some moment between the two. */
static bool is_touched(const struct availability *a, uint64_t begin_ns, uint64_t end_ns)
{
	uint32_t low = 0, high = a->faults_count; /* the first that ends after begin_ns */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (a->faults[middle].end_ns <= begin_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low < a->faults_count && a->faults[low].begin_ns < end_ns;
}

/* --- Operations --- */

/* NULL without memory. */
static struct kind *kind_of(struct availability *a, const char *f)
{
	uint32_t before = a->numbers.values_count;
	uint32_t number = ord_numbering_of(&a->numbers, ord_edn_word(f));
	if (!ord_array_reach(&a->kinds, &a->kinds_capacity, number, sizeof *a->kinds))
		return NULL;
	if (number == before) {
		a->kinds[number] = calloc(1, sizeof **a->kinds);
		if (a->kinds[number] != NULL)
			*a->kinds[number] = (struct kind){.f = f, .since_ns = NEVER, .idle_ns = NEVER};
	}
	return a->kinds[number];
}

static void outage_end(struct availability *a, struct kind *k, uint64_t end_ns)
{
	uint64_t begin_ns = k->since_ns;
	k->since_ns = k->idle_ns = NEVER;
	if (begin_ns == NEVER || end_ns <= begin_ns)
		return;
	uint64_t length_ns = end_ns - begin_ns;
	uint64_t *longest_ns = is_touched(a, begin_ns, end_ns) ? &k->in_fault_ns : &k->without_fault_ns;
	if (length_ns > *longest_ns)
		*longest_ns = length_ns;
	if (length_ns > k->longest_ns) {
		k->longest_ns = length_ns;
		k->longest_at_ns = begin_ns;
	}
}

static void asked(struct availability *a, struct kind *k, uint64_t now_ns)
{
	if (k->idle_ns != NEVER && now_ns - k->idle_ns > IDLE_NS_MAX)
		outage_end(a, k, k->idle_ns);
	k->idle_ns = NEVER;
	k->waiting_count++;
	if (k->since_ns == NEVER)
		k->since_ns = now_ns;
}

static void answered(struct availability *a, struct kind *k, const struct ord_jepsen_op *op)
{
	k->waiting_count--;
	k->done_count++;
	if (op->type == ORD_JEPSEN_OK) {
		k->ok_count++;
		ord_histogram_add(&k->latency_us, (op->time_ns - a->h->ops[op->other].time_ns) / NS_PER_US);
		outage_end(a, k, op->time_ns);
		if (k->waiting_count > 0)
			k->since_ns = op->time_ns;
	} else if (k->waiting_count == 0) {
		k->idle_ns = op->time_ns;
	}
}

static bool is_of_run(const struct ord_jepsen_op *op)
{
	return op->process != ORD_JEPSEN_NEMESIS && !begins_with(op->f, "final") && strcmp(op->f, "request") != 0 &&
	       strcmp(op->f, "log") != 0 && strcmp(op->f, "open") != 0 &&
	       (op->type == ORD_JEPSEN_INVOKE || op->other != ORD_JEPSEN_NONE);
}

static int take(struct availability *a, const struct ord_jepsen_op *op)
{
	if (!is_of_run(op))
		return ORD_OK;
	struct kind *k = kind_of(a, op->f);
	if (k == NULL)
		return ORD_ERR_NOMEM;
	if (op->type == ORD_JEPSEN_INVOKE)
		asked(a, k, op->time_ns);
	else if (op->time_ns >= a->h->ops[op->other].time_ns && k->waiting_count > 0)
		answered(a, k, op);
	return ORD_OK;
}

/* What somebody waits for at the end was not to be had until then; what nobody waits for any more, until it was given up. */
static void finish(struct availability *a)
{
	uint64_t end_ns = a->h->ops_count > 0 ? a->h->ops[a->h->ops_count - 1].time_ns : 0;
	for (uint32_t i = 0; i < a->numbers.values_count; i++) {
		struct kind *k = a->kinds[i];
		outage_end(a, k, k->idle_ns != NEVER ? k->idle_ns : end_ns);
	}
}

/* --- Figures --- */

static struct ord_edn us(uint64_t ns)
{
	return ord_edn_int((int64_t)(ns / NS_PER_US));
}

static struct ord_edn latency_edn(struct availability *a, const struct kind *k)
{
	static const struct {
		const char *name;
		uint32_t per_mille;
	} quantiles[] = {{"p50", 500}, {"p95", 950}, {"p99", 990}, {"p999", 999}};
	struct ord_edn map = ord_edn_map(&a->v->pool, 5);
	for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
		ord_edn_put_word(&map, quantiles[i].name,
				 ord_edn_int((int64_t)ord_histogram_quantile(&k->latency_us, quantiles[i].per_mille)));
	ord_edn_put_word(&map, "max", ord_edn_int((int64_t)k->latency_us.max));
	return map;
}

static struct ord_edn kind_edn(struct availability *a, const struct kind *k)
{
	struct ord_edn map = ord_edn_map(&a->v->pool, 6);
	uint64_t percent = k->done_count > 0 ? k->ok_count * 100 / k->done_count : 0;
	ord_edn_put_word(&map, "ok-percent", ord_edn_int((int64_t)percent));
	ord_edn_put_word(&map, "outage-us", us(k->longest_ns));
	ord_edn_put_word(&map, "outage-at-us", us(k->longest_at_ns));
	ord_edn_put_word(&map, "outage-in-fault-us", us(k->in_fault_ns));
	ord_edn_put_word(&map, "outage-without-fault-us", us(k->without_fault_ns));
	ord_edn_put_word(&map, "latency-us", latency_edn(a, k));
	return map;
}

static uint64_t faulty_ns(const struct availability *a)
{
	uint64_t sum_ns = 0, last_ns = a->h->ops_count > 0 ? a->h->ops[a->h->ops_count - 1].time_ns : 0;
	for (uint32_t i = 0; i < a->faults_count; i++) {
		uint64_t end_ns = a->faults[i].end_ns < last_ns ? a->faults[i].end_ns : last_ns;
		sum_ns += end_ns > a->faults[i].begin_ns ? end_ns - a->faults[i].begin_ns : 0;
	}
	return sum_ns;
}

static void tell(struct availability *a)
{
	struct ord_edn by_f = ord_edn_map(&a->v->pool, a->numbers.values_count);
	uint64_t longest_ns = 0;
	for (uint32_t i = 0; i < a->numbers.values_count; i++) {
		const struct kind *k = a->kinds[i];
		longest_ns = k->longest_ns > longest_ns ? k->longest_ns : longest_ns;
		ord_edn_put(&by_f, ord_edn_copy(&a->v->pool, a->numbers.values[i]), kind_edn(a, k));
		if (a->options != NULL && a->options->outage_us_max > 0 &&
		    k->longest_ns / NS_PER_US > a->options->outage_us_max)
			ord_verdict_add(a->v, ORD_INVALID, "outage", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
					"nobody got a %s for %" PRIu64 " ms from %" PRIu64 " ms on; %" PRIu64
					" ms are allowed",
					k->f, k->longest_ns / 1000000, k->longest_at_ns / 1000000,
					a->options->outage_us_max / 1000);
	}
	if (a->numbers.values_count == 0)
		ord_verdict_add(a->v, ORD_UNKNOWN, "no-operation", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"nobody asked anything");
	ord_verdict_figure(a->v, "outage-us", us(longest_ns));
	ord_verdict_count(a->v, "faults", a->faults_count);
	ord_verdict_figure(a->v, "faulty-us", us(faulty_ns(a)));
	ord_verdict_figure(a->v, "by-f", by_f);
}

int ord_check_availability(const struct ord_jepsen_history *h, const struct ord_availability_options *options,
			   struct ord_verdict *ret)
{
	struct availability a = {.h = h, .options = options, .v = ret};
	int err = ord_verdict_open(ret);
	if (err == ORD_OK)
		err = ord_numbering_open(&a.numbers);
	if (err == ORD_OK)
		err = find_faults(&a);
	for (uint32_t i = 0; err == ORD_OK && i < h->ops_count; i++)
		err = take(&a, &h->ops[i]);
	if (err == ORD_OK) {
		finish(&a);
		tell(&a);
	}
	for (uint32_t i = 0; i < a.kinds_capacity; i++)
		free(a.kinds[i]);
	free(a.kinds);
	free(a.faults);
	ord_numbering_close(&a.numbers);
	if (err != ORD_OK)
		ord_verdict_close(ret);
	return err;
}
