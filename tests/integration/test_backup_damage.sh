#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - a backup of a node whose write-ahead log is damaged where the backup needs it: the node that runs repairs it, also where nobody uses the cluster; otherwise file, offset and remedy are named.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster

data_of() { # NODE
	echo "$dir/node-$1/data"
}

flip() { # NODE PART
	must "$PYTHON" "$HERE/bits.py" entry "$(data_of "$1")" "$2"
}

log_is_sound() { # NODE
	"$ORDAIN" wal dump --data "$(data_of "$1")" >/dev/null && "$ORDAIN" scrub --dir "$dir" --node "$1"
}

is_sound() { # BACKUP
	"$ORDAIN" log verify --data "$1" && "$ORDAIN" state verify --data "$1" &&
		"$ORDAIN" replay --data "$1" --partition 0 | grep -q "^compared	equal\$"
}

# Checkpoints are there, blocks of history are not: entries of all are in the log alone.
start_cluster "$dir" 2
must "$ORDAIN" bench --dir "$dir" --seconds 1 --rate 300 --accounts 50
must "$ORDAIN" backup --to "$WORK/before" --dir "$dir" --node 2
found=0
for part in check length index payload batch; do
	found=$((found + 1))
	flip 2 "$part"
	expect "$part: a node that runs is backed up" says 0 "node-2/data/wal/.*offset [0-9]+: .*the node was asked" -- "$ORDAIN" backup --to "$WORK/$part" --dir "$dir" --node 2
	expect "$part: the backup is sound" is_sound "$WORK/$part"
	expect "$part: and so is the log again" wait_until "$DEADLINE" log_is_sound 2
	expect "$part: the node says so" test "$(grep -c "the write-ahead log is sound again" "$dir/node-2/log")" -eq "$found"
done

# After a start the log is in nobody's memory.
must "$ORDAIN" cluster stop --dir "$dir" --node 2
must "$ORDAIN" cluster start --dir "$dir" --node 2
flip 2 payload
expect "after a start: a node that runs is backed up" says 0 "node-2/data/wal/.*offset [0-9]+: .*the node was asked" -- "$ORDAIN" backup --to "$WORK/started" --dir "$dir" --node 2
expect "after a start: the backup is sound" is_sound "$WORK/started"
expect "after a start: and so is the log again" wait_until "$DEADLINE" log_is_sound 2

# What nobody wrote yet, as it seems.
flip 3 last
expect "the last batch: a node that runs is backed up" says 0 "" -- "$ORDAIN" backup --to "$WORK/last" --dir "$dir" --node 3
expect "the last batch: the backup is sound" is_sound "$WORK/last"
"$ORDAIN" scrub --now --dir "$dir" --node 3 >/dev/null 2>&1 || true
expect "the last batch: the log is sound again" wait_until "$DEADLINE" log_is_sound 3

# Nobody who could be asked is named.
flip 3 payload
expect "what to do is said at once" says 1 "node-3/data/wal/.*offset [0-9]+: .*have the node check and repair its files: ordain scrub --now" \
	"ordain backup: .*node-3/data/wal/.*offset [0-9]+: .*entries of partition [01] .*'ordain scrub --now'\), or back up another one" \
	-- "$ORDAIN" backup --to "$WORK/alone" --data "$(data_of 3)" --timeout 3s
"$ORDAIN" scrub --now --dir "$dir" --node 3 >/dev/null 2>&1 || true
expect "and done, it is backed up" says 0 "" -- "$ORDAIN" backup --to "$WORK/alone" --data "$(data_of 3)"

# A node that does not run repairs nothing.
must "$ORDAIN" cluster stop --dir "$dir"
flip 1 payload
expect "a stopped node: where, and what to do" says 1 "node-1/data/wal/.*offset [0-9]+: .*start the node.*back up another" -- "$ORDAIN" backup --to "$WORK/stopped" --data "$(data_of 1)"
expect "another one has it" says 0 "" -- "$ORDAIN" backup --to "$WORK/stopped" --data "$(data_of 2)"
must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir" --timeout 60s
expect "started it is backed up" says 0 "" -- "$ORDAIN" backup --to "$WORK/again" --dir "$dir" --node 1
expect "and sound" is_sound "$WORK/again"

# What is not in the log is got from others.
must "$ORDAIN" bench --dir "$dir" --seconds 4 --accounts 1000
must "$ORDAIN" backup --to "$WORK/filled" --dir "$dir" --node 3
must "$PYTHON" "$HERE/bits.py" history "$(data_of 3)" oldest
expect "a damaged history: a node that runs is backed up" says 0 "node-3/data/history/0/.*offset [0-9]+: .*the node was asked" -- "$ORDAIN" backup --to "$WORK/history" --dir "$dir" --node 3
expect "a damaged history: the backup is sound" is_sound "$WORK/history"
must "$PYTHON" "$HERE/bits.py" state "$(data_of 3)" value
expect "a damaged state: a node that runs is backed up" says 0 "node-3/data/state/.*the node was asked" -- "$ORDAIN" backup --to "$WORK/state" --dir "$dir" --node 3
expect "a damaged state: the backup is sound" is_sound "$WORK/state"
