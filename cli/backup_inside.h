/* SPDX-License-Identifier: Apache-2.0 - the inside of a backup that its files share. */
#ifndef ORD_CLI_BACKUP_INSIDE_H
#define ORD_CLI_BACKUP_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/archive.h"
#include "cli/backup.h"
#include "cli/folder.h"
#include "cli/identity.h"
#include "cli/mend.h"
#include "cli/state_copy.h"
#include "cli/tails.h"

#define ORD_BACKUP_LOOK_MS 250 /* between two looks at the files of a node that runs */

/* The entry that a partition has to reach. */
struct ord_backup_wanted {
	uint64_t index;
	uint64_t term; /* where it is the last one of the node's log; what is committed: none is later */
};

struct ord_backup_part {
	struct ord_state_copy copy;
	uint64_t index; /* of the last entry that it has in it, its term */
	uint64_t term;
	uint64_t time_us;
};

struct ord_backup {
	const struct ord_backup_options *options; /* borrowed */
	struct ord_identity identity;
	struct ord_home home; /* of what is backed up */
	struct ord_folder folder;
	struct ord_archive archive;
	bool has_archive;
	bool node_runs;
	struct ord_tails tails; /* owned */
	struct ord_mend mend;
	int64_t deadline_ms;		  /* to wait for the node */
	int64_t log_due_ms;		  /* when the log is read again, although no checkpoint has changed */
	struct ord_backup_wanted *wanted; /* owned; by id; from one try to the next */
	uint32_t wanted_count;
	bool wanted_is_open; /* the log was damaged when it was asked how far it goes, and may have had more */
	char wanted_end[ORD_FOLDER_WHY_SIZE]; /* where it seemed to end then; "": in order */
	struct ord_backup_part *parts;	      /* owned; by id */
	struct ord_partition **states;	      /* owned array; those of the copies */
	struct ord_effects effects;	      /* owned; nobody carries them out */
	char *why;
	size_t why_size;
};

/* Finds out what is wanted, before anything is copied; nothing of a node that does not run. Errors of ord_tails_read. */
int ord_backup_wanted_find(struct ord_backup *b);

/* Takes in what the log was read like. An overruled leader's entries are not wanted any more. False: it is not known yet what is wanted, or only now; the log is to be read again. */
bool ord_backup_wanted_settle(struct ord_backup *b);

/* Of a node that does not run the end that a crash has cut short is none. */
bool ord_backup_log_is_damaged(const struct ord_backup *b);

/* Leads all states, which are copied, to where they go together and have in them what is wanted, and sees that the histories that lead there are to be had; waits for the node when it runs. Errors of ord_backup_make. */
int ord_backup_lead(struct ord_backup *b);

void ord_backup_wait(int64_t ms);

#endif
