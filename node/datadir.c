/* SPDX-License-Identifier: Apache-2.0 - a node's data directory.
 *
 *   lock       locked (flock) while a process uses the directory; holds its pid for the curious
 *   identity   "key = value" lines: format, cluster_id, node, incarnation, partitions, nodes
 *   peers      "NODE = INCARNATION" lines: the incarnation of each peer that this node has met
 *   wal/       the write-ahead log
 *   history/   the partitions' histories; made anew from the log when it is not there
 *   state/     the partitions' states; made anew from the log when it is not there
 *
 * identity and peers are replaced whole: written beside, synced, renamed, and the directory synced. identity comes last, when wal is
 * durable: where it is, wal has been made, and a node whose wal is gone must not start as if it had never voted.
 */
#include "node/datadir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "node/file.h"

#define DATADIR_FORMAT 1u
#define DATADIR_FILE_BYTES_MAX ORD_DATADIR_FILE_BYTES_MAX
#define DATADIR_PATH_SIZE 4200

struct peer_met {
	uint32_t node;
	struct ord_uuid incarnation;
};

struct ord_datadir {
	char path[DATADIR_PATH_SIZE - 64];
	char wal[DATADIR_PATH_SIZE];
	char state[DATADIR_PATH_SIZE];
	char history[DATADIR_PATH_SIZE];
	int lock_fd;
	int dir_fd;
	struct ord_uuid incarnation;
	struct peer_met met[ORD_NODES_MAX];
	uint32_t met_count;
	char *why; /* borrowed, while opening */
	size_t why_size;
};

__attribute__((format(printf, 3, 4))) static int datadir_fail(struct ord_datadir *d, int err, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = snprintf(d->why, d->why_size, "data_dir %s: ", d->path);
	if (len >= 0 && (size_t)len < d->why_size)
		vsnprintf(d->why + len, d->why_size - (size_t)len, format, args);
	va_end(args);
	return err;
}

static int datadir_make(struct ord_datadir *d)
{
	if (mkdir(d->path, 0700) != 0 && errno != EEXIST)
		return datadir_fail(
			d, ord_file_err(),
			"cannot be made (%s): make its parent directory, or give a directory that this user may write",
			strerror(errno));
	d->dir_fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir_fd < 0)
		return datadir_fail(d, ORD_ERR_IO,
				    "cannot be opened (%s): give a directory that this user may read and write",
				    strerror(errno));
	return ORD_OK;
}

static int datadir_lock(struct ord_datadir *d)
{
	d->lock_fd = openat(d->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock_fd < 0)
		return datadir_fail(d, ord_file_err(),
				    "cannot be written (%s): give a directory that this user may write, on a file "
				    "system that is not full or read-only",
				    strerror(errno));
	char pid[32] = "";
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		ssize_t len = pread(d->lock_fd, pid, sizeof pid - 1, 0);
		pid[len > 0 ? strcspn(pid, "\n") : 0] = '\0';
		return datadir_fail(
			d, ORD_ERR_IN_USE,
			"in use by another ordaind (pid %s): stop that one, or give this one a directory of its own",
			pid);
	}
	int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	if (ftruncate(d->lock_fd, 0) != 0 || !ord_file_write(d->lock_fd, ord_slice_of(pid, (size_t)len), 0))
		return datadir_fail(d, ord_file_err(), "cannot be written (%s)", strerror(errno));
	return ORD_OK;
}

