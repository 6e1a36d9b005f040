/* SPDX-License-Identifier: Apache-2.0 - fields, results and topologies: what is missing or of another type is refused, never guessed. */
#include <criterion/criterion.h>

#include "client/decode.h"
#include "client/fields.h"
#include "client/rpc.h"
#include "client/scan.h"
#include "client/topology.h"
#include "tests/support/random.h"

static struct ord_bytes out;
static msgpack_packer p;
static msgpack_zone zone;
static msgpack_object object;
static struct ord_texts texts;

static void setup(void)
{
	ord_bytes_init(&out, 1u << 20);
	ord_rpc_packer(&out, &p);
	msgpack_zone_init(&zone, 4096);
	ord_texts_init(&texts);
}

static void teardown(void)
{
	ord_bytes_close(&out);
	msgpack_zone_destroy(&zone);
	ord_texts_close(&texts);
}

TestSuite(decode, .init = setup, .fini = teardown);

static const msgpack_object *unpacked(void)
{
	msgpack_zone_clear(&zone);
	size_t off = 0;
	cr_assert_eq(msgpack_unpack((const char *)out.base, out.len, &off, &zone, &object), MSGPACK_UNPACK_SUCCESS);
	return &object;
}

static void put_pair(const char *name, const char *value)
{
	ord_rpc_put_text(&p, name);
	ord_rpc_put_text(&p, value);
}

static bool position_is(const char *text, uint32_t partition, uint64_t offset)
{
	uint32_t got_partition = 0;
	uint64_t got_offset = 0;
	ord_bytes_clear(&out);
	msgpack_pack_map(&p, 1);
	put_pair("position", text);
	return ord_fields_position(unpacked(), "position", &got_partition, &got_offset) && got_partition == partition &&
	       got_offset == offset;
}

Test(decode, positions)
{
	cr_assert(position_is("0:0", 0, 0));
	cr_assert(position_is("4294967295:18446744073709551615", UINT32_MAX, UINT64_MAX));
	static const char *const wrong[] = {"",	    ":",     "1:",	     ":1",
					    "1",    "1:2:3", "-1:2",	     "1:2 ",
					    " 1:2", "1:0x",  "4294967296:0", "0:18446744073709551616"};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_assert_not(position_is(wrong[i], 0, 0), "%s", wrong[i]);
}

Test(decode, numbers_have_their_range)
{
	uint64_t u64;
	uint32_t u32;
	int64_t i64;
	msgpack_pack_map(&p, 3);
	ord_rpc_put_text(&p, "minus");
	msgpack_pack_int64(&p, INT64_MIN);
	ord_rpc_put_text(&p, "large");
	msgpack_pack_uint64(&p, UINT64_MAX);
	ord_rpc_put_text(&p, "real");
	msgpack_pack_double(&p, 1.0);
	const msgpack_object *o = unpacked();
	cr_assert(ord_fields_i64(o, "minus", &i64) && i64 == INT64_MIN);
	cr_assert_not(ord_fields_u64(o, "minus", &u64));
	cr_assert(ord_fields_u64(o, "large", &u64) && u64 == UINT64_MAX);
	cr_assert_not(ord_fields_u32(o, "large", &u32));
	cr_assert_not(ord_fields_i64(o, "large", &i64));
	cr_assert_not(ord_fields_i64(o, "real", &i64));
	cr_assert_not(ord_fields_i64(o, "none", &i64));
	cr_assert_not(ord_fields_i64(NULL, "none", &i64));
}

static const char id_text[] = "0190163d-8694-739b-aea5-966c26f8ad91";

