/* SPDX-License-Identifier: Apache-2.0 - ordain: what a program includes to talk to a cluster. Stands alone; works in C11 and C++. */
#ifndef ORDAIN_H
#define ORDAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ORDAIN_VERSION_MAJOR 0
#define ORDAIN_VERSION_MINOR 1
#define ORDAIN_VERSION_PATCH 0
#define ORDAIN_VERSION "0.1.0"

/* The version of the library that is linked, like ORDAIN_VERSION of the header that it was built with. */
const char *ordain_version(void);

/* The loop of libuv: include <uv.h> yourself to run it. The blocking form at the end of this file needs no loop. */
typedef struct uv_loop_s uv_loop_t;

/* --- Texts ------------------------------------------------------------------------------------------------------------ */

/* Bytes with a length, UTF-8, borrowed; base may be NULL when len is 0. Print with "%.*s", (int)s.len, s.base. */
struct ordain_str {
	const char *base;
	size_t len;
};

/* Over a NUL-terminated text, NULL counts as empty. */
static inline struct ordain_str ordain_str_of(const char *text)
{
	struct ordain_str s;
	s.base = text;
	s.len = text == NULL ? 0 : strlen(text);
	return s;
}

/* --- Request ids ------------------------------------------------------------------------------------------------------ */

/* The end-to-end name of one request. The same id may be sent as often as you like: it is carried out once, and every call is told the same
 * outcome. Make it before the first attempt and keep it (in your own database, say) until you know the outcome. */
struct ordain_id {
	unsigned char bytes[16];
};

/* Room for the text form and its NUL. */
#define ORDAIN_ID_TEXT_SIZE 37

/* Makes a UUIDv7 (RFC 9562) from the system's clock and random source; make_many fills an array, faster. ORDAIN_ERR_SYSTEM when there is no
 * random source. */
int ordain_id_make(struct ordain_id *ret);
int ordain_id_make_many(struct ordain_id *ids, size_t count);

/* Reads the 36-character form of RFC 9562 (either case) or 32 hexadecimal digits. ORDAIN_ERR_ARGUMENT for anything else; ret is then untouched. */
int ordain_id_parse(struct ordain_str text, struct ordain_id *ret);

/* Writes the 36-character lower-case form and a NUL. */
void ordain_id_format(const struct ordain_id *id, char text[ORDAIN_ID_TEXT_SIZE]);

/* --- Errors ----------------------------------------------------------------------------------------------------------- */

/* What functions return and what a problem or an undecided result carries. 1 to 999 come from a node (docs/protocol.md, "Errors"), 1001 and
 * up from this library. Why the cluster decided against a request is not an error: see ORDAIN_REFUSED. */
enum ordain_error {
	ORDAIN_ERR_NONE = 0,
	ORDAIN_ERR_INVALID_REQUEST = 1,
	ORDAIN_ERR_UNKNOWN_METHOD = 2,
	ORDAIN_ERR_UNKNOWN_FIELD = 3,
	ORDAIN_ERR_MISSING_FIELD = 4,
	ORDAIN_ERR_INVALID_FIELD = 5, /* a value cannot be used; field and message say which and what would be right */
	ORDAIN_ERR_TOO_LARGE = 6,     /* over a limit */
	ORDAIN_ERR_NOT_FOUND = 7,     /* a read found nothing */
	ORDAIN_ERR_BUSY = 8,	      /* queues were full until the time was over; nothing was logged */
	ORDAIN_ERR_UNAVAILABLE = 9, /* no node or no leader could be reached in the time allowed; nothing was logged */
	ORDAIN_ERR_UNKNOWN_OUTCOME = 10, /* may have been logged or not: ask again with the same id */
	ORDAIN_ERR_WRONG_CLUSTER = 11,	 /* the nodes at these addresses belong to another cluster */
	ORDAIN_ERR_DISK_FULL = 12,	 /* disks were nearly full until the time was over; nothing was logged */
	ORDAIN_ERR_EXPIRED = 13,	 /* so old a request that it is not known any more whether there was one */
	ORDAIN_ERR_ARGUMENT = 1001,	 /* an argument of the function cannot be used; nothing was begun */
	ORDAIN_ERR_MEMORY = 1002,	 /* out of memory; nothing was begun */
	ORDAIN_ERR_LIMIT = 1003,	 /* too much is under way in this client (ordain_options); nothing was begun */
	ORDAIN_ERR_CLOSED = 1004,	 /* the client is closing */
	ORDAIN_ERR_TIMEOUT = 1005,	 /* a read or an ordain_call got no answer in the time allowed */
	ORDAIN_ERR_PROTOCOL = 1006,	 /* a node answered something that the protocol does not allow */
	ORDAIN_ERR_SYSTEM = 1007	 /* the operating system refused something that the library cannot do without */
};

