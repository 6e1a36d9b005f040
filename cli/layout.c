/* SPDX-License-Identifier: Apache-2.0 - the directory of a cluster of local processes: which nodes, which ports, which files. */
#include "cli/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/args.h"
#include "cli/port.h"
#include "cli/subnet.h"

#define HOST "127.0.0.1"
#define NETNS_VERSION 1	     /* of what the line "netns" means */
#define NETNS_PEER_PORT 7101 /* a node with a namespace of its own has all ports to itself */
#define NETNS_CLIENT_PORT 7001
#define FILE_NAME "cluster.conf"
#define LINE_BYTES_MAX 512

static int fail_errno(const char *path, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s: %s", path, strerror(errno));
	return ORD_ERR_IO;
}

/* dir/name, cut when it is too long: opening it then fails. */
static void path_join(char path[PATH_MAX], const char *dir, const char *name)
{
	if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		path[0] = '\0';
}

void ord_layout_path(const struct ord_layout *l, const struct ord_layout_node *node, const char *name,
		     char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%s/node-%" PRIu32 "/%s", l->dir, node->id, name) >= PATH_MAX)
		path[0] = '\0';
}

void ord_layout_host(const struct ord_layout *l, uint32_t node, char host[ORD_LAYOUT_HOST_SIZE])
{
	if (l->netns.on)
		ord_subnet_host(l->netns.network, node != 0 ? node : ORD_SUBNET_GATE, host);
	else
		snprintf(host, ORD_LAYOUT_HOST_SIZE, HOST);
}

void ord_layout_addresses(const struct ord_layout *l, char addresses[ORD_LAYOUT_ADDRESSES_SIZE])
{
	char host[ORD_LAYOUT_HOST_SIZE];
	size_t len = 0;
	for (uint32_t i = 0; i < l->nodes_count; i++) {
		ord_layout_host(l, l->nodes[i].id, host);
		len += (size_t)snprintf(addresses + len, ORD_LAYOUT_ADDRESSES_SIZE - len, "%s%s:%u", i > 0 ? "," : "",
					host, (unsigned)l->nodes[i].client_port);
	}
}

const struct ord_layout_node *ord_layout_find(const struct ord_layout *l, int64_t node)
{
	for (uint32_t i = 0; i < l->nodes_count; i++) {
		if (l->nodes[i].id == node)
			return &l->nodes[i];
	}
	return NULL;
}

/* "1 10.x.y.0/24 BYTES": the version of the line, the network, the size of each node's file system. Stands before the nodes. */
static int netns_parse(const char *value, struct ord_layout *l)
{
	char network[ORD_LAYOUT_HOST_SIZE];
	uint32_t version;
	int end = 0;
	if (sscanf(value, "%" SCNu32 " %15[0-9.]/24 %" SCNu64 "%n", &version, network, &l->netns.disk_bytes, &end) !=
		    3 ||
	    value[end] != '\0' || version != NETNS_VERSION || l->nodes_count > 0)
		return ORD_ERR_FORMAT;
	l->netns.on = true;
	return ord_subnet_parse(network, &l->netns.network);
}

/* "1=HOST:PEERPORT:CLIENTPORT", the next node in order. */
static int node_parse(const char *value, struct ord_layout *l)
{
	char host[ORD_LAYOUT_HOST_SIZE], expected[ORD_LAYOUT_HOST_SIZE];
	uint32_t id, peer, client;
	int end = 0;
	if (sscanf(value, "%" SCNu32 "=%15[0-9.]:%" SCNu32 ":%" SCNu32 "%n", &id, host, &peer, &client, &end) != 4 ||
	    value[end] != '\0')
		return ORD_ERR_FORMAT;
	ord_layout_host(l, id, expected);
	if (strcmp(host, expected) != 0)
		return ORD_ERR_FORMAT;
	if (l->nodes_count == ORD_NODES_MAX || id != l->nodes_count + 1 || peer < 1 || peer > 65535 || client < 1 ||
	    client > 65535)
		return ORD_ERR_FORMAT;
	l->nodes[l->nodes_count++] =
		(struct ord_layout_node){.id = id, .peer_port = (uint16_t)peer, .client_port = (uint16_t)client};
	return ORD_OK;
}

static int line_parse(char *line, struct ord_layout *l)
{
	int64_t partitions, shards;
	char *value = strstr(line, " = ");
	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '\0' || line[0] == '#')
		return ORD_OK;
	if (value == NULL)
		return ORD_ERR_FORMAT;
	*value = '\0';
	value += 3;
	if (strcmp(line, "cluster_id") == 0)
		return ord_uuid_parse(ord_slice_text(value), &l->cluster);
	if (strcmp(line, "nodes") == 0)
		return node_parse(value, l);
	if (strcmp(line, "netns") == 0)
		return netns_parse(value, l);
	if (strcmp(line, "shards") == 0) {
		if (ord_args_number(value, 1, ORD_SHARDS_MAX, &shards) != ORD_OK)
			return ORD_ERR_FORMAT;
		l->shards_count = (uint32_t)shards;
		return ORD_OK;
	}
	if (strcmp(line, "partitions") != 0 || ord_args_number(value, 1, ORD_PARTITIONS_MAX, &partitions) != ORD_OK)
		return ORD_ERR_FORMAT;
	l->partitions_count = (uint32_t)partitions;
	return ORD_OK;
}

