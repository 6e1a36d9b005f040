#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - ordain bench: each kind of work, both loops, what it reads back, and that it can find something wrong. make bench, in short.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster

bench=("$ORDAIN" bench --dir "$dir" --warmup 200ms --accounts 200)
table=("$ROOT/tests/bench/bench.py" --build "$BUILD" --out "$WORK/out" --tmp "$WORK" --seconds 1 --warmup 0 --memory-max 64)

# Runs the bench, which has to succeed, and judges its JSON, which is in the variable b.
finds() { # PYTHON OPTION ...
	local condition=$1
	shift
	timeout "$DEADLINE" "${bench[@]}" --json "$@" >"$WORK/found" || return 1
	"$PYTHON" -c "import json, sys; b = json.load(open(sys.argv[1])); sys.exit(not ($condition))" "$WORK/found" || {
		cat "$WORK/found"
		return 1
	}
}

# As on a terminal: the names that it uses, and its progress, come to standard error. Spoils an account on all nodes meanwhile.
spoils_one() {
	"$PYTHON" - "$ORDAIN" "$dir" <<'EOF'
import os, pty, re, subprocess, sys
ordain, directory = sys.argv[1:]
ours, theirs = pty.openpty()
bench = subprocess.Popen([ordain, "bench", "--dir", directory, "--accounts", "2", "--clients", "1", "--batch", "1", "--seconds", "4"], stdout=subprocess.PIPE, stderr=theirs)
os.close(theirs)
heard, spoilt = "", False
while True:
    try:
        part = os.read(ours, 4096).decode()
    except OSError:
        break
    heard += part
    if not part:
        break
    if "second 1: " in heard and not spoilt:
        account = re.search(r"opens accounts (\S+)", heard).group(1)
        for node in "123":
            subprocess.run([ordain, "fault", "spoil", "--account", account, "--delta", "7", "--node", node, "--dir", directory], check=True, stdout=subprocess.DEVNULL)
        spoilt = True
said = bench.stdout.read().decode()
print(heard, said, bench.wait())
sys.exit(not (spoilt and "second 3: " in heard and bench.returncode == 1 and "money      WRONG" in said))
EOF
}

must timeout "$DEADLINE" "$ORDAIN" cluster start --nodes 3 --partitions 4 --dir "$dir" --timeout 60s --enable-faults

expect "transfers" finds 'b["settled"] > 0 and b["right"] and b["settled_per_s"] > 0 and [c["name"] for c in b["checks"]] == ["money", "replicas"]' \
	--seconds 1 --clients 4 --batch 20
expect "claims" finds 'b["settled"] > 0 and b["right"] and b["checks"][0]["name"] == "claims"' --workload claims --seconds 1 --batch 20
expect "reads" finds 'b["reads"] > 0 and b["settled"] == 0 and b["right"] and "reads" in [c["name"] for c in b["checks"]]' \
	--workload reads --seconds 1 --batch 1 --clients 8
expect "mixed: each kind has its latency" finds 'b["right"] and all(b["kinds"][k]["calls"] > 0 for k in ("transfers", "claims", "reads")) and b["calls"] == sum(k["calls"] for k in b["kinds"].values())' \
	--workload mixed --seconds 1 --batch 2 --clients 8 --skew zipf:1.1 --hot-share 50
expect "so many and no more" finds 'b["settled"] == 1234 and b["calls"] == 13 and b["right"]' --count 1234 --batch 100
expect "what nodes of this machine used" finds 'len(b["nodes"]) == 3 and all(n["cpu_us"] >= 0 and n["resident_bytes"] > 0 and n["sent_bytes"] > 0 and n["received_bytes"] > 0 for n in b["nodes"])' \
	--seconds 1 --batch 20
expect "nodes elsewhere: not known" says 0 '^node|^bench +[0-9]' 'money +right' -- "$ORDAIN" bench --connect "$(addresses "$dir")" --seconds 1 --accounts 10 --batch 10

# In an open loop all that was due in the time is counted, answered or not. (0.2 s of warm-up are due, too, and not counted.)
expect "an open loop" finds 'abs(b["calls"] - 400) < 60 and b["right"]' --rate 200 --seconds 2 --clients 100
expect "one that cannot be kept up with" finds 'b["not_begun"] > 1000 and b["max_us"] > 500000 and b["right"]' --rate 100000 --seconds 1 --clients 1
# Nodes that stand still make all calls late that were due meanwhile: not only the twenty that found a client free.
stands_still() {
	"${bench[@]}" --json --rate 200 --seconds 4 --clients 20 >"$WORK/found" &
	local pid=$!
	sleep 2 # somewhere in the middle; where does not matter
	for node in 1 2 3; do signal_node "$dir" "$node" STOP; done
	sleep 1
	for node in 1 2 3; do signal_node "$dir" "$node" CONT; done
	wait "$pid" || return 1
	"$PYTHON" -c 'import json, sys; b = json.load(open(sys.argv[1])); sys.exit(not (b["right"] and b["p90_us"] > 500000 and abs(b["calls"] - 800) < 120))' "$WORK/found" || {
		cat "$WORK/found"
		return 1
	}
}
expect "all nodes stand still for a second of four: a tenth of all calls is late by half of it and more" stands_still

