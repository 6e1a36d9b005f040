/* SPDX-License-Identifier: Apache-2.0 - binding of sockets. */
#include "node/bind.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "node/config.h"

/* A descriptor, or -1 with errno. */
static int bind_one(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	int on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0)
		return fd;
	int err = errno;
	close(fd);
	errno = err;
	return -1;
}

static const char *bind_remedy(int err)
{
	switch (err) {
	case EADDRINUSE:
		return "stop the process that uses the port (ss -ltnp shows it), or give other ports in nodes";
	case EADDRNOTAVAIL:
		return "this machine does not have that address: set listen_host to one that it has, or to 0.0.0.0";
	case EACCES:
		return "ports below 1024 need the right to use them: give others in nodes";
	default:
		return "check the host and the port in nodes and listen_host";
	}
}

int ord_bind(const char *host, uint16_t port, int *ret_fd, char *why, size_t why_size)
{
	char name[ORD_ADDRESS_TEXT_SIZE];
	char service[8];
	ord_address_format(host, port, name);
	snprintf(service, sizeof service, "%u", (unsigned)port);
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *all;
	int unknown = getaddrinfo(host, service, &hints, &all);
	if (unknown != 0) {
		snprintf(why, why_size, "cannot listen on %s: %s: check the host in nodes and listen_host", name,
			 gai_strerror(unknown));
		return ORD_ERR_IO;
	}
	int fd = -1;
	int first_errno = 0;
	for (const struct addrinfo *a = all; a != NULL && fd < 0; a = a->ai_next) {
		fd = bind_one(a);
		if (fd < 0 && first_errno == 0)
			first_errno = errno;
	}
	freeaddrinfo(all);
	if (fd >= 0) {
		*ret_fd = fd;
		return ORD_OK;
	}
	snprintf(why, why_size, "cannot listen on %s: %s: %s", name, strerror(first_errno), bind_remedy(first_errno));
	return first_errno == EADDRINUSE ? ORD_ERR_IN_USE : ORD_ERR_IO;
}
