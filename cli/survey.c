/* SPDX-License-Identifier: Apache-2.0 - what all nodes of a cluster say about themselves at one time: `status` of each, put together by partition. */
#include "cli/survey.h"

#include <inttypes.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/assert.h"
#include "client/fields.h"

struct ord_survey_line {
	uv_loop_t loop;
	struct ordain_client *client;
	uint32_t waiting_count; /* answers to come */
	int code;		/* of discovery */
	char *why;
	size_t why_size;
};

/* One question under way. */
struct question {
	struct ord_survey *survey;
	struct ord_survey_node *node; /* NULL: discovery */
	bool scrubs;		      /* the answer is that of `scrub` */
	bool is_empty;		      /* or there is nothing in it */
};

static uint64_t find_number(const msgpack_object *o, const char *key)
{
	uint64_t v = 0;
	ord_fields_u64(o, key, &v);
	return v;
}

static bool find_truth(const msgpack_object *o, const char *key)
{
	bool v = false;
	ord_fields_bool(o, key, &v);
	return v;
}

static void find_text(const msgpack_object *o, const char *key, char *text, size_t text_size)
{
	const msgpack_object *v = ord_fields_find(o, key);
	text[0] = '\0';
	if (v != NULL && v->type == MSGPACK_OBJECT_STR)
		snprintf(text, text_size, "%.*s", (int)v->via.str.size, v->via.str.ptr);
}

/* The offset in "partition:offset". */
static uint64_t find_offset(const msgpack_object *o, const char *key)
{
	char text[48];
	find_text(o, key, text, sizeof text);
	const char *colon = strchr(text, ':');
	return colon != NULL ? strtoull(colon + 1, NULL, 10) : 0;
}

/* The object's array under the key, or an empty one. */
static msgpack_object_array find_array(const msgpack_object *o, const char *key)
{
	const msgpack_object *v = ord_fields_find(o, key);
	if (v == NULL || v->type != MSGPACK_OBJECT_ARRAY)
		return (msgpack_object_array){0};
	return v->via.array;
}

static uint32_t voters_find(const msgpack_object *o, const struct ord_survey *s)
{
	msgpack_object_array voters = find_array(o, "voters");
	uint32_t places = 0;
	for (uint32_t i = 0; i < voters.size; i++)
		for (uint32_t k = 0; k < s->nodes_count; k++)
			if (voters.ptr[i].type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
			    voters.ptr[i].via.u64 == s->nodes[k].id)
				places |= 1u << k;
	return places;
}

static void replica_take(const msgpack_object *o, struct ord_survey *s, struct ord_survey_node *node)
{
	uint64_t partition = find_number(o, "partition");
	if (ord_fields_find(o, "partition") == NULL || partition >= s->partitions_count)
		return;
	struct ord_survey_replica *r = &node->replicas[partition];
	*r = (struct ord_survey_replica){.known = true};
	find_text(o, "role", r->role, sizeof r->role);
	r->term = find_number(o, "term");
	r->leader = find_number(o, "leader");
	r->ready = find_truth(o, "ready");
	r->voters = voters_find(o, s);
	find_text(o, "comparison", r->comparison, sizeof r->comparison);
	r->marks = find_number(o, "marks");
	r->commit_index = find_number(o, "commit_index");
	r->applied_index = find_number(o, "applied_index");
	r->position = find_offset(o, "position");
	find_text(o, "digest", r->digest, sizeof r->digest);
	find_text(o, "history_hash", r->history_hash, sizeof r->history_hash);
	r->accounts = find_number(o, "accounts");
	r->names = find_number(o, "names");
	r->requests = find_number(o, "requests");
	r->unsettled = find_number(o, "unsettled");
	r->outbox = find_number(o, "outbox");
}

