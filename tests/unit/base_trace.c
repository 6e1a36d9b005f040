/* SPDX-License-Identifier: Apache-2.0 - tests of base/trace.h and base/assert.h: what is left to read when a bug stops the process. */
#include "base/trace.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"

static char *shown(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	ord_trace_show(out);
	fclose(out);
	return text;
}

Test(base_trace, shows_what_was_recorded_oldest_first)
{
	ord_trace("first", 1, 2);
	ord_trace("second", 3, UINT64_MAX);
	char *text = shown();
	cr_assert_str_eq(text, "trace 0: first 1 2\ntrace 1: second 3 18446744073709551615\n");
	free(text);
}

Test(base_trace, an_empty_ring_shows_nothing)
{
	char *text = shown();
	cr_assert_str_eq(text, "");
	free(text);
}

Test(base_trace, keeps_the_last_events_only)
{
	for (uint64_t i = 0; i < 3 * ORD_TRACE_EVENTS + 5; i++)
		ord_trace("step", i, 0);
	char *text = shown();
	size_t lines = 0;
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	cr_assert_eq(lines, ORD_TRACE_EVENTS);
	char want[64];
	snprintf(want, sizeof want, "trace %d: step %d 0\n", 2 * ORD_TRACE_EVENTS + 5, 2 * ORD_TRACE_EVENTS + 5);
	cr_assert_eq(strncmp(text, want, strlen(want)), 0, "begins with %.40s", text);
	snprintf(want, sizeof want, "trace %d: step %d 0\n", 3 * ORD_TRACE_EVENTS + 4, 3 * ORD_TRACE_EVENTS + 4);
	cr_assert_str_eq(text + strlen(text) - strlen(want), want);
	free(text);
}

static void *record_elsewhere(void *unused)
{
	ord_trace("elsewhere", 7, 7);
	return unused;
}

Test(base_trace, each_thread_has_its_own_ring)
{
	ord_trace("here", 1, 1);
	pthread_t thread;
	cr_assert_eq(pthread_create(&thread, NULL, record_elsewhere, NULL), 0);
	pthread_join(thread, NULL);
	char *text = shown();
	cr_assert_str_eq(text, "trace 0: here 1 1\n");
	free(text);
}

Test(base_assert, a_true_condition_is_evaluated_once_and_passes)
{
	int evaluated = 0;
	ORD_ASSERT(++evaluated == 1);
	cr_assert_eq(evaluated, 1);
}

Test(base_assert, a_false_condition_aborts, .signal = SIGABRT)
{
	ORD_ASSERT(1 + 1 == 3);
}

static void fail_with_stderr_at(int fd)
{
	dup2(fd, STDERR_FILENO);
	ord_trace("before the end", 4, 5);
	ORD_ASSERT(fd == -1);
}

Test(base_assert, says_what_where_and_what_went_before)
{
	int ends[2];
	cr_assert_eq(pipe(ends), 0);
	pid_t child = fork();
	cr_assert_geq(child, 0);
	if (child == 0)
		fail_with_stderr_at(ends[1]);
	close(ends[1]);
	char text[4096] = "";
	size_t len = 0;
	for (ssize_t got; (got = read(ends[0], text + len, sizeof text - 1 - len)) > 0; len += (size_t)got)
		;
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	cr_assert_not_null(strstr(text, "trace 0: before the end 4 5\n"), "%s", text);
	cr_assert_not_null(strstr(text, "base_trace.c:"), "%s", text);
	cr_assert_not_null(strstr(text, "assertion failed: fd == -1\n"), "%s", text);
	close(ends[0]);
}
