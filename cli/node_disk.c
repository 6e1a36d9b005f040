/* SPDX-License-Identifier: Apache-2.0 - the file system of a node that has one of its own: an ext4 image, DIR/node-N/disk.img, mounted at DIR/node-N/data through a loop device. */
#include "cli/node_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/tool.h"

#define LOOPS_BYTES_MAX 4096
#define FILL_STEP_BYTES ((off_t)1 << 30)
#define FILL_LAST_BYTES (32u << 20) /* are taken last, after a while */
#define FILL_PAUSE_MS 2500	    /* a node looks at its disk each second */
#define FILL_STEP_BYTES_MIN ((off_t)4096)

/* Linux, fs/ext4/ext4.h; the same number for all file systems that can be shut down. */
#define SHUTDOWN_REQUEST _IOR('X', 125, uint32_t)
#define SHUTDOWN_WITHOUT_LOG 2u

struct paths {
	char image[PATH_MAX];
	char draft[PATH_MAX]; /* the image until it is whole */
	char data[PATH_MAX];
	char filler[PATH_MAX];
};

static struct paths paths_of(const struct ord_layout *l, const struct ord_layout_node *node)
{
	struct paths p;
	ord_layout_path(l, node, "disk.img", p.image);
	ord_layout_path(l, node, "disk.img.new", p.draft);
	ord_layout_path(l, node, "data", p.data);
	ord_layout_path(l, node, "data/filler", p.filler);
	return p;
}

static int fail_errno(const char *path, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s: %s", path, strerror(errno));
	return ORD_ERR_IO;
}

/* A directory is mounted on when it is on another device than the one that it is in. */
bool ord_node_disk_is_mounted(const struct ord_layout *l, const struct ord_layout_node *node)
{
	struct paths p = paths_of(l, node);
	char above[PATH_MAX];
	struct stat inside, outside;
	ord_layout_path(l, node, ".", above);
	return stat(p.data, &inside) == 0 && stat(above, &outside) == 0 && inside.st_dev != outside.st_dev;
}

