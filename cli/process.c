/* SPDX-License-Identifier: Apache-2.0 - daemons that outlive this program: start one, find it again, signal it, wait for its end. */
#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "cli/tool.h"

#define DYING_WAIT_MS 2000	/* a killed process ends as soon as its last system calls are over */
#define FLAG_EXITING 0x00000004 /* PF_EXITING of Linux: the thread is on its way out */

/* What /proc tells about one process: about its first thread, the others may live on after it. */
struct stat_line {
	char state; /* R S D T t Z X ... */
	unsigned long flags;
	uint64_t start_ticks;
};

struct identity {
	pid_t pid;
	uint64_t start_ticks;
	char boot[40];
};

int64_t ord_process_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads a small file whole and ends it with a NUL. -1 with errno when it cannot be read. */
static ssize_t small_file_read(const char *path, char *text, size_t text_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t len = read(fd, text, text_size - 1);
	int saved = errno;
	close(fd);
	errno = saved;
	if (len >= 0)
		text[len] = '\0';
	return len;
}

/* proc_pid_stat(5): the command in parentheses may hold anything, so fields are counted from the last one; state is field 3, flags are 9,
 * start time 22. */
static bool stat_read(pid_t pid, struct stat_line *ret)
{
	char path[32], text[1024];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (small_file_read(path, text, sizeof text) <= 0)
		return false;
	char *at = strrchr(text, ')');
	if (at == NULL || at[1] != ' ')
		return false;
	ret->state = at[2];
	at += 2;
	for (int field = 3; field < 22; field++) {
		at = strchr(at, ' ');
		if (at == NULL)
			return false;
		at++;
		if (field + 1 == 9)
			ret->flags = strtoul(at, NULL, 10);
	}
	ret->start_ticks = strtoull(at, NULL, 10);
	return true;
}

/* Has a SIGKILL been sent to it that it has not seen yet? proc_pid_status(5): SigPnd and ShdPnd, in hexadecimal. */
static bool kill_is_pending(pid_t pid)
{
	static const char *const keys[] = {"\nSigPnd:", "\nShdPnd:"};
	char path[32], text[4096];
	uint64_t pending = 0;
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	if (small_file_read(path, text, sizeof text) <= 0)
		return false;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *at = strstr(text, keys[i]);
		if (at != NULL)
			pending |= strtoull(at + strlen(keys[i]), NULL, 16);
	}
	return (pending >> (SIGKILL - 1) & 1) != 0;
}

static bool boot_read(char boot[40])
{
	if (small_file_read("/proc/sys/kernel/random/boot_id", boot, 40) < 36)
		return false;
	boot[36] = '\0';
	return true;
}

static int pid_file_read(const char *path, struct identity *ret, char *why, size_t why_size)
{
	char text[128];
	int end = 0;
	if (small_file_read(path, text, sizeof text) < 0) {
		if (errno == ENOENT)
			return ORD_ERR_NOT_FOUND;
		snprintf(why, why_size, "%s: %s", path, strerror(errno));
		return ORD_ERR_IO;
	}
	if (sscanf(text, "%d %" SCNu64 " %36[0-9a-f-]%n", &ret->pid, &ret->start_ticks, ret->boot, &end) == 3 &&
	    ret->pid > 0 && strcmp(text + end, "\n") == 0)
		return ORD_OK;
	snprintf(why, why_size,
		 "%s: is not a pid file of ordain (pid, start time, boot id); look whether the node still runs, end "
		 "it, then remove the "
		 "file",
		 path);
	return ORD_ERR_FORMAT;
}

/* Has the process ended, with all its threads, so that its files and ports are free? While threads of a dying one are left, they hold those:
 * its end is waited for a while. */
static bool is_over(int pidfd, pid_t pid, const struct stat_line *line)
{
	const struct ord_process p = {.pidfd = pidfd, .pid = pid};
	bool dying = line->state == 'Z' || line->state == 'X' || (line->flags & FLAG_EXITING) != 0;
	return ord_process_wait(&p, dying || kill_is_pending(pid) ? DYING_WAIT_MS : 0);
}

int ord_process_find(const char *pid_file, struct ord_process *ret, char *why, size_t why_size)
{
	struct identity id;
	struct stat_line line;
	char boot[40];
	*ret = (struct ord_process){.pidfd = -1};
	int err = pid_file_read(pid_file, &id, why, why_size);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK;
	if (err != ORD_OK)
		return err;
	if (!boot_read(boot) || strcmp(boot, id.boot) != 0)
		return ORD_OK;
	int pidfd = pidfd_open(id.pid, 0);
	if (pidfd < 0 && errno == ESRCH)
		return ORD_OK;
	if (pidfd < 0) {
		snprintf(why, why_size, "pidfd_open of process %d: %s; Linux 5.3 or newer is needed", (int)id.pid,
			 strerror(errno));
		return ORD_ERR_IO;
	}
	/* Looked at after the pidfd holds on to it: what is seen now is what signals will reach. */
	if (!stat_read(id.pid, &line) || line.start_ticks != id.start_ticks || is_over(pidfd, id.pid, &line)) {
		close(pidfd);
		return ORD_OK;
	}
	*ret = (struct ord_process){.pidfd = pidfd, .pid = id.pid, .paused = line.state == 'T', .state = line.state};
	return ORD_OK;
}

