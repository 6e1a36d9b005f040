/* SPDX-License-Identifier: Apache-2.0 - the history in a node's data directory, read file by file.
 *
 * A node that runs appends to the last file, begins new ones and drops old ones. So a file's length is taken once, what the last file ends with may be a block that is being
 * written, and a file that is gone when its turn comes, before any block was met, was dropped.
 */
#include "cli/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/identity.h"
#include "partition/volume.h"

#define PATH_SIZE (PATH_MAX + 64)

static const struct ord_uuid unknown;

/* --- Directories. --- */

static bool has_history(const char *directory)
{
	char path[PATH_SIZE];
	struct stat st;
	snprintf(path, sizeof path, "%s/history", directory);
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int ord_archive_open(const char *data_dir, struct ord_archive *ret, char *why, size_t why_size)
{
	if (!has_history(data_dir)) {
		snprintf(why, why_size,
			 ord_identity_has_shards(data_dir)
				 ? "there is no history in %s, but directories of several shards; give one of them, "
				   "shard-K: partition P is in that of shard P modulo their number"
				 : "there is no history in %s; give the data directory of a node (of a cluster made by "
				   "'ordain "
				   "cluster start' it is DIR/node-N/data)",
			 data_dir);
		return ORD_ERR_NOT_FOUND;
	}
	*ret = (struct ord_archive){.home = {.data_dir = data_dir}, .cluster = ord_identity_read(data_dir).cluster};
	return ORD_OK;
}

int ord_archive_open_all(const struct ord_home *home, struct ord_archive *ret, char *why, size_t why_size)
{
	for (uint32_t i = 0; i < ord_home_shards(home); i++) {
		char directory[ORD_HOME_PATH_SIZE];
		ord_home_of_shard(home, i, directory);
		if (has_history(directory))
			continue;
		snprintf(why, why_size, "there is no history in %s", directory);
		return ORD_ERR_NOT_FOUND;
	}
	*ret = (struct ord_archive){.home = *home, .cluster = ord_identity_read(home->data_dir).cluster};
	return ORD_OK;
}

void ord_archive_directory(const struct ord_archive *a, char path[ORD_HOME_PATH_SIZE + 16])
{
	char directory[ORD_HOME_PATH_SIZE];
	ord_home_of_shard(&a->home, 0, directory);
	snprintf(path, ORD_HOME_PATH_SIZE + 16, "%s/history", directory);
}

/* --- A walk. --- */

struct walk {
	const struct ord_archive_visitor *visitor; /* borrowed */
	struct ord_archive_total *total;	   /* borrowed */
	char directory[PATH_SIZE];
	struct ord_uuid cluster;
	uint32_t partition;
	uint64_t *files; /* owned; ascending */
	size_t files_count;
	struct ord_block_codec *codec; /* owned */
	struct ord_bytes bytes;	       /* owned; of one block */
	bool linked;		       /* the next block goes on at total->end */
	uint64_t due;		       /* the block that should come next, 0: none knows */
	bool ended;
	/* The open file. */
	char path[PATH_SIZE + ORD_VOLUME_NAME_SIZE];
	int fd;
	bool is_last;
	struct ord_volume volume;
};

static void damage_tell(struct walk *w, uint64_t offset, uint64_t bytes, const char *why)
{
	struct ord_archive_place place = {.path = w->path, .offset = offset};
	w->visitor->damage(w->visitor->ctx, &place, bytes, why);
	w->linked = w->linked && bytes == 0;
	if (bytes > 0)
		w->due = 0;
}

static int file_read(void *ctx, uint64_t offset, void *base, size_t len, size_t *ret_len)
{
	const struct walk *w = ctx;
	size_t have = 0;
	while (have < len) {
		ssize_t done = pread(w->fd, (uint8_t *)base + have, len - have, (off_t)(offset + have));
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return ORD_ERR_IO;
		if (done == 0)
			break;
		have += (size_t)done;
	}
	*ret_len = have;
	return ORD_OK;
}

/* Takes the cluster from the first file whose header can be read, where nothing else told it. */
static void cluster_learn(struct walk *w)
{
	uint8_t in[ORD_VOLUME_HEADER_BYTES];
	char why[ORD_BLOCK_WHY_SIZE];
	struct ord_volume_header h;
	size_t have;
	if (ord_uuid_equal(&w->cluster, &unknown) && file_read(w, 0, in, sizeof in, &have) == ORD_OK &&
	    have == sizeof in && ord_volume_header_decode(in, &h, why) == ORD_OK)
		w->cluster = h.cluster;
}

/* Opens file i. False with errno. */
static bool file_try(struct walk *w, size_t i)
{
	char name[ORD_VOLUME_NAME_SIZE];
	struct stat st;
	ord_volume_name(w->files[i], name);
	snprintf(w->path, sizeof w->path, "%s/%s", w->directory, name);
	w->is_last = i + 1 == w->files_count;
	w->fd = open(w->path, O_RDONLY | O_CLOEXEC);
	if (w->fd < 0 || fstat(w->fd, &st) != 0)
		return false;
	cluster_learn(w);
	w->volume = (struct ord_volume){
		.header = {.cluster = w->cluster, .partition = w->partition, .first_block = w->files[i]},
		.bytes = (uint64_t)st.st_size,
		.ctx = w,
		.read = file_read};
	return true;
}

static void file_close(struct walk *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

/* Something else than a block stands at *offset: goes on where the next one stands, or at the end. */
static void block_skip(struct walk *w, uint64_t *offset, int err, const char *why)
{
	char none[ORD_BLOCK_WHY_SIZE];
	struct ord_block_header h;
	uint64_t next = w->volume.bytes, from = *offset;
	bool found = err != ORD_ERR_IO && ord_volume_search(&w->volume, from + 1, &h, &next, none) == ORD_OK;
	*offset = found ? next : w->volume.bytes;
	if (!found && err == ORD_ERR_TRUNCATED && w->is_last)
		w->total->unfinished_bytes += w->volume.bytes - from;
	else
		damage_tell(w, from, *offset - from, why);
}

/* The first block of a file may come behind a gap. */
static void gap_find(struct walk *w, const struct ord_block_header *h, uint64_t offset)
{
	struct ord_archive_place place = {.path = w->path, .offset = offset};
	if (offset != ORD_VOLUME_HEADER_BYTES || w->due == 0 || h->number <= w->due ||
	    h->number != w->volume.header.first_block)
		return;
	w->total->missing_count += h->number - w->due;
	w->linked = false;
	if (w->visitor->gap != NULL)
		w->visitor->gap(w->visitor->ctx, &place, w->due, h->number - 1);
}

/* A block whose header checks: says whether it goes on where the one before ended. */
static void block_link(struct walk *w, const struct ord_block_header *h, uint64_t offset)
{
	char why[ORD_BLOCK_WHY_SIZE];
	bool first_ever = w->total->blocks_count == 0 && h->number == 1;
	gap_find(w, h, offset);
	if ((w->linked || first_ever) && ord_block_follows(h, &w->total->end, why) != ORD_OK)
		damage_tell(w, offset, 0, why);
	if (w->total->blocks_count++ == 0)
		w->total->first_position = h->first_position;
	w->total->end = ord_block_end_of(h);
	w->due = h->number + 1;
	w->linked = true;
}

/* Reads and tells the block at offset. */
static void block_visit(struct walk *w, uint64_t offset, const struct ord_block_header *h)
{
	char why[ORD_BLOCK_WHY_SIZE];
	struct ord_archive_place place = {.path = w->path, .offset = offset};
	struct ord_block block;
	if (ord_block_last_position(h) < w->visitor->from_position || h->last_time_us < w->visitor->from_time_us) {
		block_link(w, h, offset);
		return;
	}
	int err = ord_volume_read(&w->volume, offset, h, &w->bytes, why);
	if (err == ORD_OK)
		err = ord_block_decode(w->codec, ord_bytes_slice(&w->bytes), &block, why);
	if (err != ORD_OK) {
		damage_tell(w, offset, ord_block_bytes(h), why);
		return;
	}
	block_link(w, h, offset);
	w->ended = !w->visitor->block(w->visitor->ctx, &place, &block);
}

static void blocks_walk(struct walk *w)
{
	char why[ORD_BLOCK_WHY_SIZE];
	struct ord_block_header h;
	uint64_t offset = ORD_VOLUME_HEADER_BYTES;
	int err = ORD_OK;
	while (!w->ended && err != ORD_ERR_NOT_FOUND) {
		err = ord_volume_peek(&w->volume, offset, &h, why);
		if (err == ORD_OK) {
			block_visit(w, offset, &h);
			offset += ord_block_bytes(&h);
		} else if (err != ORD_ERR_NOT_FOUND) {
			block_skip(w, &offset, err, why);
		}
	}
}

/* The file that is open. */
static void file_walk_open(struct walk *w)
{
	char why[ORD_BLOCK_WHY_SIZE];
	w->total->files_count++;
	w->total->bytes += w->volume.bytes;
	int err = ord_volume_check(&w->volume, why);
	if (err == ORD_ERR_TRUNCATED && w->is_last) {
		w->total->unfinished_bytes += w->volume.bytes;
		return;
	}
	if (err == ORD_ERR_MISMATCH || err == ORD_ERR_IO || err == ORD_ERR_TRUNCATED) {
		damage_tell(w, 0, w->volume.bytes, why);
		w->linked = false;
		return;
	}
	if (err != ORD_OK) /* the blocks behind it may be sound */
		damage_tell(w, 0, 0, why);
	blocks_walk(w);
}

static void file_walk(struct walk *w, size_t i)
{
	if (file_try(w, i)) {
		file_walk_open(w);
		return;
	}
	if (errno == ENOENT && w->total->blocks_count == 0)
		return; /* dropped */
	damage_tell(w, 0, 0, strerror(errno));
	w->linked = false;
}

/* The file to begin with: the last one that begins at or before the position that is asked for. */
static size_t file_first(struct walk *w)
{
	char why[ORD_BLOCK_WHY_SIZE];
	struct ord_block_header h;
	const struct ord_archive_visitor *v = w->visitor;
	size_t i = v->from_position > 0 || v->from_time_us > 0 ? w->files_count : 0;
	while (i-- > 1) {
		bool begins_before = file_try(w, i) &&
				     ord_volume_peek(&w->volume, ORD_VOLUME_HEADER_BYTES, &h, why) == ORD_OK &&
				     (v->from_position == 0 || h.first_position <= v->from_position) &&
				     (v->from_time_us == 0 || h.first_time_us < v->from_time_us);
		file_close(w);
		if (begins_before)
			return i;
	}
	return 0;
}

/* The first block that retention has kept; 1 when it has dropped none. */
static uint64_t first_kept(const struct walk *w)
{
	uint8_t in[ORD_VOLUME_HEADER_BYTES];
	char path[PATH_SIZE + sizeof ORD_VOLUME_FIRST_NAME], why[ORD_BLOCK_WHY_SIZE];
	struct ord_volume_header h;
	snprintf(path, sizeof path, "%s/" ORD_VOLUME_FIRST_NAME, w->directory);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, in, sizeof in) : 0;
	if (fd >= 0)
		close(fd);
	bool good = len == (ssize_t)sizeof in && ord_volume_first_decode(in, &h, why) == ORD_OK &&
		    h.partition == w->partition;
	return good ? h.first_block : 1;
}

static int files_list(struct walk *w, char *why, size_t why_size)
{
	struct dirent **names = NULL;
	int count = scandir(w->directory, &names, NULL, alphasort);
	if (count < 0) {
		int err = errno == ENOENT ? ORD_ERR_NOT_FOUND : ORD_ERR_IO;
		snprintf(why, why_size, "%s: %s", w->directory,
			 err == ORD_ERR_NOT_FOUND ? "there is no history of that partition" : strerror(errno));
		return err;
	}
	w->files = calloc((size_t)count + 1, sizeof *w->files);
	for (int i = 0; i < count; i++) {
		char path[PATH_SIZE + sizeof names[i]->d_name];
		snprintf(path, sizeof path, "%s/%s", w->directory, names[i]->d_name);
		if (strstr(names[i]->d_name, ".hist.damaged-") != NULL && w->visitor->aside != NULL)
			w->visitor->aside(w->visitor->ctx, path);
		if (w->files != NULL && ord_volume_number(names[i]->d_name, &w->files[w->files_count]))
			w->files_count++;
		free(names[i]);
	}
	free(names);
	return w->files != NULL ? ORD_OK : ORD_ERR_NOMEM;
}

int ord_archive_walk(const struct ord_archive *a, uint32_t partition, const struct ord_archive_visitor *visitor,
		     struct ord_archive_total *ret, char *why, size_t why_size)
{
	struct walk w = {.visitor = visitor, .total = ret, .cluster = a->cluster, .partition = partition, .fd = -1};
	*ret = (struct ord_archive_total){0};
	char directory[ORD_HOME_PATH_SIZE];
	ord_home_of(&a->home, partition, directory);
	snprintf(w.directory, sizeof w.directory, "%s/history/%" PRIu32, directory, partition);
	snprintf(why, why_size, "%s", ord_err_text(ORD_ERR_NOMEM));
	ord_bytes_init(&w.bytes, ORD_BLOCK_HEADER_BYTES + ORD_BLOCK_STORED_BYTES_MAX);
	int err = ord_block_codec_open(&w.codec);
	if (err == ORD_OK)
		err = files_list(&w, why, why_size);
	size_t first = err == ORD_OK ? file_first(&w) : 0;
	w.due = first == 0 ? first_kept(&w) : 0;
	for (size_t i = first; err == ORD_OK && !w.ended && i < w.files_count; i++) {
		file_walk(&w, i);
		file_close(&w);
	}
	free(w.files);
	ord_bytes_close(&w.bytes);
	ord_block_codec_close(w.codec);
	return err;
}

/* What the file says it is: its header, or else that of its first block. */
static bool file_know(struct walk *w)
{
	uint8_t in[ORD_VOLUME_HEADER_BYTES + ORD_BLOCK_HEADER_BYTES];
	char why[ORD_BLOCK_WHY_SIZE];
	struct ord_volume_header h;
	struct ord_block_header b;
	size_t have = 0;
	if (file_read(w, 0, in, sizeof in, &have) != ORD_OK)
		return false;
	if (have >= ORD_VOLUME_HEADER_BYTES && ord_volume_header_decode(in, &h, why) == ORD_OK) {
		w->volume.header = h;
		return true;
	}
	if (have < sizeof in || ord_block_header_decode(in + ORD_VOLUME_HEADER_BYTES, &b, why) != ORD_OK)
		return false;
	w->volume.header =
		(struct ord_volume_header){.cluster = b.cluster, .partition = b.partition, .first_block = b.number};
	return true;
}

static int file_walk_alone(struct walk *w, char *why, size_t why_size)
{
	struct stat st;
	w->fd = open(w->path, O_RDONLY | O_CLOEXEC);
	if (w->fd < 0 || fstat(w->fd, &st) != 0) {
		snprintf(why, why_size, "%s: %s", w->path, strerror(errno));
		return errno == ENOENT ? ORD_ERR_NOT_FOUND : ORD_ERR_IO;
	}
	w->volume = (struct ord_volume){.bytes = (uint64_t)st.st_size, .ctx = w, .read = file_read};
	if (!file_know(w)) {
		snprintf(why, why_size, "%s: neither the header of a file of history nor a first block can be read",
			 w->path);
		return ORD_ERR_CORRUPT;
	}
	w->cluster = w->volume.header.cluster;
	w->partition = w->volume.header.partition;
	file_walk_open(w);
	return ORD_OK;
}

int ord_archive_walk_file(const char *path, const struct ord_archive_visitor *visitor, uint32_t *ret_partition,
			  struct ord_archive_total *ret, char *why, size_t why_size)
{
	struct walk w = {.visitor = visitor, .total = ret, .fd = -1};
	*ret = (struct ord_archive_total){0};
	snprintf(w.path, sizeof w.path, "%s", path);
	snprintf(why, why_size, "%s", ord_err_text(ORD_ERR_NOMEM));
	ord_bytes_init(&w.bytes, ORD_BLOCK_HEADER_BYTES + ORD_BLOCK_STORED_BYTES_MAX);
	int err = ord_block_codec_open(&w.codec);
	if (err == ORD_OK)
		err = file_walk_alone(&w, why, why_size);
	*ret_partition = w.partition;
	file_close(&w);
	ord_bytes_close(&w.bytes);
	ord_block_codec_close(w.codec);
	return err;
}