static int file_read(const char *path, struct ord_layout *l, char *why, size_t why_size)
{
	static const struct ord_uuid none;
	char line[LINE_BYTES_MAX];
	unsigned number = 0;
	int err = ORD_OK;
	FILE *in = fopen(path, "re");
	if (in == NULL && (errno == ENOENT || errno == ENOTDIR))
		return ORD_ERR_NOT_FOUND;
	if (in == NULL)
		return fail_errno(path, why, why_size);
	while (err == ORD_OK && fgets(line, sizeof line, in) != NULL) {
		number++;
		err = line_parse(line, l);
	}
	fclose(in);
	if (err != ORD_OK) {
		snprintf(why, why_size,
			 "%s:%u: not a line that 'ordain cluster start' writes; restore the file, or use another --dir",
			 path, number);
		return ORD_ERR_FORMAT;
	}
	if (l->nodes_count > 0 && l->partitions_count > 0 && !ord_uuid_equal(&l->cluster, &none))
		return ORD_OK;
	snprintf(why, why_size,
		 "%s: cluster_id, partitions or nodes is missing; restore the file, or use another --dir", path);
	return ORD_ERR_FORMAT;
}

int ord_layout_load(const char *dir, struct ord_layout *ret, char *why, size_t why_size)
{
	struct ord_layout l = {.shards_count = 1};
	char path[PATH_MAX];
	int err = ORD_ERR_NOT_FOUND;
	if (realpath(dir, l.dir) != NULL) {
		path_join(path, l.dir, FILE_NAME);
		err = file_read(path, &l, why, why_size);
	}
	if (err == ORD_ERR_NOT_FOUND)
		snprintf(why, why_size, "there is no cluster in %s; make one with: ordain cluster start --dir %s", dir,
			 dir);
	if (err == ORD_OK)
		*ret = l;
	return err;
}

/* mkdir -p, one level at a time. */
int ord_layout_directory(const char *dir, char *why, size_t why_size)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof path, "%s", dir) >= (int)sizeof path) {
		errno = ENAMETOOLONG;
		return fail_errno(dir, why, why_size);
	}
	for (char *at = path + 1;; at++) {
		char sign = *at;
		if (sign != '/' && sign != '\0')
			continue;
		*at = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			return fail_errno(path, why, why_size);
		if (sign == '\0')
			return ORD_OK;
		*at = sign;
	}
}

/* Writes text to path so that it is there whole or not at all, also after a crash. */
static int file_write(const char *path, const char *text, char *why, size_t why_size)
{
	char draft[PATH_MAX];
	int fd = -1;
	if (snprintf(draft, sizeof draft, "%s.new", path) < (int)sizeof draft)
		fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail_errno(path, why, why_size);
	ssize_t written = write(fd, text, strlen(text));
	if (written != (ssize_t)strlen(text) || fsync(fd) != 0) {
		fail_errno(draft, why, why_size);
		close(fd);
		return ORD_ERR_IO;
	}
	close(fd);
	return rename(draft, path) == 0 ? ORD_OK : fail_errno(path, why, why_size);
}

/* The lines that cluster.conf and every ordaind.conf have in common. */
static size_t common_format(const struct ord_layout *l, char *text, size_t text_size)
{
	char cluster[ORD_UUID_TEXT_SIZE], host[ORD_LAYOUT_HOST_SIZE];
	size_t len;
	ord_uuid_format(&l->cluster, cluster);
	len = (size_t)snprintf(text, text_size, "cluster_id = %s\npartitions = %" PRIu32 "\n", cluster,
			       l->partitions_count);
	if (l->shards_count > 1)
		len += (size_t)snprintf(text + len, text_size - len, "shards = %" PRIu32 "\n", l->shards_count);
	for (uint32_t i = 0; i < l->nodes_count; i++) {
		const struct ord_layout_node *n = &l->nodes[i];
		ord_layout_host(l, n->id, host);
		len += (size_t)snprintf(text + len, text_size - len, "nodes = %" PRIu32 "=%s:%u:%u\n", n->id, host,
					(unsigned)n->peer_port, (unsigned)n->client_port);
	}
	return len;
}

