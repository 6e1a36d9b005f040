/* SPDX-License-Identifier: Apache-2.0 - golden transcripts: plays scripts and compares what happens with what is written below each block.
 *
 * golden FILE...             compares; the last line is "N passed, N failed"; exit status 1 when one failed
 * golden --rewrite FILE...   writes what happens into the files, to be reviewed as a diff */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/golden/play.h"

#define FILE_BYTES_MAX (1 << 20)
#define LINES_AROUND 3

/* The whole file with a NUL behind it, to be freed; NULL when it cannot be read. */
static char *file_read(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = malloc(FILE_BYTES_MAX + 1);
	size_t len;

	if (file == NULL || text == NULL) {
		perror(path);
		free(text);
		if (file != NULL)
			fclose(file);
		return NULL;
	}
	len = fread(text, 1, FILE_BYTES_MAX, file);
	fclose(file);
	text[len] = '\0';
	return text;
}

static bool file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "wb");
	bool written = file != NULL && fputs(text, file) >= 0;

	if (file != NULL && fclose(file) != 0)
		written = false;
	if (!written)
		perror(path);
	return written;
}

/* The line at *at, without its newline, and steps over it; false at the end of the text. */
static bool line_take(const char **at, const char **ret_line, size_t *ret_len)
{
	const char *end;

	if (**at == '\0')
		return false;
	end = strchr(*at, '\n');
	*ret_line = *at;
	*ret_len = end == NULL ? strlen(*at) : (size_t)(end - *at);
	*at = end == NULL ? *at + *ret_len : end + 1;
	return true;
}

static bool line_is(const char *line, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(line, text, len) == 0;
}

/* Plays the script lines of the block that begins at *at, and steps over the block with what was narrated below it before. */
static void block_play(struct play *p, FILE *out, const char **at)
{
	const char *block = *at;
	const char *line;
	size_t len;
	bool narration = false;
	bool more;

	while ((more = line_take(at, &line, &len)) && len > 0) {
		narration |= line_is(line, len, "----");
		if (!narration)
			fprintf(out, "%.*s\n", (int)len, line);
	}
	fputs("----\n", out);
	while (line_take(&block, &line, &len) && len > 0 && !line_is(line, len, "----"))
		play_line(p, line, len);
	play_flush(p);
	if (more)
		fputc('\n', out);
}

/* The script with the narration of today, to be freed. */
static char *transcript(const char *script)
{
	char *text = NULL;
	size_t text_len = 0;
	FILE *out = open_memstream(&text, &text_len);
	struct play p;
	const char *at = script;
	const char *line;
	size_t len;

	if (out == NULL)
		abort();
	play_open(&p, out);
	for (const char *begin = at; line_take(&at, &line, &len); begin = at) {
		if (len == 0 || line[0] == '#') {
			fprintf(out, "%.*s\n", (int)len, line);
			continue;
		}
		at = begin;
		block_play(&p, out, &at);
	}
	play_close(&p);
	fclose(out);
	return text;
}

static void lines_show(const char *mark, const char *at, int count)
{
	const char *line;
	size_t len;

	while (count-- > 0 && line_take(&at, &line, &len))
		printf("%s %.*s\n", mark, (int)len, line);
}

static void difference_show(const char *path, const char *expected, const char *found)
{
	const char *expected_at = expected, *found_at = found;
	const char *a = "", *b = "";
	size_t a_len = 0, b_len = 0;
	int line_number = 1;

	for (;; line_number++) {
		const char *expected_begin = expected_at, *found_begin = found_at;
		bool more_a = line_take(&expected_at, &a, &a_len);
		bool more_b = line_take(&found_at, &b, &b_len);

		if (more_a && more_b && a_len == b_len && memcmp(a, b, a_len) == 0)
			continue;
		printf("%s:%d: the transcript and what happens differ from here:\n", path, line_number);
		lines_show("-", expected_begin, LINES_AROUND);
		lines_show("+", found_begin, LINES_AROUND);
		return;
	}
}

static bool golden(const char *path, bool rewrite)
{
	char *script = file_read(path);
	char *found;
	bool same;

	if (script == NULL)
		return false;
	found = transcript(script);
	same = strcmp(script, found) == 0;
	if (!same && rewrite) {
		same = file_write(path, found);
		printf("%s rewritten\n", path);
	} else if (!same)
		difference_show(path, script, found);
	free(script);
	free(found);
	return same;
}

int main(int argc, char **argv)
{
	bool rewrite = argc > 1 && strcmp(argv[1], "--rewrite") == 0;
	int first = rewrite ? 2 : 1;
	unsigned passed = 0, failed = 0;

	if (first >= argc || argv[first][0] == '-') {
		fprintf(stderr, "usage: golden [--rewrite] FILE...\n");
		return 2;
	}
	for (int i = first; i < argc; i++) {
		if (golden(argv[i], rewrite))
			passed++;
		else
			failed++;
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
