/* SPDX-License-Identifier: Apache-2.0 - what the two halves of the peer connections share. Inside node/ only. */
#ifndef ORD_NODE_PEERS_STATE_H
#define ORD_NODE_PEERS_STATE_H

#include "node/frame.h"
#include "node/log.h"
#include "node/peers.h"

#define ORD_PEERS_WHY_SIZE 512
/* Connections whose greeting has not come yet, and how long one may take. */
#define ORD_PEERS_STRANGERS_MAX 64
#define ORD_PEERS_GREETING_MS 5000
/* Bytes that the other side does not acknowledge for so long end the connection. */
#define ORD_PEERS_UNACKNOWLEDGED_MS 5000

struct ord_peers_out;
struct ord_peers_in;
struct ord_peers_link;

/* What node/peers_relay.c keeps of a peer. */
struct ord_peers_relay {
	uint64_t heard_ms; /* a frame came on its connection */
	bool has_told;	   /* whom it hears, since it was connected */
	bool hears_us;
	uint32_t hears;		/* those that it hears and that hear it: bits by place in the configuration */
	bool comes_round;	/* the last parts of it came through a third node */
	uint64_t astray_ms;	/* since when parts for it had better take another way; 0: they need not */
	struct ord_peer *third; /* through which they go; NULL: they do not. As told last */
	uint64_t sent_count;	/* parts for it that this node gave to a third one */
	uint64_t passed_count;	/* parts of others for it, passed on */
	uint64_t refused_count; /* likewise, not passed on: there was no way, or no room */
};

/* One other node. */
struct ord_peer {
	struct ord_peers *peers;	      /* borrowed */
	const struct ord_config_node *config; /* borrowed */
	struct ord_peers_out *out;	      /* the connection that this node makes; NULL between attempts */
	struct ord_peers_in *in;	      /* the connection that the other one made, once it was welcomed */
	bool out_up;			      /* welcomed */
	bool connected;			      /* as told last */
	bool says_first;		      /* it has noted the directory of this node as the first one */
	uv_timer_t timer;		      /* until the next attempt, or until this one has taken too long */
	uint32_t retry_ms;
	uint32_t attempts_count;
	struct ord_bytes output; /* frames that collect */
	size_t frame_begun;	 /* where the last of them begins in it */
	struct ord_bytes spare;	 /* memory for the next output; none while one is written */
	size_t writing_bytes;	 /* of the output that is being written, 0: none */
	uint64_t dropped_count;
	struct ord_peers_relay relay;
	struct ord_log_limit refused_log;
	struct ord_peers_link *link; /* owned; how bad the network is on purpose, NULL: it never is */
};

