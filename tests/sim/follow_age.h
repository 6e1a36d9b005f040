/* SPDX-License-Identifier: Apache-2.0 - which request ids are expired, as the logs say (docs/adr/0012): of those nothing may be said any more, and nothing may run under them. */
#ifndef ORD_TESTS_SIM_FOLLOW_AGE_H
#define ORD_TESTS_SIM_FOLLOW_AGE_H

#include <stdbool.h>
#include <stdint.h>

#include "partition/command.h"
#include "partition/partition.h"

void sim_age_open(void);

/* An EXPIRE stands in an entry of that time. */
void sim_age_expire(uint32_t partition, const struct ord_expire *c, uint64_t time_us);

/* The id's own time lies before the partition's watermark: stages of it leave no record any more. */
bool sim_age_is_old(uint32_t partition, const struct ord_uuid *id);

/* The partition must say of the id that it is expired, and nothing else: it is old, and its request, if there ever was one, is decided and did not come from the future. */
bool sim_age_is_expired(uint32_t partition, const struct ord_uuid *id);

/* What the log has under the id, also when it is expired, for the copy forgets nothing. False: nothing. Fails the run when the copy tells of an expired id, or says that it is expired when it is not. */
bool sim_age_request(struct ord_partition *copy, uint32_t partition, const struct ord_uuid *id,
		     struct ord_request_view *ret);

#endif
