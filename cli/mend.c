/* SPDX-License-Identifier: Apache-2.0 - what a backup does about damage: it has the node look, and waits as long as there is hope. */
#include "cli/mend.h"

#include <stdio.h>
#include <string.h>

#define ASK_MS 2000   /* between two questions */
#define STAYS_MS 2000 /* so long, and an end is none that is being written */
/* What is damaged in a log and still needed is written again ten seconds after it was found (raft/host_tidy.c). A node that was not asked checks its files once a minute. */
#define HOPE_MS 90000

void ord_mend_see(struct ord_mend *m, const char *damage, const char *unfinished, int64_t now_ms)
{
	bool is_same = unfinished[0] != '\0' && strcmp(m->unfinished, unfinished) == 0;
	if (!is_same) {
		snprintf(m->unfinished, sizeof m->unfinished, "%s", unfinished);
		m->unfinished_ms = now_ms;
	}
	bool stays = is_same && now_ms - m->unfinished_ms >= STAYS_MS;
	snprintf(m->damage, sizeof m->damage, "%s", damage[0] != '\0' || !stays ? damage : unfinished);
}

void ord_mend_go_on(struct ord_mend *m, ord_mend_ask ask, void *ctx, int64_t now_ms)
{
	if (m->damage[0] == '\0' || ask == NULL || (m->asked_ms != 0 && now_ms - m->asked_ms < ASK_MS))
		return;
	m->asked_ms = now_ms;
	if (ask(ctx, m->damage))
		m->idle_ms = 0;
	else if (m->idle_ms == 0)
		m->idle_ms = now_ms;
}

bool ord_mend_is_checked(const struct ord_mend *m)
{
	return m->asked_ms != 0 && m->idle_ms == 0;
}

bool ord_mend_is_hopeless(const struct ord_mend *m, int64_t now_ms)
{
	return m->damage[0] != '\0' && m->idle_ms != 0 && now_ms - m->idle_ms >= HOPE_MS;
}
