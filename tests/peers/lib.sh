# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set here and used elsewhere, and the other way round
# SPDX-License-Identifier: Apache-2.0 - what the systems that are measured share: a directory, waiting, counting.
#
# Sourced by run.sh, which sets WORK (the directory), BUILD, SECONDS_MEASURED and WARM_UP (seconds), and at (the system at work). A system is a file NAME.sh with these functions:
#
#   NAME_make             data of its own below $WORK/NAME, once
#   NAME_start NAME_stop  its processes; stop returns when they have ended, and is fine when none run
#   NAME_roots            pids of its processes, without children
#   NAME_load LOAD        the load, by drive; sets per_s, p50_us, p99_us, done_count (measured)
#   NAME_check            fails when what the system has now is not what its loads were told
#   NAME_settings         what is in force, as lines "name = value"

driver_pid= # of what makes the load, while it runs

fail() {
	printf 'bench-peers: %s\n' "$*" >&2
	exit 1
}

say() { printf '%s\n' "$*" >&2; }

# Asks until the command succeeds; fails the run when it has not after SECONDS.
await() { # SECONDS WHAT COMMAND ...
	local left=$(($1 * 20)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		((left-- > 0)) || fail "$what: not in time"
		sleep 0.05
	done
}

# Ends a process that this script has started, at once if it is not willing within 20 s. Its pid may be empty.
end_process() { # PID
	[ -n "$1" ] || return 0
	kill -TERM "$1" 2>/dev/null || return 0
	for _ in $(seq 400); do
		kill -0 "$1" 2>/dev/null || break
		sleep 0.05
	done
	kill -KILL "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

json_number() { # FIELD TEXT
	local rest=${2#*\""$1"\":}
	[ "$rest" != "$2" ] || fail "no $1 in: '$2'"
	echo "${rest%%[,\}]*}"
}

# Flush requests that the device below the directory has completed; 0 when nobody counts.
flushes() {
	local device
	device=$(df --output=source "$WORK" | tail -1)
	awk -v name="${device##*/}" '$3 == name { n = $19 } END { printf "%.0f\n", n }' /proc/diskstats
}

# Hundredths of a second that processes, their children and those of them that have ended have worked.
servers_cpu() { # PID ...
	local pid child all=()
	for pid in "$@"; do
		all+=("/proc/$pid/stat")
		# shellcheck disable=SC2013 # words
		for child in $(cat /proc/"$pid"/task/*/children 2>/dev/null); do all+=("/proc/$child/stat"); done
	done
	{ cat "${all[@]}" 2>/dev/null || true; } | # some may just have ended
		sed 's/^.*) //' |
		awk -v hz="$(getconf CLK_TCK)" '{ n += $12 + $13 + $14 + $15 } END { printf "%.0f\n", n * 100 / hz }'
}

# The same of all programs that this script has run to their end.
driver_cpu() {
	times >"$WORK/times"
	awk -F '[ms ]+' 'NR == 2 { printf "%.0f\n", ($1 * 60 + $2 + $3 * 60 + $4) * 100 }' "$WORK/times"
}

# Runs the program (no function: it has to be ended by its pid) that makes the load. Sets said (what it printed), servers_percent and driver_percent (of one core, while it ran) and flushes_per_s.
drive() { # COMMAND ...
	local pids begin_ns wall servers driver flushed
	read -ra pids <<<"$("${at}_roots" | tr '\n' ' ')"
	begin_ns=$(date +%s%N) servers=$(servers_cpu "${pids[@]}") flushed=$(flushes)
	driver_cpu >"$WORK/driver"
	read -r driver <"$WORK/driver"
	"$@" >"$WORK/said" 2>&1 & # in the background, since a signal is not seen before what runs in front has ended
	driver_pid=$!
	wait "$driver_pid" || fail "$1: $(cat "$WORK/said")"
	driver_pid=
	said=$(cat "$WORK/said")
	driver_cpu >"$WORK/driver"
	driver=$(($(cat "$WORK/driver") - driver))
	servers=$(($(servers_cpu "${pids[@]}") - servers))
	wall=$((($(date +%s%N) - begin_ns) / 1000000))
	servers_percent=$((servers * 1000 / wall))
	driver_percent=$((driver * 1000 / wall))
	flushes_per_s=$((($(flushes) - flushed) * 1000 / wall))
}

# Of lines "microseconds latency_us" (when a call ended, how long it took): how many ended in the measured seconds, which begin WARM_UP after the first
# has ended, and the quantiles of those. Sets measured, p50_us, p99_us.
measure() { # FILE
	local span begin end count
	span=$(awk 'NR == 1 || $1 < least { least = $1 } $1 > most { most = $1 } END { printf "%.0f %.0f\n", least, most }' "$1")
	begin=$((${span% *} + WARM_UP * 1000000))
	end=$((begin + SECONDS_MEASURED * 1000000))
	[ "${span#* }" -ge "$end" ] || fail "the load was over before its $SECONDS_MEASURED s; is the machine busy? CONNECT_MAX=SECONDS waits longer for connections"
	awk -v begin="$begin" -v end="$end" '$1 >= begin && $1 < end { print $2 }' "$1" | sort -n >"$1.sorted"
	count=$(wc -l <"$1.sorted")
	[ "$count" -gt 0 ] || fail "nothing ended in the measured seconds"
	measured=$count
	p50_us=$(sed -n "$(((count + 1) / 2))p" "$1.sorted")
	p99_us=$(sed -n "$(((count * 99 + 99) / 100))p" "$1.sorted")
	rm "$1.sorted"
}
