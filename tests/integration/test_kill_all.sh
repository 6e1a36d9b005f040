#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - kill -9 of all nodes at once under load, and a clean stop and start: nothing that was told is lost.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
outcomes=$WORK/outcomes

start_cluster "$dir"
start_load "$dir" "$outcomes"
must await_progress "$outcomes" 1500
must kill_nodes "$dir" 1 2 3
expect "all nodes start again after kill -9 of all" timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir"
expect "transfers go on" await_progress "$outcomes" 1000
expect "every request got its outcome" stop_load "$outcomes"
expect "after kill -9 of all nodes, outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"
expect "a clean stop" timeout "$DEADLINE" "$ORDAIN" cluster stop --dir "$dir"
expect "a start after it" timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir"
expect "after a clean stop and start, the same" verify "$dir" "$outcomes"
