/* SPDX-License-Identifier: Apache-2.0 - damage in the files of a node that runs, while a backup waits for the node to repair it. No clock: the owner gives the time. */
#ifndef ORD_CLI_MEND_H
#define ORD_CLI_MEND_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/folder.h"

/* Has the node that runs check its files now, the first time that it is called, and tells people of the damage. Gives whether that check is still under way; false also when the node could not be asked. */
typedef bool (*ord_mend_ask)(void *ctx, const char *damage);

struct ord_mend {
	char damage[ORD_FOLDER_WHY_SIZE]; /* found last: file, offset, what; "": none was */
	/* Inside. */
	char unfinished[ORD_FOLDER_WHY_SIZE];
	int64_t unfinished_ms; /* since when the log ends like that */
	int64_t asked_ms;      /* when the node was asked last; 0: not yet */
	int64_t idle_ms;       /* since when its check is through; 0: it is not */
};

/* A zeroed struct knows of no damage. Takes in what the log was found like: what is damaged in it, and where it ends with what is no whole batch, "" for neither. Nobody writes at one batch for two seconds:
 * when it is still the same then, that is damage. */
void ord_mend_see(struct ord_mend *m, const char *damage, const char *unfinished, int64_t now_ms);

/* Asks, once in two seconds at most, when there is damage. ask may be NULL: there is nobody who could be asked. */
void ord_mend_go_on(struct ord_mend *m, ord_mend_ask ask, void *ctx, int64_t now_ms);

/* The node that was asked still checks its files. */
bool ord_mend_is_checked(const struct ord_mend *m);

/* The node has checked its files, or could not be asked to, had a minute and a half more, and the damage is there all the same. */
bool ord_mend_is_hopeless(const struct ord_mend *m, int64_t now_ms);

#endif
