/* SPDX-License-Identifier: Apache-2.0 - the wall clock that the process of a node sees, where the node has a network namespace: the file DIR/node-N/clock, and the library that adds what it says (cli/clock_preload.c). */
#ifndef ORD_CLI_NODE_CLOCK_H
#define ORD_CLI_NODE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/layout.h"

#define ORD_NODE_CLOCK_VARIABLES 4

/* What a node's process is started with: "NAME=value" texts, NULL at the end. */
struct ord_node_clock_environment {
	char *variables[ORD_NODE_CLOCK_VARIABLES]; /* point into the struct, so it must not move */
	char file[PATH_MAX + 32];
	char preload[2 * PATH_MAX];
	char sanitizer[1024];
};

/* Makes the file when it is missing or of an earlier boot of this machine, and the environment; without variables when the library is neither beside this program nor in ../lib/ordain. ORD_ERR_IO with why. */
int ord_node_clock_prepare(const struct ord_layout *l, const struct ord_layout_node *node,
			   struct ord_node_clock_environment *ret, char *why, size_t why_size);

/* Whether this process sees the clock that the file makes. */
bool ord_node_clock_is_seen(const struct ord_layout *l, const struct ord_layout_node *node, pid_t pid);

/* From now on the clock is offset_us ahead (below 0: behind), and goes drift_ppm faster. ORD_ERR_IO with why. */
int ord_node_clock_set(const struct ord_layout *l, const struct ord_layout_node *node, int64_t offset_us,
		       int32_t drift_ppm, char *why, size_t why_size);

/* Takes the file away; nobody may run with it. */
void ord_node_clock_remove(const struct ord_layout *l, const struct ord_layout_node *node);

/* How it is now; zero when there is no file. */
void ord_node_clock_get(const struct ord_layout *l, const struct ord_layout_node *node, int64_t *ret_offset_us,
			int32_t *ret_drift_ppm);

#endif
