/* SPDX-License-Identifier: Apache-2.0 - a history on disk with what peers would have of it, for tests. */
#include "tests/support/node_store.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "node/history_read.h"
#include "tests/support/node_client.h"

struct store store;

/* --- What is told. --- */

static void written_cb(void *ctx, uint32_t partition, uint64_t last_index, int status)
{
	(void)ctx;
	(void)partition;
	(void)last_index;
	store.written_count++;
	store.written_status = status;
}

static void filled_cb(void *ctx, uint32_t partition, uint64_t number, int status)
{
	(void)ctx;
	(void)partition;
	store.filled_count++;
	store.filled_number = number;
	store.filled_status = status;
}

static void notice_cb(void *ctx, const char *text)
{
	(void)ctx;
	store.notices_count++;
	snprintf(store.notice, sizeof store.notice, "%s", text);
}

static void answered_cb(void *ctx, const struct ord_archive_answer *a)
{
	(void)ctx;
	store.answers_count++;
	store.answer = *a;
	ord_bytes_clear(&store.answer_bytes);
	ord_bytes_put(&store.answer_bytes, a->bytes.base, a->bytes.len);
}

static void checked_cb(void *ctx, uint32_t partition, const struct ord_block_id *id)
{
	(void)ctx;
	(void)partition;
	store.checked_count++;
	store.checked = *id;
}

/* --- Life. --- */

void store_open(void)
{
	cr_assert_eq(ord_history_open(&store.options, &store.history, store.why, sizeof store.why), ORD_OK, "%s",
		     store.why);
}

static void stopped_cb(void *ctx)
{
	*(bool *)ctx = true;
}

void store_stop(void)
{
	bool stopped = false;
	ord_history_stop(store.history, stopped_cb, &stopped);
	UNTIL(&store.loop, stopped);
	store.history = NULL;
}

void store_reopen(void)
{
	store_stop();
	store_open();
}

void store_make(void)
{
	memset(&store, 0, sizeof store);
	snprintf(store.parent, sizeof store.parent, "/tmp/ordain-store-XXXXXX");
	cr_assert_not_null(mkdtemp(store.parent));
	snprintf(store.directory, sizeof store.directory, "%s/history", store.parent);
	cr_assert_eq(uv_loop_init(&store.loop), 0);
	cr_assert_eq(ord_block_codec_open(&store.codec), ORD_OK);
	history_buffer(&store.answer_bytes);
	for (uint32_t i = 0; i < STORE_PARTITIONS; i++) {
		history_open(&store.makers[i], i + 1, i);
		store.makers[i].dull = true;
	}
	store.options = (struct ord_history_options){.loop = &store.loop,
						     .directory = store.directory,
						     .cluster = history_cluster,
						     .partitions_count = STORE_PARTITIONS,
						     .volume_bytes = 1,
						     .written = written_cb,
						     .filled = filled_cb,
						     .notice = notice_cb,
						     .answered = answered_cb,
						     .checked = checked_cb,
						     .scrub_pause_ms = 60000};
	store_open();
}

void store_clean(void)
{
	char command[128];
	if (store.history != NULL)
		store_stop();
	cr_assert_eq(uv_loop_close(&store.loop), 0);
	for (uint32_t i = 0; i < STORE_PARTITIONS; i++)
		history_close(&store.makers[i]);
	for (size_t i = 0; i < STORE_BLOCKS_MAX; i++)
		ord_bytes_close(&store.copies[i]);
	ord_bytes_close(&store.answer_bytes);
	ord_block_codec_close(store.codec);
	snprintf(command, sizeof command, "rm -rf %s", store.parent);
	cr_assert_eq(system(command), 0);
}

/* --- Blocks. --- */

/* The next block; of partition 0 a copy is kept. */
static void block_make(uint32_t partition, struct ord_block_raw *ret)
{
	struct history *maker = &store.makers[partition];
	history_block(maker, ret);
	uint64_t number = maker->builder.end.number;
	if (partition != 0 || number >= STORE_BLOCKS_MAX)
		return;
	store.ends[number] = maker->builder.end;
	if (store.copies[number].base == NULL)
		history_buffer(&store.copies[number]);
	ord_bytes_clear(&store.copies[number]);
	cr_assert_eq(ord_block_encode(store.codec, ret, 3 < number ? 3 : 0, &store.copies[number]), ORD_OK);
}

