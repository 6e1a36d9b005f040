/* SPDX-License-Identifier: Apache-2.0 - bytes that TCP connections of this network namespace have carried, from the kernel's own counters. */
#ifndef ORD_CLI_SOCKETS_H
#define ORD_CLI_SOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ord_socket {
	uint64_t inode; /* by which /proc/PID/fd names it */
	uint64_t sent;	/* bytes, also those sent again */
	uint64_t received;
};

#define ORD_SOCKETS_MAX 65536

struct ord_sockets {
	struct ord_socket *list; /* owned */
	size_t count;
};

/* The established connections, by inode in rising order. ORD_ERR_IO: the kernel does not tell (sock_diag(7)); ORD_ERR_NOMEM; then *ret is empty. */
int ord_sockets_list(struct ord_sockets *ret);

/* Of those the ones that a process has open. ORD_ERR_NOT_FOUND: no such process, or it may not be looked at; ORD_ERR_NOMEM. */
int ord_sockets_of(const struct ord_sockets *all, pid_t pid, struct ord_sockets *ret);

/* Tolerates one that is zeroed. */
void ord_sockets_close(struct ord_sockets *s);

/* What the connections of `end` carried since `begin` was taken. Those that were closed in between are not counted. */
void ord_sockets_since(const struct ord_sockets *begin, const struct ord_sockets *end, uint64_t *ret_sent,
		       uint64_t *ret_received);

#endif
