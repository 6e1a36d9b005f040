/* SPDX-License-Identifier: Apache-2.0 - whole reads and writes of files: one call may take or give less than asked for (POSIX.1-2017, read and write). */
#ifndef ORD_NODE_FILE_H
#define ORD_NODE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Writes all bytes at an offset. False with errno. */
bool ord_file_write(int fd, struct ord_slice bytes, uint64_t offset);

/* Reads len bytes at an offset, fewer only where the file ends; *ret_len says how many. False with errno. */
bool ord_file_read(int fd, uint64_t offset, void *base, size_t len, size_t *ret_len);

/* What errno means for whoever waits for the disk: ORD_ERR_NO_SPACE or ORD_ERR_IO. */
int ord_file_err(void);

#endif
