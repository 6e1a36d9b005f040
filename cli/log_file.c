/* SPDX-License-Identifier: Apache-2.0 - the file that a daemon's output goes to: its last lines. */
#include "cli/log_file.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

long ord_log_file_end_bytes(const char *path)
{
	FILE *in = fopen(path, "re");
	long end = 0;
	if (in == NULL)
		return 0;
	if (fseek(in, 0, SEEK_END) == 0)
		end = ftell(in);
	fclose(in);
	return end > 0 ? end : 0;
}

void ord_log_file_tail(const char *path, long begin_bytes, char *text, size_t text_size)
{
	long end = ord_log_file_end_bytes(path);
	bool cut = end - begin_bytes > (long)text_size - 1;
	FILE *in = fopen(path, "re");
	size_t len = 0;
	if (in != NULL) {
		if (fseek(in, cut ? end - (long)text_size + 1 : begin_bytes, SEEK_SET) == 0)
			len = fread(text, 1, text_size - 1, in);
		fclose(in);
	}
	text[len] = '\0';
	char *line = strchr(text, '\n');
	if (cut && line != NULL)
		memmove(text, line + 1, strlen(line + 1) + 1);
	len = strlen(text);
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
}
