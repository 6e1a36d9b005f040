/* SPDX-License-Identifier: Apache-2.0 - the manifest of a backup.
 *
 *   format        1
 *   made_by       version of ordain
 *   cluster_id    UUID
 *   nodes         how many the cluster has; 0: not known
 *   partitions    how many
 *   partition     for each: its number, position, digest, history hash, time of the last entry, number of the last whole block
 *   file          for each: length, SHA-256, path below the directory
 *   check         CRC-32C of all before this line
 */
#include "cli/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/args.h"
#include "cli/folder.h"
#include "cli/offline.h"
#include "client/ordain.h"
#include "node/lines.h"

#define LINE_SIZE (PATH_MAX + 256)
#define HASH_SIZE (2 * 32 + 1)
#define FILE_KEY "file = "
#define DEPTH_MAX 3 /* history/N/FILE */

int ord_manifest_open(struct ord_manifest *m, uint32_t partitions_count)
{
	*m = (struct ord_manifest){.partitions_count = partitions_count,
				   .partitions = calloc(partitions_count, sizeof *m->partitions)};
	return m->partitions != NULL ? ORD_OK : ORD_ERR_NOMEM;
}

void ord_manifest_close(struct ord_manifest *m)
{
	free(m->partitions);
	*m = (struct ord_manifest){.partitions_count = 0};
}

/* --- Writing. --- */

struct writing {
	const char *dir;       /* borrowed */
	struct ord_bytes text; /* owned */
	char *why;
	size_t why_size;
};

__attribute__((format(printf, 2, 3))) static void line_put(struct ord_bytes *text, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	ord_bytes_put(text, line, strlen(line));
}

static void head_put(struct ord_bytes *text, const struct ord_manifest *m)
{
	char cluster[ORD_UUID_TEXT_SIZE], digest[ORD_OFFLINE_DIGEST_SIZE], history[HASH_SIZE];
	ord_uuid_format(&m->cluster, cluster);
	line_put(text, "format = %u\nmade_by = %s\ncluster_id = %s\nnodes = %" PRIu32 "\npartitions = %" PRIu32 "\n",
		 ORD_MANIFEST_FORMAT, ORDAIN_VERSION, cluster, m->nodes_count, m->partitions_count);
	for (uint32_t i = 0; i < m->partitions_count; i++) {
		const struct ord_manifest_partition *p = &m->partitions[i];
		ord_offline_digest(p->digest, digest);
		ord_offline_hex(p->history_hash, sizeof p->history_hash, history);
		line_put(text, "partition = %" PRIu32 " %" PRIu64 " %s %s %" PRIu64 " %" PRIu64 "\n", i, p->position,
			 digest, history, p->time_us, p->blocks_last);
	}
}

static int tree_put(struct writing *w, const char *below, unsigned depth);

/* A name below dir: a file's line, or all of a directory. */
static int name_put(struct writing *w, const char *name, unsigned depth)
{
	char path[2 * PATH_MAX], sha256[ORD_FOLDER_SHA256_SIZE];
	struct stat st;
	uint64_t bytes;
	snprintf(path, sizeof path, "%s/%s", w->dir, name);
	if (lstat(path, &st) != 0) {
		snprintf(w->why, w->why_size, "%s: %s", path, strerror(errno));
		return ORD_ERR_IO;
	}
	if (S_ISDIR(st.st_mode))
		return depth < DEPTH_MAX ? tree_put(w, name, depth + 1) : ORD_OK;
	int err = ord_folder_sum(path, &bytes, sha256, w->why, w->why_size);
	if (err == ORD_OK)
		line_put(&w->text, FILE_KEY "%" PRIu64 " %s %s\n", bytes, sha256, name);
	return err;
}

