/* SPDX-License-Identifier: Apache-2.0 - shows a survey of a cluster: its nodes, its partitions, and whether replicas agree. */
#include "cli/overview.h"

#include <inttypes.h>

#include "cli/cmd.h"

/* In one word: how the node is. */
static const char *node_state(const struct ord_survey_node *n, const struct ord_process *p)
{
	if (p != NULL && p->pidfd < 0)
		return "stopped";
	if (p != NULL && p->paused)
		return "paused";
	if (n->answered)
		return "running";
	return p != NULL ? "silent" : "unreachable";
}

static uint32_t leads_count(const struct ord_survey *s, uint32_t place)
{
	uint32_t count = 0;
	for (uint32_t partition = 0; partition < s->partitions_count; partition++)
		count += ord_survey_leader(s, partition) == (int)place;
	return count;
}

static void text_or_null(struct ord_sheet *sheet, const char *text)
{
	if (text[0] != '\0')
		ord_sheet_text(sheet, text);
	else
		ord_sheet_null(sheet);
}

static void nodes_fill(const struct ord_survey *s, const struct ord_process *processes, struct ord_sheet *sheet)
{
	static const char *const columns[] = {"node",  "state",	    "running", "pid",	  "address",
					      "leads", "uptime_ms", "disk",    "version", "problem"};
	ord_sheet_init(sheet, columns, ORD_COUNT(columns));
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		const struct ord_survey_node *n = &s->nodes[i];
		const struct ord_process *p = processes != NULL ? &processes[i] : NULL;
		ord_sheet_uint(sheet, n->id);
		ord_sheet_text(sheet, node_state(n, p));
		ord_sheet_bool(sheet, p != NULL ? p->pidfd >= 0 : n->answered);
		if (p != NULL && p->pidfd >= 0)
			ord_sheet_int(sheet, p->pid);
		else
			ord_sheet_null(sheet);
		ord_sheet_format(sheet, strchr(n->host, ':') != NULL ? "[%s]:%u" : "%s:%u", n->host, (unsigned)n->port);
		ord_sheet_uint(sheet, leads_count(s, i));
		if (n->answered) {
			ord_sheet_uint(sheet, n->uptime_ms);
			text_or_null(sheet, n->disk);
			ord_sheet_text(sheet, n->version);
		} else {
			ord_sheet_null(sheet);
			ord_sheet_null(sheet);
			ord_sheet_null(sheet);
		}
		text_or_null(sheet, n->problem);
	}
}

/* The replica as people see it: position, begin of its digest, and that it is not as the others when it is not. */
static void replica_cell(const struct ord_survey_replica *r, struct ord_sheet *sheet)
{
	bool is_odd = r->comparison[0] != '\0' && strcmp(r->comparison, "equal") != 0;
	if (r->known)
		ord_sheet_format(sheet, "%" PRIu64 " %.8s%s%s", r->position, r->digest, is_odd ? " " : "",
				 is_odd ? r->comparison : "");
	else
		ord_sheet_null(sheet);
}

static void voters_cell(const struct ord_survey *s, uint32_t partition, struct ord_sheet *sheet)
{
	char text[ORD_NODES_MAX * 11 + 1] = "none";
	uint32_t voters;
	size_t len = 0;
	if (!ord_survey_voters(s, partition, &voters)) {
		ord_sheet_null(sheet);
		return;
	}
	for (uint32_t i = 0; i < s->nodes_count; i++)
		if ((voters >> i & 1) != 0)
			len += (size_t)snprintf(text + len, sizeof text - len, "%s%" PRIu32, len > 0 ? "," : "",
						s->nodes[i].id);
	ord_sheet_text(sheet, text);
}

static void partitions_show(const struct ord_survey *s, enum ord_look look, FILE *out)
{
	const char *columns[7 + ORD_NODES_MAX] = {"partition", "leader", "term",  "position",
						  "ready",     "agree",	 "voters"};
	char names[ORD_NODES_MAX][24];
	struct ord_sheet sheet;
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		snprintf(names[i], sizeof names[i], "node %" PRIu32, s->nodes[i].id);
		columns[7 + i] = names[i];
	}
	ord_sheet_init(&sheet, columns, 7 + s->nodes_count);
	for (uint32_t partition = 0; partition < s->partitions_count; partition++) {
		int leader = ord_survey_leader(s, partition);
		ord_sheet_uint(&sheet, partition);
		if (leader >= 0) {
			const struct ord_survey_replica *r = &s->nodes[leader].replicas[partition];
			ord_sheet_uint(&sheet, s->nodes[leader].id);
			ord_sheet_uint(&sheet, r->term);
			ord_sheet_uint(&sheet, r->position);
			ord_sheet_bool(&sheet, r->ready);
		} else {
			ord_sheet_null(&sheet);
			ord_sheet_null(&sheet);
			ord_sheet_null(&sheet);
			ord_sheet_bool(&sheet, false);
		}
		ord_sheet_bool(&sheet, ord_survey_agrees(s, partition));
		voters_cell(s, partition, &sheet);
		for (uint32_t i = 0; i < s->nodes_count; i++)
			replica_cell(&s->nodes[i].replicas[partition], &sheet);
	}
	ord_sheet_show(&sheet, look, "partition", out);
	ord_sheet_close(&sheet);
}

