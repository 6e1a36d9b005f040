/* SPDX-License-Identifier: Apache-2.0 - the directory of one partition's history: which files there are, and one of them open. */
#ifndef ORD_NODE_HISTORY_FILES_H
#define ORD_NODE_HISTORY_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "partition/volume.h"

/* The numbers of the files, ascending; other names are left aside. ORD_ERR_IO with errno, ORD_ERR_NOMEM. The caller frees *ret (NULL when there are none). */
int ord_history_files_list(int dir_fd, uint64_t **ret, size_t *ret_count);

/* A file with what reads it. Must not move while its volume is used. */
struct ord_history_file {
	int fd; /* owned; -1 when closed */
	struct ord_volume volume;
};

/* Opens the file that header names; flags as open() has them. Its length is the one of this moment. ORD_ERR_NOT_FOUND, ORD_ERR_IO, with errno; *f is then closed. */
int ord_history_file_open(struct ord_history_file *f, int dir_fd, const struct ord_volume_header *header, int flags);

/* Takes its length anew: it may have grown. ORD_ERR_IO with errno. */
int ord_history_file_measure(struct ord_history_file *f, int dir_fd);

/* Tolerates one that is closed. */
void ord_history_file_close(struct ord_history_file *f);

#endif
