/* SPDX-License-Identifier: Apache-2.0 - who this node is. The file is lines "key = value":
 *
 *   format        2
 *   cluster_id    UUID
 *   node          its number
 *   incarnation   UUID, random: one for each set of files that a node ever has
 *   partitions    how many the cluster has
 *   shards        how many the node has; not there when it is one, likewise below
 *   shard         which of them this directory is of
 *   nodes         the numbers of all nodes, ascending, with commas
 *   standing      undecided, founder or newcomer
 *   log           new: nothing has been promised by the log in wal/ yet; begun: something may have been
 *   check         CRC-32C of all before this line
 *
 * Format 1 had no standing, log and check: founder, begun.
 */
#include "node/self.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "node/lines.h"

#define SELF_FORMAT 2u
#define SELF_FORMAT_FOUNDERS 1u
#define NODES_TEXT_SIZE 128
#define REMEDY "restore it from a copy, or, where the cluster has other nodes, start with an empty directory"

const char *ord_standing_name(enum ord_standing standing)
{
	switch (standing) {
	case ORD_STANDING_FOUNDER:
		return "founder";
	case ORD_STANDING_NEWCOMER:
		return "newcomer";
	default:
		return "undecided";
	}
}

/* What distinguishes the members that one node is over time; 0 is the founder's. */
static uint32_t incarnation_bits(const struct ord_uuid *incarnation)
{
	uint32_t bits = 0;
	for (unsigned i = 0; i < sizeof bits; i++)
		bits |= (uint32_t)incarnation->bytes[i] << 8 * i;
	return bits;
}

static uint64_t newcomer_member(uint32_t node, const struct ord_uuid *incarnation)
{
	return node | (uint64_t)incarnation_bits(incarnation) << 32;
}

uint64_t ord_self_member(const struct ord_self *self, uint32_t node)
{
	switch (self->standing) {
	case ORD_STANDING_FOUNDER:
		return node;
	case ORD_STANDING_NEWCOMER:
		return newcomer_member(node, &self->incarnation);
	default:
		return 0;
	}
}

bool ord_self_may_be(uint32_t node, const struct ord_uuid *incarnation, uint64_t member)
{
	return member == 0 || member == node || member == newcomer_member(node, incarnation);
}

int ord_self_draw(struct ord_uuid *ret)
{
	struct ord_uuid drawn;
	do {
		if (getrandom(&drawn, sizeof drawn, 0) != (ssize_t)sizeof drawn)
			return ORD_ERR_IO;
	} while (incarnation_bits(&drawn) == 0);
	*ret = drawn;
	return ORD_OK;
}

static void nodes_format(const struct ord_config *c, char text[NODES_TEXT_SIZE])
{
	size_t len = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < c->nodes_count && len < NODES_TEXT_SIZE; i++)
		len += (size_t)snprintf(text + len, NODES_TEXT_SIZE - len, "%s%u", i == 0 ? "" : ",", c->nodes[i].id);
}

void ord_self_format(const struct ord_self *self, const struct ord_config *config, char text[ORD_SELF_TEXT_SIZE])
{
	char cluster[ORD_UUID_TEXT_SIZE], incarnation[ORD_UUID_TEXT_SIZE], nodes[NODES_TEXT_SIZE], shards[64] = "";
	ord_uuid_format(&config->cluster, cluster);
	ord_uuid_format(&self->incarnation, incarnation);
	nodes_format(config, nodes);
	if (config->shards_count > 1)
		snprintf(shards, sizeof shards, "shards = %u\nshard = %u\n", config->shards_count, config->shard);
	snprintf(text, ORD_SELF_TEXT_SIZE,
		 "format = %u\ncluster_id = %s\nnode = %u\nincarnation = %s\npartitions = %u\n%snodes = %s\n"
		 "standing = %s\nlog = %s\n",
		 SELF_FORMAT, cluster, config->node, incarnation, config->partitions_count, shards, nodes,
		 ord_standing_name(self->standing), self->log_begun ? "begun" : "new");
	ord_lines_seal(text, ORD_SELF_TEXT_SIZE);
}

/* One line against what the configuration says. */
static int line_compare(const char *text, const char *key, const char *expected, const char *remedy, char *why,
			size_t why_size)
{
	char value[NODES_TEXT_SIZE];
	if (!ord_lines_value(text, key, value, sizeof value)) {
		snprintf(why, why_size, "file 'identity' has no %s: " REMEDY, key);
		return ORD_ERR_CORRUPT;
	}
	if (strcmp(value, expected) != 0) {
		snprintf(why, why_size, "belongs to %s %s, the configuration says %s: %s", key, value, expected,
			 remedy);
		return ORD_ERR_MISMATCH;
	}
	return ORD_OK;
}

