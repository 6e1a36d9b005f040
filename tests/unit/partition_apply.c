/* SPDX-License-Identifier: Apache-2.0 - apply as a whole: entries in, nothing half done, equal states have equal digests. */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>

#include "base/err.h"
#include "base/limits.h"
#include "partition/state.h"
#include "tests/support/partition_build.h"
#include "tests/support/text.h"

static struct lab l;
static struct ord_bytes entry;
static struct ord_effects fx;

static void open_lab(void)
{
	lab_open(&l, 2);
	ord_bytes_init(&entry, ORD_ENTRY_BYTES_MAX);
	ord_effects_init(&fx);
	build_apply(&l, 0, build_open("o1", build_account_in("bank", 0, 2), "EUR", -1000, 1000), 100);
	build_apply(&l, 0, build_open("o2", build_account_in("shop", 0, 2), "EUR", 0, 1000), 100);
	build_apply(&l, 0, build_claim("c1", "users", "ada", "u1"), 100);
}

static void close_lab(void)
{
	lab_close(&l);
	ord_bytes_close(&entry);
	ord_effects_close(&fx);
}

TestSuite(partition_apply, .init = open_lab, .fini = close_lab);

static void begin(uint64_t time_us)
{
	ord_bytes_clear(&entry);
	ord_entry_begin(&entry, time_us);
}

static void add(struct ord_command c)
{
	ord_command_encode(&c, &entry);
}

static struct ord_partition_status status_of(const struct ord_partition *p)
{
	struct ord_partition_status status;

	ord_partition_status(p, &status);
	return status;
}

static bool same_digest(const struct ord_partition_status *a, const struct ord_partition_status *b)
{
	return memcmp(a->state_digest, b->state_digest, sizeof a->state_digest) == 0;
}

/* --- entries that are none --- */

static void cr_nothing_applied(uint32_t count, int err)
{
	struct ord_partition_status before = status_of(l.partitions[0]);

	ord_entry_end(&entry, count);
	fx.replies_count = 1;
	cr_assert_eq(ord_partition_apply(l.partitions[0], ord_bytes_slice(&entry), &fx), err);
	struct ord_partition_status after = status_of(l.partitions[0]);
	cr_assert_eq(memcmp(&before, &after, sizeof before), 0);
	cr_assert_eq(fx.replies_count, 0);
}

Test(partition_apply, of_a_wrong_entry_nothing_is_applied)
{
	begin(200);
	add(build_claim("c2", "users", "bob", "u1"));
	add(build_transfer("t1", "a", "b", -1));
	cr_nothing_applied(2, ORD_ERR_FORMAT);
	begin(200);
	add(build_claim("c2", "users", "bob", "u1"));
	cr_nothing_applied(2, ORD_ERR_TRUNCATED);
	cr_nothing_applied(0, ORD_ERR_FORMAT);
	ord_bytes_put_u8(&entry, 0);
	cr_nothing_applied(1, ORD_ERR_FORMAT);
	entry.len = ORD_ENTRY_HEADER_BYTES - 1;
	cr_assert_eq(ord_partition_apply(l.partitions[0], ord_bytes_slice(&entry), &fx), ORD_ERR_TRUNCATED);
	begin(200);
	entry.base[2] = ORD_LOGIC_VERSION + 1;
	cr_nothing_applied(0, ORD_ERR_MISMATCH);
}

Test(partition_apply, of_a_wrong_run_of_messages_nothing_is_applied)
{
	struct ord_message m = {.kind = ORD_MESSAGE_OUTCOME, .request_id = text_id_of("t1"), .home = 0};
	struct ord_command c = {.kind = ORD_COMMAND_DELIVER, .deliver = {.source = 1, .first = 1}};
	struct ord_bytes run;

	ord_bytes_init(&run, 4096);
	ord_message_encode(&m, &run);
	ord_message_encode(&m, &run);
	c.deliver.messages = ord_bytes_slice(&run);
	c.deliver.count = 3;
	begin(200);
	add(build_claim("c2", "users", "bob", "u1"));
	add(c);
	cr_nothing_applied(2, ORD_ERR_TRUNCATED);
	c.deliver.count = 1;
	begin(200);
	add(c);
	cr_nothing_applied(1, ORD_ERR_FORMAT);
	c.deliver.count = 2;
	run.base[0] = 77;
	begin(200);
	add(c);
	cr_nothing_applied(1, ORD_ERR_FORMAT);
	run.base[0] = ORD_MESSAGE_OUTCOME;
	begin(200);
	add(c);
	ord_entry_end(&entry, 1);
	cr_assert_eq(ord_partition_apply(l.partitions[0], ord_bytes_slice(&entry), &fx), ORD_OK);
	cr_assert_eq(ord_partition_cursor(l.partitions[0], 1), 2);
	ord_bytes_close(&run);
}

