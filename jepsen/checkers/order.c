/* SPDX-License-Identifier: Apache-2.0 - checker: one order for all commands of a partition. Positions that clients were told are here, the logs of the nodes in order_logs.c and order_pieces.c. */
#include "jepsen/checkers/order.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "jepsen/array.h"
#include "jepsen/checkers/order_parts.h"

#define NAME_BYTES 64

/* Looks that a value of the history is a position. */
static bool position_read(struct ord_edn v, uint32_t *ret_partition, int64_t *ret_offset)
{
	if (v.kind != ORD_EDN_VECTOR || v.len != 2 || v.items[0].kind != ORD_EDN_INT ||
	    v.items[1].kind != ORD_EDN_INT || v.items[0].integer < 0 || v.items[0].integer >= ORD_NUMBERING_NONE ||
	    v.items[1].integer < 0)
		return false;
	*ret_partition = (uint32_t)v.items[0].integer;
	*ret_offset = v.items[1].integer;
	return true;
}

static struct ord_order_id *id_of(struct ord_order *o, struct ord_edn id)
{
	uint32_t before = o->ids.values_count;
	uint32_t number = ord_numbering_of(&o->ids, id);
	if (!ord_array_reach(&o->known, &o->known_capacity, number, sizeof *o->known))
		return NULL;
	if (number == before)
		o->known[number] = (struct ord_order_id){
			.number = number, .asked_op = ORD_JEPSEN_NONE, .told_op = ORD_JEPSEN_NONE};
	return &o->known[number];
}

static int take_invocation(struct ord_order *o, uint32_t index)
{
	struct ord_edn id = ord_edn_get(o->h->ops[index].value, "id");
	if (ord_edn_is_nil(id) || strcmp(o->h->ops[index].f, "request") == 0)
		return ORD_OK;
	struct ord_order_id *known = id_of(o, id);
	if (known == NULL)
		return ORD_ERR_NOMEM;
	if (known->asked_op == ORD_JEPSEN_NONE)
		known->asked_op = index;
	known->asked_count++;
	return ORD_OK;
}

/* A fail says of the operation, not of the id, that it was not logged. */
static void take_fail(struct ord_order *o, uint32_t index)
{
	struct ord_edn id = ord_edn_get(o->h->ops[o->h->ops[index].other].value, "id");
	uint32_t number = ord_edn_is_nil(id) ? ORD_NUMBERING_NONE : ord_numbering_find(&o->ids, id);
	if (number != ORD_NUMBERING_NONE && strcmp(o->h->ops[index].f, "request") != 0)
		o->known[number].failed_count++;
}

/* An answer that names the position of the id. That of another payload under the same id says nothing of this one. */
static int take_answer(struct ord_order *o, uint32_t index)
{
	const struct ord_jepsen_op *done = &o->h->ops[index];
	struct ord_edn id = ord_edn_get(o->h->ops[done->other].value, "id");
	struct ord_edn position = ord_edn_get(done->value, "position");
	uint32_t partition;
	int64_t offset;
	char text[NAME_BYTES];
	if (ord_edn_is_nil(id) || ord_edn_is_nil(position) ||
	    ord_edn_is_word(ord_edn_get(done->value, "reason"), "id_reused"))
		return ORD_OK;
	if (!position_read(position, &partition, &offset)) {
		ord_verdict_add(o->v, ORD_UNKNOWN, "malformed", index, ORD_JEPSEN_NONE,
				"a position that is not [partition offset]");
		return ORD_OK;
	}
	struct ord_order_id *known = id_of(o, id);
	if (known == NULL)
		return ORD_ERR_NOMEM;
	if (known->told_op == ORD_JEPSEN_NONE) {
		known->told_op = index;
		known->partition = partition;
		known->offset = offset;
	} else if (known->partition != partition || known->offset != offset) {
		ord_verdict_add(o->v, ORD_INVALID, "moved", known->told_op, index,
				"request %s was at %u:%" PRId64 " and is at %u:%" PRId64,
				ord_edn_show(id, text, sizeof text), known->partition, known->offset, partition,
				offset);
	}
	return ORD_OK;
}

static int take(struct ord_order *o, uint32_t index)
{
	const struct ord_jepsen_op *op = &o->h->ops[index];
	if (op->process == ORD_JEPSEN_NEMESIS)
		return ORD_OK;
	if (op->type == ORD_JEPSEN_INVOKE)
		return take_invocation(o, index);
	if (op->type == ORD_JEPSEN_FAIL && op->other != ORD_JEPSEN_NONE)
		take_fail(o, index);
	if (op->type != ORD_JEPSEN_OK || op->other == ORD_JEPSEN_NONE)
		return ORD_OK;
	return strcmp(op->f, "log") == 0 ? ord_order_take_log(o, index) : take_answer(o, index);
}

