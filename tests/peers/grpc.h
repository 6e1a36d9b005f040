/* SPDX-License-Identifier: Apache-2.0 - unary gRPC calls over one HTTP/2 connection in clear text, many at once; by nghttp2.
 *
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: a call is a POST whose body is one byte 0, four bytes of length (big-endian) and the
 * message; so is the answer, and trailers end it with grpc-status. The caller waits for the socket (grpc_fd) and says when it is ready. */
#ifndef ORD_TESTS_PEERS_GRPC_H
#define ORD_TESTS_PEERS_GRPC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* The longest message of a call and of its answer. */
#define GRPC_MESSAGE_BYTES_MAX 4096
/* As grpc_cb's status: the call ended without a grpc-status, since the connection or the stream was closed. */
#define GRPC_NO_STATUS (-1)

struct grpc;

/* How a call ended. status 0: message is the answer, borrowed until this returns. Otherwise it is text about what went wrong, perhaps empty. Further
 * calls may be made. */
typedef void grpc_cb(int status, struct ord_slice message, void *arg);

/* Connects to "host:port" of a server; waits until it is connected. NULL: why says what failed. path ("/package.Service/Method") is borrowed until
 * close. */
struct grpc *grpc_open(const char *address, const char *path, char *why, size_t why_size);
/* Ends the connection and forgets calls under way; cb is not called. NULL is fine. */
void grpc_close(struct grpc *g);

/* Makes a call; message is copied. It leaves with the next grpc_write. false when there is no memory or message is longer than allowed. */
bool grpc_call(struct grpc *g, struct ord_slice message, grpc_cb *cb, void *arg);

int grpc_fd(const struct grpc *g);
/* Reads what has come, and calls back for each call that has ended. false: the connection is over, all calls were ended. */
bool grpc_read(struct grpc *g);
/* Writes what is to be said, as far as the socket takes it; then *ret_waits says whether it has to be called again when the socket can be written. */
bool grpc_write(struct grpc *g, bool *ret_waits);

#endif
