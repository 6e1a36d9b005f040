/* SPDX-License-Identifier: Apache-2.0 - commands, the messages between partitions, and the entries that carry them. */
#ifndef ORD_PARTITION_COMMAND_H
#define ORD_PARTITION_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"

/* The logic version that this build writes, and the newest it can apply. It rises when the same bytes shall mean something else. */
#define ORD_LOGIC_VERSION 1

enum ord_command_kind {
#define X(number, name, text) ORD_COMMAND_##name = (number),
#include "partition/commands.def"
#undef X
};

enum ord_message_kind {
#define X(number, name, text) ORD_MESSAGE_##name = (number),
#include "partition/messages.def"
#undef X
};

enum ord_refusal {
	ORD_REFUSAL_NONE = 0,
#define X(number, name, text, explanation) ORD_REFUSAL_##name = (number),
#include "partition/refusals.def"
#undef X
};

enum ord_account_state { ORD_ACCOUNT_OPEN = 1, ORD_ACCOUNT_FROZEN = 2, ORD_ACCOUNT_CLOSED = 3 };

/* Slices point into the bytes that a command was decoded from, or to what the caller filled in; they never own. */
struct ord_open_account {
	struct ord_slice account;
	struct ord_slice asset;
	int64_t floor;	 /* minor units; below zero lets the account issue money */
	int64_t ceiling; /* minor units; INT64_MAX when there is none */
};

struct ord_set_account {
	struct ord_slice account;
	enum ord_account_state state;
};

struct ord_transfer {
	struct ord_slice payer;
	struct ord_slice payee;
	struct ord_slice asset;
	int64_t amount; /* minor units, above zero */
};

/* claim: owner takes a free name. release: the expected owner gives it up. reassign: from the expected owner to owner. */
struct ord_naming {
	struct ord_slice space; /* the namespace */
	struct ord_slice name;
	struct ord_slice owner;	   /* claim and reassign: who has it afterwards */
	struct ord_slice expected; /* release and reassign: who must have it now */
};

/* A run of messages from one partition's outbox: numbers first .. first + count - 1, encoded one after the other. */
struct ord_deliver {
	uint32_t source;
	uint64_t first;
	uint32_t count;
	struct ord_slice messages;
};

/* Messages to destination up to and with number upto have been applied there. */
struct ord_trim {
	uint32_t destination;
	uint64_t upto;
};

/* What its leader's replica of the partition was when the mark was made: every replica compares itself with it (partition/mark.h). */
struct ord_mark {
	uint64_t position; /* every command before it was applied */
	uint64_t entries_count;
	uint64_t state_digest[2];
	uint8_t history_hash[32];
};

/* Request ids of an earlier time than that are expired (partition/expire.h). */
struct ord_expire {
	uint64_t watermark_ms; /* milliseconds since 1970 */
};

struct ord_command {
	enum ord_command_kind kind;
	struct ord_uuid request_id; /* client commands only */
	union {
		struct ord_open_account open_account;
		struct ord_set_account set_account;
		struct ord_transfer transfer;
		struct ord_naming naming; /* CLAIM, RELEASE, REASSIGN */
		struct ord_deliver deliver;
		struct ord_trim trim;
		struct ord_mark mark;
		struct ord_expire expire;
	};
};

struct ord_message {
	enum ord_message_kind kind;
	struct ord_uuid request_id;
	uint32_t home;		      /* partition of the request, where the outcome goes */
	struct ord_transfer transfer; /* DEBIT, CREDIT, REFUND */
	enum ord_refusal reason;      /* REFUND and OUTCOME; NONE in an OUTCOME means settled */
};

/* What is wrong with a command that never gets as far as a log. */
struct ord_fault {
	const char *field;  /* a literal: the parameter's name in the client protocol */
	const char *remedy; /* a literal: what a right value looks like */
};

/* Checks what a client may send: lengths, UTF-8, amount above zero, floor <= ceiling and floor <= 0 <= ceiling, payer other than payee, a request
 * id that is not all zero. ORD_OK, or ORD_ERR_INVALID with *ret naming the first bad field. DELIVER, TRIM, MARK and EXPIRE are invalid here. */
int ord_command_check(const struct ord_command *c, struct ord_fault *ret);

/* True for what clients send: such a command has a request id, and gets an answer. */
bool ord_command_is_clients(enum ord_command_kind kind);

/* Appends the encoding (docs/formats.md, "Commands"); out->failed tells when there was no room. Asserts a known kind. */
void ord_command_encode(const struct ord_command *c, struct ord_bytes *out);

/* Reads one command; its slices point into the reader's bytes. ORD_ERR_FORMAT (unknown kind or value) or ORD_ERR_TRUNCATED; *ret is then untouched. */
int ord_command_decode(struct ord_reader *r, struct ord_command *ret);

void ord_message_encode(const struct ord_message *m, struct ord_bytes *out);
int ord_message_decode(struct ord_reader *r, struct ord_message *ret);

/* An entry: a header (format, logic version, count of commands, the leader's time), then the commands.
 * begin writes the header with count 0 (asserts that out is empty); the caller appends commands and ends with the count. */
void ord_entry_begin(struct ord_bytes *out, uint64_t time_us);
void ord_entry_end(struct ord_bytes *out, uint32_t commands_count);

/* Gives an entry that was begun another time. Asserts that it was. */
void ord_entry_stamp(struct ord_bytes *out, uint64_t time_us);

/* The header's size, where the first command begins. */
#define ORD_ENTRY_HEADER_BYTES 16

struct ord_entry_header {
	uint16_t logic_version;
	uint32_t commands_count;
	uint64_t time_us; /* microseconds since 1970 by the leader's clock, never less than the entry before */
};

/* ORD_ERR_FORMAT when the format is unknown, ORD_ERR_MISMATCH when the logic version is newer than this build, ORD_ERR_TRUNCATED. */
int ord_entry_decode(struct ord_reader *r, struct ord_entry_header *ret);

/* Names and texts of the lists; never NULL. ord_refusal_name(ORD_REFUSAL_NONE) is "none". */
const char *ord_command_name(enum ord_command_kind kind);
const char *ord_message_name(enum ord_message_kind kind);
const char *ord_refusal_name(enum ord_refusal reason);
const char *ord_refusal_text(enum ord_refusal reason);
const char *ord_account_state_name(enum ord_account_state state); /* "open", "frozen", "closed" */

#endif
