/* SPDX-License-Identifier: Apache-2.0 - damage to what the simulated disk had promised to keep, and the way back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/coverage.h"
#include "tests/sim/disk_state.h"
#include "tests/sim/world.h"

/* --- Where. --- */

/* A walk over the sectors that may be damaged, by path and offset. */
struct search {
	const char *prefix;
	bool (*fits)(const struct search *s, const struct sim_inode *f, uint64_t sector); /* NULL: any */
	const uint8_t *unlike;								  /* for fits */
	uint64_t found_count;
	uint64_t wanted; /* which of them is kept below */
	struct sim_inode *file;
	uint64_t sector;
	char path[SIM_DISK_PATH_SIZE];
};

/* The bytes of the sector that are within the file, both as programs see it and on the platter. */
static size_t bytes_within(const struct sim_inode *f, uint64_t sector)
{
	uint64_t len = f->cache_bytes < f->platter_bytes ? f->cache_bytes : f->platter_bytes;
	uint64_t begin = sector * SIM_SECTOR;
	if (begin >= len)
		return 0;
	return len - begin < SIM_SECTOR ? (size_t)(len - begin) : SIM_SECTOR;
}

static bool touches(struct sim_range r, uint64_t sector)
{
	return r.from < r.to && r.from < (sector + 1) * SIM_SECTOR && r.to > sector * SIM_SECTOR;
}

static bool is_zero(const uint8_t *base, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (base[i] != 0)
			return false;
	return true;
}

static bool is_damaged(const struct sim_disk *d, const struct sim_inode *f, uint64_t sector)
{
	const struct sim_damage *e;
	TAILQ_FOREACH(e, &d->damages, link)
	if (e->inode == f && e->sector == sector)
		return true;
	return false;
}

static bool may_damage(const struct sim_disk *d, const struct sim_inode *f, uint64_t sector)
{
	const uint8_t *cache = f->cache + sector * SIM_SECTOR;
	size_t len = bytes_within(f, sector);
	if (!f->promised[sector] || f->dirty[sector] != 0 || sector * SIM_SECTOR >= f->needed_bytes)
		return false;
	if (touches(f->synced, sector) || touches(f->unsynced, sector))
		return false;
	if (is_zero(cache, len) || memcmp(cache, f->platter + sector * SIM_SECTOR, SIM_SECTOR) != 0)
		return false;
	return f->damages_count == 0 || !is_damaged(d, f, sector);
}

static void search_file(const struct sim_disk *d, struct search *s, struct sim_inode *f, const char *path)
{
	if (strncmp(path, s->prefix, strlen(s->prefix)) != 0)
		return;
	for (uint64_t sector = 0; bytes_within(f, sector) > 0; sector++) {
		if (!may_damage(d, f, sector) || (s->fits != NULL && !s->fits(s, f, sector)))
			continue;
		if (s->found_count++ == s->wanted) {
			s->file = f;
			s->sector = sector;
			snprintf(s->path, sizeof s->path, "%s", path);
		}
	}
}

static void search_dir(const struct sim_disk *d, struct search *s, const struct sim_inode *dir, const char *path)
{
	for (size_t i = 0; i < dir->entries.count; i++) {
		const struct sim_entry *entry = &dir->entries.list[i];
		char longer[SIM_DISK_PATH_SIZE];
		snprintf(longer, sizeof longer, "%s/%s", path, entry->name);
		if (entry->inode->is_dir)
			search_dir(d, s, entry->inode, longer);
		else
			search_file(d, s, entry->inode, longer);
	}
}

/* Draws one of the sectors that may be damaged; false when there is none. */
static bool search_draw(const struct sim_disk *d, struct search *s)
{
	s->wanted = UINT64_MAX;
	search_dir(d, s, d->root, "");
	if (s->found_count == 0)
		return false;
	s->wanted = sim_below(SIM_DISK, s->found_count);
	s->found_count = 0;
	search_dir(d, s, d->root, "");
	return true;
}

/* --- Damage. --- */

/* The sector has this content from now on. */
static void sector_damage(struct sim_disk *d, const struct search *s, const uint8_t *content)
{
	struct sim_inode *f = s->file;
	uint64_t sector = s->sector;
	uint8_t *cache = f->cache + sector * SIM_SECTOR;
	uint8_t *platter = f->platter + sector * SIM_SECTOR;
	struct sim_damage *e = calloc(1, sizeof *e);
	SIM_ASSERT(e != NULL);
	e->inode = f;
	e->prefix = s->prefix;
	e->sector = sector;
	memcpy(e->before, cache, SIM_SECTOR);
	for (size_t i = 0; i < bytes_within(f, sector); i++) {
		e->cache_bad[i] = e->platter_bad[i] = content[i] != cache[i];
		cache[i] = platter[i] = content[i];
	}
	f->damages_count++;
	TAILQ_INSERT_TAIL(&d->damages, e, link);
}

bool sim_disk_flip_bit(struct sim_disk *d, const char *prefix, char *text, size_t text_size)
{
	struct search s = {.prefix = prefix};
	if (!search_draw(d, &s))
		return false;
	uint8_t content[SIM_SECTOR];
	memcpy(content, s.file->cache + s.sector * SIM_SECTOR, sizeof content);
	uint64_t byte = sim_below(SIM_DISK, bytes_within(s.file, s.sector));
	unsigned long long offset = s.sector * SIM_SECTOR + byte;
	unsigned bit = (unsigned)sim_below(SIM_DISK, 8);
	content[byte] ^= (uint8_t)(1u << bit);
	sector_damage(d, &s, content);
	sim_cover(SIM_COVER_BIT_FLIPPED);
	snprintf(text, text_size, "%s: bit %u of byte %llu is flipped", s.path, bit, offset);
	return true;
}

