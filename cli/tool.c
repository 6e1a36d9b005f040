/* SPDX-License-Identifier: Apache-2.0 - programs of the system (ip, tc, nft, mount): run one, by argv and never through a shell, and take what it says. */
#include "cli/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/process.h"

#define RUN_MS_MAX 60000
#define SAID_BYTES_MAX 1024 /* of what a program says is wrong */
#define CANNOT_RUN 127

/* What a program reads and writes are files in memory: neither side waits for the other. */
struct streams {
	int input;
	int output;
	int errors;
};

static void streams_close(struct streams *s)
{
	int *all[] = {&s->input, &s->output, &s->errors};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (*all[i] >= 0)
			close(*all[i]);
		*all[i] = -1;
	}
}

static int streams_open(const char *input, struct streams *ret)
{
	size_t len = input != NULL ? strlen(input) : 0;
	*ret = (struct streams){.input = memfd_create("input", MFD_CLOEXEC),
				.output = memfd_create("output", MFD_CLOEXEC),
				.errors = memfd_create("errors", MFD_CLOEXEC)};
	if (ret->input < 0 || ret->output < 0 || ret->errors < 0)
		return ORD_ERR_IO;
	if (len > 0 && write(ret->input, input, len) != (ssize_t)len)
		return ORD_ERR_IO;
	return lseek(ret->input, 0, SEEK_SET) == 0 ? ORD_OK : ORD_ERR_IO;
}

/* The path of a program. */
static int program_find(const char *name, char path[PATH_MAX])
{
	const char *places[] = {getenv("PATH"), "/usr/sbin:/usr/bin:/sbin:/bin"}; /* a user's PATH often has no sbin */
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		const char *at = places[i];
		while (at != NULL && *at != '\0') {
			size_t part = strcspn(at, ":");
			int len = snprintf(path, PATH_MAX, "%.*s/%s", (int)part, at, name);
			if (part > 0 && len < PATH_MAX && access(path, X_OK) == 0)
				return ORD_OK;
			at += part + (at[part] == ':');
		}
	}
	return ORD_ERR_NOT_FOUND;
}

int ord_tool_check(const char *program, const char *package, char *why, size_t why_size)
{
	char path[PATH_MAX];
	if (program_find(program, path) == ORD_OK)
		return ORD_OK;
	snprintf(why, why_size, "the program '%s' is not installed; get it with: apt-get install %s", program, package);
	return ORD_ERR_NOT_FOUND;
}

int ord_tool_enter(const char *netns)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "/run/netns/%s", netns);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ORD_ERR_IO;
	int err = setns(fd, CLONE_NEWNET) == 0 ? ORD_OK : ORD_ERR_IO;
	close(fd);
	return err;
}

/* In the child. */
__attribute__((noreturn)) static void become(const struct ord_tool *tool, const char *path, const struct streams *s,
					     pid_t parent)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* What is half done when this program is killed is not done behind the back of the next one. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(CANNOT_RUN);
	if (dup2(s->input, 0) < 0 || dup2(s->output, 1) < 0 || dup2(s->errors, 2) < 0)
		_exit(CANNOT_RUN);
	setenv("LC_ALL", "C", 1);
	if (tool->netns != NULL && ord_tool_enter(tool->netns) != ORD_OK)
		dprintf(2, "the network namespace %s cannot be entered: %s", tool->netns, strerror(errno));
	else if (execv(path, (char *const *)tool->argv) != 0)
		dprintf(2, "%s: %s", path, strerror(errno));
	_exit(CANNOT_RUN);
}

/* ORD_OK when it ended with status 0. */
static int end_await(pid_t pid)
{
	struct ord_process p = {.pidfd = pidfd_open(pid, 0), .pid = pid};
	int status = -1, err = ORD_OK;
	if (p.pidfd >= 0 && !ord_process_wait(&p, RUN_MS_MAX)) {
		ord_process_signal(&p, SIGKILL);
		err = ORD_ERR_TIMEOUT;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	ord_process_close(&p);
	if (err != ORD_OK)
		return err;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ORD_OK : ORD_ERR_IO;
}

static int output_take(int fd, struct ord_bytes *out)
{
	char part[4096];
	ssize_t len;
	if (out == NULL || lseek(fd, 0, SEEK_SET) != 0)
		return ORD_OK;
	while ((len = read(fd, part, sizeof part)) > 0)
		ord_bytes_put(out, part, (size_t)len);
	return out->failed ? ORD_ERR_TOO_BIG : ORD_OK;
}

/* "ip link add ...: what it said". */
static void failure_tell(const struct ord_tool *tool, int err, int errors, char *why, size_t why_size)
{
	char said[SAID_BYTES_MAX + 1] = "";
	size_t len = 0;
	ssize_t said_len = pread(errors, said, SAID_BYTES_MAX, 0);
	said[said_len > 0 ? said_len : 0] = '\0';
	for (size_t end = strlen(said); end > 0 && said[end - 1] == '\n'; end--)
		said[end - 1] = '\0';
	for (char *at = said; (at = strchr(at, '\n')) != NULL;)
		*at = ' ';
	for (size_t i = 0; tool->argv[i] != NULL && len < why_size; i++)
		len += (size_t)snprintf(why + len, why_size - len, "%s%s", i > 0 ? " " : "", tool->argv[i]);
	if (len >= why_size)
		return;
	if (err == ORD_ERR_TIMEOUT)
		snprintf(said, sizeof said, "has not ended within a minute");
	else if (err == ORD_ERR_TOO_BIG)
		snprintf(said, sizeof said, "said more than fits");
	snprintf(why + len, why_size - len, ": %s", said[0] != '\0' ? said : "failed without a word");
}

int ord_tool_run(const struct ord_tool *tool, char *why, size_t why_size)
{
	char path[PATH_MAX];
	struct streams s;
	if (program_find(tool->argv[0], path) != ORD_OK) {
		snprintf(why, why_size, "the program '%s' is not installed", tool->argv[0]);
		return ORD_ERR_NOT_FOUND;
	}
	pid_t pid = -1, self = getpid();
	if (streams_open(tool->input, &s) == ORD_OK)
		pid = fork();
	if (pid == 0)
		become(tool, path, &s, self);
	if (pid < 0) {
		snprintf(why, why_size, "%s cannot be run: %s", tool->argv[0], strerror(errno));
		streams_close(&s);
		return ORD_ERR_IO;
	}
	int err = end_await(pid);
	if (err == ORD_OK)
		err = output_take(s.output, tool->output);
	if (err != ORD_OK)
		failure_tell(tool, err, s.errors, why, why_size);
	streams_close(&s);
	return err;
}

int ord_tool_say(char *why, size_t why_size, const char *const *argv)
{
	struct ord_tool tool = {.argv = argv};
	return ord_tool_run(&tool, why, why_size);
}
