/* SPDX-License-Identifier: Apache-2.0 - reads and calls of any method: what nodes answer comes out typed, what they do not is a problem that says why. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "client/fields.h"
#include "client/routing.h"
#include "tests/support/client_lab.h"

static struct lab lab;

/* What came of one read. */
static struct outcome {
	uint32_t calls_count;
	int code;
	char name[64];
	char message[512];
	char field[64];
	struct ordain_account account;
	struct ordain_request request;
	struct ordain_name owner;
	struct ordain_posting postings[4];
	size_t postings_count;
	uint64_t next;
	char bytes[256];
	size_t bytes_len;
} got;

static void setup(void)
{
	memset(&got, 0, sizeof got);
}

TestSuite(read, .init = setup);

/* True when there is an answer. */
static bool take(const struct ordain_problem *problem, const void *answer)
{
	got.calls_count++;
	cr_assert((problem == NULL) != (answer == NULL));
	if (problem == NULL)
		return true;
	got.code = problem->code;
	snprintf(got.name, sizeof got.name, "%s", problem->name);
	snprintf(got.message, sizeof got.message, "%s", problem->message);
	snprintf(got.field, sizeof got.field, "%s", problem->field == NULL ? "" : problem->field);
	return false;
}

static void account_cb(const struct ordain_problem *problem, const struct ordain_account *account, void *arg)
{
	cr_assert_eq(arg, &lab);
	if (!take(problem, account))
		return;
	got.account = *account;
	cr_assert(ord_fields_is(account->account, "alice") && ord_fields_is(account->asset, "EUR"));
}

static void history_cb(const struct ordain_problem *problem, const struct ordain_history *history, void *arg)
{
	(void)arg;
	if (!take(problem, history))
		return;
	cr_assert(history->postings_count <= 4 && ord_fields_is(history->account, "alice"));
	memcpy(got.postings, history->postings, history->postings_count * sizeof got.postings[0]);
	got.postings_count = history->postings_count;
	got.next = history->next;
	cr_assert(ord_fields_is(history->postings[1].counterparty, "bob"));
}

static void request_cb(const struct ordain_problem *problem, const struct ordain_request *request, void *arg)
{
	(void)arg;
	if (!take(problem, request))
		return;
	got.request = *request;
	snprintf(got.name, sizeof got.name, "%s", request->name);
	cr_assert(ord_fields_is(request->command.transfer.payee, "bob"));
}

static void name_cb(const struct ordain_problem *problem, const struct ordain_name *name, void *arg)
{
	(void)arg;
	if (!take(problem, name))
		return;
	got.owner = *name;
	cr_assert(ord_fields_is(name->owner, "carol") && ord_fields_is(name->space, "ns"));
}

static void call_cb(const struct ordain_problem *problem, const void *result, size_t result_len, void *arg)
{
	(void)arg;
	if (!take(problem, result))
		return;
	cr_assert_leq(result_len, sizeof got.bytes);
	memcpy(got.bytes, result, result_len);
	got.bytes_len = result_len;
}

static struct ordain_call_options within(uint32_t timeout_ms)
{
	return (struct ordain_call_options){.timeout_ms = timeout_ms};
}

static void read_account(uint32_t timeout_ms)
{
	struct ordain_call_options call = within(timeout_ms);
	got.calls_count = 0;
	cr_assert_eq(ordain_get_account(lab.client, ordain_str_of("alice"), &call, account_cb, &lab), 0);
	cr_assert_eq(got.calls_count, 0);
	lab_until(&lab, &got.calls_count, 1, timeout_ms + 2000);
}

Test(read, account)
{
	lab_open(&lab, 3, 1, NULL);
	read_account(5000);
	cr_assert_eq(got.code, 0);
	cr_assert_eq(got.account.state, ORDAIN_ACCOUNT_FROZEN);
	cr_assert(got.account.balance == -7 && got.account.floor == -100 && got.account.ceiling == INT64_MAX);
	cr_assert(got.account.postings_count == 3 && got.account.partition == 5);
	cr_assert_eq(got.account.opened_us, 1700000000000000u);
	uint32_t leader =
		lab.fake.leaders[ord_routing_partition(ord_routing_account(ordain_str_of("alice")), FAKE_PARTITIONS)];
	cr_assert_eq(lab.fake.nodes[leader - 1].requests_count, 1);
	lab_close(&lab);
}

