/* SPDX-License-Identifier: Apache-2.0 - a node's data directory: whose it is, that only one process uses it, and which peers it has met. */
#ifndef ORD_NODE_DATADIR_H
#define ORD_NODE_DATADIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "node/config.h"
#include "node/met.h"
#include "node/self.h"

struct ord_datadir;

/* Opens the directory of config->data_dir, making it when it does not exist, and locks it until close; config is borrowed until then. A new directory gets a new incarnation: a
 * random id that stands for this very set of files, since a node that lost its files has forgotten its votes and must not pass for the old one. Where the cluster has other nodes it is
 * undecided.
 * ORD_ERR_IN_USE, ORD_ERR_MISMATCH (another cluster, node, partition count or set of nodes), ORD_ERR_CORRUPT, ORD_ERR_LOG_LOST (its log was begun and is gone), ORD_ERR_IO,
 * ORD_ERR_NO_SPACE, ORD_ERR_NOMEM; why (why_size bytes) names the file and the remedy. The caller owns *ret. */
int ord_datadir_open(const struct ord_config *config, struct ord_datadir **ret, char *why, size_t why_size);

/* Unlocks and frees. NULL is fine. */
void ord_datadir_close(struct ord_datadir *d);

/* Who this node is. */
const struct ord_self *ord_datadir_self(const struct ord_datadir *d);

/* Two things are noted in identity later on: what the node is, when it was undecided; and that the log has a record on disk. Both take two steps, since the first waits for the disk: write, which may be
 * done on any thread while nothing else is written, and once that gave ORD_OK, keep. Nothing may be done as a founder or newcomer, and nothing promised by the log, before. The write gives ORD_ERR_IO or
 * ORD_ERR_NO_SPACE, with errno, and can be tried again. */
int ord_datadir_decide_write(const struct ord_datadir *d, enum ord_standing standing);
void ord_datadir_decide_keep(struct ord_datadir *d, enum ord_standing standing);
/* Do nothing when it is noted already. */
int ord_datadir_log_begun_write(const struct ord_datadir *d);
void ord_datadir_log_begun_keep(struct ord_datadir *d);

/* For a directory that is not open, whose log is lost or damaged: sets the log aside as wal.damaged-1, wal.damaged-2 ..., of which the last three stay, and makes the node a newcomer with a new
 * incarnation, without a log; one whose log had not begun is what it was. States and histories stay. It may be interrupted at any moment and begun again. Errors and why as ord_datadir_open. */
int ord_datadir_renew(const struct ord_config *config, char *why, size_t why_size);

/* The directory of the write-ahead log, inside this one. */
const char *ord_datadir_wal(const struct ord_datadir *d);

/* The directory of the partitions' states, inside this one; nobody has made it. */
const char *ord_datadir_state(const struct ord_datadir *d);

/* The directory of the partitions' histories, likewise. */
const char *ord_datadir_history(const struct ord_datadir *d);

/* Which directories of the other nodes were met, durably. */
const struct ord_met *ord_datadir_met(const struct ord_datadir *d);

/* What is to be written to remember a peer. */
struct ord_datadir_meeting {
	struct ord_met met;
	char text[ORD_MET_TEXT_SIZE];
};

/* Remembering takes three steps, since the second waits for the disk and may be made on any thread: prepare (the caller changes m->met, which is what is known now, then calls _format), write, and once that gave ORD_OK,
 * keep. One at a time. The write gives ORD_ERR_IO or ORD_ERR_NO_SPACE, with errno. */
void ord_datadir_meeting(const struct ord_datadir *d, struct ord_datadir_meeting *ret);
void ord_datadir_meeting_format(struct ord_datadir_meeting *m);
int ord_datadir_meeting_write(const struct ord_datadir *d, const struct ord_datadir_meeting *m);
void ord_datadir_meeting_keep(struct ord_datadir *d, const struct ord_datadir_meeting *m);

#endif
