/* SPDX-License-Identifier: Apache-2.0 - system calls of simulated programs: the linker leads their calls here (wraps.list), and so those of the simulator itself.
 *
 * What a simulated program calls is done in its world: its clocks, its disk, the run's random numbers. What the world calls (there is no current
 * program then) goes to the C library, as does what a program does with a descriptor of the real world, apart from lines on stderr, which are
 * part of the trace.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/disk.h"
#include "tests/sim/nemesis.h"
#include "tests/sim/net.h"
#include "tests/sim/node.h"
#include "tests/sim/process.h"
#include "tests/sim/world.h"

typedef int (*dirent_filter)(const struct dirent *);
typedef int (*dirent_order)(const struct dirent **, const struct dirent **);

/* The function of the C library, and what stands in its place. */
#define WRAPPED(type, name, parameters) \
	type __real_##name parameters;  \
	type __wrap_##name parameters;

WRAPPED(int, __open_2, (const char *path, int flags))
WRAPPED(int, __openat_2, (int dir_fd, const char *path, int flags))
WRAPPED(ssize_t, __pread_chk, (int fd, void *base, size_t len, off_t offset, size_t base_size))
WRAPPED(ssize_t, __read_chk, (int fd, void *base, size_t len, size_t base_size))
WRAPPED(int, clock_gettime, (clockid_t which, struct timespec *ret))
WRAPPED(int, close, (int fd))
WRAPPED(int, faccessat, (int dir_fd, const char *path, int mode, int flags))
WRAPPED(int, fallocate, (int fd, int mode, off_t offset, off_t len))
WRAPPED(int, fcntl, (int fd, int command, ...))
WRAPPED(int, fdatasync, (int fd))
WRAPPED(int, flock, (int fd, int operation))
WRAPPED(int, fstatat, (int dir_fd, const char *path, struct stat *ret, int flags))
WRAPPED(int, fsync, (int fd))
WRAPPED(int, ftruncate, (int fd, off_t len))
WRAPPED(pid_t, getpid, (void))
WRAPPED(ssize_t, getrandom, (void *base, size_t len, unsigned flags))
WRAPPED(int, mkdir, (const char *path, mode_t mode))
WRAPPED(int, mkdirat, (int dir_fd, const char *path, mode_t mode))
WRAPPED(int, open, (const char *path, int flags, ...))
WRAPPED(int, openat, (int dir_fd, const char *path, int flags, ...))
WRAPPED(ssize_t, pread, (int fd, void *base, size_t len, off_t offset))
WRAPPED(ssize_t, pwrite, (int fd, const void *base, size_t len, off_t offset))
WRAPPED(ssize_t, read, (int fd, void *base, size_t len))
WRAPPED(int, renameat, (int from_dir, const char *from, int to_dir, const char *to))
WRAPPED(int, scandirat, (int dir_fd, const char *path, struct dirent ***ret, dirent_filter filter, dirent_order order))
WRAPPED(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t value_len))
WRAPPED(int, sigaction, (int number, const struct sigaction *action, struct sigaction *ret_before))
WRAPPED(int, unlinkat, (int dir_fd, const char *path, int flags))
WRAPPED(ssize_t, write, (int fd, const void *base, size_t len))

/* --- Whose call it is. --- */

/* A program has descriptors of its disk and, above them, of its network, which closing them is all that comes here of. */
static bool is_simulated(int fd)
{
	return sim_current() != NULL && fd >= SIM_FD_FIRST;
}

static struct sim_disk *disk(void)
{
	return sim_current()->disk;
}

static int64_t result(int64_t count)
{
	if (count >= 0)
		return count;
	errno = (int)-count;
	return -1;
}

/* A program without a disk meets an empty one. */
#define ON_DISK(call) (disk() == NULL ? result(-ENOENT) : result(call))

/* --- Names. --- */

static mode_t mode_of(int flags, va_list args)
{
	bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
	return has_mode ? va_arg(args, mode_t) : 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = mode_of(flags, args);
	va_end(args);
	if (sim_current() == NULL)
		return __real_open(path, flags, mode);
	return (int)ON_DISK(sim_fs_open(disk(), AT_FDCWD, path, flags));
}

int __wrap_openat(int dir_fd, const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = mode_of(flags, args);
	va_end(args);
	if (sim_current() == NULL)
		return __real_openat(dir_fd, path, flags, mode);
	return (int)ON_DISK(sim_fs_open(disk(), dir_fd, path, flags));
}

int __wrap___open_2(const char *path, int flags)
{
	return __wrap_open(path, flags);
}

int __wrap___openat_2(int dir_fd, const char *path, int flags)
{
	return __wrap_openat(dir_fd, path, flags);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	if (sim_current() == NULL)
		return __real_renameat(from_dir, from, to_dir, to);
	int rv = (int)ON_DISK(sim_fs_rename(disk(), from_dir, from, to_dir, to));
	if (rv == 0) /* clients do not */
		sim_nemesis_tempt_renamed(sim_current()->number);
	return rv;
}