/* --- positions, time, history --- */

Test(partition_apply, positions_are_dense_over_all_commands)
{
	struct ord_command three[3] = {
		build_claim("c2", "users", "bob", "u1"),
		{.kind = ORD_COMMAND_TRIM, .trim = {1, 0}},
		build_claim("c3", "users", "cyd", "u1"),
	};

	lab_apply(&l, 0, three, 3, 200);
	cr_assert_eq(l.fx.replies_count, 2);
	cr_assert_eq(l.fx.replies[0].command_number, 0);
	cr_assert_eq(l.fx.replies[0].result.position, 3);
	cr_assert_eq(l.fx.replies[1].command_number, 2);
	cr_assert_eq(l.fx.replies[1].result.position, 5);
	cr_assert_eq(status_of(l.partitions[0]).position, 6);
	cr_assert_eq(status_of(l.partitions[0]).entries_count, 4);
}

/* It only stands in the log to be waited for: replicas at the same position are the same, whether one has applied it or not. */
Test(partition_apply, an_entry_without_commands_changes_nothing)
{
	struct ord_partition_status before = status_of(l.partitions[0]);
	begin(500);
	ord_entry_end(&entry, 0);
	cr_assert_eq(ord_partition_apply(l.partitions[0], ord_bytes_slice(&entry), &fx), ORD_OK);
	struct ord_partition_status after = status_of(l.partitions[0]);
	cr_assert_arr_eq(&after, &before, sizeof before);
}

Test(partition_apply, time_never_goes_back)
{
	struct ord_name_view view;

	build_apply(&l, 0, build_claim("c2", "users", "bob", "u1"), 50);
	cr_assert_eq(status_of(l.partitions[0]).time_us, 100);
	ord_partition_name(l.partitions[0], ord_slice_text("users"), ord_slice_text("bob"), &view);
	cr_assert_eq(view.since_us, 100);
}

Test(partition_apply, history_is_a_chain_of_sha256)
{
	uint8_t link[32 + 1024] = {0};
	struct ord_partition *p;
	struct ord_partition_options options = {.id = 0, .partitions_count = 1};

	cr_assert_eq(ord_partition_open(&options, &p), ORD_OK);
	cr_assert_eq(memcmp(status_of(p).history_hash, link, 32), 0);
	for (unsigned i = 0; i < 3; i++) {
		begin(i);
		add(build_claim("c1", "users", "ada", "u1"));
		ord_entry_end(&entry, 1);
		memcpy(link + 32, entry.base, entry.len);
		cr_assert_eq(EVP_Digest(link, 32 + entry.len, link, NULL, EVP_sha256(), NULL), 1);
		cr_assert_eq(ord_partition_apply(p, ord_bytes_slice(&entry), &fx), ORD_OK);
		cr_assert_eq(memcmp(status_of(p).history_hash, link, 32), 0, "entry %u", i);
	}
	ord_partition_close(p);
}

/* --- digests --- */

Test(partition_apply, equal_logs_give_equal_partitions)
{
	build_apply(&l, 0, build_transfer("t1", build_account_in("bank", 0, 2), build_account_in("far", 1, 2), 5), 300);
	build_apply(&l, 0, build_transfer("t2", build_account_in("bank", 0, 2), build_account_in("shop", 0, 2), 5),
		    300);
	struct ord_partition *twin = lab_replay(&l, 0, l.logs[0].count);
	struct ord_partition_status a = status_of(l.partitions[0]), b = status_of(twin);
	cr_assert_eq(memcmp(&a, &b, sizeof a), 0);
	ord_partition_close(twin);
	twin = lab_replay(&l, 0, l.logs[0].count - 1);
	b = status_of(twin);
	cr_assert_not(same_digest(&a, &b));
	ord_partition_close(twin);
}

