/* SPDX-License-Identifier: Apache-2.0 - blocks of history between nodes: which are asked for, of whom, how many at a time; what peers are given; what is compared. */
#include "node/fill.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "node/engine_state.h"

#define PARTITIONS 3
#define NODES 3

/* This is node 1; its peers are 2 and 3. */
static struct ord_engine engine;
static struct ord_fill *const fill = &engine.fill;

/* What the archive was asked to do. */
static struct ord_history_gap gaps[PARTITIONS]; /* first 0: none */
static unsigned filled_count;
static uint64_t filled_number;
static uint32_t filled_partition;
static unsigned asks_count;
static struct ord_archive_answer ask_last;
static bool ask_whole;
static int ask_err;
static unsigned compared_count;
static bool compared_same;
static bool full;

/* What was sent. */
struct sent {
	uint32_t node;
	enum ord_part_kind kind;
	struct ord_part_want_block want;
	struct ord_part_block block;
	struct ord_part_block_id id;
};
static struct sent sent[256];
static unsigned sent_count;

static void send_cb(void *ctx, uint32_t node, enum ord_part_kind kind, struct ord_slice body)
{
	struct sent *s = &sent[sent_count++ % 256];
	(void)ctx;
	*s = (struct sent){.node = node, .kind = kind};
	int err = kind == ORD_PART_BLOCK      ? ord_wire_get_block(body, &s->block)
		  : kind == ORD_PART_BLOCK_ID ? ord_wire_get_block_id(body, &s->id)
					      : ord_wire_get_want_block(body, &s->want);
	cr_assert_eq(err, ORD_OK);
}

static bool gap_cb(void *ctx, uint32_t partition, struct ord_history_gap *ret)
{
	(void)ctx;
	if (gaps[partition].first == 0)
		return false;
	*ret = gaps[partition];
	return true;
}

static int fill_cb(void *ctx, uint32_t partition, uint64_t number, struct ord_slice bytes)
{
	(void)ctx;
	cr_assert_gt(bytes.len, 0);
	filled_count++;
	filled_partition = partition;
	filled_number = number;
	return ORD_OK;
}

static int ask_cb(void *ctx, uint32_t partition, uint64_t number, bool whole, uint64_t token)
{
	(void)ctx;
	asks_count++;
	ask_whole = whole;
	ask_last = (struct ord_archive_answer){.token = token, .partition = partition, .number = number};
	return ask_err;
}

static unsigned forgotten_count;
static uint64_t forgotten_first;

static int forget_cb(void *ctx, uint32_t partition, uint64_t first)
{
	(void)ctx;
	(void)partition;
	forgotten_count++;
	forgotten_first = first;
	return ORD_OK;
}

static void compared_cb(void *ctx, uint32_t partition, uint64_t number, uint32_t node, bool same)
{
	(void)ctx;
	(void)partition;
	(void)number;
	(void)node;
	compared_count++;
	compared_same = same;
}

static bool full_cb(void *ctx)
{
	(void)ctx;
	return full;
}

static void make(void)
{
	engine.node = 1;
	engine.nodes_count = NODES;
	for (uint32_t i = 0; i < NODES; i++) {
		engine.nodes[i] = i + 1;
		engine.connected[i] = i > 0;
	}
	engine.partitions_count = PARTITIONS;
	engine.shards_count = 1;
	engine.now_ms = 100000;
	engine.events.send = send_cb;
	engine.has_archive = true;
	engine.archive = (struct ord_archive){.gap = gap_cb,
					      .fill = fill_cb,
					      .ask = ask_cb,
					      .forget = forget_cb,
					      .compared = compared_cb,
					      .is_full = full_cb};
	ord_bytes_init(&engine.scratch, ORD_FRAME_BYTES_MAX);
	ord_fill_init(fill, &engine, 100u << 20);
}

static void clean(void)
{
	ord_fill_close(fill);
	ord_bytes_close(&engine.scratch);
}

TestSuite(node_fill, .init = make, .fini = clean, .timeout = 30);

