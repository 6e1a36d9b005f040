/* SPDX-License-Identifier: Apache-2.0 - a file that is mapped into the process's memory by a library that does not say where. */
#ifndef ORD_NODE_MAPPED_H
#define ORD_NODE_MAPPED_H

#include <stddef.h>

struct ord_mapped {
	void *base; /* NULL: not known, or not mapped */
	size_t len;
};

/* Where the first mapping of the open file is (proc(5), /proc/self/maps). Not known where the system does not tell, or tells of another device than fstat(2), as some file systems do. */
struct ord_mapped ord_mapped_find(int fd);

/* What was looked at in the first len bytes is no more counted as the process's memory; the system keeps it in its cache as long as it has room, and it is there again when it is looked at
 * (madvise(2), MADV_DONTNEED). The mapping must be shared, of a file. Does nothing when it is not known. */
void ord_mapped_let_go(const struct ord_mapped *m, size_t len);

#endif
