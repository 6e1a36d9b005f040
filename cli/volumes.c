/* SPDX-License-Identifier: Apache-2.0 - blocks into files of history. They are made durable all at once, by whoever ends the folder: so no block says that it was synced with the ones before. */
#include "cli/volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "partition/volume.h"

void ord_volumes_init(struct ord_volumes *v, const char *directory, const struct ord_uuid *cluster, uint32_t partition)
{
	*v = (struct ord_volumes){.cluster = *cluster, .partition = partition, .fd = -1};
	snprintf(v->directory, sizeof v->directory, "%s", directory);
}

void ord_volumes_close(struct ord_volumes *v)
{
	if (v->fd >= 0)
		close(v->fd);
	v->fd = -1;
}

static int fail_errno(const struct ord_volumes *v, char *why, size_t why_size)
{
	int err = errno == ENOSPC || errno == EDQUOT ? ORD_ERR_NO_SPACE : ORD_ERR_IO;
	snprintf(why, why_size, "%s: %s", v->directory, strerror(errno));
	return err;
}

/* What was before the first block has been dropped: the file "first" says so. */
static int first_write(const struct ord_volumes *v, const struct ord_volume_header *h, char *why, size_t why_size)
{
	char path[ORD_FOLDER_PATH_SIZE + 16];
	uint8_t out[ORD_VOLUME_HEADER_BYTES];
	snprintf(path, sizeof path, "%s/" ORD_VOLUME_FIRST_NAME, v->directory);
	ord_volume_first_encode(h, out);
	return ord_folder_write(path, ord_slice_of(out, sizeof out), why, why_size);
}

static int file_begin(struct ord_volumes *v, uint64_t first_block, char *why, size_t why_size)
{
	char name[ORD_VOLUME_NAME_SIZE], path[ORD_FOLDER_PATH_SIZE + ORD_VOLUME_NAME_SIZE];
	uint8_t out[ORD_VOLUME_HEADER_BYTES];
	struct ord_volume_header h = {.cluster = v->cluster, .partition = v->partition, .first_block = first_block};
	bool is_first = v->fd < 0;
	ord_volumes_close(v);
	ord_volume_name(first_block, name);
	snprintf(path, sizeof path, "%s/%s", v->directory, name);
	v->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (v->fd < 0)
		return fail_errno(v, why, why_size);
	ord_volume_header_encode(&h, out);
	v->bytes = sizeof out;
	if (ord_folder_put(v->fd, out, sizeof out) != ORD_OK)
		return fail_errno(v, why, why_size);
	return is_first && first_block > 1 ? first_write(v, &h, why, why_size) : ORD_OK;
}

int ord_volumes_add(struct ord_volumes *v, const struct ord_block_header *h, struct ord_slice bytes, char *why,
		    size_t why_size)
{
	char problem[ORD_BLOCK_WHY_SIZE];
	uint8_t out[ORD_BLOCK_HEADER_BYTES];
	struct ord_block_header own = *h;
	bool begins = v->fd < 0;
	if ((!begins || h->number == 1) && ord_block_follows(h, &v->end, problem) != ORD_OK) {
		snprintf(why, why_size, "%s: %s", v->directory, problem);
		return ORD_ERR_CORRUPT;
	}
	int err = begins || v->bytes >= ORD_VOLUME_BYTES ? file_begin(v, h->number, why, why_size) : ORD_OK;
	if (err != ORD_OK)
		return err;
	own.cluster = v->cluster;
	own.joined = 0;
	ord_block_header_encode(&own, out);
	if (ord_folder_put(v->fd, out, sizeof out) != ORD_OK ||
	    ord_folder_put(v->fd, (const uint8_t *)bytes.base + sizeof out, bytes.len - sizeof out) != ORD_OK)
		return fail_errno(v, why, why_size);
	v->bytes += bytes.len;
	v->end = ord_block_end_of(h);
	return ORD_OK;
}