Test(partition_apply, a_state_does_not_depend_on_how_commands_were_batched)
{
	struct random r = random_of(1);

	for (unsigned i = 0; i < 30; i++) {
		char id[16], name[16];

		snprintf(id, sizeof id, "n%u", i);
		snprintf(name, sizeof name, "name%u", i % 20);
		build_apply(&l, 0, build_claim(id, "users", name, "u1"), 100);
	}
	for (unsigned i = 0; i < 5; i++) {
		struct ord_partition *twin = lab_resplit(&l, 0, &r);
		struct ord_partition_status a = status_of(l.partitions[0]), b = status_of(twin);
		cr_assert(same_digest(&a, &b));
		cr_assert_neq(a.entries_count, b.entries_count);
		ord_partition_close(twin);
	}
}

/* The digest that grew with every change is the one that is made anew, after each kind of command and stage. */
Test(partition_apply, a_digest_follows_every_change)
{
	const char *bank = build_account_in("bank", 0, 2), *shop = build_account_in("shop", 0, 2);
	const char *far = build_account_in("far", 1, 2);
	struct {
		uint32_t partition;
		struct ord_command c;
	} steps[] = {
		{0, build_set("s1", shop, ORD_ACCOUNT_FROZEN)}, {0, build_set("s2", shop, ORD_ACCOUNT_OPEN)},
		{0, build_transfer("t1", bank, shop, 5)},	{0, build_transfer("t2", bank, shop, 5000)},
		{0, build_transfer("t3", bank, "nobody", 5)},	{0, build_transfer("t4", bank, far, 5)},
		{1, build_open("o3", far, "EUR", -5, 5)},	{1, build_open("o3", far, "EUR", -5, 6)},
		{1, build_open("o4", far, "EUR", -5, 6)},	{1, build_transfer("t5", far, bank, 5)},
		{1, build_transfer("t5", far, bank, 5)},	{0, build_claim("c2", "users", "bob", "u1")},
		{0, build_claim("c3", "users", "bob", "u2")},	{0, build_reassign("a1", "users", "bob", "u1", "u2")},
		{0, build_release("r1", "users", "bob", "u1")}, {0, build_release("r2", "users", "bob", "u2")},
	};

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		build_apply(&l, steps[i].partition, steps[i].c, 400 + i);
		cr_assert(build_digests_hold(&l), "step %zu", i);
		build_settle(&l, 500 + i);
		cr_assert(build_digests_hold(&l), "after step %zu", i);
	}
	cr_assert_eq(status_of(l.partitions[0]).unsettled_count + status_of(l.partitions[1]).unsettled_count, 0);
}

