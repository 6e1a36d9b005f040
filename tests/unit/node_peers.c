/* SPDX-License-Identifier: Apache-2.0 - connections between nodes over real sockets: who is let in, what is kept whole, and that nothing hangs. */
#include "node/peers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "tests/support/node_side.h"

TestSuite(peers, .init = side_bench_make, .fini = side_bench_clean, .timeout = 60);

/* The disk does nothing while it stands. */
static atomic_bool disk_stands;

int fsync(int fd)
{
	while (atomic_load(&disk_stands))
		usleep(1000);
	return (int)syscall(SYS_fsync, fd);
}

/* --- Two nodes. --- */

Test(peers, parts_of_all_lengths_come_whole_and_in_order)
{
	side_both_start();
	uint32_t number = 0;
	uint64_t bytes = 0;
	const size_t lengths[] = {4, 5, 1000, 1u << 20, 4, 8u << 20, 3u << 20, 64};
	for (unsigned round = 0; round < 4; round++) {
		for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++, number++) {
			side_part_send(&sides[1], 2, number, lengths[i]);
			side_part_send(&sides[2], 1, number, lengths[i]);
			bytes += lengths[i];
			if (i % 3 == round % 3)
				side_turn();
		}
		SIDE_TURN_UNTIL(sides[1].next == number && sides[2].next == number);
	}
	for (unsigned i = 0; i < 100000; i++, number++) {
		side_part_send(&sides[1], 2, number, 40);
		bytes += 40;
	}
	cr_assert_eq(side_status(&sides[1]).dropped_count, 0);
	SIDE_TURN_UNTIL(sides[2].next == number);
	cr_assert_eq(sides[2].bytes, bytes);
	cr_assert_eq(side_status(&sides[1]).output_bytes, 0);
	side_both_stop();
}

Test(peers, what_is_too_much_is_dropped_whole_and_counted)
{
	side_both_start();
	uint32_t sent = 0;
	while (side_status(&sides[1]).dropped_count == 0) {
		side_part_send(&sides[1], 2, sent, 1u << 20);
		sent++;
	}
	uint32_t kept = sent - 1;
	cr_assert_leq(side_status(&sides[1]).output_bytes, ORD_PEER_OUTPUT_BYTES_MAX / 2);
	cr_assert_geq(kept, (ORD_PEER_OUTPUT_BYTES_MAX / 2 >> 20) - 1);
	ord_peers_flush(sides[1].peers);
	cr_assert_geq(side_status(&sides[1]).output_bytes, (size_t)kept << 20, "what is being written counts");
	SIDE_TURN_UNTIL(sides[2].next == kept);
	side_part_send(&sides[1], 2, kept, 100);
	SIDE_TURN_UNTIL(sides[2].next == kept + 1);
	cr_assert_eq(sides[1].lost_count, 0);
	side_both_stop();
}

Test(peers, a_node_that_stops_and_comes_back_is_told_of)
{
	side_both_start();
	side_stop(&sides[2]);
	SIDE_TURN_UNTIL(!sides[1].connected[2]);
	side_part_send(&sides[1], 2, 77, 100); /* to nobody: lost */
	side_start(side_of(2));
	SIDE_TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	side_part_send(&sides[1], 2, 0, 100);
	SIDE_TURN_UNTIL(sides[2].next == 1);
	cr_assert_eq(sides[1].lost_count, 1);
	side_both_stop();
}

Test(peers, a_part_that_the_owner_refuses_ends_the_connection_which_is_then_made_anew)
{
	side_both_start();
	ord_peers_send(sides[1].peers, 2, SIDE_PART_REFUSED, ord_slice_text("?"));
	SIDE_TURN_UNTIL(sides[2].lost_count == 1 && sides[1].lost_count == 1);
	SIDE_TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	side_part_send(&sides[1], 2, 0, 100);
	SIDE_TURN_UNTIL(sides[2].next == 1);
	side_both_stop();
}

