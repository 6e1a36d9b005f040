/* SPDX-License-Identifier: Apache-2.0 - the scan: an iterative walk over the heads of MessagePack objects (https://github.com/msgpack/msgpack/blob/master/spec.md). */
#include "client/scan.h"

#include "base/assert.h"
#include "base/err.h"

/* What the first bytes of an object say. */
struct head {
	size_t head_bytes;	/* type and length fields */
	uint64_t body_bytes;	/* that follow the head and are no objects */
	uint64_t inner_objects; /* that follow: elements, keys and values */
	bool container;
};

static uint32_t number_at(const uint8_t *at, size_t width)
{
	uint32_t v = 0;
	for (size_t i = 0; i < width; i++)
		v = v << 8 | at[i];
	return v;
}

/* How 0xc0 to 0xdf begin: the width of the length field, bytes that always follow it, and what the length counts. */
enum counts { COUNTS_NOTHING, COUNTS_BYTES, COUNTS_ELEMENTS, COUNTS_PAIRS, COUNTS_INVALID };

static const struct {
	uint8_t width;
	uint8_t fixed;
	uint8_t counts; /* enum counts */
} forms[32] = {
	[0x00] = {0, 0, COUNTS_NOTHING},  /* nil */
	[0x01] = {0, 0, COUNTS_INVALID},  /* never used */
	[0x02] = {0, 0, COUNTS_NOTHING},  /* false */
	[0x03] = {0, 0, COUNTS_NOTHING},  /* true */
	[0x04] = {1, 0, COUNTS_BYTES},	  /* bin 8 */
	[0x05] = {2, 0, COUNTS_BYTES},	  /* bin 16 */
	[0x06] = {4, 0, COUNTS_BYTES},	  /* bin 32 */
	[0x07] = {1, 1, COUNTS_BYTES},	  /* ext 8 */
	[0x08] = {2, 1, COUNTS_BYTES},	  /* ext 16 */
	[0x09] = {4, 1, COUNTS_BYTES},	  /* ext 32 */
	[0x0a] = {0, 4, COUNTS_NOTHING},  /* float 32 */
	[0x0b] = {0, 8, COUNTS_NOTHING},  /* float 64 */
	[0x0c] = {0, 1, COUNTS_NOTHING},  /* uint 8 */
	[0x0d] = {0, 2, COUNTS_NOTHING},  /* uint 16 */
	[0x0e] = {0, 4, COUNTS_NOTHING},  /* uint 32 */
	[0x0f] = {0, 8, COUNTS_NOTHING},  /* uint 64 */
	[0x10] = {0, 1, COUNTS_NOTHING},  /* int 8 */
	[0x11] = {0, 2, COUNTS_NOTHING},  /* int 16 */
	[0x12] = {0, 4, COUNTS_NOTHING},  /* int 32 */
	[0x13] = {0, 8, COUNTS_NOTHING},  /* int 64 */
	[0x14] = {0, 2, COUNTS_NOTHING},  /* fixext 1 */
	[0x15] = {0, 3, COUNTS_NOTHING},  /* fixext 2 */
	[0x16] = {0, 5, COUNTS_NOTHING},  /* fixext 4 */
	[0x17] = {0, 9, COUNTS_NOTHING},  /* fixext 8 */
	[0x18] = {0, 17, COUNTS_NOTHING}, /* fixext 16 */
	[0x19] = {1, 0, COUNTS_BYTES},	  /* str 8 */
	[0x1a] = {2, 0, COUNTS_BYTES},	  /* str 16 */
	[0x1b] = {4, 0, COUNTS_BYTES},	  /* str 32 */
	[0x1c] = {2, 0, COUNTS_ELEMENTS}, /* array 16 */
	[0x1d] = {4, 0, COUNTS_ELEMENTS}, /* array 32 */
	[0x1e] = {2, 0, COUNTS_PAIRS},	  /* map 16 */
	[0x1f] = {4, 0, COUNTS_PAIRS},	  /* map 32 */
};

