/* SPDX-License-Identifier: Apache-2.0 - the file system of a node that has one of its own: an ext4 image, DIR/node-N/disk.img, mounted at DIR/node-N/data through a loop device. */
#ifndef ORD_CLI_NODE_DISK_H
#define ORD_CLI_NODE_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/layout.h"

#define ORD_NODE_DISK_BYTES_MIN (1024u << 20) /* below, the nodes' own reserve leaves little */

/* Mounts it, unless it is; makes the image when there is none. ORD_ERR_IO with why. */
int ord_node_disk_mount(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size);

/* Takes the mount and its loop device away where they are; the image stays. Nobody may use it. ORD_ERR_IO with why. */
int ord_node_disk_unmount(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size);

bool ord_node_disk_is_mounted(const struct ord_layout *l, const struct ord_layout_node *node);

#endif
