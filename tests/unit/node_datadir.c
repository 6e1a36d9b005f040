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
	struct ord_uuid first = ord_datadir_self(d)->incarnation;
	ord_datadir_close(d);
	d = must_open();
	cr_assert(ord_uuid_equal(&first, &ord_datadir_self(d)->incarnation));
	ord_datadir_close(d);
	clean();
	cr_assert_eq(mkdir(parent, 0700), 0);
	d = must_open();
	cr_assert_not(ord_uuid_equal(&first, &ord_datadir_self(d)->incarnation));
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

/* --- Undecided, founder, newcomer. --- */

static void must_be(enum ord_standing standing, bool log_begun)
{
	struct ord_datadir *d = must_open();
	cr_expect_eq(ord_datadir_self(d)->standing, standing, "%s", ord_standing_name(ord_datadir_self(d)->standing));
	cr_expect_eq(ord_datadir_self(d)->log_begun, log_begun);
	ord_datadir_close(d);
}

static void decide(enum ord_standing standing)
{
	struct ord_datadir *d = must_open();
	cr_assert_eq(ord_datadir_decide_write(d, standing), ORD_OK);
	cr_expect_eq(ord_datadir_self(d)->standing, ORD_STANDING_UNDECIDED, "until it is kept");
	ord_datadir_decide_keep(d, standing);
	cr_expect_eq(ord_datadir_self(d)->standing, standing);
	ord_datadir_close(d);
}

static void begin_log(void)
{
	struct ord_datadir *d = must_open();
	cr_assert_eq(ord_datadir_log_begun_write(d), ORD_OK);
	cr_expect_not(ord_datadir_self(d)->log_begun, "until it is kept");
	ord_datadir_log_begun_keep(d);
	cr_assert_eq(ord_datadir_log_begun_write(d), ORD_OK);
	ord_datadir_close(d);
}

