/* SPDX-License-Identifier: Apache-2.0 - what becomes of a node whose disk is nearly full, and what it knows of the others' disks. */
#include "base/assert.h"
#include "base/err.h"
#include "base/trace.h"
#include "node/engine_state.h"

#define TELL_MS 1000

static void tell(struct ord_engine *e, enum ord_room_state state)
{
	e->room_told_ms = e->now_ms;
	for (uint32_t i = 0; i < e->nodes_count; i++) {
		if (e->nodes[i] == e->node || !e->connected[i])
			continue;
		ord_bytes_clear(&e->scratch);
		ord_wire_put_room(state, &e->scratch);
		ord_engine_send(e, e->nodes[i], ORD_PART_ROOM);
	}
}

void ord_engine_tell_room(struct ord_engine *e, bool due)
{
	if (due || e->now_ms - e->room_told_ms >= TELL_MS)
		tell(e, e->rooms[ord_engine_place(e, e->node)]);
}

void ord_engine_room(struct ord_engine *e, enum ord_room_state state, uint64_t bytes)
{
	uint32_t place = ord_engine_place(e, e->node);
	if (e->stopped)
		return;
	ord_host_room(e->host, bytes);
	if (state == e->rooms[place])
		return;
	ord_trace("room", e->node, state);
	e->rooms[place] = state;
	ord_host_reluctant(e->host, e->node, state != ORD_ROOM_OK);
	tell(e, state);
}

int ord_engine_receive_room(struct ord_engine *e, uint32_t place, struct ord_slice body)
{
	enum ord_room_state state;
	if (ord_wire_get_room(body, &state) != ORD_OK)
		return ORD_ERR_FORMAT;
	e->rooms[place] = state;
	ord_host_reluctant(e->host, e->nodes[place], state != ORD_ROOM_OK);
	return ORD_OK;
}

bool ord_engine_may_propose(const struct ord_engine *e)
{
	uint32_t taking_count = 0;
	for (uint32_t i = 0; i < e->nodes_count; i++)
		taking_count += e->rooms[i] != ORD_ROOM_CRITICAL;
	return ord_host_has_room(e->host) && taking_count > e->nodes_count / 2;
}

bool ord_engine_has_room(const struct ord_engine *e)
{
	return e->rooms[ord_engine_place(e, e->node)] == ORD_ROOM_OK;
}

bool ord_engine_may_admit(const struct ord_engine *e)
{
	return ord_engine_has_room(e) && ord_engine_may_propose(e);
}
