/* SPDX-License-Identifier: Apache-2.0 - a simulated disk with a file system: what is written stands in a cache, and reaches the platter at a sync or by chance. */
#ifndef ORD_TESTS_SIM_DISK_H
#define ORD_TESTS_SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_disk;

#define SIM_SECTOR 512u

/* How the disk behaves; may be changed at any time. */
struct sim_disk_habits {
	uint32_t write_us_max; /* a write into the cache takes 1 .. that */
	uint32_t sync_us_min;  /* a sync takes so long */
	uint32_t sync_us_max;
	/* One in so many fails with EIO; 0: none. What a failed sync of a file should have brought to the platter counts as clean, and may not be there; of
	 * a directory it is still to be synced. */
	uint32_t sync_fail_once_in;
	uint32_t write_fail_once_in;
	uint32_t read_fail_once_in;
	uint32_t write_short_once_in; /* a write takes less than given, at least one byte */
	uint32_t read_short_once_in;  /* a read gives less than asked, at least one byte */
	uint64_t bytes_max; /* room for all files; 0: without end. Over it: ENOSPC, after a part was written */
	bool fills;	    /* there was room when that began, so that a node can see it coming */
};

/* An empty disk with an empty root directory. */
struct sim_disk *sim_disk_open(void);
void sim_disk_close(struct sim_disk *d);

struct sim_disk_habits *sim_disk_habits(struct sim_disk *d);

/* How many calls have failed so far because the disk did, or had no room. */
uint64_t sim_disk_failures(const struct sim_disk *d);

/* The program that used the disk has ended: its descriptors are closed, its locks gone. What it wrote stays in the cache. */
void sim_disk_release(struct sim_disk *d);

/* Power is lost: of everything that was not synced any part may be there afterwards: each sector, each change of length, each change of a directory
 * by itself. */
void sim_disk_power_loss(struct sim_disk *d);

/* Damage to what was synced, in the files whose path begins with prefix ("/data/wal/"). Spares what may be the end of a log, since damage there cannot be told
 * from a torn write: what the last successful sync of each file brought, what was written since, and, when a sync failed in between, what the one before it
 * brought. Spares, too, what stands behind all that was written to a segment since its file was a spare one: nobody reads it. Each gives false when there is nothing to damage; what was damaged is written to text (for the trace). prefix must live as long as the disk; sim_disk_mend undoes all of it that was not
 * written again meanwhile. */
bool sim_disk_flip_bit(struct sim_disk *d, const char *prefix, char *text, size_t text_size);
/* A sector that was never written though the disk said so (an older content stands there), or that was written somewhere else. */
bool sim_disk_lose_write(struct sim_disk *d, const char *prefix, char *text, size_t text_size);
bool sim_disk_misdirect_write(struct sim_disk *d, const char *prefix, char *text, size_t text_size);
void sim_disk_mend(struct sim_disk *d, const char *prefix);

/* True while damage is there that was not mended. For both, prefix is the beginning of the one that it was done with; "": all. */
bool sim_disk_is_damaged(const struct sim_disk *d, const char *prefix);

/* All the room that there is, and what is left of it; UINT64_MAX without end. */
uint64_t sim_disk_total_bytes(const struct sim_disk *d);
uint64_t sim_disk_free_bytes(const struct sim_disk *d);

/* Bytes in all files. */
uint64_t sim_disk_bytes(const struct sim_disk *d);

/* --- System calls of the program that the disk belongs to: as in the manual, but a failure gives -errno. Descriptors are numbers from SIM_FD_FIRST on. They ask sim_io()
 * and take their time with sim_sleep_us(); the dead are told that all went well, and what they open leads to nothing. sys.c calls them. --- */

#define SIM_FD_FIRST 1000
#define SIM_FD_COUNT 64

int sim_fs_open(struct sim_disk *d, int dir_fd, const char *path, int flags);
int sim_fs_close(struct sim_disk *d, int fd);
int64_t sim_fs_pread(struct sim_disk *d, int fd, void *base, size_t len, int64_t offset);
int64_t sim_fs_pwrite(struct sim_disk *d, int fd, const void *base, size_t len, int64_t offset);
int64_t sim_fs_read(struct sim_disk *d, int fd, void *base, size_t len);
int64_t sim_fs_write(struct sim_disk *d, int fd, const void *base, size_t len);
int sim_fs_sync(struct sim_disk *d, int fd); /* fsync and fdatasync; of a directory: its entries */
int sim_fs_truncate(struct sim_disk *d, int fd, int64_t len);
int sim_fs_rename(struct sim_disk *d, int from_dir, const char *from, int to_dir, const char *to);
int sim_fs_unlink(struct sim_disk *d, int dir_fd, const char *path);
int sim_fs_mkdir(struct sim_disk *d, int dir_fd, const char *path);
int sim_fs_access(struct sim_disk *d, int dir_fd, const char *path);
int sim_fs_stat(struct sim_disk *d, int dir_fd, const char *path, bool *ret_is_dir, int64_t *ret_len);
int sim_fs_lock(struct sim_disk *d, int fd);
int sim_fs_flags(struct sim_disk *d, int fd); /* those it was opened with, or was given since */
int sim_fs_flags_set(struct sim_disk *d, int fd, int flags);
/* Calls each for every entry: "." and "..", then the others by name. */
int sim_fs_list(struct sim_disk *d, int dir_fd, const char *path, void (*each)(void *arg, const char *name), void *arg);

#endif
