/* SPDX-License-Identifier: Apache-2.0 - the fields of client commands: one list a kind, from which encoding, checking and comparing follow. */
#ifndef ORD_PARTITION_FIELD_H
#define ORD_PARTITION_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "partition/command.h"

enum ord_field_type {
	ORD_FIELD_TEXT,	   /* struct ord_slice: 1 .. bytes_max bytes of UTF-8; one byte of length, then the bytes */
	ORD_FIELD_AMOUNT,  /* int64_t above zero; eight bytes, as all numbers here */
	ORD_FIELD_FLOOR,   /* int64_t from -(2^63-1) to 0 */
	ORD_FIELD_CEILING, /* int64_t from 0 up */
	ORD_FIELD_STATE,   /* enum ord_account_state; one byte */
};

struct ord_field {
	const char *name;   /* a literal: the parameter's name in the client protocol */
	const char *remedy; /* a literal: what a right value looks like */
	enum ord_field_type type;
	uint16_t offset;    /* in the kind's payload: struct ord_transfer and so on */
	uint16_t bytes_max; /* TEXT */
};

/* In the order in which they are encoded and compared. */
struct ord_field_list {
	const struct ord_field *fields;
	size_t count;
};

/* The list of a kind of client command; count 0 for every other number. */
struct ord_field_list ord_field_list(enum ord_command_kind kind);

/* payload is the address of the union's member. encode appends; decode gives ORD_ERR_TRUNCATED or ORD_ERR_FORMAT (a value out of its range)
 * and may then have filled some fields. Text is not checked for UTF-8 by decode: only what ord_command_check passed gets into a log. */
void ord_field_encode(struct ord_field_list list, const void *payload, struct ord_bytes *out);
int ord_field_decode(struct ord_field_list list, struct ord_reader *r, void *payload);

/* The first field that a client may not send as it is, NULL when all are right. */
const struct ord_field *ord_field_check(struct ord_field_list list, const void *payload);

/* Place (from 0) of the first field in which two payloads differ; list.count when none does. */
size_t ord_field_difference(struct ord_field_list list, const void *a, const void *b);

/* The place of the field that has this name; asserts that there is one. */
size_t ord_field_place(struct ord_field_list list, const char *name);

#endif
