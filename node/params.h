/* SPDX-License-Identifier: Apache-2.0 - parameters of a call: a MessagePack map into a struct, or what is wrong with it. */
#ifndef ORD_NODE_PARAMS_H
#define ORD_NODE_PARAMS_H

#include <msgpack.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/uuid.h"
#include "client/rpc.h"

/* What a read sees: all that was acknowledged before it, or the state that the node has which is asked, however old. */
enum ord_consistency { ORD_CONSISTENCY_LINEARIZABLE = 1, ORD_CONSISTENCY_STALE = 2 };

enum ord_field {
#define X(NAME_, name, kind, member, least, most, initial) ORD_FIELD_##NAME_,
#include "node/fields.def"
#undef X
	ORD_FIELDS_COUNT
};

#define ORD_FIELD_BIT(field) (1u << (field))
_Static_assert(ORD_FIELDS_COUNT <= 32, "a set of fields is a 32-bit word");

/* Slices and items point into the message that was decoded. */
struct ord_params {
	uint32_t given; /* bits of the fields that were there; the others have their defaults */
	struct ord_uuid id;
	struct ord_uuid cluster_id;
	struct ord_slice account, asset, payer, payee, space, name, owner, expected;
	int64_t amount, floor, ceiling, delta;
	int64_t from, limit, partition, timeout_ms; /* partition is -1 when it was not given */
	int64_t state;				    /* enum ord_account_state */
	int64_t wait;				    /* enum ord_wait */
	int64_t consistency;			    /* enum ord_consistency */
	const msgpack_object *items;		    /* an array of ORD_BATCH_ITEMS_MAX at most */
	const msgpack_object *links;	    /* an array of ORD_NODES_MAX at most, what is in it is not checked */
	const msgpack_object *disk, *clock; /* maps; likewise */
};

/* Room for the texts of a fault. A batch of ORD_BATCH_ITEMS_MAX items that all fail must fit ORD_RPC_BYTES_MAX. */
#define ORD_FAULT_FIELD_SIZE 48
#define ORD_FAULT_MESSAGE_SIZE 224
_Static_assert((ORD_FAULT_FIELD_SIZE + ORD_FAULT_MESSAGE_SIZE + 128) * ORD_BATCH_ITEMS_MAX <= ORD_RPC_BYTES_MAX,
	       "an answer that refuses every item fits one message");

struct ord_params_fault {
	enum ord_rpc_error code;
	char field[ORD_FAULT_FIELD_SIZE]; /* "" when it is about none */
	char message[ORD_FAULT_MESSAGE_SIZE];
};

/* Reads a map that must have the needed fields and may have the optional ones (the stream has taken it out of its array already).
 * ORD_OK, or ORD_ERR_INVALID with *ret_fault. */
int ord_params_decode(const msgpack_object *params, uint32_t needed, uint32_t optional, struct ord_params *ret,
		      struct ord_params_fault *ret_fault);

/* Fills *ret. field and message may be NULL (none; the code's text); what does not fit is cut. */
void ord_params_fault_set(struct ord_params_fault *ret, enum ord_rpc_error code, const char *field,
			  const char *message);

/* The name of a field in the protocol. */
const char *ord_field_name(enum ord_field field);

#endif
