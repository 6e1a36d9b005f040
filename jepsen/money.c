/* SPDX-License-Identifier: Apache-2.0 - accounts and transfers, as jepsen/checkers/ledger.h wants them in a history, asked of the cluster. */
#include "jepsen/money.h"

#include <string.h>

#include "base/assert.h"
#include "jepsen/direct.h"

struct ord_told ord_money_decided(struct ord_client *c, struct ord_edn asked, const struct ordain_result *result)
{
	bool settled = result->answer == ORDAIN_OK;
	struct ord_edn reason = settled ? ord_edn_nil() : ord_edn_keyword(c->pool, ord_slice_text(result->name));
	if (ord_edn_is_word(reason, "request_id_expired"))
		return (struct ord_told){.type = ORD_JEPSEN_INFO, .error = reason};
	struct ord_edn value = ord_edn_map(c->pool, asked.len / 2 + 4);
	for (uint32_t i = 0; asked.kind == ORD_EDN_MAP && i < asked.len; i += 2)
		ord_edn_put(&value, asked.items[i], asked.items[i + 1]);
	ord_edn_put_word(&value, "outcome", ord_edn_word(settled ? "settled" : "refused"));
	if (!settled)
		ord_edn_put_word(&value, "reason", reason);
	ord_edn_put_word(&value, "replayed", ord_edn_bool(result->replayed));
	ord_edn_put_word(&value, "position",
			 ord_edn_pair(c->pool, ord_edn_int(result->partition), ord_edn_int((int64_t)result->offset)));
	return (struct ord_told){.type = ORD_JEPSEN_OK, .value = value};
}

static struct ord_told open_account(struct ord_client *c, struct ord_edn value)
{
	struct ordain_command command = {.kind = ORDAIN_OPEN_ACCOUNT};
	struct ordain_result result;
	struct ord_told told = {.type = ORD_JEPSEN_FAIL, .error = ord_edn_word("system")};
	struct ord_edn floor = ord_edn_get(value, "floor"), ceiling = ord_edn_get(value, "ceiling");
	command.open_account.account = ord_client_str(ord_edn_get(value, "account"));
	command.open_account.asset = ordain_str_of(ORD_MONEY_ASSET);
	command.open_account.floor = floor.kind == ORD_EDN_INT ? floor.integer : 0;
	command.open_account.ceiling = ceiling.kind == ORD_EDN_INT ? ceiling.integer : INT64_MAX;
	if (ordain_id_make(&command.id) != 0 || !ord_client_submit(c, &command, &result, &told))
		return told;
	if (result.answer == ORDAIN_OK)
		return (struct ord_told){.type = ORD_JEPSEN_OK, .value = value};
	return (struct ord_told){.type = ORD_JEPSEN_FAIL,
				 .error = ord_edn_keyword(c->pool, ord_slice_text(result.name))};
}

static struct ord_told transfer(struct ord_client *c, struct ord_edn value)
{
	struct ordain_command command = {.kind = ORDAIN_TRANSFER};
	struct ordain_result result;
	struct ord_told told;
	int err = ordain_id_parse(ord_client_str(ord_edn_get(value, "id")), &command.id);
	ORD_ASSERT(err == 0);
	command.transfer.payer = ord_client_str(ord_edn_get(value, "from"));
	command.transfer.payee = ord_client_str(ord_edn_get(value, "to"));
	command.transfer.asset = ordain_str_of(ORD_MONEY_ASSET);
	command.transfer.amount = ord_edn_get(value, "amount").integer;
	if (!ord_client_submit(c, &command, &result, &told))
		return told;
	return ord_money_decided(c, value, &result);
}

/* What a request is known as: nil outcome is none of this. */
static const char *outcome_name(enum ordain_status status)
{
	switch (status) {
	case ORDAIN_STATUS_SETTLED:
		return "settled";
	case ORDAIN_STATUS_REJECTED:
		return "refused";
	case ORDAIN_STATUS_ACCEPTED:
		return "accepted";
	case ORDAIN_STATUS_NONE:
		break;
	}
	return "none";
}

