/* SPDX-License-Identifier: Apache-2.0 - where options come from: a file of "key = value" lines, then the command line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "node/options.h"

#define LINE_BYTES_MAX 8192
#define KEY_BYTES_MAX 40

/* Keys and flags are compared with '-' and '_' taken for the same sign. */
static char key_sign(char c)
{
	return c == '-' ? '_' : c;
}

static bool key_equal(const char *a, const char *b)
{
	while (*a != '\0' && key_sign(*a) == key_sign(*b)) {
		a++;
		b++;
	}
	return *a == '\0' && *b == '\0';
}

/* How many signs must be put in, taken out or replaced to make b of a (Levenshtein's distance). */
static size_t key_distance(const char *a, const char *b)
{
	size_t row[KEY_BYTES_MAX + 1];
	size_t b_len = strlen(b);
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < b_len; j++) {
			size_t best = diagonal + (key_sign(a[i]) != key_sign(b[j]));
			diagonal = row[j + 1];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (diagonal + 1 < best)
				best = diagonal + 1;
			row[j + 1] = best;
		}
	}
	return row[b_len];
}

static const struct ord_option *option_find(const char *key)
{
	for (size_t i = 0; i < ord_options_count(); i++)
		if (key_equal(ord_option_at(i)->key, key))
			return ord_option_at(i);
	return NULL;
}

static const char *option_nearest(const char *key)
{
	const char *nearest = NULL;
	size_t least = strlen(key) < 6 ? strlen(key) / 2 + 1 : 4; /* farther than this is another word, not a slip */
	for (size_t i = 0; i < ord_options_count() && strlen(key) <= KEY_BYTES_MAX; i++) {
		size_t distance = key_distance(key, ord_option_at(i)->key);
		if (distance < least) {
			least = distance;
			nearest = ord_option_at(i)->key;
		}
	}
	return nearest;
}

/* For a flag (dashes) or for a key of the file. */
static void why_unknown(const char *place, const char *key, bool flag, char *why)
{
	const char *nearest = option_nearest(key);
	char hint[KEY_BYTES_MAX + 1] = "";
	for (size_t i = 0; nearest != NULL && nearest[i] != '\0' && i < KEY_BYTES_MAX; i++)
		hint[i] = flag && nearest[i] == '_' ? '-' : nearest[i];
	if (nearest != NULL)
		snprintf(why, ORD_CONFIG_WHY_SIZE, "%s%.60s: unknown: did you mean %s%s?", place, key, flag ? "--" : "",
			 hint);
	else
		snprintf(why, ORD_CONFIG_WHY_SIZE, "%s%.60s: unknown: see `ordaind --help`", place, key);
}

static int set_from(const char *place, const char *key, const struct ord_option *o, struct ord_config *c,
		    const char *value, char *why)
{
	char what[ORD_CONFIG_WHY_SIZE];
	int err = ord_option_set(o, c, value, what);
	if (err != ORD_OK)
		snprintf(why, ORD_CONFIG_WHY_SIZE, "%.300s%s: %.600s", place, key, what);
	return err;
}

static char *trim(char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	size_t len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		text[--len] = '\0';
	return text;
}

/* Cuts a comment: '#' at the start or after a blank. */
static void cut_comment(char *line)
{
	for (char *at = line; (at = strchr(at, '#')) != NULL; at++)
		if (at == line || at[-1] == ' ' || at[-1] == '\t') {
			*at = '\0';
			return;
		}
}

