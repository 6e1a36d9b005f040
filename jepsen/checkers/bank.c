/* SPDX-License-Identifier: Apache-2.0 - checker: money is neither made nor lost, and nobody falls below the floor. */
#include "jepsen/checkers/bank.h"

#include "base/err.h"
#include "jepsen/checkers/books.h"

int ord_check_bank(const struct ord_jepsen_history *h, struct ord_verdict *ret)
{
	struct ord_ledger l = {0};
	int err = ord_verdict_open(ret);
	if (err == ORD_OK)
		err = ord_ledger_open(h, ret, &l);
	if (err == ORD_OK)
		err = ord_books_check(&l, ret);
	ord_ledger_close(&l);
	if (err != ORD_OK)
		ord_verdict_close(ret);
	return err;
}
