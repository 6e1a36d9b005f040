/* SPDX-License-Identifier: Apache-2.0 - a cluster whose nodes run elsewhere: found by asking one of them. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/cluster.h"
#include "cli/target.h"

#define ANSWER_WAIT_MS 2000 /* for one node's status */

/* Takes over what the nodes say of themselves. */
static int survey_take(const struct ord_survey *s, struct ord_cluster *ret, char *why)
{
	struct ord_layout *l = &ret->layout;
	if (s->nodes_count == 0 || ord_uuid_parse(ord_slice_text(s->cluster_id), &l->cluster) != ORD_OK) {
		snprintf(why, ORD_CLUSTER_WHY_SIZE, "the answer of `cluster` cannot be used");
		return ORD_ERR_IO;
	}
	l->partitions_count = s->partitions_count;
	l->nodes_count = s->nodes_count;
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		const struct ord_survey_node *n = &s->nodes[i];
		l->nodes[i] = (struct ord_layout_node){.id = n->id, .client_port = n->port};
		memcpy(ret->remote[i].host, n->host, sizeof ret->remote[i].host);
		ret->remote[i].answers = n->answered;
	}
	return ORD_OK;
}

int ord_cluster_connect(const struct ordain_options *options, struct ord_cluster *ret, char *why)
{
	struct ord_survey *s;
	*ret = (struct ord_cluster){.is_remote = true};
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++)
		ret->processes[i].pidfd = -1;
	int err = ord_survey_open(options, &s);
	if (err != 0) {
		ord_target_explain(options->addresses, err, why, ORD_CLUSTER_WHY_SIZE);
		return err == ORDAIN_ERR_ARGUMENT ? ORD_ERR_INVALID : ORD_ERR_IO;
	}
	err = ord_survey_discover(s, options->timeout_ms, why, ORD_CLUSTER_WHY_SIZE) == 0 ? ORD_OK : ORD_ERR_IO;
	if (err == ORD_OK) {
		ord_survey_round(s, options->timeout_ms < ANSWER_WAIT_MS ? options->timeout_ms : ANSWER_WAIT_MS);
		err = survey_take(s, ret, why);
	}
	ord_survey_close(s);
	return err;
}

bool ord_cluster_runs(const struct ord_cluster *c, uint32_t place)
{
	return c->is_remote ? c->remote[place].answers : c->processes[place].pidfd >= 0;
}

void ord_cluster_address(const struct ord_cluster *c, uint32_t place, char address[ORD_CLUSTER_ADDRESS_SIZE])
{
	const struct ord_layout_node *node = &c->layout.nodes[place];
	char host[ORD_LAYOUT_HOST_SIZE];
	const char *text = c->remote[place].host;
	if (!c->is_remote) {
		ord_layout_host(&c->layout, node->id, host);
		text = host;
	}
	bool is_v6 = strchr(text, ':') != NULL;
	snprintf(address, ORD_CLUSTER_ADDRESS_SIZE, "%s%s%s:%u", is_v6 ? "[" : "", text, is_v6 ? "]" : "",
		 (unsigned)node->client_port);
}
