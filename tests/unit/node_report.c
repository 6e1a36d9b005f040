/* SPDX-License-Identifier: Apache-2.0 - what several shards say together. */
#include "node/report.h"

#include <criterion/criterion.h>

Test(report, sums_longest_and_worst)
{
	struct ord_report r[3] = {
		{.peers = {{.node = 2, .connected = true, .output_bytes = 5}},
		 .peers_count = 1,
		 .self = {.member = 1, .standing = "founder"},
		 .host = {.wal_bytes = 100, .syncs_count = 3},
		 .state = {.memory_bytes = 10, .checkpoint_ms = 7},
		 .history = {.surveyed = true, .rounds_count = 4, .scrubbed_us = 900, .missing_count = 1},
		 .scrub = {.rounds_count = 5, .damaged_segment = 0},
		 .turn = {.count = 10, .p99_us = 50, .max_us = 60}},
		{.shard = 1,
		 .peers = {{.node = 2, .connected = false, .output_bytes = 6, .dropped_count = 1}},
		 .peers_count = 1,
		 .self = {.member = 0, .standing = "undecided", .waits_for = {3}, .waits_for_count = 1},
		 .host = {.wal_bytes = 11},
		 .state = {.memory_bytes = 1, .checkpoint_ms = 9},
		 .history = {.surveyed = false,
			     .rounds_count = 2,
			     .scrubbed_us = 0,
			     .missing_count = 2,
			     .scrubbing = true},
		 .scrub = {.rounds_count = 6, .damaged_segment = 8},
		 .room = {.state = ORD_ROOM_LOW, .reserve_bytes = 77},
		 .turn = {.count = 1, .p99_us = 70, .max_us = 5}},
		{.shard = 2,
		 .peers = {{.node = 2, .connected = true}},
		 .peers_count = 1,
		 .history = {.surveyed = true}},
	};
	struct ord_report sum;
	ord_report_sum(r, 3, &sum);
	cr_expect(!sum.peers[0].connected && sum.peers[0].output_bytes == 11 && sum.peers[0].dropped_count == 1);
	cr_expect_str_eq(sum.self.standing, "undecided");
	cr_expect(sum.self.waits_for_count == 1 && sum.self.waits_for[0] == 3);
	cr_expect(sum.host.wal_bytes == 111 && sum.host.syncs_count == 3);
	cr_expect(sum.state.memory_bytes == 11 && sum.state.checkpoint_ms == 9);
	cr_expect(!sum.history.surveyed && sum.history.scrubbing && sum.history.missing_count == 3);
	cr_expect(sum.history.rounds_count == 0 && sum.history.scrubbed_us == 0);
	cr_expect(sum.scrub.rounds_count == 0 && sum.scrub.damaged_segment == 8);
	cr_expect(sum.room.state == ORD_ROOM_LOW && sum.room.reserve_bytes == 77);
	cr_expect(sum.turn.count == 11 && sum.turn.p99_us == 70 && sum.turn.max_us == 60);
	cr_expect_null(sum.replicas);
}

Test(report, of_one_shard_it_is_what_it_says)
{
	struct ord_report r = {.self = {.member = 3, .standing = "newcomer"}, .host = {.cached_bytes = 6}}, sum;
	ord_report_sum(&r, 1, &sum);
	cr_expect(sum.self.member == 3 && sum.host.cached_bytes == 6);
}
