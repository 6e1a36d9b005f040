/* SPDX-License-Identifier: Apache-2.0 - the inside of the network, for tests/sim/net*.c alone. */
#ifndef ORD_TESTS_SIM_NET_STATE_H
#define ORD_TESTS_SIM_NET_STATE_H

#include "tests/sim/net.h"
#include "tests/sim/net_pipe.h"

struct sim_listener;

struct sim_end {
	struct sim_conn *conn;
	struct sim_socket *socket;     /* NULL: closed, or not accepted yet */
	struct sim_listener *waits_at; /* not accepted yet */
	uint32_t address;
	bool gone; /* closed, or its program is dead */
	int err;   /* what the program is told once it asks */
	struct sim_pipe out;
	uint64_t user_timeout_us;
	uint64_t keepalive_us;	/* 0: none */
	uint64_t deaf_since_us; /* the other side cannot be reached or does not know this connection; 0: not so */
};

struct sim_conn {
	uint64_t number;
	struct sim_conn *next;
	struct sim_end ends[2]; /* the one that connected, the one that accepted */
};

/* Paths. */
void sim_paths_open(void);
bool sim_path_is_open(uint32_t from, uint32_t to);
uint64_t sim_path_latency_us(uint32_t from, uint32_t to); /* drawn anew each time */
bool sim_net_is_off(uint32_t address);
void sim_paths_show(void);

/* Connections. */
uint64_t sim_conn_number(void); /* of a new one, or of an attempt to make one */
struct sim_conn *sim_conn_new(uint32_t from, uint32_t to, uint16_t port);
struct sim_conn *sim_conn_find(uint64_t number);
/* The one that this socket made, NULL when there is none. */
struct sim_conn *sim_conn_of(const struct sim_socket *s);

/* Making connections. */
void sim_connect_open(void);
/* The program at that address has ended. */
void sim_connect_forget(uint32_t address);

#endif
