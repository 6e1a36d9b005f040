/* SPDX-License-Identifier: Apache-2.0 - commands against nodes that fail in every way a node can: one answer each, the right one, in the order asked. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/fields.h"
#include "client/routing.h"
#include "tests/support/client_lab.h"

static struct lab lab;

static void assert_ok(const struct lab_submit *s, size_t i)
{
	cr_assert_eq(s->results[i].answer, ORDAIN_OK, "%zu: %s", i, s->results[i].message);
	cr_assert_eq(s->results[i].status, ORDAIN_STATUS_SETTLED);
	cr_assert_eq(s->results[i].code, 0);
	cr_assert_str_eq(s->results[i].name, "");
	cr_assert(s->results[i].partition == 5 && s->results[i].offset == 42);
}

/* Submits one transfer and turns the loop until its answer. */
static struct lab_submit one_transfer(const struct ordain_command *c, const struct ordain_call_options *call)
{
	static struct lab_submit s;
	lab_submit(&lab, c, 1, call, &s);
	lab_until(&lab, &s.calls_count, 1, 15000);
	cr_assert_eq(s.count, 1);
	cr_assert_eq(memcmp(&s.results[0].id, &c->id, sizeof c->id), 0);
	return s;
}

Test(submit, a_batch_goes_to_all_leaders_and_comes_back_in_order)
{
	enum { COUNT = 3000 };
	static struct ordain_command commands[COUNT];
	lab_open(&lab, 3, 1, NULL);
	lab.fake.rejected_amount = 13;
	for (int i = 0; i < COUNT; i++)
		commands[i] = lab_transfer(i % 100 == 7 ? 13 : 100 + i);
	struct lab_submit s;
	lab_submit(&lab, commands, COUNT, NULL, &s);
	lab_until(&lab, &s.calls_count, 1, 10000);
	cr_assert_eq(s.count, COUNT);
	for (int i = 0; i < COUNT; i++) {
		cr_assert_eq(memcmp(&s.results[i].id, &commands[i].id, sizeof commands[i].id), 0);
		if (i % 100 != 7) {
			assert_ok(&s, (size_t)i);
			continue;
		}
		cr_assert_eq(s.results[i].answer, ORDAIN_REFUSED);
		cr_assert_eq(s.results[i].status, ORDAIN_STATUS_REJECTED);
		cr_assert_eq(s.results[i].code, 8);
		cr_assert_str_eq(s.results[i].name, "below_floor");
		cr_assert_str_eq(s.results[i].field, "amount");
	}
	cr_assert_eq(lab.fake.misled_count, 0);
	cr_assert_eq(lab.fake.logged.count, COUNT);
	cr_assert_leq(lab.fake.requests_count, 3, "one call to each of three leaders");
	for (int n = 0; n < 3; n++)
		cr_assert_eq(lab.fake.nodes[n].requests_count, 1);
	lab_submit_free(&s);
	lab_close(&lab);
}

Test(submit, a_very_large_batch_is_cut_into_calls_that_a_node_takes)
{
	enum { COUNT = 20000 };
	struct ordain_command *commands = malloc(COUNT * sizeof *commands);
	struct ordain_id *ids = malloc(COUNT * sizeof *ids);
	lab_open(&lab, 1, 1, NULL);
	cr_assert_eq(ordain_id_make_many(ids, COUNT), 0);
	for (int i = 0; i < COUNT; i++) {
		commands[i] = (struct ordain_command){.kind = ORDAIN_CLAIM, .id = ids[i]};
		commands[i].naming = (struct ordain_naming){
			.space = ordain_str_of("seats"), .name = ordain_str_of("12A"), .owner = ordain_str_of("carol")};
	}
	struct lab_submit s;
	lab_submit(&lab, commands, COUNT, NULL, &s);
	lab_until(&lab, &s.calls_count, 1, 30000);
	for (size_t i = 0; i < COUNT; i++)
		assert_ok(&s, i);
	cr_assert_geq(lab.fake.requests_count, 4);
	cr_assert_leq(lab.fake.requests_count, 8);
	lab_submit_free(&s);
	free(commands);
	free(ids);
	lab_close(&lab);
}

#define METHODS_SIZE 256

