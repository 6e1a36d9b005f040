/* SPDX-License-Identifier: Apache-2.0 - a bad link to another node: when what is sent comes out of it. */
#include "node/faults_link.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/chance.h"

/* What an Ethernet packet carries of a TCP stream. */
#define PACKET_BYTES 1448u
/* Linux sends a lost packet again after 200 ms at the earliest, and waits twice as long each further time (RFC 6298, section 5); this is where our connections are given up. */
#define RESEND_FIRST_US 200000u
#define RESEND_MAX_US 5000000u
/* How late a packet comes that was overtaken, on a link that has no delay of its own. */
#define OVERTAKEN_US 10000u

struct ord_faults_chunk {
	struct ord_faults_chunk *next;
	struct ord_bytes bytes; /* owned */
	uint64_t due_us;
};

void ord_faults_link_init(struct ord_faults_link *l, uint64_t seed)
{
	*l = (struct ord_faults_link){.random = seed};
	l->last = &l->first;
}

static void first_remove(struct ord_faults_link *l, struct ord_bytes *ret)
{
	struct ord_faults_chunk *c = l->first;
	l->first = c->next;
	if (l->first == NULL)
		l->last = &l->first;
	l->chunks_count--;
	l->waiting_bytes -= c->bytes.len;
	*ret = c->bytes;
	free(c);
}

void ord_faults_link_drop(struct ord_faults_link *l)
{
	while (l->first != NULL) {
		struct ord_bytes bytes;
		first_remove(l, &bytes);
		ord_bytes_close(&bytes);
	}
	ORD_ASSERT(l->waiting_bytes == 0);
	l->due_us = 0;
	l->free_us = 0;
}

void ord_faults_link_close(struct ord_faults_link *l)
{
	ord_faults_link_drop(l);
}

bool ord_faults_link_rule_equal(const struct ord_faults_link_rule *a, const struct ord_faults_link_rule *b)
{
	return a->cut_out == b->cut_out && a->cut_in == b->cut_in && a->delay_ms == b->delay_ms &&
	       a->jitter_ms == b->jitter_ms && a->loss_ppm == b->loss_ppm && a->duplicate_ppm == b->duplicate_ppm &&
	       a->reorder_ppm == b->reorder_ppm && a->rate_bytes_s == b->rate_bytes_s;
}

static bool is_good(const struct ord_faults_link *l)
{
	static const struct ord_faults_link_rule none;
	return ord_faults_link_rule_equal(&l->rule, &none);
}

/* A shorter delay, or a higher rate: what waits by the old rule would keep up what comes by the new one. */
static bool is_faster(const struct ord_faults_link_rule *rule, const struct ord_faults_link_rule *before)
{
	bool rate_rises =
		before->rate_bytes_s > 0 && (rule->rate_bytes_s == 0 || rule->rate_bytes_s > before->rate_bytes_s);
	return rule->delay_ms < before->delay_ms || rate_rises;
}

void ord_faults_link_set(struct ord_faults_link *l, const struct ord_faults_link_rule *rule)
{
	bool faster = is_faster(rule, &l->rule);
	if (ord_faults_link_rule_equal(&l->rule, rule))
		return;
	l->rule = *rule;
	l->counts = (struct ord_faults_link_counts){0};
	if (!faster && !is_good(l))
		return;
	for (struct ord_faults_chunk *c = l->first; c != NULL; c = c->next)
		c->due_us = 0;
	l->due_us = 0;
	l->free_us = 0;
}

bool ord_faults_link_is_idle(const struct ord_faults_link *l)
{
	return l->first == NULL && is_good(l);
}

bool ord_faults_link_is_cut_out(const struct ord_faults_link *l)
{
	return l->rule.cut_out || l->rule.loss_ppm == ORD_FAULTS_PPM_ALL;
}

bool ord_faults_link_is_cut(const struct ord_faults_link *l)
{
	return ord_faults_link_is_cut_out(l) || l->rule.cut_in;
}

bool ord_faults_link_has_room(const struct ord_faults_link *l)
{
	return l->waiting_bytes < ORD_FAULTS_LINK_BYTES_MAX && l->chunks_count < ORD_FAULTS_LINK_CHUNKS_MAX;
}

