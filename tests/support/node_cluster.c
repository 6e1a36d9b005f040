/* SPDX-License-Identifier: Apache-2.0 - nodes' engines in one process. */
#include "tests/support/node_cluster.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "partition/invariants.h"
#include "raft/wal.h"
#include "tests/support/node_states.h"

#define SEGMENTS_MAX 64
#define SEGMENT_BYTES (1u << 20)
#define SYNC_MS_MAX 3
#define DELAY_MS_MAX 4
#define MEMORY_BYTES (1u << 30)

struct disk_segment {
	uint64_t number;
	uint8_t *base; /* owned */
	size_t len;
};

struct node_disk {
	struct disk_segment segments[SEGMENTS_MAX];
	size_t segments_count;
	bool writing;
	uint64_t write_segment;
	uint64_t write_offset;
	struct ord_slice write_bytes;
	uint64_t write_ends_ms;
	uint64_t remove_segment; /* 0: none */
	struct node_cluster_node *node;
};

struct node_letter {
	struct node_letter *next;
	uint64_t due_ms;
	unsigned from;
	unsigned to;
	enum ord_part_kind kind;
	size_t len;
	uint8_t body[];
};

/* --- Disks. --- */

static struct disk_segment *disk_find(struct node_disk *d, uint64_t number)
{
	for (size_t i = 0; i < d->segments_count; i++)
		if (d->segments[i].number == number)
			return &d->segments[i];
	return NULL;
}

static int disk_list(void *ctx, void (*each)(void *arg, uint64_t segment, uint64_t bytes), void *arg)
{
	struct node_disk *d = ctx;
	for (size_t i = 0; i < d->segments_count; i++)
		each(arg, d->segments[i].number, d->segments[i].len);
	return ORD_OK;
}

static int disk_read(void *ctx, uint64_t segment, uint64_t offset, void *base, size_t len, size_t *ret_len)
{
	struct disk_segment *s = disk_find(ctx, segment);
	cr_assert(s != NULL);
	size_t have = offset < s->len ? s->len - offset : 0;
	*ret_len = have < len ? have : len;
	if (*ret_len > 0)
		memcpy(base, s->base + offset, *ret_len);
	return ORD_OK;
}

static int disk_truncate(void *ctx, uint64_t segment, uint64_t bytes)
{
	struct disk_segment *s = disk_find(ctx, segment);
	cr_assert(s != NULL && bytes <= s->len);
	s->len = bytes;
	return ORD_OK;
}

static int disk_rewrite(void *ctx, uint64_t segment, uint64_t offset, struct ord_slice bytes)
{
	const struct disk_segment *s = disk_find(ctx, segment);
	cr_assert(s != NULL && offset + bytes.len <= s->len);
	return ORD_OK;
}

static void disk_write(void *ctx, uint64_t segment, uint64_t offset, struct ord_slice bytes)
{
	struct node_disk *d = ctx;
	cr_assert(!d->writing, "two writes in flight");
	d->writing = true;
	d->write_segment = segment;
	d->write_offset = offset;
	d->write_bytes = bytes;
	struct node_cluster *c = d->node->cluster;
	d->write_ends_ms = c->now_ms + 1 + random_below(&c->random, d->node->sync_ms_max);
}

static void disk_remove(void *ctx, uint64_t segment)
{
	struct node_disk *d = ctx;
	cr_assert(d->remove_segment == 0, "two removals under way");
	d->remove_segment = segment;
}

static void disk_unlink(struct node_disk *d)
{
	struct disk_segment *s = disk_find(d, d->remove_segment);
	cr_assert(s != NULL);
	free(s->base);
	size_t behind = (size_t)(d->segments + d->segments_count - (s + 1));
	memmove(s, s + 1, behind * sizeof *s);
	d->segments_count--;
	d->remove_segment = 0;
}

/* Brings the first len bytes of the write in flight to the platter. */
static void disk_land(struct node_disk *d, size_t len)
{
	struct disk_segment *s = disk_find(d, d->write_segment);
	if (s == NULL) {
		cr_assert(d->segments_count < SEGMENTS_MAX && d->write_offset == 0);
		s = &d->segments[d->segments_count++];
		*s = (struct disk_segment){.number = d->write_segment};
	}
	cr_assert(d->write_offset <= s->len);
	if (d->write_offset + len > s->len) {
		s->base = realloc(s->base, d->write_offset + len);
		s->len = d->write_offset + len;
	}
	memcpy(s->base + d->write_offset, d->write_bytes.base, len);
}

/* The write in flight ends, with the zeros behind it. */
static void disk_complete(struct node_disk *d)
{
	uint64_t end = d->write_offset + d->write_bytes.len;
	disk_land(d, d->write_bytes.len);
	struct disk_segment *s = disk_find(d, d->write_segment);
	if (end + ORD_IO_END_BYTES > s->len) {
		s->base = realloc(s->base, end + ORD_IO_END_BYTES);
		s->len = end + ORD_IO_END_BYTES;
	}
	memset(s->base + end, 0, ORD_IO_END_BYTES);
}

