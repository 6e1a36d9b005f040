/* SPDX-License-Identifier: Apache-2.0 - the file system of a node that has one of its own: an ext4 image, DIR/node-N/disk.img, mounted at DIR/node-N/data through a loop device. */
#include "cli/node_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/tool.h"

#define LOOPS_BYTES_MAX 4096

struct paths {
	char image[PATH_MAX];
	char draft[PATH_MAX]; /* the image until it is whole */
	char data[PATH_MAX];
};

static struct paths paths_of(const struct ord_layout *l, const struct ord_layout_node *node)
{
	struct paths p;
	ord_layout_path(l, node, "disk.img", p.image);
	ord_layout_path(l, node, "disk.img.new", p.draft);
	ord_layout_path(l, node, "data", p.data);
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
	return err == ORD_OK ? ord_tool_say(why, why_size, mount) : err;
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
