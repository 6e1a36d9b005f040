/* SPDX-License-Identifier: Apache-2.0 - tests of base/hash.h: published values, since routing and stored checksums rest on them for ever. */
#include "base/hash.h"

#include <criterion/criterion.h>
#include <string.h>

/* Brings in its static functions, so that the path for processors without the instruction is tested on those that have it. */
#include "base/crc32c.c" // NOLINT(bugprone-suspicious-include)

/* The byte sequence that xxHash's own sanity check uses. */
static void sanity_bytes(uint8_t *bytes, size_t len)
{
	uint64_t generator = 2654435761u;
	for (size_t i = 0; i < len; i++) {
		bytes[i] = (uint8_t)(generator >> 56);
		generator *= 11400714785074694797ull;
	}
}

Test(base_hash, xxh3_has_the_published_values)
{
	static const struct {
		size_t len;
		uint64_t want;
	} golden[] = {
		{0, 0x2d06800538d394c2ull},   {1, 0xc44bdff4074eecdbull},    {6, 0x27b56a84cd2d7325ull},
		{12, 0xa713daf0dfbb77e7ull},  {24, 0xa3fe70bf9d3510ebull},   {48, 0x397da259ecba1f11ull},
		{80, 0xbcdefbbb2c47c90aull},  {195, 0xcd94217ee362ec3aull},  {403, 0xcdeb804d65c6dea4ull},
		{512, 0x617e49599013cb6bull}, {2048, 0xdd59e2c3a5f038e0ull}, {2367, 0xcb37aeb9e5d361edull},
	};
	uint8_t bytes[2367];
	sanity_bytes(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++)
		cr_assert_eq(ord_hash64(bytes, golden[i].len), golden[i].want, "%zu bytes", golden[i].len);
}

Test(base_hash, a_seed_separates)
{
	cr_assert_eq(ord_hash64_seed("ab", 2, 0), ord_hash64("ab", 2));
	cr_assert_neq(ord_hash64_seed("ab", 2, 1), ord_hash64("ab", 2));
	cr_assert_neq(ord_hash64_seed("c", 1, ord_hash64("ab", 2)), ord_hash64_seed("bc", 2, ord_hash64("a", 1)));
}

struct crc_case {
	const char *what;
	uint8_t bytes[48];
	size_t len;
	uint32_t want;
};

/* RFC 3720 appendix B.4, and the check value of the catalogues of CRCs. */
static size_t crc_cases(struct crc_case *cases)
{
	cases[0] = (struct crc_case){.what = "digits", .len = 9, .want = 0xe3069283};
	memcpy(cases[0].bytes, "123456789", 9);
	cases[1] = (struct crc_case){.what = "zeros", .len = 32, .want = 0x8a9136aa};
	cases[2] = (struct crc_case){.what = "ones", .len = 32, .want = 0x62a8ab43};
	memset(cases[2].bytes, 0xff, 32);
	cases[3] = (struct crc_case){.what = "rising", .len = 32, .want = 0x46dd794e};
	cases[4] = (struct crc_case){.what = "falling", .len = 32, .want = 0x113fdb5c};
	for (uint8_t i = 0; i < 32; i++) {
		cases[3].bytes[i] = i;
		cases[4].bytes[i] = (uint8_t)(31 - i);
	}
	cases[5] = (struct crc_case){.what = "nothing", .len = 0, .want = 0};
	return 6;
}

Test(base_hash, crc32c_has_the_published_values)
{
	struct crc_case cases[6];
	size_t count = crc_cases(cases);
	for (size_t i = 0; i < count; i++) {
		cr_assert_eq(ord_crc32c(0, cases[i].bytes, cases[i].len), cases[i].want, "%s", cases[i].what);
		cr_assert_eq(~crc32c_plain(~0u, cases[i].bytes, cases[i].len), cases[i].want, "%s", cases[i].what);
	}
}

Test(base_hash, crc32c_continues_where_it_stopped)
{
	uint8_t bytes[100];
	sanity_bytes(bytes, sizeof bytes);
	uint32_t whole = ord_crc32c(0, bytes, sizeof bytes);
	for (size_t cut = 0; cut <= sizeof bytes; cut++)
		cr_assert_eq(ord_crc32c(ord_crc32c(0, bytes, cut), bytes + cut, sizeof bytes - cut), whole,
			     "cut at %zu", cut);
}

/* Lengths and alignments at which the instruction takes eight bytes or one. */
Test(base_hash, both_ways_to_crc32c_agree)
{
	uint8_t bytes[300];
	sanity_bytes(bytes, sizeof bytes);
	for (size_t from = 0; from < 9; from++)
		for (size_t len = 0; len < 280; len++)
			cr_assert_eq(ord_crc32c(0, bytes + from, len), ~crc32c_plain(~0u, bytes + from, len),
				     "%zu at %zu", len, from);
}

Test(base_hash, crc32c_sees_every_flipped_bit)
{
	uint8_t bytes[64];
	sanity_bytes(bytes, sizeof bytes);
	uint32_t right = ord_crc32c(0, bytes, sizeof bytes);
	for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_assert_neq(ord_crc32c(0, bytes, sizeof bytes), right, "bit %zu", bit);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}
