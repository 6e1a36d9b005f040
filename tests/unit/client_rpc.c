/* SPDX-License-Identifier: Apache-2.0 - messages: what was put comes out, however the bytes are cut; what is no message is refused without growing. */
#include <criterion/criterion.h>
#include <malloc.h>

#include "base/err.h"
#include "base/limits.h"
#include "client/rpc.h"
#include "tests/support/random.h"

static struct ord_bytes out;
static msgpack_packer packer;
static struct ord_rpc_stream *stream;

static void setup(void)
{
	ord_bytes_init(&out, 64u << 20);
	ord_rpc_packer(&out, &packer);
	cr_assert_eq(ord_rpc_stream_open(ORD_RPC_BYTES_MAX, &stream), ORD_OK);
}

static void teardown(void)
{
	ord_rpc_stream_close(stream);
	ord_bytes_close(&out);
}

TestSuite(rpc, .init = setup, .fini = teardown);

/* Gives the stream bytes as a connection would. */
static void feed(struct ord_rpc_stream *s, const uint8_t *base, size_t len)
{
	while (len > 0) {
		size_t room = 0;
		uint8_t *at = ord_rpc_stream_space(s, &room);
		cr_assert_not_null(at);
		cr_assert_gt(room, 0);
		size_t part = len < room ? len : room;
		memcpy(at, base, part);
		ord_rpc_stream_filled(s, part);
		base += part;
		len -= part;
	}
}

/* The stream's next answer to bytes that must be no message. */
static int refused(const uint8_t *base, size_t len)
{
	struct ord_rpc_message m;
	bool have = true;
	feed(stream, base, len);
	int err = ord_rpc_stream_next(stream, &m, &have);
	cr_assert_not(have);
	return err;
}

static void put_small_request(uint32_t id)
{
	ord_rpc_put_request(&packer, id, "account");
	msgpack_pack_map(&packer, 1);
	ord_rpc_put_text(&packer, "account");
	ord_rpc_put_text(&packer, "alice");
}

static void assert_small_request(const struct ord_rpc_message *m, uint32_t id)
{
	cr_assert_eq(m->type, ORD_RPC_REQUEST);
	cr_assert_eq(m->id, id);
	cr_assert(ord_slice_equal(m->method, ord_slice_text("account")));
	cr_assert_eq(m->params->type, MSGPACK_OBJECT_MAP);
	cr_assert_eq(m->params->via.map.size, 1);
	cr_assert_eq(m->params->via.map.ptr[0].val.via.str.size, 5);
}

Test(rpc, round_trip)
{
	put_small_request(UINT32_MAX);
	ord_rpc_put_result(&packer, 7);
	msgpack_pack_uint64(&packer, 99);
	struct ord_rpc_fault fault = {
		.code = ORD_RPC_ERROR_BUSY, .message = "full", .field = "id", .retry_after_ms = 30, .leader = 2};
	ord_rpc_put_error(&packer, 8, &fault);
	cr_assert_not(out.failed);
	feed(stream, out.base, out.len);
	struct ord_rpc_message m;
	bool have;
	cr_assert_eq(ord_rpc_stream_next(stream, &m, &have), ORD_OK);
	cr_assert(have);
	assert_small_request(&m, UINT32_MAX);
	cr_assert_eq(ord_rpc_stream_next(stream, &m, &have), ORD_OK);
	cr_assert(have && m.type == ORD_RPC_RESPONSE && m.id == 7);
	cr_assert_eq(m.error->type, MSGPACK_OBJECT_NIL);
	cr_assert_eq(m.result->via.u64, 99);
	cr_assert_eq(ord_rpc_stream_next(stream, &m, &have), ORD_OK);
	cr_assert(have && m.id == 8);
	cr_assert_eq(m.result->type, MSGPACK_OBJECT_NIL);
	cr_assert_eq(m.error->type, MSGPACK_OBJECT_MAP);
	cr_assert_eq(m.error->via.map.size, 6);
	cr_assert_eq(m.error->via.map.ptr[0].val.via.u64, ORD_RPC_ERROR_BUSY);
	cr_assert_eq(ord_rpc_stream_next(stream, &m, &have), ORD_OK);
	cr_assert_not(have);
	cr_assert_eq(ord_rpc_stream_waiting_bytes(stream), 0);
}

Test(rpc, fault_without_extras_has_the_text_of_its_code)
{
	struct ord_rpc_fault fault = {.code = ORD_RPC_ERROR_NOT_FOUND};
	ord_rpc_put_fault(&packer, &fault);
	msgpack_unpacked u;
	msgpack_unpacked_init(&u);
	cr_assert_eq(msgpack_unpack_next(&u, (const char *)out.base, out.len, NULL), MSGPACK_UNPACK_SUCCESS);
	cr_assert_eq(u.data.via.map.size, 3);
	msgpack_object_str text = u.data.via.map.ptr[2].val.via.str;
	cr_assert(ord_slice_equal(ord_slice_of(text.ptr, text.size),
				  ord_slice_text(ord_rpc_error_text(ORD_RPC_ERROR_NOT_FOUND))));
	msgpack_unpacked_destroy(&u);
}

