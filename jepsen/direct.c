/* SPDX-License-Identifier: Apache-2.0 - calls of one node alone, whether it leads or not. */
#include "jepsen/direct.h"

#include "client/decode.h"
#include "client/encode.h"

#define PARAMS_BYTES_MAX 4096

/* The answer of a call, unpacked. */
struct answer {
	msgpack_unpacked unpacked;
	const msgpack_object *object; /* NULL: none */
};

static int call(struct ord_client *c, const char *method, const struct ord_bytes *params, struct answer *ret)
{
	struct ordain_call_options options = ord_client_call(c);
	const void *result;
	size_t result_len;
	msgpack_unpacked_init(&ret->unpacked);
	ret->object = NULL;
	if (params->failed)
		return ORDAIN_ERR_MEMORY;
	int err = ordain_sync_call(c->sync, c->node, method, params->base, params->len, &options, &result, &result_len);
	if (err != 0)
		return err;
	if (msgpack_unpack_next(&ret->unpacked, result, result_len, NULL) != MSGPACK_UNPACK_SUCCESS)
		return ORDAIN_ERR_PROTOCOL;
	ret->object = &ret->unpacked.data;
	return 0;
}

static struct ordain_str keep(struct ord_client *c, struct ordain_str s)
{
	struct ord_edn copy = ord_client_text(c->pool, s);
	return ord_client_str(copy);
}

/* Such an error says that nothing was logged; the others leave it open. */
static bool is_certain(int err)
{
	return err == ORDAIN_ERR_BUSY || err == ORDAIN_ERR_UNAVAILABLE || err == ORDAIN_ERR_DISK_FULL ||
	       err == ORDAIN_ERR_INVALID_FIELD || err == ORDAIN_ERR_NOT_FOUND || err == ORDAIN_ERR_MEMORY ||
	       err == ORDAIN_ERR_LIMIT || err == ORDAIN_ERR_ARGUMENT;
}

static struct ord_told undecided(int err)
{
	return (struct ord_told){.type = is_certain(err) ? ORD_JEPSEN_FAIL : ORD_JEPSEN_INFO,
				 .error = ord_edn_word(ordain_error_name(err))};
}

/* The names of refusals as texts that outlive the answer. */
static bool result_take(struct ord_client *c, const struct answer *a, const struct ordain_id *id,
			struct ordain_result *ret_result, struct ord_told *ret)
{
	struct ord_texts texts;
	struct ord_decoded_fault fault;
	ord_texts_init(&texts);
	bool right = ord_decode_result(a->object, id, ORDAIN_WAIT_SETTLED, &texts, ret_result, &fault);
	bool decided = right && fault.code == 0 && ret_result->answer != ORDAIN_UNKNOWN;
	if (decided) {
		struct ord_edn name =
			ord_edn_string(c->pool, ord_slice_of(ret_result->name, strlen(ret_result->name) + 1));
		ret_result->name = name.kind == ORD_EDN_STRING ? name.text : "";
		ret_result->message = "";
		ret_result->field = NULL;
	} else if (!right) {
		*ret = undecided(ORDAIN_ERR_PROTOCOL);
	} else if (fault.code != 0) {
		*ret = undecided(fault.code);
	} else {
		*ret = (struct ord_told){.type = ORD_JEPSEN_INFO, .error = ord_edn_word("accepted")};
	}
	ord_texts_close(&texts);
	return decided;
}

bool ord_direct_submit(struct ord_client *c, const struct ordain_command *command, struct ordain_result *ret_result,
		       struct ord_told *ret)
{
	struct ord_bytes params;
	struct answer a;
	msgpack_packer p;
	bool decided = false;
	ord_bytes_init(&params, PARAMS_BYTES_MAX);
	ord_rpc_packer(&params, &p);
	msgpack_pack_map(&p, ord_encode_fields_count(command->kind) + 2);
	ord_encode_command(command, &params);
	ord_encode_call(&p, ORDAIN_WAIT_SETTLED, ord_client_call(c).timeout_ms);
	int err = call(c, ordain_command_name(command->kind), &params, &a);
	if (err == 0)
		decided = result_take(c, &a, &command->id, ret_result, ret);
	else
		*ret = undecided(err);
	msgpack_unpacked_destroy(&a.unpacked);
	ord_bytes_close(&params);
	return decided;
}

/* Params of a read with up to two texts; second NULL: one. */
static void read_params(struct ord_bytes *params, const struct ord_client *c, const char *first, struct ordain_str a,
			const char *second, struct ordain_str b)
{
	msgpack_packer p;
	ord_bytes_init(params, PARAMS_BYTES_MAX);
	ord_rpc_packer(params, &p);
	msgpack_pack_map(&p, second == NULL ? 2 : 3);
	ord_encode_str(&p, first, a);
	if (second != NULL)
		ord_encode_str(&p, second, b);
	ord_rpc_put_text(&p, "timeout_ms");
	msgpack_pack_uint32(&p, ord_client_call(c).timeout_ms);
}

int ord_direct_name(struct ord_client *c, struct ordain_str space, struct ordain_str name, struct ordain_name *ret)
{
	struct ord_bytes params;
	struct answer a;
	read_params(&params, c, "namespace", space, "name", name);
	int err = call(c, "name", &params, &a);
	if (err == 0 && !ord_decode_name(a.object, ret))
		err = ORDAIN_ERR_PROTOCOL;
	if (err == 0)
		ret->owner = keep(c, ret->owner);
	msgpack_unpacked_destroy(&a.unpacked);
	ord_bytes_close(&params);
	return err;
}

int ord_direct_account(struct ord_client *c, struct ordain_str account, struct ordain_account *ret)
{
	struct ord_bytes params;
	struct answer a;
	read_params(&params, c, "account", account, NULL, (struct ordain_str){0});
	int err = call(c, "account", &params, &a);
	if (err == 0 && !ord_decode_account(a.object, ret))
		err = ORDAIN_ERR_PROTOCOL;
	if (err == 0) {
		ret->account = keep(c, ret->account);
		ret->asset = keep(c, ret->asset);
	}
	msgpack_unpacked_destroy(&a.unpacked);
	ord_bytes_close(&params);
	return err;
}
