/* SPDX-License-Identifier: Apache-2.0 - checker of order: the nodes' logs, which are the same on all as far as they go, have no holes and have what was acknowledged. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "jepsen/checkers/order_parts.h"

#define NAME_BYTES 64

static int entries_grow(struct ord_order *o, uint32_t count)
{
	size_t capacity = o->entries_capacity > 0 ? o->entries_capacity : 1024;
	while (capacity < o->entries_count + count)
		capacity *= 2;
	if (capacity == o->entries_capacity)
		return ORD_OK;
	struct ord_order_entry *grown = realloc(o->entries, capacity * sizeof *grown);
	if (grown == NULL)
		return ORD_ERR_NOMEM;
	o->entries = grown;
	o->entries_capacity = capacity;
	return ORD_OK;
}

static bool is_number(struct ord_edn v)
{
	return v.kind == ORD_EDN_INT && v.integer >= 0 && v.integer < ORD_NUMBERING_NONE;
}

int ord_order_take_log(struct ord_order *o, uint32_t index)
{
	struct ord_edn value = o->h->ops[index].value;
	struct ord_edn node = ord_edn_get(value, "node"), partition = ord_edn_get(value, "partition");
	struct ord_edn from = ord_edn_get(value, "from");
	struct ord_edn commands = ord_edn_get(value, "commands"), ids = ord_edn_get(value, "ids");
	if (!is_number(node) || !is_number(partition) || from.kind != ORD_EDN_INT || from.integer < 0 ||
	    from.integer > INT64_MAX / 2 || commands.kind != ORD_EDN_VECTOR ||
	    (!ord_edn_is_nil(ids) && (ids.kind != ORD_EDN_VECTOR || ids.len != commands.len))) {
		ord_verdict_add(o->v, ORD_UNKNOWN, "malformed", index, ORD_JEPSEN_NONE,
				"a log without :node, :partition, :from or :commands, or with another number of :ids");
		return ORD_OK;
	}
	struct ord_order_piece piece = {.partition = (uint32_t)partition.integer,
					.node = (uint32_t)node.integer,
					.from = from.integer,
					.end = from.integer + commands.len,
					.op = index};
	if (ord_order_take_piece(o, &piece) != ORD_OK || entries_grow(o, commands.len) != ORD_OK)
		return ORD_ERR_NOMEM;
	for (uint32_t i = 0; i < commands.len; i++) {
		struct ord_edn command = commands.items[i], id = ids.len > 0 ? ids.items[i] : ord_edn_nil();
		struct ord_order_entry e = {.partition = (uint32_t)partition.integer,
					    .node = (uint32_t)node.integer,
					    .offset = from.integer + i,
					    .command = ORD_NUMBERING_NONE,
					    .op = index,
					    .id = id,
					    .has_ids = !ord_edn_is_nil(ids)};
		if (!ord_edn_is_nil(command) &&
		    (e.command = ord_numbering_of(&o->commands, command)) == ORD_NUMBERING_NONE)
			return ORD_ERR_NOMEM;
		o->entries[o->entries_count++] = e;
	}
	return ORD_OK;
}

/* --- Looking at them --- */

