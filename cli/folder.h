/* SPDX-License-Identifier: Apache-2.0 - folders that are filled and then get their name: whole and durable, or not there. */
#ifndef ORD_CLI_FOLDER_H
#define ORD_CLI_FOLDER_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Room for what is said of a path. */
#define ORD_FOLDER_WHY_SIZE (PATH_MAX + 512)

#define ORD_FOLDER_PATH_SIZE (PATH_MAX + 128)

struct ord_folder {
	char path[PATH_MAX];  /* what it is to be called; without a slash at the end */
	char draft[PATH_MAX]; /* path.tmp, where it is filled */
};

/* Makes the draft. ORD_ERR_EXISTS: the folder, or a draft of an earlier try, is there; ORD_ERR_INVALID: a path too long or empty; ORD_ERR_IO, ORD_ERR_NO_SPACE, all with why. */
int ord_folder_begin(struct ord_folder *f, const char *path, char *why, size_t why_size);

/* Makes all that was written durable, then gives the folder its name, durably. ORD_ERR_IO, ORD_ERR_NO_SPACE, ORD_ERR_EXISTS with why; the draft is then as it was. */
int ord_folder_end(const struct ord_folder *f, char *why, size_t why_size);

/* Removes the draft with all that is in it, as far as that can be done. */
void ord_folder_drop(const struct ord_folder *f);

/* Makes draft/name. It must not be there. ORD_ERR_IO, ORD_ERR_NO_SPACE with why. */
int ord_folder_make(const struct ord_folder *f, const char *name, char *why, size_t why_size);

/* Writes a new file. ORD_ERR_IO, ORD_ERR_NO_SPACE with why. */
int ord_folder_write(const char *path, struct ord_slice bytes, char *why, size_t why_size);

/* Writes all bytes to an open file, at its place. ORD_ERR_IO, ORD_ERR_NO_SPACE, with errno. */
int ord_folder_put(int fd, const void *base, size_t len);

/* A new file with what the other one has. ORD_ERR_IO, ORD_ERR_NO_SPACE with why. */
int ord_folder_copy(const char *from, const char *to, char *why, size_t why_size);

/* Copies all that is below a directory to another one, which is there and empty. Errors as of copy; ORD_ERR_NOMEM. */
int ord_folder_copy_below(const char *from, const char *to, char *why, size_t why_size);

/* Length and SHA-256 of a file. ORD_ERR_NOT_FOUND, ORD_ERR_IO, ORD_ERR_NOMEM with why. */
#define ORD_FOLDER_SHA256_SIZE 65
int ord_folder_sum(const char *path, uint64_t *ret_bytes, char ret_sha256[ORD_FOLDER_SHA256_SIZE], char *why,
		   size_t why_size);

#endif
