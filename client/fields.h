/* SPDX-License-Identifier: Apache-2.0 - reading the maps that nodes answer with: a field by its name, as the type that it must have. */
#ifndef ORD_CLIENT_FIELDS_H
#define ORD_CLIENT_FIELDS_H

#include <msgpack.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "client/ordain.h"

/* All give false, and leave *ret, when o is no map, the field is not there, or is of another type or out of range. Slices point into o. */
const msgpack_object *ord_fields_find(const msgpack_object *o, const char *name); /* NULL: not there */
bool ord_fields_u64(const msgpack_object *o, const char *name, uint64_t *ret);
bool ord_fields_u32(const msgpack_object *o, const char *name, uint32_t *ret);
bool ord_fields_i64(const msgpack_object *o, const char *name, int64_t *ret);
bool ord_fields_bool(const msgpack_object *o, const char *name, bool *ret);
bool ord_fields_str(const msgpack_object *o, const char *name, struct ordain_str *ret);
bool ord_fields_id(const msgpack_object *o, const char *name, struct ordain_id *ret); /* text or 16 bytes */

/* "partition:offset" */
bool ord_fields_position(const msgpack_object *o, const char *name, uint32_t *ret_partition, uint64_t *ret_offset);

/* True when s is the text. */
bool ord_fields_is(struct ordain_str s, const char *text);

#endif
