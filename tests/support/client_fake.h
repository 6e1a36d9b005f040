/* SPDX-License-Identifier: Apache-2.0 - a few nodes that are none, on real sockets: what a test lets them answer, and what they were asked. */
#ifndef ORD_TESTS_SUPPORT_CLIENT_FAKE_H
#define ORD_TESTS_SUPPORT_CLIENT_FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/table.h"
#include "client/ordain.h"
#include "client/rpc.h"

#define FAKE_NODES_MAX 4
#define FAKE_PARTITIONS 8

struct fake;
struct fake_connection;

/* One request that a node got; params are valid while the handler runs, the rest until it was answered. */
struct fake_request {
	struct fake *fake;
	struct fake_connection *connection;
	uint32_t node;
	uint32_t rpc_id;
	char method[32];
	const msgpack_object *params;
};

/* Answers, holds or cuts. Not asked for `cluster`, which answers by itself. */
typedef void (*fake_handler)(struct fake_request *r);

struct fake {
	uv_loop_t *loop;
	uint32_t nodes_count;
	fake_handler handler; /* NULL: fake_answer */
	void *arg;	      /* the test's */
	struct ordain_id cluster_id;
	uint32_t leaders[FAKE_PARTITIONS]; /* as every node tells; 0: none */
	uint32_t requests_count;	   /* without `cluster` */
	uint32_t clusters_count;
	uint32_t misled_count;	  /* items that came to a node which does not lead their partition */
	uint32_t silent_node;	  /* answers nothing any more; 0: none */
	uint32_t rejected_amount; /* transfers of this amount are rejected as below_floor; 0: none */
	struct fake_node {
		uint32_t node;
		struct fake *fake;
		uv_tcp_t listener;
		bool listening;
		uint16_t port;
		uint32_t requests_count;
		struct fake_connection *connections;
	} nodes[FAKE_NODES_MAX];
	struct ord_table logged; /* ids that were carried out, each once */
};

/* Nodes 1 .. nodes_count listen on ports of their own; partition p is led by node p % nodes_count + 1. */
void fake_open(struct fake *f, uv_loop_t *loop, uint32_t nodes_count);

/* Closes all sockets; the loop must turn once more. */
void fake_close(struct fake *f);

/* The addresses of nodes 1 .. count, for ordain_options. */
const char *fake_addresses(const struct fake *f, uint32_t count);

/* Ends a node: closes its listener and its connections. */
void fake_kill(struct fake *f, uint32_t node);

/* What a right node would answer: commands are carried out once and replayed after that, reads of account "alice" and name "ns"/"name" find something. */
void fake_answer(struct fake_request *r);

/* The same, but only half of the bytes come out before the connection is cut. */
void fake_answer_half(struct fake_request *r);

void fake_fault(struct fake_request *r, const struct ord_rpc_fault *fault);

/* A result map with this status for the one command that r asks for; remembers its id. */
void fake_status(struct fake_request *r, const char *status);

/* The answer to the one command that r asks for: its id is expired, refused at 5:77. Remembers nothing. */
void fake_expired(struct fake_request *r);

/* Any bytes at all. */
void fake_bytes(struct fake_connection *c, const void *base, size_t len);

void fake_cut(struct fake_connection *c);

/* How often an id was carried out: 0 or 1. */
uint32_t fake_logged(const struct fake *f, const struct ordain_id *id);

#endif
