/* SPDX-License-Identifier: Apache-2.0 - shows a survey of a cluster: its nodes, its partitions, and whether replicas agree. */
#ifndef ORD_CLI_OVERVIEW_H
#define ORD_CLI_OVERVIEW_H

#include "cli/process.h"
#include "cli/sheet.h"
#include "cli/survey.h"

/* processes: by place of the survey's nodes, NULL when they run elsewhere. Lines begin with "node" or "partition". */
void ord_overview_show(const struct ord_survey *s, const struct ord_process *processes, enum ord_look look, FILE *out);

#endif
