/* SPDX-License-Identifier: Apache-2.0 - the loss of a disk: all that is in a node's data directory goes, the directory stays. */
#ifndef ORD_CLI_WIPE_H
#define ORD_CLI_WIPE_H

#include <stddef.h>

/* Nobody may use it. One that is not there is as good as empty. ORD_ERR_IO with why. */
int ord_wipe(const char *data_dir, char *why, size_t why_size);

#endif
