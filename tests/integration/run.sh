#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - runs the integration tests (all, or those named) and counts.
#   BUILD=build tests/integration/run.sh [NAME ...]
# Every test prints "ok NAME" and "not ok NAME" lines; the last line here is "N passed, N failed".
set -u
here=$(cd "$(dirname "$0")" && pwd)
output=$(mktemp "${TMPDIR:-/tmp}/ordain-run.XXXXXX")
trap 'rm -f "$output"' EXIT
trap 'exit 130' INT TERM

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
	for script in "$here"/test_*.sh; do
		name=$(basename "$script" .sh)
		names+=("${name#test_}")
	done
fi

passed=0
failed=0
for name in "${names[@]}"; do
	began=$SECONDS
	echo "# $name"
	bash "$here/test_$name.sh" | tee "$output"
	status=${PIPESTATUS[0]}
	ok=$(grep -c '^ok ' "$output")
	not_ok=$(grep -c '^not ok ' "$output")
	if [ "$not_ok" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$ok" -eq 0 ]; }; then
		echo "not ok $name: ended with status $status after $ok passed"
		not_ok=1
	fi
	passed=$((passed + ok))
	failed=$((failed + not_ok))
	echo "# $name took $((SECONDS - began)) s"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
