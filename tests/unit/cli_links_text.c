/* SPDX-License-Identifier: Apache-2.0 - rules of links as texts: what is written is read back, as nft and tc say it. */
#include "cli/links_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ord_layout layout = {
	.nodes_count = 3, .netns = {.on = true, .network = 0x0a400500}, .nodes = {{.id = 1}, {.id = 2}, {.id = 3}}};
static const struct ord_links none;

/* Each rule in one link, and all in another. */
static struct ord_links some(void)
{
	struct ord_links l = {0};
	l.rules[0][1] = (struct ord_fault_link){.cut = true};
	l.rules[1][0] = (struct ord_fault_link){.loss_ppm = 12500};
	l.rules[0][2] = (struct ord_fault_link){.duplicate_ppm = 1000000};
	l.rules[2][0] = (struct ord_fault_link){.rate_bytes_s = 123456789};
	l.rules[1][2] = (struct ord_fault_link){.delay_ms = 30, .jitter_ms = 7, .reorder_ppm = 2500};
	l.rules[2][1] = (struct ord_fault_link){
		.cut = true, .delay_ms = 1, .loss_ppm = 1, .duplicate_ppm = 2, .reorder_ppm = 3, .rate_bytes_s = 4};
	l.soft[2][1] = true;
	return l;
}

static char *tables_text(const struct ord_links *now, const struct ord_links *wanted)
{
	struct ord_bytes out;
	ord_bytes_init(&out, 1 << 20);
	ord_links_text_tables(&layout, now, wanted, &out);
	ord_bytes_put_u8(&out, '\0');
	cr_assert_not(out.failed);
	return (char *)out.base;
}

static char *port_text(const struct ord_links *wanted, uint32_t b, bool needed)
{
	struct ord_bytes out;
	ord_bytes_init(&out, 1 << 20);
	cr_assert_eq(ord_links_text_port(&layout, wanted, b, &out), needed);
	ord_bytes_put_u8(&out, '\0');
	return (char *)out.base;
}

static struct ord_links tables_read(char *text)
{
	struct ord_links read = {0};
	char *rest = NULL;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		ord_links_text_rule_take(&layout, line, &read);
	return read;
}

Test(cli_links_text, tables_go_both_ways)
{
	struct ord_links wanted = some();
	char *text = tables_text(&none, &wanted);
	struct ord_links read = tables_read(text);
	free(text);
	for (int a = 0; a < 3; a++) {
		for (int b = 0; b < 3; b++) {
			const struct ord_fault_link *x = &read.rules[a][b], *y = &wanted.rules[a][b];
			cr_assert_eq(x->cut, y->cut, "%d>%d", a, b);
			cr_assert_eq(x->loss_ppm, y->loss_ppm, "%d>%d", a, b);
			cr_assert_eq(x->duplicate_ppm, y->duplicate_ppm, "%d>%d", a, b);
			cr_assert_eq(x->rate_bytes_s, y->rate_bytes_s, "%d>%d", a, b);
			cr_assert_eq(x->delay_ms, y->delay_ms, "%d>%d", a, b);
			cr_assert_eq(x->jitter_ms, y->jitter_ms, "%d>%d", a, b);
			cr_assert_eq(x->reorder_ppm, y->reorder_ppm, "%d>%d", a, b);
			cr_assert_eq(read.soft[a][b], wanted.soft[a][b], "%d>%d", a, b);
		}
	}
}

Test(cli_links_text, counters_of_a_rule_that_stays_go_on_and_others_begin_anew)
{
	struct ord_links now = some(), wanted = some();
	for (int a = 0; a < 3; a++) {
		for (int b = 0; b < 3; b++)
			now.counts[a][b] = (struct ord_fault_link_counts){
				.dropped = 11, .delayed = 22, .duplicated = 33, .bytes = 44};
	}
	wanted.rules[0][1] = (struct ord_fault_link){.loss_ppm = 500};
	char *text = tables_text(&now, &wanted);
	struct ord_links read = tables_read(text);
	free(text);
	cr_assert_eq(read.counts[0][1].dropped, 0);
	cr_assert_eq(read.counts[0][1].bytes, 0);
	cr_assert_eq(read.counts[1][0].dropped, 11);
	cr_assert_eq(read.counts[2][1].dropped, 11, "by a cut and a loss behind it");
	cr_assert_eq(read.counts[1][0].bytes, 44);
	cr_assert_eq(read.counts[0][2].duplicated, 33);
	cr_assert_eq(read.counts[2][0].delayed, 22);
}

