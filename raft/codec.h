/* SPDX-License-Identifier: Apache-2.0 - Raft messages between nodes: to bytes, and from bytes that are not trusted. */
#ifndef ORD_RAFT_CODEC_H
#define ORD_RAFT_CODEC_H

#include <raft.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "raft/record.h"

/* Format, little-endian. A message is for one group.
 *
 *  offset  bytes  content
 *       0      1  2, the format. Format 1, of nodes without incarnations, is not read
 *       1      1  type: 1 append, 2 append result, 3 request vote, 4 request vote result, 5 install, 6 timeout now (libraft's numbers)
 *       2      1  libraft's version of that message
 *       3      1  flags: request vote 1 may disrupt a leader, 2 pre-vote; its result 1 granted, 2 pre-vote; otherwise 0
 *       4      4  group
 *       8      8  member that sends
 *      16      8  member it is for
 *      24      8  term
 *      32      -  append: 8 index before the entries, 8 its term, 8 commit index, 4 number of entries, then the entries as records
 *                   (raft/record.h), each the very bytes that stand in the sender's write-ahead log
 *                 append result: 8 rejected index or 0, 8 last index, 8 index applied at the sender, 2 features, 2 capacity
 *                 request vote: 8 index of the last entry, 8 its term
 *                 request vote result: 2 features, 2 capacity
 *                 install: 8 index of the last entry that the receiver cannot get, 8 its term, 8 index of the entry that set the members in
 *                   force there, 4 length of its payload, at most 1,024, and the payload (raft/members.h). The state itself goes another way
 *                 timeout now: 8 index of the last entry, 8 its term
 */
#define ORD_MESSAGE_BYTES_MAX (8u << 20)
#define ORD_MESSAGE_HEADER_BYTES 32u
#define ORD_MESSAGE_ENTRIES_MAX 1024u /* in one append */
#define ORD_MESSAGE_MEMBERS_BYTES_MAX 1024u

struct ord_message {
	uint32_t group;
	uint64_t from;
	uint64_t to;
	uint64_t applied;	  /* of an append result */
	struct ord_slice members; /* of an install, borrowed; the field of libraft stays empty */
	struct raft_message raft; /* server_address stays NULL; entries point into what the decoder was given */
};

/* Writes any message but an append. Gives ORD_ERR_INVALID for a type that has no format here. m->raft.server_* are not looked at. */
int ord_codec_encode(const struct ord_message *m, struct ord_bytes *out);

/* Begins an append: the fields of m->raft.append_entries without the entries. Returns the offset that ord_codec_append_end wants.
 * The caller then puts the records. */
size_t ord_codec_append_begin(const struct ord_message *m, struct ord_bytes *out);
void ord_codec_append_end(struct ord_bytes *out, size_t begun, uint32_t entries_count);

/* Reads a message. The entries of an append go to entries (ORD_MESSAGE_ENTRIES_MAX of them); each buf is the payload inside in, with its
 * record's header right before it, checksum verified; batch is NULL. ORD_ERR_MISMATCH for format 1; ORD_ERR_FORMAT for anything else that is not exactly one message whose fields fit
 * each other: what libraft asserts about a message alone holds afterwards. */
int ord_codec_decode(struct ord_slice in, struct raft_entry *entries, struct ord_message *ret);

#endif
