#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - nodes in network namespaces, with real faults: each is read back from the kernel and shows its effect; nothing is left behind, also by a command line that is killed in the middle.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
other=$WORK/other
outcomes=$WORK/outcomes
PATH=$PATH:/usr/sbin:/sbin

# --- can it be done here? ---------------------------------------------------------------------------------------------------

lacks() {
	local tool
	[ "$(id -u)" -eq 0 ] || { echo "this needs root" && return; }
	for tool in ip tc nft mount losetup mkfs.ext4; do
		command -v "$tool" >/dev/null || { echo "there is no program '$tool'" && return; }
	done
	ip netns add "ordain-test-$$" 2>/dev/null || { echo "no network namespace can be made" && return; }
	ip netns exec "ordain-test-$$" nft list ruleset >/dev/null 2>&1 || echo "the kernel has no nftables"
	ip netns delete "ordain-test-$$"
}

why=$(lacks)
if [ -n "$why" ]; then
	[ "$(id -u)" -eq 0 ] || expect "without root, --netns says what it needs" says 2 "need root" -- "$ORDAIN" cluster start --netns --dir "$dir"
	echo "ok netns: left aside, $why"
	exit 0
fi

# A user without rights, in a directory of its own.
as_nobody() {
	local at
	at=$(mktemp -d "${TMPDIR:-/tmp}/ordain-test.XXXXXX") && chown nobody "$at" || return 1
	says 2 "need root" -- setpriv --reuid=nobody --regid=nogroup --clear-groups "$ORDAIN" cluster start --netns --dir "$at/cluster" && [ -z "$(ls "$at")" ]
	local status=$?
	rm -rf "$at"
	return $status
}
if setpriv --reuid=nobody --regid=nogroup --clear-groups test -x "$ORDAIN" 2>/dev/null; then
	expect "without root, --netns says what it needs and makes nothing" as_nobody
fi

# --- what the steps share ---------------------------------------------------------------------------------------------------

# However the test ends, its clusters are taken away before their directories.
end_all() {
	local at
	for at in "$dir" "$other"; do
		[ ! -f "$at/cluster.conf" ] || timeout "$DEADLINE" "$ORDAIN" cluster stop --force --dir "$at" >/dev/null
	done
}
trap 'end_all; finish' EXIT

fault() { # WORD ...
	timeout "$DEADLINE" "$ORDAIN" fault "$@" --dir "$dir"
}

# Evaluates a Python expression on what `ordain fault WORD ... --json` gives, as d; fails unless it is true.
fault_says() { # EXPRESSION WORD ...
	local expression=$1
	shift
	fault "$@" --json >"$WORK/json" || { echo "status $?" && return 1; }
	cat "$WORK/json"
	"$PYTHON" -c 'import json, sys; d = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$WORK/json" "$expression"
}
clean='not d["links"] and not d["disks"] and not d["clocks"] and all(p["running"] and not p["problem"] for p in d["processes"])'

tag_of() { # DIR
	sed -n 's/^cluster_id = .*\(........\)$/\1/p' "$1/cluster.conf"
}

# Prints what there is of a cluster outside of its directory.
traces() { # DIR
	local tag node
	tag=$(tag_of "$1")
	ip netns list | grep "ordain-$tag"
	ip -oneline link | grep "ord$tag"
	grep -F "$1/" /proc/self/mounts
	losetup --list --noheadings --output BACK-FILE | grep -F "$1/"
	for node in 1 2 3; do
		node_pid "$1" "$node"
	done
}

leaves_nothing() { # DIR
	[ -z "$(traces "$1")" ] || { traces "$1" && return 1; }
}

in_switch() { # WORD ...
	ip netns exec "ordain-$(tag_of "$dir")-switch" "$@"
}

# Neither rules nor queues are left in the switch.
links_are_plain() {
	! in_switch nft list ruleset | grep comment && ! in_switch tc qdisc show | grep htb
}