static void remember_method(struct fake_request *r)
{
	char *methods = r->fake->arg;
	size_t len = strlen(methods);
	snprintf(methods + len, METHODS_SIZE - len, "%s ", r->method);
	const msgpack_object *items = ord_fields_find(r->params, "items");
	struct ordain_str wait;
	uint32_t timeout_ms;
	cr_assert(ord_fields_str(r->params, "wait", &wait) && ord_fields_is(wait, "settled"));
	cr_assert(ord_fields_u32(r->params, "timeout_ms", &timeout_ms));
	cr_assert(timeout_ms > 0 && timeout_ms <= 10000);
	cr_assert_eq(items != NULL, strcmp(r->method, "claims") == 0);
	fake_answer(r);
}

Test(submit, each_kind_has_its_method)
{
	char methods[METHODS_SIZE] = "";
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = remember_method;
	lab.fake.arg = methods;
	struct ordain_command c[7];
	for (int i = 0; i < 7; i++) {
		c[i] = lab_transfer(1);
		c[i].kind = (enum ordain_command_kind)(i < 6 ? i + 1 : ORDAIN_CLAIM);
	}
	struct ordain_str x = ordain_str_of("x");
	c[0].open_account = (struct ordain_open_account){x, x, -5, INT64_MAX};
	c[1].set_account = (struct ordain_set_account){x, ORDAIN_ACCOUNT_FROZEN};
	for (int i = 3; i < 7; i++)
		c[i].naming = (struct ordain_naming){x, x, x, x};
	struct lab_submit s;
	lab_submit(&lab, c, 7, NULL, &s);
	lab_until(&lab, &s.calls_count, 1, 5000);
	for (size_t i = 0; i < 7; i++)
		assert_ok(&s, i);
	static const char *const expected[] = {"open_account ", "set_account ", "transfer ",
					       "claims ",	"release ",	"reassign "};
	for (int i = 0; i < 6; i++)
		cr_assert_not_null(strstr(methods, expected[i]), "%s in %s", expected[i], methods);
	cr_assert_eq(lab.fake.requests_count, 6);
	lab_submit_free(&s);
	lab_close(&lab);
}

static void lead_elsewhere(struct fake_request *r)
{
	if (r->node == 2) {
		fake_answer(r);
		return;
	}
	fake_fault(r, &(struct ord_rpc_fault){.code = ORD_RPC_ERROR_UNAVAILABLE, .leader = 2});
}

Test(submit, a_hint_leads_to_the_new_leader)
{
	lab_open(&lab, 2, 2, NULL);
	lab.fake.handler = lead_elsewhere;
	for (int p = 0; p < FAKE_PARTITIONS; p++)
		lab.fake.leaders[p] = 1; /* every node says so: only the hint knows better */
	struct ordain_command c = lab_transfer(1);
	struct lab_submit s = one_transfer(&c, NULL);
	assert_ok(&s, 0);
	cr_assert_not(s.results[0].replayed);
	cr_assert_eq(lab.fake.nodes[0].requests_count, 1);
	cr_assert_eq(lab.fake.nodes[1].requests_count, 1);
	lab_submit_free(&s);
	lab_close(&lab);
}

static void hand_over(struct fake_request *r)
{
	if (r->node == 2) {
		uint32_t timeout_ms;
		cr_assert(ord_fields_u32(r->params, "timeout_ms", &timeout_ms));
		cr_assert_gt(timeout_ms, 1000, "as the leader, not to be passed on");
		fake_answer(r);
		return;
	}
	for (int p = 0; p < FAKE_PARTITIONS; p++)
		r->fake->leaders[p] = 2;
	fake_kill(r->fake, 1);
}

Test(submit, a_killed_leader_is_followed_by_the_next_one)
{
	lab_open(&lab, 2, 1, NULL);
	for (int p = 0; p < FAKE_PARTITIONS; p++)
		lab.fake.leaders[p] = 1;
	struct ordain_command warm = lab_transfer(1);
	struct lab_submit first = one_transfer(&warm, NULL);
	lab_submit_free(&first);
	lab_until(&lab, &lab.fake.clusters_count, 2, 5000); /* both nodes are connected */
	lab.fake.handler = hand_over;
	static struct ordain_command c[100];
	for (int i = 0; i < 100; i++)
		c[i] = lab_transfer(1);
	uint64_t begun_ms = lab_now_ms();
	struct lab_submit s;
	lab_submit(&lab, c, 100, NULL, &s);
	lab_until(&lab, &s.calls_count, 1, 5000);
	for (size_t i = 0; i < 100; i++) {
		assert_ok(&s, i);
		cr_assert_eq(fake_logged(&lab.fake, &c[i].id), 1);
	}
	cr_assert_lt(lab_now_ms() - begun_ms, 1500);
	lab_submit_free(&s);
	lab_close(&lab);
}

