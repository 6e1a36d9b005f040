/* SPDX-License-Identifier: Apache-2.0 - what observe.c and observe_read.c share. */
#ifndef ORD_TESTS_SIM_OBSERVE_STATE_H
#define ORD_TESTS_SIM_OBSERVE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "partition/command.h"
#include "tests/sim/observe.h"
#include "tests/sim/trail.h"

/* Somebody knows of the partition's commands up to this position now. */
void sim_observe_raise(uint32_t partition, uint64_t position);
/* Somebody knows this much of a request: that it was logged, and with is_decided, its outcome and with it all stages that led to it. */
void sim_observe_raise_request(const struct sim_request_trail *t, bool is_decided);

/* The same as the core has it; texts are borrowed. */
struct ord_command sim_observe_command(const struct ordain_command *c);
struct ord_slice sim_observe_slice(struct ordain_str s);
/* The first field in which two commands differ, as the protocol calls it; NULL when they are the same. */
const char *sim_observe_difference(const struct ord_command *a, const struct ord_command *b);

/* Fails the run: what a client was told of a thing is wrong. */
__attribute__((noreturn)) void sim_observe_wrong(const struct sim_moment *began, uint32_t partition,
						 struct ord_slice thing, const char *what);
__attribute__((noreturn)) void sim_observe_request_wrong(const struct sim_moment *began, uint32_t partition,
							 const struct ord_uuid *id, const char *what);

#endif
