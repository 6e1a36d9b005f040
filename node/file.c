/* SPDX-License-Identifier: Apache-2.0 - whole reads and writes of files. */
#include "node/file.h"

#include <errno.h>
#include <unistd.h>

#include "base/err.h"

bool ord_file_write(int fd, struct ord_slice bytes, uint64_t offset)
{
	const uint8_t *at = bytes.base;
	size_t left = bytes.len;
	while (left > 0) {
		ssize_t done = pwrite(fd, at, left, (off_t)offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = EIO;
		if (done <= 0)
			return false;
		at += done;
		left -= (size_t)done;
		offset += (uint64_t)done;
	}
	return true;
}

bool ord_file_read(int fd, uint64_t offset, void *base, size_t len, size_t *ret_len)
{
	size_t have = 0;
	while (have < len) {
		ssize_t done = pread(fd, (uint8_t *)base + have, len - have, (off_t)(offset + have));
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		if (done == 0)
			break;
		have += (size_t)done;
	}
	*ret_len = have;
	return true;
}

int ord_file_err(void)
{
	return errno == ENOSPC || errno == EDQUOT ? ORD_ERR_NO_SPACE : ORD_ERR_IO;
}