static int tree_put(struct writing *w, const char *below, unsigned depth)
{
	char path[PATH_MAX], name[PATH_MAX];
	struct dirent **names = NULL;
	snprintf(path, sizeof path, "%s/%s", w->dir, below);
	int count = scandir(path, &names, NULL, alphasort);
	int err = count >= 0 ? ORD_OK : ORD_ERR_IO;
	if (err != ORD_OK)
		snprintf(w->why, w->why_size, "%s: %s", path, strerror(errno));
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof name, "%s%s%s", below, below[0] != '\0' ? "/" : "", names[i]->d_name);
		if (err == ORD_OK && names[i]->d_name[0] != '.')
			err = name_put(w, name, depth);
		free(names[i]);
	}
	free(names);
	return err;
}

int ord_manifest_write(const struct ord_manifest *m, const char *dir, char *why, size_t why_size)
{
	struct writing w = {.dir = dir, .why = why, .why_size = why_size};
	char path[PATH_MAX];
	ord_bytes_init(&w.text, ORD_MANIFEST_BYTES_MAX);
	head_put(&w.text, m);
	int err = tree_put(&w, "", 1);
	if (err == ORD_OK && ord_bytes_extend(&w.text, ORD_LINES_SEAL_SIZE) == NULL) {
		snprintf(why, why_size, "%s: the list of files is too long", dir);
		err = ORD_ERR_TOO_BIG;
	}
	if (err == ORD_OK) {
		w.text.base[w.text.len - ORD_LINES_SEAL_SIZE] = '\0';
		ord_lines_seal((char *)w.text.base, w.text.len);
		snprintf(path, sizeof path, "%s/" ORD_MANIFEST_NAME, dir);
		err = ord_folder_write(path, ord_slice_text((char *)w.text.base), why, why_size);
	}
	ord_bytes_close(&w.text);
	return err;
}

/* --- Reading. --- */

/* The whole file with a NUL behind it. The caller frees *ret. */
static int text_read(const char *path, char **ret, char *why, size_t why_size)
{
	struct stat st;
	FILE *in = fopen(path, "re");
	if (in == NULL || fstat(fileno(in), &st) != 0) {
		snprintf(why, why_size, "%s: %s; give a directory that 'ordain backup' has made", path,
			 strerror(errno));
		return errno == ENOENT || errno == ENOTDIR ? ORD_ERR_NOT_FOUND : ORD_ERR_IO;
	}
	size_t size = st.st_size > 0 && st.st_size <= (off_t)ORD_MANIFEST_BYTES_MAX ? (size_t)st.st_size : 0;
	char *text = calloc(1, size + 1);
	bool whole = text != NULL && size > 0 && fread(text, 1, size, in) == size && strlen(text) == size;
	fclose(in);
	if (whole) {
		*ret = text;
		return ORD_OK;
	}
	free(text);
	snprintf(why, why_size, "%s is no manifest of a backup: empty, too long or not a text", path);
	return ORD_ERR_CORRUPT;
}

static bool number_get(const char *text, const char *key, int64_t min, int64_t max, int64_t *ret)
{
	char value[32];
	return ord_lines_value(text, key, value, sizeof value) && ord_args_number(value, min, max, ret) == ORD_OK;
}

static bool hex_get(const char *text, uint8_t *ret, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (sscanf(text + 2 * i, "%2" SCNx8, &ret[i]) != 1)
			return false;
	return true;
}

static bool partition_get(const char *line, struct ord_manifest *m, uint32_t due)
{
	struct ord_manifest_partition p;
	char digest[ORD_OFFLINE_DIGEST_SIZE], history[HASH_SIZE];
	uint32_t number;
	if (sscanf(line, "partition = %" SCNu32 " %" SCNu64 " %32[0-9a-f] %64[0-9a-f] %" SCNu64 " %" SCNu64, &number,
		   &p.position, digest, history, &p.time_us, &p.blocks_last) != 6 ||
	    number != due || number >= m->partitions_count || strlen(digest) != 32 || strlen(history) != 64)
		return false;
	if (sscanf(digest, "%16" SCNx64 "%16" SCNx64, &p.digest[0], &p.digest[1]) != 2 ||
	    !hex_get(history, p.history_hash, sizeof p.history_hash))
		return false;
	m->partitions[number] = p;
	return true;
}

