/* SPDX-License-Identifier: Apache-2.0 - random entries by seed. */
#include "tests/model/generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"

static const char *const accounts[] = {
	"a", "b", "c", "d", "e", "f", "an account whose id has all of the sixty-four bytes it may have.", "\xc3\xa4",
};
static const char *const assets[] = {"EUR", "USD", "SIXTEEN-LETTERS!"};
static const char *const spaces[] = {"s", "sp"};
static const char *const names[] = {"n", "pn", "m",
				    "o"}; /* "s" + "pn" and "sp" + "n": only the length tells them apart */
static const char *const owners[] = {"x", "y", "z"};

/* Some of the words, at least two where there are two. */
static struct generate_pool pool_of(struct random *r, const char *const *words, size_t words_count)
{
	struct generate_pool pool = {.count = words_count};

	if (words_count > 2)
		pool.count = 2 + random_below(r, words_count - 1);
	for (size_t i = 0; i < pool.count; i++)
		pool.words[i] = ord_slice_text(words[i]);
	return pool;
}

#define POOL(r, words) pool_of((r), (words), sizeof(words) / sizeof *(words))

void generate_open(struct generate *g, uint64_t seed, const struct model *m, const struct lab *l)
{
	memset(g, 0, sizeof *g);
	g->random = random_of(seed);
	g->model = m;
	g->lab = l;
	g->accounts = POOL(&g->random, accounts);
	g->assets = POOL(&g->random, assets);
	g->spaces = POOL(&g->random, spaces);
	g->names = POOL(&g->random, names);
	g->owners = POOL(&g->random, owners);
	g->time_us = 1700000000000000u;
	g->extremes = random_chance(&g->random, 40);
	g->deliver_percent = 40;
	g->timed = random_chance(&g->random, 50);
}

void generate_close(struct generate *g)
{
	free(g->used);
}

static struct ord_slice pick(struct generate *g, const struct generate_pool *pool)
{
	return pool->words[random_below(&g->random, pool->count)];
}

#define PICK_NUMBER(g, numbers) (numbers)[random_below(&(g)->random, sizeof(numbers) / sizeof *(numbers))]

/* What takes the payer to its floor or the payee to its ceiling, or one over; 0 when there is no such amount. */
static int64_t pick_edge(struct generate *g, struct ord_slice payer, struct ord_slice payee)
{
	bool up = random_chance(&g->random, 50);
	struct model_text id = model_text_of(up ? payee : payer);
	const struct model_account *there = model_account(g->model, &id);
	__int128 amount;

	if (there == NULL)
		return 0;
	amount = up ? there->ceiling - there->balance : there->balance - there->floor;
	amount += (__int128)random_below(&g->random, 2);
	return amount > 0 && amount <= INT64_MAX ? (int64_t)amount : 0;
}

static int64_t pick_amount(struct generate *g, struct ord_slice payer, struct ord_slice payee)
{
	static const int64_t usual[] = {1, 2, 10, 10, 25, 50, 50, 100, 100, 500, 1000};
	static const int64_t extreme[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX / 2, INT64_MAX / 2 + 1};
	int64_t edge = random_chance(&g->random, g->extremes ? 40 : 15) ? pick_edge(g, payer, payee) : 0;

	if (edge > 0)
		return edge;
	if (g->extremes && random_chance(&g->random, 20))
		return PICK_NUMBER(g, extreme);
	return PICK_NUMBER(g, usual);
}

static int64_t pick_floor(struct generate *g)
{
	static const int64_t usual[] = {0, 0, 0, -50, -1000, -1000000};
	static const int64_t extreme[] = {-INT64_MAX, -INT64_MAX, INT64_MIN, -INT64_MAX + 1};

	if (g->extremes && random_chance(&g->random, 40))
		return PICK_NUMBER(g, extreme);
	return PICK_NUMBER(g, usual);
}

