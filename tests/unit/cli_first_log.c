/* SPDX-License-Identifier: Apache-2.0 - the log that a restored node begins with is read back as it was written, over batches and segments. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/first_log.h"
#include "cli/segments.h"

#define PAYLOAD_BYTES 300000
#define ENTRIES 300 /* more than a segment */

static char directory[] = "/tmp/ordain-first-log-XXXXXX";
static uint8_t payload[PAYLOAD_BYTES];

struct heard {
	uint64_t votes_count;
	uint64_t entries_count;
	uint64_t bases_count;
	uint64_t segment; /* of the last record */
	unsigned damage_count;
};

static bool record_hear(void *ctx, const struct ord_segments_place *place, const struct ord_record *r)
{
	struct heard *h = ctx;
	h->segment = place->segment;
	h->votes_count += r->type == ORD_RECORD_VOTE;
	h->bases_count += r->type == ORD_RECORD_BASE;
	if (r->type != ORD_RECORD_ENTRY)
		return true;
	h->entries_count++;
	cr_assert_eq(r->index, h->entries_count);
	cr_assert_eq(r->payload.len, PAYLOAD_BYTES);
	return true;
}

static void damage_hear(void *ctx, const struct ord_segments_place *place, uint64_t bytes, const char *why)
{
	struct heard *h = ctx;
	(void)bytes;
	cr_log_error("%s, offset %u: %s", place->path, (unsigned)place->offset, why);
	h->damage_count++;
}

static void unfinished_hear(void *ctx, const struct ord_segments_place *place, uint64_t bytes)
{
	damage_hear(ctx, place, bytes, "unfinished");
}

static void log_write(void)
{
	struct ord_first_log log;
	struct ord_first_log_owner owner = {.node = 2, .partitions_count = 3};
	char wal[64], why[256] = "";
	snprintf(wal, sizeof wal, "%s/wal", directory);
	cr_assert_eq(mkdir(wal, 0700), 0);
	ord_first_log_init(&log, wal, &owner);
	for (uint32_t i = 0; i < 3; i++) {
		struct ord_record vote = {.type = ORD_RECORD_VOTE, .group = i, .term = 4};
		cr_assert_eq(ord_first_log_add(&log, &vote, why, sizeof why), ORD_OK, "%s", why);
	}
	for (uint64_t i = 1; i <= ENTRIES; i++) {
		struct ord_record entry = {.type = ORD_RECORD_ENTRY,
					   .kind = ORD_ENTRY_COMMAND,
					   .group = 1,
					   .term = 4,
					   .index = i,
					   .payload = ord_slice_of(payload, sizeof payload)};
		cr_assert_eq(ord_first_log_add(&log, &entry, why, sizeof why), ORD_OK, "%s", why);
	}
	struct ord_record base = {.type = ORD_RECORD_BASE, .group = 2, .term = 3, .index = 17};
	cr_assert_eq(ord_first_log_add(&log, &base, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(ord_first_log_end(&log, why, sizeof why), ORD_OK, "%s", why);
	ord_first_log_close(&log);
}

Test(cli_first_log, it_is_read_back)
{
	struct heard heard = {.segment = 0};
	struct ord_segments_visitor visitor = {
		.ctx = &heard, .record = record_hear, .damage = damage_hear, .unfinished = unfinished_hear};
	char why[256] = "";
	struct ord_folder folder;
	cr_assert_not_null(mkdtemp(directory));
	log_write();
	cr_assert_eq(ord_segments_walk(directory, &visitor, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(heard.damage_count, 0);
	cr_assert_eq(heard.votes_count, 3);
	cr_assert_eq(heard.entries_count, ENTRIES);
	cr_assert_eq(heard.bases_count, 1);
	cr_assert_gt(heard.segment, 1, "it fits one segment, which proves nothing of the next");
	snprintf(folder.draft, sizeof folder.draft, "%s", directory);
	ord_folder_drop(&folder);
	cr_assert_neq(access(directory, F_OK), 0);
}
