/* SPDX-License-Identifier: Apache-2.0 - the peer connections of two nodes in one loop. */
#include "tests/support/node_side.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

uv_loop_t side_loop;
char side_parent[64];
uint16_t side_ports[SIDE_NODES + 1];
struct side sides[SIDE_NODES + 1];
unsigned side_nodes = 2;

void side_bench_make(void)
{
	snprintf(side_parent, sizeof side_parent, "/tmp/ordain-peers-XXXXXX");
	cr_assert_not_null(mkdtemp(side_parent));
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(uv_loop_init(&side_loop), 0);
	for (unsigned i = 1; i <= SIDE_NODES; i++)
		side_ports[i] = client_free_port();
}

void side_bench_clean(void)
{
	char command[128];
	cr_assert_eq(uv_loop_close(&side_loop), 0, "a handle was left open");
	snprintf(command, sizeof command, "rm -r %s", side_parent);
	cr_assert_eq(system(command), 0);
}

static int side_receive(void *ctx, uint32_t node, uint8_t kind, struct ord_slice body)
{
	struct side *s = ctx;
	uint32_t number;
	cr_assert(node >= 1 && node <= SIDE_NODES);
	if (kind == SIDE_PART_REFUSED)
		return ORD_ERR_FORMAT;
	cr_assert_eq(kind, SIDE_PART_NUMBERED);
	cr_assert_geq(body.len, sizeof number);
	memcpy(&number, body.base, sizeof number);
	s->numbered[node]++;
	if (s->takes_all)
		return ORD_OK;
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
	cr_assert(node >= 1 && node <= SIDE_NODES);
	s->ended_count++;
}

static void side_member(void *ctx, uint32_t node, uint64_t member)
{
	struct side *s = ctx;
	cr_assert(node >= 1 && node <= SIDE_NODES);
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

static void side_relayed(void *ctx, uint32_t node, bool relayed)
{
	struct side *s = ctx;
	cr_assert(relayed || s->relayed[node]);
	s->relayed[node] = relayed;
	s->relayed_count++;
}

struct side *side_of(unsigned node)
{
	struct side *s = &sides[node];
	*s = (struct side){
		.config = {.cluster = {{7}}, .node = node, .nodes_count = side_nodes, .partitions_count = 8}};
	for (unsigned i = 0; i < side_nodes; i++) {
		struct ord_config_node *n = &s->config.nodes[i];
		n->id = i + 1;
		n->peer.port = side_ports[i + 1];
		snprintf(n->peer.host, sizeof n->peer.host, "127.0.0.1");
	}
	snprintf(s->config.data_dir, sizeof s->config.data_dir, "%s/node-%u", side_parent, node);
	return s;
}

int side_try(struct side *s, char *why, size_t why_size)
{
	struct ord_peers_events events = {.ctx = s,
					  .receive = side_receive,
					  .ended = side_ended,
					  .member = side_member,
					  .decided = side_decided,
					  .connected = side_connected,
					  .relayed = side_relayed};
	cr_assert_eq(ord_datadir_open(&s->config, &s->datadir, why, why_size), ORD_OK, "%s", why);
	return ord_peers_start(&side_loop, &s->config, s->datadir, &events, &s->peers, why, why_size);
}

void side_start(struct side *s)
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
	memset(s->relayed, 0, sizeof s->relayed);
}

void side_stop(struct side *s)
{
	if (s->peers == NULL)
		return;
	ord_peers_stop(s->peers, stopped_cb, s);
	UNTIL(&side_loop, s->peers == NULL);
	ord_datadir_close(s->datadir);
}

/* As the shard does at the end of each side_turn. */
void side_turn(void)
{
	uv_run(&side_loop, UV_RUN_NOWAIT);
	for (unsigned i = 1; i <= SIDE_NODES; i++)
		if (sides[i].peers != NULL)
			ord_peers_flush(sides[i].peers);
}

void side_turn_for(uint64_t ms)
{
	uint64_t begin_ns = uv_hrtime();
	while ((uv_hrtime() - begin_ns) / 1000000 < ms)
		side_turn();
}