/* Written before there were shards, or of one: no line. */
static int shard_compare(const char *text, const struct ord_config *c, char *why, size_t why_size)
{
	char shards[16] = "1", shard[16] = "0";
	ord_lines_value(text, "shards", shards, sizeof shards);
	ord_lines_value(text, "shard", shard, sizeof shard);
	unsigned long expected = c->shards_count > 1 ? c->shards_count : 1;
	if (strtoul(shards, NULL, 10) != expected)
		snprintf(why, why_size,
			 "belongs to a node of %s shards, the configuration says %lu: the number of shards is fixed "
			 "for a cluster's life",
			 shards, expected);
	else if (strtoul(shard, NULL, 10) != c->shard)
		snprintf(why, why_size, "belongs to shard %s, not %u: give each shard its own directory back", shard,
			 c->shard);
	else
		return ORD_OK;
	return ORD_ERR_MISMATCH;
}

static int owner_compare(const char *text, const struct ord_config *c, char *why, size_t why_size)
{
	char cluster[ORD_UUID_TEXT_SIZE], node[16], partitions[16], nodes[NODES_TEXT_SIZE];
	ord_uuid_format(&c->cluster, cluster);
	snprintf(node, sizeof node, "%u", c->node);
	snprintf(partitions, sizeof partitions, "%u", c->partitions_count);
	nodes_format(c, nodes);
	const struct {
		const char *key, *expected, *remedy;
	} lines[] = {
		{"cluster_id", cluster, "give the directory of this cluster, or an empty one"},
		{"node", node, "give the directory of this node, or an empty one"},
		{"partitions", partitions, "the number of partitions is fixed for a cluster's life"},
		{"nodes", nodes, "the set of nodes cannot be changed by configuration"},
	};
	int err = ORD_OK;
	for (size_t i = 0; err == ORD_OK && i < sizeof lines / sizeof *lines; i++)
		err = line_compare(text, lines[i].key, lines[i].expected, lines[i].remedy, why, why_size);
	return err == ORD_OK ? shard_compare(text, c, why, why_size) : err;
}

static bool standing_parse(const char *text, struct ord_self *self)
{
	char standing[16], log[16];
	if (!ord_lines_value(text, "standing", standing, sizeof standing) ||
	    !ord_lines_value(text, "log", log, sizeof log))
		return false;
	for (enum ord_standing s = ORD_STANDING_UNDECIDED; s <= ORD_STANDING_NEWCOMER; s++)
		if (strcmp(standing, ord_standing_name(s)) == 0)
			self->standing = s;
	self->log_begun = strcmp(log, "begun") == 0;
	return self->standing != 0 && (self->log_begun || strcmp(log, "new") == 0);
}

/* Which format it is; 0 when it says another one, or none. */
static unsigned format_parse(const char *text, char *ret_value, size_t value_size)
{
	snprintf(ret_value, value_size, "?");
	ord_lines_value(text, "format", ret_value, value_size);
	for (unsigned format = SELF_FORMAT_FOUNDERS; format <= SELF_FORMAT; format++) {
		char value[16];
		snprintf(value, sizeof value, "%u", format);
		if (strcmp(value, ret_value) == 0)
			return format;
	}
	return 0;
}

int ord_self_parse(const char *text, const struct ord_config *config, struct ord_self *ret, char *why, size_t why_size)
{
	char value[16];
	struct ord_self self = {.standing = 0};
	unsigned format = format_parse(text, value, sizeof value);
	if (format == 0) {
		snprintf(why, why_size,
			 "belongs to format %s, this version knows 1 to %u: use the version of ordaind that made it",
			 value, SELF_FORMAT);
		return ORD_ERR_MISMATCH;
	}
	/* Before anything that it says is taken at its word: a bit that flipped must not pass for another cluster's directory. */
	bool is_whole = format == SELF_FORMAT_FOUNDERS || ord_lines_is_sealed(text);
	int err = is_whole ? owner_compare(text, config, why, why_size) : ORD_OK;
	if (err != ORD_OK)
		return err;
	if (format == SELF_FORMAT_FOUNDERS) {
		self.standing = ORD_STANDING_FOUNDER;
		self.log_begun = true;
	} else if (!is_whole || !standing_parse(text, &self)) {
		snprintf(why, why_size, "file 'identity' has been changed or cut off: " REMEDY);
		return ORD_ERR_CORRUPT;
	}
	bool usable = ord_lines_uuid(text, "incarnation", &self.incarnation) &&
		      (self.standing == ORD_STANDING_FOUNDER || incarnation_bits(&self.incarnation) != 0);
	if (!usable) {
		snprintf(why, why_size, "file 'identity' has no usable incarnation: " REMEDY);
		return ORD_ERR_CORRUPT;
	}
	*ret = self;
	return ORD_OK;
}
