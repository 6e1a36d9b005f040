/* SPDX-License-Identifier: Apache-2.0 - which directories of the other nodes a node has met: first, current, past; and their text. */
#include "node/met.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static struct ord_config config;
static struct ord_met met;
static char text[ORD_MET_TEXT_SIZE];
static char why[512];

static void make(void)
{
	config = (struct ord_config){.node = 2, .nodes_count = 3};
	config.nodes[0].id = 1;
	config.nodes[1].id = 2;
	config.nodes[2].id = 65535;
	ord_met_init(&met, &config);
}

TestSuite(met, .init = make);

static struct ord_uuid id(unsigned number)
{
	return (struct ord_uuid){{(uint8_t)number, (uint8_t)(number >> 8), 0xee}};
}

static int knows(uint32_t node, unsigned number)
{
	struct ord_uuid incarnation = id(number);
	return ord_met_knows(&met, node, &incarnation);
}

static void note(uint32_t node, unsigned number)
{
	struct ord_uuid incarnation = id(number);
	ord_met_note(&met, node, &incarnation);
}

static void adopt(uint32_t node, unsigned number)
{
	struct ord_uuid first = id(number);
	ord_met_adopt(&met, node, &first);
}

/* Writes and reads it. */
static void again(void)
{
	struct ord_met read;
	ord_met_format(&met, text);
	ord_met_init(&read, &config);
	cr_assert_eq(ord_met_parse(&read, text, why, sizeof why), ORD_OK, "%s", why);
	met = read;
}

Test(met, the_first_one_stays_first_and_the_last_one_is_current)
{
	cr_expect_eq(knows(1, 10), ORD_ERR_NOT_FOUND);
	note(1, 10);
	cr_expect_eq(knows(1, 10), ORD_OK);
	cr_expect_eq(knows(65535, 10), ORD_ERR_NOT_FOUND);
	note(1, 11);
	note(1, 12);
	note(65535, 20);
	for (unsigned round = 0; round < 2; round++) {
		struct ord_uuid first = id(10);
		cr_expect_eq(knows(1, 10), ORD_ERR_MISMATCH);
		cr_expect_eq(knows(1, 11), ORD_ERR_MISMATCH);
		cr_expect_eq(knows(1, 12), ORD_OK);
		cr_expect_eq(knows(1, 13), ORD_ERR_NOT_FOUND);
		cr_expect_eq(knows(65535, 20), ORD_OK);
		cr_expect(ord_uuid_equal(&ord_met_find(&met, 1)->first, &first));
		again();
	}
}

Test(met, who_is_no_other_node_is_not_known)
{
	cr_expect_eq(knows(2, 1), ORD_ERR_MISMATCH);
	cr_expect_eq(knows(7, 1), ORD_ERR_MISMATCH);
	cr_expect_null(ord_met_find(&met, 2));
	adopt(7, 1);
	cr_expect_eq(met.nodes_count, 2);
}

Test(met, a_first_one_is_taken_over_and_never_changed)
{
	adopt(1, 10);
	adopt(1, 11);
	again();
	cr_expect_eq(knows(1, 10), ORD_ERR_NOT_FOUND, "it was not met here");
	note(1, 12);
	again();
	cr_expect_eq(knows(1, 10), ORD_ERR_MISMATCH, "it was replaced before this node met another one");
	cr_expect_eq(knows(1, 12), ORD_OK);
	struct ord_uuid first = id(10);
	cr_expect(ord_uuid_equal(&ord_met_find(&met, 1)->first, &first));
	adopt(65535, 20);
	note(65535, 20);
	again();
	cr_expect_eq(knows(65535, 20), ORD_OK);
}

Test(met, the_oldest_are_forgotten_but_never_the_first)
{
	for (unsigned i = 0; i < 100; i++) {
		note(1, i);
		note(65535, 1000 + i);
	}
	again();
	cr_expect_eq(ord_met_find(&met, 1)->past_count, ORD_MET_PAST_MAX);
	cr_expect_eq(knows(1, 99), ORD_OK);
	cr_expect_eq(knows(1, 0), ORD_ERR_MISMATCH);
	cr_expect_eq(knows(1, 99 - ORD_MET_PAST_MAX), ORD_ERR_MISMATCH);
	cr_expect_eq(knows(1, 98 - ORD_MET_PAST_MAX), ORD_ERR_NOT_FOUND);
	cr_expect_eq(knows(65535, 1098), ORD_ERR_MISMATCH);
}

Test(met, the_longest_text_fits)
{
	config.nodes_count = ORD_NODES_MAX;
	config.node = 1;
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++)
		config.nodes[i].id = 65535 - i;
	ord_met_init(&met, &config);
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++)
		for (unsigned k = 0; k <= ORD_MET_PAST_MAX; k++)
			note(65535 - i, k);
	again();
}

Test(met, every_changed_byte_is_found)
{
	note(1, 10);
	note(1, 11);
	ord_met_format(&met, text);
	size_t len = strlen(text);
	struct ord_met read = met;
	for (size_t i = 0; i < len; i++) {
		text[i] ^= 4;
		cr_assert_neq(ord_met_parse(&read, text, why, sizeof why), ORD_OK, "byte %zu", i);
		cr_assert_not_null(strstr(why, "'peers'"));
		text[i] ^= 4;
	}
	for (size_t i = 1; i < len; i++) {
		char kept = text[i];
		text[i] = '\0';
		cr_assert_neq(ord_met_parse(&read, text, why, sizeof why), ORD_OK, "cut at %zu", i);
		text[i] = kept;
	}
	cr_expect_arr_eq(&read, &met, sizeof met);
}

Test(met, of_format_1_all_are_first_and_current)
{
	const char *old = "1 = 0a00ee00-0000-0000-0000-000000000000\n65535 = 1400ee00-0000-0000-0000-000000000000\n";
	cr_assert_eq(ord_met_parse(&met, old, why, sizeof why), ORD_OK, "%s", why);
	cr_expect_eq(knows(1, 10), ORD_OK);
	cr_expect_eq(knows(65535, 20), ORD_OK);
	note(1, 11);
	again();
	cr_expect_eq(knows(1, 10), ORD_ERR_MISMATCH);
	cr_expect_eq(ord_met_parse(&met, "1 = 0a00ee00\n", why, sizeof why), ORD_ERR_CORRUPT);
	cr_expect_eq(ord_met_parse(&met, "format = 3\n", why, sizeof why), ORD_ERR_MISMATCH);
	cr_expect_not_null(strstr(why, "format 3"));
}
