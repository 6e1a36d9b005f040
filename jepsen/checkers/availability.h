/* SPDX-License-Identifier: Apache-2.0 - checker: how long each kind of operation was not to be had, and how long it took.
 *
 * A fault is in force from an operation of the nemesis that is none of the ends to the next end: :heal, :start, :resume, :stop and all that begin with "heal", "stop" or "end". */
#ifndef ORD_JEPSEN_CHECKERS_AVAILABILITY_H
#define ORD_JEPSEN_CHECKERS_AVAILABILITY_H

#include "jepsen/verdict.h"

struct ord_availability_options {
	uint64_t outage_us_max; /* longer ones are invalid; 0: all are allowed */
};

/* An outage of f begins when somebody asks for it while nobody else waits, or with an ok while somebody waits, and ends with the next ok; also with an answer that is no ok, if nobody asks anew within a second. What begins with
 * "final", and :request, :log and :open, which belong to before and after the run, are not looked at.
 * Rules: `outage` (invalid, with outage_us_max), `no-operation` (unknown).
 * Figures: :by-f, for each f {:ok-percent :outage-us :outage-at-us :outage-in-fault-us (the longest that a fault touches) :outage-without-fault-us :latency-us {:p50 :p95 :p99 :p999 :max}}; :outage-us (the longest
 * of all), :faults (periods), :faulty-us (their length). options may be NULL. ORD_ERR_NOMEM. */
int ord_check_availability(const struct ord_jepsen_history *h, const struct ord_availability_options *options,
			   struct ord_verdict *ret);

#endif