static int64_t pick_ceiling(struct generate *g)
{
	static const int64_t usual[] = {INT64_MAX, INT64_MAX, INT64_MAX, 0, 100, 1000};
	static const int64_t extreme[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX / 2};

	if (g->extremes && random_chance(&g->random, 40))
		return PICK_NUMBER(g, extreme);
	return PICK_NUMBER(g, usual);
}

/* Closing is for good, so it is rare (a history in which all is closed shows nothing any more) but for accounts that can be closed and have had
 * money: some of that may be on its way back. */
static enum ord_account_state pick_state(struct generate *g, struct ord_slice account)
{
	struct model_text id = model_text_of(account);
	const struct model_account *there = model_account(g->model, &id);
	uint64_t mood = random_below(&g->random, 20);
	bool emptied = there != NULL && there->balance == 0 && there->postings_count > 0;

	if (mood < (emptied ? 8 : 1))
		return ORD_ACCOUNT_CLOSED;
	return mood < 9 ? ORD_ACCOUNT_FROZEN : ORD_ACCOUNT_OPEN;
}

static enum ord_command_kind pick_kind(struct generate *g)
{
	static const enum ord_command_kind kinds[] = {
		ORD_COMMAND_TRANSFER,	  ORD_COMMAND_TRANSFER,	   ORD_COMMAND_TRANSFER,     ORD_COMMAND_TRANSFER,
		ORD_COMMAND_TRANSFER,	  ORD_COMMAND_TRANSFER,	   ORD_COMMAND_OPEN_ACCOUNT, ORD_COMMAND_OPEN_ACCOUNT,
		ORD_COMMAND_OPEN_ACCOUNT, ORD_COMMAND_SET_ACCOUNT, ORD_COMMAND_CLAIM,	     ORD_COMMAND_RELEASE,
		ORD_COMMAND_REASSIGN,
	};

	return PICK_NUMBER(g, kinds);
}

static struct ord_command make(struct generate *g, enum ord_command_kind kind)
{
	struct ord_command c = {.kind = kind};

	switch (kind) {
	case ORD_COMMAND_TRANSFER:
		c.transfer.payer = pick(g, &g->accounts);
		c.transfer.payee = pick(g, &g->accounts);
		c.transfer.asset = random_chance(&g->random, 80) ? g->assets.words[0] : pick(g, &g->assets);
		c.transfer.amount = pick_amount(g, c.transfer.payer, c.transfer.payee);
		break;
	case ORD_COMMAND_OPEN_ACCOUNT:
		c.open_account.account = pick(g, &g->accounts);
		c.open_account.asset = random_chance(&g->random, 80) ? g->assets.words[0] : pick(g, &g->assets);
		c.open_account.floor = pick_floor(g);
		c.open_account.ceiling = pick_ceiling(g);
		break;
	case ORD_COMMAND_SET_ACCOUNT:
		c.set_account.account = pick(g, &g->accounts);
		c.set_account.state = pick_state(g, c.set_account.account);
		break;
	default:
		c.naming.space = pick(g, &g->spaces);
		c.naming.name = pick(g, &g->names);
		if (kind != ORD_COMMAND_CLAIM)
			c.naming.expected = pick(g, &g->owners);
		if (kind != ORD_COMMAND_RELEASE)
			c.naming.owner = pick(g, &g->owners);
		break;
	}
	return c;
}

/* One field of it, or some, become another value; now and then it stays as it was. */
static void mutate(struct generate *g, struct ord_command *c)
{
	struct ord_command other = make(g, c->kind);
	bool one = random_chance(&g->random, 50);

	if (c->kind == ORD_COMMAND_TRANSFER && one)
		c->transfer.amount = other.transfer.amount;
	else if (c->kind == ORD_COMMAND_TRANSFER && random_chance(&g->random, 30))
		c->transfer.asset = other.transfer.asset;
	else if (c->kind == ORD_COMMAND_TRANSFER && random_chance(&g->random, 50))
		c->transfer.payee = other.transfer.payee;
	else if (c->kind == ORD_COMMAND_OPEN_ACCOUNT && one)
		c->open_account.ceiling = other.open_account.ceiling;
	else if (c->kind == ORD_COMMAND_OPEN_ACCOUNT)
		c->open_account.floor = other.open_account.floor;
	else if (c->kind == ORD_COMMAND_REASSIGN && one)
		c->naming.owner = other.naming.owner;
	else {
		other.request_id = c->request_id;
		*c = other;
	}
}

