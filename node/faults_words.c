/* SPDX-License-Identifier: Apache-2.0 - faults on purpose as MessagePack: what is asked for, and what is in force. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "client/rpc.h"
#include "node/clock.h"
#include "node/faults.h"

enum word_kind { WORD_BOOL, WORD_U32, WORD_U64, WORD_I64 };

/* One field of a map of faults. */
struct word {
	const char *name;
	enum word_kind kind;
	size_t offset;
	int64_t least;
	int64_t most;
};

#define LINK(kind_, member, most_)                                                                                     \
	{                                                                                                              \
		.name = #member, .kind = (kind_), .most = (most_),                                                     \
		.offset = offsetof(struct ord_faults_link_order, rule) + offsetof(struct ord_faults_link_rule, member) \
	}

static const struct word link_words[] = {
	{.name = "node",
	 .kind = WORD_U32,
	 .offset = offsetof(struct ord_faults_link_order, node),
	 .least = 1,
	 .most = 65535},
	LINK(WORD_BOOL, cut_out, 1),
	LINK(WORD_BOOL, cut_in, 1),
	LINK(WORD_U32, delay_ms, ORD_FAULTS_DELAY_MS_MAX),
	LINK(WORD_U32, jitter_ms, ORD_FAULTS_DELAY_MS_MAX),
	LINK(WORD_U32, loss_ppm, ORD_FAULTS_PPM_ALL),
	LINK(WORD_U32, duplicate_ppm, ORD_FAULTS_PPM_ALL),
	LINK(WORD_U32, reorder_ppm, ORD_FAULTS_PPM_ALL),
	LINK(WORD_U64, rate_bytes_s, INT64_C(1) << 40),
};

static const struct word disk_words[] = {
	{.name = "slow_ms",
	 .kind = WORD_U32,
	 .offset = offsetof(struct ord_faults_disk_rule, slow_ms),
	 .most = ORD_FAULTS_SLOW_MS_MAX},
	{.name = "error", .kind = WORD_BOOL, .offset = offsetof(struct ord_faults_disk_rule, error)},
	{.name = "full", .kind = WORD_BOOL, .offset = offsetof(struct ord_faults_disk_rule, full)},
};

static const struct word clock_words[] = {
	{.name = "offset_us",
	 .kind = WORD_I64,
	 .offset = offsetof(struct ord_faults_clock_rule, offset_us),
	 .least = -ORD_FAULTS_OFFSET_US_MAX,
	 .most = ORD_FAULTS_OFFSET_US_MAX},
	{.name = "drift_ppm",
	 .kind = WORD_I64,
	 .offset = offsetof(struct ord_faults_clock_rule, drift_ppm),
	 .least = -ORD_FAULTS_DRIFT_PPM_MAX,
	 .most = ORD_FAULTS_DRIFT_PPM_MAX},
};

/* A kind of map: its words, and where it stands, "links[2]." for instance. */
struct vocabulary {
	const struct word *words;
	size_t words_count;
	const char *place;
};

static int fault_say(struct ord_params_fault *ret, enum ord_rpc_error code, const struct vocabulary *v,
		     const char *name, const char *message)
{
	char field[ORD_FAULT_FIELD_SIZE];
	snprintf(field, sizeof field, "%s%s", v->place, name);
	ord_params_fault_set(ret, code, field, message);
	return ORD_ERR_INVALID;
}

/* The client's word is shown in plain ASCII: an answer must be UTF-8 whatever came. */
static int fault_unknown(struct ord_params_fault *ret, const struct vocabulary *v, const msgpack_object *key)
{
	char text[ORD_FAULT_MESSAGE_SIZE] = "there is no such field here; there are";
	char name[ORD_FAULT_FIELD_SIZE] = "";
	size_t len = key->type == MSGPACK_OBJECT_STR ? key->via.str.size : 0;
	for (size_t i = 0; i < len && i < sizeof name - 1; i++)
		name[i] = key->via.str.ptr[i] >= 0x20 && key->via.str.ptr[i] < 0x7f ? key->via.str.ptr[i] : '?';
	len = strlen(text);
	for (size_t i = 0; i < v->words_count; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, " %s", v->words[i].name);
	return fault_say(ret, ORD_RPC_ERROR_UNKNOWN_FIELD, v, name, text);
}

