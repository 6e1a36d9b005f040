/* SPDX-License-Identifier: Apache-2.0 - tests of the configuration: file, command line, what belongs together, and back to text. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "node/config.h"

#define UUID "01890a5d-ac96-774b-bcce-b302099a8057"

static const char good[] = "# three nodes on one machine\n"
			   "cluster_id = " UUID "\n"
			   "node = 2\n"
			   "nodes = 3=host3.example:7103:7003, 1=127.0.0.1:7101:7001\n"
			   "\n"
			   "nodes = 2=[::1]:7102:7002   # this one\n"
			   "partitions = 8\r\n"
			   "data_dir = /var/lib/ordain/#2 of 3\n"
			   "segment_bytes = 16M\n"
			   "heartbeat-ms=50";

static int read_text(struct ord_config *c, const char *text, char *why)
{
	FILE *in = fmemopen((void *)text, strlen(text), "r");
	cr_assert_not_null(in);
	ord_config_init(c);
	int err = ord_config_read(c, in, "node.conf", why);
	fclose(in);
	return err;
}

static void assert_good(const struct ord_config *c)
{
	cr_assert_eq(c->node, 2);
	cr_assert_eq(c->nodes_count, 3);
	cr_assert_eq(c->nodes[0].id, 1);
	cr_assert_str_eq(c->nodes[0].peer.host, "127.0.0.1");
	cr_assert_eq(c->nodes[0].peer.port, 7101);
	cr_assert_str_eq(c->nodes[0].client.host, "127.0.0.1");
	cr_assert_eq(c->nodes[0].client.port, 7001);
	cr_assert_eq(c->nodes[1].id, 2);
	cr_assert_str_eq(c->nodes[1].peer.host, "::1");
	cr_assert_eq(c->nodes[1].client.port, 7002);
	cr_assert_str_eq(c->nodes[2].peer.host, "host3.example");
	cr_assert_eq(c->partitions_count, 8);
	cr_assert_str_eq(c->data_dir, "/var/lib/ordain/#2 of 3");
	cr_assert_eq(c->segment_bytes, 16u << 20);
	cr_assert_eq(c->cache_bytes, 64u << 20);
	cr_assert_eq(c->heartbeat_ms, 50);
	cr_assert_eq(c->election_timeout_ms, 500);
	cr_assert_eq(c->clients_max, 1000);
}

Test(node_config, a_file_is_read)
{
	struct ord_config c;
	char why[ORD_CONFIG_WHY_SIZE] = "";
	cr_assert_eq(read_text(&c, good, why), ORD_OK, "%s", why);
	cr_assert_eq(ord_config_check(&c, why), ORD_OK, "%s", why);
	assert_good(&c);
	cr_assert_str_empty(c.listen_host);
}

/* Owned by the caller. */
static char *printed(const struct ord_config *c)
{
	char *text = NULL;
	size_t text_len = 0;
	FILE *out = open_memstream(&text, &text_len);
	ord_config_print(c, out);
	fclose(out);
	return text;
}

Test(node_config, a_flag_is_yes_or_no)
{
	struct ord_config c;
	enum ord_config_action action;
	char why[ORD_CONFIG_WHY_SIZE] = "";
	char *on[] = {"ordaind", "--enable-faults", "--node", "2", NULL};
	char *value[] = {"ordaind", "--enable-faults=yes", NULL};

	cr_assert_eq(read_text(&c, "node = 1\n", why), ORD_OK);
	cr_assert_not(c.enable_faults);
	cr_assert_eq(read_text(&c, "enable_faults = yes\n", why), ORD_OK, "%s", why);
	cr_assert(c.enable_faults);
	cr_assert_eq(read_text(&c, "enable_faults = no\n", why), ORD_OK, "%s", why);
	cr_assert_not(c.enable_faults);
	cr_assert_eq(read_text(&c, "enable_faults = on\n", why), ORD_ERR_INVALID);
	cr_assert_str_eq(why, "node.conf:1: enable_faults: \"on\" must be yes or no");
	cr_assert_eq(ord_config_command_line(&c, 4, on, &action, why), ORD_OK, "%s", why);
	cr_assert(c.enable_faults);
	cr_assert_eq(c.node, 2);
	cr_assert_eq(ord_config_command_line(&c, 2, value, &action, why), ORD_ERR_INVALID);
	cr_assert_str_eq(why, "--enable-faults: takes no value");
}