/* Reads a small file whole, with a NUL after it. ORD_ERR_NOT_FOUND when there is none. */
static int file_read(const struct ord_datadir *d, const char *name, char text[DATADIR_FILE_BYTES_MAX])
{
	int fd = openat(d->dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ORD_ERR_NOT_FOUND : ORD_ERR_IO;
	size_t have;
	bool done = ord_file_read(fd, 0, text, DATADIR_FILE_BYTES_MAX - 1, &have);
	close(fd);
	if (!done)
		return ORD_ERR_IO;
	text[have] = '\0';
	return ORD_OK;
}

static int file_replace(const struct ord_datadir *d, const char *name, const char *text)
{
	char beside[64];
	snprintf(beside, sizeof beside, "%s.new", name);
	int fd = openat(d->dir_fd, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return ord_file_err();
	bool written = ord_file_write(fd, ord_slice_text(text), 0) && fsync(fd) == 0;
	int err = written ? ORD_OK : ord_file_err();
	close(fd);
	if (err == ORD_OK && (renameat(d->dir_fd, beside, d->dir_fd, name) != 0 || fsync(d->dir_fd) != 0))
		err = ord_file_err();
	return err;
}

/* The value of "key = value" in text, up to the end of its line; false when there is no such line. */
static bool text_value(const char *text, const char *key, char *ret_value, size_t value_size)
{
	size_t key_len = strlen(key);
	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, key, key_len) != 0 || strncmp(line + key_len, " = ", 3) != 0)
			continue;
		const char *value = line + key_len + 3;
		size_t len = strcspn(value, "\n");
		if (len >= value_size)
			return false;
		memcpy(ret_value, value, len);
		ret_value[len] = '\0';
		return true;
	}
	return false;
}

static void nodes_text(const struct ord_config *c, char *text, size_t text_size)
{
	size_t len = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < c->nodes_count && len < text_size; i++)
		len += (size_t)snprintf(text + len, text_size - len, "%s%u", i == 0 ? "" : ",", c->nodes[i].id);
}

/* Makes the directory of the log, which may be there and empty when an earlier start was cut short. */
static int wal_make(struct ord_datadir *d)
{
	if (mkdirat(d->dir_fd, "wal", 0700) == 0)
		return ORD_OK;
	if (errno != EEXIST)
		return datadir_fail(d, ord_file_err(), "directory 'wal' cannot be made (%s)", strerror(errno));
	struct dirent **names = NULL;
	int count = scandirat(d->dir_fd, "wal", &names, NULL, NULL);
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	if (count <= 2) /* "." and ".." */
		return ORD_OK;
	return datadir_fail(d, ORD_ERR_CORRUPT,
			    "has a write-ahead log but no file 'identity': restore the directory whole, or "
			    "give an empty one to a new node");
}

