#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - one bit flipped in each kind of file of one node under load, one at a time: detected, named, repaired, nothing lost.
#
#   BUILD=build bit_flips.sh [CASE ...]
#
# Node 2 of three is the victim. A case is flipped while the node runs and then found by `ordain scrub --now`, or while it is stopped and then started. Prints a table; exit status 1 when something that was promised does not hold.
: "${TMPDIR:=/tmp}"
. "$(dirname "$0")/../integration/lib.sh"
dir=$WORK/cluster
outcomes=$WORK/outcomes
data=$dir/node-2/data
log=$dir/node-2/log
table=$WORK/table
REPAIR=120 # seconds within which all is well again
SEEN=60    # seconds within which the node says what it found

now_ms() { date +%s%3N; }
flip() { must "$PYTHON" "$HERE/bits.py" "$@"; }
seen_since() { tail -n +"$(($1 + 1))" "$log" | grep -E "$2" | head -1; }
lines() { wc -l <"$log"; }

# All nodes answer, no replica differs or is fenced, nothing is missing, no damage is left, all have applied the same in the end.
is_well() { "$ORDAIN" cluster status --dir "$dir" --json | "$PYTHON" "$HERE/bits.py" well; }
is_scrubbed() { "$ORDAIN" scrub --dir "$dir" >/dev/null; }
is_up() { [ -n "$(node_pid "$dir" 2)" ]; }
starts_again() { is_up || "$ORDAIN" cluster start --dir "$dir" --node 2 --timeout 20s; }

# The history, and the states as of the last checkpoints: read beside the node.
files_are_sound() {
	"$ORDAIN" log verify --data "$data" && "$ORDAIN" state verify --data "$data"
}

repaired() {
	starts_again >/dev/null 2>&1
	is_well && is_scrubbed && files_are_sound
}

# A burst of commands, for blocks of history to fill and segments to be written; little, since all of it is verified again and again.
work() { # SECONDS
	"$ORDAIN" bench --dir "$dir" --clients 4 --batch 100 --seconds "$1" --accounts 1000
}

stop_victim() { must kill_nodes "$dir" 2; }

row() { printf '%-34s %-9s %-8s %s\n' "$@" >>"$table"; }

# Has the node read what was flipped, and work.
look_for_it() { # HOW
	if [ "$1" = running ]; then
		timeout 120 "$ORDAIN" scrub --dir "$dir" --node 2 --now >"$WORK/scrub" 2>&1
	else
		"$ORDAIN" cluster start --dir "$dir" --node 2 --timeout 20s >"$WORK/started" 2>&1
	fi
	work 2 >/dev/null 2>&1
}

