/* SPDX-License-Identifier: Apache-2.0 - the inside of a bench that its steps share: accounts, load, checks, one after the other on one loop. */
#ifndef ORD_CLI_BENCH_INSIDE_H
#define ORD_CLI_BENCH_INSIDE_H

#include <uv.h>

#include "cli/bench.h"

#define ORD_BENCH_KEPT_MAX 1000
#define ORD_BENCH_OWNER "bench" /* of all names that are claimed */

/* A claim that was settled. */
struct ord_bench_kept {
	uint64_t number;
	struct ordain_id id;
};

struct ord_bench {
	const struct ord_bench_options *options;
	struct ord_bench_report *report;
	struct ord_bench_site *site;
	uv_loop_t loop;
	struct ordain_client *clients[ORD_BENCH_CONNECTIONS_MAX];
	uint32_t clients_count;
	struct ord_bench_work work;
	struct ord_bench_money money; /* where there are accounts */
	/* Some of the claims that were settled, each as likely as any other, to be read back. */
	struct ord_bench_kept kept[ORD_BENCH_KEPT_MAX];
	uint64_t claims_settled;
	struct ord_dice kept_dice; /* apart from that of the work, which has to give the same for the same seed */
	uint64_t reads_wrong;	   /* that gave what cannot be */
	int err;
	char *why;
	size_t why_size;
};

/* Keeps the first error and why. */
void ord_bench_fail(struct ord_bench *b, int err, const char *name, const char *message);

/* Each runs the loop until it is done; an error is in b->err. */
void ord_bench_open_accounts(struct ord_bench *b);
void ord_bench_load(struct ord_bench *b);
void ord_bench_check(struct ord_bench *b);

/* Do all replicas that can be compared have the same state? Asks the nodes themselves. */
void ord_bench_check_replicas(struct ord_bench *b, const struct ordain_options *cluster);

#endif
