#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - a balance is spoilt in one node's memory: the next mark finds it, that replica is fenced, and the others go on.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
outcomes=$WORK/outcomes

# What `cluster status` says of the comparison of a node's replica: equal, differs or fenced.
comparison_of() { # NODE
	"$ORDAIN" cluster status --dir "$dir" --json |
		"$PYTHON" -c 'import json, sys; print(*[r["comparison"] for r in json.load(sys.stdin)["partitions"][0]["replicas"] if r["node"] == int(sys.argv[1])])' "$1"
}

comparison_is() { # NODE WORD
	[ "$(comparison_of "$1")" = "$2" ]
}

leader_of() {
	"$ORDAIN" cluster status --dir "$dir" --json | "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)["partitions"][0]["leader"])'
}

start_cluster "$dir" 1
must "$ORDAIN" account open victim --asset EUR --dir "$dir"
expect "no node makes faults on purpose unless it is told to" says 1 "enable-faults" -- "$ORDAIN" fault spoil --node 1 --account victim --delta 1 --dir "$dir"
must "$ORDAIN" cluster stop --dir "$dir"
for node in 1 2 3; do
	printf 'mark_entries = 50\nenable_faults = yes\n' >>"$dir/node-$node/ordaind.conf"
done
must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir" --timeout 60s
start_load "$dir" "$outcomes" --clients 3
must await_progress "$outcomes" 200
must "$ORDAIN" account freeze victim --dir "$dir"
must "$ORDAIN" account thaw victim --dir "$dir" # so that it is in memory
spoilt=$(leader_of)
expect "a node that was told to spoils a balance, here the leader" wait_until "$DEADLINE" "$ORDAIN" fault spoil --node "$spoilt" --account victim --delta 1 --dir "$dir"
expect "its replica is fenced" wait_until "$DEADLINE" comparison_is "$spoilt" fenced
expect "its log has both digests and the position" grep -E 'differs from a majority of the replicas at position [0-9]+: it has digest [0-9a-f]{32} history [0-9a-f]{64}, they have digest' "$dir/node-$spoilt/log"
expect "another node leads, and transfers go on" await_progress "$outcomes" 500
expect "it leads no more" [ "$(leader_of)" != "$spoilt" ]
for node in 1 2 3; do
	[ "$node" = "$spoilt" ] || expect "node $node is as it was" comparison_is "$node" equal
done
expect "every request got its outcome" stop_load "$outcomes"
# The fault was in memory alone: the log of the node is sound, and makes the right state.
must "$ORDAIN" cluster restart --dir "$dir" --node "$spoilt" --timeout 60s
expect "outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"
