/* SPDX-License-Identifier: Apache-2.0 - folders that are filled and then get their name. */
#include "cli/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/offline.h"

#define PIECE_BYTES (1u << 20)
#define SHA256_BYTES 32
#define DEPTH_MAX 2 /* directories below one another that are copied */

static int fail_errno(const char *path, char *why, size_t why_size)
{
	int err = errno == ENOSPC || errno == EDQUOT ? ORD_ERR_NO_SPACE : ORD_ERR_IO;
	snprintf(why, why_size, "%s: %s", path, strerror(errno));
	return err;
}

/* --- The folder. --- */

int ord_folder_begin(struct ord_folder *f, const char *path, char *why, size_t why_size)
{
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len == 0 || len + sizeof ".tmp" > sizeof f->draft || strcmp(path, "/") == 0) {
		snprintf(why, why_size, "'%s': give the name of a directory that is to be made", path);
		return ORD_ERR_INVALID;
	}
	snprintf(f->path, sizeof f->path, "%.*s", (int)len, path);
	snprintf(f->draft, sizeof f->draft, "%.*s.tmp", (int)len, path);
	if (access(f->path, F_OK) == 0) {
		snprintf(why, why_size, "%s exists: give the name of a directory that is to be made", f->path);
		return ORD_ERR_EXISTS;
	}
	if (mkdir(f->draft, 0700) == 0)
		return ORD_OK;
	if (errno != EEXIST)
		return fail_errno(f->draft, why, why_size);
	snprintf(why, why_size,
		 "%s exists: it is what an earlier try has left, or one is under way; if none is, remove it", f->draft);
	return ORD_ERR_EXISTS;
}

int ord_folder_make(const struct ord_folder *f, const char *name, char *why, size_t why_size)
{
	char path[ORD_FOLDER_PATH_SIZE];
	snprintf(path, sizeof path, "%s/%s", f->draft, name);
	return mkdir(path, 0700) == 0 ? ORD_OK : fail_errno(path, why, why_size);
}

static int parent_sync(const char *path)
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rv = fd >= 0 ? fsync(fd) : -1;
	if (fd >= 0)
		close(fd);
	return rv;
}

int ord_folder_end(const struct ord_folder *f, char *why, size_t why_size)
{
	int fd = open(f->draft, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rv = fd >= 0 ? syncfs(fd) : -1;
	int err = rv == 0 ? ORD_OK : fail_errno(f->draft, why, why_size);
	if (fd >= 0)
		close(fd);
	if (err != ORD_OK)
		return err;
	if (renameat2(AT_FDCWD, f->draft, AT_FDCWD, f->path, RENAME_NOREPLACE) != 0) {
		err = errno == EEXIST ? ORD_ERR_EXISTS : ORD_ERR_IO;
		snprintf(why, why_size, "%s cannot be renamed to %s: %s", f->draft, f->path, strerror(errno));
		return err;
	}
	return parent_sync(f->path) == 0 ? ORD_OK : fail_errno(f->path, why, why_size);
}

static int name_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	remove(path);
	return 0;
}

