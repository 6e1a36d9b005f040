/* SPDX-License-Identifier: Apache-2.0 - numbers in as many bytes as they need: every length, both ends of each, and what is no such number. */
#include <criterion/criterion.h>

#include "base/varint.h"

static uint8_t room[64];
static size_t room_len;

/* Puts v into room, and gives its length. */
static size_t put(uint64_t v)
{
	struct ord_bytes b;
	ord_bytes_init(&b, sizeof room);
	ord_bytes_put_varint(&b, v);
	cr_assert(!b.failed);
	memcpy(room, b.base, b.len);
	room_len = b.len;
	ord_bytes_close(&b);
	return room_len;
}

static void expect_back(uint64_t v, size_t len)
{
	cr_assert_eq(put(v), len, "%llx has %zu bytes", (unsigned long long)v, room_len);
	struct ord_reader r = ord_reader_of(ord_slice_of(room, room_len));
	cr_assert_eq(ord_reader_varint(&r), v);
	cr_assert(!r.failed);
	cr_assert_eq(ord_reader_left(&r), 0);
	for (size_t cut = 0; cut < room_len; cut++) {
		r = ord_reader_of(ord_slice_of(room, cut));
		cr_assert_eq(ord_reader_varint(&r), 0);
		cr_assert(r.failed);
	}
}

Test(base_varint, every_length_at_both_ends)
{
	expect_back(0, 1);
	for (size_t len = 1; len < ORD_VARINT_BYTES_MAX; len++) {
		uint64_t next = UINT64_C(1) << (7 * len);
		expect_back(next - 1, len);
		expect_back(next, len + 1);
	}
	expect_back(UINT64_MAX, ORD_VARINT_BYTES_MAX);
}

Test(base_varint, signed_numbers_near_zero_are_short)
{
	static const struct {
		int64_t v;
		size_t len;
	} numbers[] = {{0, 1}, {-1, 1}, {1, 1}, {63, 1}, {-64, 1}, {64, 2}, {-65, 2}, {INT64_MAX, 10}, {INT64_MIN, 10}};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct ord_bytes b;
		ord_bytes_init(&b, sizeof room);
		ord_bytes_put_signed_varint(&b, numbers[i].v);
		cr_assert_eq(b.len, numbers[i].len, "number %zu", i);
		struct ord_reader r = ord_reader_of(ord_bytes_slice(&b));
		cr_assert_eq(ord_reader_signed_varint(&r), numbers[i].v, "number %zu", i);
		cr_assert(!r.failed);
		ord_bytes_close(&b);
	}
}

/* As the format's own description gives them: 300 is ac 02. */
Test(base_varint, bytes_are_those_of_the_specification)
{
	cr_assert_eq(put(300), 2);
	cr_assert_eq(room[0], 0xac);
	cr_assert_eq(room[1], 0x02);
}

Test(base_varint, more_than_64_bits_are_refused)
{
	static const uint8_t eleven[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01};
	static const uint8_t bit_64[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
	struct ord_reader r = ord_reader_of(ord_slice_of(eleven, sizeof eleven));
	cr_assert_eq(ord_reader_varint(&r), 0);
	cr_assert(r.failed);
	r = ord_reader_of(ord_slice_of(bit_64, sizeof bit_64));
	cr_assert_eq(ord_reader_varint(&r), 0);
	cr_assert(r.failed);
	cr_assert_eq(ord_reader_u8(&r), 0); /* failed stays */
}
