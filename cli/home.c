/* SPDX-License-Identifier: Apache-2.0 - where in a node's data directory a partition is. */
#include "cli/home.h"

#include <inttypes.h>
#include <stdio.h>

uint32_t ord_home_shards(const struct ord_home *h)
{
	return h->shards_count > 0 ? h->shards_count : 1;
}

void ord_home_of_shard(const struct ord_home *h, uint32_t shard, char path[ORD_HOME_PATH_SIZE])
{
	if (ord_home_shards(h) == 1)
		snprintf(path, ORD_HOME_PATH_SIZE, "%.4095s", h->data_dir);
	else
		snprintf(path, ORD_HOME_PATH_SIZE, "%.4095s/shard-%" PRIu32, h->data_dir, shard);
}

void ord_home_of(const struct ord_home *h, uint32_t partition, char path[ORD_HOME_PATH_SIZE])
{
	ord_home_of_shard(h, partition % ord_home_shards(h), path);
}
