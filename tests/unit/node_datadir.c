/* SPDX-License-Identifier: Apache-2.0 - data directories: one user, one cluster, one node, and peers that are who they were. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "node/datadir.h"

static struct ord_config config;
static char why[1024];
static char parent[] = "/tmp/ordain-datadir-XXXXXX";

static void make(void)
{
	cr_assert_not_null(mkdtemp(parent));
	config = (struct ord_config){.cluster = {{9}}, .node = 2, .nodes_count = 3, .partitions_count = 8};
	for (uint32_t i = 0; i < 3; i++)
		config.nodes[i].id = i + 1;
	snprintf(config.data_dir, sizeof config.data_dir, "%s/data", parent);
}

static void clean(void)
{
	char command[256];
	snprintf(command, sizeof command, "rm -r %s", parent);
	cr_assert_eq(system(command), 0);
}

TestSuite(datadir, .init = make, .fini = clean);

static struct ord_datadir *must_open(void)
{
	struct ord_datadir *d = NULL;
	cr_assert_eq(ord_datadir_open(&config, &d, why, sizeof why), ORD_OK, "%s", why);
	return d;
}

static void must_refuse(int err, const char *word)
{
	struct ord_datadir *d = NULL;
	cr_assert_eq(ord_datadir_open(&config, &d, why, sizeof why), err, "%s", why);
	cr_assert_not_null(strstr(why, word), "'%s' is not in: %s", word, why);
	cr_assert_not_null(strstr(why, config.data_dir), "%s", why);
}

Test(datadir, the_incarnation_stays_until_the_files_are_gone)
{
	struct ord_datadir *d = must_open();
	struct ord_uuid first = *ord_datadir_incarnation(d);
	ord_datadir_close(d);
	d = must_open();
	cr_assert(ord_uuid_equal(&first, ord_datadir_incarnation(d)));
	ord_datadir_close(d);
	clean();
	cr_assert_eq(mkdir(parent, 0700), 0);
	d = must_open();
	cr_assert_not(ord_uuid_equal(&first, ord_datadir_incarnation(d)));
	ord_datadir_close(d);
}

Test(datadir, a_second_user_is_refused)
{
	struct ord_datadir *d = must_open();
	must_refuse(ORD_ERR_IN_USE, "in use");
	ord_datadir_close(d);
	ord_datadir_close(must_open());
}

Test(datadir, another_identity_is_refused_and_named)
{
	ord_datadir_close(must_open());
	config.cluster.bytes[0] = 1;
	must_refuse(ORD_ERR_MISMATCH, "cluster_id");
	config.cluster.bytes[0] = 9;
	config.node = 3;
	must_refuse(ORD_ERR_MISMATCH, "node");
	config.node = 2;
	config.partitions_count = 9;
	must_refuse(ORD_ERR_MISMATCH, "partitions");
	config.partitions_count = 8;
	config.nodes_count = 2;
	must_refuse(ORD_ERR_MISMATCH, "nodes");
	config.nodes_count = 3;
	ord_datadir_close(must_open());
}

Test(datadir, a_log_without_identity_is_refused)
{
	ord_datadir_close(must_open());
	char path[512];
	snprintf(path, sizeof path, "%s/data/wal/0000000000000001.wal", parent);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	cr_assert_geq(fd, 0);
	close(fd);
	snprintf(path, sizeof path, "%s/data/identity", parent);
	cr_assert_eq(unlink(path), 0);
	must_refuse(ORD_ERR_CORRUPT, "identity");
}

Test(datadir, a_first_start_that_was_cut_short_is_made_again)
{
	char path[512];
	cr_assert_eq(mkdir(config.data_dir, 0700), 0);
	snprintf(path, sizeof path, "%s/data/wal", parent);
	cr_assert_eq(mkdir(path, 0700), 0);
	ord_datadir_close(must_open());
	ord_datadir_close(must_open());
}

Test(datadir, an_identity_without_its_log_is_refused)
{
	ord_datadir_close(must_open());
	char path[512];
	snprintf(path, sizeof path, "%s/data/wal", parent);
	cr_assert_eq(rmdir(path), 0);
	must_refuse(ORD_ERR_CORRUPT, "wal");
}

Test(datadir, a_file_in_its_place_is_refused)
{
	int fd = open(config.data_dir, O_CREAT | O_WRONLY, 0600);
	cr_assert_geq(fd, 0);
	close(fd);
	must_refuse(ORD_ERR_IO, "cannot be");
}

static void meet(struct ord_datadir *d, uint32_t node, const struct ord_uuid *incarnation)
{
	struct ord_datadir_meeting m;
	cr_assert_eq(ord_datadir_knows(d, node, incarnation), ORD_ERR_NOT_FOUND);
	ord_datadir_meeting(d, node, incarnation, &m);
	cr_assert_eq(ord_datadir_meeting_write(d, &m), ORD_OK);
	cr_expect_eq(ord_datadir_knows(d, node, incarnation), ORD_ERR_NOT_FOUND, "not before the disk has it");
	ord_datadir_met(d, &m);
	cr_expect_eq(ord_datadir_knows(d, node, incarnation), ORD_OK);
}

Test(datadir, peers_are_remembered_over_restarts)
{
	struct ord_uuid first = {{1}}, other = {{2}};
	struct ord_datadir *d = must_open();
	meet(d, 1, &first);
	meet(d, 3, &other);
	ord_datadir_close(d);
	d = must_open();
	cr_assert_eq(ord_datadir_knows(d, 1, &other), ORD_ERR_MISMATCH);
	cr_assert_eq(ord_datadir_knows(d, 1, &first), ORD_OK);
	cr_assert_eq(ord_datadir_knows(d, 3, &first), ORD_ERR_MISMATCH);
	ord_datadir_close(d);
}