# Is a line of the node's log SECONDS ahead of when it was written?
log_is_ahead() { # NODE SECONDS
	local log=$dir/node-$1/log
	[ $(($(date -ud "$(tail -n 1 "$log" | cut -d' ' -f1)" +%s) - $(stat -c %Y "$log"))) -ge "$2" ]
}

start_here() { # DIR [FLAG ...]
	local at=$1
	shift
	timeout "$DEADLINE" "$ORDAIN" cluster start --netns --nodes 3 --partitions 4 --disk-size 1G --timeout 60s --dir "$at" "$@"
}

# --- start, work, stop ------------------------------------------------------------------------------------------------------

must start_here "$dir"
must start_here "$other"
expect "two clusters stand side by side, in networks of their own" bash -c '[ "$(grep ^netns "$0/cluster.conf")" != "$(grep ^netns "$1/cluster.conf")" ]' "$dir" "$other"
expect "each node has a namespace, a mount and the cluster's switch" test "$(traces "$dir" | wc -l)" -eq 14
expect "a cluster that was made with other nodes in the same place is not taken for one with namespaces" says 2 "was made without" -- \
	bash -c '"$0" cluster start --dir "$1" --nodes 1 --partitions 1 >/dev/null && "$0" cluster stop --dir "$1" >/dev/null && "$0" cluster start --netns --dir "$1"' "$ORDAIN" "$WORK/plain"
must timeout "$DEADLINE" "$ORDAIN" cluster stop --dir "$other"
expect "stopping one leaves nothing of it" leaves_nothing "$other"
expect "and the other one as it was" test "$(traces "$dir" | wc -l)" -eq 14

start_load "$dir" "$outcomes" --clients 3 --batch 20
must await_progress "$outcomes" 500

# --- links ------------------------------------------------------------------------------------------------------------------

expect "a cut drops packets, in both directions" fault_says 'len(d["links"]) == 4 and all(l["cut"] and l["by"] == "netns" for l in d["links"])' partition '1|2,3'
expect "the majority goes on" await_progress "$outcomes" 500
expect "the kernel's counters tell of it" fault_says 'len(d["links"]) == 4 and all(l["dropped"] > 0 for l in d["links"])' list
expect "the firewall has the rules" bash -c '[ "$(ip netns exec "$0" nft list ruleset | grep -c " drop ")" -eq 4 ]' "ordain-$(tag_of "$dir")-switch"
expect "a one-way cut stands alone" fault_says 'sorted((l["from"], l["to"]) for l in d["links"]) == [(2, 3)]' partition '2>3'
must fault heal
expect "after a heal nothing is in force" fault_says "$clean" list
expect "nor in the switch" links_are_plain

must fault loss 5
expect "a loss stays behind a cut" fault_says 'sum(l["cut"] for l in d["links"]) == 4 and len(d["links"]) == 6 and all(l["loss_ppm"] == 50000 for l in d["links"])' partition '1|2,3'
expect "and is in force where the cut goes" fault_says 'len(d["links"]) == 6 and all(l["loss_ppm"] == 50000 for l in d["links"])' partition '2|1,3'
must fault heal
must fault loss 5
must fault duplicate 20 --to 3
expect "loss, duplicates and a rate are in force together" fault_says 'len(d["links"]) == 6 and all(l["loss_ppm"] == 50000 for l in d["links"]) and sum(l["duplicate_ppm"] > 0 for l in d["links"]) == 2 and sum(l["rate_bytes_s"] == 500000 for l in d["links"]) == 2' rate 500000 --from 2
must await_progress "$outcomes" 1000
expect "each has an effect, also where few packets go" wait_until "$DEADLINE" fault_says 'all(l["dropped"] > 0 for l in d["links"]) and sum(l["duplicated"] for l in d["links"]) > 0 and sum(l["delayed"] for l in d["links"]) > 0' list
expect "all links carry something, also that which was cut" wait_until "$DEADLINE" fault_says 'len(d["links"]) == 6 and all(l["bytes"] > 0 for l in d["links"])' list
must cp "$WORK/json" "$WORK/before"
expect "a delay joins them" fault_says 'sum(l["delay_ms"] == 30 for l in d["links"]) == 2 and all(l["by"] in ("netns", "netns+hooks") for l in d["links"])' delay 30 --from 1
must await_progress "$outcomes" 300
expect "where the rule stays its counters go on" fault_says 'all(l["bytes"] >= b["bytes"] > 0 for l in d["links"] for b in json.load(open("'"$WORK"'/before"))["links"] if l["from"] != 1 and (l["from"], l["to"]) == (b["from"], b["to"]))' list
expect "the delay counts" fault_says 'len(d["links"]) == 6 and all(l["delayed"] > 0 for l in d["links"] if l["delay_ms"])' list
must fault heal
expect "after a heal of all that nothing is in force" fault_says "$clean" list
expect "nor is a queue left" links_are_plain
must await_progress "$outcomes" 500

