/* SPDX-License-Identifier: Apache-2.0 - the rules of money that hold in every history of transfers, whatever they stand for: for bank, stock and idempotence. */
#ifndef ORD_JEPSEN_CHECKERS_BOOKS_H
#define ORD_JEPSEN_CHECKERS_BOOKS_H

#include "jepsen/checkers/ledger.h"

/* Adds what it finds, and the figures, of bank.h. ORD_ERR_NOMEM. */
int ord_books_check(const struct ord_ledger *l, struct ord_verdict *v);

#endif