/* A connection that ends while a long frame is under way: nothing of the old one may reach the new one. */
Test(peers, a_connection_that_ends_in_the_middle_of_a_frame_leaves_no_half)
{
	side_both_start();
	for (unsigned round = 0; round < 20; round++) {
		sides[2].next = 0;
		for (uint32_t i = 0; i < 20; i++)
			side_part_send(&sides[1], 2, i, 1u << 20);
		ord_peers_flush(sides[1].peers);
		side_part_send(&sides[1], 2, 20, 100); /* collects behind it */
		for (unsigned i = 0; i < round / 4; i++)
			side_turn();
		side_stop(&sides[2]);
		side_start(side_of(2));
		SIDE_TURN_UNTIL(!sides[1].connected[2]);
		SIDE_TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
		uint32_t first = sides[2].next;
		side_part_send(&sides[1], 2, first, 100);
		SIDE_TURN_UNTIL(sides[2].next == first + 1);
	}
	side_both_stop();
}

/* --- Who may not take part. --- */

static void never_connect(struct side *a, struct side *b)
{
	side_start(a);
	side_start(b);
	side_turn_for(500); /* several attempts */
	cr_assert_not(a->connected[2]);
	cr_assert_not(b->connected[1]);
	side_both_stop();
}

Test(peers, another_cluster_does_not_connect)
{
	side_of(1);
	side_of(2)->config.cluster.bytes[0]++;
	never_connect(&sides[1], &sides[2]);
}

Test(peers, another_number_of_partitions_does_not_connect)
{
	side_of(1);
	side_of(2)->config.partitions_count++;
	never_connect(&sides[1], &sides[2]);
}

Test(peers, a_directory_that_was_replaced_does_not_connect)
{
	side_both_start();
	SIDE_TURN_UNTIL(sides[2].member != 0);
	side_stop(&sides[2]);
	struct ord_config old = sides[2].config;
	snprintf(sides[2].config.data_dir, sizeof sides[2].config.data_dir, "%s/another", side_parent);
	SIDE_TURN_UNTIL(!sides[1].connected[2]);
	side_start(&sides[2]);
	SIDE_TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	side_stop(&sides[2]);
	SIDE_TURN_UNTIL(!sides[1].connected[2]);
	sides[2].config = old;
	side_start(&sides[2]);
	side_turn_for(500);
	cr_assert_not(sides[1].connected[2]);
	side_both_stop();
}

Test(peers, a_peer_that_cannot_be_remembered_does_not_connect)
{
	char in_the_way[sizeof side_of(1)->config.data_dir + 16];
	snprintf(in_the_way, sizeof in_the_way, "%s/peers.new", side_of(1)->config.data_dir);
	cr_assert_eq(mkdir(sides[1].config.data_dir, 0700), 0);
	cr_assert_eq(mkdir(in_the_way, 0700), 0);
	side_start(&sides[1]);
	side_start(side_of(2));
	side_turn_for(500);
	cr_expect_not(sides[1].connected[2]);
	cr_expect_not(sides[2].connected[1]);
	cr_assert_eq(rmdir(in_the_way), 0);
	SIDE_TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	side_both_stop();
}

Test(peers, a_wrong_greeting_is_refused_with_its_reason)
{
	side_start(side_of(1));
	struct ord_greeting g = side_greeting(2, 1);
	g.cluster.bytes[3] = 1;
	side_expect_refusal(&g, "check cluster_id");
	g = side_greeting(2, 1);
	g.partitions_count = 9;
	side_expect_refusal(&g, "9 partitions");
	g = side_greeting(2, 1);
	g.shards_count++;
	side_expect_refusal(&g, "give all nodes the same number");
	g = side_greeting(2, 1);
	g.shard++;
	side_expect_refusal(&g, "shard 1 of node 2 met shard 0 of node 1");
	g = side_greeting(2, 3);
	side_expect_refusal(&g, "looks for node 3");
	g = side_greeting(3, 1);
	side_expect_refusal(&g, "not one of the nodes");
	g = side_greeting(1, 1);
	side_expect_refusal(&g, "not one of the nodes");
	g = side_greeting(2, 1);
	g.protocol = 99;
	side_expect_refusal(&g, "peer protocol 99");
	g = side_greeting(2, 1);
	g.member = 3;
	side_expect_refusal(&g, "says that it is member 3");
	g.member = UINT64_C(0x0109000000000002);
	side_expect_refusal(&g, "cannot be");
	/* The directory that was met last counts, those before it are refused; and founders are first. */
	struct ord_greeting later = side_greeting(2, 1);
	g = side_greeting(2, 1);
	g.member = 2;
	later.incarnation.bytes[5] = 1;
	side_expect_welcome(&g);
	side_expect_welcome(&g);
	later.member = 2;
	side_expect_refusal(&later, "from its beginning");
	later.member = UINT64_C(0x0000010200000002);
	side_expect_welcome(&later);
	cr_expect_eq(sides[1].members[2], later.member);
	side_expect_refusal(&g, "another one has replaced");
	side_expect_welcome(&later);
	side_stop(&sides[1]);
}

