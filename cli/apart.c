/* SPDX-License-Identifier: Apache-2.0 - a child process that shares one piece of memory with its parent. */
#include "cli/apart.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

/* Never comes back. The exit status says that work was done, so that nothing else is taken for it. */
static void child_run(void (*work)(void *ctx), void *shared)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	work(shared);
	fflush(stdout);
	fflush(stderr);
	_exit(0);
}

static int child_wait(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return ORD_ERR_IO;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ORD_OK : ORD_ERR_CORRUPT;
}

int ord_apart_run(void (*work)(void *ctx), void *ctx, size_t ctx_bytes)
{
	void *shared = mmap(NULL, ctx_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return ORD_ERR_NOMEM;
	memcpy(shared, ctx, ctx_bytes);
	fflush(stdout); /* or both would write it */
	fflush(stderr);
	pid_t pid = fork();
	if (pid == 0)
		child_run(work, shared);
	int err = pid > 0 ? child_wait(pid) : ORD_ERR_IO;
	memcpy(ctx, shared, ctx_bytes);
	munmap(shared, ctx_bytes);
	return err;
}
