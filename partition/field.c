/* SPDX-License-Identifier: Apache-2.0 - the fields of client commands. */
#include "partition/field.h"

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "partition/utf8.h"

/* What the limits below say, in words. */
#define REMEDY_16 "1 to 16 bytes of UTF-8"
#define REMEDY_64 "1 to 64 bytes of UTF-8"
#define REMEDY_255 "1 to 255 bytes of UTF-8"

_Static_assert(ORD_ASSET_BYTES_MAX == 16, "REMEDY_16 is an asset's");
_Static_assert(ORD_ACCOUNT_ID_BYTES_MAX == 64, "REMEDY_64 is an account's");
_Static_assert(ORD_NAMESPACE_BYTES_MAX == 64, "REMEDY_64 is a namespace's");
_Static_assert(ORD_OWNER_BYTES_MAX == 64, "REMEDY_64 is an owner's");
_Static_assert(ORD_NAME_BYTES_MAX == 255, "REMEDY_255 is a name's");

#define OFFSET(payload, member) offsetof(struct ord_##payload, member)

static const struct ord_field open_account_fields[] = {
	{"account", REMEDY_64, ORD_FIELD_TEXT, OFFSET(open_account, account), ORD_ACCOUNT_ID_BYTES_MAX},
	{"asset", REMEDY_16, ORD_FIELD_TEXT, OFFSET(open_account, asset), ORD_ASSET_BYTES_MAX},
	{"floor", "an integer from -(2^63-1) to 0", ORD_FIELD_FLOOR, OFFSET(open_account, floor), 0},
	{"ceiling", "an integer from 0 to 2^63-1", ORD_FIELD_CEILING, OFFSET(open_account, ceiling), 0},
};

static const struct ord_field set_account_fields[] = {
	{"account", REMEDY_64, ORD_FIELD_TEXT, OFFSET(set_account, account), ORD_ACCOUNT_ID_BYTES_MAX},
	{"state", "open, frozen or closed", ORD_FIELD_STATE, OFFSET(set_account, state), 0},
};

static const struct ord_field transfer_fields[] = {
	{"payer", REMEDY_64, ORD_FIELD_TEXT, OFFSET(transfer, payer), ORD_ACCOUNT_ID_BYTES_MAX},
	{"payee", REMEDY_64, ORD_FIELD_TEXT, OFFSET(transfer, payee), ORD_ACCOUNT_ID_BYTES_MAX},
	{"amount", "an integer from 1 to 2^63-1", ORD_FIELD_AMOUNT, OFFSET(transfer, amount), 0},
	{"asset", REMEDY_16, ORD_FIELD_TEXT, OFFSET(transfer, asset), ORD_ASSET_BYTES_MAX},
};

static const struct ord_field claim_fields[] = {
	{"namespace", REMEDY_64, ORD_FIELD_TEXT, OFFSET(naming, space), ORD_NAMESPACE_BYTES_MAX},
	{"name", REMEDY_255, ORD_FIELD_TEXT, OFFSET(naming, name), ORD_NAME_BYTES_MAX},
	{"owner", REMEDY_64, ORD_FIELD_TEXT, OFFSET(naming, owner), ORD_OWNER_BYTES_MAX},
};

static const struct ord_field release_fields[] = {
	{"namespace", REMEDY_64, ORD_FIELD_TEXT, OFFSET(naming, space), ORD_NAMESPACE_BYTES_MAX},
	{"name", REMEDY_255, ORD_FIELD_TEXT, OFFSET(naming, name), ORD_NAME_BYTES_MAX},
	{"expected", REMEDY_64, ORD_FIELD_TEXT, OFFSET(naming, expected), ORD_OWNER_BYTES_MAX},
};

static const struct ord_field reassign_fields[] = {
	{"namespace", REMEDY_64, ORD_FIELD_TEXT, OFFSET(naming, space), ORD_NAMESPACE_BYTES_MAX},
	{"name", REMEDY_255, ORD_FIELD_TEXT, OFFSET(naming, name), ORD_NAME_BYTES_MAX},
	{"owner", REMEDY_64, ORD_FIELD_TEXT, OFFSET(naming, owner), ORD_OWNER_BYTES_MAX},
	{"expected", REMEDY_64, ORD_FIELD_TEXT, OFFSET(naming, expected), ORD_OWNER_BYTES_MAX},
};

#define LIST(fields) ((struct ord_field_list){(fields), sizeof(fields) / sizeof((fields)[0])})

struct ord_field_list ord_field_list(enum ord_command_kind kind)
{
	switch (kind) {
	case ORD_COMMAND_OPEN_ACCOUNT:
		return LIST(open_account_fields);
	case ORD_COMMAND_SET_ACCOUNT:
		return LIST(set_account_fields);
	case ORD_COMMAND_TRANSFER:
		return LIST(transfer_fields);
	case ORD_COMMAND_CLAIM:
		return LIST(claim_fields);
	case ORD_COMMAND_RELEASE:
		return LIST(release_fields);
	case ORD_COMMAND_REASSIGN:
		return LIST(reassign_fields);
	case ORD_COMMAND_DELIVER:
	case ORD_COMMAND_TRIM:
	case ORD_COMMAND_MARK:
	case ORD_COMMAND_EXPIRE:
		break;
	}
	return (struct ord_field_list){0};
}

