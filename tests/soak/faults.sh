#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - each fault of `ordain fault` on a cluster under `ordain bench`: what the load saw before, with the fault in force, and healed.
#
#   BUILD=build faults.sh [--netns] [FAULT ...]      FAULT: a name of the table below; without, all
#
# From the environment: NODES 5, BENCH_SECONDS 5 of each measurement, BENCH "--clients 16 --batch 100".
# Prints a table as it goes, then what is left of the cluster when it is stopped. Exit status 1 when a fault could not be made or healed, when the load does not come back to a third of
# what it was (machines are noisy), or when a process, namespace, mount, loop device or link stays.
set -u
real=
[ "${1-}" = --netns ] && real=--netns && shift
: "${NODES:=5}" "${BENCH_SECONDS:=5}" "${BENCH:=--clients 16 --batch 100}" "${TMPDIR:=/tmp}"
. "$(dirname "$0")/../integration/lib.sh"
dir=$WORK/faults

# Name, then the words behind `ordain fault`.
table() {
	cat <<'END'
none
kill-a-follower-of-0  kill follower:0
kill-the-leader-of-0  kill leader:0
term                  term 2
pause                 pause 3
partition-one-off     partition 1|2,3,4,5
partition-halves      partition --random --seed 3
partition-one-way     partition 1>2
partition-ring        partition --ring
partition-leader      partition --leader 0
delay                 delay 10 --jitter 3
loss                  loss 10
duplicate             duplicate 30
reorder               reorder 30
rate                  rate 2000000
slow-disk-of-one      disk slow 20 4
slow-disks            disk slow 20 all
disk-error            disk error 5
disk-full             disk full 2
corrupt-history       disk corrupt history 1 --seed 3
clock-skew            clock skew 50000 1
clock-jump            clock jump 60000 1
wipe                  wipe 3 --start
END
}

stop_faults() {
	"$ORDAIN" cluster stop --dir "$dir" --force >/dev/null 2>&1
	finish
}
trap stop_faults EXIT

fail() { # WORDS
	echo "not ok $*"
	failures=$((failures + 1))
}

# settled/s, p50 and p99 in ms, and how many calls had another end, of one run of the bench; zeros when it could do nothing.
measure() {
	# shellcheck disable=SC2086
	"$ORDAIN" bench --dir "$dir" $BENCH --accounts 1000 --seconds "$BENCH_SECONDS" --timeout 5s --json 2>>"$WORK/bench.err" | "$PYTHON" -c '
import json, sys
text = sys.stdin.read()
d = json.loads(text) if text.strip() else {}
print(int(d.get("settled_per_s", 0)), round(d.get("p50_us", 0) / 1000, 1), round(d.get("p99_us", 0) / 1000, 1),
      sum(d.get(k, 0) for k in ("refused", "failed", "unknown")))'
}

is_well() {
	"$ORDAIN" cluster status --dir "$dir" --json | "$PYTHON" -c '
import json, sys
d = json.load(sys.stdin)
sys.exit(not (d["ready"] and all(n["state"] == "running" for n in d["nodes"]) and all(len(p["voters"]) == len(d["nodes"]) for p in d["partitions"])))'
}

# What a cluster leaves on the machine when it should be gone.
left_behind() {
	pgrep -f "$dir/" | grep -vx "$$"
	grep -F "$dir/" /proc/mounts
	losetup --list --noheadings --output BACK-FILE 2>/dev/null | grep -F "$dir/"
	[ -z "$real" ] || { ip netns list; ip -o link; } | sort | comm -13 "$WORK/links" -
}

[ -z "$real" ] || { ip netns list; ip -o link; } | sort >"$WORK/links"
# The load of all rounds has to fit the small file systems.
small=${real:+--disk-size 16G}
# shellcheck disable=SC2086
"$ORDAIN" cluster start --dir "$dir" --nodes "$NODES" ${real:---enable-faults} $small --timeout 60s >/dev/null || exit 1
printf '%-22s %28s %28s %28s\n' fault "before: settled/s p50 p99 bad" "during" "healed"
read -r first _ < <(measure)
before=$(measure)
while read -r name words; do
	[ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
	if [ -n "$words" ]; then
		# shellcheck disable=SC2086
		"$ORDAIN" fault $words --dir "$dir" >"$WORK/fault.out" 2>&1 || fail "$name: $(cat "$WORK/fault.out")"
	fi
	during=$(measure)
	"$ORDAIN" fault heal --dir "$dir" >"$WORK/fault.out" 2>&1 || fail "$name: $(cat "$WORK/fault.out")"
	wait_until "$DEADLINE" is_well >/dev/null || fail "$name: the cluster is not well again"
	after=$(measure)
	printf '%-22s %28s %28s %28s\n' "$name" "$before" "$during" "$after"
	[ "${after%% *}" -ge $((first / 3)) ] || fail "$name: throughput does not come back to a third of $first/s"
	before=$after
done < <(table)
"$ORDAIN" cluster stop --dir "$dir" >/dev/null || fail "the cluster does not stop"
left=$(left_behind)
if [ -z "$left" ]; then
	echo "ok nothing is left behind: no process, mount, loop device, namespace or link"
else
	fail "this is left behind: $left"
fi
[ "$failures" -eq 0 ]
