#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - the README's commands, run as they stand there; and every link in the pages leads somewhere.
. "$(dirname "$0")/lib.sh"

# The blocks that are marked as shell, without the build itself; build/ is where the programs are, the cluster goes into this test's directory.
commands() {
	awk '/^```sh$/ {on = 1; next} /^```/ {on = 0} on && $0 != "make"' "$ROOT/README.md"
}

run_commands() {
	cd "$WORK" && ln -sfn "$BUILD" build && commands >commands.sh && timeout "$DEADLINE" bash -eu commands.sh 2>&1 | tee transcript
	return "${PIPESTATUS[0]}"
}

links() {
	local page link missing=0
	for page in README.md docs/*.md docs/adr/*.md */README.md; do
		for link in $(grep -oE '\]\([^)#]+\)' "$page" | sed 's/^](//; s/)$//' | grep -v '^https\?:'); do
			[ -e "$(dirname "$page")/$link" ] || { echo "$page: $link does not exist" && missing=1; }
		done
	done
	return "$missing"
}

cd "$ROOT" || exit 1
expect "the README's commands run" run_commands
for said in replayed id_reused amount name_taken "exit status 1" "person 17"; do
	expect "their output says: $said" grep -q "$said" "$WORK/transcript"
done
expect "alice has what she was paid once, also with a node dead" test "$(grep -cE '^balance.*(12\.50|1250)|[[:space:]](12\.50|1250)([[:space:]]|$)' "$WORK/transcript")" -ge 2
cd "$ROOT" || exit 1
expect "every link in the pages leads to a file" links
