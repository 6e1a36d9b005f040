/* SPDX-License-Identifier: Apache-2.0 - the processes of nodes that faults are made on: wait for what a signal does, start. */
#ifndef ORD_CLI_FAULT_PROCESS_H
#define ORD_CLI_FAULT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/fault_work.h"

/* All functions give ORD_OK or an error with w->why. Masks as in cli/fault.h. */

/* Sends the signal to those of the mask that run, all of them first, and then waits for what it does: SIGKILL and SIGTERM, that they have ended (w->timeout_ms at most for all); SIGSTOP and SIGCONT, that the system says so.
 * w->cluster knows what runs afterwards. ORD_ERR_TIMEOUT, ORD_ERR_IO, ORD_ERR_NOT_FOUND (one has just ended by itself). */
int ord_fault_signal(struct ord_fault_work *w, uint32_t mask, int signal_number);

/* ORD_ERR_NOT_FOUND when the node at the place does not run (elsewhere: does not answer), ORD_ERR_TIMEOUT when it is paused: it can be told nothing. */
int ord_fault_check_runs(struct ord_fault_work *w, uint32_t place);
/* The same for all of the mask, before anything is done to the first of them. */
int ord_fault_check_run(struct ord_fault_work *w, uint32_t mask);

/* ORD_ERR_NOT_FOUND when a node of the mask has a file system of its own that is not mounted: what is in its data directory cannot be reached. */
int ord_fault_check_data(struct ord_fault_work *w, uint32_t mask);

/* Starts the nodes of the mask, none of which runs, lets go of the directory's lock, and waits until they answer, w->timeout_ms at most. ordaind as in ord_cluster_program. */
int ord_fault_start(struct ord_fault_work *w, uint32_t mask, const char *ordaind);

/* --ordaind. */
struct ord_flag ord_fault_ordaind_flag(const char **ordaind);

#endif
