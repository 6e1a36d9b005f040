/* SPDX-License-Identifier: Apache-2.0 - delivery between partitions.
 *
 * A lane's numbers:   first (in the outbox) <= acked + 1 <= next <= outbox next
 *                     messages acked + 1 .. next - 1 are on their way
 * A restart sets next back to acked + 1; what then arrives twice is recognised by taken[] (before the log) and by the cursor (in the state).
 */
#include "node/dispatch.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "node/engine_state.h"

/* With nothing heard for so long, what is on its way is sent again; twice as long each time: what is only slow must not be given more to do. Connections
 * that break and leaders that change are no matter of this time, see ord_dispatch_restart_all. */
#define DISPATCH_RESEND_MS 500
#define DISPATCH_RESEND_MAX_MS 4000
/* A reported gap is filled at most this often. */
#define DISPATCH_GAP_MS 50
/* TRIM rides on an entry that is proposed anyway when it frees so many messages, ... */
#define DISPATCH_TRIM_MESSAGES 1024
/* ... and gets one of its own for any number after so long. */
#define DISPATCH_TRIM_MS 200

int ord_dispatch_open(struct ord_dispatch *d, uint32_t partitions_count)
{
	*d = (struct ord_dispatch){.partitions_count = partitions_count};
	d->lanes = calloc(partitions_count, sizeof *d->lanes);
	d->taken = calloc(partitions_count, sizeof *d->taken);
	return d->lanes == NULL || d->taken == NULL ? ORD_ERR_NOMEM : ORD_OK;
}

void ord_dispatch_close(struct ord_dispatch *d)
{
	free(d->lanes);
	free(d->taken);
	*d = (struct ord_dispatch){0};
}

uint32_t ord_dispatch_leader(const struct ord_engine *e, uint32_t partition)
{
	const struct ord_replica *r = &e->replicas[partition];
	bool is_unready = ord_engine_owns(e, partition) && r->leader == e->node && !r->ready;
	return is_unready ? 0 : r->leader;
}

/* Where what is for the leader of a partition goes: to a node, or to the shard of this node that has the partition; 0: nowhere. */
static uint32_t way_to(const struct ord_engine *e, uint32_t partition)
{
	uint32_t leader = ord_dispatch_leader(e, partition);
	return leader == 0 || ord_engine_owns(e, partition) ? leader : ord_engine_shard_of(e, partition);
}

void ord_dispatch_ready(struct ord_replica *r)
{
	struct ord_engine *e = r->engine;
	struct ord_dispatch *d = &r->dispatch;
	for (uint32_t i = 0; i < d->partitions_count; i++) {
		uint64_t first = ord_partition_outbox_first(r->partition, i);
		d->lanes[i] = (struct ord_lane){.next = first,
						.acked = first - 1,
						.trim_asked = first - 1,
						.progress_ms = e->now_ms,
						.resend_ms = DISPATCH_RESEND_MS};
		d->taken[i] = ord_partition_cursor(r->partition, i);
	}
	d->trimmed_ms = e->now_ms;
	d->pump = true;
	for (uint32_t i = 0; i < e->nodes_count; i++)
		if (e->nodes[i] != e->node)
			ord_dispatch_tell_ready(r, e->nodes[i]);
	ord_dispatch_restart_all(e, r->id);
}

void ord_dispatch_tell_ready(struct ord_replica *r, uint32_t node)
{
	struct ord_engine *e = r->engine;
	ORD_ASSERT(r->ready);
	ord_bytes_clear(&e->scratch);
	ord_wire_put_ready(r->id, &e->scratch);
	ord_engine_send(e, node, ORD_PART_READY);
}

static void lane_restart(struct ord_replica *r, uint32_t destination, uint64_t resend_ms)
{
	struct ord_lane *lane = &r->dispatch.lanes[destination];
	lane->next = lane->acked + 1;
	lane->progress_ms = r->engine->now_ms;
	lane->resend_ms = resend_ms < DISPATCH_RESEND_MAX_MS ? resend_ms : DISPATCH_RESEND_MAX_MS;
	r->dispatch.pump = true;
}

void ord_dispatch_restart_all(struct ord_engine *e, uint32_t destination)
{
	e->replicas[destination].renewed = true;
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count)
		if (i != destination && e->replicas[i].ready)
			lane_restart(&e->replicas[i], destination, DISPATCH_RESEND_MS);
}

void ord_dispatch_hasten(struct ord_engine *e, uint32_t destination)
{
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count)
		if (i != destination && e->replicas[i].ready)
			e->replicas[i].dispatch.lanes[destination].resend_ms = DISPATCH_RESEND_MS;
}

