/* SPDX-License-Identifier: Apache-2.0 - the peer connections of nodes 1 and 2 in one loop, and clients that speak as nodes do, for tests. */
#ifndef ORD_TESTS_SUPPORT_NODE_SIDE_H
#define ORD_TESTS_SUPPORT_NODE_SIDE_H

#include "node/frame.h"
#include "node/peers.h"
#include "tests/support/node_client.h"

#define SIDE_NODES 4 /* those above side_nodes never run */
#define SIDE_PART_NUMBERED 3
#define SIDE_PART_REFUSED 9 /* the owner gives an error for it */

struct side {
	struct ord_config config;
	struct ord_datadir *datadir;
	struct ord_peers *peers; /* NULL: not running */
	bool connected[SIDE_NODES + 1];
	bool relayed[SIDE_NODES + 1];
	unsigned relayed_count; /* how often it was told that a peer is, through another node, or is not any more */
	uint64_t member;	/* of this node, when it was told so while it ran */
	uint64_t members[SIDE_NODES + 1]; /* as the others said last */
	unsigned lost_count;		  /* how often a peer was told to be gone */
	unsigned ended_count;		  /* how often its connection was told to have ended */
	uint32_t next;			  /* number that the next SIDE_PART_NUMBERED must have */
	uint64_t bytes;
	unsigned numbered[SIDE_NODES + 1]; /* SIDE_PART_NUMBERED that came from each */
	bool takes_all;			   /* in any order */
};

extern uv_loop_t side_loop;
extern char side_parent[64]; /* a directory */
extern uint16_t side_ports[SIDE_NODES + 1];
extern struct side sides[SIDE_NODES + 1];
extern unsigned side_nodes; /* of the cluster; 2 */

/* Before and after each test. */
void side_bench_make(void);
void side_bench_clean(void);

/* The configuration of a node of the one cluster, a new directory unless there is one; tests change it before side_start. */
struct side *side_of(unsigned node);
int side_try(struct side *s, char *why, size_t why_size);
void side_start(struct side *s);
void side_stop(struct side *s);

/* Until they are connected. */
void side_both_start(void);
void side_both_stop(void);

/* As the shard does at the end of each turn. */
void side_turn(void);
void side_turn_for(uint64_t ms);

/* Turns until the condition holds; the test fails when it never does. */
#define SIDE_TURN_UNTIL(condition)                                                                        \
	do {                                                                                              \
		uint64_t begin_ns = uv_hrtime();                                                          \
		while (!(condition)) {                                                                    \
			side_turn();                                                                      \
			cr_assert_lt((uv_hrtime() - begin_ns) / 1000000, CLIENT_PATIENCE_MS, #condition); \
		}                                                                                         \
	} while (0)

/* A part that begins with its number; the caller frees it. */
uint8_t *side_part_make(uint32_t number, size_t len);
void side_part_send(struct side *from, unsigned to, uint32_t number, size_t len);

/* Of its only peer. */
struct ord_peer_status side_status(const struct side *s);

/* --- Speaking as a node. --- */

struct ord_greeting side_greeting(unsigned from, unsigned to);
void side_greet(struct client *c, const struct ord_greeting *g, enum ord_frame_kind kind);
/* The frame that comes as an answer; borrowed from the client. */
struct ord_frame side_answer(struct client *c);
/* Waits until the other side has closed it, and closes it. */
void side_is_closed(struct client *c);
/* What node 1 answers to a greeting. */
void side_expect_refusal(const struct ord_greeting *g, const char *word);
void side_expect_welcome(const struct ord_greeting *g);

/* A listener that the test itself serves, or does not. */
int side_deaf_open(uint16_t port, int backlog);
int side_deaf_accept(int listener);
/* The same as a client, to speak on it as the node would. */
struct client side_deaf_client(int listener);

#endif
