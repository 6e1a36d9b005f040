/* SPDX-License-Identifier: Apache-2.0 - the flags of a command into variables, checked; and its help text from the same list. */
#include "jepsen/flags.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static int number_take(const struct ord_flags_one *f, const char *text, char *why, size_t why_size)
{
	char *end;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && v >= f->min && v <= f->max) {
		*f->number = v;
		return ORD_OK;
	}
	snprintf(why, why_size, "--%s: '%s' is not an integer from %" PRId64 " to %" PRId64, f->name, text, f->min,
		 f->max);
	return ORD_ERR_INVALID;
}

/* value: what stood behind '=', else the next word; NULL: there is none. */
static int value_take(const struct ord_flags_one *f, const char *value, char *why, size_t why_size)
{
	if (f->on != NULL) {
		*f->on = true;
		return ORD_OK;
	}
	if (value == NULL) {
		snprintf(why, why_size, "--%s needs a value: --%s %s", f->name, f->name, f->value);
		return ORD_ERR_INVALID;
	}
	if (f->number != NULL)
		return number_take(f, value, why, why_size);
	*f->text = value;
	return ORD_OK;
}

/* One word that begins with "--". *ret_used: whether next was taken as its value. */
static int flag_take(const struct ord_flags *flags, const char *word, const char *next, bool *ret_used, char *why,
		     size_t why_size)
{
	const char *equals = strchr(word, '=');
	size_t len = equals != NULL ? (size_t)(equals - word) - 2 : strlen(word) - 2;
	*ret_used = false;
	for (size_t i = 0; i < flags->count; i++) {
		const struct ord_flags_one *f = &flags->list[i];
		if (strlen(f->name) != len || memcmp(f->name, word + 2, len) != 0)
			continue;
		if (f->on != NULL && equals != NULL) {
			snprintf(why, why_size, "--%s is a switch and takes no value", f->name);
			return ORD_ERR_INVALID;
		}
		*ret_used = f->on == NULL && equals == NULL;
		return value_take(f, equals != NULL ? equals + 1 : next, why, why_size);
	}
	snprintf(why, why_size, "there is no flag %s; 'ordain-jepsen %s --help' lists the flags", word, flags->command);
	return ORD_ERR_INVALID;
}

int ord_flags_parse(const struct ord_flags *flags, int argc, char **argv, bool *ret_help, char *why, size_t why_size)
{
	*ret_help = false;
	for (int i = 0; i < argc; i++)
		*ret_help = *ret_help || strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
	for (int i = 0; i < argc && !*ret_help; i++) {
		bool used = false;
		int err = ORD_OK;
		if (strncmp(argv[i], "--", 2) == 0) {
			err = flag_take(flags, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used, why, why_size);
		} else if (flags->word != NULL && *flags->word == NULL) {
			*flags->word = argv[i];
		} else {
			snprintf(why, why_size,
				 "'%s' is one word too many; 'ordain-jepsen %s --help' shows what it takes", argv[i],
				 flags->command);
			err = ORD_ERR_INVALID;
		}
		if (err != ORD_OK)
			return err;
		i += used;
	}
	if (!*ret_help && flags->word != NULL && *flags->word == NULL) {
		snprintf(why, why_size, "%s is missing; 'ordain-jepsen %s --help' shows how it is written",
			 flags->word_name, flags->command);
		return ORD_ERR_INVALID;
	}
	return ORD_OK;
}

void ord_flags_help(const struct ord_flags *flags, FILE *out)
{
	fprintf(out, "usage: ordain-jepsen %s%s%s [flags]\n\n%s\n\n", flags->command, flags->word != NULL ? " " : "",
		flags->word != NULL ? flags->word_name : "", flags->summary);
	for (size_t i = 0; i < flags->count; i++) {
		const struct ord_flags_one *f = &flags->list[i];
		char left[64];
		snprintf(left, sizeof left, "--%s %s", f->name, f->value != NULL ? f->value : "");
		fprintf(out, "  %-24s %s", left, f->help);
		if (f->number != NULL)
			fprintf(out, " [%" PRId64 "]", *f->number);
		else if (f->text != NULL && *f->text != NULL)
			fprintf(out, " [%s]", *f->text);
		fputc('\n', out);
	}
}
