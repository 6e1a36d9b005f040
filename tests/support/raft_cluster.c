/* SPDX-License-Identifier: Apache-2.0 - a cluster of hosts in one process, and the checks of what they say. */
#include "tests/support/raft_cluster.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "raft/codec.h"
#include "raft/confirm.h"

#define TICK_MS 10
#define LEADERS_KEPT 4096
#define TURNS_MAX 10000

struct raft_cluster_message {
	struct raft_cluster_message *next;
	uint64_t due_ms;
	uint32_t from;
	uint32_t to;
	bool is_confirm;
	size_t len;
	uint8_t base[];
};

static void message_post(struct raft_cluster *c, uint32_t from, uint32_t to, bool is_confirm, struct ord_slice bytes)
{
	struct raft_cluster_message *m = malloc(sizeof *m + bytes.len);
	cr_assert_not_null(m);
	uint64_t delay_ms = random_below(&c->random, c->options.delay_ms_max + 1ull) + c->nodes[to].lag_ms;
	*m = (struct raft_cluster_message){
		.due_ms = c->now_ms + delay_ms, .from = from, .to = to, .is_confirm = is_confirm, .len = bytes.len};
	memcpy(m->base, bytes.base, bytes.len);
	if (c->options.in_order && m->due_ms < c->arrived_ms[from][to])
		m->due_ms = c->arrived_ms[from][to];
	c->arrived_ms[from][to] = m->due_ms;
	struct raft_cluster_message **at = &c->messages;
	while (*at != NULL && (*at)->due_ms <= m->due_ms)
		at = &(*at)->next;
	m->next = *at;
	*at = m;
}

/* A node votes once in a term, whatever it forgets in a crash. */
static void check_vote(struct raft_cluster *c, uint32_t group, uint32_t voter, uint64_t term, uint64_t candidate)
{
	uint64_t slot = term % LEADERS_KEPT;
	bool is_known = c->votes[group][voter][slot].term == term;
	cr_assert(!is_known || c->votes[group][voter][slot].candidate == candidate,
		  "node %u votes for %lu and %lu in term %lu of group %u", voter + 1,
		  c->votes[group][voter][slot].candidate, candidate, term, group);
	c->votes[group][voter][slot].term = term;
	c->votes[group][voter][slot].candidate = candidate;
}

static void check_message(struct raft_cluster *c, uint32_t from, struct ord_slice bytes)
{
	struct ord_message m;
	cr_assert_eq(ord_codec_decode(bytes, c->entries, &m), ORD_OK);
	cr_assert_eq(m.from, c->nodes[from].member);
	if (m.raft.type == RAFT_REQUEST_VOTE && !m.raft.request_vote.pre_vote)
		check_vote(c, m.group, from, m.raft.request_vote.term, m.from);
	const struct raft_request_vote_result *v = &m.raft.request_vote_result;
	if (m.raft.type == RAFT_REQUEST_VOTE_RESULT && v->vote_granted && !v->pre_vote)
		check_vote(c, m.group, from, v->term, m.to);
}

static bool is_lost(struct raft_cluster *c, uint32_t from, uint32_t to)
{
	return c->cut[from][to] || random_chance(&c->random, c->options.drop_percent);
}

static void wire_post(struct raft_cluster *c, uint32_t from, uint32_t to, bool is_confirm, struct ord_slice bytes)
{
	message_post(c, from, to, is_confirm, bytes);
	if (random_chance(&c->random, c->options.repeat_percent))
		message_post(c, from, to, is_confirm, bytes);
}

static void cluster_send(void *ctx, uint32_t id, struct ord_slice bytes)
{
	struct raft_cluster_node *n = ctx;
	struct raft_cluster *c = n->cluster;
	uint32_t from = n->id - 1;
	uint32_t to = id - 1;
	cr_assert_lt(to, c->options.nodes_count);
	cr_assert_neq(to, from);
	cr_assert_leq(bytes.len, 8u << 20, "a message of %zu bytes", bytes.len);
	n->sent_bytes += bytes.len;
	check_message(c, from, bytes);
	if (is_lost(c, from, to) || (c->filter != NULL && !c->filter(c, from, to, bytes)))
		return;
	wire_post(c, from, to, false, bytes);
}

