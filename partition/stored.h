/* SPDX-License-Identifier: Apache-2.0 - what one key and value in a store say, from bytes that nobody vouches for. partition/saved.c writes them. */
#ifndef ORD_PARTITION_STORED_H
#define ORD_PARTITION_STORED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "partition/chain.h"
#include "partition/command.h"
#include "partition/partition.h"
#include "partition/store.h"

/* Wider than an amount: a refund always succeeds, and together with credits that came meanwhile it can pass 2^63-1. */
typedef __int128 ord_balance;

/* A posting knows the one before it, and one that lies a power of 16 before it when that power divides its number: any of an account's postings is found from the newest in a few dozen steps. */
#define ORD_POSTING_LEVELS 7

/* What the fields mean stands at the records in partition/state.h. All slices point into the key or the value. */

struct ord_stored_account {
	struct ord_slice account;
	struct ord_slice asset;
	ord_balance balance;
	int64_t floor;
	int64_t ceiling;
	uint64_t opened_us;
	uint64_t postings_count;
	uint64_t last_ordinal;
	uint64_t ordinals[ORD_POSTING_LEVELS];
	uint8_t state; /* enum ord_account_state */
};

struct ord_stored_name {
	struct ord_naming naming; /* space, name, owner */
	struct ord_uuid request_id;
	uint64_t position;
	uint64_t since_us;
};

struct ord_stored_request {
	struct ord_uuid id;
	uint64_t position;
	uint64_t logged_us;
	uint64_t decided_us;
	uint8_t kind;	 /* enum ord_command_kind */
	uint8_t status;	 /* enum ord_status */
	uint8_t field;	 /* place + 1 in the kind's list of fields; 0: none */
	uint16_t reason; /* enum ord_refusal */
	struct ord_slice body;
};

struct ord_stored_stage {
	struct ord_uuid request_id;
	uint8_t kind; /* enum ord_posting_kind */
	uint32_t home;
	uint16_t reason; /* enum ord_refusal */
	uint64_t ordinal;
};

struct ord_stored_posting {
	struct ord_posting_view view;
	uint64_t ordinal;
	uint64_t account; /* its identity */
	uint64_t previous;
	uint64_t earlier;
	uint32_t home;
};

struct ord_stored_message {
	uint32_t destination;
	uint64_t number;
	struct ord_slice bytes;
	struct ord_message message;
};

/* partition/numbers.def */
enum ord_stored_number {
#define X(place, name) ORD_STORED_##name,
#include "partition/numbers.def"
#undef X
	ORD_STORED_NUMBERS
};
const char *ord_stored_number_name(enum ord_stored_number number);

struct ord_stored_numbers {
	uint32_t partition;
	uint32_t partitions_count;
	uint64_t numbers[ORD_STORED_NUMBERS];
	bool requests_odd;
	bool stages_odd;
	uint8_t history_hash[ORD_CHAIN_BYTES];
	struct ord_slice outboxes; /* 24 bytes for each partition */
};

/* What the numbers say of another partition: the messages owed to it, from first to next - 1, and the last one applied from it. Asserts that there is such a partition. */
struct ord_stored_outbox {
	uint64_t first;
	uint64_t next;
	uint64_t cursor;
};
struct ord_stored_outbox ord_stored_outbox_of(const struct ord_stored_numbers *n, uint32_t partition);

/* The value without its checksum. ORD_ERR_CORRUPT: it differs, or key or value is longer than any is; then they are not looked at. */
int ord_stored_verify(enum ord_store_table table, struct ord_slice key, struct ord_slice value,
		      struct ord_slice *ret_body);

/* The checksum that belongs behind a body. */
uint32_t ord_stored_checksum(enum ord_store_table table, struct ord_slice key, struct ord_slice body);

/* Each reads one kind of pair whose checksum was right. ORD_ERR_CORRUPT: key and body are none such. */
int ord_stored_account(struct ord_slice key, struct ord_slice body, struct ord_stored_account *ret);
int ord_stored_name(struct ord_slice key, struct ord_slice body, struct ord_stored_name *ret);
int ord_stored_request(struct ord_slice key, struct ord_slice body, struct ord_stored_request *ret);
int ord_stored_stage(struct ord_slice key, struct ord_slice body, struct ord_stored_stage *ret);
int ord_stored_posting(struct ord_slice key, struct ord_slice body, struct ord_stored_posting *ret);
int ord_stored_message(struct ord_slice key, struct ord_slice body, struct ord_stored_message *ret);

/* Also ORD_ERR_FORMAT: written by a version that this build does not know. */
int ord_stored_numbers(struct ord_slice body, struct ord_stored_numbers *ret);

/* What was dropped of expired request ids. Also ORD_ERR_FORMAT. */
struct ord_stored_dropped {
	uint64_t digest[2];
	uint64_t requests_count;
	uint64_t stages_count;
	uint64_t posted_count;
};
int ord_stored_dropped(struct ord_slice body, struct ord_stored_dropped *ret);

/* The keys in META. */
#define ORD_STORED_NUMBERS_KEY "partition"
#define ORD_STORED_NOTE_KEY "note"
#define ORD_STORED_DROPPED_KEY "dropped" /* only when anything was */

#endif
