/* SPDX-License-Identifier: Apache-2.0 - names.
 *
 *   free --claim--> owned --reassign--> owned by another, when the owner is the expected one
 *     ^               |
 *     +----release----+  when the owner is the expected one
 *
 * A claim is granted once: whoever claims an owned name is refused, its owner too. The owner who is not sure repeats the request under its id. */
#include "partition/name.h"

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "partition/request.h"
#include "partition/saved.h"

/* Other than the routing's seed: all names of a partition agree in what the routing made of their hash. */
#define NAMES_SEED 0x6e616d6573u

struct name_key {
	struct ord_slice space;
	struct ord_slice name;
};

uint64_t ord_name_hash(struct ord_slice space, struct ord_slice name, uint64_t seed)
{
	uint8_t key[1 + ORD_NAMESPACE_BYTES_MAX + ORD_NAME_BYTES_MAX];
	ORD_ASSERT(space.len <= ORD_NAMESPACE_BYTES_MAX);
	ORD_ASSERT(name.len <= ORD_NAME_BYTES_MAX);
	key[0] = (uint8_t)space.len;
	if (space.len != 0)
		memcpy(key + 1, space.base, space.len);
	if (name.len != 0)
		memcpy(key + 1 + space.len, name.base, name.len);
	return ord_hash64_seed(key, 1 + space.len + name.len, seed);
}

static bool name_known(const struct ord_table_link *link, const void *key)
{
	const struct ord_name *n = (const struct ord_name *)link;
	const struct name_key *k = key;
	return ord_slice_equal(ord_name_space(n), k->space) && ord_slice_equal(ord_name_name(n), k->name);
}

static bool name_equal(const struct ord_table_link *link, const void *key)
{
	return (((const struct ord_name *)link)->row.flags & ORD_ROW_REMOVED) == 0 && name_known(link, key);
}

struct ord_name *ord_name_find(const struct ord_partition *p, struct ord_slice space, struct ord_slice name)
{
	struct name_key key = {space, name};
	struct ord_name *n =
		(struct ord_name *)ord_table_find(&p->names, ord_name_hash(space, name, NAMES_SEED), &key, name_equal);
	if (n != NULL)
		n->row.flags |= ORD_ROW_USED;
	return n;
}

int ord_name_load(struct ord_partition *p, struct ord_slice space, struct ord_slice name)
{
	if (!p->rows.names_gone || ord_name_is_known(p, space, name))
		return ORD_OK;
	return ord_saved_get_name(p, space, name);
}

static int look_load(struct ord_partition *p, const struct ord_ahead_look *look)
{
	return ord_name_load(p, look->texts[0], look->texts[1]);
}

int ord_name_ahead(struct ord_ahead *ahead, struct ord_slice space, struct ord_slice name)
{
	const struct ord_partition *p = ahead->partition;
	struct ord_ahead_look look = {.table = &p->names,
				      .hash = ord_name_hash(space, name, NAMES_SEED),
				      .load = p->rows.names_gone ? look_load : NULL,
				      .texts = {space, name}};
	return ord_ahead_add(ahead, &look);
}

bool ord_name_is_known(const struct ord_partition *p, struct ord_slice space, struct ord_slice name)
{
	struct name_key key = {space, name};
	return ord_table_find(&p->names, ord_name_hash(space, name, NAMES_SEED), &key, name_known) != NULL;
}

size_t ord_name_bytes(const struct ord_name *n)
{
	return sizeof *n + n->space_bytes + n->name_bytes + n->owner_bytes;
}

static struct ord_digest name_digest(const struct ord_name *n)
{
	uint64_t fixed[6] = {[2] = n->position, [3] = n->since_us, [4] = n->space_bytes, [5] = n->name_bytes};
	memcpy(fixed, n->request_id.bytes, sizeof n->request_id.bytes);
	return ord_digest_of(ORD_DIGEST_NAME, ord_slice_of(fixed, sizeof fixed),
			     ord_slice_of(n->text, (size_t)n->space_bytes + n->name_bytes + n->owner_bytes));
}

void ord_name_digest(const struct ord_name *n, struct ord_digest *d)
{
	ord_digest_add(d, name_digest(n));
}

struct ord_name *ord_name_make(struct ord_partition *p, const struct ord_name *n, const struct ord_naming *naming)
{
	struct ord_slice texts[3] = {naming->space, naming->name, naming->owner};
	struct ord_name *made = ord_pool_take(&p->pool, sizeof *made + texts[0].len + texts[1].len + texts[2].len);
	*made = *n;
	made->space_bytes = (uint8_t)texts[0].len;
	made->name_bytes = (uint8_t)texts[1].len;
	made->owner_bytes = (uint8_t)texts[2].len;
	uint8_t *at = made->text;
	for (size_t i = 0; i < 3; i++) {
		if (texts[i].len > 0)
			memcpy(at, texts[i].base, texts[i].len);
		at += texts[i].len;
	}
	ord_table_put(&p->names, &made->row.link, ord_name_hash(naming->space, naming->name, NAMES_SEED));
	return made;
}

static void name_add(struct ord_partition *p, const struct ord_naming *naming, const struct ord_uuid *request_id)
{
	struct ord_name n = {.request_id = *request_id, .position = p->position, .since_us = p->time_us};
	struct ord_name *made = ord_name_make(p, &n, naming);
	ord_row_made(p, &made->row, ORD_STORE_NAMES);
	p->names_count++;
	ord_digest_add(&p->digest, name_digest(made));
}

static void name_remove(struct ord_partition *p, struct ord_name *n)
{
	ord_row_change(p, &n->row);
	ord_digest_subtract(&p->digest, name_digest(n));
	p->names_count--;
	ord_row_drop(p, &n->row);
}

void ord_name_apply_claim(struct ord_partition *p, const struct ord_command *c, struct ord_request *r)
{
	if (ord_name_find(p, c->naming.space, c->naming.name) != NULL) {
		ord_request_reject(p, r, ORD_REFUSAL_NAME_TAKEN, NULL);
		return;
	}
	name_add(p, &c->naming, &c->request_id);
	ord_request_settle(p, r);
}

/* Why the name cannot be taken from the expected owner; NONE when it can. */
static enum ord_refusal refuse_taking(const struct ord_name *n, struct ord_slice expected)
{
	if (n == NULL)
		return ORD_REFUSAL_NAME_FREE;
	if (!ord_slice_equal(ord_name_owner(n), expected))
		return ORD_REFUSAL_OTHER_OWNER;
	return ORD_REFUSAL_NONE;
}

/* Takes the name from the expected owner, or rejects the request; true when it was taken. */
static bool take(struct ord_partition *p, const struct ord_command *c, struct ord_request *r)
{
	struct ord_name *n = ord_name_find(p, c->naming.space, c->naming.name);
	enum ord_refusal reason = refuse_taking(n, c->naming.expected);
	if (reason != ORD_REFUSAL_NONE) {
		ord_request_reject(p, r, reason, NULL);
		return false;
	}
	name_remove(p, n);
	return true;
}

void ord_name_apply_release(struct ord_partition *p, const struct ord_command *c, struct ord_request *r)
{
	if (take(p, c, r))
		ord_request_settle(p, r);
}

void ord_name_apply_reassign(struct ord_partition *p, const struct ord_command *c, struct ord_request *r)
{
	if (!take(p, c, r))
		return;
	name_add(p, &c->naming, &c->request_id);
	ord_request_settle(p, r);
}
