/* SPDX-License-Identifier: Apache-2.0 - commands made in one line. */
#include "tests/support/partition_build.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "partition/route.h"
#include "partition/state.h"
#include "tests/support/text.h"

#define KEYS_MAX 256

struct ord_command build_open(const char *id, const char *account, const char *asset, int64_t floor, int64_t ceiling)
{
	return (struct ord_command){
		.kind = ORD_COMMAND_OPEN_ACCOUNT,
		.request_id = text_id_of(id),
		.open_account = {ord_slice_text(account), ord_slice_text(asset), floor, ceiling},
	};
}

struct ord_command build_set(const char *id, const char *account, enum ord_account_state state)
{
	return (struct ord_command){
		.kind = ORD_COMMAND_SET_ACCOUNT,
		.request_id = text_id_of(id),
		.set_account = {ord_slice_text(account), state},
	};
}

struct ord_command build_transfer(const char *id, const char *payer, const char *payee, int64_t amount)
{
	return (struct ord_command){
		.kind = ORD_COMMAND_TRANSFER,
		.request_id = text_id_of(id),
		.transfer = {ord_slice_text(payer), ord_slice_text(payee), ord_slice_text("EUR"), amount},
	};
}

struct ord_command build_claim(const char *id, const char *space, const char *name, const char *owner)
{
	return (struct ord_command){
		.kind = ORD_COMMAND_CLAIM,
		.request_id = text_id_of(id),
		.naming = {.space = ord_slice_text(space),
			   .name = ord_slice_text(name),
			   .owner = ord_slice_text(owner)},
	};
}

struct ord_command build_release(const char *id, const char *space, const char *name, const char *expected)
{
	return (struct ord_command){
		.kind = ORD_COMMAND_RELEASE,
		.request_id = text_id_of(id),
		.naming = {.space = ord_slice_text(space),
			   .name = ord_slice_text(name),
			   .expected = ord_slice_text(expected)},
	};
}

struct ord_command build_reassign(const char *id, const char *space, const char *name, const char *expected,
				  const char *owner)
{
	struct ord_command c = build_release(id, space, name, expected);

	c.kind = ORD_COMMAND_REASSIGN;
	c.naming.owner = ord_slice_text(owner);
	return c;
}

/* Keeps a text for as long as the program runs; the same text is kept once. */
static const char *keep(const char *text)
{
	static char kept[KEYS_MAX][17];
	static size_t count;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(kept[i], text) == 0)
			return kept[i];
	}
	ORD_ASSERT(count < KEYS_MAX);
	snprintf(kept[count], sizeof kept[count], "%s", text);
	return kept[count++];
}

static uint32_t route_account(const char *key, uint32_t partitions_count)
{
	return ord_route_account(ord_slice_text(key), partitions_count);
}

static uint32_t route_id(const char *key, uint32_t partitions_count)
{
	struct ord_uuid id = text_id_of(key);

	return ord_route_request(&id, partitions_count);
}

static const char *key_in(const char *stem, uint32_t partition, uint32_t partitions_count,
			  uint32_t (*route)(const char *key, uint32_t partitions_count))
{
	char key[17];
	unsigned number = 0;

	ORD_ASSERT(strlen(stem) < 8 && partition < partitions_count);
	do {
		snprintf(key, sizeof key, "%s%u", stem, number++);
	} while (route(key, partitions_count) != partition);
	return keep(key);
}

const char *build_account_in(const char *stem, uint32_t partition, uint32_t partitions_count)
{
	return key_in(stem, partition, partitions_count, route_account);
}

const char *build_id_in(const char *stem, uint32_t partition, uint32_t partitions_count)
{
	return key_in(stem, partition, partitions_count, route_id);
}

struct ord_result build_apply(struct lab *l, uint32_t partition, struct ord_command c, uint64_t time_us)
{
	lab_apply(l, partition, &c, 1, time_us);
	return l->fx.replies_count == 0 ? (struct ord_result){0} : l->fx.replies[0].result;
}

/* Delivers what is new from source to destination; true when there was something. */
static bool settle_deliver(struct lab *l, uint32_t source, uint32_t destination, uint64_t time_us)
{
	uint64_t first = ord_partition_cursor(l->partitions[destination], source) + 1;
	uint64_t next = ord_partition_outbox_next(l->partitions[source], destination);

	if (first >= next)
		return false;
	struct ord_command c = lab_deliver(l, source, destination, first, (uint32_t)(next - first));
	build_apply(l, destination, c, time_us);
	free((void *)c.deliver.messages.base);
	return true;
}

/* Trims what was applied; true when there was something. */
static bool settle_trim(struct lab *l, uint32_t source, uint32_t destination, uint64_t time_us)
{
	uint64_t upto = ord_partition_cursor(l->partitions[destination], source);
	struct ord_command c = {.kind = ORD_COMMAND_TRIM, .trim = {destination, upto}};

	if (ord_partition_outbox_first(l->partitions[source], destination) > upto ||
	    ord_partition_outbox_first(l->partitions[source], destination) ==
		    ord_partition_outbox_next(l->partitions[source], destination))
		return false;
	build_apply(l, source, c, time_us);
	return true;
}

void build_settle(struct lab *l, uint64_t time_us)
{
	bool moved = true;

	while (moved) {
		moved = false;
		for (uint32_t s = 0; s < l->partitions_count; s++) {
			for (uint32_t d = 0; d < l->partitions_count; d++)
				moved |= s != d && (settle_deliver(l, s, d, time_us) || settle_trim(l, s, d, time_us));
		}
	}
}

int64_t build_balance(const struct lab *l, const char *account)
{
	struct ord_account_view view;
	uint32_t partition = route_account(account, l->partitions_count);

	ORD_ASSERT(ord_partition_account(l->partitions[partition], ord_slice_text(account), &view) == ORD_OK);
	return view.balance;
}

struct ord_result build_request(const struct lab *l, uint32_t partition, const char *id)
{
	struct ord_request_view view;
	struct ord_uuid request_id = text_id_of(id);

	if (ord_partition_request(l->partitions[partition], &request_id, &view) != ORD_OK)
		return (struct ord_result){0};
	return view.result;
}

bool build_digests_hold(const struct lab *l)
{
	struct ord_partition_status status;
	uint64_t digest[2];

	for (uint32_t i = 0; i < l->partitions_count; i++) {
		ord_partition_status(l->partitions[i], &status);
		ord_partition_digest_recompute(l->partitions[i], digest);
		if (memcmp(digest, status.state_digest, sizeof digest) != 0)
			return false;
	}
	return true;
}
