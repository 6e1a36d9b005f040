/* SPDX-License-Identifier: Apache-2.0 - insides of the simulated disk, for disk*.c.
 *
 * An inode has its content twice: as programs see it (cache) and as it is after a loss of power (platter). The same is true of a directory's entries. What
 * is not on the platter is known:
 *
 *   bytes       dirty sectors. A write makes them dirty, a sync brings them to the platter; after a failed sync they are clean, and there or not.
 *   length      cache_bytes differs from platter_bytes, or the file was shorter in between (least_bytes)
 *   entries     a list of changes (create, rename, unlink) in their order; a sync of a directory brings those that touch it
 */
#ifndef ORD_TESTS_SIM_DISK_STATE_H
#define ORD_TESTS_SIM_DISK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "tests/sim/disk.h"

#define SIM_NAME_SIZE 64
#define SIM_DISK_PATH_SIZE 512

struct sim_inode;

/* from .. to - 1; empty unless from < to. */
struct sim_range {
	uint64_t from;
	uint64_t to;
};

struct sim_entry {
	char name[SIM_NAME_SIZE];
	struct sim_inode *inode; /* held */
};

struct sim_entries {
	struct sim_entry *list; /* owned; by name */
	size_t count;
	size_t capacity;
};

struct sim_inode {
	TAILQ_ENTRY(sim_inode) all;
	unsigned holds_count; /* entries, changes, descriptors, calls under way */
	bool is_dir;
	char name[SIM_NAME_SIZE]; /* its last one, for the trace */

	/* A file. Arrays have room for `capacity` bytes, or the sectors of it. Beyond the lengths stand zeros. */
	uint64_t capacity;
	uint8_t *cache;	  /* owned */
	uint8_t *platter; /* owned */
	uint8_t *older;	  /* owned */
	uint32_t *dirty; /* owned; per sector: 0 is clean, otherwise the number of the first write since it was clean */
	bool *promised; /* owned; per sector: a sync brought it to the platter, and what stood there before is in older */
	uint64_t cache_bytes;
	uint64_t platter_bytes;
	uint64_t least_bytes;	   /* the shortest length since the platter had the right one */
	struct sim_range sectors;  /* no sector outside is dirty */
	struct sim_range unsynced; /* bytes that were written and of which no sync has told that they are there */
	struct sim_range synced;   /* bytes that the last sync brought, of those that brought any */
	uint64_t
		needed_bytes; /* up to the end of all writes since the file was renamed to "spare...": what stands behind them is of no use */
	uint64_t counted_bytes; /* its part of sim_disk_bytes */
	unsigned links_count;	/* entries in the cache */
	unsigned fds_count;
	unsigned damages_count;
	int lock_fd; /* -1: not locked */

	/* A directory. */
	struct sim_inode *parent; /* borrowed; of the root: itself */
	struct sim_entries entries;
	struct sim_entries platter_entries;

	/* Its one entry on the platter; the directory is borrowed, NULL when there is none. */
	struct sim_inode *platter_dir;
	char platter_name[SIM_NAME_SIZE];
};

/* An inode moves from a name to another one; NULL for a directory: it had none before, or has none afterwards. */
struct sim_change {
	TAILQ_ENTRY(sim_change) link;
	uint64_t number;
	struct sim_inode *inode;    /* held */
	struct sim_inode *from_dir; /* held */
	struct sim_inode *to_dir;   /* held */
	char from[SIM_NAME_SIZE];
	char to[SIM_NAME_SIZE];
};

/* One sector that was damaged: bytes that are wrong until they are written again or mended. */
struct sim_damage {
	TAILQ_ENTRY(sim_damage) link;
	struct sim_inode *inode; /* borrowed */
	const char *prefix;	 /* borrowed; of the files that were to be damaged */
	uint64_t sector;
	uint8_t before[SIM_SECTOR];
	bool cache_bad[SIM_SECTOR];
	bool platter_bad[SIM_SECTOR];
};

struct sim_fd {
	struct sim_inode *inode; /* held; NULL: free */
	int64_t position;
	int flags;
};

TAILQ_HEAD(sim_inode_list, sim_inode);
TAILQ_HEAD(sim_change_list, sim_change);
TAILQ_HEAD(sim_damage_list, sim_damage);

