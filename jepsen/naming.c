/* SPDX-License-Identifier: Apache-2.0 - names and their owners, asked of the cluster. */
#include "jepsen/naming.h"

#include <string.h>

#include "base/assert.h"
#include "jepsen/direct.h"
#include "jepsen/money.h"

#define SPACE "unique"

bool ord_naming_submit(struct ord_client *c, const struct ord_naming_ask *ask, const struct ordain_id *id,
		       struct ordain_result *ret_result, struct ord_told *ret)
{
	struct ordain_command command = {.kind = ask->kind, .id = *id};
	command.naming.space = ask->space;
	command.naming.name = ask->name;
	command.naming.expected = ask->expected;
	command.naming.owner = ask->owner;
	return ord_client_submit(c, &command, ret_result, ret);
}

bool ord_naming_read(struct ord_client *c, struct ordain_str space, struct ordain_str name,
		     struct ordain_str *ret_owner, struct ord_told *ret)
{
	struct ordain_call_options call = ord_client_call(c);
	struct ordain_name found;
	int err = c->node != 0 ? ord_direct_name(c, space, name, &found)
			       : ordain_sync_name(c->sync, space, name, &call, &found);
	if (err != 0 && err != ORDAIN_ERR_NOT_FOUND) {
		*ret = ord_client_unread(c);
		return false;
	}
	*ret_owner = err == 0 ? found.owner : (struct ordain_str){0};
	return true;
}

static struct ord_told owner_read(struct ord_client *c, struct ord_edn asked)
{
	struct ordain_str owner;
	struct ord_told told;
	struct ord_edn name = ord_edn_get(asked, "name");
	if (!ord_naming_read(c, ordain_str_of(SPACE), ord_client_str(name), &owner, &told))
		return told;
	struct ord_edn value = ord_edn_map(c->pool, 2);
	ord_edn_put_word(&value, "name", name);
	ord_edn_put_word(&value, "owner", owner.base != NULL ? ord_client_text(c->pool, owner) : ord_edn_nil());
	return (struct ord_told){.type = ORD_JEPSEN_OK, .value = value};
}

/* A claim, release or reassign as the cluster has it. */
static struct ord_naming_ask naming_of(const struct ord_ask *ask)
{
	struct ord_naming_ask n = {.space = ordain_str_of(SPACE),
				   .name = ord_client_str(ord_edn_get(ask->value, "name"))};
	struct ordain_str owner = ord_client_str(ord_edn_get(ask->value, "owner"));
	if (strcmp(ask->f, "claim") == 0) {
		n.kind = ORDAIN_CLAIM;
		n.owner = owner;
	} else if (strcmp(ask->f, "release") == 0) {
		n.kind = ORDAIN_RELEASE;
		n.expected = owner;
	} else {
		ORD_ASSERT(strcmp(ask->f, "reassign") == 0);
		n.kind = ORDAIN_REASSIGN;
		n.expected = ord_client_str(ord_edn_get(ask->value, "from"));
		n.owner = ord_client_str(ord_edn_get(ask->value, "to"));
	}
	return n;
}

void ord_naming_perform(struct ord_client *c, const struct ord_ask *ask, struct ord_told *ret)
{
	struct ordain_result result;
	struct ordain_id id;
	if (strcmp(ask->f, "request") == 0) {
		ord_money_request(c, ask, ret);
	} else if (strcmp(ask->f, "read") == 0 || strcmp(ask->f, "final-read") == 0) {
		*ret = owner_read(c, ask->value);
	} else {
		struct ord_naming_ask naming = naming_of(ask);
		int err = ordain_id_parse(ord_client_str(ord_edn_get(ask->value, "id")), &id);
		ORD_ASSERT(err == 0);
		if (ord_naming_submit(c, &naming, &id, &result, ret))
			*ret = ord_money_decided(c, ask->value, &result);
	}
}
