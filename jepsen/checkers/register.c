/* SPDX-License-Identifier: Apache-2.0 - checker: every key is a linearizable register. */
#include "jepsen/checkers/register.h"

#include "base/err.h"
#include "jepsen/checkers/registers.h"

static bool is_pair(struct ord_edn v)
{
	return v.kind == ORD_EDN_VECTOR && v.len == 2;
}

static bool malformed(struct ord_verdict *v, uint32_t index, const char *what)
{
	ord_verdict_add(v, ORD_UNKNOWN, "malformed", index, ORD_JEPSEN_NONE, "%s", what);
	return false;
}

/* A refused change whose :error is [:not old] has seen that it is not. */
static bool seen_not(struct ord_edn error)
{
	return is_pair(error) && ord_edn_is_word(error.items[0], "not");
}

/* What the operation that asked did, as far as it says something; false when it says nothing. type: of its completion; INFO when there is none. */
static bool understand(const struct ord_jepsen_op *asked, const struct ord_jepsen_op *done, enum ord_jepsen_type type,
		       struct ord_registers_op *ret)
{
	struct ord_edn argument = asked->value.items[1];
	if (strcmp(asked->f, "read") == 0) {
		ret->kind = ORD_LINEAR_READ;
		if (type == ORD_JEPSEN_OK)
			ret->a = done->value.items[1];
		return type == ORD_JEPSEN_OK;
	}
	if (strcmp(asked->f, "write") == 0) {
		ret->kind = ORD_LINEAR_WRITE;
		ret->a = argument;
		return type != ORD_JEPSEN_FAIL;
	}
	ret->kind = ORD_LINEAR_CAS;
	ret->a = argument.items[0];
	ret->b = argument.items[1];
	if (type != ORD_JEPSEN_FAIL)
		return true;
	ret->kind = ORD_LINEAR_NOT;
	ret->a = ret->b = seen_not(done->error) ? done->error.items[1] : ord_edn_nil();
	return seen_not(done->error);
}

static bool is_of_register(const struct ord_jepsen_op *op)
{
	return op->type == ORD_JEPSEN_INVOKE && op->process != ORD_JEPSEN_NEMESIS &&
	       (strcmp(op->f, "read") == 0 || strcmp(op->f, "write") == 0 || strcmp(op->f, "cas") == 0);
}

/* Whether the values have the form of register.h. */
static bool is_well_formed(const struct ord_jepsen_history *h, uint32_t index, struct ord_verdict *v)
{
	const struct ord_jepsen_op *asked = &h->ops[index];
	const struct ord_jepsen_op *done = asked->other != ORD_JEPSEN_NONE ? &h->ops[asked->other] : NULL;
	if (!is_pair(asked->value))
		return malformed(v, index, "the value is not [key argument]");
	if (strcmp(asked->f, "cas") == 0 && !is_pair(asked->value.items[1]))
		return malformed(v, index, "the value of a cas is not [key [old new]]");
	if (done != NULL && done->type == ORD_JEPSEN_OK && strcmp(asked->f, "read") == 0 &&
	    (!is_pair(done->value) || !ord_edn_equal(done->value.items[0], asked->value.items[0])))
		return malformed(v, asked->other, "a read is not answered with [key value] of the same key");
	if (done != NULL && done->type == ORD_JEPSEN_OK && strcmp(asked->f, "read") != 0 &&
	    !ord_edn_is_nil(done->value) && !ord_edn_equal(done->value, asked->value))
		return malformed(v, asked->other, "a change is answered with another value than was asked");
	return true;
}

static int add(struct ord_registers *r, const struct ord_jepsen_history *h, uint32_t index)
{
	const struct ord_jepsen_op *asked = &h->ops[index];
	const struct ord_jepsen_op *done = asked->other != ORD_JEPSEN_NONE ? &h->ops[asked->other] : NULL;
	enum ord_jepsen_type type = done != NULL ? done->type : ORD_JEPSEN_INFO;
	struct ord_registers_op op = {.key = asked->value.items[0],
				      .begin = index,
				      .end = type == ORD_JEPSEN_INFO ? ORD_LINEAR_NEVER : asked->other};
	return understand(asked, done, type, &op) ? ord_registers_add(r, &op) : ORD_OK;
}

int ord_check_register(const struct ord_jepsen_history *h, const struct ord_register_options *options,
		       struct ord_verdict *ret)
{
	struct ord_registers *r = NULL;
	uint32_t count = 0;
	int err = ord_verdict_open(ret);
	if (err == ORD_OK)
		err = ord_registers_open(&r);
	for (uint32_t i = 0; err == ORD_OK && i < h->ops_count; i++) {
		if (is_of_register(&h->ops[i]) && ++count > 0 && is_well_formed(h, i, ret))
			err = add(r, h, i);
	}
	if (err == ORD_OK && count == 0)
		ord_verdict_add(ret, ORD_UNKNOWN, "no-operation", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"nobody asked to read, write or cas");
	if (err == ORD_OK)
		err = ord_registers_check(r, options, ret);
	ord_registers_close(r);
	if (err != ORD_OK)
		ord_verdict_close(ret);
	return err;
}
