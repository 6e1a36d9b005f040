/* SPDX-License-Identifier: Apache-2.0 - questions whether peers still follow, and answers, as bytes. */
#include "raft/confirm.h"

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"

#define FORMAT 1
#define QUESTION 1
#define ANSWER 2
#define COUNT_OFFSET 2
#define TO_OFFSET 16

_Static_assert(ORD_PARTITIONS_MAX <= UINT16_MAX, "the number of groups has two bytes");

size_t ord_confirm_begin(const struct ord_confirm *c, struct ord_bytes *out)
{
	size_t begun = out->len;
	ORD_ASSERT(c->round > 0);
	ord_bytes_put_u8(out, FORMAT);
	ord_bytes_put_u8(out, c->is_answer ? ANSWER : QUESTION);
	ord_bytes_put_u16(out, 0); /* ord_confirm_end */
	ord_bytes_put_u32(out, 0);
	ord_bytes_put_u64(out, c->from);
	ord_bytes_put_u64(out, c->to);
	ord_bytes_put_u64(out, c->round);
	return begun;
}

void ord_confirm_put_group(struct ord_bytes *out, uint32_t group, uint64_t term)
{
	ord_bytes_put_u32(out, group);
	ord_bytes_put_u64(out, term);
}

void ord_confirm_end(struct ord_bytes *out, size_t begun)
{
	if (out->failed)
		return;
	size_t count = (out->len - begun - ORD_CONFIRM_HEADER_BYTES) / ORD_CONFIRM_GROUP_BYTES;
	ORD_ASSERT(count <= ORD_PARTITIONS_MAX);
	uint16_t v = (uint16_t)count;
	memcpy(out->base + begun + COUNT_OFFSET, &v, sizeof v);
}

void ord_confirm_set_to(struct ord_bytes *out, size_t begun, uint64_t to)
{
	if (!out->failed)
		memcpy(out->base + begun + TO_OFFSET, &to, sizeof to);
}

int ord_confirm_decode(struct ord_slice in, struct ord_confirm *ret)
{
	struct ord_reader r = ord_reader_of(in);
	struct ord_confirm c = {0};
	uint8_t format = ord_reader_u8(&r);
	uint8_t type = ord_reader_u8(&r);
	c.groups_count = ord_reader_u16(&r);
	uint32_t zero = ord_reader_u32(&r);
	c.from = ord_reader_u64(&r);
	c.to = ord_reader_u64(&r);
	c.round = ord_reader_u64(&r);
	c.groups = ord_reader_take(&r, (size_t)c.groups_count * ORD_CONFIRM_GROUP_BYTES);
	if (r.failed || ord_reader_left(&r) != 0 || format != FORMAT || zero != 0 || c.round == 0 ||
	    c.groups_count > ORD_PARTITIONS_MAX || (type != QUESTION && type != ANSWER))
		return ORD_ERR_FORMAT;
	c.is_answer = type == ANSWER;
	*ret = c;
	return ORD_OK;
}

void ord_confirm_group(const struct ord_confirm *c, uint32_t place, uint32_t *ret_group, uint64_t *ret_term)
{
	ORD_ASSERT(place < c->groups_count);
	size_t offset = (size_t)place * ORD_CONFIRM_GROUP_BYTES;
	struct ord_reader r =
		ord_reader_of(ord_slice_of((const uint8_t *)c->groups.base + offset, ORD_CONFIRM_GROUP_BYTES));
	*ret_group = ord_reader_u32(&r);
	*ret_term = ord_reader_u64(&r);
}
