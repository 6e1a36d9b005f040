/* SPDX-License-Identifier: Apache-2.0 - a client reads at one node, whichever, without the library's knowledge of who leads: one that has led, or believes that it still does, is asked as often as the one that leads. */
#include <msgpack.h>

#include "base/limits.h"
#include "client/decode.h"
#include "client/encode.h"
#include "tests/sim/coverage.h"
#include "tests/sim/work_state.h"
#include "tests/sim/world.h"

static void account_seen(const struct work_slot *s, const msgpack_object *answer)
{
	struct ordain_account account;
	if (answer != NULL && !ord_decode_account(answer, &account))
		sim_fail(SIM_SAFETY, "node %u answers a read with what is no account", s->node);
	sim_observe_account(&s->began, s->text, answer != NULL ? &account : NULL);
}

static void name_seen(const struct work_slot *s, const msgpack_object *answer)
{
	struct ordain_name name;
	if (answer != NULL && !ord_decode_name(answer, &name))
		sim_fail(SIM_SAFETY, "node %u answers a read with what is no name", s->node);
	sim_observe_name(&s->began, work.names[s->name].space, work.names[s->name].name, answer != NULL ? &name : NULL);
}

static void peek_cb(const struct ordain_problem *problem, const void *result, size_t result_len, void *arg)
{
	struct work_client *c;
	struct work_slot *s = sim_client_answered(arg, &c);
	if (s == NULL || !sim_read_ended(c, s, problem, result != NULL))
		return;
	msgpack_unpacked unpacked;
	msgpack_unpacked_init(&unpacked);
	if (problem == NULL && msgpack_unpack_next(&unpacked, result, result_len, NULL) != MSGPACK_UNPACK_SUCCESS)
		sim_fail(SIM_SAFETY, "%s: an answer that is no MessagePack", c->process.name);
	sim_cover(SIM_COVER_READ_AT_NODE);
	const msgpack_object *answer = problem == NULL ? &unpacked.data : NULL;
	if (s->action == WORK_READ_ACCOUNT)
		account_seen(s, answer);
	else
		name_seen(s, answer);
	msgpack_unpacked_destroy(&unpacked);
}

static void params_put(const struct work_slot *s, struct ord_bytes *out)
{
	msgpack_packer p;
	uint32_t fields = s->action == WORK_READ_ACCOUNT ? 1 : 2;
	ord_rpc_packer(out, &p);
	msgpack_pack_map(&p, fields + (s->began.may_be_stale ? 1 : 0));
	if (s->began.may_be_stale)
		ord_encode_str(&p, "consistency", ordain_str_of("stale"));
	if (s->action == WORK_READ_ACCOUNT) {
		ord_encode_str(&p, "account", s->text);
		return;
	}
	ord_encode_str(&p, "namespace", work.names[s->name].space);
	ord_encode_str(&p, "name", work.names[s->name].name);
}

bool sim_peek_may(const struct work_read *r)
{
	return work.options.reads_nodes && (r->action == WORK_READ_ACCOUNT || r->action == WORK_READ_NAME);
}

void sim_peek(struct work_client *c, const struct work_read *r)
{
	struct ordain_call_options call;
	struct work_slot *s = sim_client_slot(c, r->action, &call);
	struct ord_bytes params;
	SIM_ASSERT(s != NULL);
	s->text = r->text;
	s->name = r->name;
	s->node = 1 + (uint32_t)sim_below(SIM_WORK, work.addresses_count);
	ord_bytes_init(&params, ORD_COMMAND_BYTES_MAX);
	params_put(s, &params);
	SIM_ASSERT(!params.failed);
	int err = ordain_call(c->library, s->node, r->action == WORK_READ_ACCOUNT ? "account" : "name", params.base,
			      params.len, &call, peek_cb, sim_client_token(c, s));
	ord_bytes_close(&params);
	sim_client_took(c, s, err);
}
