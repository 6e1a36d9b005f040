/* SPDX-License-Identifier: Apache-2.0 - the thread that puts faults in force and takes them back, by seed, and keeps what the cluster said of each. */
#ifndef ORD_JEPSEN_STORM_H
#define ORD_JEPSEN_STORM_H

#include <pthread.h>

#include "jepsen/diary.h"
#include "jepsen/nemesis.h"
#include "jepsen/subject.h"

#define ORD_STORM_FAULTS_MAX 4096 /* of one run */

enum ord_storm_effect {
	ORD_STORM_UNKNOWN = 0, /* nothing said whether it had one */
	ORD_STORM_NONE = 1,    /* no effect was seen */
	ORD_STORM_SEEN = 2,    /* proof was given: a process is gone, packets were dropped */
	ORD_STORM_FAILED = 3   /* it could not be put in force */
};

/* One fault of the run. Values are made in the storm's pool. */
struct ord_storm_fault {
	const char *f;
	struct ord_edn command; /* "fault kill 2" */
	uint64_t begin_ns;	/* since the run began; until it was healed */
	uint64_t end_ns;
	enum ord_storm_effect effect;
	struct ord_edn proof; /* what the command answered */
	struct ord_edn error; /* FAILED: in words */
};

struct ord_storm_options {
	const struct ord_nemesis *nemeses[ORD_NEMESES_MAX];
	uint32_t nemeses_count;
	uint32_t interval_ms; /* between faults, and how long they last, on average */
	uint32_t intensity;   /* faults at once, 1 and more */
	uint64_t seed;
	struct ord_nemesis_shape shape;
};

struct ord_storm {
	struct ord_storm_options options;
	const struct ord_subject *subject;
	struct ord_diary *diary;
	struct ord_edn_pool pool;
	struct ord_random random;
	struct ord_storm_fault faults[ORD_STORM_FAULTS_MAX];
	uint32_t faults_count;
	uint32_t healed_count; /* of the faults: those before have ended */
	uint32_t heals_failed;
	uint32_t gone_node; /* the first that was gone though no fault had ended it; 0: none was */
	uint64_t gone_ns;   /* when that was seen */
	uint64_t deadline_ns;
	pthread_t thread;
};

/* A storm is large: calloc it. Borrows subject and diary. */
void ord_storm_init(struct ord_storm *s, const struct ord_storm_options *options, const struct ord_subject *subject,
		    struct ord_diary *diary);
void ord_storm_close(struct ord_storm *s);

/* Begins; the thread ends by itself after so many seconds, when the program is asked to end, or after ORD_STORM_FAULTS_MAX. ORD_ERR_NOMEM. */
int ord_storm_start(struct ord_storm *s, uint32_t seconds);
void ord_storm_join(struct ord_storm *s);

/* Takes everything back: called at the end of the run, too. ORD_ERR_INVALID, with why: it is not all well. */
int ord_storm_heal(struct ord_storm *s, char *why);

/* "seen", "none", "unknown", "failed". */
const char *ord_storm_effect_name(enum ord_storm_effect effect);

#endif
