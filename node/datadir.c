/* SPDX-License-Identifier: Apache-2.0 - a node's data directory.
 *
 * Of a node with several shards, each has a directory like that, shard-0, shard-1 and so on, and data_dir has nothing else in it.
 *
 *   lock            locked (flock) while a process uses the directory; holds its pid for the curious
 *   identity        who this node is (node/self.c)
 *   peers           which directories of the other nodes it has met (node/met.c)
 *   wal/            the write-ahead log
 *   wal.damaged-N/  logs that were set aside (node/datadir_renew.c)
 *   history/        the partitions' histories; made anew when it is not there
 *   state/          the partitions' states; made anew when it is not there
 *
 * identity and peers are replaced whole: written beside, synced, renamed, and the directory synced. At first identity comes after wal/: where it is, wal/ has been made, so that a log
 * without identity is never one's own. It notes when the log has begun: from then on a log that is not there is lost, and the node must not start as if it had never voted.
 */
#include "node/datadir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/datadir_state.h"
#include "node/file.h"

/* identity and peers are not longer. */
#define FILE_BYTES_MAX (ORD_MET_TEXT_SIZE + 1)
_Static_assert(ORD_SELF_TEXT_SIZE < FILE_BYTES_MAX, "identity can be read back");

int ord_datadir_fail(struct ord_datadir *d, int err, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = snprintf(d->why, d->why_size, "data_dir %s: ", d->path);
	if (len >= 0 && (size_t)len < d->why_size)
		vsnprintf(d->why + len, d->why_size - (size_t)len, format, args);
	va_end(args);
	return err;
}

/* The directory that a shard's own stands in, when there are several. */
static void base_path(const struct ord_datadir *d, char path[ORD_DATADIR_PATH_SIZE])
{
	snprintf(path, ORD_DATADIR_PATH_SIZE, "%s", d->path);
	if (d->config->shards_count > 1)
		*strrchr(path, '/') = '\0';
}

/* A directory of several shards is not one of a single shard, nor the other way round. */
static int shards_compare(struct ord_datadir *d)
{
	char base[ORD_DATADIR_PATH_SIZE], other[ORD_DATADIR_PATH_SIZE + 16];
	bool is_one = d->config->shards_count <= 1;
	base_path(d, base);
	snprintf(other, sizeof other, "%s/%s", base, is_one ? "shard-0" : "identity");
	if (faccessat(AT_FDCWD, other, F_OK, 0) != 0)
		return ORD_OK;
	return ord_datadir_fail(d, ORD_ERR_MISMATCH,
				"belongs to a node of %s, the configuration says shards = %u: the number of shards is "
				"fixed for a cluster's life",
				is_one ? "several shards" : "one shard", is_one ? 1 : d->config->shards_count);
}

/* The name of an open directory is as durable as what stands in it. One whose parent may not be read was made by somebody else. */
static int parent_sync(struct ord_datadir *d, int dir_fd)
{
	int fd = openat(dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ORD_OK;
	int err = fsync(fd) == 0
			  ? ORD_OK
			  : ord_datadir_fail(d, ord_file_err(), "its parent cannot be synced (%s)", strerror(errno));
	close(fd);
	return err;
}

static int base_make(struct ord_datadir *d)
{
	char base[ORD_DATADIR_PATH_SIZE];
	base_path(d, base);
	int fd = -1;
	if (mkdir(base, 0700) == 0 || errno == EEXIST)
		fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ord_datadir_fail(d, ord_file_err(),
					"cannot be made (%s): make the parent directory of data_dir, or give a "
					"directory that this user may write",
					strerror(errno));
	int err = parent_sync(d, fd);
	close(fd);
	return err;
}

static int datadir_make(struct ord_datadir *d)
{
	int err = shards_compare(d);
	if (err == ORD_OK && d->config->shards_count > 1)
		err = base_make(d);
	if (err != ORD_OK)
		return err;
	if (mkdir(d->path, 0700) != 0 && errno != EEXIST)
		return ord_datadir_fail(
			d, ord_file_err(),
			"cannot be made (%s): make its parent directory, or give a directory that this user may write",
			strerror(errno));
	d->dir_fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir_fd < 0)
		return ord_datadir_fail(d, ORD_ERR_IO,
					"cannot be opened (%s): give a directory that this user may read and write",
					strerror(errno));
	return ORD_OK;
}

static int datadir_lock(struct ord_datadir *d)
{
	d->lock_fd = openat(d->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock_fd < 0)
		return ord_datadir_fail(d, ord_file_err(),
					"cannot be written (%s): give a directory that this user may write, on a file "
					"system that is not full or read-only",
					strerror(errno));
	char pid[32] = "";
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		ssize_t len = pread(d->lock_fd, pid, sizeof pid - 1, 0);
		pid[len > 0 ? strcspn(pid, "\n") : 0] = '\0';
		return ord_datadir_fail(
			d, ORD_ERR_IN_USE,
			"in use by another ordaind (pid %s): stop that one, or give this one a directory of its own",
			pid);
	}
	int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	if (ftruncate(d->lock_fd, 0) != 0 || !ord_file_write(d->lock_fd, ord_slice_of(pid, (size_t)len), 0))
		return ord_datadir_fail(d, ord_file_err(), "cannot be written (%s)", strerror(errno));
	return ORD_OK;
}

