/* SPDX-License-Identifier: Apache-2.0 - what clients were told, held against the logs: nothing told may change or be forgotten, and time must look the same to all. */
#ifndef ORD_TESTS_SIM_OBSERVE_H
#define ORD_TESTS_SIM_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/ordain.h"

#define SIM_PARTITIONS_MAX 8

/* One moment, in how many commands of each partition. Whoever begins something later must see at least these: told, since somebody may have heard of them (what the
 * protocol promises); committed, since whatever begins now is logged behind them (how that promise is kept). told is never above committed. */
struct sim_moment {
	uint64_t told[SIM_PARTITIONS_MAX];
	uint64_t committed[SIM_PARTITIONS_MAX];
	uint64_t at_us; /* UINT64_MAX: it is answered together with others, and so waits for them */
	bool may_be_stale; /* a read that may see less, and says what it has seen; that there is nothing must be as true as of others */
};

/* Nothing goes wrong in this run, so whoever waits for an outcome must be told when it is there. */
void sim_observe_promptly(void);

/* Call when an operation begins: before ordain_submit or a read. */
struct sim_moment sim_observe_begin(void);

/* Call for each command of an ordain_submit that returned 0, each time, also when the same command was submitted before. Counting them tells when ORDAIN_FAILED is the last
 * word about an id: when every submission of it ended so, it must not stand in the log. */
void sim_observe_submit(const struct ordain_command *c);

/* A client is told what came of a command that was submitted at `began`. In every callback of ordain_submit, once for each item. Counts coverage. Fails the run when
 * it contradicts a log or something that was told before. */
void sim_observe_result(const struct sim_moment *began, const struct ordain_command *c, const struct ordain_result *r);

/* A client is told what a read that began at `began` saw; the pointer is NULL when it was told that there is none (ORDAIN_ERR_NOT_FOUND). Other problems of reads
 * are not told. `from` is what the read asked for, 0 and 1 both the first posting. */
void sim_observe_account(const struct sim_moment *began, struct ordain_str id_text, const struct ordain_account *seen);
void sim_observe_history(const struct sim_moment *began, struct ordain_str id_text, uint64_t from,
			 const struct ordain_history *seen);
void sim_observe_request(const struct sim_moment *began, const struct ordain_id *id, const struct ordain_request *seen);
/* A read of a request was told ORDAIN_ERR_EXPIRED. */
void sim_observe_request_expired(const struct sim_moment *began, const struct ordain_id *id);
void sim_observe_name(const struct sim_moment *began, struct ordain_str space_text, struct ordain_str name_text,
		      const struct ordain_name *seen);

/* --- For record.c, which opens and closes the memory of what was told together with its own, and holds all of it against the logs once more in sim_record_check. --- */

void sim_observe_open(void);
void sim_observe_close(void);
void sim_observe_check(void);

#endif
