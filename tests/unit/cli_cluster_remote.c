/* SPDX-License-Identifier: Apache-2.0 - a cluster whose nodes run elsewhere: who is there, and where. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "cli/cluster.h"

static char why[ORD_CLUSTER_WHY_SIZE];

Test(cli_cluster_remote, addresses_are_written_as_they_are_read)
{
	static struct ord_cluster c = {.is_remote = true};
	char address[ORD_CLUSTER_ADDRESS_SIZE];
	c.layout.nodes_count = 2;
	c.layout.nodes[0] = (struct ord_layout_node){.id = 4, .client_port = 7001};
	c.layout.nodes[1] = (struct ord_layout_node){.id = 9, .client_port = 65535};
	strcpy(c.remote[0].host, "db4.example.net");
	strcpy(c.remote[1].host, "2001:db8::9");
	ord_cluster_address(&c, 0, address);
	cr_assert_str_eq(address, "db4.example.net:7001");
	ord_cluster_address(&c, 1, address);
	cr_assert_str_eq(address, "[2001:db8::9]:65535");
	c.is_remote = false;
	ord_cluster_address(&c, 0, address);
	cr_assert_str_eq(address, "127.0.0.1:7001", "one of this machine");
}

Test(cli_cluster_remote, runs_means_that_it_answered)
{
	static struct ord_cluster c = {.is_remote = true};
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++)
		c.processes[i].pidfd = -1;
	c.remote[1].answers = true;
	cr_assert_not(ord_cluster_runs(&c, 0));
	cr_assert(ord_cluster_runs(&c, 1));
	c.is_remote = false;
	cr_assert_not(ord_cluster_runs(&c, 1), "of one of this machine its process counts");
}

Test(cli_cluster_remote, nobody_there_and_no_address_are_told)
{
	static struct ord_cluster c;
	struct ordain_options options = {.addresses = "127.0.0.1:1", .timeout_ms = 300};
	cr_assert_eq(ord_cluster_connect(&options, &c, why), ORD_ERR_IO);
	cr_assert_not_null(strstr(why, "127.0.0.1:1"), "%s", why);
	ord_cluster_close(&c);
	options.addresses = "nowhere";
	cr_assert_eq(ord_cluster_connect(&options, &c, why), ORD_ERR_INVALID);
	cr_assert_not_null(strstr(why, "'nowhere'"), "%s", why);
	ord_cluster_close(&c);
}
