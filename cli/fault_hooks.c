/* SPDX-License-Identifier: Apache-2.0 - faults by hooks in the nodes: calls of `fault` and `faults` (docs/protocol.md), each to the node itself, since others may not reach it. */
#include <inttypes.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/fault.h"
#include "cli/fault_seen.h"
#include "client/rpc.h"

#define PARAMS_BYTES_MAX 4096
#define CALL_MS_MAX 3000 /* a node answers these at once, or is in trouble */

struct hooks {
	const struct ord_cluster *cluster; /* borrowed */
	int64_t timeout_ms;
	int64_t deadline_ms; /* of the function under way */
};

static int hooks_open(const struct ord_cluster *c, int64_t timeout_ms, void **ret, char *why)
{
	struct hooks *h = malloc(sizeof *h);
	if (h == NULL) {
		snprintf(why, ORD_CLUSTER_WHY_SIZE, "out of memory");
		return ORD_ERR_NOMEM;
	}
	*h = (struct hooks){.cluster = c, .timeout_ms = timeout_ms};
	*ret = h;
	return ORD_OK;
}

static void hooks_close(void *back)
{
	free(back);
}

static void begin(struct hooks *h)
{
	h->deadline_ms = ord_process_now_ms() + h->timeout_ms;
}

static uint32_t node_id(const struct hooks *h, uint32_t place)
{
	return h->cluster->layout.nodes[place].id;
}

static bool runs(const struct hooks *h, uint32_t place)
{
	return ord_cluster_runs(h->cluster, place);
}

static bool is_paused(const struct hooks *h, uint32_t place)
{
	return !h->cluster->is_remote && h->cluster->processes[place].paused;
}

/* --- One call. --- */

/* What came of a call, for the words of an error. */
static int problem_tell(const struct hooks *h, uint32_t place, const struct ordain_problem *p, char *why)
{
	uint32_t id = node_id(h, place);
	if (strcmp(p->name, "unknown_method") == 0 && h->cluster->is_remote) {
		snprintf(why, ORD_CLUSTER_WHY_SIZE,
			 "node %" PRIu32 " makes no faults on purpose; write 'enable_faults = yes' into its "
			 "configuration and start it again, "
			 "if it is one that may be broken",
			 id);
		return ORD_ERR_MISMATCH;
	}
	if (strcmp(p->name, "unknown_method") == 0) {
		snprintf(why, ORD_CLUSTER_WHY_SIZE,
			 "node %" PRIu32
			 " makes no faults on purpose; stop the cluster, then start it with: ordain cluster start "
			 "--enable-faults --dir %s",
			 id, h->cluster->layout.dir);
		return ORD_ERR_MISMATCH;
	}
	snprintf(why, ORD_CLUSTER_WHY_SIZE, "node %" PRIu32 ": %s", id, p->message);
	if (p->code == ORDAIN_ERR_TIMEOUT)
		return ORD_ERR_TIMEOUT;
	return strcmp(p->name, "invalid_field") == 0 ? ORD_ERR_INVALID : ORD_ERR_IO;
}

/* Calls a method of the node; take gets the result. */
static int call(struct hooks *h, uint32_t place, const char *method, const struct ord_bytes *params,
		void (*take)(const msgpack_object *result, void *arg), void *arg, char *why)
{
	const struct ord_layout *l = &h->cluster->layout;
	char address[ORD_CLUSTER_ADDRESS_SIZE];
	struct ordain_id cluster_id;
	int64_t left_ms = h->deadline_ms - ord_process_now_ms();
	struct ordain_options options = {.addresses = address,
					 .cluster_id = &cluster_id,
					 .timeout_ms = left_ms > CALL_MS_MAX ? CALL_MS_MAX
						       : left_ms > 1	     ? (uint32_t)left_ms
									     : 1};
	struct ordain_sync *sync;
	const void *result;
	size_t result_len;
	ord_cluster_address(h->cluster, place, address);
	memcpy(cluster_id.bytes, l->cluster.bytes, sizeof cluster_id.bytes);
	int err = ordain_sync_open(&options, &sync);
	if (err != 0) {
		snprintf(why, ORD_CLUSTER_WHY_SIZE, "%s", ordain_strerror(err));
		return ORD_ERR_IO;
	}
	const void *base = params != NULL ? params->base : NULL;
	size_t len = params != NULL ? params->len : 0;
	err = ordain_sync_call(sync, l->nodes[place].id, method, base, len, NULL, &result, &result_len);
	if (err != 0) {
		err = problem_tell(h, place, ordain_sync_problem(sync), why);
	} else if (take != NULL) {
		msgpack_unpacked answer;
		msgpack_unpacked_init(&answer);
		if (msgpack_unpack_next(&answer, result, result_len, NULL) == MSGPACK_UNPACK_SUCCESS)
			take(&answer.data, arg);
		msgpack_unpacked_destroy(&answer);
	}
	ordain_sync_close(sync);
	return err;
}