/* As clients make them; some are early, some late, and some far ahead. */
static struct ord_uuid timed_id(struct generate *g)
{
	uint64_t ms = g->time_us / 1000 - random_below(&g->random, 4000) + random_below(&g->random, 2000);
	uint8_t rest[10] = {0};
	size_t number = g->ids_count++;

	if (random_chance(&g->random, 3))
		ms += 60000 + random_below(&g->random, 100000);
	memcpy(&rest[2], &number, sizeof number);
	return ord_uuid_v7(ms, rest);
}

static struct ord_uuid next_id(struct generate *g)
{
	if (g->timed && random_chance(&g->random, 85))
		return timed_id(g);
	struct ord_uuid id = {{0}};
	char digits[17];
	int len = snprintf(digits, sizeof digits, "r%zu", g->ids_count++);

	memcpy(id.bytes, digits, (size_t)len);
	return id;
}

static void remember(struct generate *g, const struct ord_command *c)
{
	if (g->used_count == g->used_capacity) {
		g->used_capacity = g->used_capacity == 0 ? 64 : g->used_capacity * 2;
		g->used = realloc(g->used, g->used_capacity * sizeof *g->used);
		ORD_ASSERT(g->used != NULL);
	}
	g->used[g->used_count++] = *c;
}

static struct ord_command draft(struct generate *g)
{
	struct ord_command c;

	if (g->used_count > 0 && random_chance(&g->random, 20)) {
		c = g->used[random_below(&g->random, g->used_count)];
		if (random_chance(&g->random, 50))
			mutate(g, &c);
		return c;
	}
	c = make(g, pick_kind(g));
	if (g->used_count > 0 && random_chance(&g->random, 4))
		c.request_id = g->used[random_below(&g->random, g->used_count)].request_id;
	else
		c.request_id = next_id(g);
	return c;
}

/* A command that a client may send and that is logged in this partition; false when luck brings none. */
static bool client_command(struct generate *g, uint32_t partition, struct ord_command *ret)
{
	struct ord_fault fault;

	for (int tries = 0; tries < 30; tries++) {
		struct ord_command c = draft(g);

		if (ord_command_check(&c, &fault) != ORD_OK || model_route_command(g->model, &c) != partition)
			continue;
		remember(g, &c);
		*ret = c;
		return true;
	}
	return false;
}

/* Which run of letters: what is due, what was applied already, what overlaps, what leaves a gap, anything. */
static void pick_run(struct generate *g, uint64_t cursor, uint64_t letters_count, uint64_t *ret_first,
		     uint64_t *ret_last)
{
	struct random *r = &g->random;
	uint64_t mood = random_below(r, 100);
	uint64_t first = cursor + 1;
	uint64_t last = letters_count;

	if (mood >= 90)
		first = 1 + random_below(r, letters_count);
	else if (mood >= 75 && cursor > 0) {
		first = 1 + random_below(r, cursor);
		last = cursor;
	} else if (mood >= 60)
		first = 1 + random_below(r, cursor + 1);
	else if (mood >= 50)
		first = cursor + 2;
	if (first > letters_count)
		first = letters_count;
	if (last < first)
		last = first;
	if (last > first && random_chance(r, 50))
		last = first + random_below(r, last - first + 1);
	*ret_first = first;
	*ret_last = last - first < 100 ? last : first + 99;
}

