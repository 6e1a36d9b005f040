/* SPDX-License-Identifier: Apache-2.0 - the directory of a run: store/WORKLOAD/TIME/. */
#include "jepsen/store.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "jepsen/clock.h"

#define PIECE_BYTES 65536
#define NAMES_MAX 1000 /* runs that begin in the same second */
#define OPEN_FDS 16

static int failed(const char *path, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s: %s", path, strerror(errno));
	return ORD_ERR_IO;
}

static int directory(const char *path, char *why, size_t why_size)
{
	return mkdir(path, 0755) == 0 || errno == EEXIST ? ORD_OK : failed(path, why, why_size);
}

int ord_store_make(const char *root, const char *workload, char ret[ORD_STORE_PATH_SIZE], char *why, size_t why_size)
{
	char stamp[24], parent[ORD_STORE_PATH_SIZE - 64];
	ord_clock_stamp(stamp);
	if ((size_t)snprintf(parent, sizeof parent, "%s/%s", root, workload) >= sizeof parent) {
		snprintf(why, why_size, "--store: the path is too long");
		return ORD_ERR_IO;
	}
	int err = directory(root, why, why_size);
	if (err == ORD_OK)
		err = directory(parent, why, why_size);
	for (int i = 1; err == ORD_OK && i <= NAMES_MAX; i++) {
		snprintf(ret, ORD_STORE_PATH_SIZE, i == 1 ? "%s/%s" : "%s/%s-%d", parent, stamp, i);
		if (mkdir(ret, 0755) == 0)
			return ORD_OK;
		if (errno != EEXIST)
			break;
	}
	return err == ORD_OK ? failed(ret, why, why_size) : err;
}

FILE *ord_store_create(const char *dir, const char *name, char *why, size_t why_size)
{
	char path[ORD_STORE_PATH_SIZE + 64];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *file = fopen(path, "we");
	if (file == NULL)
		failed(path, why, why_size);
	return file;
}

int ord_store_close(FILE *file, const char *name, char *why, size_t why_size)
{
	bool bad = ferror(file) != 0;
	bad = fclose(file) != 0 || bad;
	return bad ? failed(name, why, why_size) : ORD_OK;
}

int ord_store_value(const char *dir, const char *name, struct ord_edn value, char *why, size_t why_size)
{
	FILE *file = ord_store_create(dir, name, why, why_size);
	if (file == NULL)
		return ORD_ERR_IO;
	if (strstr(name, ".json") != NULL)
		ord_edn_write_json(file, value);
	else
		ord_edn_write(file, value);
	fputc('\n', file);
	return ord_store_close(file, name, why, why_size);
}

static int copy(const char *from, const char *dir, const char *name, char *why, size_t why_size)
{
	char piece[PIECE_BYTES];
	size_t len;
	FILE *in = fopen(from, "re");
	if (in == NULL)
		return errno == ENOENT ? ORD_OK : failed(from, why, why_size);
	FILE *out = ord_store_create(dir, name, why, why_size);
	while (out != NULL && (len = fread(piece, 1, sizeof piece, in)) > 0)
		fwrite(piece, 1, len, out);
	bool bad = ferror(in) != 0;
	fclose(in);
	if (bad && out != NULL) {
		fclose(out);
		return failed(from, why, why_size);
	}
	return out == NULL ? ORD_ERR_IO : ord_store_close(out, name, why, why_size);
}

int ord_store_logs(const char *dir, const char *cluster_dir, uint32_t nodes_count, char *why, size_t why_size)
{
	char from[ORD_STORE_PATH_SIZE + 64], name[32];
	int err = ORD_OK;
	for (uint32_t i = 1; err == ORD_OK && i <= nodes_count; i++) {
		snprintf(from, sizeof from, "%s/node-%" PRIu32 "/log", cluster_dir, i);
		snprintf(name, sizeof name, "node-%" PRIu32 ".log", i);
		err = copy(from, dir, name, why, why_size);
		snprintf(from, sizeof from, "%s/node-%" PRIu32 "/ordaind.conf", cluster_dir, i);
		snprintf(name, sizeof name, "node-%" PRIu32 ".conf", i);
		if (err == ORD_OK)
			err = copy(from, dir, name, why, why_size);
	}
	return err;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	remove(path);
	return 0;
}

void ord_store_remove(const char *dir)
{
	nftw(dir, remove_one, OPEN_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
