/* SPDX-License-Identifier: Apache-2.0 - what a survey concludes from the answers of nodes: who leads, what is ready, who disagrees. */
#include "cli/survey.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct ord_survey s;
static struct ord_survey_replica replicas[3][2];

/* Three nodes with two partitions; nobody has answered yet. */
static void make_survey(void)
{
	s = (struct ord_survey){.partitions_count = 2, .nodes_count = 3};
	for (uint32_t i = 0; i < 3; i++) {
		s.nodes[i].id = i + 1;
		s.nodes[i].replicas = replicas[i];
		for (uint32_t k = 0; k < 2; k++)
			replicas[i][k] = (struct ord_survey_replica){0};
	}
}

TestSuite(cli_survey, .init = make_survey);

static struct ord_survey_replica replica_of(const char *role, uint64_t term, const char *digest)
{
	struct ord_survey_replica r = {.known = true, .term = term, .applied_index = 7, .position = 5};
	snprintf(r.role, sizeof r.role, "%s", role);
	snprintf(r.digest, sizeof r.digest, "%s", digest);
	snprintf(r.history_hash, sizeof r.history_hash, "h");
	return r;
}

Test(cli_survey, no_answers_no_leaders_no_quarrel)
{
	cr_assert_eq(ord_survey_leader(&s, 0), -1);
	cr_assert_eq(ord_survey_ready_count(&s), 0);
	cr_assert(ord_survey_agrees(&s, 0));
}

Test(cli_survey, the_leader_of_the_newest_term_leads)
{
	replicas[0][0] = replica_of("leader", 4, "d"); /* does not know yet that it was replaced */
	replicas[1][0] = replica_of("follower", 6, "d");
	replicas[2][0] = replica_of("leader", 5, "d");
	cr_assert_eq(ord_survey_leader(&s, 0), 2);
	cr_assert_eq(ord_survey_leader(&s, 1), -1);
}

Test(cli_survey, a_replica_that_knows_a_leader_takes_part)
{
	replicas[2][0] = replica_of("follower", 4, "d");
	cr_assert_eq(ord_survey_led_count(&s, 2), 0, "it has heard of none");
	replicas[2][0].leader = 1;
	cr_assert_eq(ord_survey_led_count(&s, 2), 1);
	replicas[2][1] = replica_of("leader", 4, "d");
	replicas[2][1].leader = 3;
	cr_assert_eq(ord_survey_led_count(&s, 2), 2);
	cr_assert_eq(ord_survey_led_count(&s, 0), 0, "it did not answer");
}

Test(cli_survey, only_leaders_that_take_commands_are_ready)
{
	replicas[0][0] = replica_of("leader", 4, "d");
	replicas[0][0].ready = true;
	replicas[2][0] = replica_of("leader", 5, "d");
	cr_assert_eq(ord_survey_ready_count(&s), 0, "the old leader does not count");
	replicas[2][0].ready = true;
	cr_assert_eq(ord_survey_ready_count(&s), 1);
	replicas[1][1] = replica_of("leader", 1, "d");
	replicas[1][1].ready = true;
	cr_assert_eq(ord_survey_ready_count(&s), 2);
}

Test(cli_survey, a_node_votes_when_all_that_answer_say_so)
{
	uint32_t voters = 9;
	cr_assert_not(ord_survey_voters(&s, 0, &voters));
	cr_assert_eq(voters, 0);
	replicas[0][0] = replica_of("leader", 4, "d");
	replicas[0][0].voters = 7;
	cr_assert(ord_survey_voters(&s, 0, &voters));
	cr_assert_eq(voters, 7);
	replicas[2][0] = replica_of("follower", 4, "d");
	replicas[2][0].voters = 3; /* it does not know yet that it has a vote, and gives none */
	cr_assert(ord_survey_voters(&s, 0, &voters));
	cr_assert_eq(voters, 3);
	replicas[2][0].voters = 0;
	cr_assert(ord_survey_voters(&s, 0, &voters));
	cr_assert_eq(voters, 0);
}

Test(cli_survey, replicas_at_one_position_must_be_the_same)
{
	replicas[0][0] = replica_of("leader", 4, "d");
	replicas[2][0] = replica_of("follower", 4, "d");
	cr_assert(ord_survey_agrees(&s, 0));
	replicas[2][0] = replica_of("follower", 4, "other");
	cr_assert_not(ord_survey_agrees(&s, 0));
	cr_assert(ord_survey_compares(&s, 0));
	replicas[2][0].position = 4;
	cr_assert(ord_survey_agrees(&s, 0), "it is only behind");
	cr_assert_not(ord_survey_compares(&s, 0), "and compared with nobody");
	cr_assert_not(ord_survey_compares(&s, 1), "nobody has said anything");
	replicas[2][0].applied_index = 8;
	replicas[2][0].position = 5;
	cr_assert_not(ord_survey_agrees(&s, 0), "more entries without commands");
	replicas[2][0] = replica_of("follower", 4, "d");
	snprintf(replicas[2][0].history_hash, sizeof replicas[2][0].history_hash, "g");
	cr_assert_not(ord_survey_agrees(&s, 0));
}
