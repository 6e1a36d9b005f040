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
#include "node/frame.h"
#include "tests/support/node_client.h"

/* The disk does nothing while it stands. */
static atomic_bool disk_stands;

int fsync(int fd)
{
	while (atomic_load(&disk_stands))
		usleep(1000);
	return (int)syscall(SYS_fsync, fd);
}

#define NODES 3
#define PART_NUMBERED 3
#define PART_REFUSED 9 /* the owner gives an error for it */

/* --- The bench: nodes 1 and 2 can run here, node 3 never does. --- */

struct side {
	struct ord_config config;
	struct ord_datadir *datadir;
	struct ord_peers *peers; /* NULL: not running */
	bool connected[NODES + 1];
	uint64_t member;	     /* of this node, when it was told so while it ran */
	uint64_t members[NODES + 1]; /* as the others said last */
	unsigned lost_count;	     /* how often a peer was told to be gone */
	unsigned ended_count;	     /* how often its connection was told to have ended */
	uint32_t next;		     /* number that the next PART_NUMBERED must have */
	uint64_t bytes;
};

static uv_loop_t loop;
static char parent[64];
static uint16_t ports[NODES + 1];
static struct side sides[NODES + 1];

static void make(void)
{
	snprintf(parent, sizeof parent, "/tmp/ordain-peers-XXXXXX");
	cr_assert_not_null(mkdtemp(parent));
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(uv_loop_init(&loop), 0);
	for (unsigned i = 1; i <= NODES; i++)
		ports[i] = client_free_port();
}

static void clean(void)
{
	char command[128];
	cr_assert_eq(uv_loop_close(&loop), 0, "a handle was left open");
	snprintf(command, sizeof command, "rm -r %s", parent);
	cr_assert_eq(system(command), 0);
}

TestSuite(peers, .init = make, .fini = clean, .timeout = 60);

static int side_receive(void *ctx, uint32_t node, uint8_t kind, struct ord_slice body)
{
	struct side *s = ctx;
	uint32_t number;
	cr_assert(node >= 1 && node <= NODES);
	if (kind == PART_REFUSED)
		return ORD_ERR_FORMAT;
	cr_assert_eq(kind, PART_NUMBERED);
	cr_assert_geq(body.len, sizeof number);
	memcpy(&number, body.base, sizeof number);
	cr_assert_eq(number, s->next, "part %u came, %u was to come", number, s->next);
	const uint8_t *bytes = body.base;
	for (size_t i = sizeof number; i < body.len; i += 997)
		cr_assert_eq(bytes[i], (uint8_t)number);
	s->next++;
	s->bytes += body.len;
	return ORD_OK;
}

static void side_ended(void *ctx, uint32_t node)
{
	struct side *s = ctx;
	cr_assert(node >= 1 && node <= NODES);
	s->ended_count++;
}

static void side_member(void *ctx, uint32_t node, uint64_t member)
{
	struct side *s = ctx;
	cr_assert(node >= 1 && node <= NODES);
	cr_assert_neq(member, 0);
	s->members[node] = member;
}

static void side_decided(void *ctx, uint64_t member)
{
	struct side *s = ctx;
	cr_assert_eq(s->member, 0, "decided once");
	cr_assert_eq(member, ord_self_member(ord_datadir_self(s->datadir), s->config.node));
	s->member = member;
}

static void side_connected(void *ctx, uint32_t node, bool connected)
{
	struct side *s = ctx;
	cr_assert_neq(s->connected[node], connected);
	s->connected[node] = connected;
	s->lost_count += !connected;
}

/* The configuration of a node of the one cluster; tests change it before side_start. */
static struct side *side_of(unsigned node)
{
	struct side *s = &sides[node];
	*s = (struct side){.config = {.cluster = {{7}}, .node = node, .nodes_count = 2, .partitions_count = 8}};
	for (unsigned i = 0; i < 2; i++) {
		struct ord_config_node *n = &s->config.nodes[i];
		n->id = i + 1;
		n->peer.port = ports[i + 1];
		snprintf(n->peer.host, sizeof n->peer.host, "127.0.0.1");
	}
	snprintf(s->config.data_dir, sizeof s->config.data_dir, "%s/node-%u", parent, node);
	return s;
}

static int side_try(struct side *s, char *why, size_t why_size)
{
	struct ord_peers_events events = {.ctx = s,
					  .receive = side_receive,
					  .ended = side_ended,
					  .member = side_member,
					  .decided = side_decided,
					  .connected = side_connected};
	cr_assert_eq(ord_datadir_open(&s->config, &s->datadir, why, why_size), ORD_OK, "%s", why);
	return ord_peers_start(&loop, &s->config, s->datadir, &events, &s->peers, why, why_size);
}

