/* SPDX-License-Identifier: Apache-2.0 - what a backup has to have in it: all that the cluster has committed when it is begun, or, where the cluster is not asked, all that the node has in its log then. Of a second try likewise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/backup_inside.h"

/* No term is later: what is committed is not overruled. */
#define TERM_COMMITTED UINT64_MAX

/* What an earlier try has wanted stays. */
static void want(struct ord_backup_wanted *w, uint64_t index, uint64_t term)
{
	if (index > w->index)
		*w = (struct ord_backup_wanted){.index = index, .term = term};
}

static void raise_to_log(struct ord_backup *b)
{
	for (uint32_t i = 0; i < b->identity.partitions_count; i++)
		want(&b->wanted[i], b->tails.tails[i].log_index, b->tails.tails[i].log_term);
}

static int ask(struct ord_backup *b, bool *ret_told)
{
	uint32_t count = b->identity.partitions_count;
	uint64_t *committed = calloc(count, sizeof *committed);
	if (committed == NULL) {
		snprintf(b->why, b->why_size, "%s", ord_err_text(ORD_ERR_NOMEM));
		return ORD_ERR_NOMEM;
	}
	*ret_told = b->options->ask != NULL && b->options->ask(b->options->ctx, committed, count);
	for (uint32_t i = 0; *ret_told && i < count; i++)
		want(&b->wanted[i], committed[i], TERM_COMMITTED);
	free(committed);
	return ORD_OK;
}

static int log_ask(struct ord_backup *b)
{
	int err = ord_tails_read(&b->tails, &b->home, b->why, b->why_size);
	if (err != ORD_OK)
		return err;
	raise_to_log(b);
	b->wanted_is_open = b->tails.damage[0] != '\0' || b->tails.unfinished[0] != '\0';
	memcpy(b->wanted_end, b->tails.unfinished, sizeof b->wanted_end);
	return ORD_OK;
}

/* Of a node that does not run, or not any more, it is what its checkpoints have. */
int ord_backup_wanted_find(struct ord_backup *b)
{
	bool is_told = false;
	b->wanted_is_open = false;
	if (!b->node_runs) {
		memset(b->wanted, 0, b->identity.partitions_count * sizeof *b->wanted);
		return ORD_OK;
	}
	int err = ask(b, &is_told);
	return err == ORD_OK && !is_told ? log_ask(b) : err;
}

/* Is the log sound by now, or has it at least gone on behind the place where it seemed to end? */
static bool may_close(const struct ord_backup *b)
{
	const struct ord_tails *t = &b->tails;
	return t->damage[0] == '\0' && (t->unfinished[0] == '\0' || strcmp(t->unfinished, b->wanted_end) != 0);
}

static void lower(struct ord_backup *b)
{
	for (uint32_t i = 0; i < b->identity.partitions_count; i++) {
		const struct ord_tail *t = &b->tails.tails[i];
		struct ord_backup_wanted *w = &b->wanted[i];
		if (ord_tail_has_overruled(t, w->index, w->term))
			*w = (struct ord_backup_wanted){.index = t->log_index, .term = t->log_term};
	}
}

bool ord_backup_wanted_settle(struct ord_backup *b)
{
	if (b->wanted_is_open) {
		if (may_close(b)) {
			raise_to_log(b);
			b->wanted_is_open = false;
		}
		return false;
	}
	if (!ord_backup_log_is_damaged(b))
		lower(b);
	return true;
}
