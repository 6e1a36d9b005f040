/* SPDX-License-Identifier: Apache-2.0 - the inside of a data directory, for node/datadir*.c alone. */
#ifndef ORD_NODE_DATADIR_STATE_H
#define ORD_NODE_DATADIR_STATE_H

#include "node/datadir.h"

#define ORD_DATADIR_PATH_SIZE 4200

struct ord_datadir {
	const struct ord_config *config; /* borrowed */
	char path[ORD_DATADIR_PATH_SIZE - 64];
	char wal[ORD_DATADIR_PATH_SIZE];
	char state[ORD_DATADIR_PATH_SIZE];
	char history[ORD_DATADIR_PATH_SIZE];
	int lock_fd;
	int dir_fd;
	struct ord_self self;
	struct ord_met met;
	char *why; /* borrowed, while opening */
	size_t why_size;
};

/* As ord_datadir_open, but does not look at the log. */
int ord_datadir_enter(const struct ord_config *config, struct ord_datadir **ret, char *why, size_t why_size);

/* Gives err, and the text to who opens. */
__attribute__((format(printf, 3, 4))) int ord_datadir_fail(struct ord_datadir *d, int err, const char *format, ...);

/* Writes identity, synced. ORD_ERR_IO or ORD_ERR_NO_SPACE, with errno. */
int ord_datadir_self_write(const struct ord_datadir *d, const struct ord_self *self);

#endif
