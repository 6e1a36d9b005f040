/* SPDX-License-Identifier: Apache-2.0 - pauses between attempts: they grow, differ, and are no shorter than a node asked for. */
#include <criterion/criterion.h>

#include "client/session.h"
#include "tests/support/client_lab.h"

#define ASKED_MS 100
#define DRAWS 200

static struct lab lab;

static void setup(void)
{
	lab_open(&lab, 1, 1, NULL);
}

static void teardown(void)
{
	lab_close(&lab);
}

TestSuite(session, .init = setup, .fini = teardown);

struct range {
	uint64_t least, most;
};

static struct range draw(unsigned attempts, uint32_t asked_ms)
{
	struct range r = {.least = UINT64_MAX};
	for (int i = 0; i < DRAWS; i++) {
		uint64_t ms = ord_session_pause_ms(lab.client, attempts, asked_ms);
		r.least = ms < r.least ? ms : r.least;
		r.most = ms > r.most ? ms : r.most;
	}
	return r;
}

Test(session, a_node_that_is_busy_is_asked_less_and_less_often)
{
	uint64_t most_before = 0;
	for (unsigned attempts = 1; attempts <= 4; attempts++) {
		struct range r = draw(attempts, ASKED_MS);
		cr_expect_geq(r.least, ASKED_MS);
		cr_expect_lt(r.most, ASKED_MS << attempts);
		cr_expect_gt(r.most, most_before);
		cr_expect_gt(r.most, r.least + ASKED_MS / 2, "not all at once");
		most_before = r.most;
	}
	cr_expect_lt(draw(200, ASKED_MS).most, 16 * ASKED_MS, "it ends somewhere");
}

Test(session, nobody_asked_for_a_pause)
{
	cr_expect_lt(draw(1, 0).most, 20);
	cr_expect_geq(draw(200, 0).least, 250);
	cr_expect_lt(draw(200, 0).most, 500);
}
