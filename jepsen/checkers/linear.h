/* SPDX-License-Identifier: Apache-2.0 - whether operations on one register can have happened in some order that each saw; J. Wing and C. Gong, "Testing and Verifying
 * Concurrent Objects" (1993), with the memory of G. Lowe, "Testing for Linearizability" (2017): a set of operations and a state that led nowhere once is not tried again. */
#ifndef ORD_JEPSEN_CHECKERS_LINEAR_H
#define ORD_JEPSEN_CHECKERS_LINEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an operation does to the register, which holds a number; at first 0, which stands for nil. */
enum ord_linear_kind {
	ORD_LINEAR_READ = 1,  /* it held a */
	ORD_LINEAR_WRITE = 2, /* it holds a from then on */
	ORD_LINEAR_CAS = 3,   /* it held a and holds b from then on */
	ORD_LINEAR_NOT = 4,   /* it held something else than a */
	ORD_LINEAR_OTHER = 5  /* it held something else than a and nil */
};

#define ORD_LINEAR_NEVER UINT32_MAX

/* Operation of one register: it took effect at one moment after begin and before end. One whose end is ORD_LINEAR_NEVER may have taken effect at any moment after begin, or not at all. */
struct ord_linear_op {
	enum ord_linear_kind kind;
	uint32_t a;
	uint32_t b;
	uint32_t begin; /* begins and ends are all different, but for ORD_LINEAR_NEVER */
	uint32_t end;
};

struct ord_linear_limits {
	uint64_t deadline_ns; /* of CLOCK_MONOTONIC; 0: none */
	size_t bytes_max;     /* memory for what was tried; 0: 1 GiB */
};

enum ord_linear_answer {
	ORD_LINEAR_YES = 1,
	ORD_LINEAR_NO = 2,
	ORD_LINEAR_TIME = 3,  /* the deadline came first: nothing is known */
	ORD_LINEAR_MEMORY = 4 /* bytes_max or memory was reached first: nothing is known */
};

struct ord_linear_result {
	enum ord_linear_answer answer;
	uint32_t
		stuck; /* NO: place in ops of the operation that no order got past: all orders of what ended before it are used up; else undefined */
	uint64_t steps; /* operations tried */
};

/* ops has the order of begin (asserted). limits may be NULL. Looks at the operations alone: no I/O but the clock, when there is a deadline. */
void ord_linear_check(const struct ord_linear_op *ops, uint32_t ops_count, const struct ord_linear_limits *limits,
		      struct ord_linear_result *ret);

#endif
