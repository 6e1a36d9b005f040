/* SPDX-License-Identifier: Apache-2.0 - folds a stored state: each record is loaded by the code that loads it for apply, added to the digest, and leaves memory again. */
#include "partition/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "partition/account.h"
#include "partition/name.h"
#include "partition/posting.h"
#include "partition/request.h"
#include "partition/saved.h"
#include "partition/state.h"

/* Of loaded records, and how many are looked at for each that comes: more than one, since each was just used. */
#define AUDIT_BYTES (1u << 20)
#define AUDIT_EVICT_ROWS 4

struct ord_audit {
	struct ord_partition *p;      /* owned */
	struct ord_pairs_place place; /* of the last pair that go_on took */
	uint64_t pairs_count;	      /* that it took */
	struct ord_digest digest;
	uint64_t counts[ORD_STORE_TABLES];
	uint64_t unsettled_count;
	uint64_t posted_count; /* stages that posted */
};

int ord_audit_open(const struct ord_partition_options *options, struct ord_audit **ret)
{
	struct ord_audit *a = calloc(1, sizeof *a);
	if (a == NULL)
		return ORD_ERR_NOMEM;
	int err = ord_partition_open(options, &a->p);
	if (err == ORD_OK)
		*ret = a;
	else
		ord_audit_close(a);
	return err;
}

void ord_audit_close(struct ord_audit *a)
{
	if (a == NULL)
		return;
	ord_partition_close(a->p);
	free(a);
}

void ord_audit_status(const struct ord_audit *a, struct ord_partition_status *ret)
{
	ord_partition_status(a->p, ret);
}

/* --- One pair. --- */

static struct ord_uuid key_id(struct ord_slice key)
{
	struct ord_uuid id;
	memcpy(id.bytes, key.base, sizeof id.bytes); /* the key was read before */
	return id;
}

static void fold_name(struct ord_audit *a, struct ord_slice key)
{
	struct ord_reader k = ord_reader_of(key);
	struct ord_slice space = ord_reader_text8(&k);
	ord_name_digest(ord_name_find(a->p, space, ord_reader_take(&k, ord_reader_left(&k))), &a->digest);
}

static void fold_request(struct ord_audit *a, struct ord_slice key)
{
	struct ord_uuid id = key_id(key);
	const struct ord_request *q = ord_request_find(a->p, &id);
	ord_request_digest(q, &a->digest);
	a->unsettled_count += q->status == ORD_STATUS_ACCEPTED;
}

static int fold_stage(struct ord_audit *a, struct ord_slice key)
{
	struct ord_uuid id = key_id(key);
	const struct ord_stage *s = ord_posting_find(a->p, &id, ((const uint8_t *)key.base)[sizeof id.bytes]);
	a->posted_count += s->reason == ORD_REFUSAL_NONE;
	return ord_posting_digest(a->p, s, &a->digest);
}

static int fold_record(struct ord_audit *a, enum ord_store_table table, struct ord_slice key, struct ord_slice value)
{
	int err = ord_saved_load(a->p, table, key, value);
	if (err != ORD_OK)
		return err;
	if (table == ORD_STORE_ACCOUNTS)
		ord_account_digest(ord_account_find(a->p, key), &a->digest);
	else if (table == ORD_STORE_NAMES)
		fold_name(a, key);
	else if (table == ORD_STORE_REQUESTS)
		fold_request(a, key);
	else
		err = fold_stage(a, key);
	ord_rows_evict(a->p, AUDIT_BYTES, AUDIT_EVICT_ROWS);
	return err;
}

/* A posting is in the digest by its stage; there is one for every ordinal. */
static int check_posting(const struct ord_audit *a, struct ord_slice key, struct ord_slice value)
{
	struct ord_stored_posting posting;
	struct ord_slice body;
	int err = ord_stored_verify(ORD_STORE_POSTINGS, key, value, &body);
	if (err == ORD_OK)
		err = ord_stored_posting(key, body, &posting);
	if (err == ORD_OK && posting.ordinal >= a->p->postings_count)
		err = ORD_ERR_CORRUPT;
	return err;
}

