/* SPDX-License-Identifier: Apache-2.0 - a cluster's directory: what is made is read back, what is damaged is named. */
#include "cli/layout.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/port.h"

static char dir[] = "/tmp/ordain-layout-XXXXXX";
static char why[1024];
static const struct ord_layout_shape shape = {.nodes_count = 3, .partitions_count = 8};

static void make_dir(void)
{
	cr_assert_not_null(mkdtemp(dir));
}

static void remove_dir(void)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(cli_layout, .init = make_dir, .fini = remove_dir);

static void file_put(const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *out = fopen(path, "w");
	cr_assert_not_null(out);
	fputs(text, out);
	fclose(out);
}

static char *file_get(const char *name)
{
	static char text[4096];
	char path[256];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *in = fopen(path, "r");
	cr_assert_not_null(in, "%s", path);
	text[fread(text, 1, sizeof text - 1, in)] = '\0';
	fclose(in);
	return text;
}

/* How often the node's configuration has the line. */
static unsigned lines_count(const char *line)
{
	unsigned count = 0;
	for (const char *at = file_get("node-2/ordaind.conf"); (at = strstr(at, line)) != NULL; at++)
		count++;
	return count;
}

Test(cli_layout, faults_are_enabled_once_and_not_against_what_the_file_says)
{
	struct ord_layout l;
	bool changed;
	cr_assert_eq(ord_layout_create(dir, &shape, &l, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(ord_layout_enable_faults(&l, &l.nodes[1], &changed, why, sizeof why), ORD_OK, "%s", why);
	cr_assert(changed, "also in a configuration that was just made");
	cr_assert_eq(ord_layout_enable_faults(&l, &l.nodes[1], &changed, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_not(changed);
	cr_assert_eq(lines_count("enable_faults = yes\n"), 1);
	file_put("node-2/ordaind.conf", "# enable_faults = no\nnode = 2");
	cr_assert_eq(ord_layout_enable_faults(&l, &l.nodes[1], &changed, why, sizeof why), ORD_OK, "%s", why);
	cr_assert(changed, "a comment says nothing");
	cr_assert_eq(lines_count("node = 2\nenable_faults = yes\n"), 1);
	file_put("node-2/ordaind.conf", "node = 2\nenable_faults = no\n");
	cr_assert_eq(ord_layout_enable_faults(&l, &l.nodes[1], &changed, why, sizeof why), ORD_ERR_INVALID);
	cr_assert_not_null(strstr(why, "node-2/ordaind.conf: says enable_faults = no; remove that line"), "%s", why);
	cr_assert_eq(lines_count("enable_faults"), 1);
}

Test(cli_layout, what_is_made_is_read_back)
{
	struct ord_layout made, read;
	cr_assert_eq(ord_layout_create(dir, &shape, &made, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(ord_layout_load(dir, &read, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_str_eq(read.dir, made.dir);
	cr_assert(ord_uuid_equal(&read.cluster, &made.cluster));
	cr_assert_eq(read.partitions_count, 8);
	cr_assert_eq(read.nodes_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert_eq(read.nodes[i].id, i + 1);
		cr_assert_eq(read.nodes[i].peer_port, made.nodes[i].peer_port);
		cr_assert_eq(read.nodes[i].client_port, made.nodes[i].client_port);
	}
}

Test(cli_layout, ports_are_free_and_different_and_not_for_outgoing_connections)
{
	struct ord_layout l;
	uint16_t ports[6];
	unsigned low = 32768, high;
	FILE *in = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
	if (in != NULL) {
		cr_assert_eq(fscanf(in, "%u %u", &low, &high), 2);
		fclose(in);
	}
	cr_assert_eq(ord_layout_create(dir, &shape, &l, why, sizeof why), ORD_OK, "%s", why);
	for (uint32_t i = 0; i < 3; i++) {
		ports[2 * i] = l.nodes[i].peer_port;
		ports[2 * i + 1] = l.nodes[i].client_port;
	}
	for (uint32_t i = 0; i < 6; i++) {
		cr_assert(ord_port_is_free(ports[i]));
		if (low > 11000)
			cr_assert_lt(ports[i], low);
		for (uint32_t k = 0; k < i; k++)
			cr_assert_neq(ports[i], ports[k]);
	}
}

/* A node of three shards has four ports in a row, the last one for clients; what was written says so when it is read. */
Test(cli_layout, shards_have_ports_in_a_row)
{
	static const struct ord_layout_shape shards = {.nodes_count = 3, .partitions_count = 8, .shards_count = 3};
	struct ord_layout l, again;
	cr_assert_eq(ord_layout_create(dir, &shards, &l, why, sizeof why), ORD_OK, "%s", why);
	for (uint32_t i = 0; i < 3; i++) {
		uint16_t first = l.nodes[i].peer_port;
		cr_assert_eq(l.nodes[i].client_port, first + 3);
		for (uint16_t k = 0; k < 4; k++)
			cr_assert(ord_port_is_free((uint16_t)(first + k)));
		for (uint32_t k = 0; k < i; k++)
			cr_assert(first > l.nodes[k].client_port || l.nodes[i].client_port < l.nodes[k].peer_port);
	}
	cr_assert_eq(ord_layout_load(dir, &again, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(again.shards_count, 3);
	cr_assert_eq(again.nodes[2].peer_port, l.nodes[2].peer_port);
}

Test(cli_layout, a_node_gets_a_configuration_that_is_not_overwritten)
{
	struct ord_layout l;
	char expected[PATH_MAX + 64];
	cr_assert_eq(ord_layout_create(dir, &shape, &l, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(ord_layout_prepare(&l, &l.nodes[1], why, sizeof why), ORD_OK, "%s", why);
	char *text = file_get("node-2/ordaind.conf");
	cr_assert_not_null(strstr(text, "\npartitions = 8\n"));
	cr_assert_not_null(strstr(text, "\nnode = 2\n"));
	snprintf(expected, sizeof expected, "\ndata_dir = %s/node-2/data\n", l.dir);
	cr_assert_not_null(strstr(text, expected));
	snprintf(expected, sizeof expected, "\nnodes = 3=127.0.0.1:%u:%u\n", l.nodes[2].peer_port,
		 l.nodes[2].client_port);
	cr_assert_not_null(strstr(text, expected));
	file_put("node-2/ordaind.conf", "mine\n");
	cr_assert_eq(ord_layout_prepare(&l, &l.nodes[1], why, sizeof why), ORD_OK, "%s", why);
	cr_assert_str_eq(file_get("node-2/ordaind.conf"), "mine\n");
}

Test(cli_layout, addresses_are_those_for_clients)
{
	struct ord_layout l = {.nodes_count = 2, .nodes = {{1, 10001, 10002}, {2, 10003, 65535}}};
	char addresses[ORD_LAYOUT_ADDRESSES_SIZE];
	ord_layout_addresses(&l, addresses);
	cr_assert_str_eq(addresses, "127.0.0.1:10002,127.0.0.1:65535");
	cr_assert_eq(ord_layout_find(&l, 2), &l.nodes[1]);
	cr_assert_null(ord_layout_find(&l, 3));
	cr_assert_null(ord_layout_find(&l, 0));
}

Test(cli_layout, nodes_with_namespaces_have_addresses_of_one_network)
{
	static const struct ord_layout_shape apart = {
		.nodes_count = 3, .partitions_count = 8, .netns = true, .disk_bytes = UINT64_C(5) << 30};
	struct ord_layout made, read;
	char host[ORD_LAYOUT_HOST_SIZE], expected[128], addresses[ORD_LAYOUT_ADDRESSES_SIZE];
	cr_assert_eq(ord_layout_create(dir, &apart, &made, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(ord_layout_load(dir, &read, why, sizeof why), ORD_OK, "%s", why);
	cr_assert(read.netns.on);
	cr_assert_eq(read.netns.network, made.netns.network);
	cr_assert_eq(read.netns.disk_bytes, UINT64_C(5) << 30);
	ord_layout_host(&read, 2, host);
	cr_assert_eq(strncmp(host, "10.", 3), 0);
	ord_layout_addresses(&read, addresses);
	snprintf(expected, sizeof expected, ",%s:%u,", host, (unsigned)read.nodes[1].client_port);
	cr_assert_not_null(strstr(addresses, expected), "%s", addresses);
	cr_assert_eq(ord_layout_prepare(&read, &read.nodes[0], why, sizeof why), ORD_OK, "%s", why);
	char *text = file_get("node-1/ordaind.conf");
	snprintf(expected, sizeof expected, "\nnodes = 2=%s:%u:%u\n", host, (unsigned)read.nodes[1].peer_port,
		 (unsigned)read.nodes[1].client_port);
	cr_assert_not_null(strstr(text, expected), "%s", text);
	cr_assert_null(strstr(text, "netns"));
}

Test(cli_layout, a_directory_without_cluster_says_how_to_make_one)
{
	struct ord_layout l;
	char expected[256];
	cr_assert_eq(ord_layout_load(dir, &l, why, sizeof why), ORD_ERR_NOT_FOUND);
	snprintf(expected, sizeof expected, "there is no cluster in %s; make one with: ordain cluster start --dir %s",
		 dir, dir);
	cr_assert_str_eq(why, expected);
	cr_assert_eq(ord_layout_load("/nowhere/at/all", &l, why, sizeof why), ORD_ERR_NOT_FOUND);
}

Test(cli_layout, damage_is_named_with_its_line)
{
	static const char head[] = "cluster_id = 0190b5f0-7c4e-7a11-8f00-0123456789ab\n";
	static const char *const bad[] = {"partitions = 0",
					  "partitions = 8x",
					  "nodes = 2=127.0.0.1:1:2",
					  "nodes = 1=127.0.0.1:0:2",
					  "nodes = 1=127.0.0.1:1:65536",
					  "nodes = 1=127.0.0.1:1:2x",
					  "nodes = 1=10.64.0.1:1:2",
					  "netns = 2 10.64.0.0/24 1073741824",
					  "netns = 1 10.64.0.1/24 1073741824",
					  "netns = 1 10.64.0.0/16 1073741824",
					  "netns = 1 10.64.0.0/24",
					  "wombat = 1",
					  "partitions=8",
					  "garbage"};
	struct ord_layout l;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[256];
		snprintf(text, sizeof text, "%s%s\n", head, bad[i]);
		file_put("cluster.conf", text);
		cr_assert_eq(ord_layout_load(dir, &l, why, sizeof why), ORD_ERR_FORMAT, "%s", bad[i]);
		cr_assert_not_null(strstr(why, "/cluster.conf:2: "), "%s", why);
	}
	file_put("cluster.conf", head);
	cr_assert_eq(ord_layout_load(dir, &l, why, sizeof why), ORD_ERR_FORMAT);
	cr_assert_not_null(strstr(why, "partitions or nodes is missing"));
}

Test(cli_layout, directories_are_made_with_those_above)
{
	char deep[128];
	struct stat st;
	snprintf(deep, sizeof deep, "%s/a/b/c", dir);
	cr_assert_eq(ord_layout_directory(deep, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(ord_layout_directory(deep, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(stat(deep, &st), 0);
	cr_assert(S_ISDIR(st.st_mode));
	file_put("file", "");
	snprintf(deep, sizeof deep, "%s/file/x", dir);
	cr_assert_eq(ord_layout_directory(deep, why, sizeof why), ORD_ERR_IO);
	cr_assert_not_null(strstr(why, "file"));
}

Test(cli_layout, the_lock_is_waited_for_no_longer_than_it_may)
{
	int first, second;
	cr_assert_eq(ord_layout_lock(dir, 0, &first, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(ord_layout_lock(dir, 30, &second, why, sizeof why), ORD_ERR_TIMEOUT);
	cr_assert_not_null(strstr(why, "has its lock"), "%s", why);
	close(first);
	cr_assert_eq(ord_layout_lock(dir, 0, &second, why, sizeof why), ORD_OK, "%s", why);
	close(second);
	cr_assert_eq(ord_layout_lock("/nowhere", 0, &second, why, sizeof why), ORD_ERR_IO);
}
