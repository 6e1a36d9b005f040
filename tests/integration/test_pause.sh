#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - a node is stopped with SIGSTOP under load and wakes up when others lead: it must not answer from its old state.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
outcomes=$WORK/outcomes

sleepers() {
	local pids
	pids=$(nodes_running | paste -sd,)
	"$PYTHON" "$HERE/stale.py" --addresses "$(addresses "$dir")" --pids "$pids"
}

start_cluster "$dir"
expect "a leader that slept does not answer reads from its old state" sleepers
start_load "$dir" "$outcomes" --clients 3
must await_progress "$outcomes" 500
for node in 1 2; do
	must signal_node "$dir" "$node" STOP
	expect "transfers go on while node $node sleeps" await_progress "$outcomes" 500
	must signal_node "$dir" "$node" CONT
	expect "transfers go on when node $node woke up" await_progress "$outcomes" 500
done
expect "every request got its outcome" stop_load "$outcomes"
expect "after SIGSTOP and SIGCONT, outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"
