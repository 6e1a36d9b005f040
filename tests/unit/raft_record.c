/* SPDX-License-Identifier: Apache-2.0 - records: bytes and back, and what is refused. */
#include "raft/record.h"

#include <criterion/criterion.h>

#include "base/err.h"

static uint8_t inner[ORD_RECORD_BYTES_MAX];
static uint8_t outer[ORD_RECORD_HEADER_BYTES + ORD_RECORD_BYTES_MAX];

static struct ord_record entry_of(struct ord_slice payload)
{
	return (struct ord_record){.type = ORD_RECORD_ENTRY,
				   .kind = ORD_ENTRY_COMMAND,
				   .group = 4,
				   .term = 5,
				   .index = 6,
				   .payload = payload};
}

/* A copy of an entry whose record is in inner. */
static struct ord_record copy_of(const struct ord_record *r)
{
	ord_record_encode(r, inner);
	return (struct ord_record){.type = ORD_RECORD_COPY,
				   .group = r->group,
				   .term = r->term,
				   .index = r->index,
				   .payload = ord_slice_of(inner, ord_record_bytes(r))};
}

static int decode(const struct ord_record *r, struct ord_record *ret)
{
	ord_record_encode(r, outer);
	return ord_record_decode(ord_slice_of(outer, ord_record_bytes(r)), ret);
}

Test(raft_record, a_copy_has_the_whole_record_of_its_entry)
{
	struct ord_record r = entry_of(ord_slice_text("payload"));
	struct ord_record copy = copy_of(&r);
	struct ord_record got;
	cr_assert_eq(decode(&copy, &got), ORD_OK);
	cr_expect_eq(got.type, ORD_RECORD_COPY);
	cr_expect_eq(got.group, 4);
	struct ord_record in = ord_record_of_copy(&got);
	cr_expect_eq(in.type, ORD_RECORD_ENTRY);
	cr_expect_eq(in.kind, ORD_ENTRY_COMMAND);
	cr_expect(in.group == 4 && in.term == 5 && in.index == 6);
	cr_expect(ord_slice_equal(in.payload, r.payload));
	cr_expect_eq((const uint8_t *)in.payload.base - outer, 2 * ORD_RECORD_HEADER_BYTES);
}

Test(raft_record, the_longest_entry_can_be_copied_and_a_longer_record_is_refused)
{
	static uint8_t payload[ORD_ENTRY_BYTES_MAX];
	struct ord_record r = entry_of(ord_slice_of(payload, sizeof payload));
	struct ord_record copy = copy_of(&r);
	struct ord_record got;
	cr_assert_eq(decode(&copy, &got), ORD_OK);
	cr_expect_eq(ord_record_of_copy(&got).payload.len, ORD_ENTRY_BYTES_MAX);
	uint32_t len = ORD_ENTRY_BYTES_MAX + 1;
	ord_record_encode(&r, outer);
	memcpy(outer + 4, &len, sizeof len);
	cr_expect_eq(ord_record_decode(ord_slice_of(outer, sizeof outer), &got), ORD_ERR_FORMAT);
}

/* The checksum of the copy is right in all of these. */
Test(raft_record, a_copy_of_something_else_is_refused)
{
	struct ord_record r = entry_of(ord_slice_text("payload"));
	struct ord_record got;
	struct ord_record copy = copy_of(&r);
	copy.index++;
	cr_expect_eq(decode(&copy, &got), ORD_ERR_FORMAT, "another index");
	copy = copy_of(&r);
	copy.term++;
	cr_expect_eq(decode(&copy, &got), ORD_ERR_FORMAT, "another term");
	copy = copy_of(&r);
	copy.group++;
	cr_expect_eq(decode(&copy, &got), ORD_ERR_FORMAT, "another group");
	copy = copy_of(&r);
	copy.kind = ORD_ENTRY_COMMAND;
	cr_expect_eq(decode(&copy, &got), ORD_ERR_FORMAT, "a kind");
	copy = copy_of(&r);
	inner[35] ^= 1;
	cr_expect_eq(decode(&copy, &got), ORD_ERR_FORMAT, "a damaged record");
	copy = copy_of(&r);
	copy.payload.len--;
	cr_expect_eq(decode(&copy, &got), ORD_ERR_FORMAT, "a record without its end");
	copy = copy_of(&r);
	copy.payload.len++;
	cr_expect_eq(decode(&copy, &got), ORD_ERR_FORMAT, "a byte too many");
	struct ord_record vote = {.type = ORD_RECORD_VOTE, .group = 4, .term = 5, .index = 6};
	copy = copy_of(&vote);
	cr_expect_eq(decode(&copy, &got), ORD_ERR_FORMAT, "a copy of a vote");
}

Test(raft_record, a_base_is_an_index_and_a_term)
{
	struct ord_record base = {.type = ORD_RECORD_BASE, .group = 4, .term = 5, .index = 6};
	struct ord_record got;
	cr_assert_eq(decode(&base, &got), ORD_OK);
	cr_expect(got.type == ORD_RECORD_BASE && got.term == 5 && got.index == 6 && got.payload.len == 0);
	base.index = 0;
	cr_expect_eq(decode(&base, &got), ORD_ERR_FORMAT);
	base.index = 6;
	base.term = 0;
	cr_expect_eq(decode(&base, &got), ORD_ERR_FORMAT);
	base.term = 5;
	base.payload = ord_slice_text("x");
	cr_expect_eq(decode(&base, &got), ORD_ERR_FORMAT);
	base.payload.len = 0;
	base.type = (enum ord_record_type)5;
	cr_expect_eq(decode(&base, &got), ORD_ERR_FORMAT, "a type of later");
}
