/* SPDX-License-Identifier: Apache-2.0 - request ids: made, written, read; names of the public numbers; routing of keys. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"
#include "client/ordain.h"
#include "client/routing.h"

Test(id, made_as_version_7_of_now)
{
	struct ordain_id id;
	uint64_t before_ms = (uint64_t)time(NULL) * 1000;
	cr_assert_eq(ordain_id_make(&id), 0);
	uint64_t ms = 0;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id.bytes[i];
	cr_assert(ms >= before_ms && ms <= before_ms + 2000);
	cr_assert_eq(id.bytes[6] >> 4, 7);
	cr_assert_eq(id.bytes[8] >> 6, 2);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ordain_id));
}

Test(id, many_differ)
{
	static struct ordain_id ids[10001];
	cr_assert_eq(ordain_id_make_many(ids, 10000), 0);
	static const struct ordain_id untouched;
	cr_assert_eq(memcmp(&ids[10000], &untouched, sizeof untouched), 0);
	qsort(ids, 10000, sizeof ids[0], compare);
	for (int i = 1; i < 10000; i++)
		cr_assert_neq(compare(&ids[i - 1], &ids[i]), 0);
}

Test(id, text_forms)
{
	struct ordain_id id;
	char text[ORDAIN_ID_TEXT_SIZE];
	cr_assert_eq(ordain_id_parse(ordain_str_of("0190163D-8694-739B-AEA5-966C26F8AD91"), &id), 0);
	ordain_id_format(&id, text);
	cr_assert_str_eq(text, "0190163d-8694-739b-aea5-966c26f8ad91");
	cr_assert_eq(id.bytes[15], 0x91);
	struct ordain_id same;
	cr_assert_eq(ordain_id_parse(ordain_str_of("0190163d8694739baea5966c26f8ad91"), &same), 0);
	cr_assert_eq(compare(&id, &same), 0);
}

Test(id, what_is_no_id_is_refused_and_changes_nothing)
{
	static const char *const wrong[] = {"",
					    "0190163d-8694-739b-aea5-966c26f8ad9",
					    "0190163d-8694-739b-aea5-966c26f8ad911",
					    "0190163d-8694-739b-aea5_966c26f8ad91",
					    "0190163d-8694-739b-aea5-966c26f8ad9g",
					    "{190163d-8694-739b-aea5-966c26f8ad91"};
	struct ordain_id id = {{9}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_assert_eq(ordain_id_parse(ordain_str_of(wrong[i]), &id), ORDAIN_ERR_ARGUMENT);
	cr_assert_eq(id.bytes[0], 9);
}

Test(names, of_the_public_numbers)
{
	cr_assert_str_eq(ordain_error_name(ORDAIN_ERR_BUSY), "busy");
	cr_assert_str_eq(ordain_error_name(ORDAIN_ERR_LIMIT), "limit");
	cr_assert_str_eq(ordain_error_name(0), "none");
	cr_assert_str_eq(ordain_error_name(-1), "unknown_error");
	cr_assert_str_eq(ordain_error_name(999), "unknown_error");
	cr_assert_gt(strlen(ordain_strerror(12345)), 0);
	cr_assert_str_eq(ordain_version(), ORDAIN_VERSION);
	cr_assert_str_eq(ordain_command_name(ORDAIN_REASSIGN), "reassign");
	cr_assert_str_eq(ordain_command_name((enum ordain_command_kind)0), "unknown");
	cr_assert_str_eq(ordain_command_name((enum ordain_command_kind)77), "unknown");
	cr_assert_str_eq(ordain_account_state_name(ORDAIN_ACCOUNT_FROZEN), "frozen");
	cr_assert_str_eq(ordain_answer_name(ORDAIN_UNKNOWN), "unknown");
	cr_assert_str_eq(ordain_status_name(ORDAIN_STATUS_NONE), "none");
	cr_assert_str_eq(ordain_posting_kind_name(ORDAIN_POSTING_REFUND), "refund");
}

/* The same numbers as in tests/unit/partition_route.c: clients and nodes must agree, for a cluster's whole life. */
Test(routing, golden_values)
{
	struct ordain_id id = {{'t', '1'}};
	cr_assert_eq(ord_routing_partition(ord_routing_account(ordain_str_of("alice")), 1000), 80);
	cr_assert_eq(ord_routing_partition(ord_routing_request(&id), 1000), 404);
	cr_assert_eq(ord_routing_partition(ord_routing_name(ordain_str_of("users"), ordain_str_of("ada")), 1000), 84);
	cr_assert_eq(ord_routing_account(ordain_str_of("")), 0x2d06800538d394c2u);
}

Test(routing, commands_go_where_their_key_lives)
{
	struct ordain_command c = {.kind = ORDAIN_TRANSFER, .id = {{1, 2, 3}}};
	c.transfer.payer = c.transfer.payee = ordain_str_of("alice");
	cr_assert_eq(ord_routing_command(&c), ord_routing_request(&c.id));
	c.kind = ORDAIN_OPEN_ACCOUNT;
	c.open_account = (struct ordain_open_account){.account = ordain_str_of("alice")};
	cr_assert_eq(ord_routing_command(&c), ord_routing_account(ordain_str_of("alice")));
	c.kind = ORDAIN_SET_ACCOUNT;
	c.set_account = (struct ordain_set_account){.account = ordain_str_of("bob"), .state = ORDAIN_ACCOUNT_CLOSED};
	cr_assert_eq(ord_routing_command(&c), ord_routing_account(ordain_str_of("bob")));
	c.naming = (struct ordain_naming){.space = ordain_str_of("ab"), .name = ordain_str_of("c")};
	for (int kind = ORDAIN_CLAIM; kind <= ORDAIN_REASSIGN; kind++) {
		c.kind = (enum ordain_command_kind)kind;
		cr_assert_eq(ord_routing_command(&c), ord_routing_name(ordain_str_of("ab"), ordain_str_of("c")));
	}
	cr_assert_neq(ord_routing_name(ordain_str_of("ab"), ordain_str_of("c")),
		      ord_routing_name(ordain_str_of("a"), ordain_str_of("bc")));
}
