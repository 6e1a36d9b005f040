/* SPDX-License-Identifier: Apache-2.0 - the content of a file on the simulated disk: what programs see, and what would be left without power. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/coverage.h"
#include "tests/sim/disk_state.h"
#include "tests/sim/world.h"

#define CAPACITY_MIN 4096u

struct sim_inode *sim_inode_make(struct sim_disk *d, bool is_dir)
{
	struct sim_inode *i = calloc(1, sizeof *i);
	SIM_ASSERT(i != NULL);
	i->is_dir = is_dir;
	i->holds_count = 1;
	i->lock_fd = -1;
	TAILQ_INSERT_TAIL(&d->inodes, i, all);
	return i;
}

void sim_inode_hold(struct sim_inode *i)
{
	i->holds_count++;
}

void sim_inode_drop(struct sim_disk *d, struct sim_inode *i)
{
	SIM_ASSERT(i->holds_count > 0);
	if (--i->holds_count > 0)
		return;
	d->bytes -= i->counted_bytes;
	sim_damage_forget(d, i);
	sim_tree_forget(d, i);
	sim_inode_free(d, i);
}

void sim_inode_free(struct sim_disk *d, struct sim_inode *i)
{
	TAILQ_REMOVE(&d->inodes, i, all);
	free(i->cache);
	free(i->platter);
	free(i->older);
	free(i->dirty);
	free(i->promised);
	free(i->entries.list);
	free(i->platter_entries.list);
	free(i);
}

void sim_inode_count(struct sim_disk *d, struct sim_inode *i)
{
	uint64_t bytes = i->cache_bytes > i->platter_bytes ? i->cache_bytes : i->platter_bytes;
	if (i->links_count == 0 && i->fds_count == 0)
		bytes = 0;
	d->bytes += bytes - i->counted_bytes;
	i->counted_bytes = bytes;
}

/* --- Ranges and room. --- */

static bool range_is_empty(struct sim_range r)
{
	return r.from >= r.to;
}

static struct sim_range range_join(struct sim_range a, struct sim_range b)
{
	if (range_is_empty(a))
		return b;
	if (range_is_empty(b))
		return a;
	return (struct sim_range){.from = a.from < b.from ? a.from : b.from, .to = a.to > b.to ? a.to : b.to};
}

static void range_cut(struct sim_range *r, uint64_t to)
{
	if (r->to > to)
		r->to = to;
}

/* The first sector that has no byte before len. */
static uint64_t sectors_of(uint64_t len)
{
	return (len + SIM_SECTOR - 1) / SIM_SECTOR;
}

static void *enlarge(void *base, size_t item_bytes, uint64_t have, uint64_t want)
{
	uint8_t *larger = realloc(base, want * item_bytes);
	SIM_ASSERT(larger != NULL);
	memset(larger + have * item_bytes, 0, (want - have) * item_bytes);
	return larger;
}

static void make_room(struct sim_inode *f, uint64_t len)
{
	if (len <= f->capacity)
		return;
	uint64_t have = f->capacity;
	uint64_t want = have == 0 ? CAPACITY_MIN : have;
	while (want < len)
		want *= 2;
	f->cache = enlarge(f->cache, 1, have, want);
	f->platter = enlarge(f->platter, 1, have, want);
	f->older = enlarge(f->older, 1, have, want);
	f->dirty = enlarge(f->dirty, sizeof *f->dirty, have / SIM_SECTOR, want / SIM_SECTOR);
	f->promised = enlarge(f->promised, sizeof *f->promised, have / SIM_SECTOR, want / SIM_SECTOR);
	f->capacity = want;
}

/* --- The cache. --- */

static void make_dirty(struct sim_inode *f, uint64_t from_sector, uint64_t to_sector, uint32_t number)
{
	for (uint64_t s = from_sector; s < to_sector; s++)
		if (f->dirty[s] == 0)
			f->dirty[s] = number;
	f->sectors = range_join(f->sectors, (struct sim_range){.from = from_sector, .to = to_sector});
}

/* How much of the beginning of a write is there already. */
static size_t same_bytes(const struct sim_inode *f, uint64_t offset, const uint8_t *base, size_t len)
{
	size_t same = 0;
	while (same < len && offset + same < f->cache_bytes && f->cache[offset + same] == base[same])
		same++;
	return same;
}

void sim_inode_write(struct sim_disk *d, struct sim_inode *f, uint64_t offset, const void *base, size_t len,
		     bool is_direct)
{
	if (len == 0)
		return;
	uint64_t end = offset + len;
	make_room(f, end);
	uint64_t begin = offset + (is_direct ? same_bytes(f, offset, base, len) : 0);
	memcpy(f->cache + offset, base, len);
	make_dirty(f, offset / SIM_SECTOR, sectors_of(end), ++d->writes_count);
	f->unsynced = range_join(f->unsynced, (struct sim_range){.from = begin, .to = end});
	f->needed_bytes = end > f->needed_bytes ? end : f->needed_bytes;
	if (f->damages_count > 0)
		sim_damage_written(d, f, begin, end);
	if (end > f->cache_bytes) {
		f->cache_bytes = end;
		sim_inode_count(d, f);
	}
}

