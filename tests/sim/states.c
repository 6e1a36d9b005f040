/* SPDX-License-Identifier: Apache-2.0 - the states of simulated nodes: the linker leads node/shard.c here instead of node/lmdb.c.
 *
 * LMDB's promise is kept, and no more: a write is there whole or not at all, from one moment on, which comes after some time; a reader sees what was there when it was renewed. The program can die before that
 * moment and after it. */
#include "tests/sim/states.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "node/lmdb.h"
#include "node/worker.h"
#include "partition/audit.h"
#include "partition/note.h"
#include "partition/stored.h"
#include "tests/sim/coverage.h"
#include "tests/sim/disk.h"
#include "tests/sim/node.h"
#include "tests/sim/observe.h"
#include "tests/sim/process.h"
#include "tests/sim/record.h"
#include "tests/sim/world.h"
#include "tests/support/memory_store.h"

#define WRITE_US_MIN 200
#define WRITE_US_MAX 30000
#define COPY_US_MIN 100
#define COPY_US_MAX 5000

struct copy {
	struct ord_worker_job job; /* first */
	struct ord_lmdb *owner;	   /* borrowed */
	unsigned number;
	uint32_t partition;
	bool open;
	bool reading;
	struct memory_store view;
	struct ord_pairs_place after;
	size_t bytes_max;
	struct ord_changes pairs; /* owned */
	bool is_last;
	int status;
};

struct scrub {
	struct ord_worker_job job; /* first */
	struct ord_lmdb *owner;	   /* borrowed */
	uint32_t partition;
	struct memory_store view; /* open when there is an audit */
	struct ord_audit *audit;  /* owned; NULL: no state is being checked */
	uint64_t bytes_max;
	struct ord_pairs_checked checked;
	int status;
};

enum fill_step { FILL_BEGIN, FILL_WRITE, FILL_DROP, FILL_END };

struct fill {
	struct ord_worker_job job; /* first */
	struct ord_lmdb *owner;	   /* borrowed */
	enum fill_step step;
	uint32_t partition;
	uint32_t partitions_count;
	const struct ord_changes *pairs; /* borrowed */
	struct memory_store store;	 /* what is filled */
	bool opened;
	int status;
};

struct write {
	struct ord_worker_job job; /* first */
	struct ord_lmdb *owner;	   /* borrowed */
	uint32_t partition;
	const struct ord_changes *changes; /* borrowed until written */
	int status;
};

