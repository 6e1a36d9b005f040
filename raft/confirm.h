/* SPDX-License-Identifier: Apache-2.0 - "do you still follow me?" and the answer, of many groups at once: to bytes, and from bytes that are not trusted. */
#ifndef ORD_RAFT_CONFIRM_H
#define ORD_RAFT_CONFIRM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* Format, little-endian.
 *
 *  offset  bytes  content
 *       0      1  1, the format
 *       1      1  type: 1 question, 2 answer
 *       2      2  number of groups, at most 1,024
 *       4      4  0
 *       8      8  member that sends
 *      16      8  member it is for
 *      24      8  round: the number of the question, and of its answer; never 0
 *      32  each:
 *              4  group
 *              8  term: in a question in which the sender leads it, in an answer in which the sender follows who asked
 */
#define ORD_CONFIRM_HEADER_BYTES 32u
#define ORD_CONFIRM_GROUP_BYTES 12u

struct ord_confirm {
	bool is_answer;
	uint64_t from;
	uint64_t to;
	uint64_t round;
	uint32_t groups_count;
	struct ord_slice groups; /* borrowed; see ord_confirm_group */
};

/* Begins a message at the end of out; groups and groups_count are not looked at. Returns where it begins, which end wants. The caller then puts the groups, at most
 * ORD_PARTITIONS_MAX, and ends it. */
size_t ord_confirm_begin(const struct ord_confirm *c, struct ord_bytes *out);
void ord_confirm_put_group(struct ord_bytes *out, uint32_t group, uint64_t term);
void ord_confirm_end(struct ord_bytes *out, size_t begun);

/* Says who it is for, when that was not known before its groups were put. */
void ord_confirm_set_to(struct ord_bytes *out, size_t begun, uint64_t to);

/* ORD_ERR_FORMAT for anything that is not exactly one message; *ret is then untouched. */
int ord_confirm_decode(struct ord_slice in, struct ord_confirm *ret);

/* The group at a place below groups_count. */
void ord_confirm_group(const struct ord_confirm *c, uint32_t place, uint32_t *ret_group, uint64_t *ret_term);

#endif
