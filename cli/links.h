/* SPDX-License-Identifier: Apache-2.0 - what is done to real packets between nodes that have network namespaces: rules of the firewall and of queues in the switch (cli/netns.h).
 *
 * A cut, loss and duplicates are rules of nftables, table "ordain"; a rate is an htb class, a delay a netem queue below it, on the receiver's port of the switch. Each link that has a rule also has one that
 * counts what comes through it. The comments of nftables' rules say which link they are for and what is meant, so that all is read back from the kernel. IPv4 alone is harmed: addresses are found as before. */
#ifndef ORD_CLI_LINKS_H
#define ORD_CLI_LINKS_H

#include <stdbool.h>

#include "cli/fault.h"
#include "cli/layout.h"

struct ord_links {
	struct ord_fault_link rules[ORD_NODES_MAX][ORD_NODES_MAX];
	bool soft
		[ORD_NODES_MAX]
		[ORD_NODES_MAX]; /* delay, jitter and reorder of this link are left to the nodes: the kernel has no netem */
	struct ord_fault_link_counts counts[ORD_NODES_MAX][ORD_NODES_MAX];
};

/* What is in force; all zero when nothing is, also without a network. Delays of soft links are given as they were asked for: whether they are in force the nodes know. ORD_ERR_IO with why. */
int ord_links_read(const struct ord_layout *l, struct ord_links *ret, char *why, size_t why_size);

/* Brings these rules into force, and no others, at one moment but for delays and rates. now: what ord_links_read gave; counts of links whose rule stays go on. ORD_ERR_IO with why. */
int ord_links_write(const struct ord_layout *l, const struct ord_links *now, const struct ord_links *wanted, char *why,
		    size_t why_size);

/* Whether the kernel can delay packets (netem). */
bool ord_links_can_delay(const struct ord_layout *l);

#endif
