/* SPDX-License-Identifier: Apache-2.0 - which nodes a search has met.
 *
 * Nodes of one hash lie one behind the other from the hash's slot on, up to SAME_MAX of them, and are compared by their sets. Further ones are kept under a hash of hash and set, and are only known again as they are. */
#include "jepsen/checkers/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define FIRST_SLOTS 256u
#define SAME_MAX 64u

void ord_seen_init(struct ord_seen *s, size_t words_count, size_t bytes_max)
{
	*s = (struct ord_seen){.words_count = words_count, .bytes_max = bytes_max};
}

void ord_seen_close(struct ord_seen *s)
{
	free(s->slots);
	ord_seen_init(s, s->words_count, s->bytes_max);
}

static uint64_t *slot_at(const struct ord_seen *s, size_t at)
{
	return s->slots + (at & (s->slots_count - 1)) * (2 + s->words_count);
}

static bool is_free(const uint64_t *slot)
{
	return (slot[0] | slot[1]) == 0;
}

static void slot_fill(const struct ord_seen *s, uint64_t *slot, const uint64_t hash[2], const uint64_t *set)
{
	slot[0] = hash[0];
	slot[1] = hash[1];
	if (s->words_count > 0)
		memcpy(slot + 2, set, s->words_count * sizeof *set);
}

static uint64_t *free_slot(const struct ord_seen *s, const uint64_t hash[2])
{
	size_t at = (size_t)hash[0];
	while (!is_free(slot_at(s, at)))
		at++;
	return slot_at(s, at);
}

static bool grow(struct ord_seen *s)
{
	struct ord_seen grown = *s;
	size_t slot_bytes = (2 + s->words_count) * sizeof *s->slots;
	grown.slots_count = s->slots_count > 0 ? 2 * s->slots_count : FIRST_SLOTS;
	/* Both are there while one is filled from the other. */
	if ((grown.slots_count + s->slots_count) * slot_bytes > s->bytes_max)
		return false;
	grown.slots = calloc(grown.slots_count, slot_bytes);
	if (grown.slots == NULL)
		return false;
	for (size_t i = 0; i < s->slots_count; i++) {
		const uint64_t *slot = slot_at(s, i);
		if (!is_free(slot))
			slot_fill(&grown, free_slot(&grown, slot), slot, slot + 2);
	}
	free(s->slots);
	*s = grown;
	return true;
}

/* Whether all of part is in whole. */
static bool is_part(const struct ord_seen *s, const uint64_t *part, const uint64_t *whole)
{
	for (size_t i = 0; i < s->words_count; i++) {
		if ((part[i] & ~whole[i]) != 0)
			return false;
	}
	return true;
}

/* Looks at the nodes with the hash; true when one has a part of the set. *ret_slot is where the node belongs else; NULL when there are same_max of them already. */
static bool find(const struct ord_seen *s, const uint64_t hash[2], const uint64_t *set, uint32_t same_max,
		 uint64_t **ret_slot)
{
	uint32_t same = 0;
	for (size_t at = (size_t)hash[0];; at++) {
		uint64_t *slot = slot_at(s, at);
		*ret_slot = slot;
		if (is_free(slot))
			return false;
		if (slot[0] != hash[0] || slot[1] != hash[1])
			continue;
		if (is_part(s, slot + 2, set))
			return true;
		*ret_slot = NULL;
		if (++same == same_max)
			return false;
	}
}

bool ord_seen_put(struct ord_seen *s, const uint64_t hash[2], const uint64_t *set, bool *ret_new)
{
	uint64_t kept[2] = {hash[0], hash[1] | ((hash[0] | hash[1]) == 0)}, *slot;
	if (2 * (s->count + 1) > s->slots_count && !grow(s))
		return false;
	*ret_new = !find(s, kept, set, SAME_MAX, &slot);
	if (*ret_new && slot == NULL) {
		struct ord_hash128 both = ord_hash128_seed(set, s->words_count * sizeof *set, kept[0]);
		kept[0] = both.halves[0];
		kept[1] ^= both.halves[1] | 1;
		*ret_new = !find(s, kept, set, UINT32_MAX, &slot);
	}
	if (!*ret_new)
		return true;
	slot_fill(s, slot, kept, set);
	s->count++;
	return true;
}
