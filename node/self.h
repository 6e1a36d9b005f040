/* SPDX-License-Identifier: Apache-2.0 - who this node is, as the file identity of its data directory says: cluster and node, which set of files this is, and as what it takes part.
 *
 *   undecided --every other node has noted this directory as the first one of the node--> founder
 *       |  --one of them has noted another one first--> newcomer
 *   founder, newcomer --their write-ahead log is lost or damaged--> newcomer, with a new incarnation
 */
#ifndef ORD_NODE_SELF_H
#define ORD_NODE_SELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "node/config.h"

enum ord_standing { ORD_STANDING_UNDECIDED = 1, ORD_STANDING_FOUNDER = 2, ORD_STANDING_NEWCOMER = 3 };

struct ord_self {
	struct ord_uuid incarnation; /* of this very set of files; random */
	enum ord_standing standing;
	bool log_begun; /* the write-ahead log has had a record: when it has none, it was lost */
};

/* The text is not longer, NUL included. */
#define ORD_SELF_TEXT_SIZE 1024

/* "undecided", "founder", "newcomer". */
const char *ord_standing_name(enum ord_standing standing);

/* The member of the groups that the node is: itself when it is a founder, else with 32 bits of the incarnation above. 0 while that is undecided. */
uint64_t ord_self_member(const struct ord_self *self, uint32_t node);

/* True when a node with that incarnation may say that it is that member: 0, founder, or the newcomer of that incarnation. */
bool ord_self_may_be(uint32_t node, const struct ord_uuid *incarnation, uint64_t member);

/* Draws an incarnation of which a newcomer can be made. ORD_ERR_IO with errno. */
int ord_self_draw(struct ord_uuid *ret);

/* The text of identity. */
void ord_self_format(const struct ord_self *self, const struct ord_config *config, char text[ORD_SELF_TEXT_SIZE]);

/* Reads the text of identity, which must be that of the cluster, node, partitions, shard and nodes of config. ORD_ERR_MISMATCH or ORD_ERR_CORRUPT with why (why_size bytes), which
 * names the line and the remedy. Format 1, which had no standing, is a founder with a log. */
int ord_self_parse(const char *text, const struct ord_config *config, struct ord_self *ret, char *why, size_t why_size);

#endif