static void side_start(struct side *s)
{
	char why[512] = "";
	cr_assert_eq(side_try(s, why, sizeof why), ORD_OK, "%s", why);
}

static void stopped_cb(void *ctx)
{
	struct side *s = ctx;
	s->peers = NULL;
	s->member = 0;
	memset(s->connected, 0, sizeof s->connected);
}

static void side_stop(struct side *s)
{
	if (s->peers == NULL)
		return;
	ord_peers_stop(s->peers, stopped_cb, s);
	UNTIL(&loop, s->peers == NULL);
	ord_datadir_close(s->datadir);
}

/* As the shard does at the end of each turn. */
static void turn(void)
{
	uv_run(&loop, UV_RUN_NOWAIT);
	for (unsigned i = 1; i <= NODES; i++)
		if (sides[i].peers != NULL)
			ord_peers_flush(sides[i].peers);
}

#define TURN_UNTIL(condition)                                                                             \
	do {                                                                                              \
		uint64_t begin_ns = uv_hrtime();                                                          \
		while (!(condition)) {                                                                    \
			turn();                                                                           \
			cr_assert_lt((uv_hrtime() - begin_ns) / 1000000, CLIENT_PATIENCE_MS, #condition); \
		}                                                                                         \
	} while (0)

static void turn_for(uint64_t ms)
{
	uint64_t begin_ns = uv_hrtime();
	while ((uv_hrtime() - begin_ns) / 1000000 < ms)
		turn();
}

static uint8_t *part_make(uint32_t number, size_t len)
{
	uint8_t *part = malloc(len);
	memset(part, (int)(uint8_t)number, len);
	memcpy(part, &number, sizeof number);
	return part;
}

static void part_send(struct side *from, unsigned to, uint32_t number, size_t len)
{
	uint8_t *part = part_make(number, len);
	ord_peers_send(from->peers, to, PART_NUMBERED, ord_slice_of(part, len));
	free(part);
}

static struct ord_peer_status status_of(const struct side *s)
{
	struct ord_peer_status status;
	cr_assert_eq(ord_peers_count(s->peers), 1);
	ord_peers_status(s->peers, 0, &status);
	return status;
}

static void both_start(void)
{
	side_start(side_of(1));
	side_start(side_of(2));
	TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
}

static void both_stop(void)
{
	side_stop(&sides[1]);
	side_stop(&sides[2]);
}

/* --- Two nodes. --- */

Test(peers, parts_of_all_lengths_come_whole_and_in_order)
{
	both_start();
	uint32_t number = 0;
	uint64_t bytes = 0;
	const size_t lengths[] = {4, 5, 1000, 1u << 20, 4, 8u << 20, 3u << 20, 64};
	for (unsigned round = 0; round < 4; round++) {
		for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++, number++) {
			part_send(&sides[1], 2, number, lengths[i]);
			part_send(&sides[2], 1, number, lengths[i]);
			bytes += lengths[i];
			if (i % 3 == round % 3)
				turn();
		}
		TURN_UNTIL(sides[1].next == number && sides[2].next == number);
	}
	for (unsigned i = 0; i < 100000; i++, number++) {
		part_send(&sides[1], 2, number, 40);
		bytes += 40;
	}
	cr_assert_eq(status_of(&sides[1]).dropped_count, 0);
	TURN_UNTIL(sides[2].next == number);
	cr_assert_eq(sides[2].bytes, bytes);
	cr_assert_eq(status_of(&sides[1]).output_bytes, 0);
	both_stop();
}

Test(peers, what_is_too_much_is_dropped_whole_and_counted)
{
	both_start();
	uint32_t sent = 0;
	while (status_of(&sides[1]).dropped_count == 0) {
		part_send(&sides[1], 2, sent, 1u << 20);
		sent++;
	}
	uint32_t kept = sent - 1;
	cr_assert_leq(status_of(&sides[1]).output_bytes, ORD_PEER_OUTPUT_BYTES_MAX / 2);
	cr_assert_geq(kept, (ORD_PEER_OUTPUT_BYTES_MAX / 2 >> 20) - 1);
	ord_peers_flush(sides[1].peers);
	cr_assert_geq(status_of(&sides[1]).output_bytes, (size_t)kept << 20, "what is being written counts");
	TURN_UNTIL(sides[2].next == kept);
	part_send(&sides[1], 2, kept, 100);
	TURN_UNTIL(sides[2].next == kept + 1);
	cr_assert_eq(sides[1].lost_count, 0);
	both_stop();
}

