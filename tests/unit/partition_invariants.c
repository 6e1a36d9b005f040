/* SPDX-License-Identifier: Apache-2.0 - the invariants hold wherever a cluster stands, and each of them is missed when it is broken on purpose. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "partition/account.h"
#include "partition/invariants.h"
#include "partition/name.h"
#include "partition/posting.h"
#include "partition/request.h"
#include "partition/route.h"
#include "tests/support/lab.h"
#include "tests/support/partition_build.h"
#include "tests/support/text.h"

#define PARTITIONS 3
#define COMMANDS_MAX 32
#define TIME_US 1000

/* The bank lives in partition 0, alice in 1, bob in 2. */
static struct lab lab;
static const char *bank, *alice, *bob, *nobody;
static uint32_t names_partition;

/* Transfers, each with an id that lives in the partition given here. */
enum { PAID, POOR, LOST, CREDIT, DEBIT, OUTCOME, TRANSFERS };
static const struct {
	const char *stem;
	uint32_t home;
} transfers[TRANSFERS] = {
	[PAID] = {"paid", 2},	  /* settled: bank to alice 100 */
	[POOR] = {"poor", 2},	  /* below the floor: alice to bob 5000 */
	[LOST] = {"lost", 0},	  /* refunded: alice to nobody 10 */
	[CREDIT] = {"credit", 1}, /* its credit is under way from 0 to 2: bank to bob 8 */
	[DEBIT] = {"debit", 1},	  /* its debit is under way from 1 to 0: bank to alice 7 */
	[OUTCOME] = {"done", 1},  /* its outcome is under way from 2 to 1: alice to bob 9 */
};

static const char *id_of(int transfer)
{
	return build_id_in(transfers[transfer].stem, transfers[transfer].home, PARTITIONS);
}

static void ask(int transfer, const char *payer, const char *payee, int64_t amount)
{
	build_apply(&lab, transfers[transfer].home, build_transfer(id_of(transfer), payer, payee, amount), TIME_US);
}

static void deliver(uint32_t source, uint32_t destination)
{
	uint64_t first = ord_partition_cursor(lab.partitions[destination], source) + 1;
	uint64_t last = lab.letters[source][destination].count;
	struct ord_command c = lab_deliver(&lab, source, destination, first, (uint32_t)(last - first + 1));

	build_apply(&lab, destination, c, TIME_US);
	free((void *)c.deliver.messages.base);
}

static void names_open(void)
{
	struct ord_command claim = build_claim("n1", "users", "ada", "node-1");

	names_partition = ord_route_command(&claim, PARTITIONS);
	build_apply(&lab, names_partition, claim, TIME_US);
	build_apply(&lab, names_partition, build_claim("n2", "users", "ada", "node-2"), TIME_US);
	build_apply(&lab, names_partition, build_reassign("n3", "users", "ada", "node-1", "node-3"), TIME_US);
	build_apply(&lab, names_partition, build_release("n4", "users", "ada", "node-1"), TIME_US);
}

static void cluster_open(void)
{
	lab_open(&lab, PARTITIONS);
	bank = build_account_in("bank", 0, PARTITIONS);
	alice = build_account_in("alice", 1, PARTITIONS);
	bob = build_account_in("bob", 2, PARTITIONS);
	nobody = build_account_in("nobody", 2, PARTITIONS);
	build_apply(&lab, 0, build_open("o1", bank, "EUR", -1000, INT64_MAX), TIME_US);
	build_apply(&lab, 1, build_open("o2", alice, "EUR", 0, INT64_MAX), TIME_US);
	build_apply(&lab, 2, build_open("o3", bob, "EUR", 0, 500), TIME_US);
	names_open();
	ask(PAID, bank, alice, 100);
	build_settle(&lab, TIME_US);
	ask(POOR, alice, bob, 5000);
	ask(LOST, alice, nobody, 10);
	build_settle(&lab, TIME_US);
	ask(CREDIT, bank, bob, 8);
	deliver(1, 0);
	ask(DEBIT, bank, alice, 7);
	ask(OUTCOME, alice, bob, 9);
	deliver(1, 2);
}

