/* SPDX-License-Identifier: Apache-2.0 - one connection: names with several addresses, ends of every kind, and what the other side may have seen. */
#include <criterion/criterion.h>
#include <netdb.h>
#include <stdlib.h>

#include "client/link.h"
#include "tests/support/client_lab.h"

/* What a resolver would answer; stands before the C library's, whose parameters have reserved names. */
static unsigned addresses_count;
static uint16_t addresses_port;
static struct addrinfo infos[3];
static struct sockaddr_in addresses[3];

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **ret)
{
	(void)host;
	(void)port;
	(void)hints;
	for (unsigned i = 0; i < addresses_count; i++) {
		/* The last one is right; on the others nobody listens. */
		bool last = i + 1 == addresses_count;
		uv_ip4_addr(last ? "127.0.0.1" : "127.0.0.2", addresses_port, &addresses[i]);
		infos[i] = (struct addrinfo){.ai_family = AF_INET,
					     .ai_socktype = SOCK_STREAM,
					     .ai_addr = (struct sockaddr *)&addresses[i],
					     .ai_addrlen = sizeof addresses[i],
					     .ai_next = last ? NULL : &infos[i + 1]};
	}
	*ret = &infos[0];
	return addresses_count == 0 ? EAI_NONAME : 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
void freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

static struct {
	uint32_t ups;
	uint32_t messages;
	uint32_t id; /* of the last */
	uint32_t goners;
	bool failed;
	char why[256];
} seen;

static void up(void *ctx)
{
	cr_assert_eq(ctx, &seen);
	seen.ups++;
}

static void message(void *ctx, const struct ord_rpc_message *m)
{
	(void)ctx;
	cr_assert_eq(m->type, ORD_RPC_RESPONSE);
	cr_assert(seen.messages == 0 || m->id > seen.id, "in the order asked");
	seen.id = m->id;
	seen.messages++;
}

static void gone(void *ctx, const char *why)
{
	(void)ctx;
	seen.goners++;
	seen.failed = why != NULL;
	snprintf(seen.why, sizeof seen.why, "%s", why == NULL ? "" : why);
}

static uv_loop_t loop;
static uv_timer_t beat; /* links do not keep a loop alive, and it would not turn */
static struct fake fake;
static struct ord_link *link_under_test;

static void beat_cb(uv_timer_t *timer)
{
	(void)timer;
}

static void setup(void)
{
	memset(&seen, 0, sizeof seen);
	uv_loop_init(&loop);
	uv_timer_init(&loop, &beat);
	uv_timer_start(&beat, beat_cb, 5, 5);
	fake_open(&fake, &loop, 1);
	addresses_port = fake.nodes[0].port;
}

static void teardown(void)
{
	fake_close(&fake);
	uv_close((uv_handle_t *)&beat, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0);
}

TestSuite(link, .init = setup, .fini = teardown);

static void open_link(const char *host, uint16_t port)
{
	static const struct ord_link_events events = {.ctx = &seen, .up = up, .message = message, .gone = gone};
	struct ord_endpoint to = {.port = port};
	snprintf(to.host, sizeof to.host, "%s", host);
	cr_assert_eq(ord_link_open(&loop, &to, &events, &link_under_test), 0);
	cr_assert_eq(seen.ups, 0);
}

static void until(const uint32_t *counter, uint32_t target)
{
	uint64_t limit_ms = lab_now_ms() + 10000;
	while (*counter < target && lab_now_ms() < limit_ms) {
		uv_run(&loop, UV_RUN_ONCE);
	}
	cr_assert_eq(*counter, target);
}

static void ask(uint32_t id)
{
	msgpack_packer p;
	ord_rpc_packer(ord_link_output(link_under_test), &p);
	ord_rpc_put_request(&p, id, "cluster");
	msgpack_pack_map(&p, 0);
}

Test(link, bytes_go_out_at_a_flush_and_answers_come_in)
{
	open_link("127.0.0.1", fake.nodes[0].port);
	ask(1); /* before it is up: waits */
	ord_link_flush(link_under_test);
	cr_assert_eq(ord_link_sent_bytes(link_under_test), 0);
	until(&seen.ups, 1);
	uint64_t appended = ord_link_appended_bytes(link_under_test);
	cr_assert_gt(appended, 0);
	ord_link_flush(link_under_test);
	cr_assert_eq(ord_link_sent_bytes(link_under_test), appended);
	ask(2);
	cr_assert_eq(ord_link_sent_bytes(link_under_test), appended);
	cr_assert_eq(ord_link_appended_bytes(link_under_test), 2 * appended);
	ord_link_flush(link_under_test);
	until(&seen.messages, 2);
	ord_link_close(link_under_test);
	ord_link_close(link_under_test);
	until(&seen.goners, 1);
	cr_assert_not(seen.failed);
}

Test(link, every_address_of_a_name_is_tried)
{
	addresses_count = 3;
	open_link("db.example.org", fake.nodes[0].port);
	until(&seen.ups, 1);
	ask(1);
	ord_link_flush(link_under_test);
	until(&seen.messages, 1);
	ord_link_close(link_under_test);
	until(&seen.goners, 1);
}

Test(link, none_of_them_answers)
{
	addresses_count = 2;
	fake_kill(&fake, 1);
	open_link("db.example.org", fake.nodes[0].port);
	until(&seen.goners, 1);
	cr_assert(seen.failed && seen.ups == 0);
	cr_assert_not_null(strstr(seen.why, "refused"), "%s", seen.why);
}

Test(link, a_name_without_address)
{
	addresses_count = 0;
	open_link("db.example.org", 7001);
	until(&seen.goners, 1);
	cr_assert(seen.failed && strlen(seen.why) > 0);
}

Test(link, closed_while_it_resolves_and_while_it_connects)
{
	addresses_count = 2;
	open_link("db.example.org", fake.nodes[0].port);
	ord_link_close(link_under_test);
	until(&seen.goners, 1);
	open_link("127.0.0.1", fake.nodes[0].port);
	ord_link_close(link_under_test);
	until(&seen.goners, 2);
	cr_assert(!seen.failed && seen.ups == 0);
}

Test(link, the_other_side_closes)
{
	open_link("127.0.0.1", fake.nodes[0].port);
	until(&seen.ups, 1);
	ask(1);
	ord_link_flush(link_under_test);
	until(&seen.messages, 1);
	fake_kill(&fake, 1);
	until(&seen.goners, 1);
	cr_assert(seen.failed);
	cr_assert_not_null(strstr(seen.why, "closed"), "%s", seen.why);
}

/* More than the sockets' buffers hold, and then more while that is on its way. */
Test(link, much_at_once_goes_in_order)
{
	enum { ROUNDS = 4, CALLS = 10, PAD_BYTES = 1000000 };
	char *pad = calloc(1, PAD_BYTES);
	open_link("127.0.0.1", fake.nodes[0].port);
	until(&seen.ups, 1);
	for (uint32_t id = 1; id <= ROUNDS * CALLS; id++) {
		msgpack_packer p;
		ord_rpc_packer(ord_link_output(link_under_test), &p);
		ord_rpc_put_request(&p, id, "cluster");
		msgpack_pack_map(&p, 1);
		ord_rpc_put_text(&p, "pad");
		ord_rpc_put_str(&p, ord_slice_of(pad, PAD_BYTES));
		if (id % CALLS == 0)
			ord_link_flush(link_under_test);
	}
	cr_assert_not(ord_link_output(link_under_test)->failed);
	cr_assert_lt(ord_link_sent_bytes(link_under_test), ord_link_appended_bytes(link_under_test),
		     "the first round is still being written");
	until(&seen.messages, ROUNDS * CALLS);
	cr_assert_eq(ord_link_sent_bytes(link_under_test), ord_link_appended_bytes(link_under_test));
	ord_link_close(link_under_test);
	until(&seen.goners, 1);
	free(pad);
}

Test(link, closed_in_the_middle_of_a_write)
{
	char *pad = calloc(1, 3000000);
	open_link("127.0.0.1", fake.nodes[0].port);
	until(&seen.ups, 1);
	for (uint32_t id = 1; id <= 10; id++) {
		msgpack_packer p;
		ord_rpc_packer(ord_link_output(link_under_test), &p);
		ord_rpc_put_request(&p, id, "cluster");
		ord_rpc_put_str(&p, ord_slice_of(pad, 3000000));
	}
	ord_link_flush(link_under_test);
	ord_link_close(link_under_test);
	until(&seen.goners, 1);
	cr_assert_not(seen.failed);
	free(pad);
}
