#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - kill -9 of each node in turn while transfers run: every outcome that was told stays, every cent is where it belongs.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
outcomes=$WORK/outcomes

start_cluster "$dir"
start_load "$dir" "$outcomes"
must await_progress "$outcomes" 500
for node in 1 2 3; do
	must kill_nodes "$dir" "$node"
	expect "transfers go on without node $node" await_progress "$outcomes" 1000
	expect "node $node starts again" start_node "$dir" "$node"
	expect "transfers go on with node $node back" await_progress "$outcomes" 500
done
expect "every request got its outcome" stop_load "$outcomes"
expect "after kill -9 of each node, outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"
