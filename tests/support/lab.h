/* SPDX-License-Identifier: Apache-2.0 - a cluster without a network: real partitions, their logs, and every message that ever left them. */
#ifndef ORD_TESTS_SUPPORT_LAB_H
#define ORD_TESTS_SUPPORT_LAB_H

#include <stdint.h>

#include "partition/command.h"
#include "partition/partition.h"
#include "tests/support/memory_store.h"
#include "tests/support/random.h"

#define LAB_PARTITIONS_MAX 8

/* One command as it stands in a log. */
struct lab_command {
	uint8_t *bytes; /* owned */
	size_t len;
	uint64_t time_us;
	bool begins_entry;
};

struct lab_log {
	struct lab_command *commands; /* owned */
	size_t count;
	size_t capacity;
};

/* One message, encoded; letter i of a pair has number i + 1. They are kept after the source has trimmed them: networks do that too. */
struct lab_letter {
	uint8_t *bytes; /* owned */
	size_t len;
};

struct lab_letters {
	struct lab_letter *letters; /* owned */
	size_t count;
	size_t capacity;
};

/* Where a partition's checkpoints go, when the lab has stores. */
struct lab_store {
	struct memory_store store;
	bool taken; /* a checkpoint is being written: */
	struct ord_changes changes;
};

struct lab {
	uint32_t partitions_count;
	struct ord_partition *partitions[LAB_PARTITIONS_MAX]; /* owned */
	struct lab_log logs[LAB_PARTITIONS_MAX];
	struct lab_letters letters[LAB_PARTITIONS_MAX][LAB_PARTITIONS_MAX]; /* [source][destination] */
	struct ord_effects fx;						    /* of the last lab_apply */
	struct lab_store *stores; /* owned; as partitions; NULL when everything stays in memory */
};

/* Makes partitions_count empty partitions. */
void lab_open(struct lab *l, uint32_t partitions_count);
void lab_close(struct lab *l);

/* The same, each with a store. */
void lab_open_stored(struct lab *l, uint32_t partitions_count);

/* Goes on with the partition's checkpoint by one step of at most rows_max rows, or begins one. Asserts stores. */
void lab_checkpoint(struct lab *l, uint32_t partition, size_t rows_max);
/* Goes on with it, or with a new one, by such steps to its end. */
void lab_checkpoint_whole(struct lab *l, uint32_t partition, size_t rows_max);

/* What a start finds: the last checkpoint that was written, and the log after it. Another partition takes the place of the running one, a checkpoint under way is lost. */
void lab_restart(struct lab *l, uint32_t partition);

/* Logs the commands as one entry of that partition, applies it (effects are in l->fx) and collects the messages that it gave. */
void lab_apply(struct lab *l, uint32_t partition, const struct ord_command *commands, size_t commands_count,
	       uint64_t time_us);

/* A DELIVER of the letters first .. first + count - 1 from source to destination. The messages are owned by the caller (free). */
struct ord_command lab_deliver(const struct lab *l, uint32_t source, uint32_t destination, uint64_t first,
			       uint32_t count);

/* A fresh partition that has applied the first commands_count commands of the log, in the entries in which they were logged
 * (a prefix that ends within an entry is cut back to the entry's begin). The caller closes it. */
struct ord_partition *lab_replay(const struct lab *l, uint32_t partition, size_t commands_count);

/* The same for the whole log, with the entries cut or joined anew wherever the time of two neighbours is the same. */
struct ord_partition *lab_resplit(const struct lab *l, uint32_t partition, struct random *r);

/* Puts a replayed partition in the place of the running one, as a restart does. */
void lab_replace(struct lab *l, uint32_t partition, struct ord_partition *replacement);

#endif
