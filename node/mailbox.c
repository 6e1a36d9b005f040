/* SPDX-License-Identifier: Apache-2.0 - letters between the shards of a node. A letter is: from u32, kind u8, length u32, body. */

/* Two buffers: senders add to `waiting` under the mutex, the reader takes it whole and leaves its own in its place. So a sender waits for a copy of memory at most, and what is posted while the reader is at work
 * is one wake-up more, however much it is. */
#include "node/mailbox.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"

#define LETTER_HEADER_BYTES 9u
/* Buffers that were larger than this are given back when they are empty. */
#define KEEP_BYTES (1u << 20)

struct ord_mailbox {
	struct ord_mailbox_options options;
	uv_async_t signal;
	uv_mutex_t mutex;	  /* guards what follows */
	struct ord_bytes waiting; /* owned */
	struct ord_task *tasks;	  /* borrowed; the first, NULL: none */
	struct ord_task **tasks_end;
	/* The reader's alone. */
	struct ord_bytes reading; /* owned */
	bool closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

bool ord_tray_put(struct ord_tray *t, uint32_t from, uint8_t kind, struct ord_slice body, size_t spare_bytes)
{
	struct ord_bytes *b = &t->letters;
	size_t letter_bytes = LETTER_HEADER_BYTES + body.len;
	if (b->len + letter_bytes + spare_bytes > b->bytes_max)
		return false;
	ord_bytes_put_u32(b, from);
	ord_bytes_put_u8(b, kind);
	ord_bytes_put_u32(b, (uint32_t)body.len);
	ord_bytes_put(b, body.base, body.len);
	ORD_ASSERT(!b->failed);
	return true;
}

static void bytes_rest(struct ord_bytes *b)
{
	if (b->capacity > KEEP_BYTES)
		ord_bytes_close(b);
	else
		ord_bytes_clear(b);
}

static void wake(struct ord_mailbox *m)
{
	int err = uv_async_send(&m->signal);
	ORD_ASSERT(err == 0);
}

bool ord_mailbox_post(struct ord_mailbox *m, struct ord_tray *t)
{
	struct ord_bytes *from = &t->letters;
	if (from->len == 0)
		return true;
	uv_mutex_lock(&m->mutex);
	struct ord_bytes *to = &m->waiting;
	bool fits = to->len + from->len <= m->options.bytes_max;
	if (fits) {
		ord_bytes_put(to, from->base, from->len);
		ORD_ASSERT(!to->failed);
	}
	uv_mutex_unlock(&m->mutex);
	if (!fits)
		return false;
	wake(m);
	bytes_rest(from);
	return true;
}

void ord_mailbox_send(struct ord_mailbox *m, struct ord_task *task)
{
	task->next = NULL;
	uv_mutex_lock(&m->mutex);
	*m->tasks_end = task;
	m->tasks_end = &task->next;
	wake(m); /* under the mutex: the task may be the end of m */
	uv_mutex_unlock(&m->mutex);
}

static void letters_read(struct ord_mailbox *m)
{
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&m->reading));
	while (ord_reader_left(&r) > 0 && !m->closing) {
		uint32_t from = ord_reader_u32(&r);
		uint8_t kind = ord_reader_u8(&r);
		struct ord_slice body = ord_reader_take(&r, ord_reader_u32(&r));
		ORD_ASSERT(!r.failed);
		m->options.receive(m->options.ctx, from, kind, body);
	}
}

static void tasks_run(struct ord_mailbox *m, struct ord_task *first)
{
	struct ord_task *next;
	for (struct ord_task *task = first; task != NULL; task = next) {
		next = task->next;
		ORD_ASSERT(!m->closing);
		task->run(task, m->options.ctx);
	}
}

static void signal_cb(uv_async_t *signal)
{
	struct ord_mailbox *m = signal->data;
	if (m->closing)
		return;
	uv_mutex_lock(&m->mutex);
	struct ord_bytes taken = m->waiting;
	m->waiting = m->reading;
	struct ord_task *tasks = m->tasks;
	m->tasks = NULL;
	m->tasks_end = &m->tasks;
	uv_mutex_unlock(&m->mutex);
	m->reading = taken;
	letters_read(m);
	bytes_rest(&m->reading);
	tasks_run(m, tasks);
}

int ord_mailbox_open(const struct ord_mailbox_options *options, struct ord_mailbox **ret)
{
	struct ord_mailbox *m = calloc(1, sizeof *m);
	if (m == NULL)
		return ORD_ERR_NOMEM;
	m->options = *options;
	m->tasks_end = &m->tasks;
	ord_bytes_init(&m->waiting, options->bytes_max);
	ord_bytes_init(&m->reading, options->bytes_max);
	ORD_ASSERT(uv_mutex_init(&m->mutex) == 0);
	ORD_ASSERT(uv_async_init(options->loop, &m->signal, signal_cb) == 0);
	m->signal.data = m;
	*ret = m;
	return ORD_OK;
}

static void closed_cb(uv_handle_t *handle)
{
	struct ord_mailbox *m = handle->data;
	void (*closed)(void *ctx) = m->closed;
	void *ctx = m->closed_ctx;
	ORD_ASSERT(m->tasks == NULL);
	uv_mutex_destroy(&m->mutex);
	ord_bytes_close(&m->waiting);
	ord_bytes_close(&m->reading);
	free(m);
	closed(ctx);
}

void ord_mailbox_close(struct ord_mailbox *m, void (*closed)(void *ctx), void *ctx)
{
	ORD_ASSERT(!m->closing);
	m->closing = true;
	m->closed = closed;
	m->closed_ctx = ctx;
	uv_close((uv_handle_t *)&m->signal, closed_cb);
}
