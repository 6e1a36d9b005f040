/* SPDX-License-Identifier: Apache-2.0 - the inside of the work: what clients know of the cluster, what they have asked, and what is under way at each of them. */
#ifndef ORD_TESTS_SIM_WORK_STATE_H
#define ORD_TESTS_SIM_WORK_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "client/ordain.h"
#include "tests/sim/observe.h"
#include "tests/sim/process.h"
#include "tests/sim/work.h"

#define WORK_NONE UINT32_MAX
#define WORK_ASSETS_MAX 4
#define WORK_SPACES_COUNT 3
#define WORK_OWNERS_COUNT 8
#define WORK_FOLLOW_MAX 16
#define WORK_ECHOES_MAX 8
#define WORK_CLIENTS_MAX 255 /* that, and slots of a client, fit one byte of a token each */
#define WORK_SLOTS_MAX 255
#define WORK_ADDRESSES_MAX 8

/* A client's program answers for it that every call ends so long after its deadline. */
#define WORK_GRACE_US 2000000u

/* --- Things that there are, or will be: work_things.c --- */

struct work_account {
	struct ordain_str id;
	char text[65];
	uint32_t asset;
	int64_t floor;
	int64_t ceiling;
	bool frozen; /* as was asked last */
};

struct work_name {
	struct ordain_str space;
	struct ordain_str name;
	char text[256];
	uint32_t owner; /* who had it last, for all that is known; WORK_NONE: nobody */
	uint32_t claims_under_way;
};

/* --- Requests: an id with what is asked under it. Their table outlives the programs: work_asks.c --- */

struct work_ask {
	struct ordain_command command; /* its texts are of things */
	uint32_t
		thing; /* place of a transfer's payee, of another command's account or name; WORK_NONE: of nothing that there is */
	bool begun; /* it was submitted at least once */
	bool known; /* somebody was told the outcome */
	bool refused;
	uint16_t under_way_count; /* in how many places of submits it is now */
	uint16_t hops_left;	  /* of a chain: so many more transfers of the same money follow */
	bool in_chain;		  /* it follows another one */
	uint32_t loose_at;	  /* its place among the loose; WORK_NONE: it is not one of them */
};

/* --- What comes next, and how often in this run: work_mix.c --- */

enum work_action {
	/* Something new. */
	WORK_TRANSFER,
	WORK_CHAIN,
	WORK_BROKEN,
	WORK_SET,
	WORK_CLAIM,
	WORK_RELEASE,
	WORK_REASSIGN,
	WORK_OPEN_AGAIN,
	WORK_CHANGED,
	/* Something that was asked before. */
	WORK_LOOSE,
	WORK_KNOWN,
	WORK_TWIN,
	WORK_COMMANDS_COUNT,
	/* Reads and calls. */
	WORK_READ_ACCOUNT = WORK_COMMANDS_COUNT,
	WORK_READ_HISTORY,
	WORK_READ_REQUEST,
	WORK_READ_NAME,
	WORK_CALL_STATUS,
	WORK_CALL_CLUSTER,
	WORK_CALL_WRONG,
	WORK_RAW,
	/* What does not reach the cluster. */
	WORK_MALFORMED,
	WORK_REOPEN,
	WORK_ACTIONS_COUNT
};

struct work_mix {
	uint32_t weights[WORK_ACTIONS_COUNT];
	uint32_t weights_commands; /* their sums */
	uint32_t weights_all;
	unsigned batch_percent;
	unsigned logged_percent;
	unsigned few_addresses_percent;
	unsigned echo_percent;	/* of what a client is told: another one reads it at once */
	unsigned patience;	/* which timeouts are usual */
	uint32_t timeout_ms;	/* of a client's calls that do not say; 0: the library's own */
	size_t items_max;	/* of a client; 0: the library's own */
	uint64_t issue_floor;	/* how far issuers may go below zero */
	uint32_t issuers_count; /* of each asset */
	bool extreme;		/* amounts near the end of the numbers */
};

/* A read that is chosen beforehand. */
struct work_read {
	enum work_action action;
	struct ordain_str text; /* account */
	uint32_t name;
	struct ordain_id id;
	uint64_t from; /* of a history: the page that is still to come */
};

/* --- Programs: client.c --- */

