/* SPDX-License-Identifier: Apache-2.0 - names: the first claim wins, and only the expected owner gives up. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/err.h"
#include "tests/support/partition_build.h"
#include "tests/support/text.h"

static struct lab l;

static void open_lab(void)
{
	lab_open(&l, 1);
}

static void close_lab(void)
{
	lab_close(&l);
}

TestSuite(partition_name, .init = open_lab, .fini = close_lab);

static struct ord_result apply(struct ord_command c)
{
	return build_apply(&l, 0, c, 1000 + l.logs[0].count);
}

static void cr_settled(struct ord_command c)
{
	struct ord_result r = apply(c);

	cr_assert_eq(r.status, ORD_STATUS_SETTLED, "reason %s", ord_refusal_name(r.reason));
}

static void cr_refused(struct ord_command c, enum ord_refusal reason)
{
	struct ord_result r = apply(c);

	cr_assert_eq(r.status, ORD_STATUS_REJECTED);
	cr_assert_eq(r.reason, reason, "reason %s", ord_refusal_name(r.reason));
}

static void cr_owner(const char *owner, const char *request, uint64_t position)
{
	struct ord_name_view view;
	struct ord_uuid id = text_id_of(request);

	cr_assert_eq(ord_partition_name(l.partitions[0], ord_slice_text("users"), ord_slice_text("ada"), &view),
		     ORD_OK);
	cr_assert(ord_slice_equal(view.owner, ord_slice_text(owner)));
	cr_assert(ord_uuid_equal(&view.request_id, &id));
	cr_assert_eq(view.position, position);
	cr_assert_eq(view.since_us, 1000 + position);
}

static bool is_free(const char *space, const char *name)
{
	struct ord_name_view view;

	return ord_partition_name(l.partitions[0], ord_slice_text(space), ord_slice_text(name), &view) ==
	       ORD_ERR_NOT_FOUND;
}

static uint64_t names_count(void)
{
	struct ord_partition_status status;

	ord_partition_status(l.partitions[0], &status);
	return status.names_count;
}

Test(partition_name, the_first_claim_wins)
{
	cr_assert(is_free("users", "ada"));
	cr_settled(build_claim("c1", "users", "ada", "u1"));
	cr_refused(build_claim("c2", "users", "ada", "u2"), ORD_REFUSAL_NAME_TAKEN);
	/* A claim is granted once, to its owner too. */
	cr_refused(build_claim("c3", "users", "ada", "u1"), ORD_REFUSAL_NAME_TAKEN);
	cr_owner("u1", "c1", 0);
	cr_settled(build_claim("c4", "groups", "ada", "u2"));
	cr_settled(build_claim("c5", "user", "sada", "u2"));
	cr_assert_eq(names_count(), 3);
	cr_owner("u1", "c1", 0);
}

Test(partition_name, of_two_claims_in_one_entry_the_first_wins)
{
	struct ord_command both[2] = {build_claim("c1", "users", "ada", "u1"), build_claim("c2", "users", "ada", "u2")};

	lab_apply(&l, 0, both, 2, 1000);
	cr_assert_eq(l.fx.replies_count, 2);
	cr_assert_eq(l.fx.replies[0].command_number, 0);
	cr_assert_eq(l.fx.replies[0].result.status, ORD_STATUS_SETTLED);
	cr_assert_eq(l.fx.replies[1].command_number, 1);
	cr_assert_eq(l.fx.replies[1].result.reason, ORD_REFUSAL_NAME_TAKEN);
	cr_assert_eq(l.fx.replies[1].result.position, 1);
	cr_assert_eq(l.fx.outcomes_count, 0);
	cr_owner("u1", "c1", 0);
}

