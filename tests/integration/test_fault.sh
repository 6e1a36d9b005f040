#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - ordain fault on a real cluster: each fault shows its effect and is told, heal takes all of it back, and nothing is lost meanwhile.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
outcomes=$WORK/outcomes

fault() { # WORD ...
	timeout "$DEADLINE" "$ORDAIN" fault "$@" --dir "$dir"
}

# Evaluates a Python expression on what `ordain fault WORD ... --json` gives, as d; fails unless it is true.
fault_says() { # EXPRESSION WORD ...
	local expression=$1
	shift
	fault "$@" --json >"$WORK/json" || return 1
	cat "$WORK/json"
	"$PYTHON" -c 'import json, sys; d = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$WORK/json" "$expression"
}

# The same on what `cluster status` gives; replica(p, n) is that of partition p on node n.
status_says() { # EXPRESSION
	"$ORDAIN" cluster status --dir "$dir" --json >"$WORK/status" || return 1
	"$PYTHON" - "$WORK/status" "$1" <<-'END'
		import json, sys
		d = json.load(open(sys.argv[1]))
		def replica(p, n):
		    return next(r for r in d["partitions"][p]["replicas"] if r["node"] == n)
		def position(n):
		    return sum(replica(p["partition"], n)["position"] for p in d["partitions"])
		sys.exit(not eval(sys.argv[2]))
	END
}

leader_of() { # PARTITION
	"$ORDAIN" cluster status --dir "$dir" --json | "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)["partitions"][int(sys.argv[1])]["leader"])' "$1"
}

position_of() { # NODE
	"$ORDAIN" cluster status --dir "$dir" --json |
		"$PYTHON" -c 'import json, sys; print(sum(r["position"] for p in json.load(sys.stdin)["partitions"] for r in p["replicas"] if r["node"] == int(sys.argv[1])))' "$1"
}

clean='not d["links"] and not d["disks"] and not d["clocks"] and all(p["running"] and p["state"] != "T" and not p["problem"] for p in d["processes"])'

# All replicas are at one position and equal, and every partition has a leader.
is_whole() {
	status_says 'd["ready"] and all(p["agree"] and len(p["replicas"]) == 3 and len({r["position"] for r in p["replicas"]}) == 1 for p in d["partitions"])'
}

# --- without --enable-faults ---------------------------------------------------------------------------------------------------

start_cluster "$dir" 4
expect "a node makes no faults unless it was told to, and the remedy is named" says 1 "cluster start --enable-faults --dir $dir" -- "$ORDAIN" fault partition '1|2,3' --dir "$dir"
expect "nor one elsewhere" says 1 "node 1 makes no faults on purpose" "enable_faults = yes" -- "$ORDAIN" fault delay 1 --connect "$(addresses "$dir")"
expect "nothing is in force there" fault_says 'not d["links"]' list
expect "healing what has no faults is no error" fault heal
must "$ORDAIN" cluster stop --dir "$dir"
must timeout "$DEADLINE" "$ORDAIN" cluster start --enable-faults --dir "$dir" --timeout 60s
expect "the line is in each node's configuration, once" bash -c 'cat "$0"/node-*/ordaind.conf | grep -c "^enable_faults = yes$" | grep -qx 3' "$dir"

# --- processes ------------------------------------------------------------------------------------------------------------------

