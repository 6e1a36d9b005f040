/* SPDX-License-Identifier: Apache-2.0 - which data directories of the other nodes this node has met: the text of the file peers. Pure: no files.
 *
 * Of each node it knows the first directory that anybody is known to have met, the one that counts now, and those that were replaced:
 *
 *   never met --it connects--> current --another one connects that was never met--> past, and stays so
 *
 * "First" decides who is a founder (node/peers_founding.c); so it is never changed, and who has no note of his own takes over that of others.
 */
#ifndef ORD_NODE_MET_H
#define ORD_NODE_MET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/uuid.h"
#include "node/config.h"

/* So many replaced directories of a node are remembered; then the oldest is forgotten. The first one never is. */
#define ORD_MET_PAST_MAX 32

/* Bytes of the text, NUL included, at most. */
#define ORD_MET_TEXT_SIZE (ORD_NODES_MAX * (ORD_MET_PAST_MAX + 2) * (ORD_UUID_TEXT_SIZE + 24) + 256)

struct ord_met_node {
	uint32_t node;
	bool has_first;
	bool has_current;
	struct ord_uuid first;
	struct ord_uuid current;
	struct ord_uuid past[ORD_MET_PAST_MAX]; /* the oldest first */
	uint32_t past_count;
};

struct ord_met {
	struct ord_met_node nodes[ORD_NODES_MAX]; /* all other nodes */
	uint32_t nodes_count;
};

/* Nobody of the other nodes of config has been met. */
void ord_met_init(struct ord_met *m, const struct ord_config *config);

/* NULL when it is not another node of the cluster. */
const struct ord_met_node *ord_met_find(const struct ord_met *m, uint32_t node);

/* ORD_OK when that is the node's current directory; ORD_ERR_MISMATCH when it was replaced, or when the node is none; ORD_ERR_NOT_FOUND when it was never met. */
int ord_met_knows(const struct ord_met *m, uint32_t node, const struct ord_uuid *incarnation);

/* It becomes current, and what was current is past; the first one when there is no first. Asserts that it was never met. */
void ord_met_note(struct ord_met *m, uint32_t node, const struct ord_uuid *incarnation);

/* Somebody else has met that one first: so it is here, unless there is a first already or the node is none. */
void ord_met_adopt(struct ord_met *m, uint32_t node, const struct ord_uuid *first);

void ord_met_format(const struct ord_met *m, char text[ORD_MET_TEXT_SIZE]);

/* Reads a text; lines of nodes that are not in m are passed over. Format 1 had the first one of each node alone. ORD_ERR_CORRUPT or ORD_ERR_MISMATCH (a later format) with why
 * (why_size bytes), which names the file and the remedy; m is then as it was. */
int ord_met_parse(struct ord_met *m, const char *text, char *why, size_t why_size);

#endif