static void cluster_close(void)
{
	lab_close(&lab);
}

TestSuite(partition_invariants, .init = cluster_open, .fini = cluster_close);

Test(partition_invariants, hold_while_messages_are_under_way)
{
	char why[256] = "";

	cr_assert_eq(ord_invariants_check(lab.partitions, PARTITIONS, why, sizeof why), ORD_OK, "%s", why);
	build_settle(&lab, TIME_US);
	cr_assert_eq(ord_invariants_check(lab.partitions, PARTITIONS, why, sizeof why), ORD_OK, "%s", why);
	for (int i = 0; i < TRANSFERS; i++)
		cr_expect_neq(build_request(&lab, transfers[i].home, id_of(i)).status, ORD_STATUS_ACCEPTED);
}

/* Any replica of one partition may be seen beside any of another: nothing may be called broken that is only old. */
Test(partition_invariants, hold_at_unrelated_positions)
{
	struct ord_partition *replicas[PARTITIONS][COMMANDS_MAX + 1];
	struct ord_partition *cut[PARTITIONS];
	size_t *counts = (size_t[PARTITIONS]){0};
	char why[256] = "";

	build_settle(&lab, TIME_US);
	for (uint32_t i = 0; i < PARTITIONS; i++) {
		counts[i] = lab.logs[i].count;
		cr_assert_leq(counts[i], COMMANDS_MAX);
		for (size_t n = 0; n <= counts[i]; n++)
			replicas[i][n] = lab_replay(&lab, i, n);
	}
	for (size_t a = 0; a <= counts[0]; a++) {
		for (size_t b = 0; b <= counts[1]; b++) {
			for (size_t c = 0; c <= counts[2]; c++) {
				cut[0] = replicas[0][a], cut[1] = replicas[1][b], cut[2] = replicas[2][c];
				cr_assert_eq(ord_invariants_check(cut, PARTITIONS, why, sizeof why), ORD_OK,
					     "at %zu %zu %zu: %s", a, b, c, why);
			}
		}
	}
	for (uint32_t i = 0; i < PARTITIONS; i++) {
		for (size_t n = 0; n <= counts[i]; n++)
			ord_partition_close(replicas[i][n]);
	}
}

/* --- Breaking one thing at a time. --- */

static struct ord_account *account_of(uint32_t partition, const char *account)
{
	return ord_account_find(lab.partitions[partition], ord_slice_text(account));
}

static struct ord_request *request_of(uint32_t partition, const char *id)
{
	struct ord_uuid request_id = text_id_of(id);

	return ord_request_find(lab.partitions[partition], &request_id);
}

static struct ord_request *transfer_of(int transfer)
{
	return request_of(transfers[transfer].home, id_of(transfer));
}

static void decide(struct ord_request *r, enum ord_status status, enum ord_refusal reason)
{
	r->status = (uint8_t)status;
	r->reason = (uint16_t)reason;
	r->decided_us = status == ORD_STATUS_ACCEPTED ? 0 : TIME_US;
}

/* A message that no stage has sent. */
static void send(uint32_t source, uint32_t destination, enum ord_message_kind kind, int transfer,
		 enum ord_refusal reason)
{
	struct ord_partition *p = lab.partitions[source];
	struct ord_outbox *o = &p->outboxes[destination];
	uint64_t bytes_before = o->bytes;
	struct ord_message m = {
		.kind = kind,
		.request_id = text_id_of(id_of(transfer)),
		.home = transfers[transfer].home,
		.transfer = ord_request_command(transfer_of(transfer)).transfer,
		.reason = reason,
	};

	ord_outbox_append(o, &m, &p->digest);
	p->outbox_count++;
	p->outbox_bytes += o->bytes - bytes_before;
}