static void cluster_confirm(void *ctx, uint32_t id, struct ord_slice bytes)
{
	struct raft_cluster_node *n = ctx;
	struct raft_cluster *c = n->cluster;
	struct ord_confirm m;
	uint32_t from = n->id - 1;
	cr_assert_lt(id - 1, c->options.nodes_count);
	cr_assert_eq(ord_confirm_decode(bytes, &m), ORD_OK);
	cr_assert_eq(m.from, n->member);
	c->confirms++;
	if (!is_lost(c, from, id - 1))
		wire_post(c, from, id - 1, true, bytes);
}

static struct raft_cluster_fact *fact_at(struct raft_cluster_group *g, uint64_t index)
{
	if (index >= g->facts_capacity) {
		size_t capacity = index * 2 + 64;
		g->facts = realloc(g->facts, capacity * sizeof *g->facts);
		cr_assert_not_null(g->facts);
		memset(g->facts + g->facts_capacity, 0, (capacity - g->facts_capacity) * sizeof *g->facts);
		g->facts_capacity = capacity;
	}
	return &g->facts[index];
}

static void cluster_apply(void *ctx, uint32_t group, uint64_t index, uint64_t term, struct ord_slice entry)
{
	struct raft_cluster_node *n = ctx;
	struct raft_cluster_group *g = &n->cluster->groups[group];
	uint64_t hash = ord_hash64(entry.base, entry.len);
	cr_assert_gt(index, n->applied[group], "node %u applies %lu of group %u after %lu", n->id, index, group,
		     n->applied[group]);
	/* What was skipped is no command for anybody. */
	for (uint64_t i = n->applied[group] + 1; i < index; i++) {
		struct raft_cluster_fact *f = fact_at(g, i);
		cr_assert_not(f->known && f->is_command, "node %u skips %lu of group %u", n->id, i, group);
		f->known = true;
	}
	struct raft_cluster_fact *f = fact_at(g, index);
	if (!f->known) {
		*f = (struct raft_cluster_fact){.known = true, .is_command = true, .term = term, .hash = hash};
		g->commands++;
	}
	cr_assert(f->is_command && f->term == term && f->hash == hash,
		  "node %u applies another entry than others at %lu of group %u (term %lu, not %lu)", n->id, index,
		  group, term, f->term);
	n->applied[group] = index;
	if (index > g->last)
		g->last = index;
}

/* A leader that is announced has applied every command of earlier terms that anybody has applied. */
static void check_leader(struct raft_cluster_node *n, uint32_t group, uint64_t term)
{
	struct raft_cluster *c = n->cluster;
	struct raft_cluster_group *g = &c->groups[group];
	uint64_t slot = term % LEADERS_KEPT;
	bool is_known = c->leaders[group][slot].term == term;
	cr_assert(!is_known || c->leaders[group][slot].node == n->id, "nodes %u and %u lead group %u in term %lu",
		  c->leaders[group][slot].node, n->id, group, term);
	c->leaders[group][slot].term = term;
	c->leaders[group][slot].node = n->id;
	for (uint64_t i = g->last; i > n->applied[group]; i--) {
		struct raft_cluster_fact *f = fact_at(g, i);
		cr_assert(!f->known || !f->is_command || f->term >= term,
			  "node %u leads group %u without having applied %lu", n->id, group, i);
	}
}

static void cluster_role(void *ctx, uint32_t group, enum ord_role role, uint64_t term, uint32_t leader)
{
	struct raft_cluster_node *n = ctx;
	cr_assert(role != n->role[group] || term != n->term[group] || leader != n->leader[group],
		  "told the same again");
	cr_assert_geq(term, n->term[group], "a term goes back");
	if (role == ORD_ROLE_LEADER) {
		cr_assert_eq(leader, n->id);
		check_leader(n, group, term);
		n->led_ms[group] = n->cluster->now_ms;
	}
	n->role[group] = role;
	n->term[group] = term;
	n->leader[group] = leader;
}

static bool cluster_recall(void *ctx, uint32_t group, uint64_t index, uint64_t term, struct ord_slice *ret)
{
	struct raft_cluster_node *n = ctx;
	struct raft_cluster *c = n->cluster;
	return c->recall != NULL && n->id == 1 && c->recall(c, group, index, term, ret);
}

