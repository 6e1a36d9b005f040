/* SPDX-License-Identifier: Apache-2.0 - logs of nodes that ran into a bug. */
#include "jepsen/checkers/logs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "tests/support/jepsen_story.h"

static char dir[] = "/tmp/jepsen-logs-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *out = fopen(path, "w");
	cr_assert_not_null(out, "%s", path);
	fputs(text, out);
	fclose(out);
}

static void begin(void)
{
	char path[256];
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/node-1", dir);
	cr_assert_eq(mkdir(path, 0700), 0);
	put("node-1/ordaind.log", "2026-01-31T23:59:59.123Z info  serving\n");
}

static void end(void)
{
	char command[256];
	snprintf(command, sizeof command, "rm -r '%s'", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(jepsen_logs, .init = begin, .fini = end);

static void expect(const struct ord_logs_options *options, enum ord_validity validity, const char *rule)
{
	struct ord_logs_options given = options != NULL ? *options : (struct ord_logs_options){0};
	struct ord_verdict v;
	given.dir = dir;
	cr_assert_eq(ord_check_logs(&given, &v), ORD_OK);
	story_expect(&v, validity, rule);
}

Test(jepsen_logs, what_is_well_says_so)
{
	struct ord_logs_options options = {.dir = dir};
	struct ord_verdict v;
	put("node-1/other.log", "2026-01-31T23:59:59.123Z error no bug\nwithout its end");
	put("node-1/assertion.txt", "x.c:1: assertion failed: y\n");
	cr_assert_eq(ord_check_logs(&options, &v), ORD_OK);
	cr_assert_eq(story_figure(&v, "files"), 2);
	cr_assert_eq(story_figure(&v, "lines"), 3);
	story_expect(&v, ORD_VALID, NULL);
}

Test(jepsen_logs, an_assertion_is_found_where_it_is)
{
	struct ord_logs_options options = {.dir = dir};
	struct ord_verdict v;
	put("node-1/ordaind.log", "one\ntwo\nnode/x.c:12: assertion failed: a == b\n");
	cr_assert_eq(ord_check_logs(&options, &v), ORD_OK);
	cr_assert_str_eq(v.findings[0].words, "node-1/ordaind.log:3: node/x.c:12: assertion failed: a == b");
	story_expect(&v, ORD_INVALID, "assertion");
}

Test(jepsen_logs, sanitizers_are_heard)
{
	static const char *const lines[] = {"==1==ERROR: AddressSanitizer: heap-use-after-free\n",
					    "==1==ERROR: LeakSanitizer: detected memory leaks\n",
					    "WARNING: ThreadSanitizer: data race (pid=1)\n",
					    "raft/x.c:3:4: runtime error: signed integer overflow\n"};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		put("node-1/ordaind.log", lines[i]);
		expect(NULL, ORD_INVALID, "sanitizer");
	}
}

Test(jepsen_logs, a_node_stops_only_when_it_may)
{
	static const char *const allowed[] = {"no space", "write-ahead log cannot", NULL};
	put("node-1/ordaind.log", "2026 error the node has to stop: the write-ahead log cannot be written (x)\n");
	expect(NULL, ORD_INVALID, "fatal");
	expect(&(struct ord_logs_options){.may_stop = true}, ORD_VALID, NULL);
	expect(&(struct ord_logs_options){.allowed = allowed}, ORD_VALID, NULL);
	put("node-1/ordaind.log", "2026 error the node has to stop: another thing\n");
	expect(&(struct ord_logs_options){.allowed = allowed}, ORD_INVALID, "fatal");
	put("node-1/ordaind.log", "Segmentation fault\n");
	expect(&(struct ord_logs_options){.may_stop = true}, ORD_INVALID, "fatal");
}

Test(jepsen_logs, cores_are_found)
{
	put("node-1/core.1234", "");
	expect(NULL, ORD_INVALID, "core");
}

Test(jepsen_logs, lines_of_any_length_and_kind_are_read)
{
	char path[256];
	snprintf(path, sizeof path, "%s/node-1/ordaind.log", dir);
	FILE *out = fopen(path, "w");
	for (int i = 0; i < 100000; i++)
		fputc(i % 256 == '\n' ? 'x' : i % 256, out);
	fputs("\nassertion failed: x\n", out);
	fclose(out);
	expect(NULL, ORD_INVALID, "assertion");
}

Test(jepsen_logs, links_are_not_followed)
{
	char path[256];
	snprintf(path, sizeof path, "%s/node-1/loop", dir);
	cr_assert_eq(symlink("..", path), 0);
	snprintf(path, sizeof path, "%s/node-1/full.log", dir);
	cr_assert_eq(symlink("/dev/zero", path), 0);
	expect(NULL, ORD_VALID, NULL);
}

Test(jepsen_logs, without_logs_nothing_is_said)
{
	struct ord_logs_options options = {.dir = "/nowhere/at/all"};
	struct ord_verdict v;
	cr_assert_eq(ord_check_logs(&options, &v), ORD_ERR_IO);
	char path[256];
	snprintf(path, sizeof path, "%s/node-1/ordaind.log", dir);
	cr_assert_eq(unlink(path), 0);
	expect(NULL, ORD_UNKNOWN, "no-logs");
}