/* A result map, without field number leave_out. */
static void put_result(const char *status, unsigned leave_out)
{
	ord_bytes_clear(&out);
	bool rejected = strcmp(status, "rejected") == 0;
	msgpack_pack_map(&p, 4 + rejected - (leave_out < 4 + (unsigned)rejected));
	if (leave_out != 0)
		put_pair("id", id_text);
	if (leave_out != 1)
		put_pair("status", status);
	if (leave_out != 2) {
		ord_rpc_put_text(&p, "replayed");
		msgpack_pack_true(&p);
	}
	if (leave_out != 3)
		put_pair("position", "3:14");
	if (rejected && leave_out != 4) {
		ord_rpc_put_text(&p, "reason");
		msgpack_pack_map(&p, 3);
		ord_rpc_put_text(&p, "code");
		msgpack_pack_int(&p, 14);
		put_pair("name", "name_taken");
		put_pair("message", "the name has an owner already");
	}
}

Test(decode, results)
{
	struct ordain_id id;
	struct ordain_result r;
	struct ord_decoded_fault fault;
	ordain_id_parse(ordain_str_of(id_text), &id);
	put_result("rejected", 9);
	cr_assert(ord_decode_result(unpacked(), &id, ORDAIN_WAIT_SETTLED, &texts, &r, &fault));
	cr_assert(fault.code == 0 && r.answer == ORDAIN_REFUSED && r.code == 14 && r.replayed);
	cr_assert(r.partition == 3 && r.offset == 14 && r.field == NULL);
	cr_assert_str_eq(r.name, "name_taken");
	put_result("accepted", 9);
	cr_assert(ord_decode_result(unpacked(), &id, ORDAIN_WAIT_SETTLED, &texts, &r, &fault));
	cr_assert(r.answer == ORDAIN_UNKNOWN && r.status == ORDAIN_STATUS_ACCEPTED);
	cr_assert(ord_decode_result(unpacked(), &id, ORDAIN_WAIT_LOGGED, &texts, &r, &fault));
	cr_assert_eq(r.answer, ORDAIN_OK);
	for (unsigned leave_out = 0; leave_out < 5; leave_out++) {
		put_result("rejected", leave_out);
		cr_assert_not(ord_decode_result(unpacked(), &id, ORDAIN_WAIT_SETTLED, &texts, &r, &fault), "%u",
			      leave_out);
	}
	put_result("perhaps", 9);
	cr_assert_not(ord_decode_result(unpacked(), &id, ORDAIN_WAIT_SETTLED, &texts, &r, &fault));
	put_result("settled", 9);
	id.bytes[0]++;
	cr_assert_not(ord_decode_result(unpacked(), &id, ORDAIN_WAIT_SETTLED, &texts, &r, &fault),
		      "of another request");
}

static void put_cluster(uint32_t partitions, uint32_t leaders, uint32_t nodes, uint32_t port)
{
	ord_bytes_clear(&out);
	msgpack_pack_map(&p, 5);
	put_pair("cluster_id", id_text);
	ord_rpc_put_text(&p, "node");
	msgpack_pack_int(&p, 2);
	ord_rpc_put_text(&p, "partitions");
	msgpack_pack_uint32(&p, partitions);
	ord_rpc_put_text(&p, "nodes");
	msgpack_pack_array(&p, nodes);
	for (uint32_t i = 0; i < nodes; i++) {
		msgpack_pack_map(&p, 3);
		ord_rpc_put_text(&p, "node");
		msgpack_pack_uint32(&p, i + 1);
		put_pair("host", "h");
		ord_rpc_put_text(&p, "port");
		msgpack_pack_uint32(&p, port);
	}
	ord_rpc_put_text(&p, "leaders");
	msgpack_pack_array(&p, leaders);
	for (uint32_t i = 0; i < leaders; i++)
		msgpack_pack_uint32(&p, i % 3);
}

