#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - one node's disk is filled to the brim under load, and freed again: no crash, no loss, recovery by itself.
#
#   BUILD=build full_disk.sh [ROUNDS [AT_ONCE]]
#
# Node 1 of three has its data on a small tmpfs, which takes root to mount; without, nothing is done. Exit status 1 when something that was promised does not hold.
set -u
if [ "$(id -u)" -ne 0 ]; then
	echo "skipped: a small file system of one's own takes root (mount)"
	exit 0
fi
: "${TMPDIR:=/tmp}"
. "$(dirname "$0")/../integration/lib.sh"
rounds=${1:-2} at_once=${2:-6}
dir=$WORK/cluster
outcomes=$WORK/outcomes
small=$dir/node-1/data

unmount() {
	end_nodes
	mountpoint -q "$small" && umount "$small"
	finish
}
trap unmount EXIT

now_ms() { date +%s%3N; }

# What node 1 says of its disk; "none" when it does not answer.
disk_state() {
	"$ORDAIN" cluster status --dir "$dir" --json 2>/dev/null | "$PYTHON" -c '
import json, sys
print(([s["disk"] for s in json.load(sys.stdin)["stores"] if s["node"] == 1] + ["none"])[0])'
}
disk_is() { [ "$(disk_state)" = "$1" ]; }
disk_is_not_ok() { [ "$(disk_state)" != ok ] && [ "$(disk_state)" != none ]; }

leads() { # NODE
	"$ORDAIN" cluster status --dir "$dir" --json | "$PYTHON" -c '
import json, sys
print(sum(p["leader"] == int(sys.argv[1]) for p in json.load(sys.stdin)["partitions"]))' "$1"
}
leads_nothing() { [ "$(leads 1)" -eq 0 ]; }
leads_again() { [ "$(leads 1)" -gt 0 ]; }

free_kib() { df --output=avail -k "$small" | tail -1 | tr -d ' '; }
same_process() { [ "$(node_pid "$dir" 1)" = "$pid" ]; }
read_there() { "$ORDAIN" account show load-001 --connect "$(client_address "$dir" 1)" --timeout 5s; }
is_full() { [ "$(free_kib)" -lt 64 ]; }
fill() { # FILE [MIB]
	dd if=/dev/zero of="$1" bs=64K ${2:+count=$(($2 * 16))} status=none 2>/dev/null
	return 0
}

histories() {
	for node in 1 2 3; do
		"$ORDAIN" log verify --data "$dir/node-$node/data" || return 1
	done
}

start_cluster "$dir"
must "$ORDAIN" cluster stop --dir "$dir"
for node in 1 2 3; do
	printf 'segment_bytes = 4M\ncheckpoint_bytes = 8M\nreserve_bytes = 64M\n' >>"$dir/node-$node/ordaind.conf"
done
mv "$small" "$WORK/data-of-node-1"
mkdir "$small"
must mount -t tmpfs -o size=2500M,mode=700 tmpfs "$small"
must cp -a "$WORK/data-of-node-1/." "$small"
must start_cluster "$dir"
pid=$(node_pid "$dir" 1)
start_load "$dir" "$outcomes" --clients 2
must await_progress "$outcomes" 1000

for ((round = 1; round <= rounds; round++)); do
	echo "round $round: $(free_kib) KiB are free on node 1"
	# The beginning by a filler, down to 40 MiB over the reserve; from there on by what the cluster itself writes, as fast as it can.
	fill "$small/filler" $(($(free_kib) / 1024 - 104))
	begin=$(now_ms)
	"$ORDAIN" bench --dir "$dir" --clients 8 --batch 500 --seconds 20 --accounts 1000 >"$WORK/bench" 2>&1 &
	bench=$!
	started+=("$bench")
	expect "node 1 notices that its disk gets full" wait_until 30 disk_is_not_ok
	echo "# refused after $(($(now_ms) - begin)) ms under load, with $(free_kib) KiB free"
	expect "it hands its leaderships over" wait_until 30 leads_nothing
	echo "# leads nothing after $(($(now_ms) - begin)) ms"
	expect "the others go on" await_progress "$outcomes" 500
	expect "it comes to take no more entries" wait_until 60 disk_is critical
	echo "# takes no more entries after $(($(now_ms) - begin)) ms, with $(free_kib) KiB free"
	fill "$small/brim"
	echo "# filled to the brim: $(free_kib) KiB are free"
	expect "its disk is full" is_full
	expect "the others go on while it is" await_progress "$outcomes" 1000
	expect "it serves reads" read_there
	wait "$bench"
	grep -E '^(settled/s|latency|failed|unknown)' "$WORK/bench" | sed 's/^/# bench: /'
	sleep 5 # at the brim, for checkpoints and blocks of history to meet it
	expect "the process is the same" same_process
	rm "$small/filler" "$small/brim"
	begin=$(now_ms)
	expect "there is room again" wait_until 30 disk_is ok
	echo "# served again $(($(now_ms) - begin)) ms after there was room, $(free_kib) KiB"
	expect "it leads again" wait_until 60 leads_again
	echo "# leads again after $(($(now_ms) - begin)) ms"
done
# Somebody else takes all that is left within a moment, while the node writes as fast as it can; it may meet that in the middle of a write of its log.
for ((round = 1; round <= at_once; round++)); do
	"$ORDAIN" bench --dir "$dir" --clients 8 --batch 500 --seconds 4 --accounts 1000 >"$WORK/bench" 2>&1 &
	bench=$!
	started+=("$bench")
	sleep 2
	fill "$small/brim"
	expect "filled at once ($round): it comes to take no more entries" wait_until 30 disk_is critical
	wait "$bench"
	expect "filled at once ($round): the process is the same" same_process
	rm "$small/brim"
	expect "filled at once ($round): there is room again" wait_until 30 disk_is ok
	expect "filled at once ($round): it leads again" wait_until 60 leads_again
done
expect "the process is the same in the end" same_process
expect "every request got its outcome" stop_load "$outcomes"
expect "outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"
expect "histories are whole" histories
echo "# $(wc -l <"$outcomes") outcomes were told and are there"

# A start on a full disk.
must "$ORDAIN" cluster stop --dir "$dir"
fill "$small/filler" $(($(free_kib) / 1024 - 8))
expect "a node starts with 8 MiB left" start_cluster "$dir"
expect "and says that it is low" disk_is critical
expect "and serves reads" read_there
must "$ORDAIN" cluster stop --dir "$dir"
fill "$small/brim"
expect "with nothing left it says why it does not start" says 1 "free on its file system" -- "$ORDAIN" cluster start --dir "$dir" --node 1 --timeout 20s
rm "$small/filler" "$small/brim"
expect "and starts when there is room" start_cluster "$dir"
expect "with all that it had" verify "$dir" "$outcomes"
grep -hoE '(warn|error|info) +data_dir.*' "$dir/node-1/log" | sed 's/^/# node 1: /'
