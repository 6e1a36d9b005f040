/* SPDX-License-Identifier: Apache-2.0 - the scan: every form of MessagePack has the length that it says, and nothing is believed beyond its bounds. */
#include <criterion/criterion.h>

#include "base/bytes.h"
#include "base/err.h"
#include "client/rpc.h"
#include "client/scan.h"

#define BYTES_MAX (1u << 20)

/* Puts one object of every form, a whole family at a time. */
static void put_forms(msgpack_packer *p, unsigned family)
{
	static const size_t lengths[] = {0, 1, 31, 32, 255, 256, 65535, 65536};
	static const uint64_t numbers[] = {0, 127, 128, 255, 256, 65535, 65536, UINT32_MAX, UINT64_MAX};
	static char filler[65536];
	for (size_t i = 0; family == 0 && i < sizeof lengths / sizeof lengths[0]; i++)
		msgpack_pack_str_with_body(p, filler, lengths[i]);
	for (size_t i = 0; family == 1 && i < sizeof lengths / sizeof lengths[0]; i++)
		msgpack_pack_bin_with_body(p, filler, lengths[i]);
	for (size_t i = 0; family == 2 && i < sizeof lengths / sizeof lengths[0]; i++)
		msgpack_pack_ext_with_body(p, filler, lengths[i], 5);
	for (size_t len = 1; family == 3 && len <= 16; len *= 2)
		msgpack_pack_ext_with_body(p, filler, len, 5);
	for (size_t i = 0; family == 4 && i < sizeof numbers / sizeof numbers[0]; i++) {
		msgpack_pack_uint64(p, numbers[i]);
		msgpack_pack_int64(p, -(int64_t)(numbers[i] >> 1));
	}
	if (family == 5) {
		msgpack_pack_nil(p);
		msgpack_pack_true(p);
		msgpack_pack_false(p);
		msgpack_pack_float(p, 1.5f);
		msgpack_pack_double(p, 1.5);
	}
	for (size_t i = 0; family == 6 && i < sizeof lengths / sizeof lengths[0]; i++) {
		msgpack_pack_array(p, lengths[i]);
		for (size_t k = 0; k < lengths[i]; k++)
			msgpack_pack_nil(p);
	}
	for (size_t i = 0; family == 7 && i < sizeof lengths / sizeof lengths[0]; i++) {
		msgpack_pack_map(p, lengths[i]);
		for (size_t k = 0; k < 2 * lengths[i]; k++)
			msgpack_pack_true(p);
	}
}

Test(scan, agrees_with_msgpack_on_every_form)
{
	for (unsigned family = 0; family < 8; family++) {
		struct ord_bytes out;
		msgpack_packer p;
		ord_bytes_init(&out, BYTES_MAX);
		ord_rpc_packer(&out, &p);
		put_forms(&p, family);
		cr_assert(!out.failed && out.len > 0);
		size_t at = 0;
		size_t theirs = 0;
		msgpack_unpacked u;
		msgpack_unpacked_init(&u);
		while (at < out.len) {
			struct ord_scan s;
			bool whole;
			msgpack_unpack_return got = msgpack_unpack_next(&u, (const char *)out.base, out.len, &theirs);
			cr_assert(got == MSGPACK_UNPACK_SUCCESS || got == MSGPACK_UNPACK_EXTRA_BYTES);
			ord_scan_init(&s, BYTES_MAX, BYTES_MAX);
			cr_assert_eq(ord_scan_continue(&s, out.base + at, out.len - at, &whole), ORD_OK);
			cr_assert(whole);
			at += s.offset;
			cr_assert_eq(at, theirs, "family %u", family);
		}
		msgpack_unpacked_destroy(&u);
		ord_bytes_close(&out);
	}
}

Test(scan, a_byte_short_is_not_whole_and_goes_on_where_it_stopped)
{
	struct ord_bytes out;
	msgpack_packer p;
	ord_bytes_init(&out, BYTES_MAX);
	ord_rpc_packer(&out, &p);
	msgpack_pack_map(&p, 2);
	ord_rpc_put_text(&p, "a");
	msgpack_pack_uint64(&p, UINT64_MAX);
	ord_rpc_put_text(&p, "b");
	msgpack_pack_array(&p, 3);
	for (int i = 0; i < 3; i++)
		msgpack_pack_bin_with_body(&p, "0123456789", 10);
	struct ord_scan s;
	ord_scan_init(&s, BYTES_MAX, 100);
	for (size_t len = 0; len <= out.len; len++) {
		bool whole = true;
		cr_assert_eq(ord_scan_continue(&s, out.base, len, &whole), ORD_OK);
		cr_assert_eq(whole, len == out.len, "at %zu", len);
	}
	cr_assert_eq(s.offset, out.len);
	cr_assert_eq(s.objects_count, 8);
	ord_bytes_close(&out);
}

static int scan_all(const void *base, size_t len, size_t bytes_max, size_t objects_max)
{
	struct ord_scan s;
	bool whole;
	ord_scan_init(&s, bytes_max, objects_max);
	return ord_scan_continue(&s, base, len, &whole);
}

Test(scan, bounds)
{
	cr_assert_eq(scan_all("\xc1", 1, 10, 10), ORD_ERR_FORMAT);
	cr_assert_eq(scan_all("\xa5", 1, 6, 10), ORD_OK);
	cr_assert_eq(scan_all("\xa5", 1, 5, 10), ORD_ERR_TOO_BIG);
	cr_assert_eq(scan_all("\xdf\xff\xff\xff\xff", 5, SIZE_MAX / 2, SIZE_MAX / 2), ORD_OK);
	cr_assert_eq(scan_all("\xdf\x00\x00\x00\x05", 5, 15, 100), ORD_OK);
	cr_assert_eq(scan_all("\xdf\x00\x00\x00\x05", 5, 14, 100), ORD_ERR_TOO_BIG);
	cr_assert_eq(scan_all("\x94", 1, 100, 5), ORD_OK);
	cr_assert_eq(scan_all("\x94", 1, 100, 4), ORD_ERR_TOO_BIG);
	cr_assert_eq(scan_all("\xc6\xff\xff\xff\xff", 5, BYTES_MAX, 100), ORD_ERR_TOO_BIG);
	cr_assert_eq(scan_all("\xc9\xff\xff\xff\xff", 5, BYTES_MAX, 100), ORD_ERR_TOO_BIG);
}

Test(scan, depth)
{
	char nested[ORD_SCAN_DEPTH_MAX + 1];
	memset(nested, '\x91', sizeof nested);
	cr_assert_eq(scan_all(nested, ORD_SCAN_DEPTH_MAX - 1, 100, 100), ORD_OK);
	cr_assert_eq(scan_all(nested, ORD_SCAN_DEPTH_MAX, 100, 100), ORD_ERR_TOO_BIG);
	memset(nested, '\x81', sizeof nested);
	cr_assert_eq(scan_all(nested, sizeof nested, 100, 100), ORD_ERR_TOO_BIG);
}