static bool chance(struct ord_faults_link *l, uint32_t ppm)
{
	return ppm > 0 && ord_chance_next(&l->random) % ORD_FAULTS_PPM_ALL < ppm;
}

static uint64_t delay_us(struct ord_faults_link *l)
{
	uint64_t least_us = (uint64_t)(l->rule.delay_ms - l->rule.jitter_ms) * 1000;
	uint64_t spread_us = (uint64_t)l->rule.jitter_ms * 2000;
	return least_us + (spread_us > 0 ? ord_chance_next(&l->random) % (spread_us + 1) : 0);
}

/* How long the stream waits until a packet has come through that may be lost, more than once. */
static uint64_t resent_us(struct ord_faults_link *l)
{
	uint64_t waited_us = 0;
	for (uint64_t wait_us = RESEND_FIRST_US; waited_us < RESEND_MAX_US && chance(l, l->rule.loss_ppm);
	     wait_us *= 2) {
		l->counts.lost++;
		waited_us += wait_us;
	}
	return waited_us;
}

/* Of the packets of a write the one that takes longest. */
static uint64_t held_up_us(struct ord_faults_link *l, size_t packets)
{
	uint64_t longest_us = 0;
	for (size_t i = 0; i < packets; i++) {
		uint64_t us = resent_us(l);
		if (us > longest_us)
			longest_us = us;
	}
	return longest_us;
}

/* How long the packets take to leave, one after the other. */
static uint64_t leaving_us(struct ord_faults_link *l, size_t bytes, size_t packets)
{
	uint64_t sent = bytes;
	for (size_t i = 0; l->rule.duplicate_ppm > 0 && i < packets; i++) {
		bool twice = chance(l, l->rule.duplicate_ppm);
		l->counts.duplicated += twice;
		sent += twice ? PACKET_BYTES : 0;
	}
	return l->rule.rate_bytes_s > 0 ? sent * 1000000 / l->rule.rate_bytes_s : 0;
}

/* When a write of so many bytes comes out, were it alone. */
static uint64_t arrival_us(struct ord_faults_link *l, size_t bytes, uint64_t now_us)
{
	size_t packets = (bytes + PACKET_BYTES - 1) / PACKET_BYTES;
	uint64_t leaves_us = l->free_us > now_us ? l->free_us : now_us;
	leaves_us += leaving_us(l, bytes, packets);
	l->free_us = leaves_us;
	uint64_t at_us = leaves_us + delay_us(l);
	if (l->rule.loss_ppm > 0)
		at_us += held_up_us(l, packets);
	if (chance(l, l->rule.reorder_ppm)) {
		l->counts.reordered++;
		at_us += l->rule.delay_ms > 0 ? delay_us(l) : OVERTAKEN_US;
	}
	return at_us;
}

void ord_faults_link_put(struct ord_faults_link *l, struct ord_bytes *bytes, uint64_t now_us)
{
	struct ord_faults_chunk *c = malloc(sizeof *c);
	ORD_ASSERT(c != NULL);
	uint64_t at_us = arrival_us(l, bytes->len, now_us);
	l->due_us = at_us > l->due_us ? at_us : l->due_us;
	l->counts.delayed += l->due_us > now_us;
	*c = (struct ord_faults_chunk){.bytes = *bytes, .due_us = l->due_us};
	ord_bytes_init(bytes, bytes->bytes_max);
	*l->last = c;
	l->last = &c->next;
	l->chunks_count++;
	l->waiting_bytes += c->bytes.len;
}

bool ord_faults_link_take(struct ord_faults_link *l, uint64_t now_us, struct ord_bytes *ret)
{
	if (ord_faults_link_due_us(l) > now_us)
		return false;
	first_remove(l, ret);
	l->counts.bytes += ret->len;
	return true;
}

uint64_t ord_faults_link_due_us(const struct ord_faults_link *l)
{
	return l->first == NULL || ord_faults_link_is_cut_out(l) ? UINT64_MAX : l->first->due_us;
}