static bool deliver_command(struct generate *g, uint32_t partition, struct ord_command *ret)
{
	uint32_t source = (uint32_t)random_below(&g->random, g->lab->partitions_count);
	uint64_t letters_count = g->lab->letters[source][partition].count;
	uint64_t first, last;

	if (letters_count == 0)
		return false;
	pick_run(g, g->model->mail[source][partition].cursor, letters_count, &first, &last);
	*ret = lab_deliver(g->lab, source, partition, first, (uint32_t)(last - first + 1));
	return true;
}

/* Only what the destination has really applied; often older news than the last. */
static bool trim_command(struct generate *g, uint32_t partition, struct ord_command *ret)
{
	uint32_t destination = (uint32_t)random_below(&g->random, g->lab->partitions_count);
	uint64_t upto = g->model->mail[partition][destination].cursor;

	if (destination == partition)
		return false;
	if (random_chance(&g->random, 40))
		upto = random_below(&g->random, upto + 1);
	*ret = (struct ord_command){.kind = ORD_COMMAND_TRIM, .trim = {.destination = destination, .upto = upto}};
	return true;
}

static bool any_command(struct generate *g, uint32_t partition, struct ord_command *ret)
{
	if (!random_chance(&g->random, g->deliver_percent))
		return client_command(g, partition, ret);
	if (random_chance(&g->random, 25))
		return trim_command(g, partition, ret);
	return deliver_command(g, partition, ret);
}

/* What the partition is, or not quite, in an entry of its own. */
static struct generate_entry mark_entry(struct generate *g)
{
	struct generate_entry e = {.commands_count = 1, .time_us = g->time_us};
	struct ord_command *c = &e.commands[0];

	e.partition = (uint32_t)random_below(&g->random, g->lab->partitions_count);
	c->kind = ORD_COMMAND_MARK;
	ord_partition_mark(g->lab->partitions[e.partition], &c->mark);
	c->mark.position -= random_chance(&g->random, 20) && c->mark.position > 0;
	c->mark.state_digest[1] += random_chance(&g->random, 20);
	return e;
}

/* The watermark of one partition moves; some go back, some go too far. */
static struct generate_entry expire_entry(struct generate *g)
{
	struct generate_entry e = {.commands_count = 1, .time_us = g->time_us};
	uint64_t ms = g->time_us / 1000;

	e.partition = (uint32_t)random_below(&g->random, g->lab->partitions_count);
	e.commands[0].kind = ORD_COMMAND_EXPIRE;
	e.commands[0].expire.watermark_ms = ms - random_below(&g->random, 20000) + random_below(&g->random, 500);
	return e;
}

struct generate_entry generate_next(struct generate *g)
{
	struct generate_entry e = {.commands_count = 0};
	size_t wanted = 1 + random_below(&g->random, GENERATE_ENTRY_COMMANDS_MAX);

	if (random_chance(&g->random, 3))
		return mark_entry(g);
	if (g->timed && random_chance(&g->random, 10))
		return expire_entry(g);
	if (random_chance(&g->random, 5))
		g->deliver_percent = (unsigned)random_below(&g->random, 90);
	if (random_chance(&g->random, 20))
		g->time_us += random_below(&g->random, 1000000);
	/* Clocks do go back when another node leads. */
	e.time_us = g->time_us - (random_chance(&g->random, 5) ? random_below(&g->random, 3000000) : 0);
	while (e.commands_count == 0) {
		e.partition = (uint32_t)random_below(&g->random, g->lab->partitions_count);
		for (size_t i = 0; i < wanted; i++)
			e.commands_count += any_command(g, e.partition, &e.commands[e.commands_count]);
	}
	return e;
}

void generate_release(struct generate_entry *e)
{
	for (size_t i = 0; i < e->commands_count; i++) {
		if (e->commands[i].kind == ORD_COMMAND_DELIVER)
			free((void *)e->commands[i].deliver.messages.base);
	}
}
