/* SPDX-License-Identifier: Apache-2.0 - what the subcommands of `ordain cluster` share: their flags, and how they end. */
#ifndef ORD_CLI_CLUSTER_WORDS_H
#define ORD_CLI_CLUSTER_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cluster.h"
#include "cli/cmd.h"

/* Where the flags go. */
struct ord_cluster_words {
	const char *dir;
	int64_t timeout_ms;
	int64_t node; /* 0: not given */
	bool json;
};

/* --dir, which is required; --timeout; --json; --node, which is required when normal is NULL. */
struct ord_flag ord_cluster_words_dir(struct ord_cluster_words *w);
struct ord_flag ord_cluster_words_timeout(struct ord_cluster_words *w);
struct ord_flag ord_cluster_words_json(struct ord_cluster_words *w);
struct ord_flag ord_cluster_words_node(struct ord_cluster_words *w, const char *normal);

/* --shards, of a cluster that is made. */
struct ord_flag ord_cluster_words_shards(int64_t *shards);

struct ord_args ord_cluster_words_args(const struct ord_cmd *self, const struct ord_flag *flags, size_t flags_count);

/* Tells why; gives the exit status for an error of cli/cluster.h. */
int ord_cluster_words_fail(const struct ord_cmd *self, int err, const char *why);

/* Asks the running nodes and shows what they say. Gives the exit status. */
int ord_cluster_words_status(const struct ord_cmd *self, const struct ord_cluster *c, bool json);

#endif