Test(node_config, what_is_printed_reads_back_as_the_same)
{
	struct ord_config c, again;
	char why[ORD_CONFIG_WHY_SIZE] = "";
	cr_assert_eq(read_text(&c, good, why), ORD_OK);
	cr_assert_eq(ord_config_check(&c, why), ORD_OK);
	snprintf(c.listen_host, sizeof c.listen_host, "0.0.0.0");
	char *first = printed(&c);
	cr_assert_eq(read_text(&again, first, why), ORD_OK, "%s", why);
	cr_assert_eq(ord_config_check(&again, why), ORD_OK, "%s", why);
	assert_good(&again);
	cr_assert_str_eq(again.listen_host, "0.0.0.0");
	char *second = printed(&again);
	cr_assert_str_eq(first, second);
	free(first);
	free(second);
}

struct bad_line {
	const char *line;
	const char *why; /* the whole text */
};

Test(node_config, each_bad_line_names_its_place_its_key_and_the_remedy)
{
	static const struct bad_line bad[] = {
		{"node = 0", "node.conf:2: node: \"0\" must be a whole number from 1 to 65535"},
		{"node = 65536", "node.conf:2: node: \"65536\" must be a whole number from 1 to 65535"},
		{"node = -1", "node.conf:2: node: \"-1\" must be a whole number from 1 to 65535"},
		{"node = 1x", "node.conf:2: node: \"1x\" must be a whole number from 1 to 65535"},
		{"node =", "node.conf:2: node: \"\" must be a whole number from 1 to 65535"},
		{"partitions = 1025", "node.conf:2: partitions: \"1025\" must be a whole number from 1 to 1024"},
		{"clients_max = 99999999999999999999",
		 "node.conf:2: clients_max: \"99999999999999999999\" must be a whole number from 1 to 10000"},
		{"segment_bytes = 1K", "node.conf:2: segment_bytes: \"1K\" must be a whole number from 65536 to "
				       "1073741824 (K, M or G may follow it)"},
		{"segment_bytes = 17179869185G", "node.conf:2: segment_bytes: \"17179869185G\" must be a whole number "
						 "from 65536 to 1073741824 (K, M or G may follow it)"},
		{"partitions = 8K", "node.conf:2: partitions: \"8K\" must be a whole number from 1 to 1024"},
		{"cluster_id = 1234", "node.conf:2: cluster_id: \"1234\" is not a UUID: make one with `cat "
				      "/proc/sys/kernel/random/uuid` and give it to all nodes"},
		{"cluster_id = 00000000000000000000000000000000",
		 "node.conf:2: cluster_id: \"00000000000000000000000000000000\" is not a UUID: make one with `cat "
		 "/proc/sys/kernel/random/uuid` and give it to all nodes"},
		{"partitons = 8", "node.conf:2: partitons: unknown: did you mean partitions?"},
		{"hartbeat-ms = 8", "node.conf:2: hartbeat-ms: unknown: did you mean heartbeat_ms?"},
		{"colour = blue", "node.conf:2: colour: unknown: see `ordaind --help`"},
		{"config = x", "node.conf:2: config: unknown: see `ordaind --help`"},
		{"just words",
		 "node.conf:2: \"just words\" must be a line \"key = value\" or a comment that begins with #"},
		{"data_dir =", "node.conf:2: data_dir: must have 1 to 4095 bytes, not 0"},
		{"data_dir = /a\001b", "node.conf:2: data_dir: must have no control character, no \"#\" at the start "
				       "or after a blank, and no blank around it"},
		{"node = 1\nnode = 2", "node.conf:3: node: set in an earlier line too: remove one of them"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ord_config c;
		char text[256];
		char why[ORD_CONFIG_WHY_SIZE] = "";
		snprintf(text, sizeof text, "# first\n%s\n", bad[i].line);
		cr_expect_eq(read_text(&c, text, why), ORD_ERR_INVALID, "%s", bad[i].line);
		cr_expect_str_eq(why, bad[i].why);
	}
}

Test(node_config, each_bad_node_is_shown)
{
	static const char *const bad[] = {
		"",
		"1",
		"1=",
		"1=h",
		"1=h:1",
		"1=h:1:",
		"1=h:1:2:3",
		"0=h:1:2",
		"x=h:1:2",
		"1=:1:2",
		"1=h:0:2",
		"1=h:1:0",
		"1=h:65536:2",
		"1=::1:1:2",
		"1=[::1:1:2",
		"1=[::1]1:2",
		"1=[]:1:2",
		"1=h h:1:2",
		"65536=h:1:2",
		"1=h:1:2,",
		"1=h:1:2,,2=g:1:2",
		"1=h:1:2;2=g:1:2",
		"1=[a]b:1:2",
		"99999999999=h:1:2",
		"1=h:1:+2",
		"1 =h:1:2",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ord_config c;
		char text[256];
		char why[ORD_CONFIG_WHY_SIZE] = "";
		snprintf(text, sizeof text, "nodes = %s", bad[i]);
		cr_expect_eq(read_text(&c, text, why), ORD_ERR_INVALID, "%s", bad[i]);
		cr_expect_not_null(strstr(why, "node.conf:1: nodes: \""), "%s", why);
		cr_expect_not_null(strstr(why, "must be NUMBER=HOST:PEERPORT:CLIENTPORT"), "%s", why);
	}
}

Test(node_config, a_host_name_that_is_too_long_is_refused_not_cut)
{
	struct ord_config c;
	char why[ORD_CONFIG_WHY_SIZE] = "";
	char host[300];
	char text[400];
	memset(host, 'h', sizeof host);
	host[255] = '\0';
	snprintf(text, sizeof text, "nodes = 1=%s:1:2", host);
	cr_assert_eq(read_text(&c, text, why), ORD_OK, "%s", why);
	cr_assert_eq(strlen(c.nodes[0].peer.host), 255);
	host[255] = 'h';
	host[256] = '\0';
	snprintf(text, sizeof text, "nodes = 1=%s:1:2", host);
	cr_assert_eq(read_text(&c, text, why), ORD_ERR_INVALID);
	memset(host, 'h', sizeof host);
	host[299] = '\0';
	snprintf(text, sizeof text, "nodes = 1=%s:1:2", host);
	cr_assert_eq(read_text(&c, text, why), ORD_ERR_INVALID);
}

Test(node_config, a_line_that_is_too_long_or_has_a_nul_is_refused)
{
	struct ord_config c;
	char why[ORD_CONFIG_WHY_SIZE] = "";
	char *text = malloc(10000);
	memset(text, 'x', 9999);
	text[9999] = '\0';
	cr_assert_eq(read_text(&c, text, why), ORD_ERR_INVALID);
	cr_assert_not_null(strstr(why, "node.conf:1: the line has"), "%s", why);
	memcpy(text, "node = 1\0 2\nnode = 3\n", 21);
	FILE *in = fmemopen(text, 21, "r");
	ord_config_init(&c);
	cr_assert_eq(ord_config_read(&c, in, "node.conf", why), ORD_ERR_INVALID);
	cr_assert_not_null(strstr(why, "NUL"), "%s", why);
	fclose(in);
	free(text);
}

static int command_line(struct ord_config *c, enum ord_config_action *action, char *why, int argc, const char **argv)
{
	ord_config_init(c);
	return ord_config_command_line(c, argc, (char **)argv, action, why);
}

#define LINE(c, action, why, ...)                                                                              \
	command_line(c, action, why, (int)(sizeof((const char *[]){"ordaind", __VA_ARGS__}) / sizeof(char *)), \
		     (const char *[]){"ordaind", __VA_ARGS__})

Test(node_config, flags_override_the_file)
{
	struct ord_config c;
	enum ord_config_action action;
	char why[ORD_CONFIG_WHY_SIZE] = "";
	char path[] = "/tmp/ord_config_XXXXXX";
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, good, sizeof good - 1), (ssize_t)(sizeof good - 1));
	close(fd);
	int err = LINE(&c, &action, why, "--node", "1", "--nodes=1=a:1:2,2=b:1:2", "--config", path,
		       "--election-timeout-ms=900", "--data_dir", "/d", "--print-config");
	cr_expect_eq(err, ORD_OK, "%s", why);
	cr_expect_eq(action, ORD_CONFIG_PRINT);
	cr_expect_eq(c.node, 1);
	cr_expect_eq(c.nodes_count, 2);
	cr_expect_str_eq(c.nodes[1].peer.host, "b");
	cr_expect_eq(c.election_timeout_ms, 900);
	cr_expect_eq(c.partitions_count, 8);
	cr_expect_str_eq(c.data_dir, "/d");
	err = LINE(&c, &action, why, "--config", path);
	cr_expect_eq(err, ORD_OK, "%s", why);
	cr_expect_eq(action, ORD_CONFIG_RUN);
	cr_expect_eq(ord_config_check(&c, why), ORD_OK, "%s", why);
	assert_good(&c);
	unlink(path);
}

