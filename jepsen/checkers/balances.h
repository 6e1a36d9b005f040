/* SPDX-License-Identifier: Apache-2.0 - between which two values a balance must lie at a time, by all that is known of transfers in the end. */
#ifndef ORD_JEPSEN_CHECKERS_BALANCES_H
#define ORD_JEPSEN_CHECKERS_BALANCES_H

#include "jepsen/checkers/ledger.h"

struct ord_balances;

/* The ledger is borrowed. ORD_ERR_NOMEM. */
int ord_balances_open(const struct ord_ledger *l, struct ord_balances **ret);
void ord_balances_close(struct ord_balances *b);

/* Whether a refusal for this reason comes after the debit, so that there was a refund. */
bool ord_balances_is_refunded(struct ord_edn reason);

struct ord_balances_range {
	int64_t low;
	int64_t high;
};

/* What the balance of the account (by number) can have been at some moment between the operations begin and end of the history. Low: what was surely paid in before begin less all that may have been paid out before end; high: the reverse.
 * "Surely" is what somebody had been told; "may" is what had been asked for and was not refused before a debit, in the end. */
struct ord_balances_range ord_balances_between(const struct ord_balances *b, uint32_t account, uint32_t begin,
					       uint32_t end);

/* Whether the balance can have been that: what was surely paid by begin, and some of what was under way until end. Of very many transfers under way, or large amounts (subset.h), only the range is looked at. */
bool ord_balances_can_be(const struct ord_balances *b, uint32_t account, uint32_t begin, uint32_t end, int64_t balance);

#endif
