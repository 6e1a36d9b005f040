#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - a node with another cluster id on a member's addresses: refused by both sides, clearly; the cluster goes on.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
outcomes=$WORK/outcomes

impostor() {
	mkdir -p "$WORK/impostor/node-3"
	"$ORDAIND" --config "$dir/node-3/ordaind.conf" --cluster-id 00000000-0000-4000-8000-000000000002 \
		--data-dir "$WORK/impostor/node-3/data" >"$WORK/impostor/node-3/log" 2>&1 &
	started+=($!)
}

said_by() { # LOG
	wait_until "$DEADLINE" grep -qiE 'cluster' "$1"
	grep -iE 'another cluster|other cluster|cluster.*00000000-0000-4000-8000-000000000002' "$1"
}

start_cluster "$dir"
start_load "$dir" "$outcomes" --clients 2
must await_progress "$outcomes" 200
must kill_node "$dir" 3
impostor
expect "a member's log says that the node belongs to another cluster" wait_until "$DEADLINE" said_by "$dir/node-1/log"
expect "the node of the other cluster says so too" wait_until "$DEADLINE" said_by "$WORK/impostor/node-3/log"
expect "the cluster goes on without it" await_progress "$outcomes" 500
end_process "${started[-1]}"
expect "the true node starts again" start_node "$dir" 3
expect "every request got its outcome" stop_load "$outcomes"
expect "with the true node back, outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"
