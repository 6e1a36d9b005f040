#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - ordain-jepsen on real clusters: a minute of workloads under faults is valid, a history that lies is not, nothing is left behind.
. "$(dirname "$0")/lib.sh"
JEPSEN=$BUILD/ordain-jepsen
store=$WORK/store
export TMPDIR=$WORK

# Kept in a directory that is named from where it stands, as by default.
run() { # WORKLOAD NEMESIS SECONDS [FLAG ...]
	local workload=$1 nemesis=$2 seconds=$3
	shift 3
	(cd "$WORK" && timeout 300 "$JEPSEN" run --workload "$workload" --nemesis "$nemesis" --time-limit "$seconds" \
		--interval-ms 2500 --rate 100 --store store "$@")
}

# As says, for a run.
ran() { # STATUS TEXT WORKLOAD NEMESIS SECONDS [FLAG ...]
	local wanted=$1 text=$2 status
	shift 2
	run "$@" >"$WORK/heard" 2>&1
	status=$?
	cat "$WORK/heard"
	[ "$status" -eq "$wanted" ] && grep -qE -- "$text" "$WORK/heard"
}

newest() { # WORKLOAD
	find "$store/$1" -mindepth 1 -maxdepth 1 | sort | tail -n 1
}

# Runs a shell command on the history of a run's directory and checks what comes out; the exit status must be STATUS.
check_changed() { # STATUS RULE WORKLOAD COMMAND ...
	local status=$1 rule=$2 workload=$3
	shift 3
	"$@" <"$(newest "$workload")/history.edn" >"$WORK/changed.edn"
	says "$status" "$rule" -- "$JEPSEN" check "$WORK/changed.edn" --workload "$workload"
}

# The balance of the mint in the final read, one cent off.
cent_lost() {
	sed -E '/:f :final-read/ s/"mint" -1000/"mint" -999/'
}

# The value of the last read of a key that somebody wrote, never written by anybody.
read_invented() {
	awk '/:type :ok, :f :read, :value \[[0-9]+ [0-9]+\]/ && !done { sub(/[0-9]+\]/, "987654321]"); done = 1 } { print }'
}

has_files() { # DIRECTORY NAME ...
	local dir=$1 name
	shift
	for name in "$@"; do
		[ -s "$dir/$name" ] || { echo "$name is missing in $dir" && return 1; }
	done
}

# Commands of the faults of a run, in order, without the ones that came late: a busy machine has time for fewer.
faults_of() { # DIRECTORY
	grep -o '"command": *"fault [^"]*"' "$1/results.json" | head -n 3
}

repeats() {
	run set kill-leader,pause-leader 8 --seed 11 --interval-ms 1500 || return 1
	faults_of "$(newest set)" >"$WORK/first"
	sleep 1.1 # directories are named by the second
	run set kill-leader,pause-leader 8 --seed 11 --interval-ms 1500 || return 1
	faults_of "$(newest set)" >"$WORK/second"
	[ -s "$WORK/first" ] && head -n 2 "$WORK/first" >"$WORK/a" && head -n 2 "$WORK/second" >"$WORK/b" &&
		diff "$WORK/a" "$WORK/b"
}

# SIGTERM in the middle of the load: the run ends in order, and says that it does not know.
stopped() {
	local status
	"$JEPSEN" run --workload bank --nemesis kill,pause --time-limit 120 --interval-ms 1000 --rate 100 --store "$store" >"$WORK/stopped" 2>&1 &
	local pid=$!
	started+=("$pid")
	wait_until 60 grep -q "the workload runs" "$WORK/stopped" || return 1
	wait_until 60 test -s "$(find "$WORK" -maxdepth 2 -path '*ordain-jepsen.*/node-1')/log" || return 1
	kill -TERM "$pid"
	wait "$pid"
	status=$?
	cat "$WORK/stopped"
	[ "$status" -eq 2 ]
}

# The same for a campaign: what was not run is not valid.
campaign_stopped() {
	local status
	"$JEPSEN" campaign --minutes 1 --workloads set,unique --nemeses none,none,none --nodes 3 --rate 50 --store "$store" >"$WORK/stopped" 2>&1 &
	local pid=$!
	started+=("$pid")
	wait_until 120 grep -q "^set .* valid " "$WORK/stopped" || return 1
	kill -TERM "$pid"
	wait "$pid"
	status=$?
	cat "$WORK/stopped"
	[ "$status" -eq 2 ]
}

nothing_left() {
	[ -z "$(find "$WORK" -maxdepth 1 -name 'ordain-jepsen.*')" ] || { ls "$WORK" && return 1; }
	! pgrep -f "$WORK/ordain-jepsen" >/dev/null
}

expect "money under kill, pause and partition" ran 0 "^valid: bank" bank kill,pause,partition 20 --seed 1
expect "its directory has all of it" has_files "$(newest bank)" history.edn results.edn results.json summary.json timeline.html \
	node-1.log node-5.log
if command -v gnuplot >/dev/null; then
	expect "and plots" has_files "$(newest bank)" latency.svg rate.svg
fi
expect "the index page names the run" grep -q "bank/$(basename "$(newest bank)")/timeline.html" "$store/index.html"
expect "every fault took effect" says 0 '"faults_unseen": *0' -- cat "$(newest bank)/summary.json"
expect "a history that lacks a cent is invalid" check_changed 1 "total" bank cent_lost
expect "the same history as it was is valid" check_changed 0 "valid\\? true" bank cat
expect "registers under all faults" ran 0 "^valid: register" register all 15 --seed 2 --intensity 2
expect "a history with an invented value is invalid" check_changed 1 "not-linearizable" register read_invented
expect "a seed chooses the same faults again" repeats
expect "a run that is told to end does so in order" stopped
expect "a campaign that is told to end does not know, either" campaign_stopped
expect "nothing is left behind" nothing_left

expect "an unknown workload names the known ones" ran 3 "no 'bnak'.*bank unique" bnak none 1
expect "an unknown nemesis names the known ones" ran 3 "no 'kil'.*kill pause" bank kil 1
expect "a campaign of nothing is told" says 3 "name at least one of each" -- "$JEPSEN" campaign --workloads ""
expect "a wrong number names its limits" ran 3 "nodes: '99' is not an integer from 1 to 9" bank none 1 --nodes 99
expect "an unknown flag is told" ran 3 "no flag --sed" bank none 1 --sed 5
expect "a history that is none is told with line and column" says 3 "line 1, column" -- "$JEPSEN" check "$0" --workload bank
expect "whose rules are not told is told" says 3 "--workload is missing" "idempotence" -- "$JEPSEN" check "$0"
expect "a program that is not there is told" ran 4 "/nowhere/ordain" bank none 1 --ordain /nowhere/ordain
