#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - each node in turn loses its whole data directory while transfers run: it comes back by itself as a full replica, and leads again.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
outcomes=$WORK/outcomes

# The next disk may be lost: all nodes have a vote everywhere, by the word of all.
all_vote() { # DIR
	"$ORDAIN" cluster status --dir "$1" --json |
		"$PYTHON" -c 'import json, sys; sys.exit(any(p["voters"] != [1, 2, 3] for p in json.load(sys.stdin)["partitions"]))'
}

# The node is another member than it was, leads, and misses no block of history.
is_whole() { # DIR NODE
	"$PYTHON" - "$(client_address "$1" "$2")" <<-'END'
		import sys
		from rpc import Cluster
		cluster = Cluster([sys.argv[1]])
		status = cluster.call("status")
		leads = [r["partition"] for r in status["replicas"] if r["ready"]]
		print(status["standing"], status["member"], "leads", leads)
		sys.exit(status["standing"] != "newcomer" or not leads)
	END
	[ $? -eq 0 ] && all_vote "$1" && "$ORDAIN" scrub --dir "$1" --node "$2"
}

lose_disk() { # DIR NODE
	kill_nodes "$1" "$2" && rm -r "$1/node-$2/data"
}

export PYTHONPATH=$HERE
start_cluster "$dir"
start_load "$dir" "$outcomes"
must await_progress "$outcomes" 500
for node in 1 2 3; do
	must lose_disk "$dir" "$node"
	expect "node $node starts without its data" start_node "$dir" "$node"
	expect "transfers go on meanwhile" await_progress "$outcomes" 500
	expect "node $node is whole and leads again" wait_until "$DEADLINE" is_whole "$dir" "$node"
done
expect "every request got its outcome" stop_load "$outcomes"
expect "after the loss of each disk, outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"
