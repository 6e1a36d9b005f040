/* SPDX-License-Identifier: Apache-2.0 - the oldest segment of the write-ahead log goes when nothing in it is needed, and is helped to when it is old. */

/* What is needed in the oldest segment, and what is done about it, a bounded amount in a turn:
 *
 *   entries that are nowhere else    when there are more than segments_max segments, and such entries are less than a quarter of this one or of the
 *                                    whole log (they are of groups that lag): they are copied to the end of the log. Otherwise their release is waited
 *                                    for. So what is copied is a third of what is freed at most, in the long run
 *   released entries                 when there are more than segments_max segments: they leave the log
 *   votes                            they are written again
 *   nothing                          it is removed
 *
 * As long as it, or one behind it, is damaged it is treated as if there were too many segments; what is not released some time after the damage was found is copied, whatever that costs. An entry
 * that cannot be read is taken from the owner, who may have it. When he has not, it stays, and keeps its segment, until it is released. When the segment that is being written is damaged, the log goes on in a new one:
 * votes are written again, so that this begins also where nothing else is to be written.
 *
 * Of a log of which nothing was ever released all stays as it was written.
 */
#include "base/err.h"
#include "raft/host_state.h"

#define COPY_BYTES_PER_TURN (256u << 10)
#define WAITING_BYTES_MAX (4u << 20) /* the log has enough to write */
#define GROUPS_PER_TURN 16
#define COPY_PART 4 /* one fourth */
/* So long the owner has to release what is in damaged segments. */
#define DAMAGED_COPY_MS 10000
#define DAMAGED_AGAIN_MS 1000

/* Goes on with the groups, one after the other; true when all have been. */
static bool tidy_next_group(struct ord_host *h)
{
	h->tidy_at = 0;
	h->tidy_group += h->groups_step;
	if (h->tidy_group < h->groups_count)
		return false;
	h->tidy_group = h->groups_first;
	return true;
}

static void copy_entries(struct ord_host *h, uint64_t segment)
{
	struct ord_wal_status w;
	uint64_t budget = COPY_BYTES_PER_TURN;
	ord_wal_status(h->env.wal, &w);
	if (w.waiting_bytes > WAITING_BYTES_MAX)
		return;
	for (int i = 0; i < GROUPS_PER_TURN && budget > 0 && !h->env.dead; i++) {
		if (!ord_group_copy_entries(h->groups[h->tidy_group], segment, &h->tidy_at, &budget))
			return;
		if (tidy_next_group(h)) {
			h->tidy_not_before_ms = h->env.now_ms + DAMAGED_AGAIN_MS;
			return;
		}
	}
}

static void trim_segment(struct ord_host *h, uint64_t segment)
{
	for (int i = 0; i < GROUPS_PER_TURN && !h->env.dead; i++) {
		ord_group_trim_segment(h->groups[h->tidy_group], segment);
		if (tidy_next_group(h))
			return;
	}
}

static void copy_votes(struct ord_host *h, uint64_t segment)
{
	for (uint32_t i = h->groups_first; i < h->groups_count && !h->env.dead; i += h->groups_step)
		ord_group_copy_vote(h->groups[i], segment);
}

/* The damaged segment becomes one that is not written any more, when there is room for another one. */
static void leave_damaged(struct ord_host *h)
{
	if (!ord_group_env_has_room(&h->env) || !ord_wal_leave(h->env.wal, h->env.damage.segment))
		return;
	copy_votes(h, 0);
}

static bool copying_pays(const struct ord_host *h, const struct ord_wal_oldest *oldest)
{
	uint64_t log_bytes = oldest->segments_count * h->segment_bytes;
	return oldest->used_bytes[ORD_WAL_USE_ENTRY] <= h->segment_bytes / COPY_PART ||
	       oldest->entries_bytes <= log_bytes / COPY_PART;
}

static bool copies_damaged(const struct ord_host *h)
{
	const struct ord_group_env *env = &h->env;
	return env->now_ms - env->damage.found_ms >= DAMAGED_COPY_MS && env->now_ms >= h->tidy_not_before_ms;
}

void ord_host_tidy(struct ord_host *h)
{
	struct ord_wal_oldest oldest;
	if (ord_wal_first(h->env.wal) > h->env.damage.segment)
		h->env.damage = (struct ord_wal_damage){0};
	bool is_damaged = h->env.damage.segment != 0;
	if (is_damaged)
		leave_damaged(h);
	if ((!h->releases && !is_damaged) || !ord_wal_oldest(h->env.wal, &oldest))
		return;
	if (oldest.number != h->tidy_segment) {
		h->tidy_segment = oldest.number;
		h->tidy_group = h->groups_first;
		h->tidy_at = 0;
	}
	bool is_over = is_damaged || oldest.segments_count > h->segments_max;
	if (oldest.used_bytes[ORD_WAL_USE_ENTRY] > 0) {
		if (is_damaged ? copies_damaged(h) : is_over && copying_pays(h, &oldest))
			copy_entries(h, oldest.number);
	} else if (oldest.used_bytes[ORD_WAL_USE_TRAILING] > 0) {
		if (is_over)
			trim_segment(h, oldest.number);
	} else if (oldest.used_bytes[ORD_WAL_USE_VOTE] > 0) {
		copy_votes(h, oldest.number);
	} else {
		ord_wal_remove(h->env.wal);
	}
}
