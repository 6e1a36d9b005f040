/* SPDX-License-Identifier: Apache-2.0 - tests of base/bytes.h: what is put is read back, and no limit is ever passed. */
#include "base/bytes.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

Test(base_bytes, numbers_are_little_endian)
{
	static const uint8_t want[] = {0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f,
				       0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08};
	struct ord_bytes b;
	ord_bytes_init(&b, 100);
	ord_bytes_put_u8(&b, 0x01);
	ord_bytes_put_u16(&b, 0x0203);
	ord_bytes_put_u32(&b, 0x04050607);
	ord_bytes_put_u64(&b, 0x08090a0b0c0d0e0full);
	cr_assert_not(b.failed);
	cr_assert(ord_slice_equal(ord_bytes_slice(&b), ord_slice_of(want, sizeof want)));
	ord_bytes_close(&b);
}

Test(base_bytes, what_is_put_is_read_back)
{
	struct ord_bytes b;
	ord_bytes_init(&b, 1000);
	ord_bytes_put_text8(&b, ord_slice_text("payer"));
	ord_bytes_put_text8(&b, ord_slice_text(""));
	ord_bytes_put_u64(&b, UINT64_MAX);
	ord_bytes_put_u32(&b, UINT32_MAX);
	ord_bytes_put_u16(&b, UINT16_MAX);
	ord_bytes_put_u8(&b, UINT8_MAX);
	ord_bytes_put(&b, "tail", 4);
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&b));
	cr_assert(ord_slice_equal(ord_reader_text8(&r), ord_slice_text("payer")));
	cr_assert_eq(ord_reader_text8(&r).len, 0);
	cr_assert_eq(ord_reader_u64(&r), UINT64_MAX);
	cr_assert_eq(ord_reader_u32(&r), UINT32_MAX);
	cr_assert_eq(ord_reader_u16(&r), UINT16_MAX);
	cr_assert_eq(ord_reader_u8(&r), UINT8_MAX);
	cr_assert_eq(ord_reader_left(&r), 4);
	cr_assert(ord_slice_equal(ord_reader_take(&r, 4), ord_slice_text("tail")));
	cr_assert_eq(ord_reader_left(&r), 0);
	cr_assert_not(r.failed);
	ord_bytes_close(&b);
}

Test(base_bytes, fills_up_to_its_maximum_and_not_past_it)
{
	struct ord_bytes b;
	ord_bytes_init(&b, 10);
	ord_bytes_put(&b, "0123456789", 10);
	cr_assert_not(b.failed);
	cr_assert_leq(b.capacity, 10);
	ord_bytes_put_u8(&b, 1);
	cr_assert(b.failed);
	cr_assert_eq(b.len, 10);
	cr_assert(ord_slice_equal(ord_bytes_slice(&b), ord_slice_text("0123456789")));
	ord_bytes_close(&b);
}

Test(base_bytes, after_a_failure_nothing_more_is_put)
{
	struct ord_bytes b;
	ord_bytes_init(&b, 4);
	ord_bytes_put_u16(&b, 7);
	ord_bytes_put_u64(&b, 8);
	ord_bytes_put_u8(&b, 9); /* would fit */
	cr_assert(b.failed);
	cr_assert_eq(b.len, 2);
	cr_assert_null(ord_bytes_extend(&b, 1));
	ord_bytes_clear(&b);
	cr_assert_not(b.failed);
	cr_assert_not_null(ord_bytes_extend(&b, 4));
	ord_bytes_close(&b);
}

Test(base_bytes, a_length_near_the_address_space_fails_cleanly)
{
	struct ord_bytes b;
	ord_bytes_init(&b, 1000);
	ord_bytes_put_u32(&b, 1);
	cr_assert_null(ord_bytes_extend(&b, SIZE_MAX));
	cr_assert(b.failed);
	cr_assert_eq(b.len, 4);
	ord_bytes_close(&b);
}

Test(base_bytes, grows_without_losing_a_byte)
{
	enum { PUTS = 20000 };
	struct ord_bytes b;
	ord_bytes_init(&b, PUTS * sizeof(uint32_t));
	for (uint32_t i = 0; i < PUTS; i++)
		ord_bytes_put_u32(&b, i * 2654435761u);
	cr_assert_not(b.failed);
	cr_assert_eq(b.len, PUTS * sizeof(uint32_t));
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&b));
	for (uint32_t i = 0; i < PUTS; i++)
		cr_assert_eq(ord_reader_u32(&r), i * 2654435761u);
	ord_bytes_close(&b);
}

Test(base_bytes, close_leaves_an_empty_buffer_that_works)
{
	struct ord_bytes b;
	ord_bytes_init(&b, 8);
	ord_bytes_put_u64(&b, 1);
	ord_bytes_close(&b);
	cr_assert_null(b.base);
	cr_assert_eq(b.len, 0);
	ord_bytes_put_u64(&b, 2);
	cr_assert_not(b.failed);
	ord_bytes_close(&b);
	ord_bytes_close(&b);
}

