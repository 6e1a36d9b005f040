/* SPDX-License-Identifier: Apache-2.0 - the digest of a state. */
#include "partition/digest.h"

#include "base/hash.h"

/* Sets the second half of a hash apart from the first; any odd number without a pattern does. */
#define SECOND_HALF 0x9e3779b97f4a7c15u

struct ord_digest ord_digest_of(enum ord_digest_tag tag, struct ord_slice fixed, struct ord_slice text)
{
	uint64_t a = ord_hash64_seed(fixed.base, fixed.len, (uint64_t)tag);
	uint64_t b = ord_hash64_seed(fixed.base, fixed.len, (uint64_t)tag ^ SECOND_HALF);
	if (text.len != 0) {
		a = ord_hash64_seed(text.base, text.len, a);
		b = ord_hash64_seed(text.base, text.len, b);
	}
	return (struct ord_digest){{a, b}};
}

void ord_digest_add(struct ord_digest *d, struct ord_digest record)
{
	d->sum[0] += record.sum[0];
	d->sum[1] += record.sum[1];
}

void ord_digest_subtract(struct ord_digest *d, struct ord_digest record)
{
	d->sum[0] -= record.sum[0];
	d->sum[1] -= record.sum[1];
}

void ord_digest_count(struct ord_digest *d, enum ord_digest_tag tag, uint32_t which, uint64_t delta)
{
	struct ord_digest weight = ord_digest_of(tag, ord_slice_of(&which, sizeof which), (struct ord_slice){0});
	d->sum[0] += weight.sum[0] * delta;
	d->sum[1] += weight.sum[1] * delta;
}
