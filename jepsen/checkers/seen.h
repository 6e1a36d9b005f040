/* SPDX-License-Identifier: Apache-2.0 - a set of hashes of 128 bits in bounded memory: which nodes a search has met. */
#ifndef ORD_JEPSEN_CHECKERS_SEEN_H
#define ORD_JEPSEN_CHECKERS_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open addressing, never more than half full. A slot of two zeros is free. Zeroed, it is empty. */
struct ord_seen {
	uint64_t (*slots)[2]; /* owned */
	size_t slots_count;   /* a power of two */
	size_t count;
};

void ord_seen_close(struct ord_seen *s);

/* Puts the hash in; *ret_new is false when it was there. False when that takes more than bytes_max, or there is no memory: nothing has changed then. */
bool ord_seen_put(struct ord_seen *s, const uint64_t hash[2], size_t bytes_max, bool *ret_new);

#endif