static void replicas_json(const struct ord_survey *s, uint32_t partition, struct ord_json *j)
{
	static const char *const columns[] = {
		"node",	    "role",  "term",	 "position",  "commit_index", "applied_index", "digest", "history_hash",
		"accounts", "names", "requests", "unsettled", "outbox",	      "comparison",    "marks"};
	struct ord_sheet sheet;
	ord_sheet_init(&sheet, columns, ORD_COUNT(columns));
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		const struct ord_survey_replica *r = &s->nodes[i].replicas[partition];
		if (!r->known)
			continue;
		ord_sheet_uint(&sheet, s->nodes[i].id);
		ord_sheet_text(&sheet, r->role);
		ord_sheet_uint(&sheet, r->term);
		ord_sheet_uint(&sheet, r->position);
		ord_sheet_uint(&sheet, r->commit_index);
		ord_sheet_uint(&sheet, r->applied_index);
		ord_sheet_text(&sheet, r->digest);
		ord_sheet_text(&sheet, r->history_hash);
		ord_sheet_uint(&sheet, r->accounts);
		ord_sheet_uint(&sheet, r->names);
		ord_sheet_uint(&sheet, r->requests);
		ord_sheet_uint(&sheet, r->unsettled);
		ord_sheet_uint(&sheet, r->outbox);
		ord_sheet_text(&sheet, r->comparison);
		ord_sheet_uint(&sheet, r->marks);
	}
	ord_sheet_json(&sheet, j);
	ord_sheet_close(&sheet);
}

/* What nodes hold, on disk and in memory, and how long their loops are busy. */
static void stores_json(const struct ord_survey *s, struct ord_json *j)
{
	static const char *const columns[] = {
		"node",	       "wal_bytes",	  "state_bytes",      "memory_bytes",  "checkpoints", "turn_p999_us",
		"turn_max_us", "disk_free_bytes", "disk_total_bytes", "reserve_bytes", "disk"};
	struct ord_sheet sheet;
	ord_sheet_init(&sheet, columns, ORD_COUNT(columns));
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		const struct ord_survey_node *n = &s->nodes[i];
		if (!n->answered)
			continue;
		ord_sheet_uint(&sheet, n->id);
		ord_sheet_uint(&sheet, n->wal_bytes);
		ord_sheet_uint(&sheet, n->state_bytes);
		ord_sheet_uint(&sheet, n->memory_bytes);
		ord_sheet_uint(&sheet, n->checkpoints);
		ord_sheet_uint(&sheet, n->turn_p999_us);
		ord_sheet_uint(&sheet, n->turn_max_us);
		ord_sheet_uint(&sheet, n->disk_free_bytes);
		ord_sheet_uint(&sheet, n->disk_total_bytes);
		ord_sheet_uint(&sheet, n->disk_reserve_bytes);
		text_or_null(&sheet, n->disk);
	}
	ord_sheet_json(&sheet, j);
	ord_sheet_close(&sheet);
}

static void number_or_null(struct ord_json *j, const char *key, bool known, uint64_t v)
{
	ord_json_key(j, key);
	if (known)
		ord_json_uint(j, v);
	else
		ord_json_null(j);
}

static void voters_json(const struct ord_survey *s, uint32_t partition, struct ord_json *j)
{
	uint32_t voters;
	ord_survey_voters(s, partition, &voters);
	ord_json_key(j, "voters");
	ord_json_begin_array(j);
	for (uint32_t i = 0; i < s->nodes_count; i++)
		if ((voters >> i & 1) != 0)
			ord_json_uint(j, s->nodes[i].id);
	ord_json_end_array(j);
}

static void partition_json(const struct ord_survey *s, uint32_t partition, struct ord_json *j)
{
	static const struct ord_survey_replica nobody;
	int leader = ord_survey_leader(s, partition);
	const struct ord_survey_replica *r = leader >= 0 ? &s->nodes[leader].replicas[partition] : &nobody;
	ord_json_begin_object(j);
	ord_json_pair_uint(j, "partition", partition);
	number_or_null(j, "leader", leader >= 0, leader >= 0 ? s->nodes[leader].id : 0);
	number_or_null(j, "term", leader >= 0, r->term);
	number_or_null(j, "position", leader >= 0, r->position);
	ord_json_pair_bool(j, "ready", r->ready);
	ord_json_pair_bool(j, "agree", ord_survey_agrees(s, partition));
	voters_json(s, partition, j);
	ord_json_key(j, "replicas");
	replicas_json(s, partition, j);
	ord_json_end_object(j);
}

void ord_overview_show(const struct ord_survey *s, const struct ord_process *processes, enum ord_look look, FILE *out)
{
	struct ord_sheet nodes;
	nodes_fill(s, processes, &nodes);
	if (look == ORD_LOOK_JSON) {
		struct ord_json j;
		ord_json_init(&j, out);
		ord_json_begin_object(&j);
		ord_json_pair_text(&j, "cluster_id", s->cluster_id);
		ord_json_pair_bool(&j, "ready", ord_survey_ready_count(s) == s->partitions_count);
		ord_json_key(&j, "nodes");
		ord_sheet_json(&nodes, &j);
		ord_json_key(&j, "stores");
		stores_json(s, &j);
		ord_json_key(&j, "partitions");
		ord_json_begin_array(&j);
		for (uint32_t partition = 0; partition < s->partitions_count; partition++)
			partition_json(s, partition, &j);
		ord_json_end_array(&j);
		ord_json_end_object(&j);
	} else {
		ord_sheet_show(&nodes, look, "node", out);
		if (look == ORD_LOOK_TABLE)
			fputc('\n', out);
		partitions_show(s, look, out);
	}
	ord_sheet_close(&nodes);
}