static void check_history_params(struct fake_request *r)
{
	uint64_t from;
	uint32_t limit;
	cr_assert(ord_fields_u64(r->params, "from", &from) && ord_fields_u32(r->params, "limit", &limit));
	cr_assert(r->fake->requests_count == 1 ? from == 1 && limit == 100 : from == 5 && limit == 2);
	fake_answer(r);
}

Test(read, history)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = check_history_params;
	cr_assert_eq(ordain_get_history(lab.client, ordain_str_of("alice"), 0, 0, NULL, history_cb, NULL), 0);
	cr_assert_eq(ordain_get_history(lab.client, ordain_str_of("alice"), 5, 2, NULL, history_cb, NULL), 0);
	lab_until(&lab, &got.calls_count, 2, 5000);
	cr_assert_eq(got.postings_count, 2);
	cr_assert_eq(got.next, 0);
	cr_assert(got.postings[0].kind == ORDAIN_POSTING_CREDIT && got.postings[1].kind == ORDAIN_POSTING_DEBIT);
	cr_assert(got.postings[0].partition == 5 && got.postings[0].offset == 7);
	cr_assert_eq(got.postings[1].offset, UINT64_MAX);
	cr_assert(got.postings[1].amount == 11 && got.postings[1].balance_after == -1);
	cr_assert_eq(ordain_get_history(lab.client, ordain_str_of("alice"), 0, 1001, NULL, history_cb, NULL),
		     ORDAIN_ERR_ARGUMENT);
	lab_close(&lab);
}

/* The request is found in the partition that arg points to; there the home partition is not asked for by number. */
static void found_in(struct fake_request *r)
{
	struct ordain_id id;
	uint32_t partition;
	cr_assert(ord_fields_id(r->params, "id", &id));
	uint32_t home = ord_routing_partition(ord_routing_request(&id), FAKE_PARTITIONS);
	bool other = ord_fields_u32(r->params, "partition", &partition);
	if (!other)
		partition = home;
	else
		cr_assert_neq(partition, home);
	cr_assert_eq(r->fake->leaders[partition], r->node);
	if (partition == *(uint32_t *)r->fake->arg)
		fake_answer(r);
	else
		fake_fault(r, &(struct ord_rpc_fault){.code = ORD_RPC_ERROR_NOT_FOUND});
}

Test(read, a_request_is_looked_for_in_all_partitions)
{
	struct ordain_id id = {{7}};
	uint32_t home = ord_routing_partition(ord_routing_request(&id), FAKE_PARTITIONS);
	for (uint32_t steps = 0; steps <= FAKE_PARTITIONS; steps++) {
		uint32_t place = steps < FAKE_PARTITIONS ? (home + steps) % FAKE_PARTITIONS : UINT32_MAX;
		setup();
		lab_open(&lab, 3, 1, NULL);
		lab.fake.handler = found_in;
		lab.fake.arg = &place;
		cr_assert_eq(ordain_get_request(lab.client, &id, NULL, request_cb, NULL), 0);
		lab_until(&lab, &got.calls_count, 1, 5000);
		cr_assert_eq(lab.fake.requests_count, steps < FAKE_PARTITIONS ? steps + 1 : FAKE_PARTITIONS);
		if (steps == FAKE_PARTITIONS) {
			cr_assert_eq(got.code, ORDAIN_ERR_NOT_FOUND);
		} else {
			cr_assert_eq(got.code, 0);
			cr_assert_eq(got.request.command.kind, ORDAIN_TRANSFER);
			cr_assert_eq(got.request.command.transfer.amount, 250);
			cr_assert_eq(memcmp(&got.request.command.id, &id, sizeof id), 0);
			cr_assert_eq(got.request.status, ORDAIN_STATUS_REJECTED);
			cr_assert(got.request.code == 8 && strcmp(got.name, "below_floor") == 0);
			cr_assert(got.request.partition == 2 && got.request.offset == 9);
			cr_assert(got.request.logged_us == 11 && got.request.decided_us == 12);
		}
		lab_close(&lab);
	}
}

