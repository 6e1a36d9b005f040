/* SPDX-License-Identifier: Apache-2.0 - a world for the checkers alone. */
#include "tests/support/sim_stub_record.h"

#include <criterion/criterion.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

static struct sim_process process;
static struct sim_process *current;
static uint64_t covered[SIM_COVER_COUNT];
static jmp_buf failed;
static bool may_fail;
static char why[2048];

void sim_stub_record_enter(uint32_t node, enum sim_process_state state)
{
	process = (struct sim_process){.name = "node", .number = node, .is_node = true, .state = state};
	current = node == 0 ? NULL : &process;
}

/* Why fn has failed the run, NULL when it has not. */
static const char *failure_of(void (*fn)(void))
{
	may_fail = true;
	if (setjmp(failed) == 0) {
		fn();
		may_fail = false;
		return NULL;
	}
	may_fail = false;
	return why;
}

void expect_failure(void (*fn)(void), const char *words)
{
	const char *text = failure_of(fn);

	cr_assert_not_null(text, "nothing was found, and \"%s\" was to be", words);
	cr_assert_not_null(strstr(text, words), "found was: %s", text);
}

void expect_content(void (*fn)(void))
{
	const char *text = failure_of(fn);

	cr_assert_null(text, "%s", text);
}

uint64_t sim_stub_record_covered(enum sim_cover what)
{
	return covered[what];
}

/* --- coverage.h, process.h, world.h --- */

void sim_cover(enum sim_cover what)
{
	covered[what]++;
}

struct sim_process *sim_current(void)
{
	return current;
}

void sim_fail(enum sim_verdict verdict, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, sizeof why, format, arguments);
	va_end(arguments);
	if (may_fail)
		longjmp(failed, 1);
	fprintf(stderr, "the run has failed (%d): %s\n", (int)verdict, why);
	abort();
}

/* --- Time. --- */

static uint64_t now_us;

void sim_stub_record_at(uint64_t us)
{
	now_us = us;
}

uint64_t sim_now_us(void)
{
	return now_us;
}
