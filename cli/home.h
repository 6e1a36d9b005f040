/* SPDX-License-Identifier: Apache-2.0 - where in a node's data directory a partition is: in the directory itself, or, with several shards, in that of its shard. */
#ifndef ORD_CLI_HOME_H
#define ORD_CLI_HOME_H

#include <limits.h>
#include <stdint.h>

#define ORD_HOME_PATH_SIZE (PATH_MAX + 32)

struct ord_home {
	const char *data_dir;  /* borrowed */
	uint32_t shards_count; /* 0: 1 */
};

/* How many directories there are. */
uint32_t ord_home_shards(const struct ord_home *h);

void ord_home_of_shard(const struct ord_home *h, uint32_t shard, char path[ORD_HOME_PATH_SIZE]);
void ord_home_of(const struct ord_home *h, uint32_t partition, char path[ORD_HOME_PATH_SIZE]);

#endif