expect "a balance that is wrong is found" spoils_one

# A read of the check waits for its time-out, and one is enough: four thousand would take a quarter of a minute, ten times.
is_left_alone() {
	timeout 30 "$ORDAIN" bench --dir "$dir" --warmup 200ms --accounts 4000 --seconds 6 --timeout 1s >"$WORK/alone" 2>&1 &
	local pid=$!
	sleep 3
	kill_nodes "$dir" 1 2 3
	wait "$pid"
	local status=$?
	[ "$status" -eq 1 ] || [ "$status" -eq 3 ] && grep -q "money .*WRONG.*could not all be read" "$WORK/alone"
}
expect "nodes that do not come back: told, and soon" is_left_alone

# --- Wrong input. ---

expect "too much under way" says 2 "clients times --batch is 10000000" -- "${bench[@]}" --clients 1000 --batch 10000
expect "no such skew" says 2 "skew: 'zipf:0' is not uniform" -- "${bench[@]}" --skew zipf:0
expect "no such mixture" says 2 "mix: '1:2' is not three shares" -- "${bench[@]}" --workload mixed --mix 1:2
expect "a mixture of one kind" says 2 "mix is for --workload mixed" -- "${bench[@]}" --mix 1:2:3
expect "a hot account without transfers" says 2 "hot-share is for transfers" -- "${bench[@]}" --workload claims --hot-share 5

# --- make bench. ---

expect "a short table" says 0 '^ok nodes 1, repeat 1: ' 'left out: accounts: 1,000,000 accounts' '0 runs were not valid' -- "${table[@]}" --repeats 1 --sections "nodes accounts" --accounts-max 1000
expect "the page has machine, build and figures" says 0 '\| commit \| [0-9a-f]{12}' '\| kernel \|' '\| free memory \| [0-9.]+ us' '^\| 5 \| [0-9,]+ \|' 'benchmarks/nodes.svg' 'Left out' -- cat "$WORK/out/benchmarks.md"
cp "$WORK/out/benchmarks.md" "$WORK/page"
expect "page and plots again, without measuring" says 0 'is written' -- "${table[@]}" --redraw
expect "they are the same" cmp "$WORK/page" "$WORK/out/benchmarks.md"
expect "one more section beside them" says 0 '^ok accounts 1,?000' 'is written' -- "${table[@]}" --repeats 1 --sections accounts --accounts-max 1000 --keep
expect "both are on the page" says 0 '^## Nodes' '^## Accounts' '^- accounts: 1,000,000' -- cat "$WORK/out/benchmarks.md"
expect "not beside runs of another length" says 2 "are of seconds 1, and now it is 2" -- "${table[@]}" --repeats 1 --sections accounts --keep --seconds 2
sed -i 's/\tyes\t/\tNO\t/' "$WORK/out/benchmarks/results.tsv"
"${table[@]}" --redraw >/dev/null
expect "a run that is not valid is on the page, without its figures" says 0 'A run is not valid.*: 5, repeat 1' '^\| 5 \| - ' -- cat "$WORK/out/benchmarks.md"
expect "no results to draw" says 2 "there are no results in .*run make bench first" -- "${table[@]}" --redraw --out "$WORK/nowhere"
runs_somewhere() {
	[ -n "$(compgen -G "$WORK/ordain-bench-*/cluster/node-1/pid")" ]
}

# Ended in the middle it stops its nodes, removes their directory, and keeps what it has measured.
ended_in_the_middle() {
	local pids
	"${table[@]}" --sections batch --seconds 60 >/dev/null 2>&1 &
	local pid=$!
	wait_until "$DEADLINE" runs_somewhere || return 1
	mapfile -t pids < <(cut -d' ' -f1 "$WORK"/ordain-bench-*/cluster/node-*/pid)
	kill -TERM "$pid"
	wait "$pid"
	[ $? -eq 143 ] || return 1
	for pid in "${pids[@]}"; do is_over "$pid" || return 1; done
	grep -q '^# commit: ' "$WORK/out/benchmarks/results.tsv"
}
expect "ended in the middle it leaves nothing behind" ended_in_the_middle

expect "no cluster is left" says 1 -- grep -rl . "$WORK" --include=cluster.conf -s --exclude-dir=cluster
expect "no such section" says 2 "there is no section 'speed'" -- "${table[@]}" --sections speed
