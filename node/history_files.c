/* SPDX-License-Identifier: Apache-2.0 - the directory of one partition's history. */
#include "node/history_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "node/file.h"

int ord_history_files_list(int dir_fd, uint64_t **ret, size_t *ret_count)
{
	struct dirent **names = NULL;
	int count = scandirat(dir_fd, ".", &names, NULL,
			      alphasort); /* numbers have 20 digits: their order is that of the names */
	if (count < 0)
		return ORD_ERR_IO;
	uint64_t *numbers = count > 0 ? calloc((size_t)count, sizeof *numbers) : NULL;
	size_t used = 0;
	for (int i = 0; i < count; i++) {
		if (numbers != NULL && ord_volume_number(names[i]->d_name, &numbers[used]))
			used++;
		free(names[i]);
	}
	free(names);
	if (count > 0 && numbers == NULL)
		return ORD_ERR_NOMEM;
	*ret = numbers;
	*ret_count = used;
	return ORD_OK;
}

static int file_read(void *ctx, uint64_t offset, void *base, size_t len, size_t *ret_len)
{
	const struct ord_history_file *f = ctx;
	return ord_file_read(f->fd, offset, base, len, ret_len) ? ORD_OK : ORD_ERR_IO;
}

int ord_history_file_open(struct ord_history_file *f, int dir_fd, const struct ord_volume_header *header, int flags)
{
	char name[ORD_VOLUME_NAME_SIZE];
	ord_volume_name(header->first_block, name);
	*f = (struct ord_history_file){.volume = {.header = *header, .ctx = f, .read = file_read}};
	f->fd = openat(dir_fd, name, flags | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return errno == ENOENT ? ORD_ERR_NOT_FOUND : ORD_ERR_IO;
	int err = ord_history_file_measure(f, dir_fd);
	if (err != ORD_OK)
		ord_history_file_close(f);
	return err;
}

int ord_history_file_measure(struct ord_history_file *f, int dir_fd)
{
	char name[ORD_VOLUME_NAME_SIZE];
	struct stat st;
	ord_volume_name(f->volume.header.first_block, name);
	if (fstatat(dir_fd, name, &st, 0) != 0)
		return ORD_ERR_IO;
	f->volume.bytes = (uint64_t)st.st_size;
	return ORD_OK;
}

void ord_history_file_close(struct ord_history_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}
