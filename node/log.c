/* SPDX-License-Identifier: Apache-2.0 - lines on stderr. */
#include "node/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "node/clock.h"

#define LOG_LIMIT_MS 1000

static _Thread_local const char *thread_name;

void ord_log_thread(const char *name)
{
	thread_name = name;
}

static const char *level_name(enum ord_log_level level)
{
	switch (level) {
	case ORD_LOG_INFO:
		return "info ";
	case ORD_LOG_WARN:
		return "warn ";
	case ORD_LOG_ERROR:
		return "error";
	}
	return "?";
}

/* "2025-01-31T23:59:59.123Z warn  " */
static size_t put_head(enum ord_log_level level, char *line, size_t line_size)
{
	uint64_t now_us = ord_clock_system_us();
	time_t seconds = (time_t)(now_us / 1000000);
	struct tm at;
	gmtime_r(&seconds, &at);
	size_t len = strftime(line, line_size, "%Y-%m-%dT%H:%M:%S", &at);
	unsigned ms = (unsigned)(now_us / 1000 % 1000);
	bool is_named = thread_name != NULL;
	return len + (size_t)snprintf(line + len, line_size - len, ".%03uZ %s %s%s", ms, level_name(level),
				      is_named ? thread_name : "", is_named ? ": " : "");
}

void ord_log(enum ord_log_level level, const char *format, ...)
{
	char line[ORD_LOG_LINE_BYTES_MAX];
	size_t begin = put_head(level, line, sizeof line);
	va_list args;
	va_start(args, format);
	int wanted = vsnprintf(line + begin, sizeof line - begin, format, args);
	va_end(args);
	size_t len = begin + (wanted < 0 ? 0 : (size_t)wanted);
	if (len > sizeof line - 1)
		len = sizeof line - 1;
	for (size_t i = begin; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len] = '\n';
	ssize_t written = write(STDERR_FILENO, line, len + 1);
	(void)written;
}

bool ord_log_allow(struct ord_log_limit *limit, uint64_t now_ms, uint64_t *ret_held_back)
{
	if (now_ms < limit->next_ms) {
		limit->held_back_count++;
		return false;
	}
	*ret_held_back = limit->held_back_count;
	*limit = (struct ord_log_limit){.next_ms = now_ms + LOG_LIMIT_MS};
	return true;
}
