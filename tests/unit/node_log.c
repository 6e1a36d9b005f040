/* SPDX-License-Identifier: Apache-2.0 - tests of log lines, of their limit, and of the clock that never goes back. */
#include "node/log.h"

#include <criterion/criterion.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/clock.h"

/* What one call wrote to stderr. */
static const char *logged(const char *text)
{
	static char line[2 * ORD_LOG_LINE_BYTES_MAX];
	int ends[2];
	int kept = dup(STDERR_FILENO);
	cr_assert_eq(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	ord_log(ORD_LOG_WARN, "%s", text);
	dup2(kept, STDERR_FILENO);
	close(ends[1]);
	ssize_t len = read(ends[0], line, sizeof line - 1);
	cr_assert_gt(len, 0);
	cr_assert_eq(read(ends[0], line + len, 1), 0, "one write");
	line[len] = '\0';
	close(ends[0]);
	close(kept);
	return line;
}

Test(node_log, a_line_has_time_level_and_text)
{
	regex_t wanted;
	cr_assert_eq(
		regcomp(&wanted,
			"^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z warn  all is well\n$",
			REG_EXTENDED),
		0);
	const char *line = logged("all is well");
	cr_assert_eq(regexec(&wanted, line, 0, NULL, 0), 0, "%s", line);
	regfree(&wanted);
}

Test(node_log, strangers_cannot_make_lines_of_their_own)
{
	const char *line = logged("a\n2025 info  b\r\x1b[2J\x7f");
	cr_assert_not_null(strstr(line, "a?2025 info  b??[2J?\n"), "%s", line);
	cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1);
}

Test(node_log, a_long_line_is_cut_and_still_a_line)
{
	char *text = malloc(3 * ORD_LOG_LINE_BYTES_MAX);
	memset(text, 'x', 3 * ORD_LOG_LINE_BYTES_MAX);
	text[3 * ORD_LOG_LINE_BYTES_MAX - 1] = '\0';
	const char *line = logged(text);
	cr_assert_eq(strlen(line), ORD_LOG_LINE_BYTES_MAX);
	cr_assert_eq(line[ORD_LOG_LINE_BYTES_MAX - 1], '\n');
	free(text);
}

Test(node_log, one_line_in_a_second_and_the_others_are_counted)
{
	struct ord_log_limit limit = {0};
	uint64_t held_back = 99;
	cr_assert(ord_log_allow(&limit, 5000, &held_back));
	cr_assert_eq(held_back, 0);
	for (int i = 0; i < 7; i++)
		cr_assert_not(ord_log_allow(&limit, 5999, &held_back));
	cr_assert(ord_log_allow(&limit, 6000, &held_back));
	cr_assert_eq(held_back, 7);
	cr_assert_not(ord_log_allow(&limit, 6001, &held_back));
}

Test(node_log, a_clock_that_goes_back_is_not_followed)
{
	struct ord_clock c = {0};
	cr_assert_eq(ord_clock_hand_out(&c, 1000), 1000);
	cr_assert_eq(c.behind_us, 0);
	cr_assert_eq(ord_clock_hand_out(&c, 400), 1000);
	cr_assert_eq(c.behind_us, 600);
	cr_assert_eq(ord_clock_hand_out(&c, 999), 1000);
	cr_assert_eq(ord_clock_hand_out(&c, 1000), 1000);
	cr_assert_eq(c.behind_us, 0);
	cr_assert_eq(ord_clock_hand_out(&c, 1001), 1001);
}

Test(node_log, the_clocks_agree_with_themselves)
{
	struct ord_clock c = {0};
	uint64_t begin_us = ord_clock_monotonic_us();
	uint64_t wall_us = ord_clock_wall_us(&c);
	cr_assert_gt(wall_us, 1700000000000000ull, "microseconds since 1970");
	for (int i = 0; i < 1000; i++)
		cr_assert_geq(ord_clock_wall_us(&c), wall_us);
	uint64_t end_us = ord_clock_monotonic_us();
	cr_assert_geq(end_us, begin_us);
	cr_assert_geq(ord_clock_monotonic_ms(), end_us / 1000);
}