Test(decode, topologies)
{
	static struct ord_topology t;
	put_cluster(4, 4, 3, 7001);
	cr_assert(ord_topology_decode(unpacked(), &t));
	cr_assert(t.teller == 2 && t.partitions_count == 4 && t.nodes_count == 3 && t.leaders[2] == 2);
	cr_assert(t.nodes[2].node == 3 && t.nodes[2].endpoint.port == 7001);
	static const uint32_t wrong[][4] = {{4, 3, 3, 1}, {4, 5, 3, 1},	 {0, 0, 3, 1}, {1025, 1025, 3, 1},
					    {4, 4, 0, 1}, {4, 4, 10, 1}, {4, 4, 3, 0}, {4, 4, 3, 65536}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		put_cluster(wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3]);
		cr_assert_not(ord_topology_decode(unpacked(), &t), "%zu", i);
	}
}

Test(decode, endpoints)
{
	struct ord_endpoint e;
	cr_assert(ord_endpoint_parse(ordain_str_of("[::1]:7001"), &e) && strcmp(e.host, "::1") == 0 && e.port == 7001);
	cr_assert(ord_endpoint_parse(ordain_str_of("db.example.org:65535"), &e) && e.port == 65535);
	cr_assert_not(ord_endpoint_parse(ordain_str_of("db:123456"), &e));
	cr_assert_not(ord_endpoint_parse((struct ordain_str){NULL, 0}, &e));
	cr_assert_not(ord_endpoint_parse((struct ordain_str){"a\0b:1", 5}, &e));
}

/* Any object where a map is expected: no crash, and what is accepted is complete. */
Test(decode, mutated_answers)
{
	struct random r = random_of(7);
	struct ordain_id id;
	ordain_id_parse(ordain_str_of(id_text), &id);
	static struct ord_topology t;
	for (int round = 0; round < 20000; round++) {
		if (round % 2 == 0)
			put_result("rejected", 9);
		else
			put_cluster(4, 4, 3, 7001);
		for (uint64_t flips = 1 + random_below(&r, 3); flips > 0; flips--)
			out.base[random_below(&r, out.len)] = (uint8_t)random_next(&r);
		size_t off = 0;
		struct ordain_result result = {0};
		struct ord_decoded_fault fault;
		struct ord_scan scan; /* as the stream does: msgpack-c believes any count */
		bool whole;
		ord_scan_init(&scan, out.len, out.len);
		if (ord_scan_continue(&scan, out.base, out.len, &whole) != 0 || !whole)
			continue;
		msgpack_zone_clear(&zone);
		cr_assert_geq((int)msgpack_unpack((const char *)out.base, out.len, &off, &zone, &object), 0);
		if (ord_decode_result(&object, &id, ORDAIN_WAIT_SETTLED, &texts, &result, &fault) && fault.code == 0) {
			cr_assert(result.answer >= ORDAIN_OK && result.answer <= ORDAIN_FAILED);
			cr_assert(result.name != NULL && result.message != NULL);
		}
		if (ord_topology_decode(&object, &t))
			cr_assert(t.partitions_count > 0 && t.nodes_count > 0);
		struct ordain_account account;
		struct ordain_name name;
		struct ordain_history history;
		struct ordain_request request;
		cr_assert_not(ord_decode_account(&object, &account));
		cr_assert_not(ord_decode_name(&object, &name));
		cr_assert_not(ord_decode_history(&object, &texts, &history));
		cr_assert_not(ord_decode_request(&object, &texts, &request));
	}
}

Test(decode, texts_are_kept_once)
{
	char copy[] = "the same text";
	const char *first = ord_texts_keep(&texts, ord_slice_text(copy));
	cr_assert_neq(first, copy);
	cr_assert_eq(ord_texts_keep(&texts, ord_slice_text("the same text")), first);
	cr_assert_str_eq(ord_texts_keep(&texts, ord_slice_text("")), "");
	char longer[9000];
	memset(longer, 'y', sizeof longer);
	const char *kept = ord_texts_keep(&texts, ord_slice_of(longer, sizeof longer));
	cr_assert_eq(strlen(kept), sizeof longer);
	cr_assert_str_eq(first, "the same text");
	cr_assert_str_eq(ord_texts_print(&texts, "%s %d", "node", 3), "node 3");
}