static int head_read(const char *text, struct ord_manifest *m, const char *path, char *why, size_t why_size)
{
	char format[16] = "?", made_by[32] = "another version";
	int64_t nodes, partitions;
	ord_lines_value(text, "format", format, sizeof format);
	ord_lines_value(text, "made_by", made_by, sizeof made_by);
	snprintf(why, why_size, "%s has been changed or cut off: take another backup", path);
	if (!ord_lines_is_sealed(text))
		return ORD_ERR_CORRUPT;
	if (strcmp(format, "1") != 0) {
		snprintf(why, why_size,
			 "%s is of format %s, made by ordain %s, and this version knows format %u: use that one", path,
			 format, made_by, ORD_MANIFEST_FORMAT);
		return ORD_ERR_MISMATCH;
	}
	if (!number_get(text, "partitions", 1, ORD_PARTITIONS_MAX, &partitions) ||
	    !number_get(text, "nodes", 0, ORD_NODES_MAX, &nodes))
		return ORD_ERR_CORRUPT;
	int err = ord_manifest_open(m, (uint32_t)partitions);
	m->nodes_count = (uint32_t)nodes;
	if (err != ORD_OK)
		snprintf(why, why_size, "%s", ord_err_text(err));
	else if (!ord_lines_uuid(text, "cluster_id", &m->cluster))
		err = ORD_ERR_CORRUPT;
	return err;
}

/* Is a file as its line says? */
static int file_check(const char *line, const char *dir, char *why, size_t why_size)
{
	char name[512], wanted[ORD_FOLDER_SHA256_SIZE], found[ORD_FOLDER_SHA256_SIZE], path[PATH_MAX];
	uint64_t bytes, found_bytes;
	if (sscanf(line, FILE_KEY "%" SCNu64 " %64[0-9a-f] %511[^\n]", &bytes, wanted, name) != 3 ||
	    strstr(name, "..") != NULL)
		return ORD_ERR_CORRUPT;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int err = ord_folder_sum(path, &found_bytes, found, why, why_size);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_ERR_CORRUPT;
	if (err != ORD_OK || (found_bytes == bytes && strcmp(wanted, found) == 0))
		return err;
	if (found_bytes != bytes)
		snprintf(why, why_size, "%s has %" PRIu64 " bytes, the manifest says %" PRIu64 ": take another backup",
			 path, found_bytes, bytes);
	else
		snprintf(why, why_size, "%s is not as it was written (SHA-256): take another backup", path);
	return ORD_ERR_CORRUPT;
}

static int lines_read(char *text, const char *dir, struct ord_manifest *m, char *why, size_t why_size)
{
	uint32_t partitions_count = 0;
	char *rest = NULL;
	int err = ORD_OK;
	for (char *line = strtok_r(text, "\n", &rest); err == ORD_OK && line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, FILE_KEY, strlen(FILE_KEY)) == 0)
			err = file_check(line, dir, why, why_size);
		else if (strncmp(line, "partition = ", strlen("partition = ")) == 0)
			err = partition_get(line, m, partitions_count++) ? ORD_OK : ORD_ERR_CORRUPT;
	}
	return err == ORD_OK && partitions_count != m->partitions_count ? ORD_ERR_CORRUPT : err;
}

int ord_manifest_read(const char *dir, struct ord_manifest *ret, char *why, size_t why_size)
{
	struct ord_manifest m = {.partitions_count = 0};
	char path[PATH_MAX], *text;
	snprintf(path, sizeof path, "%s/" ORD_MANIFEST_NAME, dir);
	int err = text_read(path, &text, why, why_size);
	if (err != ORD_OK)
		return err;
	err = head_read(text, &m, path, why, why_size);
	if (err == ORD_OK)
		err = lines_read(text, dir, &m, why, why_size);
	free(text);
	if (err == ORD_OK)
		*ret = m;
	else
		ord_manifest_close(&m);
	return err;
}
