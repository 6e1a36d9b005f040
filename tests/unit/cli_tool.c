/* SPDX-License-Identifier: Apache-2.0 - programs of the system: what they read, what they say, how they fail. */
#include "cli/tool.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/process.h"

static char why[512];

Test(cli_tool, output_is_taken_and_input_given)
{
	static const char *const argv[] = {"tr", "a-z", "A-Z", NULL};
	struct ord_bytes out;
	struct ord_tool tool = {.argv = argv, .input = "one\ntwo\n", .output = &out};
	ord_bytes_init(&out, 100);
	cr_assert_eq(ord_tool_run(&tool, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(out.len, 8);
	cr_assert_eq(memcmp(out.base, "ONE\nTWO\n", 8), 0);
	ord_bytes_close(&out);
}

Test(cli_tool, more_than_a_pipe_holds_goes_both_ways)
{
	static const char *const argv[] = {"cat", NULL};
	static char input[1 << 20];
	struct ord_bytes out;
	struct ord_tool tool = {.argv = argv, .input = input, .output = &out};
	memset(input, 'x', sizeof input - 1);
	ord_bytes_init(&out, sizeof input);
	cr_assert_eq(ord_tool_run(&tool, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(out.len, sizeof input - 1);
	ord_bytes_close(&out);
}

Test(cli_tool, too_much_output_is_an_error)
{
	static const char *const argv[] = {"cat", NULL};
	struct ord_bytes out;
	struct ord_tool tool = {.argv = argv, .input = "12345", .output = &out};
	ord_bytes_init(&out, 4);
	cr_assert_eq(ord_tool_run(&tool, why, sizeof why), ORD_ERR_TOO_BIG);
	cr_assert_str_eq(why, "cat: said more than fits");
	ord_bytes_close(&out);
}

Test(cli_tool, words_are_never_read_by_a_shell)
{
	static const char *const argv[] = {"echo", "$HOME; `id` *", NULL};
	struct ord_bytes out;
	struct ord_tool tool = {.argv = argv, .output = &out};
	ord_bytes_init(&out, 100);
	cr_assert_eq(ord_tool_run(&tool, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(memcmp(out.base, "$HOME; `id` *\n", out.len), 0);
	ord_bytes_close(&out);
}

Test(cli_tool, a_failure_has_the_words_and_what_was_said)
{
	cr_assert_eq(ord_tool_say(why, sizeof why, (const char *const[]){"ls", "/nowhere/at/all", NULL}), ORD_ERR_IO);
	cr_assert_not_null(strstr(why, "ls /nowhere/at/all: "), "%s", why);
	cr_assert_not_null(strstr(why, "No such file or directory"), "%s", why);
	cr_assert_eq(ord_tool_say(why, sizeof why, (const char *const[]){"false", NULL}), ORD_ERR_IO);
	cr_assert_str_eq(why, "false: failed without a word");
}

Test(cli_tool, what_is_not_installed_is_named_with_its_package)
{
	cr_assert_eq(ord_tool_say(why, sizeof why, (const char *const[]){"no-such-program", NULL}), ORD_ERR_NOT_FOUND);
	cr_assert_eq(ord_tool_check("no-such-program", "some-package", why, sizeof why), ORD_ERR_NOT_FOUND);
	cr_assert_str_eq(why,
			 "the program 'no-such-program' is not installed; get it with: apt-get install some-package");
	cr_assert_eq(ord_tool_check("ls", "coreutils", why, sizeof why), ORD_OK);
}

Test(cli_tool, a_namespace_that_is_not_there_is_named)
{
	static const char *const argv[] = {"true", NULL};
	struct ord_tool tool = {.argv = argv, .netns = "no-such-namespace"};
	cr_assert_eq(ord_tool_run(&tool, why, sizeof why), ORD_ERR_IO);
	cr_assert_not_null(strstr(why, "no-such-namespace"), "%s", why);
}

/* Looks whether a process of that pid is there. */
static bool is_there(pid_t pid)
{
	return kill(pid, 0) == 0;
}

Test(cli_tool, a_program_ends_with_who_runs_it, .timeout = 20)
{
	char path[] = "/tmp/ordain-tool-XXXXXX", script[128], text[16] = "";
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	snprintf(script, sizeof script, "echo $$ > %s; exec sleep 30", path);
	pid_t runner = fork();
	if (runner == 0) {
		ord_tool_say(why, sizeof why, (const char *const[]){"sh", "-c", script, NULL});
		_exit(0);
	}
	while (pread(fd, text, sizeof text - 1, 0) < 2)
		usleep(10000);
	pid_t program = atoi(text);
	cr_assert(is_there(program));
	kill(runner, SIGKILL);
	waitpid(runner, NULL, 0);
	while (is_there(program)) /* the test's own time limit ends this */
		usleep(10000);
	close(fd);
	unlink(path);
}
