/* SPDX-License-Identifier: Apache-2.0 - the search for an order of the operations on one register.
 *
 * A node of the search is a set of operations that have had their place, and the register's value after them. What may come next has begun before anything that is left ended. Five things keep
 * the search small:
 *
 *   reads at once       an operation that changes nothing and fits the value now is given its place at once: to wait cannot help anybody. Nodes are what is left after that, and
 *                       branches are made by changes only.
 *   nodes once          what had to happen and has had its place is kept as a hash, with the set of infos that happened besides: a node that was met before with the same infos or fewer led nowhere. A hash has
 *                       128 bits: that two of 100 million nodes share one has a chance of 1 in 10^22.
 *   infos when needed   what may never have happened is tried after all else, and only where it changes the value.
 *   infos as kinds      of equal ones the one that began first stands for all: the later ones are tried when it has had its place.
 *   no useless ones     reads that may never have happened are left out from the beginning.
 *
 * Operations with an end are two entries in a list in the order of time, their begin and their end; those that may never have happened are in a list of their own. Taking an operation unlinks its entries,
 * which keep their neighbours, so that they can be put back in reverse (D. Knuth, "Dancing Links", 2000). */
#include "jepsen/checkers/linear.h"

#include <stdlib.h>
#include <time.h>

#include "base/assert.h"
#include "jepsen/checkers/seen.h"

#define NONE UINT32_MAX
#define STEPS_BETWEEN_LOOKS 4096u /* at the clock */
#define SAME_LOOKED_AT \
	1000u /* infos, for an equal one: their number times this is what a history may cost before the search */

struct link {
	uint32_t next;
	uint32_t before;
};

/* An operation that has its place, and the value before it. */
struct placed {
	uint32_t op;
	uint32_t value;
};

struct search {
	const struct ord_linear_op *ops;
	uint32_t ops_count;
	const struct ord_linear_limits *limits;
	/* Of operation i: 2 i its begin, 2 i + 1 its end. 2 ops_count: the head of those with an end; + 1: of the infos. */
	struct link *links;  /* owned */
	uint32_t *same;	     /* owned; of an info the equal one that began before; NONE */
	bool *is_placed;     /* owned */
	struct placed *path; /* owned */
	uint32_t path_count;
	uint32_t left; /* operations with an end that have no place yet */
	uint32_t least_left;
	uint32_t value;
	uint64_t hash[2];   /* of those with an end that have their place */
	uint32_t *bits;	    /* owned; of an info its place in happened */
	uint64_t *happened; /* owned; a bit for each info */
	struct ord_seen seen;
	struct ord_linear_result *result;
};

/* --- Nodes that were met --- */