static void cluster_want_install(void *ctx, uint32_t group, uint32_t from, uint64_t index, uint64_t term)
{
	struct raft_cluster_node *n = ctx;
	struct raft_cluster_state *s = &n->states[group];
	(void)term;
	if (s->wanted_from == 0)
		s->wanted_due_ms = n->cluster->now_ms + random_below(&n->cluster->random, 50);
	s->wanted_from = from;
	s->wanted_index = index;
	s->wanted_member = n->cluster->nodes[from - 1].member;
}

static void state_set(struct raft_cluster_state *s, const struct ord_base *base)
{
	cr_assert_leq(base->members.len, sizeof s->members);
	memcpy(s->members, base->members.base, base->members.len);
	s->base = *base;
	s->base.members = ord_slice_of(s->members, base->members.len);
}

void raft_cluster_release(struct raft_cluster *c, uint32_t node, uint32_t group, uint64_t index)
{
	struct raft_cluster_node *n = &c->nodes[node];
	struct ord_base base;
	if (index > n->states[group].base.index) {
		ord_host_base(n->host, group, index, &base);
		state_set(&n->states[group], &base);
	}
	ord_host_release(n->host, group, index);
}

static void release_some(struct raft_cluster *c)
{
	uint32_t node = (uint32_t)random_below(&c->random, c->options.nodes_count);
	ORD_ASSERT(c->options.groups_count > 0);
	uint32_t group = (uint32_t)random_below(&c->random, c->options.groups_count);
	struct raft_cluster_node *n = &c->nodes[node];
	struct ord_group_status s;
	if (n->host == NULL)
		return;
	ord_host_group_status(n->host, group, &s);
	uint64_t first = s.base_index > 0 ? s.base_index : 1;
	if (s.applied_index >= first)
		raft_cluster_release(c, node, group, first + random_below(&c->random, s.applied_index - first + 1));
}

/* Not every state reaches the log that goes on after the lost one. */
static void install_for_lost(struct raft_cluster *c, struct raft_cluster_node *n, uint32_t group,
			     const struct ord_base *base)
{
	int err = base->index > 0 ? ord_host_install(n->host, group, base) : ORD_ERR_INVALID;
	cr_assert(err == ORD_OK || err == ORD_ERR_INVALID, "installing gives %s", ord_err_text(err));
	if (err != ORD_OK)
		return;
	n->states[group].lost = false;
	state_set(&n->states[group], base);
	n->applied[group] = base->index;
	c->installs++;
}

/* Gets the state of a group from the node that led it, and installs it; or stops half way. */
static void install_due(struct raft_cluster *c, struct raft_cluster_node *n, uint32_t group)
{
	struct raft_cluster_state *s = &n->states[group];
	if (s->wanted_from == 0 || s->wanted_due_ms > c->now_ms)
		return;
	const struct raft_cluster_node *from = &c->nodes[s->wanted_from - 1];
	struct ord_base base = from->states[group].base;
	if (from->member != s->wanted_member) {
		s->wanted_from = 0;
		return;
	}
	cr_assert_geq(base.index, s->wanted_index, "a leader's log begins after what is on its disk");
	s->wanted_from = 0;
	if (s->lost) {
		install_for_lost(c, n, group, &base);
		return;
	}
	if (base.index > s->base.index)
		state_set(s, &base);
	if (random_chance(&c->random, 10))
		return;
	int err = ord_host_install(n->host, group, &s->base);
	cr_assert(err == ORD_OK || err == ORD_ERR_INVALID || err == ORD_ERR_BUSY, "installing gives %s",
		  ord_err_text(err));
	if (err != ORD_OK)
		return;
	n->applied[group] = s->base.index;
	c->installs++;
}

static void cluster_fatal(void *ctx, int err, const char *why)
{
	struct raft_cluster_node *n = ctx;
	cr_assert_eq(n->fatal, ORD_OK, "fatal is told once");
	n->fatal = err;
	snprintf(n->why, sizeof n->why, "%s", why);
}

