/* SPDX-License-Identifier: Apache-2.0 - free TCP ports of this machine that stay free. */
#include "cli/port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

#define LOWEST_PORT 10000u   /* most well-known servers are below */
#define HIGHEST_PORT 32767u  /* Linux takes ports for outgoing connections from above it, unless told otherwise */
#define SMALLEST_RANGE 1000u /* fewer ports than this below the system's own range: use all */
#define LOWEST_PORT_LAST_RESORT 1024u /* below, only root can listen */

/* A socket that is bound to the port, -1 when that is not possible. */
static int port_bind(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int yes = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes); /* as the node will: old connections do not count */
	if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0)
		return fd;
	close(fd);
	return -1;
}

bool ord_port_is_free(uint16_t port)
{
	int fd = port_bind(port);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void range_read(uint32_t *ret_low, uint32_t *ret_high)
{
	uint32_t outgoing_low = HIGHEST_PORT + 1, outgoing_high = 0;
	FILE *in = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	if (in != NULL) {
		if (fscanf(in, "%u %u", &outgoing_low, &outgoing_high) != 2)
			outgoing_low = HIGHEST_PORT + 1;
		fclose(in);
	}
	*ret_low = LOWEST_PORT;
	*ret_high = outgoing_low > 65536 ? 65535 : outgoing_low - 1;
	if (*ret_high < LOWEST_PORT + SMALLEST_RANGE) {
		*ret_low = LOWEST_PORT_LAST_RESORT;
		*ret_high = 65535;
	}
}

int ord_port_choose(uint16_t *ports, size_t ports_count, size_t run_count, char *why, size_t why_size)
{
	uint32_t low, high, start;
	size_t count = 0, found = 0;
	range_read(&low, &high);
	if (getrandom(&start, sizeof start, 0) != sizeof start)
		start = (uint32_t)getpid();
	uint32_t range = high - low + 1;
	for (uint32_t i = 0; i < range && count < ports_count; i++) {
		uint32_t at = (start + i) % range;
		found = at == 0 ? 0 : found; /* a run does not go on at the other end */
		found = ord_port_is_free((uint16_t)(low + at)) ? found + 1 : 0;
		if (found < run_count)
			continue;
		ports[count++] = (uint16_t)(low + at - (run_count - 1));
		found = 0;
	}
	if (count == ports_count)
		return ORD_OK;
	snprintf(why, why_size,
		 "no %zu times %zu free ports in a row from %u to %u on 127.0.0.1; end what listens there", ports_count,
		 run_count, low, high);
	return ORD_ERR_IO;
}
