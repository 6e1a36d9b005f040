/* SPDX-License-Identifier: Apache-2.0 - packing of answers. */
#include "node/reply.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "client/rpc.h"

#define HEX_BYTES_MAX 64

void ord_reply_put_id(msgpack_packer *p, const struct ord_uuid *id)
{
	char text[ORD_UUID_TEXT_SIZE];
	ord_uuid_format(id, text);
	ord_rpc_put_str(p, ord_slice_of(text, sizeof text - 1));
}

/* Writes the digits so that they end before end; returns where they begin. */
static char *put_digits(char *end, uint64_t number)
{
	do {
		*--end = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	return end;
}

void ord_reply_put_position(msgpack_packer *p, uint32_t partition, uint64_t offset)
{
	char text[32];
	char *end = text + sizeof text;
	char *at = put_digits(end, offset);
	*--at = ':';
	at = put_digits(at, partition);
	ord_rpc_put_str(p, ord_slice_of(at, (size_t)(end - at)));
}

void ord_reply_put_hex(msgpack_packer *p, const uint8_t *base, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * HEX_BYTES_MAX];
	ORD_ASSERT(len <= HEX_BYTES_MAX);
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[base[i] >> 4];
		text[2 * i + 1] = digits[base[i] & 15];
	}
	ord_rpc_put_str(p, ord_slice_of(text, 2 * len));
}

void ord_reply_put_reason(msgpack_packer *p, enum ord_refusal reason, const char *field)
{
	msgpack_pack_map(p, field == NULL ? 3 : 4);
	ord_rpc_put_pair_u64(p, "code", (uint64_t)reason);
	ord_rpc_put_pair_text(p, "name", ord_refusal_name(reason));
	ord_rpc_put_pair_text(p, "message", ord_refusal_text(reason));
	if (field != NULL)
		ord_rpc_put_pair_text(p, "field", field);
}

void ord_reply_put_result(msgpack_packer *p, const struct ord_uuid *id, uint32_t partition,
			  const struct ord_result *result)
{
	bool rejected = result->status == ORD_STATUS_REJECTED;
	msgpack_pack_map(p, rejected ? 5 : 4);
	ord_rpc_put_text(p, "id");
	ord_reply_put_id(p, id);
	ord_rpc_put_pair_text(p, "status", ord_status_name(result->status));
	ord_rpc_put_pair_bool(p, "replayed", result->replayed);
	ord_rpc_put_text(p, "position");
	ord_reply_put_position(p, partition, result->position);
	if (!rejected)
		return;
	ord_rpc_put_text(p, "reason");
	ord_reply_put_reason(p, result->reason, result->field);
}
