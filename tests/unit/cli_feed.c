/* SPDX-License-Identifier: Apache-2.0 - feeding a file: order of results, same ids one after the other, bounds, counts. The cluster is played by
 * this file: it answers batches in random order, remembers ids, and fails when two commands with one id are under way together. */
#include "cli/feed.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/err.h"

#define PENDING_MAX 64
#define IDS_MAX 4000

struct ordain_client {
	uv_loop_t *loop;
	uv_idle_t idle;
};

/* One ordain_submit under way. */
struct pending {
	struct ordain_result *results; /* owned */
	size_t count;
	ordain_submit_cb cb;
	void *arg;
};

static struct ordain_client cluster;
static struct pending pending[PENDING_MAX];
static size_t pending_count, pending_most, items_most;
static struct {
	struct ordain_id id;
	bool under_way;
	int64_t amount;
} known[IDS_MAX];
static size_t known_count;
static uint64_t seed = 88172645463325252ull;
static int submit_error; /* what ordain_submit gives, 0: takes all */

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static size_t known_find(const struct ordain_id *id)
{
	size_t i = 0;
	while (i < known_count && memcmp(known[i].id.bytes, id->bytes, sizeof id->bytes) != 0)
		i++;
	return i;
}

/* The first command with an id settles; a later one is replayed when its amount is the same, refused when it is not. */
static void decide(const struct ordain_command *c, struct ordain_result *ret)
{
	size_t i = known_find(&c->id);
	*ret = (struct ordain_result){
		.id = c->id, .answer = ORDAIN_OK, .status = ORDAIN_STATUS_SETTLED, .name = "", .message = ""};
	if (i == known_count) {
		cr_assert_lt(known_count, IDS_MAX);
		known[known_count++].id = c->id;
		known[i].amount = c->transfer.amount;
	} else {
		cr_assert_not(known[i].under_way, "one id is under way twice");
		ret->replayed = true;
		if (known[i].amount != c->transfer.amount) {
			ret->answer = ORDAIN_REFUSED;
			ret->status = ORDAIN_STATUS_REJECTED;
			ret->name = "id_reused";
			ret->field = "amount";
		}
	}
	known[i].under_way = true;
	if (c->transfer.amount == 666) {
		ret->answer = ORDAIN_UNKNOWN;
		ret->status = ORDAIN_STATUS_NONE;
		ret->name = "unknown_outcome";
	}
}

static void answer_one(uv_idle_t *idle)
{
	size_t i = next_random() % pending_count;
	struct pending p = pending[i];
	pending[i] = pending[--pending_count];
	for (size_t k = 0; k < p.count; k++)
		known[known_find(&p.results[k].id)].under_way = false;
	if (pending_count == 0)
		uv_idle_stop(idle);
	p.cb(p.results, p.count, p.arg);
	free(p.results);
}

int ordain_open(uv_loop_t *loop, const struct ordain_options *options, struct ordain_client **ret)
{
	if (strcmp(options->addresses, "wrong") == 0)
		return ORDAIN_ERR_ARGUMENT;
	cluster.loop = loop;
	uv_idle_init(loop, &cluster.idle);
	*ret = &cluster;
	return 0;
}

void ordain_close(struct ordain_client *client, void (*closed)(void *arg), void *arg)
{
	cr_assert_eq(pending_count, 0);
	cr_assert_null(closed);
	cr_assert_null(arg);
	uv_close((uv_handle_t *)&client->idle, NULL);
}

int ordain_submit(struct ordain_client *client, const struct ordain_command *commands, size_t count,
		  const struct ordain_call_options *call, ordain_submit_cb cb, void *arg)
{
	struct pending *p = &pending[pending_count];
	(void)call;
	if (submit_error != 0)
		return submit_error;
	cr_assert_lt(pending_count, PENDING_MAX);
	*p = (struct pending){.results = calloc(count, sizeof *p->results), .count = count, .cb = cb, .arg = arg};
	for (size_t i = 0; i < count; i++)
		decide(&commands[i], &p->results[i]);
	pending_count++;
	pending_most = pending_count > pending_most ? pending_count : pending_most;
	items_most = count > items_most ? count : items_most;
	uv_idle_start(&client->idle, answer_one);
	return 0;
}

/* --- Helpers ---------------------------------------------------------------------------------------------------------- */

static struct ord_feed_summary sum;
static char why[512];
static char *results;
static size_t results_size;

