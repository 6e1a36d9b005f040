#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - the demo ends well and leaves nothing behind, also when it is interrupted.
. "$(dirname "$0")/lib.sh"
export BUILD
export TMPDIR=$WORK
DEADLINE=300

# Does a node of a demo in our directory run? (No pgrep: it is not everywhere.)
demo_runs() {
	cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -q "[o]rdaind --config $WORK/ordain-demo"
}

nothing_left() {
	[ -z "$(find "$WORK" -mindepth 1 -name 'ordain-demo.*')" ] && ! demo_runs
}

interrupted() {
	"$ROOT/docs/examples/demo.sh" >"$WORK/demo.log" 2>&1 &
	local pid=$!
	started+=("$pid")
	wait_until "$DEADLINE" demo_runs || return 1
	kill -TERM "$pid"
	wait "$pid"
	[ $? -eq 130 ]
}

expect "the demo holds all that it claims" says 0 "All of it held" "all as the rules say: yes" -- "$ROOT/docs/examples/demo.sh"
expect "it leaves nothing behind" nothing_left
expect "the demo can be interrupted" interrupted
expect "it leaves nothing behind then" nothing_left
