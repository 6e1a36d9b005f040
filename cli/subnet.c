/* SPDX-License-Identifier: Apache-2.0 - private networks of 256 addresses that nobody else on this machine uses. */
#include "cli/subnet.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define MASK 0xffffff00u
#define LINK_NAME_SIZE 64

void ord_subnet_host(uint32_t network, uint32_t host, char text[ORD_SUBNET_TEXT_SIZE])
{
	struct in_addr address = {.s_addr = htonl(network | host)};
	inet_ntop(AF_INET, &address, text, ORD_SUBNET_TEXT_SIZE);
}

int ord_subnet_parse(const char *text, uint32_t *ret)
{
	struct in_addr address;
	if (inet_pton(AF_INET, text, &address) != 1)
		return ORD_ERR_FORMAT;
	uint32_t network = ntohl(address.s_addr);
	if ((network & ~MASK) != 0 || network < ORD_SUBNET_FIRST || network - ORD_SUBNET_FIRST >= ORD_SUBNET_COUNT << 8)
		return ORD_ERR_FORMAT;
	*ret = network;
	return ORD_OK;
}

/* Is there a route into it? /proc/net/route: link, destination and gateway, flags, three numbers, mask; addresses in hexadecimal, as they lie in memory. A machine
 * that does not tell has none that we could know of. */
static bool is_used(uint32_t network, char link[LINK_NAME_SIZE])
{
	char line[256];
	bool used = false;
	FILE *in = fopen("/proc/net/route", "re");
	while (in != NULL && !used && fgets(line, sizeof line, in) != NULL) {
		uint32_t destination, mask;
		if (sscanf(line, "%63s %x %*x %*x %*d %*d %*d %x", link, &destination, &mask) != 3)
			continue;
		uint32_t narrower = ntohl(mask) & MASK;
		used = mask != 0 && (network & narrower) == (ntohl(destination) & narrower);
	}
	if (in != NULL)
		fclose(in);
	return used;
}

int ord_subnet_check(uint32_t network, char *why, size_t why_size)
{
	char link[LINK_NAME_SIZE], text[ORD_SUBNET_TEXT_SIZE];
	if (!is_used(network, link))
		return ORD_OK;
	ord_subnet_host(network, 0, text);
	snprintf(why, why_size,
		 "the nodes' network %s/24 is in use on this machine, by the link %s ('ip route' shows it); take that "
		 "away "
		 "(another cluster: stop it), or make a new cluster in another --dir",
		 text, link);
	return ORD_ERR_IN_USE;
}

int ord_subnet_choose(const struct ord_uuid *id, uint32_t *ret, char *why, size_t why_size)
{
	char link[LINK_NAME_SIZE];
	uint32_t start = (uint32_t)id->bytes[14] << 8 | id->bytes[15]; /* random bits of a UUIDv7 */
	for (uint32_t i = 0; i < ORD_SUBNET_COUNT; i++) {
		uint32_t network = ORD_SUBNET_FIRST + ((start + i) % ORD_SUBNET_COUNT << 8);
		if (is_used(network, link))
			continue;
		*ret = network;
		return ORD_OK;
	}
	snprintf(why, why_size, "no network from 10.64.0.0/24 to 10.127.255.0/24 is free on this machine ('ip route')");
	return ORD_ERR_IN_USE;
}