static int node_compare(const void *a, const void *b)
{
	const struct ord_order_entry *x = a, *y = b;
	if (x->partition != y->partition)
		return x->partition < y->partition ? -1 : 1;
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int offset_compare(const void *a, const void *b)
{
	const struct ord_order_entry *x = a, *y = b;
	if (x->partition != y->partition)
		return x->partition < y->partition ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* In the order of node_compare: each log has all from its first one on. */
static void look_for_holes(struct ord_order *o)
{
	for (size_t i = 0; i < o->entries_count; i++) {
		const struct ord_order_entry *e = &o->entries[i], *before = i > 0 ? &o->entries[i - 1] : NULL;
		bool begins = before == NULL || before->partition != e->partition || before->node != e->node;
		bool ends = i + 1 == o->entries_count || o->entries[i + 1].partition != e->partition ||
			    o->entries[i + 1].node != e->node;
		o->replicas_count += begins;
		if (!begins && before->offset + 1 < e->offset)
			ord_verdict_add(o->v, ORD_INVALID, "hole", before->op, e->op,
					"node %u lacks %u:%" PRId64 " to %" PRId64, e->node, e->partition,
					before->offset + 1, e->offset - 1);
		if (e->command == ORD_NUMBERING_NONE && !ends)
			ord_verdict_add(o->v, ORD_INVALID, "hole", e->op, ORD_JEPSEN_NONE,
					"node %u lacks the command at %u:%" PRId64, e->node, e->partition, e->offset);
	}
}

/* Entries [begin, end) are what nodes have at one offset. */
static void look_at_offset(struct ord_order *o, size_t begin, size_t end)
{
	const struct ord_order_entry *first = &o->entries[begin];
	bool is_compared = false;
	for (size_t i = begin + 1; i < end; i++) {
		const struct ord_order_entry *e = &o->entries[i];
		is_compared = is_compared || e->node != first->node;
		if (e->command == first->command || e->command == ORD_NUMBERING_NONE)
			continue;
		if (first->command == ORD_NUMBERING_NONE) {
			first = e;
			continue;
		}
		ord_verdict_add(o->v, ORD_INVALID, "replicas-differ", first->op, e->op,
				"nodes %u and %u have different commands at %u:%" PRId64, first->node, e->node,
				e->partition, e->offset);
	}
	o->compared_count += is_compared;
}

/* The first entry at (partition, offset) or behind it, in the order of offset_compare. */
static size_t entry_find(const struct ord_order *o, uint32_t partition, int64_t offset)
{
	size_t low = 0, high = o->entries_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct ord_order_entry *e = &o->entries[middle];
		if (e->partition < partition || (e->partition == partition && e->offset < offset))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* An id that was told to be there has to be there, in every log that reaches so far. */
static void look_for_id(struct ord_order *o, const struct ord_order_id *known)
{
	struct ord_edn id = o->ids.values[known->number];
	bool is_found = false;
	char text[NAME_BYTES];
	for (size_t i = entry_find(o, known->partition, known->offset); i < o->entries_count; i++) {
		const struct ord_order_entry *e = &o->entries[i];
		if (e->partition != known->partition || e->offset != known->offset)
			break;
		is_found = true;
		if (e->has_ids && !ord_edn_equal(e->id, id))
			ord_verdict_add(o->v, ORD_INVALID, "not-in-log", known->told_op, e->op,
					"request %s is not at %u:%" PRId64 " of node %u",
					ord_edn_show(id, text, sizeof text), known->partition, known->offset, e->node);
	}
	o->found_count += is_found;
}

/* Entries [begin, end) are what nodes have at one offset: an id that was certainly not logged is in none of them. Told once. */
static void look_for_failed(struct ord_order *o, size_t begin, size_t end)
{
	char text[NAME_BYTES];
	for (size_t i = begin; i < end; i++) {
		const struct ord_order_entry *e = &o->entries[i];
		uint32_t number = ord_edn_is_nil(e->id) ? ORD_NUMBERING_NONE : ord_numbering_find(&o->ids, e->id);
		const struct ord_order_id *known = number != ORD_NUMBERING_NONE ? &o->known[number] : NULL;
		if (known == NULL || known->asked_count == 0 || known->failed_count < known->asked_count)
			continue;
		ord_verdict_add(o->v, ORD_INVALID, "failed-but-logged", known->asked_op, e->op,
				"request %s was certainly not logged, and is at %u:%" PRId64 " of node %u",
				ord_edn_show(e->id, text, sizeof text), e->partition, e->offset, e->node);
		return;
	}
}

void ord_order_look_at_logs(struct ord_order *o)
{
	if (o->entries_count == 0)
		return;
	qsort(o->entries, o->entries_count, sizeof *o->entries, node_compare);
	look_for_holes(o);
	qsort(o->entries, o->entries_count, sizeof *o->entries, offset_compare);
	for (size_t begin = 0, end; begin < o->entries_count; begin = end) {
		for (end = begin + 1; end < o->entries_count; end++) {
			if (o->entries[end].partition != o->entries[begin].partition ||
			    o->entries[end].offset != o->entries[begin].offset)
				break;
		}
		look_at_offset(o, begin, end);
		look_for_failed(o, begin, end);
	}
	for (uint32_t i = 0; i < o->ids.values_count; i++) {
		if (o->known[i].told_op != ORD_JEPSEN_NONE)
			look_for_id(o, &o->known[i]);
	}
}