start_load "$dir" "$outcomes" --clients 3
must await_progress "$outcomes" 200
expect "a leader is killed: its process is gone" fault_says 'd["processes"][0]["state"] == "gone" and d["processes"][0]["outcome"] == "killed" and len(d["nodes"]) == 1' kill leader:0
expect "the others go on" await_progress "$outcomes" 200
expect "the one that is down is started" fault_says 'd["processes"][0]["running"] and d["processes"][0]["outcome"] == "started"' start random
expect "one that is down cannot be paused" says 1 "node 3 does not run" "fault start 3" -- bash -c '"$0" fault kill 3 --dir "$1" >/dev/null && "$0" fault pause 3 --dir "$1"' "$ORDAIN" "$dir"
expect "what it would have to do itself is not in force, and the rest of it is" says 1 "what node 3 sends to node 1 is not in force: node 3 does not run" '"from":1,"to":2,"cut":false,"delay_ms":1,' -- "$ORDAIN" fault delay 1 --dir "$dir" --json
must fault start 3
must fault heal
expect "there is none that is down now" says 1 "no node that is down" -- "$ORDAIN" fault start random --dir "$dir"
expect "a node is paused: the system says so" fault_says '[p["state"] for p in d["processes"]] == ["T"]' pause 2
expect "once more it changes nothing" fault_says 'd["processes"][0]["outcome"] == "was paused"' pause 2
expect "it cannot be asked, and list says so" fault_says 'd["processes"][1]["state"] == "T" and "paused" in d["processes"][1]["problem"]' list
expect "it can be told nothing, and the remedy is named" says 1 "node 2 is paused" "fault resume 2" -- "$ORDAIN" fault disk slow 10 2 --dir "$dir"
expect "nor is the one before it changed" says 1 "node 2 is paused" -- "$ORDAIN" fault disk slow 10 1,2 --dir "$dir"
expect "nor its clock" says 1 "node 2 is paused" -- "$ORDAIN" fault clock skew 10 1,2 --dir "$dir"
expect "which list shows" fault_says 'not d["disks"] and not d["clocks"]' list
expect "nor can the links that it sends on be made slow" says 1 "fault resume 2" -- "$ORDAIN" fault delay 10 --from 2 --dir "$dir"
expect "but links to it can be cut" fault_says 'sorted((l["from"], l["to"]) for l in d["links"] if l["cut"]) == [(1, 2), (2, 1), (2, 3), (3, 2)]' partition '2|1,3'
expect "heal lets it go on and mends the links" fault heal
expect "all of it is so" fault_says "$clean" list
expect "a node ends in order" fault_says 'd["processes"][0]["outcome"] == "ended"' term 3
expect "heal starts it" fault_says 'd["processes"][2]["outcome"] == "started" and d["processes"][2]["running"]' heal
expect "and everybody is whole again under load" await_progress "$outcomes" 200

# --- links ----------------------------------------------------------------------------------------------------------------------

must wait_until "$DEADLINE" status_says 'd["ready"]'
expect "the leader of a partition is cut off" fault_says 'len(d["links"]) == 4 and all(l["cut"] for l in d["links"])' partition --leader 1
cut=$("$PYTHON" -c 'import collections, json, sys; print(collections.Counter(l["from"] for l in json.load(open(sys.argv[1]))["links"]).most_common(1)[0][0])' "$WORK/json")
must wait_until "$DEADLINE" status_says "all(p['leader'] not in (None, $cut) and p['ready'] for p in d['partitions'])"
before=$(position_of "$cut")
expect "the others go on without it" await_progress "$outcomes" 300
expect "its log does not grow meanwhile" [ "$(position_of "$cut")" -eq "$before" ]
expect "the others' logs do" status_says "min(position(n) for n in (1, 2, 3) if n != $cut) > $before"
expect "list shows what did not get through, in both directions" fault_says "all(l['dropped'] > 0 for l in d['links']) and len(d['links']) == 4" list
expect "the nodes' logs tell of it" grep -q "a fault on purpose: links; .*node [123] cut_out cut_in" "$dir/node-$cut/log"
expect "the cut stays when the node is killed and comes back, by the others' ends" fault kill "$cut"
must fault start "$cut"
expect "list says so" fault_says 'len([l for l in d["links"] if l["cut"]]) == 4' list
expect "heal shows what was in force" fault_says 'len(d["links"]) == 4' heal
expect "it gets what it missed" wait_until "$DEADLINE" status_says "d['ready'] and position($cut) > $before"

