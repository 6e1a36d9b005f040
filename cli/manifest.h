/* SPDX-License-Identifier: Apache-2.0 - the file "manifest" of a backup: whose it is, which positions it has, and all its files with their sums. docs/formats.md, "Backup", has the lines. */
#ifndef ORD_CLI_MANIFEST_H
#define ORD_CLI_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "partition/partition.h"

#define ORD_MANIFEST_FORMAT 1u
#define ORD_MANIFEST_NAME "manifest"
#define ORD_MANIFEST_BYTES_MAX (64u << 20)

struct ord_manifest_partition {
	uint64_t position;
	uint64_t digest[2];
	uint8_t history_hash[32];
	uint64_t time_us;     /* of the last entry */
	uint64_t blocks_last; /* number of the last whole block; 0: none. One more that is not full may follow */
};

struct ord_manifest {
	struct ord_uuid cluster;
	uint32_t nodes_count; /* of that cluster; 0: not known */
	uint32_t partitions_count;
	struct ord_manifest_partition *partitions; /* owned; by id */
};

/* Makes one with partitions that are all zero. ORD_ERR_NOMEM. */
int ord_manifest_open(struct ord_manifest *m, uint32_t partitions_count);

/* Tolerates a zeroed one. */
void ord_manifest_close(struct ord_manifest *m);

/* Sums all files below dir and writes dir/manifest. ORD_ERR_IO, ORD_ERR_NO_SPACE, ORD_ERR_NOMEM, ORD_ERR_TOO_BIG with why. */
int ord_manifest_write(const struct ord_manifest *m, const char *dir, char *why, size_t why_size);

/* Reads dir/manifest and checks that all files are there as they were written. ORD_ERR_NOT_FOUND: no manifest; ORD_ERR_MISMATCH: of another format; ORD_ERR_CORRUPT: it, or a file, is not as it
 * was written; ORD_ERR_IO, ORD_ERR_NOMEM; with why, which names the file. The caller closes *ret. */
int ord_manifest_read(const char *dir, struct ord_manifest *ret, char *why, size_t why_size);

#endif
