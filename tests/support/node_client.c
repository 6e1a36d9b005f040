/* SPDX-License-Identifier: Apache-2.0 - a client for tests of the node's port. */
#include "tests/support/node_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/node_words.h"

struct client client_open(uv_loop_t *loop, uint16_t port, int receive_bytes)
{
	struct client c = {.loop = loop, .fd = socket(AF_INET, SOCK_STREAM, 0)};
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (receive_bytes > 0)
		cr_assert_eq(setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes), 0);
	cr_assert_eq(connect(c.fd, (struct sockaddr *)&a, sizeof a), 0, "%s", strerror(errno));
	cr_assert_eq(fcntl(c.fd, F_SETFL, O_NONBLOCK), 0);
	return c;
}

void client_close(struct client *c)
{
	close(c->fd);
	free(c->input);
	*c = (struct client){.fd = -1};
}

void client_send(struct client *c, const void *base, size_t len)
{
	for (size_t sent = 0; sent < len;) {
		ssize_t n = send(c->fd, (const char *)base + sent, len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			uv_run(c->loop, UV_RUN_NOWAIT);
			continue;
		}
		cr_assert_gt(n, 0, "%s", strerror(errno));
		sent += (size_t)n;
	}
}

void client_send_words(struct client *c, const char *words)
{
	msgpack_sbuffer bytes;
	msgpack_sbuffer_init(&bytes);
	words_pack(words, &bytes);
	client_send(c, bytes.data, bytes.size);
	msgpack_sbuffer_destroy(&bytes);
}

void client_fill(struct client *c)
{
	enum { CHUNK = 1 << 18 };
	for (;;) {
		c->input = realloc(c->input, c->input_len + CHUNK);
		ssize_t n = recv(c->fd, c->input + c->input_len, CHUNK, 0);
		if (n > 0) {
			c->input_len += (size_t)n;
			continue;
		}
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			c->ended = true;
		c->reset |= n < 0 && errno == ECONNRESET;
		return;
	}
}

const char *client_poll(struct client *c)
{
	static char shown[1 << 20];
	shown[0] = '\0';
	msgpack_unpacked unpacked;
	msgpack_unpacked_init(&unpacked);
	client_fill(c);
	if (msgpack_unpack_next(&unpacked, c->input, c->input_len, &c->input_taken) == MSGPACK_UNPACK_SUCCESS)
		words_show(&unpacked.data, shown, sizeof shown);
	msgpack_unpacked_destroy(&unpacked);
	return shown;
}

const char *client_next(struct client *c)
{
	const char *shown;
	UNTIL(c->loop, (shown = client_poll(c))[0] != '\0' || c->ended);
	return shown;
}

const char *client_ask(struct client *c, const char *words)
{
	client_send_words(c, words);
	return client_next(c);
}

uint16_t client_free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	close(fd);
	return ntohs(a.sin_port);
}