static void note_stage(uint32_t partition, enum ord_posting_kind kind, int transfer)
{
	struct ord_message m = {.request_id = text_id_of(id_of(transfer)), .home = transfers[transfer].home};

	ord_posting_refuse(lab.partitions[partition], kind, &m, ORD_REFUSAL_BELOW_FLOOR);
}

static void copy_account(uint32_t source, const char *account, uint32_t destination)
{
	const struct ord_account *a = account_of(source, account);
	size_t bytes = sizeof *a + a->id_bytes + a->asset_bytes;
	struct ord_account *copy = ord_pool_take(&lab.partitions[destination]->pool, bytes);

	memcpy(copy, a, bytes);
	copy->balance = 0;
	copy->postings_count = 0;
	lab.partitions[destination]->accounts_count++;
	ord_table_put(&lab.partitions[destination]->accounts, &copy->row.link, a->row.link.hash);
}

static struct ord_posting *posting_of(uint32_t partition, const char *account, uint64_t number)
{
	return ord_posting_record(lab.partitions[partition], account_of(partition, account), number);
}

static void balance_flips(void)
{
	account_of(1, alice)->balance ^= 64;
}

static void money_made(void)
{
	struct ord_account *a = account_of(2, bob);
	struct ord_posting *last = posting_of(2, bob, a->postings_count);

	last->amount++;
	last->balance_after++;
	a->balance++;
}

static void other_counterparty(void)
{
	posting_of(1, alice, 1)->counterparty[0] ^= 1;
}

static void posting_renumbered(void)
{
	posting_of(1, alice, 1)->number++;
}

static void posting_reordered(void)
{
	posting_of(1, alice, 1)->position = posting_of(1, alice, 2)->position + 1;
}

static void floor_raised(void)
{
	account_of(0, bank)->floor = 0;
}

static void ceiling_lowered(void)
{
	account_of(2, bob)->ceiling = 1;
}

static void account_twice(void)
{
	copy_account(2, bob, 2);
}

static void account_elsewhere(void)
{
	copy_account(2, bob, 1);
}

static void debit_skipped(void)
{
	lab.partitions[0]->cursors[1]++;
}

static void credit_skipped(void)
{
	lab.partitions[2]->cursors[0]++;
}

static void cursor_back(void)
{
	lab.partitions[0]->cursors[1]--;
}

static void settled_becomes_rejected(void)
{
	decide(transfer_of(PAID), ORD_STATUS_REJECTED, ORD_REFUSAL_BELOW_FLOOR);
}

