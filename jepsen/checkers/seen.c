/* SPDX-License-Identifier: Apache-2.0 - a set of hashes of 128 bits in bounded memory. */
#include "jepsen/checkers/seen.h"

#include <stdlib.h>

#define FIRST_SLOTS 1024u

void ord_seen_close(struct ord_seen *s)
{
	free(s->slots);
	*s = (struct ord_seen){0};
}

static bool is_free(const uint64_t slot[2])
{
	return (slot[0] | slot[1]) == 0;
}

/* The slot that has the hash, or else the free one where it belongs. */
static uint64_t *slot_of(const struct ord_seen *s, const uint64_t hash[2])
{
	size_t at = hash[0] & (s->slots_count - 1);
	while (!is_free(s->slots[at]) && (s->slots[at][0] != hash[0] || s->slots[at][1] != hash[1]))
		at = (at + 1) & (s->slots_count - 1);
	return s->slots[at];
}

static void slot_fill(uint64_t *slot, const uint64_t hash[2])
{
	slot[0] = hash[0];
	slot[1] = hash[1];
}

static bool grow(struct ord_seen *s, size_t bytes_max)
{
	struct ord_seen grown = {.slots_count = s->slots_count > 0 ? 2 * s->slots_count : FIRST_SLOTS,
				 .count = s->count};
	/* Both are there while one is filled from the other. */
	if ((grown.slots_count + s->slots_count) * sizeof *grown.slots > bytes_max)
		return false;
	grown.slots = calloc(grown.slots_count, sizeof *grown.slots);
	if (grown.slots == NULL)
		return false;
	for (size_t i = 0; i < s->slots_count; i++) {
		if (!is_free(s->slots[i]))
			slot_fill(slot_of(&grown, s->slots[i]), s->slots[i]);
	}
	free(s->slots);
	*s = grown;
	return true;
}

bool ord_seen_put(struct ord_seen *s, const uint64_t hash[2], size_t bytes_max, bool *ret_new)
{
	const uint64_t kept[2] = {hash[0], hash[1] | ((hash[0] | hash[1]) == 0)};
	if (2 * (s->count + 1) > s->slots_count && !grow(s, bytes_max))
		return false;
	uint64_t *slot = slot_of(s, kept);
	*ret_new = is_free(slot);
	if (!*ret_new)
		return true;
	slot_fill(slot, kept);
	s->count++;
	return true;
}