/* Sends what one node is to do. */
static int order_send(struct hooks *h, uint32_t place, struct ord_bytes *params, char *why)
{
	int err = ORD_OK;
	if (params->failed) {
		snprintf(why, ORD_CLUSTER_WHY_SIZE, "out of memory");
		err = ORD_ERR_NOMEM;
	} else {
		err = call(h, place, "fault", params, NULL, NULL, why);
	}
	ord_bytes_close(params);
	return err;
}

static int paused_tell(const struct hooks *h, uint32_t place, char *why)
{
	snprintf(why, ORD_CLUSTER_WHY_SIZE,
		 "node %" PRIu32 " is paused and can be told nothing; let it go on first: ordain fault resume %" PRIu32
		 " --dir %s",
		 node_id(h, place), node_id(h, place), h->cluster->layout.dir);
	return ORD_ERR_TIMEOUT;
}

/* --- Links. --- */

/* A cut is made at both ends; the rest where it is sent from. */
static bool needs_sender(const struct ord_fault_link *r)
{
	struct ord_fault_link rest = *r;
	rest.cut = false;
	return !ord_fault_link_is_none(&rest);
}

static void put_link(msgpack_packer *p, uint32_t node, const struct ord_fault_link *out, bool cut_in)
{
	msgpack_pack_map(p, 9);
	ord_rpc_put_pair_u64(p, "node", node);
	ord_rpc_put_pair_bool(p, "cut_out", out->cut);
	ord_rpc_put_pair_bool(p, "cut_in", cut_in);
	ord_rpc_put_pair_u64(p, "delay_ms", out->delay_ms);
	ord_rpc_put_pair_u64(p, "jitter_ms", out->jitter_ms);
	ord_rpc_put_pair_u64(p, "loss_ppm", out->loss_ppm);
	ord_rpc_put_pair_u64(p, "duplicate_ppm", out->duplicate_ppm);
	ord_rpc_put_pair_u64(p, "reorder_ppm", out->reorder_ppm);
	ord_rpc_put_pair_u64(p, "rate_bytes_s", out->rate_bytes_s);
}

static int links_send(struct hooks *h, uint32_t place, const struct ord_fault_links *links, char *why)
{
	uint32_t count = h->cluster->layout.nodes_count;
	struct ord_bytes params;
	msgpack_packer p;
	ord_bytes_init(&params, PARAMS_BYTES_MAX);
	ord_rpc_packer(&params, &p);
	msgpack_pack_map(&p, 1);
	ord_rpc_put_text(&p, "links");
	msgpack_pack_array(&p, count - 1);
	for (uint32_t i = 0; i < count; i++)
		if (i != place)
			put_link(&p, node_id(h, i), &links->rules[place][i], links->rules[i][place].cut);
	return order_send(h, place, &params, why);
}

static int hooks_set_links(void *back, const struct ord_fault_links *links, char *why)
{
	struct hooks *h = back;
	uint32_t count = h->cluster->layout.nodes_count;
	begin(h);
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t k = 0; k < count; k++)
			if (i != k && runs(h, i) && is_paused(h, i) && needs_sender(&links->rules[i][k]))
				return paused_tell(h, i, why);
	for (uint32_t i = 0; i < count; i++) {
		int err = runs(h, i) && !is_paused(h, i) ? links_send(h, i, links, why) : ORD_OK;
		if (err != ORD_OK)
			return err;
	}
	return ORD_OK;
}

/* --- Disks and clocks. --- */

/* Begins an order of one thing for a node; what it is to be follows. False: there is nothing to send, and *ret_err is why. */
static bool order_begin(struct hooks *h, uint32_t place, const char *thing, struct ord_bytes *params, msgpack_packer *p,
			int *ret_err, char *why)
{
	begin(h);
	*ret_err = ORD_OK;
	if (!runs(h, place))
		return false;
	if (is_paused(h, place)) {
		*ret_err = paused_tell(h, place, why);
		return false;
	}
	ord_bytes_init(params, PARAMS_BYTES_MAX);
	ord_rpc_packer(params, p);
	msgpack_pack_map(p, 1);
	ord_rpc_put_text(p, thing);
	return true;
}