/* The image takes room on this machine's disk only as it is written to. */
static int image_make(const struct paths *p, uint64_t bytes, char *why, size_t why_size)
{
	const char *const mkfs[] = {"mkfs.ext4", "-q", "-F", "-m", "0", p->draft, NULL};
	int fd = open(p->draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(p->draft, why, why_size);
	int err = ftruncate(fd, (off_t)bytes) == 0 ? ORD_OK : fail_errno(p->draft, why, why_size);
	close(fd);
	if (err == ORD_OK)
		err = ord_tool_say(why, why_size, mkfs);
	if (err == ORD_OK && rename(p->draft, p->image) != 0)
		err = fail_errno(p->image, why, why_size);
	return err;
}

int ord_node_disk_mount(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size)
{
	struct paths p = paths_of(l, node);
	const char *const mount[] = {"mount", "-t", "ext4", "-o", "loop,noatime", p.image, p.data, NULL};
	if (ord_node_disk_is_mounted(l, node))
		return ORD_OK;
	int err = ord_layout_directory(p.data, why, why_size);
	if (err == ORD_OK && access(p.image, F_OK) != 0)
		err = image_make(&p, l->netns.disk_bytes, why, why_size);
	if (err == ORD_OK)
		err = ord_tool_say(why, why_size, mount);
	if (err == ORD_OK)
		unlink(p.filler);
	return err;
}

/* `mount` was killed between two of its steps: the loop device has the image, and nobody the loop device. */
static int loops_free(const struct paths *p, char *why, size_t why_size)
{
	const char *const ask[] = {"losetup", "--noheadings", "--output", "NAME", "--associated", p->image, NULL};
	struct ord_bytes out;
	struct ord_tool tool = {.argv = ask, .output = &out};
	if (access(p->image, F_OK) != 0)
		return ORD_OK;
	ord_bytes_init(&out, LOOPS_BYTES_MAX);
	int err = ord_tool_run(&tool, why, why_size);
	ord_bytes_put_u8(&out, '\0');
	char *rest = NULL;
	char *loop = err == ORD_OK && !out.failed ? strtok_r((char *)out.base, "\n", &rest) : NULL;
	for (; err == ORD_OK && loop != NULL; loop = strtok_r(NULL, "\n", &rest)) {
		const char *const detach[] = {"losetup", "--detach", loop, NULL};
		err = ord_tool_say(why, why_size, detach);
	}
	ord_bytes_close(&out);
	return err;
}

int ord_node_disk_unmount(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size)
{
	struct paths p = paths_of(l, node);
	const char *const umount[] = {"umount", p.data, NULL};
	if (ord_node_disk_is_mounted(l, node) && ord_tool_say(why, why_size, umount) != ORD_OK) {
		size_t len = strlen(why);
		snprintf(why + len, why_size - len,
			 "; end what uses it ('fuser -vm %s' lists it), then stop the cluster again", p.data);
		return ORD_ERR_IO;
	}
	unlink(p.draft);
	return loops_free(&p, why, why_size);
}

/* --- what is wrong with it on purpose --------------------------------------------------------------------------------- */

static int mounted_check(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size)
{
	if (ord_node_disk_is_mounted(l, node))
		return ORD_OK;
	snprintf(why, why_size,
		 "the file system of node %u is not mounted; start it with: ordain cluster start --dir %s",
		 (unsigned)node->id, l->dir);
	return ORD_ERR_IO;
}

/* A file without a name is made: nothing of it stays. */
static bool is_broken(const char *data)
{
	int fd = open(data, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EIO;
	close(fd);
	return false;
}

int ord_node_disk_look(const struct ord_layout *l, const struct ord_layout_node *node, struct ord_node_disk_look *ret,
		       char *why, size_t why_size)
{
	struct paths p = paths_of(l, node);
	struct statvfs fs;
	int err = mounted_check(l, node, why, why_size);
	if (err != ORD_OK)
		return err;
	if (statvfs(p.data, &fs) != 0)
		return fail_errno(p.data, why, why_size);
	*ret = (struct ord_node_disk_look){.full = access(p.filler, F_OK) == 0,
					   .broken = is_broken(p.data),
					   .free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize};
	return ORD_OK;
}

/* Makes the file longer until no more than left_bytes are free, in steps that are halved as room gets short. Nothing is written: the blocks are only taken. */
static int room_take(int fd, uint64_t left_bytes)
{
	struct statvfs fs;
	struct stat st;
	if (fstat(fd, &st) != 0)
		return ORD_ERR_IO;
	off_t end = st.st_size;
	for (off_t step = FILL_STEP_BYTES; step >= FILL_STEP_BYTES_MIN;) {
		if (fstatvfs(fd, &fs) != 0)
			return ORD_ERR_IO;
		bool fits = (uint64_t)fs.f_bavail * fs.f_frsize >= left_bytes + (uint64_t)step || left_bytes == 0;
		if (fits && fallocate(fd, 0, end, step) == 0) {
			end += step;
			continue;
		}
		if (fits && errno != ENOSPC && errno != EFBIG && errno != EINTR)
			return ORD_ERR_IO;
		step /= 2;
	}
	return ORD_OK;
}

int ord_node_disk_fill(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size)
{
	struct paths p = paths_of(l, node);
	const struct timespec pause = {.tv_sec = FILL_PAUSE_MS / 1000, .tv_nsec = FILL_PAUSE_MS % 1000 * 1000000};
	int err = mounted_check(l, node, why, why_size);
	if (err != ORD_OK)
		return err;
	bool is_full = access(p.filler, F_OK) == 0;
	int fd = open(p.filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(p.filler, why, why_size);
	if (!is_full && room_take(fd, FILL_LAST_BYTES) == ORD_OK)
		nanosleep(&pause, NULL);
	err = room_take(fd, 0) == ORD_OK ? ORD_OK : fail_errno(p.filler, why, why_size);
	close(fd);
	return err;
}

int ord_node_disk_empty(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size)
{
	struct paths p = paths_of(l, node);
	if (unlink(p.filler) == 0 || errno == ENOENT)
		return ORD_OK;
	return fail_errno(p.filler, why, why_size);
}

int ord_node_disk_break(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size)
{
	struct paths p = paths_of(l, node);
	uint32_t how = SHUTDOWN_WITHOUT_LOG;
	int err = mounted_check(l, node, why, why_size);
	if (err != ORD_OK)
		return err;
	int fd = open(p.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, SHUTDOWN_REQUEST, &how) != 0)
		err = fail_errno(p.data, why, why_size);
	if (fd >= 0)
		close(fd);
	return err;
}

int ord_node_disk_mend(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size)
{
	struct paths p = paths_of(l, node);
	if (!ord_node_disk_is_mounted(l, node) || !is_broken(p.data))
		return ORD_OK;
	int err = ord_node_disk_unmount(l, node, why, why_size);
	return err == ORD_OK ? ord_node_disk_mount(l, node, why, why_size) : err;
}
