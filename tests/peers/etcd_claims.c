/* SPDX-License-Identifier: Apache-2.0 - load on etcd: names claimed by many clients at once, each by a transaction that puts a key if nobody has it.
 *
 * WARMING --time--> MEASURING --time--> DRAINING, where no new claim is made, until all are answered. Made like `ordain bench --workload claims`: a
 * client makes its next claim when the one before is answered; all of them run in this one thread and share some connections. Prints one JSON object. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/histogram.h"
#include "tests/peers/etcd_txn.h"
#include "tests/peers/grpc.h"

#define CLIENTS_MAX 10000
#define CONNECTIONS_MAX 100
#define SECONDS_MAX 3600
#define ENDPOINTS_MAX 16
#define DRAIN_US 10000000 /* the longest wait for the last answers */

enum phase { WARMING, MEASURING, DRAINING };

struct options {
	char *endpoints[ENDPOINTS_MAX]; /* borrowed from argv */
	uint32_t endpoints_count;
	uint32_t clients;
	uint32_t connections;
	uint32_t warm_up;
	uint32_t seconds;
};

struct connection {
	struct grpc *grpc; /* owned */
	bool waits;	   /* for the socket to take more */
	bool touched;	   /* has something to write */
};

struct client {
	struct load *load;
	struct connection *connection;
	uint64_t begun_us;
};

struct load {
	struct options options;
	enum phase phase;
	int epoll;
	struct connection connections[CONNECTIONS_MAX];
	struct client *clients; /* owned */
	struct ord_bytes text;
	uint64_t run; /* random; in all names, so that runs do not meet */
	uint64_t claims_count;
	uint64_t put_count; /* keys that were put, in all phases */
	uint64_t settled;
	uint64_t refused;
	uint64_t failed; /* in all phases */
	uint32_t under_way;
	char problem[300];
	struct ord_histogram latency;
};

static uint64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void problem_keep(struct load *l, int status, struct ord_slice message)
{
	l->failed++;
	l->phase = DRAINING;
	if (l->problem[0] != '\0')
		return;
	if (status != GRPC_NO_STATUS)
		snprintf(l->problem, sizeof l->problem, "gRPC status %d: ", status);
	size_t len = strlen(l->problem);
	snprintf(l->problem + len, sizeof l->problem - len, "%.*s", (int)message.len, (const char *)message.base);
}

static void client_claim(struct client *c);

static void claim_cb(int status, struct ord_slice message, void *arg)
{
	struct client *c = arg;
	struct load *l = c->load;
	bool put = false;
	l->under_way--;
	if (status != 0 || etcd_txn_succeeded(message, &put) != ORD_OK) {
		problem_keep(l, status, status != 0 ? message : ord_slice_text("the answer is no TxnResponse"));
		return;
	}
	l->put_count += put;
	if (l->phase == MEASURING) {
		ord_histogram_add(&l->latency, now_us() - c->begun_us);
		l->settled += put;
		l->refused += !put;
	}
	if (l->phase != DRAINING)
		client_claim(c);
}

static void client_claim(struct client *c)
{
	struct load *l = c->load;
	char name[64];
	snprintf(name, sizeof name, "bench/%016" PRIx64 "-%" PRIu64, l->run, l->claims_count++);
	ord_bytes_clear(&l->text);
	etcd_txn_create(&l->text, ord_slice_text(name), ord_slice_text("bench"));
	c->begun_us = now_us();
	if (l->text.failed || !grpc_call(c->connection->grpc, ord_bytes_slice(&l->text), claim_cb, c)) {
		problem_keep(l, GRPC_NO_STATUS, ord_slice_text("no memory for a call"));
		return;
	}
	c->connection->touched = true;
	l->under_way++;
}

/* --- The loop ----------------------------------------------------------------------------------------------------------- */

static void connection_write(struct load *l, struct connection *c)
{
	bool waited = c->waits;
	c->touched = false;
	if (!grpc_write(c->grpc, &c->waits))
		return; /* its calls have failed, which ends the load */
	if (c->waits == waited)
		return;
	struct epoll_event event = {.events = EPOLLIN | (c->waits ? EPOLLOUT : 0), .data.ptr = c};
	epoll_ctl(l->epoll, EPOLL_CTL_MOD, grpc_fd(c->grpc), &event);
}

/* Lets the load go on until end_us, or until nothing is under way. */
static void loop_run(struct load *l, uint64_t end_us)
{
	struct epoll_event events[CONNECTIONS_MAX];
	for (uint64_t now = now_us(); now < end_us && l->under_way > 0; now = now_us()) {
		int count = epoll_wait(l->epoll, events, CONNECTIONS_MAX, (int)((end_us - now) / 1000) + 1);
		for (int i = 0; i < count; i++) {
			struct connection *c = events[i].data.ptr;
			c->touched = true;
			if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0 && !grpc_read(c->grpc))
				epoll_ctl(l->epoll, EPOLL_CTL_DEL, grpc_fd(c->grpc), NULL);
		}
		for (uint32_t i = 0; i < l->options.connections; i++)
			if (l->connections[i].touched)
				connection_write(l, &l->connections[i]);
		if (l->failed > 0)
			return;
	}
}

static uint64_t phases_run(struct load *l)
{
	for (uint32_t i = 0; i < l->options.clients && l->phase == WARMING; i++)
		client_claim(&l->clients[i]);
	for (uint32_t i = 0; i < l->options.connections; i++)
		connection_write(l, &l->connections[i]);
	loop_run(l, now_us() + l->options.warm_up * (uint64_t)1000000);
	uint64_t begin = now_us();
	if (l->phase == WARMING)
		l->phase = MEASURING;
	loop_run(l, begin + l->options.seconds * (uint64_t)1000000);
	uint64_t elapsed_us = now_us() - begin;
	l->phase = DRAINING;
	loop_run(l, now_us() + DRAIN_US);
	if (l->failed == 0 && l->under_way > 0)
		problem_keep(l, GRPC_NO_STATUS, ord_slice_text("the last claims were not answered within 10 s"));
	return elapsed_us;
}