Test(read, name)
{
	lab_open(&lab, 1, 1, NULL);
	cr_assert_eq(ordain_get_name(lab.client, ordain_str_of("ns"), ordain_str_of("name"), NULL, name_cb, NULL), 0);
	lab_until(&lab, &got.calls_count, 1, 5000);
	cr_assert(got.code == 0 && got.owner.id.bytes[0] == 2);
	cr_assert(got.owner.partition == 3 && got.owner.offset == 4 && got.owner.since_us == 77);
	char longer[256] = {0};
	cr_assert_eq(
		ordain_get_name(lab.client, ordain_str_of("ns"), (struct ordain_str){longer, 256}, NULL, name_cb, NULL),
		ORDAIN_ERR_ARGUMENT);
	lab_close(&lab);
}

static void not_found(struct fake_request *r)
{
	fake_fault(r, &(struct ord_rpc_fault){
			      .code = ORD_RPC_ERROR_NOT_FOUND, .message = "no account alice", .field = "account"});
}

Test(read, what_is_not_there)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = not_found;
	read_account(5000);
	cr_assert_eq(got.code, ORDAIN_ERR_NOT_FOUND);
	cr_assert_str_eq(got.name, "not_found");
	cr_assert_str_eq(got.message, "no account alice");
	cr_assert_str_eq(got.field, "account");
	cr_assert_eq(lab.fake.requests_count, 1);
	lab_close(&lab);
}

static void troubled(struct fake_request *r)
{
	switch (r->fake->requests_count) {
	case 1:
		fake_fault(r, &(struct ord_rpc_fault){.code = ORD_RPC_ERROR_BUSY, .retry_after_ms = 20});
		break;
	case 2:
		fake_fault(r, &(struct ord_rpc_fault){.code = ORD_RPC_ERROR_UNAVAILABLE});
		break;
	case 3:
		fake_answer_half(r);
		break;
	default:
		fake_answer(r);
	}
}

Test(read, is_asked_again_while_it_may_help)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = troubled;
	read_account(5000);
	cr_assert_eq(got.code, 0);
	cr_assert_eq(lab.fake.requests_count, 4);
	lab_close(&lab);
}

static void say_nothing(struct fake_request *r)
{
	(void)r;
}

static void always_unavailable(struct fake_request *r)
{
	fake_fault(r, &(struct ord_rpc_fault){.code = ORD_RPC_ERROR_UNAVAILABLE, .message = "no leader"});
}

Test(read, ends_in_time)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = say_nothing;
	uint64_t begun_ms = lab_now_ms();
	read_account(300);
	cr_assert_eq(got.code, ORDAIN_ERR_TIMEOUT);
	cr_assert_lt(lab_now_ms() - begun_ms, 1000);
	lab.fake.handler = always_unavailable;
	read_account(300);
	cr_assert_eq(got.code, ORDAIN_ERR_UNAVAILABLE);
	cr_assert_str_eq(got.message, "no leader");
	fake_kill(&lab.fake, 1);
	lab_spend(&lab, 50);
	read_account(300);
	cr_assert_eq(got.code, ORDAIN_ERR_UNAVAILABLE);
	cr_assert_not_null(strstr(got.message, "127.0.0.1:"), "%s", got.message);
	lab_close(&lab);
}

static void odd_answer(struct fake_request *r)
{
	static const uint8_t nil_result[] = {0x94, 0x01, 0xce, 0, 0, 0, 0, 0xc0, 0x80};
	uint8_t bytes[sizeof nil_result];
	memcpy(bytes, nil_result, sizeof bytes);
	for (int i = 0; i < 4; i++)
		bytes[3 + i] = (uint8_t)(r->rpc_id >> (24 - 8 * i));
	fake_bytes(r->connection, bytes, sizeof bytes);
}

