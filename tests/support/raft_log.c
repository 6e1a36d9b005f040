/* SPDX-License-Identifier: Apache-2.0 - a write-ahead log of records that tell by their number what they are. */
#include "tests/support/raft_log.h"

#include <criterion/criterion.h>

#include "base/err.h"

struct raft_log_seen raft_log_seen;
char raft_log_why[512];

const struct ord_wal_options raft_log_normal = {.cluster = {{1, 2, 3}},
						.node = 4,
						.groups_count = RAFT_LOG_GROUPS,
						.segment_bytes = 8192,
						.cache_bytes = 1 << 20};

static uint8_t payload_byte(uint64_t number, size_t i)
{
	return (uint8_t)(number * 31 + i * 7);
}

struct ord_record raft_log_record(uint64_t number, uint8_t *payload)
{
	struct ord_record r = {.type = ORD_RECORD_ENTRY, .kind = ORD_ENTRY_COMMAND, .term = 1, .index = number};
	size_t len = 1 + number * 37 % 200;
	r.group = (uint32_t)(number % RAFT_LOG_GROUPS);
	if (number % 7 == 6) {
		r.type = ORD_RECORD_VOTE;
		r.kind = 0;
		return r;
	}
	for (size_t i = 0; i < len; i++)
		payload[i] = payload_byte(number, i);
	r.payload = ord_slice_of(payload, len);
	return r;
}

static int wal_each(void *arg, const struct ord_record *r, uint64_t place, char *reason, size_t reason_size)
{
	uint8_t payload[256];
	struct ord_record expected = raft_log_record(r->index, payload);
	(void)arg;
	(void)reason;
	(void)reason_size;
	cr_assert_lt(raft_log_seen.count, RAFT_LOG_SEEN_MAX);
	cr_assert_eq(r->type, expected.type);
	cr_assert_eq(r->kind, expected.kind);
	cr_assert_eq(r->group, expected.group);
	cr_assert(ord_slice_equal(r->payload, expected.payload));
	raft_log_seen.index[raft_log_seen.count] = r->index;
	raft_log_seen.place[raft_log_seen.count] = place;
	raft_log_seen.len[raft_log_seen.count] = (uint32_t)ord_record_bytes(r);
	raft_log_seen.count++;
	return ORD_OK;
}

int raft_log_open_with(struct raft_disk *d, struct ord_wal_options options, struct ord_wal **ret)
{
	options.io = raft_disk_io(d);
	raft_log_seen.count = 0;
	raft_log_why[0] = 0;
	return ord_wal_open(&options, wal_each, NULL, ret, raft_log_why, sizeof raft_log_why);
}

struct ord_wal *raft_log_open(struct raft_disk *d)
{
	struct ord_wal *w = NULL;
	int err = raft_log_open_with(d, raft_log_normal, &w);
	cr_assert_eq(err, ORD_OK, "%s", raft_log_why);
	return w;
}

uint64_t raft_log_put(struct ord_wal *w, uint64_t number)
{
	uint8_t payload[256];
	uint64_t place;
	struct ord_record r = raft_log_record(number, payload);
	cr_assert_eq(ord_wal_append(w, &r, &place), ORD_OK);
	return place;
}

void raft_log_sync(struct raft_disk *d, struct ord_wal *w)
{
	uint32_t count;
	for (ord_wal_write(w); d->in_flight; ord_wal_write(w)) {
		raft_disk_complete(d);
		ord_wal_synced(w, &count);
	}
}
