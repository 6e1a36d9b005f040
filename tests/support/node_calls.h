/* SPDX-License-Identifier: Apache-2.0 - calls of clients at a cluster of engines, and everything that was ever told of them. */
#ifndef ORD_TESTS_SUPPORT_NODE_CALLS_H
#define ORD_TESTS_SUPPORT_NODE_CALLS_H

#include "tests/support/node_cluster.h"

#define PARTITIONS 5
#define ACCOUNTS 12
#define CALLS_MAX 4000
#define WAIT_MS 3000

/* One request and everything that was ever told of it. */
struct call {
	struct ord_waiter waiter; /* first */
	struct ord_command command;
	char names[4][16];
	unsigned accounts[2]; /* of a transfer: payer and payee */
	unsigned outstanding;
	unsigned answers_count;
	bool maybe_logged; /* some answer was neither NOT_LEADER nor BUSY nor NO_SPACE */
	int last_err;
	struct ord_result last;	 /* of the last ORD_OK answer */
	enum ord_status decided; /* SETTLED or REJECTED once told */
	enum ord_refusal reason;
};

extern struct call calls[CALLS_MAX];
extern size_t calls_count;

/* A cluster with ready leaders and the accounts 0 .. ACCOUNTS - 1: account 0 issues money, account 1 has a ceiling. */
void calls_start(struct node_cluster *c, uint64_t seed);

/* The same on a cluster with states (node_cluster_open_stored). */
void calls_start_stored(struct node_cluster *c, uint64_t seed, struct node_states *states);

/* Make a new call, with an id of its own. */
struct call *call_transfer(unsigned payer, unsigned payee, int64_t amount);
struct call *call_claim(unsigned name, unsigned owner);

struct ord_slice account_name(char text[16], unsigned number);

/* The partition that the call is logged in; a node that does not lead it. */
uint32_t call_home(const struct call *call);
unsigned call_follower(const struct node_cluster *c, const struct call *call);

/* Submits the call at a node, unless that is down; as often as one likes. Every answer is checked against those before it: an outcome that was told
 * never changes, and none comes from inside submit. Patience is by the node's own clock, which stands still while it is paused. */
void call_send(struct node_cluster *c, struct call *call, unsigned place, enum ord_wait wait);
void call_send_for(struct node_cluster *c, struct call *call, unsigned place, enum ord_wait wait, uint64_t patience_ms);

/* Until all are answered; fails the test long after the last deadline. */
void calls_wait(struct node_cluster *c);

/* A read of an account under way, and what it gave. */
struct look {
	struct ord_waiter waiter; /* first */
	unsigned account;
	uint64_t postings_least; /* that it must show */
	uint64_t postings;	 /* that it showed */
	bool answered;
	int err;
	uint8_t body[512];
	size_t body_bytes;
};

/* Reads the account at the node. That it shows all that was known when it began is checked when the answer comes. */
void look_begin(struct node_cluster *c, struct look *look, unsigned place, unsigned account);
void look_begin_for(struct node_cluster *c, struct look *look, unsigned place, unsigned account, uint64_t patience_ms);
/* One that may be stale: it need not show what was known, but what it shows must be there for all that begin later. */
void look_begin_stale(struct node_cluster *c, struct look *look, unsigned place, unsigned account);
void look_wait(struct node_cluster *c, const struct look *look);

#endif
