/* SPDX-License-Identifier: Apache-2.0 - assertions that are on in every build. */
#ifndef ORD_BASE_ASSERT_H
#define ORD_BASE_ASSERT_H

/* Stops the process when condition does not hold: prints the condition, its place and the trace ring, then aborts.
 * For bugs only; bad input and failing I/O are errors (base/err.h). */
#define ORD_ASSERT(condition)                                              \
	do {                                                               \
		if (__builtin_expect(!(condition), 0))                     \
			ord_assert_failed(#condition, __FILE__, __LINE__); \
	} while (0)

__attribute__((noreturn)) void ord_assert_failed(const char *condition, const char *file, int line);

#endif
