/* SPDX-License-Identifier: Apache-2.0 - delivery between partitions: from the outbox of a partition led here to the leaders of the others, and into one led here.
 * At least once on the wire, exactly once in the state (cursors). Inside node/ only. */
#ifndef ORD_NODE_DISPATCH_H
#define ORD_NODE_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "node/wire.h"

struct ord_engine;
struct ord_replica;

/* Messages of this partition to one other. */
struct ord_lane {
	uint64_t next;	      /* number to send next; 0 while the partition is not led here */
	uint64_t acked;	      /* applied at the destination, as far as its leader told */
	uint64_t trim_asked;  /* the last TRIM proposed */
	uint64_t gap_ms;      /* when a gap was filled last */
	uint64_t progress_ms; /* when something was sent first, acked last or sent again */
	uint64_t resend_ms;   /* after so long without progress it is sent again */
};

struct ord_dispatch {
	struct ord_lane *lanes; /* owned; by destination */
	uint64_t *taken;	/* owned; by source: last number put into an entry here */
	uint64_t trimmed_ms;	/* when TRIM was proposed last for itself */
	uint32_t partitions_count;
	bool pump; /* something may have become possible to send */
};

/* ORD_ERR_NOMEM. */
int ord_dispatch_open(struct ord_dispatch *d, uint32_t partitions_count);
void ord_dispatch_close(struct ord_dispatch *d);

/* The node that leads a partition as far as is known here; 0 when nobody, or this node before it is ready. */
uint32_t ord_dispatch_leader(const struct ord_engine *e, uint32_t partition);

/* The replica has become ready: start again from its outbox and cursors, and tell everybody. */
void ord_dispatch_ready(struct ord_replica *r);

/* Tells one node that the partition is led here: it has just been connected. Asserts ready. */
void ord_dispatch_tell_ready(struct ord_replica *r, uint32_t node);

/* Sends what the windows allow. */
void ord_dispatch_pump(struct ord_replica *r);

/* True when the run brings something that is the next. Asserts ready. */
bool ord_dispatch_wants(const struct ord_replica *r, const struct ord_deliver *run);

/* A run has come for a partition that is ready here. One that is wanted must have been checked: it goes into the log. */
void ord_dispatch_take(struct ord_replica *r, const struct ord_deliver *run);

/* An entry with messages from source was applied here: tells the source's leader how far. */
void ord_dispatch_applied(struct ord_replica *r, uint32_t source);

/* The destination's leader told how far it is. */
void ord_dispatch_cursor(struct ord_replica *r, const struct ord_part_cursor *c);

/* The destination has a new leader, or one that takes messages now, or is reached anew: all partitions led here send again from what it is known to have. */
void ord_dispatch_restart_all(struct ord_engine *e, uint32_t destination);

/* Another leader of the destination is known, who may take messages already: does not wait longer than at first before it sends again. */
void ord_dispatch_hasten(struct ord_engine *e, uint32_t destination);

/* Sends again where nothing has been heard for long; proposes TRIM when enough was acked. */
void ord_dispatch_tick(struct ord_replica *r, uint64_t now_ms);

/* Adds the TRIM commands that are worth it to the entry that is about to be proposed. idle: even for a few messages. */
void ord_dispatch_trim(struct ord_replica *r, bool idle);

#endif
