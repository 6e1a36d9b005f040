/* SPDX-License-Identifier: Apache-2.0 - runs another program to its end: no shell, bounded output, bounded time. */
#include "jepsen/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "jepsen/clock.h"

#define PIECE_BYTES 65536
#define LOOK_MS 20 /* how often an end is looked for when all output is closed */

void ord_program_add(struct ord_program_words *w, const char *word)
{
	ORD_ASSERT(w->count < ORD_PROGRAM_WORDS_MAX);
	w->words[w->count++] = word;
	w->words[w->count] = NULL;
}

/* The program with its output into two pipes. A number of errno. */
static int spawn(const struct ord_program_words *words, const int out[2], const int err[2], pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char *argv[ORD_PROGRAM_WORDS_MAX + 1];
	memcpy(argv, words->words, sizeof argv);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_adddup2(&actions, err[1], 2);
	/* A group of its own: who presses ^C means this program, which then puts everything back. */
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setpgroup(&attributes, 0);
	int number = posix_spawnp(ret, argv[0], &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return number;
}

/* Takes what is there; false when the other side is closed. What is past the maximum is left out, and the program goes on. */
static bool drain(int fd, struct ord_bytes *into)
{
	char piece[PIECE_BYTES];
	ssize_t len = read(fd, piece, sizeof piece);
	if (len < 0)
		return errno == EINTR || errno == EAGAIN;
	ord_bytes_put(into, piece, (size_t)len);
	return len > 0;
}

static int64_t left_of(uint64_t deadline_ns)
{
	uint64_t now = ord_clock_ns();
	return now < deadline_ns ? (int64_t)((deadline_ns - now) / 1000000u) + 1 : 0;
}

/* Reads both pipes until both are closed. False: the time is over. */
static bool listen_to(int out, int err, uint64_t deadline_ns, struct ord_program_end *end)
{
	struct pollfd fds[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		int64_t left_ms = left_of(deadline_ns);
		if (left_ms == 0)
			return false;
		if (poll(fds, 2, (int)left_ms) <= 0)
			continue;
		if (fds[0].fd >= 0 && fds[0].revents != 0 && !drain(fds[0].fd, &end->out))
			fds[0].fd = -1;
		if (fds[1].fd >= 0 && fds[1].revents != 0 && !drain(fds[1].fd, &end->err))
			fds[1].fd = -1;
	}
	return true;
}

static void reap(pid_t pid, uint64_t deadline_ns, struct ord_program_end *end)
{
	int status = 0;
	while (!end->late && waitpid(pid, &status, WNOHANG) == 0) {
		struct timespec pause = {.tv_nsec = LOOK_MS * 1000000};
		if (left_of(deadline_ns) == 0)
			end->late = true;
		else
			nanosleep(&pause, NULL);
	}
	if (end->late) {
		kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
	}
	end->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void terminate_text(struct ord_bytes *b, bool *cut)
{
	ord_bytes_put_u8(b, 0);
	*cut = *cut || b->failed;
	if (b->failed) { /* too long, or no memory: nothing is better than a part that looks whole */
		ord_bytes_clear(b);
		ord_bytes_put_u8(b, 0);
	}
	b->len -= b->len > 0;
}

int ord_program_run(const struct ord_program_words *words, int64_t timeout_ms, struct ord_program_end *ret, char *why,
		    size_t why_size)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1};
	uint64_t deadline_ns = ord_clock_ns() + (uint64_t)timeout_ms * 1000000u;
	pid_t pid = 0;
	ORD_ASSERT(words->count > 0);
	int number = pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 ? errno : 0;
	if (number == 0)
		number = spawn(words, out, err, &pid);
	if (out[1] >= 0)
		close(out[1]);
	if (err[1] >= 0)
		close(err[1]);
	if (number == 0) {
		*ret = (struct ord_program_end){0};
		ord_bytes_init(&ret->out, ORD_PROGRAM_OUTPUT_BYTES_MAX);
		ord_bytes_init(&ret->err, ORD_PROGRAM_OUTPUT_BYTES_MAX);
		ret->late = !listen_to(out[0], err[0], deadline_ns, ret);
		reap(pid, deadline_ns, ret);
		terminate_text(&ret->out, &ret->cut);
		terminate_text(&ret->err, &ret->cut);
	} else {
		snprintf(why, why_size, "%s cannot be run: %s", words->words[0], strerror(number));
	}
	if (out[0] >= 0)
		close(out[0]);
	if (err[0] >= 0)
		close(err[0]);
	return number == 0 ? ORD_OK : ORD_ERR_IO;
}

void ord_program_close(struct ord_program_end *end)
{
	ord_bytes_close(&end->out);
	ord_bytes_close(&end->err);
}
