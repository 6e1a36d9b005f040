/* SPDX-License-Identifier: Apache-2.0 - ordaind: one node of a cluster, from its start to its stop. */
/* Exit status: 0 stopped on request, 1 could not start or had to stop, 2 wrong configuration. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "base/assert.h"
#include "base/err.h"
#include "client/ordain.h"
#include "node/clock.h"
#include "node/config.h"
#include "node/guard.h"
#include "node/log.h"
#include "node/node.h"
#include "raft/host.h"

#define WHY_SIZE 1024
#define CLOCK_CHECK_MS 1000
/* A wall clock that goes back by less is being slewed; nobody needs to know. */
#define CLOCK_BEHIND_US 1000000
/* Descriptors for the log, the peers and standard streams, beside those of clients. */
#define DESCRIPTORS_OWN 128 /* of each shard */

struct node {
	uv_loop_t loop;
	struct ord_config config;
	struct ord_node *node;
	uv_signal_t on_term;
	uv_signal_t on_int;
	uv_timer_t clock_check;
	struct ord_clock clock;
	bool clock_told;
	bool stopping;
};

static void node_stopped_cb(void *ctx)
{
	struct node *n = ctx;
	n->node = NULL;
	ord_log(ORD_LOG_INFO, "stopped: node %" PRIu32, n->config.node);
	uv_close((uv_handle_t *)&n->on_term, NULL);
	uv_close((uv_handle_t *)&n->on_int, NULL);
	uv_close((uv_handle_t *)&n->clock_check, NULL);
}

static void node_signal_cb(uv_signal_t *handle, int number)
{
	struct node *n = handle->data;
	if (n->stopping) {
		ord_log(ORD_LOG_WARN, "signal %d again: exits at once", number);
		_exit(1);
	}
	ord_log(ORD_LOG_INFO, "stopping: signal %d", number);
	n->stopping = true;
	ord_node_stop(n->node, node_stopped_cb, n);
}

/* A shard cannot go on and must not be touched again: nothing of it is worth saving that is not on disk. */
static void node_fatal_cb(void *ctx, int err, const char *why)
{
	(void)ctx;
	ord_log(ORD_LOG_ERROR, "the node has to stop: %s (%s)", why, ord_err_text(err));
	_exit(1);
}

static void node_clock_check_cb(uv_timer_t *handle)
{
	struct node *n = handle->data;
	ord_clock_wall_us(&n->clock);
	bool behind = n->clock.behind_us >= CLOCK_BEHIND_US;
	if (behind && !n->clock_told)
		ord_log(ORD_LOG_WARN,
			"the system's clock went back by %" PRIu64
			" s: until it has caught up, this node's log keeps the later time",
			n->clock.behind_us / 1000000);
	if (!behind && n->clock_told)
		ord_log(ORD_LOG_INFO, "the system's clock has caught up");
	n->clock_told = behind;
}

/* As many descriptors as may be had, since a client is one. */
static void raise_descriptors(const struct ord_config *config)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur < config->clients_max + config->shards_count * DESCRIPTORS_OWN)
		ord_log(ORD_LOG_WARN,
			"clients_max is %" PRIu32 ", but the process may open %" PRIu64
			" files only: raise LimitNOFILE (systemd) or ulimit -n",
			config->clients_max, (uint64_t)limit.rlim_cur);
}

static void node_watch(struct node *n)
{
	int err = uv_signal_init(&n->loop, &n->on_term) | uv_signal_init(&n->loop, &n->on_int) |
		  uv_timer_init(&n->loop, &n->clock_check);
	ORD_ASSERT(err == 0);
	n->on_term.data = n;
	n->on_int.data = n;
	n->clock_check.data = n;
	err = uv_signal_start(&n->on_term, node_signal_cb, SIGTERM) |
	      uv_signal_start(&n->on_int, node_signal_cb, SIGINT) |
	      uv_timer_start(&n->clock_check, node_clock_check_cb, CLOCK_CHECK_MS, CLOCK_CHECK_MS);
	ORD_ASSERT(err == 0);
}

static void node_tell_ready(const struct node *n)
{
	const struct ord_config_node *self = ord_config_find(&n->config, n->config.node);
	char peers[ORD_ADDRESS_TEXT_SIZE];
	ord_address_format(n->config.listen_host[0] != '\0' ? n->config.listen_host : self->peer.host, self->peer.port,
			   peers);
	ord_log(ORD_LOG_INFO, "ready: node %" PRIu32 ", clients on %s, peers on %s, data in %s", n->config.node,
		ord_node_address(n->node), peers, n->config.data_dir);
}

static int node_run(struct node *n)
{
	char why[WHY_SIZE] = "";
	struct ord_node_options options = {
		.loop = &n->loop, .config = &n->config, .has_threads = true, .fatal = node_fatal_cb, .ctx = n};
	raise_descriptors(&n->config);
	int err = ord_host_check_library(why, sizeof why);
	if (err == ORD_OK)
		err = ord_node_start(&options, &n->node, why, sizeof why);
	if (err != ORD_OK) {
		ord_log(ORD_LOG_ERROR, "cannot start: %s", why[0] != '\0' ? why : ord_err_text(err));
	} else {
		node_watch(n);
		node_tell_ready(n);
	}
	uv_run(&n->loop, UV_RUN_DEFAULT);
	return err == ORD_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct node n = {0};
	enum ord_config_action action;
	char why[ORD_CONFIG_WHY_SIZE] = "";
	signal(SIGPIPE, SIG_IGN);
	ord_guard_install();
	ord_config_init(&n.config);
	int err = ord_config_command_line(&n.config, argc, argv, &action, why);
	if (err == ORD_OK && action == ORD_CONFIG_HELP) {
		ord_config_help(stdout);
		return 0;
	}
	if (err == ORD_OK && action == ORD_CONFIG_VERSION) {
		printf("ordaind %s (libuv %s)\n", ORDAIN_VERSION, uv_version_string());
		return 0;
	}
	if (err == ORD_OK)
		err = ord_config_check(&n.config, why);
	if (err != ORD_OK) {
		fprintf(stderr, "ordaind: %s\n", why);
		return 2;
	}
	if (action == ORD_CONFIG_PRINT) {
		ord_config_print(&n.config, stdout);
		return 0;
	}
	if (uv_loop_init(&n.loop) != 0) {
		ord_log(ORD_LOG_ERROR, "cannot start: the event loop cannot be made: out of memory or descriptors");
		return 1;
	}
	int status = node_run(&n);
	err = uv_loop_close(&n.loop);
	ORD_ASSERT(err == 0);
	return status;
}
