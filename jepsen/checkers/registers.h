/* SPDX-License-Identifier: Apache-2.0 - many registers, one for each key, and whether each is linearizable by itself. For the checkers whose operations are, or can be seen as, those of a register. */
#ifndef ORD_JEPSEN_CHECKERS_REGISTERS_H
#define ORD_JEPSEN_CHECKERS_REGISTERS_H

#include "jepsen/checkers/linear.h"
#include "jepsen/checkers/register.h"

/* begin and end are operations of the history: the invocation, and the completion (ORD_LINEAR_NEVER: it may have happened at any time after begin or not at all). */
struct ord_registers_op {
	struct ord_edn key;
	enum ord_linear_kind kind;
	struct ord_edn a; /* as in ord_linear_op; nil is what a register holds at first */
	struct ord_edn b;
	uint32_t begin;
	uint32_t end;
};

struct ord_registers;

/* ORD_ERR_NOMEM. */
int ord_registers_open(struct ord_registers **ret);
void ord_registers_close(struct ord_registers *r);

/* Adds an operation, in the order of begin. Values are borrowed from the history. ORD_ERR_NOMEM. */
int ord_registers_add(struct ord_registers *r, const struct ord_registers_op *op);

/* Looks for an order for each key and adds what it finds to the verdict: rules and figures of register.h. options may be NULL. ORD_ERR_NOMEM. */
int ord_registers_check(struct ord_registers *r, const struct ord_register_options *options, struct ord_verdict *v);

#endif