static bool differs_from_older(const struct search *s, const struct sim_inode *f, uint64_t sector)
{
	(void)s;
	size_t at = (size_t)sector * SIM_SECTOR;
	return memcmp(f->older + at, f->cache + at, bytes_within(f, sector)) != 0;
}

bool sim_disk_lose_write(struct sim_disk *d, const char *prefix, char *text, size_t text_size)
{
	struct search s = {.prefix = prefix, .fits = differs_from_older};
	if (!search_draw(d, &s))
		return false;
	sector_damage(d, &s, s.file->older + s.sector * SIM_SECTOR);
	sim_cover(SIM_COVER_WRITE_LOST);
	snprintf(text, text_size, "%s: the last write of sector %llu is lost", s.path, (unsigned long long)s.sector);
	return true;
}

static bool is_unlike(const struct search *s, const struct sim_inode *f, uint64_t sector)
{
	return memcmp(s->unlike, f->cache + sector * SIM_SECTOR, bytes_within(f, sector)) != 0;
}

bool sim_disk_misdirect_write(struct sim_disk *d, const char *prefix, char *text, size_t text_size)
{
	struct search from = {.prefix = prefix};
	if (!search_draw(d, &from))
		return false;
	struct search to = {.prefix = prefix, .fits = is_unlike, .unlike = from.file->cache + from.sector * SIM_SECTOR};
	if (!search_draw(d, &to))
		return false;
	uint8_t content[SIM_SECTOR];
	memcpy(content, to.unlike, sizeof content);
	sector_damage(d, &to, content);
	sim_cover(SIM_COVER_WRITE_MISDIRECTED);
	snprintf(text, text_size, "%s: sector %llu has what was written to sector %llu of %s", to.path,
		 (unsigned long long)to.sector, (unsigned long long)from.sector, from.path);
	return true;
}

/* --- The way back. --- */

static void damage_end(struct sim_disk *d, struct sim_damage *e)
{
	e->inode->damages_count--;
	TAILQ_REMOVE(&d->damages, e, link);
	free(e);
}

void sim_disk_mend(struct sim_disk *d, const char *prefix)
{
	struct sim_damage *e, *next;
	for (e = TAILQ_FIRST(&d->damages); e != NULL; e = next) {
		next = TAILQ_NEXT(e, link);
		if (strncmp(e->prefix, prefix, strlen(prefix)) != 0)
			continue;
		size_t at = (size_t)e->sector * SIM_SECTOR;
		for (size_t i = 0; i < SIM_SECTOR; i++) {
			if (e->cache_bad[i])
				e->inode->cache[at + i] = e->before[i];
			if (e->platter_bad[i])
				e->inode->platter[at + i] = e->before[i];
		}
		damage_end(d, e);
	}
}

bool sim_disk_is_damaged(const struct sim_disk *d, const char *prefix)
{
	const struct sim_damage *e;
	TAILQ_FOREACH(e, &d->damages, link)
	for (size_t i = 0; i < SIM_SECTOR && strncmp(e->prefix, prefix, strlen(prefix)) == 0; i++)
		if (e->cache_bad[i] || e->platter_bad[i])
			return true;
	return false;
}

/* --- What becomes of damage when files change. --- */

/* Bytes from .. to - 1 of the file are not damaged any more. */
static void clear(bool bad[SIM_SECTOR], uint64_t sector, uint64_t from, uint64_t to)
{
	uint64_t begin = sector * SIM_SECTOR;
	for (uint64_t i = from > begin ? from - begin : 0; i < SIM_SECTOR && begin + i < to; i++)
		bad[i] = false;
}

void sim_damage_written(struct sim_disk *d, const struct sim_inode *f, uint64_t from, uint64_t to)
{
	struct sim_damage *e;
	TAILQ_FOREACH(e, &d->damages, link)
	if (e->inode == f)
		clear(e->cache_bad, e->sector, from, to);
}

void sim_damage_synced(struct sim_disk *d, const struct sim_inode *f, uint64_t sector)
{
	struct sim_damage *e;
	TAILQ_FOREACH(e, &d->damages, link)
	if (e->inode == f && e->sector == sector)
		memcpy(e->platter_bad, e->cache_bad, sizeof e->platter_bad);
}

void sim_damage_platter_cut(struct sim_disk *d, const struct sim_inode *f, uint64_t len)
{
	struct sim_damage *e;
	TAILQ_FOREACH(e, &d->damages, link)
	if (e->inode == f)
		clear(e->platter_bad, e->sector, len, UINT64_MAX);
}

void sim_damage_power_loss(struct sim_disk *d, const struct sim_inode *f)
{
	struct sim_damage *e;
	TAILQ_FOREACH(e, &d->damages, link)
	if (e->inode == f)
		memcpy(e->cache_bad, e->platter_bad, sizeof e->cache_bad);
}

void sim_damage_forget(struct sim_disk *d, const struct sim_inode *f)
{
	struct sim_damage *e;
	struct sim_damage *next;
	for (e = TAILQ_FIRST(&d->damages); e != NULL; e = next) {
		next = TAILQ_NEXT(e, link);
		if (e->inode == f)
			damage_end(d, e);
	}
}
