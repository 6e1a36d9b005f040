/* SPDX-License-Identifier: Apache-2.0 - what is done to real packets between nodes that have network namespaces: rules of the firewall and of queues in the switch. */
#include "cli/links.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/links_text.h"
#include "cli/netns.h"
#include "cli/tool.h"

#define SCRIPT_BYTES_MAX (256u << 10) /* 72 links with all rules are 60 KiB */
#define OUTPUT_BYTES_MAX (1u << 20)

/* --- writing ---------------------------------------------------------------------------------------------------------- */

/* Runs a program in the switch that reads the script. */
static int script_run(const struct ord_layout *l, const char *const *argv, struct ord_bytes *script, char *why,
		      size_t why_size)
{
	char netns[ORD_NETNS_NAME_SIZE];
	ord_netns_name(l, ORD_NETNS_SWITCH, netns);
	ord_bytes_put_u8(script, '\0');
	if (script->failed) {
		snprintf(why, why_size, "out of memory");
		return ORD_ERR_NOMEM;
	}
	struct ord_tool tool = {.argv = argv, .input = (const char *)script->base, .netns = netns};
	return ord_tool_run(&tool, why, why_size);
}

static int tables_write(const struct ord_layout *l, const struct ord_links *now, const struct ord_links *wanted,
			char *why, size_t why_size)
{
	static const char *const argv[] = {"nft", "-f", "-", NULL};
	struct ord_bytes script;
	ord_bytes_init(&script, SCRIPT_BYTES_MAX);
	ord_links_text_tables(l, now, wanted, &script);
	int err = script_run(l, argv, &script, why, why_size);
	ord_bytes_close(&script);
	return err;
}

/* The port's queues anew; packets that wait in old ones are lost. */
static int port_write(const struct ord_layout *l, const struct ord_links *wanted, uint32_t b, char *why,
		      size_t why_size)
{
	static const char *const batch[] = {"tc", "-batch", "-", NULL};
	char netns[ORD_NETNS_NAME_SIZE], ignored[256], dev[16];
	struct ord_bytes script;
	snprintf(dev, sizeof dev, "n%" PRIu32, l->nodes[b].id);
	ord_netns_name(l, ORD_NETNS_SWITCH, netns);
	const char *const delete[] = {"tc", "qdisc", "delete", "dev", dev, "root", NULL};
	struct ord_tool tool = {.argv = delete, .netns = netns};
	ord_tool_run(&tool, ignored, sizeof ignored); /* there may be none */
	ord_bytes_init(&script, SCRIPT_BYTES_MAX);
	int err = ORD_OK;
	if (ord_links_text_port(l, wanted, b, &script))
		err = script_run(l, batch, &script, why, why_size);
	ord_bytes_close(&script);
	return err;
}

/* Do the queues of the port have to be made anew? */
static bool port_differs(const struct ord_layout *l, const struct ord_links *now, const struct ord_links *wanted,
			 uint32_t b)
{
	for (uint32_t a = 0; a < l->nodes_count; a++) {
		const struct ord_fault_link *x = &now->rules[a][b], *y = &wanted->rules[a][b];
		if (ord_links_text_is_queued(now, a, b) != ord_links_text_is_queued(wanted, a, b))
			return true;
		if (ord_links_text_is_queued(wanted, a, b) &&
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
			if (!ord_links_text_is_queued(now, a, b) || ord_links_text_is_queued(wanted, a, b))
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

static int port_read(const struct ord_layout *l, uint32_t b, struct ord_links *links, char *why, size_t why_size)
{
	struct ord_bytes classes, queues;
	ord_bytes_init(&classes, OUTPUT_BYTES_MAX);
	ord_bytes_init(&queues, OUTPUT_BYTES_MAX);
	int err = port_ask(l, b, "class", &classes, why, why_size);
	if (err == ORD_OK)
		err = port_ask(l, b, "qdisc", &queues, why, why_size);
	if (err == ORD_OK)
		ord_links_text_port_take(l, b, (const char *)classes.base, (const char *)queues.base, links);
	ord_bytes_close(&classes);
	ord_bytes_close(&queues);
	return err;
}

static bool port_is_queued(const struct ord_layout *l, const struct ord_links *links, uint32_t b)
{
	bool any = false;
	for (uint32_t a = 0; a < l->nodes_count; a++)
		any = any || ord_links_text_is_queued(links, a, b);
	return any;
}

/* Packets are delayed where something delays them, by whom it may be. */
static void delayed_settle(struct ord_links *links, uint32_t a, uint32_t b)
{
	if (!ord_links_text_is_queued(links, a, b))
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
		ord_links_text_rule_take(l, line, ret);
	ord_bytes_close(&out);
	for (uint32_t b = 0; err == ORD_OK && b < l->nodes_count; b++) {
		if (port_is_queued(l, ret, b))
			err = port_read(l, b, ret, why, why_size);
		for (uint32_t a = 0; a < l->nodes_count; a++)
			delayed_settle(ret, a, b);
	}
	return err;
}
