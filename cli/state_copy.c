/* SPDX-License-Identifier: Apache-2.0 - a state of one's own. What is written to it becomes durable when the folder that it is in does. */
#include "cli/state_copy.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/apart.h"
#include "cli/state_file.h"
#include "cli/stored_words.h"
#include "partition/audit.h"
#include "partition/checkpoint.h"
#include "partition/stored.h"

#define PATH_SIZE (PATH_MAX + 64)
#define WHY_SIZE (PATH_MAX + 512)
#define PIECE_BYTES (4u << 20) /* written at once */
#define STEP_ROWS 100000

/* DIR/state/N. path has PATH_SIZE bytes. */
static void state_path(const char *dir, uint32_t partition, char *path)
{
	snprintf(path, PATH_SIZE, "%s/state/%" PRIu32, dir, partition);
}

static int env_fail(const char *path, int rv, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s: %s", path, mdb_strerror(rv));
	return ord_lmdb_err(rv);
}

/* lock.mdb is of use to processes that run; the next one makes it anew. */
static void env_end(struct ord_lmdb_env *e, const char *path)
{
	char lock[PATH_SIZE + 16];
	if (e->env == NULL)
		return;
	ord_lmdb_env_close(e);
	snprintf(lock, sizeof lock, "%s/lock.mdb", path);
	unlink(lock);
}

/* --- Copying. --- */

struct copying {
	struct ord_home home;
	const char *to_dir; /* borrowed */
	uint32_t partitions_count;
	uint32_t done_count;
	int err;
	char why[WHY_SIZE];
};

struct filling {
	struct ord_lmdb_env env;
	struct ord_changes pairs; /* owned */
	enum ord_store_table table;
	int rv;
};

static int pairs_write(struct filling *f)
{
	f->rv = ord_lmdb_env_add(&f->env, &f->pairs);
	ord_changes_close(&f->pairs);
	ord_changes_init(&f->pairs);
	return f->rv == 0 ? ORD_OK : ord_lmdb_err(f->rv);
}

static int pair_take(void *arg, struct ord_slice key, struct ord_slice value)
{
	struct filling *f = arg;
	struct ord_slice body;
	if (ord_stored_verify(f->table, key, value, &body) != ORD_OK)
		return ORD_ERR_CORRUPT;
	ord_changes_put(&f->pairs, f->table, key, value);
	return f->pairs.bytes.len >= PIECE_BYTES ? pairs_write(f) : ORD_OK;
}

static int tables_copy(struct filling *f, const struct ord_store *store)
{
	int err = ORD_OK;
	for (unsigned t = ORD_STORE_META; err == ORD_OK && t < ORD_STORE_TABLES; t++) {
		f->table = (enum ord_store_table)t;
		err = store->walk(store->ctx, f->table, ord_slice_of(NULL, 0), pair_take, f);
	}
	return err == ORD_OK ? pairs_write(f) : err;
}

static int file_copy(struct copying *c, struct filling *f, uint32_t partition, const char *path)
{
	struct ord_state_file *file = NULL;
	char directory[ORD_HOME_PATH_SIZE];
	ord_home_of(&c->home, partition, directory);
	int err = ord_state_file_open(directory, partition, &file, c->why, sizeof c->why);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK;
	if (err != ORD_OK)
		return err;
	err = tables_copy(f, ord_state_file_store(file));
	if (err != ORD_OK && f->rv != 0)
		env_fail(path, f->rv, c->why, sizeof c->why);
	else if (err != ORD_OK)
		snprintf(c->why, sizeof c->why, "%s, table %s: %s; 'ordain state verify' tells more",
			 ord_state_file_path(file), ord_stored_table_name(f->table), ord_err_text(err));
	if (err == ORD_OK && !ord_state_file_holds(file)) {
		snprintf(c->why, sizeof c->why, "a node was started in %s meanwhile: run it again", directory);
		err = ORD_ERR_IO;
	}
	ord_state_file_close(file);
	return err;
}