static bool number_of(const msgpack_object *o, int64_t *ret)
{
	if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		*ret = o->via.i64;
	else if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 <= INT64_MAX)
		*ret = (int64_t)o->via.u64;
	else
		return false;
	return true;
}

static int word_take(const struct vocabulary *v, const struct word *w, const msgpack_object *o, void *into,
		     struct ord_params_fault *ret_fault)
{
	char text[ORD_FAULT_MESSAGE_SIZE];
	char *member = (char *)into + w->offset;
	int64_t number;
	if (w->kind == WORD_BOOL && o->type == MSGPACK_OBJECT_BOOLEAN) {
		*(bool *)member = o->via.boolean;
		return ORD_OK;
	}
	if (w->kind == WORD_BOOL)
		return fault_say(ret_fault, ORD_RPC_ERROR_INVALID_FIELD, v, w->name, "must be true or false");
	if (!number_of(o, &number) || number < w->least || number > w->most) {
		snprintf(text, sizeof text, "must be an integer from %" PRId64 " to %" PRId64, w->least, w->most);
		return fault_say(ret_fault, ORD_RPC_ERROR_INVALID_FIELD, v, w->name, text);
	}
	if (w->kind == WORD_U32)
		*(uint32_t *)(void *)member = (uint32_t)number;
	else
		*(int64_t *)(void *)member = number; /* also of an unsigned one: it is not below 0 */
	return ORD_OK;
}

static const struct word *word_find(const struct vocabulary *v, const msgpack_object *key)
{
	for (size_t i = 0; key->type == MSGPACK_OBJECT_STR && i < v->words_count; i++)
		if (key->via.str.size == strlen(v->words[i].name) &&
		    memcmp(key->via.str.ptr, v->words[i].name, key->via.str.size) == 0)
			return &v->words[i];
	return NULL;
}

/* Reads a map into a struct of zeros; what is not there stays 0. */
static int map_take(const struct vocabulary *v, const msgpack_object *o, void *into, struct ord_params_fault *ret_fault)
{
	for (uint32_t i = 0; i < o->via.map.size; i++) {
		const struct word *w = word_find(v, &o->via.map.ptr[i].key);
		int err = w == NULL ? fault_unknown(ret_fault, v, &o->via.map.ptr[i].key)
				    : word_take(v, w, &o->via.map.ptr[i].val, into, ret_fault);
		if (err != ORD_OK)
			return err;
	}
	return ORD_OK;
}

static int link_take(const msgpack_object *o, uint32_t number, struct ord_faults_link_order *ret,
		     struct ord_params_fault *ret_fault)
{
	char place[24];
	struct vocabulary v = {link_words, sizeof link_words / sizeof *link_words, place};
	snprintf(place, sizeof place, "links[%" PRIu32 "].", number);
	*ret = (struct ord_faults_link_order){0};
	if (o->type != MSGPACK_OBJECT_MAP) {
		ord_params_fault_set(ret_fault, ORD_RPC_ERROR_INVALID_FIELD, "links",
				     "must be an array of maps of field names and values");
		return ORD_ERR_INVALID;
	}
	int err = map_take(&v, o, ret, ret_fault);
	if (err == ORD_OK && ret->node == 0)
		err = fault_say(ret_fault, ORD_RPC_ERROR_MISSING_FIELD, &v, "node", "each link needs this field");
	if (err == ORD_OK && ret->rule.jitter_ms > ret->rule.delay_ms)
		err = fault_say(ret_fault, ORD_RPC_ERROR_INVALID_FIELD, &v, "jitter_ms",
				"must not be more than delay_ms");
	return err;
}

/* Two rules for one link: nobody could say which one is meant. */
static int links_check(const struct ord_faults_order *order, uint32_t number, struct ord_params_fault *ret_fault)
{
	char field[ORD_FAULT_FIELD_SIZE];
	for (uint32_t i = 0; i < number; i++) {
		if (order->links[i].node != order->links[number].node)
			continue;
		snprintf(field, sizeof field, "links[%" PRIu32 "].node", number);
		ord_params_fault_set(ret_fault, ORD_RPC_ERROR_INVALID_FIELD, field, "is there already: each node once");
		return ORD_ERR_INVALID;
	}
	return ORD_OK;
}

