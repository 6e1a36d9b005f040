/* SPDX-License-Identifier: Apache-2.0 - free TCP ports of this machine that stay free. */
#ifndef ORD_CLI_PORT_H
#define ORD_CLI_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Chooses ports_count ports of 127.0.0.1 that nobody listens on, nor on the run_count - 1 behind each, below the range from which the system takes ports for outgoing connections:
 * else a connection could take the port of a node that is down for a moment. ORD_ERR_IO with why. */
int ord_port_choose(uint16_t *ports, size_t ports_count, size_t run_count, char *why, size_t why_size);

/* True when a server could listen on this port of 127.0.0.1 now. */
bool ord_port_is_free(uint16_t port);

#endif
