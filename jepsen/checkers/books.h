/* SPDX-License-Identifier: Apache-2.0 - the rules of money that hold in every history of transfers, whatever they stand for: for bank, stock and idempotence. */
#ifndef ORD_JEPSEN_CHECKERS_BOOKS_H
#define ORD_JEPSEN_CHECKERS_BOOKS_H

#include "jepsen/checkers/ledger.h"

/* Judges a history of transfers: by the rules of `own`, if it is not NULL, and then by those of bank.h, with their figures. ORD_ERR_NOMEM, also of `own`; *ret is closed then, else the
 * caller closes it. */
typedef int (*ord_books_own)(const struct ord_ledger *l, struct ord_verdict *v);
int ord_books_judge(const struct ord_jepsen_history *h, ord_books_own own, struct ord_verdict *ret);

#endif
