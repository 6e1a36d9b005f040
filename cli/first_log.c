/* SPDX-License-Identifier: Apache-2.0 - the write-ahead log that a restored node begins with. */
#include "cli/first_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "raft/segment.h"

#define BATCH_BYTES (1u << 20)	  /* a batch ends with the record that passes this */
#define SEGMENT_BYTES (64u << 20) /* a segment likewise */

void ord_first_log_init(struct ord_first_log *l, const char *directory, const struct ord_first_log_owner *owner)
{
	*l = (struct ord_first_log){.cluster = owner->cluster,
				    .node = owner->node,
				    .partitions_count = owner->partitions_count,
				    .fd = -1,
				    .sequence = 1};
	snprintf(l->directory, sizeof l->directory, "%s", directory);
	ord_bytes_init(&l->records, 2 * BATCH_BYTES + ORD_RECORD_BYTES_MAX);
}

void ord_first_log_close(struct ord_first_log *l)
{
	if (l->sequence > 0 && l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	ord_bytes_close(&l->records);
}

static int fail(const struct ord_first_log *l, int err, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s: %s", l->directory, err == ORD_ERR_NOMEM ? ord_err_text(err) : strerror(errno));
	return err;
}

static int segment_begin(struct ord_first_log *l)
{
	char path[ORD_FOLDER_PATH_SIZE + 32];
	uint8_t out[ORD_SEGMENT_HEADER_BYTES];
	if (l->fd >= 0)
		close(l->fd);
	l->segment++;
	struct ord_segment s = {.format = ORD_SEGMENT_FORMAT,
				.cluster = l->cluster,
				.node = l->node,
				.groups_count = l->partitions_count,
				.number = l->segment,
				.sequence = l->sequence};
	snprintf(path, sizeof path, "%s/%016" PRIx64 ".wal", l->directory, l->segment);
	l->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (l->fd < 0)
		return ORD_ERR_IO;
	l->salt = ord_segment_encode(&s, out);
	l->bytes = sizeof out;
	return ord_folder_put(l->fd, out, sizeof out);
}

static int batch_write(struct ord_first_log *l)
{
	uint8_t out[ORD_BATCH_HEADER_BYTES];
	int err = l->fd < 0 || l->bytes >= SEGMENT_BYTES ? segment_begin(l) : ORD_OK;
	if (err != ORD_OK)
		return err;
	struct ord_batch_header h = {.sequence = l->sequence++,
				     .length = (uint32_t)l->records.len,
				     .records = l->records_count,
				     .check = l->check};
	ord_batch_encode(&h, l->salt, out);
	err = ord_folder_put(l->fd, out, sizeof out);
	if (err == ORD_OK)
		err = ord_folder_put(l->fd, l->records.base, l->records.len);
	l->bytes += sizeof out + l->records.len;
	ord_bytes_clear(&l->records);
	l->records_count = 0;
	l->check = 0;
	return err;
}

int ord_first_log_add(struct ord_first_log *l, const struct ord_record *r, char *why, size_t why_size)
{
	uint8_t *out = ord_bytes_extend(&l->records, ord_record_bytes(r));
	if (out == NULL)
		return fail(l, ORD_ERR_NOMEM, why, why_size);
	ord_record_encode(r, out);
	l->records_count++;
	l->check = ord_batch_check(l->check, ord_record_check(out));
	int err = l->records.len >= BATCH_BYTES ? batch_write(l) : ORD_OK;
	return err == ORD_OK ? ORD_OK : fail(l, err, why, why_size);
}

int ord_first_log_end(struct ord_first_log *l, char *why, size_t why_size)
{
	int err = l->records_count > 0 ? batch_write(l) : ORD_OK;
	return err == ORD_OK ? ORD_OK : fail(l, err, why, why_size);
}
