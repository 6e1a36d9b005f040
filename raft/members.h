/* SPDX-License-Identifier: Apache-2.0 - the payload of an entry that says who the members of a group are, in libraft's own format. */
#ifndef ORD_RAFT_MEMBERS_H
#define ORD_RAFT_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "raft/host.h"

/* Room for the text that libraft calls an address: "node-" and a number. Peers are found by id; the text only has to be the same everywhere. */
#define ORD_MEMBER_TEXT_SIZE 16
void ord_member_format(uint32_t node, char text[ORD_MEMBER_TEXT_SIZE]);

/* Writes the payload that makes all nodes voters, as founders, in the order given: the same bytes on every node for the same list.
 *
 *  offset  bytes  content
 *       0      1  1, the format
 *       1      8  number of members
 *       9      -  of each: 8 bytes id, the text of its node and a NUL, 1 byte role (0 standby, 1 voter, 2 spare)
 *                 zeros up to a multiple of 8
 */
void ord_members_encode(const uint32_t *nodes, uint32_t nodes_count, struct ord_bytes *out);

/* The same for any members, in the order given; what node of them says is not looked at. */
void ord_members_encode_list(const struct ord_member_status *members, uint32_t members_count, struct ord_bytes *out);

/* True when libraft can be given these bytes: it decodes them without checking where they end. Every member must be of one of nodes, of each one at most,
 * with its right text and a role that exists, and one at least must be a voter. */
bool ord_members_valid(struct ord_slice payload, const uint32_t *nodes, uint32_t nodes_count);

#endif
