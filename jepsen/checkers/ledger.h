/* SPDX-License-Identifier: Apache-2.0 - what the history tells of requests with ids: the transfers that are asked for, again and again, and what became of each. For the checkers of money, stock and ids.
 *
 *   :open     {:account a :floor n}  -> ok    :floor is 0 when it is missing; :ceiling, none
 *   :transfer {:id i :from a :to b :amount n} -> ok {... :outcome :settled | :refused, :reason :below_floor, :replayed true, :position [partition offset]}
 *   :request  {:id i} -> ok {:id i :outcome :settled | :refused | :accepted | :none, :reason ...}    what the cluster says became of it;
 *                                                                                                      :from, :to, :amount as logged, if it says
 *   :read, :final-read nil -> ok {a balance, b balance, ...}    of some accounts; balances of one map were read one after the other, each after the invocation
 *   :read, :final-read [a b] -> ok {a balance, b balance}       of these
 *
 * An ok of a transfer carries all the fields of its invocation, and :reason only when it was refused (names of partition/refusals.def). A fail was certainly not logged by this operation. Of an info
 * :request tells later, best at the end. Accounts and ids are any values but maps; all accounts begin with nothing, so that all balances sum to 0 and money comes from accounts with a floor below 0.
 * :none is believed when no transfer with the id was asked for later: ask when nothing can be under way any more. A :final-read comes when everything that was asked for has an outcome: after all invocations of other transfers are completed, and long enough. */
#ifndef ORD_JEPSEN_CHECKERS_LEDGER_H
#define ORD_JEPSEN_CHECKERS_LEDGER_H

#include "jepsen/checkers/numbering.h"
#include "jepsen/verdict.h"

#define ORD_LEDGER_AMOUNT_MAX (1ll << 38) /* times ORD_JEPSEN_OPS_MAX fits 64 bits: sums need no check */

enum ord_ledger_outcome {
	ORD_LEDGER_UNKNOWN = 0, /* nobody was told */
	ORD_LEDGER_NONE = 1,	/* never logged */
	ORD_LEDGER_SETTLED = 2,
	ORD_LEDGER_REFUSED = 3
};

struct ord_ledger_account {
	struct ord_edn name;
	int64_t floor;
	int64_t ceiling;
	int64_t stock;	    /* -1: none was named */
	uint32_t opened_op; /* the completion; ORD_JEPSEN_NONE: nobody opened it */
	uint32_t read_op;   /* the completion of the last :final-read that has it; ORD_JEPSEN_NONE */
	int64_t read_balance;
};

struct ord_ledger_payload {
	uint32_t from; /* numbers of accounts */
	uint32_t to;
	int64_t amount;
};

struct ord_ledger_request {
	struct ord_edn id;
	struct ord_ledger_payload payload; /* of the outcome; while there is none, of the first invocation */
	bool payloads_differ;		   /* it was asked with several */
	uint32_t asked_op;		   /* first invocation */
	uint32_t asked_last_op;
	uint32_t asked_count;
	uint32_t failed_count; /* invocations that were certainly not logged */
	uint32_t told_op;      /* the completion that first told the outcome; ORD_JEPSEN_NONE */
	enum ord_ledger_outcome outcome;
	struct ord_edn reason;
	const char
		*conflict; /* the rule that another answer breaks: "two-outcomes", "two-payloads", "forgotten"; NULL */
	uint32_t conflict_op; /* that answer */
};

struct ord_ledger {
	const struct ord_jepsen_history *h;
	struct ord_numbering accounts_by_name;
	struct ord_numbering requests_by_id;
	struct ord_ledger_account *accounts; /* owned; by number */
	uint32_t accounts_capacity;
	struct ord_ledger_request *requests; /* owned; by number */
	uint32_t requests_capacity;
};

/* Reads the whole history, which is borrowed. What it cannot make sense of becomes a finding `malformed` (unknown). ORD_ERR_NOMEM. */
int ord_ledger_open(const struct ord_jepsen_history *h, struct ord_verdict *v, struct ord_ledger *ret);

/* Tolerates a zeroed one. */
void ord_ledger_close(struct ord_ledger *l);

/* The number of the request that an invocation of :transfer or :request is about; ORD_NUMBERING_NONE. */
uint32_t ord_ledger_request_of(const struct ord_ledger *l, const struct ord_jepsen_op *asked);

/* What a :transfer's invocation asks for; false when it is malformed. */
bool ord_ledger_payload_of(const struct ord_ledger *l, const struct ord_jepsen_op *asked,
			   struct ord_ledger_payload *ret);

static inline bool ord_ledger_payload_equal(const struct ord_ledger_payload *a, const struct ord_ledger_payload *b)
{
	return a->from == b->from && a->to == b->to && a->amount == b->amount;
}

/* The index of the completion of the invocation, when that is an ok; ORD_JEPSEN_NONE. */
uint32_t ord_ledger_ok_of(const struct ord_jepsen_history *h, uint32_t asked);

#endif