/* seen: one bit for each option, so that none is set twice (nodes may stand in several lines). */
static int line_read(struct ord_config *c, char *line, const char *place, uint32_t *seen, char *why)
{
	cut_comment(line);
	char *key = trim(line);
	if (*key == '\0')
		return ORD_OK;
	char *equals = strchr(key, '=');
	if (equals == NULL) {
		snprintf(why, ORD_CONFIG_WHY_SIZE,
			 "%.300s\"%.60s\" must be a line \"key = value\" or a comment that begins with #", place, key);
		return ORD_ERR_INVALID;
	}
	*equals = '\0';
	key = trim(key);
	const struct ord_option *o = option_find(key);
	if (o == NULL) {
		why_unknown(place, key, false, why);
		return ORD_ERR_INVALID;
	}
	uint32_t bit = 1u << (o - ord_option_at(0));
	if ((*seen & bit) != 0 && o->kind != ORD_OPTION_NODES) {
		snprintf(why, ORD_CONFIG_WHY_SIZE, "%.300s%s: set in an earlier line too: remove one of them", place,
			 key);
		return ORD_ERR_INVALID;
	}
	*seen |= bit;
	return set_from(place, o->key, o, c, trim(equals + 1), why);
}

int ord_config_read(struct ord_config *c, FILE *in, const char *name, char why[ORD_CONFIG_WHY_SIZE])
{
	char line[LINE_BYTES_MAX];
	uint32_t seen = 0;
	for (unsigned number = 1; fgets(line, sizeof line, in) != NULL; number++) {
		char place[ORD_HOST_TEXT_SIZE + 64];
		snprintf(place, sizeof place, "%.250s:%u: ", name, number);
		size_t len = strlen(line);
		if (!feof(in) && (len == 0 || line[len - 1] != '\n')) {
			snprintf(why, ORD_CONFIG_WHY_SIZE, "%.300sthe line has a NUL byte or more than %d bytes", place,
				 LINE_BYTES_MAX - 2);
			return ORD_ERR_INVALID;
		}
		int err = line_read(c, line, place, &seen, why);
		if (err != ORD_OK)
			return err;
	}
	if (ferror(in)) {
		snprintf(why, ORD_CONFIG_WHY_SIZE, "%.300s: cannot be read: %s", name, strerror(errno));
		return ORD_ERR_INVALID;
	}
	return ORD_OK;
}

static int file_read(struct ord_config *c, const char *path, char *why)
{
	FILE *in = fopen(path, "r");
	if (in == NULL) {
		snprintf(why, ORD_CONFIG_WHY_SIZE, "--config: %.300s cannot be opened: %s", path, strerror(errno));
		return ORD_ERR_INVALID;
	}
	int err = ord_config_read(c, in, path, why);
	fclose(in);
	return err;
}

/* One flag of the command line: "--key value" or "--key=value". */
struct flag {
	char key[KEY_BYTES_MAX + 1]; /* without dashes before it */
	const char *value;	     /* "yes" for those that take none */
};

static bool takes_no_value(const char *key)
{
	return key_equal(key, "print_config") || key_equal(key, "version") || key_equal(key, "help");
}

/* Takes the flag at argv[*i] and moves *i behind it. */
static int flag_take(int argc, char **argv, int *i, struct flag *ret, char *why)
{
	const char *arg = argv[(*i)++];
	if (strcmp(arg, "-h") == 0)
		arg = "--help";
	if (arg[0] != '-' || arg[1] != '-' || arg[2] == '\0') {
		snprintf(why, ORD_CONFIG_WHY_SIZE, "\"%.60s\" is not a flag: see `ordaind --help`", arg);
		return ORD_ERR_INVALID;
	}
	const char *equals = strchr(arg, '=');
	size_t len = equals == NULL ? strlen(arg) - 2 : (size_t)(equals - arg) - 2;
	*ret = (struct flag){0};
	snprintf(ret->key, sizeof ret->key, "%.*s", (int)(len < sizeof ret->key ? len : sizeof ret->key), arg + 2);
	if (!takes_no_value(ret->key) && !key_equal(ret->key, "config") && option_find(ret->key) == NULL) {
		why_unknown("--", ret->key, true, why);
		return ORD_ERR_INVALID;
	}
	const struct ord_option *o = option_find(ret->key);
	if (takes_no_value(ret->key) || (o != NULL && o->kind == ORD_OPTION_FLAG)) {
		ret->value = "yes";
		if (equals == NULL)
			return ORD_OK;
		snprintf(why, ORD_CONFIG_WHY_SIZE, "--%s: takes no value", ret->key);
		return ORD_ERR_INVALID;
	}
	if (equals == NULL && *i == argc) {
		snprintf(why, ORD_CONFIG_WHY_SIZE, "--%s: a value must follow: see `ordaind --help`", ret->key);
		return ORD_ERR_INVALID;
	}
	ret->value = equals != NULL ? equals + 1 : argv[(*i)++];
	return ORD_OK;
}

