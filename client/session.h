/* SPDX-License-Identifier: Apache-2.0 - the inside of a client: operations that wait for a node, are under way, or are done; turns of the loop. */
#ifndef ORD_CLIENT_SESSION_H
#define ORD_CLIENT_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "client/fleet.h"
#include "client/ordain.h"

struct ord_op;

struct ord_op_kind {
	/* Sends what can be sent; what cannot yet be is put off with ord_session_wait. */
	void (*dispatch)(struct ord_op *op, uint64_t now_ms);
	/* The time is over (code 0), or the client closes (ORDAIN_ERR_CLOSED): decides what is undecided, calls ord_session_done. */
	void (*expire)(struct ord_op *op, int code);
	/* Tells the user, if that was not done yet, and frees. Called from a turn of the loop. */
	void (*finish)(struct ord_op *op);
};

/* Embedded first in whatever a user began: a batch of commands, a read. */
struct ord_op {
	const struct ord_op_kind *kind;
	struct ordain_client *client; /* borrowed */
	TAILQ_ENTRY(ord_op) all;
	TAILQ_ENTRY(ord_op) queue; /* of waiting, or of done */
	bool waiting;
	bool done;
	uint64_t begun_ms;
	uint64_t deadline_ms;
	uint64_t due_ms; /* waiting: when to dispatch at the latest */
	size_t items_count;
	size_t bytes_count;
};

/* A node is told to answer within the time that is left; its answer may come this much later. */
#define ORD_SESSION_GRACE_MS 300

/* Milliseconds of a clock that never goes back. */
uint64_t ord_session_now_ms(void);

/* 0 or ORDAIN_ERR_LIMIT, ORDAIN_ERR_CLOSED: may an operation of this weight begin? */
int ord_session_admit(const struct ordain_client *client, size_t items_count, size_t bytes_count);

/* Takes the operation in and lets it be dispatched in the next turn. The caller has filled kind, items_count, bytes_count, zeroed the rest. */
void ord_session_begin(struct ordain_client *client, struct ord_op *op, const struct ordain_call_options *call);

/* Lets it be dispatched at due_ms or when something changes. */
void ord_session_wait(struct ord_op *op, uint64_t due_ms);

/* No dispatch or expire any more: finish is called in the next turn. May be called again, to no effect. */
void ord_session_done(struct ord_op *op);

/* Dispatch what waits in this turn: something changed. */
void ord_session_stir(struct ordain_client *client);

struct ord_fleet *ord_session_fleet(struct ordain_client *client);

/* Time that is left to op, at least 1. */
uint32_t ord_session_left_ms(const struct ord_op *op, uint64_t now_ms);

/* True when so little time is left at now_ms that another attempt is not worth making. */
bool ord_session_is_late(const struct ord_op *op, uint64_t now_ms);

/* Memory that operations may still take. */
size_t ord_session_room_bytes(const struct ordain_client *client);

/* A pause before attempt number attempts (from 1), growing, in part by chance; not less than a node asked for (0: none did). */
uint64_t ord_session_pause_ms(struct ordain_client *client, unsigned attempts, uint32_t asked_ms);

#endif
