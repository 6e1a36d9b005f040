/* SPDX-License-Identifier: Apache-2.0 - the transaction that a claim of etcd is, byte for byte, and what its answer says. */
#include "tests/peers/etcd_txn.h"

#include <criterion/criterion.h>
#include <signal.h>

#include "base/err.h"

#define REQUEST_BYTES_MAX 1000

static int succeeded(const char *response, size_t len, bool *ret)
{
	return etcd_txn_succeeded(ord_slice_of(response, len), ret);
}

/* By hand from rpc.proto: Compare{EQUAL, CREATE, key, create_revision 0}, RequestOp{request_put{key, value}}. */
Test(peers_etcd_txn, create_is_the_message_of_rpc_proto)
{
	static const char expected[] = "\x0a\x0a\x08\x00\x10\x01\x1a\x02"
				       "ab"
				       "\x28\x00\x12\x09\x12\x07\x0a\x02"
				       "ab"
				       "\x12\x01"
				       "v";
	struct ord_bytes b;
	ord_bytes_init(&b, REQUEST_BYTES_MAX);
	etcd_txn_create(&b, ord_slice_text("ab"), ord_slice_text("v"));
	cr_assert(!b.failed);
	cr_assert_eq(b.len, sizeof expected - 1);
	cr_assert_arr_eq(b.base, expected, b.len);
	ord_bytes_close(&b);
}

/* 99 + 99 bytes of texts: both lengths around them take two bytes. */
Test(peers_etcd_txn, lengths_over_127_take_two_bytes)
{
	char text[99];
	struct ord_bytes b;
	memset(text, 'x', sizeof text);
	ord_bytes_init(&b, REQUEST_BYTES_MAX);
	etcd_txn_create(&b, ord_slice_of(text, sizeof text), ord_slice_of(text, sizeof text));
	cr_assert(!b.failed);
	size_t compare_bytes = 2 + 4 + (2 + 99) + 2;
	cr_assert_eq(b.base[1], compare_bytes - 2);
	const uint8_t *put = b.base + compare_bytes;
	size_t put_bytes = 2 * (size_t)(2 + 99);
	cr_assert_eq(put[0], 0x12);
	cr_assert_eq((put[1] & 0x7f) | put[2] << 7, put_bytes + 3);
	cr_assert_eq(put[3], 0x12);
	cr_assert_eq((put[4] & 0x7f) | put[5] << 7, put_bytes);
	cr_assert_eq(b.len, compare_bytes + 3 + 3 + put_bytes);
	ord_bytes_close(&b);
}

Test(peers_etcd_txn, a_longer_key_is_not_encoded, .signal = SIGABRT)
{
	char text[100] = {0};
	struct ord_bytes b;
	ord_bytes_init(&b, REQUEST_BYTES_MAX);
	etcd_txn_create(&b, ord_slice_of(text, sizeof text), ord_slice_text("v"));
}

Test(peers_etcd_txn, succeeded_is_read_among_other_fields)
{
	bool put = false;
	cr_assert_eq(succeeded("\x0a\x04\x08\x01\x10\x02\x10\x01\x1a\x02\x12\x00", 12, &put), ORD_OK);
	cr_assert(put);
}

Test(peers_etcd_txn, what_is_not_written_is_false)
{
	bool put = true;
	cr_assert_eq(succeeded("\x0a\x04\x08\x01\x10\x02", 6, &put), ORD_OK);
	cr_assert(!put);
	put = true;
	cr_assert_eq(succeeded("", 0, &put), ORD_OK);
	cr_assert(!put);
}

Test(peers_etcd_txn, every_cut_is_named_or_is_a_shorter_message)
{
	static const char whole[] = "\x0a\x04\x08\x01\x10\x02\x10\x01";
	bool put = true;
	for (size_t len = 1; len < sizeof whole - 1; len++) {
		int expected = len == 6 ? ORD_OK : ORD_ERR_FORMAT;
		cr_assert_eq(succeeded(whole, len, &put), expected, "%zu bytes", len);
	}
	cr_assert(!put);
}

Test(peers_etcd_txn, what_is_no_protocol_buffer_is_refused_and_changes_nothing)
{
	bool put = true;
	cr_assert_eq(succeeded("\x13\x01", 2, &put), ORD_ERR_FORMAT); /* a group: no longer in use */
	cr_assert_eq(succeeded("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, &put), ORD_ERR_FORMAT);
	cr_assert_eq(succeeded("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10, &put), ORD_ERR_FORMAT);
	cr_assert(put);
}
