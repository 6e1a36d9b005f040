/* SPDX-License-Identifier: Apache-2.0 - commands whose id expires while they are asked for: who may have been logged is never told that nothing was done. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/client_lab.h"

static struct lab lab;

/* Submits one transfer and turns the loop until its answer. */
static struct lab_submit one_transfer(void)
{
	static struct lab_submit s;
	struct ordain_command c = lab_transfer(1);
	lab_submit(&lab, &c, 1, NULL, &s);
	lab_until(&lab, &s.calls_count, 1, 15000);
	cr_assert_eq(s.count, 1);
	return s;
}

static void accepted_then_expired(struct fake_request *r)
{
	if (r->fake->requests_count <= 2)
		fake_status(r, "accepted");
	else
		fake_expired(r);
}

Test(expiry, what_was_logged_and_is_expired_then_is_unknown)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = accepted_then_expired;
	struct lab_submit s = one_transfer();
	const struct ordain_result *r = &s.results[0];
	cr_assert_eq(r->answer, ORDAIN_UNKNOWN, "refused would say that nothing was done");
	cr_assert_eq(r->status, ORDAIN_STATUS_ACCEPTED);
	cr_assert_eq(r->code, ORDAIN_ERR_EXPIRED);
	cr_assert_str_eq(r->name, "request_id_expired");
	cr_assert_not_null(strstr(r->message, "ordain log dump"), "%s", r->message);
	cr_assert_eq(r->offset, 42, "where it was logged, not where it was refused");
	cr_assert_not(r->replayed, "it was this very call that logged it");
	cr_assert_eq(lab.fake.requests_count, 3, "and nobody asks on");
	lab_submit_free(&s);
	lab_close(&lab);
}

static void unknown_then_expired(struct fake_request *r)
{
	if (r->fake->requests_count == 1)
		fake_fault(r, &(struct ord_rpc_fault){.code = ORD_RPC_ERROR_UNKNOWN_OUTCOME});
	else
		fake_expired(r);
}

Test(expiry, what_may_be_logged_and_is_expired_then_is_unknown)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = unknown_then_expired;
	struct lab_submit s = one_transfer();
	cr_assert_eq(s.results[0].answer, ORDAIN_UNKNOWN);
	cr_assert_eq(s.results[0].status, ORDAIN_STATUS_NONE);
	cr_assert_eq(s.results[0].code, ORDAIN_ERR_EXPIRED);
	cr_assert_eq(s.results[0].offset, 0, "it is not known to be logged");
	cr_assert_eq(lab.fake.requests_count, 2);
	lab_submit_free(&s);
	lab_close(&lab);
}

Test(expiry, an_expired_id_that_no_attempt_used_is_refused)
{
	lab_open(&lab, 1, 1, NULL);
	lab.fake.handler = fake_expired;
	struct lab_submit s = one_transfer();
	cr_assert_eq(s.results[0].answer, ORDAIN_REFUSED);
	cr_assert_eq(s.results[0].status, ORDAIN_STATUS_REJECTED);
	cr_assert_eq(s.results[0].code, 17);
	lab_submit_free(&s);
	lab_close(&lab);
}