/* First pass: what is asked for, and the file. */
static int look_ahead(int argc, char **argv, enum ord_config_action *action, const char **file, char *why)
{
	for (int i = 1; i < argc;) {
		struct flag f;
		int err = flag_take(argc, argv, &i, &f, why);
		if (err != ORD_OK)
			return err;
		if (key_equal(f.key, "help") || key_equal(f.key, "version")) {
			*action = key_equal(f.key, "help") ? ORD_CONFIG_HELP : ORD_CONFIG_VERSION;
			return ORD_OK;
		}
		if (key_equal(f.key, "print_config"))
			*action = ORD_CONFIG_PRINT;
		if (key_equal(f.key, "config") && *file != NULL) {
			snprintf(why, ORD_CONFIG_WHY_SIZE, "--config: given twice: one file is read");
			return ORD_ERR_INVALID;
		}
		if (key_equal(f.key, "config"))
			*file = f.value;
	}
	return ORD_OK;
}

int ord_config_command_line(struct ord_config *c, int argc, char **argv, enum ord_config_action *ret_action,
			    char why[ORD_CONFIG_WHY_SIZE])
{
	enum ord_config_action action = ORD_CONFIG_RUN;
	const char *file = NULL;
	int err = look_ahead(argc, argv, &action, &file, why);
	if (err == ORD_OK && file != NULL && action != ORD_CONFIG_HELP && action != ORD_CONFIG_VERSION)
		err = file_read(c, file, why);
	bool nodes_seen = false;
	for (int i = 1; err == ORD_OK && i < argc && action != ORD_CONFIG_HELP && action != ORD_CONFIG_VERSION;) {
		struct flag f;
		err = flag_take(argc, argv, &i, &f, why);
		const struct ord_option *o = err == ORD_OK ? option_find(f.key) : NULL;
		if (o == NULL)
			continue;
		if (o->kind == ORD_OPTION_NODES && !nodes_seen)
			c->nodes_count = 0;
		nodes_seen |= o->kind == ORD_OPTION_NODES;
		err = set_from("--", f.key, o, c, f.value, why);
	}
	if (err == ORD_OK)
		*ret_action = action;
	return err;
}

void ord_config_help(FILE *out)
{
	fprintf(out, "usage: ordaind [--config FILE] [--OPTION VALUE ...]\n\n"
		     "Runs one node of an ordain cluster. Flags override the file, whose lines are \"key = value\" "
		     "with the\n"
		     "same names, spelt with underscores.\n\n");
	for (size_t i = 0; i < ord_options_count(); i++) {
		const struct ord_option *o = ord_option_at(i);
		char flag[KEY_BYTES_MAX + 24];
		snprintf(flag, sizeof flag, "%s %s", o->key, o->value_name);
		for (char *at = flag; *at != '\0' && *at != ' '; at++)
			*at = *at == '_' ? '-' : *at;
		fprintf(out, "  --%-28s %s", flag, o->help);
		if (o->initial != 0)
			fprintf(out, " (default %llu)", (unsigned long long)o->initial);
		fprintf(out, "\n");
	}
	fprintf(out, "  --%-28s %s\n  --%-28s %s\n  --%-28s %s\n\n", "print-config",
		"print what is in force, in the file's format, and exit", "version", "print versions and exit", "help",
		"print this and exit");
	fprintf(out, "exit status: 0 stopped on request, 1 could not start or had to stop, 2 wrong option\n");
}
