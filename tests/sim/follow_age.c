/* SPDX-License-Identifier: Apache-2.0 - expired request ids. */
#include "tests/sim/follow_age.h"

#include <string.h>

#include "base/err.h"
#include "partition/request.h"
#include "partition/state.h"
#include "tests/sim/observe.h"
#include "tests/sim/trail.h"
#include "tests/sim/world.h"

/* An id may lie so far ahead of the log. */
#define AHEAD_MS 60000u

static uint64_t watermarks_ms[SIM_PARTITIONS_MAX];

void sim_age_open(void)
{
	memset(watermarks_ms, 0, sizeof watermarks_ms);
}

void sim_age_expire(uint32_t partition, const struct ord_expire *c, uint64_t time_us)
{
	if (c->watermark_ms > watermarks_ms[partition] && c->watermark_ms < time_us / 1000)
		watermarks_ms[partition] = c->watermark_ms;
}

/* UUIDv7 (RFC 9562, section 5.7); 0: it has none. */
static uint64_t time_ms(const struct ord_uuid *id)
{
	uint64_t ms = 0;

	for (unsigned i = 0; i < 6; i++)
		ms = ms << 8 | id->bytes[i];
	return id->bytes[6] >> 4 == 7 && id->bytes[8] >> 6 == 2 ? ms : 0;
}

bool sim_age_is_old(uint32_t partition, const struct ord_uuid *id)
{
	uint64_t ms = time_ms(id);

	return ms != 0 && ms < watermarks_ms[partition];
}

bool sim_age_is_expired(uint32_t partition, const struct ord_uuid *id)
{
	const struct sim_request_trail *t = sim_trail_find_request(partition, id);

	if (!sim_age_is_old(partition, id))
		return false;
	return t == NULL || (t->decided != 0 && time_ms(id) <= t->logged_us / 1000 + AHEAD_MS);
}

bool sim_age_request(struct ord_partition *copy, uint32_t partition, const struct ord_uuid *id,
		     struct ord_request_view *ret)
{
	int err = ord_partition_request(copy, id, ret);
	const struct ord_request *r = ord_request_find(copy, id);
	char text[ORD_UUID_TEXT_SIZE];

	if ((err == ORD_ERR_EXPIRED) != sim_age_is_expired(partition, id)) {
		ord_uuid_format(id, text);
		sim_fail(SIM_SAFETY, "partition %u: request %s: the partition says '%s', and its id is %sexpired",
			 partition, text, ord_err_text(err), sim_age_is_expired(partition, id) ? "" : "not ");
	}
	if (err == ORD_ERR_EXPIRED && r != NULL)
		*ret = (struct ord_request_view){.command = ord_request_command(r),
						 .result = ord_request_result(r),
						 .logged_us = r->logged_us,
						 .decided_us = r->decided_us};
	return r != NULL;
}
