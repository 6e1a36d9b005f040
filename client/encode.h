/* SPDX-License-Identifier: Apache-2.0 - commands as the fields of their methods' params (docs/protocol.md, "Methods"). */
#ifndef ORD_CLIENT_ENCODE_H
#define ORD_CLIENT_ENCODE_H

#include <stdint.h>

#include "base/bytes.h"
#include "client/ordain.h"
#include "client/rpc.h"

/* Appends the command's fields, names and values, without the head of the map: it stands in a batch or alone, with more fields. out->failed tells
 * when memory was short. Asserts a known kind and state. */
void ord_encode_command(const struct ordain_command *c, struct ord_bytes *out);

/* How many fields that are. */
uint32_t ord_encode_fields_count(enum ordain_command_kind kind);

/* Checks what must hold before anything can be encoded and routed; the rest is checked by the node. NULL, or a static text that says what would be
 * right for *ret_field. */
const char *ord_encode_check(const struct ordain_command *c, const char **ret_field);

/* "wait" and "timeout_ms": two fields. */
void ord_encode_call(msgpack_packer *p, enum ordain_wait wait, uint32_t timeout_ms);

void ord_encode_str(msgpack_packer *p, const char *field, struct ordain_str s);
void ord_encode_id(msgpack_packer *p, const struct ordain_id *id);

#endif
