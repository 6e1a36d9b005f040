/* SPDX-License-Identifier: Apache-2.0 - what a node says to its operator: lines on stderr, "time level text". */
#ifndef ORD_NODE_LOG_H
#define ORD_NODE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum ord_log_level { ORD_LOG_INFO = 1, ORD_LOG_WARN = 2, ORD_LOG_ERROR = 3 };

/* Longest line, time and newline included; a longer one is cut. */
#define ORD_LOG_LINE_BYTES_MAX 2048

/* Writes one line in one write(2), so that lines of several processes do not mix. Control characters become '?'. Lost when stderr is. */
__attribute__((format(printf, 2, 3))) void ord_log(enum ord_log_level level, const char *format, ...);

/* From now on lines of this thread begin with that name and ": "; a literal or what lives as long as the thread. */
void ord_log_thread(const char *name);

/* For lines that strangers can cause: at most one in a second. Zeroed to begin. */
struct ord_log_limit {
	uint64_t next_ms;
	uint64_t held_back_count;
};

/* True when a line may be written now (monotonic now_ms); *ret_held_back is then how many were not since the last one. */
bool ord_log_allow(struct ord_log_limit *limit, uint64_t now_ms, uint64_t *ret_held_back);

#endif
