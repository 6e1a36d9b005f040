/* SPDX-License-Identifier: Apache-2.0 - the simulated disk: its life, and the system calls on it.
 *
 * What a call changes, it changes at its end, after its time has passed. A program that was killed meanwhile leaves any beginning of a write, and nothing
 * of a sync; of what was under way when power was lost, the loss has decided already.
 */
#include "tests/sim/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/coverage.h"
#include "tests/sim/disk_state.h"
#include "tests/sim/process.h"
#include "tests/sim/world.h"

/* What the dead get for a descriptor: it leads to nothing. */
#define FD_OF_THE_DEAD (SIM_FD_FIRST + SIM_FD_COUNT)

struct sim_disk *sim_disk_open(void)
{
	struct sim_disk *d = calloc(1, sizeof *d);
	SIM_ASSERT(d != NULL);
	d->habits = (struct sim_disk_habits){.write_us_max = 50, .sync_us_min = 500, .sync_us_max = 2000};
	TAILQ_INIT(&d->inodes);
	TAILQ_INIT(&d->changes);
	TAILQ_INIT(&d->damages);
	d->root = sim_inode_make(d, true);
	d->root->parent = d->root;
	return d;
}

void sim_disk_close(struct sim_disk *d)
{
	if (d == NULL)
		return;
	struct sim_change *c;
	while ((c = TAILQ_FIRST(&d->changes)) != NULL) {
		TAILQ_REMOVE(&d->changes, c, link);
		free(c);
	}
	sim_disk_mend(d, "");
	while (!TAILQ_EMPTY(&d->inodes))
		sim_inode_free(d, TAILQ_FIRST(&d->inodes));
	free(d);
}

struct sim_disk_habits *sim_disk_habits(struct sim_disk *d)
{
	return &d->habits;
}

uint64_t sim_disk_failures(const struct sim_disk *d)
{
	return d->failures_count;
}

uint64_t sim_disk_bytes(const struct sim_disk *d)
{
	return d->bytes;
}

uint64_t sim_disk_total_bytes(const struct sim_disk *d)
{
	return d->habits.bytes_max == 0 ? UINT64_MAX : d->habits.bytes_max;
}

uint64_t sim_disk_free_bytes(const struct sim_disk *d)
{
	if (d->habits.bytes_max == 0)
		return UINT64_MAX;
	return d->bytes < d->habits.bytes_max ? d->habits.bytes_max - d->bytes : 0;
}

void sim_disk_release(struct sim_disk *d)
{
	for (int i = 0; i < SIM_FD_COUNT; i++)
		if (d->fds[i].inode != NULL)
			sim_fs_close(d, SIM_FD_FIRST + i);
}

/* --- Loss of power. --- */

static struct sim_loss loss_draw(void)
{
	return (struct sim_loss){.kind = (enum sim_loss_kind)sim_below(SIM_DISK, 4),
				 .percent = (unsigned)sim_between(SIM_DISK, 10, 90)};
}

bool sim_loss_keeps(const struct sim_loss *loss, uint64_t index, uint64_t cut)
{
	switch (loss->kind) {
	case SIM_LOSS_NONE:
		return false;
	case SIM_LOSS_ALL:
		return true;
	case SIM_LOSS_PREFIX:
		return index < cut;
	case SIM_LOSS_SUBSET:
		return sim_percent(SIM_DISK, loss->percent);
	}
	return false;
}

void sim_disk_power_loss(struct sim_disk *d)
{
	d->losses_count++;
	sim_disk_release(d);
	struct sim_loss content = loss_draw();
	struct sim_loss entries = loss_draw();
	struct sim_inode *i;
	TAILQ_FOREACH(i, &d->inodes, all)
	if (!i->is_dir)
		sim_inode_power_loss(d, i, &content);
	sim_tree_power_loss(d, &entries);
	sim_trace("the disk loses power: %llu sectors kept, %llu lost; lost %llu lengths, %llu entries",
		  content.kept_count, content.lost_count, content.lengths_lost_count, entries.changes_lost_count);
}