static void pass(uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i += 10) {
		engine.now_ms += 10;
		ord_fill_tick(fill);
	}
}

/* The last part that was sent: a question for a block. */
static const struct sent *cr_wanted(uint64_t number)
{
	const struct sent *s = &sent[(sent_count - 1) % 256];
	cr_assert_gt(sent_count, 0);
	cr_assert_eq(s->kind, ORD_PART_WANT_BLOCK);
	cr_assert_eq(s->want.number, number, "block %u is asked for", (unsigned)s->want.number);
	return s;
}

static uint64_t first_kept;

static void block_comes(uint32_t node, uint32_t partition, uint64_t number, enum ord_part_block_status status)
{
	uint8_t body[256];
	static struct ord_bytes bytes;
	ord_bytes_init(&bytes, 1000);
	struct ord_part_block part = {.partition = partition,
				      .number = number,
				      .status = status,
				      .first = first_kept,
				      .bytes = ord_slice_of(body, status == ORD_PART_BLOCK_HERE ? 100 : 0)};
	memset(body, 7, sizeof body);
	ord_wire_put_block(&part, &bytes);
	cr_assert_eq(ord_fill_receive_block(fill, node - 1, ord_bytes_slice(&bytes)), ORD_OK);
	ord_bytes_close(&bytes);
}

/* The node that is asked has it, and it is durable here. */
static void block_passes(uint32_t node, uint32_t partition, uint64_t number)
{
	unsigned before = filled_count;
	block_comes(node, partition, number, ORD_PART_BLOCK_HERE);
	cr_assert_eq(filled_count, before + 1, "block %u", (unsigned)number);
	cr_assert_eq(filled_number, number);
	cr_assert_eq(filled_partition, partition);
	gaps[partition].first = number < gaps[partition].last ? number + 1 : 0;
	ord_fill_filled(fill, partition, number, ORD_OK);
}

/* --- Fetching. --- */

Test(node_fill, a_window_of_blocks_is_asked_for_and_taken_in_order)
{
	gaps[1] = (struct ord_history_gap){.first = 3, .last = 9};
	pass(10);
	cr_assert_eq(sent_count, ORD_FILL_WINDOW);
	uint32_t node = cr_wanted(6)->node;
	block_comes(node, 1, 4, ORD_PART_BLOCK_HERE);
	block_comes(node, 1, 7, ORD_PART_BLOCK_HERE);
	block_comes(node, 2, 3, ORD_PART_BLOCK_HERE);
	block_comes(node == 2 ? 3 : 2, 1, 3, ORD_PART_BLOCK_HERE);
	cr_assert_eq(filled_count, 0, "none of these");
	block_comes(node, 1, 3, ORD_PART_BLOCK_HERE);
	cr_assert_eq(filled_count, 1);
	pass(10);
	cr_assert_eq(sent_count, ORD_FILL_WINDOW, "what is not durable counts");
	gaps[1].first = 4;
	ord_fill_filled(fill, 1, 3, ORD_OK);
	cr_wanted(7);
	for (uint64_t i = 4; i <= 9; i++)
		block_passes(node, 1, i);
	cr_assert_eq(sent_count, 7);
	pass(5000);
	cr_assert_eq(sent_count, 7, "nothing is missing");
}

Test(node_fill, the_lowest_partition_comes_first)
{
	gaps[2] = gaps[1] = (struct ord_history_gap){.first = 1, .last = 1};
	pass(10);
	uint32_t node = cr_wanted(1)->node;
	cr_assert_eq(sent[0].want.partition, 1);
	block_passes(node, 1, 1);
	pass(10);
	cr_assert_eq(cr_wanted(1)->want.partition, 2);
}