static void history_take(const msgpack_object *o, struct ord_survey_history *h)
{
	*h = (struct ord_survey_history){.gaps = find_number(o, "gaps"),
					 .missing = find_number(o, "missing"),
					 .repaired = find_number(o, "repaired"),
					 .damaged = find_number(o, "damaged_found"),
					 .rounds = find_number(o, "rounds"),
					 .scrubbed_us = find_number(o, "scrubbed_at"),
					 .blocks = find_number(o, "scrubbed_blocks"),
					 .compared = find_number(o, "compared"),
					 .different = find_number(o, "different"),
					 .records = find_number(o, "scrubbed_records"),
					 .log_bytes = find_number(o, "scrubbed_log_bytes"),
					 .damaged_states = find_number(o, "damaged_states"),
					 .damaged_logs = find_number(o, "damaged_logs"),
					 .damaged_segment = find_number(o, "damaged_segment"),
					 .scrubbing = find_truth(o, "scrubbing")};
}

/* A node with a new data directory takes no part before the others have said something. */
static void waiting_take(const msgpack_object *o, struct ord_survey_node *node)
{
	msgpack_object_array nodes = find_array(o, "waits_for");
	size_t len = 0;
	for (uint32_t i = 0; i < nodes.size && i < ORD_NODES_MAX; i++)
		if (nodes.ptr[i].type == MSGPACK_OBJECT_POSITIVE_INTEGER)
			len += (size_t)snprintf(node->problem + len, sizeof node->problem - len, "%s%" PRIu32,
						len == 0 ? "new, waits for the word of node " : ", ",
						(uint32_t)nodes.ptr[i].via.u64);
}

static void status_take(const msgpack_object *o, struct ord_survey *s, struct ord_survey_node *node)
{
	msgpack_object_array replicas = find_array(o, "replicas");
	node->answered = true;
	find_text(o, "cluster_id", s->cluster_id, sizeof s->cluster_id);
	find_text(o, "version", node->version, sizeof node->version);
	node->uptime_ms = find_number(o, "uptime_ms");
	const msgpack_object *wal = ord_fields_find(o, "wal"), *state = ord_fields_find(o, "state"),
			     *loop = ord_fields_find(o, "loop");
	const msgpack_object *disk = ord_fields_find(o, "disk");
	node->wal_bytes = find_number(wal, "bytes");
	node->state_bytes = find_number(state, "disk_bytes");
	node->memory_bytes = find_number(state, "memory_bytes");
	find_text(disk, "state", node->disk, sizeof node->disk);
	node->disk_free_bytes = find_number(disk, "free_bytes");
	node->disk_total_bytes = find_number(disk, "total_bytes");
	node->disk_reserve_bytes = find_number(disk, "reserve_bytes");
	node->checkpoints = find_number(state, "checkpoints");
	node->turn_p999_us = find_number(loop, "p999_us");
	node->turn_max_us = find_number(loop, "max_us");
	history_take(ord_fields_find(o, "history"), &node->history);
	waiting_take(o, node);
	for (uint32_t i = 0; i < replicas.size; i++)
		replica_take(&replicas.ptr[i], s, node);
}

static void scrub_take(const msgpack_object *o, struct ord_survey_node *node)
{
	node->answered = true;
	history_take(o, &node->history);
}

static void cluster_take(const msgpack_object *o, struct ord_survey *s)
{
	msgpack_object_array nodes = find_array(o, "nodes");
	uint64_t partitions = find_number(o, "partitions");
	find_text(o, "cluster_id", s->cluster_id, sizeof s->cluster_id);
	if (partitions < 1 || partitions > ORD_PARTITIONS_MAX || !ord_survey_partitions(s, (uint32_t)partitions)) {
		s->line->code = ORDAIN_ERR_PROTOCOL;
		return;
	}
	for (uint32_t i = 0; i < nodes.size && s->nodes_count < ORD_NODES_MAX; i++) {
		struct ord_survey_node *node = &s->nodes[s->nodes_count];
		ord_survey_node_add(s, (uint32_t)find_number(&nodes.ptr[i], "node"));
		find_text(&nodes.ptr[i], "host", node->host, sizeof node->host);
		node->port = (uint16_t)find_number(&nodes.ptr[i], "port");
	}
}

