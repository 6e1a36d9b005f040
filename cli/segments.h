/* SPDX-License-Identifier: Apache-2.0 - the segments of the write-ahead log in a node's data directory, read as far as they can be; never written, whether a node runs or not. */
#ifndef ORD_CLI_SEGMENTS_H
#define ORD_CLI_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "raft/record.h"

/* Where something stands. */
struct ord_segments_place {
	const char *path;
	uint64_t segment;
	uint64_t offset;
	uint64_t sequence; /* of the batch; 0 where none is known */
};

/* What is told on the way, in the order of the log. */
struct ord_segments_visitor {
	void *ctx; /* borrowed; first argument of all */
	/* A record that is sound in itself. False ends the walk. */
	bool (*record)(void *ctx, const struct ord_segments_place *place, const struct ord_record *r);
	/* Something is wrong here; bytes are skipped. */
	void (*damage)(void *ctx, const struct ord_segments_place *place, uint64_t bytes, const char *why);
	/* What the last segment ends with is no whole batch: it is being written, or the node's next start cuts it off. */
	void (*unfinished)(void *ctx, const struct ord_segments_place *place, uint64_t bytes);
};

/* Walks the log in data_dir/wal. ORD_ERR_NOT_FOUND: there is none; ORD_ERR_IO, ORD_ERR_NOMEM; with why. */
int ord_segments_walk(const char *data_dir, const struct ord_segments_visitor *visitor, char *why, size_t why_size);

#endif
