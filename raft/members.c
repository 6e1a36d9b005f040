/* SPDX-License-Identifier: Apache-2.0 - lists of members to bytes, and the check of received ones. */
#include "raft/members.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/limits.h"

#define MEMBERS_FORMAT 1
#define MEMBERS_ALIGNMENT 8

_Static_assert((int)ORD_MEMBER_STANDBY == 0 && (int)ORD_MEMBER_VOTER == 1 && (int)ORD_MEMBER_SPARE == 2,
	       "roles stand on disk");

void ord_member_format(uint32_t node, char text[ORD_MEMBER_TEXT_SIZE])
{
	snprintf(text, ORD_MEMBER_TEXT_SIZE, "node-%" PRIu32, node);
}

void ord_members_encode(const uint32_t *nodes, uint32_t nodes_count, struct ord_bytes *out)
{
	struct ord_member_status members[ORD_NODES_MAX];
	ORD_ASSERT(nodes_count <= ORD_NODES_MAX);
	for (uint32_t i = 0; i < nodes_count; i++)
		members[i] = (struct ord_member_status){.id = ord_member_of(nodes[i], 0), .role = ORD_MEMBER_VOTER};
	ord_members_encode_list(members, nodes_count, out);
}

void ord_members_encode_list(const struct ord_member_status *members, uint32_t members_count, struct ord_bytes *out)
{
	size_t start = out->len;
	ord_bytes_put_u8(out, MEMBERS_FORMAT);
	ord_bytes_put_u64(out, members_count);
	for (uint32_t i = 0; i < members_count; i++) {
		char text[ORD_MEMBER_TEXT_SIZE];
		ord_member_format(ORD_MEMBER_NODE(members[i].id), text);
		ord_bytes_put_u64(out, members[i].id);
		ord_bytes_put(out, text, strlen(text) + 1);
		ord_bytes_put_u8(out, (uint8_t)members[i].role);
	}
	while ((out->len - start) % MEMBERS_ALIGNMENT != 0 && !out->failed)
		ord_bytes_put_u8(out, 0);
}

/* Reads one member, marks its node in seen, and counts a voter. */
static bool member_valid(struct ord_reader *r, const uint32_t *nodes, uint32_t nodes_count, bool *seen,
			 uint32_t *voters_count)
{
	uint64_t id = ord_reader_u64(r);
	uint32_t i = 0;
	while (i < nodes_count && nodes[i] != ORD_MEMBER_NODE(id))
		i++;
	if (r->failed || i == nodes_count || seen[i])
		return false;
	seen[i] = true;
	char text[ORD_MEMBER_TEXT_SIZE];
	ord_member_format(nodes[i], text);
	struct ord_slice got = ord_reader_take(r, strlen(text) + 1);
	uint8_t role = ord_reader_u8(r);
	*voters_count += role == ORD_MEMBER_VOTER;
	return !r->failed && ord_slice_equal(got, ord_slice_of(text, strlen(text) + 1)) && role <= ORD_MEMBER_SPARE;
}

bool ord_members_valid(struct ord_slice payload, const uint32_t *nodes, uint32_t nodes_count)
{
	bool seen[ORD_NODES_MAX] = {false};
	uint32_t voters_count = 0;
	struct ord_reader r = ord_reader_of(payload);
	uint8_t format = ord_reader_u8(&r);
	uint64_t count = ord_reader_u64(&r);
	if (r.failed || format != MEMBERS_FORMAT || count == 0 || count > nodes_count || nodes_count > ORD_NODES_MAX)
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (!member_valid(&r, nodes, nodes_count, seen, &voters_count))
			return false;
	return voters_count > 0 && ord_reader_left(&r) < MEMBERS_ALIGNMENT;
}