expect "one direction alone" fault_says '[(l["from"], l["to"]) for l in d["links"]] == [(1, 3)]' partition '1>3'
expect "another one is added" fault_says 'sorted((l["from"], l["to"]) for l in d["links"]) == [(1, 3), (2, 3)]' partition '2>3' --add
expect "or takes its place" fault_says '[(l["from"], l["to"]) for l in d["links"]] == [(3, 1)]' partition '3>1'
expect "a ring" fault_says 'len(d["links"]) == 2 and d["seed"] == 5' partition --ring --seed 5
read -r end other < <("$PYTHON" -c 'import json, sys; d = json.load(open(sys.argv[1])); print(d["links"][0]["from"], d["links"][0]["to"])' "$WORK/json")
expect "with a ring the cluster goes on" await_progress "$outcomes" 200
expect "what its two ends have for each other goes through the third" wait_until "$DEADLINE" grep -q "what is for node $other goes through node" "$dir/node-$end/log"
expect "also in the other direction" wait_until "$DEADLINE" grep -q "what is for node $end goes through node" "$dir/node-$other/log"
expect "and from then on it goes on, too" await_progress "$outcomes" 400
expect "one of them starts again: both are told who leads" timeout "$DEADLINE" "$ORDAIN" cluster restart --node "$end" --dir "$dir" --timeout 20s
expect "and it goes on after that" await_progress "$outcomes" 600
expect "halves by chance" fault_says 'len(d["links"]) == 4' partition --random
must fault heal

expect "a delay, rates and losses combine" fault delay 30 --jitter 10
expect "only from one node" fault_says 'all((l["loss_ppm"] == 20000) == (l["from"] == 2) and l["delay_ms"] == 30 for l in d["links"])' loss 2 --from 2
expect "only to one node" fault_says 'all((l["rate_bytes_s"] == 1000000) == (l["to"] == 3) and l["delay_ms"] == 30 for l in d["links"])' rate 1000000 --to 3
expect "duplicate and reorder, too" fault duplicate 10
expect "all six links have all of it" fault_says 'len(d["links"]) == 6 and all(l["reorder_ppm"] == 100000 and l["duplicate_ppm"] == 100000 for l in d["links"])' reorder 10
expect "the cluster goes on" await_progress "$outcomes" 100
expect "list shows that writes came late" wait_until "$DEADLINE" fault_says 'all(l["delayed"] > 0 for l in d["links"]) and sum(l["reordered"] for l in d["links"]) > 0 and sum(l["duplicated"] for l in d["links"]) > 0' list
expect "a delay of 0 is none" fault_says 'all(l["delay_ms"] == 0 and l["reorder_ppm"] == 100000 for l in d["links"])' delay 0
must fault heal

# --- disks and clocks -------------------------------------------------------------------------------------------------------------

expect "a slow disk" fault disk slow 40 2
expect "the cluster goes on" await_progress "$outcomes" 200
expect "list shows the syncs that it made slow" fault_says 'd["disks"][0]["slow_ms"] == 40 and d["disks"][0]["slowed"] > 0' list
expect "a full disk beside it" fault disk full 1
expect "the node sees that no room is left" wait_until "$DEADLINE" status_says 'd["stores"][0]["disk"] == "critical" and d["stores"][0]["disk_free_bytes"] == 0'
expect "it hands its leaderships over, and the cluster goes on" await_progress "$outcomes" 200
expect "list shows both" fault_says '[(x["node"], x["slow_ms"], x["full"]) for x in d["disks"]] == [(1, 0, True), (2, 40, False)]' list
expect "heal makes room" fault heal
expect "the node sees it" wait_until "$DEADLINE" status_says 'd["stores"][0]["disk"] == "ok"'
expect "a disk that fails" fault disk error 3
expect "stops its node, as it must" wait_until "$DEADLINE" fault_says 'not d["processes"][2]["running"]' list
expect "its log says why" grep -q "the node has to stop: .*Input/output error" "$dir/node-3/log"
must fault heal
expect "a clock that goes wrong" fault_says 'd["clocks"][0]["drift_ppm"] == 50000 and d["clocks"][0]["node"] == 1' clock skew 50000 1
expect "and jumps an hour, and back by two" fault clock jump 3600000 1
expect "jumps add up" fault_says '-3600000000 < d["clocks"][0]["offset_us"] < -3590000000 and d["clocks"][0]["drift_ppm"] == 50000' clock jump -7200000 1
expect "the cluster goes on" await_progress "$outcomes" 200
must fault heal
expect "all of it is taken back" fault_says "$clean" list

# --- nodes elsewhere: their addresses alone are known ---------------------------------------------------------------------------------

