/* SPDX-License-Identifier: Apache-2.0 - the bounds of a node's queues. */
#include "node/bounds.h"

#include "base/assert.h"
#include "base/limits.h"

static void fill(uint32_t *value, uint32_t most)
{
	if (*value == 0)
		*value = most;
	ORD_ASSERT(*value <= most);
}

void ord_bounds_fill(struct ord_bounds *b)
{
	if (b->admit_bytes == 0)
		b->admit_bytes = ORD_ADMIT_BYTES_MAX;
	ORD_ASSERT(b->admit_bytes <= ORD_ADMIT_BYTES_MAX);
	fill(&b->admit_wait_ms, ORD_ADMIT_WAIT_MS);
	fill(&b->entry_bytes, ORD_ENTRY_BYTES_MAX);
	fill(&b->reads_count, ORD_READS_MAX);
	fill(&b->forwards_count, ORD_FORWARDS_MAX);
	fill(&b->unsettled_count, ORD_UNSETTLED_MAX);
	fill(&b->deliver_bytes, ORD_DELIVER_BYTES_MAX);
	fill(&b->deliver_window, ORD_DELIVER_WINDOW_MESSAGES);
	fill(&b->peer_output_bytes, ORD_PEER_OUTPUT_BYTES_MAX);
	fill(&b->checkpoint_rows, ORD_CHECKPOINT_ROWS_MAX);
	fill(&b->copy_bytes, ORD_COPY_BYTES);
	fill(&b->block_bytes, ORD_BLOCK_BYTES);
	fill(&b->scrub_pause_ms, ORD_SCRUB_PAUSE_MS);
	fill(&b->volume_bytes, ORD_VOLUME_BYTES);
	ORD_ASSERT(b->deliver_bytes + ORD_COMMAND_BYTES_MAX <= b->entry_bytes);
}
