#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - a backup of a node that has lost its write-ahead log, and is cut off from who has the entries: it waits for them, whoever told it what is wanted, and looks again although no checkpoint tells of them.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
data=$dir/node-1/data

begin_backup() { # NAME OPTION ...
	local name=$1
	shift
	"$ORDAIN" backup --to "$WORK/$name" --timeout 180s "$@" >"$WORK/$name.out" 2>"$WORK/$name.err" &
	started+=($!)
	must wait_until "$DEADLINE" test -e "$WORK/$name.tmp/state/1" -o -e "$WORK/$name" # what is wanted is found before
	sleep 2 # until it has looked for the first time; when that comes later, less is tested, and nothing fails
}

# The damaged log is set aside; nobody gives the node another one.
lose_log() {
	must kill_nodes "$dir" 1
	must "$PYTHON" "$HERE/bits.py" entry "$data" payload
	must "$ORDAIN" fault partition '1|2,3' --dir "$dir"
	expect "cut off, it joins nothing" says 1 "knows a leader of only 0 partitions" -- "$ORDAIN" cluster start --dir "$dir" --node 1 --timeout 1s
}

still_waits() { # PID NAME
	kill -0 "$1" || { cat "$WORK/$2.err" "$WORK/$2.out"; return 1; }
}

ends_well() { # PID NAME
	wait "$1" || { cat "$WORK/$2.err"; return 1; }
}

is_sound() { # NAME
	"$ORDAIN" log verify --data "$WORK/$1" && "$ORDAIN" state verify --data "$WORK/$1"
}

keep_before() {
	"$ORDAIN" backup --to "$WORK/before" --dir "$dir" --node 2 >"$WORK/before.out"
}

# No position is before that of the other one; the cluster's own commands may have come behind it.
has_all_of() { # NAME NAME
	paste "$WORK/$1.out" "$WORK/$2.out" | awk '{ print $1, $2, $7 } $1 != $6 || $2 < $7 || $7 == 0 { bad = 1 } END { exit bad || NR != 2 }'
}

must timeout "$DEADLINE" "$ORDAIN" cluster start --nodes 3 --partitions 2 --dir "$dir" --timeout 60s --enable-faults
must "$ORDAIN" bench --dir "$dir" --seconds 1 --rate 300 --accounts 50

must keep_before

# Nothing but the log has the entries, and nobody was asked what is committed.
begin_backup first --data "$data"
first=${started[-1]}
lose_log
sleep 3 # so that it looks at the empty log
expect "what the log had is waited for" still_waits "$first" first
expect "where it is stuck is told" says 1 "partition [01]: in the time allowed the node's log came to entry 0, and entry [0-9]+ is wanted; is it cut off" -- "$ORDAIN" backup --to "$WORK/short" --dir "$dir" --node 1 --timeout 2s
must "$ORDAIN" fault heal --dir "$dir"
expect "it comes" ends_well "$first" first
expect "and is sound" is_sound first
expect "nothing was left out" has_all_of first before

# Checkpoints are there, and nobody uses the cluster, so that no other one comes of what the log gets.
lose_log
begin_backup told --dir "$dir" --node 1
told=${started[-1]}
begin_backup untold --data "$data"
untold=${started[-1]}
must "$ORDAIN" fault heal --dir "$dir"
expect "a log that is behind is looked at again" ends_well "$told" told
expect "and a log that was begun anew" ends_well "$untold" untold
for name in told untold; do
	expect "$name: sound" is_sound "$name"
	expect "$name: nothing was left out" has_all_of "$name" before
done

# Where nobody leads it is not known what is committed.
nobody_leads_is_said() {
	rm -rf "$WORK/alone"
	"$ORDAIN" backup --to "$WORK/alone" --dir "$dir" --node 1 --timeout 2s 2>&1 | grep "0 of 2 partitions have a leader that answers"
}
must "$ORDAIN" fault partition '1|2|3' --dir "$dir"
expect "that nobody leads is said" wait_until "$DEADLINE" nobody_leads_is_said