void store_write(uint32_t partition, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct ord_block_raw raw;
		unsigned before = store.written_count;
		block_make(partition, &raw);
		cr_assert_eq(ord_history_write(store.history, &raw), ORD_OK);
		UNTIL(&store.loop, store.written_count > before); /* one by one: each is a write of its own */
	}
	cr_assert_eq(store.written_status, ORD_OK, "%s", ord_history_error_text(store.history));
}

const struct ord_block_end *store_leave_out(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct ord_block_raw raw;
		block_make(0, &raw);
		ord_block_raw_close(&raw);
	}
	return &store.makers[0].builder.end;
}

void store_again(unsigned count)
{
	history_close(&store.makers[0]);
	history_open(&store.makers[0], 1, 0);
	store.makers[0].dull = true;
	store_leave_out(count);
}

int store_fill_bytes(uint64_t number, struct ord_slice bytes)
{
	unsigned before = store.filled_count;
	cr_assert_eq(ord_history_fill(store.history, 0, number, bytes), ORD_OK);
	UNTIL(&store.loop, store.filled_count == before + 1);
	cr_assert_eq(store.filled_number, number);
	return store.filled_status;
}

int store_fill(uint64_t number)
{
	return store_fill_bytes(number, ord_bytes_slice(&store.copies[number]));
}

/* --- The disk. --- */

const char *store_path(uint64_t volume)
{
	static char path[256];
	char name[ORD_VOLUME_NAME_SIZE];
	ord_volume_name(volume, name);
	snprintf(path, sizeof path, "%s/0/%s", store.directory, name);
	return path;
}

const char *store_path_aside(uint64_t volume, unsigned k)
{
	static char path[320];
	snprintf(path, sizeof path, "%s.damaged-%u", store_path(volume), k);
	return path;
}

bool store_has(const char *path)
{
	return access(path, F_OK) == 0;
}

void store_flip(const char *path, size_t offset)
{
	uint8_t byte;
	int fd = open(path, O_RDWR);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(pread(fd, &byte, 1, (off_t)offset), 1);
	byte ^= 1;
	cr_assert_eq(pwrite(fd, &byte, 1, (off_t)offset), 1);
	close(fd);
}

int store_read(uint64_t number)
{
	struct ord_history_reader_options options = {.directory = store.directory, .cluster = history_cluster};
	struct ord_history_reader *reader;
	struct ord_block block;
	cr_assert_eq(ord_history_reader_open(&options, &reader), ORD_OK);
	int err = ord_history_read_number(reader, number, &block);
	ord_history_reader_close(reader);
	return err;
}

void store_gap(uint64_t first, uint64_t last)
{
	struct ord_history_gap gap = {0};
	bool any = ord_history_gap(store.history, 0, &gap);
	cr_assert_eq(any, first > 0);
	cr_assert_eq(gap.first, first, "%u", (unsigned)gap.first);
	cr_assert_eq(gap.last, last, "%u", (unsigned)gap.last);
}

/* A round begins with the first tick after a minute; the others let it go on. */
static bool scrubbed(uint64_t rounds)
{
	struct ord_history_status status;
	ord_history_status(store.history, &status);
	if (status.rounds_count >= rounds && !status.scrubbing)
		return true;
	if (status.scrubbing && store.now_ms % 60000 >= 1000)
		return false; /* it has been let go on far enough, and must not begin again */
	store.now_ms += status.scrubbing ? 100 : 60000 - store.now_ms % 60000;
	ord_history_tick(store.history, store.now_ms, store.now_ms * 1000);
	return false;
}

void store_scrub(unsigned rounds)
{
	struct ord_history_status status;
	ord_history_status(store.history, &status);
	for (uint64_t i = 1; i <= rounds; i++)
		UNTIL(&store.loop, scrubbed(status.rounds_count + i));
	uv_run(&store.loop, UV_RUN_NOWAIT);
}
