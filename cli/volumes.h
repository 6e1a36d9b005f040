/* SPDX-License-Identifier: Apache-2.0 - writes a history of one's own: blocks into files, as a node would have them. */
#ifndef ORD_CLI_VOLUMES_H
#define ORD_CLI_VOLUMES_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "cli/folder.h"
#include "partition/block.h"

struct ord_volumes {
	char directory[ORD_FOLDER_PATH_SIZE];
	struct ord_uuid cluster; /* that the files and blocks are to say */
	uint32_t partition;
	int fd;		/* of the last file; -1: none yet */
	uint64_t bytes; /* of it */
	struct ord_block_end end;
};

/* Begins a history in a directory that is there and empty. */
void ord_volumes_init(struct ord_volumes *v, const char *directory, const struct ord_uuid *cluster, uint32_t partition);

/* Adds the block that follows: bytes is all of it, header and stored content, as it was read and checked. The header gets the cluster of this history. ORD_ERR_CORRUPT: it does not follow; ORD_ERR_IO, ORD_ERR_NO_SPACE; with why. */
int ord_volumes_add(struct ord_volumes *v, const struct ord_block_header *h, struct ord_slice bytes, char *why,
		    size_t why_size);

/* Tolerates one that has no file. */
void ord_volumes_close(struct ord_volumes *v);

#endif