/* --- Real time --- */

static int place_compare(const void *a, const void *b)
{
	const struct ord_order_id *x = *(const struct ord_order_id *const *)a,
				  *y = *(const struct ord_order_id *const *)b;
	if (x->partition != y->partition)
		return x->partition < y->partition ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->told_op < y->told_op ? -1 : x->told_op > y->told_op;
}

/* later lies behind earlier, or at the same place, in one partition. */
static void look_at_pair(struct ord_order *o, const struct ord_order_id *earlier, const struct ord_order_id *later)
{
	char a[NAME_BYTES], b[NAME_BYTES];
	ord_edn_show(o->ids.values[earlier->number], a, sizeof a);
	ord_edn_show(o->ids.values[later->number], b, sizeof b);
	if (earlier->offset == later->offset)
		ord_verdict_add(o->v, ORD_INVALID, "shared-position", earlier->told_op, later->told_op,
				"requests %s and %s are both at %u:%" PRId64, a, b, later->partition, later->offset);
	else if (earlier->asked_op != ORD_JEPSEN_NONE && later->told_op < earlier->asked_op)
		ord_verdict_add(o->v, ORD_INVALID, "real-time", later->told_op, earlier->asked_op,
				"request %s was answered before %s was asked for, and lies behind it, at %u:%" PRId64,
				b, a, later->partition, later->offset);
}

/* Of all before it in the log it is enough to look at the one that was asked last. */
static int look_at_places(struct ord_order *o)
{
	const struct ord_order_id **placed = calloc((size_t)o->ids.values_count + 1, sizeof *placed);
	uint32_t count = 0, last = 0;
	if (placed == NULL)
		return ORD_ERR_NOMEM;
	for (uint32_t i = 0; i < o->ids.values_count; i++) {
		if (o->known[i].told_op != ORD_JEPSEN_NONE)
			placed[count++] = &o->known[i];
	}
	qsort(placed, count, sizeof *placed, place_compare);
	for (uint32_t i = 0; i < count; i++) {
		bool begins = i == 0 || placed[i]->partition != placed[i - 1]->partition;
		o->partitions_count += begins;
		if (begins) {
			last = i;
			continue;
		}
		if (placed[i]->offset == placed[i - 1]->offset)
			look_at_pair(o, placed[i - 1], placed[i]);
		if (placed[last]->offset != placed[i]->offset)
			look_at_pair(o, placed[last], placed[i]);
		if (placed[i]->asked_op != ORD_JEPSEN_NONE &&
		    (placed[last]->asked_op == ORD_JEPSEN_NONE || placed[i]->asked_op > placed[last]->asked_op))
			last = i;
	}
	free(placed);
	o->acknowledged_count = count;
	return ORD_OK;
}

static void figures(struct ord_order *o)
{
	if (o->acknowledged_count == 0)
		ord_verdict_add(o->v, ORD_UNKNOWN, "no-positions", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"nobody was told a position");
	ord_verdict_count(o->v, "acknowledged", o->acknowledged_count);
	ord_verdict_count(o->v, "partitions", o->partitions_count);
	ord_verdict_count(o->v, "replicas", o->replicas_count);
	ord_verdict_count(o->v, "compared", o->compared_count);
	ord_verdict_count(o->v, "found-in-logs", o->found_count);
}

int ord_check_order(const struct ord_jepsen_history *h, struct ord_verdict *ret)
{
	struct ord_order o = {.h = h, .v = ret};
	int err = ord_verdict_open(ret);
	if (err == ORD_OK)
		err = ord_numbering_open(&o.ids);
	if (err == ORD_OK)
		err = ord_numbering_open(&o.commands);
	for (uint32_t i = 0; err == ORD_OK && i < h->ops_count; i++)
		err = take(&o, i);
	if (err == ORD_OK)
		err = look_at_places(&o);
	if (err == ORD_OK) {
		ord_order_look_at_logs(&o);
		ord_order_look_at_pieces(&o);
		figures(&o);
	}
	ord_numbering_close(&o.ids);
	ord_numbering_close(&o.commands);
	free(o.known);
	free(o.entries);
	free(o.pieces);
	if (err != ORD_OK)
		ord_verdict_close(ret);
	return err;
}
