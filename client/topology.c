/* SPDX-License-Identifier: Apache-2.0 - reading what a node says of its cluster, and addresses. */
#include "client/topology.h"

#include "client/fields.h"

static bool host_set(struct ordain_str host, struct ord_endpoint *ret)
{
	if (host.len == 0 || host.len > ORD_HOST_BYTES_MAX || memchr(host.base, '\0', host.len) != NULL)
		return false;
	memcpy(ret->host, host.base, host.len);
	ret->host[host.len] = '\0';
	return true;
}

static bool nodes_decode(const msgpack_object *list, struct ord_topology *ret)
{
	if (list == NULL || list->type != MSGPACK_OBJECT_ARRAY || list->via.array.size == 0 ||
	    list->via.array.size > ORD_NODES_MAX)
		return false;
	ret->nodes_count = list->via.array.size;
	for (uint32_t i = 0; i < ret->nodes_count; i++) {
		const msgpack_object *o = &list->via.array.ptr[i];
		struct ordain_str host;
		uint32_t port;
		if (!ord_fields_u32(o, "node", &ret->nodes[i].node) || ret->nodes[i].node == 0 ||
		    !ord_fields_str(o, "host", &host) || !host_set(host, &ret->nodes[i].endpoint) ||
		    !ord_fields_u32(o, "port", &port) || port == 0 || port > UINT16_MAX)
			return false;
		ret->nodes[i].endpoint.port = (uint16_t)port;
	}
	return true;
}

static bool leaders_decode(const msgpack_object *list, struct ord_topology *ret)
{
	if (list == NULL || list->type != MSGPACK_OBJECT_ARRAY || list->via.array.size != ret->partitions_count)
		return false;
	for (uint32_t i = 0; i < ret->partitions_count; i++) {
		const msgpack_object *o = &list->via.array.ptr[i];
		if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > UINT32_MAX)
			return false;
		ret->leaders[i] = (uint32_t)o->via.u64;
	}
	return true;
}

bool ord_topology_decode(const msgpack_object *o, struct ord_topology *ret)
{
	return ord_fields_id(o, "cluster_id", &ret->cluster_id) && ord_fields_u32(o, "node", &ret->teller) &&
	       ret->teller != 0 && ord_fields_u32(o, "partitions", &ret->partitions_count) &&
	       ret->partitions_count > 0 && ret->partitions_count <= ORD_PARTITIONS_MAX &&
	       nodes_decode(ord_fields_find(o, "nodes"), ret) && leaders_decode(ord_fields_find(o, "leaders"), ret);
}

static bool port_parse(struct ordain_str text, uint16_t *ret)
{
	uint32_t port = 0;
	if (text.len == 0 || text.len > 5)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.base[i] < '0' || text.base[i] > '9')
			return false;
		port = port * 10 + (uint32_t)(text.base[i] - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return false;
	*ret = (uint16_t)port;
	return true;
}

bool ord_endpoint_parse(struct ordain_str text, struct ord_endpoint *ret)
{
	const char *colon = text.len == 0 ? NULL : memrchr(text.base, ':', text.len);
	if (colon == NULL)
		return false;
	struct ordain_str host = {text.base, (size_t)(colon - text.base)};
	struct ordain_str port = {colon + 1, text.len - host.len - 1};
	if (host.len >= 2 && host.base[0] == '[' && host.base[host.len - 1] == ']') {
		host.base++;
		host.len -= 2;
	} else if (host.len > 0 && memchr(host.base, ':', host.len) != NULL) {
		return false; /* an IPv6 address without brackets: where does the port begin? */
	}
	struct ord_endpoint e;
	if (!host_set(host, &e) || !port_parse(port, &e.port))
		return false;
	*ret = e;
	return true;
}

bool ord_endpoint_equal(const struct ord_endpoint *a, const struct ord_endpoint *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}
