/* SPDX-License-Identifier: Apache-2.0 - what was true, and from which position on. */
#include "tests/sim/trail.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "tests/sim/world.h"

static struct {
	struct ord_table account_table, name_table, request_table;
	struct sim_account_trail *accounts, *accounts_last; /* owned */
	struct sim_name_trail *names, *names_last;	    /* owned */
	struct sim_request_trail *requests, *requests_last; /* owned */
} trail;

/* Puts a record behind the last one of its list. */
#define LIST_APPEND(first, last, record)         \
	do {                                     \
		if ((last) == NULL)              \
			(first) = (record);      \
		else                             \
			(last)->next = (record); \
		(last) = (record);               \
	} while (0)

void sim_trail_open(void)
{
	memset(&trail, 0, sizeof trail);
	SIM_ASSERT(ord_table_open(&trail.account_table) == ORD_OK);
	SIM_ASSERT(ord_table_open(&trail.name_table) == ORD_OK);
	SIM_ASSERT(ord_table_open(&trail.request_table) == ORD_OK);
}

void sim_trail_close(void)
{
	for (struct sim_account_trail *t = trail.accounts, *next; t != NULL; t = next) {
		next = t->next;
		free(t->versions);
		free(t);
	}
	for (struct sim_name_trail *t = trail.names, *next; t != NULL; t = next) {
		next = t->next;
		free(t->versions);
		free(t);
	}
	for (struct sim_request_trail *t = trail.requests, *next; t != NULL; t = next) {
		next = t->next;
		free(t);
	}
	ord_table_close(&trail.account_table);
	ord_table_close(&trail.name_table);
	ord_table_close(&trail.request_table);
	memset(&trail, 0, sizeof trail);
}

static void *record_new(size_t bytes)
{
	void *record = calloc(1, bytes);

	SIM_ASSERT(record != NULL);
	return record;
}

/* Room for one more version; dies when there is no memory. */
static void *versions_grow(void *versions, size_t count, size_t *capacity, size_t version_bytes)
{
	if (count < *capacity)
		return versions;
	*capacity = *capacity == 0 ? 8 : *capacity * 2;
	versions = realloc(versions, *capacity * version_bytes);
	SIM_ASSERT(versions != NULL);
	return versions;
}

/* --- Accounts. --- */

static bool account_equal(const struct ord_table_link *link, const void *key)
{
	const struct sim_account_trail *t = (const struct sim_account_trail *)link;

	return ord_slice_equal(ord_slice_of(t->id, t->id_bytes), *(const struct ord_slice *)key);
}

struct sim_account_trail *sim_trail_find_account(struct ord_slice id)
{
	return (struct sim_account_trail *)ord_table_find(&trail.account_table, ord_hash64(id.base, id.len), &id,
							  account_equal);
}

struct sim_account_trail *sim_trail_make_account(uint32_t partition, struct ord_slice id)
{
	struct sim_account_trail *t = record_new(sizeof *t + id.len);

	SIM_ASSERT(id.len <= UINT8_MAX && sim_trail_find_account(id) == NULL);
	t->partition = partition;
	t->id_bytes = (uint8_t)id.len;
	memcpy(t->id, id.base, id.len);
	LIST_APPEND(trail.accounts, trail.accounts_last, t);
	ord_table_put(&trail.account_table, &t->link, ord_hash64(id.base, id.len));
	return t;
}

struct sim_account_trail *sim_trail_accounts(void)
{
	return trail.accounts;
}

void sim_trail_add_account_version(struct sim_account_trail *t, const struct sim_account_version *v)
{
	t->versions = versions_grow(t->versions, t->versions_count, &t->versions_capacity, sizeof *v);
	t->versions[t->versions_count++] = *v;
}

const struct sim_account_version *sim_trail_last_account(const struct sim_account_trail *t)
{
	return t->versions_count == 0 ? NULL : &t->versions[t->versions_count - 1];
}

/* --- Names. --- */

struct name_key {
	struct ord_slice space;
	struct ord_slice name;
};

static uint64_t name_hash(struct ord_slice space, struct ord_slice name)
{
	return ord_hash64_seed(name.base, name.len, ord_hash64(space.base, space.len));
}

