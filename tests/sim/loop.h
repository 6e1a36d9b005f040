/* SPDX-License-Identifier: Apache-2.0 - what the simulated libuv stands on: the loop of a program, its handles and its threads. Inside tests/sim/ only. */
#ifndef ORD_TESTS_SIM_LOOP_H
#define ORD_TESTS_SIM_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "tests/sim/process.h"

struct sim_socket;

/* What stands behind a uv handle; made by its init function, freed after its close callback. */
struct sim_handle {
	struct sim_handle *previous; /* among the loop's handles of this type */
	struct sim_handle *next;
	struct sim_loop *loop;
	uv_handle_t *uv;
	uv_handle_type type;
	bool active;
	bool unreferenced;
	bool closing;
	uv_close_cb close_cb;
	union {
		uv_timer_cb timer_cb;
		uv_prepare_cb prepare_cb;
		uv_check_cb check_cb;
		uv_idle_cb idle_cb;
		uv_async_cb async_cb;
	};
	uint64_t due_ms; /* timers */
	uint64_t repeat_ms;
	uint64_t start_number;	   /* timers due at the same time go in the order of their start */
	bool sent;		   /* async: the callback is to come */
	struct sim_socket *socket; /* tcp; owned */
};

/* A callback that the poll phase of the loop's next iteration makes. */
struct sim_ready {
	void (*fn)(void *ctx, uint64_t arg);
	void *ctx;
	uint64_t arg;
};

struct sim_loop *sim_loop_of(const uv_loop_t *uv);
struct sim_process *sim_loop_process(const struct sim_loop *l);

/* Makes the handle behind uv, and finds it again. */
struct sim_handle *sim_handle_open(uv_loop_t *loop, void *uv, uv_handle_type type);
struct sim_handle *sim_handle_of(const void *uv);

/* fn(ctx, arg) is called in the next iteration, which comes soon. */
void sim_loop_ready(struct sim_loop *l, void (*fn)(void *ctx, uint64_t arg), void *ctx, uint64_t arg);

/* It was paused and gets the processor again. */
void sim_loop_wake(struct sim_loop *l);

/* Takes back whatever was made ready with this ctx. */
void sim_loop_unready(struct sim_loop *l, const void *ctx);

/* The program is dead: marks it GHOST, calls stop(ctx), runs its loop without the world until all its handles are closed, closes the loop; it is DOWN then. stop may be
 * NULL when there is nothing to stop. */
void sim_process_bury(struct sim_process *p, void (*stop)(void *ctx), void *ctx);

/* Frees what loops keep from one life of their programs to the next; all are closed. */
void sim_loops_free(void);

/* --- uv_tcp.c: the end of a socket whose handle was closed, before its close callback and after it. --- */
void sim_socket_closing(struct sim_socket *s);
void sim_socket_free(struct sim_socket *s);

/* --- uv_thread.c --- */
bool sim_thread_is_running(void); /* is it a thread that is at work, and not a loop? */
void sim_thread_sleep(uint64_t us);

#endif
