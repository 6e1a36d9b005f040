/* SPDX-License-Identifier: Apache-2.0 - a bad link to another node: when what is sent comes out of it. Decides only; node/peers_link.c has the sockets and the clock.
 *
 * Nodes talk over TCP, so a bad network shows itself to them as TCP shows it: nothing is lost, doubled or out of order in a stream, but everything behind a packet that is lost or overtaken waits for it. */
#ifndef ORD_NODE_FAULTS_LINK_H
#define ORD_NODE_FAULTS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define ORD_FAULTS_PPM_ALL 1000000u
#define ORD_FAULTS_DELAY_MS_MAX 60000u
/* On the way at one time; when there is more, the stream waits. */
#define ORD_FAULTS_LINK_BYTES_MAX (8u << 20)
#define ORD_FAULTS_LINK_CHUNKS_MAX 4096u

/* All zero: a good link. */
struct ord_faults_link_rule {
	bool cut_out;	    /* nothing that this node sends arrives there */
	bool cut_in;	    /* nothing that comes from there arrives here */
	uint32_t delay_ms;  /* of what this node sends; likewise below */
	uint32_t jitter_ms; /* more or less than that; at most delay_ms */
	uint32_t loss_ppm;  /* of packets; a loss holds the stream up until it is sent again. All of them: as cut_out */
	uint32_t duplicate_ppm; /* the other side throws the second one away; it only costs rate */
	uint32_t reorder_ppm;	/* the stream waits for the one that was overtaken */
	uint64_t rate_bytes_s;	/* 0: any */
};

struct ord_faults_link_counts {
	uint64_t stopped;    /* messages that were to be sent while it was cut */
	uint64_t attempts;   /* to connect, that were never answered because it was cut */
	uint64_t unanswered; /* attempts of the other side */
	uint64_t delayed;    /* writes of one or more messages, that came later than without the rule */
	uint64_t lost;	     /* packets; each was sent again */
	uint64_t duplicated; /* packets */
	uint64_t reordered;  /* writes */
	uint64_t bytes;	     /* that came through */
};

struct ord_faults_chunk;

/* Private but rule (to be read) and counts. */
struct ord_faults_link {
	struct ord_faults_link_rule rule;
	struct ord_faults_link_counts counts;
	struct ord_faults_chunk *first; /* owned */
	struct ord_faults_chunk **last;
	size_t chunks_count;
	size_t waiting_bytes;
	uint64_t due_us;  /* of the last chunk: none overtakes another */
	uint64_t free_us; /* when what was sent before has left, by rate_bytes_s */
	uint64_t random;
};

bool ord_faults_link_rule_equal(const struct ord_faults_link_rule *a, const struct ord_faults_link_rule *b);

/* A good link. Different seeds lose different packets. */
void ord_faults_link_init(struct ord_faults_link *l, uint64_t seed);
/* Frees what is on the way. */
void ord_faults_link_close(struct ord_faults_link *l);

/* From now on. What is on the way comes out when it was due, or at once when the link is good again, or got faster. Counters begin at 0 unless the rule is the one that is in force. */
void ord_faults_link_set(struct ord_faults_link *l, const struct ord_faults_link_rule *rule);

/* No rule, and nothing on the way: what is sent may go past the link. */
bool ord_faults_link_is_idle(const struct ord_faults_link *l);

/* Nothing that is sent arrives; in one direction or the other, so that no connection can be made. */
bool ord_faults_link_is_cut_out(const struct ord_faults_link *l);
bool ord_faults_link_is_cut(const struct ord_faults_link *l);

/* False: what is to be sent has to wait. */
bool ord_faults_link_has_room(const struct ord_faults_link *l);

/* Sends: takes the bytes over (*bytes is empty afterwards, without memory). now_us is monotonic, as below. */
void ord_faults_link_put(struct ord_faults_link *l, struct ord_bytes *bytes, uint64_t now_us);

/* Takes out what comes next, if it is due; the caller owns *ret. */
bool ord_faults_link_take(struct ord_faults_link *l, uint64_t now_us, struct ord_bytes *ret);

/* When something is due: 0 at once; UINT64_MAX: nothing is on the way, or the link is cut. */
uint64_t ord_faults_link_due_us(const struct ord_faults_link *l);

/* The connection has ended: what is on the way is lost. */
void ord_faults_link_drop(struct ord_faults_link *l);

#endif
