/* SPDX-License-Identifier: Apache-2.0 - rules of links as texts for nft and tc, and what these say as rules again. Runs nothing. */
#include "cli/links_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RATE_NONE 100000000000u /* of a class that only delays: 800 Gbit/s */
#define REORDER_DELAY_MS 10u	/* packets overtake those that wait: without a delay of its own, this one */

__attribute__((format(printf, 2, 3))) static void put(struct ord_bytes *out, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	ord_bytes_put(out, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

static bool rule_equal(const struct ord_fault_link *a, const struct ord_fault_link *b)
{
	return a->cut == b->cut && a->delay_ms == b->delay_ms && a->jitter_ms == b->jitter_ms &&
	       a->loss_ppm == b->loss_ppm && a->duplicate_ppm == b->duplicate_ppm && a->reorder_ppm == b->reorder_ppm &&
	       a->rate_bytes_s == b->rate_bytes_s;
}

/* --- the firewall ----------------------------------------------------------------------------------------------------- */

/* Counters of a rule that stays begin where they are. */
static struct ord_fault_link_counts counts_begin(const struct ord_links *now, const struct ord_links *wanted,
						 uint32_t a, uint32_t b)
{
	if (rule_equal(&now->rules[a][b], &wanted->rules[a][b]))
		return now->counts[a][b];
	return (struct ord_fault_link_counts){0};
}

static void put_forward(const struct ord_layout *l, const struct ord_links *now, const struct ord_links *wanted,
			uint32_t a, uint32_t b, struct ord_bytes *out)
{
	const struct ord_fault_link *r = &wanted->rules[a][b];
	struct ord_fault_link_counts c = counts_begin(now, wanted, a, b);
	uint32_t from = l->nodes[a].id, to = l->nodes[b].id;
	char match[128];
	if (ord_fault_link_is_none(r))
		return;
	snprintf(match, sizeof match, "iifname \"n%" PRIu32 "\" oifname \"n%" PRIu32 "\" ether type ip", from, to);
	if (r->cut)
		put(out, "  %s counter packets %" PRIu64 " bytes 0 drop comment \"cut %" PRIu32 " %" PRIu32 "\"\n",
		    match, c.dropped, from, to);
	/* Behind a cut it meets nothing, and is there when the cut goes. */
	if (r->loss_ppm > 0)
		put(out,
		    "  %s numgen random mod 1000000 < %" PRIu32 " counter packets %" PRIu64
		    " bytes 0 drop comment \"loss %" PRIu32 " %" PRIu32 " %" PRIu32 "\"\n",
		    match, r->loss_ppm, r->cut ? 0 : c.dropped, from, to, r->loss_ppm);
	put(out,
	    "  %s counter packets %" PRIu64 " bytes %" PRIu64 " comment \"through %" PRIu32 " %" PRIu32 " %" PRIu64
	    " %" PRIu32 " %" PRIu32 " %" PRIu32 " %d\"\n",
	    match, c.delayed, c.bytes, from, to, r->rate_bytes_s, r->delay_ms, r->jitter_ms, r->reorder_ppm,
	    wanted->soft[a][b]);
}

/* Duplicates are made where packets leave the switch: only there can they be sent on. */
static void put_duplicates(const struct ord_layout *l, const struct ord_links *now, const struct ord_links *wanted,
			   uint32_t b, struct ord_bytes *out)
{
	char host[ORD_LAYOUT_HOST_SIZE];
	uint32_t to = l->nodes[b].id;
	put(out, " chain n%" PRIu32 " { type filter hook egress device \"n%" PRIu32 "\" priority 0; policy accept;\n",
	    to, to);
	for (uint32_t a = 0; a < l->nodes_count; a++) {
		uint32_t ppm = wanted->rules[a][b].duplicate_ppm;
		if (ppm == 0)
			continue;
		ord_layout_host(l, l->nodes[a].id, host);
		put(out,
		    "  ip saddr %s numgen random mod 1000000 < %" PRIu32 " counter packets %" PRIu64
		    " bytes 0 dup to \"n%" PRIu32 "\" comment \"duplicate %" PRIu32 " %" PRIu32 " %" PRIu32 "\"\n",
		    host, ppm, counts_begin(now, wanted, a, b).duplicated, to, l->nodes[a].id, to, ppm);
	}
	put(out, " }\n");
}

static bool has_duplicates(const struct ord_layout *l, const struct ord_links *links, uint32_t b)
{
	bool any = false;
	for (uint32_t a = 0; a < l->nodes_count; a++)
		any = any || links->rules[a][b].duplicate_ppm > 0;
	return any;
}

/* Kernels without hooks where packets leave a link know no such table: it is named only when there is something in it. */
static void put_duplicates_table(const struct ord_layout *l, const struct ord_links *now,
				 const struct ord_links *wanted, struct ord_bytes *out)
{
	bool any = false;
	for (uint32_t b = 0; b < l->nodes_count; b++)
		any = any || has_duplicates(l, now, b) || has_duplicates(l, wanted, b);
	if (!any)
		return;
	put(out, "add table netdev ordain\ndelete table netdev ordain\ntable netdev ordain {\n");
	for (uint32_t b = 0; b < l->nodes_count; b++) {
		if (has_duplicates(l, wanted, b))
			put_duplicates(l, now, wanted, b, out);
	}
	put(out, "}\n");
}

void ord_links_text_tables(const struct ord_layout *l, const struct ord_links *now, const struct ord_links *wanted,
			   struct ord_bytes *out)
{
	put(out, "add table bridge ordain\ndelete table bridge ordain\n"
		 "table bridge ordain {\n chain forward { type filter hook forward priority 0; policy accept;\n");
	for (uint32_t a = 0; a < l->nodes_count; a++) {
		for (uint32_t b = 0; b < l->nodes_count; b++)
			put_forward(l, now, wanted, a, b, out);
	}
	put(out, " }\n}\n");
	put_duplicates_table(l, now, wanted, out);
}

/* --- the queues ------------------------------------------------------------------------------------------------------- */

bool ord_links_text_is_queued(const struct ord_links *links, uint32_t a, uint32_t b)
{
	const struct ord_fault_link *r = &links->rules[a][b];
	return r->rate_bytes_s > 0 ||
	       (!links->soft[a][b] && (r->delay_ms > 0 || r->jitter_ms > 0 || r->reorder_ppm > 0));
}

static void put_queue(const struct ord_layout *l, const struct ord_links *wanted, uint32_t a, uint32_t b,
		      struct ord_bytes *out)
{
	const struct ord_fault_link *r = &wanted->rules[a][b];
	char host[ORD_LAYOUT_HOST_SIZE];
	uint32_t from = l->nodes[a].id, to = l->nodes[b].id;
	ord_layout_host(l, from, host);
	put(out, "class add dev n%" PRIu32 " parent 1: classid 1:%" PRIu32 " htb rate %" PRIu64 "bps quantum 60000\n",
	    to, from, r->rate_bytes_s > 0 ? r->rate_bytes_s : RATE_NONE);
	put(out,
	    "filter add dev n%" PRIu32 " parent 1: protocol ip prio 1 u32 match ip src %s/32 flowid 1:%" PRIu32 "\n",
	    to, host, from);
	if (wanted->soft[a][b] || (r->delay_ms == 0 && r->jitter_ms == 0 && r->reorder_ppm == 0))
		return;
	put(out,
	    "qdisc add dev n%" PRIu32 " parent 1:%" PRIu32 " handle 1%" PRIu32 ": netem limit 100000 delay %" PRIu32
	    "ms",
	    to, from, from, r->delay_ms > 0 || r->reorder_ppm == 0 ? r->delay_ms : REORDER_DELAY_MS);
	if (r->jitter_ms > 0)
		put(out, " %" PRIu32 "ms", r->jitter_ms);
	if (r->reorder_ppm > 0)
		put(out, " reorder %" PRIu32 ".%04" PRIu32 "%%", r->reorder_ppm / 10000, r->reorder_ppm % 10000);
	put(out, "\n");
}

bool ord_links_text_port(const struct ord_layout *l, const struct ord_links *wanted, uint32_t b, struct ord_bytes *out)
{
	bool any = false;
	put(out, "qdisc add dev n%" PRIu32 " root handle 1: htb\n", l->nodes[b].id);
	for (uint32_t a = 0; a < l->nodes_count; a++) {
		if (!ord_links_text_is_queued(wanted, a, b))
			continue;
		put_queue(l, wanted, a, b, out);
		any = true;
	}
	return any;
}

/* --- reading back ----------------------------------------------------------------------------------------------------- */

static bool link_parse(const struct ord_layout *l, uint32_t from, uint32_t to, uint32_t *ret_a, uint32_t *ret_b)
{
	const struct ord_layout_node *a = ord_layout_find(l, from), *b = ord_layout_find(l, to);
	if (a == NULL || b == NULL)
		return false;
	*ret_a = (uint32_t)(a - l->nodes);
	*ret_b = (uint32_t)(b - l->nodes);
	return true;
}

void ord_links_text_rule_take(const struct ord_layout *l, const char *line, struct ord_links *links)
{
	const char *counter = strstr(line, "counter packets "), *comment = strstr(line, "comment \"");
	uint64_t packets, bytes;
	uint32_t from, to, a, b, ppm = 0;
	struct ord_fault_link through;
	char kind[16];
	int soft;
	if (counter == NULL || comment == NULL ||
	    sscanf(counter, "counter packets %" SCNu64 " bytes %" SCNu64, &packets, &bytes) != 2 ||
	    sscanf(comment, "comment \"%15[a-z] %" SCNu32 " %" SCNu32 " %" SCNu32, kind, &from, &to, &ppm) < 3 ||
	    !link_parse(l, from, to, &a, &b))
		return;
	struct ord_fault_link *r = &links->rules[a][b];
	struct ord_fault_link_counts *c = &links->counts[a][b];
	if (strcmp(kind, "cut") == 0) {
		r->cut = true;
		c->dropped += packets;
	} else if (strcmp(kind, "loss") == 0) {
		r->loss_ppm = ppm;
		c->dropped += packets;
	} else if (strcmp(kind, "duplicate") == 0) {
		r->duplicate_ppm = ppm;
		c->duplicated = packets;
	} else if (sscanf(comment, "comment \"through %*u %*u %" SCNu64 " %" SCNu32 " %" SCNu32 " %" SCNu32 " %d",
			  &through.rate_bytes_s, &through.delay_ms, &through.jitter_ms, &through.reorder_ppm,
			  &soft) == 5) {
		r->rate_bytes_s = through.rate_bytes_s;
		r->delay_ms = through.delay_ms;
		r->jitter_ms = through.jitter_ms;
		r->reorder_ppm = through.reorder_ppm;
		links->soft[a][b] = soft != 0;
		c->delayed = packets;
		c->bytes = bytes;
	}
}

void ord_links_text_port_take(const struct ord_layout *l, uint32_t b, const char *classes, const char *queues,
			      struct ord_links *links)
{
	char class[32], netem[32];
	for (uint32_t a = 0; a < l->nodes_count; a++) {
		struct ord_fault_link *r = &links->rules[a][b];
		snprintf(class, sizeof class, "class htb 1:%" PRIu32 " ", l->nodes[a].id);
		snprintf(netem, sizeof netem, "qdisc netem 1%" PRIu32 ": ", l->nodes[a].id);
		if (strstr(classes, class) == NULL)
			r->rate_bytes_s = 0;
		if (!links->soft[a][b] && strstr(queues, netem) == NULL)
			r->delay_ms = r->jitter_ms = r->reorder_ppm = 0;
	}
}
