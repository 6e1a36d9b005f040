/* SPDX-License-Identifier: Apache-2.0 - what all nodes of a cluster say about themselves at one time: `status` of each, put together by partition. */
#ifndef ORD_CLI_SURVEY_H
#define ORD_CLI_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "client/ordain.h"

struct ord_survey_replica {
	bool known; /* the node answered and has it */
	char role[16];
	uint64_t term;
	uint64_t leader;
	bool ready;	 /* leads and takes commands */
	uint32_t voters; /* places of the nodes that have a vote, by what stands on this node's disk: bit i, nodes[i] */
	uint64_t commit_index;
	uint64_t applied_index;
	uint64_t position; /* offset of the next command */
	char digest[33];
	char history_hash[65];
	uint64_t accounts;
	uint64_t names;
	uint64_t requests;
	uint64_t unsettled;
	uint64_t outbox;
	char comparison[16]; /* with the others: "equal", "differs" or "fenced" */
	uint64_t marks;	     /* that it was equal to */
};

/* Of a node's disk: what is missing in the history there, and what the scrub of history, states and log has found since the node's start. */
struct ord_survey_history {
	uint64_t gaps;
	uint64_t missing; /* blocks */
	uint64_t repaired;
	uint64_t damaged; /* files */
	uint64_t rounds;
	uint64_t scrubbed_us; /* 0: no round has ended */
	uint64_t blocks;      /* checked */
	uint64_t compared;
	uint64_t different;
	uint64_t records; /* of states, checked; likewise bytes of the log */
	uint64_t log_bytes;
	uint64_t damaged_states;  /* times that one was found damaged */
	uint64_t damaged_logs;	  /* places in the log */
	uint64_t damaged_segment; /* that has not gone yet; 0: none */
	bool scrubbing;
};

struct ord_survey_node {
	uint32_t id;
	char host[256]; /* "" when not known */
	uint16_t port;	/* for clients */
	bool asked;
	bool answered;
	char problem[160]; /* why not, when asked and not answered; or for whom it waits before it takes part */
	char version[16];
	uint64_t uptime_ms;
	uint64_t wal_bytes;
	uint64_t state_bytes;  /* on disk */
	uint64_t memory_bytes; /* of records */
	char disk[12];	       /* "ok", "low" or "critical"; "" when it does not say */
	uint64_t disk_free_bytes;
	uint64_t disk_total_bytes;
	uint64_t disk_reserve_bytes;
	uint64_t checkpoints;
	uint64_t turn_p999_us; /* of the loop */
	uint64_t turn_max_us;
	struct ord_survey_history history;
	struct ord_survey_replica *replicas; /* owned; partitions_count of them */
};

struct ord_survey {
	char cluster_id[40];
	uint32_t partitions_count;
	uint32_t nodes_count;
	struct ord_survey_node nodes[ORD_NODES_MAX];
	struct ord_survey_line *line; /* owned; loop and client */
};

/* Makes a survey that knows no nodes yet, with a client of its own. 0 or enum ordain_error. */
int ord_survey_open(const struct ordain_options *options, struct ord_survey **ret);

/* Asks any node for the list of all (`cluster`). 0 or enum ordain_error with why. */
int ord_survey_discover(struct ord_survey *s, uint32_t timeout_ms, char *why, size_t why_size);

/* Without discovery: what is known already. Asserts that there is room. false: no memory. */
bool ord_survey_partitions(struct ord_survey *s, uint32_t partitions_count);
void ord_survey_node_add(struct ord_survey *s, uint32_t id);

/* Asks every node whose flag asked is set, all at once, and waits at most timeout_ms for the answers. */
void ord_survey_round(struct ord_survey *s, uint32_t timeout_ms);

/* Has every node whose flag asked is set check the whole history on its disk. As ord_survey_round, but only history is known afterwards. */
void ord_survey_scrub(struct ord_survey *s, uint32_t timeout_ms);

/* Has every node whose flag asked is set write its states to disk soon. As ord_survey_round, but nothing else is known afterwards. */
void ord_survey_checkpoint(struct ord_survey *s, uint32_t timeout_ms);

void ord_survey_close(struct ord_survey *s);

/* The node (by its place) that leads the partition with the highest term; -1 when no node that answered does. */
int ord_survey_leader(const struct ord_survey *s, uint32_t partition);

/* Partitions whose replica at the node (by its place) leads or follows a leader: the others take part with it. 0 when it did not answer. */
uint32_t ord_survey_led_count(const struct ord_survey *s, uint32_t place);

/* Partitions with a leader that takes commands. */
uint32_t ord_survey_ready_count(const struct ord_survey *s);

/* Places (bit i: nodes[i]) of the nodes that have a vote in the partition by the word of all nodes that answered: those of which a majority decides. False when no node answered, and ret is
 * 0: then nothing is known. */
bool ord_survey_voters(const struct ord_survey *s, uint32_t partition, uint32_t *ret);

/* False when two replicas at the same position have different digests or history hashes. Not by the applied index: after a start the state is that of the checkpoint, and the group
 * passes over what it has already. */
bool ord_survey_agrees(const struct ord_survey *s, uint32_t partition);

/* Whether two replicas stood at the same position: without such a pair ord_survey_agrees has compared nothing. */
bool ord_survey_compares(const struct ord_survey *s, uint32_t partition);

#endif
