/* SPDX-License-Identifier: Apache-2.0 - finds where one MessagePack object ends, before anything is allocated for it. */
#ifndef ORD_CLIENT_SCAN_H
#define ORD_CLIENT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deepest nesting of arrays and maps: the protocol needs six. */
#define ORD_SCAN_DEPTH_MAX 16

/* Where the scan of one object stands; it goes on where it stopped when more bytes have come, so every byte is looked at once. */
struct ord_scan {
	size_t bytes_max;     /* of the object */
	size_t objects_max;   /* in it, itself included: what a decoder allocates is in proportion */
	size_t offset;	      /* bytes that belong to the object for sure; may lie beyond what has come */
	size_t objects_count; /* begun, or announced by an array or map */
	unsigned depth;
	uint32_t
		left[ORD_SCAN_DEPTH_MAX]; /* objects still to begin at each level; a map's keys and values both count */
};

void ord_scan_init(struct ord_scan *s, size_t bytes_max, size_t objects_max);

/* Forgets the object and is ready for the next one. */
void ord_scan_restart(struct ord_scan *s);

/* Looks at the object that begins at base, of which len bytes are there (as many as at the last call, or more). *ret_whole tells whether it is all
 * there; s->offset is its length then. ORD_ERR_FORMAT (a byte that MessagePack does not use), ORD_ERR_TOO_BIG (bytes, objects or nesting;
 * also when an array, map, text or the like announces more than could ever fit). */
int ord_scan_continue(struct ord_scan *s, const uint8_t *base, size_t len, bool *ret_whole);

#endif
