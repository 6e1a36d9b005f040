/* SPDX-License-Identifier: Apache-2.0 - letters between the shards of a node, from several threads: all come, each once, in the order in which each sender posted them. */
#include "node/mailbox.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "tests/support/node_client.h"

#define SENDERS 3
#define LETTERS 20000
#define BODY_BYTES_MAX 100
#define BOX_BYTES 20000
#define TRAY_BYTES 4000

static uv_loop_t loop;
static struct ord_mailbox *box;
static uint32_t next[SENDERS]; /* that must come from each */
static unsigned wakes_count;   /* turns of the loop in which something came */
static unsigned came_count;
static bool is_closed;

/* The length of a letter and every byte of it follow from its number. */
static size_t body_make(uint32_t from, uint32_t number, uint8_t body[BODY_BYTES_MAX])
{
	size_t len = 4 + (number * 7 + from) % (BODY_BYTES_MAX - 4);
	memset(body, (int)(number + from), len);
	memcpy(body, &number, sizeof number);
	return len;
}

static void receive(void *ctx, uint32_t from, uint8_t kind, struct ord_slice body)
{
	uint8_t expected[BODY_BYTES_MAX];
	cr_assert_eq(ctx, &loop);
	cr_assert_lt(from, SENDERS);
	size_t len = body_make(from, next[from], expected);
	cr_assert_eq(kind, next[from] % 200);
	cr_assert_eq(body.len, len);
	cr_assert_arr_eq(body.base, expected, len, "letter %u of %u", next[from], from);
	next[from]++;
	came_count++;
}

static void make(void)
{
	struct ord_mailbox_options options = {.loop = &loop, .bytes_max = BOX_BYTES, .receive = receive, .ctx = &loop};
	cr_assert_eq(uv_loop_init(&loop), 0);
	cr_assert_eq(ord_mailbox_open(&options, &box), ORD_OK);
}

static void closed(void *ctx)
{
	*(bool *)ctx = true;
}

static void clean(void)
{
	ord_mailbox_close(box, closed, &is_closed);
	UNTIL(&loop, is_closed);
	cr_assert_eq(uv_loop_close(&loop), 0);
}

TestSuite(mailbox, .init = make, .fini = clean, .timeout = 60);

static bool put(struct ord_tray *t, uint32_t from, uint32_t number, size_t spare_bytes)
{
	uint8_t body[BODY_BYTES_MAX];
	size_t len = body_make(from, number, body);
	return ord_tray_put(t, from, (uint8_t)(number % 200), ord_slice_of(body, len), spare_bytes);
}

static void sender_main(void *arg)
{
	uint32_t from = (uint32_t)(uintptr_t)arg;
	struct ord_tray tray;
	ord_bytes_init(&tray.letters, TRAY_BYTES);
	for (uint32_t i = 0; i < LETTERS;) {
		bool is_put = put(&tray, from, i, 0);
		i += is_put;
		if (!is_put || i % 16 == 0)
			ord_mailbox_post(box, &tray); /* or later, when there is room */
	}
	while (!ord_mailbox_post(box, &tray))
		uv_sleep(1);
	ord_bytes_close(&tray.letters);
}

Test(mailbox, all_letters_of_several_threads_come_once_and_in_order)
{
	uv_thread_t threads[SENDERS];
	for (uintptr_t i = 0; i < SENDERS; i++)
		cr_assert_eq(uv_thread_create(&threads[i], sender_main, (void *)i), 0);
	UNTIL(&loop, came_count == SENDERS * LETTERS);
	for (unsigned i = 0; i < SENDERS; i++)
		cr_assert_eq(uv_thread_join(&threads[i]), 0);
}

static void wake_cb(uv_check_t *check)
{
	wakes_count += came_count > *(unsigned *)check->data;
	*(unsigned *)check->data = came_count;
}

static void check_closed_cb(uv_handle_t *handle)
{
	*(bool *)handle->data = true;
}

Test(mailbox, many_letters_are_one_wake_up)
{
	struct ord_tray tray;
	uv_check_t check;
	unsigned seen = 0;
	bool is_check_closed = false;
	cr_assert_eq(uv_check_init(&loop, &check), 0);
	check.data = &seen;
	uv_check_start(&check, wake_cb);
	ord_bytes_init(&tray.letters, TRAY_BYTES);
	for (uint32_t i = 0; i < 100; i++) {
		cr_assert(put(&tray, 1, i, 0));
		if (i % 10 == 9)
			cr_assert(ord_mailbox_post(box, &tray));
	}
	UNTIL(&loop, came_count == 100);
	cr_assert_eq(wakes_count, 1);
	check.data = &is_check_closed;
	uv_close((uv_handle_t *)&check, check_closed_cb);
	UNTIL(&loop, is_check_closed);
}

