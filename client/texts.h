/* SPDX-License-Identifier: Apache-2.0 - an arena of texts: kept until it is closed, each run of equal texts kept once or so. */
#ifndef ORD_CLIENT_TEXTS_H
#define ORD_CLIENT_TEXTS_H

#include <stddef.h>

#include "base/bytes.h"

#define ORD_TEXTS_RECENT 16

struct ord_texts {
	struct ord_texts_chunk *chunks;	      /* owned; newest first */
	const char *recent[ORD_TEXTS_RECENT]; /* by hash: thousands of results share a few texts */
};

/* Allocates nothing yet; a zeroed struct is one, too. */
void ord_texts_init(struct ord_texts *t);
void ord_texts_close(struct ord_texts *t);

/* A NUL-terminated copy that lives until close; "" when memory is short. */
const char *ord_texts_keep(struct ord_texts *t, struct ord_slice text);

/* The same from a format as of printf, cut to 511 bytes. */
const char *ord_texts_print(struct ord_texts *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for len bytes, aligned for any type; NULL when memory is short. */
void *ord_texts_room(struct ord_texts *t, size_t len);

#endif