int __wrap_unlinkat(int dir_fd, const char *path, int flags)
{
	if (sim_current() == NULL)
		return __real_unlinkat(dir_fd, path, flags);
	SIM_ASSERT(flags == 0 || flags == AT_REMOVEDIR);
	if (flags == AT_REMOVEDIR) { /* this file system keeps its directories: who removes one has to bear it */
		errno = EBUSY;
		return -1;
	}
	return (int)ON_DISK(sim_fs_unlink(disk(), dir_fd, path));
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return sim_current() == NULL ? __real_mkdir(path, mode) : (int)ON_DISK(sim_fs_mkdir(disk(), AT_FDCWD, path));
}

int __wrap_mkdirat(int dir_fd, const char *path, mode_t mode)
{
	if (sim_current() == NULL)
		return __real_mkdirat(dir_fd, path, mode);
	return (int)ON_DISK(sim_fs_mkdir(disk(), dir_fd, path));
}

int __wrap_faccessat(int dir_fd, const char *path, int mode, int flags)
{
	if (sim_current() == NULL)
		return __real_faccessat(dir_fd, path, mode, flags);
	SIM_ASSERT(mode == F_OK);
	return (int)ON_DISK(sim_fs_access(disk(), dir_fd, path));
}

int __wrap_fstatat(int dir_fd, const char *path, struct stat *ret, int flags)
{
	if (sim_current() == NULL)
		return __real_fstatat(dir_fd, path, ret, flags);
	bool is_dir = false;
	int64_t len = 0;
	if (ON_DISK(sim_fs_stat(disk(), dir_fd, path, &is_dir, &len)) < 0)
		return -1;
	memset(ret, 0, sizeof *ret);
	ret->st_mode = is_dir ? S_IFDIR | 0700 : S_IFREG | 0600;
	ret->st_nlink = 1;
	ret->st_size = len;
	return 0;
}

/* --- Listing. --- */

struct listing {
	struct dirent **list; /* owned, and each of them */
	int count;
	int capacity;
	dirent_filter filter;
	dirent_order order;
};

/* Comes by name: with an order by name no entry moves. */
static void listing_add(void *arg, const char *name)
{
	struct listing *l = arg;
	struct dirent entry = {.d_type = DT_UNKNOWN, .d_reclen = sizeof entry};
	strncpy(entry.d_name, name, sizeof entry.d_name - 1);
	if (l->filter != NULL && l->filter(&entry) == 0)
		return;
	if (l->count == l->capacity) {
		l->capacity = l->capacity == 0 ? 16 : l->capacity * 2;
		l->list = realloc(l->list, (size_t)l->capacity * sizeof *l->list);
		SIM_ASSERT(l->list != NULL);
	}
	struct dirent *copy = malloc(sizeof *copy);
	SIM_ASSERT(copy != NULL);
	*copy = entry;
	int at = l->count++;
	for (; l->order != NULL && at > 0; at--) {
		const struct dirent *before = l->list[at - 1];
		const struct dirent *added = copy;
		if (l->order(&before, &added) <= 0)
			break;
		l->list[at] = l->list[at - 1];
	}
	l->list[at] = copy;
}

int __wrap_scandirat(int dir_fd, const char *path, struct dirent ***ret, dirent_filter filter, dirent_order order)
{
	if (sim_current() == NULL)
		return __real_scandirat(dir_fd, path, ret, filter, order);
	struct listing l = {.filter = filter, .order = order};
	if (ON_DISK(sim_fs_list(disk(), dir_fd, path, listing_add, &l)) < 0)
		return -1;
	*ret = l.list;
	return l.count;
}

/* --- Descriptors. --- */

static bool is_of_network(int fd)
{
	return fd > SIM_FD_FIRST + SIM_FD_COUNT;
}

int __wrap_close(int fd)
{
	if (!is_simulated(fd))
		return __real_close(fd);
	return is_of_network(fd) || disk() == NULL ? 0 : (int)result(sim_fs_close(disk(), fd));
}

ssize_t __wrap_read(int fd, void *base, size_t len)
{
	return is_simulated(fd) ? ON_DISK(sim_fs_read(disk(), fd, base, len)) : __real_read(fd, base, len);
}

ssize_t __wrap___read_chk(int fd, void *base, size_t len, size_t base_size)
{
	SIM_ASSERT(len <= base_size);
	return __wrap_read(fd, base, len);
}

ssize_t __wrap_pread(int fd, void *base, size_t len, off_t offset)
{
	if (!is_simulated(fd))
		return __real_pread(fd, base, len, offset);
	return ON_DISK(sim_fs_pread(disk(), fd, base, len, offset));
}

ssize_t __wrap___pread_chk(int fd, void *base, size_t len, off_t offset, size_t base_size)
{
	SIM_ASSERT(len <= base_size);
	return __wrap_pread(fd, base, len, offset);
}