/* --- The network. --- */

static void letter_put(struct node_cluster *c, struct node_letter *letter)
{
	struct node_letter **at = &c->letters;
	while (*at != NULL && (*at)->due_ms <= letter->due_ms)
		at = &(*at)->next;
	letter->next = *at;
	*at = letter;
}

/* docs/formats.md, "Raft messages": the group stands at offset 4. */
static bool is_of_lost_group(const struct node_cluster *c, unsigned from, unsigned to, enum ord_part_kind kind,
			     struct ord_slice body)
{
	bool is_between = c->nodes[from].id == c->lost_node || c->nodes[to].id == c->lost_node;
	if (kind != ORD_PART_RAFT || !is_between)
		return false;
	struct ord_reader r = ord_reader_of(body);
	ord_reader_u32(&r);
	return ord_reader_u32(&r) == c->lost_group;
}

static void engine_send(void *ctx, uint32_t node, enum ord_part_kind kind, struct ord_slice body)
{
	struct node_cluster_node *n = ctx;
	struct node_cluster *c = n->cluster;
	unsigned from = n->id - 1;
	unsigned to = node - 1;
	cr_assert(to < NODE_CLUSTER_NODES && to != from);
	c->sent_bytes[kind] += body.len;
	if (c->cut[from][to] || c->nodes[to].engine == NULL || random_chance(&c->random, c->loss_percent) ||
	    kind == c->lost_kind || is_of_lost_group(c, from, to, kind, body))
		return;
	struct node_letter *letter = malloc(sizeof *letter + body.len);
	*letter = (struct node_letter){.due_ms = c->now_ms + 1 + random_below(&c->random, DELAY_MS_MAX),
				       .from = from,
				       .to = to,
				       .kind = kind,
				       .len = body.len};
	memcpy(letter->body, body.base, body.len);
	letter_put(c, letter);
}

static void engine_fatal(void *ctx, int err, const char *why)
{
	(void)ctx;
	cr_assert_fail("fatal: %s: %s", ord_err_text(err), why);
}

static void engine_notice(void *ctx, enum ord_log_level level, const char *text)
{
	struct node_cluster_node *n = ctx;
	n->cluster->notices_count[level]++;
	snprintf(n->cluster->notice, sizeof n->cluster->notice, "node %u: %s", n->id, text);
}

static void letters_arrive(struct node_cluster *c)
{
	while (c->letters != NULL && c->letters->due_ms <= c->now_ms) {
		struct node_letter *letter = c->letters;
		c->letters = letter->next;
		if (c->nodes[letter->to].paused_until_ms > c->now_ms) {
			letter->due_ms = c->nodes[letter->to].paused_until_ms;
			letter_put(c, letter);
			continue;
		}
		struct ord_engine *e = c->nodes[letter->to].engine;
		if (e != NULL) {
			int err = ord_engine_receive(e, letter->from + 1, letter->kind,
						     ord_slice_of(letter->body, letter->len));
			cr_assert_eq(err, ORD_OK, "part of kind %d from node %u: %s", letter->kind, letter->from + 1,
				     ord_err_text(err));
		}
		free(letter);
	}
}

/* Letters between two nodes are lost with their connections. */
static void letters_lose(struct node_cluster *c, unsigned a, unsigned b)
{
	struct node_letter **at = &c->letters;
	while (*at != NULL) {
		struct node_letter *letter = *at;
		if ((letter->from != a || letter->to != b) && (letter->from != b || letter->to != a)) {
			at = &letter->next;
			continue;
		}
		*at = letter->next;
		free(letter);
	}
}

/* --- Nodes. --- */

static uint64_t wall_us(const struct node_cluster *c, unsigned place)
{
	return 1700000000000000u + c->now_ms * 1000 + place * 250000u; /* clocks that disagree */
}

