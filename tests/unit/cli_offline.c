/* SPDX-License-Identifier: Apache-2.0 - times as people write them. */
#include "cli/offline.h"

#include <criterion/criterion.h>

#include "base/err.h"

static void cr_time(const char *text, uint64_t expected_us)
{
	uint64_t us = 0;
	cr_assert_eq(ord_offline_time(text, &us), ORD_OK, "%s", text);
	cr_assert_eq(us, expected_us, "%s: %llu", text, (unsigned long long)us);
}

Test(cli_offline, times)
{
	cr_time("0", 0);
	cr_time("1769860803141592", 1769860803141592);
	cr_time("2026-01-31T12:00:03.141592Z", 1769860803141592);
	cr_time("2026-01-31T12:00:03.5", 1769860803500000);
	cr_time("2026-01-31T12:00:03Z", 1769860803000000);
	cr_time("2026-01-31T12:00Z", 1769860800000000);
	cr_time("2026-01-31", 1769817600000000);
}

Test(cli_offline, what_is_no_time)
{
	static const char *const wrong[] = {"",
					    "noon",
					    "-5",
					    "2026-13-01",
					    "2026-01-31T12:00:03.Z",
					    "2026-01-31T12:00:03+01:00",
					    "2026-01-31T12:00:03ZZ",
					    "12:00",
					    "2026-01-31T12:00:03.5 Z"};
	uint64_t us = 7;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_assert_eq(ord_offline_time(wrong[i], &us), ORD_ERR_INVALID, "%s", wrong[i]);
	cr_assert_eq(us, 7);
}
