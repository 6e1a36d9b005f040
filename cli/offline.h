/* SPDX-License-Identifier: Apache-2.0 - what the subcommands share that read a node's data directory without the node. */
#ifndef ORD_CLI_OFFLINE_H
#define ORD_CLI_OFFLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/args.h"

struct ord_flag ord_offline_data_flag(const char **data);

/* Which partition; not required. */
struct ord_flag ord_offline_partition_flag(int64_t *partition);

struct ord_flag ord_offline_json_flag(bool *json);

/* The names in a directory that are numbers of partitions, ascending. ORD_ERR_IO, ORD_ERR_NOMEM, with why. The caller frees *ret. */
int ord_offline_partitions(const char *directory, uint32_t **ret, size_t *ret_count, char *why, size_t why_size);

/* bytes as hexadecimal digits and a NUL: 2 * bytes + 1 of them. */
void ord_offline_hex(const uint8_t *base, size_t bytes, char *text);

/* A state digest as `status` shows it: 16 bytes, most significant first. */
#define ORD_OFFLINE_DIGEST_SIZE 33
void ord_offline_digest(const uint64_t digest[2], char text[ORD_OFFLINE_DIGEST_SIZE]);

/* A time: "2026-01-31T12:00:03.141592Z" (the fraction, and then seconds, may be left out), or microseconds since 1970. ORD_ERR_INVALID. */
int ord_offline_time(const char *text, uint64_t *ret_us);

#endif