Test(rpc, notification)
{
	msgpack_pack_array(&packer, 3);
	msgpack_pack_uint32(&packer, ORD_RPC_NOTIFY);
	ord_rpc_put_text(&packer, "hello");
	msgpack_pack_map(&packer, 0);
	feed(stream, out.base, out.len);
	struct ord_rpc_message m;
	bool have;
	cr_assert_eq(ord_rpc_stream_next(stream, &m, &have), ORD_OK);
	cr_assert(have && m.type == ORD_RPC_NOTIFY);
	cr_assert(ord_slice_equal(m.method, ord_slice_text("hello")));
	cr_assert_eq(m.params->type, MSGPACK_OBJECT_MAP);
}

Test(rpc, params_as_published_are_an_array)
{
	for (uint32_t count = 0; count < 2; count++) {
		ord_rpc_put_request(&packer, count, "account");
		msgpack_pack_array(&packer, count);
		for (uint32_t i = 0; i < count; i++)
			msgpack_pack_map(&packer, 0);
	}
	feed(stream, out.base, out.len);
	for (uint32_t count = 0; count < 2; count++) {
		struct ord_rpc_message m;
		bool have;
		cr_assert_eq(ord_rpc_stream_next(stream, &m, &have), ORD_OK);
		cr_assert(have && m.id == count);
		cr_assert_eq(m.params->type, MSGPACK_OBJECT_MAP);
		cr_assert_eq(m.params->via.map.size, 0);
	}
}

Test(rpc, other_params_come_out_as_they_are)
{
	ord_rpc_put_request(&packer, 1, "account");
	msgpack_pack_array(&packer, 2);
	msgpack_pack_map(&packer, 0);
	msgpack_pack_nil(&packer);
	ord_rpc_put_request(&packer, 2, "account");
	msgpack_pack_int(&packer, -5);
	feed(stream, out.base, out.len);
	struct ord_rpc_message m;
	bool have;
	cr_assert_eq(ord_rpc_stream_next(stream, &m, &have), ORD_OK);
	cr_assert(have && m.params->type == MSGPACK_OBJECT_ARRAY);
	cr_assert_eq(ord_rpc_stream_next(stream, &m, &have), ORD_OK);
	cr_assert(have && m.params->type == MSGPACK_OBJECT_NEGATIVE_INTEGER);
}

Test(rpc, every_split_gives_the_same_messages)
{
	put_small_request(1);
	put_small_request(70000);
	size_t one = out.len;
	for (size_t cut = 0; cut <= one; cut++) {
		struct ord_rpc_stream *s;
		struct ord_rpc_message m;
		bool have;
		uint32_t got = 0;
		cr_assert_eq(ord_rpc_stream_open(ORD_RPC_BYTES_MAX, &s), ORD_OK);
		for (unsigned part = 0; part < 2; part++) {
			feed(s, out.base + (part == 0 ? 0 : cut), part == 0 ? cut : one - cut);
			for (;;) {
				cr_assert_eq(ord_rpc_stream_next(s, &m, &have), ORD_OK);
				if (!have)
					break;
				assert_small_request(&m, got == 0 ? 1 : 70000);
				got++;
			}
		}
		cr_assert_eq(got, 2, "cut at %zu", cut);
		ord_rpc_stream_close(s);
	}
}

Test(rpc, byte_by_byte)
{
	for (uint32_t i = 0; i < 50; i++)
		put_small_request(i);
	uint32_t got = 0;
	for (size_t i = 0; i < out.len; i++) {
		struct ord_rpc_message m;
		bool have;
		feed(stream, out.base + i, 1);
		cr_assert_eq(ord_rpc_stream_next(stream, &m, &have), ORD_OK);
		if (have)
			assert_small_request(&m, got++);
	}
	cr_assert_eq(got, 50);
}

Test(rpc, a_large_message_comes_whole_and_its_memory_goes)
{
	const uint32_t items = 10000;
	ord_rpc_put_request(&packer, 1, "transfers");
	msgpack_pack_map(&packer, 1);
	ord_rpc_put_text(&packer, "items");
	msgpack_pack_array(&packer, items);
	char filler[300];
	memset(filler, 'x', sizeof filler);
	for (uint32_t i = 0; i < items; i++)
		ord_rpc_put_str(&packer, ord_slice_of(filler, sizeof filler));
	cr_assert_gt(out.len, 3000000);
	struct mallinfo2 before = mallinfo2();
	struct ord_rpc_message m;
	bool have;
	feed(stream, out.base, out.len);
	cr_assert_eq(ord_rpc_stream_next(stream, &m, &have), ORD_OK);
	cr_assert(have);
	cr_assert_eq(m.params->via.map.ptr[0].val.via.array.size, items);
	cr_assert_eq(ord_rpc_stream_next(stream, &m, &have), ORD_OK);
	cr_assert_not(have);
	struct mallinfo2 after = mallinfo2();
	cr_assert_lt(after.uordblks + after.hblkhd, before.uordblks + before.hblkhd + (64u << 10));
}

