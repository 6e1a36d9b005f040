/* SPDX-License-Identifier: Apache-2.0 - what can be seen of an engine, and asked of it by an operator. */
#include "base/assert.h"
#include "node/engine_state.h"
#include "partition/route.h"

uint64_t ord_engine_now_ms(const struct ord_engine *e)
{
	return e->now_ms;
}

uint32_t ord_engine_partitions_count(const struct ord_engine *e)
{
	return e->partitions_count;
}

void ord_engine_replica_status(const struct ord_engine *e, uint32_t partition, struct ord_replica_status *ret)
{
	ORD_ASSERT(ord_engine_owns(e, partition));
	const struct ord_replica *r = &e->replicas[partition];
	ord_host_group_status(e->host, partition, &ret->group);
	ord_partition_status(r->partition, &ret->state);
	ret->admit_count = r->admit.commands_count;
	ret->admit_bytes = r->admit.clients.bytes;
	ret->waiters_count = ord_replica_waiters_count(r);
	ret->ready = r->ready;
	ret->leader = r->leader;
	ret->fence = r->fence.state;
}

void ord_engine_voters(const struct ord_engine *e, uint32_t partition, uint32_t *ret, uint32_t *ret_count)
{
	ord_host_voters(e->host, partition, ret, ret_count);
}

void ord_engine_host_status(const struct ord_engine *e, struct ord_host_status *ret)
{
	ord_host_status(e->host, ret);
}

void ord_engine_keep_status(const struct ord_engine *e, struct ord_keep_status *ret)
{
	ord_keep_status(&e->keep, ret);
}

void ord_engine_copy_status(const struct ord_engine *e, struct ord_copy_status *ret)
{
	*ret = (struct ord_copy_status){.out_count = ord_copy_out_count(e),
					.in = e->copy_in.phase != ORD_COPY_IN_IDLE,
					.in_partition = e->copy_in.partition,
					.in_bytes = e->copy_in.received_bytes,
					.out_bytes = e->copies_out.sent_bytes,
					.installed_count = e->copy_in.copies_count};
}

void ord_engine_scrub(struct ord_engine *e)
{
	ord_scrub_now(&e->scrub);
}

void ord_engine_scrub_status(const struct ord_engine *e, struct ord_scrub_status *ret)
{
	ord_scrub_status(&e->scrub, ret);
}

void ord_engine_checkpoint(struct ord_engine *e)
{
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count)
		ord_keep_want(&e->keep, i);
}

int ord_engine_spoil(struct ord_engine *e, struct ord_slice account, int64_t delta)
{
	uint32_t partition = ord_route_account(account, e->partitions_count);
	ORD_ASSERT(ord_engine_owns(e, partition));
	return ord_partition_spoil(e->replicas[partition].partition, account, delta);
}

struct ord_partition *ord_engine_partition(const struct ord_engine *e, uint32_t partition)
{
	ORD_ASSERT(ord_engine_owns(e, partition));
	return e->replicas[partition].partition;
}