Test(node_fill, who_does_not_answer_is_left_for_another)
{
	gaps[0] = (struct ord_history_gap){.first = 5, .last = 5};
	pass(10);
	uint32_t node = cr_wanted(5)->node;
	pass(1900);
	cr_assert_eq(sent_count, 1);
	pass(200);
	cr_assert_eq(sent_count, 2);
	cr_assert_neq(cr_wanted(5)->node, node);
	block_comes(node, 0, 5, ORD_PART_BLOCK_HERE);
	cr_assert_eq(filled_count, 0, "too late");
	block_passes(cr_wanted(5)->node, 0, 5);
}

Test(node_fill, what_no_peer_has_waits_and_others_are_filled_meanwhile)
{
	gaps[0] = gaps[1] = (struct ord_history_gap){.first = 5, .last = 5};
	pass(10);
	for (unsigned i = 0; i < 2; i++) {
		const struct sent *s = cr_wanted(5);
		cr_assert_eq(s->want.partition, 0);
		block_comes(s->node, 0, 5, i == 0 ? ORD_PART_BLOCK_NOT_FOUND : ORD_PART_BLOCK_NOT_NOW);
		pass(10);
	}
	cr_assert_eq(sent_count, 3);
	cr_assert_eq(cr_wanted(5)->want.partition, 1);
	block_passes(cr_wanted(5)->node, 1, 5);
	pass(4000);
	cr_assert_eq(sent_count, 3);
	pass(2000);
	cr_assert_eq(sent_count, 4);
	cr_assert_eq(cr_wanted(5)->want.partition, 0);
}

Test(node_fill, what_all_peers_have_dropped_is_not_wanted_any_more)
{
	gaps[0] = (struct ord_history_gap){.first = 5, .last = 50};
	pass(10);
	first_kept = 31;
	block_comes(cr_wanted(8)->node, 0, 5, ORD_PART_BLOCK_NOT_FOUND);
	pass(10);
	first_kept = 4; /* the other one lacks it, and may get it back */
	block_comes(cr_wanted(8)->node, 0, 5, ORD_PART_BLOCK_NOT_FOUND);
	cr_assert_eq(forgotten_count, 0);
	pass(6000);
	first_kept = 31;
	block_comes(cr_wanted(8)->node, 0, 5, ORD_PART_BLOCK_NOT_FOUND);
	pass(10);
	first_kept = 21;
	block_comes(cr_wanted(8)->node, 0, 5, ORD_PART_BLOCK_NOT_FOUND);
	cr_assert_eq(forgotten_count, 1);
	cr_assert_eq(forgotten_first, 21);
}

Test(node_fill, behind_a_wrong_block_another_peer_is_asked_from_the_beginning)
{
	gaps[0] = (struct ord_history_gap){.first = 3, .last = 9};
	pass(10);
	uint32_t node = cr_wanted(6)->node;
	block_passes(node, 0, 3);
	block_comes(node, 0, 4, ORD_PART_BLOCK_HERE);
	block_comes(node, 0, 5, ORD_PART_BLOCK_HERE);
	unsigned before = sent_count;
	gaps[0].first = 3; /* thrown away */
	ord_fill_filled(fill, 0, 4, ORD_ERR_CORRUPT);
	pass(10);
	cr_assert_eq(sent_count, before, "what was handed over is waited for");
	block_comes(node, 0, 6, ORD_PART_BLOCK_HERE);
	ord_fill_filled(fill, 0, 5, ORD_ERR_INVALID);
	pass(10);
	cr_assert_eq(sent_count, before + ORD_FILL_WINDOW);
	cr_assert_neq(cr_wanted(6)->node, node);
	cr_assert_eq(sent[before].want.number, 3);
	cr_assert_eq(filled_count, 3);
}

Test(node_fill, a_peer_that_is_lost_is_left_at_once)
{
	gaps[0] = (struct ord_history_gap){.first = 3, .last = 3};
	pass(10);
	uint32_t node = cr_wanted(3)->node;
	engine.connected[node - 1] = false;
	ord_fill_peer_lost(fill, node - 1);
	pass(10);
	cr_assert_eq(sent_count, 2);
	cr_assert_neq(cr_wanted(3)->node, node);
	engine.connected[1] = engine.connected[2] = false;
	ord_fill_peer_lost(fill, cr_wanted(3)->node - 1);
	pass(10000);
	cr_assert_eq(sent_count, 2, "there is nobody to ask");
	engine.connected[1] = true;
	pass(6000);
	cr_assert_geq(sent_count, 3);
}

