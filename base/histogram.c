/* SPDX-License-Identifier: Apache-2.0 - counts of durations in log-linear buckets: quantiles within 1/64 of their value, in fixed memory. */
#include "base/histogram.h"

#include <string.h>

#include "base/assert.h"

#define LINEAR 128u /* values below have a bucket each */
#define STEPS 64u   /* buckets of one power of two above */

static uint32_t bucket_of(uint64_t value)
{
	if (value < LINEAR)
		return (uint32_t)value;
	uint32_t power = 63 - (uint32_t)__builtin_clzll(value); /* 7 .. 63 */
	return LINEAR + (power - 7) * STEPS + (uint32_t)(value >> (power - 6)) - STEPS;
}

/* The largest value that falls in the bucket. */
static uint64_t bucket_end(uint32_t bucket)
{
	if (bucket < LINEAR)
		return bucket;
	uint32_t power = 7 + (bucket - LINEAR) / STEPS;
	uint64_t step = STEPS + (bucket - LINEAR) % STEPS;
	return (step << (power - 6)) + ((1ull << (power - 6)) - 1);
}

void ord_histogram_init(struct ord_histogram *h)
{
	memset(h, 0, sizeof *h);
}

void ord_histogram_add(struct ord_histogram *h, uint64_t value)
{
	h->counts[bucket_of(value)]++;
	h->count++;
	if (value > h->max)
		h->max = value;
}

uint64_t ord_histogram_quantile_fine(const struct ord_histogram *h, uint32_t per_million)
{
	ORD_ASSERT(per_million <= 1000000);
	uint64_t rank = h->count / 1000000 * per_million + (h->count % 1000000 * per_million + 999999) / 1000000;
	uint64_t seen = 0;
	for (uint32_t i = 0; i < ORD_HISTOGRAM_BUCKETS && h->count > 0; i++) {
		seen += h->counts[i];
		if (seen >= rank && seen > 0)
			return bucket_end(i) < h->max ? bucket_end(i) : h->max;
	}
	return 0;
}

uint64_t ord_histogram_quantile(const struct ord_histogram *h, uint32_t per_mille)
{
	ORD_ASSERT(per_mille <= 1000);
	return ord_histogram_quantile_fine(h, per_mille * 1000);
}
