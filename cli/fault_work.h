/* SPDX-License-Identifier: Apache-2.0 - what the subcommands of `ordain fault` share: their flags, the cluster and its back end, targets, and how they answer. */
#ifndef ORD_CLI_FAULT_WORK_H
#define ORD_CLI_FAULT_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cmd.h"
#include "cli/fault.h"
#include "cli/fault_target.h"
#include "cli/sheet.h"

#define ORD_FAULT_FLAGS 5
#define ORD_FAULT_TARGET_HELP "2, or 1,3, all, leader:P, follower:P, majority, minority, random"

struct ord_fault_work {
	const struct ord_cmd *self;
	const char *dir;     /* NULL: not given; likewise below */
	const char *connect; /* the client addresses of a cluster elsewhere */
	int64_t timeout_ms;
	int64_t seed; /* drawn when it was not given */
	bool seed_given;
	bool json;
	struct ord_flag flags[ORD_FAULT_FLAGS]; /* they point into this struct, so it must not move */
	struct ord_cluster cluster;
	const struct ord_fault_back *back;
	void *ctx;	  /* of the back end; owned */
	int lock;	  /* of the directory, held; -1: not */
	int *leaders;	  /* owned; NULL: nobody was asked */
	uint32_t *voters; /* owned, with leaders; of each partition, by place (cli/survey.h) */
	bool has_voters;  /* some node has answered */
	bool has_open;	  /* opened, and not closed */
	char why[ORD_CLUSTER_WHY_SIZE];
};

/* --dir, --connect, --timeout, --json, --seed, and these flags of its own. */
struct ord_args ord_fault_args(struct ord_fault_work *w, const struct ord_cmd *self, const struct ord_flag *flags,
			       size_t flags_count);

/* Takes the directory's lock, finds the processes, opens the back end; of a cluster elsewhere, asks for its nodes, which are reached by their hooks alone. ORD_OK or an error with w->why. */
int ord_fault_open(struct ord_fault_work *w);
/* For what reaches processes and files of this machine. Of a cluster elsewhere ORD_ERR_INVALID with w->why. */
int ord_fault_open_here(struct ord_fault_work *w);
/* Also after an open that failed, or none. */
void ord_fault_close(struct ord_fault_work *w);
/* Looks for the processes again; the back end works with those of now. */
int ord_fault_refind(struct ord_fault_work *w);
void ord_fault_unlock(struct ord_fault_work *w);

/* Tells w->why; the exit status for the error. */
int ord_fault_fail(const struct ord_fault_work *w, int err);

/* Masks of the nodes by what their processes do. */
uint32_t ord_fault_running(const struct ord_fault_work *w); /* also paused ones; elsewhere, those that answered */
uint32_t ord_fault_paused(const struct ord_fault_work *w);
uint32_t ord_fault_all(const struct ord_fault_work *w);

/* Resolves a target; `random` and `follower` choose in the pool. salt makes two targets of one command differ. Errors of ord_fault_target with w->why. */
struct ord_fault_pool {
	uint32_t mask;
	const char *name; /* "runs", "is down" */
	uint64_t salt;
};
int ord_fault_resolve(struct ord_fault_work *w, const char *text, const struct ord_fault_pool *pool,
		      uint32_t *ret_mask);
/* Asks the nodes that run and are not paused, once, for leaders and voters. */
int ord_fault_ask(struct ord_fault_work *w);

/* The view by itself, with leaders when a role is asked for. */
int ord_fault_view(struct ord_fault_work *w, const struct ord_fault_pool *pool, bool needs_leaders,
		   struct ord_fault_view *ret);

/* What is shown of it. */
enum ord_fault_part { ORD_FAULT_PROCESSES = 1, ORD_FAULT_LINKS = 2, ORD_FAULT_DISKS = 4, ORD_FAULT_CLOCKS = 8 };
struct ord_fault_answer {
	const char *fault;	     /* "kill" */
	uint32_t nodes;		     /* mask: the target */
	unsigned parts;		     /* enum ord_fault_part, or-ed */
	const char *const *outcomes; /* of processes: a word for each place; NULL: none */
	bool has_seed;		     /* chance has chosen something */
	bool everything;	     /* all processes, and what is in force, not those of the target alone */
};

/* Shows it on standard output; look may be NULL without links, disks and clocks. */
void ord_fault_show(const struct ord_fault_work *w, const struct ord_fault_answer *a,
		    const struct ord_fault_look *look);

/* Begins its JSON, whose object the caller ends: {fault, back, nodes, seed. */
void ord_fault_head_json(const struct ord_fault_work *w, const struct ord_fault_answer *a, struct ord_json *j);

/* Looks, and shows the answer. Gives the exit status. */
int ord_fault_look_and_show(struct ord_fault_work *w, const struct ord_fault_answer *a);

#endif