static void line(FILE *out, unsigned id, int amount)
{
	fprintf(out, "00000000-0000-7000-8000-%012u,a,b,%d,EUR\n", id, amount);
}

static FILE *file_begin(void)
{
	FILE *file = tmpfile();
	cr_assert_not_null(file);
	fputs("request_id,payer,payee,amount,asset\n", file);
	return file;
}

static int run(FILE *in, uint32_t batch_lines, uint32_t batches)
{
	struct ordain_options options = {.addresses = "127.0.0.1:1"};
	struct ord_feed_options feed = {.kind = ORDAIN_TRANSFER,
					.in = in,
					.in_name = "payments.csv",
					.batch_lines = batch_lines,
					.batches = batches};
	rewind(in);
	feed.results = open_memstream(&results, &results_size);
	int err = ord_feed_run(&feed, &options, &sum, why, sizeof why);
	fclose(feed.results);
	fclose(in);
	return err;
}

static const char *result_line(unsigned number)
{
	static char text[512];
	const char *at = results;
	for (unsigned i = 0; i < number; i++)
		at = strchr(at, '\n') + 1;
	snprintf(text, sizeof text, "%.*s", (int)strcspn(at, "\n"), at);
	return text;
}

/* --- Tests ------------------------------------------------------------------------------------------------------------ */

Test(cli_feed, results_have_the_order_of_the_file)
{
	FILE *in = file_begin();
	for (unsigned i = 0; i < 3000; i++)
		line(in, i + 1, 1);
	cr_assert_eq(run(in, 10, 8), ORD_OK, "%s", why);
	cr_assert_eq(sum.lines, 3000);
	cr_assert_eq(sum.settled, 3000);
	cr_assert_eq(pending_most, 8, "batches are under way together");
	cr_assert_eq(items_most, 10);
	cr_assert_str_eq(result_line(0), "request_id,status,reason,replayed,field");
	for (unsigned i = 0; i < 3000; i++) {
		char expected[64];
		snprintf(expected, sizeof expected, "00000000-0000-7000-8000-%012u,settled,,false,", i + 1);
		cr_assert_str_eq(result_line(i + 1), expected);
	}
	free(results);
}

Test(cli_feed, lines_with_one_id_are_done_in_their_order)
{
	FILE *in = file_begin();
	uint64_t refused = 0, replayed = 0;
	for (unsigned i = 0; i < 2000; i++) {
		line(in, i + 1, 1);
		for (unsigned again = 0; i > 30 && i % 7 == 0 && again < 3; again++) {
			unsigned before = i - (unsigned)(next_random() % 30);
			int amount = again == 1 ? 2 : 1;
			line(in, before + 1, amount);
			refused += amount == 2;
			replayed++;
		}
	}
	cr_assert_eq(run(in, 16, 8), ORD_OK, "%s", why);
	cr_assert_eq(sum.settled + sum.refused, 2000 + replayed);
	cr_assert_eq(sum.refused, refused, "the first line of an id is the first in the cluster");
	cr_assert_eq(sum.replayed, replayed);
	cr_assert_eq(sum.reasons.count, 1);
	cr_assert_str_eq(sum.reasons.list[0].name, "id_reused");
	cr_assert_eq(sum.reasons.list[0].count, refused);
	free(results);
}

Test(cli_feed, the_same_line_over_and_over)
{
	FILE *in = file_begin();
	for (unsigned i = 0; i < 500; i++)
		line(in, 7, 1);
	cr_assert_eq(run(in, 100, 4), ORD_OK, "%s", why);
	cr_assert_eq(sum.settled, 500);
	cr_assert_eq(sum.replayed, 499);
	free(results);
}