struct ord_lmdb {
	struct sim_process *process; /* borrowed */
	uint32_t partitions_count;
	uint32_t shard;
	struct memory_store seen[SIM_PARTITIONS_MAX]; /* what the loop reads */
	bool opened[SIM_PARTITIONS_MAX];
	struct ord_lmdb_events events;
	struct ord_worker *writer; /* owned */
	struct ord_worker *copier; /* owned */
	struct write write;
	struct ord_changes unseen; /* owned; of the last write, until it is renewed */
	struct copy copies[ORD_STATES_COPIES_MAX];
	struct fill fill;
	struct scrub scrub;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

int __wrap_ord_lmdb_open(uv_loop_t *loop, const char *directory, uint32_t partitions_count,
			 const struct ord_lmdb_events *events, struct ord_lmdb **ret);
struct ord_states __wrap_ord_lmdb_states(struct ord_lmdb *l);
const char *__wrap_ord_lmdb_error_text(const struct ord_lmdb *l);
uint64_t __wrap_ord_lmdb_disk_bytes(const struct ord_lmdb *l);
void __wrap_ord_lmdb_stop(struct ord_lmdb *l, void (*stopped)(void *ctx), void *ctx);

/* Which record, and what its bytes are since then. */
struct damage {
	uint32_t partition;
	enum ord_store_table table; /* 0: none */
	struct ord_bytes bytes;	    /* owned; key, then value */
	size_t key_bytes;
};

static struct {
	uint32_t nodes_count;
	uint32_t partitions_count;
	struct memory_store *kept;				  /* owned; by node, then by partition */
	struct ord_lmdb *open[SIM_NODES_MAX + 1][SIM_SHARDS_MAX]; /* borrowed; of the programs that run */
	struct damage damages[SIM_NODES_MAX + 1];
} states;

void sim_states_open(uint32_t nodes_count, uint32_t partitions_count)
{
	states.nodes_count = nodes_count;
	states.partitions_count = partitions_count;
	states.kept = calloc((size_t)nodes_count * partitions_count, sizeof *states.kept);
	SIM_ASSERT(states.kept != NULL);
	for (uint32_t i = 0; i < nodes_count * partitions_count; i++)
		memory_store_open(&states.kept[i]);
}

void sim_states_close(void)
{
	for (uint32_t i = 0; i < states.nodes_count * states.partitions_count; i++)
		memory_store_close(&states.kept[i]);
	free(states.kept);
	for (uint32_t i = 0; i <= SIM_NODES_MAX; i++)
		ord_bytes_close(&states.damages[i].bytes);
	memset(&states, 0, sizeof states);
}

void sim_states_lose(uint32_t node)
{
	SIM_ASSERT(node >= 1 && node <= states.nodes_count);
	for (uint32_t i = 0; i < states.partitions_count; i++) {
		struct memory_store *store = &states.kept[(node - 1) * states.partitions_count + i];
		memory_store_close(store);
		memory_store_open(store);
	}
}

static struct memory_store *kept_at(uint32_t node, uint32_t partition)
{
	SIM_ASSERT(node >= 1 && node <= states.nodes_count && partition < states.partitions_count);
	return &states.kept[(node - 1) * states.partitions_count + partition];
}

static struct memory_store *kept(const struct ord_lmdb *l, uint32_t partition)
{
	return kept_at(l->process->number, partition);
}

/* --- Damage. --- */

static struct memory_pair *pair_find(struct memory_store *s, enum ord_store_table table, const uint8_t *key,
				     size_t key_bytes)
{
	for (size_t i = 0; i < s->tables[table].count; i++) {
		struct memory_pair *p = memory_store_pair(s, table, i);
		if (p->key_bytes == key_bytes && memcmp(p->bytes, key, key_bytes) == 0)
			return p;
	}
	return NULL;
}

static struct memory_pair *pair_draw(struct memory_store *s, bool is_meta, enum ord_store_table *ret_table)
{
	size_t count = 0;
	for (unsigned t = ORD_STORE_META; t < ORD_STORE_TABLES; t++)
		count += !is_meta || t == ORD_STORE_META ? s->tables[t].count : 0;
	if (count == 0)
		return NULL;
	size_t at = sim_below(SIM_DISK, count);
	unsigned table = ORD_STORE_META;
	while (at >= s->tables[table].count)
		at -= s->tables[table++].count;
	*ret_table = (enum ord_store_table)table;
	return memory_store_pair(s, *ret_table, at);
}

static void damage_note(uint32_t node, uint32_t partition, enum ord_store_table table, const struct memory_pair *p)
{
	struct damage *d = &states.damages[node];
	d->partition = partition;
	d->table = table;
	d->key_bytes = p->key_bytes;
	ord_bytes_close(&d->bytes);
	ord_bytes_init(&d->bytes, SIZE_MAX);
	ord_bytes_put(&d->bytes, p->bytes, p->key_bytes + p->value_bytes);
	SIM_ASSERT(!d->bytes.failed);
}

bool sim_states_damage(uint32_t node, uint32_t partition, bool is_meta)
{
	struct ord_lmdb *l = states.open[node][partition % sim_shards_count()];
	struct memory_pair *seen = NULL;
	enum ord_store_table table;
	struct memory_pair *p = pair_draw(kept_at(node, partition), is_meta, &table);
	if (p == NULL)
		return false;
	size_t at = p->key_bytes + sim_below(SIM_DISK, p->value_bytes);
	uint8_t bit = (uint8_t)(1u << sim_below(SIM_DISK, 8));
	if (l != NULL && l->opened[partition])
		seen = pair_find(&l->seen[partition], table, p->bytes, p->key_bytes);
	if (seen != NULL && at < seen->key_bytes + seen->value_bytes)
		seen->bytes[at] ^= bit;
	p->bytes[at] ^= bit;
	damage_note(node, partition, table, p);
	sim_trace("node %llu: a bit of a record of partition %llu is flipped, in table %llu", node, partition, table,
		  0);
	return true;
}

bool sim_states_are_damaged(uint32_t node)
{
	const struct damage *d = &states.damages[node];
	if (d->table == 0)
		return false;
	const struct memory_pair *p = pair_find(kept_at(node, d->partition), d->table, d->bytes.base, d->key_bytes);
	return p != NULL && p->key_bytes + p->value_bytes == d->bytes.len &&
	       memcmp(p->bytes, d->bytes.base, d->bytes.len) == 0;
}

bool sim_states_are_sound(char *why, size_t why_size)
{
	for (uint32_t node = 1; node <= states.nodes_count; node++)
		if (sim_states_are_damaged(node)) {
			snprintf(why, why_size, "node %u: a record of partition %u is damaged, and is not found", node,
				 states.damages[node].partition);
			return false;
		}
	return true;
}

/* --- What the log is needed for. --- */

static bool base_of(const struct memory_store *s, uint64_t *ret_index)
{
	struct ord_slice key = ord_slice_text(ORD_STORED_NOTE_KEY), value, bytes;
	struct ord_note note = {0};
	int err = s->interface.get(s->interface.ctx, ORD_STORE_META, key, &value);
	if (err == ORD_OK)
		err = ord_stored_verify(ORD_STORE_META, key, value, &bytes);
	if (err == ORD_OK)
		err = ord_note_decode(bytes, &note);
	if (err != ORD_OK && err != ORD_ERR_NOT_FOUND)
		return false;
	*ret_index = note.base_index;
	return true;
}

bool sim_states_base(uint32_t node, uint32_t partition, uint64_t *ret_index)
{
	return base_of(kept_at(node, partition), ret_index);
}

uint64_t sim_states_copies_base(uint32_t node, uint32_t partition)
{
	const struct ord_lmdb *l = states.open[node][partition % sim_shards_count()];
	uint64_t index = UINT64_MAX, base;
	for (unsigned i = 0; l != NULL && i < ORD_STATES_COPIES_MAX; i++) {
		const struct copy *c = &l->copies[i];
		if (c->open && c->partition == partition && base_of(&c->view, &base) && base < index)
			index = base;
	}
	return index;
}

/* --- Checkpoints. --- */

static int states_open(void *ctx, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size)
{
	struct ord_lmdb *l = ctx;
	(void)why;
	(void)why_size;
	SIM_ASSERT(partition < l->partitions_count && !l->opened[partition]);
	memory_store_copy(&l->seen[partition], kept(l, partition));
	l->opened[partition] = true;
	*ret = &l->seen[partition].interface;
	return ORD_OK;
}

static int states_discard(void *ctx, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size)
{
	struct ord_lmdb *l = ctx;
	(void)why;
	(void)why_size;
	if (l->opened[partition])
		memory_store_close(&l->seen[partition]);
	memory_store_open(&l->seen[partition]);
	l->opened[partition] = true;
	if (sim_io()) /* what is damaged stays until there is another one */
		sim_cover(SIM_COVER_STATE_DISCARDED);
	*ret = &l->seen[partition].interface;
	return ORD_OK;
}

static void states_write(void *ctx, uint32_t partition, const struct ord_changes *changes)
{
	struct ord_lmdb *l = ctx;
	SIM_ASSERT(l->write.changes == NULL && l->unseen.count == 0);
	l->write.partition = partition;
	l->write.changes = changes;
	ord_worker_give(l->writer, &l->write.job);
}

static int states_renew(void *ctx, uint32_t partition, char *why, size_t why_size)
{
	(void)why;
	(void)why_size;
	struct ord_lmdb *l = ctx;
	SIM_ASSERT(partition == l->write.partition && l->unseen.count > 0);
	memory_store_write(&l->seen[partition], &l->unseen);
	ord_changes_close(&l->unseen);
	return ORD_OK;
}

static void changes_copy(struct ord_changes *to, const struct ord_changes *from)
{
	ord_changes_init(to);
	ord_bytes_put(&to->bytes, from->bytes.base, from->bytes.len);
	SIM_ASSERT(!to->bytes.failed);
	to->count = from->count;
}

/* The moment at which it is there, between two at which the program may die. */
static void write_work(struct ord_worker_job *job)
{
	struct write *w = (struct write *)job;
	struct ord_lmdb *l = w->owner;
	w->status = ORD_OK;
	if (!sim_io())
		return;
	sim_sleep_us(sim_between(SIM_DISK, WRITE_US_MIN, WRITE_US_MAX));
	if (sim_is_dead(l->process)) {
		sim_cover(SIM_COVER_CRASH_IN_CHECKPOINT);
		return;
	}
	if (sim_disk_free_bytes(l->process->disk) < w->changes->bytes.len) {
		sim_cover(SIM_COVER_CHECKPOINT_NO_ROOM);
		w->status = ORD_ERR_NO_SPACE;
		return;
	}
	memory_store_write(kept(l, w->partition), w->changes);
	sim_cover(SIM_COVER_CHECKPOINT);
	sim_trace("node %llu has checkpoint of partition %llu, %llu changes", l->process->number, w->partition,
		  w->changes->count, 0);
	changes_copy(&l->unseen, w->changes);
	if (!sim_io())
		sim_cover(SIM_COVER_CRASH_AFTER_CHECKPOINT);
}

static void write_done(struct ord_worker_job *job)
{
	struct write *w = (struct write *)job;
	struct ord_lmdb *l = w->owner;
	if (l->unseen.count == 0 && w->status == ORD_OK)
		changes_copy(&l->unseen, w->changes); /* the dead are told that all went well */
	w->changes = NULL;
	l->events.written(l->events.ctx, w->partition, w->status);
}

/* --- Copies that go out. --- */

static int copy_open(void *ctx, uint32_t partition, unsigned *ret_copy, const struct ord_store **ret_store)
{
	struct ord_lmdb *l = ctx;
	unsigned number = 0;
	while (number < ORD_STATES_COPIES_MAX && (l->copies[number].open || l->copies[number].reading))
		number++;
	/* Of what went astray no copy is taken: many that have it could not be told from a majority that is right. */
	bool is_spoilt = sim_record_is_spoilt(l->process->number, partition);
	if (number == ORD_STATES_COPIES_MAX || sim_is_dead(l->process) || is_spoilt)
		return ORD_ERR_BUSY;
	struct copy *c = &l->copies[number];
	memory_store_copy(&c->view, kept(l, partition));
	c->partition = partition;
	c->open = true;
	sim_cover(SIM_COVER_COPY_OPENED);
	*ret_copy = number;
	*ret_store = &c->view.interface;
	return ORD_OK;
}

static void copy_read(void *ctx, unsigned copy, const struct ord_pairs_place *after, size_t bytes_max)
{
	struct ord_lmdb *l = ctx;
	struct copy *c = &l->copies[copy];
	SIM_ASSERT(c->open && !c->reading);
	c->after = *after;
	c->bytes_max = bytes_max;
	c->reading = true;
	ord_worker_give(l->copier, &c->job);
}

static void copy_close(void *ctx, unsigned copy)
{
	struct ord_lmdb *l = ctx;
	struct copy *c = &l->copies[copy];
	SIM_ASSERT(c->open);
	c->open = false;
	if (!c->reading)
		memory_store_close(&c->view);
}

static void copy_work(struct ord_worker_job *job)
{
	struct copy *c = (struct copy *)job;
	sim_sleep_us(sim_between(SIM_DISK, COPY_US_MIN, COPY_US_MAX));
	c->status = ord_pairs_gather(&c->view.interface, &c->after, c->bytes_max, &c->pairs, &c->is_last);
}

static void copy_done(struct ord_worker_job *job)
{
	struct copy *c = (struct copy *)job;
	struct ord_lmdb *l = c->owner;
	c->reading = false;
	if (c->open)
		l->events.copied(l->events.ctx, c->number, c->status, &c->pairs, c->is_last);
	else
		memory_store_close(&c->view);
	ord_changes_close(&c->pairs);
}

/* --- The scrub. --- */

static void scrub_drop(struct scrub *s)
{
	if (s->audit == NULL)
		return;
	ord_audit_close(s->audit);
	s->audit = NULL;
	memory_store_close(&s->view);
}

static void states_scrub(void *ctx, uint32_t partition, const struct ord_pairs_place *after, uint64_t bytes_max)
{
	struct ord_lmdb *l = ctx;
	if (after->table == 0 || l->scrub.partition != partition)
		scrub_drop(&l->scrub);
	l->scrub.partition = partition;
	l->scrub.bytes_max = bytes_max;
	ord_worker_give(l->copier, &l->scrub.job);
}

static void states_scrub_end(void *ctx)
{
	struct ord_lmdb *l = ctx;
	scrub_drop(&l->scrub);
}

static int scrub_begin(struct scrub *s)
{
	struct ord_partition_options options = {
		.id = s->partition, .partitions_count = s->owner->partitions_count, .store = &s->view.interface};
	memory_store_copy(&s->view, kept(s->owner, s->partition));
	int err = ord_audit_open(&options, &s->audit);
	if (err != ORD_OK)
		memory_store_close(&s->view);
	return err;
}

static void scrub_work(struct ord_worker_job *job)
{
	struct scrub *s = (struct scrub *)job;
	char why[ORD_AUDIT_WHY_SIZE];
	sim_sleep_us(sim_between(SIM_DISK, COPY_US_MIN, COPY_US_MAX));
	s->checked = (struct ord_pairs_checked){.is_last = true};
	s->status = ORD_OK;
	if (sim_is_dead(s->owner->process))
		return;
	if (s->audit == NULL)
		s->status = scrub_begin(s);
	if (s->status == ORD_OK)
		s->status = ord_audit_go_on(s->audit, s->bytes_max, &s->checked, why);
	if (s->status != ORD_OK || s->checked.is_last)
		scrub_drop(s);
	sim_cover(SIM_COVER_STATE_SCRUBBED);
}

static void scrub_done(struct ord_worker_job *job)
{
	struct scrub *s = (struct scrub *)job;
	s->owner->events.scrubbed(s->owner->events.ctx, s->partition, s->status, &s->checked);
}

/* --- Copies that come in. --- */

static void fill_give(struct ord_lmdb *l, enum fill_step step)
{
	l->fill.step = step;
	ord_worker_give(l->copier, &l->fill.job);
}

static void fill_begin(void *ctx, uint32_t partition)
{
	struct ord_lmdb *l = ctx;
	l->fill.partition = partition;
	fill_give(l, FILL_BEGIN);
}

static void fill_write(void *ctx, const struct ord_changes *pairs)
{
	struct ord_lmdb *l = ctx;
	l->fill.pairs = pairs;
	fill_give(l, FILL_WRITE);
}

static void fill_end(void *ctx, uint32_t partitions_count)
{
	struct ord_lmdb *l = ctx;
	l->fill.partitions_count = partitions_count;
	fill_give(l, FILL_END);
}

static void fill_drop(void *ctx)
{
	fill_give(ctx, FILL_DROP);
}

static void drop(struct fill *f)
{
	if (f->opened)
		memory_store_close(&f->store);
	f->opened = false;
}

static int fill_audit(const struct fill *f)
{
	char why[ORD_AUDIT_WHY_SIZE];
	struct ord_partition_options options = {
		.id = f->partition, .partitions_count = f->partitions_count, .store = &f->store.interface};
	return ord_audit_store(&options, why);
}

static void fill_work(struct ord_worker_job *job)
{
	struct fill *f = (struct fill *)job;
	f->status = ORD_OK;
	if (!sim_io())
		return;
	sim_sleep_us(sim_between(SIM_DISK, COPY_US_MIN, COPY_US_MAX));
	if (sim_is_dead(f->owner->process)) {
		sim_cover(SIM_COVER_CRASH_IN_COPY);
	} else if (f->step == FILL_BEGIN) {
		drop(f);
		memory_store_open(&f->store);
		f->opened = true;
	} else if (f->step == FILL_DROP) {
		drop(f);
	} else if (f->step == FILL_WRITE) {
		memory_store_write(&f->store, f->pairs);
	} else {
		f->status = fill_audit(f);
		sim_cover(SIM_COVER_COPY_FILLED);
		if (f->status != ORD_OK)
			sim_fail(SIM_SAFETY, "node %u, partition %u: the state that another node sent is damaged: %s",
				 f->owner->process->number, f->partition, ord_err_text(f->status));
	}
}

static void fill_done(struct ord_worker_job *job)
{
	struct fill *f = (struct fill *)job;
	f->owner->events.filled(f->owner->events.ctx, f->status);
}

static int replace(void *ctx, uint32_t partition, bool keeps_old, const struct ord_store **ret_store, char *why,
		   size_t why_size)
{
	struct ord_lmdb *l = ctx;
	(void)keeps_old;
	(void)why;
	(void)why_size;
	SIM_ASSERT(l->fill.partition == partition);
	if (sim_io() && l->fill.opened) {
		memory_store_close(kept(l, partition));
		memory_store_copy(kept(l, partition), &l->fill.store);
		sim_cover(SIM_COVER_COPY_INSTALLED);
		sim_trace("node %llu has the state of another for partition %llu", l->process->number, partition, 0, 0);
		if (!sim_io())
			sim_cover(SIM_COVER_CRASH_AFTER_COPY);
	}
	if (l->fill.opened) { /* the dead find what they were to find */
		memory_store_close(&l->seen[partition]);
		memory_store_copy(&l->seen[partition], &l->fill.store);
	}
	drop(&l->fill);
	*ret_store = &l->seen[partition].interface;
	return ORD_OK;
}

struct ord_states __wrap_ord_lmdb_states(struct ord_lmdb *l)
{
	return (struct ord_states){.ctx = l,
				   .open = states_open,
				   .discard = states_discard,
				   .write = states_write,
				   .renew = states_renew,
				   .copy_open = copy_open,
				   .copy_read = copy_read,
				   .copy_close = copy_close,
				   .scrub = states_scrub,
				   .scrub_end = states_scrub_end,
				   .fill_begin = fill_begin,
				   .fill_write = fill_write,
				   .fill_drop = fill_drop,
				   .fill_end = fill_end,
				   .replace = replace};
}

const char *__wrap_ord_lmdb_error_text(const struct ord_lmdb *l)
{
	(void)l;
	return "the state cannot be written";
}

uint64_t __wrap_ord_lmdb_disk_bytes(const struct ord_lmdb *l)
{
	(void)l;
	return 0;
}

/* --- Life. --- */

static void copies_init(struct ord_lmdb *l)
{
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++) {
		l->copies[i] = (struct copy){.job = {.work = copy_work, .done = copy_done}, .owner = l, .number = i};
		ord_changes_init(&l->copies[i].pairs);
	}
	l->scrub = (struct scrub){.job = {.work = scrub_work, .done = scrub_done}, .owner = l};
	l->fill = (struct fill){.job = {.work = fill_work, .done = fill_done}, .owner = l};
}

