/* SPDX-License-Identifier: Apache-2.0 - one command or one read against a cluster, from flags to exit status. */
#ifndef ORD_CLI_ONCE_H
#define ORD_CLI_ONCE_H

#include <stdbool.h>

#include "cli/cmd.h"
#include "cli/survey.h"
#include "cli/target.h"
#include "client/ordain.h"

/* The words of a subcommand that talks to a cluster: its own flags, and those of ord_target_init, which this calls. */
struct ord_args ord_once_args(const struct ord_cmd *self, struct ord_target *t, const struct ord_flag *flags,
			      size_t flags_count);

/* Connects. False: the error is told, *ret_exit is what to end with. The caller ends with ordain_sync_close. */
bool ord_once_open(const struct ord_cmd *self, const struct ord_target *t, struct ordain_sync **ret, int *ret_exit);

/* Finds all nodes of the cluster, for questions to each of them. False: the error is told, *ret_exit is what to end with. The caller ends with ord_survey_close. */
bool ord_once_survey(const struct ord_cmd *self, const struct ord_target *t, struct ord_survey **ret, int *ret_exit);

/* Flags that all writes have: --id and --wait. */
#define ORD_ONCE_FLAGS 2
struct ord_once {
	struct ord_uuid id;
	bool has_id; /* else one is made */
	const char *wait;
};
void ord_once_init(struct ord_once *o, struct ord_flag flags[ORD_ONCE_FLAGS]);

/* The flag --stale of reads, and what it makes of a call. */
struct ord_flag ord_once_stale_flag(bool *stale);
struct ordain_call_options ord_once_read_options(bool stale);

/* Checks the command, gives it an id, submits it, shows the result. Gives the exit status. */
int ord_once_submit(const struct ord_cmd *self, const struct ord_target *t, const struct ord_once *o,
		    struct ordain_command *c);

#endif