Test(peers, a_node_that_stops_and_comes_back_is_told_of)
{
	both_start();
	side_stop(&sides[2]);
	TURN_UNTIL(!sides[1].connected[2]);
	part_send(&sides[1], 2, 77, 100); /* to nobody: lost */
	side_start(side_of(2));
	TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	part_send(&sides[1], 2, 0, 100);
	TURN_UNTIL(sides[2].next == 1);
	cr_assert_eq(sides[1].lost_count, 1);
	both_stop();
}

Test(peers, a_part_that_the_owner_refuses_ends_the_connection_which_is_then_made_anew)
{
	both_start();
	ord_peers_send(sides[1].peers, 2, PART_REFUSED, ord_slice_text("?"));
	TURN_UNTIL(sides[2].lost_count == 1 && sides[1].lost_count == 1);
	TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	part_send(&sides[1], 2, 0, 100);
	TURN_UNTIL(sides[2].next == 1);
	both_stop();
}

/* A connection that ends while a long frame is under way: nothing of the old one may reach the new one. */
Test(peers, a_connection_that_ends_in_the_middle_of_a_frame_leaves_no_half)
{
	both_start();
	for (unsigned round = 0; round < 20; round++) {
		sides[2].next = 0;
		for (uint32_t i = 0; i < 20; i++)
			part_send(&sides[1], 2, i, 1u << 20);
		ord_peers_flush(sides[1].peers);
		part_send(&sides[1], 2, 20, 100); /* collects behind it */
		for (unsigned i = 0; i < round / 4; i++)
			turn();
		side_stop(&sides[2]);
		side_start(side_of(2));
		TURN_UNTIL(!sides[1].connected[2]);
		TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
		uint32_t first = sides[2].next;
		part_send(&sides[1], 2, first, 100);
		TURN_UNTIL(sides[2].next == first + 1);
	}
	both_stop();
}

/* --- Who may not take part. --- */

static void never_connect(struct side *a, struct side *b)
{
	side_start(a);
	side_start(b);
	turn_for(500); /* several attempts */
	cr_assert_not(a->connected[2]);
	cr_assert_not(b->connected[1]);
	both_stop();
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
	both_start();
	TURN_UNTIL(sides[2].member != 0);
	side_stop(&sides[2]);
	struct ord_config old = sides[2].config;
	snprintf(sides[2].config.data_dir, sizeof sides[2].config.data_dir, "%s/another", parent);
	TURN_UNTIL(!sides[1].connected[2]);
	side_start(&sides[2]);
	TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	side_stop(&sides[2]);
	TURN_UNTIL(!sides[1].connected[2]);
	sides[2].config = old;
	side_start(&sides[2]);
	turn_for(500);
	cr_assert_not(sides[1].connected[2]);
	both_stop();
}

Test(peers, a_peer_that_cannot_be_remembered_does_not_connect)
{
	char in_the_way[sizeof side_of(1)->config.data_dir + 16];
	snprintf(in_the_way, sizeof in_the_way, "%s/peers.new", side_of(1)->config.data_dir);
	cr_assert_eq(mkdir(sides[1].config.data_dir, 0700), 0);
	cr_assert_eq(mkdir(in_the_way, 0700), 0);
	side_start(&sides[1]);
	side_start(side_of(2));
	turn_for(500);
	cr_expect_not(sides[1].connected[2]);
	cr_expect_not(sides[2].connected[1]);
	cr_assert_eq(rmdir(in_the_way), 0);
	TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	both_stop();
}

static struct ord_greeting greeting_of(unsigned from, unsigned to)
{
	return (struct ord_greeting){.protocol = ORD_FRAME_PROTOCOL,
				     .cluster = {{7}},
				     .node = from,
				     .incarnation = {{(uint8_t)from, 1}},
				     .partitions_count = 8,
				     .to = to};
}

static void greet(struct client *c, const struct ord_greeting *g, enum ord_frame_kind kind)
{
	struct ord_bytes out;
	ord_bytes_init(&out, ORD_FRAME_GREETING_BYTES_MAX);
	size_t begun = ord_frame_begin(&out);
	ord_frame_put_greeting(&out, g);
	ord_frame_end(&out, begun, kind);
	client_send(c, out.base, out.len);
	ord_bytes_close(&out);
}