int ord_faults_decode(const struct ord_params *params, struct ord_faults_order *ret, struct ord_params_fault *ret_fault)
{
	const struct vocabulary disk = {disk_words, sizeof disk_words / sizeof *disk_words, "disk."};
	const struct vocabulary clock = {clock_words, sizeof clock_words / sizeof *clock_words, "clock."};
	const msgpack_object *links = params->links;
	int err = ORD_OK;
	*ret = (struct ord_faults_order){
		.has_links = links != NULL, .has_disk = params->disk != NULL, .has_clock = params->clock != NULL};
	if (links == NULL && params->disk == NULL && params->clock == NULL) {
		ord_params_fault_set(ret_fault, ORD_RPC_ERROR_MISSING_FIELD, "links",
				     "the method needs links, disk or clock, or some of them");
		return ORD_ERR_INVALID;
	}
	ret->links_count = links != NULL ? links->via.array.size : 0;
	for (uint32_t i = 0; err == ORD_OK && i < ret->links_count; i++) {
		err = link_take(&links->via.array.ptr[i], i, &ret->links[i], ret_fault);
		if (err == ORD_OK)
			err = links_check(ret, i, ret_fault);
	}
	if (err == ORD_OK && params->disk != NULL)
		err = map_take(&disk, params->disk, &ret->disk, ret_fault);
	if (err == ORD_OK && params->clock != NULL)
		err = map_take(&clock, params->clock, &ret->clock, ret_fault);
	return err;
}

/* --- What is in force. --- */

static void put_i64(msgpack_packer *p, const char *key, int64_t v)
{
	ord_rpc_put_text(p, key);
	msgpack_pack_int64(p, v);
}

static void put_words(msgpack_packer *p, const struct word *words, size_t words_count, const void *from)
{
	for (size_t i = 0; i < words_count; i++) {
		const char *member = (const char *)from + words[i].offset;
		if (words[i].kind == WORD_BOOL)
			ord_rpc_put_pair_bool(p, words[i].name, *(const bool *)member);
		else if (words[i].kind == WORD_U32)
			ord_rpc_put_pair_u64(p, words[i].name, *(const uint32_t *)(const void *)member);
		else
			put_i64(p, words[i].name, *(const int64_t *)(const void *)member);
	}
}

static void put_link(msgpack_packer *p, const struct ord_faults_link_status *l)
{
	const size_t words_count = sizeof link_words / sizeof *link_words;
	struct ord_faults_link_order shown = {.node = l->node, .rule = l->rule};
	msgpack_pack_map(p, words_count + 9);
	put_words(p, link_words, words_count, &shown);
	ord_rpc_put_pair_u64(p, "stopped", l->counts.stopped);
	ord_rpc_put_pair_u64(p, "attempts", l->counts.attempts);
	ord_rpc_put_pair_u64(p, "unanswered", l->counts.unanswered);
	ord_rpc_put_pair_u64(p, "delayed", l->counts.delayed);
	ord_rpc_put_pair_u64(p, "lost", l->counts.lost);
	ord_rpc_put_pair_u64(p, "duplicated", l->counts.duplicated);
	ord_rpc_put_pair_u64(p, "reordered", l->counts.reordered);
	ord_rpc_put_pair_u64(p, "bytes", l->counts.bytes);
	ord_rpc_put_pair_u64(p, "waiting_bytes", l->waiting_bytes);
}

void ord_faults_put(msgpack_packer *p, const struct ord_faults_status *s)
{
	const size_t disk_count = sizeof disk_words / sizeof *disk_words;
	const size_t clock_count = sizeof clock_words / sizeof *clock_words;
	msgpack_pack_map(p, 3);
	ord_rpc_put_text(p, "links");
	msgpack_pack_array(p, s->links_count);
	for (uint32_t i = 0; i < s->links_count; i++)
		put_link(p, &s->links[i]);
	ord_rpc_put_text(p, "disk");
	msgpack_pack_map(p, disk_count + 4);
	put_words(p, disk_words, disk_count, &s->disk);
	ord_rpc_put_pair_u64(p, "slowed", s->disk_counts.slowed);
	ord_rpc_put_pair_u64(p, "failed", s->disk_counts.failed);
	ord_rpc_put_pair_u64(p, "refused", s->disk_counts.refused);
	ord_rpc_put_pair_u64(p, "free_bytes", s->free_bytes);
	ord_rpc_put_text(p, "clock");
	msgpack_pack_map(p, clock_count);
	put_words(p, clock_words, clock_count, &s->clock);
}