# --- clocks -----------------------------------------------------------------------------------------------------------------

expect "a clock jumps" fault_says 'd["clocks"][0]["by"] == "preload" and 7000000 <= d["clocks"][0]["offset_us"] <= 7100000' clock jump 7000 2
expect "another one drifts" fault_says 'd["clocks"][0]["drift_ppm"] == -800' clock skew -800 3
expect "both are told, the drift as far as it has come" fault_says '{c["node"]: c["offset_us"] > 6000000 for c in d["clocks"]} == {2: True, 3: False} and [c for c in d["clocks"] if c["node"] == 3][0]["offset_us"] < 0' list
must "$ORDAIN" cluster restart --node 1 --dir "$dir"
expect "the node's log has that time" wait_until 10 log_is_ahead 2 6
must await_progress "$outcomes" 300
must fault heal
expect "after a heal the clocks are right" fault_says "$clean" list

# --- what nodes were told to do themselves, by their addresses -----------------------------------------------------------------

elsewhere() { # WORD ...
	timeout "$DEADLINE" "$ORDAIN" fault "$@" --connect "$(addresses "$dir")"
}
must elsewhere partition '1|2'
must elsewhere disk slow 3 2
must elsewhere disk full 3
must elsewhere clock jump 2000 1
expect "list tells that, too" fault_says 'sorted((l["from"], l["to"], l["by"]) for l in d["links"] if l["cut"]) == [(1, 2, "hooks"), (2, 1, "hooks")] and [(x["node"], x["slow_ms"], x["full"], x["by"]) for x in d["disks"]] == [(2, 3, False, "hooks"), (3, 0, True, "hooks")] and d["clocks"][0]["by"] == "preload+hooks" and 2000000 <= d["clocks"][0]["offset_us"] < 2100000' list
expect "what is changed comes to be real" fault_says 'all(l["by"] == "netns" and l["loss_ppm"] == 10000 for l in d["links"]) and sum(l["cut"] for l in d["links"]) == 2' loss 1
expect "a clock is set as a whole" fault_says 'd["clocks"][0]["by"] == "preload" and 3000000 <= d["clocks"][0]["offset_us"] < 3100000' clock jump 1000 1
must fault heal
expect "and all of it is healed" fault_says "$clean" list

# --- disks ------------------------------------------------------------------------------------------------------------------

expect "a disk is full" fault_says 'd["disks"][0]["full"] and d["disks"][0]["free_bytes"] == 0 and d["disks"][0]["by"] == "netns"' disk full 3
expect "the others go on" await_progress "$outcomes" 500
expect "the node saw it coming, takes no more, and lives" bash -c '"$0" cluster status --dir "$1" --json | grep -q "\"disk\":\"critical\"" && "$0" fault list --dir "$1" | grep -q "^process.3.yes"' "$ORDAIN" "$dir"
must fault heal
expect "healed, there is room again" bash -c '[ "$(df --output=avail -k "$0/node-3/data" | tail -n 1)" -gt 300000 ] && [ ! -e "$0/node-3/data/filler" ]' "$dir"
expect "a disk fails" fault_says 'd["disks"][0]["error"]' disk error 2
expect "the node comes to its end by that" wait_until "$DEADLINE" grep -q "Input/output error" "$dir/node-2/log"
expect "a broken disk stays broken until it is healed" fault_says 'd["disks"][0]["error"] and not d["processes"][1]["running"]' list
must fault heal
expect "healed, the node is back" fault_says "$clean" list
must await_progress "$outcomes" 500
expect "every request got its outcome" stop_load "$outcomes"
expect "outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"

