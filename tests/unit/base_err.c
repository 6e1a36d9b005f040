/* SPDX-License-Identifier: Apache-2.0 - tests of base/err.h. */
#include "base/err.h"

#include <criterion/criterion.h>
#include <string.h>

struct listed {
	int number;
	const char *name;
	const char *text;
};

static const struct listed list[] = {
#define X(number, name, text) {number, #name, text},
#include "base/errors.def"
#undef X
};
#define LIST_COUNT (sizeof list / sizeof list[0])

Test(base_err, every_number_has_its_own_name_and_text)
{
	for (size_t i = 0; i < LIST_COUNT; i++) {
		cr_assert_str_eq(ord_err_name(list[i].number), list[i].name);
		cr_assert_str_eq(ord_err_text(list[i].number), list[i].text);
		cr_assert_gt(strlen(list[i].text), 0);
		for (size_t k = 0; k < i; k++) {
			cr_assert_neq(list[i].number, list[k].number);
			cr_assert_str_neq(list[i].name, list[k].name);
			cr_assert_str_neq(list[i].text, list[k].text);
		}
	}
}

/* Callers tell errors from success by the sign of nothing but zero, and print whatever they were given. */
Test(base_err, zero_is_ok_and_other_numbers_are_named_too)
{
	cr_assert_eq(ORD_OK, 0);
	cr_assert_str_eq(ord_err_name(ORD_OK), "ok");
	cr_assert_str_eq(ord_err_text(ORD_OK), "ok");
	static const int strangers[] = {-1, 9999, 1 << 30};
	for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
		cr_assert_str_eq(ord_err_name(strangers[i]), "UNNUMBERED");
		cr_assert_str_eq(ord_err_text(strangers[i]), "unknown error");
	}
}
