/* SPDX-License-Identifier: Apache-2.0 - damage on a disk: one bit of a file of a node's data directory is changed. */
#include "cli/fault_flip.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/chance.h"
#include "base/err.h"
#include "cli/identity.h"

#define READ_BYTES (64u << 10)

/* Which files are of a kind, below the data directory. */
static const struct kind {
	const char *name;
	const char *pattern;
} kinds[] = {{"wal", "wal/*.wal"},
	     {"history", "history/[0-9]*/*[0-9].hist"},
	     {"state", "state/[0-9]*/data.mdb"},
	     {"identity", "identity"}};

static int fail_errno(const char *path, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s: %s", path, strerror(errno));
	return ORD_ERR_IO;
}

/* Where the last byte that is not zero ends: files of the log are longer than what is written in them. */
static int written_bytes(int fd, uint64_t file_bytes, uint64_t *ret)
{
	static uint8_t bytes[READ_BYTES];
	uint64_t end = file_bytes;
	while (end > 0) {
		uint64_t begin = end > READ_BYTES ? end - READ_BYTES : 0;
		ssize_t len = pread(fd, bytes, (size_t)(end - begin), (off_t)begin);
		if (len != (ssize_t)(end - begin))
			return -1;
		while (len > 0 && bytes[len - 1] == 0)
			len--;
		if (len > 0) {
			*ret = begin + (uint64_t)len;
			return 0;
		}
		end = begin;
	}
	*ret = 0;
	return 0;
}

/* Changes one bit of the open file. ORD_ERR_NOT_FOUND: nothing is written in it. */
static int bit_change(int fd, uint64_t *random, struct ord_fault_flip *ret, char *why, size_t why_size)
{
	struct stat st;
	uint64_t written;
	if (fstat(fd, &st) != 0 || written_bytes(fd, (uint64_t)st.st_size, &written) != 0)
		return fail_errno(ret->path, why, why_size);
	if (written == 0)
		return ORD_ERR_NOT_FOUND;
	ret->offset = ord_chance_next(random) % written;
	ret->bit = (unsigned)(ord_chance_next(random) % 8);
	if (pread(fd, &ret->before, 1, (off_t)ret->offset) != 1)
		return fail_errno(ret->path, why, why_size);
	uint8_t changed = ret->before ^ (uint8_t)(1u << ret->bit);
	if (pwrite(fd, &changed, 1, (off_t)ret->offset) != 1 || fdatasync(fd) != 0 ||
	    pread(fd, &ret->after, 1, (off_t)ret->offset) != 1)
		return fail_errno(ret->path, why, why_size);
	return ORD_OK;
}

static int file_change(const char *path, uint64_t *random, struct ord_fault_flip *ret, char *why, size_t why_size)
{
	snprintf(ret->path, sizeof ret->path, "%s", path);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(path, why, why_size);
	int err = bit_change(fd, random, ret, why, why_size);
	close(fd);
	return err;
}

int ord_fault_flip(const char *data_dir, const char *kind, uint64_t seed, struct ord_fault_flip *ret, char *why,
		   size_t why_size)
{
	char pattern[PATH_MAX] = "";
	uint64_t random = seed;
	glob_t files = {0};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, kind) == 0 &&
		    snprintf(pattern, sizeof pattern, "%s/%s%s", data_dir,
			     ord_identity_has_shards(data_dir) ? "shard-[0-9]*/" : "",
			     kinds[i].pattern) >= (int)sizeof pattern)
			pattern[0] = '\0';
	int err = ORD_ERR_NOT_FOUND;
	size_t count = glob(pattern, 0, NULL, &files) == 0 ? files.gl_pathc : 0;
	size_t first = count > 0 ? ord_chance_next(&random) % count : 0;
	for (size_t i = 0; err == ORD_ERR_NOT_FOUND && i < count; i++)
		err = file_change(files.gl_pathv[(first + i) % count], &random, ret, why, why_size);
	if (err == ORD_ERR_NOT_FOUND)
		snprintf(why, why_size,
			 "%s: there is no file of kind %s in which something is written; a history and a state are "
			 "written "
			 "some seconds after the first load: put some on the cluster, or choose another "
			 "of: " ORD_FAULT_FLIP_KINDS,
			 data_dir, kind);
	globfree(&files);
	return err;
}
