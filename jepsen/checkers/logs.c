/* SPDX-License-Identifier: Apache-2.0 - checker: nodes that ran into a bug. */
#include "jepsen/checkers/logs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define DEPTH_MAX 8
#define PATH_BYTES 1024
#define LINE_BYTES 2048 /* of a line no more is looked at */

struct sign {
	const char *rule;
	const char *text;
	bool is_stop;
};

static const struct sign signs[] = {
	{"assertion", "assertion failed", false},
	{"assertion", "Assertion `", false},
	{"sanitizer", "ERROR: AddressSanitizer", false},
	{"sanitizer", "ERROR: LeakSanitizer", false},
	{"sanitizer", "ERROR: ThreadSanitizer", false},
	{"sanitizer", "WARNING: ThreadSanitizer", false},
	{"sanitizer", "UndefinedBehaviorSanitizer", false},
	{"sanitizer", ": runtime error: ", false},
	{"fatal", "the node has to stop", true},
	{"fatal", "Segmentation fault", false},
	{"fatal", "*** stack smashing detected ***", false},
	{"fatal", "*** buffer overflow detected ***", false},
	{"fatal", "free(): invalid", false},
	{"fatal", "double free or corruption", false},
	{"fatal", "malloc(): ", false},
	{"fatal", "corrupted size vs. prev_size", false},
};

struct logs {
	const struct ord_logs_options *options;
	struct ord_verdict *v;
	uint64_t files_count;
	uint64_t lines_count;
	uint64_t bytes_count;
	uint64_t stops_count;
};

static bool is_allowed(const struct logs *l, const char *line)
{
	for (const char *const *a = l->options->allowed; a != NULL && *a != NULL; a++) {
		if (strstr(line, *a) != NULL)
			return true;
	}
	return false;
}

static void look_at_line(struct logs *l, const char *path, uint64_t number, const char *line)
{
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		if (strstr(line, signs[i].text) == NULL)
			continue;
		l->stops_count += signs[i].is_stop;
		if ((signs[i].is_stop && l->options->may_stop) || is_allowed(l, line))
			return;
		ord_verdict_add(l->v, ORD_INVALID, signs[i].rule, ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"%s:%" PRIu64 ": %.140s", path, number, line);
		return;
	}
}

/* The next line, its end cut off, NULs as question marks; false at the end of the file. */
static bool line_next(struct logs *l, FILE *in, char *line)
{
	size_t len = 0;
	int byte = getc_unlocked(in);
	bool have = byte != EOF;
	for (; byte != EOF && byte != '\n'; byte = getc_unlocked(in)) {
		if (len < LINE_BYTES - 1)
			line[len++] = byte != 0 ? (char)byte : '?';
		l->bytes_count++;
	}
	line[len] = '\0';
	l->bytes_count += byte == '\n';
	l->lines_count += have;
	return have;
}

static int look_at_file(struct logs *l, int dir, const char *name, const char *path)
{
	char line[LINE_BYTES];
	int file = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	FILE *in = file >= 0 ? fdopen(file, "r") : NULL;
	if (in == NULL) {
		if (file >= 0)
			close(file);
		return ORD_ERR_IO;
	}
	l->files_count++;
	for (uint64_t number = 1; line_next(l, in, line); number++)
		look_at_line(l, path, number, line);
	int err = ferror(in) ? ORD_ERR_IO : ORD_OK;
	fclose(in);
	return err;
}

static bool is_log(const char *name)
{
	size_t len = strlen(name);
	return len > 4 && strcmp(name + len - 4, ".log") == 0;
}

static bool is_core(const char *name)
{
	return strcmp(name, "core") == 0 || strncmp(name, "core.", 5) == 0;
}

static int look_at_dir(struct logs *l, int dir, const char *path, uint32_t depth);

static int look_at_entry(struct logs *l, int dir, const char *name, const char *path, uint32_t depth)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? ORD_OK : ORD_ERR_IO;
	if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
		int below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		return below < 0 ? ORD_ERR_IO : look_at_dir(l, below, path, depth + 1);
	}
	if (!S_ISREG(st.st_mode))
		return ORD_OK;
	if (is_core(name))
		ord_verdict_add(l->v, ORD_INVALID, "core", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE, "%s: a core file", path);
	return is_log(name) ? look_at_file(l, dir, name, path) : ORD_OK;
}

/* Takes dir over. */
static int look_at_dir(struct logs *l, int dir, const char *path, uint32_t depth)
{
	DIR *d = fdopendir(dir);
	int err = ORD_OK;
	if (d == NULL) {
		close(dir);
		return ORD_ERR_IO;
	}
	for (struct dirent *e; err == ORD_OK && (e = readdir(d)) != NULL;) {
		char below[PATH_BYTES];
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof below, "%s%s%s", path, path[0] != '\0' ? "/" : "", e->d_name);
		err = look_at_entry(l, dir, e->d_name, below, depth);
	}
	closedir(d);
	return err;
}

int ord_check_logs(const struct ord_logs_options *options, struct ord_verdict *ret)
{
	struct logs l = {.options = options, .v = ret};
	int err = ord_verdict_open(ret);
	if (err != ORD_OK)
		return err;
	int dir = open(options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = dir < 0 ? ORD_ERR_IO : look_at_dir(&l, dir, "", 1);
	if (err != ORD_OK) {
		ord_verdict_close(ret);
		return err;
	}
	if (l.files_count == 0)
		ord_verdict_add(ret, ORD_UNKNOWN, "no-logs", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"no file in %s ends in .log", options->dir);
	ord_verdict_count(ret, "files", l.files_count);
	ord_verdict_count(ret, "lines", l.lines_count);
	ord_verdict_count(ret, "bytes", l.bytes_count);
	ord_verdict_count(ret, "stops", l.stops_count);
	return ORD_OK;
}
