#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - garbage, half messages and oversize frames on both ports, wrong calls, the wrong port; nodes go on as if nothing was.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
outcomes=$WORK/outcomes

same_processes() {
	[ "$(nodes_running | paste -sd' ')" = "$processes" ]
}

start_cluster "$dir"
processes=$(nodes_running | paste -sd' ')
start_load "$dir" "$outcomes" --clients 1 --batch 20
must await_progress "$outcomes" 100
expect "nonsense on the port for clients" "$PYTHON" "$HERE/garbage.py" client "$(client_address "$dir" 1)"
expect "nonsense on the port for nodes" "$PYTHON" "$HERE/garbage.py" peer "$(peer_address "$dir" 1)"
expect "nonsense from a member on the port for nodes" "$PYTHON" "$HERE/garbage.py" member "$(peer_address "$dir" 1)" "$dir/node-2/data/identity"
expect "no node ended" same_processes
expect "transfers went on meanwhile" await_progress "$outcomes" 100
expect "every request got its outcome" stop_load "$outcomes"
expect "after nonsense on both ports, outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"
