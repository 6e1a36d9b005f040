/* SPDX-License-Identifier: Apache-2.0 - hashes and checksums. */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t ord_hash64(const void *base, size_t len)
{
	return XXH3_64bits(base, len);
}

uint64_t ord_hash64_seed(const void *base, size_t len, uint64_t seed)
{
	return XXH3_64bits_withSeed(base, len, seed);
}

struct ord_hash128 ord_hash128_seed(const void *base, size_t len, uint64_t seed)
{
	XXH128_hash_t hash = XXH3_128bits_withSeed(base, len, seed);
	return (struct ord_hash128){{hash.low64, hash.high64}};
}