Test(cli_links_text, lines_as_nft_says_them_are_read)
{
	struct ord_links read = {0};
	ord_links_text_rule_take(&layout,
				 "\t\tiifname \"n1\" oifname \"n2\" ether type ip counter packets 65 bytes 7689 drop "
				 "comment \"cut 1 2\"",
				 &read);
	cr_assert(read.rules[0][1].cut);
	cr_assert_eq(read.counts[0][1].dropped, 65);
	ord_links_text_rule_take(&layout, "\t\tcounter packets 9 bytes 10 comment \"through 3 1 1000 20 5 0 1\"",
				 &read);
	cr_assert_eq(read.rules[2][0].rate_bytes_s, 1000);
	cr_assert_eq(read.counts[2][0].bytes, 10);
	cr_assert(read.soft[2][0]);
}

Test(cli_links_text, what_is_no_rule_of_ours_says_nothing)
{
	static const char *const lines[] = {
		"table bridge ordain {",
		"",
		"counter packets 1 bytes 2 drop",
		"counter packets 1 bytes 2 drop comment \"cut 1\"",
		"counter packets 1 bytes 2 drop comment \"cut 1 9\"",
		"counter packets 1 bytes 2 drop comment \"wombat 1 2 3\"",
		"counter packets 1 bytes 2 comment \"through 1 2 3\"",
		"comment \"cut 1 2\"",
	};
	struct ord_links read = {0};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		ord_links_text_rule_take(&layout, lines[i], &read);
	for (int i = 0; i < 9; i++)
		cr_assert(ord_fault_link_is_none(&read.rules[i / 3][i % 3]), "%d>%d", i / 3, i % 3);
}

Test(cli_links_text, queues_are_for_rates_and_delays_that_the_kernel_makes)
{
	struct ord_links wanted = some();
	char *text = port_text(&wanted, 2, true);
	cr_assert_not_null(strstr(text, "class add dev n3 parent 1: classid 1:2 htb rate "), "%s", text);
	cr_assert_not_null(strstr(text, "match ip src 10.64.5.2/32 flowid 1:2\n"), "%s", text);
	cr_assert_not_null(strstr(text, "parent 1:2 handle 12: netem limit 100000 delay 30ms 7ms reorder 0.2500%\n"),
			   "%s", text);
	cr_assert_null(strstr(text, "1:1 "), "%s", text);
	free(text);
	text = port_text(&wanted, 1, true);
	cr_assert_not_null(strstr(text, "classid 1:3 htb rate 4bps"), "%s", text);
	cr_assert_null(strstr(text, "netem"), "%s", text);
	free(text);
	free(port_text(&none, 1, false));
}

Test(cli_links_text, a_queue_that_is_not_there_is_not_in_force)
{
	struct ord_links read = some();
	ord_links_text_port_take(&layout, 2, "class htb 1:2 root leaf 12: prio 0 rate 8Mbit",
				 "qdisc netem 12: dev n3 parent 1:2", &read);
	cr_assert_eq(read.rules[1][2].delay_ms, 30);
	ord_links_text_port_take(&layout, 2, "class htb 1:2 root prio 0 rate 8Mbit", "qdisc htb 1: dev n3 root", &read);
	cr_assert_eq(read.rules[1][2].delay_ms, 0);
	ord_links_text_port_take(&layout, 0, "", "", &read);
	cr_assert_eq(read.rules[2][0].rate_bytes_s, 0);
	cr_assert_eq(read.rules[1][0].loss_ppm, 12500);
	ord_links_text_port_take(&layout, 1, "class htb 1:3 root", "", &read);
	cr_assert_eq(read.rules[2][1].delay_ms, 1, "it is left to the node");
	cr_assert_eq(read.rules[2][1].rate_bytes_s, 4);
}