uint8_t *side_part_make(uint32_t number, size_t len)
{
	uint8_t *part = malloc(len);
	memset(part, (int)(uint8_t)number, len);
	memcpy(part, &number, sizeof number);
	return part;
}

void side_part_send(struct side *from, unsigned to, uint32_t number, size_t len)
{
	uint8_t *part = side_part_make(number, len);
	ord_peers_send(from->peers, to, SIDE_PART_NUMBERED, ord_slice_of(part, len));
	free(part);
}

struct ord_peer_status side_status(const struct side *s)
{
	struct ord_peer_status status;
	cr_assert_eq(ord_peers_count(s->peers), 1);
	ord_peers_status(s->peers, 0, &status);
	return status;
}

void side_both_start(void)
{
	side_start(side_of(1));
	side_start(side_of(2));
	SIDE_TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
}

void side_both_stop(void)
{
	side_stop(&sides[1]);
	side_stop(&sides[2]);
}

struct ord_greeting side_greeting(unsigned from, unsigned to)
{
	return (struct ord_greeting){.protocol = ORD_FRAME_PROTOCOL,
				     .cluster = {{7}},
				     .node = from,
				     .incarnation = {{(uint8_t)from, 1}},
				     .partitions_count = 8,
				     .to = to};
}

void side_greet(struct client *c, const struct ord_greeting *g, enum ord_frame_kind kind)
{
	struct ord_bytes out;
	ord_bytes_init(&out, ORD_FRAME_GREETING_BYTES_MAX);
	size_t begun = ord_frame_begin(&out);
	ord_frame_put_greeting(&out, g);
	ord_frame_end(&out, begun, kind);
	client_send(c, out.base, out.len);
	ord_bytes_close(&out);
}

struct ord_frame side_answer(struct client *c)
{
	struct ord_frame frame = {0};
	bool have = false;
	while (!have) {
		SIDE_TURN_UNTIL((client_fill(c), c->input_len > 0 || c->ended));
		cr_assert_gt(c->input_len, 0, "closed without a word");
		cr_assert_eq(ord_frame_decode(ord_slice_of(c->input, c->input_len), ORD_FRAME_GREETING_BYTES_MAX,
					      &frame, &have),
			     ORD_OK);
		cr_assert(have || !c->ended);
		side_turn();
		client_fill(c);
	}
	return frame;
}

void side_is_closed(struct client *c)
{
	SIDE_TURN_UNTIL((client_fill(c), c->ended));
	client_close(c);
}

void side_expect_refusal(const struct ord_greeting *g, const char *word)
{
	struct client c = client_open(&side_loop, side_ports[1], 0);
	side_greet(&c, g, ORD_FRAME_HELLO);
	struct ord_frame frame = side_answer(&c);
	cr_assert_eq(frame.kind, ORD_FRAME_REFUSED);
	char text[ORD_FRAME_GREETING_BYTES_MAX + 1];
	snprintf(text, sizeof text, "%.*s", (int)frame.body.len, (const char *)frame.body.base);
	cr_assert_not_null(strstr(text, word), "'%s' is not in: %s", word, text);
	side_is_closed(&c);
}

void side_expect_welcome(const struct ord_greeting *g)
{
	struct client c = client_open(&side_loop, side_ports[1], 0);
	side_greet(&c, g, ORD_FRAME_HELLO);
	cr_assert_eq(side_answer(&c).kind, ORD_FRAME_WELCOME);
	client_close(&c);
}

int side_deaf_open(uint16_t port, int backlog)
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

int side_deaf_accept(int listener)
{
	int fd = -1;
	SIDE_TURN_UNTIL((fd = accept(listener, NULL, NULL)) >= 0);
	return fd;
}

struct client side_deaf_client(int listener)
{
	struct client c = {.loop = &side_loop, .fd = side_deaf_accept(listener)};
	cr_assert_eq(fcntl(c.fd, F_SETFL, O_NONBLOCK), 0);
	return c;
}
