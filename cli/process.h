/* SPDX-License-Identifier: Apache-2.0 - daemons that outlive this program: start one, find it again, signal it, wait for its end. */
#ifndef ORD_CLI_PROCESS_H
#define ORD_CLI_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A pid file holds one line, "pid start-ticks boot-id". Start ticks and boot id tell the process from a later one with the same pid, and signals
 * go through a pidfd, so a stranger is never hit. */
struct ord_process {
	int pidfd; /* owned; -1: not running */
	pid_t pid; /* 0: not running */
	bool paused;
	char state; /* as proc_pid_stat(5) has it, when it was looked for: R, S, D, T, ... */
	bool ours;  /* started by this program: a child */
};

/* Finds the process that pid_file names. A missing file, an ended process and another process with that pid all give pid 0. The end of one that
 * is dying is waited for, at most 2 s: its last threads hold its ports; when they are not gone then, it counts as running.
 * ORD_ERR_FORMAT: the file holds something else; ORD_ERR_IO: it cannot be read, or pidfds are not to be had; why tells. */
int ord_process_find(const char *pid_file, struct ord_process *ret, char *why, size_t why_size);

/* Tolerates one that is not running or closed already. */
void ord_process_close(struct ord_process *p);

struct ord_process_spawn {
	const char *program;
	char *const *argv;
	const char *log;	  /* stdout and stderr are appended to this file */
	const char *pid_file;	  /* written before the program runs; taken away when it cannot be run */
	const char *netns;	  /* the network namespace that it runs in; NULL: ours */
	char *const *environment; /* "NAME=value", set for it beside ours; ends with NULL; NULL: nothing */
};

/* Starts a daemon: own session, standard input from /dev/null, no other descriptor of ours. Returns when the program has been executed.
 * ORD_ERR_IO with why (what failed and what to do). */
int ord_process_start(const struct ord_process_spawn *spawn, struct ord_process *ret, char *why, size_t why_size);

/* ORD_ERR_NOT_FOUND when it has ended meanwhile, ORD_ERR_IO when the signal may not be sent. Asserts that it was running. */
int ord_process_signal(const struct ord_process *p, int signal_number);

/* Waits until it has ended, at most timeout_ms; true when it has. A child of ours is reaped. */
bool ord_process_wait(const struct ord_process *p, int64_t timeout_ms);

/* The number of a signal's name ("KILL", "SIGTERM", any case); 0 when there is none of that name. */
int ord_process_signal_number(const char *name);

/* Monotonic milliseconds. */
int64_t ord_process_now_ms(void);

#endif
