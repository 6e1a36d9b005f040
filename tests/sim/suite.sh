#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 - the simulator's part of `make test`: seeds that failed once, some fresh ones, and whether the planted bugs still apply.
#
#   BUILD=build SAN= suite.sh       the last line is "N passed, N failed"
set -eu
: "${BUILD:=build}" "${SAN:=}"
cd "$(dirname "$0")/../.."
# About two minutes on two cores; sanitizers take some times as long.
seeds=150
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
	first=$("$BUILD/sim" --seed 7 --trace | cksum)
	second=$(env -i "$BUILD/sim" --seed 7 --trace | cksum)
	[ "$first" = "$second" ]
}

check "seeds that failed once" "$BUILD/sim" --named --jobs 2
check "$seeds fresh seeds" "$BUILD/sim" --seeds "1:$seeds" --jobs 2 --keep "$BUILD/sim-failures"
check "two runs of a seed give the same trace" same_trace
check "planted bugs apply to the sources" tests/sim/mutants.sh --apply-only
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
