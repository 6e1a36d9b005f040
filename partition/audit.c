/* SPDX-License-Identifier: Apache-2.0 - folds a stored state: each record is read by the code that reads it for apply, and added to the digest. Accounts and names are loaded for that, and leave memory again; requests and stages, of which there
 * are many more, are not.
 *
 * A stage that posted counts by its posting. To look each one up would cost more than all the rest; so the digest is made of the postings as they come, and a second sum shows that stages and postings name each other one to
 * one. Where stages have been dropped, some postings have none: there each stage looks its posting up. */
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
	bool looks_up;
	struct ord_digest links[2]; /* what stages say of their postings, and postings of their stages */
};

int ord_audit_open(const struct ord_partition_options *options, struct ord_audit **ret)
{
	struct ord_audit *a = calloc(1, sizeof *a);
	if (a == NULL)
		return ORD_ERR_NOMEM;
	int err = ord_partition_open(options, &a->p);
	if (err != ORD_OK) {
		ord_audit_close(a);
		return err;
	}
	a->looks_up = a->p->expiry.dropped.stages_count > 0;
	*ret = a;
	return ORD_OK;
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

static void fold_name(struct ord_audit *a, struct ord_slice key)
{
	struct ord_reader k = ord_reader_of(key);
	struct ord_slice space = ord_reader_text8(&k);
	ord_name_digest(ord_name_find(a->p, space, ord_reader_take(&k, ord_reader_left(&k))), &a->digest);
}

static int fold_request(struct ord_audit *a, struct ord_slice key, struct ord_slice body)
{
	struct ord_stored_request q;
	int err = ord_stored_request(key, body, &q);
	if (err != ORD_OK)
		return err;
	ord_digest_add(&a->digest, ord_request_stored_digest(&q));
	a->unsettled_count += q.status == ORD_STATUS_ACCEPTED;
	return ORD_OK;
}

static struct ord_digest link_of(const struct ord_uuid *request_id, uint8_t kind, uint32_t home, uint64_t ordinal)
{
	uint64_t fixed[4] = {[2] = (uint64_t)kind << 32 | home, [3] = ordinal};
	memcpy(fixed, request_id->bytes, sizeof request_id->bytes);
	return ord_digest_of(ORD_DIGEST_STAGE, ord_slice_of(fixed, sizeof fixed), (struct ord_slice){0});
}

static int fold_stage(struct ord_audit *a, struct ord_slice key, struct ord_slice body)
{
	struct ord_stored_stage s;
	int err = ord_stored_stage(key, body, &s);
	if (err != ORD_OK)
		return err;
	struct ord_stage stage = {
		.request_id = s.request_id, .ordinal = s.ordinal, .home = s.home, .reason = s.reason, .kind = s.kind};
	bool posted = s.reason == ORD_REFUSAL_NONE;
	a->posted_count += posted;
	if (!posted || a->looks_up)
		return ord_posting_digest(a->p, &stage, &a->digest);
	ord_digest_add(&a->links[0], link_of(&s.request_id, s.kind, s.home, s.ordinal));
	return ORD_OK;
}

static int fold_row(struct ord_audit *a, enum ord_store_table table, struct ord_slice key, struct ord_slice value)
{
	int err = ord_saved_load(a->p, table, key, value);
	if (err != ORD_OK)
		return err;
	if (table == ORD_STORE_ACCOUNTS)
		ord_account_digest(ord_account_find(a->p, key), &a->digest);
	else
		fold_name(a, key);
	ord_rows_evict(a->p, AUDIT_BYTES, AUDIT_EVICT_ROWS);
	return ORD_OK;
}

/* There is one for every ordinal. */
static int fold_posting(struct ord_audit *a, struct ord_slice key, struct ord_slice body)
{
	struct ord_stored_posting posting;
	int err = ord_stored_posting(key, body, &posting);
	if (err == ORD_OK && posting.ordinal >= a->p->postings_count)
		err = ORD_ERR_CORRUPT;
	if (err != ORD_OK || a->looks_up)
		return err;
	struct ord_posting_fact fact = ord_saved_posting_fact(&posting);
	ord_digest_add(&a->digest, ord_posting_fact_digest(&fact));
	ord_digest_add(&a->links[1],
		       link_of(&fact.view.request_id, (uint8_t)fact.view.kind, fact.home, posting.ordinal));
	return ORD_OK;
}

int ord_audit_add(struct ord_audit *a, enum ord_store_table table, struct ord_slice key, struct ord_slice value)
{
	struct ord_slice body;
	a->counts[table]++;
	if (table == ORD_STORE_ACCOUNTS || table == ORD_STORE_NAMES)
		return fold_row(a, table, key, value);
	int err = ord_stored_verify(table, key, value, &body);
	if (err != ORD_OK)
		return err;
	switch (table) {
	case ORD_STORE_REQUESTS:
		return fold_request(a, key, body);
	case ORD_STORE_STAGES:
		return fold_stage(a, key, body);
	case ORD_STORE_POSTINGS:
		return fold_posting(a, key, body);
	default: /* numbers and messages were taken in at open */
		return ORD_OK;
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
	if (memcmp(&a->links[0], &a->links[1], sizeof a->links[0]) != 0) {
		snprintf(why, ORD_AUDIT_WHY_SIZE, "the stages that posted are not those that the postings name");
		return ORD_ERR_CORRUPT;
	}
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
