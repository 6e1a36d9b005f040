/* SPDX-License-Identifier: Apache-2.0 - which commit this simulator was built from; the Makefile writes commit.c. */
#ifndef ORD_TESTS_SIM_COMMIT_H
#define ORD_TESTS_SIM_COMMIT_H

extern const char sim_commit[];

#endif