Test(base_bytes, a_count_can_be_set_later)
{
	struct ord_bytes b;
	ord_bytes_init(&b, 100);
	ord_bytes_put_u8(&b, 9);
	ord_bytes_put_u32(&b, 0);
	ord_bytes_put_u8(&b, 8);
	ord_bytes_set_u32(&b, 1, 0xa1b2c3d4);
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&b));
	cr_assert_eq(ord_reader_u8(&r), 9);
	cr_assert_eq(ord_reader_u32(&r), 0xa1b2c3d4);
	cr_assert_eq(ord_reader_u8(&r), 8);
	ord_bytes_close(&b);
}

Test(base_bytes, setting_a_count_past_the_end_aborts, .signal = SIGABRT)
{
	struct ord_bytes b;
	ord_bytes_init(&b, 100);
	ord_bytes_put_u32(&b, 0);
	ord_bytes_set_u32(&b, 1, 5);
}

Test(base_bytes, consume_removes_from_the_front)
{
	struct ord_bytes b;
	ord_bytes_init(&b, 100);
	ord_bytes_put(&b, "abcdef", 6);
	ord_bytes_consume(&b, 0);
	ord_bytes_consume(&b, 2);
	cr_assert(ord_slice_equal(ord_bytes_slice(&b), ord_slice_text("cdef")));
	ord_bytes_consume(&b, 4);
	cr_assert_eq(b.len, 0);
	ord_bytes_close(&b);
}

Test(base_bytes, consuming_more_than_there_is_aborts, .signal = SIGABRT)
{
	struct ord_bytes b;
	ord_bytes_init(&b, 100);
	ord_bytes_put_u8(&b, 1);
	ord_bytes_consume(&b, 2);
}

Test(base_bytes, a_text_of_255_bytes_fits_its_length_byte)
{
	char text[255];
	memset(text, 'x', sizeof text);
	struct ord_bytes b;
	ord_bytes_init(&b, 1000);
	ord_bytes_put_text8(&b, ord_slice_of(text, sizeof text));
	cr_assert_eq(b.len, 256);
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&b));
	cr_assert(ord_slice_equal(ord_reader_text8(&r), ord_slice_of(text, sizeof text)));
	ord_bytes_close(&b);
}

Test(base_bytes, a_text_of_256_bytes_aborts, .signal = SIGABRT)
{
	char text[256] = {0};
	struct ord_bytes b;
	ord_bytes_init(&b, 1000);
	ord_bytes_put_text8(&b, ord_slice_of(text, sizeof text));
}

/* Every cut of a well-formed input fails, gives zero from there on, and never reads past the cut. */
Test(base_bytes, a_reader_of_any_prefix_fails)
{
	struct ord_bytes b;
	ord_bytes_init(&b, 100);
	ord_bytes_put_u16(&b, 0xffff);
	ord_bytes_put_text8(&b, ord_slice_text("name"));
	ord_bytes_put_u64(&b, UINT64_MAX);
	for (size_t len = 0; len < b.len; len++) {
		uint8_t *cut = malloc(len + 1); /* of its own, so that a sanitizer sees one byte too many */
		memcpy(cut, b.base, len);
		cut = realloc(cut, len == 0 ? 1 : len);
		struct ord_reader r = ord_reader_of(ord_slice_of(cut, len));
		ord_reader_u16(&r);
		ord_reader_text8(&r);
		cr_assert_eq(ord_reader_u64(&r), 0);
		cr_assert(r.failed, "a prefix of %zu bytes was read as whole", len);
		cr_assert_leq(r.offset, len);
		free(cut);
	}
	ord_bytes_close(&b);
}

Test(base_bytes, a_failed_reader_stays_failed)
{
	static const uint8_t bytes[] = {1, 2, 3};
	struct ord_reader r = ord_reader_of(ord_slice_of(bytes, sizeof bytes));
	cr_assert_eq(ord_reader_u32(&r), 0);
	cr_assert(r.failed);
	cr_assert_eq(ord_reader_u8(&r), 0); /* would be there */
	cr_assert_eq(ord_reader_take(&r, 1).len, 0);
	cr_assert_eq(ord_reader_take(&r, SIZE_MAX).len, 0);
}

Test(base_bytes, slices_compare_by_length_and_content)
{
	cr_assert(ord_slice_equal(ord_slice_text("ab"), ord_slice_of("abc", 2)));
	cr_assert_not(ord_slice_equal(ord_slice_text("ab"), ord_slice_text("abc")));
	cr_assert_not(ord_slice_equal(ord_slice_text("ab"), ord_slice_text("aB")));
	cr_assert(ord_slice_equal(ord_slice_of(NULL, 0), ord_slice_text("")));
}
