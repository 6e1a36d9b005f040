/* SPDX-License-Identifier: Apache-2.0 - the file system of a node that has one of its own: an ext4 image, DIR/node-N/disk.img, mounted at DIR/node-N/data through a loop device. */
#ifndef ORD_CLI_NODE_DISK_H
#define ORD_CLI_NODE_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/layout.h"

#define ORD_NODE_DISK_BYTES_MIN (1024u << 20) /* below, the nodes' own reserve leaves little */

/* Mounts it, unless it is, and gives room back that a fault took; makes the image when there is none. ORD_ERR_IO with why. */
int ord_node_disk_mount(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size);

/* Takes the mount and its loop device away where they are; the image stays. Nobody may use it. ORD_ERR_IO with why. */
int ord_node_disk_unmount(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size);

bool ord_node_disk_is_mounted(const struct ord_layout *l, const struct ord_layout_node *node);

/* What is wrong with it on purpose. */
struct ord_node_disk_look {
	bool full;   /* DIR/node-N/data/filler takes all room */
	bool broken; /* the file system is shut down: everything fails with EIO */
	uint64_t free_bytes;
};

/* ORD_ERR_IO with why: it is not mounted, or cannot be read. */
int ord_node_disk_look(const struct ord_layout *l, const struct ord_layout_node *node, struct ord_node_disk_look *ret,
		       char *why, size_t why_size);

/* Takes all room with one file, the last 32 MiB of it after 2.5 s: a node that looks at its disk each second sees it coming, as with disks that fill up by themselves. Gives it back. Neither
 * minds when it is so already. ORD_ERR_IO with why. */
int ord_node_disk_fill(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size);
int ord_node_disk_empty(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size);

/* Shuts the file system down as the loss of its disk would: what was not synced is lost, and all that is asked of it from now on fails with EIO. ORD_ERR_IO with why. */
int ord_node_disk_break(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size);

/* Mounts a broken one again; its node must not run. Does not mind one that is sound. ORD_ERR_IO with why. */
int ord_node_disk_mend(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size);

#endif
