/* SPDX-License-Identifier: Apache-2.0 - which blocks of the history are missing at the start: a file's name says where it begins, its headers where it ends.
 *
 * Following the headers of all files takes as long as their number wants, so that a start does not wait for it. Files may come and go meanwhile; what is done to a partition's gaps is
 * counted, and when something was, that partition is looked at once more.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "node/history_state.h"

void ord_history_survey_close(struct ord_history_survey *s)
{
	free(s->files);
	s->files = NULL;
	ord_history_gaps_close(&s->found);
}

/* The number of the file's last block. ORD_ERR_NOT_FOUND: there is no such file any more. ORD_ERR_CORRUPT: the headers do not lead to its end. */
static int file_last(struct ord_history *h, int dir_fd, uint32_t partition, uint64_t volume, uint64_t *ret_last,
		     uint64_t *ret_offset, char *why)
{
	struct ord_history_file file;
	struct ord_volume_header header = {
		.cluster = h->options.cluster, .partition = partition, .first_block = volume};
	struct ord_block_header b;
	*ret_last = volume - 1;
	*ret_offset = ORD_VOLUME_HEADER_BYTES;
	int err = ord_history_file_open(&file, dir_fd, &header, O_RDONLY);
	if (err != ORD_OK)
		return err;
	while ((err = ord_volume_peek(&file.volume, *ret_offset, &b, why)) == ORD_OK) {
		*ret_last = b.number;
		*ret_offset += ord_block_bytes(&b);
	}
	ord_history_file_close(&file);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK;
	return err == ORD_ERR_IO ? err : ORD_ERR_CORRUPT;
}

static int survey_begin(struct ord_history *h, int dir_fd)
{
	struct ord_history_survey *s = &h->survey;
	ord_history_survey_close(s);
	uv_mutex_lock(&h->mutex);
	s->changes = h->gaps_changes[s->partition];
	uint64_t kept = h->kept[s->partition];
	uv_mutex_unlock(&h->mutex);
	s->begun = true;
	s->next = 0;
	int err = ord_history_files_list(dir_fd, &s->files, &s->files_count);
	if (err == ORD_OK && s->files_count > 0 && s->files[0] > kept)
		err = ord_history_gaps_add(&s->found, kept, s->files[0] - 1);
	return err;
}

/* What lies between file `next` and the one behind it. */
static int survey_file(struct ord_history *h, int dir_fd)
{
	struct ord_history_survey *s = &h->survey;
	char why[ORD_BLOCK_WHY_SIZE];
	uint64_t begin = s->files[s->next], end = s->files[s->next + 1], last, offset;
	int err = file_last(h, dir_fd, s->partition, begin, &last, &offset, why);
	s->next++;
	if (err == ORD_ERR_CORRUPT) {
		ord_history_damaged(h, s->partition, begin, offset, why);
		return ORD_OK;
	}
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK; /* that changed the gaps */
	return err == ORD_OK && last + 1 < end ? ord_history_gaps_add(&s->found, last + 1, end - 1) : err;
}

/* Takes over what was found, and goes on with the next partition, unless something has changed: then with the same once more. */
static void survey_end(struct ord_history *h)
{
	struct ord_history_survey *s = &h->survey;
	struct ord_history_gaps *gaps = &h->gaps[s->partition];
	int err = ORD_OK;
	uv_mutex_lock(&h->mutex);
	bool same = s->changes == h->gaps_changes[s->partition];
	for (size_t i = 0; same && err == ORD_OK && i < s->found.count; i++)
		err = ord_history_gaps_add(gaps, s->found.list[i].first, s->found.list[i].last);
	uv_mutex_unlock(&h->mutex);
	s->begun = false;
	if (same && err == ORD_OK)
		s->partition += h->options.partitions_step;
}

bool ord_history_survey_step(struct ord_history *h)
{
	struct ord_history_survey *s = &h->survey;
	int err = ORD_OK;
	if (s->partition >= h->options.partitions_count)
		return false;
	int dir_fd = ord_history_directory_open(h, s->partition);
	if (dir_fd < 0)
		err = ORD_ERR_IO;
	else if (!s->begun)
		err = survey_begin(h, dir_fd);
	else if (s->next + 1 < s->files_count)
		err = survey_file(h, dir_fd);
	else
		survey_end(h);
	if (dir_fd >= 0)
		close(dir_fd);
	if (err != ORD_OK) { /* the scrub comes by, too */
		s->begun = false;
		s->partition += h->options.partitions_step;
	}
	return s->partition < h->options.partitions_count;
}
