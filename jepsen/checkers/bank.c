/* SPDX-License-Identifier: Apache-2.0 - checker: money is neither made nor lost, and nobody falls below the floor. */
#include "jepsen/checkers/bank.h"

#include "jepsen/checkers/books.h"

int ord_check_bank(const struct ord_jepsen_history *h, struct ord_verdict *ret)
{
	return ord_books_judge(h, NULL, ret);
}