/* SplitMix64's last step: all bits of the number decide all bits of the result. */
static uint64_t scramble(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A set's hash is the exclusive or of its members'. */
static void hash_toggle(struct search *s, uint32_t op)
{
	s->hash[0] ^= scramble(0x9e3779b97f4a7c15u * (2 * (uint64_t)op + 1));
	s->hash[1] ^= scramble(0xd1342543de82ef95u * (2 * (uint64_t)op + 2));
}

static void bit_toggle(struct search *s, uint32_t info)
{
	s->happened[s->bits[info] / 64] ^= 1ull << s->bits[info] % 64;
}

/* Keeps the node that the search is at; *ret_new is false when it was met before, with the same infos or fewer. False when there is no room. */
static bool node_keep(struct search *s, bool *ret_new)
{
	const uint64_t node[2] = {s->hash[0] ^ scramble(0xa0761d6478bd642fu * (s->value + 1ull)),
				  s->hash[1] ^ scramble(0xe7037ed1a0b428dbu * (s->value + 1ull))};
	return ord_seen_put(&s->seen, node, s->happened, ret_new);
}

/* --- The lists --- */

static uint32_t head_ended(const struct search *s)
{
	return 2 * s->ops_count;
}

static uint32_t head_infos(const struct search *s)
{
	return 2 * s->ops_count + 1;
}

static void unlink_at(struct search *s, uint32_t at)
{
	s->links[s->links[at].before].next = s->links[at].next;
	s->links[s->links[at].next].before = s->links[at].before;
}

static void relink_at(struct search *s, uint32_t at)
{
	s->links[s->links[at].before].next = at;
	s->links[s->links[at].next].before = at;
}

static void append(struct search *s, uint32_t head, uint32_t at)
{
	s->links[at] = (struct link){.next = head, .before = s->links[head].before};
	relink_at(s, at);
}

static bool is_end(uint32_t at)
{
	return at % 2 != 0;
}

static bool is_info(const struct search *s, uint32_t op)
{
	return s->ops[op].end == ORD_LINEAR_NEVER;
}

/* Whether it leaves every value as it is. */
static bool is_look(const struct ord_linear_op *op)
{
	return op->kind == ORD_LINEAR_READ || op->kind == ORD_LINEAR_NOT || op->kind == ORD_LINEAR_OTHER ||
	       (op->kind == ORD_LINEAR_CAS && op->a == op->b);
}

static bool fits(const struct ord_linear_op *op, uint32_t value)
{
	switch (op->kind) {
	case ORD_LINEAR_READ:
	case ORD_LINEAR_CAS:
		return op->a == value;
	case ORD_LINEAR_NOT:
		return op->a != value;
	case ORD_LINEAR_OTHER:
		return op->a != value && value != 0;
	case ORD_LINEAR_WRITE:
		break;
	}
	return true;
}

static uint32_t value_after(const struct ord_linear_op *op, uint32_t value)
{
	if (is_look(op))
		return value;
	return op->kind == ORD_LINEAR_CAS ? op->b : op->a;
}

/* --- Taking an operation, and taking it back --- */

static void place(struct search *s, uint32_t op)
{
	s->path[s->path_count++] = (struct placed){.op = op, .value = s->value};
	s->value = value_after(&s->ops[op], s->value);
	s->is_placed[op] = true;
	s->result->steps++;
	if (is_info(s, op)) {
		bit_toggle(s, op);
	} else {
		hash_toggle(s, op);
		unlink_at(s, 2 * op + 1); /* before the begin, which thereby has a next that is still there */
		s->left--;
	}
	unlink_at(s, 2 * op);
}

static uint32_t take_back(struct search *s)
{
	struct placed last = s->path[--s->path_count];
	s->value = last.value;
	s->is_placed[last.op] = false;
	relink_at(s, 2 * last.op);
	if (is_info(s, last.op)) {
		bit_toggle(s, last.op);
	} else {
		hash_toggle(s, last.op);
		relink_at(s, 2 * last.op + 1);
		s->left++;
	}
	return last.op;
}

/* Gives all that only look and fit the value their place. One pass: the ends of those that are taken are gone when it comes there. */
static void place_looks(struct search *s)
{
	uint32_t at = s->links[head_ended(s)].next;
	while (at != head_ended(s) && !is_end(at)) {
		uint32_t op = at / 2;
		if (is_look(&s->ops[op]) && fits(&s->ops[op], s->value))
			place(s, op);
		at = s->links[at].next;
	}
}

/* The operation whose end comes first of those that have no place. */
static uint32_t first_to_end(const struct search *s)
{
	uint32_t at = s->links[head_ended(s)].next;
	while (!is_end(at))
		at = s->links[at].next;
	return at / 2;
}

/* The change that is to be tried after the one before (NONE: the first); NONE when there is none. */
static uint32_t change_after(const struct search *s, uint32_t before)
{
	bool in_infos = before != NONE && is_info(s, before);
	uint32_t at = s->links[before == NONE ? head_ended(s) : 2 * before].next;
	for (; !in_infos && !is_end(at); at = s->links[at].next) {
		if (!is_look(&s->ops[at / 2]) && fits(&s->ops[at / 2], s->value))
			return at / 2;
	}
	uint32_t end = s->ops[first_to_end(s)].end;
	if (!in_infos)
		at = s->links[head_infos(s)].next;
	for (; at != head_infos(s) && s->ops[at / 2].begin < end; at = s->links[at].next) {
		uint32_t op = at / 2;
		bool is_first = s->same[op] == NONE || s->is_placed[s->same[op]];
		if (is_first && fits(&s->ops[op], s->value) && value_after(&s->ops[op], s->value) != s->value)
			return op;
	}
	return NONE;
}

/* Back to where the last change was made; what is tried after it is *ret_before's successor. False when there is none: all orders were tried. */
static bool go_back(struct search *s, uint32_t *ret_before)
{
	while (s->path_count > 0) {
		uint32_t op = take_back(s);
		if (!is_look(&s->ops[op])) {
			*ret_before = op;
			return true;
		}
	}
	return false;
}

/* --- The search --- */

static bool is_late(const struct search *s)
{
	struct timespec now;
	if (s->limits->deadline_ns == 0)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec > s->limits->deadline_ns;
}

static void note_stuck(struct search *s)
{
	if (s->left >= s->least_left)
		return;
	s->least_left = s->left;
	s->result->stuck = first_to_end(s);
}

static enum ord_linear_answer search_run(struct search *s)
{
	uint32_t before = NONE;
	uint64_t look_at = 0;
	bool is_new;
	place_looks(s);
	while (s->left > 0) {
		uint32_t op = change_after(s, before);
		if (s->result->steps >= look_at && is_late(s))
			return ORD_LINEAR_TIME;
		if (s->result->steps >= look_at)
			look_at = s->result->steps + STEPS_BETWEEN_LOOKS;
		if (op == NONE) {
			note_stuck(s);
			if (!go_back(s, &before))
				return ORD_LINEAR_NO;
			continue;
		}
		place(s, op);
		place_looks(s);
		if (!node_keep(s, &is_new))
			return ORD_LINEAR_MEMORY;
		before = NONE;
		if (!is_new)
			go_back(s, &before); /* the change that was just made */
	}
	return ORD_LINEAR_YES;
}

/* --- Before the search --- */

static int moment_compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* Puts begins and ends of the ended in the order of time: ops have the order of begin, the ends are sorted and merged in. ends: room for one pair each. */
static void link_ended(struct search *s, uint32_t (*ends)[2])
{
	uint32_t count = 0, k = 0;
	for (uint32_t i = 0; i < s->ops_count; i++) {
		if (!is_info(s, i)) {
			ends[count][0] = s->ops[i].end;
			ends[count++][1] = i;
		}
	}
	qsort(ends, count, sizeof *ends, moment_compare);
	for (uint32_t i = 0; i < s->ops_count; i++) {
		for (; k < count && ends[k][0] < s->ops[i].begin; k++)
			append(s, head_ended(s), 2 * ends[k][1] + 1);
		if (!is_info(s, i))
			append(s, head_ended(s), 2 * i);
	}
	for (; k < count; k++)
		append(s, head_ended(s), 2 * ends[k][1] + 1);
	s->left = count;
}

static bool is_same(const struct ord_linear_op *x, const struct ord_linear_op *y)
{
	return x->kind == y->kind && x->a == y->a && (x->kind == ORD_LINEAR_WRITE || x->b == y->b);
}

/* The last info in the list that is equal to op, if it is not far. */
static uint32_t same_before(const struct search *s, const struct ord_linear_op *op)
{
	uint32_t at = s->links[head_infos(s)].before;
	for (uint32_t i = 0; i < SAME_LOOKED_AT && at != head_infos(s); i++, at = s->links[at].before) {
		if (is_same(&s->ops[at / 2], op))
			return at / 2;
	}
	return NONE;
}

/* Infos that only look are left out. Returns how many are in. */
static uint32_t link_infos(struct search *s)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < s->ops_count; i++) {
		s->same[i] = NONE;
		if (!is_info(s, i) || is_look(&s->ops[i]))
			continue;
		s->same[i] = same_before(s, &s->ops[i]);
		s->bits[i] = count++;
		append(s, head_infos(s), 2 * i);
	}
	return count;
}

