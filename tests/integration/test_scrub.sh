#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - bits that change on one node, of history, state and write-ahead log: found while it runs, of the history also when it starts, and repaired.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster

history_of() { # NODE PARTITION
	echo "$dir/node-$1/data/history/$2"
}

flip() { # FILE OFFSET
	must "$PYTHON" "$HERE/history.py" flip "$1" "$2"
}

# The row of a node.
scrubbed() { # NODE
	"$ORDAIN" scrub --dir "$dir" --node "$1"
}

has_repaired() { # NODE: something, and nothing is missing
	scrubbed "$1" | awk -F'\t' '$7 == 0 && $9 > 0 { found = 1 } END { exit !found }'
}

is_sound() { # NODE
	"$ORDAIN" log verify --data "$dir/node-$1/data" 2>/dev/null
}

start_cluster "$dir" 2
must "$ORDAIN" cluster stop --dir "$dir"
for node in 1 2 3; do
	printf 'segment_bytes = 1M\n' >>"$dir/node-$node/ordaind.conf"
done
start_cluster "$dir" 2
must "$ORDAIN" bench --dir "$dir" --seconds 4 --accounts 1000
first=00000000000000000001.hist
must test -s "$(history_of 2 0)/$first"

expect "nothing is wrong" says 0 '^1	no	' '^2	no	' '^3	no	' -- "$ORDAIN" scrub --dir "$dir" --now
expect "as JSON" says 0 '"node":2,"scrubbing":false,"rounds":[1-9]' -- "$ORDAIN" scrub --dir "$dir" --json
expect "no such node" says 2 "the cluster has no node 7" -- "$ORDAIN" scrub --dir "$dir" --node 7

# --- While the node runs. ---

# Its exit status says that there is damage, as there is; what comes of it is looked at below.
flip "$(history_of 2 0)/$first" 300
"$ORDAIN" scrub --dir "$dir" --node 2 --now || true
expect "a bit that changed is found and repaired" wait_until "$DEADLINE" has_repaired 2
expect "the file is kept" test -s "$(history_of 2 0)/$first.damaged-1"
expect "and can be read alone" says 1 "offset 64: .*checksum" -- "$ORDAIN" log dump "$(history_of 2 0)/$first.damaged-1"
expect "the log says so" grep -q "$first is set aside as" "$dir/node-2/log"
expect "and that it is over" wait_until "$DEADLINE" grep -q "which were missing, came from other nodes" "$dir/node-2/log"
expect "the history is whole again" wait_until "$DEADLINE" is_sound 2

# --- While it is down. ---

must kill_nodes "$dir" 3
flip "$(history_of 3 1)/$first" 300
must start_node "$dir" 3
expect "found at the start, or by the scrub" wait_until "$DEADLINE" test -e "$(history_of 3 1)/$first.damaged-1"
expect "the history is whole again " wait_until "$DEADLINE" is_sound 3

# --- States and write-ahead log. ---

# A column of node 1's row.
scrubbed_of() { # COLUMN
	scrubbed 1 | awk -F'\t' -v column="$1" '{ print $column }'
}

has_found() { # COLUMN
	[ "$(scrubbed_of "$1")" -gt 0 ]
}

states_are_sound() {
	"$ORDAIN" state verify --data "$dir/node-1/data"
}

log_is_sound() {
	scrubbed 1 >/dev/null
}

must "$PYTHON" "$HERE/bits.py" state "$dir/node-1/data" value
"$ORDAIN" scrub --dir "$dir" --node 1 --now || true
expect "a bit that changed in a state is found" wait_until "$DEADLINE" has_found 13
expect "the log says so " grep -q "its state on disk is damaged" "$dir/node-1/log"
expect "and that it is over " wait_until "$DEADLINE" grep -q "has been made anew from another node" "$dir/node-1/log"
expect "the states are whole again" wait_until "$DEADLINE" states_are_sound

must "$PYTHON" "$HERE/bits.py" wal "$dir/node-1/data" sealed
"$ORDAIN" scrub --dir "$dir" --node 1 --now || true
expect "a bit that changed in the write-ahead log is found" wait_until "$DEADLINE" has_found 15
expect "the log names segment and offset" grep -qE "write-ahead log is damaged in segment [0-9]+ at offset [0-9]+" "$dir/node-1/log"
# Nothing else happens: what is in no history yet is written again.
expect "it goes" wait_until "$DEADLINE" log_is_sound
expect "the log says so  " grep -q "the write-ahead log is sound again" "$dir/node-1/log"
