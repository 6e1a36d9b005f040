/* SPDX-License-Identifier: Apache-2.0 - what the file "identity" of a node's data directory says. node/datadir.c writes it. */
#ifndef ORD_CLI_IDENTITY_H
#define ORD_CLI_IDENTITY_H

#include <stdint.h>

#include "base/uuid.h"

struct ord_identity {
	struct ord_uuid cluster;   /* zero: not known */
	uint32_t partitions_count; /* of the cluster; 0: not known */
};

/* Reads as much of it as there is; nothing is known of a directory without it. */
struct ord_identity ord_identity_read(const char *data_dir);

#endif
