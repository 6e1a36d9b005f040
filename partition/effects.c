/* SPDX-License-Identifier: Apache-2.0 - the lists of effects. */
#include "partition/effects.h"

#include <stdlib.h>

#include "base/assert.h"

#define EFFECTS_FIRST_CAPACITY 16

void ord_effects_init(struct ord_effects *fx)
{
	*fx = (struct ord_effects){0};
}

void ord_effects_close(struct ord_effects *fx)
{
	free(fx->replies);
	free(fx->outcomes);
	ord_effects_init(fx);
}

void ord_effects_clear(struct ord_effects *fx)
{
	fx->replies_count = 0;
	fx->outcomes_count = 0;
	fx->outbox_grew = false;
	fx->mark.compared = false;
	fx->mark.differs = false;
}

/* Room for one more item of item_bytes at the end of the array. */
static void *reserve(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
	if (count < *capacity)
		return items;
	*capacity = *capacity == 0 ? EFFECTS_FIRST_CAPACITY : *capacity * 2;
	items = realloc(items, *capacity * item_bytes);
	ORD_ASSERT(items != NULL);
	return items;
}

void ord_effects_add_reply(struct ord_effects *fx, const struct ord_reply *reply)
{
	fx->replies = reserve(fx->replies, fx->replies_count, &fx->replies_capacity, sizeof *fx->replies);
	fx->replies[fx->replies_count++] = *reply;
}

void ord_effects_add_outcome(struct ord_effects *fx, const struct ord_outcome *outcome)
{
	fx->outcomes = reserve(fx->outcomes, fx->outcomes_count, &fx->outcomes_capacity, sizeof *fx->outcomes);
	fx->outcomes[fx->outcomes_count++] = *outcome;
}
