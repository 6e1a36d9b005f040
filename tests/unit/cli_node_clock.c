/* SPDX-License-Identifier: Apache-2.0 - a node's wall clock on purpose wrong: what is set is read, also by a process that was there before, and also when the writer is cut off. */
#include "cli/node_clock.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/clock_page.h"

static struct ord_layout layout = {.dir = "/tmp/ordain-clock-XXXXXX", .nodes_count = 1, .nodes = {{.id = 1}}};
static const struct ord_layout_node *const node = &layout.nodes[0];
static char why[512];

static void make_dir(void)
{
	char path[PATH_MAX];
	cr_assert_not_null(mkdtemp(layout.dir));
	ord_layout_path(&layout, node, ".", path);
	cr_assert_eq(ord_layout_directory(path, why, sizeof why), ORD_OK, "%s", why);
}

static void remove_dir(void)
{
	char command[PATH_MAX + 16];
	snprintf(command, sizeof command, "rm -rf '%s'", layout.dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(cli_node_clock, .init = make_dir, .fini = remove_dir);

/* As the library in a node's process has it. */
static struct ord_clock_page *page_map(void)
{
	char path[PATH_MAX];
	ord_layout_path(&layout, node, "clock", path);
	int fd = open(path, O_RDWR);
	cr_assert_geq(fd, 0);
	void *base = mmap(NULL, ORD_CLOCK_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(base, MAP_FAILED);
	close(fd);
	return base;
}

static int64_t since_us(const struct ord_clock_page *page)
{
	return page->rules[page->current & 1].since_us;
}

Test(cli_node_clock, what_is_set_is_read_by_who_has_it_mapped)
{
	cr_assert_eq(ord_node_clock_set(&layout, node, 0, 0, why, sizeof why), ORD_OK, "%s", why);
	struct ord_clock_page *page = page_map();
	cr_assert_eq(ord_clock_page_ahead_us(page, 123456), 0);
	cr_assert_eq(ord_node_clock_set(&layout, node, -2500000, 0, why, sizeof why), ORD_OK);
	cr_assert_eq(ord_clock_page_ahead_us(page, 123456), -2500000);
	cr_assert_eq(ord_node_clock_set(&layout, node, 1000, 200, why, sizeof why), ORD_OK);
	cr_assert_eq(ord_clock_page_ahead_us(page, since_us(page)), 1000);
	cr_assert_eq(ord_clock_page_ahead_us(page, since_us(page) + 10000000), 1000 + 2000);
	cr_assert_eq(ord_node_clock_set(&layout, node, 0, -500, why, sizeof why), ORD_OK);
	cr_assert_eq(ord_clock_page_ahead_us(page, since_us(page) + 10000000), -5000);
}

Test(cli_node_clock, how_it_is_now_is_told)
{
	int64_t offset_us;
	int32_t drift_ppm;
	ord_node_clock_get(&layout, node, &offset_us, &drift_ppm);
	cr_assert_eq(offset_us, 0);
	cr_assert_eq(drift_ppm, 0);
	cr_assert_eq(ord_node_clock_set(&layout, node, 7000000, 100, why, sizeof why), ORD_OK, "%s", why);
	ord_node_clock_get(&layout, node, &offset_us, &drift_ppm);
	cr_assert(offset_us >= 7000000 && offset_us < 7001000, "%ld", (long)offset_us);
	cr_assert_eq(drift_ppm, 100);
	ord_node_clock_remove(&layout, node);
	ord_node_clock_get(&layout, node, &offset_us, &drift_ppm);
	cr_assert_eq(offset_us, 0);
}

Test(cli_node_clock, a_rule_that_was_half_written_does_not_count)
{
	cr_assert_eq(ord_node_clock_set(&layout, node, 5000, 0, why, sizeof why), ORD_OK, "%s", why);
	struct ord_clock_page *page = page_map();
	page->rules[(page->current + 1) & 1].offset_us = 999999;
	cr_assert_eq(ord_clock_page_ahead_us(page, since_us(page)), 5000);
	cr_assert_eq(ord_node_clock_set(&layout, node, 6000, 0, why, sizeof why), ORD_OK);
	cr_assert_eq(ord_clock_page_ahead_us(page, since_us(page)), 6000);
}