int ord_audit_add(struct ord_audit *a, enum ord_store_table table, struct ord_slice key, struct ord_slice value)
{
	struct ord_slice body;
	a->counts[table]++;
	switch (table) {
	case ORD_STORE_ACCOUNTS:
	case ORD_STORE_NAMES:
	case ORD_STORE_REQUESTS:
	case ORD_STORE_STAGES:
		return fold_record(a, table, key, value);
	case ORD_STORE_POSTINGS:
		return check_posting(a, key, value);
	default: /* numbers and messages were taken in at open */
		return ord_stored_verify(table, key, value, &body);
	}
}

/* --- All of it. --- */

static int count_check(const char *what, uint64_t found, uint64_t said, char *why)
{
	if (found == said)
		return ORD_OK;
	snprintf(why, ORD_AUDIT_WHY_SIZE, "there are %" PRIu64 " %s, and the partition's numbers say %" PRIu64, found,
		 what, said);
	return ORD_ERR_CORRUPT;
}

static int counts_check(const struct ord_audit *a, char *why)
{
	const struct ord_partition *p = a->p;
	const struct {
		const char *what;
		uint64_t found;
		uint64_t said;
	} counts[] = {
		{"accounts", a->counts[ORD_STORE_ACCOUNTS], p->accounts_count},
		{"names", a->counts[ORD_STORE_NAMES], p->names_count},
		{"requests", a->counts[ORD_STORE_REQUESTS], p->requests_count - p->expiry.dropped.requests_count},
		{"requests without outcome", a->unsettled_count, p->unsettled_count},
		{"postings", a->counts[ORD_STORE_POSTINGS], p->postings_count},
		{"stages that posted", a->posted_count, p->postings_count - p->expiry.dropped.posted_count},
		{"messages", a->counts[ORD_STORE_MESSAGES], p->outbox_count},
	};
	int err = ORD_OK;
	for (size_t i = 0; i < sizeof counts / sizeof *counts && err == ORD_OK; i++)
		err = count_check(counts[i].what, counts[i].found, counts[i].said, why);
	return err;
}

int ord_audit_finish(const struct ord_audit *a, char *why)
{
	struct ord_partition_status status;
	uint64_t digest[2];
	int err = counts_check(a, why);
	if (err != ORD_OK)
		return err;
	ord_partition_status(a->p, &status);
	ord_partition_digest_close(a->p, a->digest, digest);
	if (memcmp(digest, status.state_digest, sizeof digest) == 0)
		return ORD_OK;
	snprintf(why, ORD_AUDIT_WHY_SIZE,
		 "all records together have digest %016" PRIx64 "%016" PRIx64
		 ", and the partition's numbers say %016" PRIx64 "%016" PRIx64,
		 digest[0], digest[1], status.state_digest[0], status.state_digest[1]);
	return ORD_ERR_CORRUPT;
}

static int add_each(void *arg, enum ord_store_table table, struct ord_slice key, struct ord_slice value)
{
	return ord_audit_add(arg, table, key, value);
}

int ord_audit_go_on(struct ord_audit *a, uint64_t bytes_max, struct ord_pairs_checked *ret, char *why)
{
	int err = ord_pairs_walk(a->p->store, &a->place, bytes_max, add_each, a, ret);
	a->place = ret->place;
	a->pairs_count += ret->pairs_count;
	if (err == ORD_OK && ret->is_last)
		return ord_audit_finish(a, why);
	if (err != ORD_OK)
		snprintf(why, ORD_AUDIT_WHY_SIZE, "the record in table %u after %" PRIu64 " sound ones: %s",
			 a->place.table, a->pairs_count, ord_err_text(err));
	return err;
}

int ord_audit_store(const struct ord_partition_options *options, char *why)
{
	struct ord_audit *a = NULL;
	struct ord_pairs_checked checked;
	snprintf(why, ORD_AUDIT_WHY_SIZE, "the partition's numbers or messages cannot be read");
	int err = ord_audit_open(options, &a);
	if (err == ORD_OK)
		err = ord_audit_go_on(a, UINT64_MAX, &checked, why);
	ord_audit_close(a);
	return err;
}
