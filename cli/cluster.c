/* SPDX-License-Identifier: Apache-2.0 - the node processes of a cluster directory: find them, start them, end them. */
#include "cli/cluster.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "cli/log_file.h"
#include "cli/netns.h"
#include "cli/node_clock.h"
#include "cli/node_disk.h"
#include "cli/port.h"

#define KILL_WAIT_MS 10000 /* a killed process ends as soon as its last system call is over */

/* Looks for the processes that are not known to run. */
static int absent_find(struct ord_cluster *c, char *why)
{
	char path[PATH_MAX];
	int err = ORD_OK;
	for (uint32_t i = 0; err == ORD_OK && i < c->layout.nodes_count; i++) {
		if (c->processes[i].pidfd >= 0)
			continue;
		ord_layout_path(&c->layout, &c->layout.nodes[i], "pid", path);
		err = ord_process_find(path, &c->processes[i], why, ORD_CLUSTER_WHY_SIZE);
	}
	return err;
}

int ord_cluster_find(struct ord_cluster *c, char *why)
{
	c->is_remote = false;
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++) {
		c->processes[i] = (struct ord_process){.pidfd = -1};
		c->log_begin[i] = 0;
	}
	int err = absent_find(c, why);
	if (err != ORD_OK)
		ord_cluster_close(c);
	return err;
}

int ord_cluster_open(const char *dir, struct ord_cluster *ret, char *why)
{
	int err = ord_layout_load(dir, &ret->layout, why, ORD_CLUSTER_WHY_SIZE);
	return err == ORD_OK ? ord_cluster_find(ret, why) : err;
}

void ord_cluster_close(struct ord_cluster *c)
{
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++)
		ord_process_close(&c->processes[i]);
}

static bool program_at(struct ord_cluster *c, const char *dir, size_t dir_len)
{
	int len = snprintf(c->ordaind, sizeof c->ordaind, "%.*s/ordaind", (int)dir_len, dir);
	return len < (int)sizeof c->ordaind && access(c->ordaind, X_OK) == 0;
}

int ord_cluster_program(struct ord_cluster *c, const char *given, char *why)
{
	char self[PATH_MAX] = "";
	const char *path = getenv("PATH");
	if (given != NULL) {
		snprintf(c->ordaind, sizeof c->ordaind, "%s", given);
		if (access(c->ordaind, X_OK) == 0)
			return ORD_OK;
		snprintf(why, ORD_CLUSTER_WHY_SIZE, "--ordaind: %s: %s", given, strerror(errno));
		return ORD_ERR_NOT_FOUND;
	}
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	const char *slash = len > 0 ? strrchr(self, '/') : NULL;
	if (slash != NULL && program_at(c, self, (size_t)(slash - self)))
		return ORD_OK;
	while (path != NULL && *path != '\0') {
		size_t part = strcspn(path, ":");
		if (part > 0 && program_at(c, path, part))
			return ORD_OK;
		path += part + (path[part] == ':');
	}
	snprintf(why, ORD_CLUSTER_WHY_SIZE,
		 "ordaind is neither beside %s nor in PATH; build it with make, or name it with --ordaind", self);
	return ORD_ERR_NOT_FOUND;
}

static int ports_check(const struct ord_layout *l, const struct ord_layout_node *node, char *why)
{
	uint16_t taken = 0;
	if (l->netns.on) /* it has them to itself */
		return ORD_OK;
	for (uint32_t i = 0; i < l->shards_count; i++)
		if (!ord_port_is_free((uint16_t)(node->peer_port + i)))
			taken = (uint16_t)(node->peer_port + i);
	if (!ord_port_is_free(node->client_port))
		taken = node->client_port;
	if (taken == 0)
		return ORD_OK;
	snprintf(why, ORD_CLUSTER_WHY_SIZE,
		 "node %" PRIu32
		 ": another program listens on its port 127.0.0.1:%u; find it with 'ss -ltnp' and end it, or choose "
		 "another port in %s/cluster.conf and in every node's ordaind.conf",
		 node->id, (unsigned)taken, l->dir);
	return ORD_ERR_IN_USE;
}

