/* SPDX-License-Identifier: Apache-2.0 - checking states in LMDB piece by piece, on the copier's thread. Each piece has a view of its own: one that stayed through a whole round would keep all pages that are replaced meanwhile. */
#include <stdio.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/lmdb_state.h"

static void scrub_work(struct ord_worker_job *job)
{
	struct ord_lmdb_scrub *s = (struct ord_lmdb_scrub *)job;
	struct ord_lmdb_view view;
	s->checked = (struct ord_pairs_checked){.place = s->after};
	int rv = ord_lmdb_view_open(&view, &s->owner->states[s->partition].env);
	s->status = rv == 0 ? ord_pairs_check(&view.store, &s->after, s->bytes_max, &s->checked) : ord_lmdb_err(rv);
	ord_lmdb_view_close(&view);
}

static void scrub_done(struct ord_worker_job *job)
{
	struct ord_lmdb_scrub *s = (struct ord_lmdb_scrub *)job;
	struct ord_lmdb *l = s->owner;
	char path[ORD_LMDB_PATH_SIZE];
	s->under_way = false;
	if (s->status != ORD_OK) {
		ord_lmdb_path(l, s->partition, "", path);
		snprintf(l->error_text, sizeof l->error_text,
			 "%s/data.mdb: checking it failed in table %u, at the record after %llu sound ones of this "
			 "piece: %s",
			 path, s->checked.place.table, (unsigned long long)s->checked.pairs_count,
			 ord_err_text(s->status));
	}
	l->events.scrubbed(l->events.ctx, s->partition, s->status, &s->checked);
}

void ord_lmdb_scrub_init(struct ord_lmdb *l)
{
	l->scrub = (struct ord_lmdb_scrub){.job = {.work = scrub_work, .done = scrub_done}, .owner = l};
}

void ord_lmdb_scrub(void *ctx, uint32_t partition, const struct ord_pairs_place *after, uint64_t bytes_max)
{
	struct ord_lmdb *l = ctx;
	ORD_ASSERT(!l->scrub.under_way);
	ORD_ASSERT(l->states[partition].env.env != NULL);
	l->scrub.partition = partition;
	l->scrub.after = *after;
	l->scrub.bytes_max = bytes_max;
	l->scrub.under_way = true;
	ord_worker_give(l->copier, &l->scrub.job);
}
