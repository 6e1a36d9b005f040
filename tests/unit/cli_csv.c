/* SPDX-License-Identifier: Apache-2.0 - comma-separated values: fields, quotes, wrong lines, bounds. */
#include "cli/csv.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Reads all of text and writes down what came: "line:field|field\n" or "line!why\n". */
static char *narrate(const char *text, size_t len)
{
	static struct ord_csv_record record;
	struct ord_csv *csv;
	char *story = NULL;
	size_t story_size = 0;
	FILE *in = fmemopen((void *)(uintptr_t)text, len, "r");
	FILE *out = open_memstream(&story, &story_size);
	cr_assert_eq(ord_csv_open(in, &csv), ORD_OK);
	for (;;) {
		bool have = false;
		const char *why = NULL;
		int err = ord_csv_next(csv, &record, &have, &why);
		if (err == ORD_OK && !have)
			break;
		if (err == ORD_ERR_FORMAT) {
			fprintf(out, "%d!%s\n", (int)record.line, why);
			continue;
		}
		cr_assert_eq(err, ORD_OK);
		fprintf(out, "%d:", (int)record.line);
		for (size_t i = 0; i < record.fields_count; i++)
			fprintf(out, "%s%.*s", i > 0 ? "|" : "", (int)record.fields[i].len,
				(const char *)record.fields[i].base);
		fputc('\n', out);
	}
	ord_csv_close(csv);
	fclose(in);
	fclose(out);
	return story;
}

static void tells(const char *text, const char *expected)
{
	char *story = narrate(text, strlen(text));
	cr_assert_str_eq(story, expected);
	free(story);
}

Test(cli_csv, splits_fields)
{
	tells("a,b,c\n1,,3\n,,\n", "1:a|b|c\n2:1||3\n3:||\n");
}

Test(cli_csv, last_line_needs_no_end)
{
	tells("a,b\n1,2", "1:a|b\n2:1|2\n");
}

Test(cli_csv, takes_quotes)
{
	tells("\"a,b\",\"say \"\"hi\"\"\",\"\"\n\"x\"\n", "1:a,b|say \"hi\"|\n2:x\n");
}

Test(cli_csv, skips_byte_order_mark_carriage_returns_and_empty_lines)
{
	tells("\xEF\xBB\xBFid,x\r\n\r\n1,2\r\n\n3,4\r\n", "1:id|x\n3:1|2\n5:3|4\n");
}

Test(cli_csv, a_wrong_line_spoils_only_itself)
{
	tells("a,b\n\"open,2\n3,4\n\"x\"y,5\n6,7\np\"q,8\n9,10\n",
	      "1:a|b\n2!a double quote is opened and not closed on this line\n3:3|4\n"
	      "4!text after a closing double quote; write a quote inside quotes twice\n5:6|7\n"
	      "6!a double quote inside a field that does not begin with one\n7:9|10\n");
}

Test(cli_csv, has_bounds)
{
	char *text = calloc(1, ORD_CSV_LINE_BYTES_MAX + 64);
	memset(text, 'x', ORD_CSV_LINE_BYTES_MAX + 1);
	snprintf(text + ORD_CSV_LINE_BYTES_MAX + 1, 8, "\nnext\n");
	tells(text, "1!longer than 16384 bytes\n2:next\n");
	free(text);
	tells(",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\nnext\n",
	      "1!more than 64 fields\n2:next\n");
}

Test(cli_csv, takes_the_longest_line)
{
	char *text = calloc(1, ORD_CSV_LINE_BYTES_MAX + 2);
	memset(text, 'x', ORD_CSV_LINE_BYTES_MAX);
	text[ORD_CSV_LINE_BYTES_MAX] = '\n';
	char *story = narrate(text, strlen(text));
	cr_assert_eq(strlen(story), 2 + ORD_CSV_LINE_BYTES_MAX + 1);
	free(story);
	free(text);
}

Test(cli_csv, keeps_any_bytes)
{
	char *story = narrate("a\0b,\xff\n", 7);
	cr_assert_eq(memcmp(story, "1:a", 3), 0);
	free(story);
}

Test(cli_csv, what_is_put_reads_back)
{
	static const char *const fields[] = {"plain", "", "a,b", "say \"hi\"", "\"", "line"};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	for (size_t i = 0; i < 6; i++) {
		if (i > 0)
			fputc(',', out);
		ord_csv_put(out, ord_slice_text(fields[i]));
	}
	fclose(out);
	tells(text, "1:plain||a,b|say \"hi\"|\"|line\n");
	free(text);
}
