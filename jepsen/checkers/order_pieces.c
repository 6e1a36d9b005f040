/* SPDX-License-Identifier: Apache-2.0 - checker of order: whether the nodes' logs were all read, and reach to all that was acknowledged. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "jepsen/array.h"
#include "jepsen/checkers/order_parts.h"

#define NAME_BYTES 64

int ord_order_take_piece(struct ord_order *o, const struct ord_order_piece *piece)
{
	if (!ord_array_reach(&o->pieces, &o->pieces_capacity, o->pieces_count, sizeof *o->pieces))
		return ORD_ERR_NOMEM;
	o->pieces[o->pieces_count++] = *piece;
	return ORD_OK;
}

static int piece_compare(const void *a, const void *b)
{
	const struct ord_order_piece *x = a, *y = b;
	if (x->partition != y->partition)
		return x->partition < y->partition ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static int node_compare(const void *a, const void *b)
{
	const struct ord_order_piece *x = a, *y = b;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* One piece for each log, from its first offset to its last, in the order of partition and node: what is missing between is a hole, and told as one. */
static void pieces_join(struct ord_order *o)
{
	uint32_t count = 0;
	qsort(o->pieces, o->pieces_count, sizeof *o->pieces, piece_compare);
	for (uint32_t i = 0; i < o->pieces_count; i++) {
		const struct ord_order_piece *piece = &o->pieces[i];
		struct ord_order_piece *log = count > 0 ? &o->pieces[count - 1] : NULL;
		if (log == NULL || piece_compare(log, piece) != 0) {
			o->pieces[count++] = *piece;
		} else if (piece->from < piece->end) {
			bool is_empty = log->from == log->end;
			log->from = is_empty || piece->from < log->from ? piece->from : log->from;
			log->end = piece->end > log->end ? piece->end : log->end;
			log->op = piece->op;
		}
	}
	o->pieces_count = count;
}

/* The first log of the partition or of a later one. */
static uint32_t log_find(const struct ord_order *o, uint32_t partition)
{
	uint32_t low = 0, high = o->pieces_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (o->pieces[middle].partition < partition)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* False when no log of the partition was read. */
static bool look_for_id(struct ord_order *o, const struct ord_order_id *known)
{
	char text[NAME_BYTES];
	uint32_t first = log_find(o, known->partition), i = first;
	for (; i < o->pieces_count && o->pieces[i].partition == known->partition; i++) {
		const struct ord_order_piece *log = &o->pieces[i];
		if (known->told_op > log->op || (known->offset >= log->from && known->offset < log->end))
			continue;
		ord_verdict_add(o->v, ORD_INVALID, "short-log", known->told_op, log->op,
				"request %s is at %u:%" PRId64 ", and the log of node %u goes from %" PRId64
				" to before %" PRId64,
				ord_edn_show(o->ids.values[known->number], text, sizeof text), known->partition,
				known->offset, log->node, log->from, log->end);
	}
	return i > first;
}

/* Each node whose log of one partition was read has one of each. */
static void look_for_logs(struct ord_order *o)
{
	uint64_t partitions = 0, nodes = 0, logs = o->pieces_count;
	for (uint32_t i = 0; i < o->pieces_count; i++)
		partitions += i == 0 || o->pieces[i].partition != o->pieces[i - 1].partition;
	qsort(o->pieces, o->pieces_count, sizeof *o->pieces, node_compare);
	for (uint32_t i = 0; i < o->pieces_count; i++)
		nodes += i == 0 || o->pieces[i].node != o->pieces[i - 1].node;
	if (logs < nodes * partitions)
		ord_verdict_add(o->v, ORD_UNKNOWN, "missing-log", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"logs of %" PRIu64 " nodes and %" PRIu64 " partitions were read, but %" PRIu64
				" of these are missing",
				nodes, partitions, nodes * partitions - logs);
}

void ord_order_look_at_pieces(struct ord_order *o)
{
	char text[NAME_BYTES];
	if (o->pieces_count == 0)
		return;
	pieces_join(o);
	for (uint32_t i = 0; i < o->ids.values_count; i++) {
		const struct ord_order_id *known = &o->known[i];
		if (known->told_op != ORD_JEPSEN_NONE && !look_for_id(o, known))
			ord_verdict_add(o->v, ORD_UNKNOWN, "missing-log", known->told_op, ORD_JEPSEN_NONE,
					"request %s is at %u:%" PRId64 ", and no log of that partition was read",
					ord_edn_show(o->ids.values[known->number], text, sizeof text), known->partition,
					known->offset);
	}
	look_for_logs(o);
}
