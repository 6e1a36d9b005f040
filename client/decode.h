/* SPDX-License-Identifier: Apache-2.0 - what nodes answer, as the structs of ordain.h (docs/protocol.md, "Results of commands", "Errors", "Methods"). */
#ifndef ORD_CLIENT_DECODE_H
#define ORD_CLIENT_DECODE_H

#include <msgpack.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/ordain.h"
#include "client/texts.h"

/* An error map. Strings point into the object. */
struct ord_decoded_fault {
	int code;
	struct ordain_str name;
	struct ordain_str message;
	struct ordain_str field; /* base NULL: none */
	uint32_t retry_after_ms; /* 0: not said */
	uint32_t leader;	 /* 0: not said */
};

/* False when o is no error map. */
bool ord_decode_fault(const msgpack_object *o, struct ord_decoded_fault *ret);

/* One result of a command. True: *ret_fault is empty (code 0) and *ret is filled, texts kept in texts; or *ret_fault says why the item was not decided
 * and *ret is untouched. False: not as the protocol says, or about another id; all is untouched. With ORDAIN_WAIT_SETTLED a command that is
 * only logged yet is ORDAIN_UNKNOWN, ORDAIN_STATUS_ACCEPTED. */
bool ord_decode_result(const msgpack_object *o, const struct ordain_id *id, enum ordain_wait wait,
		       struct ord_texts *texts, struct ordain_result *ret, struct ord_decoded_fault *ret_fault);

/* Results of reads; false when not as the protocol says. Slices point into o, the rest into texts. */
bool ord_decode_account(const msgpack_object *o, struct ordain_account *ret);
bool ord_decode_history(const msgpack_object *o, struct ord_texts *texts, struct ordain_history *ret);
bool ord_decode_request(const msgpack_object *o, struct ord_texts *texts, struct ordain_request *ret);
bool ord_decode_name(const msgpack_object *o, struct ordain_name *ret);

#endif
