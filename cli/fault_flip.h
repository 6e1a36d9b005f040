/* SPDX-License-Identifier: Apache-2.0 - damage on a disk: one bit of a file of a node's data directory is changed, whether the node runs or not. */
#ifndef ORD_CLI_FAULT_FLIP_H
#define ORD_CLI_FAULT_FLIP_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

struct ord_fault_flip {
	char path[PATH_MAX];
	uint64_t offset;
	unsigned bit; /* 0 .. 7, of that byte */
	uint8_t before;
	uint8_t after; /* as read back */
};

#define ORD_FAULT_FLIP_KINDS "wal history state identity"

/* Chooses by the seed a file of that kind below data_dir, and a bit of what is written in it, and changes it. What it hits may be something that nobody needs any more. ORD_ERR_NOT_FOUND: there is no such file, or
 * nothing in it; ORD_ERR_IO; with why. */
int ord_fault_flip(const char *data_dir, const char *kind, uint64_t seed, struct ord_fault_flip *ret, char *why,
		   size_t why_size);

#endif