static struct ord_slice text_at(const struct ord_field *f, const void *payload)
{
	return *(const struct ord_slice *)((const char *)payload + f->offset);
}

static int64_t number_at(const struct ord_field *f, const void *payload)
{
	return *(const int64_t *)((const char *)payload + f->offset);
}

static enum ord_account_state state_at(const struct ord_field *f, const void *payload)
{
	return *(const enum ord_account_state *)((const char *)payload + f->offset);
}

static bool state_is_known(int64_t state)
{
	return state == ORD_ACCOUNT_OPEN || state == ORD_ACCOUNT_FROZEN || state == ORD_ACCOUNT_CLOSED;
}

static bool number_is_right(enum ord_field_type type, int64_t number)
{
	switch (type) {
	case ORD_FIELD_AMOUNT:
		return number > 0;
	case ORD_FIELD_FLOOR:
		return number <= 0 && number >= -INT64_MAX;
	case ORD_FIELD_CEILING:
		return number >= 0;
	case ORD_FIELD_STATE:
		return state_is_known(number);
	case ORD_FIELD_TEXT:
		break;
	}
	return false;
}

static bool length_is_right(const struct ord_field *f, size_t len)
{
	return len >= 1 && len <= f->bytes_max;
}

void ord_field_encode(struct ord_field_list list, const void *payload, struct ord_bytes *out)
{
	for (size_t i = 0; i < list.count; i++) {
		const struct ord_field *f = &list.fields[i];
		if (f->type == ORD_FIELD_TEXT)
			ord_bytes_put_text8(out, text_at(f, payload));
		else if (f->type == ORD_FIELD_STATE)
			ord_bytes_put_u8(out, (uint8_t)state_at(f, payload));
		else
			ord_bytes_put_u64(out, (uint64_t)number_at(f, payload));
	}
}

static int text_decode(const struct ord_field *f, struct ord_reader *r, void *payload)
{
	if (ord_reader_left(r) < 1)
		return ORD_ERR_TRUNCATED;
	size_t len = r->base[r->offset];
	if (!length_is_right(f, len))
		return ORD_ERR_FORMAT;
	if (ord_reader_left(r) < 1 + len)
		return ORD_ERR_TRUNCATED;
	*(struct ord_slice *)((char *)payload + f->offset) = ord_slice_of(r->base + r->offset + 1, len);
	r->offset += 1 + len;
	return ORD_OK;
}

static int number_decode(const struct ord_field *f, struct ord_reader *r, void *payload)
{
	int64_t number;
	if (ord_reader_left(r) < sizeof number)
		return ORD_ERR_TRUNCATED;
	memcpy(&number, r->base + r->offset, sizeof number);
	r->offset += sizeof number;
	if (!number_is_right(f->type, number))
		return ORD_ERR_FORMAT;
	*(int64_t *)((char *)payload + f->offset) = number;
	return ORD_OK;
}

static int state_decode(const struct ord_field *f, struct ord_reader *r, void *payload)
{
	uint8_t state = ord_reader_u8(r);
	if (r->failed)
		return ORD_ERR_TRUNCATED;
	if (!state_is_known(state))
		return ORD_ERR_FORMAT;
	*(enum ord_account_state *)((char *)payload + f->offset) = (enum ord_account_state)state;
	return ORD_OK;
}

int ord_field_decode(struct ord_field_list list, struct ord_reader *r, void *payload)
{
	for (size_t i = 0; i < list.count; i++) {
		const struct ord_field *f = &list.fields[i];
		int rv = f->type == ORD_FIELD_TEXT    ? text_decode(f, r, payload)
			 : f->type == ORD_FIELD_STATE ? state_decode(f, r, payload)
						      : number_decode(f, r, payload);
		if (rv != ORD_OK)
			return rv;
	}
	return ORD_OK;
}

static bool is_right(const struct ord_field *f, const void *payload)
{
	if (f->type == ORD_FIELD_STATE)
		return state_is_known(state_at(f, payload));
	if (f->type != ORD_FIELD_TEXT)
		return number_is_right(f->type, number_at(f, payload));
	struct ord_slice text = text_at(f, payload);
	return length_is_right(f, text.len) && ord_utf8_check(text);
}

const struct ord_field *ord_field_check(struct ord_field_list list, const void *payload)
{
	for (size_t i = 0; i < list.count; i++)
		if (!is_right(&list.fields[i], payload))
			return &list.fields[i];
	return NULL;
}

static bool is_equal(const struct ord_field *f, const void *a, const void *b)
{
	if (f->type == ORD_FIELD_TEXT)
		return ord_slice_equal(text_at(f, a), text_at(f, b));
	if (f->type == ORD_FIELD_STATE)
		return state_at(f, a) == state_at(f, b);
	return number_at(f, a) == number_at(f, b);
}

size_t ord_field_difference(struct ord_field_list list, const void *a, const void *b)
{
	size_t i = 0;
	while (i < list.count && is_equal(&list.fields[i], a, b))
		i++;
	return i;
}

size_t ord_field_place(struct ord_field_list list, const char *name)
{
	size_t i = 0;
	while (i < list.count && strcmp(list.fields[i].name, name) != 0)
		i++;
	ORD_ASSERT(i < list.count);
	return i;
}
