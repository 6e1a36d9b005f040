/* SPDX-License-Identifier: Apache-2.0 - counts of durations in log-linear buckets: quantiles within 1/64 of their value, in fixed memory. */
#ifndef ORD_BASE_HISTOGRAM_H
#define ORD_BASE_HISTOGRAM_H

#include <stdint.h>

/* Values below 128 have a bucket each; above, every power of two has 64 buckets. Covers all of uint64_t. */
#define ORD_HISTOGRAM_BUCKETS (128 + 57 * 64)

struct ord_histogram {
	uint64_t counts[ORD_HISTOGRAM_BUCKETS];
	uint64_t count;
	uint64_t max;
};

void ord_histogram_init(struct ord_histogram *h);
void ord_histogram_add(struct ord_histogram *h, uint64_t value);

/* The smallest value that per_mille thousandths of all values do not exceed, rounded up to its bucket's end and never above the largest value
 * added. 0 when nothing was added. Asserts per_mille <= 1000. */
uint64_t ord_histogram_quantile(const struct ord_histogram *h, uint32_t per_mille);

/* The same in millionths: 999,900 is the 99.99th percentile. Asserts per_million <= 1,000,000. */
uint64_t ord_histogram_quantile_fine(const struct ord_histogram *h, uint32_t per_million);

#endif
