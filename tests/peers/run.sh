#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - the same work on ordain, PostgreSQL and etcd, in turn, and how they compare.
#
#   BUILD=build run.sh [REPEATS [SECONDS]]     5 rounds, 20 seconds of each load
#
# PLAN="SYSTEM:LOAD ..." measures something else than all: ordain:transfers, :batches, :claims; postgres:transfers, :batches, :sets; etcd:claims.
# Writes docs/benchmarks-peers.md and docs/benchmarks-peers.tsv (or to the directory OUT). All data lies in a directory of its own below TMPDIR, which is
# removed at the end, as are all processes. Free memory is used before each load, MEMORY_MAX MiB at the most, so that none is the first to use it. Only one system runs at a time. Exit status 1 when anything failed: then nothing is written.
# shellcheck disable=SC1090,SC1091,SC2034,SC2154 # what the files that it sources set and use
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"
BUILD=$(cd "${BUILD:-build}" && pwd)
OUT=${OUT:-docs}
repeats=${1:-5}
SECONDS_MEASURED=${2:-20}
WARM_UP=1
at=none # the system at work
# What is measured, in this order.
all="ordain:transfers postgres:transfers ordain:batches postgres:batches postgres:sets ordain:claims etcd:claims"
plan=${PLAN:-$all}
[[ $repeats =~ ^[1-9][0-9]{0,2}$ && $SECONDS_MEASURED =~ ^[1-9][0-9]{0,3}$ ]] || {
	echo "bench-peers: REPEATS=$repeats SECONDS=$SECONDS_MEASURED: both are whole numbers from 1 on" >&2
	exit 2
}
systems=()
for step in $plan; do
	[[ " $all " == *" $step "* ]] || {
		echo "bench-peers: PLAN: '$step' is none of: $all" >&2
		exit 2
	}
	[[ " ${systems[*]} " == *" ${step%:*} "* ]] || systems+=("${step%:*}")
done
WORK=$(mktemp -d "${TMPDIR:-/tmp}/ordain-bench-peers.XXXXXX")
chmod 711 "$WORK" # so that PostgreSQL's user gets to its own directory in it

. "$here/lib.sh"
. "$here/page.sh"
for system in "${systems[@]}"; do
	. "$here/$system.sh"
done

finish() {
	local status=$? system
	set +e # all of it, whatever fails
	trap '' INT TERM
	trap - EXIT
	end_process "$driver_pid"
	for system in "${systems[@]}"; do "${system}_stop"; done
	[ "$status" -eq 0 ] || tail -n 3 "$WORK/$at"/*.log "$WORK/$at"/*/log 2>/dev/null | cut -c 1-200 | sed 's/^/#   /' >&2
	rm -rf "$WORK"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# On a tmpfs a sync costs nothing, and nothing would be compared.
file_system=$(df --output=fstype "$WORK" | tail -1)
[ "$file_system" != tmpfs ] || fail "$WORK is on a tmpfs, where a sync costs nothing; set TMPDIR to a directory on a disk"

# One load on a system that is started for it and stopped after it: a line of the table.
measure_load() { # ROUND SYSTEM LOAD
	at=$2
	"$root/tests/bench/memory.py" "$WORK/memory" ${MEMORY_MAX:+"$MEMORY_MAX"} >/dev/null # free memory has been used before, for all alike
	"$2_start"
	"$2_load" "$3"
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$per_s" "$p50_us" "$p99_us" "$done_count" "$servers_percent" "$driver_percent" \
		"$flushes_per_s" >>"$table"
	say "round $1: $2 $3: $per_s/s"
	"$2_check"
	"$2_settings" >"$WORK/settings.$2"
	"$2_stop"
}

table=$WORK/table
printf 'round\tsystem\tload\tper_s\tp50_us\tp99_us\tcount\tservers_percent\tdriver_percent\tflushes_per_s\n' >"$table"
load_before=$(cut -d' ' -f1-3 /proc/loadavg)
for system in "${systems[@]}"; do
	at=$system
	"${system}_make"
done
for ((round = 1; round <= repeats; round++)); do
	for step in $plan; do
		measure_load "$round" "${step%:*}" "${step#*:}"
	done
done
page >"$WORK/page"
mkdir -p "$OUT"
cp "$table" "$OUT/benchmarks-peers.tsv"
cp "$WORK/page" "$OUT/benchmarks-peers.md"
awk -f "$here/table.awk" "$table"
say "written: $OUT/benchmarks-peers.md, $OUT/benchmarks-peers.tsv"