/* The frame that comes as an answer; borrowed from the client. */
static struct ord_frame answer_of(struct client *c)
{
	struct ord_frame frame = {0};
	bool have = false;
	while (!have) {
		TURN_UNTIL((client_fill(c), c->input_len > 0 || c->ended));
		cr_assert_gt(c->input_len, 0, "closed without a word");
		cr_assert_eq(ord_frame_decode(ord_slice_of(c->input, c->input_len), ORD_FRAME_GREETING_BYTES_MAX,
					      &frame, &have),
			     ORD_OK);
		cr_assert(have || !c->ended);
		turn();
		client_fill(c);
	}
	return frame;
}

static void is_closed(struct client *c)
{
	TURN_UNTIL((client_fill(c), c->ended));
	client_close(c);
}

static void expect_refusal(const struct ord_greeting *g, const char *word)
{
	struct client c = client_open(&loop, ports[1], 0);
	greet(&c, g, ORD_FRAME_HELLO);
	struct ord_frame frame = answer_of(&c);
	cr_assert_eq(frame.kind, ORD_FRAME_REFUSED);
	char text[ORD_FRAME_GREETING_BYTES_MAX + 1];
	snprintf(text, sizeof text, "%.*s", (int)frame.body.len, (const char *)frame.body.base);
	cr_assert_not_null(strstr(text, word), "'%s' is not in: %s", word, text);
	is_closed(&c);
}

static void expect_welcome(const struct ord_greeting *g)
{
	struct client c = client_open(&loop, ports[1], 0);
	greet(&c, g, ORD_FRAME_HELLO);
	cr_assert_eq(answer_of(&c).kind, ORD_FRAME_WELCOME);
	client_close(&c);
}

Test(peers, a_wrong_greeting_is_refused_with_its_reason)
{
	side_start(side_of(1));
	struct ord_greeting g = greeting_of(2, 1);
	g.cluster.bytes[3] = 1;
	expect_refusal(&g, "check cluster_id");
	g = greeting_of(2, 1);
	g.partitions_count = 9;
	expect_refusal(&g, "9 partitions");
	g = greeting_of(2, 3);
	expect_refusal(&g, "looks for node 3");
	g = greeting_of(3, 1);
	expect_refusal(&g, "not one of the nodes");
	g = greeting_of(1, 1);
	expect_refusal(&g, "not one of the nodes");
	g = greeting_of(2, 1);
	g.protocol = 99;
	expect_refusal(&g, "peer protocol 99");
	g = greeting_of(2, 1);
	g.member = 3;
	expect_refusal(&g, "says that it is member 3");
	g.member = UINT64_C(0x0109000000000002);
	expect_refusal(&g, "cannot be");
	/* The directory that was met last counts, those before it are refused; and founders are first. */
	struct ord_greeting later = greeting_of(2, 1);
	g = greeting_of(2, 1);
	g.member = 2;
	later.incarnation.bytes[5] = 1;
	expect_welcome(&g);
	expect_welcome(&g);
	later.member = 2;
	expect_refusal(&later, "from its beginning");
	later.member = UINT64_C(0x0000010200000002);
	expect_welcome(&later);
	cr_expect_eq(sides[1].members[2], later.member);
	expect_refusal(&g, "another one has replaced");
	expect_welcome(&later);
	side_stop(&sides[1]);
}

static void expect_closing(const void *base, size_t len)
{
	struct client c = client_open(&loop, ports[1], 0);
	client_send(&c, base, len);
	is_closed(&c);
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
	ord_frame_put_part(&out, PART_NUMBERED, ord_slice_text("body"));
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
	struct ord_greeting g = greeting_of(2, 1);
	struct client early = client_open(&loop, ports[1], 0);
	greet(&early, &g, ORD_FRAME_PARTS); /* a greeting in a frame of another kind is none */
	cr_assert_eq(answer_of(&early).kind, ORD_FRAME_REFUSED);
	is_closed(&early);
	for (unsigned kind = 0; kind < 7; kind++) {
		struct client c = client_open(&loop, ports[1], 0);
		greet(&c, &g, ORD_FRAME_HELLO);
		cr_assert_eq(answer_of(&c).kind, ORD_FRAME_WELCOME);
		struct ord_bytes out;
		ord_bytes_init(&out, 4096);
		size_t begun = ord_frame_begin(&out);
		ord_frame_put_part(&out, kind == 0 ? PART_REFUSED : PART_NUMBERED, ord_slice_text("body"));
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
		is_closed(&c);
	}
	cr_assert_eq(sides[1].next, 0);
	side_stop(&sides[1]);
}

