/* SPDX-License-Identifier: Apache-2.0 - the cluster under test, driven by the program `ordain` alone. */
#ifndef ORD_JEPSEN_SUBJECT_H
#define ORD_JEPSEN_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "jepsen/client.h"
#include "jepsen/edn.h"
#include "jepsen/program.h"

#define ORD_SUBJECT_WHY_SIZE 1024
#define ORD_SUBJECT_PATH_SIZE 4096

struct ord_subject {
	const char *program; /* `ordain` */
	const char *ordaind; /* NULL: the one beside it */
	char dir[ORD_SUBJECT_PATH_SIZE];
	uint32_t nodes_count;
	uint32_t partitions_count;
	bool netns;			   /* real faults, for root */
	bool hooks;			   /* faults by hooks */
	char addresses[ORD_NODES_MAX][64]; /* of clients' ports */
};

/* How the cluster is, all in all. */
struct ord_subject_state {
	bool whole; /* all nodes answer and have a vote everywhere, all partitions take commands, all replicas are equal, nothing is unsettled */
	bool disagrees;	 /* replicas at one position are not the same, or one differs at a mark: never to happen */
	char words[256]; /* what is missing, or which replica it is */
};

/* Starts a new cluster in dir and learns its addresses. ORD_ERR_IO with why. */
int ord_subject_start(struct ord_subject *s, char *why);

/* Runs `ordain WORDS --dir DIR --json`; *ret is what it answers, made in pool, nil when that is no JSON. ORD_OK: exit status 0. ORD_ERR_INVALID: another one, or it took longer than timeout_ms, with why (its
 * words); ORD_ERR_IO: it cannot be run. */
int ord_subject_ask(const struct ord_subject *s, const struct ord_program_words *words, int64_t timeout_ms,
		    struct ord_edn_pool *pool, struct ord_edn *ret, char *why);

/* Looks until it is whole, it disagrees, or the time is over; true when it is whole. */
bool ord_subject_await(const struct ord_subject *s, int64_t timeout_ms, struct ord_subject_state *ret);

/* Copies states and histories of each node, up to all that is committed now, to dir/backup-N. As ord_subject_ask. */
int ord_subject_backup(const struct ord_subject *s, char *why);

/* Ends all nodes, by force where they do not of themselves. ORD_ERR_INVALID, ORD_ERR_IO with why. */
int ord_subject_stop(const struct ord_subject *s, char *why);

/* The addresses of all nodes, those of node first (from 0, taken modulo their number) in front. */
void ord_subject_addresses(const struct ord_subject *s, uint32_t first, char ret[ORD_CLIENT_ADDRESSES_SIZE]);

#endif