static void rejected_becomes_settled(void)
{
	decide(transfer_of(POOR), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
}

static void refunded_becomes_settled(void)
{
	decide(transfer_of(LOST), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
}

static void reason_changes(void)
{
	decide(transfer_of(LOST), ORD_STATUS_REJECTED, ORD_REFUSAL_ABOVE_CEILING);
}

static void outcome_forgotten(void)
{
	decide(transfer_of(PAID), ORD_STATUS_ACCEPTED, ORD_REFUSAL_NONE);
	lab.partitions[transfers[PAID].home]->unsettled_count++;
}

static void outcome_too_early(void)
{
	decide(transfer_of(DEBIT), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
	lab.partitions[transfers[DEBIT].home]->unsettled_count--;
}

static void outcome_without_time(void)
{
	transfer_of(PAID)->decided_us = 0;
}

static void request_forgotten(void)
{
	ord_table_remove(&lab.partitions[transfers[PAID].home]->requests, &transfer_of(PAID)->row.link);
	lab.partitions[transfers[PAID].home]->requests_count--;
}

static void request_elsewhere(void)
{
	struct ord_uuid other = text_id_of(build_id_in("x", 0, PARTITIONS));

	transfer_of(PAID)->id = other;
}

static void positions_clash(void)
{
	transfer_of(DEBIT)->position = transfer_of(CREDIT)->position;
}

static void stage_twice(void)
{
	note_stage(1, ORD_POSTING_DEBIT, POOR);
}

static void stage_in_two_places(void)
{
	note_stage(2, ORD_POSTING_DEBIT, PAID);
}

static void stage_after_refusal(void)
{
	note_stage(2, ORD_POSTING_CREDIT, POOR);
}

static void outcome_sent_twice(void)
{
	send(1, 2, ORD_MESSAGE_OUTCOME, PAID, ORD_REFUSAL_NONE);
}

static void refund_from_nothing(void)
{
	send(1, 0, ORD_MESSAGE_REFUND, PAID, ORD_REFUSAL_UNKNOWN_PAYEE);
}

static void message_goes_astray(void)
{
	send(1, 2, ORD_MESSAGE_DEBIT, DEBIT, ORD_REFUSAL_NONE);
}

static void message_to_itself(void)
{
	send(0, 0, ORD_MESSAGE_DEBIT, DEBIT, ORD_REFUSAL_NONE);
}

static void name_stolen(void)
{
	struct ord_name *n =
		ord_name_find(lab.partitions[names_partition], ord_slice_text("users"), ord_slice_text("ada"));

	n->text[n->space_bytes + n->name_bytes] ^= 1;
}

static void name_lost(void)
{
	struct ord_name *n =
		ord_name_find(lab.partitions[names_partition], ord_slice_text("users"), ord_slice_text("ada"));

	ord_table_remove(&lab.partitions[names_partition]->names, &n->row.link);
	lab.partitions[names_partition]->names_count--;
}

static void second_claim_wins(void)
{
	decide(request_of(names_partition, "n2"), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
}

static void first_claim_loses(void)
{
	decide(request_of(names_partition, "n1"), ORD_STATUS_REJECTED, ORD_REFUSAL_NAME_TAKEN);
}

static void stranger_releases(void)
{
	decide(request_of(names_partition, "n4"), ORD_STATUS_SETTLED, ORD_REFUSAL_NONE);
}

static void unsettled_miscounted(void)
{
	lab.partitions[1]->unsettled_count++;
}

static void postings_miscounted(void)
{
	lab.partitions[1]->postings_count++;
}

static void outbox_miscounted(void)
{
	lab.partitions[1]->outbox_count++;
}

static const struct {
	const char *what;
	void (*plant)(void);
	const char *expected; /* in what the check says */
} breaks[] = {
	{"a balance is not its postings", balance_flips, "another balance than the sum"},
	{"money made", money_made, "invariant 1"},
	{"a posting for another", other_counterparty, "a posting is not what the request asked for"},
	{"a posting renumbered", posting_renumbered, "is not the account's"},
	{"postings out of order", posting_reordered, "older than the one before"},
	{"below the floor", floor_raised, "passes the floor"},
	{"above the ceiling", ceiling_lowered, "passes the ceiling"},
	{"an account twice", account_twice, "there twice"},
	{"an account in another partition", account_elsewhere, "not where it belongs"},
	{"a message skipped", debit_skipped, "no message is under way"},
	{"a message with money skipped", credit_skipped, "invariant 1"},
	{"a message due again", cursor_back, "two messages are under way"},
	{"settled becomes rejected", settled_becomes_rejected, "its outcome is not what its stages did"},
	{"rejected becomes settled", rejected_becomes_settled, "its outcome is not what its stages did"},
	{"refunded becomes settled", refunded_becomes_settled, "its outcome is not what its stages did"},
	{"rejected for another reason", reason_changes, "its outcome is not what its stages did"},
	{"an outcome forgotten", outcome_forgotten, "no message is under way"},
	{"an outcome too early", outcome_too_early, "a message is still under way"},
	{"an outcome without a time", outcome_without_time, "invariant 6"},
	{"a request forgotten", request_forgotten, "nobody asked for it"},
	{"a request in another partition", request_elsewhere, "there twice"},
	{"two requests at one position", positions_clash, "at position"},
	{"a stage twice", stage_twice, "did a stage twice"},
	{"a stage in two places", stage_in_two_places, "in two places"},
	{"a stage after a refusal", stage_after_refusal, "and yet it went on"},
	{"an outcome sent twice", outcome_sent_twice, "a message is still under way"},
	{"a refund from nothing", refund_from_nothing, "invariant 1"},
	{"a message to the wrong partition", message_goes_astray, "invariant 7"},
	{"a message to itself", message_to_itself, "invariant 7"},
	{"a name with another owner", name_stolen, "invariant 4"},
	{"a name lost", name_lost, "invariant 4"},
	{"the second claim wins", second_claim_wins, "invariant 4"},
	{"the first claim loses", first_claim_loses, "invariant 4"},
	{"a stranger releases", stranger_releases, "invariant 4"},
	{"unsettled requests miscounted", unsettled_miscounted, "unsettled"},
	{"postings miscounted", postings_miscounted, "postings"},
	{"outbox messages miscounted", outbox_miscounted, "outbox messages"},
};

static void digests_of(uint64_t digests[PARTITIONS][2])
{
	for (uint32_t i = 0; i < PARTITIONS; i++)
		ord_partition_digest_recompute(lab.partitions[i], digests[i]);
}

/* Makes every digest that of the state as it now is: what is broken is not betrayed by that. */
static void reseal(void)
{
	struct ord_partition_status status;
	uint64_t digest[2];

	for (uint32_t i = 0; i < PARTITIONS; i++) {
		ord_partition_status(lab.partitions[i], &status);
		ord_partition_digest_recompute(lab.partitions[i], digest);
		lab.partitions[i]->digest.sum[0] += digest[0] - status.state_digest[0];
		lab.partitions[i]->digest.sum[1] += digest[1] - status.state_digest[1];
	}
}

Test(partition_invariants, each_break_is_found_and_named_and_shows_in_a_digest)
{
	for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
		uint64_t before[PARTITIONS][2], after[PARTITIONS][2];
		char why[256] = "";
		int err;

		digests_of(before);
		breaks[i].plant();
		digests_of(after);
		/* How many bytes the outbox holds follows from its messages, which the digest covers. */
		cr_expect(breaks[i].plant == outbox_miscounted || memcmp(before, after, sizeof before) != 0,
			  "%s: no digest shows it", breaks[i].what);
		reseal();
		err = ord_invariants_check(lab.partitions, PARTITIONS, why, sizeof why);
		cr_expect_eq(err, ORD_ERR_CORRUPT, "%s: not found", breaks[i].what);
		cr_expect_not_null(strstr(why, breaks[i].expected), "%s: '%s' instead of '%s'", breaks[i].what, why,
				   breaks[i].expected);
		cluster_close();
		cluster_open();
	}
}

Test(partition_invariants, a_changed_byte_betrays_itself_by_the_digest)
{
	char why[256] = "";

	account_of(1, alice)->balance ^= 64;
	cr_assert_eq(ord_invariants_check(lab.partitions, PARTITIONS, why, sizeof why), ORD_ERR_CORRUPT);
	cr_assert_not_null(strstr(why, "invariant 5"), "%s", why);
}

/* With bob's partition at its very beginning nothing is known about where messages to it are; what contradicts itself is found all the same. */
Test(partition_invariants, contradictions_are_found_at_unrelated_positions)
{
	struct ord_message m = {
		.kind = ORD_MESSAGE_REFUND,
		.request_id = text_id_of(id_of(PAID)),
		.home = transfers[PAID].home,
		.transfer = ord_request_command(transfer_of(PAID)).transfer,
		.reason = ORD_REFUSAL_UNKNOWN_PAYEE,
	};
	struct ord_partition *cut[PARTITIONS] = {lab.partitions[0], lab.partitions[1], lab_replay(&lab, 2, 0)};
	char why[256] = "";

	cr_assert_eq(ord_invariants_check(cut, PARTITIONS, why, sizeof why), ORD_OK, "%s", why);
	ord_posting_add(lab.partitions[0], account_of(0, bank), ORD_POSTING_REFUND, &m);
	lab.partitions[0]->position++;
	reseal();
	cr_expect_eq(ord_invariants_check(cut, PARTITIONS, why, sizeof why), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(why, "credited and refunded"), "%s", why);
	ord_partition_close(cut[2]);
}

/* The digest of everything says whether the change that was just made to a record shows in it. */
static bool shows(void)
{
	static uint64_t before[PARTITIONS][2];
	uint64_t now[PARTITIONS][2];

	digests_of(now);
	bool differs = memcmp(before, now, sizeof now) != 0;
	memcpy(before, now, sizeof now);
	return differs;
}

Test(partition_invariants, every_field_shows_in_a_digest)
{
	struct ord_account *a = account_of(1, alice);
	struct ord_posting *posting = posting_of(1, alice, 1);
	struct ord_request *r = transfer_of(PAID);
	struct ord_name *n =
		ord_name_find(lab.partitions[names_partition], ord_slice_text("users"), ord_slice_text("ada"));
	struct ord_uuid poor = text_id_of(id_of(POOR));
	struct ord_stage *refused = (struct ord_stage *)ord_posting_find(lab.partitions[1], &poor, ORD_POSTING_DEBIT);

	cr_assert(shows() && !shows());
	cr_expect((a->text[0] ^= 1, shows()), "account id");
	cr_expect((a->text[a->id_bytes] ^= 1, shows()), "asset");
	cr_expect((a->id_bytes--, a->asset_bytes++, shows()), "where the id ends");
	cr_expect((a->id_bytes++, a->asset_bytes--, shows()), "where the id ends");
	cr_expect((a->floor--, shows()), "floor");
	cr_expect((a->ceiling--, shows()), "ceiling");
	cr_expect((a->opened_us++, shows()), "time of opening");
	cr_expect((a->state = ORD_ACCOUNT_FROZEN, shows()), "state");
	cr_expect((a->balance++, shows()), "balance");
	cr_expect((a->balance += (ord_balance)1 << 64, shows()), "balance beyond 64 bits");
	cr_expect((posting->stage.request_id.bytes[0] ^= 1, shows()), "posting's request");
	cr_expect((posting->stage.home++, shows()), "posting's home");
	cr_expect((posting->stage.kind = ORD_POSTING_REFUND, shows()), "posting's kind");
	cr_expect((posting->amount++, shows()), "amount");
	cr_expect((posting->balance_after++, shows()), "balance after");
	cr_expect((posting->position++, shows()), "posting's position");
	cr_expect((posting->time_us++, shows()), "posting's time");
	cr_expect((posting->counterparty[0] ^= 1, shows()), "counterparty");
	cr_expect((refused->reason++, shows()), "refused stage's reason");
	cr_expect((refused->home++, shows()), "refused stage's home");
	cr_expect((r->position++, shows()), "request's position");
	cr_expect((r->logged_us++, shows()), "time of logging");
	cr_expect((r->decided_us++, shows()), "time of deciding");
	cr_expect((r->body[1] ^= 1, shows()), "what was asked");
	cr_expect((r->kind++, shows()), "request's kind");
	cr_expect((r->status = ORD_STATUS_REJECTED, shows()), "status");
	cr_expect((r->reason++, shows()), "reason");
	cr_expect((r->field++, shows()), "field");
	cr_expect((n->text[0] ^= 1, shows()), "namespace");
	cr_expect((n->text[n->space_bytes] ^= 1, shows()), "name");
	cr_expect((n->text[n->space_bytes + n->name_bytes] ^= 1, shows()), "owner");
	cr_expect((n->space_bytes--, n->name_bytes++, shows()), "where the namespace ends");
	cr_expect((n->name_bytes--, n->owner_bytes++, shows()), "where the name ends");
	cr_expect((n->request_id.bytes[15] ^= 1, shows()), "name's request");
	cr_expect((n->position++, shows()), "name's position");
	cr_expect((n->since_us++, shows()), "name's time");
	cr_expect((lab.partitions[2]->cursors[1]++, shows()), "cursor");
	cr_expect((lab.partitions[2]->position++, shows()), "position");
	cr_expect((lab.partitions[2]->time_us++, shows()), "time");
}