void sim_inode_cut(struct sim_disk *d, struct sim_inode *f, uint64_t len)
{
	make_room(f, len);
	if (len < f->cache_bytes) {
		memset(f->cache + len, 0, f->cache_bytes - len);
		for (uint64_t s = sectors_of(len); s < f->sectors.to; s++)
			f->dirty[s] = 0;
		range_cut(&f->sectors, sectors_of(len));
		range_cut(&f->unsynced, len);
		if (len % SIM_SECTOR != 0)
			make_dirty(f, len / SIM_SECTOR, sectors_of(len), ++d->writes_count);
		if (f->damages_count > 0)
			sim_damage_written(d, f, len, f->cache_bytes);
		if (len < f->least_bytes)
			f->least_bytes = len;
	}
	f->cache_bytes = len;
	sim_inode_count(d, f);
}

/* --- The platter. --- */

static void platter_cut(struct sim_disk *d, struct sim_inode *f, uint64_t len)
{
	if (len >= f->platter_bytes)
		return;
	memset(f->platter + len, 0, f->platter_bytes - len);
	if (f->damages_count > 0)
		sim_damage_platter_cut(d, f, len);
	f->platter_bytes = len;
}

static void platter_take_sector(struct sim_disk *d, struct sim_inode *f, uint64_t sector)
{
	memcpy(f->platter + sector * SIM_SECTOR, f->cache + sector * SIM_SECTOR, SIM_SECTOR);
	f->dirty[sector] = 0;
	if (f->damages_count > 0)
		sim_damage_synced(d, f, sector);
}

void sim_inode_sync(struct sim_disk *d, struct sim_inode *f, uint32_t upto)
{
	platter_cut(d, f, f->least_bytes);
	struct sim_range left = {0};
	for (uint64_t s = f->sectors.from; s < f->sectors.to; s++) {
		if (f->dirty[s] > upto)
			left = range_join(left, (struct sim_range){.from = s, .to = s + 1});
		if (f->dirty[s] == 0 || f->dirty[s] > upto)
			continue;
		memcpy(f->older + s * SIM_SECTOR, f->platter + s * SIM_SECTOR, SIM_SECTOR);
		f->promised[s] = true;
		platter_take_sector(d, f, s);
	}
	f->sectors = left;
	f->platter_bytes = f->cache_bytes;
	f->least_bytes = f->cache_bytes;
	if (!range_is_empty(f->unsynced))
		f->synced = f->unsynced;
	f->unsynced = (struct sim_range){0};
	sim_inode_count(d, f);
}

void sim_inode_sync_fail(struct sim_disk *d, struct sim_inode *f, uint32_t upto)
{
	bool none = sim_percent(SIM_DISK, 50);
	for (uint64_t s = f->sectors.from; s < f->sectors.to; s++) {
		if (f->dirty[s] == 0 || f->dirty[s] > upto)
			continue;
		if (!none && sim_percent(SIM_DISK, 50)) {
			platter_take_sector(d, f, s);
			f->promised[s] = false;
		}
		f->dirty[s] = 0;
	}
	/* What was synced before may be the end of the file again. */
	f->unsynced = range_join(f->unsynced, f->synced);
}

/* Which of the dirty sectors reach the platter. */
static void sectors_settle(struct sim_disk *d, struct sim_inode *f, struct sim_loss *loss)
{
	uint64_t count = 0;
	uint64_t kept = 0;
	for (uint64_t s = f->sectors.from; s < f->sectors.to; s++)
		count += f->dirty[s] != 0;
	if (count == 0)
		return;
	uint64_t cut = sim_below(SIM_DISK, count + 1);
	uint64_t index = 0;
	for (uint64_t s = f->sectors.from; s < f->sectors.to; s++) {
		if (f->dirty[s] == 0)
			continue;
		if (sim_loss_keeps(loss, index++, cut)) {
			platter_take_sector(d, f, s);
			f->promised[s] = false;
			kept++;
		}
		f->dirty[s] = 0;
	}
	if (kept > 0 && kept < count)
		sim_cover(SIM_COVER_POWER_LOSS_TORN);
	loss->kept_count += kept;
	loss->lost_count += count - kept;
}

void sim_inode_power_loss(struct sim_disk *d, struct sim_inode *f, struct sim_loss *loss)
{
	bool changed = f->cache_bytes != f->platter_bytes || f->least_bytes < f->platter_bytes;
	uint64_t len = f->platter_bytes;
	if (changed && sim_percent(SIM_DISK, 50)) {
		platter_cut(d, f, f->least_bytes);
		len = f->cache_bytes;
	} else if (changed) {
		loss->lengths_lost_count++;
		sim_cover(SIM_COVER_POWER_LOSS_LENGTH);
	}
	sectors_settle(d, f, loss);
	/* Sectors beyond the end went where nobody looks. */
	f->platter_bytes = f->capacity;
	platter_cut(d, f, len);
	f->platter_bytes = len;
	f->cache_bytes = len;
	f->least_bytes = len;
	if (f->capacity > 0)
		memcpy(f->cache, f->platter, f->capacity);
	f->sectors = (struct sim_range){0};
	f->unsynced = (struct sim_range){0};
	if (f->damages_count > 0)
		sim_damage_power_loss(d, f);
	sim_inode_count(d, f);
}
