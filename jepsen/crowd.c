/* SPDX-License-Identifier: Apache-2.0 - the clients of a run, one thread each: set-up, the time of the workload, questions and reads at the end. */
#include "jepsen/crowd.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "jepsen/array.h"
#include "jepsen/clock.h"

#define POOL_BYTES_MAX (64u << 20)	 /* values of one operation and its answer */
#define UNDECIDED_BYTES_MAX (512u << 20) /* ids of all */
#define PATIENT_TIMEOUT_MS 10000	 /* of an operation of set-up, and of the end */
#define SETUP_TRIES_MAX 20
#define AGAIN_NS 200000000ull /* between two attempts at the end */

/* One thread. */
struct member {
	struct ord_crowd *crowd;
	uint32_t index;
	struct ord_client client;
	struct ord_edn_pool pool; /* of the operation under way */
	struct ord_random random;
	pthread_t thread;
	void (*run)(struct member *m);
};

int ord_crowd_open(struct ord_crowd *c, const struct ord_crowd_options *options, const struct ord_workload *workload,
		   const struct ord_workload_shape *shape, const struct ord_subject *subject, struct ord_diary *diary)
{
	*c = (struct ord_crowd){.options = *options, .workload = workload, .subject = subject, .diary = diary};
	ord_edn_pool_init(&c->pool, UNDECIDED_BYTES_MAX);
	c->state = calloc(1, workload->state_bytes + 1);
	if (c->state == NULL)
		return ORD_ERR_NOMEM;
	if (workload->begin != NULL)
		workload->begin(c->state, shape);
	return ORD_OK;
}

void ord_crowd_close(struct ord_crowd *c)
{
	if (c->state != NULL && c->workload->end != NULL)
		c->workload->end(c->state);
	free(c->state);
	free(c->undecided);
	ord_edn_pool_close(&c->pool);
	*c = (struct ord_crowd){0};
}

static void member_open(struct member *m, struct ord_crowd *c, uint32_t index, uint64_t stream, uint32_t timeout_ms)
{
	*m = (struct member){.crowd = c, .index = index};
	m->client.timeout_ms = timeout_ms;
	m->client.pool = &m->pool;
	m->client.program = c->subject->program;
	m->client.dir = c->subject->dir;
	ord_subject_addresses(c->subject, index, m->client.addresses);
	ord_random_init(&m->random, c->options.seed, stream);
	ord_edn_pool_init(&m->pool, POOL_BYTES_MAX);
}

static void member_close(struct member *m)
{
	ord_client_end(&m->client);
	ord_edn_pool_close(&m->pool);
}

/* Under the lock: keeps the id of an operation that nobody knows the outcome of. */
static void undecided_note(struct ord_crowd *c, struct ord_edn value)
{
	struct ord_edn id = ord_edn_get(value, "id");
	if (ord_edn_is_nil(id))
		return;
	if (!ord_array_reach(&c->undecided, &c->undecided_capacity, c->undecided_count, sizeof *c->undecided)) {
		c->missing++; /* not asked about: the checker says that it is undecided */
		return;
	}
	c->undecided[c->undecided_count++] = ord_edn_copy(&c->pool, id);
}

/* Asks one operation that was written down already, and writes down what came of it. */
static struct ord_told perform(struct member *m, const struct ord_ask *ask)
{
	struct ord_crowd *c = m->crowd;
	struct ord_told told = {0};
	if (ord_client_begin(&m->client, &told))
		c->workload->perform(&m->client, ask, &told);
	if (m->pool.failed) /* what was made of the answer is not all of it */
		told = (struct ord_told){.type = ORD_JEPSEN_INFO, .error = ord_edn_word("memory")};
	ord_diary_lock(c->diary);
	ord_diary_complete(c->diary, m->index, &told);
	if (c->workload->told != NULL)
		c->workload->told(c->state, ask, &told);
	if (told.type == ORD_JEPSEN_INFO)
		undecided_note(c, ask->value);
	ord_diary_unlock(c->diary);
	if (told.type == ORD_JEPSEN_INFO)
		ord_client_end(&m->client);
	return told;
}

int ord_crowd_setup(struct ord_crowd *c, char *why)
{
	struct member m;
	struct ord_ask ask = {0};
	struct ord_told told = {0};
	int err = ORD_OK;
	member_open(&m, c, 0, UINT32_MAX, PATIENT_TIMEOUT_MS);
	for (uint32_t n = 0; err == ORD_OK; n++) {
		if (c->workload->setup == NULL || !c->workload->setup(c->state, n, &m.random, &m.pool, &ask))
			break;
		for (int i = 0; i < SETUP_TRIES_MAX && told.type != ORD_JEPSEN_OK && !ord_clock_stopped(); i++) {
			ord_diary_lock(c->diary);
			ord_diary_invoke(c->diary, 0, &ask);
			ord_diary_unlock(c->diary);
			told = perform(&m, &ask);
		}
		if (told.type != ORD_JEPSEN_OK) {
			struct ord_slice error = ord_edn_text(told.error);
			snprintf(why, ORD_SUBJECT_WHY_SIZE, "set-up: %s was not done: %.*s", ask.f, (int)error.len,
				 error.len > 0 ? (const char *)error.base : "");
			err = ORD_ERR_INVALID;
		}
		told = (struct ord_told){0};
		ord_edn_pool_close(&m.pool);
	}
	member_close(&m);
	return err;
}

/* --- the time of the workload ----------------------------------------------------------------------------------------- */