static int start_node(struct ord_cluster *c, uint32_t place, char *why)
{
	const struct ord_layout_node *node = &c->layout.nodes[place];
	char conf[PATH_MAX], data[PATH_MAX], log[PATH_MAX], pid_file[PATH_MAX], netns[ORD_NETNS_NAME_SIZE];
	char *argv[] = {c->ordaind, "--config", conf, "--data-dir", data, NULL};
	ORD_ASSERT(c->processes[place].pidfd < 0);
	int err = ord_layout_prepare(&c->layout, node, why, ORD_CLUSTER_WHY_SIZE);
	if (err != ORD_OK)
		return err;
	ord_layout_path(&c->layout, node, "ordaind.conf", conf);
	ord_layout_path(&c->layout, node, "data", data);
	ord_layout_path(&c->layout, node, "log", log);
	ord_layout_path(&c->layout, node, "pid", pid_file);
	c->log_begin[place] = ord_log_file_end_bytes(log);
	struct ord_node_clock_environment clock = {0};
	if (c->layout.netns.on)
		err = ord_node_clock_prepare(&c->layout, node, &clock, why, ORD_CLUSTER_WHY_SIZE);
	if (err != ORD_OK)
		return err;
	ord_netns_name(&c->layout, node->id, netns);
	struct ord_process_spawn spawn = {.program = c->ordaind,
					  .argv = argv,
					  .log = log,
					  .pid_file = pid_file,
					  .netns = c->layout.netns.on ? netns : NULL,
					  .environment = clock.variables};
	return ord_process_start(&spawn, &c->processes[place], why, ORD_CLUSTER_WHY_SIZE);
}

uint32_t ord_cluster_mask(const struct ord_cluster *c, int64_t node)
{
	const struct ord_layout_node *found = ord_layout_find(&c->layout, node);
	return found != NULL ? 1u << (found - c->layout.nodes) : (1u << c->layout.nodes_count) - 1;
}

int ord_cluster_check(const struct ord_cluster *c, int64_t node, char *why)
{
	if (node == 0 || ord_layout_find(&c->layout, node) != NULL)
		return ORD_OK;
	snprintf(why, ORD_CLUSTER_WHY_SIZE,
		 "--node: there is no node %" PRId64 "; this cluster has nodes 1 to %" PRIu32, node,
		 c->layout.nodes_count);
	return ORD_ERR_INVALID;
}

/* The network, and the file systems of the nodes of the mask, of a cluster that has them. */
static int places_make(const struct ord_cluster *c, uint32_t mask, char *why)
{
	const struct ord_layout *l = &c->layout;
	bool is_running = false;
	if (!l->netns.on || mask == 0)
		return ORD_OK;
	for (uint32_t i = 0; i < l->nodes_count; i++)
		is_running = is_running || c->processes[i].pidfd >= 0;
	int err = ord_netns_check(why, ORD_CLUSTER_WHY_SIZE);
	if (err == ORD_OK)
		err = ord_netns_raise(l, is_running, why, ORD_CLUSTER_WHY_SIZE);
	for (uint32_t i = 0; err == ORD_OK && i < l->nodes_count; i++) {
		if ((mask >> i & 1) != 0)
			err = ord_node_disk_mount(l, &l->nodes[i], why, ORD_CLUSTER_WHY_SIZE);
	}
	return err;
}

int ord_cluster_clear(const struct ord_cluster *c, char *why)
{
	const struct ord_layout *l = &c->layout;
	int err = ORD_OK;
	if (!l->netns.on)
		return ORD_OK;
	for (uint32_t i = 0; i < l->nodes_count; i++)
		ORD_ASSERT(c->processes[i].pidfd < 0);
	for (uint32_t i = 0; err == ORD_OK && i < l->nodes_count; i++) {
		ord_node_clock_remove(l, &l->nodes[i]);
		err = ord_node_disk_unmount(l, &l->nodes[i], why, ORD_CLUSTER_WHY_SIZE);
	}
	return err == ORD_OK ? ord_netns_remove(l, why, ORD_CLUSTER_WHY_SIZE) : err;
}

int ord_cluster_start_nodes(struct ord_cluster *c, uint32_t mask, uint32_t *ret_count, char *why)
{
	int err = absent_find(c, why);
	*ret_count = 0;
	for (uint32_t i = 0; err == ORD_OK && i < c->layout.nodes_count; i++) {
		if (c->processes[i].pidfd >= 0)
			mask &= ~(1u << i);
	}
	for (uint32_t i = 0; err == ORD_OK && i < c->layout.nodes_count; i++) {
		if ((mask >> i & 1) != 0)
			err = ports_check(&c->layout, &c->layout.nodes[i], why);
	}
	if (err == ORD_OK)
		err = places_make(c, mask, why);
	for (uint32_t i = 0; err == ORD_OK && i < c->layout.nodes_count; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		err = start_node(c, i, why);
		*ret_count += err == ORD_OK;
	}
	return err;
}

