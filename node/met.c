/* SPDX-License-Identifier: Apache-2.0 - which data directories of the other nodes this node has met. The text is lines "key = value":
 *
 *   format           2
 *   first of NODE    UUID
 *   current of NODE  UUID
 *   past of NODE     UUID, in a line each, the oldest first: "past of NODE.0", "past of NODE.1" ...
 *   check            CRC-32C of all before this line
 *
 * Format 1 was lines "NODE = UUID": the first one, which was the only one.
 */
#include "node/met.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/lines.h"

#define MET_FORMAT "2"
#define KEY_SIZE 40

void ord_met_init(struct ord_met *m, const struct ord_config *config)
{
	memset(m, 0, sizeof *m);
	for (uint32_t i = 0; i < config->nodes_count; i++)
		if (config->nodes[i].id != config->node)
			m->nodes[m->nodes_count++].node = config->nodes[i].id;
}

const struct ord_met_node *ord_met_find(const struct ord_met *m, uint32_t node)
{
	for (uint32_t i = 0; i < m->nodes_count; i++)
		if (m->nodes[i].node == node)
			return &m->nodes[i];
	return NULL;
}

static struct ord_met_node *met_get(struct ord_met *m, uint32_t node)
{
	for (uint32_t i = 0; i < m->nodes_count; i++)
		if (m->nodes[i].node == node)
			return &m->nodes[i];
	return NULL;
}

int ord_met_knows(const struct ord_met *m, uint32_t node, const struct ord_uuid *incarnation)
{
	const struct ord_met_node *n = ord_met_find(m, node);
	if (n == NULL)
		return ORD_ERR_MISMATCH;
	if (n->has_current && ord_uuid_equal(&n->current, incarnation))
		return ORD_OK;
	if (n->has_current && ord_uuid_equal(&n->first, incarnation))
		return ORD_ERR_MISMATCH;
	for (uint32_t i = 0; i < n->past_count; i++)
		if (ord_uuid_equal(&n->past[i], incarnation))
			return ORD_ERR_MISMATCH;
	return ORD_ERR_NOT_FOUND;
}

static void past_add(struct ord_met_node *n, const struct ord_uuid *incarnation)
{
	if (n->past_count == ORD_MET_PAST_MAX) {
		n->past_count--;
		memmove(n->past, n->past + 1, n->past_count * sizeof n->past[0]);
	}
	n->past[n->past_count++] = *incarnation;
}

void ord_met_note(struct ord_met *m, uint32_t node, const struct ord_uuid *incarnation)
{
	struct ord_met_node *n = met_get(m, node);
	ORD_ASSERT(n != NULL);
	ORD_ASSERT(ord_met_knows(m, node, incarnation) == ORD_ERR_NOT_FOUND);
	if (n->has_current)
		past_add(n, &n->current);
	if (!n->has_first)
		n->first = *incarnation;
	n->has_first = true;
	n->current = *incarnation;
	n->has_current = true;
}

void ord_met_adopt(struct ord_met *m, uint32_t node, const struct ord_uuid *first)
{
	struct ord_met_node *n = met_get(m, node);
	if (n == NULL || n->has_first)
		return;
	n->first = *first;
	n->has_first = true;
}

/* --- The text. --- */

__attribute__((format(printf, 3, 4))) static void text_add(char text[ORD_MET_TEXT_SIZE], size_t *len,
							   const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int added = vsnprintf(text + *len, ORD_MET_TEXT_SIZE - *len, format, args);
	va_end(args);
	ORD_ASSERT(added >= 0 && (size_t)added < ORD_MET_TEXT_SIZE - *len);
	*len += (size_t)added;
}

static void text_add_uuid(char text[ORD_MET_TEXT_SIZE], size_t *len, const char *key, const struct ord_uuid *id)
{
	char value[ORD_UUID_TEXT_SIZE];
	ord_uuid_format(id, value);
	text_add(text, len, "%s = %s\n", key, value);
}

void ord_met_format(const struct ord_met *m, char text[ORD_MET_TEXT_SIZE])
{
	size_t len = 0;
	char key[KEY_SIZE];
	text_add(text, &len, "format = " MET_FORMAT "\n");
	for (uint32_t i = 0; i < m->nodes_count; i++) {
		const struct ord_met_node *n = &m->nodes[i];
		snprintf(key, sizeof key, "first of %u", n->node);
		if (n->has_first)
			text_add_uuid(text, &len, key, &n->first);
		snprintf(key, sizeof key, "current of %u", n->node);
		if (n->has_current)
			text_add_uuid(text, &len, key, &n->current);
		for (uint32_t k = 0; k < n->past_count; k++) {
			snprintf(key, sizeof key, "past of %u.%u", n->node, k);
			text_add_uuid(text, &len, key, &n->past[k]);
		}
	}
	ord_lines_seal(text, ORD_MET_TEXT_SIZE);
}

/* One line that may be missing. False when it is there and is no UUID. */
static bool node_line(const char *text, const char *key, struct ord_uuid *ret, bool *ret_has)
{
	char value[2 * ORD_UUID_TEXT_SIZE];
	*ret_has = ord_lines_value(text, key, value, sizeof value);
	return !*ret_has || ord_uuid_parse(ord_slice_text(value), ret) == ORD_OK;
}

static bool node_parse(const char *text, struct ord_met_node *n)
{
	char key[KEY_SIZE];
	bool has = true;
	snprintf(key, sizeof key, "first of %u", n->node);
	bool usable = node_line(text, key, &n->first, &n->has_first);
	snprintf(key, sizeof key, "current of %u", n->node);
	usable = usable && node_line(text, key, &n->current, &n->has_current);
	n->past_count = 0;
	while (usable && has && n->past_count < ORD_MET_PAST_MAX) {
		snprintf(key, sizeof key, "past of %u.%u", n->node, n->past_count);
		usable = node_line(text, key, &n->past[n->past_count], &has);
		n->past_count += has;
	}
	return usable && (n->has_first || !n->has_current);
}

/* Of format 1. */
static bool node_parse_only(const char *text, struct ord_met_node *n)
{
	char key[KEY_SIZE];
	snprintf(key, sizeof key, "%u", n->node);
	if (!node_line(text, key, &n->first, &n->has_first))
		return false;
	n->current = n->first;
	n->has_current = n->has_first;
	return true;
}

/* Every line of format 1 begins with a number. */
static bool is_format_1(const char *text)
{
	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n')
		if (*line < '1' || *line > '9')
			return false;
	return true;
}

int ord_met_parse(struct ord_met *m, const char *text, char *why, size_t why_size)
{
	struct ord_met met = *m;
	char format[16] = "";
	bool has_format = ord_lines_value(text, "format", format, sizeof format);
	if (has_format && strcmp(format, MET_FORMAT) != 0) {
		snprintf(why, why_size,
			 "file 'peers' has format %s, this version knows 1 and 2: use the version of ordaind that "
			 "wrote it",
			 format);
		return ORD_ERR_MISMATCH;
	}
	bool usable = has_format ? ord_lines_is_sealed(text) : is_format_1(text);
	for (uint32_t i = 0; usable && i < met.nodes_count; i++)
		usable = has_format ? node_parse(text, &met.nodes[i]) : node_parse_only(text, &met.nodes[i]);
	if (!usable) {
		snprintf(why, why_size,
			 "file 'peers' has been changed or cut off: restore it from a copy, or, where the cluster has "
			 "other nodes, start with an empty directory");
		return ORD_ERR_CORRUPT;
	}
	*m = met;
	return ORD_OK;
}
