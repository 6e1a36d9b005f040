/* SPDX-License-Identifier: Apache-2.0 - what a process of this machine has used: processor, memory, disk, network. */
#ifndef ORD_CLI_USAGE_H
#define ORD_CLI_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/sockets.h"

/* A figure that nobody tells. */
#define ORD_USAGE_UNKNOWN UINT64_MAX

struct ord_usage {
	uint64_t cpu_us;	 /* of all threads, user and system */
	uint64_t resident_bytes; /* at this moment */
	uint64_t peak_bytes;	 /* resident, at most, in its life */
	uint64_t written_bytes;	 /* that it caused to be written to disks, as the kernel counts for a process */
	uint64_t sent_bytes;	 /* over TCP */
	uint64_t received_bytes; /* likewise */
};

/* One moment of a process. */
struct ord_usage_mark {
	pid_t pid;
	struct ord_usage usage; /* sent_bytes and received_bytes only in a namespace of its own */
	struct ord_sockets sockets;
	bool has_sockets;
};

/* What is known of the process at this moment. own_network: it is alone in its network namespace, whose counters are then its own; else the TCP connections count that
 * it has open, out of all (NULL: not known). pid 0: nothing is known. */
void ord_usage_mark(struct ord_usage_mark *m, pid_t pid, bool own_network, const struct ord_sockets *all);
void ord_usage_mark_close(struct ord_usage_mark *m);

/* From one moment to a later one of the same process; memory is that of the later one. */
struct ord_usage ord_usage_between(const struct ord_usage_mark *begin, const struct ord_usage_mark *end);

/* Bytes that the device below a path has had written since the machine was started, by its sectors, and its name. Unknown, and "", when it is no device of which the kernel
 * keeps a count (tmpfs, overlayfs). */
#define ORD_USAGE_DEVICE_SIZE 64
uint64_t ord_usage_device(const char *path, char name[ORD_USAGE_DEVICE_SIZE]);

#endif
