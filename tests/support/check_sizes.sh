#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 - names files over 800 lines and functions over 90: look for the second noun in them.
#
#   check_sizes.sh FILE...
set -eu
awk '
function file_end() { if (lines > 800) { printf "%s: %d lines\n", name, lines; bad = 1 } }
FNR == 1 { file_end(); name = FILENAME; begin = 0 }
{ lines = FNR }
/^[A-Za-z_].*\(/ && !/;[ \t]*$/ && !/^#/ { begin = FNR; what = $0 }
/^}/ {
	if (begin && FNR - begin + 1 > 90) {
		printf "%s:%d: %d lines: %s\n", FILENAME, begin, FNR - begin + 1, what
		bad = 1
	}
	begin = 0
}
END { file_end(); exit bad }' "$@"
