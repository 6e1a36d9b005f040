/* SPDX-License-Identifier: Apache-2.0 - random entries by seed: few accounts, ids and names, so that everything collides with everything. */
#ifndef ORD_TESTS_MODEL_GENERATE_H
#define ORD_TESTS_MODEL_GENERATE_H

#include "partition/command.h"
#include "tests/model/model.h"
#include "tests/support/lab.h"
#include "tests/support/random.h"

#define GENERATE_ENTRY_COMMANDS_MAX 8

struct generate_entry {
	uint32_t partition;
	uint64_t time_us;
	size_t commands_count;
	struct ord_command commands[GENERATE_ENTRY_COMMANDS_MAX];
};

/* The words that commands are made of. */
struct generate_pool {
	struct ord_slice words[12];
	size_t count;
};

struct generate {
	struct random random;
	const struct model *model;
	const struct lab *lab;
	struct generate_pool accounts;
	struct generate_pool assets;
	struct generate_pool spaces;
	struct generate_pool names;
	struct generate_pool owners;
	struct ord_command *used; /* owned; client commands that were made before, to be repeated */
	size_t used_count;
	size_t used_capacity;
	size_t ids_count; /* request ids that were made */
	uint64_t time_us;
	bool timed;		  /* whether most ids have a time, and expire */
	bool extremes;		  /* whether amounts and limits near 2^63 are made */
	unsigned deliver_percent; /* the mood: how much of an entry is deliveries and trims */
};

/* Starts a sequence over a model and a lab that the caller keeps; both are only read, to know what can be delivered. */
void generate_open(struct generate *g, uint64_t seed, const struct model *m, const struct lab *l);
void generate_close(struct generate *g);

/* The next entry. Its slices point into the generator, but messages of a DELIVER are the entry's: generate_release frees them. */
struct generate_entry generate_next(struct generate *g);
void generate_release(struct generate_entry *e);

#endif
