/* SPDX-License-Identifier: Apache-2.0 - one client on one loop with the nodes that are none. */
#ifndef ORD_TESTS_SUPPORT_CLIENT_LAB_H
#define ORD_TESTS_SUPPORT_CLIENT_LAB_H

#include "tests/support/client_fake.h"

/* What came of one ordain_submit. */
struct lab_submit {
	uint32_t calls_count; /* of the callback: must become 1 */
	size_t count;
	struct ordain_result *results; /* owned; texts in it are copies, too */
};

struct lab {
	uv_loop_t loop;
	struct fake fake;
	struct ordain_client *client;
	bool closed;
};

/* nodes_count nodes, and a client that is given the addresses of the first addresses_count. options may be NULL; its addresses are not used. */
void lab_open(struct lab *lab, uint32_t nodes_count, uint32_t addresses_count, const struct ordain_options *options);

/* Closes the client unless it is closed, and the nodes; the loop must have nothing left. */
void lab_close(struct lab *lab);

/* Turns the loop until *counter is at least target; fails the test after limit_ms. */
void lab_until(struct lab *lab, const uint32_t *counter, uint32_t target, uint64_t limit_ms);

/* Turns the loop for that long. */
void lab_spend(struct lab *lab, uint64_t ms);

uint64_t lab_now_ms(void);

/* Submits and asserts that it was taken. */
void lab_submit(struct lab *lab, const struct ordain_command *commands, size_t count,
		const struct ordain_call_options *call, struct lab_submit *s);
void lab_submit_free(struct lab_submit *s);

/* A transfer with a new id. */
struct ordain_command lab_transfer(int64_t amount);

/* A transfer whose request lives in that partition. */
struct ordain_command lab_transfer_in(uint32_t partition);

#endif
