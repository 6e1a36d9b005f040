/* SPDX-License-Identifier: Apache-2.0 - a world for one part of the simulator alone: no time passes, and a test says who dies when. */
#ifndef ORD_TESTS_SUPPORT_SIM_STUB_H
#define ORD_TESTS_SUPPORT_SIM_STUB_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/coverage.h"
#include "tests/sim/process.h"

/* Numbers begin anew from the seed, nothing has been covered, and sim_stub_process() is up and current. */
void sim_stub_begin(uint64_t seed);

struct sim_process *sim_stub_process(void);

/* The next sim_sleep_us calls it; NULL: none does. */
void sim_stub_in_sleep(void (*fn)(void *arg), void *arg);

/* Since sim_stub_begin. */
uint64_t sim_stub_slept_us(void);
uint64_t sim_stub_covered(enum sim_cover what);

/* The last words of the trace. */
const char *sim_stub_words(void);

#endif
