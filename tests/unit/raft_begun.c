/* SPDX-License-Identifier: Apache-2.0 - a log that has begun and is empty was lost. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "tests/support/raft_lone.h"

static struct raft_lone *l;

static void make(void)
{
	l = raft_lone_make();
}

static void clean(void)
{
	raft_lone_free(l);
}

TestSuite(raft_begun, .init = make, .fini = clean);

Test(raft_begun, an_empty_log_is_lost_only_when_it_had_begun)
{
	raft_lone_start(l);
	raft_lone_close(l);
	raft_lone_init(l);
	l->log_begun = true;
	cr_expect_eq(raft_lone_open(l), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(l->why, "empty, though it had begun"), "%s", l->why);
	l->log_begun = false;
	cr_expect_eq(raft_lone_open(l), ORD_OK);
}

Test(raft_begun, a_log_that_has_its_records_is_opened)
{
	l->log_begun = true;
	cr_expect_eq(raft_lone_open(l), ORD_ERR_CORRUPT);
	l->log_begun = false;
	raft_lone_start(l);
	raft_lone_crash(l);
	l->log_begun = true;
	cr_expect_eq(raft_lone_open(l), ORD_OK, "%s", l->why);
}
