/* SPDX-License-Identifier: Apache-2.0 - tests of faults as MessagePack: the right rules are read and told as they are, each wrong one is named. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "node/faults.h"
#include "node/methods.h"
#include "tests/support/node_words.h"

static msgpack_unpacked decoded;

static int decode(const char *words, struct ord_faults_order *order, struct ord_params_fault *fault)
{
	const struct ord_method *m;
	struct ord_params params;
	cr_assert_eq(ord_method_find(ord_slice_text("fault"), &m, fault), ORD_OK);
	words_unpack(words, &decoded);
	int err = ord_method_params(m, &decoded.data, &params, fault);
	if (err == ORD_OK)
		err = ord_faults_decode(&params, order, fault);
	msgpack_unpacked_destroy(&decoded);
	return err;
}

Test(node_faults_words, rules_are_read)
{
	struct ord_faults_order o;
	struct ord_params_fault fault = {0};
	cr_assert_eq(
		decode("{links: [{node: 2, cut_out: true, delay_ms: 7, jitter_ms: 3, loss_ppm: 1, duplicate_ppm: 2, "
		       "reorder_ppm: 1000000, rate_bytes_s: 1099511627776}, {cut_in: true, node: 3}], "
		       "disk: {slow_ms: 60000, error: true, full: false}, clock: {offset_us: -5, drift_ppm: -6}}",
		       &o, &fault),
		ORD_OK, "%s", fault.message);
	cr_assert(o.has_links && o.has_disk && o.has_clock);
	cr_assert_eq(o.links_count, 2);
	const struct ord_faults_link_rule *r = &o.links[0].rule;
	cr_assert(o.links[0].node == 2 && r->cut_out && !r->cut_in && r->delay_ms == 7 && r->jitter_ms == 3);
	cr_assert(r->loss_ppm == 1 && r->duplicate_ppm == 2 && r->reorder_ppm == 1000000 &&
		  r->rate_bytes_s == 1ull << 40);
	cr_assert(o.links[1].node == 3 && !o.links[1].rule.cut_out && o.links[1].rule.cut_in);
	cr_assert(o.disk.slow_ms == 60000 && o.disk.error && !o.disk.full);
	cr_assert(o.clock.offset_us == -5 && o.clock.drift_ppm == -6);
}

Test(node_faults_words, what_is_not_there_stays_as_it_is_and_what_is_empty_is_none)
{
	struct ord_faults_order o;
	struct ord_params_fault fault = {0};
	cr_assert_eq(decode("{disk: {}}", &o, &fault), ORD_OK);
	cr_assert(!o.has_links && o.has_disk && !o.has_clock && o.disk.slow_ms == 0);
	cr_assert_eq(decode("{links: []}", &o, &fault), ORD_OK);
	cr_assert(o.has_links && o.links_count == 0 && !o.has_disk);
}

Test(node_faults_words, what_is_wrong_is_named)
{
	static const struct {
		const char *params;
		enum ord_rpc_error code;
		const char *field;
	} wrong[] = {
		{"{}", ORD_RPC_ERROR_MISSING_FIELD, "links"},
		{"{link: []}", ORD_RPC_ERROR_UNKNOWN_FIELD, "link"},
		{"{links: 3}", ORD_RPC_ERROR_INVALID_FIELD, "links"},
		{"{links: [3]}", ORD_RPC_ERROR_INVALID_FIELD, "links"},
		{"{links: [{node: 1}, {node: 1}, {node: 1}, {node: 1}, {node: 1}, {node: 1}, {node: 1}, {node: 1}, "
		 "{node: "
		 "1}, {node: 1}]}",
		 ORD_RPC_ERROR_TOO_LARGE, "links"},
		{"{links: [{cut_out: true}]}", ORD_RPC_ERROR_MISSING_FIELD, "links[0].node"},
		{"{links: [{node: 2}, {node: 3}, {node: 2}]}", ORD_RPC_ERROR_INVALID_FIELD, "links[2].node"},
		{"{links: [{node: 0}]}", ORD_RPC_ERROR_INVALID_FIELD, "links[0].node"},
		{"{links: [{node: 2}, {node: 3, delay_ms: -1}]}", ORD_RPC_ERROR_INVALID_FIELD, "links[1].delay_ms"},
		{"{links: [{node: 2, delay_ms: 60001}]}", ORD_RPC_ERROR_INVALID_FIELD, "links[0].delay_ms"},
		{"{links: [{node: 2, delay_ms: 1.5}]}", ORD_RPC_ERROR_INVALID_FIELD, "links[0].delay_ms"},
		{"{links: [{node: 2, delay_ms: 5, jitter_ms: 6}]}", ORD_RPC_ERROR_INVALID_FIELD, "links[0].jitter_ms"},
		{"{links: [{node: 2, loss_ppm: 1000001}]}", ORD_RPC_ERROR_INVALID_FIELD, "links[0].loss_ppm"},
		{"{links: [{node: 2, rate_bytes_s: 1099511627777}]}", ORD_RPC_ERROR_INVALID_FIELD,
		 "links[0].rate_bytes_s"},
		{"{links: [{node: 2, cut_in: 1}]}", ORD_RPC_ERROR_INVALID_FIELD, "links[0].cut_in"},
		{"{links: [{node: 2, dealy_ms: 1}]}", ORD_RPC_ERROR_UNKNOWN_FIELD, "links[0].dealy_ms"},
		{"{links: [{node: 2, 5: 1}]}", ORD_RPC_ERROR_UNKNOWN_FIELD, "links[0]."},
		{"{disk: [1]}", ORD_RPC_ERROR_INVALID_FIELD, "disk"},
		{"{disk: {slow_ms: 60001}}", ORD_RPC_ERROR_INVALID_FIELD, "disk.slow_ms"},
		{"{disk: {'\\xffull': true}}", ORD_RPC_ERROR_UNKNOWN_FIELD, "disk.?ull"},
		{"{clock: {drift_ppm: 1000001}}", ORD_RPC_ERROR_INVALID_FIELD, "clock.drift_ppm"},
		{"{clock: {offset_us: 9223372036854775807}}", ORD_RPC_ERROR_INVALID_FIELD, "clock.offset_us"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct ord_faults_order o;
		struct ord_params_fault fault = {0};
		cr_expect_eq(decode(wrong[i].params, &o, &fault), ORD_ERR_INVALID, "%s", wrong[i].params);
		cr_expect_eq(fault.code, wrong[i].code, "%s: %d", wrong[i].params, fault.code);
		cr_expect_str_eq(fault.field, wrong[i].field, "%s", wrong[i].params);
	}
}

Test(node_faults_words, what_is_in_force_is_told_with_counters)
{
	struct ord_faults_status s = {.links_count = 1,
				      .links = {{.node = 3,
						 .rule = {.cut_in = true, .delay_ms = 4},
						 .counts = {.stopped = 5, .bytes = 6},
						 .waiting_bytes = 7}},
				      .disk = {.slow_ms = 8, .full = true},
				      .disk_counts = {.slowed = 9, .failed = 10, .refused = 11},
				      .free_bytes = 12,
				      .clock = {.offset_us = -13, .drift_ppm = 14}};
	struct ord_bytes bytes;
	msgpack_packer p;
	char shown[2048];
	ord_bytes_init(&bytes, 4096);
	ord_rpc_packer(&bytes, &p);
	ord_faults_put(&p, &s);
	msgpack_unpacked_init(&decoded);
	cr_assert_eq(msgpack_unpack_next(&decoded, (const char *)bytes.base, bytes.len, NULL), MSGPACK_UNPACK_SUCCESS);
	words_show(&decoded.data, shown, sizeof shown);
	cr_assert_str_eq(
		shown,
		"{\"links\"=>[{\"node\"=>3, \"cut_out\"=>false, \"cut_in\"=>true, \"delay_ms\"=>4, \"jitter_ms\"=>0, "
		"\"loss_ppm\"=>0, \"duplicate_ppm\"=>0, \"reorder_ppm\"=>0, \"rate_bytes_s\"=>0, \"stopped\"=>5, "
		"\"attempts\"=>0, \"unanswered\"=>0, \"delayed\"=>0, \"lost\"=>0, \"duplicated\"=>0, "
		"\"reordered\"=>0, \"bytes\"=>6, \"waiting_bytes\"=>7}], \"disk\"=>{\"slow_ms\"=>8, \"error\"=>false, "
		"\"full\"=>true, \"slowed\"=>9, \"failed\"=>10, \"refused\"=>11, \"free_bytes\"=>12}, "
		"\"clock\"=>{\"offset_us\"=>-13, \"drift_ppm\"=>14}}");
	msgpack_unpacked_destroy(&decoded);
	ord_bytes_close(&bytes);
}