/* The name ("invalid_field") and an English sentence of an error; "unknown_error" and its sentence for other numbers. Never NULL, never freed. */
const char *ordain_error_name(int code);
const char *ordain_strerror(int code);

/* What went wrong with a read or an ordain_call. Texts are NUL-terminated. */
struct ordain_problem {
	int code;	     /* enum ordain_error */
	const char *name;    /* ordain_error_name(code), or what the node called it */
	const char *message; /* in words, for a person; names the thing and often the remedy */
	const char *field;   /* the parameter at fault, as docs/protocol.md spells it; NULL when there is none */
};

/* --- A client --------------------------------------------------------------------------------------------------------- */

/* Connections to the nodes of one cluster. To be used by the thread that runs its loop only. */
struct ordain_client;

struct ordain_options {
	const char *addresses; /* "host:port,host:port,[::1]:port" of one or more nodes; the rest is learnt */
	uint32_t timeout_ms;   /* of calls that do not say: 0 means 10000 */
	const struct ordain_id *cluster_id; /* NULL: any. Else other clusters are ORDAIN_ERR_WRONG_CLUSTER */
	size_t items_max;		    /* commands and reads under way at once: 0 means 1,000,000 */
	size_t bytes_max; /* memory of what is under way: 0 means 256 MiB. Answers of nodes are bounded besides */
};

/* Makes a client on loop and begins to connect; options are copied. Calls may be made at once: they wait for a connection as long as their timeout.
 * The client keeps the loop alive only while calls are under way. SIGPIPE, when it has its default action, is ignored from then on: writing to a
 * connection that a node has closed would end the program. ORDAIN_ERR_ARGUMENT (addresses), ORDAIN_ERR_MEMORY, ORDAIN_ERR_SYSTEM. */
int ordain_open(uv_loop_t *loop, const struct ordain_options *options, struct ordain_client **ret);

/* Ends all calls under way (their callbacks come first: what may have been sent is unknown, the rest failed with ORDAIN_ERR_CLOSED), closes the
 * connections, frees the client, then calls closed (which may be NULL) from the loop. No other function may be called for it meanwhile. */
void ordain_close(struct ordain_client *client, void (*closed)(void *arg), void *arg);

/* How a call shall be done; NULL in its place means all defaults. */
enum ordain_wait {
	ORDAIN_WAIT_SETTLED = 0, /* answer when the outcome is known */
	ORDAIN_WAIT_LOGGED = 1	 /* answer when it is logged: decided for sure, whatever happens to this program */
};

/* What a read sees. LINEARIZABLE: all that any client was told before it began. STALE: what the node has applied that happens to be asked, which may be behind, or cut off from the others; it is a state
 * that there was, and the answer's as_of says which; two reads in a row may go back. No leader is needed, and the work is shared by all nodes. What is not found there is looked for as with LINEARIZABLE. */
enum ordain_consistency { ORDAIN_LINEARIZABLE = 0, ORDAIN_STALE = 1 };

/* consistency: of accounts, histories and names. Requests are always read LINEARIZABLE: that an id is not known must be true. */
struct ordain_call_options {
	enum ordain_wait wait; /* commands only */
	uint32_t timeout_ms;   /* 0: the client's */
	enum ordain_consistency consistency;
};

