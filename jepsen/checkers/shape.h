/* SPDX-License-Identifier: Apache-2.0 - checker: whether a history is one at all. What it finds makes all other verdicts worthless. */
#ifndef ORD_JEPSEN_CHECKERS_SHAPE_H
#define ORD_JEPSEN_CHECKERS_SHAPE_H

#include "jepsen/verdict.h"

/* Rules: `time` (goes back), `two-at-once` (a process asks before its last operation is completed), `no-invocation` (a completion of nothing), `other-f` (a completion of something
 * else than was asked), `other-value` (an ok that has another value under a key of its invocation), `retired` (a process goes on after an info), `nemesis` (an operation of the nemesis that is no info).
 * Figures: :ops, :ok, :fail, :info, :open (never completed), :nemesis; :by-f, a map of f to {:ok :fail :info}. An empty history is unknown (`empty`). ORD_ERR_NOMEM. */
int ord_check_shape(const struct ord_jepsen_history *h, struct ord_verdict *ret);

#endif
