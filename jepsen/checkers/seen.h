/* SPDX-License-Identifier: Apache-2.0 - which nodes a search has met, in bounded memory: a hash of what had to happen, and the set of what happened besides. */
#ifndef ORD_JEPSEN_CHECKERS_SEEN_H
#define ORD_JEPSEN_CHECKERS_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open addressing, never more than half full. A slot is two words of the hash, both 0 when it is free, and words_count words of the set. */
struct ord_seen {
	uint64_t *slots;    /* owned */
	size_t slots_count; /* a power of two, or 0 */
	size_t count;
	size_t words_count;
	size_t bytes_max;
};

/* An empty one for sets of words_count words (0 or more). Allocates nothing yet. */
void ord_seen_init(struct ord_seen *s, size_t words_count, size_t bytes_max);
void ord_seen_close(struct ord_seen *s);

/* Keeps the node. *ret_new is false, and nothing is kept, when one with the same hash was met whose set is a part of this one: it had all the choices that this one has, and more. (Of very many with one hash
 * only some are compared in that way: then *ret_new may be true all the same, but never for a node that is known as it is.)
 * False when the node takes more than bytes_max, or there is no memory: nothing has changed then. */
bool ord_seen_put(struct ord_seen *s, const uint64_t hash[2], const uint64_t *set, bool *ret_new);

#endif
