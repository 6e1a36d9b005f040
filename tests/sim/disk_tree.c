/* SPDX-License-Identifier: Apache-2.0 - directories of the simulated disk: entries that programs see, entries on the platter, and the changes between them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/coverage.h"
#include "tests/sim/disk_state.h"
#include "tests/sim/world.h"

/* --- Entries. --- */

/* Where the name stands or would stand. */
static size_t entries_index(const struct sim_entries *e, const char *name, bool *ret_found)
{
	size_t from = 0;
	size_t to = e->count;
	*ret_found = false;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(e->list[middle].name, name);
		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static struct sim_inode *entries_find(const struct sim_entries *e, const char *name)
{
	bool found;
	size_t index = entries_index(e, name, &found);
	return found ? e->list[index].inode : NULL;
}

/* The name is not there. Holds the inode. */
static void entries_put(struct sim_entries *e, const char *name, struct sim_inode *i)
{
	bool found;
	size_t index = entries_index(e, name, &found);
	SIM_ASSERT(!found);
	if (e->count == e->capacity) {
		e->capacity = e->capacity == 0 ? 8 : e->capacity * 2;
		e->list = realloc(e->list, e->capacity * sizeof *e->list);
		SIM_ASSERT(e->list != NULL);
	}
	memmove(e->list + index + 1, e->list + index, (e->count - index) * sizeof *e->list);
	e->count++;
	struct sim_entry *entry = &e->list[index];
	memcpy(entry->name, name, strlen(name) + 1);
	entry->inode = i;
	sim_inode_hold(i);
}

/* Gives what stood there, which the caller holds now, or NULL. */
static struct sim_inode *entries_take(struct sim_entries *e, const char *name)
{
	bool found;
	size_t index = entries_index(e, name, &found);
	if (!found)
		return NULL;
	struct sim_inode *i = e->list[index].inode;
	e->count--;
	memmove(e->list + index, e->list + index + 1, (e->count - index) * sizeof *e->list);
	return i;
}

static void entries_clear(struct sim_disk *d, struct sim_entries *e)
{
	for (size_t i = 0; i < e->count; i++)
		sim_inode_drop(d, e->list[i].inode);
	e->count = 0;
}

void sim_tree_forget(struct sim_disk *d, struct sim_inode *dir)
{
	for (size_t i = 0; i < dir->platter_entries.count; i++)
		dir->platter_entries.list[i].inode->platter_dir = NULL;
	entries_clear(d, &dir->entries);
	entries_clear(d, &dir->platter_entries);
}

/* --- Paths. --- */

static bool is_name(const char *name)
{
	return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int sim_tree_find(struct sim_disk *d, struct sim_inode *start, const char *path, struct sim_place *ret)
{
	struct sim_place at = {.dir = path[0] == '/' ? d->root : start};
	at.inode = at.dir;
	if (path[0] == '\0')
		return -ENOENT;
	for (path += strspn(path, "/"); *path != '\0'; path += strspn(path, "/")) {
		if (at.inode == NULL)
			return -ENOENT;
		if (!at.inode->is_dir)
			return -ENOTDIR;
		at.dir = at.inode;
		size_t len = strcspn(path, "/");
		if (len >= sizeof at.name)
			return -ENAMETOOLONG;
		memcpy(at.name, path, len);
		at.name[len] = '\0';
		if (strcmp(at.name, "..") == 0)
			at.inode = at.dir->parent;
		else if (is_name(at.name))
			at.inode = entries_find(&at.dir->entries, at.name);
		path += len;
	}
	if (!is_name(at.name))
		at.name[0] = '\0';
	*ret = at;
	return 0;
}

/* --- Changes. --- */

static void change_add(struct sim_disk *d, struct sim_inode *i, const struct sim_place *from,
		       const struct sim_place *to)
{
	struct sim_change *c = calloc(1, sizeof *c);
	SIM_ASSERT(c != NULL);
	c->number = ++d->changes_count;
	c->inode = i;
	sim_inode_hold(i);
	if (from != NULL) {
		c->from_dir = from->dir;
		memcpy(c->from, from->name, sizeof c->from);
		sim_inode_hold(c->from_dir);
	}
	if (to != NULL) {
		c->to_dir = to->dir;
		memcpy(c->to, to->name, sizeof c->to);
		sim_inode_hold(c->to_dir);
	}
	TAILQ_INSERT_TAIL(&d->changes, c, link);
}

static void change_end(struct sim_disk *d, struct sim_change *c)
{
	TAILQ_REMOVE(&d->changes, c, link);
	sim_inode_drop(d, c->inode);
	if (c->from_dir != NULL)
		sim_inode_drop(d, c->from_dir);
	if (c->to_dir != NULL)
		sim_inode_drop(d, c->to_dir);
	free(c);
}

static void platter_remove(struct sim_disk *d, struct sim_inode *dir, const char *name)
{
	struct sim_inode *i = entries_take(&dir->platter_entries, name);
	if (i == NULL)
		return;
	i->platter_dir = NULL;
	sim_inode_drop(d, i);
}

/* The change reaches the platter, where changes before it may be missing. What it moves is there under one name afterwards, or none. */
static void change_settle(struct sim_disk *d, const struct sim_change *c)
{
	struct sim_inode *i = c->inode;
	if (c->to_dir == NULL) {
		SIM_ASSERT(c->from_dir != NULL);
		if (i->platter_dir == c->from_dir && strcmp(i->platter_name, c->from) == 0)
			platter_remove(d, c->from_dir, c->from);
		return;
	}
	if (i->platter_dir != NULL)
		platter_remove(d, i->platter_dir, i->platter_name);
	platter_remove(d, c->to_dir, c->to);
	entries_put(&c->to_dir->platter_entries, c->to, i);
	i->platter_dir = c->to_dir;
	memcpy(i->platter_name, c->to, sizeof i->platter_name);
}

static void cache_put(struct sim_disk *d, const struct sim_place *at, struct sim_inode *i)
{
	entries_put(&at->dir->entries, at->name, i);
	memcpy(i->name, at->name, sizeof i->name);
	i->links_count++;
	if (i->is_dir)
		i->parent = at->dir;
	sim_inode_count(d, i);
}

static void cache_remove(struct sim_disk *d, const struct sim_place *at)
{
	struct sim_inode *i = entries_take(&at->dir->entries, at->name);
	if (i == NULL)
		return;
	i->links_count--;
	sim_inode_count(d, i);
	sim_inode_drop(d, i);
}

void sim_tree_link(struct sim_disk *d, const struct sim_place *at, struct sim_inode *i)
{
	cache_put(d, at, i);
	change_add(d, i, NULL, at);
}

void sim_tree_unlink(struct sim_disk *d, const struct sim_place *at)
{
	change_add(d, at->inode, at, NULL);
	cache_remove(d, at);
}

void sim_tree_move(struct sim_disk *d, const struct sim_place *from, const struct sim_place *to)
{
	change_add(d, from->inode, from, to);
	cache_remove(d, to);
	cache_remove(d, from); /* the change holds what moves */
	cache_put(d, to, from->inode);
}

void sim_tree_sync(struct sim_disk *d, struct sim_inode *dir, uint64_t upto)
{
	struct sim_change *next;
	for (struct sim_change *c = TAILQ_FIRST(&d->changes); c != NULL && c->number <= upto; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->from_dir != dir && c->to_dir != dir)
			continue;
		change_settle(d, c);
		change_end(d, c);
	}
}

/* --- Loss of power. --- */

static void changes_settle(struct sim_disk *d, struct sim_loss *loss)
{
	uint64_t count = 0;
	struct sim_change *c;
	TAILQ_FOREACH(c, &d->changes, link)
	count++;
	uint64_t cut = sim_below(SIM_DISK, count + 1);
	for (uint64_t index = 0; (c = TAILQ_FIRST(&d->changes)) != NULL; index++) {
		if (sim_loss_keeps(loss, index, cut)) {
			change_settle(d, c);
		} else {
			loss->changes_lost_count++;
			sim_cover(SIM_COVER_POWER_LOSS_ENTRY);
		}
		change_end(d, c);
	}
}

/* Programs see what is on the platter. */
static void entries_reload(struct sim_disk *d, struct sim_inode *dir)
{
	for (size_t i = 0; i < dir->entries.count; i++) {
		struct sim_inode *gone = dir->entries.list[i].inode;
		gone->links_count--;
		sim_inode_count(d, gone);
	}
	entries_clear(d, &dir->entries);
	for (size_t i = 0; i < dir->platter_entries.count; i++) {
		struct sim_entry *entry = &dir->platter_entries.list[i];
		struct sim_place at = {.dir = dir};
		memcpy(at.name, entry->name, sizeof at.name);
		cache_put(d, &at, entry->inode);
	}
}

void sim_tree_power_loss(struct sim_disk *d, struct sim_loss *loss)
{
	changes_settle(d, loss);
	struct sim_inode *i;
	struct sim_inode *next;
	/* Held meanwhile, so that none is freed while the list is walked. */
	TAILQ_FOREACH(i, &d->inodes, all)
	sim_inode_hold(i);
	TAILQ_FOREACH(i, &d->inodes, all)
	entries_reload(d, i);
	for (i = TAILQ_FIRST(&d->inodes); i != NULL; i = next) {
		next = TAILQ_NEXT(i, all);
		sim_inode_drop(d, i);
	}
}
