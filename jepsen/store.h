/* SPDX-License-Identifier: Apache-2.0 - the directory of a run: store/WORKLOAD/TIME/. */
#ifndef ORD_JEPSEN_STORE_H
#define ORD_JEPSEN_STORE_H

#include "jepsen/history.h"

#define ORD_STORE_PATH_SIZE 4096

/* Makes root/workload/TIME, TIME being now, with a number behind it when there is one of that name; ret is its path. ORD_ERR_IO with why. */
int ord_store_make(const char *root, const char *workload, char ret[ORD_STORE_PATH_SIZE], char *why, size_t why_size);

/* Opens dir/name for writing; NULL with why. */
FILE *ord_store_create(const char *dir, const char *name, char *why, size_t why_size);

/* Closes it; ORD_ERR_IO with why when anything was not written. */
int ord_store_close(FILE *file, const char *name, char *why, size_t why_size);

/* Writes one value, as EDN or JSON by the end of the name, and a newline. ORD_ERR_IO with why. */
int ord_store_value(const char *dir, const char *name, struct ord_edn value, char *why, size_t why_size);

/* Copies the logs and configurations of all nodes of a cluster's directory: node-1.log, node-1.conf ... What is not there is left out. ORD_ERR_IO with why. */
int ord_store_logs(const char *dir, const char *cluster_dir, uint32_t nodes_count, char *why, size_t why_size);

/* Removes a directory and all below it; what cannot be removed stays. */
void ord_store_remove(const char *dir);

#endif
