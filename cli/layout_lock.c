/* SPDX-License-Identifier: Apache-2.0 - the lock of a cluster's directory: one command at a time starts, ends or breaks its nodes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/layout.h"
#include "cli/process.h"

#define LOOK_MS 10

static int fail_errno(const char *path, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s: %s", path, strerror(errno));
	return ORD_ERR_IO;
}

/* Programs that are run under the lock (cli/tool.c) have it, too: one that outlives us by a moment is waited for by the next. */
static int lock_open(const char *dir, int *ret_fd, char *why, size_t why_size)
{
	char path[PATH_MAX] = "";
	if (snprintf(path, sizeof path, "%s/lock", dir) >= (int)sizeof path)
		path[0] = '\0'; /* opening it fails */
	int fd = open(path, O_RDWR | O_CREAT, 0644);
	if (fd < 0)
		return fail_errno(path, why, why_size);
	*ret_fd = fd;
	return ORD_OK;
}

int ord_layout_lock(const char *dir, int64_t timeout_ms, int *ret_fd, char *why, size_t why_size)
{
	int64_t deadline_ms = ord_process_now_ms() + timeout_ms;
	int fd;
	int err = lock_open(dir, &fd, why, why_size);
	while (err == ORD_OK && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			err = fail_errno(dir, why, why_size);
		} else if (ord_process_now_ms() >= deadline_ms) {
			snprintf(why, why_size,
				 "another command starts, ends or breaks nodes of %s and has its lock ('fuser -v "
				 "%s/lock' tells "
				 "which); wait for its end, or longer with --timeout",
				 dir, dir);
			err = ORD_ERR_TIMEOUT;
		} else {
			poll(NULL, 0, LOOK_MS);
			continue;
		}
		close(fd);
	}
	if (err == ORD_OK)
		*ret_fd = fd;
	return err;
}