/* The directory's own name is as durable as what stands in it. One whose parent may not be read was made by somebody else. */
static int parent_sync(struct ord_datadir *d)
{
	int fd = openat(d->dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ORD_OK;
	int err = fsync(fd) == 0 ? ORD_OK
				 : datadir_fail(d, ord_file_err(), "its parent cannot be synced (%s)", strerror(errno));
	close(fd);
	return err;
}

static int names_sync(struct ord_datadir *d)
{
	if (fsync(d->dir_fd) != 0)
		return datadir_fail(d, ord_file_err(), "cannot be synced (%s)", strerror(errno));
	return parent_sync(d);
}

static int identity_make(struct ord_datadir *d, const struct ord_config *c)
{
	int err = wal_make(d);
	if (err == ORD_OK)
		err = names_sync(d); /* a loss of power may keep the later of two names alone */
	if (err != ORD_OK)
		return err;
	if (getrandom(&d->incarnation, sizeof d->incarnation, 0) != (ssize_t)sizeof d->incarnation)
		return datadir_fail(d, ORD_ERR_IO, "no random numbers to be had from the system (%s)", strerror(errno));
	char cluster[ORD_UUID_TEXT_SIZE], incarnation[ORD_UUID_TEXT_SIZE], nodes[128], text[DATADIR_FILE_BYTES_MAX];
	ord_uuid_format(&c->cluster, cluster);
	ord_uuid_format(&d->incarnation, incarnation);
	nodes_text(c, nodes, sizeof nodes);
	snprintf(text, sizeof text,
		 "format = %u\ncluster_id = %s\nnode = %u\nincarnation = %s\npartitions = %u\nnodes = %s\n",
		 DATADIR_FORMAT, cluster, c->node, incarnation, c->partitions_count, nodes);
	err = file_replace(d, "identity", text);
	if (err != ORD_OK)
		return datadir_fail(d, err,
				    "cannot be written (%s): make room or give a directory that this user may write",
				    strerror(errno));
	return ORD_OK;
}

/* One line of identity against what the configuration says. */
static int identity_compare(struct ord_datadir *d, const char *text, const char *key, const char *expected,
			    const char *remedy)
{
	char value[128];
	if (!text_value(text, key, value, sizeof value))
		return datadir_fail(d, ORD_ERR_CORRUPT, "file 'identity' has no %s: restore it from a copy", key);
	if (strcmp(value, expected) != 0)
		return datadir_fail(d, ORD_ERR_MISMATCH, "belongs to %s %s, the configuration says %s: %s", key, value,
				    expected, remedy);
	return ORD_OK;
}

static int identity_check(struct ord_datadir *d, const struct ord_config *c, const char *text)
{
	char format[16], cluster[ORD_UUID_TEXT_SIZE], node[16], partitions[16], nodes[128], incarnation[64];
	snprintf(format, sizeof format, "%u", DATADIR_FORMAT);
	ord_uuid_format(&c->cluster, cluster);
	snprintf(node, sizeof node, "%u", c->node);
	snprintf(partitions, sizeof partitions, "%u", c->partitions_count);
	nodes_text(c, nodes, sizeof nodes);
	const struct {
		const char *key, *expected, *remedy;
	} lines[] = {
		{"format", format, "use the version of ordaind that made it"},
		{"cluster_id", cluster, "give the directory of this cluster, or an empty one"},
		{"node", node, "give the directory of this node, or an empty one"},
		{"partitions", partitions, "the number of partitions is fixed for a cluster's life"},
		{"nodes", nodes, "the set of nodes cannot be changed by configuration"},
	};
	int err = ORD_OK;
	for (size_t i = 0; err == ORD_OK && i < sizeof lines / sizeof *lines; i++)
		err = identity_compare(d, text, lines[i].key, lines[i].expected, lines[i].remedy);
	if (err != ORD_OK)
		return err;
	if (!text_value(text, "incarnation", incarnation, sizeof incarnation) ||
	    ord_uuid_parse(ord_slice_text(incarnation), &d->incarnation) != ORD_OK)
		return datadir_fail(d, ORD_ERR_CORRUPT,
				    "file 'identity' has no usable incarnation: restore it from a copy");
	if (faccessat(d->dir_fd, "wal", F_OK, 0) != 0)
		return datadir_fail(
			d, ORD_ERR_CORRUPT,
			"its directory 'wal' is gone, and with it the votes that this node gave: restore the "
			"directory whole");
	/* The process that made these names may have been killed before it had synced them. */
	return names_sync(d);
}

static int identity_open(struct ord_datadir *d, const struct ord_config *c)
{
	char text[DATADIR_FILE_BYTES_MAX];
	int err = file_read(d, "identity", text);
	if (err == ORD_ERR_NOT_FOUND)
		return identity_make(d, c);
	if (err != ORD_OK)
		return datadir_fail(d, err, "file 'identity' cannot be read (%s)", strerror(errno));
	return identity_check(d, c, text);
}

static int peers_open(struct ord_datadir *d, const struct ord_config *c)
{
	char text[DATADIR_FILE_BYTES_MAX];
	int err = file_read(d, "peers", text);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK;
	if (err != ORD_OK)
		return datadir_fail(d, err, "file 'peers' cannot be read (%s)", strerror(errno));
	for (uint32_t i = 0; i < c->nodes_count; i++) {
		char key[16], value[64];
		snprintf(key, sizeof key, "%u", c->nodes[i].id);
		if (!text_value(text, key, value, sizeof value))
			continue;
		struct peer_met *met = &d->met[d->met_count++];
		met->node = c->nodes[i].id;
		if (ord_uuid_parse(ord_slice_text(value), &met->incarnation) != ORD_OK)
			return datadir_fail(d, ORD_ERR_CORRUPT,
					    "file 'peers' has no usable incarnation of node %s: restore it from a copy",
					    key);
	}
	return ORD_OK;
}

int ord_datadir_open(const struct ord_config *config, struct ord_datadir **ret, char *why, size_t why_size)
{
	snprintf(why, why_size, "data_dir %s: not enough memory", config->data_dir);
	struct ord_datadir *d = calloc(1, sizeof *d);
	if (d == NULL)
		return ORD_ERR_NOMEM;
	d->lock_fd = -1;
	d->dir_fd = -1;
	d->why = why;
	d->why_size = why_size;
	snprintf(d->path, sizeof d->path, "%s", config->data_dir);
	snprintf(d->wal, sizeof d->wal, "%s/wal", d->path);
	snprintf(d->state, sizeof d->state, "%s/state", d->path);
	snprintf(d->history, sizeof d->history, "%s/history", d->path);
	int err = datadir_make(d);
	if (err == ORD_OK)
		err = datadir_lock(d);
	if (err == ORD_OK)
		err = identity_open(d, config);
	if (err == ORD_OK)
		err = peers_open(d, config);
	if (err != ORD_OK) {
		ord_datadir_close(d);
		return err;
	}
	*ret = d;
	return ORD_OK;
}

void ord_datadir_close(struct ord_datadir *d)
{
	if (d == NULL)
		return;
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	if (d->dir_fd >= 0)
		close(d->dir_fd);
	free(d);
}

const struct ord_uuid *ord_datadir_incarnation(const struct ord_datadir *d)
{
	return &d->incarnation;
}

const char *ord_datadir_wal(const struct ord_datadir *d)
{
	return d->wal;
}

const char *ord_datadir_state(const struct ord_datadir *d)
{
	return d->state;
}

const char *ord_datadir_history(const struct ord_datadir *d)
{
	return d->history;
}

int ord_datadir_knows(const struct ord_datadir *d, uint32_t node, const struct ord_uuid *incarnation)
{
	for (uint32_t i = 0; i < d->met_count; i++)
		if (d->met[i].node == node)
			return ord_uuid_equal(&d->met[i].incarnation, incarnation) ? ORD_OK : ORD_ERR_MISMATCH;
	return d->met_count == ORD_NODES_MAX ? ORD_ERR_MISMATCH : ORD_ERR_NOT_FOUND;
}

void ord_datadir_meeting(const struct ord_datadir *d, uint32_t node, const struct ord_uuid *incarnation,
			 struct ord_datadir_meeting *ret)
{
	size_t len = 0;
	ret->node = node;
	ret->incarnation = *incarnation;
	for (uint32_t i = 0; i <= d->met_count; i++) {
		bool is_new = i == d->met_count;
		char value[ORD_UUID_TEXT_SIZE];
		ord_uuid_format(is_new ? incarnation : &d->met[i].incarnation, value);
		len += (size_t)snprintf(ret->text + len, sizeof ret->text - len, "%u = %s\n",
					is_new ? node : d->met[i].node, value);
	}
}

int ord_datadir_meeting_write(const struct ord_datadir *d, const struct ord_datadir_meeting *m)
{
	return file_replace(d, "peers", m->text);
}

void ord_datadir_met(struct ord_datadir *d, const struct ord_datadir_meeting *m)
{
	ORD_ASSERT(ord_datadir_knows(d, m->node, &m->incarnation) == ORD_ERR_NOT_FOUND);
	d->met[d->met_count++] = (struct peer_met){.node = m->node, .incarnation = m->incarnation};
}
