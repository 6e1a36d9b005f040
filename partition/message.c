/* SPDX-License-Identifier: Apache-2.0 - the messages between partitions: encode, decode.
 *
 * kind u8, request id 16 bytes, home u32; REFUND and OUTCOME: reason u16; DEBIT, CREDIT and REFUND: the fields of a transfer (field.c).
 * Numbers are little-endian. A message has exactly one encoding. */
#include "base/assert.h"
#include "base/err.h"
#include "partition/command.h"
#include "partition/field.h"

static bool has_reason(enum ord_message_kind kind)
{
	return kind == ORD_MESSAGE_REFUND || kind == ORD_MESSAGE_OUTCOME;
}

static bool has_transfer(enum ord_message_kind kind)
{
	return kind == ORD_MESSAGE_DEBIT || kind == ORD_MESSAGE_CREDIT || kind == ORD_MESSAGE_REFUND;
}

static bool reason_is_known(uint16_t reason)
{
	switch (reason) {
	case ORD_REFUSAL_NONE:
#define X(number, name, text, explanation) case number:
#include "partition/refusals.def"
#undef X
		return true;
	default:
		return false;
	}
}

void ord_message_encode(const struct ord_message *m, struct ord_bytes *out)
{
	ORD_ASSERT(has_transfer(m->kind) || has_reason(m->kind));
	ord_bytes_put_u8(out, (uint8_t)m->kind);
	ord_bytes_put(out, m->request_id.bytes, sizeof m->request_id.bytes);
	ord_bytes_put_u32(out, m->home);
	if (has_reason(m->kind))
		ord_bytes_put_u16(out, (uint16_t)m->reason);
	if (has_transfer(m->kind))
		ord_field_encode(ord_field_list(ORD_COMMAND_TRANSFER), &m->transfer, out);
}

static int reason_decode(struct ord_reader *r, struct ord_message *m)
{
	uint16_t reason = ord_reader_u16(r);
	if (r->failed)
		return ORD_ERR_TRUNCATED;
	/* Money that comes back does so for a reason. */
	if (!reason_is_known(reason) || (reason == ORD_REFUSAL_NONE && m->kind == ORD_MESSAGE_REFUND))
		return ORD_ERR_FORMAT;
	m->reason = (enum ord_refusal)reason;
	return ORD_OK;
}

int ord_message_decode(struct ord_reader *r, struct ord_message *ret)
{
	struct ord_message m = {.kind = (enum ord_message_kind)ord_reader_u8(r)};
	struct ord_slice id = ord_reader_take(r, sizeof m.request_id.bytes);
	m.home = ord_reader_u32(r);
	if (r->failed)
		return ORD_ERR_TRUNCATED;
	if (!has_transfer(m.kind) && !has_reason(m.kind))
		return ORD_ERR_FORMAT;
	memcpy(m.request_id.bytes, id.base, id.len);
	int rv = ORD_OK;
	if (has_reason(m.kind))
		rv = reason_decode(r, &m);
	if (rv == ORD_OK && has_transfer(m.kind))
		rv = ord_field_decode(ord_field_list(ORD_COMMAND_TRANSFER), r, &m.transfer);
	if (rv == ORD_OK)
		*ret = m;
	return rv;
}
