/* SPDX-License-Identifier: Apache-2.0 - the files of tests/histories: each is judged as its name says, and written again as it is. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "jepsen/checkers/bank.h"
#include "jepsen/checkers/idempotence.h"
#include "jepsen/checkers/order.h"
#include "jepsen/checkers/register.h"
#include "jepsen/checkers/set.h"
#include "jepsen/checkers/shape.h"
#include "jepsen/checkers/stock.h"
#include "jepsen/checkers/unique.h"
#include "tests/support/jepsen_story.h"

#define DIR_NAME "tests/histories"

static int check_register(const struct ord_jepsen_history *h, struct ord_verdict *v)
{
	return ord_check_register(h, NULL, v);
}

static int check_unique(const struct ord_jepsen_history *h, struct ord_verdict *v)
{
	return ord_check_unique(h, NULL, v);
}

static const struct {
	const char *name;
	int (*check)(const struct ord_jepsen_history *h, struct ord_verdict *v);
} checkers[] = {{"bank", ord_check_bank},   {"idempotence", ord_check_idempotence},
		{"order", ord_check_order}, {"register", check_register},
		{"set", ord_check_set},	    {"shape", ord_check_shape},
		{"stock", ord_check_stock}, {"unique", check_unique}};

#define CHECKERS (sizeof checkers / sizeof *checkers)

static const char *const validities[] = {"valid", "unknown", "invalid"};

/* "bank-invalid-balance.edn" taken apart; rule is "" when there is none. */
static void take_apart(const char *file, size_t *ret_checker, enum ord_validity *ret_validity, char *rule)
{
	char text[256], *rest = NULL;
	snprintf(text, sizeof text, "%s", file);
	*strstr(text, ".edn") = '\0';
	char *checker = strtok_r(text, "-", &rest), *validity = strtok_r(NULL, "-", &rest);
	cr_assert_not_null(validity, "%s", file);
	for (*ret_checker = 0; strcmp(checkers[*ret_checker].name, checker) != 0;)
		cr_assert_lt(++*ret_checker, CHECKERS, "%s", file);
	for (*ret_validity = ORD_VALID; strcmp(validities[*ret_validity], validity) != 0;)
		cr_assert_leq(++*ret_validity, ORD_INVALID, "%s", file);
	snprintf(rule, 256, "%s", rest);
	char *planted = strstr(rule, "-planted");
	if (planted != NULL)
		*planted = '\0';
}

/* The file's text; to be freed. */
static char *text_of(const char *path)
{
	char *text = NULL;
	size_t len;
	FILE *in = fopen(path, "r"), *out = open_memstream(&text, &len);
	cr_assert_not_null(in, "%s", path);
	for (int byte = getc(in); byte != EOF; byte = getc(in))
		putc(byte, out);
	fclose(in);
	fclose(out);
	return text;
}

static void is_written_again(const struct ord_jepsen_history *h, const char *path)
{
	char *text = text_of(path), *again = NULL;
	size_t len;
	FILE *out = open_memstream(&again, &len);
	cr_assert_eq(ord_jepsen_write(h, 0, out), ORD_OK);
	fclose(out);
	cr_assert_str_eq(again, text, "%s", path);
	free(text);
	free(again);
}

static void judge(const char *file)
{
	char path[512], rule[256];
	size_t checker;
	enum ord_validity validity;
	struct ord_jepsen_history h;
	struct ord_edn_problem problem;
	struct ord_verdict v;
	take_apart(file, &checker, &validity, rule);
	snprintf(path, sizeof path, DIR_NAME "/%s", file);
	FILE *in = fopen(path, "r");
	int err = ord_jepsen_read(in, &h, &problem);
	fclose(in);
	cr_assert_eq(err, ORD_OK, "%s: line %lu, column %u: %s", file, (unsigned long)problem.line, problem.column,
		     problem.why);
	is_written_again(&h, path);
	fprintf(stderr, "%s\n", file);
	cr_assert_eq(checkers[checker].check(&h, &v), ORD_OK, "%s", file);
	story_expect(&v, validity, rule[0] != '\0' ? rule : NULL);
	ord_jepsen_close(&h);
}

/* Tests run from the repository's root. */
Test(jepsen_files, each_is_judged_as_its_name_says)
{
	uint32_t count = 0;
	DIR *dir = opendir(DIR_NAME);
	cr_assert_not_null(dir, DIR_NAME);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (strstr(e->d_name, ".edn") != NULL) {
			judge(e->d_name);
			count++;
		}
	}
	closedir(dir);
	cr_assert_geq(count, 18);
}
