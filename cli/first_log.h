/* SPDX-License-Identifier: Apache-2.0 - the write-ahead log that a restored node begins with, record by record. raft/wal.c describes the format. */
#ifndef ORD_CLI_FIRST_LOG_H
#define ORD_CLI_FIRST_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "cli/folder.h"
#include "raft/record.h"

struct ord_first_log {
	char directory[ORD_FOLDER_PATH_SIZE];
	struct ord_uuid cluster;
	uint32_t node;
	uint32_t partitions_count;
	int fd;		   /* of the last segment; -1: none */
	uint64_t segment;  /* its number */
	uint64_t bytes;	   /* in it */
	uint64_t sequence; /* of the next batch */
	uint32_t salt;
	struct ord_bytes records; /* owned; of the batch under way */
	uint32_t records_count;
	uint32_t check;
};

struct ord_first_log_owner {
	struct ord_uuid cluster;
	uint32_t node;
	uint32_t partitions_count;
};

/* Begins a log in a directory that is there and empty. */
void ord_first_log_init(struct ord_first_log *l, const char *directory, const struct ord_first_log_owner *owner);

/* Adds a record. ORD_ERR_IO, ORD_ERR_NO_SPACE, ORD_ERR_NOMEM with why. */
int ord_first_log_add(struct ord_first_log *l, const struct ord_record *r, char *why, size_t why_size);

/* Writes what is still to be written. Errors as of add. */
int ord_first_log_end(struct ord_first_log *l, char *why, size_t why_size);

/* Tolerates a zeroed one. */
void ord_first_log_close(struct ord_first_log *l);

#endif
