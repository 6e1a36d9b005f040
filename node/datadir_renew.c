/* SPDX-License-Identifier: Apache-2.0 - a data directory whose log is lost or damaged becomes that of a new member.
 *
 *   1  wal/ is renamed to wal.damaged-N, one more than the highest there is, synced
 *   2  identity: a new incarnation, newcomer, log = new, synced; unless the log had not begun: then nothing was promised, and the node is what it was
 *   3  the oldest logs that were set aside are removed until three are left
 *
 * After 1 alone the directory is one whose log is gone: what follows is begun again. After 2 the next start makes wal/. Nothing depends on 3. So no log is ever met by another identity
 * than the one it was written under.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "node/datadir_state.h"
#include "node/file.h"

#define ASIDE_PREFIX "wal.damaged-"
#define ASIDE_MAX 3
#define NAME_SIZE 300

/* The number of a log that was set aside; 0 when the name is that of something else. */
static uint64_t aside_number(const char *name)
{
	size_t prefix_len = sizeof ASIDE_PREFIX - 1;
	if (strncmp(name, ASIDE_PREFIX, prefix_len) != 0)
		return 0;
	char *end;
	const char *digits = name + prefix_len;
	uint64_t number = digits[0] >= '1' && digits[0] <= '9' ? strtoull(digits, &end, 10) : 0;
	return number > 0 && *end == '\0' ? number : 0;
}

/* The lowest and the highest number of those set aside, and how many there are. ORD_ERR_IO with errno. */
static int aside_survey(const struct ord_datadir *d, uint64_t *ret_lowest, uint64_t *ret_highest, unsigned *ret_count)
{
	struct dirent **names = NULL;
	int found = scandirat(d->dir_fd, ".", &names, NULL, NULL);
	if (found < 0)
		return ORD_ERR_IO;
	*ret_lowest = UINT64_MAX;
	*ret_highest = 0;
	*ret_count = 0;
	for (int i = 0; i < found; i++) {
		uint64_t number = aside_number(names[i]->d_name);
		free(names[i]);
		if (number == 0)
			continue;
		*ret_lowest = number < *ret_lowest ? number : *ret_lowest;
		*ret_highest = number > *ret_highest ? number : *ret_highest;
		++*ret_count;
	}
	free(names);
	return ORD_OK;
}

static int wal_set_aside(struct ord_datadir *d)
{
	char name[NAME_SIZE];
	uint64_t lowest, highest;
	unsigned count;
	if (faccessat(d->dir_fd, "wal", F_OK, 0) != 0)
		return ORD_OK;
	int err = aside_survey(d, &lowest, &highest, &count);
	if (err != ORD_OK)
		return ord_datadir_fail(d, err, "cannot be read (%s)", strerror(errno));
	snprintf(name, sizeof name, ASIDE_PREFIX "%" PRIu64, highest + 1);
	if (renameat(d->dir_fd, "wal", d->dir_fd, name) != 0 || fsync(d->dir_fd) != 0)
		return ord_datadir_fail(d, ord_file_err(),
					"the damaged write-ahead log cannot be set aside as '%s' (%s): see to the disk "
					"and to the rights of the directory",
					name, strerror(errno));
	return ORD_OK;
}

static int identity_renew(struct ord_datadir *d)
{
	struct ord_self self = {.standing = ORD_STANDING_NEWCOMER};
	if (!d->self.log_begun)
		return ORD_OK;
	if (ord_self_draw(&self.incarnation) != ORD_OK)
		return ord_datadir_fail(d, ORD_ERR_IO, "no random numbers to be had from the system (%s)",
					strerror(errno));
	int err = ord_datadir_self_write(d, &self);
	if (err != ORD_OK)
		return ord_datadir_fail(d, err, "file 'identity' cannot be written (%s)", strerror(errno));
	return ORD_OK;
}

/* Removes a directory of files, as far as that goes. */
static void aside_remove(const struct ord_datadir *d, uint64_t number)
{
	char name[NAME_SIZE], path[2 * NAME_SIZE];
	struct dirent **names = NULL;
	snprintf(name, sizeof name, ASIDE_PREFIX "%" PRIu64, number);
	int found = scandirat(d->dir_fd, name, &names, NULL, NULL);
	for (int i = 0; i < found; i++) {
		snprintf(path, sizeof path, "%s/%s", name, names[i]->d_name);
		unlinkat(d->dir_fd, path, 0);
		free(names[i]);
	}
	free(names);
	unlinkat(d->dir_fd, name, AT_REMOVEDIR);
}

/* What is not removed now is so the next time. */
static void aside_bound(const struct ord_datadir *d)
{
	uint64_t lowest, highest;
	unsigned count;
	unsigned before = 0;
	while (aside_survey(d, &lowest, &highest, &count) == ORD_OK && count > ASIDE_MAX && count != before) {
		before = count;
		aside_remove(d, lowest);
	}
}

int ord_datadir_renew(const struct ord_config *config, char *why, size_t why_size)
{
	struct ord_datadir *d;
	int err = ord_datadir_enter(config, &d, why, why_size);
	if (err != ORD_OK)
		return err;
	err = wal_set_aside(d);
	if (err == ORD_OK)
		err = identity_renew(d);
	if (err == ORD_OK)
		aside_bound(d);
	ord_datadir_close(d);
	return err;
}
