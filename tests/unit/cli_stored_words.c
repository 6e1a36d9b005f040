/* SPDX-License-Identifier: Apache-2.0 - records of a stored state in words: one line whatever stands in them, and the same as JSON. */
#include "cli/stored_words.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/varint.h"
#include "partition/stored.h"

static struct ord_bytes value;

static void open_value(void)
{
	ord_bytes_init(&value, 4096);
}

static void close_value(void)
{
	ord_bytes_close(&value);
}

TestSuite(cli_stored_words, .init = open_value, .fini = close_value);

/* The balance as it stands there: 0, 1, 2, 3 ... are 0, -1, 1, -2 ... */
static void account_put(uint64_t low, uint64_t high)
{
	ord_bytes_put_u8(&value, 2); /* frozen */
	ord_bytes_put_varint(&value, low);
	ord_bytes_put_varint(&value, high);
	ord_bytes_put_signed_varint(&value, -5);
	ord_bytes_put_varint(&value, 7);
	ord_bytes_put_varint(&value, 11); /* opened_us */
	ord_bytes_put_varint(&value, 3);
	ord_bytes_put_varint(&value, 9);
	for (int i = 0; i < ORD_POSTING_LEVELS; i++)
		ord_bytes_put_varint(&value, 0);
	ord_bytes_put_text8(&value, ord_slice_text("EUR"));
}

static void close_checksum(enum ord_store_table table, struct ord_slice key)
{
	ord_bytes_put_u32(&value, ord_stored_checksum(table, key, ord_bytes_slice(&value)));
}

static void shows(enum ord_store_table table, struct ord_slice key, const char *words, const char *json)
{
	struct ord_bytes out;
	struct ord_json j;
	struct ord_values as_words = {.words = &out}, as_json = {.json = &j};
	const char *why;
	char *text = NULL;
	size_t size = 0;

	ord_bytes_init(&out, 4096);
	cr_assert_eq(ord_stored_words_put(table, key, ord_bytes_slice(&value), &as_words, &why), ORD_OK);
	ord_bytes_put_u8(&out, '\0');
	cr_expect_str_eq((const char *)out.base, words);
	ord_bytes_close(&out);
	FILE *stream = open_memstream(&text, &size);
	ord_json_init(&j, stream);
	ord_json_begin_object(&j);
	cr_assert_eq(ord_stored_words_put(table, key, ord_bytes_slice(&value), &as_json, &why), ORD_OK);
	ord_json_end_object(&j);
	fclose(stream);
	text[strcspn(text, "\n")] = '\0';
	cr_expect_str_eq(text, json);
	free(text);
}

Test(cli_stored_words, texts_stand_in_quotes)
{
	struct ord_slice key = ord_slice_text("al\"i\\ce");

	account_put(200, 0);
	close_checksum(ORD_STORE_ACCOUNTS, key);
	shows(ORD_STORE_ACCOUNTS, key,
	      "account=\"al\\\"i\\\\ce\" asset=\"EUR\" state=frozen balance=100 floor=-5 ceiling=7 opened_us=11 "
	      "postings=3 "
	      "last_ordinal=9",
	      "{\"account\":\"al\\\"i\\\\ce\",\"asset\":\"EUR\",\"state\":\"frozen\",\"balance\":100,\"floor\":-5,"
	      "\"ceiling\":7,\"opened_us\":11,\"postings\":3,\"last_ordinal\":9}");
}

Test(cli_stored_words, a_balance_may_be_wider_than_64_bits)
{
	struct ord_slice key = ord_slice_text("a");

	account_put(UINT64_MAX - 1, 1);
	close_checksum(ORD_STORE_ACCOUNTS, key);
	shows(ORD_STORE_ACCOUNTS, key,
	      "account=\"a\" asset=\"EUR\" state=frozen balance=18446744073709551615 floor=-5 ceiling=7 opened_us=11 "
	      "postings=3 last_ordinal=9",
	      "{\"account\":\"a\",\"asset\":\"EUR\",\"state\":\"frozen\",\"balance\":\"18446744073709551615\","
	      "\"floor\":-5,"
	      "\"ceiling\":7,\"opened_us\":11,\"postings\":3,\"last_ordinal\":9}");
}

Test(cli_stored_words, what_is_damaged_is_not_shown)
{
	struct ord_slice key = ord_slice_text("a");
	struct ord_bytes out;
	struct ord_values f = {.words = &out};
	const char *why = "";

	ord_bytes_init(&out, 4096);
	account_put(200, 0);
	close_checksum(ORD_STORE_ACCOUNTS, key);
	value.base[3] ^= 1;
	cr_expect_eq(ord_stored_words_put(ORD_STORE_ACCOUNTS, key, ord_bytes_slice(&value), &f, &why), ORD_ERR_CORRUPT);
	cr_expect_str_eq(why, "its checksum is wrong");
	ord_bytes_clear(&value);
	ord_bytes_put_u8(&value, 1); /* much too short for an account */
	close_checksum(ORD_STORE_ACCOUNTS, key);
	cr_expect_eq(ord_stored_words_put(ORD_STORE_ACCOUNTS, key, ord_bytes_slice(&value), &f, &why), ORD_ERR_CORRUPT);
	cr_expect_str_eq(why, "its checksum is right, and it makes no sense");
	cr_expect_eq(out.len, 0);
	ord_bytes_close(&out);
}

static void names_key(enum ord_store_table table, struct ord_slice key, const char *expected)
{
	char text[ORD_STORED_KEY_SIZE];

	ord_stored_words_key(table, key, text, sizeof text);
	cr_expect_str_eq(text, expected);
}

Test(cli_stored_words, keys_are_named)
{
	static const uint8_t message[12] = {0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0};
	static const uint8_t stage[17] = {[0 ... 15] = 0x11, [16] = 2};

	names_key(ORD_STORE_ACCOUNTS, ord_slice_text("bank"), "account=\"bank\"");
	names_key(ORD_STORE_NAMES, ord_slice_of("\x05usersada", 9), "namespace=\"users\" name=\"ada\"");
	names_key(ORD_STORE_NAMES, ord_slice_of("\x50users", 6), "key=507573657273");
	names_key(ORD_STORE_MESSAGES, ord_slice_of(message, sizeof message), "destination=2 number=256");
	names_key(ORD_STORE_MESSAGES, ord_slice_of(message, 3), "key=000000");
	names_key(ORD_STORE_STAGES, ord_slice_of(stage, sizeof stage),
		  "request=11111111-1111-1111-1111-111111111111 kind=credit");
}

/* The bytes are not there: a length that changed may lead anywhere. */
Test(cli_stored_words, lengths_that_no_record_has_are_not_believed)
{
	struct ord_slice body, key = ord_slice_text("a");

	cr_expect_eq(ord_stored_verify(ORD_STORE_ACCOUNTS, key, ord_slice_of("value", (size_t)1 << 40), &body),
		     ORD_ERR_CORRUPT);
	cr_expect_eq(ord_stored_verify(ORD_STORE_ACCOUNTS, ord_slice_of("a", (size_t)1 << 40), key, &body),
		     ORD_ERR_CORRUPT);
	names_key(ORD_STORE_ACCOUNTS, ord_slice_of("a", (size_t)1 << 40), "account=\"\"");
}

Test(cli_stored_words, a_long_key_is_cut)
{
	char text[9];

	ord_stored_words_key(ORD_STORE_ACCOUNTS, ord_slice_text("a longer one"), text, sizeof text);
	cr_expect_str_eq(text, "account=");
}
