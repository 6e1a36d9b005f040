/* SPDX-License-Identifier: Apache-2.0 - entries: the header in front of the commands.
 *
 * offset 0: format u16, 2: logic version u16, 4: count of commands u32, 8: the leader's time in microseconds u64; 16: the commands, one after the
 * other, up to the end. Numbers are little-endian. */
#include "base/assert.h"
#include "base/err.h"
#include "partition/command.h"

#define ENTRY_FORMAT 1
#define ENTRY_COUNT_OFFSET 4
#define ENTRY_TIME_OFFSET 8

void ord_entry_begin(struct ord_bytes *out, uint64_t time_us)
{
	ORD_ASSERT(out->len == 0);
	ord_bytes_put_u16(out, ENTRY_FORMAT);
	ord_bytes_put_u16(out, ORD_LOGIC_VERSION);
	ord_bytes_put_u32(out, 0);
	ord_bytes_put_u64(out, time_us);
}

void ord_entry_stamp(struct ord_bytes *out, uint64_t time_us)
{
	ORD_ASSERT(out->len >= ORD_ENTRY_HEADER_BYTES);
	memcpy(out->base + ENTRY_TIME_OFFSET, &time_us, sizeof time_us);
}

void ord_entry_end(struct ord_bytes *out, uint32_t commands_count)
{
	if (!out->failed)
		ord_bytes_set_u32(out, ENTRY_COUNT_OFFSET, commands_count);
}

int ord_entry_decode(struct ord_reader *r, struct ord_entry_header *ret)
{
	uint16_t format = ord_reader_u16(r);
	if (r->failed)
		return ORD_ERR_TRUNCATED;
	if (format != ENTRY_FORMAT)
		return ORD_ERR_FORMAT;
	struct ord_entry_header h;
	h.logic_version = ord_reader_u16(r);
	h.commands_count = ord_reader_u32(r);
	h.time_us = ord_reader_u64(r);
	if (r->failed)
		return ORD_ERR_TRUNCATED;
	if (h.logic_version == 0)
		return ORD_ERR_FORMAT;
	if (h.logic_version > ORD_LOGIC_VERSION)
		return ORD_ERR_MISMATCH;
	*ret = h;
	return ORD_OK;
}