/* --- Beginning and end -------------------------------------------------------------------------------------------------- */

static int load_open(struct load *l, char *why, size_t why_size)
{
	ORD_ASSERT(l->options.endpoints_count > 0);
	uint32_t connections_count = l->options.connections;
	ORD_ASSERT(connections_count > 0);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->clients = calloc(l->options.clients, sizeof *l->clients);
	ord_bytes_init(&l->text, GRPC_MESSAGE_BYTES_MAX);
	ord_histogram_init(&l->latency);
	snprintf(why, why_size, "out of memory, or of files");
	if (l->epoll < 0 || l->clients == NULL || getrandom(&l->run, sizeof l->run, 0) != sizeof l->run)
		return ORD_ERR_NOMEM;
	for (uint32_t i = 0; i < connections_count; i++) {
		struct connection *c = &l->connections[i];
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
		c->grpc = grpc_open(l->options.endpoints[i % l->options.endpoints_count], ETCD_TXN_PATH, why, why_size);
		if (c->grpc == NULL || epoll_ctl(l->epoll, EPOLL_CTL_ADD, grpc_fd(c->grpc), &event) != 0)
			return ORD_ERR_IO;
	}
	for (uint32_t i = 0; i < l->options.clients; i++)
		l->clients[i] = (struct client){.load = l, .connection = &l->connections[i % connections_count]};
	return ORD_OK;
}

static void report_print(const struct load *l, uint64_t elapsed_us)
{
	printf("{\"prefix\":\"bench/%016" PRIx64 "-\",\"clients\":%" PRIu32 ",\"connections\":%" PRIu32
	       ",\"elapsed_us\":%" PRIu64 ",\"settled\":%" PRIu64 ",\"settled_per_s\":%.0f,\"refused\":%" PRIu64
	       ",\"put\":%" PRIu64 ",\"p50_us\":%" PRIu64 ",\"p99_us\":%" PRIu64 ",\"max_us\":%" PRIu64 "}\n",
	       l->run, l->options.clients, l->options.connections, elapsed_us, l->settled,
	       (double)l->settled * 1e6 / (double)(elapsed_us > 0 ? elapsed_us : 1), l->refused, l->put_count,
	       ord_histogram_quantile(&l->latency, 500), ord_histogram_quantile(&l->latency, 990), l->latency.max);
}

static bool number_parse(const char *name, const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || value < min || value > max) {
		fprintf(stderr, "etcd-claims: --%s: '%s' is not a number from %u to %u\n", name, text, min, max);
		return false;
	}
	*ret = (uint32_t)value;
	return true;
}

static bool endpoints_parse(char *text, struct options *ret)
{
	for (char *at = strtok(text, ","); at != NULL; at = strtok(NULL, ",")) {
		if (ret->endpoints_count == ENDPOINTS_MAX) {
			fprintf(stderr, "etcd-claims: --endpoints: more than %d of them\n", ENDPOINTS_MAX);
			return false;
		}
		ret->endpoints[ret->endpoints_count++] = at;
	}
	return true;
}

static bool options_parse(int argc, char **argv, struct options *ret)
{
	static const struct option flags[] = {
		{"endpoints", required_argument, NULL, 'e'},   {"clients", required_argument, NULL, 'c'},
		{"connections", required_argument, NULL, 'n'}, {"warm-up", required_argument, NULL, 'w'},
		{"seconds", required_argument, NULL, 's'},     {NULL, 0, NULL, 0}};
	int which;
	*ret = (struct options){.clients = 256, .connections = 3, .warm_up = 1, .seconds = 10};
	while ((which = getopt_long(argc, argv, "", flags, NULL)) != -1) {
		bool good =
			(which == 'e' && endpoints_parse(optarg, ret)) ||
			(which == 'c' && number_parse("clients", optarg, 1, CLIENTS_MAX, &ret->clients)) ||
			(which == 'n' && number_parse("connections", optarg, 1, CONNECTIONS_MAX, &ret->connections)) ||
			(which == 'w' && number_parse("warm-up", optarg, 0, SECONDS_MAX, &ret->warm_up)) ||
			(which == 's' && number_parse("seconds", optarg, 1, SECONDS_MAX, &ret->seconds));
		if (!good)
			return false;
	}
	if (ret->endpoints_count == 0 || optind < argc) {
		fprintf(stderr, "usage: etcd-claims --endpoints HOST:PORT,... [--clients 256] [--connections 3] "
				"[--warm-up 1] [--seconds 10]\n");
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct load l;
	char why[256];
	if (!options_parse(argc, argv, &l.options))
		return 2;
	if (load_open(&l, why, sizeof why) != ORD_OK) {
		fprintf(stderr, "etcd-claims: %s\n", why);
		return 1;
	}
	uint64_t elapsed_us = phases_run(&l);
	report_print(&l, elapsed_us);
	if (l.failed > 0)
		fprintf(stderr, "etcd-claims: %s\n", l.problem);
	if (l.refused > 0)
		fprintf(stderr, "etcd-claims: %" PRIu64 " names were taken, although nobody else claims them\n",
			l.refused);
	for (uint32_t i = 0; i < l.options.connections; i++)
		grpc_close(l.connections[i].grpc);
	ord_bytes_close(&l.text);
	free(l.clients);
	return l.failed + l.refused > 0;
}
