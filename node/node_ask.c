/* SPDX-License-Identifier: Apache-2.0 - what is asked of all shards of a node goes round: from place to place, by number, and back to where it was asked. */
#include <stdlib.h>

#include "base/assert.h"
#include "node/node_state.h"

struct tour {
	struct ord_task task; /* first */
	struct ord_asking *asking;
	struct ord_place *home;
	uint32_t next;
};

static void tour_go_on(struct tour *t, struct ord_place *at);

static void tour_end(struct tour *t, struct ord_place *home)
{
	struct ord_asking *asking = t->asking;
	free(t);
	ORD_ASSERT(home->asks_count > 0);
	home->asks_count--;
	asking->done(asking);
	ord_place_check_quiet(home);
}

static void tour_run(struct ord_task *task, void *ctx)
{
	struct tour *t = (struct tour *)task;
	struct ord_place *at = ctx;
	if (t->next < at->node->places_count) {
		ORD_ASSERT(at->number == t->next);
		ord_ask_visit(&t->asking->ask, at->state == ORD_PLACE_RUNNING ? at->shard : NULL);
		t->next++;
		tour_go_on(t, at);
	} else {
		tour_end(t, at);
	}
}

static void tour_go_on(struct tour *t, struct ord_place *at)
{
	struct ord_node *n = at->node;
	ord_place_send_task(at, &t->task, t->next < n->places_count ? &n->places[t->next] : t->home);
}

static void start_run(struct ord_task *task, void *ctx)
{
	struct tour *t = (struct tour *)task;
	t->task.run = tour_run;
	tour_go_on(t, ctx);
}

void ord_place_ask(void *ctx, struct ord_asking *asking)
{
	struct ord_place *home = ctx;
	struct ord_node *n = home->node;
	struct tour *t = malloc(sizeof *t);
	ORD_ASSERT(t != NULL);
	*t = (struct tour){.task = {.run = start_run}, .asking = asking, .home = home};
	home->asks_count++;
	/* Never answered from inside the call: it begins with another shard than this one. */
	ORD_ASSERT(n->places_count > 1);
	ord_place_send_task(home, &t->task, &n->places[(home->number + 1) % n->places_count]);
}