Test(rpc, over_the_limit)
{
	struct ord_rpc_stream *s;
	struct ord_rpc_message m;
	bool have;
	cr_assert_eq(ord_rpc_stream_open(1000, &s), ORD_OK);
	/* Announced at once, by a text that is longer than a message may be. */
	static const uint8_t head[] = {0x94, 0x00, 0x01, 0xda, 0x04, 0x00};
	feed(s, head, sizeof head);
	cr_assert_eq(ord_rpc_stream_next(s, &m, &have), ORD_ERR_TOO_BIG);
	cr_assert_not(have);
	ord_rpc_stream_close(s);
	/* The longest that fits, and one byte more. */
	for (size_t extra = 0; extra < 2; extra++) {
		ord_bytes_clear(&out);
		ord_rpc_put_request(&packer, 1, "m");
		char text[1000] = {0};
		ord_rpc_put_str(&packer, ord_slice_of(text, 1000 - out.len - 3 + extra));
		cr_assert_eq(out.len, 1000 + extra);
		cr_assert_eq(ord_rpc_stream_open(1000, &s), ORD_OK);
		feed(s, out.base, out.len);
		cr_assert_eq(ord_rpc_stream_next(s, &m, &have), extra == 0 ? ORD_OK : ORD_ERR_TOO_BIG);
		cr_assert_eq(have, extra == 0);
		ord_rpc_stream_close(s);
	}
}

Test(rpc, a_header_that_announces_billions_is_refused_before_memory_is_asked_for)
{
	static const uint8_t arrays[] = {0x94, 0x00, 0x01, 0xa1, 'm', 0xdd, 0xff, 0xff, 0xff, 0xff};
	struct mallinfo2 before = mallinfo2();
	cr_assert_eq(refused(arrays, sizeof arrays), ORD_ERR_TOO_BIG);
	struct mallinfo2 after = mallinfo2();
	cr_assert_lt(after.uordblks + after.hblkhd, before.uordblks + before.hblkhd + (64u << 10));
}

Test(rpc, nesting_is_bounded)
{
	uint8_t nested[4096];
	memset(nested, 0x91, sizeof nested);
	cr_assert_eq(refused(nested, sizeof nested), ORD_ERR_TOO_BIG);
}

Test(rpc, what_is_no_message)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{"\xc1", 1},				       /* never used by MessagePack */
		{"\x80", 1},				       /* a map */
		{"\x90", 1},				       /* too few parts */
		{"GET / HTTP/1.1\r\n", 16},		       /* a positive fixint first */
		{"\x94\x00\x01\xc0\x80", 5},		       /* method nil */
		{"\x94\x00\xff\xa1m\x80", 6},		       /* id negative */
		{"\x94\x00\xcf\0\0\0\1\0\0\0\0\xa1m\x80", 14}, /* id over 32 bits */
		{"\x94\x03\x01\xa1m\x80", 6},		       /* type 3 */
		{"\x93\x00\x01\xa1m", 5},		       /* a request of three parts */
		{"\x94\x02\xa1m\x80\x80", 6},		       /* a notification of four */
		{"\x95\x01\x01\xc0\xc0\xc0", 6},	       /* an answer of five */
		{"\x94\xa1x\x01\xa1m\x80", 7},		       /* type a text */
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ord_rpc_stream *s;
		struct ord_rpc_message m;
		bool have = true;
		cr_assert_eq(ord_rpc_stream_open(ORD_RPC_BYTES_MAX, &s), ORD_OK);
		feed(s, (const uint8_t *)cases[i].bytes, cases[i].len);
		cr_assert_eq(ord_rpc_stream_next(s, &m, &have), ORD_ERR_FORMAT, "case %zu", i);
		cr_assert_not(have);
		ord_rpc_stream_close(s);
	}
}

/* Nothing that comes in may crash, hang or take more memory than a small multiple of the limit. */
Test(rpc, mutations_and_noise)
{
	struct random r = random_of(20240607);
	for (int i = 0; i < 5; i++)
		put_small_request((uint32_t)i);
	uint8_t bytes[1024];
	cr_assert_lt(out.len, sizeof bytes);
	for (int round = 0; round < 40000; round++) {
		struct ord_rpc_stream *s;
		struct ord_rpc_message m;
		bool have = true;
		size_t len = out.len;
		memcpy(bytes, out.base, len);
		if (round % 4 == 0)
			for (size_t i = 0; i < len; i++)
				bytes[i] = (uint8_t)(random_next(&r) >> 32);
		else
			for (int flips = 1 + round % 8; flips > 0; flips--)
				bytes[random_next(&r) % len] = (uint8_t)(random_next(&r) >> 32);
		cr_assert_eq(ord_rpc_stream_open(4096, &s), ORD_OK);
		feed(s, bytes, len);
		int err = ORD_OK;
		for (int messages = 0; have && err == ORD_OK; messages++) {
			cr_assert_lt(messages, 1025);
			err = ord_rpc_stream_next(s, &m, &have);
		}
		cr_assert(err == ORD_OK || err == ORD_ERR_FORMAT || err == ORD_ERR_TOO_BIG);
		ord_rpc_stream_close(s);
	}
}