static int hooks_set_disk(void *back, uint32_t place, const struct ord_fault_disk *rule, char *why)
{
	struct hooks *h = back;
	struct ord_bytes params;
	msgpack_packer p;
	int err;
	if (!order_begin(h, place, "disk", &params, &p, &err, why))
		return err;
	msgpack_pack_map(&p, 3);
	ord_rpc_put_pair_u64(&p, "slow_ms", rule->slow_ms);
	ord_rpc_put_pair_bool(&p, "error", rule->error);
	ord_rpc_put_pair_bool(&p, "full", rule->full);
	return order_send(h, place, &params, why);
}

static int hooks_set_clock(void *back, uint32_t place, const struct ord_fault_clock *rule, char *why)
{
	struct hooks *h = back;
	struct ord_bytes params;
	msgpack_packer p;
	int err;
	if (!order_begin(h, place, "clock", &params, &p, &err, why))
		return err;
	msgpack_pack_map(&p, 2);
	ord_rpc_put_pair_i64(&p, "offset_us", rule->offset_us);
	ord_rpc_put_pair_i64(&p, "drift_ppm", rule->drift_ppm);
	return order_send(h, place, &params, why);
}

/* --- Looking. --- */

/* The node whose answer is read. */
struct looking {
	struct hooks *hooks;
	uint32_t place;
	struct ord_fault_look *look;
};

static void look_take(const msgpack_object *result, void *arg)
{
	const struct looking *w = arg;
	ord_fault_seen_take(result, &w->hooks->cluster->layout, w->place, w->look);
}

static int hooks_look(void *back, struct ord_fault_look *ret, char *why)
{
	struct hooks *h = back;
	begin(h);
	*ret = (struct ord_fault_look){0};
	for (uint32_t i = 0; i < h->cluster->layout.nodes_count; i++) {
		struct ord_fault_node_seen *n = &ret->nodes[i];
		struct looking w = {.hooks = h, .place = i, .look = ret};
		if (!runs(h, i)) {
			if (h->cluster->is_remote)
				snprintf(n->problem, sizeof n->problem, "does not answer");
			continue;
		}
		if (is_paused(h, i)) {
			snprintf(n->problem, sizeof n->problem, "is paused and cannot be asked");
			continue;
		}
		int err = call(h, i, "faults", NULL, look_take, &w, why);
		n->known = err == ORD_OK || err == ORD_ERR_MISMATCH; /* one that makes none has none */
		if (err == ORD_ERR_MISMATCH)
			snprintf(n->problem, sizeof n->problem, "was started without --enable-faults");
		else if (err != ORD_OK)
			snprintf(n->problem, sizeof n->problem, "%.*s", (int)sizeof n->problem - 1, why);
	}
	return ORD_OK;
}

static int node_heal(struct hooks *h, uint32_t place, char *why)
{
	struct ord_bytes params;
	msgpack_packer p;
	ord_bytes_init(&params, PARAMS_BYTES_MAX);
	ord_rpc_packer(&params, &p);
	msgpack_pack_map(&p, 3);
	ord_rpc_put_text(&p, "links");
	msgpack_pack_array(&p, 0);
	ord_rpc_put_text(&p, "disk");
	msgpack_pack_map(&p, 0);
	ord_rpc_put_text(&p, "clock");
	msgpack_pack_map(&p, 0);
	int err = order_send(h, place, &params, why);
	return err == ORD_ERR_MISMATCH ? ORD_OK : err;
}

/* All of them, also behind one that fails. */
static int hooks_heal(void *back, char *why)
{
	struct hooks *h = back;
	int err = ORD_OK;
	begin(h);
	for (uint32_t i = 0; i < h->cluster->layout.nodes_count; i++) {
		char node_why[ORD_CLUSTER_WHY_SIZE];
		if (!runs(h, i))
			continue;
		int node_err = is_paused(h, i) ? paused_tell(h, i, node_why) : node_heal(h, i, node_why);
		if (node_err != ORD_OK && err == ORD_OK) {
			memcpy(why, node_why, sizeof node_why);
			err = node_err;
		}
	}
	return err;
}

const struct ord_fault_back ord_fault_hooks = {.name = "hooks",
					       .open = hooks_open,
					       .close = hooks_close,
					       .set_links = hooks_set_links,
					       .set_disk = hooks_set_disk,
					       .set_clock = hooks_set_clock,
					       .look = hooks_look,
					       .heal = hooks_heal};