int raft_cluster_try_start(struct raft_cluster *c, uint32_t node, char *why, size_t why_size)
{
	struct raft_cluster_node *n = &c->nodes[node];
	uint32_t ids[RAFT_CLUSTER_NODES_MAX];
	cr_assert_null(n->host);
	for (uint32_t i = 0; i < c->options.nodes_count; i++)
		ids[i] = i + 1;
	struct ord_base bases[RAFT_CLUSTER_GROUPS_MAX];
	for (uint32_t g = 0; g < c->options.groups_count; g++) {
		n->states[g].wanted_from = 0;
		n->applied[g] = n->states[g].base.index;
		bases[g] = n->states[g].base;
		bases[g].lost = n->states[g].lost;
	}
	memset(n->role, 0, sizeof n->role);
	memset(n->term, 0, sizeof n->term);
	memset(n->leader, 0, sizeof n->leader);
	n->fatal = ORD_OK;
	struct ord_host_options o = {.cluster = {{7}},
				     .node = n->id,
				     .member = n->is_undecided ? 0 : n->member,
				     .nodes = ids,
				     .nodes_count = c->options.nodes_count,
				     .groups_count = c->options.groups_count,
				     .seed = c->options.seed * 1000 + n->id,
				     .election_timeout_ms = c->options.election_timeout_ms,
				     .segment_bytes = c->options.segment_bytes,
				     .cache_bytes = c->options.cache_bytes,
				     .trailing_bytes = c->options.trailing_bytes,
				     .segments_max = c->options.segments_max,
				     .bases = bases,
				     .io = raft_disk_io(&n->disk),
				     .events = {.ctx = n,
						.send = cluster_send,
						.confirm = cluster_confirm,
						.apply = cluster_apply,
						.role = cluster_role,
						.want_install = cluster_want_install,
						.recall = cluster_recall,
						.fatal = cluster_fatal}};
	return ord_host_open(&o, c->now_ms, &n->host, why, why_size);
}

void raft_cluster_meet(struct raft_cluster *c, uint32_t node)
{
	struct raft_cluster_node *n = &c->nodes[node];
	for (uint32_t i = 0; i < c->options.nodes_count; i++) {
		struct raft_cluster_node *other = &c->nodes[i];
		if (i == node || other->host == NULL || n->host == NULL)
			continue;
		ord_host_peer(n->host, other->id, other->member);
		ord_host_peer(other->host, n->id, n->member);
	}
}

void raft_cluster_start(struct raft_cluster *c, uint32_t node)
{
	char why[512] = "";
	int err = raft_cluster_try_start(c, node, why, sizeof why);
	cr_assert_eq(err, ORD_OK, "node %u does not start: %s", node + 1, why);
	raft_cluster_meet(c, node);
}

void raft_cluster_wipe(struct raft_cluster *c, uint32_t node, bool keeps_states)
{
	struct raft_cluster_node *n = &c->nodes[node];
	if (n->host != NULL)
		raft_cluster_kill(c, node);
	raft_disk_close(&n->disk);
	raft_disk_open(&n->disk);
	if (!keeps_states)
		memset(n->states, 0, sizeof n->states);
	n->member = ord_member_of(n->id, ++n->incarnations);
	for (uint32_t g = 0; g < c->options.groups_count; g++)
		memset(c->votes[g][node], 0, sizeof c->votes[g][node]);
}

void raft_cluster_damage(struct raft_cluster *c, uint32_t node)
{
	struct raft_cluster_node *n = &c->nodes[node];
	if (n->host != NULL)
		raft_cluster_kill(c, node);
	for (uint32_t g = 0; g < c->options.groups_count; g++) {
		n->states[g].lost = n->states[g].lost || n->states[g].base.index > 0;
		n->states[g].base = (struct ord_base){0};
	}
}

int raft_cluster_role_of(const struct raft_cluster *c, uint32_t group, uint32_t node)
{
	struct ord_member_status members[ORD_NODES_MAX];
	uint32_t count;
	uint32_t leader = raft_cluster_leader(c, group);
	if (leader == c->options.nodes_count)
		return -1;
	ord_host_members(c->nodes[leader].host, group, members, &count);
	for (uint32_t i = 0; i < count; i++)
		if (members[i].node == node + 1)
			return members[i].id == c->nodes[node].member ? (int)members[i].role : -2;
	return -1;
}

