/* SPDX-License-Identifier: Apache-2.0 - the loss of a disk: all that is in a node's data directory goes, the directory stays. */
#include "cli/wipe.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define DIRECTORIES_OPEN_MAX 16

/* The directory itself may be where a file system is mounted. */
static int name_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	return at->level > 0 ? remove(path) : 0;
}

int ord_wipe(const char *data_dir, char *why, size_t why_size)
{
	if (nftw(data_dir, name_remove, DIRECTORIES_OPEN_MAX, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
		return ORD_OK;
	snprintf(why, why_size, "%s: not all of it could be removed: %s", data_dir, strerror(errno));
	return ORD_ERR_IO;
}
