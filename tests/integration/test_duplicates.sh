#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - one request id at several nodes, late, after restarts and with another payload; one name by several clients at once.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster

duplicates() { # first or late
	"$PYTHON" "$HERE/duplicates.py" "$1" --addresses "$(addresses "$dir")" --memory "$WORK/memory"
}

start_cluster "$dir"
expect "ids and names at all nodes at once: one wins, all are told the same" duplicates first
expect "a restart, node after node" timeout "$DEADLINE" "$ORDAIN" cluster restart --dir "$dir"
expect "late duplicates after a restart are told the first outcome" duplicates late
must kill_nodes "$dir" 1 2 3
must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir"
expect "late duplicates after kill -9 of all nodes too" duplicates late