Test(partition_name, only_its_owner_gives_it_up)
{
	cr_refused(build_release("r0", "users", "ada", "u1"), ORD_REFUSAL_NAME_FREE);
	cr_settled(build_claim("c1", "users", "ada", "u1"));
	cr_refused(build_release("r1", "users", "ada", "u2"), ORD_REFUSAL_OTHER_OWNER);
	cr_assert_not(is_free("users", "ada"));
	cr_settled(build_release("r2", "users", "ada", "u1"));
	cr_assert(is_free("users", "ada"));
	cr_assert_eq(names_count(), 0);
	cr_settled(build_claim("c2", "users", "ada", "u2"));
	cr_owner("u2", "c2", 4);
}

Test(partition_name, changes_hands_from_the_expected_owner)
{
	cr_refused(build_reassign("a0", "users", "ada", "u1", "u2"), ORD_REFUSAL_NAME_FREE);
	cr_settled(build_claim("c1", "users", "ada", "u1"));
	cr_refused(build_reassign("a1", "users", "ada", "u2", "u3"), ORD_REFUSAL_OTHER_OWNER);
	cr_owner("u1", "c1", 1);
	cr_settled(build_reassign("a2", "users", "ada", "u1", "a longer owner"));
	cr_owner("a longer owner", "a2", 3);
	/* To the same owner: the position still grows, so it still fences. */
	cr_settled(build_reassign("a3", "users", "ada", "a longer owner", "a longer owner"));
	cr_owner("a longer owner", "a3", 4);
	cr_assert_eq(names_count(), 1);
}

Test(partition_name, a_repeated_request_changes_nothing)
{
	cr_settled(build_claim("c1", "users", "ada", "u1"));
	cr_settled(build_reassign("a1", "users", "ada", "u1", "u2"));
	struct ord_result r = apply(build_claim("c1", "users", "ada", "u1"));
	cr_assert(r.replayed);
	cr_assert_eq(r.status, ORD_STATUS_SETTLED);
	cr_assert_eq(r.position, 0);
	cr_settled(build_release("r1", "users", "ada", "u2"));
	r = apply(build_reassign("a1", "users", "ada", "u1", "u2"));
	cr_assert(r.replayed);
	cr_assert_eq(r.status, ORD_STATUS_SETTLED);
	r = apply(build_claim("c1", "users", "ada", "u1"));
	cr_assert(r.replayed);
	cr_assert(is_free("users", "ada"));
}

static void cr_reused(struct ord_command c, const char *field)
{
	struct ord_result r = apply(c);

	cr_assert_eq(r.reason, ORD_REFUSAL_ID_REUSED);
	cr_assert_not(r.replayed);
	cr_assert_str_eq(r.field, field);
}

Test(partition_name, an_id_with_another_payload_is_refused_by_its_first_difference)
{
	cr_settled(build_claim("c1", "users", "ada", "u1"));
	cr_reused(build_claim("c1", "user", "ade", "u2"), "namespace");
	cr_reused(build_claim("c1", "users", "ade", "u2"), "name");
	cr_reused(build_claim("c1", "users", "ada", "u2"), "owner");
	cr_reused(build_release("c1", "users", "ada", "u1"), "method");
	cr_settled(build_reassign("a1", "users", "ada", "u1", "u2"));
	cr_reused(build_reassign("a1", "users", "ada", "u2", "u3"), "owner");
	cr_reused(build_reassign("a1", "users", "ada", "u2", "u2"), "expected");
	cr_settled(build_release("r1", "users", "ada", "u2"));
	cr_reused(build_release("r1", "users", "ada", "u1"), "expected");
}

Test(partition_name, many_come_and_go)
{
	for (unsigned i = 0; i < 2000; i++) {
		char id[16], name[16];

		snprintf(id, sizeof id, "c%u", i);
		snprintf(name, sizeof name, "name%u", i);
		cr_settled(build_claim(id, "users", name, "u1"));
		snprintf(id, sizeof id, "r%u", i);
		if (i % 2 == 0)
			cr_settled(build_release(id, "users", name, "u1"));
	}
	cr_assert_eq(names_count(), 1000);
	cr_assert(is_free("users", "name1998"));
	cr_assert_not(is_free("users", "name1999"));
}