/* --- Commands --------------------------------------------------------------------------------------------------------- */

enum ordain_command_kind {
	ORDAIN_OPEN_ACCOUNT = 1,
	ORDAIN_SET_ACCOUNT = 2,
	ORDAIN_TRANSFER = 3,
	ORDAIN_CLAIM = 4,
	ORDAIN_RELEASE = 5,
	ORDAIN_REASSIGN = 6
};

/* The method's name in the protocol ("open_account"); "unknown" for other numbers. */
const char *ordain_command_name(enum ordain_command_kind kind);

enum ordain_account_state { ORDAIN_ACCOUNT_OPEN = 1, ORDAIN_ACCOUNT_FROZEN = 2, ORDAIN_ACCOUNT_CLOSED = 3 };

/* "open", "frozen", "closed"; "unknown" for other numbers. */
const char *ordain_account_state_name(enum ordain_account_state state);

struct ordain_open_account {
	struct ordain_str account;
	struct ordain_str asset;
	int64_t floor; /* the balance never falls below it, minor units: 0 for most accounts; below zero the account can issue money */
	int64_t ceiling; /* the balance never rises above it: INT64_MAX for none */
};

struct ordain_set_account {
	struct ordain_str account;
	enum ordain_account_state state;
};

struct ordain_transfer {
	struct ordain_str payer;
	struct ordain_str payee;
	struct ordain_str asset;
	int64_t amount; /* minor units, above zero */
};

struct ordain_naming {
	struct ordain_str space; /* the namespace */
	struct ordain_str name;
	struct ordain_str owner;    /* CLAIM, REASSIGN: who has it afterwards */
	struct ordain_str expected; /* RELEASE, REASSIGN: who must have it now */
};

struct ordain_command {
	enum ordain_command_kind kind;
	struct ordain_id id;
	union {
		struct ordain_open_account open_account;
		struct ordain_set_account set_account;
		struct ordain_transfer transfer;
		struct ordain_naming naming; /* CLAIM, RELEASE, REASSIGN */
	};
};

/* What came of one command. UNKNOWN with ORDAIN_ERR_EXPIRED: an attempt of this call was logged or may have been, and meanwhile the id has become too old to be asked for. To ask again does not help; the history tells
 * (`ordain log dump`). */
enum ordain_answer {
	ORDAIN_OK = 1, /* carried out; with ORDAIN_WAIT_LOGGED: logged */
	ORDAIN_REFUSED =
		2, /* the cluster decided against it, for good; code and name say why (docs/protocol.md, "Refusals") */
	ORDAIN_UNKNOWN = 3, /* it may be carried out or not. Submit it again with the same id to learn which */
	ORDAIN_FAILED =
		4 /* nothing was logged; code says why. It can be submitted again with the same id when the cause is gone */
};

/* "ok", "refused", "unknown", "failed". */
const char *ordain_answer_name(enum ordain_answer answer);

enum ordain_status {
	ORDAIN_STATUS_NONE = 0,	    /* not known to be logged */
	ORDAIN_STATUS_ACCEPTED = 1, /* logged; the outcome will come */
	ORDAIN_STATUS_SETTLED = 2,  /* done */
	ORDAIN_STATUS_REJECTED = 3  /* refused */
};

/* "none", "accepted", "settled", "rejected". */
const char *ordain_status_name(enum ordain_status status);

/* replayed: the id was logged before this call, or by an attempt of it whose answer was lost; this is what was decided then.
 * partition and offset: the position of the command that logged the request; both 0 when status is NONE. Texts are NUL-terminated. */
struct ordain_result {
	struct ordain_id id;
	enum ordain_answer answer;
	enum ordain_status status; /* ACCEPTED with ORDAIN_UNKNOWN: logged, and this call did not learn the outcome */
	bool replayed;
	int code;	     /* REFUSED: the refusal's number. UNKNOWN, FAILED: enum ordain_error. OK: 0 */
	const char *name;    /* of code; "" when it is 0 */
	const char *message; /* in words; "" when code is 0 */
	const char *field;   /* the parameter that differs or is at fault; NULL when there is none */
	uint32_t partition;
	uint64_t offset;
};

