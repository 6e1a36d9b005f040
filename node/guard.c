/* SPDX-License-Identifier: Apache-2.0 - what ends the process inside LMDB.
 *
 * The handler does what a handler may (POSIX.1-2017, section 2.4.3): open, write, fsync, close, sigaction, raise. Then the action of before is in force again and the signal comes once more.
 */
#include "node/guard.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"

static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT};
#define NUMBERS_COUNT (sizeof numbers / sizeof *numbers)
static struct sigaction before[NUMBERS_COUNT];

static _Thread_local const char *volatile inside;

static void put(int fd, const char *text)
{
	size_t len = strlen(text);
	while (len > 0) {
		ssize_t done = write(fd, text, len);
		if (done <= 0)
			return;
		text += done;
		len -= (size_t)done;
	}
}

static void note(const char *marker)
{
	int fd = open(marker, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	put(fd, "reading or writing this state ended the process\n");
	fsync(fd);
	close(fd);
	put(STDERR_FILENO,
	    "ordaind: the process ends while it reads or writes a state: its file is taken for damaged; ");
	put(STDERR_FILENO, marker);
	put(STDERR_FILENO, " tells the next start\n");
}

/* One that somebody sent says nothing of what is on disk. */
static void signal_cb(int number, siginfo_t *info, void *context)
{
	(void)context;
	const char *marker = inside;
	inside = NULL;
	if (marker != NULL && info->si_code != SI_USER && info->si_code != SI_QUEUE)
		note(marker);
	for (size_t i = 0; i < NUMBERS_COUNT; i++)
		if (numbers[i] == number)
			sigaction(number, &before[i], NULL);
	raise(number);
}

void ord_guard_install(void)
{
	struct sigaction action = {.sa_sigaction = signal_cb, .sa_flags = SA_SIGINFO};
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < NUMBERS_COUNT; i++) {
		int rv = sigaction(numbers[i], &action, &before[i]);
		ORD_ASSERT(rv == 0);
	}
}

void ord_guard_enter(const char *marker)
{
	inside = marker;
}

void ord_guard_leave(void)
{
	inside = NULL;
}