static struct head head_of(uint64_t fixed_bytes, uint64_t n, enum counts counts, size_t head_bytes)
{
	return (struct head){
		.head_bytes = head_bytes,
		.body_bytes = fixed_bytes + (counts == COUNTS_BYTES ? n : 0),
		.inner_objects = counts == COUNTS_ELEMENTS ? n
				 : counts == COUNTS_PAIRS  ? 2 * n
							   : 0,
		.container = counts == COUNTS_ELEMENTS || counts == COUNTS_PAIRS,
	};
}

/* Reads the head at `at`, of which len > 0 bytes are there. False in *ret_have when it is not all there. */
static int head_read(const uint8_t *at, size_t len, struct head *ret, bool *ret_have)
{
	uint8_t type = at[0];
	*ret_have = true;
	if (type <= 0x7f || type >= 0xe0) {
		*ret = head_of(0, 0, COUNTS_NOTHING, 1);
	} else if (type <= 0x8f) {
		*ret = head_of(0, type & 0x0f, COUNTS_PAIRS, 1);
	} else if (type <= 0x9f) {
		*ret = head_of(0, type & 0x0f, COUNTS_ELEMENTS, 1);
	} else if (type <= 0xbf) {
		*ret = head_of(0, type & 0x1f, COUNTS_BYTES, 1);
	} else {
		size_t width = forms[type - 0xc0].width;
		enum counts counts = forms[type - 0xc0].counts;
		if (counts == COUNTS_INVALID)
			return ORD_ERR_FORMAT;
		*ret_have = len > width;
		if (*ret_have)
			*ret = head_of(forms[type - 0xc0].fixed, number_at(at + 1, width), counts, 1 + width);
	}
	return ORD_OK;
}

void ord_scan_init(struct ord_scan *s, size_t bytes_max, size_t objects_max)
{
	ORD_ASSERT(bytes_max > 0 && objects_max > 0);
	*s = (struct ord_scan){.bytes_max = bytes_max, .objects_max = objects_max};
	ord_scan_restart(s);
}

void ord_scan_restart(struct ord_scan *s)
{
	s->offset = 0;
	s->objects_count = 1;
	s->depth = 1;
	s->left[0] = 1;
}

/* Counts in what a head announces. Every object that is announced and has not begun takes one byte or more. */
static int scan_enter(struct ord_scan *s, const struct head *h)
{
	size_t bytes_left = s->bytes_max - s->offset;
	if (h->head_bytes > bytes_left || h->body_bytes + h->inner_objects > bytes_left - h->head_bytes)
		return ORD_ERR_TOO_BIG;
	if (h->inner_objects > s->objects_max - s->objects_count)
		return ORD_ERR_TOO_BIG;
	s->offset += h->head_bytes + h->body_bytes;
	s->objects_count += h->inner_objects;
	s->left[s->depth - 1]--;
	if (!h->container)
		return ORD_OK;
	if (s->depth == ORD_SCAN_DEPTH_MAX)
		return ORD_ERR_TOO_BIG;
	s->left[s->depth++] = (uint32_t)h->inner_objects;
	return ORD_OK;
}

int ord_scan_continue(struct ord_scan *s, const uint8_t *base, size_t len, bool *ret_whole)
{
	for (;;) {
		while (s->depth > 0 && s->left[s->depth - 1] == 0)
			s->depth--;
		if (s->depth == 0 || s->offset >= len)
			break;
		struct head h;
		bool have;
		int err = head_read(base + s->offset, len - s->offset, &h, &have);
		if (err != ORD_OK)
			return err;
		if (!have)
			break;
		err = scan_enter(s, &h);
		if (err != ORD_OK)
			return err;
	}
	*ret_whole = s->depth == 0 && s->offset <= len;
	return ORD_OK;
}