bool raft_cluster_all_voters(struct raft_cluster *c)
{
	if (!raft_cluster_all_led(c))
		return false;
	for (uint32_t g = 0; g < c->options.groups_count; g++)
		for (uint32_t i = 0; i < c->options.nodes_count; i++)
			if (raft_cluster_role_of(c, g, i) != ORD_MEMBER_VOTER)
				return false;
	return true;
}

void raft_cluster_open(struct raft_cluster *c, const struct raft_cluster_options *options)
{
	memset(c, 0, sizeof *c);
	c->options = *options;
	c->random = random_of(options->seed);
	c->now_ms = 1000;
	c->entries = malloc(ORD_MESSAGE_ENTRIES_MAX * sizeof *c->entries);
	cr_assert_not_null(c->entries);
	for (uint32_t i = 0; i < options->nodes_count; i++) {
		c->nodes[i].cluster = c;
		c->nodes[i].id = i + 1;
		c->nodes[i].member = i + 1;
		raft_disk_open(&c->nodes[i].disk);
		raft_cluster_start(c, i);
	}
}

void raft_cluster_close(struct raft_cluster *c)
{
	for (uint32_t i = 0; i < c->options.nodes_count; i++) {
		ord_host_close(c->nodes[i].host);
		raft_disk_close(&c->nodes[i].disk);
	}
	for (uint32_t i = 0; i < c->options.groups_count; i++)
		free(c->groups[i].facts);
	while (c->messages != NULL) {
		struct raft_cluster_message *m = c->messages;
		c->messages = m->next;
		free(m);
	}
	free(c->entries);
}

void raft_cluster_kill(struct raft_cluster *c, uint32_t node)
{
	struct raft_cluster_node *n = &c->nodes[node];
	raft_disk_crash(&n->disk, &c->random);
	ord_host_close(n->host);
	n->host = NULL;
	memset(n->role, 0, sizeof n->role);
	for (uint32_t i = 0; i < c->options.nodes_count; i++)
		if (c->nodes[i].host != NULL)
			ord_host_peer(c->nodes[i].host, n->id, 0);
}

void raft_cluster_cut(struct raft_cluster *c, uint32_t from, uint32_t to, bool is_cut)
{
	c->cut[from][to] = is_cut;
}

void raft_cluster_isolate(struct raft_cluster *c, uint32_t node, bool is_cut)
{
	for (uint32_t i = 0; i < c->options.nodes_count; i++) {
		raft_cluster_cut(c, node, i, is_cut);
		raft_cluster_cut(c, i, node, is_cut);
	}
}

static void node_turn(struct raft_cluster *c, uint32_t node)
{
	struct raft_cluster_node *n = &c->nodes[node];
	bool was_in_flight = n->disk.in_flight;
	bool was_removing = n->disk.remove_segment != 0;
	for (int i = 0; i < TURNS_MAX && ord_host_turn(n->host); i++)
		cr_assert_lt(i, TURNS_MAX - 1, "a turn never ends");
	cr_assert_eq(n->fatal, ORD_OK, "node %u must stop: %s", n->id, n->why);
	if (n->disk.remove_segment != 0 && !was_removing)
		n->remove_due_ms = c->now_ms + n->disk.remove_segment % 7;
	if (!n->disk.in_flight || was_in_flight)
		return;
	n->sync_due_ms = c->now_ms + random_below(&c->random, c->options.sync_ms_max + 1ull);
	if (random_chance(&c->random, c->options.stall_percent))
		n->sync_due_ms += c->options.stall_ms;
}

static void deliver_due(struct raft_cluster *c)
{
	while (c->messages != NULL && c->messages->due_ms <= c->now_ms) {
		struct raft_cluster_message *m = c->messages;
		c->messages = m->next;
		struct ord_host *h = c->nodes[m->to].host;
		if (h != NULL && !c->cut[m->from][m->to]) {
			struct ord_slice bytes = ord_slice_of(m->base, m->len);
			int err = m->is_confirm ? ord_host_receive_confirm(h, m->from + 1, bytes)
						: ord_host_receive(h, m->from + 1, bytes);
			if (err != ORD_OK)
				c->refused_messages++;
			node_turn(c, m->to);
		}
		free(m);
	}
}

