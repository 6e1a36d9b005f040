/* SPDX-License-Identifier: Apache-2.0 - what the file "identity" of a node's data directory says, or the manifest of a backup. node/datadir.c and cli/manifest.c write them. */
#ifndef ORD_CLI_IDENTITY_H
#define ORD_CLI_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"

struct ord_identity {
	struct ord_uuid cluster;   /* zero: not known */
	uint32_t partitions_count; /* of the cluster; 0: not known */
	uint32_t nodes_count;	   /* likewise */
	uint32_t node;		   /* likewise, and of a backup */
	uint32_t shards_count;	   /* of the node, of which the directory is one's; 1 unless it says otherwise */
};

/* The data directory is that of a node of several shards, each of which has one of its own in it. */
bool ord_identity_has_shards(const char *data_dir);

/* Reads as much of it as there is, of a node of several shards from the directory of the first; of a backup that is what its manifest says. Nothing is known of a directory without any. */
struct ord_identity ord_identity_read(const char *data_dir);

#endif
