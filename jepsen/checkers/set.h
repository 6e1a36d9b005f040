/* SPDX-License-Identifier: Apache-2.0 - checker: what was added stays, and everybody sees it from then on. Jepsen's set-full, for reads of parts of the set too.
 *
 *   :add  e   -> ok e                              e: an integer; each is added by one operation
 *   :read nil -> ok [1 2 7]                        the whole set
 *   :read {:from 1 :to 8} -> ok {:from 1 :to 8 :found [1 2 7]}    all elements from 1 to 8 were looked for, each after the invocation
 *   :final-read as :read                           after everything has healed
 */
#ifndef ORD_JEPSEN_CHECKERS_SET_H
#define ORD_JEPSEN_CHECKERS_SET_H

#include "jepsen/verdict.h"

/* An element is known when its add is ok, or when a read that has it is completed, whichever is first. Rules: `lost` (known, missing in the last read that looked for it), `stale` (known before a read began that does not
 * have it, and seen again later), `duplicated` (twice in one read), `never-added` (read, but nobody asked to add it, or before anybody did), `failed-but-there` (its add failed for sure, and it was read), invalid;
 * `never-read` (acknowledged, but no read that began after it was known looked for it), `no-read`, `malformed`, unknown.
 * Figures: :attempts, :acknowledged, :stable, :lost, :stale, :never-read, :recovered (info, and there), :reads, :stable-latency-us {:p50 :p99 :max} (from known to seen for good). ORD_ERR_NOMEM. */
int ord_check_set(const struct ord_jepsen_history *h, struct ord_verdict *ret);

#endif
