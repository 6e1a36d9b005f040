/* SPDX-License-Identifier: Apache-2.0 - frames: what was put comes out, and nothing else is taken for a frame. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "node/frame.h"

#define FRAME_BYTES_MAX 4096

static void make_parts(struct ord_bytes *out)
{
	ord_bytes_init(out, FRAME_BYTES_MAX);
	size_t begun = ord_frame_begin(out);
	ord_frame_put_part(out, 1, ord_slice_text("one"));
	ord_frame_put_part(out, 2, ord_slice_text(""));
	ord_frame_put_part(out, 3, ord_slice_text("three"));
	ord_frame_end(out, begun, ORD_FRAME_PARTS);
}

Test(frame, parts_come_out_as_they_were_put)
{
	struct ord_bytes out;
	make_parts(&out);
	struct ord_frame frame;
	bool have;
	cr_assert_eq(ord_frame_decode(ord_bytes_slice(&out), FRAME_BYTES_MAX, &frame, &have), ORD_OK);
	cr_assert(have);
	cr_assert_eq(frame.kind, ORD_FRAME_PARTS);
	cr_assert_eq(frame.frame_bytes, out.len);
	struct ord_reader r = ord_reader_of(frame.body);
	const char *expected[] = {"one", "", "three"};
	uint8_t kind;
	struct ord_slice part;
	for (unsigned i = 0; i < 3; i++) {
		cr_assert(ord_frame_next_part(&r, &kind, &part));
		cr_assert_eq(kind, i + 1);
		cr_assert(ord_slice_equal(part, ord_slice_text(expected[i])));
	}
	cr_assert_not(ord_frame_next_part(&r, &kind, &part));
	cr_assert_not(r.failed);
	ord_bytes_close(&out);
}

Test(frame, frames_one_after_the_other_are_each_whole)
{
	struct ord_bytes out;
	make_parts(&out);
	size_t first_bytes = out.len;
	size_t begun = ord_frame_begin(&out);
	cr_assert_eq(begun, first_bytes);
	ord_frame_put_part(&out, 9, ord_slice_text("nine"));
	ord_frame_end(&out, begun, ORD_FRAME_PARTS);
	struct ord_frame frame;
	bool have;
	cr_assert_eq(ord_frame_decode(ord_bytes_slice(&out), FRAME_BYTES_MAX, &frame, &have), ORD_OK);
	cr_assert(have);
	cr_assert_eq(frame.frame_bytes, first_bytes);
	struct ord_slice rest = ord_slice_of(out.base + first_bytes, out.len - first_bytes);
	cr_assert_eq(ord_frame_decode(rest, FRAME_BYTES_MAX, &frame, &have), ORD_OK);
	cr_assert(have);
	struct ord_reader r = ord_reader_of(frame.body);
	uint8_t kind;
	struct ord_slice part;
	cr_assert(ord_frame_next_part(&r, &kind, &part));
	cr_assert_eq(kind, 9);
	cr_assert(ord_slice_equal(part, ord_slice_text("nine")));
	ord_bytes_close(&out);
}

Test(frame, every_cut_is_incomplete)
{
	struct ord_bytes out;
	make_parts(&out);
	for (size_t len = 0; len < out.len; len++) {
		struct ord_frame frame;
		bool have = true;
		cr_assert_eq(ord_frame_decode(ord_slice_of(out.base, len), FRAME_BYTES_MAX, &frame, &have), ORD_OK);
		cr_assert_not(have, "cut at %zu", len);
	}
	ord_bytes_close(&out);
}

Test(frame, every_flipped_bit_is_found)
{
	struct ord_bytes out;
	make_parts(&out);
	for (size_t bit = 0; bit < out.len * 8; bit++) {
		out.base[bit / 8] ^= (uint8_t)(1u << bit % 8);
		struct ord_frame frame;
		bool have;
		int err = ord_frame_decode(ord_bytes_slice(&out), FRAME_BYTES_MAX, &frame, &have);
		cr_assert(err != ORD_OK, "bit %zu", bit); /* and a wrong length is not waited for */
		out.base[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	ord_bytes_close(&out);
}

