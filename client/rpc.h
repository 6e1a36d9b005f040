/* SPDX-License-Identifier: Apache-2.0 - MessagePack-RPC (https://github.com/msgpack-rpc/msgpack-rpc/blob/master/spec.md): a stream of bytes into messages, and messages into bytes. */
#ifndef ORD_CLIENT_RPC_H
#define ORD_CLIENT_RPC_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum ord_rpc_error {
	ORD_RPC_ERROR_NONE = 0,
#define X(code, name, text, explanation) ORD_RPC_ERROR_##name = (code),
#include "client/errors.def"
#undef X
};

/* Never NULL. */
const char *ord_rpc_error_name(enum ord_rpc_error code);
const char *ord_rpc_error_text(enum ord_rpc_error code);

enum ord_rpc_type { ORD_RPC_REQUEST = 0, ORD_RPC_RESPONSE = 1, ORD_RPC_NOTIFY = 2 };

struct ord_rpc_message {
	enum ord_rpc_type type;
	uint32_t id;		 /* REQUEST, RESPONSE */
	struct ord_slice method; /* REQUEST, NOTIFY */
	const msgpack_object
		*params; /* REQUEST, NOTIFY; [{...}] and [] come out as a map; anything else as it is: check the type */
	const msgpack_object *error;  /* RESPONSE; of type NIL when there is none */
	const msgpack_object *result; /* RESPONSE */
};

/* Bytes of one connection into messages. */
struct ord_rpc_stream;

/* bytes_max bounds one message, and with it the memory of the stream. ORD_ERR_NOMEM. */
int ord_rpc_stream_open(size_t bytes_max, struct ord_rpc_stream **ret);
void ord_rpc_stream_close(struct ord_rpc_stream *s);

/* Where to read up to *ret_len more bytes (never 0) from the connection to; NULL when memory is short. Then tell how many came. */
void *ord_rpc_stream_space(struct ord_rpc_stream *s, size_t *ret_len);
void ord_rpc_stream_filled(struct ord_rpc_stream *s, size_t len);

/* The next whole message, valid until the next call for this stream. *ret_have tells whether there is one.
 * ORD_ERR_TOO_BIG (bytes, objects or nesting), ORD_ERR_FORMAT (not MessagePack, or not a MessagePack-RPC message) or ORD_ERR_NOMEM: the connection
 * cannot be used any more. */
int ord_rpc_stream_next(struct ord_rpc_stream *s, struct ord_rpc_message *ret, bool *ret_have);

/* Bytes of a message that has begun and not yet ended. */
size_t ord_rpc_stream_waiting_bytes(const struct ord_rpc_stream *s);

/* A packer that appends to out (msgpack_packer_init with a write function that calls ord_bytes_put). */
void ord_rpc_packer(struct ord_bytes *out, msgpack_packer *ret);

/* Heads: what follows is packed by the caller. request: then params. result: then the result. */
void ord_rpc_put_request(msgpack_packer *p, uint32_t id, const char *method);
void ord_rpc_put_result(msgpack_packer *p, uint32_t id);

/* An error map {code, name, message, field?, retry_after_ms?, leader?}; message NULL: the code's text; field NULL, 0: left out. */
struct ord_rpc_fault {
	enum ord_rpc_error code;
	const char *message;
	const char *field;
	uint32_t retry_after_ms;
	uint32_t leader;
};
void ord_rpc_put_fault(msgpack_packer *p, const struct ord_rpc_fault *fault);

/* A whole answer with an error and a nil result. */
void ord_rpc_put_error(msgpack_packer *p, uint32_t id, const struct ord_rpc_fault *fault);

/* A str from a NUL-terminated text; from a slice. */
void ord_rpc_put_text(msgpack_packer *p, const char *text);
void ord_rpc_put_str(msgpack_packer *p, struct ord_slice s);

/* A key and its value. */
void ord_rpc_put_pair_text(msgpack_packer *p, const char *key, const char *value);
void ord_rpc_put_pair_str(msgpack_packer *p, const char *key, struct ord_slice value);
void ord_rpc_put_pair_u64(msgpack_packer *p, const char *key, uint64_t value);
void ord_rpc_put_pair_i64(msgpack_packer *p, const char *key, int64_t value);
void ord_rpc_put_pair_bool(msgpack_packer *p, const char *key, bool value);

#endif