Test(peers, the_newer_of_two_connections_of_one_node_stays)
{
	side_start(side_of(1));
	struct ord_greeting g = greeting_of(2, 1);
	struct client older = client_open(&loop, ports[1], 0);
	greet(&older, &g, ORD_FRAME_HELLO);
	cr_assert_eq(answer_of(&older).kind, ORD_FRAME_WELCOME);
	struct client newer = client_open(&loop, ports[1], 0);
	greet(&newer, &g, ORD_FRAME_HELLO);
	cr_assert_eq(answer_of(&newer).kind, ORD_FRAME_WELCOME);
	is_closed(&older);
	cr_assert_eq(sides[1].ended_count, 1);
	struct ord_bytes out;
	ord_bytes_init(&out, 4096);
	size_t begun = ord_frame_begin(&out);
	uint8_t *part = part_make(0, 100);
	ord_frame_put_part(&out, PART_NUMBERED, ord_slice_of(part, 100));
	ord_frame_end(&out, begun, ORD_FRAME_PARTS);
	client_send(&newer, out.base, out.len);
	TURN_UNTIL(sides[1].next == 1);
	free(part);
	ord_bytes_close(&out);
	client_close(&newer);
	side_stop(&sides[1]);
}

Test(peers, the_newer_of_two_connections_stays_when_both_waited_for_the_disk)
{
	side_start(side_of(1));
	atomic_store(&disk_stands, true);
	struct ord_greeting g = greeting_of(2, 1);
	struct client gone = client_open(&loop, ports[1], 0);
	greet(&gone, &g, ORD_FRAME_HELLO);
	turn_for(50);
	struct client older = client_open(&loop, ports[1], 0);
	greet(&older, &g, ORD_FRAME_HELLO);
	turn_for(50);
	struct client newer = client_open(&loop, ports[1], 0);
	greet(&newer, &g, ORD_FRAME_HELLO);
	client_close(&gone);
	turn_for(50);
	cr_assert_eq(newer.input_len, 0, "nobody is welcomed before the disk knows of it");
	atomic_store(&disk_stands, false);
	cr_assert_eq(answer_of(&newer).kind, ORD_FRAME_WELCOME);
	cr_assert_eq(answer_of(&older).kind, ORD_FRAME_WELCOME);
	is_closed(&older);
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
		strangers[i] = client_open(&loop, ports[1], 0);
		turn();
	}
	struct client c = client_open(&loop, ports[1], 0);
	for (unsigned i = 0; i < 20; i++)
		turn();
	struct client last = client_open(&loop, ports[1], 0); /* one more after it */
	for (unsigned i = 0; i < 20; i++)
		turn();
	struct ord_greeting g = greeting_of(2, 1);
	greet(&c, &g, ORD_FRAME_HELLO);
	cr_assert_eq(answer_of(&c).kind, ORD_FRAME_WELCOME, "who came first goes first");
	is_closed(&strangers[0]);
	for (unsigned i = 1; i < STRANGERS; i++)
		is_closed(&strangers[i]);
	is_closed(&last);
	client_close(&c);
	side_stop(&sides[1]);
}

/* --- Attempts that lead nowhere. --- */

/* A listener that the test itself serves, or does not. */
static int deaf_open(uint16_t port, int backlog)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int yes = 1;
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0, "%s", strerror(errno));
	cr_assert_eq(listen(fd, backlog), 0);
	return fd;
}

static int deaf_accept(int listener)
{
	int fd = -1;
	TURN_UNTIL((fd = accept(listener, NULL, NULL)) >= 0);
	return fd;
}

/* The same as a client, to speak on it as the node would. */
static struct client deaf_client(int listener)
{
	struct client c = {.loop = &loop, .fd = deaf_accept(listener)};
	cr_assert_eq(fcntl(c.fd, F_SETFL, O_NONBLOCK), 0);
	return c;
}