static void busy_once(struct fake_request *r)
{
	uint64_t *at_ms = r->fake->arg;
	if (r->fake->requests_count == 1) {
		at_ms[0] = lab_now_ms();
		fake_fault(r, &(struct ord_rpc_fault){.code = ORD_RPC_ERROR_BUSY, .retry_after_ms = 150});
		return;
	}
	at_ms[1] = lab_now_ms();
	fake_answer(r);
}

Test(submit, busy_is_asked_again_after_the_pause_it_names)
{
	uint64_t at_ms[2] = {0};
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = busy_once;
	lab.fake.arg = at_ms;
	struct ordain_command c = lab_transfer(1);
	struct lab_submit s = one_transfer(&c, NULL);
	assert_ok(&s, 0);
	cr_assert_eq(lab.fake.requests_count, 2);
	cr_assert_geq(at_ms[1] - at_ms[0], 149);
	cr_assert_lt(at_ms[1] - at_ms[0], 1000);
	lab_submit_free(&s);
	lab_close(&lab);
}

static void busy_for_long(struct fake_request *r)
{
	fake_fault(r, &(struct ord_rpc_fault){.code = ORD_RPC_ERROR_BUSY, .retry_after_ms = 60000});
}

Test(submit, a_pause_beyond_the_time_allowed_is_not_waited_for)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = busy_for_long;
	struct ordain_command c = lab_transfer(1);
	uint64_t begun_ms = lab_now_ms();
	struct lab_submit s = one_transfer(&c, &(struct ordain_call_options){.timeout_ms = 5000});
	cr_assert_eq(s.results[0].answer, ORDAIN_FAILED);
	cr_assert_eq(s.results[0].code, ORDAIN_ERR_BUSY);
	cr_assert_lt(lab_now_ms() - begun_ms, 1000);
	lab_submit_free(&s);
	lab_close(&lab);
}

static void always_busy(struct fake_request *r)
{
	int code = r->fake->arg == NULL ? ORD_RPC_ERROR_BUSY : ORD_RPC_ERROR_DISK_FULL;
	fake_fault(r, &(struct ord_rpc_fault){.code = code, .message = "the queue is full"});
}

Test(submit, busy_to_the_end_has_failed_and_says_so)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = always_busy;
	struct ordain_command c = lab_transfer(1);
	uint64_t begun_ms = lab_now_ms();
	struct lab_submit s = one_transfer(&c, &(struct ordain_call_options){.timeout_ms = 700});
	cr_assert_eq(s.results[0].answer, ORDAIN_FAILED);
	cr_assert_eq(s.results[0].status, ORDAIN_STATUS_NONE);
	cr_assert_eq(s.results[0].code, ORDAIN_ERR_BUSY);
	cr_assert_str_eq(s.results[0].name, "busy");
	cr_assert_str_eq(s.results[0].message, "the queue is full");
	cr_assert_lt(lab_now_ms() - begun_ms, 1000);
	cr_assert(lab.fake.requests_count >= 3 && lab.fake.requests_count < 40, "a pause that grows: %u",
		  (unsigned)lab.fake.requests_count);
	lab_submit_free(&s);
	lab_close(&lab);
}

Test(submit, a_full_disk_is_asked_again_and_told_in_the_end)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = always_busy;
	lab.fake.arg = &lab;
	struct ordain_command c = lab_transfer(1);
	struct lab_submit s = one_transfer(&c, &(struct ordain_call_options){.timeout_ms = 300});
	cr_assert(s.results[0].answer == ORDAIN_FAILED && s.results[0].code == ORDAIN_ERR_DISK_FULL);
	lab_submit_free(&s);
	lab_close(&lab);
}

static void cut_in_the_answer(struct fake_request *r)
{
	if (r->fake->requests_count == 1)
		fake_answer_half(r);
	else
		fake_answer(r);
}