# Nothing is asked of the disk, so the node has not noticed.
must fault disk error 2
expect "a disk in error is healed under a node that has not noticed" fault heal
expect "and the node runs on the sound one" fault_says "$clean" list

# --- nothing is left --------------------------------------------------------------------------------------------------------

must fault partition '1|2,3'
must fault disk full 1
must timeout "$DEADLINE" "$ORDAIN" cluster stop --dir "$dir"
expect "stopping in the middle of faults leaves nothing" leaves_nothing "$dir"
expect "stopping again is no error" timeout "$DEADLINE" "$ORDAIN" cluster stop --dir "$dir"
expect "what is not mounted is not wiped, and that is said" says 1 "file system of node 1 is not mounted" -- "$ORDAIN" fault wipe 1 --force --dir "$dir"
must start_here "$dir"
expect "started again it has its data" verify "$dir" "$outcomes"
expect "and none of those faults" fault_says "$clean" list

# Each of these is killed at another moment, the first ones before anything is there.
killed_starts() {
	local delay_ms
	for delay_ms in 5 15 25 35 50 70 90 120 150 200 300; do
		rm -rf "$other"
		"$ORDAIN" cluster start --netns --nodes 3 --partitions 4 --disk-size 1G --dir "$other" >/dev/null 2>&1 &
		sleep "0.$(printf %03d "$delay_ms")"
		kill -KILL $! 2>/dev/null
		wait $! 2>/dev/null
		[ -f "$other/cluster.conf" ] || continue
		timeout "$DEADLINE" "$ORDAIN" cluster stop --force --dir "$other" >/dev/null || return 1
		leaves_nothing "$other" || { echo "killed after $delay_ms ms" && return 1; }
	done
}
expect "a start that is killed anywhere is cleared by a stop" killed_starts 2>/dev/null
expect "and can be started" start_here "$other"
must timeout "$DEADLINE" "$ORDAIN" cluster stop --dir "$other"

killed_stops() {
	local delay_ms
	for delay_ms in 5 20 40 60 80 100 130 160; do
		start_here "$other" >/dev/null || return 1
		"$ORDAIN" cluster stop --dir "$other" >/dev/null 2>&1 &
		sleep "0.$(printf %03d "$delay_ms")"
		kill -KILL $! 2>/dev/null
		wait $! 2>/dev/null
		timeout "$DEADLINE" "$ORDAIN" cluster stop --dir "$other" >/dev/null || return 1
		leaves_nothing "$other" || { echo "killed after $delay_ms ms" && return 1; }
	done
}
expect "a stop that is killed anywhere is ended by the next one" killed_stops 2>/dev/null

killed_faults() {
	local delay_ms word
	for delay_ms in 5 10 15 20 25 30 40 50 60 80; do
		for word in "partition 1|2,3" "rate 1000000" "delay 20" heal; do
			# shellcheck disable=SC2086 # words on purpose
			"$ORDAIN" fault $word --dir "$dir" >/dev/null 2>&1 &
			sleep "0.$(printf %03d "$delay_ms")"
			kill -KILL $! 2>/dev/null
			wait $! 2>/dev/null
		done
		fault heal || { echo "healing gave status $?" && return 1; }
		fault_says "$clean" list || { echo "it is not clean, status $?" && return 1; }
		links_are_plain || { echo "killed after $delay_ms ms" && return 1; }
	done
}
expect "faults and heals that are killed anywhere are healed" killed_faults 2>/dev/null
must timeout "$DEADLINE" "$ORDAIN" cluster stop --dir "$dir"
expect "at the end nothing is left" leaves_nothing "$dir"
