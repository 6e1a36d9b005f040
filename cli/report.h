/* SPDX-License-Identifier: Apache-2.0 - says what came of one command or why a read failed, and with which exit status. */
#ifndef ORD_CLI_REPORT_H
#define ORD_CLI_REPORT_H

#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/sheet.h"
#include "client/ordain.h"

/* Shows the result on standard output, and on standard error what to do when it is not "ok". Gives the exit status. */
int ord_report_result(const struct ord_cmd *self, const struct ordain_result *r, enum ord_look look);

/* Tells why a read or a call failed; with JSON also as {"error": {...}} on standard output. missing is the message when there is no such
 * thing; NULL: the node's own. Gives the exit status. */
int ord_report_problem(const struct ord_cmd *self, const struct ordain_problem *p, enum ord_look look,
		       const char *missing);

#endif
