# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0 - what the integration tests share: clusters of real processes in a directory, polling with deadlines, results.
#
# A test sources this file, starts clusters, and calls `expect NAME command ...`: "ok NAME" when the command succeeds, "not ok NAME" and what it printed
# when it does not. At its end, however it ends, every process it started is ended by its pid and its directory is removed.
set -u

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
ORDAIN=$BUILD/ordain
ORDAIND=$BUILD/ordaind
PYTHON=/usr/bin/python3
WORK=$(mktemp -d "${TMPDIR:-/tmp}/ordain-test.XXXXXX")
DEADLINE=90 # seconds for anything that should take one or two; generous for sanitizers on a busy machine
export PYTHONDONTWRITEBYTECODE=1

failures=0
started=() # pids of processes that are not nodes of a cluster directory

# The pid of a node of a cluster directory, empty when it does not run. A pid file alone proves nothing: the process must be our daemon in that directory.
node_pid() { # DIR NODE
	local pid
	read -r pid _ 2>/dev/null <"$1/node-$2/pid" || return 1
	tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$1/node-$2" && echo "$pid"
}

# Has the process ended, with all its threads, so that its files and ports are free? Whether somebody has reaped it already does not matter.
is_over() { # PID
	local state
	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	[ -z "$state" ] || { [ "$state" = Z ] && [ "$(find "/proc/$1/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" -le 1 ]; }
}

end_process() { # PID
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	wait_until 10 is_over "$1"
}

# The pids of all nodes that still run in clusters of this test.
nodes_running() {
	local dir node
	for dir in "$WORK"/*/; do
		for node in 1 2 3; do
			node_pid "${dir%/}" "$node"
		done
	done
}

# Nodes stop when they are asked to, and have said nothing of sanitizers and assertions in all their life.
end_nodes() {
	local pids pid
	mapfile -t pids < <(nodes_running)
	[ ${#pids[@]} -eq 0 ] || kill -TERM "${pids[@]}" 2>/dev/null
	for pid in ${pids[@]+"${pids[@]}"}; do
		if ! wait_until 30 is_over "$pid" >/dev/null; then
			echo "not ok $(basename "$0" .sh): process $pid did not end within 30 s of SIGTERM"
			failures=$((failures + 1))
			end_process "$pid"
		fi
	done
	if grep -lE 'Sanitizer|runtime error|assertion failed' "$WORK"/*/node-*/log 2>/dev/null; then
		echo "not ok $(basename "$0" .sh): the log of a node tells of a defect"
		failures=$((failures + 1))
	fi
}

finish() {
	local status=$? pid dir
	trap - EXIT
	for pid in "${started[@]}"; do
		end_process "$pid"
	done
	end_nodes
	if [ "$failures" -gt 0 ] || [ "$status" -ne 0 ]; then
		for dir in "$WORK"/*/node-*/log; do
			[ -s "$dir" ] && echo "# the end of ${dir#"$WORK"/}:" && tail -n 12 "$dir" | sed 's/^/#   /'
		done
	fi
	rm -rf "$WORK"
	[ "$failures" -eq 0 ] && [ "$status" -eq 0 ]
	exit $?
}
trap finish EXIT
trap 'exit 130' INT TERM

expect() { # NAME COMMAND ...
	local name=$1
	shift
	if "$@" >"$WORK/said" 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name"
		echo "#   command: $*"
		tail -n 80 "$WORK/said" | sed 's/^/#   /'
		failures=$((failures + 1))
	fi
}

# For steps without which the rest of the test makes no sense.
must() { # COMMAND ...
	if ! "$@" >"$WORK/said" 2>&1; then
		echo "not ok $(basename "$0" .sh): $*"
		tail -n 80 "$WORK/said" | sed 's/^/#   /'
		failures=$((failures + 1))
		exit 1
	fi
}

# Asks again and again until the command succeeds; fails when it has not after SECONDS.
wait_until() { # SECONDS COMMAND ...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "in time it never came true: $*"
			"$@"
			return 1
		fi
		sleep 0.05 # between two looks; what counts is what is seen
	done
}

# Runs a command that must end with STATUS and say all of the TEXTs (extended regular expressions, any case) in its output.
says() { # STATUS TEXT ... -- COMMAND ...
	local wanted=$1 texts=() status text
	shift
	while [ "$1" != -- ]; do
		texts+=("$1")
		shift
	done
	shift
	timeout "$DEADLINE" "$@" >"$WORK/heard" 2>&1 </dev/null
	status=$?
	cat "$WORK/heard"
	if [ "$status" -ne "$wanted" ]; then
		echo "exit status $status, wanted $wanted"
		return 1
	fi
	for text in ${texts[@]+"${texts[@]}"}; do
		if ! grep -qiE -- "$text" "$WORK/heard"; then
			echo "it does not say: $text"
			return 1
		fi
	done
}

# --- clusters ---------------------------------------------------------------------------------------------------------------

start_cluster() { # DIR [PARTITIONS]
	must timeout "$DEADLINE" "$ORDAIN" cluster start --nodes 3 --partitions "${2:-8}" --dir "$1" --timeout 60s
}

# Starts a node that does not run, and waits until it and all partitions serve.
start_node() { # DIR NODE
	timeout "$DEADLINE" "$ORDAIN" cluster restart --dir "$1" --node "$2" --timeout 60s
}

# kill -9 of some nodes, all at the same moment; waits until they are gone.
kill_nodes() { # DIR NODE ...
	local dir=$1 pids pid
	shift
	mapfile -t pids < <(for node in "$@"; do node_pid "$dir" "$node"; done)
	[ ${#pids[@]} -eq $# ] && kill -KILL "${pids[@]}" || return 1
	for pid in "${pids[@]}"; do
		wait_until "$DEADLINE" is_over "$pid" || return 1
	done
}

signal_node() { # DIR NODE SIGNAL
	kill -"$3" "$(node_pid "$1" "$2")"
}

# "host:peer:client" of a node, from its configuration.
node_entry() { # DIR NODE
	"$ORDAIND" --config "$1/node-$2/ordaind.conf" --print-config | sed -n "s/^nodes *= *$2=//p"
}

client_address() { # DIR NODE
	local entry
	entry=$(node_entry "$1" "$2")
	echo "${entry%%:*}:${entry##*:}"
}

peer_address() { # DIR NODE
	local entry
	entry=$(node_entry "$1" "$2")
	echo "${entry%:*}"
}

addresses() { # DIR
	echo "$(client_address "$1" 1),$(client_address "$1" 2),$(client_address "$1" 3)"
}

# --- load -------------------------------------------------------------------------------------------------------------------

start_load() { # DIR OUTCOMES [OPTION ...]
	local dir=$1 outcomes=$2
	shift 2
	: >"$outcomes"
	"$PYTHON" "$HERE/load.py" --addresses "$(addresses "$dir")" --out "$outcomes" "$@" 2>"$outcomes.log" &
	LOAD_PID=$!
	started+=("$LOAD_PID")
}

outcomes_reach() { # OUTCOMES COUNT
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# Waits until COUNT further outcomes have been told: the cluster is at work.
await_progress() { # OUTCOMES COUNT
	local count
	count=$(($(wc -l <"$1") + $2))
	if ! wait_until "$DEADLINE" outcomes_reach "$1" "$count"; then
		cat "$1.log"
		return 1
	fi
}

# Lets the load end what is under way; fails when a request stayed without outcome.
stop_load() { # OUTCOMES
	kill -TERM "$LOAD_PID"
	if ! wait "$LOAD_PID"; then
		cat "$1.log"
		return 1
	fi
}

verify() { # DIR OUTCOMES
	"$PYTHON" "$HERE/verify.py" --addresses "$(addresses "$1")" --outcomes "$2"
}
