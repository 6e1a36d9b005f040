/* SPDX-License-Identifier: Apache-2.0 - mapped files: they are found, and what is let go is no more the process's memory, and still there. */
#include "node/mapped.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES ((size_t)8 << 20)

static FILE *file;
static uint8_t *map;

static void setup(void)
{
	file = tmpfile();
	cr_assert_not_null(file);
	cr_assert_eq(ftruncate(fileno(file), BYTES), 0);
	map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
	cr_assert_neq(map, MAP_FAILED);
}

static void teardown(void)
{
	munmap(map, BYTES);
	fclose(file);
}

TestSuite(node_mapped, .init = setup, .fini = teardown);

/* Kilobytes of files in the process's memory. */
static long file_kilobytes(void)
{
	long kilobytes = -1;
	char line[256];
	FILE *status = fopen("/proc/self/status", "re");
	while (status != NULL && fgets(line, sizeof line, status) != NULL)
		if (sscanf(line, "RssFile: %ld", &kilobytes) == 1 || sscanf(line, "RssShmem: %ld", &kilobytes) == 1)
			if (kilobytes >= (long)(BYTES >> 10))
				break;
	if (status != NULL)
		fclose(status);
	return kilobytes;
}

Test(node_mapped, what_was_looked_at_goes_and_stays_in_the_file)
{
	for (size_t i = 0; i < BYTES; i += 512)
		map[i] = (uint8_t)(i / 512);
	long before = file_kilobytes();
	struct ord_mapped m = ord_mapped_find(fileno(file));
	if (m.base == NULL)
		cr_skip_test("this file system tells of another device");
	cr_assert_eq(m.base, map);
	cr_assert_eq(m.len, BYTES);
	ord_mapped_let_go(&m, BYTES);
	cr_expect_lt(file_kilobytes(), before - (long)(BYTES >> 11));
	for (size_t i = 0; i < BYTES; i += 512)
		cr_assert_eq(map[i], (uint8_t)(i / 512));
}

Test(node_mapped, a_file_that_is_not_mapped_is_not_found)
{
	FILE *other = tmpfile();
	cr_assert_not_null(other);
	struct ord_mapped m = ord_mapped_find(fileno(other));
	cr_expect_null(m.base);
	ord_mapped_let_go(&m, BYTES);
	cr_expect_null(ord_mapped_find(-1).base);
	fclose(other);
}
