/* SPDX-License-Identifier: Apache-2.0 - the names of what went wrong, and how often each came. */
#ifndef ORD_CLI_REASONS_H
#define ORD_CLI_REASONS_H

#include <stdint.h>

#define ORD_REASONS_MAX 48 /* more than there are refusals and errors of the protocol */

/* "busy" and how often. */
struct ord_reason {
	char name[48];
	uint64_t count;
};

/* In the order in which they came first; all zero: none. */
struct ord_reasons {
	struct ord_reason list[ORD_REASONS_MAX];
	uint32_t count;
};

/* One more. A longer name is cut. The last place is called "others" and is for all that find none of their own. */
void ord_reasons_add(struct ord_reasons *r, const char *name);

#endif
