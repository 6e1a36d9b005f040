#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 - runs test programs, two at a time, then those after "then" one by one; ends with "N passed, N failed".
#
#   BUILD=build run_tests.sh PROGRAM... [then PROGRAM...]
#
# How many tests a program holds is read from its output: Criterion's synthesis, or a last line "N passed, N failed".
# A program that says neither is one test, by its exit status. One that ends badly has at least one failure, and so has one in whose output a sanitizer
# speaks: Criterion calls a test passed whose process the leak sanitizer ended.
set -eu
: "${BUILD:=build}"
LIMIT_S=900
results=$BUILD/test-results

# Prints "passed failed" for a program's log and exit status.
count() {
	sed 's/\x1b\[[0-9;]*m//g' "$1" | awk -v status="$2" '
		/Synthesis: Tested:/ {
			gsub(/[|:]/, " ")
			for (i = 1; i <= NF; i++) {
				if ($i == "Tested") tested = $(i + 1)
				if ($i == "Passing") passed = $(i + 1)
			}
			failed = tested - passed
			said = 1
		}
		/^[0-9]+ passed, [0-9]+ failed$/ { passed = $1; failed = $3; said = 1 }
		/ERROR: (Address|Leak|Undefined|Thread)[A-Za-z]*Sanitizer|: runtime error: / { sanitizer = 1 }
		END {
			if (!said) { passed = status == 0; failed = 0 }
			if ((status != 0 || sanitizer) && failed == 0) failed = 1
			print passed + 0, failed + 0
		}'
}

# The tests of a log that failed, each with what it said, and then the log's end.
show() {
	awk '/^(not )?ok / { failed = /^not/ } failed && (/^not ok / || /^#   /)' "$1" | head -n 200
	echo "--- the end of it"
	tail -n 100 "$1"
}

run_one() {
	program=$1
	name=${program#"$BUILD"/}
	name=${name#tests/}
	log=$results/$(echo "$name" | tr / _)
	set --
	case $name in
	unit/*) set -- -j1 ;; # Criterion: two programs at a time are enough for two cores
	golden/*) set -- tests/golden/*.txt ;;
	esac
	status=0
	began=$(date +%s)
	timeout -k 10 "$LIMIT_S" "$program" "$@" >"$log.log" 2>&1 || status=$?
	counts=$(count "$log.log" "$status")
	echo "$counts" >"$log.count"
	text="$name: ${counts% *} passed, ${counts#* } failed ($(($(date +%s) - began)) s)"
	if [ "${counts#* }" -eq 0 ]; then
		echo "$text"
	else
		[ "$status" -ne 124 ] || text="$text, stopped after $LIMIT_S s"
		printf '%s, exit status %s\n%s\n%s\n' "--- $text" "$status" "$(show "$log.log")" "--- end of $log.log"
	fi
}

if [ "${1-}" = --one ]; then
	run_one "$2"
	exit 0
fi

rm -rf "$results"
mkdir -p "$results"
side_by_side=""
while [ $# -gt 0 ] && [ "$1" != then ]; do
	side_by_side="$side_by_side $1"
	shift
done
[ $# -eq 0 ] || shift
echo "$side_by_side" | tr ' ' '\n' | grep . | BUILD=$BUILD xargs -r -n 1 -P 2 "$0" --one
for program in "$@"; do
	run_one "$program"
done
cat "$results"/*.count | awk '{passed += $1; failed += $2} END {printf "%d passed, %d failed\n", passed, failed; exit failed != 0}'
