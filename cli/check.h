/* SPDX-License-Identifier: Apache-2.0 - checks a command as the cluster will, before it is sent. */
#ifndef ORD_CLI_CHECK_H
#define ORD_CLI_CHECK_H

#include "client/ordain.h"
#include "partition/command.h"

/* ORD_OK, or ORD_ERR_INVALID with *ret naming the first bad field and what is right. */
int ord_check_command(const struct ordain_command *c, struct ord_fault *ret);

#endif
