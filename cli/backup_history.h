/* SPDX-License-Identifier: Apache-2.0 - the history of a partition up to one position, from the files of a node into a directory of one's own. */
#ifndef ORD_CLI_BACKUP_HISTORY_H
#define ORD_CLI_BACKUP_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "cli/archive.h"
#include "cli/tails.h"
#include "partition/partition.h"

/* Copies the blocks of archive (NULL: there is no history yet) up to status->position, those that are not full in it completed from the tail, to the directory `to`, which is there and empty. The last
 * block ends there, full or not. *ret_end: behind the last full one. ORD_ERR_CORRUPT: something is damaged or missing, or does not lead to the history hash of status; ORD_ERR_IO,
 * ORD_ERR_NO_SPACE, ORD_ERR_NOMEM; with why. */
int ord_backup_history(const struct ord_archive *archive, const struct ord_tail *tail, uint32_t partition,
		       const struct ord_partition_status *status, const struct ord_uuid *cluster, const char *to,
		       struct ord_block_end *ret_end, char *why, size_t why_size);

#endif
