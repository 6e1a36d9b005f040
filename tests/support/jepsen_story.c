/* SPDX-License-Identifier: Apache-2.0 - histories of a few lines for tests of checkers. */
#include "tests/support/jepsen_story.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

#define LINE_BYTES_MAX 4096

/* Writes one line of the story as one of a history. */
static void translate(char *line, uint32_t index, uint64_t time_ms, FILE *out)
{
	char process[32], type[16], f[32];
	int begin = 0;
	cr_assert_eq(sscanf(line, " %31s %15s %31s %n", process, type, f, &begin), 3, "'%s'", line);
	char *value = line + begin;
	char *error = strstr(value, " error ");
	if (error != NULL)
		*error = '\0';
	fprintf(out, "{:index %u, :time %llu, :process %s%s, :type :%s, :f :%s, :value %s", index,
		(unsigned long long)time_ms * 1000000u, strcmp(process, "nemesis") == 0 ? ":" : "", process, type, f,
		*value != '\0' ? value : "nil");
	if (error != NULL)
		fprintf(out, ", :error %s", error + strlen(" error "));
	fputs("}\n", out);
}

static void translate_all(const char *text, FILE *out)
{
	uint32_t index = 0;
	uint64_t time_ms = 0;
	while (*text != '\0') {
		char line[LINE_BYTES_MAX];
		size_t len = strcspn(text, "\n");
		unsigned long long at;
		cr_assert_lt(len, sizeof line);
		memcpy(line, text, len);
		line[len] = '\0';
		text += len + (text[len] == '\n');
		if (strspn(line, " \t") == len)
			continue;
		if (sscanf(line, " at %llu", &at) == 1)
			time_ms = at;
		else
			translate(line, index++, time_ms++, out);
	}
}

void story_of(const char *text, struct ord_jepsen_history *ret)
{
	char *lines = NULL;
	size_t len;
	struct ord_edn_problem problem = {0};
	FILE *out = open_memstream(&lines, &len);
	translate_all(text, out);
	fclose(out);
	FILE *in = fmemopen(lines, len, "r");
	int err = in != NULL ? ord_jepsen_read(in, ret, &problem) : ord_jepsen_open(1, ret);
	cr_assert_eq(err, ORD_OK, "line %llu, column %u: %s\n%s", (unsigned long long)problem.line, problem.column,
		     problem.why, lines);
	if (in != NULL)
		fclose(in);
	free(lines);
}

static void tell(const struct ord_verdict *v)
{
	struct ord_edn_pool pool;
	ord_edn_pool_init(&pool, 1 << 20);
	ord_edn_write(stderr, ord_verdict_edn(v, &pool));
	fputc('\n', stderr);
	ord_edn_pool_close(&pool);
}

/* The first finding that makes the verdict what it is. */
static const char *first_rule(const struct ord_verdict *v)
{
	for (uint32_t i = 0; i < v->findings_kept; i++) {
		if (v->findings[i].validity == v->validity)
			return v->findings[i].rule;
	}
	return NULL;
}

void story_expect(struct ord_verdict *v, enum ord_validity validity, const char *rule)
{
	const char *first = first_rule(v);
	bool same = first == NULL || rule == NULL ? first == rule : strcmp(first, rule) == 0;
	if (!same || v->validity != validity)
		tell(v);
	cr_assert_eq(v->validity, validity, "%s", ord_validity_name(v->validity));
	cr_assert(same, "%s instead of %s", first != NULL ? first : "nothing", rule != NULL ? rule : "nothing");
	ord_verdict_close(v);
}

int64_t story_figure(const struct ord_verdict *v, const char *name)
{
	struct ord_edn figure = ord_edn_get(v->figures, name);
	cr_assert_eq(figure.kind, ORD_EDN_INT, "%s", name);
	return figure.integer;
}