Test(submit, cut_in_the_middle_of_an_answer_is_asked_again_with_the_same_ids)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = cut_in_the_answer;
	static struct ordain_command c[50];
	for (int i = 0; i < 50; i++)
		c[i] = lab_transfer(1);
	struct lab_submit s;
	lab_submit(&lab, c, 50, NULL, &s);
	lab_until(&lab, &s.calls_count, 1, 5000);
	for (size_t i = 0; i < 50; i++) {
		assert_ok(&s, i);
		cr_assert(s.results[i].replayed);
		cr_assert_eq(fake_logged(&lab.fake, &c[i].id), 1);
	}
	cr_assert_eq(lab.fake.requests_count, 2);
	lab_submit_free(&s);
	lab_close(&lab);
}

static void say_nothing(struct fake_request *r)
{
	(void)r;
}

Test(submit, no_answer_in_time_is_unknown)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = say_nothing;
	struct ordain_command c = lab_transfer(1);
	uint64_t begun_ms = lab_now_ms();
	struct lab_submit s = one_transfer(&c, &(struct ordain_call_options){.timeout_ms = 400});
	uint64_t took_ms = lab_now_ms() - begun_ms;
	cr_assert_eq(s.results[0].answer, ORDAIN_UNKNOWN);
	cr_assert_eq(s.results[0].status, ORDAIN_STATUS_NONE);
	cr_assert_eq(s.results[0].code, ORDAIN_ERR_UNKNOWN_OUTCOME);
	cr_assert(took_ms >= 400 && took_ms < 1000, "%u ms", (unsigned)took_ms);
	lab_submit_free(&s);
	/* The same id again, and the node is well: the one outcome. */
	lab.fake.handler = NULL;
	s = one_transfer(&c, NULL);
	assert_ok(&s, 0);
	lab_submit_free(&s);
	lab_close(&lab);
}

static void unknown_then_busy(struct fake_request *r)
{
	enum ord_rpc_error code = r->fake->requests_count == 1 ? ORD_RPC_ERROR_UNKNOWN_OUTCOME : ORD_RPC_ERROR_BUSY;
	fake_fault(r, &(struct ord_rpc_fault){.code = code});
}

Test(submit, once_unknown_it_never_ends_as_failed)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = unknown_then_busy;
	struct ordain_command c = lab_transfer(1);
	struct lab_submit s = one_transfer(&c, &(struct ordain_call_options){.timeout_ms = 300});
	cr_assert_eq(s.results[0].answer, ORDAIN_UNKNOWN);
	cr_assert_gt(lab.fake.requests_count, 1);
	lab_submit_free(&s);
	lab_close(&lab);
}

Test(submit, no_node_at_all_has_failed_and_names_the_address)
{
	lab_open(&lab, 1, 1, NULL);
	fake_kill(&lab.fake, 1);
	struct ordain_command c = lab_transfer(1);
	struct lab_submit s = one_transfer(&c, &(struct ordain_call_options){.timeout_ms = 300});
	cr_assert_eq(s.results[0].answer, ORDAIN_FAILED);
	cr_assert_eq(s.results[0].code, ORDAIN_ERR_UNAVAILABLE);
	cr_assert_not_null(strstr(s.results[0].message, fake_addresses(&lab.fake, 1)), "%s", s.results[0].message);
	cr_assert_not_null(strstr(s.results[0].message, "refused"), "%s", s.results[0].message);
	lab_submit_free(&s);
	lab_close(&lab);
}

static void accepted_twice(struct fake_request *r)
{
	fake_status(r, r->fake->requests_count <= 2 ? "accepted" : "settled");
}

Test(submit, accepted_is_asked_again_until_it_is_settled)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = accepted_twice;
	struct ordain_command c = lab_transfer(1);
	struct lab_submit s = one_transfer(&c, NULL);
	assert_ok(&s, 0);
	cr_assert_not(s.results[0].replayed, "it was this very call that logged it");
	cr_assert_eq(lab.fake.requests_count, 3);
	lab_submit_free(&s);
	lab_close(&lab);
}

static void always_accepted(struct fake_request *r)
{
	fake_status(r, "accepted");
}

