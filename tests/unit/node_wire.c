/* SPDX-License-Identifier: Apache-2.0 - parts between nodes: what was put comes out, and cut bytes are refused. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "base/limits.h"
#include "node/wire.h"

static struct ord_bytes out;

static void out_open(void)
{
	ord_bytes_init(&out, ORD_FRAME_BYTES_MAX);
}

static void out_close(void)
{
	ord_bytes_close(&out);
}

TestSuite(wire, .init = out_open, .fini = out_close);

Test(wire, call)
{
	struct ord_part_call put = {.forward = 7ull << 40,
				    .partition = 3,
				    .wait = ORD_WAIT_LOGGED,
				    .timeout_ms = 1500,
				    .body = ord_slice_text("command")};
	struct ord_part_call got;
	ord_wire_put_call(&put, &out);
	cr_assert_eq(ord_wire_get_call(ord_bytes_slice(&out), &got), ORD_OK);
	cr_assert(got.forward == 7ull << 40 && got.partition == 3 && got.wait == ORD_WAIT_LOGGED &&
		  got.timeout_ms == 1500);
	cr_assert(ord_slice_equal(got.body, put.body));
	cr_assert_eq(ord_wire_get_call(ord_slice_of(out.base, 16), &got), ORD_ERR_FORMAT);
	out.base[12] = 9; /* no such wait */
	cr_assert_eq(ord_wire_get_call(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
}

Test(wire, relay)
{
	struct ord_part_relay put = {
		.from = 1, .incarnation = {{5, 6}}, .to = 3, .kind = ORD_PART_DELIVER, .body = ord_slice_text("part")};
	struct ord_part_relay got;
	ord_wire_put_relay(&put, &out);
	cr_assert_eq(ord_wire_get_relay(ord_bytes_slice(&out), &got), ORD_OK);
	cr_assert(got.from == 1 && got.to == 3 && got.kind == ORD_PART_DELIVER);
	cr_assert(ord_uuid_equal(&got.incarnation, &put.incarnation) && ord_slice_equal(got.body, put.body));
	cr_assert_eq(ord_wire_get_relay(ord_slice_of(out.base, 24), &got), ORD_ERR_FORMAT);
}

Test(wire, room)
{
	enum ord_room_state got;
	ord_wire_put_room(ORD_ROOM_CRITICAL, &out);
	cr_assert_eq(ord_wire_get_room(ord_bytes_slice(&out), &got), ORD_OK);
	cr_assert_eq(got, ORD_ROOM_CRITICAL);
	cr_assert_eq(ord_wire_get_room(ord_slice_of("\3", 1), &got), ORD_ERR_FORMAT);
	cr_assert_eq(ord_wire_get_room(ord_slice_of("\0\0", 2), &got), ORD_ERR_FORMAT);
	cr_assert_eq(ord_wire_get_room(ord_slice_of("", 0), &got), ORD_ERR_FORMAT);
	cr_assert_eq(got, ORD_ROOM_CRITICAL);
}

Test(wire, answer_keeps_the_field_as_a_literal)
{
	struct ord_answer put = {.err = ORD_OK,
				 .partition = 5,
				 .retry_after_ms = 20,
				 .result = {.status = ORD_STATUS_REJECTED,
					    .reason = ORD_REFUSAL_ID_REUSED,
					    .replayed = true,
					    .field = "amount",
					    .position = 1ull << 40},
				 .body = ord_slice_text("body")};
	struct ord_answer got;
	uint64_t forward;
	ord_wire_put_answer(99ull << 33, &put, &out);
	cr_assert_eq(ord_wire_get_answer(ord_bytes_slice(&out), &forward, &got), ORD_OK);
	memset(out.base, 0, out.len - put.body.len); /* the field must not point into the bytes */
	cr_assert_eq(forward, 99ull << 33);
	cr_assert_eq(got.err, ORD_OK);
	cr_assert(got.partition == 5 && got.retry_after_ms == 20 && got.result.replayed);
	cr_assert(got.result.status == ORD_STATUS_REJECTED && got.result.reason == ORD_REFUSAL_ID_REUSED);
	cr_assert_eq(got.result.position, 1ull << 40);
	cr_assert_str_eq(got.result.field, "amount");
	cr_assert(ord_slice_equal(got.body, put.body));
}

Test(wire, deliver)
{
	struct ord_part_deliver put = {
		.destination = 2,
		.run = {.source = 1, .first = 10, .count = 3, .messages = ord_slice_text("messages")}};
	struct ord_part_deliver got;
	ord_wire_put_deliver(&put, &out);
	cr_assert_eq(ord_wire_get_deliver(ord_bytes_slice(&out), &got), ORD_OK);
	cr_assert(got.destination == 2 && got.run.source == 1 && got.run.first == 10 && got.run.count == 3);
	cr_assert(ord_slice_equal(got.run.messages, put.run.messages));
	put.run.first = 0; /* messages are numbered from 1 */
	ord_bytes_clear(&out);
	ord_wire_put_deliver(&put, &out);
	cr_assert_eq(ord_wire_get_deliver(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
	put.run.first = UINT64_MAX;
	ord_bytes_clear(&out);
	ord_wire_put_deliver(&put, &out);
	cr_assert_eq(ord_wire_get_deliver(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
}

Test(wire, cursor_and_ready)
{
	struct ord_part_cursor put = {.source = 1, .destination = 2, .cursor = 30, .expected = 31}, got;
	ord_wire_put_cursor(&put, &out);
	cr_assert_eq(ord_wire_get_cursor(ord_bytes_slice(&out), &got), ORD_OK);
	cr_assert(got.source == 1 && got.destination == 2 && got.cursor == 30 && got.expected == 31);
	cr_assert_eq(ord_wire_get_cursor(ord_slice_of(out.base, out.len - 1), &got), ORD_ERR_FORMAT);
	ord_bytes_clear(&out);
	uint32_t partition;
	ord_wire_put_ready(6, &out);
	cr_assert_eq(ord_wire_get_ready(ord_bytes_slice(&out), &partition), ORD_OK);
	cr_assert_eq(partition, 6);
	ord_bytes_put_u8(&out, 0);
	cr_assert_eq(ord_wire_get_ready(ord_bytes_slice(&out), &partition), ORD_ERR_FORMAT);
}

Test(wire, leader)
{
	struct ord_part_leader put = {.partition = 7, .leader = 3, .is_renewed = true}, got;
	ord_wire_put_leader(&put, &out);
	cr_assert_eq(ord_wire_get_leader(ord_bytes_slice(&out), &got), ORD_OK);
	cr_assert(got.partition == 7 && got.leader == 3 && got.is_renewed);
	cr_assert_eq(ord_wire_get_leader(ord_slice_of(out.base, out.len - 1), &got), ORD_ERR_FORMAT);
}

Test(wire, copy)
{
	static const enum ord_part_kind kinds[] = {ORD_PART_COPY_ASK, ORD_PART_COPY_NOTE, ORD_PART_COPY_NEXT,
						   ORD_PART_COPY_PAIRS, ORD_PART_COPY_END};
	struct ord_part_copy put = {.partition = 3,
				    .number = 1ull << 40,
				    .index = 77,
				    .after = {.table = ORD_STORE_ACCOUNTS, .key_bytes = 3, .key = "key"},
				    .is_last = true,
				    .body = ord_slice_text("body")};
	struct ord_part_copy got;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		enum ord_part_kind kind = kinds[i];
		ord_bytes_clear(&out);
		ord_wire_put_copy(kind, &put, &out);
		cr_assert_eq(ord_wire_get_copy(kind, ord_bytes_slice(&out), &got), ORD_OK);
		cr_assert(got.partition == 3 && got.number == 1ull << 40);
		cr_assert_eq(got.index, kind == ORD_PART_COPY_ASK || kind == ORD_PART_COPY_NEXT ? 77 : 0);
		bool has_place = kind == ORD_PART_COPY_NEXT || kind == ORD_PART_COPY_PAIRS;
		cr_assert_eq(ord_pairs_place_equal(&got.after, &put.after), has_place);
		cr_assert_eq(got.is_last, kind == ORD_PART_COPY_PAIRS);
		bool has_body = kind == ORD_PART_COPY_NOTE || kind == ORD_PART_COPY_PAIRS;
		cr_assert_eq(ord_slice_equal(got.body, put.body), has_body);
		size_t fixed = out.len - (has_body ? put.body.len : 0);
		for (size_t len = 0; len < fixed; len++)
			cr_assert_eq(ord_wire_get_copy(kind, ord_slice_of(out.base, len), &got), ORD_ERR_FORMAT);
	}
	ord_bytes_clear(&out);
	put.after.key_bytes = ORD_STORE_KEY_BYTES_MAX;
	ord_wire_put_copy(ORD_PART_COPY_NEXT, &put, &out);
	out.base[13]++; /* one byte longer than a key can be */
	ord_bytes_put_u8(&out, 0);
	cr_assert_eq(ord_wire_get_copy(ORD_PART_COPY_NEXT, ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
}

Test(wire, mark_result)
{
	struct ord_part_mark_result put = {
		.partition = 3,
		.asks = true,
		.result = {.position = 7, .entries_count = 5, .state_digest = {1, 2}, .history_hash = {[31] = 9}}};
	struct ord_part_mark_result got;
	ord_wire_put_mark_result(&put, &out);
	cr_assert_eq(ord_wire_get_mark_result(ord_bytes_slice(&out), &got), ORD_OK);
	cr_assert(got.partition == 3 && got.asks && !got.is_fenced && got.result.position == 7 &&
		  got.result.entries_count == 5 && got.result.state_digest[0] == 1 && got.result.state_digest[1] == 2);
	cr_assert_eq(got.result.history_hash[31], 9);
	cr_assert_eq(ord_wire_get_mark_result(ord_slice_of(out.base, out.len - 1), &got), ORD_ERR_FORMAT);
	out.base[4] = 4; /* no such flag */
	cr_assert_eq(ord_wire_get_mark_result(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
	ord_bytes_clear(&out);
	put.asks = false;
	put.is_fenced = true;
	ord_wire_put_mark_result(&put, &out);
	cr_assert_eq(ord_wire_get_mark_result(ord_bytes_slice(&out), &got), ORD_OK);
	cr_assert(!got.asks && got.is_fenced);
	ord_bytes_put_u8(&out, 0);
	cr_assert_eq(ord_wire_get_mark_result(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
}

Test(wire, want_block)
{
	struct ord_part_want_block put = {.partition = 3, .number = UINT64_C(1) << 40}, got;
	ord_wire_put_want_block(&put, &out);
	cr_assert_eq(ord_wire_get_want_block(ord_bytes_slice(&out), &got), ORD_OK);
	cr_assert(got.partition == 3 && got.number == put.number);
	cr_assert_eq(ord_wire_get_want_block(ord_slice_of(out.base, out.len - 1), &got), ORD_ERR_FORMAT);
	ord_bytes_put_u8(&out, 0);
	cr_assert_eq(ord_wire_get_want_block(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
	put.number = 0; /* blocks are numbered from 1 */
	ord_bytes_clear(&out);
	ord_wire_put_want_block(&put, &out);
	cr_assert_eq(ord_wire_get_want_block(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
}

Test(wire, block)
{
	struct ord_part_block put = {.partition = 3, .number = 9, .bytes = ord_slice_text("a block")}, got;
	ord_wire_put_block(&put, &out);
	cr_assert_eq(ord_wire_get_block(ord_bytes_slice(&out), &got), ORD_OK);
	cr_assert(got.partition == 3 && got.number == 9 && got.status == ORD_PART_BLOCK_HERE);
	cr_assert(ord_slice_equal(got.bytes, put.bytes));
	put = (struct ord_part_block){.partition = 3, .number = 9, .status = ORD_PART_BLOCK_NOT_FOUND, .first = 17};
	ord_bytes_clear(&out);
	ord_wire_put_block(&put, &out);
	cr_assert_eq(ord_wire_get_block(ord_bytes_slice(&out), &got), ORD_OK);
	cr_assert(got.status == ORD_PART_BLOCK_NOT_FOUND && got.first == 17 && got.bytes.len == 0);
	ord_bytes_put_u8(&out, 0); /* not there, and a byte of it */
	cr_assert_eq(ord_wire_get_block(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
	out.base[12] = 0;
	cr_assert_eq(ord_wire_get_block(ord_slice_of(out.base, out.len - 1), &got), ORD_ERR_FORMAT);
	out.base[12] = 3;
	cr_assert_eq(ord_wire_get_block(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
}

Test(wire, block_id)
{
	struct ord_part_block_id put = {.partition = 3, .id = {.number = 9, .last_position = 1234, .chain_after = {7}}};
	struct ord_part_block_id got;
	ord_wire_put_block_id(&put, &out);
	cr_assert_eq(ord_wire_get_block_id(ord_bytes_slice(&out), &got), ORD_OK);
	cr_assert(got.partition == 3 && got.status == ORD_PART_BLOCK_HERE);
	cr_assert(ord_block_id_equal(&got.id, &put.id));
	cr_assert_eq(ord_wire_get_block_id(ord_slice_of(out.base, out.len - 1), &got), ORD_ERR_FORMAT);
	ord_bytes_put_u8(&out, 0);
	cr_assert_eq(ord_wire_get_block_id(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
}
