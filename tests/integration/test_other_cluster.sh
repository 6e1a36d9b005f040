#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - a node with another cluster id on a member's addresses: refused by both sides, clearly; the cluster goes on.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
outcomes=$WORK/outcomes
other=00000000-0000-4000-8000-000000000002

impostor() {
	mkdir -p "$WORK/impostor/node-3"
	"$ORDAIND" --config "$dir/node-3/ordaind.conf" --cluster-id "$other" --data-dir "$WORK/impostor/node-3/data" \
		>"$WORK/impostor/node-3/log" 2>&1 &
	impostor_pid=$!
	started+=("$impostor_pid")
}

says_in_log() { # LOG TEXT
	wait_until "$DEADLINE" grep -qE "$2" "$1"
}

# The clients of the impostor get no answer from partitions that it does not have: nothing can be done there.
impostor_serves_nothing() {
	says 1 'unavailable|no leader' -- "$ORDAIN" account open nobody --asset EUR --connect "$(client_address "$dir" 3)" --timeout 2s
}

start_cluster "$dir"
start_load "$dir" "$outcomes" --clients 2
must await_progress "$outcomes" 200
must kill_nodes "$dir" 3
impostor
for node in 1 2; do
	expect "node $node says that it belongs to another cluster" says_in_log "$dir/node-$node/log" "node 3 belongs to cluster $other"
done
expect "it is told so itself" says_in_log "$WORK/impostor/node-3/log" "does not take part with this node.*cluster $other"
expect "nothing can be done there" impostor_serves_nothing
expect "the cluster goes on without it" await_progress "$outcomes" 500
end_process "$impostor_pid"
expect "the true node starts again" start_node "$dir" 3
expect "every request got its outcome" stop_load "$outcomes"
expect "with the true node back, outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"