Test(submit, accepted_is_enough_when_logged_is_waited_for)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = always_accepted;
	struct ordain_command c = lab_transfer(1);
	struct lab_submit s = one_transfer(&c, &(struct ordain_call_options){.wait = ORDAIN_WAIT_LOGGED});
	cr_assert_eq(s.results[0].answer, ORDAIN_OK);
	cr_assert_eq(s.results[0].status, ORDAIN_STATUS_ACCEPTED);
	cr_assert_eq(lab.fake.requests_count, 1);
	lab_submit_free(&s);
	c = lab_transfer(1);
	s = one_transfer(&c, &(struct ordain_call_options){.timeout_ms = 200});
	cr_assert_eq(s.results[0].answer, ORDAIN_UNKNOWN);
	cr_assert_eq(s.results[0].status, ORDAIN_STATUS_ACCEPTED);
	cr_assert_eq(s.results[0].offset, 42);
	lab_submit_free(&s);
	lab_close(&lab);
}

static void put_failed(msgpack_packer *p, const struct ordain_id *id, const struct ord_rpc_fault *fault)
{
	char text[ORDAIN_ID_TEXT_SIZE];
	ordain_id_format(id, text);
	msgpack_pack_map(p, 3);
	ord_rpc_put_text(p, "id");
	ord_rpc_put_text(p, text);
	ord_rpc_put_text(p, "status");
	ord_rpc_put_text(p, "failed");
	ord_rpc_put_text(p, "error");
	ord_rpc_put_fault(p, fault);
}

/* The first batch: its first item is invalid, its second finds a full queue, the others are all unknown. Later calls are answered well. */
static void fail_items(struct fake_request *r)
{
	const msgpack_object *items = ord_fields_find(r->params, "items");
	if (r->fake->requests_count > 1) {
		fake_answer(r);
		return;
	}
	cr_assert_not_null(items);
	struct ord_bytes out;
	msgpack_packer p;
	ord_bytes_init(&out, 1u << 20);
	ord_rpc_packer(&out, &p);
	ord_rpc_put_result(&p, r->rpc_id);
	msgpack_pack_array(&p, items->via.array.size);
	for (uint32_t i = 0; i < items->via.array.size; i++) {
		struct ordain_id id;
		cr_assert(ord_fields_id(&items->via.array.ptr[i], "id", &id));
		struct ord_rpc_fault fault = {.code = ORD_RPC_ERROR_UNKNOWN_OUTCOME};
		if (i == 0)
			fault = (struct ord_rpc_fault){.code = ORD_RPC_ERROR_INVALID_FIELD,
						       .message = "an amount is above zero",
						       .field = "amount"};
		if (i == 1)
			fault = (struct ord_rpc_fault){.code = ORD_RPC_ERROR_BUSY, .retry_after_ms = 40};
		put_failed(&p, &id, &fault);
	}
	fake_bytes(r->connection, out.base, out.len);
	ord_bytes_close(&out);
}

Test(submit, items_of_a_batch_fail_and_are_tried_again_one_by_one)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = fail_items;
	struct ordain_command c[5];
	for (int i = 0; i < 5; i++)
		c[i] = lab_transfer(i);
	struct lab_submit s;
	lab_submit(&lab, c, 5, NULL, &s);
	lab_until(&lab, &s.calls_count, 1, 5000);
	cr_assert_eq(s.results[0].answer, ORDAIN_FAILED);
	cr_assert_eq(s.results[0].code, ORDAIN_ERR_INVALID_FIELD);
	cr_assert_str_eq(s.results[0].field, "amount");
	cr_assert_str_eq(s.results[0].message, "an amount is above zero");
	for (size_t i = 1; i < 5; i++)
		assert_ok(&s, i);
	cr_assert_eq(fake_logged(&lab.fake, &c[0].id), 0);
	lab_submit_free(&s);
	lab_close(&lab);
}

Test(submit, what_cannot_be_encoded_fails_alone)
{
	char longer[300];
	memset(longer, 'x', sizeof longer);
	struct ordain_command c[3] = {lab_transfer(1), lab_transfer(1), lab_transfer(1)};
	lab_open(&lab, 1, 1, NULL);
	c[1].transfer.payee = (struct ordain_str){longer, 65};
	struct lab_submit s;
	lab_submit(&lab, c, 3, NULL, &s);
	lab_until(&lab, &s.calls_count, 1, 5000);
	assert_ok(&s, 0);
	assert_ok(&s, 2);
	cr_assert_eq(s.results[1].answer, ORDAIN_FAILED);
	cr_assert_eq(s.results[1].code, ORDAIN_ERR_INVALID_FIELD);
	cr_assert_str_eq(s.results[1].field, "payee");
	lab_submit_free(&s);
	/* Nothing to send at all. */
	lab_submit(&lab, &c[1], 1, NULL, &s);
	lab_until(&lab, &s.calls_count, 1, 5000);
	cr_assert_eq(s.results[0].answer, ORDAIN_FAILED);
	lab_submit_free(&s);
	lab_close(&lab);
}

