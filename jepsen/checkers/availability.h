/* SPDX-License-Identifier: Apache-2.0 - checker: how long each kind of operation was not to be had, and how long it took.
 *
 * A fault is in force from an operation of the nemesis whose f is not one of the ends (:heal, :start, :resume, :stop and those that begin with "heal" or "stop") to the next end. */
#ifndef ORD_JEPSEN_CHECKERS_AVAILABILITY_H
#define ORD_JEPSEN_CHECKERS_AVAILABILITY_H

#include "jepsen/verdict.h"

struct ord_availability_options {
	uint64_t outage_us_max; /* longer ones are invalid; 0: all are allowed */
	const char *
		final_f; /* operations of this f are not looked at; NULL: those whose f begins with "final" or is "request" or "log" */
};

/* An outage of f is the time without an ok of it, from the first invocation of an f to the last one, while somebody waited for one or asked anew. Rule `outage` (invalid, with outage_us_max). Figures: :by-f, for each f {:ok-percent :outage-us
 * :outage-in-fault-us :outage-at-us :latency-us {:p50 :p95 :p99 :p999 :max}}; :outage-us (the longest of all), :faults, :faulty-us. options may be NULL. ORD_ERR_NOMEM. */
int ord_check_availability(const struct ord_jepsen_history *h, const struct ord_availability_options *options,
			   struct ord_verdict *ret);

#endif
