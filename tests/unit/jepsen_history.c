/* SPDX-License-Identifier: Apache-2.0 - histories: processes that an info retires, and the text that Jepsen reads. */
#include "jepsen/history.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

#include "base/err.h"

static struct ord_jepsen_history h;

static void begin(void)
{
	cr_assert_eq(ord_jepsen_open(3, &h), ORD_OK);
}

static void end(void)
{
	ord_jepsen_close(&h);
}

TestSuite(jepsen_history, .init = begin, .fini = end);

static void ask(uint32_t thread, uint64_t time_ns, const char *f, struct ord_edn value)
{
	cr_assert_eq(ord_jepsen_invoke(&h, thread, time_ns, f, value, NULL), ORD_OK);
}

static void done(uint32_t thread, uint64_t time_ns, enum ord_jepsen_type type, struct ord_edn value)
{
	cr_assert_eq(ord_jepsen_complete(&h, thread, time_ns, type, value, ord_edn_nil()), ORD_OK);
}

/* To be freed. */
static char *text_of(const struct ord_jepsen_history *from)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	cr_assert_eq(ord_jepsen_write(from, 0, out), ORD_OK);
	fclose(out);
	return text;
}

static int read_text(const char *text, struct ord_jepsen_history *ret, struct ord_edn_problem *problem)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int err = ord_jepsen_read(in, ret, problem);
	fclose(in);
	return err;
}

static const char *const written =
	"{:index 0, :time 5, :process 0, :type :invoke, :f :read, :value [\"k\" nil]}\n"
	"{:index 1, :time 6, :process 2, :type :invoke, :f :cas, :value [1 2]}\n"
	"{:index 2, :time 7, :process :nemesis, :type :info, :f :kill, :value {:node 3}}\n"
	"{:index 3, :time 8, :process 0, :type :ok, :f :read, :value [\"k\" 1]}\n"
	"{:index 4, :time 9, :process 2, :type :info, :f :cas, :value [1 2], :error :timeout}\n"
	"{:index 5, :time 9, :process 5, :type :invoke, :f :read, :value nil}\n"
	"{:index 6, :time 12, :process 5, :type :fail, :f :read, :value nil}\n";

static void write_down(void)
{
	struct ord_edn_pool pool;
	ord_edn_pool_init(&pool, 1 << 16);
	struct ord_edn map = ord_edn_map(&pool, 1);
	ord_edn_put_word(&map, "node", ord_edn_int(3));
	struct ord_edn cas = ord_edn_pair(&pool, ord_edn_int(1), ord_edn_int(2));
	ask(0, 5, "read", ord_edn_pair(&pool, ord_edn_literal("k"), ord_edn_nil()));
	ask(2, 6, "cas", cas);
	cr_assert_eq(ord_jepsen_nemesis(&h, 7, "kill", map, ord_edn_nil()), ORD_OK);
	done(0, 8, ORD_JEPSEN_OK, ord_edn_pair(&pool, ord_edn_literal("k"), ord_edn_int(1)));
	cr_assert_eq(ord_jepsen_complete(&h, 2, 9, ORD_JEPSEN_INFO, cas, ord_edn_word("timeout")), ORD_OK);
	ask(2, 4, "read", ord_edn_nil());
	done(2, 12, ORD_JEPSEN_FAIL, ord_edn_nil());
	ord_edn_pool_close(&pool); /* what was handed in may go */
}

Test(jepsen_history, is_written_as_jepsen_does)
{
	write_down();
	char *text = text_of(&h);
	cr_assert_str_eq(text, written);
	free(text);
}

Test(jepsen_history, what_is_written_is_read_back)
{
	struct ord_jepsen_history back;
	struct ord_edn_problem problem;
	int err = read_text(written, &back, &problem);
	cr_assert_eq(err, ORD_OK, "%s", problem.why);
	char *text = text_of(&back);
	cr_assert_str_eq(text, written);
	free(text);
	write_down();
	cr_assert_eq(back.ops_count, h.ops_count);
	for (uint32_t i = 0; i < h.ops_count; i++)
		cr_assert_eq(back.ops[i].other, h.ops[i].other, "operation %u", i);
	cr_assert_eq(back.ops[0].f, back.ops[3].f);
	ord_jepsen_close(&back);
}

Test(jepsen_history, an_info_retires_its_process_for_ever)
{
	for (int i = 0; i < 3; i++) {
		ask(1, 1, "read", ord_edn_nil());
		cr_assert_eq(h.ops[h.ops_count - 1].process, 1 + 3 * i);
		done(1, 2, ORD_JEPSEN_INFO, ord_edn_nil());
	}
	ask(1, 3, "read", ord_edn_nil());
	done(1, 3, ORD_JEPSEN_OK, ord_edn_nil());
	ask(1, 4, "read", ord_edn_nil());
	cr_assert_eq(h.ops[h.ops_count - 1].process, 10);
	cr_assert_eq(h.ops[h.ops_count - 1].other, ORD_JEPSEN_NONE);
}

