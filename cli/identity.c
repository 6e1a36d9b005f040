/* SPDX-License-Identifier: Apache-2.0 - reads "key = value" lines. */
#include "cli/identity.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/args.h"

#define LINE_SIZE 4096
#define CLUSTER_KEY "cluster_id = "
#define PARTITIONS_KEY "partitions = "
#define NODES_KEY "nodes = "
#define NODE_KEY "node = "
#define SHARDS_KEY "shards = "

/* The value of a line that begins with key; NULL for another line. */
static const char *value_of(const char *line, const char *key)
{
	return strncmp(line, key, strlen(key)) == 0 ? line + strlen(key) : NULL;
}

/* Of "1,2,3". */
static uint32_t nodes_count(const char *value)
{
	uint32_t count = *value != '\0';
	for (; *value != '\0'; value++)
		count += *value == ',';
	return count;
}

static void line_read(const char *line, struct ord_identity *ret)
{
	const char *value;
	int64_t number;
	if ((value = value_of(line, CLUSTER_KEY)) != NULL)
		ord_uuid_parse(ord_slice_text(value), &ret->cluster);
	else if ((value = value_of(line, PARTITIONS_KEY)) != NULL &&
		 ord_args_number(value, 1, ORD_PARTITIONS_MAX, &number) == ORD_OK)
		ret->partitions_count = (uint32_t)number;
	else if ((value = value_of(line, SHARDS_KEY)) != NULL &&
		 ord_args_number(value, 1, ORD_SHARDS_MAX, &number) == ORD_OK)
		ret->shards_count = (uint32_t)number;
	else if ((value = value_of(line, NODES_KEY)) != NULL)
		ret->nodes_count = nodes_count(value);
	else if ((value = value_of(line, NODE_KEY)) != NULL && ord_args_number(value, 1, 65535, &number) == ORD_OK)
		ret->node = (uint32_t)number;
}

bool ord_identity_has_shards(const char *data_dir)
{
	char path[PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/shard-0", data_dir);
	return access(path, F_OK) == 0;
}

struct ord_identity ord_identity_read(const char *data_dir)
{
	char path[PATH_MAX + 64], line[LINE_SIZE];
	struct ord_identity identity = {.shards_count = 1};
	snprintf(path, sizeof path, "%s%s/identity", data_dir, ord_identity_has_shards(data_dir) ? "/shard-0" : "");
	FILE *in = fopen(path, "re");
	if (in == NULL) {
		snprintf(path, sizeof path, "%s/manifest", data_dir);
		in = fopen(path, "re");
	}
	if (in == NULL)
		return identity;
	while (fgets(line, sizeof line, in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		line_read(line, &identity);
	}
	fclose(in);
	return identity;
}
