/* SPDX-License-Identifier: Apache-2.0 - what happens when an assertion fails. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/trace.h"

void ord_assert_failed(const char *condition, const char *file, int line)
{
	ord_trace_show(stderr);
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
	abort();
}