/* results has the order of the commands; it and its texts are valid during the call. Called exactly once for each ordain_submit that returned 0,
 * never from inside it, at the latest a little after the timeout. */
typedef void (*ordain_submit_cb)(const struct ordain_result *results, size_t count, void *arg);

/* Sends count commands (1 or more, of any kinds) to the leaders of their partitions, and again with the same ids when a node is lost, busy or
 * no leader any more, until all are answered or the time is over. They are done in no particular order. commands is copied.
 * 0, or ORDAIN_ERR_ARGUMENT (count, kind), ORDAIN_ERR_LIMIT, ORDAIN_ERR_MEMORY, ORDAIN_ERR_CLOSED: then nothing was taken and cb is not called. */
int ordain_submit(struct ordain_client *client, const struct ordain_command *commands, size_t count,
		  const struct ordain_call_options *call, ordain_submit_cb cb, void *arg);

/* --- Reads ------------------------------------------------------------------------------------------------------------ */

/* Reads are linearizable, unless their options say otherwise. They are tried again like commands. as_of in an answer: how many commands of the partition it has seen, so that all with a smaller offset are
 * in it (ordain_result has partition and offset of each); 0 with LINEARIZABLE. In each callback
 * either problem or the other pointer is NULL; all is valid during the call. Called exactly once when the function returned 0, never from inside it.
 * The functions return what ordain_submit returns. */

struct ordain_account {
	struct ordain_str account;
	struct ordain_str asset;
	enum ordain_account_state state;
	int64_t balance;
	int64_t floor;
	int64_t ceiling;
	uint64_t postings_count;
	uint64_t opened_us; /* microseconds since 1970 */
	uint32_t partition;
	uint64_t as_of;
};
typedef void (*ordain_account_cb)(const struct ordain_problem *problem, const struct ordain_account *account,
				  void *arg);
int ordain_get_account(struct ordain_client *client, struct ordain_str account, const struct ordain_call_options *call,
		       ordain_account_cb cb, void *arg);

enum ordain_posting_kind { ORDAIN_POSTING_DEBIT = 1, ORDAIN_POSTING_CREDIT = 2, ORDAIN_POSTING_REFUND = 3 };

/* "debit", "credit", "refund"; "unknown" for other numbers. */
const char *ordain_posting_kind_name(enum ordain_posting_kind kind);

struct ordain_posting {
	uint64_t number; /* within the account, from 1 */
	enum ordain_posting_kind kind;
	struct ordain_id id; /* of the transfer */
	struct ordain_str counterparty;
	int64_t amount; /* above zero */
	int64_t balance_after;
	uint32_t partition; /* with offset: its position */
	uint64_t offset;
	uint64_t time_us;
};

struct ordain_history {
	struct ordain_str account;
	const struct ordain_posting *postings;
	size_t postings_count;
	uint64_t next;	    /* the number to go on from; 0 at the end */
	uint32_t partition; /* of as_of; 0 without */
	uint64_t as_of;
};
typedef void (*ordain_history_cb)(const struct ordain_problem *problem, const struct ordain_history *history,
				  void *arg);
/* Postings with numbers from `from` (0 or 1: the first) up, at most limit of them (0: 100; 1,000 is the most). */
int ordain_get_history(struct ordain_client *client, struct ordain_str account, uint64_t from, uint32_t limit,
		       const struct ordain_call_options *call, ordain_history_cb cb, void *arg);

struct ordain_request {
	struct ordain_command command; /* what was asked, with the id */
	enum ordain_status status;
	int code; /* REJECTED: the refusal's number, its name and text; else 0, "", "" */
	const char *name;
	const char *message;
	uint32_t partition; /* with offset: the position of the command that logged it */
	uint64_t offset;
	uint64_t logged_us;
	uint64_t decided_us; /* 0 while accepted */
};
typedef void (*ordain_request_cb)(const struct ordain_problem *problem, const struct ordain_request *request,
				  void *arg);
