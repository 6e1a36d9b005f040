/* SPDX-License-Identifier: Apache-2.0 - accounts.
 *
 *   (none) --open_account--> open <--set_account--> frozen
 *                              |                      |
 *                              +----set_account-------+---> closed, with balance zero only; stays closed
 *
 * A refund that was under way when the account was closed still arrives: what was debited belongs to the account, whatever its state. */
#include "partition/account.h"

#include "base/err.h"
#include "base/hash.h"
#include "partition/request.h"
#include "partition/saved.h"

/* Other than the routing's seed: all accounts of a partition agree in what the routing made of their hash. */
#define ACCOUNTS_SEED 0x6163636f756e7473u

static bool account_equal(const struct ord_table_link *link, const void *key)
{
	return ord_slice_equal(ord_account_id((const struct ord_account *)link), *(const struct ord_slice *)key);
}

static uint64_t account_hash(struct ord_slice account)
{
	return ord_hash64_seed(account.base, account.len, ACCOUNTS_SEED);
}

struct ord_account *ord_account_find(const struct ord_partition *p, struct ord_slice account)
{
	struct ord_account *a =
		(struct ord_account *)ord_table_find(&p->accounts, account_hash(account), &account, account_equal);
	if (a != NULL)
		a->row.flags |= ORD_ROW_USED;
	return a;
}

int ord_account_load(struct ord_partition *p, struct ord_slice account)
{
	bool is_there = !p->rows.accounts_gone || ord_account_find(p, account) != NULL;
	return is_there ? ORD_OK : ord_saved_get_account(p, account);
}

static int look_load(struct ord_partition *p, const struct ord_ahead_look *look)
{
	return ord_account_load(p, look->texts[0]);
}

int ord_account_ahead(struct ord_ahead *ahead, struct ord_slice account)
{
	const struct ord_partition *p = ahead->partition;
	struct ord_ahead_look look = {.table = &p->accounts,
				      .hash = account_hash(account),
				      .load = p->rows.accounts_gone ? look_load : NULL,
				      .texts = {account}};
	return ord_ahead_add(ahead, &look);
}

size_t ord_account_bytes(const struct ord_account *a)
{
	return sizeof *a + a->id_bytes + a->asset_bytes;
}

static struct ord_digest identity_digest(const struct ord_account *a)
{
	uint64_t fixed[4] = {(uint64_t)a->floor, (uint64_t)a->ceiling, a->opened_us, a->id_bytes};
	return ord_digest_of(ORD_DIGEST_ACCOUNT, ord_slice_of(fixed, sizeof fixed),
			     ord_slice_of(a->text, (size_t)a->id_bytes + a->asset_bytes));
}

static struct ord_digest balance_digest(const struct ord_account *a)
{
	uint64_t low = (uint64_t)a->balance;
	uint64_t high = (uint64_t)((unsigned __int128)a->balance >> 64);
	uint64_t fixed[5] = {a->identity, low, high, a->state, a->postings_count};
	return ord_digest_of(ORD_DIGEST_BALANCE, ord_slice_of(fixed, sizeof fixed), (struct ord_slice){0});
}

void ord_account_changed(struct ord_partition *p, struct ord_account *a)
{
	ord_digest_subtract(&p->digest, a->digest);
	a->digest = balance_digest(a);
	ord_digest_add(&p->digest, a->digest);
}

void ord_account_digest(const struct ord_account *a, struct ord_digest *d)
{
	ord_digest_add(d, identity_digest(a));
	ord_digest_add(d, balance_digest(a));
}

struct ord_account *ord_account_make(struct ord_partition *p, const struct ord_account *a, struct ord_slice id,
				     struct ord_slice asset)
{
	struct ord_account *made = ord_pool_take(&p->pool, sizeof *made + id.len + asset.len);
	*made = *a;
	made->id_bytes = (uint8_t)id.len;
	made->asset_bytes = (uint8_t)asset.len;
	memcpy(made->text, id.base, id.len);
	memcpy(made->text + id.len, asset.base, asset.len);
	made->identity = identity_digest(made).sum[0];
	made->digest = balance_digest(made);
	ord_table_put(&p->accounts, &made->row.link, account_hash(id));
	return made;
}

static void account_add(struct ord_partition *p, const struct ord_open_account *open)
{
	struct ord_account a = {
		.floor = open->floor, .ceiling = open->ceiling, .opened_us = p->time_us, .state = ORD_ACCOUNT_OPEN};
	struct ord_account *made = ord_account_make(p, &a, open->account, open->asset);
	ord_row_made(p, &made->row, ORD_STORE_ACCOUNTS);
	p->accounts_count++;
	ord_account_digest(made, &p->digest);
}

/* The first property in which the account is not what is asked for, NULL when it is. */
static const char *differing_property(const struct ord_account *a, const struct ord_open_account *open)
{
	if (!ord_slice_equal(ord_account_asset(a), open->asset))
		return "asset";
	if (a->floor != open->floor)
		return "floor";
	if (a->ceiling != open->ceiling)
		return "ceiling";
	return NULL;
}

void ord_account_apply_open(struct ord_partition *p, const struct ord_command *c, struct ord_request *r)
{
	const struct ord_account *a = ord_account_find(p, c->open_account.account);
	if (a == NULL) {
		account_add(p, &c->open_account);
		ord_request_settle(p, r);
		return;
	}
	const char *field = differing_property(a, &c->open_account);
	if (field == NULL)
		ord_request_settle(p, r);
	else
		ord_request_reject(p, r, ORD_REFUSAL_ACCOUNT_DIFFERS, field);
}

static enum ord_refusal refuse_state(const struct ord_account *a, enum ord_account_state state)
{
	if (a == NULL)
		return ORD_REFUSAL_UNKNOWN_ACCOUNT;
	if (a->state == state)
		return ORD_REFUSAL_NONE;
	if (a->state == ORD_ACCOUNT_CLOSED)
		return ORD_REFUSAL_ACCOUNT_CLOSED;
	if (state == ORD_ACCOUNT_CLOSED && a->balance != 0)
		return ORD_REFUSAL_BALANCE_NOT_ZERO;
	return ORD_REFUSAL_NONE;
}

void ord_account_apply_set(struct ord_partition *p, const struct ord_command *c, struct ord_request *r)
{
	struct ord_account *a = ord_account_find(p, c->set_account.account);
	enum ord_refusal reason = refuse_state(a, c->set_account.state);
	if (reason != ORD_REFUSAL_NONE) {
		ord_request_reject(p, r, reason, NULL);
		return;
	}
	ord_row_change(p, &a->row);
	a->state = (uint8_t)c->set_account.state;
	ord_account_changed(p, a);
	ord_request_settle(p, r);
}
