/* SPDX-License-Identifier: Apache-2.0 - what a node says of its cluster: nodes, partitions, leaders. */
#ifndef ORD_CLIENT_TOPOLOGY_H
#define ORD_CLIENT_TOPOLOGY_H

#include <msgpack.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "client/ordain.h"

#define ORD_HOST_BYTES_MAX 255

struct ord_endpoint {
	char host[ORD_HOST_BYTES_MAX + 1]; /* a name or an address, without brackets; "" for none */
	uint16_t port;
};

struct ord_topology {
	struct ordain_id cluster_id;
	uint32_t teller; /* the node that said it */
	uint32_t partitions_count;
	uint32_t nodes_count;
	struct {
		uint32_t node;
		struct ord_endpoint endpoint;
	} nodes[ORD_NODES_MAX];
	uint32_t leaders[ORD_PARTITIONS_MAX]; /* node, 0 when none is known */
};

/* From the result of `cluster`. False, with *ret in any state, when it is not as docs/protocol.md says. */
bool ord_topology_decode(const msgpack_object *o, struct ord_topology *ret);

/* Reads "host:port", "[v6]:port". False when it is neither. */
bool ord_endpoint_parse(struct ordain_str text, struct ord_endpoint *ret);

bool ord_endpoint_equal(const struct ord_endpoint *a, const struct ord_endpoint *b);

#endif
