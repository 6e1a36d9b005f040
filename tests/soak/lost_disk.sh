#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - one of three nodes loses its disk under load and is filled again by the others: how long that takes, at what rate, and what the load loses by it, beside a cluster of the same size
# that loses nothing.
#
#   BUILD=build lost_disk.sh [BEFORE [DURING]]      transfers before the loss 3000000, and under way with it 6000000
#
# Prints the figures; exit status 1 when the node is not whole before the load ends, a call has no outcome, or replicas or histories differ.
set -u
: "${TMPDIR:=/tmp}"
. "$(dirname "$0")/../integration/lib.sh"
before=${1:-3000000} during=${2:-6000000}
FILLED=600 # seconds within which the node is whole

status() { "$ORDAIN" cluster status --dir "$1" --json; }

# The milliseconds of now, and the requests that have been made: each second until the file of the end is there.
watch_requests() { # DIR SERIES END
	until [ -e "$3" ]; do
		status "$1" | "$PYTHON" -c '
import json, sys, time
d = json.load(sys.stdin)
print(int(time.time() * 1000), sum(max(r["requests"] for r in p["replicas"]) for p in d["partitions"]), flush=True)' >>"$2" 2>/dev/null
		sleep 1 # between two points of the series
	done
}

all_vote() {
	status "$1" | "$PYTHON" -c '
import json, sys
d = json.load(sys.stdin)
sys.exit(any(p["voters"] != [1, 2, 3] or len(p["replicas"]) != 3 for p in d["partitions"]))'
}

# It has a vote everywhere, and misses no block of history.
is_whole() {
	all_vote "$1" && "$ORDAIN" scrub --dir "$1" --node 3
}

histories() {
	local node
	for node in 1 2 3; do "$ORDAIN" log verify --data "$1/node-$node/data" || return 1; done
}

agree() { ! status "$1" | grep -q '"agree":false'; }

# One cluster under the same load; with WIPES it loses the disk of node 3 a few seconds after the load has begun.
round() { # NAME WIPES
	local dir=$WORK/$1 load
	must "$ORDAIN" cluster start --dir "$dir" --nodes 3 --partitions 8 --timeout 60s
	must "$ORDAIN" bench --dir "$dir" --clients 16 --batch 1000 --count "$before"
	watch_requests "$dir" "$WORK/$1.series" "$WORK/$1.end" &
	started+=($!)
	"$ORDAIN" bench --dir "$dir" --clients 16 --batch 1000 --count "$during" --json >"$WORK/$1.load" 2>&1 &
	load=$!
	started+=("$load")
	sleep 5 # of load without a loss
	if [ -n "$2" ]; then
		date +%s%3N >"$WORK/lost.ms"
		must "$ORDAIN" fault wipe 3 --start --dir "$dir"
		expect "the node is whole again" wait_until "$FILLED" is_whole "$dir"
		date +%s%3N >"$WORK/whole.ms"
		du -sm "$dir/node-3/data" | cut -f1 >"$WORK/disk.mib"
		expect "and was so before the load ended" kill -0 "$load"
	fi
	expect "$1: every call has its outcome, and the money is right" wait "$load"
	touch "$WORK/$1.end"
	expect "$1: replicas agree" wait_until "$DEADLINE" agree "$dir"
	must "$ORDAIN" cluster stop --dir "$dir"
	expect "$1: histories are whole" histories "$dir"
	rm -rf "$dir"
}

round spared ""
round lost wipes
"$PYTHON" - "$WORK" <<'END'
import json, sys
work = sys.argv[1]

def number(name):
    return int(open(f"{work}/{name}").read())

def series(name):
    return [tuple(map(int, line.split())) for line in open(f"{work}/{name}.series")]

def at_time(points, ms):
    for (t0, n0), (t1, n1) in zip(points, points[1:]):
        if t0 <= ms <= t1:
            return n0 + (n1 - n0) * (ms - t0) / max(1, t1 - t0)
    return points[-1][1]

def at_count(points, count):
    for (t0, n0), (t1, n1) in zip(points, points[1:]):
        if n0 <= count <= n1 and n1 > n0:
            return t0 + (t1 - t0) * (count - n0) / (n1 - n0)
    return points[-1][0]

lost, whole, mib = number("lost.ms"), number("whole.ms"), number("disk.mib")
first, last = at_time(series("lost"), lost), at_time(series("lost"), whole)
seconds = (whole - lost) / 1000
rate = (last - first) / seconds
spared_s = (at_count(series("spared"), last) - at_count(series("spared"), first)) / 1000
spared = (last - first) / spared_s
print(f"whole again after {seconds:.1f} s with {mib} MiB on its disk: {mib * 1.048576 / seconds:.1f} MB/s")
print(f"transfers meanwhile: {rate:.0f}/s; the same ones without a loss: {spared:.0f}/s; {100 * (rate / spared - 1):+.1f} %")
load = {name: json.load(open(f"{work}/{name}.load")) for name in ("spared", "lost")}
for name, d in load.items():
    print(f"{name}: longest call {d['max_us'] / 1000:.0f} ms, refused {d['refused']}, failed {d['failed']}, unknown {d['unknown']}")
END