static int partition_copy(struct copying *c, uint32_t partition)
{
	struct filling f = {.rv = 0};
	char path[PATH_SIZE];
	state_path(c->to_dir, partition, path);
	int rv = ord_lmdb_env_open(&f.env, path, ord_lmdb_env_map_bytes(c->partitions_count), true);
	ord_changes_init(&f.pairs);
	int err = rv == 0 ? file_copy(c, &f, partition, path) : env_fail(path, rv, c->why, sizeof c->why);
	ord_changes_close(&f.pairs);
	env_end(&f.env, path);
	return err;
}

static void died(const struct ord_home *home, uint32_t partition, char *why, size_t why_size)
{
	char directory[ORD_HOME_PATH_SIZE];
	ord_home_of(home, partition, directory);
	ord_state_file_died(directory, partition, why, why_size);
}

static void copy_work(void *ctx)
{
	struct copying *c = ctx;
	c->err = ORD_OK;
	for (; c->err == ORD_OK && c->done_count < c->partitions_count; c->done_count++)
		c->err = partition_copy(c, c->done_count);
}

int ord_state_copy_make(const struct ord_home *home, uint32_t partitions_count, const char *to_dir, char *why,
			size_t why_size)
{
	struct copying c = {.home = *home, .to_dir = to_dir, .partitions_count = partitions_count};
	int err = ord_apart_run(copy_work, &c, sizeof c);
	if (err == ORD_ERR_CORRUPT)
		died(home, c.done_count, why, why_size);
	else if (err != ORD_OK)
		snprintf(why, why_size, "%s", ord_err_text(err));
	else if ((err = c.err) != ORD_OK)
		snprintf(why, why_size, "%s", c.why);
	return err;
}

/* --- A copy that is led on. --- */

static int note_get(struct ord_state_copy *c)
{
	struct ord_slice bytes;
	int err = ord_checkpoint_note(c->partition, &bytes);
	if (err == ORD_OK && bytes.len > 0)
		err = ord_note_decode(bytes, &c->note);
	c->note.members = ord_slice_of(NULL, 0);
	return err;
}

int ord_state_copy_open(struct ord_state_copy *c, const char *dir, uint32_t partition, uint32_t partitions_count,
			char *why, size_t why_size)
{
	char path[PATH_SIZE];
	*c = (struct ord_state_copy){.partition = NULL};
	state_path(dir, partition, path);
	int rv = ord_lmdb_env_open(&c->env, path, ord_lmdb_env_map_bytes(partitions_count), true);
	if (rv == 0)
		rv = ord_lmdb_view_open(&c->view, &c->env);
	if (rv != 0)
		return env_fail(path, rv, why, why_size);
	struct ord_partition_options options = {
		.id = partition, .partitions_count = partitions_count, .store = &c->view.store};
	int err = ord_partition_open(&options, &c->partition);
	if (err == ORD_OK)
		err = note_get(c);
	if (err != ORD_OK)
		snprintf(why, why_size, "%s: the state cannot be used: %s", path, ord_err_text(err));
	return err;
}

void ord_state_copy_close(struct ord_state_copy *c)
{
	char path[PATH_SIZE] = "";
	const char *own = NULL;
	ord_partition_close(c->partition);
	ord_lmdb_view_close(&c->view);
	if (c->env.env != NULL && mdb_env_get_path(c->env.env, &own) == MDB_SUCCESS)
		snprintf(path, sizeof path, "%s", own);
	env_end(&c->env, path);
	*c = (struct ord_state_copy){.partition = NULL};
}

static int changes_write(struct ord_lmdb_env *e, const struct ord_changes *changes, char *why, size_t why_size)
{
	const char *path = "";
	int rv = ord_lmdb_env_write(e, changes);
	if (rv == 0)
		rv = ord_lmdb_env_sync(e);
	if (rv == 0)
		return ORD_OK;
	mdb_env_get_path(e->env, &path);
	return env_fail(path, rv, why, why_size);
}