void ord_money_request(struct ord_client *c, const struct ord_ask *ask, struct ord_told *ret)
{
	struct ordain_call_options call = ord_client_call(c);
	struct ordain_request request;
	struct ordain_id id;
	struct ord_edn id_value = ord_edn_get(ask->value, "id");
	int err = ordain_id_parse(ord_client_str(id_value), &id);
	ORD_ASSERT(err == 0);
	err = ordain_sync_request(c->sync, &id, &call, &request);
	if (err != 0 && err != ORDAIN_ERR_NOT_FOUND) {
		*ret = ord_client_unread(c);
		return;
	}
	struct ord_edn value = ord_edn_map(c->pool, 7);
	ord_edn_put_word(&value, "id", id_value);
	ord_edn_put_word(&value, "outcome", ord_edn_word(err != 0 ? "none" : outcome_name(request.status)));
	if (err == 0 && request.status == ORDAIN_STATUS_REJECTED)
		ord_edn_put_word(&value, "reason", ord_edn_keyword(c->pool, ord_slice_text(request.name)));
	if (err == 0)
		ord_edn_put_word(
			&value, "position",
			ord_edn_pair(c->pool, ord_edn_int(request.partition), ord_edn_int((int64_t)request.offset)));
	if (err == 0 && request.command.kind == ORDAIN_TRANSFER) {
		const struct ordain_transfer *t = &request.command.transfer;
		ord_edn_put_word(&value, "from", ord_client_text(c->pool, t->payer));
		ord_edn_put_word(&value, "to", ord_client_text(c->pool, t->payee));
		ord_edn_put_word(&value, "amount", ord_edn_int(t->amount));
	}
	*ret = (struct ord_told){.type = ORD_JEPSEN_OK, .value = value};
}

/* Balances of the accounts in a vector, one after the other. */
static struct ord_told balances(struct ord_client *c, struct ord_edn accounts)
{
	struct ord_edn value = ord_edn_map(c->pool, accounts.len);
	for (uint32_t i = 0; i < accounts.len; i++) {
		struct ordain_call_options call = ord_client_call(c);
		struct ordain_account account;
		struct ordain_str name = ord_client_str(accounts.items[i]);
		int err = c->node != 0 ? ord_direct_account(c, name, &account)
				       : ordain_sync_account(c->sync, name, &call, &account);
		if (err != 0)
			return ord_client_unread(c);
		ord_edn_put(&value, accounts.items[i], ord_edn_int(account.balance));
	}
	return (struct ord_told){.type = ORD_JEPSEN_OK, .value = value};
}

void ord_money_perform(struct ord_client *c, const struct ord_ask *ask, struct ord_told *ret)
{
	if (strcmp(ask->f, "open") == 0) {
		*ret = open_account(c, ask->value);
	} else if (strcmp(ask->f, "transfer") == 0) {
		*ret = transfer(c, ask->value);
	} else if (strcmp(ask->f, "request") == 0) {
		ord_money_request(c, ask, ret);
	} else {
		ORD_ASSERT(strcmp(ask->f, "read") == 0 || strcmp(ask->f, "final-read") == 0);
		*ret = balances(c, ask->value);
	}
}

struct ord_ask ord_money_open(struct ord_edn_pool *pool, struct ord_edn account, int64_t floor, int64_t ceiling)
{
	struct ord_edn value = ord_edn_map(pool, 4); /* room for one more */
	ord_edn_put_word(&value, "account", account);
	ord_edn_put_word(&value, "floor", ord_edn_int(floor));
	if (ceiling != INT64_MAX)
		ord_edn_put_word(&value, "ceiling", ord_edn_int(ceiling));
	return (struct ord_ask){.f = "open", .value = value};
}

struct ord_ask ord_money_transfer(struct ord_edn_pool *pool, struct ord_edn id, struct ord_edn payer,
				  struct ord_edn payee, int64_t amount)
{
	struct ord_edn value = ord_edn_map(pool, 4);
	ord_edn_put_word(&value, "id", id);
	ord_edn_put_word(&value, "from", payer);
	ord_edn_put_word(&value, "to", payee);
	ord_edn_put_word(&value, "amount", ord_edn_int(amount));
	return (struct ord_ask){.f = "transfer", .value = value};
}

struct ord_ask ord_money_read(struct ord_edn_pool *pool, const char *f, const char *prefix, uint32_t count, bool mint)
{
	struct ord_edn accounts = ord_edn_vector(pool, count + mint);
	for (uint32_t i = 0; i < accounts.len; i++)
		accounts.items[i] = i < count ? ord_client_label(pool, prefix, i) : ord_edn_literal(ORD_MONEY_MINT);
	return (struct ord_ask){.f = f, .value = accounts};
}

bool ord_money_setup(const struct ord_money_accounts *a, uint32_t n, struct ord_random *r, struct ord_edn_pool *pool,
		     struct ord_ask *ret)
{
	if (n == 0)
		*ret = ord_money_open(pool, ord_edn_literal(ORD_MONEY_MINT), a->mint_floor, INT64_MAX);
	else if (n <= a->count)
		*ret = ord_money_open(pool, ord_client_label(pool, "a", n - 1), 0, n % 3 == 0 ? a->ceiling : INT64_MAX);
	else if (n <= 2 * a->count)
		*ret = ord_money_transfer(pool, ord_client_id(r, pool), ord_edn_literal(ORD_MONEY_MINT),
					  ord_client_label(pool, "a", n - 1 - a->count), a->balance);
	return n <= 2 * a->count;
}

bool ord_money_final(const struct ord_money_accounts *a, uint32_t n, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	if (n == 0)
		*ret = ord_money_read(pool, "final-read", "a", a->count, true);
	return n == 0;
}
