/* SPDX-License-Identifier: Apache-2.0 - follows names: each has one owner at most, and the first claim in the log has it (invariant 4). */
#include "base/err.h"
#include "partition/name.h"
#include "partition/request.h"
#include "partition/state.h"
#include "tests/sim/coverage.h"
#include "tests/sim/follow.h"
#include "tests/sim/world.h"

/* For printf's "%.*s". */
#define TEXT(slice) (int)(slice).len, (const char *)(slice).base

static enum ord_refusal decide(const struct ord_command *c, const struct sim_name_version *holder)
{
	bool owned = holder != NULL && holder->owned;

	if (c->kind == ORD_COMMAND_CLAIM)
		return owned ? ORD_REFUSAL_NAME_TAKEN : ORD_REFUSAL_NONE;
	if (!owned)
		return ORD_REFUSAL_NAME_FREE;
	return ord_slice_equal(holder->owner, c->naming.expected) ? ORD_REFUSAL_NONE : ORD_REFUSAL_OTHER_OWNER;
}

static void name_change(const struct sim_entry *e, struct sim_name_trail *n, const struct ord_command *c,
			const struct sim_request_trail *t)
{
	const struct ord_request *r = ord_request_find(sim_follow_copy(e->partition), &t->id);
	struct sim_name_version v = {
		.begin = e->end,
		.owned = c->kind != ORD_COMMAND_RELEASE,
		.request_id = t->id,
		.position = t->position,
	};

	SIM_ASSERT(r != NULL);
	v.owner = ord_request_command(r).naming.owner;
	sim_trail_add_name_version(n, &v);
}

void sim_follow_naming(const struct sim_entry *e, const struct ord_command *c, const struct sim_request_trail *t)
{
	struct sim_name_trail *n = sim_trail_find_name(c->naming.space, c->naming.name);
	enum ord_refusal reason;

	if (n == NULL)
		n = sim_trail_make_name(e->partition, c->naming.space, c->naming.name);
	const struct sim_name_version *holder = sim_trail_last_name(n);
	reason = decide(c, holder);
	if (t->reason != reason)
		sim_fail(SIM_SAFETY,
			 "invariant 4: partition %u: the %s at %llu of name '%.*s' '%.*s' is decided '%s', and the "
			 "names say '%s'",
			 e->partition, ord_command_name(c->kind), (unsigned long long)t->position,
			 TEXT(c->naming.space), TEXT(c->naming.name), ord_refusal_name(t->reason),
			 ord_refusal_name(reason));
	if (reason == ORD_REFUSAL_NAME_TAKEN && !ord_slice_equal(holder->owner, c->naming.owner))
		sim_cover(SIM_COVER_NAME_CONFLICT);
	if (reason != ORD_REFUSAL_NONE)
		return;
	if (c->kind == ORD_COMMAND_REASSIGN)
		sim_cover(SIM_COVER_NAME_REASSIGNED);
	if (c->kind == ORD_COMMAND_CLAIM && holder != NULL)
		sim_cover(SIM_COVER_NAME_CLAIMED_AGAIN);
	name_change(e, n, c, t);
}

static bool name_holds(const struct sim_name_trail *n)
{
	const struct sim_name_version *last = sim_trail_last_name(n);
	struct ord_slice space = ord_slice_of(n->text, n->space_bytes);
	struct ord_slice name = ord_slice_of(n->text + n->space_bytes, n->name_bytes);
	struct ord_name_view view;

	if (ord_partition_name(sim_follow_copy(n->partition), space, name, &view) != ORD_OK)
		return last == NULL || !last->owned;
	return last != NULL && last->owned && ord_slice_equal(view.owner, last->owner) &&
	       ord_uuid_equal(&view.request_id, &last->request_id) && view.position == last->position;
}

void sim_follow_name_check(void)
{
	for (const struct sim_name_trail *n = sim_trail_names(); n != NULL; n = n->next)
		if (!name_holds(n))
			sim_fail(SIM_SAFETY,
				 "invariant 4: partition %u: name '%.*s' has another owner than the log says",
				 n->partition, (int)n->name_bytes, (const char *)n->text + n->space_bytes);
}
