/* SPDX-License-Identifier: Apache-2.0 - checkers look at whatever a file holds: histories that were damaged by chance are judged or refused, nothing crashes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "jepsen/checkers/availability.h"
#include "jepsen/checkers/bank.h"
#include "jepsen/checkers/idempotence.h"
#include "jepsen/checkers/order.h"
#include "jepsen/checkers/register.h"
#include "jepsen/checkers/set.h"
#include "jepsen/checkers/shape.h"
#include "jepsen/checkers/stock.h"
#include "jepsen/checkers/unique.h"
#include "tests/support/jepsen_story.h"
#include "tests/support/random.h"

#define LINES_MAX 64
#define TEXT_BYTES_MAX 8192
#define ROUNDS 3000

/* Something of everything: each line is looked at by one checker or more. */
static const char *const lines[] = {
	"0 invoke open {:account :mint :floor -1000}",
	"0 ok open nil",
	"0 invoke open {:account :i :floor 0 :stock 5}",
	"0 ok open nil",
	"0 invoke transfer {:id 1 :from :mint :to :i :amount 5}",
	"0 ok transfer {:id 1 :outcome :settled :replayed false :position [0 1]}",
	"1 invoke transfer {:id 2 :from :i :to :b :amount 3}",
	"2 invoke transfer {:id 2 :from :i :to :b :amount 4}",
	"2 ok transfer {:id 2 :outcome :refused :reason :id_reused :replayed true}",
	"1 ok transfer {:id 2 :outcome :settled :replayed false :position [0 2]}",
	"3 invoke transfer {:id 3 :from :i :to :b :amount 3}",
	"3 info transfer nil error :timeout",
	"nemesis info kill {:node 1}",
	"1 invoke read nil",
	"1 ok read {:i 2 :b 3}",
	"1 invoke read [7 nil]",
	"1 ok read [7 nil]",
	"1 invoke cas [7 [nil 3]]",
	"1 ok cas [7 [nil 3]]",
	"2 invoke cas [7 [4 3]]",
	"2 fail cas [7 [4 3]] error [:not 4]",
	"2 invoke write [7 9]",
	"2 info write [7 9]",
	"nemesis info heal nil",
	"1 invoke add 4",
	"1 ok add 4",
	"1 invoke read {:from 1 :to 9}",
	"1 ok read {:from 1 :to 9 :found [4]}",
	"1 invoke claim {:id 9 :name :n :owner :a}",
	"1 ok claim {:id 9 :outcome :settled :position [1 4]}",
	"1 invoke release {:id 10 :name :n :owner :b}",
	"1 ok release {:id 10 :outcome :refused :reason :other_owner :position [1 5]}",
	"1 invoke read {:name :n}",
	"1 ok read {:name :n :owner :a}",
	"1 invoke request {:id 3}",
	"1 ok request {:id 3 :outcome :none}",
	"1 invoke log {:node 1 :partition 0}",
	"1 ok log {:node 1 :partition 0 :from 0 :commands [\"a\" \"b\" nil] :ids [nil 1 2]}",
	"1 invoke final-read nil",
	"1 ok final-read {:mint -5 :i 2 :b 3}",
};

#define LINES (sizeof lines / sizeof *lines)

static const char *const values[] = {
	"nil",
	"7",
	"-9223372036854775808",
	"9223372036854775807",
	"\"x\"",
	":settled",
	"[]",
	"[7]",
	"[7 nil]",
	"[7 [nil 7]]",
	"{}",
	"{:id 1}",
	"{:id 2 :from :i :to :i :amount 1}",
	"{:id 3 :outcome :settled :position [9223372036854775807 1]}",
	"{:from 1 :to 9223372036854775807 :found [1]}",
	"{:from -9223372036854775808 :to 9223372036854775807 :found []}",
	"{:i -9223372036854775808 :b 9223372036854775807}",
	"{:account :i :floor -9223372036854775808 :stock 9223372036854775807 :ceiling -9223372036854775808}",
	"{:node 1 :partition 0 :from 9223372036854775807 :commands [1 2]}",
	"{:name nil :owner nil}",
	"[[[nil]]]",
};

/* Puts another value in the place of the line's. */
static void damage(struct random *r, char *line, size_t bytes)
{
	char process[32], type[16], f[32];
	cr_assert_eq(sscanf(line, "%31s %15s %31s", process, type, f), 3);
	snprintf(line, bytes, "%s %s %s %s", process, type, f, values[random_below(r, sizeof values / sizeof *values)]);
}