static void wrong_answer(struct fake_request *r)
{
	struct ord_bytes out;
	msgpack_packer p;
	ord_bytes_init(&out, 4096);
	ord_rpc_packer(&out, &p);
	ord_rpc_put_result(&p, r->rpc_id + 1024 * 7); /* of no call */
	msgpack_pack_nil(&p);
	ord_rpc_put_result(&p, r->rpc_id);
	msgpack_pack_array(&p, 1);
	msgpack_pack_map(&p, 0);
	fake_bytes(r->connection, out.base, out.len);
	ord_bytes_close(&out);
}

Test(submit, an_answer_that_makes_no_sense_is_unknown)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = wrong_answer;
	struct ordain_command c[2] = {lab_transfer(1), lab_transfer(1)};
	struct lab_submit s;
	lab_submit(&lab, c, 2, NULL, &s);
	lab_until(&lab, &s.calls_count, 1, 5000);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(s.results[i].answer, ORDAIN_UNKNOWN);
		cr_assert_eq(s.results[i].code, ORDAIN_ERR_PROTOCOL);
	}
	lab_submit_free(&s);
	lab_close(&lab);
}

static void answer_another_call_first(struct fake_request *r)
{
	struct ord_bytes out;
	msgpack_packer p;
	ord_bytes_init(&out, 4096);
	ord_rpc_packer(&out, &p);
	ord_rpc_put_result(&p, r->rpc_id + 1024 * 7); /* late, of an earlier call in the same place */
	msgpack_pack_nil(&p);
	fake_bytes(r->connection, out.base, out.len);
	ord_bytes_close(&out);
	fake_answer(r);
	fake_answer(r); /* and twice */
}

Test(submit, an_answer_to_no_call_is_passed_over)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = answer_another_call_first;
	struct ordain_command c = lab_transfer(1);
	struct lab_submit s = one_transfer(&c, NULL);
	assert_ok(&s, 0);
	cr_assert_not(s.results[0].replayed);
	lab_submit_free(&s);
	lab_close(&lab);
}

static void noise(struct fake_request *r)
{
	static const char bytes[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	fake_bytes(r->connection, bytes, sizeof bytes - 1);
}

Test(submit, noise_ends_the_connection_and_names_it)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = noise;
	struct ordain_command c = lab_transfer(1);
	struct lab_submit s = one_transfer(&c, &(struct ordain_call_options){.timeout_ms = 300});
	cr_assert_eq(s.results[0].answer, ORDAIN_UNKNOWN);
	cr_assert_gt(lab.fake.requests_count, 1);
	lab_submit_free(&s);
	lab_close(&lab);
}

Test(submit, another_cluster_is_refused_at_once)
{
	struct ordain_id other = {{0xee}};
	lab_open(&lab, 2, 2, &(struct ordain_options){.cluster_id = &other});
	struct ordain_command c = lab_transfer(1);
	uint64_t begun_ms = lab_now_ms();
	struct lab_submit s = one_transfer(&c, NULL);
	cr_assert_eq(s.results[0].answer, ORDAIN_FAILED);
	cr_assert_eq(s.results[0].code, ORDAIN_ERR_WRONG_CLUSTER);
	cr_assert_lt(lab_now_ms() - begun_ms, 2000);
	cr_assert_eq(lab.fake.requests_count, 0);
	lab_submit_free(&s);
	lab_close(&lab);
}

Test(submit, a_leader_out_of_reach_is_reached_through_another_node)
{
	lab_open(&lab, 2, 2, NULL);
	fake_kill(&lab.fake, 2); /* and the table of leaders goes on naming it */
	struct ordain_command c = lab_transfer_in(1);
	struct lab_submit s = one_transfer(&c, NULL);
	assert_ok(&s, 0);
	cr_assert_eq(lab.fake.nodes[0].requests_count, 1);
	lab_submit_free(&s);
	lab_close(&lab);
}