void node_cluster_restart(struct node_cluster *c, unsigned place)
{
	static const uint32_t ids[NODE_CLUSTER_NODES] = {1, 2, 3};
	struct node_cluster_node *n = &c->nodes[place];
	cr_assert(n->engine == NULL);
	n->starts_count++;
	struct ord_engine_options options = {.cluster = {{7}},
					     .node = n->id,
					     .member = n->id,
					     .nodes = ids,
					     .nodes_count = NODE_CLUSTER_NODES,
					     .partitions_count = c->partitions_count,
					     .seed = random_next(&c->random),
					     .segment_bytes = SEGMENT_BYTES,
					     .io = {.ctx = n->disk,
						    .list = disk_list,
						    .read = disk_read,
						    .truncate = disk_truncate,
						    .rewrite = disk_rewrite,
						    .write = disk_write,
						    .remove = disk_remove},
					     .events = {.ctx = n, .send = engine_send, .fatal = engine_fatal}};
	options.mark_entries = NODE_CLUSTER_MARK_ENTRIES;
	options.request_window_ms = NODE_CLUSTER_REQUEST_WINDOW_MS;
	options.events.notice = engine_notice;
	struct ord_states states;
	if (n->states != NULL) {
		states = node_states_interface(n->states);
		options.states = &states;
		options.memory_bytes = options.checkpoint_bytes = MEMORY_BYTES;
		options.bounds.raft_trailing_bytes = 1;
	}
	char why[512] = "";
	int err = ord_engine_open(&options, c->now_ms, wall_us(c, place), &n->engine, why, sizeof why);
	cr_assert_eq(err, ORD_OK, "%s", why);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		if (i != place && c->nodes[i].engine != NULL) {
			ord_engine_peer(n->engine, c->nodes[i].id, true);
			ord_engine_peer(c->nodes[i].engine, n->id, true);
		}
}

void node_cluster_crash(struct node_cluster *c, unsigned place)
{
	struct node_cluster_node *n = &c->nodes[place];
	struct node_disk *d = n->disk;
	if (d->remove_segment != 0 && random_chance(&c->random, 50))
		disk_unlink(d);
	d->remove_segment = 0;
	if (d->writing) {
		if (random_chance(&c->random, 50))
			disk_land(d, random_below(&c->random, d->write_bytes.len + 1));
		d->writing = false;
		ord_engine_stop(n->engine);
		ord_engine_synced(n->engine, ORD_OK); /* only lets go of the write: the engine is gone */
	} else {
		ord_engine_stop(n->engine);
	}
	if (n->states != NULL)
		node_states_crash(n->states, n->engine);
	ord_engine_close(n->engine);
	n->engine = NULL;
	n->paused_until_ms = 0;
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++) {
		letters_lose(c, place, i);
		if (c->nodes[i].engine != NULL)
			ord_engine_peer(c->nodes[i].engine, n->id, false);
	}
}

void node_cluster_reconnect(struct node_cluster *c, unsigned a, unsigned b)
{
	struct ord_engine *ends[] = {c->nodes[a].engine, c->nodes[b].engine};
	if (a == b || ends[0] == NULL || ends[1] == NULL)
		return;
	letters_lose(c, a, b);
	for (unsigned connected = 0; connected < 2; connected++) {
		ord_engine_peer(ends[0], c->nodes[b].id, connected == 1);
		ord_engine_peer(ends[1], c->nodes[a].id, connected == 1);
	}
}

void node_cluster_open_stored(struct node_cluster *c, uint32_t partitions_count, uint64_t seed,
			      struct node_states *states)
{
	*c = (struct node_cluster){.random = random_of(seed), .partitions_count = partitions_count, .now_ms = 1000};
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++) {
		c->nodes[i].cluster = c;
		c->nodes[i].id = i + 1;
		c->nodes[i].disk = calloc(1, sizeof *c->nodes[i].disk);
		c->nodes[i].disk->node = &c->nodes[i];
		c->nodes[i].sync_ms_max = SYNC_MS_MAX;
		c->nodes[i].states = states == NULL ? NULL : &states[i];
	}
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		node_cluster_restart(c, i);
}

void node_cluster_open(struct node_cluster *c, uint32_t partitions_count, uint64_t seed)
{
	node_cluster_open_stored(c, partitions_count, seed, NULL);
}

void node_cluster_close(struct node_cluster *c)
{
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++) {
		struct node_disk *d = c->nodes[i].disk;
		if (c->nodes[i].engine != NULL)
			node_cluster_crash(c, i);
		for (size_t k = 0; k < d->segments_count; k++)
			free(d->segments[k].base);
		free(d);
	}
	cr_assert(c->letters == NULL);
}

void node_cluster_step(struct node_cluster *c)
{
	c->now_ms++;
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		if (c->nodes[i].engine != NULL && c->nodes[i].paused_until_ms <= c->now_ms)
			ord_engine_clock(c->nodes[i].engine, c->now_ms, wall_us(c, i));
	letters_arrive(c);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++) {
		struct node_cluster_node *n = &c->nodes[i];
		if (n->engine == NULL || n->paused_until_ms > c->now_ms || n->is_held)
			continue;
		if (n->disk->writing && n->disk->write_ends_ms <= c->now_ms) {
			disk_complete(n->disk);
			n->disk->writing = false;
			ord_engine_synced(n->engine, ORD_OK);
		}
		if (n->disk->remove_segment != 0) {
			disk_unlink(n->disk);
			ord_engine_removed(n->engine, ORD_OK);
		}
		if (n->states != NULL)
			node_states_step(n->states, n->engine);
		if (c->now_ms % 10 == 0)
			ord_engine_tick(n->engine);
		while (ord_engine_turn(n->engine) | ord_engine_keep(n->engine))
			;
	}
}

