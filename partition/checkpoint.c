/* SPDX-License-Identifier: Apache-2.0 - checkpoints. */
#include "partition/checkpoint.h"

#include "base/assert.h"
#include "partition/saved.h"
#include "partition/state.h"

/* Records of the store that a checkpoint looks at beside its own, to drop the expired ones. */
#define CHECKPOINT_SWEEP_ROWS 1024u
/* Records asked of memory before they are encoded. */
#define CHECKPOINT_ROWS_AHEAD 8u

void ord_checkpoint_begin(struct ord_partition *p, struct ord_slice note)
{
	struct ord_rows *rows = &p->rows;
	ORD_ASSERT(p->store != NULL);
	ORD_ASSERT(note.len > 0);
	ORD_ASSERT(note.len <= ORD_CHECKPOINT_NOTE_BYTES_MAX);
	ORD_ASSERT(p->checkpoint.phase == ORD_CHECKPOINT_NONE);
	ORD_ASSERT(rows->frozen.count == 0);
	struct ord_row_list emptied = rows->frozen;
	rows->frozen = rows->changed;
	rows->changed = emptied;
	rows->changed_bytes = 0;
	rows->epoch++;
	p->checkpoint.phase = ORD_CHECKPOINT_ENCODING;
	p->checkpoint.cursor = 0;
	ord_saved_put_numbers(p);
	ord_saved_put_note(p, note);
	ord_saved_put_messages(p);
	/* More than comes new, so that what is old becomes less. */
	ord_expire_begin(p, CHECKPOINT_SWEEP_ROWS + 2 * (uint64_t)rows->frozen.count);
}

void ord_checkpoint_encode(struct ord_partition *p, struct ord_row *row)
{
	ORD_ASSERT(p->checkpoint.phase == ORD_CHECKPOINT_ENCODING);
	ORD_ASSERT((row->flags & ORD_ROW_ENCODED) == 0);
	ord_saved_put_row(p, row);
	row->flags |= ORD_ROW_ENCODED;
}

int ord_checkpoint_note(const struct ord_partition *p, struct ord_slice *ret)
{
	return ord_saved_get_note(p, ret);
}

/* A row of the new epoch was encoded when it left the frozen one. */
static bool waits(const struct ord_partition *p, const struct ord_row *row)
{
	return row->epoch != p->rows.epoch && (row->flags & ORD_ROW_ENCODED) == 0;
}

bool ord_checkpoint_step(struct ord_partition *p, size_t rows_max)
{
	const struct ord_row_list *frozen = &p->rows.frozen;
	ORD_ASSERT(p->checkpoint.phase == ORD_CHECKPOINT_ENCODING);
	for (; p->checkpoint.cursor < frozen->count && rows_max > 0; rows_max--) {
		if (p->checkpoint.cursor + CHECKPOINT_ROWS_AHEAD < frozen->count)
			ord_row_prefetch(frozen->rows[p->checkpoint.cursor + CHECKPOINT_ROWS_AHEAD]);
		struct ord_row *row = frozen->rows[p->checkpoint.cursor++];
		if (waits(p, row))
			ord_checkpoint_encode(p, row);
	}
	if (p->checkpoint.cursor < frozen->count || !ord_expire_step(p, rows_max))
		return false;
	ord_saved_put_dropped(p);
	p->checkpoint.phase = ORD_CHECKPOINT_ENCODED;
	return true;
}

void ord_checkpoint_lend(struct ord_partition *p, struct ord_changes *spare)
{
	ORD_ASSERT(p->checkpoint.phase == ORD_CHECKPOINT_NONE);
	ORD_ASSERT(spare->count == 0);
	ord_changes_close(&p->checkpoint.changes);
	p->checkpoint.changes = *spare;
	ord_changes_init(spare);
}

struct ord_changes ord_checkpoint_take(struct ord_partition *p)
{
	ORD_ASSERT(p->checkpoint.phase == ORD_CHECKPOINT_ENCODED);
	struct ord_changes taken = p->checkpoint.changes;
	ord_changes_init(&p->checkpoint.changes);
	p->checkpoint.phase = ORD_CHECKPOINT_WRITING;
	p->checkpoint.cursor = 0;
	return taken;
}

bool ord_checkpoint_finish(struct ord_partition *p, size_t rows_max)
{
	ORD_ASSERT(p->checkpoint.phase == ORD_CHECKPOINT_WRITING);
	if (!ord_rows_clean(p, &p->checkpoint.cursor, rows_max))
		return false;
	ord_expire_finish(p);
	p->checkpoint.phase = ORD_CHECKPOINT_NONE;
	return true;
}

void ord_checkpoint_status(const struct ord_partition *p, struct ord_checkpoint_status *ret)
{
	*ret = (struct ord_checkpoint_status){
		.under_way = p->checkpoint.phase != ORD_CHECKPOINT_NONE,
		.changed_count = p->rows.changed.count,
		.changed_bytes = p->rows.changed_bytes,
		.memory_bytes = p->rows.bytes,
		.clean_bytes = p->rows.lasting.bytes + p->rows.passing.bytes,
	};
}

void ord_checkpoint_evict(struct ord_partition *p, uint64_t bytes_max, size_t rows_max)
{
	ord_rows_evict(p, bytes_max, rows_max);
}
