/* SPDX-License-Identifier: Apache-2.0 - a client of a node's port in the same thread as the node's loop, for tests. */
#ifndef ORD_TESTS_SUPPORT_NODE_CLIENT_H
#define ORD_TESTS_SUPPORT_NODE_CLIENT_H

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* Longer than anything takes on a machine that is not stuck. */
#define CLIENT_PATIENCE_MS 20000

/* Turns the loop until the condition holds; the test fails when it never does. */
#define UNTIL(loop, condition)                                                                            \
	do {                                                                                              \
		uint64_t begin_ns = uv_hrtime();                                                          \
		while (!(condition)) {                                                                    \
			uv_run((loop), UV_RUN_NOWAIT);                                                    \
			cr_assert_lt((uv_hrtime() - begin_ns) / 1000000, CLIENT_PATIENCE_MS, #condition); \
		}                                                                                         \
	} while (0)

struct client {
	uv_loop_t *loop; /* the node's; borrowed */
	int fd;
	char *input; /* owned */
	size_t input_len;
	size_t input_taken; /* by client_poll */
	bool ended;
	bool reset; /* not in an orderly way */
};

/* Connects to 127.0.0.1. receive_bytes is the system's buffer, 0 for its default. */
struct client client_open(uv_loop_t *loop, uint16_t port, int receive_bytes);
void client_close(struct client *c);

/* Sends all, turning the loop while the system takes no more. */
void client_send(struct client *c, const void *base, size_t len);
void client_send_words(struct client *c, const char *words);

/* Takes in what has come. */
void client_fill(struct client *c);

/* The next whole message as a text (valid until the next call); "" when there is none. next waits for it, or for the connection's end. */
const char *client_poll(struct client *c);
const char *client_next(struct client *c);
const char *client_ask(struct client *c, const char *words);

/* A port that nobody uses at this moment. */
uint16_t client_free_port(void);

#endif
