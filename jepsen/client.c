/* SPDX-License-Identifier: Apache-2.0 - one client of the cluster: asks what a workload wants asked, once, and says what came of it in words of a history. */
#include "jepsen/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "jepsen/clock.h"
#include "jepsen/direct.h"

#define CALL_MS_MIN 10 /* what is left when the time is over: the library's own end comes then */

void ord_client_end(struct ord_client *c)
{
	ordain_sync_close(c->sync);
	c->sync = NULL;
}

bool ord_client_begin(struct ord_client *c, struct ord_told *ret)
{
	struct ordain_options options = {.addresses = c->addresses, .timeout_ms = c->timeout_ms};
	c->deadline_ns = ord_clock_ns() + (uint64_t)c->timeout_ms * 1000000u;
	int err = c->sync != NULL ? 0 : ordain_sync_open(&options, &c->sync);
	if (err == 0)
		return true;
	c->sync = NULL;
	*ret = (struct ord_told){.type = ORD_JEPSEN_FAIL, .error = ord_edn_word(ordain_error_name(err))};
	return false;
}

struct ordain_call_options ord_client_call(const struct ord_client *c)
{
	uint64_t now = ord_clock_ns();
	uint64_t left_ms = now < c->deadline_ns ? (c->deadline_ns - now) / 1000000u : 0;
	return (struct ordain_call_options){.timeout_ms = left_ms > CALL_MS_MIN ? (uint32_t)left_ms : CALL_MS_MIN};
}

struct ord_edn ord_client_id(struct ord_random *r, struct ord_edn_pool *pool)
{
	char text[ORD_UUID_TEXT_SIZE];
	uint64_t words[2] = {ord_random_next(r), ord_random_next(r)};
	struct ord_uuid id = ord_uuid_v7(ord_clock_unix_ms(), (const uint8_t *)words);
	ord_uuid_format(&id, text);
	return ord_edn_string(pool, ord_slice_text(text));
}

static struct ord_edn error_of(struct ord_edn_pool *pool, const char *name)
{
	return ord_edn_keyword(pool, ord_slice_text(name));
}

bool ord_client_submit(struct ord_client *c, const struct ordain_command *command, struct ordain_result *ret_result,
		       struct ord_told *ret)
{
	struct ordain_call_options call = ord_client_call(c);
	if (c->node != 0)
		return ord_direct_submit(c, command, ret_result, ret);
	int err = ordain_sync_submit(c->sync, command, 1, &call, ret_result);
	if (err != 0) {
		*ret = (struct ord_told){.type = ORD_JEPSEN_FAIL, .error = error_of(c->pool, ordain_error_name(err))};
		return false;
	}
	if (ret_result->answer == ORDAIN_OK || ret_result->answer == ORDAIN_REFUSED)
		return true;
	bool accepted = ret_result->status == ORDAIN_STATUS_ACCEPTED;
	*ret = (struct ord_told){.type = ret_result->answer == ORDAIN_FAILED ? ORD_JEPSEN_FAIL : ORD_JEPSEN_INFO,
				 .error = error_of(c->pool, accepted ? "accepted" : ret_result->name)};
	return false;
}

struct ord_told ord_client_unread(const struct ord_client *c)
{
	const struct ordain_problem *problem = ordain_sync_problem(c->sync);
	const char *name = problem->code != 0 ? problem->name : ordain_error_name(ORDAIN_ERR_PROTOCOL);
	return (struct ord_told){.type = ORD_JEPSEN_FAIL, .error = error_of(c->pool, name)};
}

struct ord_edn ord_client_label(struct ord_edn_pool *pool, const char *prefix, uint64_t number)
{
	char text[64];
	snprintf(text, sizeof text, "%s%" PRIu64, prefix, number);
	return ord_edn_string(pool, ord_slice_text(text));
}

int64_t ord_client_number(struct ordain_str s, const char *prefix)
{
	size_t skip = strlen(prefix);
	int64_t v = 0;
	if (s.len <= skip || s.len - skip > 18 || memcmp(s.base, prefix, skip) != 0)
		return -1;
	for (size_t i = skip; i < s.len; i++) {
		if (s.base[i] < '0' || s.base[i] > '9')
			return -1;
		v = v * 10 + (s.base[i] - '0');
	}
	return v;
}
