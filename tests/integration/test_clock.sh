#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - clocks that go backwards, other hours on every node: times in the logs never fall, and nothing else minds.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
outcomes=$WORK/outcomes

times_never_fall() {
	"$PYTHON" - "$(addresses "$dir")" <<-'END'
		import sys
		from rpc import Cluster
		postings = Cluster(sys.argv[1].split(",")).call("history", account="load-bank", limit=1000)["postings"]
		postings += Cluster(sys.argv[1].split(",")).call("history", account="load-000", limit=1000)["postings"]
		times = [(p["position"].split(":")[0], int(p["position"].split(":")[1]), p["time_us"]) for p in postings]
		times.sort()
		wrong = [pair for pair in zip(times, times[1:]) if pair[0][0] == pair[1][0] and pair[0][2] > pair[1][2]]
		print(len(times), "postings", wrong[:3])
		sys.exit(1 if wrong or len(times) < 50 else 0)
	END
}

export PYTHONPATH=$HERE
must gcc -shared -fPIC -O2 -o "$WORK/backwards.so" "$HERE/backwards.c"
must env LD_PRELOAD="$WORK/backwards.so" date
LD_PRELOAD=$WORK/backwards.so ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS:-} start_cluster "$dir"
start_load "$dir" "$outcomes" --clients 2 --batch 20
for round in 1 2 3; do
	must await_progress "$outcomes" 1000
	must kill_nodes "$dir" "$round"
	LD_PRELOAD=$WORK/backwards.so ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS:-} \
		expect "node $round starts again with its clock behind" start_node "$dir" "$round"
done
must await_progress "$outcomes" 200
expect "times in the logs never fall" times_never_fall
expect "every request got its outcome" stop_load "$outcomes"
expect "after clocks went backwards, outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"
