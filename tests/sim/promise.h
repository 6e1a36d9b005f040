/* SPDX-License-Identifier: Apache-2.0 - what a node has told others of its term, its votes and its log, held against what it knows when it comes back
 * (Raft paper, Figure 2: what is persistent is so before a server answers). */
#ifndef ORD_TESTS_SIM_PROMISE_H
#define ORD_TESTS_SIM_PROMISE_H

#include <stddef.h>
#include <stdint.h>

#include "node/engine.h"

void sim_promise_open(void);
void sim_promise_close(void);

/* A node sends a frame to another one, whether it arrives or not. Fails the run when it votes twice in a term, or leads in one that
 * another one leads. */
void sim_promise_frame(uint32_t node, uint32_t to, const uint8_t *frame, size_t len);

/* A node has started, as that member (0: it does not know yet). When it is another one than promised, nothing is asked of it. Otherwise: its term may not be older than any that it told, nor its vote in it another one, nor its log shorter, or of earlier entries, than it told in that very term. */
void sim_promise_boot(uint32_t node, uint64_t member, uint32_t partition, const struct ord_engine *e);

#endif
