#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - many transfers, then what they cost: memory, disk, and the time of a start.
#
#   BUILD=build transfers.sh [TRANSFERS [DIR]]
#
# DIR is made, and removed at the end; by default below TMPDIR. Exit status 1 when something that was promised does not hold.
set -euo pipefail
: "${BUILD:=build}" "${TMPDIR:=/tmp}"
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
transfers=${1:-20000000}
made=
[ -n "${2:-}" ] || made=$(mktemp -d "$TMPDIR/ordain-soak-XXXXXX")
dir=${2:-$made/cluster}
ordain=$BUILD/ordain
failed=0

finish() {
	status=$?
	if [ -e "$dir/cluster.conf" ] && ! "$ordain" cluster stop --dir "$dir" >/dev/null; then
		echo "not ok the nodes stop when they are asked to: they are killed" >&2
		for node in 1 2 3; do "$ordain" cluster kill --dir "$dir" --node $node >&2 || true; done # it may be down already
		status=1
	fi
	[ -z "$made" ] || rm -rf "$made"
	exit $status
}
trap finish EXIT

check() { # WHAT COMMAND...
	what=$1
	shift
	if "$@"; then echo "ok $what"; else
		echo "not ok $what"
		failed=1
	fi
}

pids() {
	"$ordain" cluster status --dir "$dir" --json | grep -o '"pid":[0-9]*' | cut -d: -f2
}

memory() {
	for pid in $(pids); do
		awk -v pid="$pid" '/^Vm(RSS|HWM)|^RssAnon|^RssFile/ { line = line " " $1 " " int($2 / 1024) " MiB" } END { print "memory of process " pid ":" line }' "/proc/$pid/status"
	done
}

# Sectors that the device under the directory has written; 0 when nobody counts.
sectors() {
	device=$(df --output=source "$1" | tail -1)
	awk -v name="${device##*/}" '$3 == name { n = $10 } END { printf "%.0f\n", n }' /proc/diskstats
}

requests() {
	"$ordain" cluster status --dir "$dir" --json | grep -o '"requests":[0-9]*' | awk -F: '{ n += $2 } END { print int(n / 3) }'
}

agree() {
	! "$ordain" cluster status --dir "$dir" --json | grep -q '"agree":false'
}

ready() {
	"$ordain" cluster status --dir "$dir" --json | grep -q '"ready":true'
}

# What is committed and not in a checkpoint is applied when the leaders are known, a moment after they serve.
has_all() {
	[ "$(requests)" -ge "$done_count" ]
}

within_a_minute() {
	for _ in $(seq 60); do
		"$@" && return
		sleep 1
	done
	return 1
}

histories() {
	for node in 1 2 3; do
		"$ordain" log verify --data "$dir/node-$node/data" >"$dir/verify.$node" || return 1
	done
}

mkdir -p "$(dirname "$dir")"
"$ordain" cluster start --dir "$dir" --nodes 3 --partitions 8 >/dev/null
before=$(sectors "$dir")
begin=$SECONDS
while [ "$(requests)" -lt "$transfers" ]; do
	"$ordain" bench --dir "$dir" --clients 16 --batch 1000 --seconds 30 | grep -E '^(settled/s|latency)'
	echo "$(requests) requests after $((SECONDS - begin)) s"
	memory
done
done_count=$(requests)
sync
after=$(sectors "$dir")
"$ordain" cluster status --dir "$dir" --json | grep -o '"stores":\[[^]]*\]'
[ "$after" -eq "$before" ] || echo "the device wrote $(((after - before) * 512 / 3 / done_count)) bytes for each transfer and node (by its sectors)"
for node in 1 2 3; do du -sm "$dir/node-$node/data"/{wal,state,history} | awk -v node=$node '{ line = line " " $2 " " $1 " MB" } END { print "node " node ":" line }'; done
check "replicas agree" agree
for node in 1 2 3; do "$ordain" cluster kill --dir "$dir" --node $node >/dev/null; done
begin=$(date +%s%N)
"$ordain" cluster start --dir "$dir" --timeout 300s >/dev/null
check "all partitions serve again" ready
echo "after kill -9 of all nodes the cluster served again within $((($(date +%s%N) - begin) / 1000000)) ms"
memory
check "replicas agree after it" agree
check "nothing is missing" within_a_minute has_all
check "histories are whole" histories
exit $failed