# CASE HOW PATTERN COMMAND...: HOW is running or stopped; COMMAND flips; PATTERN is what the node's log has to say. What is flipped in a running node may be
# replaced by the checkpoint that is under way, and is gone then: it is tried up to three times, as long as the files are sound.
run_case() {
	local name=$1 how=$2 pattern=$3 before begin seen said try
	shift 3
	[ ${#cases[@]} -eq 0 ] || [[ " ${cases[*]} " == *" $name "* ]] || return 0
	expect "$name: all is well before" wait_until "$REPAIR" repaired
	must work 1
	must await_progress "$outcomes" 20
	for try in 1 2 3; do
		before=$(lines)
		[ "$how" = running ] || stop_victim
		"$@"
		begin=$(now_ms)
		look_for_it "$how"
		wait_until "$SEEN" seen_is_there "$before" "$pattern" >"$WORK/said" 2>&1 && break
		files_are_sound >/dev/null 2>&1 || break
		echo "# $name: a checkpoint had replaced what was flipped, try $try"
	done
	expect "$name: detected and named" seen_at "$before" "$pattern"
	seen=$(seen_since "$before" "$pattern")
	if wait_until "$REPAIR" repaired >"$WORK/said" 2>&1; then
		said=$(awk -v ms=$(($(now_ms) - begin)) 'BEGIN { printf "%.1f", ms / 1000 }')
		echo "ok $name: repaired"
	else
		said=never
		echo "not ok $name: repaired"
		tail -n 20 "$WORK/said" | sed 's/^/#   /'
		tail -n +"$((before + 1))" "$log" | tail -n 20 | sed 's/^/#   log: /'
		failures=$((failures + 1))
	fi
	row "$name" "$how" "$said" "${seen:-nothing}"
	tail -n +"$((before + 1))" "$log" | grep -E 'warn|error|ordaind:' | sed "s/^/# $name: /" | cut -c1-260 | head -8
}

seen_is_there() {
	starts_again >/dev/null 2>&1
	[ -n "$(seen_since "$1" "$2")" ]
}

# What cannot be repaired by the node itself: a start is refused, the text names the file and the remedy.
run_refusal() { # CASE PATTERN FILE
	local name=$1 pattern=$2 file=$3 before
	[ ${#cases[@]} -eq 0 ] || [[ " ${cases[*]} " == *" $name "* ]] || return 0
	expect "$name: all is well before" wait_until "$REPAIR" repaired
	before=$(lines)
	stop_victim
	must cp "$file" "$WORK/kept"
	flip text "$file"
	expect "$name: refused" says 1 -- "$ORDAIN" cluster start --dir "$dir" --node 2 --timeout 20s
	expect "$name: named, with the remedy" seen_at "$before" "$pattern"
	row "$name" stopped "by hand" "$(seen_since "$before" "$pattern")"
	# The remedy: the directory as if it were lost.
	must mv "$data" "$WORK/moved-away"
	must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir" --node 2 --timeout 60s
	expect "$name: the node comes back without the directory" wait_until "$REPAIR" repaired
	rm -rf "$WORK/moved-away"
}
seen_at() { [ -n "$(seen_since "$1" "$2")" ]; }

cases=("$@")
start_cluster "$dir" 4
must "$ORDAIN" cluster stop --dir "$dir"
for node in 1 2 3; do
	printf 'segment_bytes = 1M\ncheckpoint_bytes = 4M\nmark_entries = 100\ncache_bytes = 1M\n' >>"$dir/node-$node/ordaind.conf"
done
must start_cluster "$dir" 4
start_load "$dir" "$outcomes" --clients 4
must await_progress "$outcomes" 200
must work 5
: >"$table"

run_case wal-sealed running 'write-ahead log is damaged in segment' flip wal "$data" sealed
run_case wal-sealed-stopped stopped 'write-ahead log is damaged in segment' flip wal "$data" sealed
run_case wal-newest stopped 'write-ahead log is damaged in segment' flip wal "$data" newest
run_case state-value running 'state on disk is damaged|taken for damaged' flip state "$data" value
run_case state-value-stopped stopped 'state .*(damaged|cannot be)' flip state "$data" value
run_case state-leaf running 'state .*damaged|taken for damaged' flip state "$data" leaf
run_case state-leaf-pointer running 'state .*damaged|taken for damaged' flip state "$data" pointer
run_case state-branch running 'state .*damaged|taken for damaged' flip state "$data" branch
run_case state-branch-stopped stopped 'state .*(damaged|cannot be)|taken for damaged' flip state "$data" branch
run_case state-child running 'state .*damaged|taken for damaged' flip state "$data" child
run_case state-child-stopped stopped 'state .*(damaged|cannot be)|taken for damaged' flip state "$data" child
run_case state-separator running 'state .*damaged|taken for damaged' flip state "$data" separator
run_case state-shrunk running 'state .*damaged|taken for damaged' flip state "$data" shrunk
run_case state-meta stopped 'state .*(damaged|cannot be)|taken for damaged' flip state "$data" meta
run_case state-cut running 'state .*damaged|taken for damaged' flip state "$data" cut
run_case state-cut-stopped stopped 'state .*(damaged|cannot be)|taken for damaged' flip state "$data" cut
run_case history-oldest running 'is set aside' flip history "$data" oldest
run_case history-newest running 'is set aside' flip history "$data" newest
run_case history-oldest-stopped stopped 'is set aside' flip history "$data" oldest
run_refusal identity "file 'identity'" "$data/identity"
run_refusal peers "file 'peers'" "$data/peers"

expect "every request got its outcome" stop_load "$outcomes"
expect "all is well" wait_until "$REPAIR" repaired
expect "outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"
for node in 1 2 3; do
	expect "node $node: history" "$ORDAIN" log verify --data "$dir/node-$node/data"
	expect "node $node: states" "$ORDAIN" state verify --data "$dir/node-$node/data"
done
echo "# $(wc -l <"$outcomes") outcomes were told and are there"
printf '%-34s %-9s %-8s %s\n' file flipped "after s" "what the node said"
cat "$table"