/* What is acted on when it is whole should be whole soon: much to send becomes several frames. */
Test(peers, much_to_send_becomes_several_frames)
{
	int deaf = deaf_open(ports[2], 8);
	side_start(side_of(1));
	struct client c = deaf_client(deaf);
	cr_assert_eq(answer_of(&c).kind, ORD_FRAME_HELLO);
	struct ord_greeting g = greeting_of(2, 1);
	greet(&c, &g, ORD_FRAME_WELCOME);
	c.input_len = 0;
	/* What is sent before the welcome has come, and its node is remembered, is dropped. */
	while (c.input_len == 0) {
		part_send(&sides[1], 2, 0, sizeof(uint32_t));
		turn();
		client_fill(&c);
	}
	for (uint32_t i = 0; i < 64; i++)
		part_send(&sides[1], 2, i, 100000);
	TURN_UNTIL((client_fill(&c), c.input_len >= 6400000));
	for (unsigned i = 0; i < 5; i++) { /* to the end of the last frame */
		turn();
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
	int deaf = deaf_open(ports[2], 8);
	side_start(side_of(1));
	int first = deaf_accept(deaf);
	int second = deaf_accept(deaf); /* without a deadline there is none */
	close(first);
	close(second);
	close(deaf);
	side_start(side_of(2));
	TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	turn_for(3500); /* and a connection that stands is not */
	cr_assert_eq(sides[1].lost_count, 0);
	both_stop();
}

Test(peers, a_welcome_from_the_wrong_node_is_no_welcome)
{
	int deaf = deaf_open(ports[2], 8);
	struct ord_config *config = &side_of(1)->config;
	config->nodes[2] = (struct ord_config_node){.id = 3, .peer = {.host = "127.0.0.1", .port = ports[3]}};
	config->nodes_count = 3;
	side_start(&sides[1]);
	struct client c = deaf_client(deaf);
	cr_assert_eq(answer_of(&c).kind, ORD_FRAME_HELLO);
	struct ord_greeting g = greeting_of(3, 1);
	greet(&c, &g, ORD_FRAME_WELCOME);
	is_closed(&c);
	c = deaf_client(deaf);
	client_send(&c, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
	is_closed(&c);
	close(deaf);
	side_stop(&sides[1]);
}

Test(peers, stopping_waits_for_no_attempt)
{
	/* While the name is resolved. */
	side_start(side_of(1));
	side_stop(&sides[1]);
	/* While it connects: a listener whose queue is full answers nothing. */
	int deaf = deaf_open(ports[2], 0);
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(ports[2]), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fillers[8];
	for (unsigned i = 0; i < 8; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		int err = connect(fillers[i], (struct sockaddr *)&a, sizeof a);
		cr_assert(err == 0 || errno == EINPROGRESS);
	}
	uint64_t begin_ns = uv_hrtime();
	side_start(side_of(1));
	turn_for(50);
	side_stop(&sides[1]);
	cr_assert_lt((uv_hrtime() - begin_ns) / 1000000, 2000);
	for (unsigned i = 0; i < 8; i++)
		close(fillers[i]);
	close(deaf);
	/* While it greets, and with strangers at the door. */
	deaf = deaf_open(ports[2], 8);
	side_start(side_of(1));
	int greeted = deaf_accept(deaf);
	struct client c = client_open(&loop, ports[1], 0);
	turn();
	side_stop(&sides[1]);
	client_close(&c);
	close(greeted);
	close(deaf);
}

Test(peers, a_port_in_use_is_told)
{
	char why[512] = "";
	int deaf = deaf_open(ports[1], 8);
	cr_assert_eq(side_try(side_of(1), why, sizeof why), ORD_ERR_IO);
	cr_assert_not_null(strstr(why, "cannot listen for peers on 127.0.0.1:"), "%s", why);
	for (unsigned i = 0; i < 3; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	ord_datadir_close(sides[1].datadir);
	close(deaf);
}

/* --- Founders and newcomers. --- */

static enum ord_standing standing_of(const struct side *s)
{
	return ord_datadir_self(s->datadir)->standing;
}

static void wipe(struct side *s)
{
	char command[sizeof s->config.data_dir + 16];
	snprintf(command, sizeof command, "rm -r %s", s->config.data_dir);
	cr_assert_eq(system(command), 0);
}

static bool knows_member(unsigned of, unsigned node)
{
	return sides[of].members[node] != 0;
}

Test(peers, new_directories_found_a_cluster_when_all_have_met)
{
	both_start();
	TURN_UNTIL(sides[1].member == 1 && sides[2].member == 2);
	TURN_UNTIL(sides[1].members[2] == 2 && sides[2].members[1] == 1);
	cr_expect_eq(sides[1].lost_count + sides[2].lost_count, 0, "the connections stay");
	part_send(&sides[1], 2, 0, 100);
	TURN_UNTIL(sides[2].next == 1);
	side_stop(&sides[2]);
	TURN_UNTIL(!sides[1].connected[2]);
	side_start(side_of(2));
	cr_expect_eq(standing_of(&sides[2]), ORD_STANDING_FOUNDER);
	sides[1].members[2] = 0;
	TURN_UNTIL(sides[1].members[2] == 2 && sides[2].members[1] == 1);
	cr_expect_eq(sides[2].member, 0, "what is known is not decided again");
	both_stop();
}

Test(peers, a_node_waits_until_it_has_the_word_of_all)
{
	uint32_t nodes[ORD_NODES_MAX];
	for (unsigned i = 1; i <= 2; i++) {
		side_of(i)->config.nodes[2] =
			(struct ord_config_node){.id = 3, .peer = {.host = "127.0.0.1", .port = ports[3]}};
		sides[i].config.nodes_count = 3;
		side_start(&sides[i]);
	}
	cr_expect_eq(ord_peers_waits_for(sides[1].peers, nodes), 2);
	TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	turn_for(300);
	cr_expect_eq(standing_of(&sides[1]), ORD_STANDING_UNDECIDED);
	cr_expect_eq(ord_peers_waits_for(sides[1].peers, nodes), 1);
	cr_expect_eq(nodes[0], 3);
	/* Its word comes with its own greeting, too. */
	struct ord_greeting g = greeting_of(3, 1);
	g.firsts[0] = (struct ord_greeting_first){1, ord_datadir_self(sides[1].datadir)->incarnation};
	g.firsts_count = 1;
	expect_welcome(&g);
	TURN_UNTIL(sides[1].member == 1);
	cr_expect_eq(ord_peers_waits_for(sides[1].peers, nodes), 0);
	turn_for(100);
	cr_expect_eq(standing_of(&sides[2]), ORD_STANDING_UNDECIDED);
	both_stop();
}

Test(peers, a_word_of_a_directory_that_was_replaced_counts_no_more)
{
	uint32_t nodes[ORD_NODES_MAX];
	side_of(1)->config.nodes[2] =
		(struct ord_config_node){.id = 3, .peer = {.host = "127.0.0.1", .port = ports[3]}};
	sides[1].config.nodes_count = 3;
	side_start(&sides[1]);
	struct ord_greeting g = greeting_of(3, 1);
	g.firsts[0] = (struct ord_greeting_first){1, ord_datadir_self(sides[1].datadir)->incarnation};
	g.firsts_count = 1;
	expect_welcome(&g);
	cr_expect_eq(ord_peers_waits_for(sides[1].peers, nodes), 1);
	g.incarnation.bytes[9]++;
	g.firsts_count = 0;
	expect_welcome(&g);
	cr_expect_eq(ord_peers_waits_for(sides[1].peers, nodes), 2);
	side_stop(&sides[1]);
}

Test(peers, a_node_whose_directory_is_lost_is_a_newcomer_and_is_let_in)
{
	both_start();
	TURN_UNTIL(sides[1].member == 1 && sides[2].member == 2);
	for (unsigned round = 0; round < 3; round++) {
		uint64_t before = sides[1].members[2];
		side_stop(&sides[2]);
		wipe(&sides[2]);
		TURN_UNTIL(!sides[1].connected[2]);
		side_start(&sides[2]);
		TURN_UNTIL(sides[2].member != 0 && sides[1].connected[2]);
		cr_expect_eq(standing_of(&sides[2]), ORD_STANDING_NEWCOMER);
		TURN_UNTIL(sides[1].members[2] == sides[2].member);
		cr_expect_neq(sides[2].member, before);
		cr_expect_eq((uint32_t)sides[2].member, 2);
		cr_expect_neq(sides[2].member, 2);
		TURN_UNTIL(sides[2].members[1] == 1);
	}
	both_stop();
}

/* The notes that a node lost come back to it before it is anything, so that it does not call another newcomer a founder. */
Test(peers, who_lost_its_notes_takes_over_those_of_others)
{
	side_start(side_of(1));
	struct ord_uuid gone = {{3, 3, 3}};
	struct ord_greeting g = greeting_of(2, 1);
	g.firsts[0] = (struct ord_greeting_first){1, gone}; /* node 1 was another one before */
	g.firsts[1] = (struct ord_greeting_first){3, gone}; /* not a node that node 1 knows */
	g.firsts_count = 2;
	expect_welcome(&g);
	TURN_UNTIL(sides[1].member != 0);
	cr_expect_eq(standing_of(&sides[1]), ORD_STANDING_NEWCOMER);
	side_stop(&sides[1]);
	wipe(&sides[1]);
	sides[1].config.nodes[2] = (struct ord_config_node){.id = 3, .peer = {.host = "127.0.0.1", .port = ports[3]}};
	sides[1].config.nodes_count = 3;
	side_start(&sides[1]);
	expect_welcome(&g);
	TURN_UNTIL(sides[1].member != 0);
	side_stop(&sides[1]);
	side_start(&sides[1]);
	const struct ord_met_node *met = ord_met_find(ord_datadir_met(sides[1].datadir), 3);
	cr_assert(met->has_first && !met->has_current);
	cr_expect(ord_uuid_equal(&met->first, &gone));
	g = greeting_of(3, 1);
	g.member = 3;
	expect_refusal(&g, "from its beginning");
	side_stop(&sides[1]);
}

Test(peers, a_newcomer_that_lost_its_directory_before_all_had_met_is_no_founder)
{
	side_start(side_of(1));
	struct ord_greeting g = greeting_of(2, 1);
	expect_welcome(&g); /* node 2 was here, and is gone before it has met anybody's word */
	side_start(side_of(2));
	TURN_UNTIL(sides[2].member != 0);
	cr_expect_eq(standing_of(&sides[2]), ORD_STANDING_NEWCOMER);
	TURN_UNTIL(sides[1].member != 0);
	cr_expect_eq(standing_of(&sides[1]), ORD_STANDING_FOUNDER);
	TURN_UNTIL(knows_member(1, 2) && knows_member(2, 1));
	cr_expect_eq(sides[1].members[2], sides[2].member);
	both_stop();
}

Test(peers, what_comes_from_a_directory_that_was_replaced_meanwhile_is_not_taken)
{
	side_start(side_of(1));
	struct ord_greeting g = greeting_of(2, 1);
	struct client old = client_open(&loop, ports[1], 0);
	greet(&old, &g, ORD_FRAME_HELLO);
	cr_assert_eq(answer_of(&old).kind, ORD_FRAME_WELCOME);
	g.incarnation.bytes[9]++;
	struct client new = client_open(&loop, ports[1], 0);
	greet(&new, &g, ORD_FRAME_HELLO);
	cr_assert_eq(answer_of(&new).kind, ORD_FRAME_WELCOME);
	is_closed(&old);
	cr_assert_eq(sides[1].ended_count, 1);
	client_close(&new);
	side_stop(&sides[1]);
}

/* The same when it is learnt from an answer. */
Test(peers, a_welcome_of_another_directory_ends_what_the_replaced_one_had)
{
	int deaf = deaf_open(ports[2], 8);
	side_start(side_of(1));
	struct ord_greeting g = greeting_of(2, 1);
	struct client old = client_open(&loop, ports[1], 0);
	greet(&old, &g, ORD_FRAME_HELLO);
	cr_assert_eq(answer_of(&old).kind, ORD_FRAME_WELCOME);
	g.incarnation.bytes[9]++;
	struct client c = deaf_client(deaf);
	cr_assert_eq(answer_of(&c).kind, ORD_FRAME_HELLO);
	greet(&c, &g, ORD_FRAME_WELCOME);
	is_closed(&old);
	cr_assert_eq(sides[1].ended_count, 1);
	cr_assert_not(sides[1].connected[2]);
	struct client new = client_open(&loop, ports[1], 0);
	greet(&new, &g, ORD_FRAME_HELLO);
	cr_assert_eq(answer_of(&new).kind, ORD_FRAME_WELCOME);
	TURN_UNTIL(sides[1].connected[2]);
	/* And a connection that this node made to the one that is replaced is made anew. */
	g.incarnation.bytes[9]++;
	struct client newer = client_open(&loop, ports[1], 0);
	greet(&newer, &g, ORD_FRAME_HELLO);
	is_closed(&c);
	is_closed(&new);
	client_close(&newer);
	close(deaf);
	side_stop(&sides[1]);
}

Test(peers, a_standing_that_cannot_be_written_is_tried_again)
{
	char in_the_way[sizeof side_of(1)->config.data_dir + 16];
	side_start(side_of(1));
	snprintf(in_the_way, sizeof in_the_way, "%s/identity.new", sides[1].config.data_dir);
	cr_assert_eq(mkdir(in_the_way, 0700), 0);
	side_start(side_of(2));
	TURN_UNTIL(sides[2].member == 2);
	turn_for(200);
	cr_expect_eq(sides[1].member, 0);
	cr_assert_eq(rmdir(in_the_way), 0);
	TURN_UNTIL(sides[1].member == 1 && sides[2].members[1] == 1);
	both_stop();
}
