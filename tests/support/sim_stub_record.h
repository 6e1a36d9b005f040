/* SPDX-License-Identifier: Apache-2.0 - a world for the checkers alone: the test says which node applies, and gets to know why the run has failed. */
#ifndef ORD_TESTS_SUPPORT_SIM_STUB_RECORD_H
#define ORD_TESTS_SUPPORT_SIM_STUB_RECORD_H

#include <stdint.h>

#include "tests/sim/coverage.h"
#include "tests/sim/process.h"

/* Who applies from now on: the node in this state; 0: the world itself. */
void sim_stub_record_enter(uint32_t node, enum sim_process_state state);

/* Calls fn, which must fail the run (sim_fail) and say these words; or must not. */
void expect_failure(void (*fn)(void), const char *words);
void expect_content(void (*fn)(void));

/* What sim_now_us() says from now on; 0 before. */
void sim_stub_record_at(uint64_t us);

/* Since the program began. */
uint64_t sim_stub_record_covered(enum sim_cover what);

#endif
