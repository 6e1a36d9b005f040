/* SPDX-License-Identifier: Apache-2.0 - what commands answer (JSON, RFC 8259) as values of a history. */
#ifndef ORD_JEPSEN_JSON_H
#define ORD_JEPSEN_JSON_H

#include "jepsen/edn.h"

/* Reads one JSON value with nothing behind it but white space, into pool. Names of an object become keywords, its texts strings; a number with a fraction or an exponent, or past int64_t, becomes a string of
 * its digits. ORD_ERR_FORMAT: it is none, is nested deeper than ORD_EDN_DEPTH_MAX, or has a NUL in a text. ORD_ERR_NOMEM: the pool failed. */
int ord_json_read(struct ord_edn_pool *pool, const char *text, struct ord_edn *ret);

/* The member's value when it is of that kind, else otherwise. */
int64_t ord_json_int(struct ord_edn map, const char *name, int64_t otherwise);
bool ord_json_bool(struct ord_edn map, const char *name, bool otherwise);

/* Whether the member is this text. */
bool ord_json_is(struct ord_edn map, const char *name, const char *text);

/* Items of a vector; none of anything else. */
static inline uint32_t ord_json_count(struct ord_edn v)
{
	return v.kind == ORD_EDN_VECTOR ? v.len : 0;
}

#endif
