/* SPDX-License-Identifier: Apache-2.0 - the digest of a state. */
#include "partition/digest.h"

#include "base/hash.h"

/* The text's hash begins from the low half of the numbers', and the high half is added: both are of all there is. */
struct ord_digest ord_digest_of(enum ord_digest_tag tag, struct ord_slice fixed, struct ord_slice text)
{
	struct ord_hash128 numbers = ord_hash128_seed(fixed.base, fixed.len, (uint64_t)tag);
	if (text.len == 0)
		return (struct ord_digest){{numbers.halves[0], numbers.halves[1]}};
	struct ord_hash128 all = ord_hash128_seed(text.base, text.len, numbers.halves[0]);
	return (struct ord_digest){{all.halves[0], all.halves[1] + numbers.halves[1]}};
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
