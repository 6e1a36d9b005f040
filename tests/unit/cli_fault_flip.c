/* SPDX-License-Identifier: Apache-2.0 - tests of cli/fault_flip.h and cli/wipe.h. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/fault_flip.h"
#include "cli/wipe.h"

static char dir[] = "/tmp/ordain-unit-flip.XXXXXX";

static void file_make(const char *name, const char *text, long zeros_behind)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	cr_assert_not_null(f);
	fputs(text, f);
	fflush(f);
	cr_assert_eq(ftruncate(fileno(f), (off_t)((long)strlen(text) + zeros_behind)), 0);
	fclose(f);
}

static void begin(void)
{
	static const char *const directories[] = {"wal", "history", "history/0", "state", "state/0"};
	cr_assert_not_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
		char path[256];
		snprintf(path, sizeof path, "%s/%s", dir, directories[i]);
		cr_assert_eq(mkdir(path, 0700), 0);
	}
}

static void end(void)
{
	char why[512];
	cr_assert_eq(ord_wipe(dir, why, sizeof why), ORD_OK);
	cr_assert_eq(rmdir(dir), 0, "it was empty, and still there");
	cr_assert_eq(ord_wipe(dir, why, sizeof why), ORD_OK, "what is not there is as good as empty");
}

TestSuite(cli_fault_flip, .init = begin, .fini = end);

static int flip(const char *kind, uint64_t seed, struct ord_fault_flip *ret)
{
	char why[512] = "";
	return ord_fault_flip(dir, kind, seed, ret, why, sizeof why);
}

Test(cli_fault_flip, one_bit_of_what_is_written_changes)
{
	struct ord_fault_flip f, again;
	file_make("wal/0000000000000001.wal", "written", 1 << 20);
	file_make("wal/spare", "never looked at", 0);
	for (uint64_t seed = 0; seed < 200; seed++) {
		cr_assert_eq(flip("wal", seed, &f), ORD_OK);
		cr_assert_lt(f.offset, strlen("written"));
		cr_assert_eq(f.before ^ f.after, 1u << f.bit);
		cr_assert_eq(flip("wal", seed, &again), ORD_OK, "the same seed finds it again");
		cr_assert(again.offset == f.offset && again.bit == f.bit && again.after == f.before);
	}
}

Test(cli_fault_flip, kinds_are_told_apart)
{
	struct ord_fault_flip f;
	file_make("wal/0000000000000001.wal", "", 4096);
	file_make("history/0/00000000000000000001.hist", "h", 0);
	file_make("history/0/fill.tmp", "never looked at", 0);
	file_make("state/0/data.mdb", "s", 0);
	file_make("identity", "i", 0);
	cr_assert_eq(flip("wal", 1, &f), ORD_ERR_NOT_FOUND, "nothing is written in it");
	for (uint64_t seed = 0; seed < 20; seed++) {
		cr_assert_eq(flip("history", seed, &f), ORD_OK);
		cr_assert_not_null(strstr(f.path, "00000000000000000001.hist"));
	}
	cr_assert_eq(flip("state", 1, &f), ORD_OK);
	cr_assert_not_null(strstr(f.path, "data.mdb"));
	cr_assert_eq(flip("identity", 1, &f), ORD_OK);
	cr_assert_not_null(strstr(f.path, "identity"));
}
