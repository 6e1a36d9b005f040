/* SPDX-License-Identifier: Apache-2.0 - what a shard that is none tells of itself: always the same. For tests/unit/node_listener.c, which has the rest of it. */
#include "base/err.h"
#include "node/faults.h"
#include "node/room.h"
#include "node/scrub.h"
#include "node/shard.h"

uint32_t ord_shard_peers_count(const struct ord_shard *s)
{
	(void)s;
	return 1;
}

void ord_shard_voters(const struct ord_shard *s, uint32_t partition, uint32_t *ret, uint32_t *ret_count)
{
	(void)s;
	(void)partition;
	ret[0] = 1;
	*ret_count = 1;
}

void ord_shard_peer_status(const struct ord_shard *s, uint32_t peer, struct ord_peer_status *ret)
{
	(void)s;
	*ret = (struct ord_peer_status){.node = peer + 2, .connected = true};
}

void ord_shard_state_status(const struct ord_shard *s, struct ord_state_status *ret)
{
	(void)s;
	*ret = (struct ord_state_status){.memory_bytes = 1};
}

const struct ord_room *ord_shard_room(const struct ord_shard *s)
{
	static const struct ord_room room = {
		.reserve_bytes = 1000, .state = ORD_ROOM_LOW, .sample = {.free_bytes = 900, .total_bytes = 5000}};
	(void)s;
	return &room;
}

void ord_shard_member_status(const struct ord_shard *s, struct ord_member_self *ret)
{
	(void)s;
	*ret = (struct ord_member_self){.standing = "undecided", .waits_for = {2, 3}, .waits_for_count = 2};
}

void ord_shard_scrub_status(const struct ord_shard *s, struct ord_scrub_status *ret)
{
	(void)s;
	*ret = (struct ord_scrub_status){.records_count = 1};
}

void ord_shard_turn_status(const struct ord_shard *s, struct ord_turn_status *ret)
{
	(void)s;
	*ret = (struct ord_turn_status){.count = 7, .max_us = 90};
}

void ord_shard_host_status(const struct ord_shard *s, struct ord_host_status *ret)
{
	(void)s;
	*ret = (struct ord_host_status){.wal_bytes = 4096};
}

void ord_shard_checkpoint(struct ord_shard *s)
{
	(void)s;
}

int ord_shard_fault(struct ord_shard *s, const struct ord_faults_order *order, uint32_t *ret_node)
{
	(void)s;
	if (order->links_count == 0 || order->links[0].node == 2)
		return ORD_OK;
	*ret_node = order->links[0].node;
	return ORD_ERR_NOT_FOUND;
}

void ord_shard_faults(struct ord_shard *s, struct ord_faults_status *ret)
{
	(void)s;
	*ret = (struct ord_faults_status){.links_count = 1, .links = {{.node = 2, .rule = {.cut_out = true}}}};
}