static void problem_take(const struct ordain_problem *p, struct question *q)
{
	struct ord_survey_line *line = q->survey->line;
	if (q->node != NULL) {
		snprintf(q->node->problem, sizeof q->node->problem, "%s", p->message);
		return;
	}
	line->code = p->code;
	snprintf(line->why, line->why_size, "%s", p->message);
}

static void question_cb(const struct ordain_problem *problem, const void *result, size_t result_len, void *arg)
{
	struct question *q = arg;
	msgpack_unpacked answer;
	q->survey->line->waiting_count--;
	if (problem != NULL) {
		problem_take(problem, q);
		free(q);
		return;
	}
	msgpack_unpacked_init(&answer);
	if (msgpack_unpack_next(&answer, result, result_len, NULL) != MSGPACK_UNPACK_SUCCESS)
		problem_take(&(struct ordain_problem){.code = ORDAIN_ERR_PROTOCOL, .message = "unreadable answer"}, q);
	else if (q->node != NULL && q->is_empty)
		q->node->answered = true;
	else if (q->node != NULL && q->scrubs)
		scrub_take(&answer.data, q->node);
	else if (q->node != NULL)
		status_take(&answer.data, q->survey, q->node);
	else
		cluster_take(&answer.data, q->survey);
	msgpack_unpacked_destroy(&answer);
	free(q);
}

/* Asks one node (NULL: any). */
static int question_send(struct ord_survey *s, struct ord_survey_node *node, const char *method, uint32_t timeout_ms)
{
	struct ordain_call_options call = {.timeout_ms = timeout_ms};
	struct question *q = malloc(sizeof *q);
	if (q == NULL)
		return ORDAIN_ERR_MEMORY;
	*q = (struct question){.survey = s,
			       .node = node,
			       .scrubs = strcmp(method, "scrub") == 0,
			       .is_empty = strcmp(method, "checkpoint") == 0};
	int err = ordain_call(s->line->client, node != NULL ? node->id : 0, method, NULL, 0, &call, question_cb, q);
	if (err != 0)
		free(q);
	else
		s->line->waiting_count++;
	return err;
}

static void answers_wait(struct ord_survey *s)
{
	while (s->line->waiting_count > 0)
		uv_run(&s->line->loop, UV_RUN_ONCE);
}

int ord_survey_open(const struct ordain_options *options, struct ord_survey **ret)
{
	struct ord_survey *s = calloc(1, sizeof *s);
	struct ord_survey_line *line = calloc(1, sizeof *line);
	int err = ORDAIN_ERR_MEMORY;
	if (s == NULL || line == NULL)
		goto fail;
	err = ORDAIN_ERR_SYSTEM;
	if (uv_loop_init(&line->loop) != 0)
		goto fail;
	err = ordain_open(&line->loop, options, &line->client);
	if (err != 0) {
		uv_loop_close(&line->loop);
		goto fail;
	}
	s->line = line;
	*ret = s;
	return 0;
fail:
	free(line);
	free(s);
	return err;
}

int ord_survey_discover(struct ord_survey *s, uint32_t timeout_ms, char *why, size_t why_size)
{
	s->line->code = 0;
	s->line->why = why;
	s->line->why_size = why_size;
	snprintf(why, why_size, "the answer of `cluster` cannot be used");
	int err = question_send(s, NULL, "cluster", timeout_ms);
	if (err != 0) {
		snprintf(why, why_size, "%s", ordain_strerror(err));
		return err;
	}
	answers_wait(s);
	return s->line->code;
}

bool ord_survey_partitions(struct ord_survey *s, uint32_t partitions_count)
{
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++) {
		s->nodes[i].replicas = calloc(partitions_count, sizeof *s->nodes[i].replicas);
		if (s->nodes[i].replicas == NULL)
			return false;
	}
	s->partitions_count = partitions_count;
	return true;
}

void ord_survey_node_add(struct ord_survey *s, uint32_t id)
{
	ORD_ASSERT(s->nodes_count < ORD_NODES_MAX);
	s->nodes[s->nodes_count].id = id;
	s->nodes[s->nodes_count].asked = true;
	s->nodes_count++;
}