static void step_ms(struct raft_cluster *c)
{
	c->now_ms++;
	deliver_due(c);
	for (uint32_t i = 0; i < c->options.nodes_count; i++) {
		struct raft_cluster_node *n = &c->nodes[i];
		if (n->host == NULL)
			continue;
		if (n->disk.in_flight && n->sync_due_ms <= c->now_ms && n->stuck_until_ms <= c->now_ms) {
			raft_disk_complete(&n->disk);
			ord_host_synced(n->host, ORD_OK);
		}
		if (n->disk.remove_segment != 0 && n->remove_due_ms <= c->now_ms) {
			raft_disk_complete_remove(&n->disk);
			ord_host_removed(n->host, ORD_OK);
		}
		for (uint32_t g = 0; g < c->options.groups_count; g++)
			install_due(c, n, g);
		if (c->now_ms % TICK_MS == i)
			ord_host_tick(n->host, c->now_ms);
		node_turn(c, i);
	}
	if (c->watch != NULL)
		c->watch(c, c->watch_arg);
}

void raft_cluster_run(struct raft_cluster *c, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i++)
		step_ms(c);
}

bool raft_cluster_run_until(struct raft_cluster *c, bool (*done)(struct raft_cluster *c), uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i++) {
		if (done(c))
			return true;
		step_ms(c);
	}
	return done(c);
}

uint32_t raft_cluster_leader(const struct raft_cluster *c, uint32_t group)
{
	uint32_t leader = c->options.nodes_count;
	for (uint32_t i = 0; i < c->options.nodes_count; i++) {
		const struct raft_cluster_node *n = &c->nodes[i];
		if (n->host == NULL || n->role[group] != ORD_ROLE_LEADER)
			continue;
		if (leader == c->options.nodes_count || n->term[group] > c->nodes[leader].term[group])
			leader = i;
	}
	return leader;
}

bool raft_cluster_all_led(struct raft_cluster *c)
{
	for (uint32_t g = 0; g < c->options.groups_count; g++) {
		uint32_t leader = raft_cluster_leader(c, g);
		if (leader == c->options.nodes_count)
			return false;
		for (uint32_t i = 0; i < c->options.nodes_count; i++)
			if (c->nodes[i].host != NULL && c->nodes[i].leader[g] != leader + 1)
				return false;
	}
	return true;
}

bool raft_cluster_all_equal(struct raft_cluster *c)
{
	if (!raft_cluster_all_led(c))
		return false;
	for (uint32_t g = 0; g < c->options.groups_count; g++) {
		struct ord_group_status leader;
		ord_host_group_status(c->nodes[raft_cluster_leader(c, g)].host, g, &leader);
		for (uint32_t i = 0; i < c->options.nodes_count; i++) {
			struct ord_group_status s;
			if (c->nodes[i].host == NULL)
				continue;
			ord_host_group_status(c->nodes[i].host, g, &s);
			if (s.applied_index != leader.last_index || c->nodes[i].applied[g] < c->groups[g].last)
				return false;
		}
	}
	return true;
}

bool raft_cluster_propose(struct raft_cluster *c, uint32_t group, size_t len_max)
{
	uint32_t leader = raft_cluster_leader(c, group);
	uint64_t index;
	uint64_t term;
	if (leader == c->options.nodes_count)
		return false;
	size_t len = 8 + random_below(&c->random, len_max - 7);
	uint8_t *bytes = malloc(len);
	cr_assert_not_null(bytes);
	memset(bytes, (int)random_below(&c->random, 256), len);
	uint64_t number = ++c->proposed;
	memcpy(bytes, &number, sizeof number);
	int err = ord_host_propose(c->nodes[leader].host, group, ord_slice_of(bytes, len), &index, &term);
	cr_assert(err == ORD_OK || err == ORD_ERR_BUSY, "proposing gives %s", ord_err_text(err));
	cr_assert(err != ORD_OK || term == c->nodes[leader].term[group]);
	free(bytes);
	node_turn(c, leader);
	return err == ORD_OK;
}

void raft_cluster_load(struct raft_cluster *c, unsigned percent, size_t len_max, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i++) {
		for (uint32_t g = 0; g < c->options.groups_count; g++)
			if (random_chance(&c->random, percent))
				raft_cluster_propose(c, g, len_max);
		if (c->options.release_percent > 0 && random_chance(&c->random, c->options.release_percent))
			release_some(c);
		step_ms(c);
	}
}
