/* SPDX-License-Identifier: Apache-2.0 - a client asks one node once, without the library's patience: what the node itself answers is true. "busy" and "unavailable" say that nothing was
 * logged, and are held against the logs like everything that is told. */
#include <msgpack.h>

#include "base/limits.h"
#include "client/decode.h"
#include "client/encode.h"
#include "tests/sim/coverage.h"
#include "tests/sim/work_state.h"
#include "tests/sim/world.h"

/* The node did not decide it. */
static struct ordain_result undecided(struct ordain_result r, enum ordain_answer answer, int code)
{
	r.answer = answer;
	r.code = code;
	r.name = ordain_error_name(code);
	r.message = ordain_strerror(code);
	return r;
}

/* What the answer says of the request. */
static struct ordain_result result_of(const struct work_client *c, const struct work_slot *s,
				      const struct ordain_command *asked, const struct ordain_problem *problem,
				      const msgpack_object *answer, struct ord_texts *texts)
{
	struct ordain_result r = {.id = asked->id};
	struct ord_decoded_fault fault;
	if (problem == NULL) {
		if (!ord_decode_result(answer, &asked->id, s->wait, texts, &r, &fault) || fault.code != 0)
			sim_fail(SIM_SAFETY, "%s: node %u answers a single command with what is no result",
				 c->process.name, s->node);
		/* Logged, and no outcome in time. */
		return r.answer == ORDAIN_UNKNOWN ? undecided(r, ORDAIN_UNKNOWN, ORDAIN_ERR_UNKNOWN_OUTCOME) : r;
	}
	switch (problem->code) {
	case ORDAIN_ERR_BUSY:
	case ORDAIN_ERR_DISK_FULL:
	case ORDAIN_ERR_UNAVAILABLE:
		return undecided(r, ORDAIN_FAILED, problem->code);
	case ORDAIN_ERR_UNKNOWN_OUTCOME:
	case ORDAIN_ERR_TIMEOUT:
	case ORDAIN_ERR_CLOSED:
		return undecided(r, ORDAIN_UNKNOWN, ORDAIN_ERR_UNKNOWN_OUTCOME);
	default:
		sim_fail(SIM_SAFETY, "%s: node %u answers a command with %s (%s): it has no reason to", c->process.name,
			 s->node, problem->name, problem->message);
	}
}

static void raw_cb(const struct ordain_problem *problem, const void *result, size_t result_len, void *arg)
{
	struct work_client *c;
	struct work_slot *s = sim_client_answered(arg, &c);
	if (s == NULL)
		return;
	const struct ordain_command *asked = &work.asks[s->asks[0]].command;
	struct ord_texts texts = {0};
	msgpack_unpacked unpacked;
	msgpack_unpacked_init(&unpacked);
	if (problem == NULL && msgpack_unpack_next(&unpacked, result, result_len, NULL) != MSGPACK_UNPACK_SUCCESS)
		sim_fail(SIM_SAFETY, "%s: an answer that is no MessagePack", c->process.name);
	struct ordain_result r = result_of(c, s, asked, problem, &unpacked.data, &texts);
	if (r.answer == ORDAIN_FAILED)
		sim_cover(SIM_COVER_RAW_DENIED);
	sim_observe_result(&s->began, asked, &r);
	sim_asks_end(s->asks[0], &r, c);
	if (work.options.reads_back && r.answer == ORDAIN_OK)
		sim_read_by_another(c, s->asks[0]);
	msgpack_unpacked_destroy(&unpacked);
	ord_texts_close(&texts);
	sim_client_wake(c, c->follow_count > 0);
}

void sim_submit_raw(struct work_client *c)
{
	uint32_t ask = sim_choose_ask(c, sim_mix_command());
	if (ask == WORK_NONE)
		return;
	struct ordain_call_options call;
	struct work_slot *s = sim_client_slot(c, WORK_RAW, &call);
	SIM_ASSERT(s != NULL);
	const struct ordain_command *asked = &work.asks[ask].command;
	struct ord_bytes params;
	msgpack_packer p;
	ord_bytes_init(&params, ORD_COMMAND_BYTES_MAX * 2);
	ord_rpc_packer(&params, &p);
	msgpack_pack_map(&p, ord_encode_fields_count(asked->kind) + 2);
	ord_encode_command(asked, &params);
	ord_encode_call(&p, s->wait, s->timeout_ms);
	SIM_ASSERT(!params.failed);
	s->node = 1 + (uint32_t)sim_below(SIM_WORK, work.addresses_count);
	sim_asks_begin(ask);
	s->asks[s->asks_count++] = ask;
	sim_cover(SIM_COVER_RAW);
	int err = ordain_call(c->library, s->node, ordain_command_name(asked->kind), params.base, params.len, &call,
			      raw_cb, sim_client_token(c, s));
	ord_bytes_close(&params);
	if (sim_client_took(c, s, err))
		sim_observe_submit(asked);
	else
		sim_asks_withdraw(ask);
}
