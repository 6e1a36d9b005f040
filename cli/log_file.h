/* SPDX-License-Identifier: Apache-2.0 - the file that a daemon's output goes to: its last lines. */
#ifndef ORD_CLI_LOG_FILE_H
#define ORD_CLI_LOG_FILE_H

#include <stddef.h>

/* Where the next line will begin, in bytes; 0 when there is no such file. */
long ord_log_file_end_bytes(const char *path);

/* The last whole lines from begin_bytes on that fit into text, without the last line break; "" when there are none. */
void ord_log_file_tail(const char *path, long begin_bytes, char *text, size_t text_size);

#endif
