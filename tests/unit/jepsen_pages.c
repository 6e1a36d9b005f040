/* SPDX-License-Identifier: Apache-2.0 - pages and the directory of a run: bounded, whole, and nothing in a history becomes markup. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "jepsen/shelf.h"
#include "jepsen/store.h"
#include "jepsen/timeline.h"

static char root[64];
static char why[512];
static struct ord_jepsen_history h;

static void begin(void)
{
	snprintf(root, sizeof root, "/tmp/ordain-pages.XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	cr_assert_eq(ord_jepsen_open(3, &h), ORD_OK);
}

static void end(void)
{
	ord_jepsen_close(&h);
	ord_store_remove(root);
	cr_expect_neq(access(root, F_OK), 0);
}

TestSuite(jepsen_pages, .init = begin, .fini = end);

/* The file's text; the caller frees it. */
static char *text_of(const char *dir, const char *name)
{
	char path[ORD_STORE_PATH_SIZE], *text = NULL;
	size_t len = 0;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *in = fopen(path, "r");
	cr_assert_not_null(in, "%s", path);
	FILE *out = open_memstream(&text, &len);
	for (int c; (c = fgetc(in)) != EOF;)
		fputc(c, out);
	fclose(in);
	fclose(out);
	return text;
}

static void op(uint32_t thread, uint64_t time_ns, enum ord_jepsen_type type, struct ord_edn value)
{
	cr_assert_eq(ord_jepsen_invoke(&h, thread, time_ns, "read", value, NULL), ORD_OK);
	cr_assert_eq(ord_jepsen_complete(&h, thread, time_ns + 1, type, value, ord_edn_nil()), ORD_OK);
}

Test(jepsen_pages, a_value_never_becomes_markup)
{
	op(0, 10, ORD_JEPSEN_OK, ord_edn_literal("<script>alert(\"&\")</script>"));
	cr_assert_eq(ord_timeline_write(root, "<b>", &h, NULL, why, sizeof why), ORD_OK);
	char *text = text_of(root, "timeline.html");
	cr_expect_null(strstr(text, "<script"));
	cr_expect_not_null(strstr(text, "&lt;script&gt;alert(\\&quot;&amp;\\&quot;)&lt;/script&gt;"));
	cr_expect_not_null(strstr(text, "<title>&lt;b&gt;</title>"));
	cr_expect_null(strstr(text, "http"), "it loads nothing from anywhere");
	free(text);
}

Test(jepsen_pages, a_timeline_has_a_box_an_operation_and_is_bounded)
{
	size_t boxes = 0;
	for (uint32_t i = 0; i < ORD_TIMELINE_OPS_MAX; i++)
		op(i % 3, 10 * i, i % 50 == 0 ? ORD_JEPSEN_INFO : ORD_JEPSEN_OK, ord_edn_int(i));
	cr_assert_eq(ord_timeline_write(root, "many", &h, NULL, why, sizeof why), ORD_OK);
	char *text = text_of(root, "timeline.html");
	for (const char *at = text; (at = strstr(at, "class=\"ok\"")) != NULL; at++)
		boxes++;
	for (const char *at = text; (at = strstr(at, "class=\"info\"")) != NULL; at++)
		boxes++;
	cr_expect_eq(boxes, ORD_TIMELINE_OPS_MAX / 2, "%zu boxes", boxes);
	free(text);
}

Test(jepsen_pages, an_operation_without_an_end_reaches_to_the_end)
{
	cr_assert_eq(ord_jepsen_invoke(&h, 0, 5, "read", ord_edn_nil(), NULL), ORD_OK);
	op(1, 10, ORD_JEPSEN_OK, ord_edn_nil());
	cr_assert_eq(ord_timeline_write(root, "open", &h, NULL, why, sizeof why), ORD_OK);
	char *text = text_of(root, "timeline.html");
	cr_expect_not_null(strstr(text, "class=\"info\""));
	free(text);
}

Test(jepsen_pages, directories_of_one_second_have_names_of_their_own)
{
	char a[ORD_STORE_PATH_SIZE], b[ORD_STORE_PATH_SIZE];
	cr_assert_eq(ord_store_make(root, "bank", a, why, sizeof why), ORD_OK);
	cr_assert_eq(ord_store_make(root, "bank", b, why, sizeof why), ORD_OK);
	cr_expect_str_neq(a, b);
	cr_expect_eq(ord_store_make("/proc/nowhere", "bank", a, why, sizeof why), ORD_ERR_IO);
	cr_expect_not_null(strstr(why, "/proc/nowhere"));
}

static void summary_store(const char *workload, const char *nemesis, bool valid)
{
	char dir[ORD_STORE_PATH_SIZE];
	struct ord_edn_pool pool;
	ord_edn_pool_init(&pool, 1u << 16);
	struct ord_edn map = ord_edn_map(&pool, 3);
	ord_edn_put_word(&map, "valid?", ord_edn_bool(valid));
	ord_edn_put_word(&map, "nemesis", ord_edn_literal(nemesis));
	ord_edn_put_word(&map, "outage_us", ord_edn_int(1234000));
	cr_assert_eq(ord_store_make(root, workload, dir, why, sizeof why), ORD_OK);
	cr_assert_eq(ord_store_value(dir, "summary.json", map, why, sizeof why), ORD_OK);
	ord_edn_pool_close(&pool);
}

Test(jepsen_pages, the_index_lists_all_runs_that_can_be_read)
{
	char dir[ORD_STORE_PATH_SIZE];
	summary_store("bank", "kill", true);
	summary_store("set", "<img>", false);
	cr_assert_eq(ord_store_make(root, "set", dir, why, sizeof why), ORD_OK); /* a run that was broken off */
	cr_assert_eq(ord_shelf_write(root, why, sizeof why), ORD_OK);
	char *text = text_of(root, "index.html");
	cr_expect_not_null(strstr(text, "<td>bank</td><td>kill</td>"));
	cr_expect_not_null(strstr(text, "class=\"valid\""));
	cr_expect_not_null(strstr(text, "class=\"invalid\""));
	cr_expect_not_null(strstr(text, "&lt;img&gt;"));
	cr_expect_not_null(strstr(text, ">1234<"));
	cr_expect_null(strstr(text, "<img"));
	free(text);
}

Test(jepsen_pages, an_index_of_nothing_is_a_page)
{
	cr_assert_eq(ord_shelf_write(root, why, sizeof why), ORD_OK);
	char *text = text_of(root, "index.html");
	cr_expect_not_null(strstr(text, "</html>"));
	free(text);
}

Test(jepsen_pages, logs_that_are_there_are_copied)
{
	char cluster[80], node[96], path[128];
	snprintf(cluster, sizeof cluster, "%s/cluster", root);
	snprintf(node, sizeof node, "%s/node-2", cluster);
	snprintf(path, sizeof path, "%s/log", node);
	cr_assert(mkdir(cluster, 0755) == 0 && mkdir(node, 0755) == 0);
	FILE *log = fopen(path, "w");
	fputs("a line\n", log);
	fclose(log);
	cr_assert_eq(ord_store_logs(root, cluster, 3, why, sizeof why), ORD_OK);
	char *text = text_of(root, "node-2.log");
	cr_expect_str_eq(text, "a line\n");
	free(text);
}