/* Looks where transfers with this id live, then in all other partitions (accounts and names live by their own key). */
int ordain_get_request(struct ordain_client *client, const struct ordain_id *id, const struct ordain_call_options *call,
		       ordain_request_cb cb, void *arg);

struct ordain_name {
	struct ordain_str space;
	struct ordain_str name;
	struct ordain_str owner;
	struct ordain_id id; /* of the claim or reassign that made it so */
	uint32_t partition; /* with offset: its position; the offset grows with each change of owner, so it can fence */
	uint64_t offset;
	uint64_t since_us;
	uint64_t as_of;
};
typedef void (*ordain_name_cb)(const struct ordain_problem *problem, const struct ordain_name *name, void *arg);
/* ORDAIN_ERR_NOT_FOUND when nobody owns it. */
int ordain_get_name(struct ordain_client *client, struct ordain_str space, struct ordain_str name,
		    const struct ordain_call_options *call, ordain_name_cb cb, void *arg);

/* --- Any method ------------------------------------------------------------------------------------------------------- */

/* result: the answer's result, MessagePack, valid during the call; NULL with a problem. */
typedef void (*ordain_call_cb)(const struct ordain_problem *problem, const void *result, size_t result_len, void *arg);

/* One call of one method on one node (0: any), for `cluster`, `status` and tools. params: one MessagePack map, or NULL for an empty one. Tried again only
 * while nothing was sent and node is 0; a given node that cannot be reached is ORDAIN_ERR_UNAVAILABLE at once, one that the cluster does not have
 * ORDAIN_ERR_NOT_FOUND. Else as reads. ORDAIN_ERR_ARGUMENT when params is not one whole MessagePack map. */
int ordain_call(struct ordain_client *client, uint32_t node, const char *method, const void *params, size_t params_len,
		const struct ordain_call_options *call, ordain_call_cb cb, void *arg);

/* --- The blocking form ------------------------------------------------------------------------------------------------ */

/* A client with a loop of its own, for programs that do one thing at a time. One thread at a time. Every function waits at most the call's timeout and
 * returns 0 or an enum ordain_error; ordain_sync_problem then tells more. Whatever texts and arrays are given back are valid until the next call
 * for the same ordain_sync. */
struct ordain_sync;

int ordain_sync_open(const struct ordain_options *options, struct ordain_sync **ret);
void ordain_sync_close(struct ordain_sync *s);

/* Fills results[0 .. count - 1]. What came of each command is in its result: 0 is returned also when all were refused. */
int ordain_sync_submit(struct ordain_sync *s, const struct ordain_command *commands, size_t count,
		       const struct ordain_call_options *call, struct ordain_result *results);

int ordain_sync_account(struct ordain_sync *s, struct ordain_str account, const struct ordain_call_options *call,
			struct ordain_account *ret);
int ordain_sync_history(struct ordain_sync *s, struct ordain_str account, uint64_t from, uint32_t limit,
			const struct ordain_call_options *call, struct ordain_history *ret);
int ordain_sync_request(struct ordain_sync *s, const struct ordain_id *id, const struct ordain_call_options *call,
			struct ordain_request *ret);
int ordain_sync_name(struct ordain_sync *s, struct ordain_str space, struct ordain_str name,
		     const struct ordain_call_options *call, struct ordain_name *ret);
int ordain_sync_call(struct ordain_sync *s, uint32_t node, const char *method, const void *params, size_t params_len,
		     const struct ordain_call_options *call, const void **ret_result, size_t *ret_result_len);

/* What the last function that returned other than 0 ran into. Never NULL. */
const struct ordain_problem *ordain_sync_problem(const struct ordain_sync *s);

#ifdef __cplusplus
}
#endif

#endif