/* The lines, some missing, twice, at another place, of another process or with another value. */
static void make(struct random *r, char *text)
{
	size_t len = 0;
	unsigned percent = (unsigned)random_below(r, 20);
	for (size_t i = 0; i < LINES; i++) {
		char line[512];
		size_t from = random_chance(r, percent) ? (size_t)random_below(r, LINES) : i;
		snprintf(line, sizeof line, "%s", lines[from]);
		if (random_chance(r, percent))
			continue;
		if (random_chance(r, percent))
			damage(r, line, sizeof line);
		if (random_chance(r, percent) && line[0] != 'n')
			line[0] = (char)('0' + random_below(r, 4));
		len += (size_t)snprintf(text + len, TEXT_BYTES_MAX - len, "%s\n", line);
		if (random_chance(r, percent))
			len += (size_t)snprintf(text + len, TEXT_BYTES_MAX - len, "at %d\n", (int)random_below(r, 50));
	}
}

static int check_register(const struct ord_jepsen_history *h, struct ord_verdict *v)
{
	return ord_check_register(h, NULL, v);
}

static int check_unique(const struct ord_jepsen_history *h, struct ord_verdict *v)
{
	return ord_check_unique(h, NULL, v);
}

static int check_availability(const struct ord_jepsen_history *h, struct ord_verdict *v)
{
	return ord_check_availability(h, NULL, v);
}

Test(jepsen_robust, a_damaged_history_is_judged)
{
	int (*const checks[])(const struct ord_jepsen_history *h, struct ord_verdict *v) = {
		ord_check_shape, check_register, ord_check_bank,  ord_check_idempotence, ord_check_stock,
		ord_check_set,	 check_unique,	 ord_check_order, check_availability};
	uint64_t counts[ORD_INVALID + 1] = {0};
	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		static char text[TEXT_BYTES_MAX];
		struct random r = random_of(seed);
		struct ord_jepsen_history h;
		text[0] = '\0';
		make(&r, text);
		story_of(text, &h);
		for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
			struct ord_verdict v;
			struct ord_edn_pool pool;
			FILE *nowhere = fopen("/dev/null", "w");
			cr_assert_eq(checks[i](&h, &v), ORD_OK, "seed %lu", (unsigned long)seed);
			counts[v.validity]++;
			ord_edn_pool_init(&pool, 1 << 20);
			struct ord_edn told = ord_verdict_edn(&v, &pool);
			cr_assert(!pool.failed);
			ord_edn_write(nowhere, told);
			ord_edn_write_json(nowhere, told);
			ord_edn_pool_close(&pool);
			ord_verdict_close(&v);
			fclose(nowhere);
		}
		ord_jepsen_close(&h);
	}
	fprintf(stderr, "%lu valid, %lu unknown, %lu invalid\n", (unsigned long)counts[ORD_VALID],
		(unsigned long)counts[ORD_UNKNOWN], (unsigned long)counts[ORD_INVALID]);
	cr_assert_gt(counts[ORD_VALID], 100);
	cr_assert_gt(counts[ORD_UNKNOWN], 1000);
	cr_assert_gt(counts[ORD_INVALID], 1000);
}

/* The same for the reader: bytes of a history's text are changed. */
Test(jepsen_robust, a_damaged_text_is_read_or_refused)
{
	static char text[TEXT_BYTES_MAX];
	struct ord_jepsen_history h;
	char *written = NULL;
	size_t len;
	uint32_t read = 0, refused = 0;
	struct random r = random_of(7);
	for (size_t i = 0; i < LINES; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n", lines[i]);
	story_of(text, &h);
	FILE *out = open_memstream(&written, &len);
	cr_assert_eq(ord_jepsen_write(&h, 0, out), ORD_OK);
	fclose(out);
	ord_jepsen_close(&h);
	for (int i = 0; i < ROUNDS; i++) {
		struct ord_edn_problem problem;
		size_t at = (size_t)random_below(&r, len);
		char kept = written[at];
		written[at] = (char)random_next(&r);
		FILE *in = fmemopen(written, len, "r");
		int err = ord_jepsen_read(in, &h, &problem);
		fclose(in);
		written[at] = kept;
		cr_assert(err == ORD_OK || err == ORD_ERR_FORMAT, "%d", err);
		read += err == ORD_OK;
		refused += err != ORD_OK;
		if (err == ORD_OK)
			ord_jepsen_close(&h);
	}
	free(written);
	cr_assert_gt(read, 100);
	cr_assert_gt(refused, 1000);
}