struct ord_peers {
	uv_loop_t *loop;		 /* borrowed */
	const struct ord_config *config; /* borrowed */
	struct ord_datadir *datadir;	 /* borrowed */
	struct ord_peers_events events;
	uv_tcp_t listener;
	struct ord_peers_in *strangers; /* owned */
	uint32_t strangers_count;
	struct ord_log_limit stranger_log;
	struct ord_peer peers[ORD_NODES_MAX];
	uint32_t peers_count;
	struct ord_peers_meeting *meeting; /* owned by peers_meet.c */
	bool is_newcomer;		   /* a peer has said so, and that is not written down yet */
	uint64_t undecided_told_ms;	   /* when it was said last for whom this node waits */
	uint64_t decide_not_before_ms;	   /* after a write that failed */
	uint32_t told_hears;		   /* as told last, bits by place */
	uint32_t told_heard;
	uint64_t told_ms;
	uint32_t handles_count; /* open handles; stopped when it falls to 0 while stopping */
	bool stopping;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

/* --- peers.c --- */

/* The greeting of this node to another one (0: not known yet). */
struct ord_greeting ord_peers_greeting(const struct ord_peers *p, uint32_t to);

/* Checks what the other side says of itself; from is the node that it must be, 0 for any. On success *ret_peer is that node. ORD_ERR_MISMATCH,
 * ORD_ERR_IO or ORD_ERR_NO_SPACE with why. ORD_ERR_BUSY: it is met for the first time and being remembered; the greeting has to be checked again when ord_peers_in_resume()
 * and ord_peers_out_resume() say so. */
int ord_peers_check(struct ord_peers *p, const struct ord_greeting *g, uint32_t from, struct ord_peer **ret_peer,
		    char why[ORD_PEERS_WHY_SIZE]);

/* A peer that has greeted says which member it is. ORD_ERR_FORMAT: that it cannot be. */
int ord_peers_take_member(struct ord_peer *peer, uint64_t member);

/* NULL when there is no such peer. */
struct ord_peer *ord_peers_find(struct ord_peers *p, uint32_t node);

/* Tells the owner when a peer has become connected or not. */
void ord_peers_update(struct ord_peer *peer);

/* Puts a part into what collects for a peer that is connected. False, and nothing else: there is no room. */
bool ord_peers_put(struct ord_peer *peer, uint8_t kind, struct ord_slice body);

/* Counts a handle that was opened; one that was closed: when the last one is and p stops, p is freed. */
void ord_peers_handle_opened(struct ord_peers *p);
void ord_peers_handle_closed(struct ord_peers *p);

/* --- peers_meet.c --- */

void ord_peers_meet_start(struct ord_peers *p);
void ord_peers_meet_stop(struct ord_peers *p);

/* ORD_OK when the sender of that greeting is known by its incarnation, and so is whom it has met first; ORD_ERR_BUSY when that is being remembered; ORD_ERR_MISMATCH: its directory
 * was replaced; ORD_ERR_IO or ORD_ERR_NO_SPACE when it could not be remembered. */
int ord_peers_meet(struct ord_peers *p, const struct ord_greeting *g);

/* Writes down what this node is; ord_peers_decided is called when that is done, and nothing when it failed. False when something else is being written. */
bool ord_peers_meet_decide(struct ord_peers *p, enum ord_standing standing);

/* --- peers_founding.c --- */

/* Takes what a greeting says of this node. It was checked. */
void ord_peers_heard(struct ord_peer *peer, const struct ord_greeting *g);
/* Another directory of that peer has come. */
void ord_peers_unheard(struct ord_peer *peer);
/* Decides what this node is when all have been heard. To be called each turn. */
void ord_peers_decide(struct ord_peers *p);
/* That is on disk. */
void ord_peers_decided(struct ord_peers *p, enum ord_standing standing);

/* --- peers_out.c --- */

/* Prepares the peer's timer and makes the first attempt. */
void ord_peers_out_start(struct ord_peer *peer);
/* A greeting that waited for its peer to be remembered is checked again. */
void ord_peers_out_resume(struct ord_peer *peer);
/* Gives up the connection if it is up, and makes a new one. */
void ord_peers_out_close(struct ord_peer *peer);
/* Tells the other side which member this node is, if it has not been told. Does nothing while the connection is not up: it is done when it comes up. */
void ord_peers_out_member(struct ord_peer *peer);
/* Gives up an attempt that is under way, and makes another one later. */
void ord_peers_out_retry(struct ord_peer *peer);
/* Hands bytes to the connection, past what collects for it; to be called while it is up and nothing is being written. *frame is taken. */
void ord_peers_out_write(struct ord_peer *peer, struct ord_bytes *frame);
/* Ends attempts for good. */
void ord_peers_out_stop(struct ord_peer *peer);
/* Writes the frame that has collected, if none is being written. */
void ord_peers_out_flush(struct ord_peer *peer);

/* --- peers_in.c --- */

/* ORD_ERR_IO with why. */
int ord_peers_in_listen(struct ord_peers *p, char *why, size_t why_size);
void ord_peers_in_close(struct ord_peers_in *in);
/* From now on nothing is read of what comes there; or it is again. */
void ord_peers_in_hold(struct ord_peers_in *in, bool holds);
/* Greetings that waited for their peer to be remembered are checked again, in the order in which they came. */
void ord_peers_in_resume(struct ord_peers *p);
/* Closes strangers whose time is over. */
void ord_peers_in_expire(struct ord_peers *p);
void ord_peers_in_stop(struct ord_peers *p);

/* --- peers_relay.c: parts for a node that cannot be reached go through a third one. --- */

/* The connection that a peer made was welcomed, or a frame came on it. */
void ord_peers_relay_welcomed(struct ord_peer *peer);
void ord_peers_relay_heard(struct ord_peer *peer);
/* False: the part has to go to the peer itself. */
bool ord_peers_relay_send(struct ord_peer *peer, uint8_t kind, struct ord_slice body);
/* A REACH or RELAY came from a peer that was welcomed. ORD_ERR_FORMAT: no node sends such a one. */
int ord_peers_relay_receive(struct ord_peer *from, uint8_t kind, struct ord_slice body);
/* Tells the others whom this node hears, and the owner when another way is taken. To be called each turn. */
void ord_peers_relay_turn(struct ord_peers *p);

/* --- peers_link.c: a network that is bad on purpose. peer->link is there where a function asks for it. --- */

/* A good link, whose rule may change. */
void ord_peers_link_start(struct ord_peer *peer);
void ord_peers_link_stop(struct ord_peer *peer);
/* What collects, or what is on the way, is for the link to send when it lets it through. False: it may be sent past it now. */
bool ord_peers_link_flush(struct ord_peer *peer);
/* Sends a frame that does not collect. False: it may be sent past the link. *frame is taken when true. */
bool ord_peers_link_put(struct ord_peer *peer, struct ord_bytes *frame);
/* A message is put into what collects. */
void ord_peers_link_message(struct ord_peer *peer);
/* An attempt begins: how long it takes more because of the link; UINT64_MAX: nobody answers. */
uint64_t ord_peers_link_attempt_ms(struct ord_peer *peer);
bool ord_peers_link_is_cut(const struct ord_peer *peer);
/* The peer's own attempt gets no answer. */
bool ord_peers_link_ignores(struct ord_peer *peer);
/* The peer's connection was welcomed just now. */
void ord_peers_link_welcomed(struct ord_peer *peer);
/* The connection that this node made has ended. */
void ord_peers_link_ended(struct ord_peer *peer);

#endif
