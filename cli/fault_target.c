/* SPDX-License-Identifier: Apache-2.0 - which nodes a fault is for. */
#include "cli/fault_target.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/chance.h"
#include "base/err.h"
#include "cli/args.h"

void ord_fault_shuffle(uint64_t seed, uint32_t count, uint32_t ret_places[ORD_NODES_MAX])
{
	uint64_t state = seed;
	for (uint32_t i = 0; i < count; i++)
		ret_places[i] = i;
	for (uint32_t left = count; left > 1; left--) {
		uint32_t other = (uint32_t)(ord_chance_next(&state) % left), last = ret_places[left - 1];
		ret_places[left - 1] = ret_places[other];
		ret_places[other] = last;
	}
}

/* So many nodes of the mask (or all of it), chosen by the seed. */
static uint32_t choose(const struct ord_fault_view *view, uint32_t mask, uint32_t count)
{
	uint32_t places[ORD_NODES_MAX], chosen = 0;
	ord_fault_shuffle(view->seed, view->nodes_count, places);
	for (uint32_t i = 0; count > 0 && i < view->nodes_count; i++) {
		if ((mask >> places[i] & 1) == 0)
			continue;
		chosen |= 1u << places[i];
		count--;
	}
	return chosen;
}

static int unusable(const char *text, size_t len, char *why, size_t why_size)
{
	snprintf(why, why_size,
		 "'%.*s' is no target; write node numbers (2 or 1,3), all, leader:P, follower:P (P: a partition), "
		 "majority, "
		 "minority or random",
		 (int)(len > 60 ? 60 : len), text);
	return ORD_ERR_INVALID;
}

static int no_list(const char *text, size_t len, char *why, size_t why_size)
{
	snprintf(why, why_size, "'%.*s' is no list of node numbers; write it like 2 or 1,3", (int)(len > 60 ? 60 : len),
		 text);
	return ORD_ERR_INVALID;
}

static int place_of(const struct ord_fault_view *view, int64_t id)
{
	for (uint32_t i = 0; i < view->nodes_count; i++)
		if (view->ids[i] == id)
			return (int)i;
	return -1;
}

/* A word of the list, a number. */
static int number_take(const char *word, const char *text, size_t len, const struct ord_fault_view *view,
		       uint32_t *mask, char *why, size_t why_size)
{
	int64_t id;
	if (ord_args_number(word, 0, 65535, &id) != ORD_OK)
		return no_list(text, len, why, why_size);
	int place = place_of(view, id);
	if (place < 0) {
		snprintf(why, why_size, "there is no node %" PRId64 "; this cluster has nodes 1 to %" PRIu32, id,
			 view->nodes_count);
		return ORD_ERR_INVALID;
	}
	if ((*mask >> place & 1) != 0) {
		snprintf(why, why_size, "node %" PRId64 " is named twice in '%.*s'; name it once", id,
			 (int)(len > 60 ? 60 : len), text);
		return ORD_ERR_INVALID;
	}
	*mask |= 1u << place;
	return ORD_OK;
}

int ord_fault_target_list(const char *text, size_t len, const struct ord_fault_view *view, uint32_t *ret_mask,
			  char *why, size_t why_size)
{
	uint32_t mask = 0;
	size_t at = 0;
	for (;;) {
		char word[8];
		size_t word_len = 0;
		while (at + word_len < len && text[at + word_len] != ',')
			word_len++;
		if (word_len == 0 || word_len >= sizeof word)
			return no_list(text, len, why, why_size);
		memcpy(word, text + at, word_len);
		word[word_len] = '\0';
		int err = number_take(word, text, len, view, &mask, why, why_size);
		if (err != ORD_OK)
			return err;
		at += word_len;
		if (at == len)
			break;
		at++;
	}
	*ret_mask = mask;
	return ORD_OK;
}

bool ord_fault_target_is_role(const char *text)
{
	return strncmp(text, "leader:", 7) == 0 || strncmp(text, "follower:", 9) == 0;
}

bool ord_fault_target_is_chance(const char *text)
{
	return strncmp(text, "follower:", 9) == 0 || strcmp(text, "random") == 0 || strcmp(text, "majority") == 0 ||
	       strcmp(text, "minority") == 0;
}

static int role_take(const char *text, const struct ord_fault_view *view, uint32_t *ret_mask, char *why,
		     size_t why_size)
{
	bool leads = text[0] == 'l';
	int64_t partition;
	if (ord_args_number(strchr(text, ':') + 1, 0, (int64_t)view->partitions_count - 1, &partition) != ORD_OK) {
		snprintf(why, why_size, "'%.60s': this cluster has partitions 0 to %" PRIu32, text,
			 view->partitions_count - 1);
		return ORD_ERR_INVALID;
	}
	int leader = view->leaders != NULL ? view->leaders[partition] : ORD_FAULT_NO_LEADER;
	if (leader == ORD_FAULT_NO_LEADER) {
		snprintf(why, why_size,
			 "'%.60s': no node that answers leads partition %" PRId64
			 " now; wait until one does ('ordain cluster status'), or name a node",
			 text, partition);
		return ORD_ERR_NOT_FOUND;
	}
	uint32_t mask = leads ? 1u << leader : choose(view, view->pool & ~(1u << leader), 1);
	if (mask != 0) {
		*ret_mask = mask;
		return ORD_OK;
	}
	snprintf(why, why_size, "'%.60s': there is no node but the leader that %s", text, view->pool_name);
	return ORD_ERR_NOT_FOUND;
}

int ord_fault_target(const char *text, const struct ord_fault_view *view, uint32_t *ret_mask, char *why,
		     size_t why_size)
{
	uint32_t all = (1u << view->nodes_count) - 1, mask = 0;
	if (text[0] >= '0' && text[0] <= '9')
		return ord_fault_target_list(text, strlen(text), view, ret_mask, why, why_size);
	if (ord_fault_target_is_role(text))
		return role_take(text, view, ret_mask, why, why_size);
	if (strcmp(text, "all") == 0)
		mask = all;
	else if (strcmp(text, "majority") == 0)
		mask = choose(view, all, view->nodes_count / 2 + 1);
	else if (strcmp(text, "minority") == 0)
		mask = choose(view, all, (view->nodes_count - 1) / 2);
	else if (strcmp(text, "random") == 0)
		mask = choose(view, view->pool, 1);
	else
		return unusable(text, strlen(text), why, why_size);
	if (mask != 0) {
		*ret_mask = mask;
		return ORD_OK;
	}
	if (strcmp(text, "random") == 0)
		snprintf(why, why_size, "'random': there is no node that %s", view->pool_name);
	else
		snprintf(why, why_size, "'minority': a cluster of %" PRIu32 " nodes has none; name a node",
			 view->nodes_count);
	return ORD_ERR_NOT_FOUND;
}
