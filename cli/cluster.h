/* SPDX-License-Identifier: Apache-2.0 - the node processes of a cluster directory: find them, start them, end them; or the nodes of a cluster elsewhere, that can only be asked. */
#ifndef ORD_CLI_CLUSTER_H
#define ORD_CLI_CLUSTER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/layout.h"
#include "cli/process.h"
#include "cli/survey.h"

#define ORD_CLUSTER_WHY_SIZE (PATH_MAX + 4096) /* a path, and the end of a log */

#define ORD_CLUSTER_HOST_SIZE 256
#define ORD_CLUSTER_ADDRESS_SIZE (ORD_CLUSTER_HOST_SIZE + 9) /* "[host]:port" */

struct ord_cluster {
	struct ord_layout layout;
	char ordaind[PATH_MAX];			     /* program of the nodes; only when start is called */
	struct ord_process processes[ORD_NODES_MAX]; /* owned; by place in layout.nodes */
	long log_begin[ORD_NODES_MAX];		     /* where in its log a node that was started through this began */
	bool is_remote; /* its nodes run elsewhere: the layout has no directory, and there are no processes */
	struct ord_cluster_remote {
		char host[ORD_CLUSTER_HOST_SIZE];
		bool answers; /* it did when it was asked */
	} remote[ORD_NODES_MAX];
};

/* All functions give ORD_OK or an error with why (ORD_CLUSTER_WHY_SIZE bytes), which names the node and the remedy. */

/* Finds the processes of all nodes. ORD_ERR_NOT_FOUND when there is no cluster in dir. */
int ord_cluster_open(const char *dir, struct ord_cluster *ret, char *why);

/* The same for a layout that was just made or read. */
int ord_cluster_find(struct ord_cluster *c, char *why);

/* Asks at the addresses which nodes there are, and each node for its status, options->timeout_ms (not 0) at most for either. The layout is of those that the cluster names. ORD_ERR_INVALID: the addresses cannot be
 * used; ORD_ERR_IO: nobody answers, or not as a node does. */
int ord_cluster_connect(const struct ordain_options *options, struct ord_cluster *ret, char *why);

/* Whether the node at the place has a process, also one that is paused; of one elsewhere, whether it answered. */
bool ord_cluster_runs(const struct ord_cluster *c, uint32_t place);

/* Its "host:port" for clients. */
void ord_cluster_address(const struct ord_cluster *c, uint32_t place, char address[ORD_CLUSTER_ADDRESS_SIZE]);

void ord_cluster_close(struct ord_cluster *c);

/* Looks for the program of the nodes: given (may be NULL), else "ordaind" beside this program, else in PATH. */
int ord_cluster_program(struct ord_cluster *c, const char *given, char *why);

/* ORD_ERR_INVALID when the cluster has no node of that number; 0 stands for all. */
int ord_cluster_check(const struct ord_cluster *c, int64_t node, char *why);

/* The mask (bit i: place i) of a node that the cluster has, or of all for 0. */
uint32_t ord_cluster_mask(const struct ord_cluster *c, int64_t node);

/* Starts the nodes of the mask that do not run, after another look whether they do, and makes before what they run in; the directory's lock is held. *ret_count: how
 * many were started, also on failure. */
int ord_cluster_start_nodes(struct ord_cluster *c, uint32_t mask, uint32_t *ret_count, char *why);

enum ord_cluster_end { ORD_CLUSTER_NOT_RUNNING = 1, ORD_CLUSTER_ENDED = 2, ORD_CLUSTER_KILLED = 3 };

/* Sends SIGTERM to the nodes of the mask and waits until they have ended, at most timeout_ms for all; then SIGKILL when force.
 * ret_ends[place] tells what happened. ORD_ERR_TIMEOUT when one still runs. */
int ord_cluster_stop(struct ord_cluster *c, uint32_t mask, bool force, int64_t timeout_ms,
		     enum ord_cluster_end ret_ends[ORD_NODES_MAX], char *why);

/* Takes away what nodes of this cluster ran in: their network and mounts, where they have them (--netns), also what was left half made. Asserts that none runs; the directory's lock
 * is held. */
int ord_cluster_clear(const struct ord_cluster *c, char *why);

/* A survey of the cluster that asks the nodes that run (ord_cluster_runs); made again for each use, since processes change. */
int ord_cluster_survey(const struct ord_cluster *c, struct ord_survey **ret, char *why);

#endif