static int identity_make(struct ord_uuid *ret)
{
	struct timespec now;
	uint8_t random[10];
	clock_gettime(CLOCK_REALTIME, &now);
	if (getrandom(random, sizeof random, 0) != sizeof random)
		return ORD_ERR_IO;
	*ret = ord_uuid_v7((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000, random);
	return ORD_OK;
}

/* Ports of this machine that nobody listens on: for each node one for each shard, and behind them one for clients. */
static int ports_choose(struct ord_layout *l, char *why, size_t why_size)
{
	uint16_t ports[ORD_NODES_MAX];
	int err = ord_port_choose(ports, l->nodes_count, l->shards_count + 1, why, why_size);
	if (err != ORD_OK)
		return err;
	for (uint32_t i = 0; i < l->nodes_count; i++)
		l->nodes[i] = (struct ord_layout_node){
			.id = i + 1, .peer_port = ports[i], .client_port = (uint16_t)(ports[i] + l->shards_count)};
	return ORD_OK;
}

/* A network that this machine does not use. */
static int network_choose(const struct ord_layout_shape *shape, struct ord_layout *l, char *why, size_t why_size)
{
	l->netns = (struct ord_layout_netns){.on = true, .disk_bytes = shape->disk_bytes};
	for (uint32_t i = 0; i < l->nodes_count; i++)
		l->nodes[i] = (struct ord_layout_node){
			.id = i + 1, .peer_port = NETNS_PEER_PORT, .client_port = NETNS_CLIENT_PORT};
	return ord_subnet_choose(&l->cluster, &l->netns.network, why, why_size);
}

/* The text of cluster.conf. */
static void conf_format(const struct ord_layout *l, char *text, size_t text_size)
{
	char network[ORD_LAYOUT_HOST_SIZE];
	size_t len = (size_t)snprintf(
		text, text_size, "# Made by 'ordain cluster start': NUMBER=HOST:PEERPORT:CLIENTPORT for each node.\n");
	if (l->netns.on) {
		ord_subnet_host(l->netns.network, 0, network);
		len += (size_t)snprintf(text + len, text_size - len, "netns = %d %s/24 %" PRIu64 "\n", NETNS_VERSION,
					network, l->netns.disk_bytes);
	}
	common_format(l, text + len, text_size - len);
}

int ord_layout_create(const char *dir, const struct ord_layout_shape *shape, struct ord_layout *ret, char *why,
		      size_t why_size)
{
	struct ord_layout l = {.partitions_count = shape->partitions_count,
			       .shards_count = shape->shards_count != 0 ? shape->shards_count : 1,
			       .nodes_count = shape->nodes_count};
	char text[2048], path[PATH_MAX];
	if (realpath(dir, l.dir) == NULL || identity_make(&l.cluster) != ORD_OK)
		return fail_errno(dir, why, why_size);
	int err = shape->netns ? network_choose(shape, &l, why, why_size) : ports_choose(&l, why, why_size);
	if (err != ORD_OK)
		return err;
	conf_format(&l, text, sizeof text);
	path_join(path, l.dir, FILE_NAME);
	err = file_write(path, text, why, why_size);
	if (err == ORD_OK)
		*ret = l;
	return err;
}

int ord_layout_prepare(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size)
{
	char path[PATH_MAX], text[PATH_MAX + 2048];
	ord_layout_path(l, node, "data", path);
	int err = ord_layout_directory(path, why, why_size);
	if (err != ORD_OK)
		return err;
	size_t len = common_format(l, text, sizeof text);
	snprintf(text + len, sizeof text - len, "node = %" PRIu32 "\ndata_dir = %s\n", node->id, path);
	ord_layout_path(l, node, "ordaind.conf", path);
	if (access(path, F_OK) == 0)
		return ORD_OK;
	return file_write(path, text, why, why_size);
}

/* What a node's configuration says of faults: 1 yes, 0 no, -1 nothing. *ret_open: its last line has no end. */
static int faults_read(FILE *in, bool *ret_open)
{
	char line[LINE_BYTES_MAX], value[8];
	int said = -1;
	*ret_open = false;
	while (fgets(line, sizeof line, in) != NULL) {
		*ret_open = strchr(line, '\n') == NULL;
		if (sscanf(line, " enable_faults = %7s", value) == 1)
			said = strcmp(value, "yes") == 0;
	}
	return said;
}

int ord_layout_enable_faults(const struct ord_layout *l, const struct ord_layout_node *node, bool *ret_changed,
			     char *why, size_t why_size)
{
	char path[PATH_MAX];
	*ret_changed = false;
	int err = ord_layout_prepare(l, node, why, why_size);
	if (err != ORD_OK)
		return err;
	ord_layout_path(l, node, "ordaind.conf", path);
	FILE *file = fopen(path, "r+e");
	if (file == NULL)
		return fail_errno(path, why, why_size);
	bool is_open;
	int said = faults_read(file, &is_open);
	if (said == 0) {
		snprintf(why, why_size, "%s: says enable_faults = no; remove that line, or leave --enable-faults out",
			 path);
		err = ORD_ERR_INVALID;
	}
	if (said == -1)
		*ret_changed = fseek(file, 0, SEEK_END) == 0 &&
			       fprintf(file, "%senable_faults = yes\n", is_open ? "\n" : "") > 0;
	if ((said == -1 && !*ret_changed) || fclose(file) != 0)
		return fail_errno(path, why, why_size);
	return err;
}