/* One call of the library that is under way. */
struct work_slot {
	bool busy;
	enum work_action action; /* WORK_TRANSFER stands for any submit */
	uint64_t serial;
	struct sim_moment began;
	uint32_t timeout_ms;
	enum ordain_wait wait;
	uint64_t due_us;  /* by the client's clock that never goes back */
	uint64_t late_us; /* how long the program could have ended it since then */
	/* A submit. */
	uint32_t asks_count;
	uint32_t *asks; /* owned; room for batch_max */
	/* A read or call. */
	struct ordain_str text; /* of the account */
	uint32_t name;
	struct ordain_id id;
	uint64_t from;
	uint32_t limit;
	uint32_t pages_left;
	uint32_t node;
	uint32_t final; /* the read is that one of the final ones; WORK_NONE: no */
};

struct work_client {
	struct sim_process process;
	uv_loop_t loop;
	uv_timer_t timer;
	struct ordain_client *library; /* owned by the program */
	bool armed;		       /* timer is */
	bool closing;		       /* the program closes the library, to open it anew */
	bool inside;		       /* a function of the library has not come back yet */
	bool few_addresses;
	struct work_slot *slots; /* owned; parallel_max of them */
	uint32_t busy_count;
	uint64_t serials_count;
	uint32_t follow[WORK_FOLLOW_MAX]; /* what comes as soon as there is a slot: what follows in chains */
	uint32_t follow_count;
	struct work_read echoes[WORK_ECHOES_MAX]; /* what somebody else was just told of: read at once */
	uint32_t echoes_count;
	uint64_t watched_us; /* when the watch looked last, by the world's clock and by its own */
	uint64_t watched_own_us;
	uint32_t watched_boot;
};

struct work {
	struct sim_work_options options;
	struct work_mix mix;
	struct ordain_str assets[WORK_ASSETS_MAX];
	struct work_account *
		accounts; /* owned; of each asset: issuers, ordinary ones, at last those that money only passes through */
	uint32_t accounts_count;
	uint32_t accounts_per_asset;
	uint32_t through_count; /* of each asset */
	uint32_t opened_cursor; /* accounts before it were asked to be opened */
	uint32_t closings_left;
	struct work_name *names;	     /* owned */
	char *addresses[WORK_ADDRESSES_MAX]; /* owned */
	uint32_t addresses_count;
	struct work_ask *asks; /* owned */
	uint32_t asks_count;
	uint32_t asks_max;
	uint64_t started_us;
	uint64_t lasts_us; /* as in the options, or chosen */
	uint32_t begun_count;
	uint32_t known_count;
	uint32_t *loose; /* owned; begun, not known, not under way anywhere */
	uint32_t loose_count;
	struct work_client *clients;	 /* owned */
	struct ordain_command *commands; /* owned; scratch of one submit */
	bool finishing;
	struct work_read *finals; /* owned; NULL until all outcomes are known */
	uint32_t finals_count;
	uint32_t finals_done;
	uint32_t *finals_todo; /* owned */
	uint32_t finals_todo_count;
};

/* One world in a process, one work in it. */
extern struct work work;

/* --- work_things.c --- */

void sim_things_open(void);
void sim_things_close(void);
/* An account of the asset that is no issuer, with few of them much more often when the run is so. */
uint32_t sim_things_account(uint32_t asset);
/* Another one than `other`, which is no issuer. */
uint32_t sim_things_account_but(uint32_t asset, uint32_t other);
uint32_t sim_things_issuer(uint32_t asset);
/* One that money only passes through; WORK_NONE when there is none. */
uint32_t sim_things_through(uint32_t asset);
uint32_t sim_things_any_account(void);
uint32_t sim_things_asset(void);
uint32_t sim_things_name(void);
struct ordain_str sim_things_owner(uint32_t owner);
/* The number of an owner's text; WORK_NONE for others. */
uint32_t sim_things_owner_of(struct ordain_str text);
/* An account, asset, owner that nobody ever made. */
struct ordain_str sim_things_nobody(void);
struct ordain_str sim_things_no_asset(void);

/* --- work_asks.c --- */

