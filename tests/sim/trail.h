/* SPDX-License-Identifier: Apache-2.0 - what was true of each account, name and request, and from which position on: so that a read of any moment can be judged. */
#ifndef ORD_TESTS_SIM_TRAIL_H
#define ORD_TESTS_SIM_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "partition/command.h"
#include "partition/effects.h"
#include "partition/partition.h"

/* A version holds from its begin (a number of commands, where an entry ends) to the begin of the next one. Of those that begin at the same place only the last was ever to be
 * seen. */

struct sim_account_version {
	uint64_t begin; /* first, see sim_trail_at */
	uint64_t postings_count;
	int64_t balance; /* as it is shown */
	enum ord_account_state state;
};

/* Also of an account that does not exist, when it was named in a transfer: without versions then. */
struct sim_account_trail {
	struct ord_table_link link;
	struct sim_account_trail *next; /* in the order in which they were made */
	uint32_t partition;
	uint32_t unsettled_count; /* accepted transfers to and from it */
	__int128 balance;	  /* now, exactly */
	int64_t floor;		  /* as it was opened */
	int64_t ceiling;
	struct sim_account_version *versions; /* owned */
	size_t versions_count;
	size_t versions_capacity;
	uint8_t id_bytes;
	uint8_t id[];
};

struct sim_name_version {
	uint64_t begin; /* first */
	bool owned;	/* the rest only then */
	struct ord_uuid request_id;
	uint64_t position;
	struct ord_slice owner; /* borrowed from the request's record in the copy of the partition */
};

struct sim_name_trail {
	struct ord_table_link link;
	struct sim_name_trail *next;
	uint32_t partition;
	struct sim_name_version *versions; /* owned */
	size_t versions_count;
	size_t versions_capacity;
	uint8_t space_bytes;
	uint8_t name_bytes;
	uint8_t text[]; /* space, name */
};

/* How far a transfer has come: the last of these that was applied anywhere. */
enum sim_stage { SIM_AT_REQUEST, SIM_AT_DEBIT, SIM_AT_CREDIT, SIM_AT_REFUND, SIM_AT_OUTCOME, SIM_AT_COUNT };

/* One of debit, credit, refund. */
struct sim_stage_done {
	uint64_t begin; /* 0: not done yet */
	uint32_t partition;
	enum ord_refusal reason; /* NONE: it posted */
};

struct sim_request_trail {
	struct ord_table_link link;
	struct sim_request_trail *next;
	uint32_t partition;
	struct ord_uuid id;
	enum ord_command_kind kind;
	uint64_t position;   /* of the command that logged it */
	uint64_t logged;     /* it is there from here on */
	uint64_t logged_us;  /* the time of the entry */
	uint64_t decided;    /* it has its outcome from here on; 0: not yet */
	uint64_t decided_us; /* when that was first applied */
	enum ord_status status;
	enum ord_refusal reason;

	/* Transfers only. */
	enum sim_stage at;
	bool is_aged; /* its id was expired somewhere before it had been there: not all stages leave a record */
	struct sim_stage_done debit;
	struct sim_stage_done credit;
	struct sim_stage_done refund;
	struct sim_account_trail *payer; /* borrowed */
	struct sim_account_trail *payee; /* borrowed */
};

void sim_trail_open(void);
void sim_trail_close(void);

/* find gives NULL when there is none; make asserts that. Records stay where they are until the end. */
struct sim_account_trail *sim_trail_find_account(struct ord_slice id);
struct sim_account_trail *sim_trail_make_account(uint32_t partition, struct ord_slice id);
struct sim_name_trail *sim_trail_find_name(struct ord_slice space, struct ord_slice name);
struct sim_name_trail *sim_trail_make_name(uint32_t partition, struct ord_slice space, struct ord_slice name);
struct sim_request_trail *sim_trail_find_request(uint32_t partition, const struct ord_uuid *id);
struct sim_request_trail *sim_trail_make_request(uint32_t partition, const struct ord_uuid *id);

/* The oldest; go on by next. */
struct sim_account_trail *sim_trail_accounts(void);
struct sim_name_trail *sim_trail_names(void);
struct sim_request_trail *sim_trail_requests(void);

void sim_trail_add_account_version(struct sim_account_trail *t, const struct sim_account_version *v);
void sim_trail_add_name_version(struct sim_name_trail *t, const struct sim_name_version *v);

/* NULL when there is none. */
const struct sim_account_version *sim_trail_last_account(const struct sim_account_trail *t);
const struct sim_name_version *sim_trail_last_name(const struct sim_name_trail *t);

/* The place of the version that holds at a position; versions are `stride` bytes each and begin with their begin. SIM_TRAIL_NONE: the position is before the first. */
#define SIM_TRAIL_NONE SIZE_MAX
size_t sim_trail_at(const void *versions, size_t count, size_t stride, uint64_t position);

#endif