static void round_run(struct ord_survey *s, const char *method, uint32_t timeout_ms)
{
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		struct ord_survey_node *node = &s->nodes[i];
		node->answered = false;
		node->problem[0] = '\0';
		memset(node->replicas, 0, s->partitions_count * sizeof *node->replicas);
		if (!node->asked)
			continue;
		int err = question_send(s, node, method, timeout_ms);
		if (err != 0)
			snprintf(node->problem, sizeof node->problem, "%s", ordain_strerror(err));
	}
	answers_wait(s);
}

void ord_survey_round(struct ord_survey *s, uint32_t timeout_ms)
{
	round_run(s, "status", timeout_ms);
}

void ord_survey_scrub(struct ord_survey *s, uint32_t timeout_ms)
{
	round_run(s, "scrub", timeout_ms);
}

void ord_survey_checkpoint(struct ord_survey *s, uint32_t timeout_ms)
{
	round_run(s, "checkpoint", timeout_ms);
}

void ord_survey_close(struct ord_survey *s)
{
	if (s == NULL)
		return;
	ordain_close(s->line->client, NULL, NULL);
	uv_run(&s->line->loop, UV_RUN_DEFAULT);
	ORD_ASSERT(uv_loop_close(&s->line->loop) == 0);
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++)
		free(s->nodes[i].replicas);
	free(s->line);
	free(s);
}

int ord_survey_leader(const struct ord_survey *s, uint32_t partition)
{
	int leader = -1;
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		const struct ord_survey_replica *r = &s->nodes[i].replicas[partition];
		if (!r->known || strcmp(r->role, "leader") != 0)
			continue;
		if (leader < 0 || r->term > s->nodes[leader].replicas[partition].term)
			leader = (int)i;
	}
	return leader;
}

uint32_t ord_survey_led_count(const struct ord_survey *s, uint32_t place)
{
	uint32_t count = 0;
	for (uint32_t partition = 0; partition < s->partitions_count; partition++) {
		const struct ord_survey_replica *r = &s->nodes[place].replicas[partition];
		count += r->known && r->leader != 0;
	}
	return count;
}

uint32_t ord_survey_ready_count(const struct ord_survey *s)
{
	uint32_t count = 0;
	for (uint32_t partition = 0; partition < s->partitions_count; partition++) {
		int leader = ord_survey_leader(s, partition);
		count += leader >= 0 && s->nodes[leader].replicas[partition].ready;
	}
	return count;
}

bool ord_survey_voters(const struct ord_survey *s, uint32_t partition, uint32_t *ret)
{
	bool known = false;
	*ret = 0;
	for (uint32_t i = 0; i < s->nodes_count; i++) {
		const struct ord_survey_replica *r = &s->nodes[i].replicas[partition];
		if (r->known)
			*ret = known ? *ret & r->voters : r->voters;
		known = known || r->known;
	}
	return known;
}

/* What becomes of the pairs of replicas at one position. */
struct pairs {
	uint32_t count;
	uint32_t differing;
};

static struct pairs pairs_look(const struct ord_survey *s, uint32_t partition)
{
	struct pairs p = {0};
	for (uint32_t i = 1; i < s->nodes_count; i++) {
		const struct ord_survey_replica *a = &s->nodes[i].replicas[partition];
		for (uint32_t k = 0; k < i && a->known; k++) {
			const struct ord_survey_replica *b = &s->nodes[k].replicas[partition];
			if (!b->known || a->position != b->position)
				continue;
			p.count++;
			p.differing +=
				strcmp(a->digest, b->digest) != 0 || strcmp(a->history_hash, b->history_hash) != 0;
		}
	}
	return p;
}

bool ord_survey_agrees(const struct ord_survey *s, uint32_t partition)
{
	return pairs_look(s, partition).differing == 0;
}

bool ord_survey_compares(const struct ord_survey *s, uint32_t partition)
{
	return pairs_look(s, partition).count > 0;
}
