/* SPDX-License-Identifier: Apache-2.0 - the blocking form, against nodes on a thread of their own. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "client/fields.h"
#include "tests/support/client_lab.h"

static struct {
	pthread_t thread;
	pthread_barrier_t ready;
	uv_loop_t loop;
	uv_async_t stop;
	struct fake fake;
} nodes;

static void stop_cb(uv_async_t *async)
{
	fake_close(&nodes.fake);
	uv_close((uv_handle_t *)async, NULL);
}

static void *nodes_run(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&nodes.ready);
	uv_run(&nodes.loop, UV_RUN_DEFAULT);
	return NULL;
}

static struct ordain_sync *s;

static void setup(void)
{
	uv_loop_init(&nodes.loop);
	uv_async_init(&nodes.loop, &nodes.stop, stop_cb);
	fake_open(&nodes.fake, &nodes.loop, 3);
	nodes.fake.rejected_amount = 13;
	pthread_barrier_init(&nodes.ready, NULL, 2);
	pthread_create(&nodes.thread, NULL, nodes_run, NULL);
	pthread_barrier_wait(&nodes.ready);
	struct ordain_options o = {.addresses = fake_addresses(&nodes.fake, 3), .timeout_ms = 5000};
	cr_assert_eq(ordain_sync_open(&o, &s), 0);
}

static void teardown(void)
{
	ordain_sync_close(s);
	uv_async_send(&nodes.stop);
	pthread_join(nodes.thread, NULL);
	cr_assert_eq(uv_loop_close(&nodes.loop), 0);
	pthread_barrier_destroy(&nodes.ready);
}

TestSuite(sync, .init = setup, .fini = teardown);

Test(sync, commands)
{
	struct ordain_command c[3] = {lab_transfer(1), lab_transfer(13), lab_transfer(2)};
	struct ordain_result r[3];
	for (int round = 0; round < 2; round++) {
		cr_assert_eq(ordain_sync_submit(s, c, 3, NULL, r), 0);
		cr_assert_eq(ordain_sync_problem(s)->code, 0);
		cr_assert(r[0].answer == ORDAIN_OK && r[2].answer == ORDAIN_OK);
		cr_assert_eq(r[0].replayed, round == 1);
		cr_assert_eq(r[1].answer, ORDAIN_REFUSED);
		cr_assert_str_eq(r[1].name, "below_floor");
		cr_assert_str_eq(r[1].field, "amount");
	}
	cr_assert_eq(ordain_sync_submit(s, c, 0, NULL, r), ORDAIN_ERR_ARGUMENT);
	cr_assert_eq(ordain_sync_problem(s)->code, ORDAIN_ERR_ARGUMENT);
	cr_assert_str_eq(ordain_sync_problem(s)->name, "argument");
}

Test(sync, reads)
{
	struct ordain_account account;
	cr_assert_eq(ordain_sync_account(s, ordain_str_of("alice"), NULL, &account), 0);
	cr_assert(ord_fields_is(account.account, "alice") && account.balance == -7);
	struct ordain_history history;
	cr_assert_eq(ordain_sync_history(s, ordain_str_of("alice"), 0, 0, NULL, &history), 0);
	cr_assert_eq(history.postings_count, 2);
	cr_assert(ord_fields_is(history.postings[0].counterparty, "bank"));
	cr_assert(ord_fields_is(history.postings[1].counterparty, "bob"));
	struct ordain_request request;
	struct ordain_id id = {{3}};
	cr_assert_eq(ordain_sync_request(s, &id, NULL, &request), 0);
	cr_assert(ord_fields_is(request.command.transfer.payer, "alice"));
	cr_assert_str_eq(request.name, "below_floor");
	struct ordain_name name;
	cr_assert_eq(ordain_sync_name(s, ordain_str_of("ns"), ordain_str_of("name"), NULL, &name), 0);
	cr_assert(ord_fields_is(name.owner, "carol"));
}

Test(sync, any_method)
{
	const void *result;
	size_t len;
	cr_assert_eq(ordain_sync_call(s, 2, "status", NULL, 0, NULL, &result, &len), 0);
	cr_assert(len == 7 && ((const char *)result)[6] == 2);
	cr_assert_eq(ordain_sync_call(s, 7, "status", NULL, 0, NULL, &result, &len), ORDAIN_ERR_NOT_FOUND);
	cr_assert_eq(ordain_sync_problem(s)->code, ORDAIN_ERR_NOT_FOUND);
	cr_assert_not_null(strstr(ordain_sync_problem(s)->message, "no node 7"));
}

Test(sync, open_checks_its_addresses)
{
	struct ordain_sync *none = NULL;
	cr_assert_eq(ordain_sync_open(&(struct ordain_options){.addresses = "nowhere"}, &none), ORDAIN_ERR_ARGUMENT);
	cr_assert_null(none);
	ordain_sync_close(NULL);
}
