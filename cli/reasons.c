/* SPDX-License-Identifier: Apache-2.0 - the names of what went wrong, and how often each came. */
#include "cli/reasons.h"

#include <stdio.h>
#include <string.h>

static struct ord_reason *place_of(struct ord_reasons *r, const char *name)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (strncmp(r->list[i].name, name, sizeof r->list[i].name - 1) == 0)
			return &r->list[i];
	if (r->count == ORD_REASONS_MAX)
		return &r->list[ORD_REASONS_MAX - 1];
	struct ord_reason *made = &r->list[r->count++];
	snprintf(made->name, sizeof made->name, "%s", r->count == ORD_REASONS_MAX ? "others" : name);
	return made;
}

void ord_reasons_add(struct ord_reasons *r, const char *name)
{
	place_of(r, name)->count++;
}
