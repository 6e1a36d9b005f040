#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - the tools that read a node's files without the node: beside running nodes, on stopped ones, on damaged copies. None of them writes.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
outcomes=$WORK/outcomes
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0:handle_abort=0 # damaged pages may end a child: that is what it is for

data_of() { # NODE
	echo "$dir/node-$1/data"
}

# A value of a replay's answer, which stands in $WORK/replay.
replayed() { # NAME
	sed -n "s/^$1	//p" "$WORK/replay"
}

replay() { # NODE PARTITION [OPTION ...]
	local node=$1 partition=$2
	shift 2
	"$ORDAIN" replay --data "$(data_of "$node")" --partition "$partition" "$@" >"$WORK/replay"
}

replay_says() { # NODE PARTITION COMPARED
	replay "$1" "$2" && [ "$(replayed compared)" = "$3" ]
}

# Digest and history hash of all nodes at one position.
same_at() { # PARTITION POSITION
	local node
	: >"$WORK/same"
	for node in 1 2 3; do
		replay "$node" "$1" --to "$2" || return 1
		echo "$(replayed position) $(replayed digest) $(replayed history)" >>"$WORK/same"
	done
	cat "$WORK/same"
	[ "$(sort -u "$WORK/same" | wc -l)" -eq 1 ]
}

sums() { # DIR
	(cd "$1" && find . -type f -exec sha256sum {} + | sort)
}

# Checkpoints often, and files that are soon full.
must timeout "$DEADLINE" "$ORDAIN" cluster start --nodes 3 --partitions 2 --dir "$dir" --timeout 60s
must "$ORDAIN" cluster stop --dir "$dir"
for node in 1 2 3; do
	printf 'checkpoint_bytes = 128K\nsegment_bytes = 1M\n' >>"$dir/node-$node/ordaind.conf"
done
must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir" --timeout 60s
must "$ORDAIN" claim users 'al"ice' "person 17" --dir "$dir"
must "$ORDAIN" claim users "tab	here" "person 18" --dir "$dir"

# --- replay beside nodes that run ---

start_load "$dir" "$outcomes" --clients 2
must await_progress "$outcomes" 500
for node in 1 2 3; do
	for partition in 0 1; do
		expect "node $node, partition $partition: the replay has the state of a checkpoint" wait_until "$DEADLINE" replay_says "$node" "$partition" equal
	done
done
for node in 1 2 3; do
	expect "node $node: the states are sound while it writes them" says 0 -- "$ORDAIN" state verify --data "$(data_of "$node")"
done
expect "every request got its outcome" stop_load "$outcomes"

# --- of stopped nodes ---

# What one of them had on disk some blocks of history ago: a replay reaches that position for certain.
must "$ORDAIN" cluster stop --dir "$dir"
must cp -a "$(data_of 1)/state" "$WORK/older"
must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir" --timeout 60s
start_load "$dir" "$outcomes" --clients 2
must await_progress "$outcomes" 15000
must stop_load "$outcomes"
must "$ORDAIN" cluster stop --dir "$dir"
before=$(sums "$dir")
for partition in 0 1; do
	must replay 1 "$partition" --to 1000
	expect "partition $partition: all nodes have one state at position $(replayed position)" same_at "$partition" "$(replayed position)"
done
expect "as JSON" says 0 '"partition":1,"position":[0-9]+,.*"digest":"[0-9a-f]{32}"' -- "$ORDAIN" replay --data "$(data_of 1)" --partition 1 --json
must replay 1 0
expect "its history hash is that of the last block" says 0 "^0	.*	$(replayed history)	0	-" -- "$ORDAIN" log verify --data "$(data_of 1)" --partition 0
must replay 1 0 --to 1
expect "not a command more than was asked for" test "$(replayed position)" -le 1
must replay 1 0 --to 0
expect "before the first command" test "$(replayed position) $(replayed entries)" = "0 0"
expect "nothing was written" test "$before" = "$(sums "$dir")"

# --- damaged copies ---

