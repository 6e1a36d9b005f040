/* SPDX-License-Identifier: Apache-2.0 - the oracle: what a cluster must do, in the plainest C. Arrays, linear search, 128-bit sums.
 * It shares nothing with partition/ but the structs of command.h and effects.h, which are its input and output. */
#ifndef ORD_TESTS_MODEL_MODEL_H
#define ORD_TESTS_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "partition/command.h"
#include "partition/effects.h"
#include "partition/partition.h"

#define MODEL_PARTITIONS_MAX 8

struct model_text {
	size_t len;
	char bytes[256];
};

/* What was asked, as named texts in the order in which they are compared. Numbers are in decimal. */
struct model_payload {
	enum ord_command_kind kind;
	size_t fields_count;
	struct {
		const char *name;
		struct model_text value;
	} fields[4];
};

struct model_account {
	uint32_t partition;
	struct model_text id;
	struct model_text asset;
	enum ord_account_state state;
	__int128 balance;
	__int128 floor;
	__int128 ceiling;
	uint64_t opened_us;
	uint64_t postings_count;
};

struct model_posting {
	struct model_text account;
	uint64_t number;
	enum ord_posting_kind kind;
	struct ord_uuid request_id;
	struct model_text counterparty;
	__int128 amount;
	__int128 balance_after;
	uint64_t position;
	uint64_t time_us;
};

struct model_request {
	uint32_t partition;
	struct ord_uuid id;
	struct model_payload payload;
	struct ord_result result;
	uint64_t logged_us;
	uint64_t decided_us;
};

struct model_name {
	uint32_t partition;
	struct model_text space;
	struct model_text name;
	bool owned;
	uint64_t changes_count; /* of its owner */
	struct model_text owner;
	struct ord_uuid request_id;
	uint64_t position;
	uint64_t since_us;
};

struct model_message {
	enum ord_message_kind kind;
	struct ord_uuid request_id;
	uint32_t home;
	struct model_text payer;
	struct model_text payee;
	struct model_text asset;
	__int128 amount;
	enum ord_refusal reason;
};

/* All messages from one partition to another, the first has number 1. */
struct model_mail {
	struct model_message *messages; /* owned */
	size_t count;
	size_t capacity;
	uint64_t trimmed; /* this many are gone from the outbox */
	uint64_t cursor;  /* this many were applied at the destination */
};

struct model {
	uint32_t partitions_count;
	uint64_t positions[MODEL_PARTITIONS_MAX];
	uint64_t times_us[MODEL_PARTITIONS_MAX];
	uint64_t watermarks_ms[MODEL_PARTITIONS_MAX];			    /* request ids of before are expired */
	struct model_mail mail[MODEL_PARTITIONS_MAX][MODEL_PARTITIONS_MAX]; /* [source][destination] */

	struct model_account *accounts; /* owned */
	size_t accounts_count;
	size_t accounts_capacity;
	struct model_posting *postings; /* owned */
	size_t postings_count;
	size_t postings_capacity;
	struct model_request *requests; /* owned */
	size_t requests_count;
	size_t requests_capacity;
	struct model_name *names; /* owned */
	size_t names_count;
	size_t names_capacity;

	/* Outcomes of transfers since the caller last set outcomes_count to 0. */
	struct ord_outcome *outcomes; /* owned */
	size_t outcomes_count;
	size_t outcomes_capacity;

	/* Messages of the command at work from its partition to itself. */
	struct model_message *local; /* owned */
	size_t local_count;
	size_t local_capacity;
};

void model_open(struct model *m, uint32_t partitions_count);
void model_close(struct model *m);

/* Where a key lives; the model's own reckoning. */
uint32_t model_route(const struct model *m, const void *key, size_t len);
uint32_t model_route_command(const struct model *m, const struct ord_command *c);

/* Applies one command; a time before that of an earlier one counts as that. A DELIVER is taken at its numbers: the messages are the model's own. True when the command is a client's,
 * and *ret_reply is then its answer. */
bool model_apply(struct model *m, uint32_t partition, const struct ord_command *c, uint64_t time_us,
		 struct ord_result *ret_reply);

/* True when the partition must say of that id that it is expired, and nothing else. */
bool model_is_expired(const struct model *m, uint32_t partition, const struct ord_uuid *id);

/* NULL when there is none. */
const struct model_account *model_account(const struct model *m, const struct model_text *id);
const struct model_name *model_name(const struct model *m, const struct model_text *space,
				    const struct model_text *name);

bool model_text_equal(const struct model_text *a, const struct model_text *b);
struct model_text model_text_of(struct ord_slice s);
struct ord_slice model_text_slice(const struct model_text *t);

#endif