Test(submit, a_node_that_has_gone_silent_is_given_up)
{
	lab_open(&lab, 2, 2, NULL);
	struct ordain_command c = lab_transfer_in(0);
	struct lab_submit s = one_transfer(&c, NULL);
	assert_ok(&s, 0);
	lab_submit_free(&s);
	lab.fake.silent_node = 1;
	uint64_t begun_ms = lab_now_ms();
	lab_submit(&lab, &c, 1, NULL, &s);
	lab_until(&lab, &s.calls_count, 1, 9000);
	assert_ok(&s, 0);
	cr_assert_gt(lab_now_ms() - begun_ms, 1500, "not cut for being slow");
	cr_assert_eq(lab.fake.nodes[1].requests_count, 1);
	cr_assert(s.results[0].replayed);
	lab_submit_free(&s);
	lab_close(&lab);
}

Test(submit, bounds)
{
	struct ordain_command c[3] = {lab_transfer(1), lab_transfer(1), lab_transfer(1)};
	struct lab_submit s;
	lab_open(&lab, 1, 1, &(struct ordain_options){.items_max = 2});
	lab_submit(&lab, c, 2, NULL, &s);
	cr_assert_eq(ordain_submit(lab.client, c, 1, NULL, (ordain_submit_cb)abort, NULL), ORDAIN_ERR_LIMIT);
	lab_until(&lab, &s.calls_count, 1, 5000);
	lab_submit_free(&s);
	lab_submit(&lab, c, 2, NULL, &s);
	lab_until(&lab, &s.calls_count, 1, 5000);
	lab_submit_free(&s);
	cr_assert_eq(ordain_submit(lab.client, c, 0, NULL, (ordain_submit_cb)abort, NULL), ORDAIN_ERR_ARGUMENT);
	cr_assert_eq(ordain_submit(lab.client, c, 1, NULL, NULL, NULL), ORDAIN_ERR_ARGUMENT);
	c[0].kind = (enum ordain_command_kind)9;
	cr_assert_eq(ordain_submit(lab.client, c, 1, NULL, (ordain_submit_cb)abort, NULL), ORDAIN_ERR_ARGUMENT);
	lab_close(&lab);
	lab_open(&lab, 1, 1, &(struct ordain_options){.bytes_max = 500});
	c[0].kind = ORDAIN_TRANSFER;
	cr_assert_eq(ordain_submit(lab.client, c, 3, NULL, (ordain_submit_cb)abort, NULL), ORDAIN_ERR_LIMIT);
	lab_close(&lab);
}

Test(submit, addresses_are_checked)
{
	static const char *const wrong[] = {"",		"localhost", "localhost:", "localhost:0", "localhost:65536",
					    ":7001",	"::1:7001",  "[]:7001",	   "a:1,,b:2",	  "a:1,",
					    "a:1 ,b:2x"};
	uv_loop_t loop;
	uv_loop_init(&loop);
	struct ordain_client *client;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct ordain_options o = {.addresses = wrong[i]};
		cr_assert_eq(ordain_open(&loop, &o, &client), ORDAIN_ERR_ARGUMENT, "%s", wrong[i]);
	}
	cr_assert_eq(ordain_open(&loop, &(struct ordain_options){0}, &client), ORDAIN_ERR_ARGUMENT);
	cr_assert_eq(uv_loop_close(&loop), 0);
}

Test(submit, names_with_several_addresses_are_tried_in_turn)
{
	/* "localhost" is often ::1 first, where nobody listens. */
	char addresses[64];
	lab_open(&lab, 1, 1, NULL);
	struct ordain_client *client;
	snprintf(addresses, sizeof addresses, "localhost:%u", (unsigned)lab.fake.nodes[0].port);
	cr_assert_eq(ordain_open(&lab.loop, &(struct ordain_options){.addresses = addresses}, &client), 0);
	struct ordain_client *first = lab.client;
	lab.client = client;
	struct ordain_command c = lab_transfer(1);
	struct lab_submit s = one_transfer(&c, NULL);
	assert_ok(&s, 0);
	lab_submit_free(&s);
	ordain_close(first, NULL, NULL);
	lab_close(&lab);
}

static void half_at_closing(struct fake_request *r)
{
	if (r->fake->requests_count == 1)
		fake_answer(r);
}

