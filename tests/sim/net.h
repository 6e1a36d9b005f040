/* SPDX-License-Identifier: Apache-2.0 - a simulated network: TCP connections between machines, and what a network does to them. */
#ifndef ORD_TESTS_SIM_NET_H
#define ORD_TESTS_SIM_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_socket;
struct sim_end;
struct sim_process;

/* Machines have addresses 1 .. SIM_ADDRESSES_MAX - 1: 10.0.0.ADDRESS. */
#define SIM_ADDRESSES_MAX 256
/* Ports from here on are those between nodes: what is sent to them are frames (node/frame.h). */
#define SIM_PEER_PORT 5001
#define SIM_CLIENT_PORT 4001

struct sim_net_habits {
	uint32_t latency_us_min; /* one way */
	uint32_t latency_us_max;
	uint32_t lose_once_in;	/* a segment: TCP sends it again after 200 ms or more. 0: never; likewise below */
	uint32_t split_once_in; /* a segment comes in two pieces, one later */
	uint32_t buffer_bytes;	/* of a direction: sent and not yet read; more is not taken from the sender */
	/* Whole frames between nodes, on a connection that stands: */
	uint32_t frame_lose_once_in;
	uint32_t frame_repeat_once_in;
	uint32_t frame_swap_once_in;   /* comes after the next one */
	uint32_t frame_garble_once_in; /* a bit is flipped */
};

void sim_net_open(void);
void sim_net_close(void);
struct sim_net_habits *sim_net_habits(void);

/* 0 or UV_EINVAL. */
int sim_net_address(uint32_t address, uint16_t port, struct sockaddr_in *ret);

/* What is sent from one machine to another does not arrive. */
void sim_net_cut(uint32_t from, uint32_t to, bool cut);
/* Takes so much longer; 0: as usual. */
void sim_net_slow(uint32_t from, uint32_t to, uint32_t latency_us);
/* All connections between two machines break; of what is under way a part arrives. */
void sim_net_reset(uint32_t a, uint32_t b);
/* A machine has power or not. */
void sim_net_power(uint32_t address, bool on);
/* The program at that address has ended: its sockets are closed by its kernel, unless that has no power either. */
void sim_net_forget(uint32_t address);

/* Prints cuts and connections, for who looks at a failure. */
void sim_net_show(void);

/* --- For uv_tcp.c. --- */

/* False when somebody listens there. */
bool sim_net_listen(uint32_t address, uint16_t port, struct sim_socket *s);
void sim_net_unlisten(const struct sim_socket *s);

/* Ends with sim_socket_connected(s), unless it is given up by sim_net_connect_stop. */
void sim_net_connect(uint32_t from, uint32_t to, uint16_t port, struct sim_socket *s);
void sim_net_connect_stop(const struct sim_socket *s);

void sim_end_attach(struct sim_end *e, struct sim_socket *s);
/* How much of it the kernel takes: less than len when it is full. Negative: a uv error. */
int64_t sim_end_write(struct sim_end *e, const void *bytes, size_t len);
/* How much there was to read: 0 when nothing, and *ret_ended when nothing will come any more. Negative: a uv error. */
int64_t sim_end_read(struct sim_end *e, void *base, size_t len, bool *ret_ended);
/* True when sim_end_read would give something: bytes, the end or an error. */
bool sim_end_is_readable(const struct sim_end *e);
/* Nothing more will be written. */
void sim_end_finish(struct sim_end *e);
void sim_end_close(struct sim_end *e);
uint32_t sim_end_peer_address(const struct sim_end *e);
void sim_end_keepalive(struct sim_end *e, uint32_t delay_s);
/* TCP_USER_TIMEOUT. */
void sim_end_user_timeout(struct sim_end *e, uint32_t timeout_ms);

/* What uv_tcp.c is told. */
void sim_socket_readable(struct sim_socket *s);
void sim_socket_writable(struct sim_socket *s);
/* end is NULL with an error. */
void sim_socket_connected(struct sim_socket *s, struct sim_end *end, int err);
void sim_socket_incoming(struct sim_socket *listener, struct sim_end *end);
/* TCP_USER_TIMEOUT of the socket with that descriptor (uv_fileno); false when it is none. */
bool sim_socket_set_timeout(int fd, uint32_t timeout_ms);
/* The program is dead: the socket stands for nothing any more. */
void sim_socket_orphan(struct sim_socket *s);

/* --- uv_names.c: what the program's resolver has not answered yet is answered in its next iteration: it is dead. --- */
void sim_names_hasten(const struct sim_process *p);

#endif
