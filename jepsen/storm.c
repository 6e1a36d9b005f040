/* SPDX-License-Identifier: Apache-2.0 - the thread that puts faults in force and takes them back, by seed, and keeps what the cluster said of each. */
#include "jepsen/storm.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "jepsen/clock.h"
#include "jepsen/proof.h"

#define POOL_BYTES_MAX (256u << 20)
#define FAULT_TIMEOUT_MS 60000
#define RESTART_TIMEOUT_MS 180000
#define HEAL_TRIES 3

const char *ord_storm_effect_name(enum ord_storm_effect effect)
{
	switch (effect) {
	case ORD_STORM_NONE:
		return "none";
	case ORD_STORM_SEEN:
		return "seen";
	case ORD_STORM_FAILED:
		return "failed";
	case ORD_STORM_UNKNOWN:
		break;
	}
	return "unknown";
}

void ord_storm_init(struct ord_storm *s, const struct ord_storm_options *options, const struct ord_subject *subject,
		    struct ord_diary *diary)
{
	ORD_ASSERT(options->intensity > 0);
	s->options = *options;
	s->subject = subject;
	s->diary = diary;
	ord_edn_pool_init(&s->pool, POOL_BYTES_MAX);
	ord_random_init(&s->random, options->seed, UINT64_MAX - 1);
}

void ord_storm_close(struct ord_storm *s)
{
	ord_edn_pool_close(&s->pool);
}

static uint64_t now_ns(const struct ord_storm *s)
{
	return ord_clock_ns() - s->diary->zero_ns;
}

static struct ord_edn command_text(struct ord_storm *s, const struct ord_nemesis_plan *plan)
{
	char text[ORD_NEMESIS_WORDS_MAX * ORD_NEMESIS_WORD_BYTES];
	size_t used = 0;
	for (uint32_t i = 0; i < plan->words_count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? " " : "", plan->words[i]);
	return ord_edn_string(&s->pool, ord_slice_of(text, used));
}

/* False: there is nothing to do. */
static bool plan_draw(struct ord_storm *s, struct ord_nemesis_plan *ret)
{
	const struct ord_nemesis *n = s->options.nemeses[ord_random_below(&s->random, s->options.nemeses_count)];
	*ret = (struct ord_nemesis_plan){0};
	if (n->plan != NULL)
		n->plan(&s->random, &s->options.shape, ret);
	return n->plan != NULL;
}

/* Whoever starts nodes again must start the same program. */
static void ordaind_add(const struct ord_storm *s, struct ord_program_words *words)
{
	if (s->subject->ordaind == NULL)
		return;
	ord_program_add(words, "--ordaind");
	ord_program_add(words, s->subject->ordaind);
}

/* Puts one fault in force and keeps what came of it. */
static void fault_begin(struct ord_storm *s, const struct ord_nemesis_plan *plan)
{
	struct ord_program_words words = {0};
	char why[ORD_SUBJECT_WHY_SIZE];
	struct ord_storm_fault *f = &s->faults[s->faults_count++];
	*f = (struct ord_storm_fault){.f = plan->f, .command = command_text(s, plan), .begin_ns = now_ns(s)};
	for (uint32_t i = 0; i < plan->words_count; i++)
		ord_program_add(&words, plan->words[i]);
	if (plan->ends_itself)
		ordaind_add(s, &words);
	ord_diary_nemesis(s->diary, plan->f, f->command, ord_edn_nil());
	int err = ord_subject_ask(s->subject, &words, plan->ends_itself ? RESTART_TIMEOUT_MS : FAULT_TIMEOUT_MS,
				  &s->pool, &f->proof, why);
	/* With an answer some of it took effect: a rule for the links of a node that is down is for the others. */
	bool answered = err == ORD_OK || f->proof.kind == ORD_EDN_MAP;
	f->effect = answered ? ord_proof_effect(plan, f->proof) : ORD_STORM_FAILED;
	if (err != ORD_OK)
		f->error = ord_edn_string(&s->pool, ord_slice_text(why));
	ord_diary_nemesis(s->diary, plan->f, f->proof, f->error);
	if (plan->ends_itself) {
		f->end_ns = now_ns(s);
		ord_diary_nemesis(s->diary, "stop-rolling-restart", ord_edn_nil(), ord_edn_nil());
	}
}

