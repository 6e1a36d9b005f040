/* SPDX-License-Identifier: Apache-2.0 - what a checker says of a history. */
#include "jepsen/verdict.h"

#include <stdarg.h>

#include "base/assert.h"
#include "base/err.h"

const char *ord_validity_name(enum ord_validity validity)
{
	static const char *const names[] = {"valid", "unknown", "invalid"};
	ORD_ASSERT(validity <= ORD_INVALID);
	return names[validity];
}

int ord_verdict_open(struct ord_verdict *ret)
{
	*ret = (struct ord_verdict){.validity = ORD_VALID};
	ord_edn_pool_init(&ret->pool, (size_t)16 << 20);
	ret->figures = ord_edn_map(&ret->pool, ORD_VERDICT_FIGURES_MAX);
	return ret->pool.failed ? ORD_ERR_NOMEM : ORD_OK;
}

void ord_verdict_close(struct ord_verdict *v)
{
	ord_edn_pool_close(&v->pool);
	*v = (struct ord_verdict){0};
}

/* Which finding the next one becomes: what is invalid takes the place of what is only unknown. ORD_VERDICT_FINDINGS_MAX when there is no room. */
static uint32_t room_for(struct ord_verdict *v, enum ord_validity validity)
{
	if (v->findings_kept < ORD_VERDICT_FINDINGS_MAX)
		return v->findings_kept++;
	for (uint32_t i = ORD_VERDICT_FINDINGS_MAX; i-- > 0;) {
		if (v->findings[i].validity < validity)
			return i;
	}
	return ORD_VERDICT_FINDINGS_MAX;
}

/* Names one more operation of the finding that was added last; those beyond ORD_VERDICT_OPS_MAX are left out. */
static void op_name(struct ord_verdict *v, uint32_t op)
{
	struct ord_finding *f = v->last < v->findings_kept ? &v->findings[v->last] : NULL;
	if (f != NULL && op != ORD_JEPSEN_NONE && f->ops_count < ORD_VERDICT_OPS_MAX)
		f->ops[f->ops_count++] = op;
}

void ord_verdict_add(struct ord_verdict *v, enum ord_validity validity, const char *rule, uint32_t op,
		     uint32_t other_op, const char *format, ...)
{
	va_list arguments;
	ORD_ASSERT(validity != ORD_VALID);
	v->findings_count++;
	if (validity > v->validity)
		v->validity = validity;
	v->last = room_for(v, validity);
	if (v->last == ORD_VERDICT_FINDINGS_MAX)
		return;
	struct ord_finding *f = &v->findings[v->last];
	*f = (struct ord_finding){.validity = validity, .rule = rule};
	va_start(arguments, format);
	vsnprintf(f->words, sizeof f->words, format, arguments);
	va_end(arguments);
	op_name(v, op);
	op_name(v, other_op);
}

void ord_verdict_figure(struct ord_verdict *v, const char *name, struct ord_edn value)
{
	ord_edn_put_word(&v->figures, name, value);
}

void ord_verdict_count(struct ord_verdict *v, const char *name, uint64_t number)
{
	ord_verdict_figure(v, name, ord_edn_int(number > INT64_MAX ? INT64_MAX : (int64_t)number));
}

static struct ord_edn validity_edn(enum ord_validity validity)
{
	return validity == ORD_UNKNOWN ? ord_edn_word("unknown") : ord_edn_bool(validity == ORD_VALID);
}

static struct ord_edn finding_edn(const struct ord_finding *f, struct ord_edn_pool *pool)
{
	struct ord_edn map = ord_edn_map(pool, 4);
	struct ord_edn ops = ord_edn_vector(pool, f->ops_count);
	for (uint32_t i = 0; i < ops.len; i++)
		ops.items[i] = ord_edn_int(f->ops[i]);
	ord_edn_put_word(&map, "rule", ord_edn_word(f->rule));
	ord_edn_put_word(&map, "valid?", validity_edn(f->validity));
	ord_edn_put_word(&map, "words", ord_edn_string(pool, ord_slice_text(f->words)));
	ord_edn_put_word(&map, "ops", ops);
	return map;
}

struct ord_edn ord_verdict_edn(const struct ord_verdict *v, struct ord_edn_pool *pool)
{
	struct ord_edn map = ord_edn_map(pool, 3 + v->figures.len / 2);
	struct ord_edn findings = ord_edn_vector(pool, v->findings_kept);
	for (uint32_t i = 0; i < findings.len; i++)
		findings.items[i] = finding_edn(&v->findings[i], pool);
	ord_edn_put_word(&map, "valid?", validity_edn(v->validity));
	ord_edn_put_word(&map, "findings-count", ord_edn_int((int64_t)v->findings_count));
	ord_edn_put_word(&map, "findings", findings);
	for (uint32_t i = 0; i < v->figures.len; i += 2)
		ord_edn_put(&map, v->figures.items[i], ord_edn_copy(pool, v->figures.items[i + 1]));
	return map;
}