static void expect_closing(const void *base, size_t len)
{
	struct client c = client_open(&side_loop, side_ports[1], 0);
	client_send(&c, base, len);
	side_is_closed(&c);
}

Test(peers, bytes_that_no_node_sends_end_the_connection)
{
	side_start(side_of(1));
	static const char http[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	expect_closing(http, sizeof http - 1);
	struct ord_bytes out;
	ord_bytes_init(&out, 4096);
	size_t begun = ord_frame_begin(&out);
	ord_bytes_extend(&out, 2000);
	memset(out.base + ORD_FRAME_HEADER_BYTES, 0, 2000);
	ord_frame_end(&out, begun, ORD_FRAME_HELLO);
	expect_closing(out.base, out.len); /* longer than a greeting may be */
	ord_bytes_clear(&out);
	begun = ord_frame_begin(&out);
	ord_frame_put_part(&out, SIDE_PART_NUMBERED, ord_slice_text("body"));
	ord_frame_end(&out, begun, ORD_FRAME_PARTS);
	expect_closing(out.base, out.len); /* without a greeting */
	out.base[out.len - 1] ^= 1;
	expect_closing(out.base, out.len);
	ord_bytes_close(&out);
	side_stop(&sides[1]);
}

/* After the greeting: the same, and half a part. */
Test(peers, a_welcomed_connection_is_held_to_frames_of_parts)
{
	side_start(side_of(1));
	struct ord_greeting g = side_greeting(2, 1);
	struct client early = client_open(&side_loop, side_ports[1], 0);
	side_greet(&early, &g, ORD_FRAME_PARTS); /* a greeting in a frame of another kind is none */
	cr_assert_eq(side_answer(&early).kind, ORD_FRAME_REFUSED);
	side_is_closed(&early);
	for (unsigned kind = 0; kind < 7; kind++) {
		struct client c = client_open(&side_loop, side_ports[1], 0);
		side_greet(&c, &g, ORD_FRAME_HELLO);
		cr_assert_eq(side_answer(&c).kind, ORD_FRAME_WELCOME);
		struct ord_bytes out;
		ord_bytes_init(&out, 4096);
		size_t begun = ord_frame_begin(&out);
		ord_frame_put_part(&out, kind == 0 ? SIDE_PART_REFUSED : SIDE_PART_NUMBERED, ord_slice_text("body"));
		if (kind == 1)
			out.len--;					       /* the part says that it is longer */
		const uint64_t wrong[] = {0, 3, UINT64_C(0x0109000000000002)}; /* members that it cannot be */
		if (kind >= 4) {
			ord_bytes_clear(&out);
			begun = ord_frame_begin(&out);
			ord_frame_put_member(&out, wrong[kind - 4]);
		}
		ord_frame_end(&out, begun, kind == 2 ? ORD_FRAME_HELLO : kind < 4 ? ORD_FRAME_PARTS : ORD_FRAME_MEMBER);
		if (kind == 3)
			out.base[4] ^= 1; /* checksum */
		client_send(&c, out.base, out.len);
		ord_bytes_close(&out);
		side_is_closed(&c);
	}
	cr_assert_eq(sides[1].next, 0);
	side_stop(&sides[1]);
}

Test(peers, the_newer_of_two_connections_of_one_node_stays)
{
	side_start(side_of(1));
	struct ord_greeting g = side_greeting(2, 1);
	struct client older = client_open(&side_loop, side_ports[1], 0);
	side_greet(&older, &g, ORD_FRAME_HELLO);
	cr_assert_eq(side_answer(&older).kind, ORD_FRAME_WELCOME);
	struct client newer = client_open(&side_loop, side_ports[1], 0);
	side_greet(&newer, &g, ORD_FRAME_HELLO);
	cr_assert_eq(side_answer(&newer).kind, ORD_FRAME_WELCOME);
	side_is_closed(&older);
	cr_assert_eq(sides[1].ended_count, 1);
	struct ord_bytes out;
	ord_bytes_init(&out, 4096);
	size_t begun = ord_frame_begin(&out);
	uint8_t *part = side_part_make(0, 100);
	ord_frame_put_part(&out, SIDE_PART_NUMBERED, ord_slice_of(part, 100));
	ord_frame_end(&out, begun, ORD_FRAME_PARTS);
	client_send(&newer, out.base, out.len);
	SIDE_TURN_UNTIL(sides[1].next == 1);
	free(part);
	ord_bytes_close(&out);
	client_close(&newer);
	side_stop(&sides[1]);
}

Test(peers, the_newer_of_two_connections_stays_when_both_waited_for_the_disk)
{
	side_start(side_of(1));
	atomic_store(&disk_stands, true);
	struct ord_greeting g = side_greeting(2, 1);
	struct client gone = client_open(&side_loop, side_ports[1], 0);
	side_greet(&gone, &g, ORD_FRAME_HELLO);
	side_turn_for(50);
	struct client older = client_open(&side_loop, side_ports[1], 0);
	side_greet(&older, &g, ORD_FRAME_HELLO);
	side_turn_for(50);
	struct client newer = client_open(&side_loop, side_ports[1], 0);
	side_greet(&newer, &g, ORD_FRAME_HELLO);
	client_close(&gone);
	side_turn_for(50);
	cr_assert_eq(newer.input_len, 0, "nobody is welcomed before the disk knows of it");
	atomic_store(&disk_stands, false);
	cr_assert_eq(side_answer(&newer).kind, ORD_FRAME_WELCOME);
	cr_assert_eq(side_answer(&older).kind, ORD_FRAME_WELCOME);
	side_is_closed(&older);
	cr_assert_eq(sides[1].ended_count, 1, "one that had ended was not welcomed");
	client_close(&newer);
	side_stop(&sides[1]);
}

/* The limit of connections without a greeting, and of the time that they have for it. */
#define STRANGERS 70

Test(peers, strangers_keep_no_node_out_and_do_not_stay)
{
	static struct client strangers[STRANGERS];
	side_start(side_of(1));
	for (unsigned i = 0; i < STRANGERS; i++) {
		strangers[i] = client_open(&side_loop, side_ports[1], 0);
		side_turn();
	}
	struct client c = client_open(&side_loop, side_ports[1], 0);
	for (unsigned i = 0; i < 20; i++)
		side_turn();
	struct client last = client_open(&side_loop, side_ports[1], 0); /* one more after it */
	for (unsigned i = 0; i < 20; i++)
		side_turn();
	struct ord_greeting g = side_greeting(2, 1);
	side_greet(&c, &g, ORD_FRAME_HELLO);
	cr_assert_eq(side_answer(&c).kind, ORD_FRAME_WELCOME, "who came first goes first");
	side_is_closed(&strangers[0]);
	for (unsigned i = 1; i < STRANGERS; i++)
		side_is_closed(&strangers[i]);
	side_is_closed(&last);
	client_close(&c);
	side_stop(&sides[1]);
}

/* --- Attempts that lead nowhere. --- */

/* What is acted on when it is whole should be whole soon: much to send becomes several frames. */
Test(peers, much_to_send_becomes_several_frames)
{
	int deaf = side_deaf_open(side_ports[2], 8);
	side_start(side_of(1));
	struct client c = side_deaf_client(deaf);
	cr_assert_eq(side_answer(&c).kind, ORD_FRAME_HELLO);
	struct ord_greeting g = side_greeting(2, 1);
	side_greet(&c, &g, ORD_FRAME_WELCOME);
	c.input_len = 0;
	/* What is sent before the welcome has come, and its node is remembered, is dropped. */
	while (c.input_len == 0) {
		side_part_send(&sides[1], 2, 0, sizeof(uint32_t));
		side_turn();
		client_fill(&c);
	}
	for (uint32_t i = 0; i < 64; i++)
		side_part_send(&sides[1], 2, i, 100000);
	SIDE_TURN_UNTIL((client_fill(&c), c.input_len >= 6400000));
	for (unsigned i = 0; i < 5; i++) { /* to the end of the last frame */
		side_turn();
		client_fill(&c);
	}
	size_t taken = 0;
	unsigned frames_count = 0;
	while (taken < c.input_len) {
		struct ord_frame frame;
		bool have;
		cr_assert_eq(ord_frame_decode(ord_slice_of(c.input + taken, c.input_len - taken), ORD_FRAME_BYTES_MAX,
					      &frame, &have),
			     ORD_OK);
		cr_assert(have);
		cr_assert_leq(frame.frame_bytes, 2u << 20);
		taken += frame.frame_bytes;
		frames_count++;
	}
	cr_assert_geq(frames_count, 4);
	client_close(&c);
	close(deaf);
	side_stop(&sides[1]);
}

Test(peers, an_attempt_that_is_not_answered_is_given_up)
{
	int deaf = side_deaf_open(side_ports[2], 8);
	side_start(side_of(1));
	int first = side_deaf_accept(deaf);
	int second = side_deaf_accept(deaf); /* without a deadline there is none */
	close(first);
	close(second);
	close(deaf);
	side_start(side_of(2));
	SIDE_TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	side_turn_for(3500); /* and a connection that stands is not */
	cr_assert_eq(sides[1].lost_count, 0);
	side_both_stop();
}

Test(peers, a_welcome_from_the_wrong_node_is_no_welcome)
{
	int deaf = side_deaf_open(side_ports[2], 8);
	struct ord_config *config = &side_of(1)->config;
	config->nodes[2] = (struct ord_config_node){.id = 3, .peer = {.host = "127.0.0.1", .port = side_ports[3]}};
	config->nodes_count = 3;
	side_start(&sides[1]);
	struct client c = side_deaf_client(deaf);
	cr_assert_eq(side_answer(&c).kind, ORD_FRAME_HELLO);
	struct ord_greeting g = side_greeting(3, 1);
	side_greet(&c, &g, ORD_FRAME_WELCOME);
	side_is_closed(&c);
	c = side_deaf_client(deaf);
	client_send(&c, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
	side_is_closed(&c);
	close(deaf);
	side_stop(&sides[1]);
}

Test(peers, stopping_waits_for_no_attempt)
{
	/* While the name is resolved. */
	side_start(side_of(1));
	side_stop(&sides[1]);
	/* While it connects: a listener whose queue is full answers nothing. */
	int deaf = side_deaf_open(side_ports[2], 0);
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(side_ports[2]), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fillers[8];
	for (unsigned i = 0; i < 8; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		int err = connect(fillers[i], (struct sockaddr *)&a, sizeof a);
		cr_assert(err == 0 || errno == EINPROGRESS);
	}
	uint64_t begin_ns = uv_hrtime();
	side_start(side_of(1));
	side_turn_for(50);
	side_stop(&sides[1]);
	cr_assert_lt((uv_hrtime() - begin_ns) / 1000000, 2000);
	for (unsigned i = 0; i < 8; i++)
		close(fillers[i]);
	close(deaf);
	/* While it greets, and with strangers at the door. */
	deaf = side_deaf_open(side_ports[2], 8);
	side_start(side_of(1));
	int greeted = side_deaf_accept(deaf);
	struct client c = client_open(&side_loop, side_ports[1], 0);
	side_turn();
	side_stop(&sides[1]);
	client_close(&c);
	close(greeted);
	close(deaf);
}

Test(peers, a_port_in_use_is_told)
{
	char why[512] = "";
	int deaf = side_deaf_open(side_ports[1], 8);
	cr_assert_eq(side_try(side_of(1), why, sizeof why), ORD_ERR_IO);
	cr_assert_not_null(strstr(why, "cannot listen for peers on 127.0.0.1:"), "%s", why);
	for (unsigned i = 0; i < 3; i++)
		uv_run(&side_loop, UV_RUN_NOWAIT);
	ord_datadir_close(sides[1].datadir);
	close(deaf);
}
