/* SPDX-License-Identifier: Apache-2.0 - the processes that take part in a bench and run on this machine, and what they used while it measured. */
#ifndef ORD_CLI_BENCH_SITE_H
#define ORD_CLI_BENCH_SITE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "cli/usage.h"

struct ord_bench_site_node {
	uint32_t id;
	pid_t pid;
	bool own_network;
	char data[PATH_MAX];
	char device[ORD_USAGE_DEVICE_SIZE]; /* below its data; "" when not known */
	struct ord_usage_mark begin;
	struct ord_usage_mark end;
	uint64_t device_begin_bytes;
	uint64_t device_end_bytes;
};

struct ord_bench_site {
	uint32_t nodes_count; /* 0: they are elsewhere */
	struct ord_bench_site_node nodes[ORD_NODES_MAX];
	struct ord_usage_mark own_begin; /* this process: the bench itself */
	struct ord_usage_mark own_end;
};

/* The nodes of a cluster directory. NULL: none are known. What ord_cluster_open gives, with why. */
int ord_bench_site_open(struct ord_bench_site *s, const char *dir, char *why, size_t why_size);
void ord_bench_site_close(struct ord_bench_site *s);

void ord_bench_site_begin(struct ord_bench_site *s);
void ord_bench_site_end(struct ord_bench_site *s);

struct ord_usage ord_bench_site_node_used(const struct ord_bench_site *s, uint32_t place);
struct ord_usage ord_bench_site_own_used(const struct ord_bench_site *s);

/* Bytes written to the device below the data of the node at place, by all that write there, and how many nodes of the site share it. Unknown when the kernel keeps no
 * count. */
uint64_t ord_bench_site_device(const struct ord_bench_site *s, uint32_t place, uint32_t *ret_sharing);

#endif