Test(cli_feed, wrong_lines_keep_their_place_and_stop_nobody)
{
	FILE *in = file_begin();
	line(in, 1, 5);
	line(in, 2, 0);
	fputs("nonsense,a,b,1,EUR\n\"open,a,b,1,EUR\nshort\n", in);
	line(in, 3, 666);
	cr_assert_eq(run(in, 2, 2), ORD_OK, "%s", why);
	cr_assert_eq(sum.lines, 6);
	cr_assert_eq(sum.settled, 1);
	cr_assert_eq(sum.invalid, 4);
	cr_assert_eq(sum.unknown, 1);
	cr_assert_str_eq(result_line(1), "00000000-0000-7000-8000-000000000001,settled,,false,");
	cr_assert_str_eq(result_line(2),
			 "00000000-0000-7000-8000-000000000002,invalid,amount: '0' is not an integer from 1 to "
			 "9223372036854775807,false,");
	cr_assert_str_eq(result_line(3), "nonsense,invalid,request_id: 'nonsense' is not a UUID like "
					 "0190b5f0-7c4e-7a11-8f00-0123456789ab,false,");
	cr_assert_str_eq(result_line(4), ",invalid,a double quote is opened and not closed on this line,false,");
	cr_assert_str_eq(result_line(5), "short,invalid,1 fields where the heading has 5,false,");
	cr_assert_str_eq(result_line(6), "00000000-0000-7000-8000-000000000003,unknown,unknown_outcome,false,");
	free(results);
}

Test(cli_feed, a_result_names_the_field_that_differs)
{
	FILE *in = file_begin();
	line(in, 1, 5);
	line(in, 1, 6);
	line(in, 1, 5);
	cr_assert_eq(run(in, 10, 2), ORD_OK, "%s", why);
	cr_assert_str_eq(result_line(1), "00000000-0000-7000-8000-000000000001,settled,,false,");
	cr_assert_str_eq(result_line(2), "00000000-0000-7000-8000-000000000001,rejected,id_reused,true,amount");
	cr_assert_str_eq(result_line(3), "00000000-0000-7000-8000-000000000001,settled,,true,");
	free(results);
}

Test(cli_feed, what_the_library_does_not_take_has_failed)
{
	FILE *in = file_begin();
	for (unsigned i = 0; i < 50; i++)
		line(in, i % 25 + 1, 1);
	submit_error = ORDAIN_ERR_LIMIT;
	cr_assert_eq(run(in, 10, 2), ORD_OK, "%s", why);
	cr_assert_eq(sum.failed, 50);
	cr_assert_str_eq(sum.reasons.list[0].name, "limit");
	cr_assert_str_eq(result_line(50), "00000000-0000-7000-8000-000000000025,failed,limit,false,");
	free(results);
}

Test(cli_feed, a_wrong_heading_sends_nothing)
{
	FILE *in = tmpfile();
	fputs("request_id,payer,amount,asset\n", in);
	line(in, 1, 1);
	cr_assert_eq(run(in, 10, 2), ORD_ERR_FORMAT);
	cr_assert_not_null(strstr(why, "column payee is missing"));
	cr_assert_eq(pending_most, 0);
	free(results);
	cr_assert_eq(run(tmpfile(), 10, 2), ORD_ERR_FORMAT, "an empty file");
	free(results);
}

Test(cli_feed, a_file_of_only_a_heading_is_done)
{
	cr_assert_eq(run(file_begin(), 10, 2), ORD_OK, "%s", why);
	cr_assert_eq(sum.lines, 0);
	cr_assert_str_eq(results, "request_id,status,reason,replayed,field\n");
	free(results);
}

Test(cli_feed, from_a_pipe_one_batch_at_a_time)
{
	FILE *in = popen("printf 'request_id,payer,payee,amount,asset\\n'; for i in 1 2 3 4 5 6 7 8 9; do "
			 "printf '00000000-0000-7000-8000-00000000000%s,a,b,1,EUR\\n' $i; done",
			 "r");
	struct ordain_options options = {.addresses = "127.0.0.1:1"};
	struct ord_feed_options feed = {
		.kind = ORDAIN_TRANSFER, .in = in, .in_name = "-", .batch_lines = 2, .batches = 8};
	cr_assert_eq(ord_feed_run(&feed, &options, &sum, why, sizeof why), ORD_OK, "%s", why);
	pclose(in);
	cr_assert_eq(sum.settled, 9);
	cr_assert_eq(pending_most, 1);
}

Test(cli_feed, wrong_addresses_are_named)
{
	struct ordain_options options = {.addresses = "wrong"};
	FILE *in = file_begin();
	rewind(in);
	struct ord_feed_options feed = {
		.kind = ORDAIN_TRANSFER, .in = in, .in_name = "x", .batch_lines = 2, .batches = 8};
	cr_assert_eq(ord_feed_run(&feed, &options, &sum, why, sizeof why), ORD_ERR_INVALID);
	cr_assert_not_null(strstr(why, "'wrong'"));
	fclose(in);
}
