/* SPDX-License-Identifier: Apache-2.0 - bytes that TCP connections of this network namespace have carried, from the kernel's own counters.
 *
 * sock_diag(7): a request struct inet_diag_req_v2 for all sockets of one family in some states; answers are struct inet_diag_msg, each with attributes of which INET_DIAG_INFO is a
 * struct tcp_info, as long as the kernel knows it. */
#include "cli/sockets.h"

#include <dirent.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

#define ANSWER_BYTES 32768 /* the kernel fills no more at a time */
#define ESTABLISHED 1	   /* TCP_ESTABLISHED of the kernel */

static int socket_add(struct ord_sockets *s, struct ord_socket added)
{
	if (s->count == ORD_SOCKETS_MAX)
		return ORD_OK; /* so many are not ours */
	if (s->count % 64 == 0) {
		struct ord_socket *list = realloc(s->list, (s->count + 64) * sizeof *list);
		if (list == NULL)
			return ORD_ERR_NOMEM;
		s->list = list;
	}
	s->list[s->count++] = added;
	return ORD_OK;
}

static int message_take(struct ord_sockets *s, const struct nlmsghdr *message)
{
	const struct inet_diag_msg *m = NLMSG_DATA(message);
	int left = (int)message->nlmsg_len - (int)NLMSG_LENGTH(sizeof *m);
	for (const struct rtattr *a = (const struct rtattr *)(m + 1); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		struct tcp_info info = {0};
		size_t have = RTA_PAYLOAD(a);
		if (a->rta_type != INET_DIAG_INFO || m->idiag_inode == 0)
			continue;
		memcpy(&info, RTA_DATA(a), have < sizeof info ? have : sizeof info);
		return socket_add(s, (struct ord_socket){.inode = m->idiag_inode,
							 .sent = info.tcpi_bytes_sent,
							 .received = info.tcpi_bytes_received});
	}
	return ORD_OK;
}

/* Reads answers until the last. */
static int answers_take(int fd, struct ord_sockets *s)
{
	_Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
	for (;;) {
		ssize_t len = recv(fd, answer, sizeof answer, 0);
		if (len <= 0)
			return ORD_ERR_IO;
		for (const struct nlmsghdr *m = (const struct nlmsghdr *)answer; NLMSG_OK(m, (size_t)len);
		     m = NLMSG_NEXT(m, len)) {
			if (m->nlmsg_type == NLMSG_DONE)
				return ORD_OK;
			if (m->nlmsg_type == NLMSG_ERROR)
				return ORD_ERR_IO;
			int err = m->nlmsg_type == SOCK_DIAG_BY_FAMILY ? message_take(s, m) : ORD_OK;
			if (err != ORD_OK)
				return err;
		}
	}
}

static int family_list(int fd, uint8_t family, struct ord_sockets *s)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request = {
		.header = {.nlmsg_len = sizeof request,
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.sdiag_family = family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_ext = 1u << (INET_DIAG_INFO - 1),
			 .idiag_states = 1u << ESTABLISHED},
	};
	if (send(fd, &request, sizeof request, 0) != (ssize_t)sizeof request)
		return ORD_ERR_IO;
	return answers_take(fd, s);
}

static int inode_compare(const void *a, const void *b)
{
	uint64_t x = ((const struct ord_socket *)a)->inode, y = ((const struct ord_socket *)b)->inode;
	return (x > y) - (x < y);
}

static const struct ord_socket *socket_find(const struct ord_sockets *s, uint64_t inode)
{
	struct ord_socket key = {.inode = inode};
	return s->count == 0 ? NULL : bsearch(&key, s->list, s->count, sizeof key, inode_compare);
}

/* Sorted, for socket_find; nothing where something went wrong. */
static int list_end(struct ord_sockets *s, int err)
{
	if (err != ORD_OK)
		ord_sockets_close(s);
	else if (s->count > 0)
		qsort(s->list, s->count, sizeof *s->list, inode_compare);
	return err;
}

int ord_sockets_list(struct ord_sockets *ret)
{
	*ret = (struct ord_sockets){0};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int err = fd < 0 ? ORD_ERR_IO : family_list(fd, AF_INET, ret);
	if (err == ORD_OK)
		err = family_list(fd, AF_INET6, ret);
	if (fd >= 0)
		close(fd);
	return list_end(ret, err);
}

int ord_sockets_of(const struct ord_sockets *all, pid_t pid, struct ord_sockets *ret)
{
	char path[64], what[64];
	int err = ORD_OK;
	*ret = (struct ord_sockets){0};
	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	if (dir == NULL)
		return ORD_ERR_NOT_FOUND;
	for (const struct dirent *d = readdir(dir); d != NULL && err == ORD_OK; d = readdir(dir)) {
		uint64_t inode;
		ssize_t len = readlinkat(dirfd(dir), d->d_name, what, sizeof what - 1);
		what[len > 0 ? len : 0] = '\0';
		if (sscanf(what, "socket:[%" SCNu64, &inode) != 1)
			continue;
		const struct ord_socket *found = socket_find(all, inode);
		if (found != NULL)
			err = socket_add(ret, *found);
	}
	closedir(dir);
	return list_end(ret, err);
}

void ord_sockets_close(struct ord_sockets *s)
{
	free(s->list);
	*s = (struct ord_sockets){0};
}

void ord_sockets_since(const struct ord_sockets *begin, const struct ord_sockets *end, uint64_t *ret_sent,
		       uint64_t *ret_received)
{
	uint64_t sent = 0, received = 0;
	for (size_t i = 0; i < end->count; i++) {
		const struct ord_socket *then = socket_find(begin, end->list[i].inode);
		sent += end->list[i].sent - (then != NULL ? then->sent : 0);
		received += end->list[i].received - (then != NULL ? then->received : 0);
	}
	*ret_sent = sent;
	*ret_received = received;
}
