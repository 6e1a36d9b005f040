/* SPDX-License-Identifier: Apache-2.0 - the list of nodes in the configuration. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "node/options.h"

#define NODE_ID_MAX 65535

const struct ord_config_node *ord_config_find(const struct ord_config *c, uint32_t node)
{
	for (uint32_t i = 0; i < c->nodes_count; i++)
		if (c->nodes[i].id == node)
			return &c->nodes[i];
	return NULL;
}

void ord_address_format(const char *host, uint16_t port, char text[ORD_ADDRESS_TEXT_SIZE])
{
	bool brackets = strchr(host, ':') != NULL;
	snprintf(text, ORD_ADDRESS_TEXT_SIZE, "%s%.255s%s:%u", brackets ? "[" : "", host, brackets ? "]" : "",
		 (unsigned)port);
}

/* Reads digits that end in stop (or the end of the text) and moves *at behind it. */
static bool take_number(const char **at, char stop, uint32_t most, uint32_t *ret)
{
	uint32_t number = 0;
	const char *c = *at;
	if (*c < '0' || *c > '9')
		return false;
	for (; *c >= '0' && *c <= '9'; c++) {
		number = number * 10 + (uint32_t)(*c - '0');
		if (number > most)
			return false;
	}
	if (*c != stop || number == 0)
		return false;
	*at = stop == '\0' ? c : c + 1;
	*ret = number;
	return true;
}

static bool host_byte_fits(char c, bool bracketed)
{
	bool name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
	return name || (bracketed ? c == ':' || c == '%' : c == '_');
}

/* Reads "host:" or "[host]:" and moves *at behind it. */
static bool take_host(const char **at, char host[ORD_HOST_TEXT_SIZE])
{
	bool bracketed = **at == '[';
	const char *begin = *at + (bracketed ? 1 : 0);
	size_t len = 0;
	while (host_byte_fits(begin[len], bracketed))
		len++;
	const char *end = begin + len;
	if (len == 0 || len >= ORD_HOST_TEXT_SIZE || (bracketed && *end++ != ']') || *end++ != ':')
		return false;
	memcpy(host, begin, len);
	host[len] = '\0';
	*at = end;
	return true;
}

/* "1=host:7101:7001" */
static bool node_parse(const char *text, struct ord_config_node *ret)
{
	struct ord_config_node n = {0};
	uint32_t peer_port, client_port;
	if (!take_number(&text, '=', NODE_ID_MAX, &n.id) || !take_host(&text, n.peer.host) ||
	    !take_number(&text, ':', UINT16_MAX, &peer_port) || !take_number(&text, '\0', UINT16_MAX, &client_port))
		return false;
	n.peer.port = (uint16_t)peer_port;
	n.client.port = (uint16_t)client_port;
	memcpy(n.client.host, n.peer.host, sizeof n.client.host);
	*ret = n;
	return true;
}

int ord_config_nodes_add(struct ord_config *c, const char *value, char why[ORD_CONFIG_WHY_SIZE])
{
	char text[ORD_HOST_TEXT_SIZE + 32];
	for (const char *at = value; at != NULL;) {
		const char *comma = strchr(at, ',');
		size_t len = comma == NULL ? strlen(at) : (size_t)(comma - at);
		for (; len > 0 && *at == ' '; len--)
			at++;
		while (len > 0 && at[len - 1] == ' ')
			len--;
		struct ord_config_node n;
		snprintf(text, sizeof text, "%.*s", (int)(len < sizeof text ? len : sizeof text), at);
		if (len >= sizeof text || !node_parse(text, &n)) {
			snprintf(why, ORD_CONFIG_WHY_SIZE,
				 "\"%.280s\" must be NUMBER=HOST:PEERPORT:CLIENTPORT, as in 1=10.0.0.1:7101:7001 or "
				 "1=[::1]:7101:7001; numbers and ports are from 1 to 65535",
				 text);
			return ORD_ERR_INVALID;
		}
		if (c->nodes_count == ORD_NODES_MAX) {
			snprintf(why, ORD_CONFIG_WHY_SIZE, "a cluster has at most %d nodes", ORD_NODES_MAX);
			return ORD_ERR_INVALID;
		}
		c->nodes[c->nodes_count++] = n;
		at = comma == NULL ? NULL : comma + 1;
	}
	return ORD_OK;
}

static int node_compare(const void *a, const void *b)
{
	uint32_t x = ((const struct ord_config_node *)a)->id;
	uint32_t y = ((const struct ord_config_node *)b)->id;
	return (x > y) - (x < y);
}

/* Address i of the list: peer and client addresses by turns. */
static const struct ord_address *address_at(const struct ord_config *c, uint32_t i)
{
	const struct ord_config_node *n = &c->nodes[i / 2];
	return i % 2 == 0 ? &n->peer : &n->client;
}

/* How many ports are used from there on. */
static uint32_t ports_at(const struct ord_config *c, uint32_t i)
{
	return i % 2 == 0 ? c->shards_count : 1;
}

int ord_config_nodes_check(struct ord_config *c, char why[ORD_CONFIG_WHY_SIZE])
{
	qsort(c->nodes, c->nodes_count, sizeof c->nodes[0], node_compare);
	for (uint32_t i = 1; i < c->nodes_count; i++)
		if (c->nodes[i].id == c->nodes[i - 1].id) {
			snprintf(why, ORD_CONFIG_WHY_SIZE,
				 "nodes: number %" PRIu32 " is there twice: give each node its own", c->nodes[i].id);
			return ORD_ERR_INVALID;
		}
	for (uint32_t i = 0; i < c->nodes_count; i++)
		if (c->nodes[i].peer.port + c->shards_count - 1 > UINT16_MAX) {
			snprintf(why, ORD_CONFIG_WHY_SIZE,
				 "nodes: the peer port of node %" PRIu32 " is %u, and %" PRIu32
				 " shards have as many ports from there on: give one of at most %" PRIu32,
				 c->nodes[i].id, (unsigned)c->nodes[i].peer.port, c->shards_count,
				 UINT16_MAX - c->shards_count + 1);
			return ORD_ERR_INVALID;
		}
	for (uint32_t i = 1; i < 2 * c->nodes_count; i++)
		for (uint32_t j = 0; j < i; j++) {
			const struct ord_address *a = address_at(c, i);
			const struct ord_address *b = address_at(c, j);
			uint32_t port = a->port > b->port ? a->port : b->port; /* the first that both may have */
			if (port >= a->port + ports_at(c, i) || port >= b->port + ports_at(c, j) ||
			    strcmp(a->host, b->host) != 0)
				continue;
			char text[ORD_ADDRESS_TEXT_SIZE];
			ord_address_format(a->host, (uint16_t)port, text);
			snprintf(why, ORD_CONFIG_WHY_SIZE,
				 "nodes: %s is there twice: each port can be used once on a host%s", text,
				 c->shards_count > 1 ? ", and each shard has a peer port, one behind the other" : "");
			return ORD_ERR_INVALID;
		}
	return ORD_OK;
}

void ord_config_nodes_print(const struct ord_config *c, const char *key, FILE *out)
{
	for (uint32_t i = 0; i < c->nodes_count; i++) {
		const struct ord_config_node *n = &c->nodes[i];
		char peer[ORD_ADDRESS_TEXT_SIZE];
		ord_address_format(n->peer.host, n->peer.port, peer);
		fprintf(out, "%s = %" PRIu32 "=%s:%u\n", key, n->id, peer, (unsigned)n->client.port);
	}
}