void ord_folder_drop(const struct ord_folder *f)
{
	nftw(f->draft, name_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- Files. --- */

int ord_folder_put(int fd, const void *base, size_t len)
{
	const uint8_t *at = base;
	while (len > 0) {
		ssize_t done = write(fd, at, len);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return errno == ENOSPC || errno == EDQUOT ? ORD_ERR_NO_SPACE : ORD_ERR_IO;
		at += done;
		len -= (size_t)done;
	}
	return ORD_OK;
}

int ord_folder_write(const char *path, struct ord_slice bytes, char *why, size_t why_size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(path, why, why_size);
	int err = ord_folder_put(fd, bytes.base, bytes.len);
	if (err != ORD_OK)
		fail_errno(path, why, why_size);
	close(fd);
	return err;
}

static int piece_read(int fd, uint8_t *piece, size_t *ret_len)
{
	ssize_t len;
	do
		len = read(fd, piece, PIECE_BYTES);
	while (len < 0 && errno == EINTR);
	*ret_len = len > 0 ? (size_t)len : 0;
	return len >= 0 ? ORD_OK : ORD_ERR_IO;
}

int ord_folder_copy(const char *from, const char *to, char *why, size_t why_size)
{
	const char *at = from;
	uint8_t *piece = malloc(PIECE_BYTES);
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
	size_t len = 1;
	int err = in >= 0 ? ORD_OK : ORD_ERR_IO;
	if (err == ORD_OK) {
		at = to;
		out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		err = out >= 0 ? ORD_OK : ORD_ERR_IO;
	}
	if (piece == NULL) {
		errno = ENOMEM;
		err = ORD_ERR_NOMEM;
	}
	while (err == ORD_OK && len > 0) {
		at = from;
		err = piece_read(in, piece, &len);
		if (err == ORD_OK) {
			at = to;
			err = ord_folder_put(out, piece, len);
		}
	}
	if (err != ORD_OK)
		err = fail_errno(at, why, why_size);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	free(piece);
	return err;
}

static int below_copy(const char *from, const char *to, unsigned depth, char *why, size_t why_size);

static int name_copy(const char *from, const char *to, unsigned depth, char *why, size_t why_size)
{
	struct stat st;
	if (lstat(from, &st) != 0)
		return fail_errno(from, why, why_size);
	if (!S_ISDIR(st.st_mode))
		return ord_folder_copy(from, to, why, why_size);
	if (depth == 0)
		return ORD_OK;
	return mkdir(to, 0700) == 0 ? below_copy(from, to, depth - 1, why, why_size) : fail_errno(to, why, why_size);
}

static int below_copy(const char *from, const char *to, unsigned depth, char *why, size_t why_size)
{
	char source[PATH_MAX], copy[PATH_MAX];
	struct dirent **names = NULL;
	int count = scandir(from, &names, NULL, alphasort);
	int err = count >= 0 ? ORD_OK : fail_errno(from, why, why_size);
	for (int i = 0; i < count; i++) {
		snprintf(source, sizeof source, "%s/%s", from, names[i]->d_name);
		snprintf(copy, sizeof copy, "%s/%s", to, names[i]->d_name);
		if (err == ORD_OK && names[i]->d_name[0] != '.')
			err = name_copy(source, copy, depth, why, why_size);
		free(names[i]);
	}
	free(names);
	return err;
}

int ord_folder_copy_below(const char *from, const char *to, char *why, size_t why_size)
{
	return below_copy(from, to, DEPTH_MAX, why, why_size);
}

static int fd_sum(int fd, uint8_t *piece, EVP_MD_CTX *context, uint64_t *ret_bytes, char *ret_sha256)
{
	uint8_t hash[SHA256_BYTES];
	unsigned hash_len = 0;
	size_t len = 1;
	uint64_t bytes = 0;
	int err = EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 ? ORD_OK : ORD_ERR_NOMEM;
	while (err == ORD_OK && len > 0) {
		err = piece_read(fd, piece, &len);
		bytes += len;
		if (err == ORD_OK && EVP_DigestUpdate(context, piece, len) != 1)
			err = ORD_ERR_NOMEM;
	}
	if (err == ORD_OK && EVP_DigestFinal_ex(context, hash, &hash_len) != 1)
		err = ORD_ERR_NOMEM;
	if (err != ORD_OK)
		return err;
	ord_offline_hex(hash, sizeof hash, ret_sha256);
	*ret_bytes = bytes;
	return ORD_OK;
}

int ord_folder_sum(const char *path, uint64_t *ret_bytes, char ret_sha256[ORD_FOLDER_SHA256_SIZE], char *why,
		   size_t why_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(why, why_size, "%s: %s", path, strerror(errno));
		return errno == ENOENT ? ORD_ERR_NOT_FOUND : ORD_ERR_IO;
	}
	uint8_t *piece = malloc(PIECE_BYTES);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int err = piece != NULL && context != NULL ? fd_sum(fd, piece, context, ret_bytes, ret_sha256) : ORD_ERR_NOMEM;
	if (err != ORD_OK)
		snprintf(why, why_size, "%s: %s", path, err == ORD_ERR_IO ? strerror(errno) : ord_err_text(err));
	EVP_MD_CTX_free(context);
	free(piece);
	close(fd);
	return err;
}