/* Reads a small file whole, with a NUL after it. ORD_ERR_NOT_FOUND when there is none. */
static int file_read(const struct ord_datadir *d, const char *name, char text[FILE_BYTES_MAX])
{
	int fd = openat(d->dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ORD_ERR_NOT_FOUND : ORD_ERR_IO;
	size_t have;
	bool done = ord_file_read(fd, 0, text, FILE_BYTES_MAX - 1, &have);
	close(fd);
	if (!done)
		return ORD_ERR_IO;
	text[have] = '\0';
	return ORD_OK;
}

static int file_replace(const struct ord_datadir *d, const char *name, const char *text)
{
	char beside[64];
	snprintf(beside, sizeof beside, "%s.new", name);
	int fd = openat(d->dir_fd, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return ord_file_err();
	bool written = ord_file_write(fd, ord_slice_text(text), 0) && fsync(fd) == 0;
	int err = written ? ORD_OK : ord_file_err();
	close(fd);
	if (err == ORD_OK && (renameat(d->dir_fd, beside, d->dir_fd, name) != 0 || fsync(d->dir_fd) != 0))
		err = ord_file_err();
	return err;
}

/* Number of names in wal/ but "." and ".." and what is made ahead; negative when it cannot be read. */
static int wal_names_count(const struct ord_datadir *d)
{
	struct dirent **names = NULL;
	int found = scandirat(d->dir_fd, "wal", &names, NULL, NULL);
	int count = found < 0 ? -1 : 0;
	for (int i = 0; i < found; i++) {
		count += names[i]->d_name[0] != '.' && strncmp(names[i]->d_name, "spare", 5) != 0;
		free(names[i]);
	}
	free(names);
	return count;
}

/* Makes the directory of a log that has not begun. It may be there, and have nothing in it when an earlier start was cut short. */
static int wal_make(struct ord_datadir *d)
{
	if (mkdirat(d->dir_fd, "wal", 0700) != 0 && errno != EEXIST)
		return ord_datadir_fail(d, ord_file_err(), "directory 'wal' cannot be made (%s)", strerror(errno));
	return ORD_OK;
}

static int names_sync(struct ord_datadir *d)
{
	if (fsync(d->dir_fd) != 0)
		return ord_datadir_fail(d, ord_file_err(), "cannot be synced (%s)", strerror(errno));
	return parent_sync(d, d->dir_fd);
}

int ord_datadir_self_write(const struct ord_datadir *d, const struct ord_self *self)
{
	char text[ORD_SELF_TEXT_SIZE];
	ord_self_format(self, d->config, text);
	return file_replace(d, "identity", text);
}

static int identity_make(struct ord_datadir *d)
{
	bool alone = d->config->nodes_count == 1;
	struct ord_self self = {.standing = alone ? ORD_STANDING_FOUNDER : ORD_STANDING_UNDECIDED};
	int err = wal_make(d);
	if (err != ORD_OK)
		return err;
	if (wal_names_count(d) != 0)
		return ord_datadir_fail(d, ORD_ERR_CORRUPT,
					"has a write-ahead log but no file 'identity': restore the directory whole, or "
					"give an empty one to a new node");
	err = names_sync(d); /* a loss of power may keep the later of two names alone */
	if (err != ORD_OK)
		return err;
	if (ord_self_draw(&self.incarnation) != ORD_OK)
		return ord_datadir_fail(d, ORD_ERR_IO, "no random numbers to be had from the system (%s)",
					strerror(errno));
	err = ord_datadir_self_write(d, &self);
	d->self = self;
	if (err != ORD_OK)
		return ord_datadir_fail(
			d, err, "cannot be written (%s): make room or give a directory that this user may write",
			strerror(errno));
	return ORD_OK;
}

static int identity_open(struct ord_datadir *d)
{
	char text[FILE_BYTES_MAX], why[512];
	int err = file_read(d, "identity", text);
	if (err == ORD_ERR_NOT_FOUND)
		return identity_make(d);
	if (err != ORD_OK)
		return ord_datadir_fail(d, err, "file 'identity' cannot be read (%s)", strerror(errno));
	err = ord_self_parse(text, d->config, &d->self, why, sizeof why);
	return err == ORD_OK ? ORD_OK : ord_datadir_fail(d, err, "%s", why);
}

static int peers_open(struct ord_datadir *d)
{
	char text[FILE_BYTES_MAX], why[512];
	ord_met_init(&d->met, d->config);
	int err = file_read(d, "peers", text);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK;
	if (err != ORD_OK)
		return ord_datadir_fail(d, err, "file 'peers' cannot be read (%s)", strerror(errno));
	err = ord_met_parse(&d->met, text, why, sizeof why);
	return err == ORD_OK ? ORD_OK : ord_datadir_fail(d, err, "%s", why);
}

static int wal_check(struct ord_datadir *d)
{
	if (!d->self.log_begun) {
		int err = wal_make(d);
		if (err != ORD_OK)
			return err;
	} else if (faccessat(d->dir_fd, "wal", F_OK, 0) != 0) {
		return ord_datadir_fail(d, ORD_ERR_LOG_LOST,
					"its directory 'wal' is gone, and with it the votes that this node gave");
	}
	if (d->self.standing == ORD_STANDING_UNDECIDED && wal_names_count(d) != 0)
		return ord_datadir_fail(d, ORD_ERR_CORRUPT,
					"has a write-ahead log that is not its own: restore the directory whole, or "
					"start with an empty one");
	/* The process that made these names may have been killed before it had synced them. */
	return names_sync(d);
}

int ord_datadir_enter(const struct ord_config *config, struct ord_datadir **ret, char *why, size_t why_size)
{
	snprintf(why, why_size, "data_dir %s: not enough memory", config->data_dir);
	struct ord_datadir *d = calloc(1, sizeof *d);
	if (d == NULL)
		return ORD_ERR_NOMEM;
	d->config = config;
	d->lock_fd = -1;
	d->dir_fd = -1;
	d->why = why;
	d->why_size = why_size;
	snprintf(d->path, sizeof d->path, "%s", config->data_dir);
	snprintf(d->wal, sizeof d->wal, "%s/wal", d->path);
	snprintf(d->state, sizeof d->state, "%s/state", d->path);
	snprintf(d->history, sizeof d->history, "%s/history", d->path);
	int err = datadir_make(d);
	if (err == ORD_OK)
		err = datadir_lock(d);
	if (err == ORD_OK)
		err = identity_open(d);
	if (err == ORD_OK)
		err = peers_open(d);
	if (err != ORD_OK) {
		ord_datadir_close(d);
		return err;
	}
	*ret = d;
	return ORD_OK;
}

int ord_datadir_open(const struct ord_config *config, struct ord_datadir **ret, char *why, size_t why_size)
{
	struct ord_datadir *d;
	int err = ord_datadir_enter(config, &d, why, why_size);
	if (err != ORD_OK)
		return err;
	err = wal_check(d);
	if (err != ORD_OK)
		ord_datadir_close(d);
	else
		*ret = d;
	return err;
}

void ord_datadir_close(struct ord_datadir *d)
{
	if (d == NULL)
		return;
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	if (d->dir_fd >= 0)
		close(d->dir_fd);
	free(d);
}

/* --- Who this node is. --- */

const struct ord_self *ord_datadir_self(const struct ord_datadir *d)
{
	return &d->self;
}

static struct ord_self self_decided(const struct ord_datadir *d, enum ord_standing standing)
{
	ORD_ASSERT(d->self.standing == ORD_STANDING_UNDECIDED);
	ORD_ASSERT(standing != ORD_STANDING_UNDECIDED);
	struct ord_self self = d->self;
	self.standing = standing;
	return self;
}

int ord_datadir_decide_write(const struct ord_datadir *d, enum ord_standing standing)
{
	struct ord_self self = self_decided(d, standing);
	return ord_datadir_self_write(d, &self);
}

void ord_datadir_decide_keep(struct ord_datadir *d, enum ord_standing standing)
{
	d->self = self_decided(d, standing);
}

int ord_datadir_log_begun_write(const struct ord_datadir *d)
{
	ORD_ASSERT(d->self.standing != ORD_STANDING_UNDECIDED);
	struct ord_self self = d->self;
	self.log_begun = true;
	return d->self.log_begun ? ORD_OK : ord_datadir_self_write(d, &self);
}

void ord_datadir_log_begun_keep(struct ord_datadir *d)
{
	d->self.log_begun = true;
}

/* --- Where things are. --- */

const char *ord_datadir_wal(const struct ord_datadir *d)
{
	return d->wal;
}

const char *ord_datadir_state(const struct ord_datadir *d)
{
	return d->state;
}

const char *ord_datadir_history(const struct ord_datadir *d)
{
	return d->history;
}

/* --- Whom it has met. --- */

const struct ord_met *ord_datadir_met(const struct ord_datadir *d)
{
	return &d->met;
}

void ord_datadir_meeting(const struct ord_datadir *d, struct ord_datadir_meeting *ret)
{
	ret->met = d->met;
}

void ord_datadir_meeting_format(struct ord_datadir_meeting *m)
{
	ord_met_format(&m->met, m->text);
}

int ord_datadir_meeting_write(const struct ord_datadir *d, const struct ord_datadir_meeting *m)
{
	return file_replace(d, "peers", m->text);
}

void ord_datadir_meeting_keep(struct ord_datadir *d, const struct ord_datadir_meeting *m)
{
	d->met = m->met;
}
