/* SPDX-License-Identifier: Apache-2.0 - a TCP socket bound to a host and port. */
#ifndef ORD_NODE_BIND_H
#define ORD_NODE_BIND_H

#include <stddef.h>
#include <stdint.h>

/* Binds to the first address that the host stands for and that this machine has. The caller owns the descriptor (uv_tcp_open takes it).
 * Blocks while the name is looked up. On error why (why_size bytes) names the address and the remedy: ORD_ERR_IN_USE, ORD_ERR_IO. */
int ord_bind(const char *host, uint16_t port, int *ret_fd, char *why, size_t why_size);

#endif
