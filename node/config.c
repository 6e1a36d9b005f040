/* SPDX-License-Identifier: Apache-2.0 - the options of a node: their values from text, what belongs together, and back to text. */
#include "node/config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/options.h"

static const struct ord_option options[] = {
#define X(name, kind_, member, least_, most_, default_, value_name_, help_) \
	{.key = #name,                                                      \
	 .kind = ORD_OPTION_##kind_,                                        \
	 .offset = offsetof(struct ord_config, member),                     \
	 .least = (least_),                                                 \
	 .most = (most_),                                                   \
	 .initial = (default_),                                             \
	 .value_name = (value_name_),                                       \
	 .help = (help_)},
#include "node/options.def"
#undef X
};

#define OPTIONS_COUNT (sizeof options / sizeof options[0])

size_t ord_options_count(void)
{
	return OPTIONS_COUNT;
}

const struct ord_option *ord_option_at(size_t i)
{
	ORD_ASSERT(i < OPTIONS_COUNT);
	return &options[i];
}

void ord_config_init(struct ord_config *c)
{
	*c = (struct ord_config){0};
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		char *member = (char *)c + options[i].offset;
		if (options[i].kind == ORD_OPTION_NUMBER)
			*(uint32_t *)member = (uint32_t)options[i].initial;
		if (options[i].kind == ORD_OPTION_BYTES)
			*(uint64_t *)member = options[i].initial;
	}
}

/* Decimal digits only; factor K, M or G when suffixes are allowed. */
static bool number_parse(const char *text, bool suffixes, uint64_t *ret)
{
	if (text[0] < '0' || text[0] > '9' || strlen(text) > 19)
		return false;
	char *end;
	uint64_t number = strtoull(text, &end, 10);
	unsigned shift = 0;
	if (suffixes && *end != '\0' && strchr("KMG", *end) != NULL) {
		shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 30;
		end++;
	}
	if (*end != '\0' || number > UINT64_MAX >> shift)
		return false;
	*ret = number << shift;
	return true;
}

static int set_number(const struct ord_option *o, char *member, const char *value, char *why)
{
	bool bytes = o->kind == ORD_OPTION_BYTES;
	uint64_t number;
	if (!number_parse(value, bytes, &number) || number < o->least || number > o->most) {
		snprintf(why, ORD_CONFIG_WHY_SIZE, "\"%.60s\" must be a whole number from %" PRIu64 " to %" PRIu64 "%s",
			 value, o->least, o->most, bytes ? " (K, M or G may follow it)" : "");
		return ORD_ERR_INVALID;
	}
	if (bytes)
		*(uint64_t *)member = number;
	else
		*(uint32_t *)member = (uint32_t)number;
	return ORD_OK;
}

static int set_uuid(char *member, const char *value, char *why)
{
	static const struct ord_uuid zero;
	struct ord_uuid id;
	if (ord_uuid_parse(ord_slice_text(value), &id) != ORD_OK || ord_uuid_equal(&id, &zero)) {
		snprintf(why, ORD_CONFIG_WHY_SIZE,
			 "\"%.60s\" is not a UUID: make one with `cat /proc/sys/kernel/random/uuid` and give it to all "
			 "nodes",
			 value);
		return ORD_ERR_INVALID;
	}
	*(struct ord_uuid *)(void *)member = id;
	return ORD_OK;
}

static int set_text(char *member, size_t member_size, const char *value, char *why)
{
	size_t len = strlen(value);
	if (len == 0 || len >= member_size) {
		snprintf(why, ORD_CONFIG_WHY_SIZE, "must have 1 to %zu bytes, not %zu", member_size - 1, len);
		return ORD_ERR_INVALID;
	}
	bool control = false;
	for (const char *at = value; *at != '\0'; at++)
		control |= (unsigned char)*at < 0x20 || *at == 0x7f;
	if (control || strstr(value, " #") != NULL || value[0] == '#' || value[0] == ' ' || value[len - 1] == ' ') {
		snprintf(why, ORD_CONFIG_WHY_SIZE,
			 "must have no control character, no \"#\" at the start or after a blank, and no blank around "
			 "it");
		return ORD_ERR_INVALID;
	}
	memcpy(member, value, len + 1);
	return ORD_OK;
}

static int set_flag(char *member, const char *value, char *why)
{
	bool is_yes = strcmp(value, "yes") == 0;
	if (!is_yes && strcmp(value, "no") != 0) {
		snprintf(why, ORD_CONFIG_WHY_SIZE, "\"%.60s\" must be yes or no", value);
		return ORD_ERR_INVALID;
	}
	*(bool *)member = is_yes;
	return ORD_OK;
}

int ord_option_set(const struct ord_option *o, struct ord_config *c, const char *value, char why[ORD_CONFIG_WHY_SIZE])
{
	char *member = (char *)c + o->offset;
	switch (o->kind) {
	case ORD_OPTION_UUID:
		return set_uuid(member, value, why);
	case ORD_OPTION_NUMBER:
	case ORD_OPTION_BYTES:
		return set_number(o, member, value, why);
	case ORD_OPTION_NODES:
		return ord_config_nodes_add(c, value, why);
	case ORD_OPTION_TEXT:
		return set_text(member, member == c->data_dir ? sizeof c->data_dir : sizeof c->listen_host, value, why);
	case ORD_OPTION_FLAG:
		return set_flag(member, value, why);
	}
	ORD_ASSERT(!"an option of unknown kind");
	return ORD_ERR_INVALID;
}

