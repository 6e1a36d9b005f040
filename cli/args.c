/* SPDX-License-Identifier: Apache-2.0 - a subcommand's flags and bare words, checked, into variables; and its help text made from the same list. */
#include "cli/args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"

#define FLAGS_MAX 32
#define WORD_BYTES_MAX 32 /* of a word that is compared by distance */

struct scan {
	const struct ord_args *args;
	bool given[FLAGS_MAX];
	char *why;
	size_t why_size;
};

static size_t flags_total(const struct ord_args *args)
{
	return args->flags_count + args->common_count;
}

static const struct ord_flag *flag_at(const struct ord_args *args, size_t i)
{
	return i < args->flags_count ? &args->flags[i] : &args->common[i - args->flags_count];
}

int ord_args_number(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	if (digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits))
		return ORD_ERR_INVALID;
	errno = 0;
	long long v = strtoll(text, NULL, 10);
	if (errno != 0 || v < min || v > max)
		return ORD_ERR_INVALID;
	*ret = v;
	return ORD_OK;
}

/* A number and a unit behind it that is in the list, which ends with the empty one. */
struct unit {
	const char *name;
	int64_t factor;
};

static int units_parse(const char *text, const struct unit *units, int64_t min, int64_t max, int64_t *ret)
{
	char number[24];
	int64_t v;
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits >= sizeof number)
		return ORD_ERR_INVALID;
	memcpy(number, text, digits);
	number[digits] = '\0';
	while (units->name[0] != '\0' && strcmp(text + digits, units->name) != 0)
		units++;
	if (strcmp(text + digits, units->name) != 0 ||
	    ord_args_number(number, 0, INT64_MAX / units->factor, &v) != ORD_OK)
		return ORD_ERR_INVALID;
	if (v * units->factor < min || v * units->factor > max)
		return ORD_ERR_INVALID;
	*ret = v * units->factor;
	return ORD_OK;
}

static const struct unit durations[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"", 1000}};
static const struct unit sizes[] = {{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"", 1}};

static bool choice_has(const char *choices, const char *word)
{
	size_t len = strlen(word);
	while (len > 0 && *choices != '\0') {
		size_t next = strcspn(choices, " ");
		if (next == len && memcmp(choices, word, len) == 0)
			return true;
		choices += next;
		choices += strspn(choices, " ");
	}
	return false;
}

