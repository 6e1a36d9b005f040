/* SPDX-License-Identifier: Apache-2.0 - commands from a CSV file into a cluster: in batches, several under way, in bounded memory. */
#ifndef ORD_CLI_FEED_H
#define ORD_CLI_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/lines.h"
#include "cli/reasons.h"
#include "client/ordain.h"

struct ord_feed_options {
	enum ordain_command_kind kind; /* ORDAIN_TRANSFER or ORDAIN_CLAIM */
	FILE *in;		       /* borrowed */
	const char *in_name;	       /* for messages */
	FILE *results; /* borrowed; NULL: none wanted. request_id,status,reason,replayed for each line, in their order */
	uint32_t batch_lines; /* 1 .. ORD_FEED_BATCH_MAX */
	uint32_t batches;     /* under way at once, 1 .. ORD_FEED_BATCHES_MAX */
	struct ordain_call_options call;
	bool progress; /* on standard error, a few times a second */
};

#define ORD_FEED_BATCH_MAX 10000
#define ORD_FEED_BATCHES_MAX 64

struct ord_feed_summary {
	uint64_t lines; /* with something on them, without the heading */
	uint64_t settled;
	uint64_t logged; /* only with ORDAIN_WAIT_LOGGED: outcome to come */
	uint64_t refused;
	uint64_t unknown;
	uint64_t failed;	    /* nothing was logged: not reached, or not accepted by the node */
	uint64_t invalid;	    /* lines that cannot be used and were not sent */
	uint64_t replayed;	    /* among settled, logged and refused: decided before */
	struct ord_reasons reasons; /* of refused, unknown and failed */
};

/* Reads all of the file. Lines that cannot be used are told on standard error (the first 20) and do not stop the others. Two lines with one
 * request id are never under way together, so that the first of them in the file is the first in the cluster.
 * ORD_OK also when all was refused; ORD_ERR_FORMAT: the heading cannot be used, nothing was sent; ORD_ERR_IO: reading or writing failed, what was
 * sent is counted; ORD_ERR_NOMEM. why then says more. */
int ord_feed_run(const struct ord_feed_options *options, const struct ordain_options *cluster,
		 struct ord_feed_summary *ret, char *why, size_t why_size);

#endif