/* The next moment to ask something: at an even rate, unevenly spread; who is late does not catch up. */
static uint64_t pace(struct member *m, uint64_t last_ns)
{
	const struct ord_crowd_options *o = &m->crowd->options;
	uint64_t now = ord_clock_ns();
	if (o->rate == 0)
		return now;
	uint64_t even_ns = 1000000000ull * o->threads_count / o->rate;
	uint64_t next_ns = last_ns + even_ns / 2 + ord_random_below(&m->random, even_ns + 1);
	return next_ns > now ? next_ns : now;
}

static void member_work(struct member *m)
{
	struct ord_crowd *c = m->crowd;
	uint64_t moment = ord_clock_ns();
	for (;;) {
		struct ord_ask ask = {0};
		moment = pace(m, moment);
		if (moment >= c->deadline_ns || !ord_clock_sleep_until(moment))
			return;
		ord_diary_lock(c->diary);
		c->workload->next(c->state, m->index, &m->random, &m->pool, &ask);
		ord_diary_invoke(c->diary, m->index, &ask);
		ord_diary_unlock(c->diary);
		perform(m, &ask);
		ord_edn_pool_close(&m->pool);
	}
}

/* --- the end ---------------------------------------------------------------------------------------------------------- */

/* Question n about what became of an id. */
static bool question(struct ord_crowd *c, uint64_t n, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	if (n >= c->undecided_count)
		return false;
	struct ord_edn value = ord_edn_map(pool, 1);
	ord_edn_put_word(&value, "id", ord_edn_copy(pool, c->undecided[n]));
	*ret = (struct ord_ask){.f = "request", .value = value};
	return true;
}

static bool final_read(struct ord_crowd *c, uint64_t n, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	return c->workload->final != NULL && c->workload->final(c->state, (uint32_t)n, pool, ret);
}

static bool is_over(const struct ord_crowd *c)
{
	return ord_clock_stopped() != 0 || ord_clock_ns() > c->deadline_ns;
}

/* Takes the next one and writes down that it is asked; false: there is none left, or no time for it. */
static bool take(struct member *m,
		 bool (*source)(struct ord_crowd *, uint64_t, struct ord_edn_pool *, struct ord_ask *),
		 struct ord_ask *ret)
{
	struct ord_crowd *c = m->crowd;
	ord_diary_lock(c->diary);
	bool taken = source(c, c->turn, &m->pool, ret);
	if (taken && is_over(c)) {
		c->missing++;
		taken = false;
	}
	c->turn += taken;
	if (taken)
		ord_diary_invoke(c->diary, m->index, ret);
	ord_diary_unlock(c->diary);
	return taken;
}

/* "Accepted" is no outcome yet. */
static bool is_answer(const struct ord_told *told)
{
	return told->type == ORD_JEPSEN_OK && !ord_edn_is_word(ord_edn_get(told->value, "outcome"), "accepted");
}

static void answer_await(struct member *m, const struct ord_ask *ask)
{
	struct ord_crowd *c = m->crowd;
	for (;;) {
		struct ord_told told = perform(m, ask);
		if (is_answer(&told))
			return;
		if (is_over(c) || !ord_clock_sleep_until(ord_clock_ns() + AGAIN_NS))
			break;
		ord_diary_lock(c->diary);
		ord_diary_invoke(c->diary, m->index, ask);
		ord_diary_unlock(c->diary);
	}
	ord_diary_lock(c->diary);
	c->missing++;
	ord_diary_unlock(c->diary);
}

static void member_question(struct member *m)
{
	struct ord_ask ask;
	while (take(m, question, &ask)) {
		answer_await(m, &ask);
		ord_edn_pool_close(&m->pool);
	}
}

static void member_read(struct member *m)
{
	struct ord_ask ask;
	while (take(m, final_read, &ask)) {
		answer_await(m, &ask);
		ord_edn_pool_close(&m->pool);
	}
}

/* --- threads ---------------------------------------------------------------------------------------------------------- */

static void *member_main(void *arg)
{
	struct member *m = arg;
	m->run(m);
	return NULL;
}

/* Every second client knows one node only, as Jepsen's do; the others go where the library sends them. */
static uint32_t node_of(const struct ord_crowd *c, uint32_t index)
{
	return index % 2 == 0 ? 0 : 1 + index / 2 % c->subject->nodes_count;
}

/* All threads, until all have returned. */
static int all_run(struct ord_crowd *c, void (*run)(struct member *m), uint64_t stream, uint32_t timeout_ms)
{
	struct member *members = calloc(c->options.threads_count, sizeof *members);
	uint32_t started = 0;
	if (members == NULL)
		return ORD_ERR_NOMEM;
	for (; started < c->options.threads_count; started++) {
		struct member *m = &members[started];
		member_open(m, c, started, stream + started, timeout_ms);
		m->run = run;
		m->client.node = run == member_work ? node_of(c, started) : 0;
		if (pthread_create(&m->thread, NULL, member_main, m) != 0)
			break;
	}
	for (uint32_t i = 0; i < started; i++) {
		pthread_join(members[i].thread, NULL);
		member_close(&members[i]);
	}
	free(members);
	return started == c->options.threads_count ? ORD_OK : ORD_ERR_NOMEM;
}

int ord_crowd_work(struct ord_crowd *c, uint32_t seconds)
{
	c->deadline_ns = ord_clock_ns() + seconds * 1000000000ull;
	return all_run(c, member_work, 0, c->options.timeout_ms);
}

static int finish(struct ord_crowd *c, void (*run)(struct member *m), uint64_t stream)
{
	c->deadline_ns = ord_clock_ns() + c->options.patience_s * 1000000000ull;
	c->turn = 0;
	return all_run(c, run, stream, PATIENT_TIMEOUT_MS);
}

int ord_crowd_question(struct ord_crowd *c)
{
	return finish(c, member_question, 100000);
}

int ord_crowd_read(struct ord_crowd *c)
{
	return finish(c, member_read, 200000);
}