Test(jepsen_history, a_thread_asks_one_thing_at_a_time, .signal = SIGABRT)
{
	ask(0, 1, "read", ord_edn_nil());
	ask(0, 2, "read", ord_edn_nil());
}

Test(jepsen_history, nothing_is_completed_that_was_not_asked, .signal = SIGABRT)
{
	done(0, 2, ORD_JEPSEN_OK, ord_edn_nil());
}

Test(jepsen_history, knows_so_many_fs_and_no_more)
{
	char f[16];
	for (int i = 0; i < 256; i++) {
		snprintf(f, sizeof f, "f%d", i);
		cr_assert_eq(ord_jepsen_nemesis(&h, 1, f, ord_edn_nil(), ord_edn_nil()), ORD_OK);
	}
	cr_assert_eq(ord_jepsen_nemesis(&h, 1, "another", ord_edn_nil(), ord_edn_nil()), ORD_ERR_TOO_BIG);
	cr_assert_eq(h.ops_count, 256);
	cr_assert_eq(ord_jepsen_nemesis(&h, 1, "f7", ord_edn_nil(), ord_edn_nil()), ORD_OK);
}

Test(jepsen_history, a_full_stream_is_an_error)
{
	FILE *full = fopen("/dev/full", "w");
	write_down();
	cr_assert_eq(ord_jepsen_write(&h, 0, full), ORD_ERR_IO);
	fclose(full);
}

Test(jepsen_history, a_bad_line_is_refused_with_its_number)
{
	static const struct {
		const char *line;
		const char *why;
	} bad[] = {
		{"", "no value"},
		{"[1]", "a line that is not one map"},
		{"{:index 2, :time 1, :process 0, :type :invoke, :f :r}",
		 ":index is not the number of operations before it"},
		{"{:index 1, :time -1, :process 0, :type :invoke, :f :r}", ":time is no integer from 0 up"},
		{"{:index 1, :process 0, :type :invoke, :f :r}", ":time is no integer from 0 up"},
		{"{:index 1, :time 1, :process -1, :type :invoke, :f :r}",
		 ":process is neither :nemesis nor an integer from 0 to 16777215"},
		{"{:index 1, :time 1, :process 16777216, :type :invoke, :f :r}",
		 ":process is neither :nemesis nor an integer from 0 to 16777215"},
		{"{:index 1, :time 1, :process 0, :type :done, :f :r}", ":type is none of :invoke, :ok, :fail, :info"},
		{"{:index 1, :time 1, :process 0, :type :ok, :f \"r\"}", ":f is no keyword, or longer than 64 bytes"},
		{"{:index 1, :time 1, :process 0, :type :ok, :f :r", "a map without its end"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[512];
		struct ord_jepsen_history back;
		struct ord_edn_problem problem;
		snprintf(text, sizeof text,
			 "{:index 0, :time 0, :process 0, :type :invoke, :f :read, :value nil}\n%s\n", bad[i].line);
		cr_assert_eq(read_text(text, &back, &problem), ORD_ERR_FORMAT, "%s", bad[i].line);
		cr_assert_str_eq(problem.why, bad[i].why);
		cr_assert_eq(problem.line, 2);
	}
}

Test(jepsen_history, a_line_without_an_end_is_refused_in_time, .timeout = 20)
{
	struct ord_jepsen_history read;
	struct ord_edn_problem problem;
	FILE *endless = fopen("/dev/zero", "r");
	cr_assert_eq(ord_jepsen_read(endless, &read, &problem), ORD_ERR_FORMAT);
	cr_assert_eq(problem.line, 1);
	fclose(endless);
}

Test(jepsen_history, what_makes_no_sense_together_is_read_all_the_same)
{
	struct ord_jepsen_history back;
	struct ord_edn_problem problem;
	cr_assert_eq(read_text("{:index 0, :time 9, :process 4, :type :ok, :f :a, :value nil}\n"
			       "{:index 1, :time 3, :process 4, :type :invoke, :f :a, :value nil}\n"
			       "{:index 2, :time 3, :process 4, :type :invoke, :f :b, :value nil}\n"
			       "{:index 3, :time 3, :process 4, :type :info, :f :a, :value nil, :more 1}\n",
			       &back, &problem),
		     ORD_OK);
	cr_assert_eq(back.ops[0].other, ORD_JEPSEN_NONE);
	cr_assert_eq(back.ops[1].other, ORD_JEPSEN_NONE);
	cr_assert_eq(back.ops[2].other, 3);
	cr_assert_eq(back.ops[3].other, 2);
	ord_jepsen_close(&back);
}
