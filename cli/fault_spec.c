/* SPDX-License-Identifier: Apache-2.0 - which links a partition cuts; and percentages. */
#include "cli/fault_spec.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* What the nodes of one mask send to those of the other one. */
static void cut_one_way(const struct ord_fault_view *view, uint32_t from, uint32_t to, struct ord_fault_cuts *c)
{
	for (uint32_t a = 0; a < view->nodes_count; a++)
		for (uint32_t b = 0; b < view->nodes_count; b++)
			if (a != b && (from >> a & 1) != 0 && (to >> b & 1) != 0)
				c->cut[a][b] = true;
}

void ord_fault_spec_apart(const struct ord_fault_view *view, uint32_t mask, struct ord_fault_cuts *ret)
{
	*ret = (struct ord_fault_cuts){0};
	cut_one_way(view, mask, ~mask, ret);
	cut_one_way(view, ~mask, mask, ret);
}

static int overlap(const char *spec, char *why, size_t why_size)
{
	snprintf(why, why_size, "'%.60s' names a node on both sides; name each node once", spec);
	return ORD_ERR_INVALID;
}

static int one_way(const char *spec, const struct ord_fault_view *view, struct ord_fault_cuts *ret, char *why,
		   size_t why_size)
{
	const char *sign = strchr(spec, '>');
	uint32_t from, to;
	int err = ord_fault_target_list(spec, (size_t)(sign - spec), view, &from, why, why_size);
	if (err == ORD_OK)
		err = ord_fault_target_list(sign + 1, strlen(sign + 1), view, &to, why, why_size);
	if (err == ORD_OK && (from & to) != 0)
		err = overlap(spec, why, why_size);
	if (err == ORD_OK)
		cut_one_way(view, from, to, ret);
	return err;
}

static int groups(const char *spec, const struct ord_fault_view *view, struct ord_fault_cuts *ret, char *why,
		  size_t why_size)
{
	uint32_t before = 0;
	const char *at = spec;
	for (;;) {
		uint32_t group;
		size_t len = strcspn(at, "|");
		int err = ord_fault_target_list(at, len, view, &group, why, why_size);
		if (err == ORD_OK && (group & before) != 0)
			err = overlap(spec, why, why_size);
		if (err != ORD_OK)
			return err;
		cut_one_way(view, group, before, ret);
		cut_one_way(view, before, group, ret);
		before |= group;
		if (at[len] == '\0')
			return ORD_OK;
		at += len + 1;
	}
}

int ord_fault_spec(const char *spec, const struct ord_fault_view *view, struct ord_fault_cuts *ret, char *why,
		   size_t why_size)
{
	struct ord_fault_cuts cuts = {0};
	int err = ORD_ERR_INVALID;
	if (strchr(spec, '>') != NULL)
		err = one_way(spec, view, &cuts, why, why_size);
	else if (strchr(spec, '|') != NULL)
		err = groups(spec, view, &cuts, why, why_size);
	else
		snprintf(
			why, why_size,
			"'%.60s' cuts nothing; write groups with | between them (\"1,2|3,4,5\"), or \"1>3\" for what 1 "
			"sends "
			"to 3 alone",
			spec);
	if (err == ORD_OK)
		*ret = cuts;
	return err;
}

int ord_fault_spec_ring(const struct ord_fault_view *view, struct ord_fault_cuts *ret, char *why, size_t why_size)
{
	uint32_t n = view->nodes_count, places[ORD_NODES_MAX];
	if (n < 3) {
		snprintf(why, why_size, "--ring: a cluster of %u nodes has no ring; it takes three", n);
		return ORD_ERR_INVALID;
	}
	ord_fault_shuffle(view->seed, n, places);
	*ret = (struct ord_fault_cuts){0};
	uint32_t reach = (n / 2 + 1) / 2; /* to each side: with itself just a majority, or one more */
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = 0; k < n; k++) {
			uint32_t apart = i > k ? i - k : k - i;
			uint32_t around = apart < n - apart ? apart : n - apart;
			if (n == 3 ? apart == 2 : around > reach)
				ret->cut[places[i]][places[k]] = true;
		}
	}
	return ORD_OK;
}

int ord_fault_percent(const char *text, uint32_t *ret_ppm)
{
	uint32_t ppm = 0;
	unsigned decimals = 0;
	const char *at = text;
	bool has_point = false, has_digit = false;
	for (; *at != '\0'; at++) {
		if (*at == '.' && !has_point && has_digit) {
			has_point = true;
			continue;
		}
		if (*at < '0' || *at > '9' || ppm > 1000000 || (has_point && decimals == 4))
			return ORD_ERR_INVALID;
		ppm = ppm * 10 + (uint32_t)(*at - '0');
		decimals += has_point;
		has_digit = true;
	}
	if (!has_digit || at[-1] == '.')
		return ORD_ERR_INVALID;
	for (; decimals < 4; decimals++) {
		if (ppm > 1000000)
			return ORD_ERR_INVALID;
		ppm *= 10;
	}
	if (ppm > 1000000)
		return ORD_ERR_INVALID;
	*ret_ppm = ppm;
	return ORD_OK;
}