/* The smallest number of inserted, removed, changed or swapped letters that makes b of a. */
static size_t distance(const char *a, const char *b)
{
	size_t cells[WORD_BYTES_MAX + 1][WORD_BYTES_MAX + 1];
	size_t la = strnlen(a, WORD_BYTES_MAX), lb = strnlen(b, WORD_BYTES_MAX);
	for (size_t i = 0; i <= la; i++) {
		for (size_t j = 0; j <= lb; j++) {
			if (i == 0 || j == 0) {
				cells[i][j] = i + j;
				continue;
			}
			size_t best = cells[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (cells[i - 1][j] + 1 < best)
				best = cells[i - 1][j] + 1;
			if (cells[i][j - 1] + 1 < best)
				best = cells[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    cells[i - 2][j - 2] + 1 < best)
				best = cells[i - 2][j - 2] + 1;
			cells[i][j] = best;
		}
	}
	return cells[la][lb];
}

const char *ord_args_nearest(const char *word, const char *const *words, size_t words_count)
{
	const char *nearest = NULL;
	size_t nearest_distance = strlen(word) <= 4 ? 2 : 3;
	for (size_t i = 0; i < words_count; i++) {
		size_t d = distance(word, words[i]);
		if (strlen(word) >= 2 && strncmp(word, words[i], strlen(word)) == 0)
			d = 1;
		if (d < nearest_distance && d < strlen(words[i])) {
			nearest = words[i];
			nearest_distance = d;
		}
	}
	return nearest;
}

/* word: as it was written, with its dashes; len bytes of it are the flag. */
static int flag_unknown(struct scan *s, const char *word, size_t len)
{
	const char *names[FLAGS_MAX];
	char name[WORD_BYTES_MAX + 1];
	size_t count = flags_total(s->args);
	for (size_t i = 0; i < count; i++)
		names[i] = flag_at(s->args, i)->name;
	snprintf(name, sizeof name, "%.*s", (int)(len > WORD_BYTES_MAX ? WORD_BYTES_MAX : len), word);
	const char *nearest = ord_args_nearest(name + strspn(name, "-"), names, count);
	if (nearest != NULL)
		snprintf(s->why, s->why_size, "there is no flag %s; did you mean --%s?", name, nearest);
	else
		snprintf(s->why, s->why_size, "there is no flag %s; 'ordain %s --help' lists the flags", name,
			 s->args->command);
	return ORD_ERR_INVALID;
}

/* A size as it would be written: the largest unit that it is a multiple of. */
static void size_show(int64_t bytes, char text[24])
{
	const struct unit *u = &sizes[2];
	while (u > sizes && bytes % u->factor != 0)
		u--;
	bool whole = bytes != 0 && bytes % u->factor == 0;
	snprintf(text, 24, "%" PRId64 "%s", whole ? bytes / u->factor : bytes, whole ? u->name : "");
}

static int value_bytes(struct scan *s, const struct ord_flag *f, const char *label, const char *value)
{
	char least[24], most[24];
	if (units_parse(value, sizes, f->min, f->max, f->bytes) == ORD_OK)
		return ORD_OK;
	size_show(f->min, least);
	size_show(f->max, most);
	snprintf(s->why, s->why_size,
		 "%s: '%s' is not a size from %s to %s; write it like 512M or 4G (a bare number is bytes)", label,
		 value, least, most);
	return ORD_ERR_INVALID;
}

static int value_number(struct scan *s, const struct ord_flag *f, const char *label, const char *value)
{
	int err = f->number != NULL ? ord_args_number(value, f->min, f->max, f->number)
				    : units_parse(value, durations, f->min, f->max, f->duration_ms);
	if (err == ORD_OK)
		return ORD_OK;
	if (f->number != NULL)
		snprintf(s->why, s->why_size, "%s: '%s' is not an integer from %" PRId64 " to %" PRId64, label, value,
			 f->min, f->max);
	else
		snprintf(s->why, s->why_size,
			 "%s: '%s' is not a duration from %" PRId64 "ms to %" PRId64
			 "ms; write it like 500ms, 30s or 2m",
			 label, value, f->min, f->max);
	return err;
}

/* Checks one value and stores it. label is how the user wrote it: "--amount" or "AMOUNT". */
static int value_take(struct scan *s, size_t i, const char *label, const char *value)
{
	const struct ord_flag *f = flag_at(s->args, i);
	if (s->given[i]) {
		snprintf(s->why, s->why_size, "--%s is given twice; give it once", f->name);
		return ORD_ERR_INVALID;
	}
	s->given[i] = true;
	if (f->given != NULL)
		*f->given = true;
	if (f->on != NULL) {
		*f->on = true;
		return ORD_OK;
	}
	if (f->id != NULL) {
		if (ord_uuid_parse(ord_slice_text(value), f->id) == ORD_OK)
			return ORD_OK;
		snprintf(s->why, s->why_size,
			 "%s: '%s' is not a UUID; write it like 0190b5f0-7c4e-7a11-8f00-0123456789ab", label, value);
		return ORD_ERR_INVALID;
	}
	if (f->bytes != NULL)
		return value_bytes(s, f, label, value);
	if (f->text == NULL)
		return value_number(s, f, label, value);
	if (f->choices != NULL && !choice_has(f->choices, value)) {
		snprintf(s->why, s->why_size, "%s: '%s' is not one of: %s", label, value, f->choices);
		return ORD_ERR_INVALID;
	}
	*f->text = value;
	return ORD_OK;
}

/* One word that begins with "--"; *next is the word after it, or NULL. *ret_used tells whether that was taken as its value. */
static int flag_take(struct scan *s, const char *word, const char *next, bool *ret_used)
{
	const char *equals = strchr(word, '=');
	size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
	*ret_used = false;
	for (size_t i = 0; i < flags_total(s->args); i++) {
		const struct ord_flag *f = flag_at(s->args, i);
		char label[WORD_BYTES_MAX + 4];
		if (strlen(f->name) != len - 2 || memcmp(f->name, word + 2, len - 2) != 0)
			continue;
		snprintf(label, sizeof label, "--%s", f->name);
		if (f->on != NULL && equals != NULL) {
			snprintf(s->why, s->why_size, "%s is a switch and takes no value; write only %s", label, label);
			return ORD_ERR_INVALID;
		}
		if (f->on != NULL || equals != NULL)
			return value_take(s, i, label, equals != NULL ? equals + 1 : "");
		if (next == NULL) {
			snprintf(s->why, s->why_size, "%s needs a value: %s %s", label, label, f->value);
			return ORD_ERR_INVALID;
		}
		*ret_used = true;
		return value_take(s, i, label, next);
	}
	return flag_unknown(s, word, len);
}

/* A word that is no flag: the value of the place-th bare word. */
static int word_take(struct scan *s, int place, const char *word)
{
	for (size_t i = 0; i < flags_total(s->args); i++) {
		const struct ord_flag *f = flag_at(s->args, i);
		if (f->place == place)
			return value_take(s, i, f->value, word);
	}
	snprintf(s->why, s->why_size, "'%s' is one word too many; 'ordain %s --help' shows what it takes", word,
		 s->args->command);
	return ORD_ERR_INVALID;
}

static int check_required(struct scan *s)
{
	for (size_t i = 0; i < flags_total(s->args); i++) {
		const struct ord_flag *f = flag_at(s->args, i);
		if (!f->required || s->given[i])
			continue;
		snprintf(s->why, s->why_size, "--%s is missing (%s); 'ordain %s --help' shows how it is written",
			 f->name, f->help, s->args->command);
		return ORD_ERR_INVALID;
	}
	return ORD_OK;
}

static bool help_wanted(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}

int ord_args_parse(const struct ord_args *args, int argc, char **argv, bool *ret_help, char *why, size_t why_size)
{
	struct scan s = {.args = args, .why = why, .why_size = why_size};
	bool only_words = false;
	int place = 0;
	ORD_ASSERT(flags_total(args) <= FLAGS_MAX);
	*ret_help = help_wanted(argc, argv);
	if (*ret_help)
		return ORD_OK;
	for (int i = 0; i < argc; i++) {
		bool used = false;
		int err;
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
			continue;
		}
		if (!only_words && strncmp(argv[i], "--", 2) == 0) {
			err = flag_take(&s, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used);
		} else if (!only_words && argv[i][0] == '-' && argv[i][1] >= 'a' && argv[i][1] <= 'z') {
			err = flag_unknown(&s, argv[i], strlen(argv[i]));
		} else {
			err = word_take(&s, ++place, argv[i]);
		}
		if (err != ORD_OK)
			return err;
		i += used;
	}
	return check_required(&s);
}

