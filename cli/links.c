/* SPDX-License-Identifier: Apache-2.0 - what is done to real packets between nodes that have network namespaces: rules of the firewall and of queues in the switch. */
#include "cli/links.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/netns.h"
#include "cli/tool.h"

#define SCRIPT_BYTES_MAX (256u << 10) /* 72 links with all rules are 60 KiB */
#define OUTPUT_BYTES_MAX (1u << 20)
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
	else if (r->loss_ppm > 0)
		put(out,
		    "  %s numgen random mod 1000000 < %" PRIu32 " counter packets %" PRIu64
		    " bytes 0 drop comment \"loss %" PRIu32 " %" PRIu32 " %" PRIu32 "\"\n",
		    match, r->loss_ppm, c.dropped, from, to, r->loss_ppm);
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

/* One transaction: all old rules go and all new ones come. */
static void put_tables(const struct ord_layout *l, const struct ord_links *now, const struct ord_links *wanted,
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

static int tables_write(const struct ord_layout *l, const struct ord_links *now, const struct ord_links *wanted,
			char *why, size_t why_size)
{
	static const char *const argv[] = {"nft", "-f", "-", NULL};
	char netns[ORD_NETNS_NAME_SIZE];
	struct ord_bytes script;
	ord_bytes_init(&script, SCRIPT_BYTES_MAX);
	put_tables(l, now, wanted, &script);
	ord_bytes_put_u8(&script, '\0');
	ord_netns_name(l, ORD_NETNS_SWITCH, netns);
	int err = ORD_ERR_NOMEM;
	if (!script.failed) {
		struct ord_tool tool = {.argv = argv, .input = (const char *)script.base, .netns = netns};
		err = ord_tool_run(&tool, why, why_size);
	} else {
		snprintf(why, why_size, "out of memory");
	}
	ord_bytes_close(&script);
	return err;
}

/* --- the queues ------------------------------------------------------------------------------------------------------- */

/* Is there something for a queue to do? */
static bool is_queued(const struct ord_links *links, uint32_t a, uint32_t b)
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

/* The port's queues anew; packets that wait in old ones are lost. */
static int port_write(const struct ord_layout *l, const struct ord_links *wanted, uint32_t b, char *why,
		      size_t why_size)
{
	static const char *const batch[] = {"tc", "-batch", "-", NULL};
	char netns[ORD_NETNS_NAME_SIZE], ignored[256];
	struct ord_bytes script;
	bool any = false;
	char dev[16];
	snprintf(dev, sizeof dev, "n%" PRIu32, l->nodes[b].id);
	ord_netns_name(l, ORD_NETNS_SWITCH, netns);
	const char *const delete[] = {"tc", "qdisc", "delete", "dev", dev, "root", NULL};
	struct ord_tool tool = {.argv = delete, .netns = netns};
	ord_tool_run(&tool, ignored, sizeof ignored); /* there may be none */
	ord_bytes_init(&script, SCRIPT_BYTES_MAX);
	put(&script, "qdisc add dev %s root handle 1: htb\n", dev);
	for (uint32_t a = 0; a < l->nodes_count; a++) {
		if (!is_queued(wanted, a, b))
			continue;
		put_queue(l, wanted, a, b, &script);
		any = true;
	}
	ord_bytes_put_u8(&script, '\0');
	int err = ORD_OK;
	tool = (struct ord_tool){.argv = batch, .input = (const char *)script.base, .netns = netns};
	if (any && !script.failed)
		err = ord_tool_run(&tool, why, why_size);
	ord_bytes_close(&script);
	return err;
}

/* Do the queues of the port have to be made anew? */
static bool port_differs(const struct ord_layout *l, const struct ord_links *now, const struct ord_links *wanted,
			 uint32_t b)
{
	for (uint32_t a = 0; a < l->nodes_count; a++) {
		const struct ord_fault_link *x = &now->rules[a][b], *y = &wanted->rules[a][b];
		if (is_queued(now, a, b) != is_queued(wanted, a, b))
			return true;
		if (is_queued(wanted, a, b) &&
		    (x->rate_bytes_s != y->rate_bytes_s || x->delay_ms != y->delay_ms || x->jitter_ms != y->jitter_ms ||
		     x->reorder_ppm != y->reorder_ppm || now->soft[a][b] != wanted->soft[a][b]))
			return true;
	}
	return false;
}

bool ord_links_can_delay(const struct ord_layout *l)
{
	/* Nothing else uses the switch's own loopback. */
	static const char *const argv[] = {"tc", "qdisc", "replace", "dev", "lo", "root", "netem", NULL};
	char netns[ORD_NETNS_NAME_SIZE], ignored[256];
	ord_netns_name(l, ORD_NETNS_SWITCH, netns);
	struct ord_tool tool = {.argv = argv, .netns = netns};
	return ord_tool_run(&tool, ignored, sizeof ignored) == ORD_OK;
}

/* The wanted rules, and beside them the queues that are still there: what is seen in between, and after a crash in between, is not less than what is in force. */
static struct ord_links between(const struct ord_layout *l, const struct ord_links *now, const struct ord_links *wanted)
{
	struct ord_links all = *wanted;
	for (uint32_t a = 0; a < l->nodes_count; a++) {
		for (uint32_t b = 0; b < l->nodes_count; b++) {
			struct ord_fault_link *r = &all.rules[a][b];
			if (!is_queued(now, a, b) || is_queued(wanted, a, b))
				continue;
			r->rate_bytes_s = now->rules[a][b].rate_bytes_s;
			r->delay_ms = now->rules[a][b].delay_ms;
			r->jitter_ms = now->rules[a][b].jitter_ms;
			r->reorder_ppm = now->rules[a][b].reorder_ppm;
			all.soft[a][b] = now->soft[a][b];
		}
	}
	return all;
}

int ord_links_write(const struct ord_layout *l, const struct ord_links *now, const struct ord_links *wanted, char *why,
		    size_t why_size)
{
	struct ord_links all = between(l, now, wanted);
	bool queues = false;
	int err = ORD_OK;
	for (uint32_t b = 0; b < l->nodes_count; b++)
		queues = queues || port_differs(l, now, wanted, b);
	if (queues)
		err = tables_write(l, now, &all, why, why_size);
	for (uint32_t b = 0; err == ORD_OK && b < l->nodes_count; b++) {
		if (port_differs(l, now, wanted, b))
			err = port_write(l, wanted, b, why, why_size);
	}
	return err == ORD_OK ? tables_write(l, now, wanted, why, why_size) : err;
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

/* One line of `nft list ruleset`; those that are no rule of ours say nothing. */
static void rule_parse(const struct ord_layout *l, const char *line, struct ord_links *links)
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
		c->dropped = packets;
	} else if (strcmp(kind, "loss") == 0) {
		r->loss_ppm = ppm;
		c->dropped = packets;
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

/* What `tc WHAT show` says of a port, as text. */
static int port_ask(const struct ord_layout *l, uint32_t b, const char *what, struct ord_bytes *out, char *why,
		    size_t why_size)
{
	char netns[ORD_NETNS_NAME_SIZE], dev[16];
	snprintf(dev, sizeof dev, "n%" PRIu32, l->nodes[b].id);
	ord_netns_name(l, ORD_NETNS_SWITCH, netns);
	const char *const argv[] = {"tc", what, "show", "dev", dev, NULL};
	struct ord_tool tool = {.argv = argv, .netns = netns, .output = out};
	int err = ord_tool_run(&tool, why, why_size);
	ord_bytes_put_u8(out, '\0');
	return err == ORD_OK && out->failed ? ORD_ERR_TOO_BIG : err;
}

/* Takes from the rules of the port what its queues do not have. */
static int port_read(const struct ord_layout *l, uint32_t b, struct ord_links *links, char *why, size_t why_size)
{
	struct ord_bytes classes, queues;
	char class[32], netem[32];
	ord_bytes_init(&classes, OUTPUT_BYTES_MAX);
	ord_bytes_init(&queues, OUTPUT_BYTES_MAX);
	int err = port_ask(l, b, "class", &classes, why, why_size);
	if (err == ORD_OK)
		err = port_ask(l, b, "qdisc", &queues, why, why_size);
	for (uint32_t a = 0; err == ORD_OK && a < l->nodes_count; a++) {
		struct ord_fault_link *r = &links->rules[a][b];
		snprintf(class, sizeof class, "class htb 1:%" PRIu32 " ", l->nodes[a].id);
		snprintf(netem, sizeof netem, "qdisc netem 1%" PRIu32 ": ", l->nodes[a].id);
		if (strstr((const char *)classes.base, class) == NULL)
			r->rate_bytes_s = 0;
		if (!links->soft[a][b] && strstr((const char *)queues.base, netem) == NULL)
			r->delay_ms = r->jitter_ms = r->reorder_ppm = 0;
	}
	ord_bytes_close(&classes);
	ord_bytes_close(&queues);
	return err;
}

static bool port_is_queued(const struct ord_layout *l, const struct ord_links *links, uint32_t b)
{
	bool any = false;
	for (uint32_t a = 0; a < l->nodes_count; a++)
		any = any || is_queued(links, a, b);
	return any;
}

/* Packets are delayed where something delays them, by whom it may be. */
static void delayed_settle(struct ord_links *links, uint32_t a, uint32_t b)
{
	if (!is_queued(links, a, b))
		links->counts[a][b].delayed = 0;
}

int ord_links_read(const struct ord_layout *l, struct ord_links *ret, char *why, size_t why_size)
{
	static const char *const argv[] = {"nft", "list", "ruleset", NULL};
	char netns[ORD_NETNS_NAME_SIZE];
	struct ord_bytes out;
	*ret = (struct ord_links){0};
	if (!ord_netns_is_whole(l))
		return ORD_OK;
	ord_netns_name(l, ORD_NETNS_SWITCH, netns);
	struct ord_tool tool = {.argv = argv, .netns = netns, .output = &out};
	ord_bytes_init(&out, OUTPUT_BYTES_MAX);
	int err = ord_tool_run(&tool, why, why_size);
	ord_bytes_put_u8(&out, '\0');
	char *rest = NULL;
	char *line = err == ORD_OK && !out.failed ? strtok_r((char *)out.base, "\n", &rest) : NULL;
	for (; line != NULL; line = strtok_r(NULL, "\n", &rest))
		rule_parse(l, line, ret);
	ord_bytes_close(&out);
	for (uint32_t b = 0; err == ORD_OK && b < l->nodes_count; b++) {
		if (port_is_queued(l, ret, b))
			err = port_read(l, b, ret, why, why_size);
		for (uint32_t a = 0; a < l->nodes_count; a++)
			delayed_settle(ret, a, b);
	}
	return err;
}