elsewhere_says() { # EXPRESSION WORD ...
	local expression=$1
	shift
	timeout "$DEADLINE" "$ORDAIN" fault "$@" --connect "$(addresses "$dir")" --json >"$WORK/json" || return 1
	cat "$WORK/json"
	"$PYTHON" -c 'import json, sys; d = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$WORK/json" "$expression"
}

must wait_until "$DEADLINE" status_says 'd["ready"]'
expect "a leader elsewhere is cut off" elsewhere_says 'len(d["links"]) == 4 and all(l["cut"] for l in d["links"])' partition --leader 1
expect "the nodes have done it" fault_says 'len([l for l in d["links"] if l["cut"]]) == 4' list
expect "its links get slow" elsewhere_says 'sorted((l["from"], l["to"]) for l in d["links"] if l["delay_ms"] == 7) == [(1, 2), (1, 3)]' delay 7 --from 1
expect "and disks" elsewhere_says 'd["disks"][0]["slow_ms"] == 9 and d["processes"][0]["running"] and d["processes"][0]["pid"] is None' disk slow 9 2
expect "and clocks wrong" elsewhere_says '500000 <= d["clocks"][0]["offset_us"] < 600000' clock jump 500 3
expect "all of it is told" elsewhere_says 'len(d["links"]) >= 4 and len(d["disks"]) == 1 and len(d["clocks"]) == 1 and len(d["processes"]) == 3' list
expect "and healed" elsewhere_says 'len(d["disks"]) == 1' heal
expect "so that nothing is left" fault_says "$clean" list
expect "processes are for their own host" says 2 "give --dir DIR" "on the node.s host" -- "$ORDAIN" fault kill 1 --connect "$(addresses "$dir")"
expect "and so are files" says 2 "give --dir DIR" -- "$ORDAIN" fault disk corrupt wal 1 --connect "$(addresses "$dir")"
must fault kill 2
expect "one that is down does not answer" elsewhere_says '[p["running"] for p in d["processes"]] == [True, False, True] and d["processes"][1]["problem"] == "does not answer"' list
expect "a disk of it cannot be told anything" says 1 "node 2 does not answer at 127.0.0.1:[0-9]*" -- "$ORDAIN" fault disk slow 1 2 --connect "$(addresses "$dir")"
expect "and it is not healed" says 1 "node 2 is not healed: does not answer" -- "$ORDAIN" fault heal --connect "$(addresses "$dir")"
must fault start 2
expect "nobody there" says 1 "no node could be reached" -- "$ORDAIN" fault list --connect 127.0.0.1:1 --timeout 2s
expect "which cluster?" says 2 "give --dir DIR" -- env -u ORDAIN_CONNECT "$ORDAIN" fault list
must wait_until "$DEADLINE" status_says 'd["ready"]'

# --- lost and damaged disks ---------------------------------------------------------------------------------------------------------