/* --- What all calls have in common. --- */

static bool is_dead(void)
{
	const struct sim_process *p = sim_current();
	return p != NULL && sim_is_dead(p);
}

/* Asks sim_io(); tells when the program died of it. */
static bool io(enum sim_cover died)
{
	bool dead_before = is_dead();
	if (sim_io())
		return true;
	if (!dead_before)
		sim_cover(died);
	return false;
}

static bool once_in(uint32_t count)
{
	return count > 0 && sim_once_in(SIM_DISK, count);
}

static void tell(const char *what, const struct sim_inode *i)
{
	const struct sim_process *p = sim_current();
	sim_trace_text("%s: disk: %s %s", p == NULL ? "-" : p->name, what, i->name);
}

static struct sim_fd *fd_find(struct sim_disk *d, int fd)
{
	if (fd < SIM_FD_FIRST || fd >= SIM_FD_FIRST + SIM_FD_COUNT || d->fds[fd - SIM_FD_FIRST].inode == NULL)
		return NULL;
	return &d->fds[fd - SIM_FD_FIRST];
}

static int place_find(struct sim_disk *d, int dir_fd, const char *path, struct sim_place *ret)
{
	struct sim_inode *start = d->root;
	if (path[0] != '/' && dir_fd != AT_FDCWD) {
		const struct sim_fd *f = fd_find(d, dir_fd);
		if (f == NULL)
			return -EBADF;
		start = f->inode;
	}
	return sim_tree_find(d, start, path, ret);
}

/* The same of something that is there. */
static int place_find_present(struct sim_disk *d, int dir_fd, const char *path, struct sim_place *ret)
{
	int err = place_find(d, dir_fd, path, ret);
	return err == 0 && ret->inode == NULL ? -ENOENT : err;
}

/* --- Descriptors. --- */

static int open_check(const struct sim_place *at, int flags)
{
	if (at->inode == NULL)
		return (flags & O_CREAT) != 0 ? 0 : -ENOENT;
	if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
		return -EEXIST;
	if (at->inode->is_dir && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0))
		return -EISDIR;
	if (!at->inode->is_dir && (flags & O_DIRECTORY) != 0)
		return -ENOTDIR;
	return 0;
}

static int fd_put(struct sim_disk *d, int index, struct sim_inode *i, int flags)
{
	sim_inode_hold(i);
	i->fds_count++;
	d->fds[index] = (struct sim_fd){.inode = i, .flags = flags};
	return SIM_FD_FIRST + index;
}

int sim_fs_open(struct sim_disk *d, int dir_fd, const char *path, int flags)
{
	if (is_dead())
		return FD_OF_THE_DEAD;
	struct sim_place at;
	int err = place_find(d, dir_fd, path, &at);
	if (err == 0)
		err = open_check(&at, flags);
	if (err != 0)
		return err;
	int index = 0;
	while (index < SIM_FD_COUNT && d->fds[index].inode != NULL)
		index++;
	if (index == SIM_FD_COUNT)
		return -EMFILE;
	bool makes = at.inode == NULL;
	bool cuts = !makes && (flags & O_TRUNC) != 0;
	if ((makes || cuts) && !sim_io())
		return FD_OF_THE_DEAD;
	if (cuts)
		sim_inode_cut(d, at.inode, 0);
	if (!makes)
		return fd_put(d, index, at.inode, flags);
	struct sim_inode *made = sim_inode_make(d, false);
	sim_tree_link(d, &at, made);
	int fd = fd_put(d, index, made, flags);
	sim_inode_drop(d, made);
	return fd;
}

int sim_fs_close(struct sim_disk *d, int fd)
{
	struct sim_fd *f = fd_find(d, fd);
	if (f == NULL)
		return is_dead() ? 0 : -EBADF;
	struct sim_inode *i = f->inode;
	f->inode = NULL;
	if (i->lock_fd == fd)
		i->lock_fd = -1;
	i->fds_count--;
	sim_inode_count(d, i);
	sim_inode_drop(d, i);
	return 0;
}