static void node_survey(const struct ord_cluster *c, uint32_t place, struct ord_survey *s)
{
	char host[ORD_LAYOUT_HOST_SIZE];
	ord_layout_host(&c->layout, c->layout.nodes[place].id, host);
	ord_survey_node_add(s, c->layout.nodes[place].id);
	snprintf(s->nodes[place].host, sizeof s->nodes[place].host, "%s", c->is_remote ? c->remote[place].host : host);
	s->nodes[place].port = c->layout.nodes[place].client_port;
	s->nodes[place].asked = ord_cluster_runs(c, place);
}

int ord_cluster_survey(const struct ord_cluster *c, struct ord_survey **ret, char *why)
{
	char addresses[ORD_NODES_MAX * (ORD_CLUSTER_ADDRESS_SIZE + 1)] = "";
	struct ordain_id cluster_id;
	struct ordain_options options = {.addresses = addresses, .cluster_id = &cluster_id};
	struct ord_survey *s;
	for (uint32_t i = 0; i < c->layout.nodes_count; i++) {
		char address[ORD_CLUSTER_ADDRESS_SIZE];
		size_t len = strlen(addresses);
		ord_cluster_address(c, i, address);
		snprintf(addresses + len, sizeof addresses - len, "%s%s", len > 0 ? "," : "", address);
	}
	memcpy(cluster_id.bytes, c->layout.cluster.bytes, sizeof cluster_id.bytes);
	int err = ord_survey_open(&options, &s);
	if (err != 0) {
		snprintf(why, ORD_CLUSTER_WHY_SIZE, "%s", ordain_strerror(err));
		return ORD_ERR_IO;
	}
	if (!ord_survey_partitions(s, c->layout.partitions_count)) {
		ord_survey_close(s);
		snprintf(why, ORD_CLUSTER_WHY_SIZE, "out of memory");
		return ORD_ERR_NOMEM;
	}
	for (uint32_t i = 0; i < c->layout.nodes_count; i++)
		node_survey(c, i, s);
	*ret = s;
	return ORD_OK;
}

/* Takes the pid file of an ended node away. */
static void node_forget(struct ord_cluster *c, uint32_t place)
{
	char path[PATH_MAX];
	ord_layout_path(&c->layout, &c->layout.nodes[place], "pid", path);
	unlink(path);
	ord_process_close(&c->processes[place]);
}

int ord_cluster_stop(struct ord_cluster *c, uint32_t mask, bool force, int64_t timeout_ms,
		     enum ord_cluster_end ret_ends[ORD_NODES_MAX], char *why)
{
	int64_t deadline_ms = ord_process_now_ms() + timeout_ms;
	int err = ORD_OK;
	for (uint32_t i = 0; i < c->layout.nodes_count; i++) {
		ret_ends[i] = ORD_CLUSTER_NOT_RUNNING;
		if ((mask >> i & 1) == 0 || c->processes[i].pidfd < 0)
			continue;
		ord_process_signal(&c->processes[i], SIGTERM);
		/* A paused one would never see it. Others are spared: SIGCONT would undo the SIGSTOP by which a sanitizer holds threads at exit. */
		if (c->processes[i].paused)
			ord_process_signal(&c->processes[i], SIGCONT);
	}
	for (uint32_t i = 0; i < c->layout.nodes_count; i++) {
		if ((mask >> i & 1) == 0 || c->processes[i].pidfd < 0)
			continue;
		ret_ends[i] = ORD_CLUSTER_ENDED;
		bool ended = ord_process_wait(&c->processes[i], deadline_ms - ord_process_now_ms());
		if (!ended && force) {
			ret_ends[i] = ORD_CLUSTER_KILLED;
			ord_process_signal(&c->processes[i], SIGKILL);
			ended = ord_process_wait(&c->processes[i], KILL_WAIT_MS);
		}
		if (ended) {
			node_forget(c, i);
			continue;
		}
		snprintf(why, ORD_CLUSTER_WHY_SIZE,
			 "node %" PRIu32 " (process %d) has not ended within %" PRId64
			 " ms; wait longer with --timeout, or let it be killed with --force",
			 c->layout.nodes[i].id, (int)c->processes[i].pid, timeout_ms);
		err = ORD_ERR_TIMEOUT;
	}
	return err;
}