static void put(const char *name, const char *content)
{
	char path[512];
	snprintf(path, sizeof path, "%s/data/%s", parent, name);
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

static bool is_there(const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/data/%s", parent, name);
	return access(path, F_OK) == 0;
}

static void remove_wal(void)
{
	char command[256];
	snprintf(command, sizeof command, "rm -r %s/data/wal", parent);
	cr_assert_eq(system(command), 0);
}

Test(datadir, a_new_directory_is_undecided_until_it_is_told_and_stays_what_it_was_told)
{
	must_be(ORD_STANDING_UNDECIDED, false);
	must_be(ORD_STANDING_UNDECIDED, false);
	decide(ORD_STANDING_FOUNDER);
	must_be(ORD_STANDING_FOUNDER, false);
	begin_log();
	must_be(ORD_STANDING_FOUNDER, true);
}

Test(datadir, alone_it_is_a_founder_at_once)
{
	config.nodes_count = 1;
	config.nodes[0].id = 2;
	must_be(ORD_STANDING_FOUNDER, false);
}

Test(datadir, what_cannot_be_written_is_not_decided)
{
	struct ord_datadir *d = must_open();
	char path[512];
	snprintf(path, sizeof path, "%s/data/identity.new", parent);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_eq(ord_datadir_decide_write(d, ORD_STANDING_FOUNDER), ORD_ERR_IO);
	cr_expect_eq(ord_datadir_self(d)->standing, ORD_STANDING_UNDECIDED);
	cr_assert_eq(rmdir(path), 0);
	cr_assert_eq(ord_datadir_decide_write(d, ORD_STANDING_FOUNDER), ORD_OK);
	ord_datadir_close(d);
	must_be(ORD_STANDING_FOUNDER, false);
}

Test(datadir, a_log_that_had_not_begun_is_made_anew)
{
	must_be(ORD_STANDING_UNDECIDED, false);
	remove_wal();
	must_be(ORD_STANDING_UNDECIDED, false);
	decide(ORD_STANDING_FOUNDER);
	remove_wal();
	must_be(ORD_STANDING_FOUNDER, false);
	cr_expect(is_there("wal"));
}

Test(datadir, a_log_that_had_begun_and_is_gone_is_lost)
{
	decide(ORD_STANDING_FOUNDER);
	begin_log();
	remove_wal();
	must_refuse(ORD_ERR_LOG_LOST, "'wal' is gone");
	cr_expect_not(is_there("wal"), "a lost log is not made anew under the same identity");
}

Test(datadir, an_undecided_directory_has_no_log)
{
	must_be(ORD_STANDING_UNDECIDED, false);
	put("wal/spare", "");
	put("wal/spare.new", "");
	must_be(ORD_STANDING_UNDECIDED, false);
	put("wal/00000000000000000001.wal", "x");
	must_refuse(ORD_ERR_CORRUPT, "not its own");
}

/* --- Setting a log aside. --- */

static void renew(void)
{
	cr_assert_eq(ord_datadir_renew(&config, why, sizeof why), ORD_OK, "%s", why);
}

Test(datadir, a_damaged_log_is_set_aside_and_the_node_is_a_newcomer)
{
	decide(ORD_STANDING_FOUNDER);
	begin_log();
	struct ord_datadir *d = must_open();
	struct ord_uuid before = ord_datadir_self(d)->incarnation;
	ord_datadir_close(d);
	put("wal/00000000000000000001.wal", "damaged");
	renew();
	cr_expect(is_there("wal.damaged-1/00000000000000000001.wal"));
	must_be(ORD_STANDING_NEWCOMER, false);
	cr_expect(is_there("wal"));
	cr_expect_not(is_there("wal/00000000000000000001.wal"));
	d = must_open();
	cr_expect_not(ord_uuid_equal(&before, &ord_datadir_self(d)->incarnation));
	cr_expect_neq(ord_self_member(ord_datadir_self(d), 2) >> 32, 0);
	ord_datadir_close(d);
}

Test(datadir, a_lost_log_makes_a_newcomer_too)
{
	decide(ORD_STANDING_NEWCOMER);
	begin_log();
	remove_wal();
	renew();
	must_be(ORD_STANDING_NEWCOMER, false);
	cr_expect_not(is_there("wal.damaged-1"));
}

/* As a crash between the two steps leaves it. */
Test(datadir, a_log_that_was_set_aside_before_the_identity_was_written_is_gone)
{
	char from[512], to[512];
	decide(ORD_STANDING_FOUNDER);
	begin_log();
	snprintf(from, sizeof from, "%s/data/wal", parent);
	snprintf(to, sizeof to, "%s/data/wal.damaged-1", parent);
	cr_assert_eq(rename(from, to), 0);
	must_refuse(ORD_ERR_LOG_LOST, "'wal' is gone");
	renew();
	must_be(ORD_STANDING_NEWCOMER, false);
	cr_expect(is_there("wal.damaged-1"));
}

Test(datadir, a_log_that_had_not_begun_is_set_aside_and_the_node_is_what_it_was)
{
	decide(ORD_STANDING_FOUNDER);
	put("wal/00000000000000000001.wal", "damaged");
	renew();
	cr_expect(is_there("wal.damaged-1"));
	must_be(ORD_STANDING_FOUNDER, false);
}

Test(datadir, the_last_three_logs_stay)
{
	decide(ORD_STANDING_FOUNDER);
	must_be(ORD_STANDING_FOUNDER, false);
	for (unsigned i = 0; i < 9; i++) {
		must_be(i == 0 ? ORD_STANDING_FOUNDER : ORD_STANDING_NEWCOMER, false);
		begin_log();
		put("wal/00000000000000000001.wal", "damaged");
		renew();
	}
	char command[256];
	snprintf(command, sizeof command,
		 "test \"$(cd %s/data && echo wal.d*)\" = 'wal.damaged-7 wal.damaged-8 wal.damaged-9'", parent);
	cr_expect_eq(system(command), 0);
}

Test(datadir, a_directory_in_use_is_not_renewed)
{
	struct ord_datadir *d = must_open();
	cr_expect_eq(ord_datadir_renew(&config, why, sizeof why), ORD_ERR_IN_USE);
	ord_datadir_close(d);
}

/* --- What it cannot be. --- */

Test(datadir, a_file_in_its_place_is_refused)
{
	int fd = open(config.data_dir, O_CREAT | O_WRONLY, 0600);
	cr_assert_geq(fd, 0);
	close(fd);
	must_refuse(ORD_ERR_IO, "cannot be");
}

static int knows(const struct ord_datadir *d, uint32_t node, const struct ord_uuid *incarnation)
{
	return ord_met_knows(ord_datadir_met(d), node, incarnation);
}

static void meet(struct ord_datadir *d, uint32_t node, const struct ord_uuid *incarnation)
{
	static struct ord_datadir_meeting m;
	cr_assert_eq(knows(d, node, incarnation), ORD_ERR_NOT_FOUND);
	ord_datadir_meeting(d, &m);
	ord_met_note(&m.met, node, incarnation);
	ord_datadir_meeting_format(&m);
	cr_assert_eq(ord_datadir_meeting_write(d, &m), ORD_OK);
	cr_expect_eq(knows(d, node, incarnation), ORD_ERR_NOT_FOUND, "not before the disk has it");
	ord_datadir_meeting_keep(d, &m);
	cr_expect_eq(knows(d, node, incarnation), ORD_OK);
}

Test(datadir, peers_are_remembered_over_restarts)
{
	struct ord_uuid first = {{1}}, other = {{2}}, third = {{3}};
	struct ord_datadir *d = must_open();
	meet(d, 1, &first);
	meet(d, 3, &other);
	meet(d, 3, &third);
	ord_datadir_close(d);
	d = must_open();
	cr_assert_eq(knows(d, 1, &other), ORD_ERR_NOT_FOUND);
	cr_assert_eq(knows(d, 1, &first), ORD_OK);
	cr_assert_eq(knows(d, 3, &other), ORD_ERR_MISMATCH);
	cr_assert_eq(knows(d, 3, &third), ORD_OK);
	ord_datadir_close(d);
}

Test(datadir, changed_peers_are_refused)
{
	struct ord_uuid first = {{1}};
	struct ord_datadir *d = must_open();
	meet(d, 1, &first);
	ord_datadir_close(d);
	put("peers", "format = 2\n");
	must_refuse(ORD_ERR_CORRUPT, "'peers'");
}
