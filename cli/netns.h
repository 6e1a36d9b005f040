/* SPDX-License-Identifier: Apache-2.0 - the network of a cluster whose nodes have a network namespace each: made, looked for, taken away.
 *
 *   this machine             ordain-TAG-switch            ordain-TAG-N
 *
 *   ordTAG ────────────────── host ─┐
 *   10.x.y.254                      ├─ br0
 *                              n1 ──┤
 *                              n2 ──┘ ... nN ─────────── eth0
 *                                                        10.x.y.N
 *
 * TAG comes from the cluster's id, so that all of it is found again by name, whoever made it. What faults do to the links between nodes they do in the switch (cli/links.h). The switch
 * is a namespace of its own: no firewall of this machine sees what nodes say to each other. */
#ifndef ORD_CLI_NETNS_H
#define ORD_CLI_NETNS_H

#include <stdbool.h>

#include "cli/layout.h"

#define ORD_NETNS_SWITCH 0u /* instead of a node's number */
#define ORD_NETNS_NAME_SIZE 32

/* The name of a node's namespace, or of the switch's. */
void ord_netns_name(const struct ord_layout *l, uint32_t node, char name[ORD_NETNS_NAME_SIZE]);

/* Whether this user may, and this machine has the programs. ORD_ERR_NOT_FOUND, ORD_ERR_INVALID: why names what is missing and the remedy. */
int ord_netns_check(char *why, size_t why_size);

/* Whether all of it is there. */
bool ord_netns_is_whole(const struct ord_layout *l);

/* Makes the whole network, unless it is there; what an earlier run left half made is taken away before. is_running: nodes run in it, so nothing may be taken away. ORD_ERR_IN_USE: its addresses
 * are used by others, or nodes run and parts of it are gone; ORD_ERR_IO; with why. */
int ord_netns_raise(const struct ord_layout *l, bool is_running, char *why, size_t why_size);

/* Takes away all of it that is there. Only the names are looked at. ORD_ERR_IO with why. */
int ord_netns_remove(const struct ord_layout *l, char *why, size_t why_size);

#endif
