/* SPDX-License-Identifier: Apache-2.0 - a nemesis: which faults it puts in force, chosen by seed. */
#include "jepsen/nemesis.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "jepsen/nemeses/nemeses.h"

const struct ord_nemesis *const ord_nemeses[] = {
#define X(name) &ord_nemesis_##name,
#include "jepsen/nemeses/nemeses.def"
#undef X
	NULL,
};

const struct ord_nemesis *ord_nemesis_find(const char *name)
{
	for (const struct ord_nemesis *const *n = ord_nemeses; *n != NULL; n++) {
		if (strcmp((*n)->name, name) == 0)
			return *n;
	}
	return NULL;
}

void ord_nemesis_add(struct ord_nemesis_plan *plan, const char *format, ...)
{
	va_list args;
	ORD_ASSERT(plan->words_count < ORD_NEMESIS_WORDS_MAX);
	va_start(args, format);
	vsnprintf(plan->words[plan->words_count++], ORD_NEMESIS_WORD_BYTES, format, args);
	va_end(args);
}

void ord_nemesis_shuffle(struct ord_random *r, uint32_t count, uint32_t *ret)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t j = (uint32_t)ord_random_below(r, i + 1);
		ret[i] = i + 1;
		ret[i] = ret[j];
		ret[j] = i + 1;
	}
}

void ord_nemesis_list(const uint32_t *nodes, uint32_t count, char text[ORD_NEMESIS_WORD_BYTES])
{
	size_t used = strlen(text);
	for (uint32_t i = 0; i < count && used < ORD_NEMESIS_WORD_BYTES; i++)
		used += (size_t)snprintf(text + used, ORD_NEMESIS_WORD_BYTES - used, "%s%" PRIu32, i > 0 ? "," : "",
					 nodes[i]);
}

void ord_nemesis_add_target(struct ord_nemesis_plan *plan, struct ord_random *r, const struct ord_nemesis_shape *shape,
			    const struct ord_nemesis_weights *weights)
{
	uint32_t nodes[ORD_NODES_MAX] = {0};
	uint32_t counts[] = {1, (shape->nodes_count - 1) / 2, shape->nodes_count / 2 + 1, shape->nodes_count};
	uint32_t shares[] = {weights->one, weights->minority, weights->majority, weights->all};
	uint64_t drawn = ord_random_below(r, shares[0] + shares[1] + shares[2] + shares[3] + weights->leader);
	char text[ORD_NEMESIS_WORD_BYTES] = "";
	uint32_t kind = 0;
	ord_nemesis_shuffle(r, shape->nodes_count, nodes);
	while (kind < 4 && drawn >= shares[kind])
		drawn -= shares[kind++];
	if (kind == 4)
		snprintf(text, sizeof text, "leader:%" PRIu64, ord_random_below(r, shape->partitions_count));
	else
		ord_nemesis_list(nodes, counts[kind] > 0 ? counts[kind] : 1, text);
	ord_nemesis_add(plan, "%s", text);
}