/* A line of a program's log goes to the trace, without the time: the trace has its own. The dead say nothing. */
static void trace_line(const struct sim_process *p, const char *line, size_t len)
{
	size_t stamp_len = strlen("2025-01-31T23:59:59.123Z ");
	if (sim_is_dead(p))
		return;
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > stamp_len && line[stamp_len - 2] == 'Z') {
		line += stamp_len;
		len -= stamp_len;
	}
	sim_trace_text("%s: %.*s", p->name, (int)len, line);
}

ssize_t __wrap_write(int fd, const void *base, size_t len)
{
	if (is_simulated(fd))
		return ON_DISK(sim_fs_write(disk(), fd, base, len));
	if (sim_current() == NULL || fd != STDERR_FILENO)
		return __real_write(fd, base, len);
	trace_line(sim_current(), base, len);
	return (ssize_t)len;
}

ssize_t __wrap_pwrite(int fd, const void *base, size_t len, off_t offset)
{
	if (!is_simulated(fd))
		return __real_pwrite(fd, base, len, offset);
	return ON_DISK(sim_fs_pwrite(disk(), fd, base, len, offset));
}

int __wrap_fsync(int fd)
{
	sim_node_syncs();
	return is_simulated(fd) ? (int)ON_DISK(sim_fs_sync(disk(), fd)) : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
	sim_node_syncs();
	return is_simulated(fd) ? (int)ON_DISK(sim_fs_sync(disk(), fd)) : __real_fdatasync(fd);
}

/* As on a file system that cannot: a call that may fail, and whose failure is to change nothing. */
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len)
{
	if (!is_simulated(fd))
		return __real_fallocate(fd, mode, offset, len);
	errno = EOPNOTSUPP;
	return -1;
}

int __wrap_ftruncate(int fd, off_t len)
{
	return is_simulated(fd) ? (int)ON_DISK(sim_fs_truncate(disk(), fd, len)) : __real_ftruncate(fd, len);
}

int __wrap_fcntl(int fd, int command, ...)
{
	va_list args;
	va_start(args, command);
	long value = command == F_GETFL ? 0 : va_arg(args, long);
	va_end(args);
	if (!is_simulated(fd))
		return __real_fcntl(fd, command, value);
	SIM_ASSERT(command == F_GETFL || command == F_SETFL);
	return (int)ON_DISK(command == F_GETFL ? sim_fs_flags(disk(), fd) : sim_fs_flags_set(disk(), fd, (int)value));
}

int __wrap_flock(int fd, int operation)
{
	if (!is_simulated(fd))
		return __real_flock(fd, operation);
	SIM_ASSERT(operation == (LOCK_EX | LOCK_NB));
	return (int)ON_DISK(sim_fs_lock(disk(), fd));
}

/* How long bytes may stay unacknowledged is the one option that matters here. */
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t value_len)
{
	if (!is_simulated(fd))
		return __real_setsockopt(fd, level, name, value, value_len);
	unsigned timeout_ms;
	if (level == IPPROTO_TCP && name == TCP_USER_TIMEOUT && value_len == sizeof timeout_ms) {
		memcpy(&timeout_ms, value, sizeof timeout_ms);
		sim_socket_set_timeout(fd, timeout_ms);
	}
	return 0;
}

/* --- Time, chance, identity. --- */

int __wrap_clock_gettime(clockid_t which, struct timespec *ret)
{
	const struct sim_process *p = sim_current();
	if (p == NULL)
		return __real_clock_gettime(which, ret);
	SIM_ASSERT(which == CLOCK_MONOTONIC || which == CLOCK_REALTIME || which == CLOCK_THREAD_CPUTIME_ID);
	uint64_t us = which == CLOCK_REALTIME ? sim_clock_wall_us(p) : sim_clock_monotonic_us(p);
	ret->tv_sec = (time_t)(us / SIM_SECOND);
	ret->tv_nsec = (long)(us % SIM_SECOND) * 1000;
	return 0;
}

ssize_t __wrap_getrandom(void *base, size_t len, unsigned flags)
{
	if (sim_current() == NULL)
		return __real_getrandom(base, len, flags);
	uint8_t *to = base;
	for (size_t done = 0; done < len; done += sizeof(uint64_t)) {
		uint64_t number = random_next(sim_random(SIM_SYSTEM));
		for (size_t i = 0; i < sizeof number && done + i < len; i++)
			to[done + i] = (uint8_t)(number >> 8 * i);
	}
	return (ssize_t)len;
}

pid_t __wrap_getpid(void)
{
	const struct sim_process *p = sim_current();
	return p == NULL ? __real_getpid() : (pid_t)(1000 + p->number);
}

/* Simulated programs have no signals: all are ignored already. */
int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *ret_before)
{
	if (sim_current() == NULL)
		return __real_sigaction(number, action, ret_before);
	if (ret_before != NULL)
		*ret_before = (struct sigaction){.sa_handler = SIG_IGN};
	return 0;
}