/* What is in force, and what it has done so far; nil when nobody knows. */
static struct ord_edn in_force(struct ord_storm *s)
{
	struct ord_program_words words = {.words = {"fault", "list"}, .count = 2};
	struct ord_edn answer;
	char why[ORD_SUBJECT_WHY_SIZE];
	ord_subject_ask(s->subject, &words, FAULT_TIMEOUT_MS, &s->pool, &answer, why);
	return answer;
}

int ord_storm_heal(struct ord_storm *s, char *why)
{
	struct ord_program_words words = {.words = {"fault", "heal", "--timeout", "60s"}, .count = 4};
	struct ord_edn answer, listing = in_force(s);
	int err = ORD_ERR_INVALID;
	uint32_t gone = ord_proof_gone(s, listing);
	if (s->gone_node == 0 && gone != 0) {
		s->gone_node = gone;
		s->gone_ns = now_ns(s);
	}
	ordaind_add(s, &words);
	for (int i = 0; err != ORD_OK && i < HEAL_TRIES; i++)
		err = ord_subject_ask(s->subject, &words, RESTART_TIMEOUT_MS, &s->pool, &answer, why);
	uint64_t end_ns = now_ns(s);
	for (; s->healed_count < s->faults_count; s->healed_count++) {
		struct ord_storm_fault *f = &s->faults[s->healed_count];
		f->end_ns = f->end_ns == 0 ? end_ns : f->end_ns;
		if (f->effect == ORD_STORM_UNKNOWN)
			f->effect = ord_proof_listed(f->f, listing);
	}
	struct ord_edn value = ord_edn_map(&s->pool, 2);
	ord_edn_put_word(&value, "before", listing);
	ord_edn_put_word(&value, "healed", answer);
	ord_diary_nemesis(s->diary, "heal", value,
			  err == ORD_OK ? ord_edn_nil() : ord_edn_string(&s->pool, ord_slice_text(why)));
	s->heals_failed += err != ORD_OK;
	return err;
}

/* Half to one and a half of the interval; false: the storm is over. */
static bool lull(struct ord_storm *s, uint32_t share)
{
	uint64_t even_ns = s->options.interval_ms * 1000000ull / share;
	uint64_t until_ns = ord_clock_ns() + even_ns / 2 + ord_random_below(&s->random, even_ns + 1);
	if (until_ns >= s->deadline_ns) {
		ord_clock_sleep_until(s->deadline_ns);
		return false;
	}
	return ord_clock_sleep_until(until_ns);
}

/* Whether a fault that begins now lasts long enough for an effect. */
static bool has_time(const struct ord_storm *s)
{
	return ord_clock_ns() + s->options.interval_ms * 1000000ull / s->options.intensity / 2 < s->deadline_ns;
}

/* One round: faults, one on top of the other, for a while; then all are taken back. */
static bool round_run(struct ord_storm *s)
{
	struct ord_nemesis_plan plan;
	char why[ORD_SUBJECT_WHY_SIZE];
	bool goes_on = true;
	for (uint32_t i = 0; goes_on && i < s->options.intensity && s->faults_count < ORD_STORM_FAULTS_MAX; i++) {
		if (has_time(s) && plan_draw(s, &plan))
			fault_begin(s, &plan);
		goes_on = lull(s, s->options.intensity);
	}
	ord_storm_heal(s, why);
	return goes_on && s->faults_count < ORD_STORM_FAULTS_MAX;
}

static void *storm_main(void *arg)
{
	struct ord_storm *s = arg;
	while (lull(s, 1) && round_run(s))
		continue;
	return NULL;
}

int ord_storm_start(struct ord_storm *s, uint32_t seconds)
{
	s->deadline_ns = ord_clock_ns() + seconds * 1000000000ull;
	return pthread_create(&s->thread, NULL, storm_main, s) == 0 ? ORD_OK : ORD_ERR_NOMEM;
}

void ord_storm_join(struct ord_storm *s)
{
	pthread_join(s->thread, NULL);
}
