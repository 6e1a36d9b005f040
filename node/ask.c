/* SPDX-License-Identifier: Apache-2.0 - what is asked of all shards of a node. */
#include "node/ask.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/status.h"
#include "partition/route.h"

int ord_ask_open(struct ord_ask *a, enum ord_method_kind kind, uint32_t shards_count)
{
	ORD_ASSERT(kind >= ORD_METHOD_STATUS);
	ORD_ASSERT(shards_count > 0);
	*a = (struct ord_ask){.kind = kind, .shards_count = shards_count};
	a->reports = calloc(shards_count, sizeof *a->reports);
	return a->reports == NULL ? ORD_ERR_NOMEM : ORD_OK;
}

void ord_ask_close(struct ord_ask *a)
{
	for (uint32_t i = 0; a->reports != NULL && i < a->shards_count; i++)
		ord_report_close(&a->reports[i]);
	free(a->reports);
	a->reports = NULL;
}

static void link_counts_add(struct ord_faults_link_status *sum, const struct ord_faults_link_status *l)
{
	sum->counts.stopped += l->counts.stopped;
	sum->counts.attempts += l->counts.attempts;
	sum->counts.unanswered += l->counts.unanswered;
	sum->counts.delayed += l->counts.delayed;
	sum->counts.lost += l->counts.lost;
	sum->counts.duplicated += l->counts.duplicated;
	sum->counts.reordered += l->counts.reordered;
	sum->counts.bytes += l->counts.bytes;
	sum->waiting_bytes += l->waiting_bytes;
}

/* All have the same rules; what they have counted is added up. */
static void faults_look(struct ord_ask *a, struct ord_shard *s)
{
	struct ord_faults_status status;
	ord_shard_faults(s, &status);
	if (a->visited_count == 0) {
		a->faults = status;
		return;
	}
	for (uint32_t i = 0; i < status.links_count; i++)
		link_counts_add(&a->faults.links[i], &status.links[i]);
	a->faults.disk_counts.slowed += status.disk_counts.slowed;
	a->faults.disk_counts.failed += status.disk_counts.failed;
	a->faults.disk_counts.refused += status.disk_counts.refused;
}

static int fault(struct ord_ask *a, struct ord_shard *s)
{
	uint32_t node;
	int err = ord_shard_fault(s, &a->order, &node);
	if (err == ORD_OK)
		faults_look(a, s);
	return err;
}

static int spoil(struct ord_ask *a, struct ord_shard *s)
{
	struct ord_slice account = ord_slice_of(a->account, a->account_bytes);
	uint32_t partition = ord_route_account(account, ord_shard_partitions_count(s));
	return partition % a->shards_count == a->visited_count ? ord_shard_spoil(s, account, a->delta) : ORD_OK;
}

static int visit(struct ord_ask *a, struct ord_shard *s)
{
	uint32_t shard = a->visited_count;
	switch (a->kind) {
	case ORD_METHOD_SPOIL:
		return spoil(a, s);
	case ORD_METHOD_FAULT:
		return fault(a, s);
	case ORD_METHOD_FAULTS:
		faults_look(a, s);
		return ORD_OK;
	case ORD_METHOD_CHECKPOINT:
		ord_shard_checkpoint(s);
		return ORD_OK;
	case ORD_METHOD_SCRUB:
		ord_shard_scrub(s);
		return ord_report_take(s, shard, a->shards_count, &a->reports[shard]);
	default:
		return ord_report_take(s, shard, a->shards_count, &a->reports[shard]);
	}
}

void ord_ask_visit(struct ord_ask *a, struct ord_shard *s)
{
	ORD_ASSERT(a->visited_count < a->shards_count);
	int err = s == NULL ? ORD_ERR_NOT_LEADER : visit(a, s);
	if (a->err == ORD_OK)
		a->err = err;
	a->visited_count++;
}

void ord_ask_put(const struct ord_ask *a, const struct ord_config *config, uint32_t clients_count, msgpack_packer *p)
{
	struct ord_report sum;
	ORD_ASSERT(a->visited_count == a->shards_count && a->err == ORD_OK);
	switch (a->kind) {
	case ORD_METHOD_SPOIL:
	case ORD_METHOD_CHECKPOINT:
		msgpack_pack_map(p, 0);
		return;
	case ORD_METHOD_FAULT:
	case ORD_METHOD_FAULTS:
		ord_faults_put(p, &a->faults);
		return;
	case ORD_METHOD_SCRUB:
		ord_report_sum(a->reports, a->shards_count, &sum);
		ord_status_put_history(p, &sum.history, &sum.scrub);
		return;
	default:
		ord_status_put(p, config, a->reports, a->shards_count, a->uptime_ms, clients_count);
		return;
	}
}