void ord_process_close(struct ord_process *p)
{
	if (p->pidfd >= 0)
		close(p->pidfd);
	*p = (struct ord_process){.pidfd = -1};
}

static int pid_file_write(const char *path)
{
	char text[128], boot[40];
	struct stat_line line;
	int fd, len;
	if (!stat_read(getpid(), &line) || !boot_read(boot))
		return -1;
	len = snprintf(text, sizeof text, "%d %" PRIu64 " %s\n", (int)getpid(), line.start_ticks, boot);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, (size_t)len) != len || close(fd) != 0)
		return -1;
	return 0;
}

/* In the child: becomes the daemon. Returns the name of what failed, with errno. */
static const char *become(const struct ord_process_spawn *spawn, int keep_fd)
{
	sigset_t none;
	int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int log = open(spawn->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (log < 0)
		return spawn->log;
	if (input < 0 || dup2(input, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		return "/dev/null";
	if (keep_fd > 3)
		close_range(3, (unsigned)keep_fd - 1, 0);
	close_range((unsigned)keep_fd + 1, ~0u, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	if (spawn->netns != NULL && ord_tool_enter(spawn->netns) != ORD_OK)
		return spawn->netns;
	for (size_t i = 0; spawn->environment != NULL && spawn->environment[i] != NULL; i++)
		putenv(spawn->environment[i]);
	if (pid_file_write(spawn->pid_file) != 0)
		return spawn->pid_file;
	execv(spawn->program, spawn->argv);
	int saved = errno;
	unlink(spawn->pid_file);
	errno = saved;
	return spawn->program;
}

struct failure {
	int number; /* errno */
	char what[512];
};

int ord_process_start(const struct ord_process_spawn *spawn, struct ord_process *ret, char *why, size_t why_size)
{
	struct failure failure = {0};
	int tube[2];
	if (pipe2(tube, O_CLOEXEC) != 0) {
		snprintf(why, why_size, "pipe: %s", strerror(errno));
		return ORD_ERR_IO;
	}
	pid_t pid = fork();
	if (pid < 0) {
		snprintf(why, why_size, "fork: %s", strerror(errno));
		close(tube[0]);
		close(tube[1]);
		return ORD_ERR_IO;
	}
	if (pid == 0) {
		const char *what = become(spawn, tube[1]);
		failure.number = errno;
		snprintf(failure.what, sizeof failure.what, "%s", what);
		if (write(tube[1], &failure, sizeof failure) < 0)
			_exit(126);
		_exit(127);
	}
	close(tube[1]);
	ssize_t len = read(tube[0], &failure, sizeof failure); /* ends when exec closes the other side */
	close(tube[0]);
	if (len > 0) {
		waitpid(pid, NULL, 0);
		snprintf(why, why_size, "%s: %s", failure.what, strerror(failure.number));
		return ORD_ERR_IO;
	}
	*ret = (struct ord_process){.pidfd = pidfd_open(pid, 0), .pid = pid, .ours = true, .state = 'R'};
	if (ret->pidfd >= 0)
		return ORD_OK;
	snprintf(why, why_size, "pidfd_open of process %d: %s; Linux 5.3 or newer is needed", (int)pid,
		 strerror(errno));
	return ORD_ERR_IO;
}

int ord_process_signal(const struct ord_process *p, int signal_number)
{
	ORD_ASSERT(p->pidfd >= 0);
	if (pidfd_send_signal(p->pidfd, signal_number, NULL, 0) == 0)
		return ORD_OK;
	return errno == ESRCH ? ORD_ERR_NOT_FOUND : ORD_ERR_IO;
}

bool ord_process_wait(const struct ord_process *p, int64_t timeout_ms)
{
	struct pollfd ended = {.fd = p->pidfd, .events = POLLIN};
	int64_t deadline_ms = ord_process_now_ms() + timeout_ms;
	int64_t left_ms = timeout_ms;
	ORD_ASSERT(p->pidfd >= 0);
	while (poll(&ended, 1, left_ms > 0 ? (int)left_ms : 0) < 1) {
		left_ms = deadline_ms - ord_process_now_ms();
		if (left_ms <= 0)
			return false;
	}
	if (p->ours)
		waitpid(p->pid, NULL, WNOHANG);
	return true;
}

int ord_process_signal_number(const char *name)
{
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (int i = 1; i < NSIG; i++) {
		const char *known = sigabbrev_np(i);
		if (known != NULL && strcasecmp(known, name) == 0)
			return i;
	}
	return 0;
}
