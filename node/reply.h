/* SPDX-License-Identifier: Apache-2.0 - pieces of answers as MessagePack, as docs/protocol.md spells them. */
#ifndef ORD_NODE_REPLY_H
#define ORD_NODE_REPLY_H

#include <msgpack.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "partition/effects.h"

/* The 36-character text of an id. */
void ord_reply_put_id(msgpack_packer *p, const struct ord_uuid *id);

/* "partition:offset". */
void ord_reply_put_position(msgpack_packer *p, uint32_t partition, uint64_t offset);

/* Lower-case hexadecimal digits; asserts len <= 64. */
void ord_reply_put_hex(msgpack_packer *p, const uint8_t *base, size_t len);

/* The map {code, name, message, field?} of a refusal; field may be NULL. */
void ord_reply_put_reason(msgpack_packer *p, enum ord_refusal reason, const char *field);

/* A result map: {id, status, replayed, position, reason?}. */
void ord_reply_put_result(msgpack_packer *p, const struct ord_uuid *id, uint32_t partition,
			  const struct ord_result *result);

#endif
