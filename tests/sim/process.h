/* SPDX-License-Identifier: Apache-2.0 - a simulated program: a node or a client, with a machine of its own: clock, address, disk. */
#ifndef ORD_TESTS_SIM_PROCESS_H
#define ORD_TESTS_SIM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct sim_disk;
struct sim_loop;

/*
 *   DOWN --start--> UP --sim_process_kill, a fatal error, I/O number die_at_io--> DYING --end of its turn--> GHOST --all freed--> DOWN
 *
 * DYING: it is dead already, in the middle of a turn: the rest of the turn happens without consequences, since nothing that it does reaches the outside.
 * GHOST: its own code for stopping runs, so that its memory is given back; nothing of that reaches the outside either.
 */
enum sim_process_state { SIM_DOWN, SIM_UP, SIM_DYING, SIM_GHOST };

struct sim_process {
	char name[16];	  /* "node 1", "client 3" */
	uint32_t number;  /* node id, or number of the client; from 1 */
	uint32_t address; /* on the network: nodes 1 .., clients 101 .. */
	bool is_node;
	enum sim_process_state state;
	uint32_t boots_count;
	struct sim_loop *loop; /* owned by the process; NULL while it is down */
	struct sim_disk *disk; /* owned; NULL: it has none */

	/* Its clock: monotonic = base + elapsed * (1 + drift); wall = monotonic + offset. */
	int64_t clock_base_us;
	int64_t clock_since_us; /* world time at which base was right */
	int32_t drift_ppm;
	int64_t wall_offset_us;

	uint64_t paused_until_us; /* it gets no processor until then */
	uint64_t busy_until_us;	  /* its loop's thread computes or waits for a disk until then */
	uint64_t ios_count;	  /* what it did that can be seen outside */
	uint64_t die_at_io;	  /* it dies just before that one; 0: not planned */

	/* It has died: bury it (sim_process_bury in loop.h). Called by the world, when its turn is over. */
	void (*died)(struct sim_process *p);
	bool died_at_io; /* in the middle of a turn */
};

/* The program at whose order things are done now; NULL: the world itself. */
struct sim_process *sim_current(void);
/* Makes it that; returns which it was before. */
struct sim_process *sim_enter(struct sim_process *p);

/* To be asked before everything that the current program does to the outside (a write, a sync, a send): false when it is dead and nothing must come of it. May
 * be the moment at which it dies. Programs without a current process: true. */
bool sim_io(void);

/* Spends time inside a system call: a thread of the current program sleeps meanwhile, and so does the loop when it is the loop's own thread that calls. Comes back at once
 * for the dead. After it, ask whether the program is dead now. */
void sim_sleep_us(uint64_t us);
bool sim_is_dead(const struct sim_process *p);

/* Makes it DYING, in the middle of whatever it does. Asserts that it is UP. */
void sim_process_die(struct sim_process *p);

/* It gets no processor until then. */
void sim_process_pause(struct sim_process *p, uint64_t until_us);
/* It gets its processor back, and does not wait for its disk for longer than a second more: at the start of a program, how long each of many calls takes was drawn while the disk was slow. */
void sim_process_resume(struct sim_process *p);

/* Sets its clocks going when its machine is switched on: wall time is world time plus the offset (microseconds since 1970). Then changes how fast they go. */
void sim_clock_start(struct sim_process *p, int64_t wall_offset_us, int32_t drift_ppm);
void sim_clock_drift(struct sim_process *p, int32_t drift_ppm);

/* Its clocks now. */
uint64_t sim_clock_monotonic_us(const struct sim_process *p);
uint64_t sim_clock_wall_us(const struct sim_process *p);

#endif