static void help_flag(const struct ord_flag *f, FILE *out)
{
	char left[64];
	snprintf(left, sizeof left, "--%s%s%s", f->name, f->value != NULL ? " " : "", f->value != NULL ? f->value : "");
	fprintf(out, "  %-26s %s", left, f->help);
	if (f->choices != NULL)
		fprintf(out, " (one of: %s)", f->choices);
	if (f->normal != NULL)
		fprintf(out, " [%s]", f->normal);
	fputc('\n', out);
}

void ord_args_help(const struct ord_args *args, FILE *out)
{
	fprintf(out, "usage: ordain %s", args->command);
	for (int place = 1; place < FLAGS_MAX; place++) {
		for (size_t i = 0; i < args->flags_count; i++) {
			const struct ord_flag *f = &args->flags[i];
			if (f->place == place)
				fprintf(out, f->required ? " %s" : " [%s]", f->value);
		}
	}
	for (size_t i = 0; i < args->flags_count; i++) {
		const struct ord_flag *f = &args->flags[i];
		if (f->place == 0 && f->required)
			fprintf(out, " --%s %s", f->name, f->value);
	}
	fprintf(out, " [flags]\n\n%s\n\n", args->summary);
	for (size_t i = 0; i < flags_total(args); i++)
		help_flag(flag_at(args, i), out);
	if (args->notes != NULL)
		fprintf(out, "\n%s\n", args->notes);
}
