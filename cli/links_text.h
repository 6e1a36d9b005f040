/* SPDX-License-Identifier: Apache-2.0 - rules of links as texts for nft and tc, and what these say as rules again. Runs nothing.
 *
 * A rule of nftables has a comment that says which link it is for and what is meant: "cut FROM TO", "loss FROM TO PPM", "duplicate FROM TO PPM", and for each link that has any rule, on the
 * one that counts what comes through, "through FROM TO RATE DELAY JITTER REORDER SOFT". A queue is known by its number: class 1:FROM and netem 1FROM: on the port nTO. */
#ifndef ORD_CLI_LINKS_TEXT_H
#define ORD_CLI_LINKS_TEXT_H

#include "base/bytes.h"
#include "cli/links.h"

/* For `nft -f`: one transaction by which all old rules go and all wanted ones come. Counters of links whose rule stays begin where now has them. */
void ord_links_text_tables(const struct ord_layout *l, const struct ord_links *now, const struct ord_links *wanted,
			   struct ord_bytes *out);

/* Does this link need a queue: a rate, or a delay that is not left to the node? */
bool ord_links_text_is_queued(const struct ord_links *links, uint32_t a, uint32_t b);

/* For `tc -batch`: the queues of the port to the node at place b, which has none yet. False when none are needed. */
bool ord_links_text_port(const struct ord_layout *l, const struct ord_links *wanted, uint32_t b, struct ord_bytes *out);

/* Adds what a line of `nft list ruleset` says; those that are no rule of ours say nothing. */
void ord_links_text_rule_take(const struct ord_layout *l, const char *line, struct ord_links *links);

/* Takes away from the rules of links to place b what `tc class show` and `tc qdisc show` of its port do not have. */
void ord_links_text_port_take(const struct ord_layout *l, uint32_t b, const char *classes, const char *queues,
			      struct ord_links *links);

#endif