int __wrap_ord_lmdb_open(uv_loop_t *loop, const char *directory, uint32_t partitions_count,
			 const struct ord_lmdb_events *events, struct ord_lmdb **ret)
{
	struct ord_lmdb *l = calloc(1, sizeof *l);
	SIM_ASSERT(l != NULL && partitions_count <= SIM_PARTITIONS_MAX && directory != NULL);
	l->process = sim_current();
	l->partitions_count = partitions_count;
	l->events = *events;
	l->write = (struct write){.job = {.work = write_work, .done = write_done}, .owner = l};
	ord_changes_init(&l->unseen);
	copies_init(l);
	unsigned shard = 0;
	sscanf(directory, "/data/shard-%u/", &shard);
	SIM_ASSERT(shard < sim_shards_count());
	l->shard = shard;
	states.open[l->process->number][shard] = l;
	SIM_ASSERT(ord_worker_start(loop, &l->writer) == ORD_OK && ord_worker_start(loop, &l->copier) == ORD_OK);
	*ret = l;
	return ORD_OK;
}

static void copier_stopped(void *ctx)
{
	struct ord_lmdb *l = ctx;
	void (*stopped)(void *ctx) = l->stopped;
	void *stopped_ctx = l->stopped_ctx;
	struct ord_lmdb **open = &states.open[l->process->number][l->shard];
	if (*open == l)
		*open = NULL;
	for (uint32_t i = 0; i < l->partitions_count; i++) {
		if (!l->opened[i])
			continue;
		if (l->seen[i].gets_count > 0)
			sim_cover(SIM_COVER_STORE_READ);
		memory_store_close(&l->seen[i]);
	}
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++)
		if (l->copies[i].open)
			memory_store_close(&l->copies[i].view);
	drop(&l->fill);
	scrub_drop(&l->scrub);
	ord_changes_close(&l->unseen);
	free(l);
	stopped(stopped_ctx);
}

static void writer_stopped(void *ctx)
{
	struct ord_lmdb *l = ctx;
	ord_worker_stop(l->copier, copier_stopped, l);
}

void __wrap_ord_lmdb_stop(struct ord_lmdb *l, void (*stopped)(void *ctx), void *ctx)
{
	l->stopped = stopped;
	l->stopped_ctx = ctx;
	ord_worker_stop(l->writer, writer_stopped, l);
}
