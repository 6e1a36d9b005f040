/* SPDX-License-Identifier: Apache-2.0 - who a node is: what the text of identity says, and that nothing else is taken for one. */
#include "node/self.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static struct ord_config config;
static char text[ORD_SELF_TEXT_SIZE];
static char why[512];

static void make(void)
{
	config = (struct ord_config){.cluster = {{9}}, .node = 2, .nodes_count = 3, .partitions_count = 8};
	for (uint32_t i = 0; i < 3; i++)
		config.nodes[i].id = i + 1;
}

TestSuite(self, .init = make);

static struct ord_self drawn(enum ord_standing standing, bool log_begun)
{
	struct ord_self self = {.standing = standing, .log_begun = log_begun};
	cr_assert_eq(ord_self_draw(&self.incarnation), ORD_OK);
	return self;
}

Test(self, what_is_written_is_read)
{
	for (enum ord_standing s = ORD_STANDING_UNDECIDED; s <= ORD_STANDING_NEWCOMER; s++) {
		struct ord_self put = drawn(s, s != ORD_STANDING_UNDECIDED);
		struct ord_self got;
		ord_self_format(&put, &config, text);
		cr_assert_eq(ord_self_parse(text, &config, &got, why, sizeof why), ORD_OK, "%s", why);
		cr_expect_eq(got.standing, s);
		cr_expect_eq(got.log_begun, put.log_begun);
		cr_expect(ord_uuid_equal(&got.incarnation, &put.incarnation));
	}
}

Test(self, every_changed_byte_is_found)
{
	struct ord_self self = drawn(ORD_STANDING_NEWCOMER, true);
	struct ord_self got;
	ord_self_format(&self, &config, text);
	size_t len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		text[i] ^= 4;
		cr_assert_neq(ord_self_parse(text, &config, &got, why, sizeof why), ORD_OK, "byte %zu", i);
		text[i] ^= 4;
	}
	for (size_t i = 0; i < len; i++) {
		char kept = text[i];
		text[i] = '\0';
		cr_assert_neq(ord_self_parse(text, &config, &got, why, sizeof why), ORD_OK, "cut at %zu", i);
		text[i] = kept;
	}
}

static void expect_refusal(const char *bad, int err, const char *word)
{
	struct ord_self got;
	cr_assert_eq(ord_self_parse(bad, &config, &got, why, sizeof why), err, "%s", why);
	cr_assert_not_null(strstr(why, word), "'%s' is not in: %s", word, why);
}

Test(self, a_flipped_bit_is_damage_and_no_other_clusters_directory)
{
	struct ord_self self = drawn(ORD_STANDING_FOUNDER, true);
	ord_self_format(&self, &config, text);
	*strstr(text, "09000000") ^= 1;
	expect_refusal(text, ORD_ERR_CORRUPT, "changed or cut off");
}

#define FORMAT_1 "format = 1\ncluster_id = 09000000-0000-0000-0000-000000000000\nnode = 2\n"

Test(self, format_1_is_a_founder_with_a_log)
{
	struct ord_self got;
	const char *old =
		FORMAT_1 "incarnation = 00000000-0000-4000-8000-000000000001\npartitions = 8\nnodes = 1,2,3\n";
	cr_assert_eq(ord_self_parse(old, &config, &got, why, sizeof why), ORD_OK, "%s", why);
	cr_expect_eq(got.standing, ORD_STANDING_FOUNDER);
	cr_expect(got.log_begun);
	cr_expect_eq(ord_self_member(&got, 2), 2);
}

Test(self, what_is_wrong_is_named)
{
	expect_refusal("", ORD_ERR_MISMATCH, "format");
	expect_refusal("format = 3\n", ORD_ERR_MISMATCH, "format 3");
	expect_refusal(FORMAT_1, ORD_ERR_CORRUPT, "no partitions");
	expect_refusal(FORMAT_1 "partitions = 9\nnodes = 1,2,3\n", ORD_ERR_MISMATCH, "partitions 9");
	expect_refusal(FORMAT_1 "partitions = 8\nnodes = 1,2\n", ORD_ERR_MISMATCH, "nodes 1,2");
	expect_refusal(FORMAT_1 "partitions = 8\nnodes = 1,2,3\nincarnation = x\n", ORD_ERR_CORRUPT, "incarnation");
}

Test(self, a_member_is_the_node_or_the_node_with_its_incarnation)
{
	struct ord_self undecided = drawn(ORD_STANDING_UNDECIDED, false);
	struct ord_self newcomer = {.incarnation = {{0x04, 0x03, 0x02, 0x81}}, .standing = ORD_STANDING_NEWCOMER};
	cr_expect_eq(ord_self_member(&undecided, 2), 0);
	cr_expect_eq(ord_self_member(&newcomer, 2), UINT64_C(0x8102030400000002));
	cr_expect(ord_self_may_be(2, &newcomer.incarnation, 0));
	cr_expect(ord_self_may_be(2, &newcomer.incarnation, 2));
	cr_expect(ord_self_may_be(2, &newcomer.incarnation, UINT64_C(0x8102030400000002)));
	cr_expect_not(ord_self_may_be(2, &newcomer.incarnation, 3));
	cr_expect_not(ord_self_may_be(3, &newcomer.incarnation, UINT64_C(0x8102030400000002)));
	cr_expect_not(ord_self_may_be(2, &newcomer.incarnation, UINT64_C(0x8102030500000002)));
}

Test(self, a_directory_is_of_one_shard_of_so_many)
{
	struct ord_self self = drawn(ORD_STANDING_FOUNDER, true), got;
	config.shards_count = 3;
	config.shard = 2;
	ord_self_format(&self, &config, text);
	cr_expect_eq(ord_self_parse(text, &config, &got, why, sizeof why), ORD_OK, "%s", why);
	config.shard = 1;
	cr_expect_eq(ord_self_parse(text, &config, &got, why, sizeof why), ORD_ERR_MISMATCH);
	cr_expect_not_null(strstr(why, "belongs to shard 2, not 1"), "%s", why);
	config.shards_count = 2;
	cr_expect_eq(ord_self_parse(text, &config, &got, why, sizeof why), ORD_ERR_MISMATCH);
	cr_expect_not_null(strstr(why, "a node of 3 shards, the configuration says 2"), "%s", why);
	config.shards_count = 1;
	config.shard = 0;
	cr_expect_eq(ord_self_parse(text, &config, &got, why, sizeof why), ORD_ERR_MISMATCH);
	/* What was written of one shard, or before there were any, says nothing of them. */
	ord_self_format(&self, &config, text);
	cr_expect_null(strstr(text, "shard"));
	cr_expect_eq(ord_self_parse(text, &config, &got, why, sizeof why), ORD_OK);
	config.shards_count = 2;
	cr_expect_eq(ord_self_parse(text, &config, &got, why, sizeof why), ORD_ERR_MISMATCH);
}