Test(node_config, bad_flags_name_themselves)
{
	struct ord_config c;
	enum ord_config_action action = ORD_CONFIG_RUN;
	char why[ORD_CONFIG_WHY_SIZE] = "";
	cr_expect_eq(LINE(&c, &action, why, "--partition", "8"), ORD_ERR_INVALID);
	cr_expect_str_eq(why, "--partition: unknown: did you mean --partitions?");
	cr_expect_eq(LINE(&c, &action, why, "--cluster_idd", "8"), ORD_ERR_INVALID);
	cr_expect_str_eq(why, "--cluster_idd: unknown: did you mean --cluster-id?");
	cr_expect_eq(LINE(&c, &action, why, "--node"), ORD_ERR_INVALID);
	cr_expect_str_eq(why, "--node: a value must follow: see `ordaind --help`");
	cr_expect_eq(LINE(&c, &action, why, "--node", "none"), ORD_ERR_INVALID);
	cr_expect_str_eq(why, "--node: \"none\" must be a whole number from 1 to 65535");
	cr_expect_eq(LINE(&c, &action, why, "node", "1"), ORD_ERR_INVALID);
	cr_expect_str_eq(why, "\"node\" is not a flag: see `ordaind --help`");
	cr_expect_eq(LINE(&c, &action, why, "--print-config=yes"), ORD_ERR_INVALID);
	cr_expect_str_eq(why, "--print-config: takes no value");
	cr_expect_eq(LINE(&c, &action, why, "--config", "/nowhere/at/all"), ORD_ERR_INVALID);
	cr_expect_str_eq(why, "--config: /nowhere/at/all cannot be opened: No such file or directory");
	cr_expect_eq(LINE(&c, &action, why, "--config", "/"), ORD_ERR_INVALID);
	cr_expect_str_eq(why, "/: cannot be read: Is a directory");
	cr_expect_eq(LINE(&c, &action, why, "--config", "a", "--config", "b"), ORD_ERR_INVALID);
	cr_expect_str_eq(why, "--config: given twice: one file is read");
	char name[400] = "--";
	memset(name + 2, 'y', 397);
	cr_expect_eq(LINE(&c, &action, why, name, "1"), ORD_ERR_INVALID);
	cr_expect_eq(LINE(&c, &action, why, "--version", "--nonsense"), ORD_OK);
	cr_expect_eq(action, ORD_CONFIG_VERSION);
	cr_expect_eq(LINE(&c, &action, why, "-h"), ORD_OK);
	cr_expect_eq(action, ORD_CONFIG_HELP);
}