static bool name_equal(const struct ord_table_link *link, const void *key)
{
	const struct sim_name_trail *t = (const struct sim_name_trail *)link;
	const struct name_key *k = key;

	return ord_slice_equal(ord_slice_of(t->text, t->space_bytes), k->space) &&
	       ord_slice_equal(ord_slice_of(t->text + t->space_bytes, t->name_bytes), k->name);
}

struct sim_name_trail *sim_trail_find_name(struct ord_slice space, struct ord_slice name)
{
	struct name_key key = {space, name};

	return (struct sim_name_trail *)ord_table_find(&trail.name_table, name_hash(space, name), &key, name_equal);
}

struct sim_name_trail *sim_trail_make_name(uint32_t partition, struct ord_slice space, struct ord_slice name)
{
	struct sim_name_trail *t = record_new(sizeof *t + space.len + name.len);

	SIM_ASSERT(space.len <= UINT8_MAX && name.len <= UINT8_MAX && sim_trail_find_name(space, name) == NULL);
	t->partition = partition;
	t->space_bytes = (uint8_t)space.len;
	t->name_bytes = (uint8_t)name.len;
	memcpy(t->text, space.base, space.len);
	memcpy(t->text + space.len, name.base, name.len);
	LIST_APPEND(trail.names, trail.names_last, t);
	ord_table_put(&trail.name_table, &t->link, name_hash(space, name));
	return t;
}

struct sim_name_trail *sim_trail_names(void)
{
	return trail.names;
}

void sim_trail_add_name_version(struct sim_name_trail *t, const struct sim_name_version *v)
{
	t->versions = versions_grow(t->versions, t->versions_count, &t->versions_capacity, sizeof *v);
	t->versions[t->versions_count++] = *v;
}

const struct sim_name_version *sim_trail_last_name(const struct sim_name_trail *t)
{
	return t->versions_count == 0 ? NULL : &t->versions[t->versions_count - 1];
}

/* --- Requests. --- */

struct request_key {
	uint32_t partition;
	const struct ord_uuid *id;
};

static uint64_t request_hash(uint32_t partition, const struct ord_uuid *id)
{
	return ord_hash64_seed(id->bytes, sizeof id->bytes, partition);
}

static bool request_equal(const struct ord_table_link *link, const void *key)
{
	const struct sim_request_trail *t = (const struct sim_request_trail *)link;
	const struct request_key *k = key;

	return t->partition == k->partition && ord_uuid_equal(&t->id, k->id);
}

struct sim_request_trail *sim_trail_find_request(uint32_t partition, const struct ord_uuid *id)
{
	struct request_key key = {partition, id};

	return (struct sim_request_trail *)ord_table_find(&trail.request_table, request_hash(partition, id), &key,
							  request_equal);
}

struct sim_request_trail *sim_trail_make_request(uint32_t partition, const struct ord_uuid *id)
{
	struct sim_request_trail *t = record_new(sizeof *t);

	SIM_ASSERT(sim_trail_find_request(partition, id) == NULL);
	t->partition = partition;
	t->id = *id;
	LIST_APPEND(trail.requests, trail.requests_last, t);
	ord_table_put(&trail.request_table, &t->link, request_hash(partition, id));
	return t;
}

struct sim_request_trail *sim_trail_requests(void)
{
	return trail.requests;
}

/* --- Any of them. --- */

static uint64_t begin_of(const void *versions, size_t stride, size_t place)
{
	uint64_t begin;

	memcpy(&begin, (const uint8_t *)versions + place * stride, sizeof begin);
	return begin;
}

size_t sim_trail_at(const void *versions, size_t count, size_t stride, uint64_t position)
{
	size_t below = 0,
	       above = count; /* versions before `below` begin at or before the position, from `above` on after it */

	while (below < above) {
		size_t middle = below + (above - below) / 2;

		if (begin_of(versions, stride, middle) <= position)
			below = middle + 1;
		else
			above = middle;
	}
	return below == 0 ? SIM_TRAIL_NONE : below - 1;
}
