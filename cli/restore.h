/* SPDX-License-Identifier: Apache-2.0 - the data directories of a new cluster, from a backup. */
#ifndef ORD_CLI_RESTORE_H
#define ORD_CLI_RESTORE_H

#include <stddef.h>
#include <stdint.h>

#include "cli/layout.h"
#include "cli/manifest.h"

struct ord_restore_options {
	const char *from;      /* a backup */
	const char *dir;       /* the cluster's directory, to be made */
	uint32_t nodes_count;  /* 0: as many as the cluster had that was backed up */
	uint32_t shards_count; /* of each node; 0: 1 */
};

struct ord_restore_result {
	struct ord_manifest manifest; /* owned; of the backup */
	struct ord_layout layout;
};

/* Makes the directory, as 'ordain cluster start' would and with the data of all nodes in it: a new cluster, of as many partitions, whose nodes are its founders. Whole and durable, or not at all. Errors with why: those of ord_manifest_read, ORD_ERR_INVALID (more shards than partitions),
 * ORD_ERR_EXISTS (dir), ORD_ERR_CORRUPT, ORD_ERR_IO, ORD_ERR_NO_SPACE, ORD_ERR_NOMEM. The caller closes ret->manifest. */
int ord_restore_make(const struct ord_restore_options *options, struct ord_restore_result *ret, char *why,
		     size_t why_size);

#endif