void node_cluster_steps(struct node_cluster *c, unsigned steps)
{
	while (steps-- > 0)
		node_cluster_step(c);
}

void node_cluster_cut_off(struct node_cluster *c, unsigned place, bool cut)
{
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++) {
		c->cut[place][i] = cut;
		c->cut[i][place] = cut;
	}
}

int node_cluster_leader(const struct node_cluster *c, uint32_t partition)
{
	for (int i = 0; i < NODE_CLUSTER_NODES; i++) {
		struct ord_replica_status status;
		if (c->nodes[i].engine == NULL)
			continue;
		ord_engine_replica_status(c->nodes[i].engine, partition, &status);
		if (status.ready)
			return i;
	}
	return -1;
}

void node_cluster_wait_ready(struct node_cluster *c)
{
	uint64_t deadline_ms = c->now_ms + 20000;
	for (uint32_t partition = 0; partition < c->partitions_count;) {
		if (node_cluster_leader(c, partition) >= 0) {
			partition++;
			continue;
		}
		node_cluster_step(c);
		cr_assert(c->now_ms < deadline_ms, "partition %u has no leader after 20 s", partition);
	}
}

static void replicas_compare(const struct node_cluster *c, uint32_t partition)
{
	struct ord_replica_status first, other;
	ord_engine_replica_status(c->nodes[0].engine, partition, &first);
	for (unsigned i = 1; i < NODE_CLUSTER_NODES; i++) {
		ord_engine_replica_status(c->nodes[i].engine, partition, &other);
		cr_assert_eq(first.state.position, other.state.position,
			     "partition %u: position %" PRIu64 " and %" PRIu64, partition, first.state.position,
			     other.state.position);
		cr_assert_arr_eq(first.state.state_digest, other.state.state_digest, sizeof first.state.state_digest);
		cr_assert_arr_eq(first.state.history_hash, other.state.history_hash, sizeof first.state.history_hash);
	}
}

#define ENTRIES_MAX 100000

/* The time of each entry of one log, as it is read. */
struct times {
	uint64_t of_us[ENTRIES_MAX];
	uint64_t last;
	uint32_t group;
};

static int times_read(void *arg, const struct ord_record *r, uint64_t place, char *why, size_t why_size)
{
	struct times *t = arg;
	(void)place;
	(void)why;
	(void)why_size;
	if (r->type != ORD_RECORD_ENTRY || r->group != t->group)
		return ORD_OK;
	cr_assert(r->index >= 1 && r->index <= t->last + 1 && r->index < ENTRIES_MAX);
	t->last = r->index; /* entries behind it are void */
	t->of_us[r->index] = t->of_us[r->index - 1];
	struct ord_entry_header header;
	struct ord_reader reader = ord_reader_of(r->payload);
	if (r->kind != ORD_ENTRY_COMMAND)
		return ORD_OK;
	cr_assert_eq(ord_entry_decode(&reader, &header), ORD_OK);
	cr_assert_geq(header.time_us, t->of_us[r->index - 1], "time goes back at entry %" PRIu64 " of partition %u",
		      r->index, r->group);
	t->of_us[r->index] = header.time_us;
	return ORD_OK;
}

static void times_check(const struct node_cluster *c, unsigned place)
{
	static struct times times;
	struct ord_wal_options options = {.cluster = {{7}},
					  .node = c->nodes[place].id,
					  .groups_count = c->partitions_count,
					  .segment_bytes = SEGMENT_BYTES,
					  .io = {.ctx = c->nodes[place].disk,
						 .list = disk_list,
						 .read = disk_read,
						 .truncate = disk_truncate,
						 .rewrite = disk_rewrite}};
	for (times.group = 0; times.group < c->partitions_count; times.group++) {
		struct ord_wal *w;
		char why[512] = "";
		times.last = 0;
		cr_assert_eq(ord_wal_open(&options, times_read, &times, &w, why, sizeof why), ORD_OK, "%s", why);
		ord_wal_close(w);
	}
}

void node_cluster_check(struct node_cluster *c)
{
	struct ord_partition *partitions[64];
	cr_assert(c->partitions_count <= 64);
	for (uint32_t i = 0; i < c->partitions_count; i++) {
		replicas_compare(c, i);
		partitions[i] = (struct ord_partition *)ord_engine_partition(c->nodes[0].engine, i);
	}
	cr_assert_eq(c->notices_count[ORD_LOG_ERROR], 0, "%s", c->notice);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		times_check(c, i);
	char why[512] = "";
	cr_assert_eq(ord_invariants_check(partitions, c->partitions_count, why, sizeof why), ORD_OK, "%s", why);
}