struct sim_disk {
	struct sim_disk_habits habits;
	struct sim_inode *root;	      /* held */
	struct sim_inode_list inodes; /* all, as they were made */
	struct sim_change_list changes;
	struct sim_damage_list damages;
	struct sim_fd fds[SIM_FD_COUNT];
	uint64_t bytes;
	uint64_t changes_count;	 /* ever */
	uint64_t failures_count; /* ever */
	uint64_t losses_count;	 /* of power: a call that was under way meanwhile has no effect */
	uint32_t writes_count;
};

/* What a loss of power leaves of things that were under way. */
enum sim_loss_kind { SIM_LOSS_NONE, SIM_LOSS_ALL, SIM_LOSS_PREFIX, SIM_LOSS_SUBSET };

struct sim_loss {
	enum sim_loss_kind kind;
	unsigned percent; /* of a subset */
	uint64_t kept_count;
	uint64_t lost_count;
	uint64_t lengths_lost_count;
	uint64_t changes_lost_count;
};

/* --- disk.c --- */

/* True when thing number `index` of some survives; `cut` of them do when it is a prefix. */
bool sim_loss_keeps(const struct sim_loss *loss, uint64_t index, uint64_t cut);

/* --- disk_inode.c: the content of a file --- */

/* Held once, by the caller. */
struct sim_inode *sim_inode_make(struct sim_disk *d, bool is_dir);
void sim_inode_hold(struct sim_inode *i);
void sim_inode_drop(struct sim_disk *d, struct sim_inode *i);
void sim_inode_free(struct sim_disk *d, struct sim_inode *i);

/* Counts its bytes anew; after each change of lengths, links_count or fds_count. */
void sim_inode_count(struct sim_disk *d, struct sim_inode *i);

/* A direct write has whole blocks: what it begins with and is there already is nothing new, and stays damaged if it was. */
void sim_inode_write(struct sim_disk *d, struct sim_inode *f, uint64_t offset, const void *base, size_t len,
		     bool is_direct);
void sim_inode_cut(struct sim_disk *d, struct sim_inode *f, uint64_t len); /* or makes it longer */
/* What was dirty at write number `upto` reaches the platter; or some of it or nothing does, and all of it counts as clean. */
void sim_inode_sync(struct sim_disk *d, struct sim_inode *f, uint32_t upto);
void sim_inode_sync_fail(struct sim_disk *d, struct sim_inode *f, uint32_t upto);
void sim_inode_power_loss(struct sim_disk *d, struct sim_inode *f, struct sim_loss *loss);

/* --- disk_tree.c: directories --- */

/* What a path leads to. */
struct sim_place {
	struct sim_inode *dir;
	char name[SIM_NAME_SIZE]; /* empty: the path ends in ".", ".." or "/" and leads to a directory that is there */
	struct sim_inode *inode;  /* NULL: there is none of that name */
};

/* 0, -ENOENT, -ENOTDIR, -ENAMETOOLONG. */
int sim_tree_find(struct sim_disk *d, struct sim_inode *start, const char *path, struct sim_place *ret);
void sim_tree_link(struct sim_disk *d, const struct sim_place *at, struct sim_inode *i);
void sim_tree_unlink(struct sim_disk *d, const struct sim_place *at);
/* Replaces what is there. */
void sim_tree_move(struct sim_disk *d, const struct sim_place *from, const struct sim_place *to);
/* Changes that touch dir, up to that number, reach the platter. */
void sim_tree_sync(struct sim_disk *d, struct sim_inode *dir, uint64_t upto);
void sim_tree_power_loss(struct sim_disk *d, struct sim_loss *loss);
void sim_tree_forget(struct sim_disk *d, struct sim_inode *dir); /* drops what its entries hold */

/* --- disk_damage.c --- */

void sim_damage_written(struct sim_disk *d, const struct sim_inode *f, uint64_t from, uint64_t to); /* in the cache */
void sim_damage_synced(struct sim_disk *d, const struct sim_inode *f, uint64_t sector);
void sim_damage_platter_cut(struct sim_disk *d, const struct sim_inode *f, uint64_t len);
void sim_damage_power_loss(struct sim_disk *d, const struct sim_inode *f);
void sim_damage_forget(struct sim_disk *d, const struct sim_inode *f);

#endif