static int check_given(const struct ord_config *c, char *why)
{
	static const struct ord_uuid zero;
	const char *missing = NULL;
	if (ord_uuid_equal(&c->cluster, &zero))
		missing = "cluster_id: missing: make one with `cat /proc/sys/kernel/random/uuid` and give it to all "
			  "nodes";
	else if (c->node == 0)
		missing = "node: missing: give this node's number, one of those in nodes";
	else if (c->nodes_count == 0)
		missing = "nodes: missing: list all nodes, as in 1=10.0.0.1:7101:7001,2=10.0.0.2:7101:7001";
	else if (c->partitions_count == 0)
		missing = "partitions: missing: give the cluster's number of partitions, 8 for instance";
	else if (c->data_dir[0] == '\0')
		missing = "data_dir: missing: name the directory for this node's data";
	if (missing == NULL)
		return ORD_OK;
	snprintf(why, ORD_CONFIG_WHY_SIZE, "%s", missing);
	return ORD_ERR_INVALID;
}

static int check_shards(const struct ord_config *c, char *why)
{
	if (c->shards_count > c->partitions_count) {
		snprintf(why, ORD_CONFIG_WHY_SIZE,
			 "shards: %" PRIu32 " must be at most the number of partitions, which is %" PRIu32
			 ": a shard without a partition has nothing to do",
			 c->shards_count, c->partitions_count);
		return ORD_ERR_INVALID;
	}
	if (strlen(c->data_dir) + sizeof "/shard-64" > sizeof c->data_dir) {
		snprintf(why, ORD_CONFIG_WHY_SIZE, "data_dir: is too long: give one of at most %zu bytes",
			 sizeof c->data_dir - sizeof "/shard-64");
		return ORD_ERR_INVALID;
	}
	return ORD_OK;
}

int ord_config_check(struct ord_config *c, char why[ORD_CONFIG_WHY_SIZE])
{
	int err = check_given(c, why);
	if (err == ORD_OK)
		err = check_shards(c, why);
	if (err == ORD_OK)
		err = ord_config_nodes_check(c, why);
	if (err != ORD_OK)
		return err;
	if (ord_config_find(c, c->node) == NULL) {
		snprintf(why, ORD_CONFIG_WHY_SIZE,
			 "node: %" PRIu32 " is not in nodes: add it there, or give another number", c->node);
		return ORD_ERR_INVALID;
	}
	if (c->heartbeat_ms * 2 > c->election_timeout_ms) {
		snprintf(why, ORD_CONFIG_WHY_SIZE,
			 "heartbeat_ms: %" PRIu32 " must be at most half of election_timeout_ms, which is %" PRIu32,
			 c->heartbeat_ms, c->election_timeout_ms);
		return ORD_ERR_INVALID;
	}
	return ORD_OK;
}

/* 0 stands for something else than little. */
static uint64_t part_of(uint64_t bytes, uint32_t shards_count)
{
	return bytes == 0 || bytes >= shards_count ? bytes / shards_count : 1;
}

void ord_config_shard(const struct ord_config *c, uint32_t shard, struct ord_config *ret)
{
	ORD_ASSERT(shard < c->shards_count);
	*ret = *c;
	ret->shard = shard;
	if (c->shards_count == 1)
		return;
	size_t len = strlen(c->data_dir);
	snprintf(ret->data_dir + len, sizeof ret->data_dir - len, "/shard-%" PRIu32, shard);
	for (uint32_t i = 0; i < c->nodes_count; i++)
		ret->nodes[i].peer.port = (uint16_t)(c->nodes[i].peer.port + shard);
	ret->cache_bytes = part_of(c->cache_bytes, c->shards_count);
	ret->memory_bytes = part_of(c->memory_bytes, c->shards_count);
	ret->checkpoint_bytes = part_of(c->checkpoint_bytes, c->shards_count);
	ret->repair_bytes = part_of(c->repair_bytes, c->shards_count);
	ret->scrub_bytes = part_of(c->scrub_bytes, c->shards_count);
}

static void option_print(const struct ord_option *o, const struct ord_config *c, FILE *out)
{
	const char *member = (const char *)c + o->offset;
	char text[ORD_UUID_TEXT_SIZE];
	switch (o->kind) {
	case ORD_OPTION_UUID:
		ord_uuid_format(&c->cluster, text);
		fprintf(out, "%s = %s\n", o->key, text);
		break;
	case ORD_OPTION_NUMBER:
		fprintf(out, "%s = %" PRIu32 "\n", o->key, *(const uint32_t *)(const void *)member);
		break;
	case ORD_OPTION_BYTES:
		fprintf(out, "%s = %" PRIu64 "\n", o->key, *(const uint64_t *)(const void *)member);
		break;
	case ORD_OPTION_NODES:
		ord_config_nodes_print(c, o->key, out);
		break;
	case ORD_OPTION_TEXT:
		if (member[0] != '\0')
			fprintf(out, "%s = %s\n", o->key, member);
		break;
	case ORD_OPTION_FLAG:
		fprintf(out, "%s = %s\n", o->key, *(const bool *)member ? "yes" : "no");
		break;
	}
}

void ord_config_print(const struct ord_config *c, FILE *out)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++)
		option_print(&options[i], c, out);
}