static void lane_send(struct ord_replica *r, uint32_t destination, struct ord_lane *lane, uint32_t to)
{
	struct ord_engine *e = r->engine;
	uint64_t end = ord_partition_outbox_next(r->partition, destination);
	if (lane->next == lane->acked + 1)
		lane->progress_ms = e->now_ms;
	while (lane->next < end && lane->next - lane->acked <= e->bounds.deliver_window) {
		struct ord_outbox_run run =
			ord_partition_outbox_peek(r->partition, destination, lane->next, e->bounds.deliver_bytes);
		ORD_ASSERT(run.count > 0 && run.first == lane->next);
		struct ord_part_deliver part = {
			.destination = destination,
			.run = {.source = r->id, .first = run.first, .count = run.count, .messages = run.messages}};
		lane->next += run.count;
		if (to == e->node) {
			ord_dispatch_take(&e->replicas[destination], &part.run);
			continue;
		}
		ord_bytes_clear(&e->scratch);
		ord_wire_put_deliver(&part, &e->scratch);
		ord_engine_send(e, to, ORD_PART_DELIVER);
	}
}

void ord_dispatch_pump(struct ord_replica *r)
{
	if (!r->dispatch.pump)
		return;
	r->dispatch.pump = false;
	if (!r->ready)
		return;
	for (uint32_t i = 0; i < r->dispatch.partitions_count; i++) {
		uint32_t to = i == r->id ? 0 : way_to(r->engine, i);
		if (to != 0)
			lane_send(r, i, &r->dispatch.lanes[i], to);
	}
}

/* Tells the leader of source how far its messages have been applied here, and with a gap, which one is wanted next. */
static void cursor_send(struct ord_replica *r, uint32_t source, bool gap)
{
	struct ord_engine *e = r->engine;
	struct ord_part_cursor c = {.source = source,
				    .destination = r->id,
				    .cursor = ord_partition_cursor(r->partition, source),
				    .expected = gap ? r->dispatch.taken[source] + 1 : 0};
	uint32_t to = way_to(e, source);
	if (to == e->node) {
		ord_dispatch_cursor(&e->replicas[source], &c);
	} else if (to != 0) {
		ord_bytes_clear(&e->scratch);
		ord_wire_put_cursor(&c, &e->scratch);
		ord_engine_send(e, to, ORD_PART_CURSOR);
	}
}

bool ord_dispatch_wants(const struct ord_replica *r, const struct ord_deliver *run)
{
	ORD_ASSERT(r->ready);
	uint64_t taken = r->dispatch.taken[run->source];
	return run->first <= taken + 1 && run->first + run->count - 1 > taken;
}

void ord_dispatch_take(struct ord_replica *r, const struct ord_deliver *run)
{
	uint64_t *taken = &r->dispatch.taken[run->source];
	if (!ord_dispatch_wants(r, run)) {
		cursor_send(r, run->source, run->first > *taken + 1);
		return;
	}
	struct ord_command c = {.kind = ORD_COMMAND_DELIVER, .deliver = *run};
	ord_admit_internal(&r->admit, &c);
	*taken = run->first + run->count - 1;
}

void ord_dispatch_applied(struct ord_replica *r, uint32_t source)
{
	if (r->ready)
		cursor_send(r, source, false);
}

void ord_dispatch_cursor(struct ord_replica *r, const struct ord_part_cursor *c)
{
	if (!r->ready)
		return;
	struct ord_lane *lane = &r->dispatch.lanes[c->destination];
	uint64_t end = ord_partition_outbox_next(r->partition, c->destination);
	if (c->cursor >= end || c->expected > end)
		return; /* from a future that this log does not have: not a leader's word */
	uint64_t now_ms = r->engine->now_ms;
	if (c->cursor > lane->acked) {
		lane->acked = c->cursor;
		lane->progress_ms = now_ms;
		lane->resend_ms = DISPATCH_RESEND_MS;
		if (lane->next <= lane->acked)
			lane->next = lane->acked + 1;
	}
	/* Every run after a gap reports it: once is enough for what was on its way. */
	if (c->expected > lane->acked && c->expected < lane->next && now_ms - lane->gap_ms >= DISPATCH_GAP_MS) {
		lane->gap_ms = now_ms;
		lane->next = c->expected;
	}
	r->dispatch.pump = true;
}

void ord_dispatch_trim(struct ord_replica *r, bool idle)
{
	struct ord_dispatch *d = &r->dispatch;
	for (uint32_t i = 0; i < d->partitions_count; i++) {
		struct ord_lane *lane = &d->lanes[i];
		if (lane->acked < lane->trim_asked + (idle ? 1 : DISPATCH_TRIM_MESSAGES))
			continue;
		struct ord_command c = {.kind = ORD_COMMAND_TRIM, .trim = {.destination = i, .upto = lane->acked}};
		ord_admit_internal(&r->admit, &c);
		lane->trim_asked = lane->acked;
	}
}

void ord_dispatch_tick(struct ord_replica *r, uint64_t now_ms)
{
	struct ord_dispatch *d = &r->dispatch;
	if (!r->ready)
		return;
	for (uint32_t i = 0; i < d->partitions_count; i++) {
		struct ord_lane *lane = &d->lanes[i];
		if (lane->next > lane->acked + 1 && now_ms - lane->progress_ms >= lane->resend_ms)
			lane_restart(r, i, lane->resend_ms * 2);
		else if (lane->next < ord_partition_outbox_next(r->partition, i))
			d->pump = true;
	}
	if (now_ms - d->trimmed_ms >= DISPATCH_TRIM_MS) {
		d->trimmed_ms = now_ms;
		ord_dispatch_trim(r, true);
	}
}