int sim_fs_lock(struct sim_disk *d, int fd)
{
	const struct sim_fd *f = fd_find(d, fd);
	if (f == NULL)
		return is_dead() ? 0 : -EBADF;
	if (f->inode->lock_fd >= 0 && f->inode->lock_fd != fd)
		return -EWOULDBLOCK;
	f->inode->lock_fd = fd;
	return 0;
}

int sim_fs_flags(struct sim_disk *d, int fd)
{
	const struct sim_fd *f = fd_find(d, fd);
	if (f == NULL)
		return is_dead() ? 0 : -EBADF;
	return f->flags;
}

int sim_fs_flags_set(struct sim_disk *d, int fd, int flags)
{
	struct sim_fd *f = fd_find(d, fd);
	if (f == NULL)
		return is_dead() ? 0 : -EBADF;
	SIM_ASSERT((flags & O_ACCMODE) == (f->flags & O_ACCMODE));
	f->flags = flags;
	return 0;
}

/* --- Reading and writing. --- */

/* What a direct call asks for, one that goes on after a short one, too. */
static bool is_whole_sectors(const void *base, size_t len, int64_t offset)
{
	return ((uintptr_t)base | len | (uint64_t)offset) % SIM_SECTOR == 0;
}

int64_t sim_fs_pread(struct sim_disk *d, int fd, void *base, size_t len, int64_t offset)
{
	const struct sim_fd *f = fd_find(d, fd);
	if (f == NULL || (f->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (f->inode->is_dir)
		return -EISDIR;
	if (offset < 0)
		return -EINVAL;
	SIM_ASSERT((f->flags & O_DIRECT) == 0 || is_whole_sectors(base, len, offset));
	if (once_in(d->habits.read_fail_once_in)) {
		tell("cannot read", f->inode);
		sim_cover(SIM_COVER_READ_FAILED);
		d->failures_count++;
		return -EIO;
	}
	uint64_t left = f->inode->cache_bytes > (uint64_t)offset ? f->inode->cache_bytes - (uint64_t)offset : 0;
	size_t count = len < left ? len : (size_t)left;
	if (count > 1 && once_in(d->habits.read_short_once_in)) {
		count = (size_t)sim_between(SIM_DISK, 1, count - 1);
		sim_cover(SIM_COVER_READ_SHORT);
	}
	if (count > 0)
		memcpy(base, f->inode->cache + offset, count);
	return (int64_t)count;
}

int64_t sim_fs_read(struct sim_disk *d, int fd, void *base, size_t len)
{
	struct sim_fd *f = fd_find(d, fd);
	int64_t count = sim_fs_pread(d, fd, base, len, f == NULL ? 0 : f->position);
	if (count > 0)
		f->position += count;
	return count;
}

/* How many of the bytes have room. */
static size_t room_for(const struct sim_disk *d, const struct sim_inode *f, uint64_t offset, size_t len)
{
	if (d->habits.bytes_max == 0)
		return len;
	uint64_t end = f->cache_bytes > f->platter_bytes ? f->cache_bytes : f->platter_bytes;
	end += d->habits.bytes_max > d->bytes ? d->habits.bytes_max - d->bytes : 0;
	if (offset + len <= end)
		return len;
	return offset < end ? (size_t)(end - offset) : 0;
}

/* How much of a write is done when its program is killed in it. */
static size_t cut_short(size_t len)
{
	switch (sim_below(SIM_DISK, 3)) {
	case 0:
		return 0;
	case 1:
		return len;
	default:
		return (size_t)sim_below(SIM_DISK, len + 1);
	}
}

/* The end of a write. */
static int64_t write_end(struct sim_disk *d, struct sim_inode *f, const void *base, size_t len, uint64_t offset,
			 bool is_direct)
{
	size_t unit = is_direct ? SIM_SECTOR : 1;
	size_t count = room_for(d, f, offset, len) / unit * unit;
	if (is_dead()) {
		sim_cover(SIM_COVER_CRASH_IN_WRITE);
		sim_inode_write(d, f, offset, base, cut_short(count), is_direct);
		return (int64_t)len;
	}
	if (once_in(d->habits.write_fail_once_in)) {
		tell("cannot write", f);
		sim_cover(SIM_COVER_WRITE_FAILED);
		d->failures_count++;
		return -EIO;
	}
	if (count < len) {
		tell("is full for", f);
		sim_cover(SIM_COVER_DISK_FULL);
		d->failures_count++;
	}
	if (count > unit && once_in(d->habits.write_short_once_in)) {
		sim_cover(SIM_COVER_WRITE_SHORT);
		count = (size_t)sim_between(SIM_DISK, 1, count / unit - 1) * unit;
	}
	sim_inode_write(d, f, offset, base, count, is_direct);
	return count == 0 && len > 0 ? -ENOSPC : (int64_t)count;
}

int64_t sim_fs_pwrite(struct sim_disk *d, int fd, const void *base, size_t len, int64_t offset)
{
	if (!io(SIM_COVER_CRASH_IN_WRITE))
		return (int64_t)len;
	const struct sim_fd *f = fd_find(d, fd);
	if (f == NULL || (f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (offset < 0)
		return -EINVAL;
	struct sim_inode *i = f->inode;
	uint64_t losses_count = d->losses_count;
	bool direct = (f->flags & O_DIRECT) != 0;
	SIM_ASSERT(!direct || is_whole_sectors(base, len, offset));
	sim_inode_hold(i);
	sim_sleep_us(d->habits.write_us_max > 0 ? sim_between(SIM_DISK, 1, d->habits.write_us_max) : 0);
	int64_t count = (int64_t)len;
	if (d->losses_count == losses_count)
		count = write_end(d, i, base, len, (uint64_t)offset, direct);
	sim_inode_drop(d, i);
	return count;
}

int64_t sim_fs_write(struct sim_disk *d, int fd, const void *base, size_t len)
{
	const struct sim_fd *before = fd_find(d, fd);
	int64_t count = sim_fs_pwrite(d, fd, base, len, before == NULL ? 0 : before->position);
	struct sim_fd *f = fd_find(d, fd); /* it may be closed now */
	if (count > 0 && f != NULL)
		f->position += count;
	return count;
}

int sim_fs_truncate(struct sim_disk *d, int fd, int64_t len)
{
	if (!sim_io())
		return 0;
	const struct sim_fd *f = fd_find(d, fd);
	if (f == NULL)
		return -EBADF;
	if (len < 0 || (f->flags & O_ACCMODE) == O_RDONLY)
		return -EINVAL;
	if (room_for(d, f->inode, 0, (size_t)len) < (size_t)len) {
		sim_cover(SIM_COVER_DISK_FULL);
		d->failures_count++;
		return -ENOSPC;
	}
	sim_inode_cut(d, f->inode, (uint64_t)len);
	return 0;
}

/* --- Syncing. --- */

/* How far a sync goes: what comes while it is under way is left for the next one. */
struct sync_reach {
	uint32_t write_number;
	uint64_t change_number;
};

static int sync_end(struct sim_disk *d, struct sim_inode *i, const struct sync_reach *reach)
{
	if (is_dead()) {
		sim_cover(SIM_COVER_CRASH_IN_SYNC);
		return 0;
	}
	bool fails = once_in(d->habits.sync_fail_once_in);
	if (fails) {
		tell("cannot sync", i);
		sim_cover(SIM_COVER_SYNC_FAILED);
		d->failures_count++;
	}
	if (!fails && i->is_dir)
		sim_tree_sync(d, i, reach->change_number);
	else if (!fails)
		sim_inode_sync(d, i, reach->write_number);
	else if (!i->is_dir)
		sim_inode_sync_fail(d, i, reach->write_number);
	return fails ? -EIO : 0;
}

int sim_fs_sync(struct sim_disk *d, int fd)
{
	if (!io(SIM_COVER_CRASH_IN_SYNC))
		return 0;
	const struct sim_fd *f = fd_find(d, fd);
	if (f == NULL)
		return -EBADF;
	struct sim_inode *i = f->inode;
	struct sync_reach reach = {.write_number = d->writes_count, .change_number = d->changes_count};
	uint64_t losses_count = d->losses_count;
	sim_inode_hold(i);
	sim_sleep_us(sim_between(SIM_DISK, d->habits.sync_us_min, d->habits.sync_us_max));
	int err = 0;
	if (d->losses_count == losses_count)
		err = sync_end(d, i, &reach);
	sim_inode_drop(d, i);
	return err;
}

/* --- Names. --- */

int sim_fs_rename(struct sim_disk *d, int from_dir, const char *from, int to_dir, const char *to)
{
	if (is_dead())
		return 0;
	struct sim_place old;
	struct sim_place new;
	int err = place_find_present(d, from_dir, from, &old);
	if (err == 0)
		err = place_find(d, to_dir, to, &new);
	if (err != 0)
		return err;
	if (old.name[0] == '\0' || new.name[0] == '\0')
		return -EBUSY;
	if (old.inode == new.inode)
		return 0;
	if (new.inode != NULL && (new.inode->is_dir || old.inode->is_dir))
		return new.inode->is_dir ? -EISDIR : -ENOTDIR;
	if (!sim_io())
		return 0;
	if (strcmp(old.name, "spare") == 0 && old.inode->cache_bytes > 0 && old.inode->cache[0] != 0)
		sim_cover(SIM_COVER_SEGMENT_REUSED);
	if (strncmp(new.name, "spare", 5) == 0)
		old.inode->needed_bytes = 0;
	sim_tree_move(d, &old, &new);
	return 0;
}

int sim_fs_unlink(struct sim_disk *d, int dir_fd, const char *path)
{
	if (is_dead())
		return 0;
	struct sim_place at;
	int err = place_find_present(d, dir_fd, path, &at);
	if (err != 0)
		return err;
	if (at.inode->is_dir)
		return -EISDIR;
	if (!sim_io())
		return 0;
	sim_tree_unlink(d, &at);
	return 0;
}

int sim_fs_mkdir(struct sim_disk *d, int dir_fd, const char *path)
{
	if (is_dead())
		return 0;
	struct sim_place at;
	int err = place_find(d, dir_fd, path, &at);
	if (err == 0 && at.inode != NULL)
		err = -EEXIST;
	if (err != 0)
		return err;
	if (!sim_io())
		return 0;
	struct sim_inode *made = sim_inode_make(d, true);
	sim_tree_link(d, &at, made);
	sim_inode_drop(d, made);
	return 0;
}

int sim_fs_access(struct sim_disk *d, int dir_fd, const char *path)
{
	struct sim_place at;
	return place_find_present(d, dir_fd, path, &at);
}

int sim_fs_stat(struct sim_disk *d, int dir_fd, const char *path, bool *ret_is_dir, int64_t *ret_len)
{
	struct sim_place at;
	int err = place_find_present(d, dir_fd, path, &at);
	if (err != 0)
		return err;
	*ret_is_dir = at.inode->is_dir;
	*ret_len = (int64_t)at.inode->cache_bytes;
	return 0;
}

int sim_fs_list(struct sim_disk *d, int dir_fd, const char *path, void (*each)(void *arg, const char *name), void *arg)
{
	struct sim_place at;
	int err = place_find_present(d, dir_fd, path, &at);
	if (err != 0)
		return err;
	if (!at.inode->is_dir)
		return -ENOTDIR;
	each(arg, ".");
	each(arg, "..");
	for (size_t i = 0; i < at.inode->entries.count; i++)
		each(arg, at.inode->entries.list[i].name);
	return 0;
}
