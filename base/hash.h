/* SPDX-License-Identifier: Apache-2.0 - hashes and checksums: XXH3 for tables and routing, CRC-32C for frames and log records. */
#ifndef ORD_BASE_HASH_H
#define ORD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH3-64 with seed 0, as the xxHash specification defines it. The routing of keys to partitions rests on it: fixed for ever. */
uint64_t ord_hash64(const void *base, size_t len);

/* The same with a seed: for two parts that must not be confused ("ab"+"c" and "a"+"bc"). */
uint64_t ord_hash64_seed(const void *base, size_t len, uint64_t seed);

/* XXH3-128 with a seed: both halves, the low one first. */
struct ord_hash128 {
	uint64_t halves[2];
};
struct ord_hash128 ord_hash128_seed(const void *base, size_t len, uint64_t seed);

/* CRC-32C (Castagnoli, RFC 3720 section 12.1) of the bytes, continuing from crc (0 to begin). Uses the processor's instruction
 * where there is one. */
uint32_t ord_crc32c(uint32_t crc, const void *base, size_t len);

#endif
