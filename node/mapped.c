/* SPDX-License-Identifier: Apache-2.0 - mapped files. */
#include "node/mapped.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

struct ord_mapped ord_mapped_find(int fd)
{
	struct ord_mapped found = {.base = NULL};
	struct stat st;
	char line[512];
	FILE *maps = fstat(fd, &st) == 0 ? fopen("/proc/self/maps", "re") : NULL;
	while (maps != NULL && found.base == NULL && fgets(line, sizeof line, maps) != NULL) {
		uintptr_t begin, end;
		char access[8];
		uint64_t offset, inode;
		unsigned major_number, minor_number;
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s %" SCNx64 " %x:%x %" SCNu64, &begin, &end, access,
			   &offset, &major_number, &minor_number, &inode) == 7 &&
		    offset == 0 && inode == st.st_ino && major_number == major(st.st_dev) &&
		    minor_number == minor(st.st_dev) && access[3] == 's')
			found = (struct ord_mapped){.base = (void *)begin, .len = end - begin};
	}
	if (maps != NULL)
		fclose(maps);
	return found;
}

void ord_mapped_let_go(const struct ord_mapped *m, size_t len)
{
	if (m->base != NULL)
		(void)madvise(m->base, len < m->len ? len : m->len, MADV_DONTNEED); /* a hint */
}