Test(read, an_answer_without_its_fields_is_a_problem)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = odd_answer;
	read_account(5000);
	cr_assert_eq(got.code, ORDAIN_ERR_PROTOCOL);
	cr_assert_eq(ordain_get_history(lab.client, ordain_str_of("a"), 0, 0, NULL, history_cb, NULL), 0);
	cr_assert_eq(ordain_get_name(lab.client, ordain_str_of("a"), ordain_str_of("b"), NULL, name_cb, NULL), 0);
	cr_assert_eq(ordain_get_request(lab.client, &(struct ordain_id){{1}}, NULL, request_cb, NULL), 0);
	lab_until(&lab, &got.calls_count, 4, 5000);
	cr_assert_eq(got.code, ORDAIN_ERR_PROTOCOL);
	lab_close(&lab);
}

static void call_node(uint32_t node, uint32_t timeout_ms)
{
	struct ordain_call_options call = within(timeout_ms);
	setup();
	cr_assert_eq(ordain_call(lab.client, node, "status", NULL, 0, &call, call_cb, NULL), 0);
	lab_until(&lab, &got.calls_count, 1, 5000);
}

Test(read, any_method_of_any_node)
{
	lab_open(&lab, 3, 1, NULL);
	for (uint32_t node = 1; node <= 3; node++) {
		call_node(node, 0);
		cr_assert_eq(got.code, 0);
		cr_assert_eq(got.bytes_len, 7);
		cr_assert_eq(memcmp(got.bytes, "\x81\xa4node", 6), 0);
		cr_assert_eq(got.bytes[6], (char)node);
		cr_assert_eq(lab.fake.nodes[node - 1].requests_count, 1);
	}
	call_node(0, 0);
	cr_assert_eq(got.code, 0);
	call_node(9, 0);
	cr_assert_eq(got.code, ORDAIN_ERR_NOT_FOUND);
	uint64_t begun_ms = lab_now_ms();
	fake_kill(&lab.fake, 2);
	call_node(2, 0);
	cr_assert(got.code == ORDAIN_ERR_UNAVAILABLE || got.code == ORDAIN_ERR_UNKNOWN_OUTCOME, "%d", got.code);
	call_node(2, 0);
	cr_assert_eq(got.code, ORDAIN_ERR_UNAVAILABLE);
	cr_assert_not_null(strstr(got.message, "node 2"), "%s", got.message);
	cr_assert_lt(lab_now_ms() - begun_ms, 1500, "at once");
	lab_close(&lab);
}

Test(read, params_of_a_call_are_one_map)
{
	lab_open(&lab, 1, 1, NULL);
	static const struct {
		const char *bytes;
		size_t len;
	} wrong[] = {{"\x90", 1}, {"\x81\xa1x", 3}, {"\x80\x80", 2}, {"", 0}, {"\xc0", 1}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_assert_eq(ordain_call(lab.client, 0, "status", wrong[i].bytes, wrong[i].len, NULL, call_cb, NULL),
			     ORDAIN_ERR_ARGUMENT);
	cr_assert_eq(ordain_call(lab.client, 0, NULL, NULL, 0, NULL, call_cb, NULL), ORDAIN_ERR_ARGUMENT);
	lab_close(&lab);
}

Test(read, closing_ends_reads)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = say_nothing;
	cr_assert_eq(ordain_get_account(lab.client, ordain_str_of("alice"), NULL, account_cb, &lab), 0);
	lab_until(&lab, &lab.fake.requests_count, 1, 5000);
	cr_assert_eq(ordain_get_account(lab.client, ordain_str_of("alice"), NULL, account_cb, &lab), 0);
	lab_close(&lab);
	cr_assert_eq(got.calls_count, 2);
	cr_assert_eq(got.code, ORDAIN_ERR_CLOSED);
}