/* What the reader does not take stays with its sender, whose tray has an end, too: nothing grows without one, nothing is lost. */
Test(mailbox, a_full_box_leaves_letters_in_the_tray)
{
	struct ord_tray tray;
	uint32_t number = 0, spare_number;
	ord_bytes_init(&tray.letters, TRAY_BYTES);
	for (;;) {
		if (put(&tray, 2, number, 0))
			number++;
		else if (!ord_mailbox_post(box, &tray))
			break;
	}
	cr_assert_gt(number, (BOX_BYTES + TRAY_BYTES) / (BODY_BYTES_MAX + 9) - 3);
	cr_assert_eq(came_count, 0);
	UNTIL(&loop, came_count > 0);
	cr_assert_lt(came_count, number);
	cr_assert(ord_mailbox_post(box, &tray));
	UNTIL(&loop, came_count == number);
	/* What is kept for others is kept. */
	for (spare_number = number; put(&tray, 2, spare_number, TRAY_BYTES / 2); spare_number++)
		;
	cr_assert_leq(tray.letters.len, TRAY_BYTES / 2);
	cr_assert(put(&tray, 2, spare_number, 0));
	cr_assert(ord_mailbox_post(box, &tray));
	UNTIL(&loop, came_count == spare_number + 1);
	ord_bytes_close(&tray.letters);
}

struct errand {
	struct ord_task task; /* first */
	unsigned number;
};

static unsigned errands_count;

static void errand_run(struct ord_task *task, void *ctx)
{
	cr_assert_eq(ctx, &loop);
	cr_assert_eq(((struct errand *)task)->number, errands_count);
	errands_count++;
	*(struct errand *)task = (struct errand){.number = 77}; /* it is the reader's now */
}

Test(mailbox, tasks_have_room_in_a_full_box_and_come_behind_its_letters)
{
	enum { ERRANDS = 1000 };
	static struct errand errands[ERRANDS];
	struct ord_tray tray;
	uint32_t number = 0;
	ord_bytes_init(&tray.letters, TRAY_BYTES);
	while (put(&tray, 0, number, 0) ? (number++, true) : ord_mailbox_post(box, &tray))
		;
	for (unsigned i = 0; i < ERRANDS; i++) {
		errands[i] = (struct errand){.task.run = errand_run, .number = i};
		ord_mailbox_send(box, &errands[i].task);
	}
	UNTIL(&loop, came_count > 0 || errands_count > 0);
	cr_assert_gt(came_count, 0);
	cr_assert_eq(errands_count, ERRANDS);
	cr_assert(ord_mailbox_post(box, &tray));
	UNTIL(&loop, came_count == number);
	ord_bytes_close(&tray.letters);
}

/* --- The last task of all. --- */

struct last {
	struct ord_task first, second; /* first */
	struct ord_mailbox *box;
	uv_loop_t loop;
	bool is_closed;
};

static void nothing_run(struct ord_task *task, void *ctx)
{
	(void)task;
	(void)ctx;
}

static void last_run(struct ord_task *task, void *ctx)
{
	struct last *l = ctx;
	(void)task;
	ord_mailbox_close(l->box, closed, &l->is_closed);
}

static void last_main(void *arg)
{
	struct last *l = arg;
	uv_run(&l->loop, UV_RUN_DEFAULT);
}

/* The reader, awake already, may take the task before the sender has woken it. */
Test(mailbox, a_task_may_close_it_while_the_sender_is_still_sending)
{
	for (unsigned i = 0; i < 500; i++) {
		struct last l = {.first.run = nothing_run, .second.run = last_run};
		struct ord_mailbox_options options = {
			.loop = &l.loop, .bytes_max = BOX_BYTES, .receive = receive, .ctx = &l};
		uv_thread_t thread;
		cr_assert_eq(uv_loop_init(&l.loop), 0);
		cr_assert_eq(ord_mailbox_open(&options, &l.box), ORD_OK);
		cr_assert_eq(uv_thread_create(&thread, last_main, &l), 0);
		ord_mailbox_send(l.box, &l.first);
		ord_mailbox_send(l.box, &l.second);
		cr_assert_eq(uv_thread_join(&thread), 0);
		cr_assert(l.is_closed);
		cr_assert_eq(uv_loop_close(&l.loop), 0);
	}
}
