/* SPDX-License-Identifier: Apache-2.0 - lines of payments and claims as commands: headings, values, and what wrong ones are told. */
#include "cli/lines.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define ID "0190b5f0-7c4e-7a11-8f00-0123456789ab"

static char why[512];
static struct ord_lines lines;
static struct ord_csv_record record;

/* A record of fields separated by '|', valid until the next one. */
static struct ord_csv_record *record_of(const char *fields)
{
	static char text[1024];
	snprintf(text, sizeof text, "%s", fields);
	record = (struct ord_csv_record){.line = 17};
	for (char *at = text;; at++) {
		char *end = at + strcspn(at, "|");
		record.fields[record.fields_count++] = ord_slice_of(at, (size_t)(end - at));
		if (*end == '\0')
			return &record;
		at = end;
	}
}

static void heading(enum ordain_command_kind kind, const char *fields)
{
	cr_assert_eq(ord_lines_init(&lines, kind, record_of(fields), why, sizeof why), ORD_OK, "%s", why);
}

static void refused(const char *fields, const char *expected)
{
	struct ordain_command c;
	cr_assert_eq(ord_lines_read(&lines, record_of(fields), &c, why, sizeof why), ORD_ERR_FORMAT, "%s", fields);
	cr_assert_str_eq(why, expected);
}

static void is(struct ordain_str s, const char *expected)
{
	cr_assert_eq(s.len, strlen(expected));
	cr_assert_eq(memcmp(s.base, expected, s.len), 0);
}

Test(cli_lines, reads_a_payment_from_columns_in_any_order)
{
	struct ordain_command c;
	heading(ORDAIN_TRANSFER, "memo|asset|amount|payee|payer|request_id");
	cr_assert_eq(
		ord_lines_read(&lines, record_of("hello|EUR|9223372036854775807|bob|alice|" ID), &c, why, sizeof why),
		ORD_OK, "%s", why);
	cr_assert_eq(c.kind, ORDAIN_TRANSFER);
	cr_assert_eq(c.id.bytes[15], 0xab);
	is(c.transfer.payer, "alice");
	is(c.transfer.payee, "bob");
	is(c.transfer.asset, "EUR");
	cr_assert_eq(c.transfer.amount, INT64_MAX);
}

Test(cli_lines, reads_a_claim)
{
	struct ordain_command c;
	heading(ORDAIN_CLAIM, "request_id|namespace|name|owner");
	cr_assert_eq(ord_lines_read(&lines, record_of(ID "|users|alice|u-1"), &c, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(c.kind, ORDAIN_CLAIM);
	is(c.naming.space, "users");
	is(c.naming.name, "alice");
	is(c.naming.owner, "u-1");
}

Test(cli_lines, refuses_headings)
{
	const char *columns = "the first line must name the columns request_id,payer,payee,amount,asset";
	char expected[256];
	cr_assert_eq(ord_lines_init(&lines, ORDAIN_TRANSFER, record_of("request_id|payer|payee|amout|asset"), why,
				    sizeof why),
		     ORD_ERR_FORMAT);
	snprintf(expected, sizeof expected, "line 1: column amount is missing; %s", columns);
	cr_assert_str_eq(why, expected);
	cr_assert_eq(ord_lines_init(&lines, ORDAIN_TRANSFER, record_of("request_id|payer|payee|amount|asset|payer"),
				    why, sizeof why),
		     ORD_ERR_FORMAT);
	snprintf(expected, sizeof expected, "line 1: column payer is there twice; %s", columns);
	cr_assert_str_eq(why, expected);
}

Test(cli_lines, every_wrong_value_names_its_column)
{
	heading(ORDAIN_TRANSFER, "request_id|payer|payee|amount|asset");
	refused(ID "|a|b|abc|EUR", "amount: 'abc' is not an integer from 1 to 9223372036854775807");
	refused(ID "|a|b||EUR", "amount: '' is not an integer from 1 to 9223372036854775807");
	refused(ID "|a|b|0|EUR", "amount: '0' is not an integer from 1 to 9223372036854775807");
	refused(ID "|a|b|-3|EUR", "amount: '-3' is not an integer from 1 to 9223372036854775807");
	refused(ID "|a|b|1.5|EUR", "amount: '1.5' is not an integer from 1 to 9223372036854775807");
	refused(ID "|a|b|9223372036854775808|EUR",
		"amount: '9223372036854775808' is not an integer from 1 to 9223372036854775807");
	refused(ID "|a|b|100000000000000000000000000000|EUR",
		"amount: '100000000000000000000000000000' is not an integer from 1 to 9223372036854775807");
	refused("12|a|b|1|EUR", "request_id: '12' is not a UUID like 0190b5f0-7c4e-7a11-8f00-0123456789ab");
	refused("00000000-0000-0000-0000-000000000000|a|b|1|EUR", "request_id: must be 16 bytes that are not all zero");
	refused(ID "||b|1|EUR", "payer: must be 1 to 64 bytes of UTF-8");
	refused(ID "|a|a|1|EUR", "payee: must be another account than the payer");
	refused(ID "|a|b|1|SEVENTEEN-LETTERS", "asset: must be 1 to 16 bytes of UTF-8");
	refused(ID "|a|\xff|1|EUR", "payee: must be 1 to 64 bytes of UTF-8");
	refused(ID "|a|b|1", "4 fields where the heading has 5");
	refused(ID "|a|b|1|EUR|x", "6 fields where the heading has 5");
}

Test(cli_lines, finds_the_request_id_of_a_wrong_line)
{
	heading(ORDAIN_TRANSFER, "payer|payee|amount|asset|request_id");
	struct ord_slice id = ord_lines_request_id(&lines, record_of("a|b|x|EUR|nonsense"));
	cr_assert(ord_slice_equal(id, ord_slice_text("nonsense")));
	cr_assert_eq(ord_lines_request_id(&lines, record_of("a|b")).len, 0);
}
