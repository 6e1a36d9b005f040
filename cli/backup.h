/* SPDX-License-Identifier: Apache-2.0 - a backup: states of all partitions that go together, and the histories that lead to them, from the data directory of one node into a new directory. */
#ifndef ORD_CLI_BACKUP_H
#define ORD_CLI_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/manifest.h"
#include "cli/mend.h"

struct ord_backup_options {
	const char *data_dir; /* of a node, which may run; never written */
	const char *to;	      /* the directory to make */
	int64_t timeout_ms;   /* for the node to write the checkpoints that are needed */
	void *ctx;	      /* borrowed; first argument of all */
	/* Sets wanted[partition], for each of count, to the index up to which the cluster has committed: the backup has that in it. Asked at the beginning, and again when damage has it begun anew. False: not to be had. NULL: nobody to ask. */
	bool (*ask)(void *ctx, uint64_t *wanted, uint32_t count);
	/* Has the node write checkpoints now; called again and again. NULL: they are waited for. */
	void (*hasten)(void *ctx);
	/* Files of the node, which runs, are damaged. NULL: nobody is told, and its own checks are waited for. */
	ord_mend_ask mend;
};

struct ord_backup_result {
	struct ord_manifest manifest; /* owned */
	bool node_runs;
};

/* Makes it: whole, checked and durable, or not at all. With a running node it has all that the cluster had committed when it was begun, or, where nobody can be asked, all that the node had in its log. Of a node that does not run it has what its checkpoints and its
 * histories prove to be committed. Damage in the files of a node that runs, when it is in the way, is waited for until the node has repaired it. Errors with why, which says what to do: ORD_ERR_NOT_FOUND or ORD_ERR_INVALID (data_dir is no data directory), ORD_ERR_EXISTS (to), ORD_ERR_CORRUPT (something of the node is damaged, and not repaired), ORD_ERR_TIMEOUT (the node wrote no
 * checkpoint), ORD_ERR_BUSY (the node does not run, and its states do not go together), ORD_ERR_MISMATCH, ORD_ERR_IO, ORD_ERR_NO_SPACE, ORD_ERR_NOMEM. The caller closes ret->manifest. */
int ord_backup_make(const struct ord_backup_options *options, struct ord_backup_result *ret, char *why,
		    size_t why_size);

#endif