copy() {
	rm -rf "$WORK/copy"
	must cp -a "$(data_of 1)" "$WORK/copy"
	rm -f "$WORK/copy/lock" "$WORK/copy/state"/*/lock.mdb
}

flip() { # FILE OFFSET
	must "$PYTHON" "$HERE/history.py" flip "$1" "$2"
}

copy
history=$WORK/copy/history/0/00000000000000000001.hist
flip "$history" 300
expect "a damaged block of history is named" says 1 "history/0/00000000000000000001.hist, offset 64: .*checksum" "^position	0" -- "$ORDAIN" replay --data "$WORK/copy" --partition 0
copy
sed -i 's/^partitions = .*/partitions = 3/' "$WORK/copy/identity"
expect "with other partitions the state is another one" says 1 "differs|cannot be used" -- "$ORDAIN" replay --data "$WORK/copy" --partition 0
copy
rm -r "$WORK/copy/state"
expect "without a state there is nothing to compare with" says 0 "^compared	none" -- "$ORDAIN" replay --data "$WORK/copy" --partition 0
copy
truncate -s 8192 "$WORK/copy/state/0/data.mdb"
expect "a state that was cut short is named" says 1 "state/0/data.mdb has 8192 bytes" "^compared	unreadable" -- "$ORDAIN" replay --data "$WORK/copy" --partition 0
copy
rm "$WORK/copy/identity"
expect "without identity" says 2 "identity does not say" -- "$ORDAIN" replay --data "$WORK/copy" --partition 0
expect "a partition that is not there" says 2 "partitions 0 to 1" -- "$ORDAIN" replay --data "$(data_of 1)" --partition 2

# --- state ---

spoil() { # WORD FILE TABLE [NUMBER [OFFSET]]
	must "$PYTHON" "$HERE/state.py" "$@"
}

dump_counts() { # NODE PARTITION: records of each table, as dump prints them and as verify counts them
	"$ORDAIN" state dump --data "$(data_of "$1")" --partition "$2" >"$WORK/dump" || return 1
	for table in accounts names requests stages postings messages; do
		grep -c "^$table	" "$WORK/dump"
	done | paste -s >"$WORK/dumped"
	"$ORDAIN" state verify --data "$(data_of "$1")" --partition "$2" | cut -f 4-9 | diff "$WORK/dumped" -
}

dump_json() {
	"$ORDAIN" state dump --data "$(data_of 1)" --partition 0 --json | "$PYTHON" -c '
import json, sys
lines = [json.loads(line) for line in sys.stdin]
money = sum(int(line["fields"]["balance"]) for line in lines if line["table"] == "accounts")
print(len(lines), money)
assert {line["table"] for line in lines} >= {"meta", "accounts", "requests", "stages", "postings"}
assert all(isinstance(line["fields"]["amount"], int) for line in lines if line["table"] == "postings")'
}

for node in 1 2 3; do
	expect "node $node: the states are sound" says 0 "^0	[0-9]+	[0-9a-f]{32}	.*	0	-	-	-" "^1	[0-9]+	[0-9a-f]{32}	.*	0	-	-	-" -- "$ORDAIN" state verify --data "$(data_of "$node")"
	expect "node $node: dump prints what verify counts" dump_counts "$node" 0
done
expect "as JSON " dump_json
for partition in 0 1; do
	"$ORDAIN" state dump --data "$(data_of 1)" --partition "$partition" --table names
done >"$WORK/names"
expect "names are shown, and escaped" says 0 '^names	namespace="users" name="al\\"ice" owner="person 17"' '^names	namespace="users" name="tab\\x09here" owner="person 18"' -- cat "$WORK/names"
expect "nothing was written by that" test "$before" = "$(sums "$dir")"

all=$("$ORDAIN" state dump --data "$(data_of 1)" --partition 0 | wc -l)
for table in "2 accounts" "4 requests" "5 stages" "6 postings"; do
	name=${table#* }
	copy
	spoil flip "$WORK/copy/state/0/data.mdb" "${table% *}" 3
	expect "a bit of $name: verify names the record" says 1 "state/0/data.mdb, table $name, .*: its checksum is wrong" "^0	.*	1	$name	[^	]+	its checksum is wrong" -- \
		"$ORDAIN" state verify --data "$WORK/copy" --partition 0
	expect "dump names it, too" says 1 "table $name, [a-z]+=.*: its checksum is wrong" -- "$ORDAIN" state dump --data "$WORK/copy" --partition 0
	"$ORDAIN" state dump --data "$WORK/copy" --partition 0 >"$WORK/rest" 2>"$WORK/err"
	expect "and prints all others" test "$(wc -l <"$WORK/rest")" -eq $((all - 1))
done
copy
spoil flip "$WORK/copy/state/0/data.mdb" 1 2
expect "a bit of the partition's numbers" says 1 'table meta, key="partition": its checksum' -- "$ORDAIN" state verify --data "$WORK/copy" --partition 0
expect "they cannot be compared with a replay either" says 1 "^compared	unreadable" "cannot be used" -- "$ORDAIN" replay --data "$WORK/copy" --partition 0
copy
spoil spoil "$WORK/copy/state/0/data.mdb" 1 2 84 # the digest among the numbers
expect "a digest that is not that of the records" says 1 "partition 0: all records together have digest" -- "$ORDAIN" state verify --data "$WORK/copy" --partition 0
copy
rm -r "$WORK/copy/state" && must cp -a "$WORK/older" "$WORK/copy/state"
expect "the replay comes to the position of an older checkpoint, and has its digest" says 0 "^compared	equal" -- "$ORDAIN" replay --data "$WORK/copy" --partition 0
spoil spoil "$WORK/copy/state/0/data.mdb" 1 2 84
expect "with another digest the replay names block, entry and position" says 1 "^compared	differs" \
	"block [0-9]+, entry with index [0-9]+, position [0-9]+: the replayed state has digest [0-9a-f]{32}, the checkpoint at this position has [0-9a-f]{32}" -- \
	"$ORDAIN" replay --data "$WORK/copy" --partition 0
copy
spoil spoil "$WORK/copy/state/0/data.mdb" 2 3
expect "a balance that changed by itself, with a right checksum, is another digest" says 1 "partition 0: all records together have digest" -- "$ORDAIN" state verify --data "$WORK/copy" --partition 0
copy
spoil page "$WORK/copy/state/0/data.mdb"
expect "pages that lead nowhere end verify of that partition alone" says 1 "^0	.*	(all|meta|accounts)	" "^1	.*	0	-	-	-" -- "$ORDAIN" state verify --data "$WORK/copy"
expect "and dump" says 1 "state/0/data.mdb" -- "$ORDAIN" state dump --data "$WORK/copy" --partition 0
expect "and replay says that there is nothing to compare with" says 1 "^compared	unreadable" -- "$ORDAIN" replay --data "$WORK/copy" --partition 0
expect "a state that is not there" says 2 "no checkpoint of that partition" -- "$ORDAIN" state verify --data "$(data_of 1)" --partition 7
expect "dump says so, too" says 2 "no checkpoint of that partition" -- "$ORDAIN" state dump --data "$(data_of 1)" --partition 7
expect "no directory" says 2 "node" -- "$ORDAIN" state verify --data "$WORK/nowhere"

# --- wal ---

wal_dump() { # DIR
	"$ORDAIN" wal dump --data "$1" >"$WORK/wal" 2>"$WORK/err"
}

# The dump of the copy has exit status 1, tells TEXT once and nothing else, and prints the lines of the file WANTED.
wal_tells() { # TEXT WANTED
	wal_dump "$WORK/copy"
	local status=$?
	cat "$WORK/err"
	diff "$WORK/wal" "$2" | head -n 5
	[ "$status" -eq 1 ] && cmp -s "$WORK/wal" "$2" && [ "$(wc -l <"$WORK/err")" -eq 1 ] && grep -qE "$1" "$WORK/err"
}

segment_file() { # NUMBER
	printf '%s/copy/wal/%016x.wal' "$WORK" "$1"
}

has_segments() { # COUNT: node 1
	[ "$(find "$(data_of 1)/wal" -name '*.wal' | wc -l)" -ge "$1" ]
}

# A checkpoint lets segments go: with none, the log becomes as long as is asked for.
for node in 1 2 3; do
	sed -i 's/^checkpoint_bytes = .*/checkpoint_bytes = 64M/' "$dir/node-$node/ordaind.conf"
done
must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir" --timeout 60s
start_load "$dir" "$outcomes" --clients 2
must wait_until "$DEADLINE" has_segments 5
must stop_load "$outcomes"
must "$ORDAIN" cluster stop --dir "$dir"
before=$(sums "$dir")

expect "the log of a stopped node is printed" wal_dump "$(data_of 1)"
expect "in several segments" test "$(cut -f 1 "$WORK/wal" | sort -u | wc -l)" -ge 3
expect "without a complaint" test ! -s "$WORK/err"
cp "$WORK/wal" "$WORK/wal.all"
expect "with votes, changes and commands" says 0 "^[0-9]+	[0-9]+	[0-9]+	0	vote	-	[0-9]+	[0-9]+	0	-" "^[0-9]+	[0-9]+	[0-9]+	1	(entry|copy)	command	[0-9]+	[0-9]+	[0-9]+	[1-9]" -- cat "$WORK/wal"
expect "as JSON  " says 0 '^\{"segment":[0-9]+,"offset":[0-9]+,"batch":[0-9]+,"partition":[01],"type":"entry","kind":"command","term":[0-9]+,"index":[0-9]+,"length":[0-9]+,"commands":[0-9]+\}' -- \
	"$ORDAIN" wal dump --data "$(data_of 1)" --json
expect "batches follow each other" awk -F'\t' 'NR > 1 && $3 != last && $3 != last + 1 { exit 1 } { last = $3 }' "$WORK/wal"
expect "nothing was written by that either" test "$before" = "$(sums "$dir")"
expect "it takes no libraft" says 1 -- sh -c "ldd '$ORDAIN' | grep libraft"

# A command in the middle of a segment that is not the last one.
last_segment=$(tail -n 1 "$WORK/wal.all" | cut -f 1)
read -r segment offset batch _ < <(awk -F'\t' -v last="$last_segment" '$1 < last && $6 == "command" && $9 > 60' "$WORK/wal.all" | sed -n '40p')
copy
flip "$(segment_file "$segment")" $((offset + 40))
grep -v "^$segment	$offset	" "$WORK/wal.all" >"$WORK/wal.wanted"
expect "a bit of a command: it alone is left out" wal_tells "$(basename "$(segment_file "$segment")"), offset $offset: the checksum of this record is wrong; skipped [0-9]+ bytes" "$WORK/wal.wanted"
first=$(awk -F'\t' -v batch="$batch" '$3 == batch { print $2; exit }' "$WORK/wal.all")
copy
flip "$(segment_file "$segment")" $((first - 32 + 9))
awk -F'\t' -v batch="$batch" '$3 != batch' "$WORK/wal.all" >"$WORK/wal.wanted"
expect "a bit of a batch's header: that batch is left out" wal_tells "$(basename "$(segment_file "$segment")"), offset $((first - 32)): no batch begins here; skipped [0-9]+ bytes" "$WORK/wal.wanted"
for at in 14 61; do
	copy
	flip "$(segment_file "$segment")" "$at"
	expect "byte $at of a segment's header: its batches are printed" wal_tells "$(basename "$(segment_file "$segment")"), offset 0: the header of this segment is damaged" "$WORK/wal.all"
done
middle=$(($(head -n 1 "$WORK/wal.all" | cut -f 1) + 1))
copy
rm "$(segment_file "$middle")"
grep -v "^$middle	" "$WORK/wal.all" >"$WORK/wal.wanted"
expect "segment $middle is missing: the others are printed, and it is told" wal_tells "$(basename "$(segment_file $((middle + 1)))"), offset 0: segments are missing before this one" "$WORK/wal.wanted"

# The last batch, cut short: what a node that was killed may have.
read -r _ offset batch _ < <(tail -n 1 "$WORK/wal.all")
copy
truncate -s $((offset + 20)) "$(segment_file "$last_segment")"
awk -F'\t' -v batch="$batch" '$3 != batch' "$WORK/wal.all" >"$WORK/wal.wanted"
expect "the last batch is cut short: that is no damage" wal_dump "$WORK/copy"
expect "it is left out" cmp "$WORK/wal" "$WORK/wal.wanted"
expect "and told" grep -q "no whole batch" "$WORK/err"
expect "no log" says 2 "nowhere/wal: .*data directory of a node" -- "$ORDAIN" wal dump --data "$WORK/nowhere"
must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir" --timeout 60s
expect "beside a node that runs" wal_dump "$(data_of 2)"
