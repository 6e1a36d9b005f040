/* SPDX-License-Identifier: Apache-2.0 - marks.
 *
 * A mark is of the state before its own entry. Of that entry only the time is in the state already when the mark is looked at, and it is left out. A mark can be compared when it is the first command of its
 * entry and of the very position that the replica has; otherwise something came between its making and its place in the log, and it says nothing. */
#include "partition/mark.h"

#include "base/err.h"
#include "partition/account.h"

static void mark_of(const struct ord_partition *p, uint64_t time_us, struct ord_mark *ret)
{
	*ret = (struct ord_mark){.position = p->position, .entries_count = p->entries_count};
	ord_partition_digest_at(p, time_us, ret->state_digest);
	memcpy(ret->history_hash, p->chain.hash, sizeof ret->history_hash);
}

void ord_partition_mark(const struct ord_partition *p, struct ord_mark *ret)
{
	mark_of(p, p->time_us, ret);
}

bool ord_mark_equal(const struct ord_mark *a, const struct ord_mark *b)
{
	return a->position == b->position && a->entries_count == b->entries_count &&
	       a->state_digest[0] == b->state_digest[0] && a->state_digest[1] == b->state_digest[1] &&
	       memcmp(a->history_hash, b->history_hash, sizeof a->history_hash) == 0;
}

void ord_mark_apply(struct ord_partition *p, const struct ord_mark *m, uint32_t command_number)
{
	struct ord_mark_effect *effect = &p->fx->mark;
	if (command_number != 0 || m->position != p->position) {
		p->marks.behind_count++;
		return;
	}
	effect->compared = true;
	effect->said = *m;
	mark_of(p, p->time_before_us, &effect->found);
	effect->differs = !ord_mark_equal(&effect->said, &effect->found);
	if (effect->differs) {
		p->marks.differing_count++;
		return;
	}
	p->marks.equal_count++;
	p->marks.equal_position = m->position;
}

int ord_partition_spoil(struct ord_partition *p, struct ord_slice account, int64_t delta)
{
	struct ord_account *a = ord_account_find(p, account);
	if (a == NULL)
		return ORD_ERR_NOT_FOUND;
	ord_row_change(p, &a->row);
	a->balance += delta;
	ord_account_changed(p, a);
	return ORD_OK;
}
