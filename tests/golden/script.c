/* SPDX-License-Identifier: Apache-2.0 - the lines of a golden script. */
#include "tests/golden/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tests/support/text.h"

bool script_split(const char *line, size_t len, struct script_line *ret)
{
	char *rest = NULL;

	memset(ret, 0, sizeof *ret);
	if (len >= sizeof ret->text)
		return false;
	memcpy(ret->text, line, len);
	for (char *word = strtok_r(ret->text, " \t", &rest); word != NULL; word = strtok_r(NULL, " \t", &rest)) {
		if (ret->words_count == 0 && !ret->joins && strcmp(word, "+") == 0) {
			ret->joins = true;
			continue;
		}
		if (ret->words_count == SCRIPT_WORDS_MAX)
			return false;
		ret->words[ret->words_count++] = word;
	}
	return true;
}

static bool unsigned_of(const char *word, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(word, &end, 10);
	return errno == 0 && *end == '\0' && word[0] >= '0' && word[0] <= '9';
}

static bool signed_of(const char *word, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(word, &end, 10);
	return errno == 0 && end != word && *end == '\0';
}

bool script_matches(const struct script_line *line, const char *const *pattern, uint64_t *numbers)
{
	unsigned i = 0;

	for (; pattern[i] != NULL; i++) {
		if (i == line->words_count)
			return false;
		if (pattern[i][0] == '=' && strcmp(pattern[i] + 1, line->words[i]) != 0)
			return false;
		if (pattern[i][0] == 'n' && !unsigned_of(line->words[i], numbers++))
			return false;
	}
	return i == line->words_count;
}

static struct ord_slice word(const struct script_line *line, unsigned number)
{
	return ord_slice_text(line->words[number]);
}

static bool state_of(const char *text, enum ord_account_state *ret)
{
	for (int state = ORD_ACCOUNT_OPEN; state <= ORD_ACCOUNT_CLOSED; state++) {
		if (strcmp(text, ord_account_state_name((enum ord_account_state)state)) == 0) {
			*ret = (enum ord_account_state)state;
			return true;
		}
	}
	return false;
}

static bool open_of(const struct script_line *line, struct ord_command *c)
{
	struct ord_open_account *o = &c->open_account;

	c->kind = ORD_COMMAND_OPEN_ACCOUNT;
	o->account = word(line, 1);
	o->asset = word(line, 2);
	o->ceiling = INT64_MAX;
	return signed_of(line->words[4], &o->floor) &&
	       (strcmp(line->words[6], "none") == 0 || signed_of(line->words[6], &o->ceiling));
}

static bool transfer_of(const struct script_line *line, struct ord_command *c)
{
	c->kind = ORD_COMMAND_TRANSFER;
	c->transfer.asset = word(line, 2);
	c->transfer.payer = word(line, 4);
	c->transfer.payee = word(line, 6);
	return signed_of(line->words[1], &c->transfer.amount);
}

static bool set_of(const struct script_line *line, struct ord_command *c)
{
	c->kind = ORD_COMMAND_SET_ACCOUNT;
	c->set_account.account = word(line, 1);
	return state_of(line->words[2], &c->set_account.state);
}

static void naming_of(const struct script_line *line, enum ord_command_kind kind, struct ord_command *c)
{
	c->kind = kind;
	c->naming.space = word(line, 1);
	c->naming.name = word(line, 2);
	if (kind != ORD_COMMAND_CLAIM)
		c->naming.expected = word(line, 4);
	if (kind != ORD_COMMAND_RELEASE)
		c->naming.owner = word(line, kind == ORD_COMMAND_CLAIM ? 4 : 6);
}

/* A UUID as it is usually written, or the bytes themselves. */
static bool id_of(const char *text, struct ord_uuid *ret)
{
	if (strlen(text) == ORD_UUID_TEXT_SIZE - 1)
		return ord_uuid_parse(ord_slice_text(text), ret) == ORD_OK;
	if (strlen(text) > sizeof ret->bytes)
		return false;
	*ret = text_id_of(text);
	return true;
}

bool script_client_command(const struct script_line *line, struct ord_command *ret)
{
	static const char *const open[] = {"=open", "w", "w", "=floor", "w", "=ceiling", "w", "=as", "w", NULL};
	static const char *const set[] = {"=set", "w", "w", "=as", "w", NULL};
	static const char *const transfer[] = {"=transfer", "w", "w", "=from", "w", "=to", "w", "=as", "w", NULL};
	static const char *const claim[] = {"=claim", "w", "w", "=for", "w", "=as", "w", NULL};
	static const char *const release[] = {"=release", "w", "w", "=of", "w", "=as", "w", NULL};
	static const char *const reassign[] = {"=reassign", "w", "w", "=of", "w", "=to", "w", "=as", "w", NULL};
	struct ord_command c = {.kind = ORD_COMMAND_CLAIM};
	bool known = true;

	if (script_matches(line, open, NULL))
		known = open_of(line, &c);
	else if (script_matches(line, set, NULL))
		known = set_of(line, &c);
	else if (script_matches(line, transfer, NULL))
		known = transfer_of(line, &c);
	else if (script_matches(line, claim, NULL))
		naming_of(line, ORD_COMMAND_CLAIM, &c);
	else if (script_matches(line, release, NULL))
		naming_of(line, ORD_COMMAND_RELEASE, &c);
	else if (script_matches(line, reassign, NULL))
		naming_of(line, ORD_COMMAND_REASSIGN, &c);
	else
		known = false;
	if (!known || !id_of(line->words[line->words_count - 1], &c.request_id))
		return false;
	*ret = c;
	return true;
}
