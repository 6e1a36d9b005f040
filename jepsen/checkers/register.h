/* SPDX-License-Identifier: Apache-2.0 - checker: every key is a linearizable register. Jepsen's independent cas-register.
 *
 *   :read  [k nil] -> ok [k v]      v is nil when the register is empty, as all are at first
 *   :write [k v]   -> ok [k v]      or nil
 *   :cas   [k [old new]] -> ok [k [old new]]    or nil; each of the two may be nil
 *
 * v: any value that is no map. A fail did nothing, and is not looked at unless its :error is [:not old]: then it is a read that saw something else than old, and must fit as well.
 * An info, or an operation without completion, may have taken effect at any later moment or not at all. Other fs are not looked at. */
#ifndef ORD_JEPSEN_CHECKERS_REGISTER_H
#define ORD_JEPSEN_CHECKERS_REGISTER_H

#include "jepsen/verdict.h"

struct ord_register_options {
	uint32_t time_limit_ms; /* for all keys; 0: 60 s */
	size_t bytes_max;	/* for one key's search; 0: 1 GiB */
};

/* Rules: `not-linearizable` (invalid: a key has no possible order; names the operation that no order got past), `out-of-time`, `out-of-memory` (unknown, never valid), `malformed` (unknown: a
 * value that is none of the above). `no-operation` (unknown: there is nothing to judge). Figures: :keys, :ops, :infos, :steps, :duration-us. options may be NULL. ORD_ERR_NOMEM. */
int ord_check_register(const struct ord_jepsen_history *h, const struct ord_register_options *options,
		       struct ord_verdict *ret);

#endif