void sim_asks_open(void);
void sim_asks_close(void);
/* True when the run has had enough new ones. */
bool sim_asks_are_enough(void);
/* A new request about a thing, with an id of its own (the current program makes it) or with that of another one (which is in c). */
uint32_t sim_asks_add(const struct ordain_command *c, uint32_t thing);
uint32_t sim_asks_add_same_id(const struct ordain_command *c);
void sim_asks_begin(uint32_t ask);
/* The library did not take it: as before sim_asks_begin. */
void sim_asks_withdraw(uint32_t ask);
/* A place where it was under way is no more: it was answered, or the program that asked has died (NULL). */
void sim_asks_end(uint32_t ask, const struct ordain_result *r, struct work_client *c);
/* One that was begun, those of late more often; WORK_NONE when there is none. */
uint32_t sim_asks_any(void);
uint32_t sim_asks_loose(void);

/* --- work_mix.c --- */

void sim_mix_open(void);
/* The next action of a client by the weights of this run. */
enum work_action sim_mix_action(void);
enum work_action sim_mix_command(void);
uint32_t sim_mix_timeout_ms(void);

/* --- work_choose.c --- */

/* A request for a command's action; WORK_NONE when it is not possible now. */
uint32_t sim_choose_ask(struct work_client *c, enum work_action action);
/* The next transfer of the chain that `before` belongs to, if it does and goes on: among what the client asks as soon as it can. */
void sim_choose_hop(struct work_client *c, uint32_t before);

/* --- work_change.c --- */

/* The same id with one field, or the method, changed; false when luck brings nothing else. */
bool sim_change_command(struct ordain_command *c);
/* What a client may not ask, with an id that nothing else has. */
struct ordain_command sim_change_malformed(void);

/* --- client.c --- */

void sim_client_open(struct work_client *c, uint32_t number);
void sim_client_close(struct work_client *c);
void sim_client_boot(struct work_client *c);
void sim_client_crash(struct work_client *c);
/* Fails the run when a call is overdue. */
void sim_client_watch(struct work_client *c);
/* Begins something when there is a free slot, after a pause or at once. */
void sim_client_wake(struct work_client *c, bool soon);

/* A free slot, made ready for a call with a timeout; NULL when all are taken. The call's options and the token that is its callback's arg go to the library. */
struct work_slot *sim_client_slot(struct work_client *c, enum work_action action, struct ordain_call_options *ret_call);
void *sim_client_token(const struct work_client *c, const struct work_slot *s);
/* What the library's function gave. False when it did not take the call: the slot is free again. */
bool sim_client_took(struct work_client *c, struct work_slot *s, int err);
/* In each callback: whose it is, and that it may be. NULL when the program is dead and knows nothing of it any more. The slot is free from then on, but keeps what it holds until
 * the next one is taken. */
struct work_slot *sim_client_answered(void *token, struct work_client **ret);

/* --- client_submit.c --- */

/* Submits one request, or a batch of such that the mix chooses beside it. */
void sim_submit_ask(struct work_client *c, uint32_t ask);
/* Requests without outcome, as many as there is room for. */
void sim_submit_loose(struct work_client *c);
void sim_submit_malformed(struct work_client *c);

/* --- client_raw.c --- */

/* One request to one node, once. */
void sim_submit_raw(struct work_client *c);

/* --- client_read.c --- */

void sim_read_begin(struct work_client *c, enum work_action action);
/* A client was told that the request is carried out: lets another one read what it changed, without delay. Whoever serves that from old state is found out. */
void sim_read_by_another(const struct work_client *told, uint32_t ask);
void sim_read_echo(struct work_client *c);
/* One that was chosen before. */
void sim_read_final(struct work_client *c, uint32_t final);

/* True when the read came to an answer: something was found, or that there is nothing. Wakes the client. */
bool sim_read_ended(struct work_client *c, const struct work_slot *s, const struct ordain_problem *problem, bool found);

/* --- client_peek.c --- */

/* Reads of this kind ask any node in this run. */
bool sim_peek_may(const struct work_read *r);
void sim_peek(struct work_client *c, const struct work_read *r);

/* --- work_finals.c --- */

/* One of the final reads that nobody makes now; WORK_NONE: none. */
uint32_t sim_finals_take(void);
void sim_finals_end(uint32_t final, bool done);
void sim_finals_close(void);

#endif