/* Every kind of record counts: whoever changes one in memory changes the digest that is made anew. */
Test(partition_apply, a_digest_notices_what_changed_by_itself)
{
	struct ord_partition *p = l.partitions[0];
	uint64_t good[2], bad[2];
	uint64_t cursor = 0;

	build_apply(&l, 0, build_transfer("t1", build_account_in("bank", 0, 2), build_account_in("far", 1, 2), 5), 300);
	build_apply(&l, 0, build_transfer("t2", build_account_in("bank", 0, 2), build_account_in("shop", 0, 2), 5),
		    300);
	build_apply(&l, 0, build_transfer("t3", build_account_in("shop", 0, 2), build_account_in("bank", 0, 2), 9),
		    300);
	ord_partition_digest_recompute(p, good);
#define FLIPS(place)                                                                               \
	do {                                                                                       \
		(place) ^= 1;                                                                      \
		ord_partition_digest_recompute(p, bad);                                            \
		cr_assert(memcmp(good, bad, sizeof good) != 0, "%s is not in the digest", #place); \
		(place) ^= 1;                                                                      \
		ord_partition_digest_recompute(p, bad);                                            \
		cr_assert_eq(memcmp(good, bad, sizeof good), 0);                                   \
	} while (0)
	struct ord_account *a = ord_state_next_account(p, &cursor, NULL);
	FLIPS(a->balance);
	FLIPS(a->floor);
	FLIPS(a->ceiling);
	FLIPS(a->opened_us);
	FLIPS(a->state);
	FLIPS(a->text[0]);
	FLIPS(a->postings_count);
	cursor = 0;
	struct ord_name *n = ord_state_next_name(p, &cursor, NULL);
	FLIPS(n->position);
	FLIPS(n->since_us);
	FLIPS(n->text[n->space_bytes + n->name_bytes]);
	FLIPS(n->request_id.bytes[15]);
	cursor = 0;
	for (struct ord_request *r = NULL; (r = ord_state_next_request(p, &cursor, r)) != NULL;) {
		FLIPS(r->position);
		FLIPS(r->logged_us);
		FLIPS(r->body[0]);
		FLIPS(r->id.bytes[15]);
		if (r->status == ORD_STATUS_ACCEPTED)
			continue;
		FLIPS(r->decided_us);
		FLIPS(r->status);
		FLIPS(r->reason);
		FLIPS(r->field);
	}
	cursor = 0;
	unsigned refused = 0;
	for (struct ord_stage *s = NULL; (s = ord_state_next_stage(p, &cursor, s)) != NULL;) {
		FLIPS(s->home);
		FLIPS(s->kind);
		FLIPS(s->request_id.bytes[15]);
		refused += s->reason != ORD_REFUSAL_NONE;
		if (s->reason != ORD_REFUSAL_NONE)
			continue;
		struct ord_posting *posting = (struct ord_posting *)s;
		FLIPS(posting->amount);
		FLIPS(posting->balance_after);
		FLIPS(posting->number);
		FLIPS(posting->position);
		FLIPS(posting->time_us);
		FLIPS(posting->counterparty[0]);
	}
	cr_assert_eq(refused, 1);
	FLIPS(p->cursors[1]);
	FLIPS(*(uint8_t *)ord_outbox_peek(&p->outboxes[1], 1, 1).messages.base);
	FLIPS(p->position);
	FLIPS(p->time_us);
	FLIPS(p->unsettled_count);
	FLIPS(p->ignored_count);
}

/* --- reading --- */

Test(partition_apply, a_history_is_read_page_by_page)
{
	struct ord_posting_view v[10];
	struct ord_slice bank = ord_slice_text(build_account_in("bank", 0, 2));
	size_t count = 0;

	for (unsigned i = 0; i < 25; i++) {
		char id[16];

		snprintf(id, sizeof id, "p%u", i);
		build_apply(&l, 0, build_transfer(id, bank.base, build_account_in("shop", 0, 2), 1), 300);
	}
	for (uint64_t from = 1; from <= 25; from += 10) {
		cr_assert_eq(ord_partition_history(l.partitions[0], bank, from, v, 10, &count), ORD_OK);
		cr_assert_eq(count, from == 21 ? 5 : 10);
		for (size_t i = 0; i < count; i++) {
			cr_assert_eq(v[i].number, from + i);
			cr_assert_eq(v[i].balance_after, -(int64_t)(from + i));
		}
	}
	cr_assert_eq(ord_partition_history(l.partitions[0], bank, 26, v, 10, &count), ORD_OK);
	cr_assert_eq(count, 0);
	cr_assert_eq(ord_partition_history(l.partitions[0], bank, UINT64_MAX, v, 10, &count), ORD_OK);
	cr_assert_eq(count, 0);
	cr_assert_eq(ord_partition_history(l.partitions[0], bank, 0, v, 1, &count), ORD_OK);
	cr_assert_eq(v[0].number, 1);
	cr_assert_eq(ord_partition_history(l.partitions[0], ord_slice_text("x"), 1, v, 1, &count), ORD_ERR_NOT_FOUND);
}

Test(partition_apply, what_was_trimmed_cannot_be_peeked, .signal = SIGABRT)
{
	struct ord_command trim = {.kind = ORD_COMMAND_TRIM, .trim = {1, 1}};

	build_apply(&l, 0, build_transfer("t1", build_account_in("bank", 0, 2), build_account_in("far", 1, 2), 5), 300);
	build_apply(&l, 0, build_transfer("t2", build_account_in("bank", 0, 2), build_account_in("far", 1, 2), 5), 300);
	build_apply(&l, 0, trim, 300);
	ord_partition_outbox_peek(l.partitions[0], 1, 1, 100);
}
