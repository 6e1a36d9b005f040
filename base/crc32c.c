/* SPDX-License-Identifier: Apache-2.0 - CRC-32C: the SSE4.2 instruction where the processor has it, bit by bit elsewhere. */
#include <string.h>

#include "base/hash.h"

#define CRC32C_POLYNOMIAL_REVERSED 0x82f63b78u

static uint32_t crc32c_byte(uint32_t byte)
{
	for (int bit = 0; bit < 8; bit++)
		byte = (byte & 1) != 0 ? (byte >> 1) ^ CRC32C_POLYNOMIAL_REVERSED : byte >> 1;
	return byte;
}

static uint32_t crc32c_plain(uint32_t crc, const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		crc = (crc >> 8) ^ crc32c_byte((crc ^ at[i]) & 0xff);
	return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *at, size_t len)
{
	uint64_t wide = crc;
	for (; len >= 8; at += 8, len -= 8) {
		uint64_t word;
		memcpy(&word, at, sizeof word);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t)wide;
	for (; len > 0; at++, len--)
		crc = __builtin_ia32_crc32qi(crc, *at);
	return crc;
}
#endif

uint32_t ord_crc32c(uint32_t crc, const void *base, size_t len)
{
	crc = ~crc;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc32c_sse42(crc, base, len);
#endif
	return ~crc32c_plain(crc, base, len);
}