static bool search_open(struct search *s)
{
	size_t count = (size_t)s->ops_count + 1;
	uint32_t(*ends)[2] = calloc(count, sizeof *ends);
	s->links = calloc(2 * count, sizeof *s->links);
	s->same = calloc(count, sizeof *s->same);
	s->bits = calloc(count, sizeof *s->bits);
	s->happened = calloc(count / 64 + 1, sizeof *s->happened);
	s->is_placed = calloc(count, sizeof *s->is_placed);
	s->path = calloc(count, sizeof *s->path);
	bool good = ends != NULL && s->links != NULL && s->same != NULL && s->bits != NULL && s->happened != NULL &&
		    s->is_placed != NULL && s->path != NULL;
	if (good) {
		s->links[head_ended(s)] = (struct link){.next = head_ended(s), .before = head_ended(s)};
		s->links[head_infos(s)] = (struct link){.next = head_infos(s), .before = head_infos(s)};
		link_ended(s, ends);
		ord_seen_init(&s->seen, (link_infos(s) + 63) / 64, s->limits->bytes_max);
		s->least_left = NONE;
	}
	free(ends);
	return good;
}

static void search_close(struct search *s)
{
	free(s->links);
	free(s->same);
	free(s->bits);
	free(s->happened);
	free(s->is_placed);
	free(s->path);
	ord_seen_close(&s->seen);
}

void ord_linear_check(const struct ord_linear_op *ops, uint32_t ops_count, const struct ord_linear_limits *limits,
		      struct ord_linear_result *ret)
{
	struct ord_linear_limits given = limits != NULL ? *limits : (struct ord_linear_limits){0};
	struct search s = {.ops = ops, .ops_count = ops_count, .limits = &given, .result = ret};
	ORD_ASSERT(ops_count <= INT32_MAX / 2);
	for (uint32_t i = 0; i < ops_count; i++) {
		ORD_ASSERT(ops[i].begin < ops[i].end);
		ORD_ASSERT(i == 0 || ops[i - 1].begin < ops[i].begin);
	}
	if (given.bytes_max == 0)
		given.bytes_max = (size_t)1 << 30;
	*ret = (struct ord_linear_result){.answer = ORD_LINEAR_MEMORY};
	if (search_open(&s))
		ret->answer = search_run(&s);
	search_close(&s);
}