struct bad_whole {
	const char *flags[12];
	const char *why;
};

Test(node_config, what_does_not_belong_together_is_refused)
{
	static const struct bad_whole bad[] = {
		{{"--node=1"},
		 "cluster_id: missing: make one with `cat /proc/sys/kernel/random/uuid` and give it to all nodes"},
		{{"--cluster-id=" UUID}, "node: missing: give this node's number, one of those in nodes"},
		{{"--cluster-id=" UUID, "--node=1"},
		 "nodes: missing: list all nodes, as in 1=10.0.0.1:7101:7001,2=10.0.0.2:7101:7001"},
		{{"--cluster-id=" UUID, "--node=1", "--nodes=1=a:1:2"},
		 "partitions: missing: give the cluster's number of partitions, 8 for instance"},
		{{"--cluster-id=" UUID, "--node=1", "--nodes=1=a:1:2", "--partitions=1"},
		 "data_dir: missing: name the directory for this node's data"},
		{{"--cluster-id=" UUID, "--node=3", "--nodes=1=a:1:2", "--partitions=1", "--data-dir=d"},
		 "node: 3 is not in nodes: add it there, or give another number"},
		{{"--cluster-id=" UUID, "--node=1", "--nodes=1=a:1:2,1=b:1:2", "--partitions=1", "--data-dir=d"},
		 "nodes: number 1 is there twice: give each node its own"},
		{{"--cluster-id=" UUID, "--node=1", "--nodes=1=a:1:1", "--partitions=1", "--data-dir=d"},
		 "nodes: a:1 is there twice: each port can be used once on a host"},
		{{"--cluster-id=" UUID, "--node=1", "--nodes=1=[::1]:1:2,2=[::1]:3:1", "--partitions=1",
		  "--data-dir=d"},
		 "nodes: [::1]:1 is there twice: each port can be used once on a host"},
		{{"--cluster-id=" UUID, "--node=1", "--nodes=1=a:1:2", "--partitions=1", "--data-dir=d",
		  "--heartbeat-ms=251"},
		 "heartbeat_ms: 251 must be at most half of election_timeout_ms, which is 500"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ord_config c;
		enum ord_config_action action;
		const char *argv[14] = {"ordaind"};
		int argc = 1;
		char why[ORD_CONFIG_WHY_SIZE] = "";
		while (bad[i].flags[argc - 1] != NULL) {
			argv[argc] = bad[i].flags[argc - 1];
			argc++;
		}
		cr_expect_eq(command_line(&c, &action, why, argc, argv), ORD_OK, "%s", why);
		cr_expect_eq(ord_config_check(&c, why), ORD_ERR_INVALID, "%s", bad[i].why);
		cr_expect_str_eq(why, bad[i].why);
	}
}

Test(node_config, a_tenth_node_is_refused)
{
	struct ord_config c;
	char text[1024];
	char why[ORD_CONFIG_WHY_SIZE] = "";
	size_t len = 0;
	for (int i = 1; i <= ORD_NODES_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "nodes = %d=h:%d:%d\n", i, i, i + 100);
	cr_assert_eq(read_text(&c, text, why), ORD_OK, "%s", why);
	cr_assert_eq(c.nodes_count, ORD_NODES_MAX);
	snprintf(text + len, sizeof text - len, "nodes = 10=h:10:110\n");
	cr_assert_eq(read_text(&c, text, why), ORD_ERR_INVALID);
	cr_assert_str_eq(why, "node.conf:10: nodes: a cluster has at most 9 nodes");
}

Test(node_config, addresses_are_shown_with_brackets_where_they_need_them)
{
	char text[ORD_ADDRESS_TEXT_SIZE];
	ord_address_format("10.0.0.1", 7001, text);
	cr_assert_str_eq(text, "10.0.0.1:7001");
	ord_address_format("fe80::1%eth0", 65535, text);
	cr_assert_str_eq(text, "[fe80::1%eth0]:65535");
}

#define THREE_NODES "cluster_id = 01890a5d-ac96-774b-bcce-b302099a8057\nnode = 1\npartitions = 8\ndata_dir = /d\n"

static void expect_shards(const char *lines, const char *wanted)
{
	struct ord_config c;
	char text[512], why[ORD_CONFIG_WHY_SIZE] = "";
	snprintf(text, sizeof text, THREE_NODES "%s\n", lines);
	cr_assert_eq(read_text(&c, text, why), ORD_OK, "%s", why);
	int err = ord_config_check(&c, why);
	cr_expect_eq(err, wanted == NULL ? ORD_OK : ORD_ERR_INVALID, "%s: %s", lines, why);
	if (wanted != NULL)
		cr_expect_not_null(strstr(why, wanted), "%s", why);
}

Test(node_config, ports_of_shards_follow_each_other_and_do_not_meet)
{
	expect_shards("shards = 4\nnodes = 1=a:7101:7105, 2=a:7110:7114", NULL);
	expect_shards("shards = 4\nnodes = 1=a:7101:7104", "a:7104 is there twice");
	expect_shards("shards = 4\nnodes = 1=a:7101:7001, 2=a:7104:7002", "a:7104 is there twice");
	expect_shards("shards = 4\nnodes = 1=a:7101:7001, 2=b:7104:7002", NULL);
	expect_shards("shards = 4\nnodes = 1=a:65532:7001", NULL);
	expect_shards("shards = 4\nnodes = 1=a:65533:7001", "give one of at most 65532");
	expect_shards("shards = 9\nnodes = 1=a:7101:7001", "must be at most the number of partitions, which is 8");
}

Test(node_config, a_shard_has_its_part)
{
	struct ord_config c, s;
	char why[ORD_CONFIG_WHY_SIZE] = "";
	cr_assert_eq(
		read_text(&c, THREE_NODES "shards = 4\nnodes = 1=a:7101:7001, 2=b:7101:7001\nmemory_bytes = 4M\n", why),
		ORD_OK);
	cr_assert_eq(ord_config_check(&c, why), ORD_OK, "%s", why);
	ord_config_shard(&c, 3, &s);
	cr_expect(s.shard == 3 && s.shards_count == 4 && s.partitions_count == 8);
	cr_expect_str_eq(s.data_dir, "/d/shard-3");
	cr_expect(s.nodes[0].peer.port == 7104 && s.nodes[1].peer.port == 7104 && s.nodes[1].client.port == 7001);
	cr_expect_eq(s.memory_bytes, 1u << 20);
	cr_expect_eq(s.history_bytes, 0);
	c.shards_count = 1;
	ord_config_shard(&c, 0, &s);
	cr_expect_str_eq(s.data_dir, "/d");
	cr_expect(s.nodes[0].peer.port == 7101 && s.memory_bytes == c.memory_bytes);
}