expect "no majority is wiped by mistake" says 2 "no majority" "--force" -- "$ORDAIN" fault wipe 1,2 --dir "$dir"
must fault wipe 1
expect "nor one after the other: what is wiped and not started counts" says 2 "beside what is wiped already" "--force" -- "$ORDAIN" fault wipe 2 --dir "$dir"
must fault start 1
must wait_until "$DEADLINE" status_says 'd["ready"] and all(p["voters"] == [1, 2, 3] for p in d["partitions"])'
expect "a node loses its disk and comes back" fault_says 'd["processes"][0]["outcome"] == "wiped" and d["processes"][0]["running"]' wipe 2 --start
expect "until it has its votes no other node may lose its disk" says 2 "only [01] of the nodes that would be left have a vote" -- "$ORDAIN" fault wipe 1 --dir "$dir"
expect "as a new member, whole" wait_until "$DEADLINE" status_says 'd["ready"] and position(2) > 0 and all(replica(p["partition"], 2)["position"] > 0 and p["voters"] == [1, 2, 3] for p in d["partitions"])'
expect "every request got its outcome" stop_load "$outcomes"
expect "all nodes are equal" wait_until "$DEADLINE" is_whole
expect "a bit of a history changes; file, offset and bit are told" fault_says 'd["flips"][0]["before"] != d["flips"][0]["after"] and d["flips"][0]["file"].endswith(".hist")' disk corrupt history 1 --seed 3
expect "the node finds and mends it" wait_until "$DEADLINE" bash -c '"$0" scrub --now --dir "$1" >/dev/null && "$0" scrub --dir "$1" --json | grep -q "\"damaged_found\":[1-9]\|\"damaged\":[1-9]" && ls "$1"/node-1/data/history/*/*damaged* ' "$ORDAIN" "$dir"
expect "when nobody can say who has a vote no disk is lost" says 2 "no node answers" "--force" -- bash -c '"$0" fault kill all --dir "$1" >/dev/null && "$0" fault wipe 2 --dir "$1"' "$ORDAIN" "$dir"
expect "and no link is cut where nobody runs" says 1 "node 1 sends to node 2 is not in force" "fault start 1" -- "$ORDAIN" fault partition '1|2,3' --dir "$dir"
must fault start 1,2
must mv "$dir/node-3/data/identity" "$WORK/identity"
expect "what was changed is told also before an error" says 1 "node-1/data/identity" "node-3/data: there is no file of kind identity" -- "$ORDAIN" fault disk corrupt identity 1,3 --seed 8 --dir "$dir"
must mv "$WORK/identity" "$dir/node-3/data/identity"
must fault disk corrupt identity 1 --seed 8
must fault start 3
must fault kill 3
expect "a bit of a node's identity changes while it is down" fault_says 'd["flips"][0]["file"].endswith("/identity")' disk corrupt identity 3 --seed 9
expect "heal says that it does not come back, and why" says 1 "node 3 has ended again; its log .* says" "file 'identity' has been changed" -- "$ORDAIN" fault heal --dir "$dir"
expect "the same seed hits the same bit: it is right again" fault disk corrupt identity 3 --seed 9
expect "and heals" fault heal
expect "outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"

# --- inputs that make no sense --------------------------------------------------------------------------------------------------------

expect "targets" says 2 "'x' is no target" -- "$ORDAIN" fault kill x --dir "$dir"
expect "nodes" says 2 "there is no node 4" -- "$ORDAIN" fault pause 4 --dir "$dir"
expect "partitions of the cluster" says 2 "partitions 0 to 3" -- "$ORDAIN" fault kill leader:4 --dir "$dir"
expect "cuts" says 2 "cuts nothing" -- "$ORDAIN" fault partition 1,2 --dir "$dir"
expect "two of a kind" says 2 "not more" -- "$ORDAIN" fault partition '1|2' --ring --dir "$dir"
expect "percentages" says 2 "from 0 to 100" -- "$ORDAIN" fault loss 101 --dir "$dir"
expect "jitter" says 2 "--jitter" -- "$ORDAIN" fault delay 5 --jitter 6 --dir "$dir"
expect "two ends by chance are never one node" bash -c 'for seed in 1 2 3 4 5 6 7 8; do "$0" fault delay 0 --from random --to random --seed $seed --dir "$1" || exit 1; done' "$ORDAIN" "$dir"
expect "lists" says 2 "'2>3' is no list of node numbers" -- "$ORDAIN" fault partition '1>2>3' --dir "$dir"
expect "a link to itself" says 2 "one and the same node" -- "$ORDAIN" fault delay 5 --from 1 --to 1 --dir "$dir"
expect "kinds of files" says 2 "wal history state identity" -- "$ORDAIN" fault disk corrupt log 1 --dir "$dir"
expect "words of a disk" says 2 "disk slow MS TARGET" -- "$ORDAIN" fault disk slow 1 --dir "$dir"
expect "a clock" says 2 "from -500000 to 500000" -- "$ORDAIN" fault clock skew 500001 1 --dir "$dir"
for words in "fault list" "cluster start" "cluster stop" "cluster restart --node 1"; do
	# shellcheck disable=SC2086 # words of the command
	expect "$words: who has to wait for another command waits no longer than it may" says 1 "another command .* has its lock" "--timeout" -- flock "$dir/lock" "$ORDAIN" $words --dir "$dir" --timeout 300ms
done
expect "a directory" says 2 "there is no cluster in" -- "$ORDAIN" fault list --dir "$WORK"