Test(node_fill, a_full_disk_is_tried_again_later)
{
	gaps[0] = (struct ord_history_gap){.first = 3, .last = 3};
	pass(10);
	block_comes(cr_wanted(3)->node, 0, 3, ORD_PART_BLOCK_HERE);
	ord_fill_filled(fill, 0, 3, ORD_ERR_NO_SPACE);
	pass(4000);
	cr_assert_eq(sent_count, 1);
	pass(2000);
	cr_assert_eq(sent_count, 2);
}

Test(node_fill, no_more_is_asked_for_than_the_rate_allows)
{
	ord_fill_close(fill);
	ord_fill_init(fill, &engine, 500); /* five blocks of 100 bytes in a second */
	gaps[0] = (struct ord_history_gap){.first = 1, .last = 1000};
	uint64_t begin_ms = engine.now_ms, next = 1;
	while (engine.now_ms - begin_ms < 20000) {
		pass(10);
		while (next <= (sent_count > 0 ? sent[(sent_count - 1) % 256].want.number : 0))
			block_passes(sent[(sent_count - 1) % 256].node, 0, next++);
	}
	cr_assert_leq(filled_count, 100 + 2 * ORD_FILL_WINDOW);
	cr_assert_geq(filled_count, 50);
}

Test(node_fill, nothing_is_asked_for_while_the_own_blocks_wait_for_the_disk)
{
	full = true;
	gaps[0] = (struct ord_history_gap){.first = 3, .last = 3};
	pass(5000);
	cr_assert_eq(sent_count, 0);
	full = false;
	pass(10);
	cr_wanted(3);
}

Test(node_fill, it_may_be_switched_off)
{
	ord_fill_init(fill, &engine, 0);
	gaps[0] = (struct ord_history_gap){.first = 3, .last = 3};
	pass(5000);
	cr_assert_eq(sent_count, 0);
}

/* --- Giving. --- */

static int want_comes(uint32_t node, uint32_t partition, uint64_t number, bool whole)
{
	struct ord_bytes bytes;
	struct ord_part_want_block part = {.partition = partition, .number = number};
	ord_bytes_init(&bytes, 100);
	ord_wire_put_want_block(&part, &bytes);
	int err = ord_fill_receive_want(fill, node - 1, whole, ord_bytes_slice(&bytes));
	ord_bytes_close(&bytes);
	return err;
}

Test(node_fill, a_peer_is_given_what_it_asks_for)
{
	cr_assert_eq(want_comes(3, 2, 8, true), ORD_OK);
	cr_assert_eq(asks_count, 1);
	cr_assert(ask_whole);
	ask_last.bytes = ord_slice_text("a block");
	ord_fill_answered(fill, &ask_last);
	cr_assert_eq(sent[0].kind, ORD_PART_BLOCK);
	cr_assert_eq(sent[0].node, 3);
	cr_assert_eq(sent[0].block.number, 8);
	cr_assert_eq(sent[0].block.status, ORD_PART_BLOCK_HERE);
	cr_assert_eq(want_comes(2, 2, 8, false), ORD_OK);
	cr_assert_not(ask_whole);
	ask_last.id.last_position = 77;
	ord_fill_answered(fill, &ask_last);
	cr_assert_eq(sent[1].kind, ORD_PART_BLOCK_ID);
	cr_assert_eq(sent[1].node, 2);
	cr_assert_eq(sent[1].id.id.number, 8);
	cr_assert_eq(sent[1].id.id.last_position, 77);
}

