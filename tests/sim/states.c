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
#include "tests/sim/coverage.h"
#include "tests/sim/disk.h"
#include "tests/sim/node.h"
#include "tests/sim/observe.h"
#include "tests/sim/process.h"
#include "tests/sim/world.h"
#include "tests/support/memory_store.h"

#define WRITE_US_MIN 200
#define WRITE_US_MAX 30000

struct ord_lmdb {
	struct sim_process *process; /* borrowed */
	uint32_t partitions_count;
	struct memory_store seen[SIM_PARTITIONS_MAX]; /* what the loop reads */
	bool opened[SIM_PARTITIONS_MAX];
	void (*written)(void *ctx, uint32_t partition, int status);
	void *ctx; /* borrowed */
	uv_async_t done;
	uv_thread_t writer;
	uv_mutex_t mutex;
	uv_cond_t changed;
	bool stopping;
	bool job_waiting;
	bool job_done;
	uint32_t job_partition;
	const struct ord_changes *job_changes; /* borrowed until written */
	struct ord_changes unseen;	       /* owned; of the last write, until it is renewed */
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

int __wrap_ord_lmdb_open(uv_loop_t *loop, const char *directory, uint32_t partitions_count,
			 void (*written)(void *ctx, uint32_t partition, int status), void *ctx, struct ord_lmdb **ret);
struct ord_states __wrap_ord_lmdb_states(struct ord_lmdb *l);
const char *__wrap_ord_lmdb_error_text(const struct ord_lmdb *l);
uint64_t __wrap_ord_lmdb_disk_bytes(const struct ord_lmdb *l);
void __wrap_ord_lmdb_stop(struct ord_lmdb *l, void (*stopped)(void *ctx), void *ctx);

static struct {
	uint32_t nodes_count;
	uint32_t partitions_count;
	struct memory_store *kept; /* owned; by node, then by partition */
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
	memset(&states, 0, sizeof states);
}

static struct memory_store *kept(const struct ord_lmdb *l, uint32_t partition)
{
	SIM_ASSERT(l->process->number <= states.nodes_count && partition < states.partitions_count);
	return &states.kept[(l->process->number - 1) * states.partitions_count + partition];
}

/* --- The interface. --- */

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

static void states_write(void *ctx, uint32_t partition, const struct ord_changes *changes)
{
	struct ord_lmdb *l = ctx;
	uv_mutex_lock(&l->mutex);
	SIM_ASSERT(!l->job_waiting && !l->job_done && l->unseen.count == 0);
	l->job_partition = partition;
	l->job_changes = changes;
	l->job_waiting = true;
	uv_cond_broadcast(&l->changed);
	uv_mutex_unlock(&l->mutex);
}

static int states_renew(void *ctx, uint32_t partition)
{
	struct ord_lmdb *l = ctx;
	SIM_ASSERT(partition == l->job_partition && l->unseen.count > 0);
	memory_store_write(&l->seen[partition], &l->unseen);
	ord_changes_close(&l->unseen);
	return ORD_OK;
}

struct ord_states __wrap_ord_lmdb_states(struct ord_lmdb *l)
{
	return (struct ord_states){.ctx = l, .open = states_open, .write = states_write, .renew = states_renew};
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

/* --- The thread. --- */

static void changes_copy(struct ord_changes *to, const struct ord_changes *from)
{
	ord_changes_init(to);
	ord_bytes_put(&to->bytes, from->bytes.base, from->bytes.len);
	SIM_ASSERT(!to->bytes.failed);
	to->count = from->count;
}

/* The moment at which it is there, between two at which the program may die. */
static void job_write(struct ord_lmdb *l)
{
	if (!sim_io())
		return;
	sim_sleep_us(sim_between(SIM_DISK, WRITE_US_MIN, WRITE_US_MAX));
	if (sim_is_dead(l->process)) {
		sim_cover(SIM_COVER_CRASH_IN_CHECKPOINT);
		return;
	}
	memory_store_write(kept(l, l->job_partition), l->job_changes);
	sim_cover(SIM_COVER_CHECKPOINT);
	sim_trace("node %llu has checkpoint of partition %llu, %llu changes", l->process->number, l->job_partition,
		  l->job_changes->count, 0);
	changes_copy(&l->unseen, l->job_changes);
	if (!sim_io())
		sim_cover(SIM_COVER_CRASH_AFTER_CHECKPOINT);
}

static void writer_main(void *arg)
{
	struct ord_lmdb *l = arg;
	uv_mutex_lock(&l->mutex);
	for (;;) {
		while (!l->job_waiting && !l->stopping)
			uv_cond_wait(&l->changed, &l->mutex);
		if (!l->job_waiting)
			break;
		uv_mutex_unlock(&l->mutex);
		job_write(l);
		uv_mutex_lock(&l->mutex);
		l->job_waiting = false;
		l->job_done = true;
		uv_async_send(&l->done);
	}
	uv_mutex_unlock(&l->mutex);
}

static void job_tell(struct ord_lmdb *l)
{
	bool done = l->job_done;
	l->job_done = false;
	if (!done)
		return;
	if (l->unseen.count == 0)
		changes_copy(&l->unseen, l->job_changes); /* the dead are told that all went well */
	l->written(l->ctx, l->job_partition, ORD_OK);
}

static void done_cb(uv_async_t *async)
{
	job_tell(async->data);
}

/* --- Life. --- */

int __wrap_ord_lmdb_open(uv_loop_t *loop, const char *directory, uint32_t partitions_count,
			 void (*written)(void *ctx, uint32_t partition, int status), void *ctx, struct ord_lmdb **ret)
{
	struct ord_lmdb *l = calloc(1, sizeof *l);
	SIM_ASSERT(l != NULL && partitions_count <= SIM_PARTITIONS_MAX && directory != NULL);
	l->process = sim_current();
	l->partitions_count = partitions_count;
	l->written = written;
	l->ctx = ctx;
	ord_changes_init(&l->unseen);
	uv_mutex_init(&l->mutex);
	uv_cond_init(&l->changed);
	uv_async_init(loop, &l->done, done_cb);
	l->done.data = l;
	uv_thread_create(&l->writer, writer_main, l);
	*ret = l;
	return ORD_OK;
}

static void closed_cb(uv_handle_t *handle)
{
	struct ord_lmdb *l = handle->data;
	void (*stopped)(void *ctx) = l->stopped;
	void *ctx = l->stopped_ctx;
	for (uint32_t i = 0; i < l->partitions_count; i++) {
		if (!l->opened[i])
			continue;
		if (l->seen[i].gets_count > 0)
			sim_cover(SIM_COVER_STORE_READ);
		memory_store_close(&l->seen[i]);
	}
	ord_changes_close(&l->unseen);
	free(l);
	stopped(ctx);
}

void __wrap_ord_lmdb_stop(struct ord_lmdb *l, void (*stopped)(void *ctx), void *ctx)
{
	l->stopped = stopped;
	l->stopped_ctx = ctx;
	uv_mutex_lock(&l->mutex);
	l->stopping = true;
	uv_cond_broadcast(&l->changed);
	uv_mutex_unlock(&l->mutex);
	uv_thread_join(&l->writer);
	job_tell(l);
	uv_cond_destroy(&l->changed);
	uv_mutex_destroy(&l->mutex);
	uv_close((uv_handle_t *)&l->done, closed_cb);
}
