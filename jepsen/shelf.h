/* SPDX-License-Identifier: Apache-2.0 - the index page over all runs of a store. */
#ifndef ORD_JEPSEN_SHELF_H
#define ORD_JEPSEN_SHELF_H

#include <stddef.h>

#define ORD_SHELF_RUNS_MAX 5000 /* the newest are listed */

/* Writes root/index.html from the summary.json of each run. Those that cannot be read are left out. ORD_ERR_IO with why; ORD_ERR_NOMEM. */
int ord_shelf_write(const char *root, char *why, size_t why_size);

#endif
