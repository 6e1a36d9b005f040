/* SPDX-License-Identifier: Apache-2.0 - commands of a log in words: one line whatever stands in them, and the same as JSON. */
#include "cli/command_words.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define ID "11111111-1111-1111-1111-111111111111"

static const struct ord_uuid id = {{[0 ... 15] = 0x11}};

static void shows(const struct ord_command *c, const char *words, const char *json)
{
	struct ord_bytes out;
	struct ord_json j;
	char *text = NULL;
	size_t size = 0;
	ord_bytes_init(&out, 4096);
	ord_command_words_put(c, &out);
	ord_bytes_put_u8(&out, '\0');
	cr_assert_str_eq((const char *)out.base, words);
	ord_bytes_close(&out);
	FILE *stream = open_memstream(&text, &size);
	ord_json_init(&j, stream);
	ord_command_words_json(c, &j);
	fclose(stream);
	text[strcspn(text, "\n")] = '\0';
	cr_assert_str_eq(text, json);
	free(text);
}

Test(cli_command_words, fields_stand_in_their_order_and_texts_in_quotes)
{
	struct ord_command c = {
		.kind = ORD_COMMAND_TRANSFER,
		.request_id = id,
		.transfer = {ord_slice_text("al\"ice"), ord_slice_text("b\\ob"), ord_slice_text("EUR"), 5}};
	shows(&c, "payer=\"al\\\"ice\" payee=\"b\\\\ob\" amount=5 asset=\"EUR\"",
	      "{\"payer\":\"al\\\"ice\",\"payee\":\"b\\\\ob\",\"amount\":5,\"asset\":\"EUR\"}");
	cr_assert(ord_command_words_has_id(&c));
	c = (struct ord_command){.kind = ORD_COMMAND_OPEN_ACCOUNT,
				 .open_account = {ord_slice_text("a"), ord_slice_text("EUR"), -7, INT64_MAX}};
	shows(&c, "account=\"a\" asset=\"EUR\" floor=-7 ceiling=9223372036854775807",
	      "{\"account\":\"a\",\"asset\":\"EUR\",\"floor\":-7,\"ceiling\":9223372036854775807}");
	c = (struct ord_command){.kind = ORD_COMMAND_SET_ACCOUNT,
				 .set_account = {ord_slice_text("a"), ORD_ACCOUNT_CLOSED}};
	shows(&c, "account=\"a\" state=closed", "{\"account\":\"a\",\"state\":\"closed\"}");
}

#define DIGEST "00000000000000010000000000000002"
#define HASH "ab00000000000000000000000000000000000000000000000000000000000000"

Test(cli_command_words, what_partitions_say_to_each_other)
{
	struct ord_message m = {.kind = ORD_MESSAGE_DEBIT,
				.request_id = id,
				.home = 3,
				.transfer = {ord_slice_text("a"), ord_slice_text("b"), ord_slice_text("EUR"), 1}};
	struct ord_bytes messages;
	ord_bytes_init(&messages, 4096);
	ord_message_encode(&m, &messages);
	m.kind = ORD_MESSAGE_OUTCOME;
	ord_message_encode(&m, &messages);
	struct ord_command c = {
		.kind = ORD_COMMAND_DELIVER,
		.deliver = {.source = 1, .first = 41, .count = 2, .messages = ord_bytes_slice(&messages)}};
	shows(&c,
	      "source=1 first=41 count=2 messages=[debit " ID " home=3 payer=\"a\" payee=\"b\" amount=1 asset=\"EUR\"; "
	      "outcome " ID " home=3 reason=none]",
	      "{\"source\":1,\"first\":41,\"count\":2,\"messages\":[{\"kind\":\"debit\",\"id\":\"" ID "\",\"home\":3,"
	      "\"payer\":\"a\",\"payee\":\"b\",\"amount\":1,\"asset\":\"EUR\"},"
	      "{\"kind\":\"outcome\",\"id\":\"" ID "\",\"home\":3,\"reason\":\"none\"}]}");
	cr_assert_not(ord_command_words_has_id(&c));
	ord_bytes_close(&messages);
	c = (struct ord_command){.kind = ORD_COMMAND_TRIM, .trim = {.destination = 2, .upto = 17}};
	shows(&c, "destination=2 upto=17", "{\"destination\":2,\"upto\":17}");
	cr_assert_not(ord_command_words_has_id(&c));
	c = (struct ord_command){.kind = ORD_COMMAND_EXPIRE, .expire = {1700000000000}};
	shows(&c, "watermark_ms=1700000000000", "{\"watermark_ms\":1700000000000}");
	c = (struct ord_command){.kind = ORD_COMMAND_MARK, .mark = {17, 3, {1, 2}, {0xab}}};
	shows(&c, "position=17 entries=3 digest=" DIGEST " history=" HASH,
	      "{\"position\":17,\"entries\":3,\"digest\":\"" DIGEST "\",\"history\":\"" HASH "\"}");
	cr_assert_not(ord_command_words_has_id(&c));
}