Test(frame, a_frame_over_the_limit_is_refused_by_its_header)
{
	struct ord_bytes out;
	make_parts(&out);
	struct ord_frame frame;
	bool have;
	struct ord_slice header = ord_slice_of(out.base, ORD_FRAME_HEADER_BYTES);
	cr_assert_eq(ord_frame_decode(header, out.len - 1, &frame, &have), ORD_ERR_TOO_BIG);
	cr_assert_eq(ord_frame_decode(ord_slice_text("GET / HTTP/1.1\r\n"), FRAME_BYTES_MAX, &frame, &have),
		     ORD_ERR_FORMAT);
	ord_bytes_close(&out);
}

Test(frame, a_part_longer_than_the_body_fails)
{
	struct ord_bytes body;
	ord_bytes_init(&body, FRAME_BYTES_MAX);
	ord_bytes_put_u8(&body, 1);
	ord_bytes_put_u32(&body, 100);
	ord_bytes_put(&body, "short", 5);
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&body));
	uint8_t kind;
	struct ord_slice part;
	cr_assert_not(ord_frame_next_part(&r, &kind, &part));
	cr_assert(r.failed);
	ord_bytes_close(&body);
}

Test(frame, a_greeting_comes_out_as_it_was_put)
{
	struct ord_bytes body;
	ord_bytes_init(&body, FRAME_BYTES_MAX);
	struct ord_greeting put = {.protocol = ORD_FRAME_PROTOCOL,
				   .cluster = {{1, 2}},
				   .node = 3,
				   .incarnation = {{4}},
				   .partitions_count = 8,
				   .shard = 3,
				   .shards_count = 5,
				   .to = 2,
				   .member = UINT64_C(0x1234567800000003),
				   .firsts_count = 2,
				   .firsts = {{1, {{5}}}, {2, {{6}}}}};
	struct ord_greeting got;
	ord_frame_put_greeting(&body, &put);
	cr_assert_eq(ord_frame_get_greeting(ord_bytes_slice(&body), &got), ORD_OK);
	cr_assert(ord_uuid_equal(&got.cluster, &put.cluster) && ord_uuid_equal(&got.incarnation, &put.incarnation));
	cr_assert(got.shard == 3 && got.shards_count == 5);
	cr_assert(got.node == 3 && got.partitions_count == 8 && got.to == 2 && got.protocol == ORD_FRAME_PROTOCOL);
	cr_assert(got.member == put.member && got.firsts_count == 2);
	cr_assert(got.firsts[1].node == 2 && ord_uuid_equal(&got.firsts[1].incarnation, &put.firsts[1].incarnation));
	for (size_t len = 0; len < body.len; len++)
		cr_assert_eq(ord_frame_get_greeting(ord_slice_of(body.base, len), &got), ORD_ERR_FORMAT, "cut at %zu",
			     len);
	ord_bytes_close(&body);
}

Test(frame, a_greeting_that_names_too_many_is_none)
{
	struct ord_bytes body;
	ord_bytes_init(&body, FRAME_BYTES_MAX);
	struct ord_greeting put = {.protocol = ORD_FRAME_PROTOCOL, .node = 3, .firsts_count = ORD_NODES_MAX};
	struct ord_greeting got;
	ord_frame_put_greeting(&body, &put);
	cr_assert_eq(ord_frame_get_greeting(ord_bytes_slice(&body), &got), ORD_OK);
	cr_assert_leq(ORD_FRAME_HEADER_BYTES + body.len, ORD_FRAME_GREETING_BYTES_MAX);
	body.base[body.len - ORD_NODES_MAX * 20 - 1]++;
	ord_bytes_extend(&body, 20);
	cr_assert_eq(ord_frame_get_greeting(ord_bytes_slice(&body), &got), ORD_ERR_FORMAT);
	ord_bytes_close(&body);
}

Test(frame, a_member_comes_out_as_it_was_put)
{
	struct ord_bytes body;
	uint64_t got;
	ord_bytes_init(&body, FRAME_BYTES_MAX);
	ord_frame_put_member(&body, UINT64_C(0x1234567800000003));
	cr_assert_eq(ord_frame_get_member(ord_bytes_slice(&body), &got), ORD_OK);
	cr_expect_eq(got, UINT64_C(0x1234567800000003));
	for (size_t len = 0; len < body.len; len++)
		cr_expect_eq(ord_frame_get_member(ord_slice_of(body.base, len), &got), ORD_ERR_FORMAT);
	ord_bytes_put_u8(&body, 0);
	cr_expect_eq(ord_frame_get_member(ord_bytes_slice(&body), &got), ORD_ERR_FORMAT);
	ord_bytes_close(&body);
}