Test(node_fill, a_peer_is_told_what_is_not_there)
{
	want_comes(2, 0, 1, true);
	ask_last.status = ORD_ERR_NOT_FOUND;
	ask_last.first = 5;
	ord_fill_answered(fill, &ask_last);
	cr_assert_eq(sent[0].block.status, ORD_PART_BLOCK_NOT_FOUND);
	cr_assert_eq(sent[0].block.first, 5);
	ask_err = ORD_ERR_BUSY;
	want_comes(2, 0, 1, true);
	cr_assert_eq(sent[1].block.status, ORD_PART_BLOCK_NOT_NOW);
}

Test(node_fill, of_one_peer_only_so_much_is_taken_at_a_time)
{
	for (unsigned i = 0; i < 100; i++)
		want_comes(2, 0, 1 + i, true);
	unsigned taken = asks_count;
	cr_assert_geq(taken, ORD_FILL_WINDOW);
	cr_assert_leq(taken, 2 * ORD_FILL_WINDOW);
	want_comes(3, 0, 1, true);
	cr_assert_eq(asks_count, taken + 1);
	ask_last.token = 2 | UINT64_C(1) << 32;
	ask_last.status = ORD_ERR_NOT_FOUND;
	ord_fill_answered(fill, &ask_last);
	want_comes(2, 0, 1, true);
	cr_assert_eq(asks_count, taken + 2);
}

Test(node_fill, what_is_no_part_is_refused)
{
	uint8_t bytes[64] = {0};
	for (size_t len = 0; len < sizeof bytes; len++) {
		cr_assert_eq(ord_fill_receive_want(fill, 1, true, ord_slice_of(bytes, len)), ORD_ERR_FORMAT);
		cr_assert_eq(ord_fill_receive_block(fill, 1, ord_slice_of(bytes, len)), ORD_ERR_FORMAT);
		cr_assert_eq(ord_fill_receive_id(fill, 1, ord_slice_of(bytes, len)), ORD_ERR_FORMAT);
	}
	cr_assert_eq(want_comes(2, PARTITIONS, 1, true), ORD_ERR_FORMAT);
}

/* --- Comparing. --- */

static void id_comes(uint32_t node, uint64_t number, uint64_t last_position)
{
	struct ord_bytes bytes;
	struct ord_part_block_id part = {.id = {.number = number, .last_position = last_position}};
	ord_bytes_init(&bytes, 100);
	ord_wire_put_block_id(&part, &bytes);
	cr_assert_eq(ord_fill_receive_id(fill, node - 1, ord_bytes_slice(&bytes)), ORD_OK);
	ord_bytes_close(&bytes);
}

Test(node_fill, a_block_is_compared_with_that_of_a_peer)
{
	struct ord_block_id id = {.number = 256, .last_position = 9999};
	ord_fill_checked(fill, 0, &id);
	cr_assert_eq(sent[0].kind, ORD_PART_WANT_BLOCK_ID);
	cr_assert_eq(sent[0].want.number, 256);
	id_comes(sent[0].node == 2 ? 3 : 2, 256, 9999);
	id_comes(sent[0].node, 255, 9999);
	cr_assert_eq(compared_count, 0, "not what was asked");
	id_comes(sent[0].node, 256, 9999);
	cr_assert_eq(compared_count, 1);
	cr_assert(compared_same);
	ord_fill_checked(fill, 0, &id);
	cr_assert_neq(sent[1].node, sent[0].node, "another one each time");
	id_comes(sent[1].node, 256, 9998);
	cr_assert_eq(compared_count, 2);
	cr_assert_not(compared_same);
}

Test(node_fill, ids_wait_for_each_other_and_not_for_ever)
{
	for (uint64_t i = 1; i <= 2 * ORD_FILL_COMPARES; i++) {
		struct ord_block_id id = {.number = i};
		ord_fill_checked(fill, 0, &id);
	}
	cr_assert_eq(sent_count, 1);
	pass(2100);
	cr_assert_eq(sent_count, 2, "no answer: the next one");
	pass(2100u * ORD_FILL_COMPARES);
	cr_assert_eq(sent_count, ORD_FILL_COMPARES);
}
