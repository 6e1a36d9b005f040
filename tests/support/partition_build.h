/* SPDX-License-Identifier: Apache-2.0 - commands made in one line, keys that live in a chosen partition, and one partition to try them on. */
#ifndef ORD_TESTS_SUPPORT_PARTITION_BUILD_H
#define ORD_TESTS_SUPPORT_PARTITION_BUILD_H

#include <stdint.h>

#include "partition/command.h"
#include "partition/effects.h"
#include "partition/partition.h"
#include "tests/support/lab.h"

/* Request ids are texts of 1 to 16 bytes (text_id_of). Texts are borrowed. */
struct ord_command build_open(const char *id, const char *account, const char *asset, int64_t floor, int64_t ceiling);
struct ord_command build_set(const char *id, const char *account, enum ord_account_state state);
struct ord_command build_transfer(const char *id, const char *payer, const char *payee, int64_t amount);
struct ord_command build_claim(const char *id, const char *space, const char *name, const char *owner);
struct ord_command build_release(const char *id, const char *space, const char *name, const char *expected);
struct ord_command build_reassign(const char *id, const char *space, const char *name, const char *expected,
				  const char *owner);

/* A name that begins with stem and lives, as an account or as a request id, in that partition. Static storage: each call of one stem and partition
 * gives the same text. */
const char *build_account_in(const char *stem, uint32_t partition, uint32_t partitions_count);
const char *build_id_in(const char *stem, uint32_t partition, uint32_t partitions_count);

/* Applies one command as an entry of its own and gives the answer; for a command that has none all is zero. */
struct ord_result build_apply(struct lab *l, uint32_t partition, struct ord_command c, uint64_t time_us);

/* Delivers and trims until no message is under way anywhere. */
void build_settle(struct lab *l, uint64_t time_us);

int64_t build_balance(const struct lab *l, const char *account);

/* What is known of a request in that partition; status 0 when nothing is. */
struct ord_result build_request(const struct lab *l, uint32_t partition, const char *id);

/* True when every partition's digest is what its records say. */
bool build_digests_hold(const struct lab *l);

#endif
