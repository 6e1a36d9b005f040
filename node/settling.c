/* SPDX-License-Identifier: Apache-2.0 - waits for outcomes. */
#include "node/settling.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"

#define SETTLING_SPARE_MAX 4096
/* Outcomes whose waits are asked of memory before their turn. */
#define SETTLING_AHEAD 8

_Static_assert(ORD_SETTLING_SLOTS *ORD_SETTLING_SLOT_MS > ORD_WAIT_MS_MAX, "a deadline is less than a turn away");

struct ord_settling_wait {
	struct ord_table_link link; /* first */
	struct ord_settling_wait *next;
	struct ord_settling_wait **previous_next; /* what points here, for taking out */
	struct ord_uuid id;
	struct ord_result result;
	uint64_t deadline_ms;
	struct ord_waiter *waiter; /* borrowed */
	uint32_t item;
};

static struct ord_settling_wait *wait_of(struct ord_table_link *link)
{
	return (struct ord_settling_wait *)link;
}

static bool wait_has_id(const struct ord_table_link *link, const void *id)
{
	return ord_uuid_equal(&((const struct ord_settling_wait *)link)->id, id);
}

static uint64_t id_hash(const struct ord_uuid *id)
{
	return ord_hash64(id->bytes, sizeof id->bytes);
}

int ord_settling_open(struct ord_settling *s, uint32_t partition, uint64_t now_ms)
{
	*s = (struct ord_settling){.partition = partition, .swept_ms = now_ms};
	return ord_table_open(&s->table);
}

void ord_settling_close(struct ord_settling *s)
{
	ORD_ASSERT(s->table.count == 0);
	while (s->spare != NULL) {
		struct ord_settling_wait *next = s->spare->next;
		free(s->spare);
		s->spare = next;
	}
	ord_table_close(&s->table);
}

void ord_settling_add(struct ord_settling *s, const struct ord_uuid *id, const struct ord_result *result,
		      uint64_t deadline_ms, struct ord_waiter *w, uint32_t item)
{
	struct ord_settling_wait *wait = s->spare;
	if (wait != NULL) {
		s->spare = wait->next;
		s->spare_count--;
	} else {
		wait = malloc(sizeof *wait);
		ORD_ASSERT(wait != NULL);
	}
	struct ord_settling_wait **slot = &s->slots[deadline_ms / ORD_SETTLING_SLOT_MS % ORD_SETTLING_SLOTS];
	*wait = (struct ord_settling_wait){.next = *slot,
					   .previous_next = slot,
					   .id = *id,
					   .result = *result,
					   .deadline_ms = deadline_ms,
					   .waiter = w,
					   .item = item};
	if (*slot != NULL)
		(*slot)->previous_next = &wait->next;
	*slot = wait;
	ord_table_put(&s->table, &wait->link, id_hash(id));
}

/* Takes the wait out of table and wheel, then answers. */
static void wait_end(struct ord_settling *s, struct ord_settling_wait *wait, const struct ord_answer *answer)
{
	ord_table_remove(&s->table, &wait->link);
	*wait->previous_next = wait->next;
	if (wait->next != NULL)
		wait->next->previous_next = wait->previous_next;
	struct ord_waiter *w = wait->waiter;
	uint32_t item = wait->item;
	if (s->spare_count < SETTLING_SPARE_MAX) {
		wait->next = s->spare;
		s->spare = wait;
		s->spare_count++;
	} else {
		free(wait);
	}
	w->answer(w, item, answer);
}

void ord_settling_outcome(struct ord_settling *s, const struct ord_uuid *id, const struct ord_result *result)
{
	if (s->table.count == 0)
		return;
	uint64_t hash = id_hash(id);
	for (;;) {
		struct ord_table_link *link = ord_table_find(&s->table, hash, id, wait_has_id);
		if (link == NULL)
			return;
		struct ord_answer a = {.partition = s->partition, .result = *result};
		a.result.replayed = wait_of(link)->result.replayed;
		wait_end(s, wait_of(link), &a);
	}
}

void ord_settling_outcomes(struct ord_settling *s, const struct ord_outcome *outcomes, size_t count)
{
	for (size_t i = 0; i < count && s->table.count > 0; i++) {
		if (i + 2 * SETTLING_AHEAD < count)
			ord_table_prefetch(&s->table, id_hash(&outcomes[i + 2 * SETTLING_AHEAD].request_id));
		if (i + SETTLING_AHEAD < count)
			ord_table_prefetch_record(&s->table, id_hash(&outcomes[i + SETTLING_AHEAD].request_id));
		ord_settling_outcome(s, &outcomes[i].request_id, &outcomes[i].result);
	}
}

static void slot_expire(struct ord_settling *s, struct ord_settling_wait *wait, uint64_t now_ms)
{
	while (wait != NULL) {
		struct ord_settling_wait *next = wait->next;
		if (wait->deadline_ms <= now_ms) {
			struct ord_answer a = {.partition = s->partition, .result = wait->result};
			wait_end(s, wait, &a);
		}
		wait = next;
	}
}

void ord_settling_expire(struct ord_settling *s, uint64_t now_ms)
{
	uint64_t first = s->swept_ms / ORD_SETTLING_SLOT_MS;
	uint64_t last = now_ms / ORD_SETTLING_SLOT_MS;
	if (last - first >= ORD_SETTLING_SLOTS)
		first = last - ORD_SETTLING_SLOTS + 1;
	for (uint64_t slot = first; slot <= last; slot++)
		slot_expire(s, s->slots[slot % ORD_SETTLING_SLOTS], now_ms);
	s->swept_ms = now_ms;
}

void ord_settling_fail(struct ord_settling *s, int err)
{
	struct ord_answer a = {.err = err, .partition = s->partition};
	for (unsigned slot = 0; slot < ORD_SETTLING_SLOTS; slot++)
		while (s->slots[slot] != NULL)
			wait_end(s, s->slots[slot], &a);
}
