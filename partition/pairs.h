/* SPDX-License-Identifier: Apache-2.0 - a state in pieces, on its way from one store to another: all pairs of all tables in order, a bounded number of bytes at a time. */
#ifndef ORD_PARTITION_PAIRS_H
#define ORD_PARTITION_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#include "partition/changes.h"
#include "partition/store.h"

/* How far a copy has come: behind the pair of that key. table 0: at the beginning. */
struct ord_pairs_place {
	uint8_t table; /* enum ord_store_table */
	uint16_t key_bytes;
	uint8_t key[ORD_STORE_KEY_BYTES_MAX];
};

bool ord_pairs_place_equal(const struct ord_pairs_place *a, const struct ord_pairs_place *b);

/* Adds the pairs behind a place to an empty list of changes. *ret_end: there is nothing behind them. ORD_ERR_IO, ORD_ERR_CORRUPT (a pair is longer than any can be). */
int ord_pairs_gather(const struct ord_store *store, const struct ord_pairs_place *after, size_t bytes_max,
		     struct ord_changes *out, bool *ret_end);

/* What came of looking at a piece. */
struct ord_pairs_checked {
	struct ord_pairs_place place; /* of the last pair that was looked at */
	uint64_t pairs_count;
	uint64_t bytes; /* of their keys and values */
	bool is_last;	/* there is nothing behind them */
	bool presses; /* the view that they were read in holds more room than it should: the rest of the state at once */
};

/* Takes a pair; what it gives other than ORD_OK ends the walk. */
typedef int (*ord_pairs_each)(void *arg, enum ord_store_table table, struct ord_slice key, struct ord_slice value);

/* Gives each(arg, ...) the pairs behind a place, up to the one that brings them to bytes_max; each must come after the one before it. What was taken up to the end or the first error is in *ret. ORD_ERR_CORRUPT, ORD_ERR_IO, or what
 * each gave. */
int ord_pairs_walk(const struct ord_store *store, const struct ord_pairs_place *after, uint64_t bytes_max,
		   ord_pairs_each each, void *arg, struct ord_pairs_checked *ret);

/* Takes in bytes of a list that nobody vouches for: they must be whole pairs, with right checksums, in order, behind *place; then *ret has them and nothing else, and *place is the last one. ORD_ERR_FORMAT: nothing is changed.
 * ORD_ERR_NOMEM. */
int ord_pairs_take(struct ord_slice bytes, struct ord_pairs_place *place, struct ord_changes *ret);

#endif
