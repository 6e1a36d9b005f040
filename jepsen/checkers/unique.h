/* SPDX-License-Identifier: Apache-2.0 - checker: a name has one owner at a time, and everybody who asks sees whom.
 *
 *   :claim    {:id i :name n :owner o}       -> ok {... :outcome :settled | :refused, :reason :name_taken}
 *   :reassign {:id i :name n :from o :to p}  -> ok {... :outcome, :reason :other_owner | :name_free}
 *   :release  {:id i :name n :owner o}       -> ok {... :outcome, :reason :other_owner | :name_free}
 *   :read, :final-read {:name n}             -> ok {:name n :owner o}      nil: nobody
 *   :request  {:id i}                        -> ok {:id i :outcome ...}    as in ledger.h
 *
 * A fail was certainly not logged. An id is asked for several times with the same fields; its effect is one, between the first invocation and the first answer. */
#ifndef ORD_JEPSEN_CHECKERS_UNIQUE_H
#define ORD_JEPSEN_CHECKERS_UNIQUE_H

#include "jepsen/checkers/register.h"

/* Rules: `two-owners` (two claims of a name won and nothing can have freed it between), `two-outcomes` (an id was told two), `not-linearizable` (no order of the claims, refusals, releases and reads of a name
 * fits what everybody was told: a refusal says who did not own it), `reason` (a claim that is refused as others are, or the reverse), invalid; `reason` (any other one), `out-of-time`, `out-of-memory`, `no-operation`, `malformed`, unknown. Figures: :names, :won, :refused, :released, :reassigned, :reads, :steps.
 * options may be NULL. ORD_ERR_NOMEM. */
int ord_check_unique(const struct ord_jepsen_history *h, const struct ord_register_options *options,
		     struct ord_verdict *ret);

#endif
