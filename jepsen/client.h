/* SPDX-License-Identifier: Apache-2.0 - one client of the cluster: asks what a workload wants asked, once, and says what came of it in words of a history. */
#ifndef ORD_JEPSEN_CLIENT_H
#define ORD_JEPSEN_CLIENT_H

#include "client/ordain.h"
#include "jepsen/history.h"
#include "jepsen/random.h"

#define ORD_CLIENT_ADDRESSES_SIZE 1024

/* What is asked. */
struct ord_ask {
	const char *f; /* a literal */
	struct ord_edn value;
};

/* What came of it. */
struct ord_told {
	enum ord_jepsen_type type; /* OK, FAIL, INFO */
	struct ord_edn value;
	struct ord_edn error;
};

/* A thread's own. Its connection lasts as long as its process: after an INFO it is a new one. */
struct ord_client {
	char addresses[ORD_CLIENT_ADDRESSES_SIZE];
	uint32_t timeout_ms;  /* of one operation as a whole */
	uint64_t deadline_ns; /* of the operation under way */
	uint32_t node;	      /* its calls go to this node alone (direct.h); 0: where the library knows the leaders */
	struct ordain_sync *sync;  /* owned; NULL: not connected */
	struct ord_edn_pool *pool; /* borrowed: where answers are made */
	const char *program;	   /* `ordain`, and the cluster's directory: for reads of logs */
	const char *dir;
};

/* Answers nothing but what it is made of: cannot fail. */
void ord_client_end(struct ord_client *c);

/* The time of one operation begins; connects when there is no connection. False: it cannot be made; told then has FAIL. */
bool ord_client_begin(struct ord_client *c, struct ord_told *ret);

/* What one call may take of the operation's time; asked for anew before each. */
struct ordain_call_options ord_client_call(const struct ord_client *c);

/* A new request id as the text that a history has: its time is the clock's, the rest is r's. */
struct ord_edn ord_client_id(struct ord_random *r, struct ord_edn_pool *pool);

/* Sends one command, by the library or to the client's node. True: carried out or refused, and *ret_result (valid until the next call) says which; false: *ret says what came of it: FAIL when it was certainly not logged, INFO when that
 * is not known. */
bool ord_client_submit(struct ord_client *c, const struct ordain_command *command, struct ordain_result *ret_result,
		       struct ord_told *ret);

/* What is told when a read has failed with a problem: it has changed nothing. */
struct ord_told ord_client_unread(const struct ord_client *c);

/* A text of the value for a call; empty when it is none. */
static inline struct ordain_str ord_client_str(struct ord_edn v)
{
	struct ord_slice s = ord_edn_text(v);
	return (struct ordain_str){.base = (const char *)s.base, .len = s.len};
}

static inline struct ord_edn ord_client_text(struct ord_edn_pool *pool, struct ordain_str s)
{
	return ord_edn_string(pool, ord_slice_of(s.base, s.len));
}

/* "prefix17" as a value. */
struct ord_edn ord_client_label(struct ord_edn_pool *pool, const char *prefix, uint64_t number);

/* 17 of "prefix17"; -1 of anything else. */
int64_t ord_client_number(struct ordain_str s, const char *prefix);

#endif