static struct ord_slice note_encode(const struct ord_note *note, struct ord_bytes *b, uint8_t *bytes, size_t bytes_len)
{
	*b = (struct ord_bytes){.base = bytes, .capacity = bytes_len, .bytes_max = bytes_len};
	ord_note_encode(note, b);
	return ord_bytes_slice(b);
}

int ord_state_copy_save(struct ord_state_copy *c, const struct ord_note *note, char *why, size_t why_size)
{
	uint8_t bytes[ORD_CHECKPOINT_NOTE_BYTES_MAX];
	struct ord_bytes encoded;
	ord_checkpoint_begin(c->partition, note_encode(note, &encoded, bytes, sizeof bytes));
	while (!ord_checkpoint_step(c->partition, STEP_ROWS))
		;
	struct ord_changes changes = ord_checkpoint_take(c->partition);
	int err = changes_write(&c->env, &changes, why, why_size);
	ord_changes_close(&changes);
	return err;
}

int ord_state_copy_renote(const char *dir, uint32_t partition, uint32_t partitions_count, const struct ord_note *note,
			  char *why, size_t why_size)
{
	uint8_t bytes[ORD_CHECKPOINT_NOTE_BYTES_MAX + 4];
	char path[PATH_SIZE];
	struct ord_bytes value;
	struct ord_lmdb_env env;
	struct ord_changes changes;
	struct ord_slice key = ord_slice_text(ORD_STORED_NOTE_KEY);
	struct ord_slice body = note_encode(note, &value, bytes, sizeof bytes);
	ord_bytes_put_u32(&value, ord_stored_checksum(ORD_STORE_META, key, body));
	state_path(dir, partition, path);
	ord_changes_init(&changes);
	ord_changes_put(&changes, ORD_STORE_META, key, ord_bytes_slice(&value));
	int rv = ord_lmdb_env_open(&env, path, ord_lmdb_env_map_bytes(partitions_count), true);
	int err = rv == 0 ? changes_write(&env, &changes, why, why_size) : env_fail(path, rv, why, why_size);
	ord_changes_close(&changes);
	env_end(&env, path);
	return err;
}

/* --- The audit. --- */

struct audit {
	struct ord_home home;
	uint32_t partitions_count;
	uint32_t done_count;
	int err;
	char why[WHY_SIZE];
};

static int partition_audit(struct audit *a, uint32_t partition)
{
	struct ord_state_file *file = NULL;
	char problem[ORD_AUDIT_WHY_SIZE], directory[ORD_HOME_PATH_SIZE];
	ord_home_of(&a->home, partition, directory);
	int err = ord_state_file_open(directory, partition, &file, a->why, sizeof a->why);
	if (err != ORD_OK)
		return err;
	struct ord_partition_options options = {
		.id = partition, .partitions_count = a->partitions_count, .store = ord_state_file_store(file)};
	snprintf(problem, sizeof problem, "its numbers cannot be used");
	err = ord_audit_store(&options, problem);
	if (err != ORD_OK)
		snprintf(a->why, sizeof a->why, "%s: %s", ord_state_file_path(file), problem);
	ord_state_file_close(file);
	return err;
}

static void audit_work(void *ctx)
{
	struct audit *a = ctx;
	a->err = ORD_OK;
	for (; a->err == ORD_OK && a->done_count < a->partitions_count; a->done_count++)
		a->err = partition_audit(a, a->done_count);
}

int ord_state_copy_audit(const struct ord_home *home, uint32_t partitions_count, char *why, size_t why_size)
{
	struct audit a = {.home = *home, .partitions_count = partitions_count};
	int err = ord_apart_run(audit_work, &a, sizeof a);
	if (err == ORD_ERR_CORRUPT)
		died(home, a.done_count, why, why_size);
	else if (err != ORD_OK)
		snprintf(why, why_size, "%s", ord_err_text(err));
	else if ((err = a.err) != ORD_OK)
		snprintf(why, why_size, "%s", a.why);
	return err;
}
