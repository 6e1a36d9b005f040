/* SPDX-License-Identifier: Apache-2.0 - the clients of a run, one thread each: set-up, the time of the workload, questions and reads at the end. */
#ifndef ORD_JEPSEN_CROWD_H
#define ORD_JEPSEN_CROWD_H

#include "jepsen/diary.h"
#include "jepsen/subject.h"
#include "jepsen/workload.h"

struct ord_crowd_options {
	uint32_t threads_count;
	uint32_t rate;	     /* operations a second, all threads together; 0: as fast as they come */
	uint32_t timeout_ms; /* of an operation */
	uint32_t patience_s; /* how long is asked again at the end */
	uint64_t seed;
};

struct ord_crowd {
	struct ord_crowd_options options;
	const struct ord_workload *workload;
	void *state; /* owned; the workload's */
	const struct ord_subject *subject;
	struct ord_diary *diary;
	uint64_t deadline_ns;	   /* of the phase under way */
	uint64_t turn;		   /* under the diary's lock: the next question or read at the end */
	uint32_t missing;	   /* likewise: those that were never answered */
	struct ord_edn *undecided; /* owned: ids of operations that ended as INFO */
	uint32_t undecided_count;
	uint32_t undecided_capacity;
	struct ord_edn_pool pool; /* of undecided */
};

/* All borrowed but the state, which is made. ORD_ERR_NOMEM. */
int ord_crowd_open(struct ord_crowd *c, const struct ord_crowd_options *options, const struct ord_workload *workload,
		   const struct ord_workload_shape *shape, const struct ord_subject *subject, struct ord_diary *diary);
void ord_crowd_close(struct ord_crowd *c);

/* What has to be there first, by this thread. ORD_ERR_INVALID: an operation was not ok, with why. */
int ord_crowd_setup(struct ord_crowd *c, char *why);

/* The workload, for so long or until the program is asked to end. ORD_ERR_NOMEM: a thread cannot be had. */
int ord_crowd_work(struct ord_crowd *c, uint32_t seconds);

/* Asks what became of each operation whose outcome nobody was told, again and again until each is known, for at most a while. missing counts those that are not. As ord_crowd_work. */
int ord_crowd_question(struct ord_crowd *c);

/* Likewise makes the reads at the end. */
int ord_crowd_read(struct ord_crowd *c);

#endif
