/* SPDX-License-Identifier: Apache-2.0 - what clients were told of ids that are expired, held against the logs. */
#include <criterion/criterion.h>
#include <string.h>

#include "partition/route.h"
#include "tests/sim/observe.h"
#include "tests/sim/record.h"
#include "tests/sim/world.h"
#include "tests/support/partition_build.h"
#include "tests/support/sim_stub_history.h"
#include "tests/support/sim_stub_record.h"

/* The logs begin at 1000 ms. */
#define ID_MS 500u
#define WATERMARK_MS 900u

static struct sim_moment began;
static struct ord_command command;
static struct ordain_command asked;
static uint32_t partition;

static void make(void)
{
	history_open();
}

TestSuite(sim_observe_age, .init = make, .fini = history_close, .timeout = 30);

/* A claim under a UUIDv7. */
static void submit(void)
{
	command = build_claim("n1", "users", "ada", "one");
	memset(command.request_id.bytes, 0, 6);
	command.request_id.bytes[4] = ID_MS >> 8;
	command.request_id.bytes[5] = ID_MS & 0xff;
	command.request_id.bytes[6] = 0x70;
	command.request_id.bytes[8] = 0x80;
	partition = ord_route_command(&command, HISTORY_PARTITIONS);
	asked = (struct ordain_command){.kind = ORDAIN_CLAIM};
	memcpy(asked.id.bytes, command.request_id.bytes, sizeof asked.id.bytes);
	asked.naming.space = history_str(command.naming.space);
	asked.naming.name = history_str(command.naming.name);
	asked.naming.owner = history_str(command.naming.owner);
	began = sim_observe_begin();
	sim_observe_submit(&asked);
}

static void expire(void)
{
	struct ord_command c = {.kind = ORD_COMMAND_EXPIRE, .expire = {WATERMARK_MS}};

	history_log(partition, &c, 1);
}

static void tell_refused(bool replayed)
{
	struct ordain_result r = {.id = asked.id,
				  .answer = ORDAIN_REFUSED,
				  .status = ORDAIN_STATUS_REJECTED,
				  .code = ORD_REFUSAL_REQUEST_ID_EXPIRED,
				  .replayed = replayed,
				  .partition = partition,
				  .offset = sim_record_position(partition)};

	sim_observe_result(&began, &asked, &r);
}

static void tell_unknown(void)
{
	struct ordain_result r = {.id = asked.id, .answer = ORDAIN_UNKNOWN, .code = ORDAIN_ERR_EXPIRED};

	sim_observe_result(&began, &asked, &r);
}

static void ask_too_late(void)
{
	partition = ord_route_command(
		&(struct ord_command){.kind = ORD_COMMAND_CLAIM,
				      .naming = {.space = ord_slice_text("users"), .name = ord_slice_text("ada")}},
		HISTORY_PARTITIONS);
	expire();
	submit();
	tell_refused(false);
}

Test(sim_observe_age, an_id_that_was_expired_is_refused)
{
	expect_content(ask_too_late);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_RESULT_EXPIRED), 1);
}

static void log_and_expire(void)
{
	submit();
	history_command(command);
	expire();
}

static void refuse_what_the_call_logged(void)
{
	log_and_expire();
	tell_refused(false);
}

Test(sim_observe_age, a_refusal_of_what_the_call_itself_has_logged_is_found)
{
	expect_failure(refuse_what_the_call_logged, "nothing was done, and this very call has logged it");
}

static void ask_again(void)
{
	log_and_expire();
	tell_unknown();
	submit();
	tell_refused(false);
}

Test(sim_observe_age, a_later_call_may_be_refused)
{
	expect_content(ask_again);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_RESULT_UNKNOWN_EXPIRED), 1);
}

static void tell_of_a_replay(void)
{
	log_and_expire();
	submit();
	tell_refused(true);
}

Test(sim_observe_age, a_refusal_that_tells_of_an_earlier_call_is_found)
{
	expect_failure(tell_of_a_replay, "its id is expired, and where it was logged");
}

static void tell_too_early(void)
{
	submit();
	history_command(command);
	tell_unknown();
}

Test(sim_observe_age, an_id_taken_for_expired_too_early_is_found)
{
	expect_failure(tell_too_early, "not known since its id is expired, and it is not");
}