Test(submit, closing_ends_everything_once)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = half_at_closing;
	struct ordain_command c = lab_transfer(1);
	struct ordain_command d = lab_transfer(1);
	struct lab_submit first = one_transfer(&c, NULL);
	assert_ok(&first, 0);
	lab_submit_free(&first);
	struct lab_submit sent;
	struct lab_submit unsent;
	lab_submit(&lab, &c, 1, NULL, &sent);
	lab_until(&lab, &lab.fake.requests_count, 2, 5000);
	lab_submit(&lab, &d, 1, NULL, &unsent);
	lab_close(&lab);
	cr_assert_eq(sent.calls_count, 1);
	cr_assert_eq(sent.results[0].answer, ORDAIN_UNKNOWN);
	cr_assert_eq(unsent.calls_count, 1);
	cr_assert_neq(unsent.results[0].answer, ORDAIN_OK);
	lab_submit_free(&sent);
	lab_submit_free(&unsent);
}

Test(submit, closing_before_any_connection)
{
	lab_open(&lab, 1, 1, NULL);
	struct ordain_command c = lab_transfer(1);
	struct lab_submit s;
	lab_submit(&lab, &c, 1, NULL, &s);
	lab_close(&lab);
	cr_assert_eq(s.calls_count, 1);
	cr_assert_eq(s.results[0].answer, ORDAIN_FAILED);
	cr_assert_eq(s.results[0].code, ORDAIN_ERR_CLOSED);
	lab_submit_free(&s);
}

struct chain {
	uint32_t rounds;
	bool close;
};

static void again_cb(const struct ordain_result *results, size_t count, void *arg)
{
	struct chain *chain = arg;
	cr_assert(count == 1 && results[0].answer == ORDAIN_OK);
	if (++chain->rounds == 20) {
		if (chain->close) {
			ordain_close(lab.client, NULL, NULL);
			lab.client = NULL;
		}
		return;
	}
	struct ordain_command c = lab_transfer(1);
	cr_assert_eq(ordain_submit(lab.client, &c, 1, NULL, again_cb, chain), 0);
}

Test(submit, from_inside_callbacks)
{
	for (int close = 0; close < 2; close++) {
		struct chain chain = {.close = close == 1};
		lab_open(&lab, 1, 1, NULL);
		struct ordain_command c = lab_transfer(1);
		uint64_t begun_ms = lab_now_ms();
		cr_assert_eq(ordain_submit(lab.client, &c, 1, NULL, again_cb, &chain), 0);
		lab_until(&lab, &chain.rounds, 20, 5000);
		cr_assert_lt(lab_now_ms() - begun_ms, 150, "a round takes less than a tick");
		lab_close(&lab);
	}
}

static void count_cb(const struct ordain_result *results, size_t count, void *arg)
{
	cr_assert(count == 1 && results[0].answer == ORDAIN_OK);
	++*(uint32_t *)arg;
}

Test(submit, more_calls_than_a_connection_may_have)
{
	enum { COUNT = 5000 };
	uint32_t done = 0;
	lab_open(&lab, 1, 1, NULL);
	for (int i = 0; i < COUNT; i++) {
		struct ordain_command c = lab_transfer(1);
		cr_assert_eq(ordain_submit(lab.client, &c, 1, NULL, count_cb, &done), 0);
	}
	lab_until(&lab, &done, COUNT, 10000);
	cr_assert_eq(lab.fake.requests_count, COUNT);
	cr_assert_eq(lab.fake.logged.count, COUNT);
	lab_close(&lab);
}

Test(submit, a_client_without_calls_lets_the_loop_end_while_it_connects)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.silent_node = 1;
	uint64_t begun_ms = lab_now_ms();
	uv_run(&lab.loop, UV_RUN_DEFAULT);
	cr_assert_lt(lab_now_ms() - begun_ms, 1000);
	lab_close(&lab);
}

Test(submit, an_idle_client_lets_the_loop_end)
{
	lab_open(&lab, 1, 1, NULL);
	struct ordain_command c = lab_transfer(1);
	struct lab_submit s;
	lab_submit(&lab, &c, 1, NULL, &s);
	uint64_t begun_ms = lab_now_ms();
	uv_run(&lab.loop, UV_RUN_DEFAULT);
	cr_assert_eq(s.calls_count, 1);
	cr_assert_lt(lab_now_ms() - begun_ms, 2000);
	lab_submit_free(&s);
	lab_close(&lab);
}
