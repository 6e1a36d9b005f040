#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 - the simulator's part of `make test`: seeds that failed once, seeds 1 to 300, and whether the planted bugs still apply and compile.
#
#   BUILD=build SAN= suite.sh       the last line is "N passed, N failed"
set -eu
: "${BUILD:=build}" "${SAN:=}"
cd "$(dirname "$0")/../.."
# A minute or two on two cores; sanitizers take some times as long.
seeds=300
[ -z "$SAN" ] || seeds=25
passed=0
failed=0

check() { # what, command...
	what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		echo "ok: $what"
	else
		failed=$((failed + 1))
		echo "not ok: $what"
	fi
}

same_trace() {
	work=$(mktemp -d)
	same=0
	"$BUILD/sim" --seed 7 --trace >"$work/first" && env -i "$BUILD/sim" --seed 7 --trace >"$work/second" &&
		cmp -s "$work/first" "$work/second" || same=1
	rm -rf "$work"
	return "$same"
}

# Each of them still finds the bug that it is kept for.
named_bite() {
	sed -n 's/^X(\([0-9]*\), [0-9]*, "\([a-z-]*\)".*/\1 \2/p' tests/sim/seeds.def | while read -r seed mutant; do
		echo "seed $seed, $mutant"
		${MAKE:-make} sim-mutants NAMES="$mutant" FIRST="$seed" SEEDS=1 >"$BUILD/named.log" 2>&1 || {
			cat "$BUILD/named.log"
			return 1
		}
	done
}

check "seeds that failed once" "$BUILD/sim" --named
check "they fail with the bug that they are kept for" named_bite
check "seeds 1 to $seeds" "$BUILD/sim" --seeds "1:$seeds" --jobs 2 --keep "$BUILD/sim-failures"
check "two runs of a seed give the same trace" same_trace
check "planted bugs apply to the sources, and compile" tests/sim/mutants.sh --build-only
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
